"""The files of a batch: which are read and written, that none of them is another one, and where problems go."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import rich_click as click

from careplan.batch.byte_sources import STDIN
from careplan.batch.resumable_file import beside, is_written_now, journal_of, receipt_of
from careplan.cli.common import fail

Json = dict[str, Any]
ENDINGS = tuple(f".{kind}{packed}" for kind in ("ndjson", "jsonl") for packed in ("", ".gz", ".zst"))
OURS = (".part", ".journal", ".done", ".new")


class Pair(NamedTuple):
    """One file to read and where its answers go: a file with this name at last, or else a stream."""

    source: Path
    target: Path | None
    stream: Path | None = None


def pairs_of(source: Path, target: Path | None, *, resume: bool) -> list[Pair]:
    """What is to be read and written; ends the command where that cannot be."""
    if str(source) != STDIN and not source.exists():
        fail(f"there is no {source}", 2)
    files = _inputs(source) if source.is_dir() else [source]
    if target is None or _flows(target):
        if resume:
            fail("a stream cannot be gone on with; name a file as OUT", 2)
        return [Pair(file, None, None if target is None or _is_stdout(target) else target) for file in files]
    if not source.is_dir():
        if target.is_dir():
            fail(f"{target} is a folder; name a file, or a folder for IN as well", 2)
        if not target.resolve().parent.is_dir():
            fail(f"there is no folder {target.parent}", 2)
        # A link stays a link: what it leads to is written.
        return [Pair(source, target.resolve())]
    if target.exists() and not target.is_dir():
        fail(f"{target} is a file; where IN is a folder, OUT must be one, too", 2)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"the folder {target} cannot be made: {error.strerror}", 2)
    return [Pair(file, (target / file.name).resolve()) for file in files]


def named(path: Path) -> str:
    """What to call a file in a message."""
    return "standard input" if str(path) == STDIN else str(path)


def _inputs(folder: Path) -> list[Path]:
    found = sorted(folder.iterdir())
    files = [path for path in found if path.name.lower().endswith(ENDINGS) and path.is_file()]
    for path in found:
        if path not in files and not path.name.endswith(OURS) and not path.name.startswith("."):
            kind = "a folder" if path.is_dir() else f"names must end in {', '.join(ENDINGS)}"
            click.echo(f"careplan: {path} is passed over: {kind}", err=True)
    if not files:
        fail(f"{folder} holds no file that ends in {', '.join(ENDINGS)}", 2)
    return files


def _is_stdout(target: Path) -> bool:
    return str(target) in {STDIN, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


def _flows(target: Path) -> bool:
    """Whether it must be written into rather than replaced: a pipe, a device, whatever else is no plain file."""
    if _is_stdout(target) or Path(os.path.abspath(target)).parts[1:2] in (("dev",), ("proc",)):  # noqa: PTH100 - links stay
        return True
    return target.exists() and not target.is_file() and not target.is_dir()


def check_apart(pairs: list[Pair], errors: Path | None, summary: Path | None) -> None:
    """End the command if something that is written would destroy what is read, or something else that is written."""
    read = {_identity(pair.source): pair.source for pair in pairs}
    written: dict[object, Path] = {}
    for path in _written(pairs, errors, summary):
        found = _identity(path)
        if found in read:
            fail(f"{path} would be written over {named(read[found])}, which is read", 2)
        if found in written:
            fail(f"{path} would be written over {written[found]}, which is written as well", 2)
        written[found] = path
    for option, file in (("--errors", errors), ("--summary", summary)):
        if file is not None and not file.resolve().parent.is_dir():
            fail(f"there is no folder {file.parent} for {option}", 2)
        if file is not None and not os.access(file if file.exists() else file.resolve().parent, os.W_OK):
            fail(f"{file} cannot be written", 2)


def _written(pairs: list[Pair], errors: Path | None, summary: Path | None) -> Iterator[Path]:
    for pair in pairs:
        if pair.target is not None:
            yield pair.target
            yield from beside(pair.target).values()
    if pairs[0].target is None:
        yield pairs[0].stream or Path("/dev/stdout")
    yield from filter(None, (errors, summary))


def _identity(path: Path) -> object:
    """What two names of one file have in common."""
    try:
        if str(path) == STDIN:
            found = os.fstat(sys.stdin.fileno())
        elif str(path) == "/dev/stdout":
            found = os.fstat(sys.stdout.fileno())
        else:
            found = path.stat()
    except (OSError, ValueError):
        return str(path.resolve())
    # Terminals, pipes and devices can be read and written by as many as like.
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else (str(path), "flows", id(path))


class Failures:
    """The file of problems. Only ever added to, except that what nobody noted as done is cut off when a run goes on."""

    def __init__(self, path: Path, ends: Iterable[int]) -> None:
        """`ends` are the lengths that journals and receipts know of. Ends the command if the file is shorter."""
        self.path = path
        try:
            plain = not path.exists() or path.is_file()
            length = max(ends, default=0)
            if length and (not plain or not path.exists() or path.stat().st_size < length):
                fail(f"{path} is not the file of problems that the interrupted run wrote; it held {length} bytes or more", 2)
            self._file: BinaryIO = path.open("r+b" if length else "wb")
            if length:
                self._file.truncate(length)
                self._file.seek(length)
        except OSError as error:
            fail(f"{path} cannot be written: {error.strerror}", 2)
        self._plain = plain
        self.length = length

    def add(self, problems: bytes) -> None:
        """Write problems, and be sure of them. Raises `OSError`."""
        if not problems:
            return
        self._file.write(problems)
        self._file.flush()
        if self._plain:
            os.fsync(self._file.fileno())
        self.length += len(problems)

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError:
            return


IN_USE = "another process is writing {} now; wait until it has ended, or name another file"


def begin_anew(pairs: list[Pair]) -> None:
    """Forget receipts of earlier runs; ends the command if one of them was interrupted."""
    targets = [pair.target for pair in pairs if pair.target is not None]
    for target in targets:
        receipt_of(target)
        if journal_of(target) is not None:
            if is_written_now(target):
                fail(IN_USE.format(target), 2)
            fail(f"{target}.part is left from an interrupted run; go on with --resume, or remove it with its .journal", 2)
    for target in targets:
        beside(target)["done"].unlink(missing_ok=True)


def ends_of(abouts: Iterable[tuple[Pair, Json]]) -> Iterator[int]:
    """How long the file of problems was, by every journal and receipt about the same."""
    for pair, about in abouts:
        if pair.target is None:
            continue
        receipt = receipt_of(pair.target)
        if receipt is not None and receipt["about"] == about:
            yield receipt["state"]["failures"]
        journal = journal_of(pair.target)
        if journal is not None and journal.about == about:
            yield journal.state["failures"]


def size_and_time(source: Path) -> list[int] | None:
    """What tells a file from what it was before, without reading it; None for what is no file."""
    if str(source) == STDIN or not source.is_file():
        return None
    found = source.stat()
    return [found.st_size, found.st_mtime_ns]
