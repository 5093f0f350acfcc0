"""The bytes of files and pipes as they come, unpacked where they are packed, without waiting for more than has arrived."""

from __future__ import annotations

import os
import select
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

PIECE = 262_144
FED = 1_024
"""Packed bytes that are unpacked at once; what comes of them can be tens of thousands of times as long."""
IDLE_SECONDS = 0.05
STDIN = "-"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPED = tuple(bytes([0x50 + at]) + b"\x2a\x4d\x18" for at in range(16))
"""A file of zstd may begin with frames that hold something else."""


class Unreadable(Exception):
    """A file is not what its name says, or breaks off. Says which, to stand behind its name."""


class Source:
    """A file, or standard input where it is called "-". A context manager; closes what it opened."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` if it cannot be opened."""
        self.path = path
        self.place = 0
        """Bytes read so far, as they lie there."""
        self._file: BinaryIO | None = None
        self._number: int | None = None
        if str(path) != STDIN:
            self._file = path.open("rb", buffering=0)
            self._number = self._file.fileno()
        else:
            try:
                self._number = sys.stdin.fileno()
            except OSError:
                self._file = sys.stdin.buffer
        self.waits = self._number is not None and not stat.S_ISREG(os.fstat(self._number).st_mode)
        """Whether more may come later."""
        if self._number is not None and self.waits:
            self._poll = select.poll()
            self._poll.register(self._number, select.POLLIN)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None and str(self.path) != STDIN:
            self._file.close()

    def pieces(self) -> Iterator[bytes | None]:
        """What it holds, unpacked; None where a pipe has nothing at the moment. Raises `OSError` and `Unreadable`."""
        head, unpacker = b"", None
        while (kind := _kind(head)) is None:
            piece = self._read()
            if piece is None:
                yield None
            elif piece:
                head += piece
            else:
                break
        if kind:
            unpacker = _Unpacker(kind)
        elif self.path.name.lower().endswith((".gz", ".zst")):
            raise Unreadable("is not packed as its name says" if head else "is empty, not even packed")
        more: bytes | None = head
        while more != b"":
            if more is None or unpacker is None:
                yield more
            else:
                yield from unpacker.feed(more)
            more = self._read()
        if unpacker is not None:
            unpacker.close()

    def _read(self) -> bytes | None:
        if self._number is None:
            assert self._file is not None
            piece = self._file.read(PIECE)
        elif self.waits and not self._poll.poll(IDLE_SECONDS * 1_000):
            return None
        else:
            piece = os.read(self._number, PIECE)
        self.place += len(piece)
        return piece


def _kind(head: bytes) -> bytes | None:
    """How a file that begins like this is packed: empty for not at all, None if that takes more bytes to say."""
    for magic in (_GZIP, _ZSTD, *_SKIPPED):
        if head.startswith(magic):
            return _GZIP if magic == _GZIP else _ZSTD
    return None if any(magic.startswith(head) for magic in (_GZIP, _ZSTD, *_SKIPPED)) else b""


class _Unpacker:
    """Unpacks part by part: a file may hold several, one behind the other, and must not end within one."""

    def __init__(self, kind: bytes) -> None:
        self._kind = kind
        self._make: Callable[[], Any] = (
            (lambda: zlib.decompressobj(wbits=31)) if kind == _GZIP else zstandard.ZstdDecompressor().decompressobj
        )
        self._part: Any = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(piece):
            if self._part is None:
                if self._kind == _GZIP and piece[at] == 0:
                    # Padding, as tapes and some writers leave it.
                    at += 1
                    continue
                self._part = self._make()
            fed = piece[at : at + FED]
            at += len(fed)
            try:
                found = self._part.decompress(fed)
            except (zlib.error, zstandard.ZstdError):
                raise Unreadable("is damaged: it cannot be unpacked from here on") from None
            if self._part.eof:
                at -= len(self._part.unused_data)
                self._part = None
            if found:
                yield found

    def close(self) -> None:
        if self._part is not None:
            raise Unreadable("is cut off: its last packed part is not whole")
