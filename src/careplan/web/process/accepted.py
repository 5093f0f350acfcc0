"""The accepted edition as content: what workers serve, and what each replacement of a worker starts from.

The first process holds it in memory without a name in any folder, in two slots: the one that is served, and the one into
which the next is written. Whatever becomes of the files on the disk, workers never look at them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import PurePosixPath

import msgspec
import zstandard

from careplan.rulebook.folder import Files
from careplan.web.process import shared

_MARK = 32
"""Bytes of the digest before the content: a slot that is written anew while it is read is noticed."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a rulebook by their paths in its folder, and of the other files that settings name by these settings."""

    rules: dict[str, bytes]
    named: dict[str, bytes]

    @property
    def files(self) -> Files:
        """The files of the rulebook as they are read."""
        return {PurePosixPath(path): content for path, content in self.rules.items()}


def content_of(files: Files, named: Mapping[str, bytes]) -> Content:
    """What was read, as content."""
    return Content(rules={str(path): content for path, content in files.items()}, named=dict(named))


def packed(content: Content) -> bytes:
    """The content as bytes, its digest first."""
    body = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(content))
    return sha256(body).digest() + body


def unpacked(whole: bytes) -> Content | None:
    """The content in these bytes; None where they are not whole."""
    mark, body = whole[:_MARK], whole[_MARK:]
    if sha256(body).digest() != mark:
        return None
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(body), type=Content)


class Slots:
    """The two slots. Made before workers are forked, so that each of them has both."""

    def __init__(self) -> None:
        self._files = [os.memfd_create(f"careplan-edition-{at}", os.MFD_CLOEXEC) for at in range(2)]

    def free(self) -> int:
        """The descriptor of the slot into which the next edition may be written, emptied."""
        file = self._files[(shared.accepted().slot + 1) % 2]
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        return file

    def current(self) -> int:
        """The descriptor of the slot that has what is served now."""
        return self._files[shared.accepted().slot]

    def take(self) -> None:
        """Accept what was written into the free slot."""
        before = shared.accepted()
        slot = (before.slot + 1) % 2
        shared.accept(shared.Place(before.number + 1, slot, os.fstat(self._files[slot]).st_size))

    def written(self) -> Content:
        """What was written into the free slot. Raises `LookupError` where that is not whole."""
        file = self._files[(shared.accepted().slot + 1) % 2]
        content = unpacked(os.pread(file, os.fstat(file).st_size, 0))
        if content is None:
            raise LookupError("the content is not whole")
        return content

    def read(self) -> tuple[int, Content]:
        """The accepted content with its number. Raises `LookupError` where there is none, or none that is whole."""
        for _ in range(3):
            place = shared.accepted()
            if not place.number:
                break
            content = unpacked(os.pread(self._files[place.slot], place.length, 0))
            if content is not None:
                return place.number, content
        raise LookupError("there is no accepted edition")


def write(file: int, content: Content) -> None:
    """Write content into a slot."""
    whole = memoryview(packed(content))
    while whole:
        whole = whole[os.write(file, whole) :]


def memory_file(name: str, content: bytes) -> int:
    """A file without a place, which processes forked from here find under `/proc/self/fd`."""
    file = os.memfd_create(name, os.MFD_CLOEXEC)
    os.write(file, content)
    return file


slots = Slots()
