"""A file that is written piece by piece, survives any interruption, and appears under its name only when whole.

Beside the unfinished file stands a journal with one line for each finished piece: how long the file is then, and
what its writer wants to know when it goes on. What lies beyond the last such line is cut off again.
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


class PartFile:
    """Writes `target` by way of `target.part` and `target.journal`."""

    def __init__(self, target: Path, about: Json, *, resume: bool) -> None:
        """`about` says what is being written.

        Raises `FileExistsError` if there is something to go on with and nobody asked to, `NotTheSame` if that is about
        something else.
        """
        self._target = target
        self._part = target.with_name(target.name + ".part")
        self._notes = target.with_name(target.name + ".journal")
        self.state: Json | None = None
        there = self._notes.exists()
        if there and not resume:
            raise FileExistsError
        if there:
            self._go_on(about)
        else:
            self._part.write_bytes(b"")
            self._notes.write_bytes(_encode({"about": about}) + b"\n")
        self._file: BinaryIO = self._part.open("ab")
        self._journal: BinaryIO = self._notes.open("ab")

    def _go_on(self, about: Json) -> None:
        lines = self._notes.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        if not whole or msgspec.json.decode(whole[0]) != {"about": about}:
            raise NotTheSame
        length = 0
        if len(whole) > 1:
            last = msgspec.json.decode(whole[-1])
            length, self.state = last["length"], last["state"]
        with self._part.open("r+b") as file:
            file.truncate(length)
        with self._notes.open("r+b") as file:
            file.truncate(sum(map(len, whole)))

    def add(self, piece: bytes, state: Json) -> None:
        """Write a finished piece, and with it what its writer will want to know. Raises `OSError` if there is no room."""
        self._file.write(piece)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._journal.write(_encode({"length": self._file.tell(), "state": state}) + b"\n")
        self._journal.flush()

    def finish(self) -> None:
        """Give the file its name."""
        self._close()
        self._part.replace(self._target)
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
