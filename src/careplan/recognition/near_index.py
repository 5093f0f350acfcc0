"""Which of many names may lie within one or two slips of a word, so that few have to be compared letter by letter.

A slip changes, adds or leaves out one letter, or swaps two neighbours. It can spoil only one of several pieces of a name
that have a letter between them: after one slip the beginning or the end is whole, after two the middle may be alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_BEGINNING, _MIDDLE, _END = "beginning", "middle", "end"


class NearIndex:
    """Names by their length and by what slips leave whole. Names of fewer than five letters are not for comparing."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._by_piece: dict[tuple[int, int, str, str], list[int]] = {}
        for at, name in enumerate(self._names):
            for slips in (1, 2):
                for place, start, end in _pieces(len(name), slips):
                    self._by_piece.setdefault((slips, len(name), place, name[start:end]), []).append(at)

    def within(self, key: str, length: int, slips: int) -> Sequence[str]:
        """All names of this length that `slips` (1 or 2) may lead from to `key`, with some others, in their order."""
        by_piece, longer = self._by_piece, len(key) - length
        found: list[int] = []
        for place, start, end in _pieces(length, slips):
            shifts = (0,) if place == _BEGINNING else (longer,) if place == _END else (-1, 0, 1)
            for shift in shifts:
                found += by_piece.get((slips, length, place, key[start + shift : end + shift]), ())
        return [self._names[at] for at in sorted(set(found))] if found else ()


def _pieces(length: int, slips: int) -> Sequence[tuple[str, int, int]]:
    """Where the pieces of a name of this length begin and end."""
    if slips == 1:
        half = (length - 1) // 2
        return (_BEGINNING, 0, half), (_END, half + 1, length)
    third = (length - 2) // 3
    return (_BEGINNING, 0, third), (_MIDDLE, third + 1, length - third - 1), (_END, length - third, length)
