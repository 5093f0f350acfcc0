"""What the ending or beginning of a name says about its class, so that no name of a class under a rule is listed quietly."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

SHORTEST = 5
"""Shorter words say nothing by their endings."""


class NameStems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`name_stems.yaml`: endings and beginnings by class, and the names that somebody has looked at, with the reason."""

    endings: dict[str, tuple[str, ...]]
    beginnings: dict[str, tuple[str, ...]]
    looked_at: dict[str, str]


class StemCheck:
    """Says of a squeezed name which class its stem speaks for."""

    def __init__(self, stems: NameStems) -> None:
        self._endings = tuple((end, name) for name, ends in stems.endings.items() for end in ends)
        self._beginnings = tuple((begin, name) for name, begins in stems.beginnings.items() for begin in begins)
        self._all_endings = tuple(end for end, _ in self._endings)
        self._all_beginnings = tuple(begin for begin, _ in self._beginnings)
        self._looked_at = frozenset(stems.looked_at)

    def classes(self, name: str) -> Iterator[str]:
        """The classes that the stem of a name speaks for, unless somebody has looked at it."""
        if len(name) < SHORTEST or name in self._looked_at:
            return
        # The Latin and Spanish forms of a name end in its stem and um, a or o.
        for form in (name, name.removesuffix("um"), name[:-1] + "e", name[:-1], name + "e"):
            if form.endswith(self._all_endings):
                yield from (of for end, of in self._endings if form.endswith(end))
                break
        if name.startswith(self._all_beginnings):
            yield from (of for begin, of in self._beginnings if name.startswith(begin))
