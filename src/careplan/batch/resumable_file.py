"""A file that is written piece by piece, survives any interruption, and appears under its name only when whole.

Beside the unfinished file stands a journal with one line for each finished piece: how long the file is then, and
what its writer wants to know when it goes on. What lies beyond the last such line is cut off again. Beside the whole
file stands a receipt: what it is about, how long it is, and what its writer wants to know of it later.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
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
    """What is known of an unfinished file: how much of it counts, and the state then. `receipt` once it is whole."""

    about: Json
    length: int
    state: Json
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
            entry = msgspec.json.decode(line) if line.endswith(b"\n") else None
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
        if notes["part"].exists() and notes["part"].stat().st_size == journal.length:
            notes["part"].replace(target)
        _write(notes["done"], _receipt(journal))
        _sync(target.parent)
        notes["journal"].unlink()
    try:
        found = msgspec.json.decode(notes["done"].read_bytes(), type=Journal)
        whole = target.stat().st_size == found.length
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return {"about": found.about, "state": found.state, **(found.receipt or {})} if whole else None


class PartFile:
    """Writes `target` by way of `target.part` and `target.journal`, and leaves `target.done`."""

    def __init__(self, target: Path, about: Json, state: Json, *, resume: bool) -> None:
        """`about` says what is being written, `state` what its writer will want to know if it goes on from the beginning.

        Raises `FileExistsError` if there is something to go on with and nobody asked to, `NotTheSame` if that is about
        something else or not all there any more.
        """
        self._target = target
        notes = beside(target)
        self._part, self._notes, self._done = notes["part"], notes["journal"], notes["done"]
        self._about = about
        found = journal_of(target)
        if found is not None and not resume:
            raise FileExistsError
        if found is None:
            self._part.write_bytes(b"")
            self._notes.write_bytes(_encode({"about": about, "length": 0, "state": state}) + b"\n")
        elif found.about != about or not self._part.exists() or self._part.stat().st_size < found.length:
            raise NotTheSame
        else:
            os.truncate(self._part, found.length)
            _write(self._notes, _encode(found) + b"\n")
        self.state: Json = found.state if found else state
        self._file: BinaryIO = self._part.open("ab")
        self._journal: BinaryIO = self._notes.open("ab")

    def add(self, piece: bytes, state: Json) -> None:
        """Write a finished piece, and with it what its writer will want to know. Raises `OSError` if there is no room."""
        self._file.write(piece)
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._journal.tell() > LONGEST_JOURNAL:
            entry = Journal(self._about, self._file.tell(), state)
            _write(self._notes, _encode(entry) + b"\n")
            self._journal.close()
            self._journal = self._notes.open("ab")
        else:
            self._journal.write(_encode({"length": self._file.tell(), "state": state}) + b"\n")
            self._journal.flush()
        self.state = state

    def finish(self, receipt: Json) -> None:
        """Give the file its name, and leave a receipt that says this as well."""
        self._file.flush()
        os.fsync(self._file.fileno())
        entry = Journal(self._about, self._file.tell(), self.state, receipt)
        self._close()
        # Were it killed from here on, the journal says that the file is whole.
        _write(self._notes, _encode(entry) + b"\n")
        self._part.replace(self._target)
        _write(self._done, _receipt(entry))
        _sync(self._target.parent)
        self._notes.unlink()

    def leave(self) -> None:
        """Leave it to be gone on with."""
        self._close()

    def _close(self) -> None:
        for file in (self._file, self._journal):
            try:
                file.close()
            except OSError:
                continue


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
