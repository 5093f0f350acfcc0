"""`careplan batch`: plans for many patients, from files or pipes, on all cores or on a cluster."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgspec
import rich_click as click

from careplan.batch.answer_lines import Answers, Summary, of_file
from careplan.batch.byte_sources import Source, Unreadable
from careplan.batch.jobs import AnswerJob, answering, files_of
from careplan.batch.ndjson import Limits, Line, Otherwise, Tasks, mark_of
from careplan.batch.resumable_file import InUse, NotTheSame, PartFile, journal_of, packer, receipt_of
from careplan.batch.worker_pool import Pool, WorkerLost, cores
from careplan.cli.batchfiles import IN_USE, Failures, Pair, begin_anew, check_apart, ends_of, named, pairs_of, size_and_time
from careplan.cli.common import RULES, fail, read_defaults, read_rulebook, read_settings
from careplan.cli.pooling import ON, cluster, local, stoppable
from careplan.cli.progress import Meter, shown
from careplan.hardening import harden
from careplan.request.decode import Intake

Json = dict[str, Any]
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("target", metavar="[OUT]", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; one for each core if left out.")
@ON
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

    IN is a file, a folder of files, or "-" for standard input; a line is a patient or a FHIR Bundle. Input that is packed
    with gzip or zstd is unpacked; OUT is packed if its name ends in .gz or .zst. OUT appears when it is whole, with a
    receipt, OUT.done; until then OUT.part grows, and --resume goes on with it, even after a power cut. Without OUT, or
    with "-" or a pipe as OUT, the answers go there as they come.

    Exits with 0 if every line gave a plan, 1 if some gave a problem, 2 if something about the call is wrong, 4 if it
    could not be finished.

    Example: careplan batch patients.ndjson plans.ndjson.zst --errors problems.ndjson
    """
    harden()
    total = Summary()
    with ExitStack() as opened:
        opened.enter_context(stoppable())
        try:
            settings = read_settings()
            folder = rules or settings.rules_folder
            book = read_rulebook(folder)
            defaults = read_defaults(settings, Intake(book.conditions, book.classes, book.forms))
            limits = Limits(settings.body_limit, settings.record_limit)
            pairs = pairs_of(source, target, resume=resume)
            check_apart(pairs, errors, summary)
            same = {
                "rulebook": book.digest,
                "clinic": blake2b(msgspec.json.encode(defaults), digest_size=16).hexdigest(),
                "careplan": version("careplan"),
                "fhir": as_fhir,
                "longest": list(limits),
                "errors": str(errors.resolve()) if errors else None,
            }
            abouts = [(pair, same | _input(pair)) for pair in pairs]
            if not resume:
                begin_anew(pairs)
            failures = Failures(errors, ends_of(abouts) if resume else ()) if errors else None
            if failures:
                opened.callback(failures.close)
            if on:
                pool = cluster(on, lambda: AnswerJob(files_of(folder), defaults, as_fhir, limits))
            else:
                pool = local(lambda: answering(book, defaults, as_fhir=as_fhir, limits=limits), workers or cores())
            opened.callback(pool.close)
            out = _stream(pairs[0], opened)
            meter = Meter(_size([pair.source for pair in pairs]))
            tick = opened.enter_context(shown(meter))
            run = _Run(pool, failures, meter, tick, total, limits.longest, resume, source.is_dir(), out)
            for pair, about in abouts:
                _answer_file(run, pair, about)
        except KeyboardInterrupt:
            fail("stopped", 4)
    _report(total, meter, summary)
    sys.exit(1 if total.failed else 0)


class _Run(msgspec.Struct, frozen=True):
    """What the files of one run share."""

    pool: Pool[list[Line], Answers]
    failures: Failures | None
    meter: Meter
    tick: Callable[[], None]
    total: Summary
    longest: int
    resume: bool
    several: bool
    out: BinaryIO


def _input(pair: Pair) -> Json:
    found = size_and_time(pair.source)
    return {"input": pair.source.name, "size": found[0] if found else None}


def _size(sources: list[Path]) -> int | None:
    sizes = [size_and_time(source) for source in sources]
    return sum(size[0] for size in sizes if size) if all(sizes) else None


def _stream(pair: Pair, opened: ExitStack) -> BinaryIO:
    if pair.stream is None:
        return sys.stdout.buffer
    try:
        return opened.enter_context(pair.stream.open("wb"))
    except OSError as error:
        fail(f"{pair.stream} cannot be written: {error.strerror}", 2)


def _answer_file(run: _Run, pair: Pair, about: Json) -> None:
    """Answer the lines of one file."""
    try:
        if pair.target is None:
            with Source(pair.source) as source:
                _flow(run, pair, Tasks(source, run.longest))
        elif not _complete(run, pair.source, pair.target, about):
            _write(run, pair.source, pair.target, about)
    except BrokenPipeError:
        # Whoever read has enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), run.out.fileno())
        sys.exit(4)
    except (OSError, Unreadable) as error:
        _unfinished(pair, error)
    except WorkerLost as error:
        fail(f"{error}{_kept(pair)}", 4)
    except KeyboardInterrupt:
        fail(f"stopped{_kept(pair)}", 4)
    found = size_and_time(pair.source)
    run.meter.next_file(found[0] if found else 0)


def _complete(run: _Run, path: Path, target: Path, about: Json) -> bool:
    """Whether the answers to a file are there already, by the receipt of an earlier run."""
    receipt = receipt_of(target) if run.resume else None
    if not run.resume or not target.exists() or journal_of(target) is not None:
        return False
    # Without --errors it does not matter where problems went.
    there = receipt["about"] if receipt is not None else {}
    if receipt is not None and there == about | ({} if about["errors"] else {"errors": there.get("errors")}):
        known = receipt["input"] is not None and receipt["input"] == size_and_time(path)
        if not known:
            with Source(path) as source:
                known = mark_of(source, run.longest) == receipt["mark"]
        if known:
            run.total.merge(msgspec.convert(receipt["state"]["summary"], Summary))
            run.meter.passed(path.stat().st_size if path.is_file() else 0)
            click.echo(f"careplan: {target} is complete already", err=True)
            return True
    click.echo(f"careplan: {target} is not of this input, rulebook and form, as far as known: answered anew", err=True)
    return False


def _write(run: _Run, path: Path, target: Path, about: Json) -> None:
    place = run.failures.length if run.failures else 0
    begin = {"line": 0, "mark": "", "failures": place, "summary": msgspec.to_builtins(Summary())}
    told = size_and_time(path)
    # Before a file beside OUT is made, so that nothing is left of a call that cannot work.
    with Source(path) as source:
        try:
            part = PartFile(target, about, begin, resume=run.resume)
        except InUse:
            fail(IN_USE.format(target), 2)
        except NotTheSame:
            fail(f"{target}.part is of another input, rulebook or form; remove it with its .journal, or do as before", 2)
        try:
            own = _answered(run, source, part, target.name)
            part.finish({"mark": own[1], "input": told})
        except Otherwise:
            fail(f"{path} does not begin with the lines that were answered before; remove {target}.part and its .journal", 2)
        finally:
            part.leave()
    run.total.merge(own[0])


def _answered(run: _Run, source: Source, part: PartFile, name: str) -> tuple[Summary, str]:
    own = msgspec.convert(part.state["summary"], Summary)
    pack = packer(name)
    tasks = Tasks(source, run.longest, part.state["line"], part.state["mark"])
    began = False
    for lines, answers in run.pool.in_order(tasks):
        if not began and tasks.began_at is not None:
            began = True
            run.meter.passed(tasks.began_at if part.state["line"] else 0)
        own.add(answers)
        _note(run, answers, source.path.name)
        mark, place = tasks.answered(lines)
        length = run.failures.length if run.failures else 0
        state = {"line": lines[-1].number, "mark": mark, "failures": length, "summary": msgspec.to_builtins(own)}
        part.add(pack(_ended(answers.bodies)), state)
        run.meter.answered(len(lines), place)
        run.tick()
    return own, tasks.mark()


def _flow(run: _Run, pair: Pair, tasks: Tasks) -> None:
    pack = packer(pair.stream.name if pair.stream else "")
    for lines, answers in run.pool.in_order(tasks):
        run.total.add(answers)
        _note(run, answers, pair.source.name)
        bodies = [of_file(body, pair.source.name) for body in answers.bodies] if run.several else answers.bodies
        run.out.write(pack(_ended(bodies)))
        run.out.flush()
        run.meter.answered(len(lines), tasks.answered(lines)[1])
        run.tick()


def _note(run: _Run, answers: Answers, name: str) -> None:
    if run.failures:
        problems = [of_file(body, name) for body in answers.problems] if run.several else answers.problems
        run.failures.add(_ended(problems))


def _ended(bodies: list[bytes]) -> bytes:
    return b"".join(body + b"\n" for body in bodies)


def _kept(pair: Pair) -> str:
    there = pair.target is not None and journal_of(pair.target) is not None
    return f"; what was finished is in {pair.target}.part, go on with --resume" if there else ""


def _unfinished(pair: Pair, error: OSError | Unreadable) -> NoReturn:
    if isinstance(error, Unreadable):
        fail(f"{named(pair.source)} {error}{_kept(pair)}", 4)
    if error.errno in FULL:
        fail(f"there is no room to write{_kept(pair)}", 4)
    where = f" ({error.filename})" if error.filename else ""
    fail(f"reading or writing failed: {error.strerror or type(error).__name__}{where}{_kept(pair)}", 4)


def _report(total: Summary, meter: Meter, file: Path | None) -> None:
    if file:
        try:
            file.write_bytes(msgspec.json.format(msgspec.json.encode(total), indent=2) + b"\n")
        except OSError as error:
            fail(f"the answers are whole, but the summary cannot be written to {file}: {error.strerror}", 4)
    click.echo(
        f"{total.lines} lines, {total.plans} plans ({total.blocked} blocked), {total.failed} problems, "
        f"{meter.rate:.0f} lines a second",
        err=True,
    )
    for kind, count in total.problems.items():
        click.echo(f"  {count:7} {kind}", err=True)
    often = sorted(total.rules.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    if often:
        click.echo("items by rule, the ten most frequent:", err=True)
    for rule, count in often:
        click.echo(f"  {count:7} {rule}", err=True)
