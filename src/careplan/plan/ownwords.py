"""The caller's own words in an item: no part of what is remembered, and put in when it is sent.

An item is written with a mark where such words go. What is remembered has the marks; the words of each request take their
places in the JSON.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec
from msgspec import Raw

from careplan.plan.wording import Words
from careplan.recognition.medicine_catalogue import Resolved

_EDGE = "\x1a"
_IN_JSON = re.compile(rb"\\u001a(.*?)\\u001a")
_encode = msgspec.json.Encoder().encode


class Outline(NamedTuple):
    """JSON around the caller's words: the pieces between them, and what goes there."""

    pieces: tuple[bytes, ...]
    marks: tuple[str, ...]

    @classmethod
    def of(cls, written: Raw) -> Outline | None:
        """The outline of something that was written with marks; None if there are none in it."""
        pieces = _IN_JSON.split(bytes(written))
        if len(pieces) == 1:
            return None
        return cls(tuple(pieces[::2]), tuple([mark.decode() for mark in pieces[1::2]]))

    def filled(self, words: Words) -> bytes:
        """The JSON with the words of one case."""
        parts = [self.pieces[0]]
        for mark, piece in zip(self.marks, self.pieces[1:], strict=True):
            parts += (_encode(_meant(mark, words))[1:-1], piece)
        return b"".join(parts)


class Marks(Words):
    """Words with marks in place of what the caller wrote: goals, medicines that were not read whole, the approver's name."""

    def entry(self, kind: str, at: int) -> str:
        """The name of an entry, or the mark of a goal."""
        return _mark("goal", at) if kind == "goal" else super().entry(kind, at)

    def _entry_words(self, resolved: Resolved) -> str:
        own = resolved.match is None or resolved.problem == "partly_recognized"
        return _mark("medicine", resolved.index) if own else super()._entry_words(resolved)

    def approver(self) -> str | None:
        """The mark of the name, if there is one."""
        return _mark("approver", 0) if super().approver() else None


def _mark(kind: str, at: int) -> str:
    return f"{_EDGE}{kind}/{at}{_EDGE}"


def _meant(mark: str, words: Words) -> str:
    kind, _, at = mark.partition("/")
    return words.approver() or "" if kind == "approver" else words.entry(kind, int(at))
