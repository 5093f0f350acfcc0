"""Strengths in milligrams: of a piece, of a millilitre, or given off in a day."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from careplan.recognition.figures import figure, numbers_in
from careplan.recognition.line import Strength
from careplan.recognition.plain_text import plain

_NUMBER = r"\d[\d.,]*|[.,]\d+"
_STRENGTH = re.compile(
    rf"(?P<low>{_NUMBER})(?:\s?(?P<by>-|to|bis|a|/|\+|plus)\s?(?P<high>{_NUMBER}))?\s?-?\s?(?P<unit>[^\W\d_]+)"
    rf"(?:\s?(?:/|per\s)\s?(?P<of>{_NUMBER})?\s?(?P<per>[^\W\d_]+))?"
)
_STRENGTH_OF_A_VOLUME = re.compile(rf"(?P<strength>.*?)\s?(?:/|per )\s?(?P<of>{_NUMBER})?\s?(?P<unit>[^\W\d_]+)")
_A_PIECE = re.compile(r"\s?(?:/|\bper)\s?(?:tablet|tab|capsule|cap)$")
_DAY = 24
_ADDED = frozenset(("+", "plus"))
_MOST_PIECES = 4
PLACES = 6
"""So many decimals: what is left out is no dose, and three thirds are one again."""


class Dose(NamedTuple):
    """From `least` to `most`; `most` is None where nothing bounds it."""

    least: float
    most: float | None

    def times(self, least: float, most: float | None) -> Dose:
        """The dose so many times."""
        at_most = None if self.most is None or most is None else round(self.most * most, PLACES)
        return Dose(round(self.least * least, PLACES), at_most)


class Measures(NamedTuple):
    """What words are worth: units in milligrams, the words for an hour and for millilitres, and numbers in words."""

    in_mg: Mapping[str, float]
    hours: frozenset[str]
    millilitres: frozenset[str]
    through_the_skin: frozenset[str]
    numbers: Mapping[str, float]


class Piece(NamedTuple):
    """Milligrams in one piece, in one millilitre (`by_volume`), or given off in a day by what tells it by the hour."""

    mg: Dose
    by_volume: bool = False
    by_hour: bool = False


class Several(NamedTuple):
    """A strength without its volume, the figures in it, and of how many millilitres it is; None where it is of a piece."""

    bare: str
    figures: Sequence[float]
    of: float | None


def in_milligrams(strength: Strength, measures: Measures, which: int | None) -> Piece | None:
    """What a strength is in milligrams; None where that cannot be known.

    `which` says which figure counts of a strength with several, as `daily_dose` has it.
    """
    if strength.bare and strength.amount is not None and which is None:  # 20 mg, as most are
        in_mg = measures.in_mg.get(strength.unit)
        return Piece(Dose(strength.amount * in_mg, strength.amount * in_mg)) if in_mg is not None else None
    if which is not None:
        several = several_figures(strength, measures)
        if len(several.figures) > 1:
            return _of_several(several, which, measures.in_mg)
    folded = plain(strength.text)[0].strip()
    found = _STRENGTH.fullmatch(folded)
    if found is None and strength.amount is not None and folded[:1].isalpha():  # two milligrams
        in_words = strength.amount * measures.in_mg.get(strength.unit, 0.0)
        return Piece(Dose(in_words, in_words)) if in_words else None
    scale = measures.in_mg.get(found["unit"]) if found else None
    if found is None or scale is None or found["by"] == "/":
        return None
    low = figure(found["low"])
    high = figure(found["high"]) if found["high"] else low
    if low is None or high is None or (high < low and found["by"] not in _ADDED):
        return None
    if found["by"] in _ADDED:
        low = high = low + high
    of = figure(found["of"]) if found["of"] else 1.0
    mg = Dose(low * scale, high * scale)
    per = found["per"] or ""
    if not of or per in ("kg", "sqcm"):
        return None
    if per in measures.hours and of < _DAY and _DAY % of:
        return Piece(mg)  # 9 mg/9 hr: a patch that is worn for a part of the day
    if per in measures.hours:
        return Piece(mg.times(24 / of, 24 / of), by_hour=True)
    if per in measures.millilitres:
        return Piece(mg.times(1 / of, 1 / of), by_volume=True)
    return Piece(mg)


def _apart_from_volume(folded: str, millilitres: Collection[str]) -> tuple[str, float | None]:
    """A strength such as 7.5-325 mg/15 mL without the millilitres, and how many they are; None for a piece."""
    found = _STRENGTH_OF_A_VOLUME.fullmatch(folded)
    if found is None or found["unit"] not in millilitres:
        return folded, None
    return found["strength"], figure(found["of"]) if found["of"] else 1.0


def several_figures(strength: Strength, measures: Measures) -> Several:
    """The figures of a strength such as 5/325 mg, or the one there is."""
    bare, of = _apart_from_volume(_A_PIECE.sub("", plain(strength.text)[0].strip()), measures.millilitres)
    return Several(bare, [number for part in re.split(r"[/-]", bare) for number in numbers_in(part)[:1]], of)


def _of_several(several: Several, which: int, in_mg: Mapping[str, float]) -> Piece | None:
    """The figure that counts of 5/325 mg or 5-325; without a unit milligrams, in which combinations are named."""
    bare, figures, of = several
    units = set(re.findall(r"[^\W\d_]+", bare))
    if not units <= in_mg.keys() or any(in_mg[unit] != 1 for unit in units):
        return None
    if which >= len(figures) or (which < 0 and len(figures) > 2):
        return None
    if not units and len(figures) == 2 and figures[0] < figures[1] <= _MOST_PIECES:
        return None  # "Fioricet 1-2 every 6 hours" counts tablets
    mg = min(figures) if which < 0 else figures[which]
    if of is None:
        return Piece(Dose(mg, mg))
    return Piece(Dose(mg, mg).times(1 / of, 1 / of), by_volume=True) if of else None
