"""Doses a day of an entry, in milligrams of the medicine and as equivalents in diazepam or oral morphine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from careplan.recognition.daily_dose import Told, daily_dose, doses_meant
from careplan.recognition.line import Listed
from careplan.recognition.list_words import ListWords
from careplan.recognition.medicine_rows import Ingredient
from careplan.recognition.plain_text import plain
from careplan.recognition.strengths import Dose, Measures, several_figures

Of = Literal["diazepam", "morphine"]
COUNTED: Mapping[Of, frozenset[str]] = {
    "diazepam": frozenset(("benzodiazepine", "designer_benzodiazepine", "z_drug")),
    "morphine": frozenset(("opioid", "recreational_opioid")),
}
"""The classes whose doses add up, by what they are counted in."""
_OF: tuple[Of, Of] = ("diazepam", "morphine")
_COUNTED = frozenset().union(*COUNTED.values())
COUNTED_IN: Mapping[str, Of] = {"diazepam_mg_a_day": "diazepam", "morphine_mg_a_day": "morphine"}
"""What a dose of the whole list is counted in, by the factor that rules test."""
_SMALLER = -1


class DoseEquivalent(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `dose_equivalents.csv`: one milligram of the ingredient is worth `least` to `most` milligrams of `of`.

    `route` is oral, which counts also where a line does not say how the medicine gets into the body, or transdermal.
    `source` are keys of `sources.yaml`. `valid_from` and `valid_until` are the first and the last day on which it counts.
    """

    ingredient: str
    of: Of
    route: Literal["oral", "transdermal"]
    least: str
    most: str
    source: tuple[str, ...]
    note: str = ""
    valid_from: str = ""
    valid_until: str = ""

    def counts_on(self, day: str | None) -> bool:
        """Whether it counts on a day, such as 2026-12-31; on a day that is not known it may."""
        return day is None or (self.valid_from <= day and (not self.valid_until or day <= self.valid_until))

    @property
    def factor(self) -> tuple[float, float]:
        """The factor's bounds. Raises ValueError where they are no numbers above 0 in order."""
        least, most = float(self.least), float(self.most)
        if not 0 < least <= most <= 10_000:
            raise ValueError(f"{self.least} to {self.most} is no range of factors")
        return least, most


class Product(Protocol):
    """What a name stands for: its ingredients, in the order in which their strengths are named, and others by name."""

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """The ingredients of the catalogue, in the order of their strengths."""
        ...

    @property
    def also_contains(self) -> tuple[str, ...]:
        """The names of ingredients that the catalogue does not have."""
        ...


class Doses(NamedTuple):
    """Of one ingredient of an entry: milligrams a day, and what they are worth; None where that cannot be known."""

    mg: Dose | None = None
    diazepam: Dose | None = None
    morphine: Dose | None = None


NO_DOSES = Doses()


class DoseReader:
    """Reads doses a day. Raises ValueError for a row without a sound factor."""

    def __init__(self, words: ListWords, rows: Iterable[DoseEquivalent] = ()) -> None:
        self._measures = Measures(
            dict(words.in_mg),
            frozenset(words.hours),
            frozenset(words.millilitres),
            frozenset(words.through_the_skin),
            dict(words.numbers),
        )
        self._other_ways = frozenset(words.other_ways_in)
        self._through_the_skin = frozenset(words.acts_through_the_skin)
        self._painkillers = frozenset(words.in_larger_amounts)
        self._tells_no_strength = frozenset(words.tells_no_strength)
        self._least_of_painkillers = words.in_larger_amounts_from
        self._factors: dict[tuple[str, Of, str], list[tuple[DoseEquivalent, tuple[float, float]]]] = {}
        for row in rows:
            self._factors.setdefault((row.ingredient, row.of, row.route), []).append((row, row.factor))

    def of(self, listed: Listed, told: Told, row: Ingredient, of: Product) -> Doses:
        """Doses of one ingredient of a medicine, by the factors of the day that was told."""
        if listed.local or row.by_kind or not (listed.strengths or told.mg is not None):
            return NO_DOSES
        if row.ingredient in self._through_the_skin and self._may_be_a_patch(listed):
            return NO_DOSES
        is_one = len(of.ingredients) == 1 and not of.also_contains
        own, which = (listed, None) if is_one else self._own(listed, told, row, of)
        mg = daily_dose(own, self._measures, told, which) if own is not None else None
        if mg is None:
            return NO_DOSES
        if _COUNTED.isdisjoint(row.classes):
            return Doses(mg)
        diazepam, morphine = [self._equivalent(row, one, mg, listed, told.on) for one in _OF]
        return Doses(mg, diazepam, morphine)

    def _may_be_a_patch(self, listed: Listed) -> bool:
        """Whether so few micrograms are told so seldom that they may be those of an hour: "fentanyl 75 mcg q72h"."""
        seldom = any((one.times_a_day or 1) < 1 or one.schedule == "weekly" for one in listed.frequencies)
        if not seldom or any(one.limit for one in listed.strengths):
            return False
        return any(one.bare and self._measures.in_mg.get(one.unit, 1) < 1 for one in listed.strengths)

    def meant(self, listed: Listed) -> tuple[Dose, ...]:
        """Everything that somebody may call the dose of a line, in milligrams; a strength alone is that of the product."""
        says_a_dose = listed.strengths and (listed.amounts or listed.frequencies) and not listed.local
        return doses_meant(listed, self._measures) if says_a_dose else ()

    def _equivalent(self, row: Ingredient, of: Of, mg: Dose, listed: Listed, day: str | None) -> Dose | None:
        if COUNTED[of].isdisjoint(row.classes):
            return None
        way = {word.value for word in (*listed.forms, *listed.routes)}
        if not way.isdisjoint(self._other_ways):
            return None
        route = "oral" if way.isdisjoint(self._measures.through_the_skin) else "transdermal"
        found = [factor for one, factor in self._factors.get((row.ingredient, of, route), ()) if one.counts_on(day)]
        # Where no day is known, several may count: the dose is then worth what any of them says.
        return mg.times(min(least for least, _ in found), max(most for _, most in found)) if found else None

    def _is_named_by(self, figure: float, row: Ingredient, of: Product) -> bool:
        """Whether one figure beside a combination is of this ingredient, as of "Suboxone 8 mg" the buprenorphine is.

        It is where none of the others is ever what a product is told by; of "Contrave 8 mg" nobody can tell.
        """
        others = {*of.also_contains, *(one.name for one in of.ingredients)} - {row.name}
        if row.name in self._tells_no_strength or not others <= self._tells_no_strength:
            return False
        return figure < self._least_of_painkillers or self._painkillers.isdisjoint(others)

    def _own(self, listed: Listed, told: Told, row: Ingredient, of: Product) -> tuple[Listed | None, int | None]:
        """The line with the strengths of one of several ingredients alone, and the place of its figure."""
        apart = [name for name in listed.names if not _is_a_brand(name.meaning)]
        is_a_product = len(apart) > 1 or any(_is_of_several(name.meaning) for name in listed.names)
        if told.mg is not None and is_a_product:
            return (listed if self._is_named_by(told.mg, row, of) else None), None
        if len(apart) > 1 and len(listed.strengths) == len(apart):
            # "Acetaminophen 325 MG / Hydrocodone 5 MG": each name with its strength behind it
            for at, name in enumerate(apart):
                if _means(name.meaning, row):
                    return msgspec.structs.replace(listed, strengths=listed.strengths[at : at + 1]), None
            return None, None
        if len(listed.strengths) != 1:
            return None, None
        figures = several_figures(listed.strengths[0], self._measures).figures
        if len(figures) == 1 and is_a_product:
            return (listed if self._is_named_by(figures[0], row, of) else None), None
        if len(apart) > 1:
            place = next((at for at, name in enumerate(apart) if _means(name.meaning, row)), None)
            return (listed, place) if place is not None else (None, None)
        if not self._painkillers.isdisjoint(of.also_contains):
            return listed, _SMALLER
        written = plain(listed.names[0].text)[0]
        if plain(row.name)[0] in written:
            return listed, 0 if written.startswith(plain(row.name)[0]) else 1
        return listed, of.ingredients.index(row)


def added(several: Sequence[Doses]) -> Doses:
    """Of one ingredient that a line names twice, such as a slow and a fast form: nothing bounds what one leaves open."""
    if all(one == NO_DOSES for one in several):
        return NO_DOSES
    return Doses(*(_added([one[at] for one in several]) for at in range(len(NO_DOSES))))


def _added(doses: Sequence[Dose | None]) -> Dose | None:
    known = [dose for dose in doses if dose is not None]
    if not known:
        return None
    most = [dose.most for dose in known if dose.most is not None]
    return Dose(sum(dose.least for dose in known), sum(most) if len(most) == len(doses) else None)


def total(of: Of, entries: Iterable[tuple[Ingredient, Doses]]) -> Dose:
    """What all medicines of the counted classes are worth together; without a bound above where one cannot be known."""
    least, most = 0.0, 0.0
    bounded = True
    for row, doses in entries:
        if COUNTED[of].isdisjoint(row.classes):
            continue
        dose = doses.diazepam if of == "diazepam" else doses.morphine
        if dose is None or dose.most is None:
            bounded = False
        else:
            most += dose.most
        least += dose.least if dose is not None else 0.0
    return Dose(least, most if bounded else None)


def _is_a_brand(meaning: object) -> bool:
    return bool(getattr(meaning, "called", ""))


def _is_of_several(meaning: object) -> bool:
    """Whether one name stands for a combination; of "Celexa (Lexapro)" one figure is that of either."""
    return len((*getattr(meaning, "ingredients", ()), *getattr(meaning, "also_contains", ()))) > 1


def _means(meaning: object, row: Ingredient) -> bool:
    return any(one.ingredient == row.ingredient for one in getattr(meaning, "ingredients", ()))
