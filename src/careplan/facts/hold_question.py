"""Whether a plan may speak of leaving out doses of a medicine: the hold question, open, closed, unclear or not yet answered.

It is closed for whoever has anything that tells of seizures, catatonia or withdrawal, wherever that was answered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from careplan.facts.illnesses import Illness
from careplan.facts.unread_entries import Entries
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Hold, Patient
from careplan.rulebook.model import Rulebook

PROTECTED_INDICATIONS = frozenset({"epilepsy", "catatonia", "alcohol_withdrawal"})
"""Reasons for a medicine for which no plan may speak of leaving out doses; a floor under every rulebook."""

MAY_PROTECT = frozenset(
    {"antiseizure", "barbiturate", "benzodiazepine", "designer_benzodiazepine", "gabapentinoid", "lamotrigine", "z_drug"}
)
"""Classes that can be taken for a protected reason: only of these a reason is asked, and "other" does not say enough."""


class HoldQuestion(msgspec.Struct, frozen=True, gc=False):
    """The question for one ingredient. `stance` is None while an answer is missing that could close it.

    It then hangs on the answers at `waits_for` (JSON Pointers). `may_open` is False where none of them could open it. With
    all answers there it is `unclear` where an entry could not be read or does not say enough.
    """

    stance: Literal["open", "closed", "unclear"] | None
    may_open: bool = True
    waits_for: frozenset[str] = frozenset()


class Bearing(NamedTuple):
    """What of a patient bears on the question.

    `too_long` has the ingredients whose signed windows join to a gap beyond their own limit, of which somebody must decide
    first.
    """

    patient: Patient
    illnesses: Sequence[Illness]
    medicines: Sequence[Resolved]
    unread: Entries
    too_long: Collection[str] = ()


class Gate(msgspec.Struct, frozen=True, gc=False):
    """Why the question is not open, as JSON Pointers.

    These are the facts that close it, or the answers that are missing and what could not be read or does not say enough.
    """

    closed_by: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


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

    def of(self, bearing: Bearing) -> dict[str, HoldQuestion]:
        """The question for each ingredient of the list.

        One entry that closes it closes it for every entry of the same ingredient. It stays unknown as long as an entry
        could be there against seizures, catatonia or withdrawal without saying so, a medicine or condition was not read,
        or an answer is missing that would close it; so no answer to come closes one that is open.
        """
        patient, illnesses, medicines, unread, too_long = bearing
        entries: dict[str, list[Resolved]] = {}
        rows: dict[str, Ingredient] = {}
        for resolved in medicines:
            for row in _rows(resolved):
                rows[row.ingredient] = row
                entries.setdefault(row.ingredient, []).append(resolved)
        if self.closed_for_all(patient, illnesses) or any(map(self._protects, medicines)):
            return dict.fromkeys(rows, CLOSED)
        dependent = any(resolved.entry.schedule == "daily" and self._makes_dependent(resolved) for resolved in medicines)
        found: dict[str, HoldQuestion] = dict.fromkeys(rows, CLOSED)
        for name, row in rows.items():
            own = entries[name]
            if row.hold == "ask" and not any(map(_is_rescue, own)) and not (dependent and name in self._dependent):
                waits = self._missing(patient, medicines, name)
                may_open = not any(True for _ in self._unclear(medicines, unread, name, too_long))
                answered: Literal["open", "unclear"] = "open" if may_open else "unclear"
                found[name] = HoldQuestion(None if waits else answered, may_open, waits)
        return found

    def _missing(self, patient: Patient, medicines: Sequence[Resolved], name: str) -> frozenset[str]:
        """The answers that are missing and could close the question for an ingredient (JSON Pointers)."""
        found = _not_answered(patient)
        for resolved in medicines:
            own = any(row.ingredient == name for row in _rows(resolved))
            if resolved.entry.indication is None and (own or _any_in(resolved, self._may_protect)):
                found.add(f"/medications/{resolved.index}/indication")
            habit = _any_in(resolved, self._calming) or (name in self._dependent and self._makes_dependent(resolved))
            if resolved.entry.schedule is None and (own or habit):
                found.add(f"/medications/{resolved.index}/schedule")
        return frozenset(found)

    def _unclear(
        self, medicines: Sequence[Resolved], unread: Entries, name: str, too_long: Collection[str]
    ) -> Iterator[str]:
        """What keeps the question for an ingredient from being open, though no answer to a question could mend it."""
        if name in too_long:
            yield "/treatment/session_times"
        yield from unread.pointers("medications")
        yield from unread.pointers("conditions")
        for resolved in medicines:
            own = any(row.ingredient == name for row in _rows(resolved))
            differs = resolved.problem == "code_and_name_disagree" or (resolved.contradicts_itself and _rows(resolved))
            without_a_name = own and any(row.by_kind for row in _rows(resolved) if row.ingredient == name)
            if differs or without_a_name or (own and resolved.problem == "code_not_recognized"):
                yield f"/medications/{resolved.index}"
            if resolved.entry.indication == "other" and _any_in(resolved, self._may_protect):
                yield f"/medications/{resolved.index}/indication"

    def closed_for_all(self, patient: Patient, illnesses: Sequence[Illness]) -> bool:
        """True when anything besides the medicines tells of seizures, catatonia or withdrawal."""
        flags = patient.red_flags
        drinks = patient.lifestyle.alcohol_drinks_per_week or 0
        conditions = [one.token for one in illnesses]
        return (
            not self._closing_conditions.isdisjoint(conditions)
            or flags.new_neurological_symptom is True
            or flags.intoxicated_now is True
            or drinks >= self._drinks
            or (drinks > 0 and not self._closing_if_drinking.isdisjoint(conditions))
        )

    def closes(self, token: str) -> bool:
        """Whether a condition can close the question."""
        return token in self._closing_conditions or token in self._closing_if_drinking

    def _makes_dependent(self, resolved: Resolved) -> bool:
        return _any_in(resolved, self._dependent)

    def _protects(self, resolved: Resolved) -> bool:
        """An entry that itself tells of seizures, catatonia or withdrawal."""
        if resolved.entry.indication in PROTECTED_INDICATIONS:
            return True
        return _is_rescue(resolved) and _any_in(resolved, self._calming)

    def gate(self, bearing: Bearing, name: str) -> Gate:
        """What closes the question for the ingredient `name`, and what is missing or unclear where nothing closes it."""
        patient, _, medicines, unread, too_long = bearing
        closed_by = self._closed_by(bearing, name)
        if closed_by:
            return Gate(closed_by=closed_by)
        missing = tuple(sorted(self._missing(patient, medicines, name)))
        return Gate(missing=missing, unclear=tuple(dict.fromkeys(self._unclear(medicines, unread, name, too_long))))

    def against(self, bearing: Bearing, name: str | None = None) -> tuple[str, ...]:
        """Where the answers stand (JSON Pointers) that close the question, or keep it from ever being open.

        That is for the ingredient `name`, or, without one, for whatever else could be taken.
        """
        found = self._closed_by(bearing, name)
        unclear = self._unclear(bearing.medicines, bearing.unread, name or "", bearing.too_long)
        return found or tuple(dict.fromkeys(unclear))

    def _closed_by(self, bearing: Bearing, name: str | None) -> tuple[str, ...]:
        patient, illnesses, medicines, _, _ = bearing
        own = [resolved for resolved in medicines if any(row.ingredient == name for row in _rows(resolved))]
        found = [one.pointer for one in illnesses if one.token in self._closing_conditions]
        flags, drinks = patient.red_flags, patient.lifestyle.alcohol_drinks_per_week
        found += [f"/red_flags/{flag}" for flag in _CLOSING_FLAGS if getattr(flags, flag) is True]
        drinking = [one.pointer for one in illnesses if one.token in self._closing_if_drinking]
        if drinks is not None and (drinks >= self._drinks or (drinks > 0 and drinking)):
            found += ["/lifestyle/alcohol_drinks_per_week", *(drinking if drinks < self._drinks else [])]
        found += [_reason(resolved) for resolved in medicines if self._protects(resolved)]
        found += [_reason(resolved) for resolved in own if _is_rescue(resolved)]
        if name in self._dependent:
            daily = (one for one in medicines if one.entry.schedule == "daily" and self._makes_dependent(one))
            found += [f"/medications/{one.index}/schedule" for one in daily]
        if any(row.hold != "ask" for one in own for row in _rows(one) if row.ingredient == name):
            found += [f"/medications/{one.index}" for one in own]
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


def _is_rescue(resolved: Resolved) -> bool:
    return resolved.entry.schedule == "rescue" or bool(resolved.match and resolved.match.rescue)


def _rows(resolved: Resolved) -> tuple[Ingredient, ...]:
    return resolved.match.ingredients if resolved.match else ()


def _of_classes(rows: Mapping[str, Ingredient], classes: Collection[str]) -> frozenset[str]:
    """The ingredients of any of these classes."""
    return frozenset(name for name, row in rows.items() if not frozenset(classes).isdisjoint(row.classes))


def _any_in(resolved: Resolved, ingredients: frozenset[str]) -> bool:
    return any(row.ingredient in ingredients for row in _rows(resolved))
