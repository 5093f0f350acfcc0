"""Lines of a stream, with their numbers: cut out of it, several together, and known again when a run goes on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from careplan.batch.byte_sources import Source
from careplan.request.decode import MARK

LINES_TOGETHER = 64
BYTES_TOGETHER = 1_048_576
HELD_SECONDS = 0.2
"""Lines of a pipe wait no longer than this for others."""


class Limits(NamedTuple):
    """How many bytes a line may have, as one request may: with our JSON, and with a clinical record."""

    body: int = 262_144
    record: int = 10_485_760

    @property
    def longest(self) -> int:
        """What no line may exceed."""
        return max(self)


NORMAL = Limits()


class Line(NamedTuple):
    """A line with its number, counted from 1. `content` is None where it was too long to be kept."""

    number: int
    content: bytes | None
    ended: bool = True


class Lines:
    """Cuts a stream into lines, keeping at most one and nothing of one that is too long. Blank lines only count."""

    def __init__(self, longest: int = NORMAL.longest) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._lost = False
        self._seen = blake2b(digest_size=16)
        self.number = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that end in this piece of the stream."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._add(chunk[start : end + 1])
            start = end + 1
            yield from self._line(ended=True)
        self._add(chunk[start:])

    def close(self) -> Iterator[Line]:
        """What is left where the stream ends without a line end."""
        if self._rest or self._lost:
            yield from self._line(ended=False)

    def mark(self) -> str:
        """A digest of all up to the end of the line that came last."""
        return self._seen.copy().hexdigest()

    def _add(self, piece: bytes) -> None:
        self._seen.update(piece)
        if self._lost:
            return
        self._rest += piece
        if len(self._rest) > self._longest + 1:
            self._lost = True
            self._rest.clear()

    def _line(self, *, ended: bool) -> Iterator[Line]:
        self.number += 1
        content, lost = bytes(self._rest).removesuffix(b"\n"), self._lost
        self._rest.clear()
        self._lost = False
        if self.number == 1:
            content = content.removeprefix(MARK)
        if lost or len(content) > self._longest:
            yield Line(self.number, None, ended)
        elif content.strip():
            yield Line(self.number, content, ended)


class Otherwise(Exception):
    """The input does not begin with what was answered before."""


class Tasks:
    """The lines of a source, several together, beyond those that are done."""

    def __init__(self, source: Source, longest: int, done: int = 0, mark: str = "") -> None:
        """`mark` is that of the lines that are done."""
        self._source = source
        self._lines = Lines(longest)
        self._done, self._mark = done, mark
        self._notes: deque[tuple[int, str, int]] = deque()
        self.began_at: int | None = None
        """Where in the source the first line stands that was not done."""

    def __iter__(self) -> Iterator[list[Line] | None]:
        """Lines; None where a pipe has none at the moment.

        Raises `Otherwise`, and whatever the source raises, but not before all lines that came whole.
        """
        held: list[Line] = []
        note = (0, "", 0)
        size, since = 0, time.monotonic()
        try:
            for line in self._beyond():
                if line is not None:
                    held.append(line)
                    # Now, as blank lines may follow.
                    note = (line.number, self._lines.mark(), self._source.place)
                    size += len(line.content or b"")
                    late = self._source.waits and time.monotonic() - since > HELD_SECONDS
                    if len(held) < LINES_TOGETHER and size < BYTES_TOGETHER and not late:
                        continue
                yield self._noted(held, note) if held else None
                held, size, since = [], 0, time.monotonic()
        except Exception:
            if held:
                yield self._noted(held, note)
            raise
        if held:
            yield self._noted(held, note)

    def answered(self, lines: list[Line]) -> tuple[str, int]:
        """The mark of all up to these lines, which were given out, and their place in the source."""
        while True:
            number, mark, place = self._notes.popleft()
            if number == lines[-1].number:
                return mark, place

    def mark(self) -> str:
        """The mark of all, once it was read."""
        return self._lines.mark()

    def _noted(self, lines: list[Line], note: tuple[int, str, int]) -> list[Line]:
        self._notes.append(note)
        return lines

    def _beyond(self) -> Iterator[Line | None]:
        known = not self._done
        for line in self._all():
            if line is not None and not known:
                if line.number < self._done:
                    continue
                if line.number > self._done or self._lines.mark() != self._mark:
                    raise Otherwise
                known = True
                continue
            if line is not None and self.began_at is None:
                self.began_at = self._source.place
            if known:
                yield line
        if not known:
            raise Otherwise

    def _all(self) -> Iterator[Line | None]:
        for piece in self._source.pieces():
            if piece is None:
                yield None
            else:
                yield from self._lines.feed(piece)
        yield from self._lines.close()


def mark_of(source: Source, longest: int) -> str:
    """The mark of a whole source. Raises whatever the source raises."""
    lines = Lines(longest)
    for piece in source.pieces():
        for _ in lines.feed(piece or b""):
            pass
    return lines.mark()
