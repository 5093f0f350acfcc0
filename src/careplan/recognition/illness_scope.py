"""How far what is said beside one illness reaches: to the next one, to the end of a list, or back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from careplan.recognition.illness_around import Around
from careplan.recognition.illness_grouping import STATUS, Part
from careplan.recognition.illness_parts import DENIED, OF_FAMILY
from careplan.recognition.illness_pieces import Piece, Separator


def ended_then(part: Part) -> bool:
    """Whether a denial names the time since when: "no seizures since 1995" says that there were some."""
    if part.unit is None or part.unit.tokens is None or not part.around.kinds & DENIED:
        return False
    return part.unit.behind.lasting is not None or "since" in part.words


def sentences(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The pieces between two strong separators."""
    found: list[Piece] = []
    for piece in pieces:
        if piece.separator == "strong" and found:
            yield found
            found = []
        found.append(piece)
    if found:
        yield found


def deny_backwards(parts: Sequence[Part]) -> None:
    """Say a denial that stands behind names without a space between them of all of these: "SI/HI/AVH: denied"."""
    for part, behind in zip(parts[-2::-1], parts[:0:-1], strict=False):
        denied = behind.around.kinds & DENIED
        if behind.unit is None or behind.unit.before.kinds & STATUS or not denied:
            continue
        if part.unit is not None and not part.around.kinds & STATUS and behind.start - part.end <= 1:
            part.around = part.around.and_also(Around(denied))


def spread(scope: Part, separator: Separator, rest: Sequence[Part]) -> Literal["yes", "no", "history", "unsure"]:
    """Whether what stands before one part is said of a later one as well."""
    kinds = scope.unit.before.kinds & STATUS if scope.unit else frozenset()
    if "present" in kinds:
        return "no"
    if separator in ("or", "slash"):
        return "yes"
    if separator == "and":
        return "unsure" if "denied" in kinds and "denied_all" not in kinds and not scope.all else "yes"
    if separator == "comma":
        if "denied_all" in kinds or scope.all or _ends_in_or(rest):
            return "yes"
        if "uncertain" in kinds:
            return "no"
        return "unsure" if kinds & (DENIED | OF_FAMILY) else "history" if "history" in kinds else "no"
    return "unsure" if scope.all or kinds & (DENIED | OF_FAMILY | {"uncertain"}) else "no"


def _ends_in_or(rest: Sequence[Part]) -> bool:
    """Whether a list goes on with commas up to an "or"."""
    for part in rest:
        if part.separator == "or":
            return True
        if part.separator not in ("comma", "slash"):
            return False
    return False
