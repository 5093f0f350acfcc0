"""`careplan batch`: plans for many patients, from files or pipes, on all cores or on a cluster."""

from __future__ import annotations

import errno
import gzip
import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import msgspec
import rich_click as click
import zstandard
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from careplan.batch import LONGEST_LINE, Answering, Answers, Line, Lines, answered
from careplan.commands.common import RULES, fail, read_protocol, read_rulebook, read_settings
from careplan.hardening import harden
from careplan.intake import Intake
from careplan.partfile import NotTheSame, PartFile, packer
from careplan.patient import Protocol
from careplan.planner import Planner
from careplan.pool import Here, Pool, Processes, WorkerLost, cores
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]
LINES_TOGETHER = 64
BYTES_TOGETHER = 1_048_576
PIECE = 262_144
ENDINGS = (".ndjson", ".jsonl", ".ndjson.gz", ".ndjson.zst", ".jsonl.gz", ".jsonl.zst")


class Summary(msgspec.Struct, kw_only=True):
    """What a batch came to. `problems` counts by kind, `rules` the items of each rule."""

    lines: int = 0
    plans: int = 0
    blocked: int = 0
    failed: int = 0
    problems: dict[str, int] = {}
    rules: dict[str, int] = {}

    def add(self, answers: Answers) -> None:
        """Count some answers."""
        kinds = answers.kinds
        self.merge(
            Summary(
                lines=kinds.total(),
                plans=kinds["draft"] + kinds["blocked"],
                blocked=kinds["blocked"],
                failed=len(answers.problems),
                problems={kind.removeprefix("problem: "): n for kind, n in kinds.items() if kind.startswith("problem")},
                rules=answers.rules,
            )
        )

    def merge(self, other: Summary) -> None:
        """Count what another batch came to as well."""
        self.lines += other.lines
        self.plans += other.plans
        self.blocked += other.blocked
        self.failed += other.failed
        self.problems = dict(sorted((Counter(self.problems) + Counter(other.problems)).items()))
        self.rules = dict(sorted((Counter(self.rules) + Counter(other.rules)).items()))


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("target", metavar="[OUT]", required=False, type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; one for each core if left out.")
@click.option("--on", metavar="dask://HOST:PORT", help="Do it on this Dask cluster instead.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run stopped.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write the problems to this file as well.")
@click.option("--summary", type=click.Path(dir_okay=False, path_type=Path), help="Write the summary to this file, as JSON.")
@click.option("--fhir", "as_fhir", is_flag=True, help="Answer with FHIR Bundles and OperationOutcomes.")
@RULES
def batch(
    source: Path,
    target: Path | None,
    *,
    workers: int | None,
    on: str | None,
    resume: bool,
    errors: Path | None,
    summary: Path | None,
    as_fhir: bool,
    rules: Path | None,
) -> None:
    """Plan for every patient in IN, one a line (NDJSON), and write one answer a line to OUT, in the same order.

    IN is a file, a folder of files, or "-" for standard input; a line is a patient or a FHIR Bundle. Files that end in
    .gz or .zst are packed. OUT appears when it is whole; until then OUT.part grows, and --resume goes on with it, even
    after a power cut. Without OUT the answers go to standard output.

    Exits with 0 if every line gave a plan, 1 if some gave a problem, 2 if something about the call is wrong, 4 if it
    could not be finished.

    Example: careplan batch patients.ndjson plans.ndjson.zst --errors problems.ndjson
    """
    harden()
    settings = read_settings()
    folder = rules or settings.rules_folder
    book = read_rulebook(folder)
    protocol = read_protocol(settings, Intake(book.conditions, book.classes))
    pairs = _pairs(source, target)
    if resume and target is None:
        fail("standard output cannot be gone on with; name OUT", 2)
    total = Summary()
    began = time.monotonic()
    with ExitStack() as opened:
        pool = _pool(book, protocol, folder, workers or cores(), on, as_fhir=as_fhir)
        opened.callback(pool.close)
        failures = opened.enter_context(errors.open("ab" if resume else "wb")) if errors else None
        meter = opened.enter_context(_meter([one for one, _ in pairs]))
        for one, other in pairs:
            about = {"rulebook": book.digest, "fhir": as_fhir, "input": one.name, "size": _size(one)}
            _one(_Run(pool, one, other, about, failures, meter, total, resume=resume))
    _tell(total, time.monotonic() - began, summary)
    sys.exit(1 if total.failed else 0)


class _Run(msgspec.Struct):
    """One file to answer."""

    pool: Pool[list[Line], Answers]
    source: Path
    target: Path | None
    about: Json
    failures: Any
    meter: Callable[[int], None]
    total: Summary
    resume: bool = False


def _pairs(source: Path, target: Path | None) -> list[tuple[Path, Path | None]]:
    if str(source) != "-" and not source.exists():
        fail(f"there is no {source}", 2)
    if not source.is_dir():
        if target and target.is_dir():
            fail(f"{target} is a folder; name a file, or a folder for IN as well", 2)
        return [(source, target)]
    files = sorted(path for path in source.iterdir() if path.name.endswith(ENDINGS))
    if not files:
        fail(f"{source} holds no file that ends in {', '.join(ENDINGS)}", 2)
    if target:
        target.mkdir(parents=True, exist_ok=True)
    return [(path, target / path.name if target else None) for path in files]


def _pool(
    book: Rulebook, protocol: Protocol | None, folder: Path, workers: int, on: str | None, *, as_fhir: bool
) -> Pool[list[Line], Answers]:
    if on:
        return _cluster(book, protocol, folder, on, as_fhir=as_fhir)

    def make() -> Callable[[list[Line]], Answers]:
        answering = Answering(Planner(book), protocol, as_fhir=as_fhir)
        return lambda lines: answered(answering, lines)

    return Here(make) if workers == 1 else Processes(make, workers)


def _cluster(
    book: Rulebook, protocol: Protocol | None, folder: Path, on: str, *, as_fhir: bool
) -> Pool[list[Line], Answers]:
    if not on.startswith("dask://"):
        fail("name the cluster as dask://HOST:PORT", 2)
    try:
        from careplan.cluster import Cluster, Job, files_of
    except ImportError:
        fail("a cluster needs the extra dask: pip install 'careplan[dask]'", 2)
    try:
        return Cluster(on.replace("dask://", "tcp://", 1), Job(book.digest, files_of(folder), protocol, as_fhir))
    except OSError:
        fail(f"no Dask scheduler answers at {on}", 4)


def _one(run: _Run) -> None:
    """Answer the lines of one file."""
    if run.target is None:
        _stream(run)
        return
    if run.resume and run.target.exists() and not run.target.with_name(run.target.name + ".journal").exists():
        click.echo(f"careplan: {run.target} is complete already", err=True)
        return
    try:
        part = PartFile(run.target, run.about, resume=run.resume)
    except FileExistsError:
        fail(f"{run.target}.part is left from an interrupted run; go on with --resume, or remove it with its .journal", 2)
    except NotTheSame:
        fail(f"{run.target}.part is of another input, rulebook or form; remove it with its .journal, or do as before", 2)
    except OSError as error:
        _unfinished(run, error)
    own = msgspec.convert(part.state["summary"], Summary) if part.state else Summary()
    done = part.state["line"] if part.state else 0
    if run.failures and part.state:
        run.failures.truncate(part.state["failures"])
        run.failures.seek(part.state["failures"])
    pack = packer(run.target.name)
    try:
        for lines, answers in run.pool.in_order(_together(_from(run, done))):
            own.add(answers)
            if run.failures:
                run.failures.write(_ended(answers.problems))
                run.failures.flush()
            place = run.failures.tell() if run.failures else 0
            state = {"line": lines[-1].number, "summary": msgspec.to_builtins(own), "failures": place}
            part.add(pack(_ended(answers.bodies)), state)
        part.finish()
    except (OSError, EOFError, zstandard.ZstdError) as error:
        part.leave()
        _unfinished(run, error)
    except WorkerLost:
        part.leave()
        fail("a worker was lost again and again on the same lines; what was finished is kept, see --resume", 4)
    except KeyboardInterrupt:
        part.leave()
        fail(f"stopped; what was finished is in {run.target}.part, go on with --resume", 4)
    run.total.merge(own)


def _stream(run: _Run) -> None:
    out = sys.stdout.buffer
    try:
        for _, answers in run.pool.in_order(_together(_from(run, 0))):
            run.total.add(answers)
            if run.failures:
                run.failures.write(_ended(answers.problems))
            out.write(_ended(answers.bodies))
            out.flush()
    except BrokenPipeError:
        # Whoever read has enough.
        sys.stderr.close()
        sys.exit(4)
    except (OSError, EOFError, zstandard.ZstdError) as error:
        _unfinished(run, error)
    except WorkerLost:
        fail("a worker was lost again and again on the same lines", 4)


def _ended(bodies: list[bytes]) -> bytes:
    return b"".join(body + b"\n" for body in bodies)


def _unfinished(run: _Run, error: Exception) -> NoReturn:
    kept = f"; what was finished is in {run.target}.part, go on with --resume" if run.target else ""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        fail(f"there is no room to write{kept}", 4)
    if isinstance(error, EOFError | zstandard.ZstdError | gzip.BadGzipFile):
        fail(f"{run.source} is not packed as its name says, or is cut off{kept}", 4)
    fail(f"reading or writing failed: {error.strerror if isinstance(error, OSError) else type(error).__name__}{kept}", 4)


def _from(run: _Run, done: int) -> Iterator[Line]:
    """The lines of a file beyond those that are done."""
    lines = Lines(LONGEST_LINE)
    with _opened(run.source) as (raw, stream):
        before = 0
        while piece := stream.read(PIECE):
            place = raw.tell() if raw.seekable() else before + len(piece)
            run.meter(place - before)
            before = place
            yield from (line for line in lines.feed(piece) if line.number > done)
        yield from (line for line in lines.close() if line.number > done)


@contextmanager
def _opened(source: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The bytes of a file as they lie there, and unpacked; a pipe is unpacked if it begins as packed files do."""
    with ExitStack() as opened:
        raw: BinaryIO = sys.stdin.buffer if str(source) == "-" else opened.enter_context(source.open("rb"))
        peeked = raw.peek(4)[:4] if isinstance(raw, io.BufferedReader) else b""
        if source.name.endswith(".gz") or (str(source) == "-" and peeked.startswith(b"\x1f\x8b")):
            yield raw, cast(BinaryIO, opened.enter_context(gzip.GzipFile(fileobj=raw)))
        elif source.name.endswith(".zst") or (str(source) == "-" and peeked == b"\x28\xb5\x2f\xfd"):
            unpacker = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True, closefd=False)
            yield raw, cast(BinaryIO, unpacker)
        else:
            yield raw, raw


def _together(lines: Iterable[Line]) -> Iterator[list[Line]]:
    held: list[Line] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line.content or b"")
        if len(held) >= LINES_TOGETHER or size >= BYTES_TOGETHER:
            yield held
            held, size = [], 0
    if held:
        yield held


def _size(source: Path) -> int:
    return source.stat().st_size if source.is_file() else 0


@contextmanager
def _meter(sources: list[Path]) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    total = sum(map(_size, sources)) or None
    columns = (TextColumn("Patients"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task: TaskID = progress.add_task("", total=total)
        yield lambda more: progress.advance(task, more)


class _Rate(ProgressColumn):
    """Megabytes of input a second."""

    def render(self, task: Any) -> Text:
        """The rate as text."""
        return Text(f"{(task.finished_speed or task.speed or 0) / 1e6:.2f} MB/s")


def _tell(total: Summary, seconds: float, file: Path | None) -> None:
    if file:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(total), indent=2) + b"\n")
    rate = total.lines / seconds if seconds else 0.0
    click.echo(
        f"{total.lines} lines, {total.plans} plans ({total.blocked} blocked), {total.failed} problems, "
        f"{rate:.0f} lines a second",
        err=True,
    )
    for kind, count in total.problems.items():
        click.echo(f"  {count:7} {kind}", err=True)
    often = sorted(total.rules.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    if often:
        click.echo("items by rule, the ten most frequent:", err=True)
    for rule, count in often:
        click.echo(f"  {count:7} {rule}", err=True)
