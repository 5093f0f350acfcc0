"""A file that is written piece by piece, survives any interruption, and appears under its name only when whole.

Beside the unfinished file stands a journal with one line for each finished piece: how long the file is then, and
what its writer wants to know when it goes on. What lies beyond the last such line is cut off again. Beside the whole
file stands a receipt: what it is about, how long it is, and what its writer wants to know of it later. Each carries the
digest of what it speaks of, so that a byte that was changed since is noticed; and only one writer at a time has the file.
"""

from __future__ import annotations

import fcntl
import gzip
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import zstandard

Json = dict[str, Any]
LONGEST_JOURNAL = 1_048_576
"""Bytes; only the last line counts, so a longer journal begins anew with it."""
_encode = msgspec.json.Encoder().encode


class NotTheSame(Exception):
    """What was interrupted was something else."""


class InUse(Exception):
    """Another process writes this file now."""


def packer(name: str) -> Callable[[bytes], bytes]:
    """How a piece of a file of this name is packed; pieces of gzip and zstd can stand one behind the other."""
    if name.endswith(".gz"):
        return lambda piece: gzip.compress(piece, 6, mtime=0)
    if name.endswith(".zst"):
        return lambda piece: zstandard.ZstdCompressor(level=6).compress(piece)
    return lambda piece: piece


def beside(target: Path) -> dict[str, Path]:
    """The files that stand beside a target, by what they are."""
    return {kind: target.with_name(f"{target.name}.{kind}") for kind in ("part", "journal", "done")}


class Journal(msgspec.Struct, frozen=True):
    """What is known of an unfinished file: how much of it counts, and the state then. `receipt` once it is whole.

    `digest` is the BLAKE2b of what counts.
    """

    about: Json
    length: int
    state: Json
    digest: str = ""
    receipt: Json | None = None


def journal_of(target: Path) -> Journal | None:
    """The journal of an unfinished file, as far as it can be read."""
    try:
        lines = beside(target)["journal"].read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return None
    found: Journal | None = None
    for line in lines:
        # What was being written when the power went may be half there, or be zero bytes.
        try:
            entry = msgspec.json.decode(line) if line.endswith(b"\n") and _is_unchanged(line) else None
            found = (
                msgspec.convert((entry if found is None else {"about": found.about} | entry), Journal) if entry else found
            )
        except (msgspec.MsgspecError, TypeError):
            break
    return found


def receipt_of(target: Path) -> Json | None:
    """The receipt of a whole file, if that is the one it was written for. Completes what was whole but for its name."""
    notes = beside(target)
    journal = journal_of(target)
    if journal is not None and journal.receipt is not None:
        try:
            file = _locked(notes["part"]) if notes["part"].exists() else None
        except InUse:
            return None  # Its writer is about to give it its name.
        if file is not None:
            with file:
                if _has(notes["part"], journal):
                    notes["part"].replace(target)
        _write(notes["done"], _receipt(journal))
        _sync(target.parent)
        notes["journal"].unlink()
    try:
        found = msgspec.json.decode(notes["done"].read_bytes(), type=Journal)
        whole = _has(target, found)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return {"about": found.about, "state": found.state, **(found.receipt or {})} if whole else None


class PartFile:
    """Writes `target` by way of `target.part` and `target.journal`, and leaves `target.done`."""

    def __init__(self, target: Path, about: Json, state: Json, *, resume: bool) -> None:
        """`about` says what is being written, `state` what its writer will want to know if it goes on from the beginning.

        Raises `FileExistsError` if there is something to go on with and nobody asked to, `NotTheSame` if that is about
        something else, or not there as it was written any more, and `InUse` if another process writes it now.
        """
        self._target = target
        notes = beside(target)
        self._part, self._notes, self._done = notes["part"], notes["journal"], notes["done"]
        self._about = about
        self._file = _locked(self._part)
        try:
            found = _begun(target, about, resume=resume)
        except BaseException:
            self._file.close()
            raise
        self._digest = blake2b(digest_size=_DIGEST)
        os.truncate(self._part, found.length if found else 0)
        with self._part.open("rb") as written:
            while piece := written.read(_PIECE):
                self._digest.update(piece)
        _write(self._notes, _line(_encode(found or Journal(about, 0, state, self._digest.hexdigest()))))
        self.state: Json = found.state if found else state
        self._journal: BinaryIO = self._notes.open("ab")

    def add(self, piece: bytes, state: Json) -> None:
        """Write a finished piece, and with it what its writer will want to know. Raises `OSError` if there is no room."""
        self._file.write(piece)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._digest.update(piece)
        digest = self._digest.hexdigest()
        if self._journal.tell() > LONGEST_JOURNAL:
            entry = Journal(self._about, self._file.tell(), state, digest)
            _write(self._notes, _line(_encode(entry)))
            self._journal.close()
            self._journal = self._notes.open("ab")
        else:
            self._journal.write(_line(_encode({"length": self._file.tell(), "state": state, "digest": digest})))
            self._journal.flush()
        self.state = state

    def finish(self, receipt: Json) -> None:
        """Give the file its name, and leave a receipt that says this as well."""
        self._file.flush()
        os.fsync(self._file.fileno())
        entry = Journal(self._about, self._file.tell(), self.state, self._digest.hexdigest(), receipt)
        self._journal.close()
        # Were it killed from here on, the journal says that the file is whole.
        _write(self._notes, _line(_encode(entry)))
        self._part.replace(self._target)
        _write(self._done, _receipt(entry))
        _sync(self._target.parent)
        self._notes.unlink()
        self._close()

    def leave(self) -> None:
        """Leave it to be gone on with."""
        self._close()

    def _close(self) -> None:
        for file in (self._file, self._journal):
            try:
                file.close()
            except OSError:
                continue


def _begun(target: Path, about: Json, *, resume: bool) -> Journal | None:
    """What there is to go on with. Raises `FileExistsError` and `NotTheSame`."""
    found = journal_of(target)
    if found is not None and not resume:
        raise FileExistsError
    if found is not None and (found.about != about or not _has(beside(target)["part"], found, beyond=True)):
        raise NotTheSame
    return found


def _locked(part: Path) -> BinaryIO:
    """The unfinished file, for this process alone as long as it is open. Raises `InUse`."""
    while True:
        file = part.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if part.exists() and os.path.samestat(os.fstat(file.fileno()), part.stat()):
                return file
        except BlockingIOError:
            file.close()
            raise InUse from None
        file.close()  # The one who had it has just finished it.


def is_written_now(target: Path) -> bool:
    """Whether another process writes this file now."""
    try:
        with beside(target)["part"].open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _has(path: Path, entry: Journal, *, beyond: bool = False) -> bool:
    """Whether a file is as an entry says, `beyond` what counts whatever there is."""
    if not path.exists():
        return False
    size = path.stat().st_size
    if size < entry.length or (size > entry.length and not beyond):
        return False
    found, left = blake2b(digest_size=_DIGEST), entry.length
    with path.open("rb") as file:
        while left and (piece := file.read(min(left, _PIECE))):
            found.update(piece)
            left -= len(piece)
    return not entry.digest or found.hexdigest() == entry.digest


def _line(entry: bytes) -> bytes:
    """An entry as a line of the journal, which ends with its own digest."""
    return entry[:-1] + _CHECK + _check(entry[:-1]) + b'"}\n'


def _is_unchanged(line: bytes) -> bool:
    entry, mark, check = line.rpartition(_CHECK)
    return not mark or check == _check(entry) + b'"}\n'


def _check(entry: bytes) -> bytes:
    return blake2b(entry, digest_size=4).hexdigest().encode()


_CHECK = b',"check":"'
_DIGEST, _PIECE = 16, 1_048_576


def _receipt(entry: Journal) -> bytes:
    return msgspec.json.format(_encode(entry), indent=2) + b"\n"


def _write(path: Path, content: bytes) -> None:
    """Have a small file hold this, or what it held before, whatever happens."""
    other = path.with_name(f"{path.name}.new")
    with other.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    other.replace(path)


def _sync(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
