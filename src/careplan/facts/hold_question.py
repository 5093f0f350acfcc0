"""Whether a plan may speak of leaving out doses of a medicine: the hold question, open, closed or not yet answered.

It is closed for whoever has anything that tells of seizures, catatonia or withdrawal, wherever that was answered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from careplan.recognition.medicine_catalogue import Ingredient, Resolved
from careplan.request.patient import Hold, Patient
from careplan.rulebook.model import Rulebook

PROTECTED_INDICATIONS = frozenset({"epilepsy", "catatonia", "alcohol_withdrawal"})
"""Reasons for a medicine for which no plan may speak of leaving out doses; a floor under every rulebook."""

MAY_PROTECT = frozenset({"antiseizure", "barbiturate", "benzodiazepine", "lamotrigine", "z_drug"})
"""Classes that can be taken for a protected reason, so that "other" does not say enough about one of them."""


class HoldQuestion(msgspec.Struct, frozen=True, gc=False):
    """The question for one ingredient. `stance` is None while it is not known.

    It then hangs on the answers at `waits_for` (JSON Pointers); `may_open` is False where none of them could open it.
    """

    stance: Literal["open", "closed"] | None
    may_open: bool = True
    waits_for: frozenset[str] = frozenset()


CLOSED = HoldQuestion("closed", may_open=False)


class HoldQuestions:
    """Answers the hold question as one rulebook has it."""

    def __init__(self, book: Rulebook) -> None:
        rows = book.catalogue.ingredients
        daily = {name for name, described in book.classes.items() if described.daily_use_closes_hold}
        self._dependent = _of_classes(rows, daily)
        self._may_protect = _of_classes(rows, MAY_PROTECT)
        self._calming = _of_classes(rows, {"benzodiazepine"})
        self._drinks = book.about.drinks_that_close_holds
        self._closing_conditions = {name for name, condition in book.conditions.items() if condition.closes_hold}
        self._closing_if_drinking = {
            name for name, condition in book.conditions.items() if condition.closes_hold_if_drinking
        }

    def of(self, patient: Patient, medicines: Sequence[Resolved]) -> dict[str, HoldQuestion]:
        """The question for each ingredient of the list.

        One entry that closes it closes it for every entry of the same ingredient; and as long as any entry could be
        there against seizures, catatonia or withdrawal without saying so, any condition was not read, or any answer that
        would close it is missing, none is open. So no answer to come closes one that is open.
        """
        entries: dict[str, list[Resolved]] = {}
        rows: dict[str, Ingredient] = {}
        for resolved in medicines:
            for row in _rows(resolved):
                rows[row.ingredient] = row
                entries.setdefault(row.ingredient, []).append(resolved)
        if self.closed_for_all(patient) or any(map(self._protects, medicines)):
            return dict.fromkeys(rows, CLOSED)
        dependent = any(resolved.entry.schedule == "daily" and self._makes_dependent(resolved) for resolved in medicines)
        found: dict[str, HoldQuestion] = dict.fromkeys(rows, CLOSED)
        asked = [
            name
            for name, row in rows.items()
            if row.hold == "ask" and not any(map(_is_rescue, entries[name])) and not (dependent and name in self._dependent)
        ]
        if not asked:
            return found
        vague = [resolved for resolved in medicines if self._is_vague(resolved)]
        unreadable = any(not _is_read(resolved) for resolved in medicines) or any(one.entry.indication for one in vague)
        unreadable = unreadable or bool(patient.other_conditions)
        waiting, of_dependent = self._waiting(patient, medicines)
        for name in asked:
            own = entries[name]
            waits = waiting | of_dependent if name in self._dependent else waiting
            waits = waits.union(f"/medications/{one.index}/schedule" for one in own if one.entry.schedule is None)
            may_open = not unreadable and all(one.problem is None for one in own)
            found[name] = HoldQuestion("open") if may_open and not waits else HoldQuestion(None, may_open, waits)
        return found

    def _waiting(self, patient: Patient, medicines: Sequence[Resolved]) -> tuple[frozenset[str], frozenset[str]]:
        """The missing answers that could close every question, and those that could close one that dependence closes."""
        for_all, of_dependent = _not_answered(patient), set[str]()
        for one in medicines:
            if one.entry.indication is None:
                for_all.add(f"/medications/{one.index}/indication")
            if one.entry.schedule is None:
                if _any_in(one, self._calming):
                    for_all.add(f"/medications/{one.index}/schedule")
                elif self._makes_dependent(one):
                    of_dependent.add(f"/medications/{one.index}/schedule")
        return frozenset(for_all), frozenset(of_dependent)

    def closed_for_all(self, patient: Patient) -> bool:
        """True when anything besides the medicines tells of seizures, catatonia or withdrawal."""
        flags = patient.red_flags
        drinks = patient.lifestyle.alcohol_drinks_per_week or 0
        conditions = patient.conditions or ()
        return (
            not self._closing_conditions.isdisjoint(conditions)
            or flags.new_neurological_symptom is True
            or flags.intoxicated_now is True
            or drinks >= self._drinks
            or (drinks > 0 and not self._closing_if_drinking.isdisjoint(conditions))
        )

    def _makes_dependent(self, resolved: Resolved) -> bool:
        return _any_in(resolved, self._dependent)

    def _protects(self, resolved: Resolved) -> bool:
        """An entry that itself tells of seizures, catatonia or withdrawal."""
        if resolved.entry.indication in PROTECTED_INDICATIONS:
            return True
        return _is_rescue(resolved) and _any_in(resolved, self._calming)

    def _is_vague(self, resolved: Resolved) -> bool:
        """An entry that could be there for a protected reason, and does not say."""
        return resolved.entry.indication in (None, "other") and _any_in(resolved, self._may_protect)

    def against(self, patient: Patient, medicines: Sequence[Resolved], name: str | None = None) -> tuple[str, ...]:
        """Where the answers stand (JSON Pointers) that close the question, or keep it from ever being open.

        That is for the ingredient `name`, or, without one, for whatever else could be taken.
        """
        own = [resolved for resolved in medicines if any(row.ingredient == name for row in _rows(resolved))]
        found = [f"/conditions/{at}" for at, one in enumerate(patient.conditions or ()) if one in self._closing_conditions]
        flags, drinks = patient.red_flags, patient.lifestyle.alcohol_drinks_per_week
        found += [f"/red_flags/{flag}" for flag in _CLOSING_FLAGS if getattr(flags, flag) is True]
        drinking = [
            f"/conditions/{at}" for at, one in enumerate(patient.conditions or ()) if one in self._closing_if_drinking
        ]
        if drinks is not None and (drinks >= self._drinks or (drinks > 0 and drinking)):
            found += ["/lifestyle/alcohol_drinks_per_week", *(drinking if drinks < self._drinks else [])]
        found += [_reason(resolved) for resolved in medicines if self._protects(resolved)]
        found += [_reason(resolved) for resolved in own if _is_rescue(resolved)]
        if name in self._dependent:
            daily = (one for one in medicines if one.entry.schedule == "daily" and self._makes_dependent(one))
            found += [f"/medications/{one.index}/schedule" for one in daily]
        if any(row.hold != "ask" for one in own for row in _rows(one) if row.ingredient == name):
            found += [f"/medications/{one.index}" for one in own]
        if not found:
            found += [f"/medications/{one.index}" for one in medicines if not _is_read(one) or (one in own and one.problem)]
            vague = (one for one in medicines if self._is_vague(one) and one.entry.indication)
            found += [f"/medications/{one.index}/indication" for one in vague]
            found += [f"/other_conditions/{at}" for at in range(len(patient.other_conditions))]
        return tuple(dict.fromkeys(found))


_CLOSING_FLAGS = ("new_neurological_symptom", "intoxicated_now")


def _reason(resolved: Resolved) -> str:
    """Where an entry says that it is there against seizures, catatonia or withdrawal, or as rescue."""
    if resolved.entry.indication in PROTECTED_INDICATIONS:
        return f"/medications/{resolved.index}/indication"
    own = resolved.entry.schedule == "rescue"
    return f"/medications/{resolved.index}/schedule" if own else f"/medications/{resolved.index}"


def hold_for(row: Ingredient, holds: Iterable[Hold]) -> Hold | None:
    """The signed hold of the protocol for a class of this ingredient; the longest one if there are several."""
    matching = [hold for hold in holds if hold.drug_class in row.classes]
    return max(matching, key=lambda hold: (hold.before_hours + hold.after_hours, hold.approved_by), default=None)


def _not_answered(patient: Patient) -> set[str]:
    """Of the answers besides the medicines that could close the question, those that are missing: unknown is not no."""
    answers = {
        "/conditions": patient.conditions,
        "/lifestyle/alcohol_drinks_per_week": patient.lifestyle.alcohol_drinks_per_week,
        "/red_flags/intoxicated_now": patient.red_flags.intoxicated_now,
        "/red_flags/new_neurological_symptom": patient.red_flags.new_neurological_symptom,
    }
    return {pointer for pointer, answer in answers.items() if answer is None}


def _is_read(resolved: Resolved) -> bool:
    return resolved.match is not None and resolved.problem in (None, "code_not_recognized")


def _is_rescue(resolved: Resolved) -> bool:
    return resolved.entry.schedule == "rescue" or bool(resolved.match and resolved.match.rescue)


def _rows(resolved: Resolved) -> tuple[Ingredient, ...]:
    return resolved.match.ingredients if resolved.match else ()


def _of_classes(rows: Mapping[str, Ingredient], classes: Collection[str]) -> frozenset[str]:
    """The ingredients of any of these classes."""
    return frozenset(name for name, row in rows.items() if not frozenset(classes).isdisjoint(row.classes))


def _any_in(resolved: Resolved, ingredients: frozenset[str]) -> bool:
    return any(row.ingredient in ingredients for row in _rows(resolved))
