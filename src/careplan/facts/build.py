"""From a patient to small flat facts of tokens, booleans and bounded numbers.

Nothing a caller wrote goes into a fact: names, goals and ids are left behind, and the id of a fact leads back to them.
A factor that was not answered is left out of its fact, so that no test but `unknown` can hold on it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from careplan.facts.hold_gaps import gaps_of
from careplan.facts.hold_question import HoldQuestion, HoldQuestions, hold_for
from careplan.facts.hold_windows import Window
from careplan.facts.likeness import Likeness
from careplan.facts.protocol_limits import Doubt, Plausibility
from careplan.facts.recall import Recall
from careplan.facts.unread_entries import Entries, known_entries, unread_entries
from careplan.facts.used_fields import Tested, looked_at
from careplan.memo import Memo
from careplan.recognition.goal_judge import GoalJudgement
from careplan.recognition.medicine_catalogue import Resolved, called
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Patient
from careplan.rulebook.conditions import When
from careplan.rulebook.factors import FLAT, GROUPS, member
from careplan.rulebook.model import Rulebook

Value: TypeAlias = str | bool | float
Properties: TypeAlias = dict[str, Value]

MOST_REMEMBERED = 1_024

LEAST_NUMBER = 0.0001
"""Smaller positive numbers are raised to this one: the engine's JSON reader takes no exponents, and no rule tests finer."""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One fact. `indexes` point into the list of the request that it is about; empty for facts about the patient.

    `id` is the kind where a patient has one fact of it.

    `whole` is False where a list was not given: what it does not name is then unknown. Where a list was given and an entry
    of it could not be read, what it does not name is presumed not to be there.
    `mark` is the same for facts with the same content about entries of the same names, `like` also for those that no
    pattern can tell apart; 0 where nobody has looked.
    """

    id: str
    kind: str
    properties: Properties
    indexes: tuple[int, ...] = ()
    ingredient: Ingredient | None = None
    whole: bool = True
    mark: int = 0
    like: int = 0


class Case(msgspec.Struct, frozen=True, gc=False):
    """All that is known of one patient: the facts, and what texts will need to name their subjects.

    `of_any_medicine` is what would be so of every medicine that a list not sent could name. `holds` has the hold question
    of each ingredient, `doubts` what of the clinic's protocol cannot be meant. `unread` are the entries that nobody could
    read, `known` those that no rule concerns. `gaps` has, by ingredient, the longest time without it that the clinic's
    signed hold makes of the sessions; those of `too_long` are longer than the medicine's own limit.
    """

    patient: Patient
    facts: tuple[Fact, ...]
    medicines: tuple[Resolved, ...]
    goals: tuple[GoalJudgement, ...]
    holds: dict[str, HoldQuestion]
    of_any_medicine: Properties
    doubts: tuple[Doubt, ...] = ()
    unread: Entries = Entries()
    known: Entries = Entries()
    gaps: Mapping[str, Window] = {}
    too_long: frozenset[str] = frozenset()


class FactMaker:
    """Makes the facts that one rulebook looks at, and those that `also` looks at.

    Facts are remembered by what they are made from, so that most of a patient's facts are there already.
    """

    def __init__(self, book: Rulebook, also: Iterable[When] = ()) -> None:
        self._book = book
        conditions = (*(rule.when for rule in book.rules.values()), *also)
        self._tested = Tested.by(conditions)
        self._fields = {kind: tuple(sorted(names)) for kind, names in self._tested.fields.items()}
        self._likeness = Likeness(pattern for when in conditions for group in when for pattern in group)
        self._facts: Memo[Hashable, Fact] = Memo(MOST_REMEMBERED)
        self._likes: Memo[Hashable, int] = Memo(MOST_REMEMBERED)
        self._recall = Recall(book)
        self._made = 0
        self._looked_at = looked_at(book)
        self._hold_questions = HoldQuestions(book)
        self._plausibility = Plausibility(book)

    def case(self, patient: Patient) -> Case:
        """The facts of one patient."""
        medicines = tuple([self._recall.medicine(at, entry) for at, entry in enumerate(patient.medications or ())])
        goals = tuple(map(self._recall.goal, patient.expectations.goals or ()))
        unread = unread_entries(patient, medicines, goals, self._book.known_conditions)
        known_ones = known_entries(patient, medicines, self._looked_at, self._book.known_conditions)
        gaps, too_long = gaps_of(patient, medicines)
        holds = self._hold_questions.of(patient, medicines, unread, too_long)
        facts: list[Fact] = [self._facts.get("everyone") or self._kept("everyone", Fact("everyone", "everyone", {}))]
        doubts = tuple(self._plausibility.doubts(patient.protocol)) if patient.protocol else ()
        facts += self._single(patient, doubtful=bool(doubts))
        facts += self._medicines(patient, medicines, holds, unread, gaps)
        facts += self._conditions(patient, unread)
        facts += self._goals(patient, goals, unread)
        facts.append(self._entries(unread, known_ones))
        kinds = self._tested.kinds
        known = tuple(fact for fact in facts if fact.kind in kinds)
        return Case(
            patient,
            known,
            medicines,
            goals,
            holds,
            self._of_any_medicine(patient),
            doubts,
            unread,
            known_ones,
            gaps,
            too_long,
        )

    def _kept(self, key: Hashable, fact: Fact) -> Fact:
        """Mark a new fact, and remember it for all that is made from the same."""
        # Numbers are never used again, so that what was forgotten is not taken for something else.
        self._made += 1
        alike = self._likeness.of(fact.kind, fact.properties)
        like = self._likes.get(alike)
        if like is None:
            like = self._likes.keep(alike, self._made)
        return self._facts.keep(key, msgspec.structs.replace(fact, mark=self._made, like=like))

    def _single(self, patient: Patient, *, doubtful: bool) -> Iterable[Fact]:
        protocol = patient.protocol and (self._plausibility.usable(patient.protocol) if doubtful else patient.protocol)
        for kind, source in (
            ("patient", patient),
            *((group, getattr(patient, group)) for group in GROUPS),
            ("protocol", protocol),
        ):
            fields = self._fields[kind]
            key: Hashable = source
            values: tuple[object, ...] = ()
            if kind not in FLAT:
                values = () if source is None else tuple([getattr(source, field, None) for field in fields])
                key = (kind, *values)
            if kind == "treatment":
                key = (key, patient.treatment.sessions_planned, patient.treatment.sessions_completed)
            elif kind == "protocol":
                key = (key, bool(protocol and protocol.approved_by), doubtful)
            fact = self._facts.get(key)
            if fact is None:
                fact = self._one(kind, patient, fields, values or [getattr(source, field, None) for field in fields])
                if kind == "protocol":
                    fact.properties["doubtful"] = doubtful
                fact = self._kept(key, fact)
            yield fact

    def _one(self, kind: str, patient: Patient, fields: Sequence[str], values: Sequence[object]) -> Fact:
        properties: Properties = {}
        for field, value in zip(fields, values, strict=True):
            if value is not None:
                properties[field] = value if isinstance(value, (str, bool)) else bounded(value)  # type: ignore[arg-type]
        if kind == "treatment":
            planned, completed = patient.treatment.sessions_planned, patient.treatment.sessions_completed
            if planned is not None and completed is not None:
                properties["sessions_left"] = float(max(0, planned - completed))
                properties["beyond_plan"] = completed > planned
        if kind == "protocol" and "approved" in fields:
            properties["approved"] = bool(patient.protocol and patient.protocol.approved_by)
        return Fact(kind, kind, properties)

    def _of_any_medicine(self, patient: Patient) -> Properties:
        properties: Properties = {"hold_question": "closed"} if self._hold_questions.closed_for_all(patient) else {}
        return properties | ({} if patient.protocol and patient.protocol.holds else {"protocol_hold": False})

    def _medicines(
        self,
        patient: Patient,
        medicines: Sequence[Resolved],
        questions: Mapping[str, HoldQuestion],
        unread: Entries,
        gaps: Mapping[str, Window],
    ) -> Iterable[Fact]:
        holds = patient.protocol.holds if patient.protocol else []
        entries: dict[str, list[int]] = {}
        rows: dict[str, Ingredient] = {}
        names = [called(resolved.match) for resolved in medicines]
        for resolved in medicines:
            for row in resolved.match.ingredients if resolved.match else ():
                entries.setdefault(row.ingredient, []).append(resolved.index)
                rows[row.ingredient] = row
        for resolved in medicines:
            for at, row in enumerate(resolved.match.ingredients if resolved.match else ()):
                schedule = resolved.schedule
                stance = questions[row.ingredient].stance
                held = bool(holds) and hold_for(row, holds) is not None
                twice = len(set(entries[row.ingredient])) > 1
                too_long = gaps[row.ingredient].hours > (row.longest_gap or 0) if row.ingredient in gaps else None
                place = ("medicine", names[resolved.index], resolved.index, at)
                key = (*place, schedule, resolved.entry.indication, stance, held, too_long, twice)
                fact = self._facts.get(key)
                if fact is None:
                    properties: Properties = {"ingredient": row.ingredient}
                    self._members(properties, "medicine", "class", row.classes)
                    said = {
                        "half_life": row.half_life,
                        "schedule": schedule,
                        "indication": resolved.entry.indication,
                        "hold_question": stance,
                    }
                    properties |= {name: value for name, value in said.items() if value}
                    properties |= {"protocol_hold": held, "sent_twice": twice}
                    if too_long is not None:
                        properties["gap_too_long"] = too_long
                    made = Fact(f"m{resolved.index}.{at}", "medicine", properties, (resolved.index,), row)
                    fact = self._kept(key, made)
                yield fact
                if not self._looked_at & {row.ingredient, *row.classes}:
                    yield self._check(resolved, names[resolved.index], "no_rule", at)
            if resolved.problem:
                yield self._check(resolved, names[resolved.index], resolved.problem)
        yield from self._shared_classes(rows, entries, names)
        yield self._regimen(patient, medicines, rows, names, unread=unread.any_of("medications"))

    def _check(self, resolved: Resolved, name: tuple[str, ...], problem: str, at: int | None = None) -> Fact:
        key = ("medicine_check", problem, resolved.index, at, resolved.suggestions, name)
        if key in self._facts:
            return self._facts[key]
        properties: Properties = {"problem": problem, "suggestion": bool(resolved.suggestions)}
        place = f"{resolved.index}" if at is None else f"{resolved.index}.{at}"
        return self._kept(key, Fact(f"x{place}", "medicine_check", properties, (resolved.index,)))

    def _shared_classes(
        self, rows: Mapping[str, Ingredient], entries: Mapping[str, list[int]], names: Sequence[tuple[str, ...]]
    ) -> Iterable[Fact]:
        members: dict[str, list[str]] = {}
        for row in rows.values():
            for name in row.classes:
                members.setdefault(name, []).append(row.ingredient)
        for name, ingredients in sorted(members.items()):
            if len(ingredients) > 1:
                indexes = sorted({at for ingredient in ingredients for at in entries[ingredient]})
                key = ("shared_class", name, len(ingredients), *indexes, *[names[at] for at in indexes])
                yield self._facts.get(key) or self._kept(
                    key, Fact(f"s.{name}", "shared_class", {"class": name, "count": float(len(ingredients))}, tuple(indexes))
                )

    def _regimen(
        self,
        patient: Patient,
        medicines: Sequence[Resolved],
        rows: Mapping[str, Ingredient],
        names: Sequence[tuple[str, ...]],
        *,
        unread: bool,
    ) -> Fact:
        state = _list_state(patient.medications, unread=unread)
        whole = patient.medications is not None
        withdrawing = any(resolved.entry.indication == "alcohol_withdrawal" for resolved in medicines)
        key = ("regimen", state, unread, withdrawing, *names)
        if key in self._facts:
            return self._facts[key]
        properties: Properties = {"list": state, "unread": unread, "against_withdrawal": withdrawing}
        tokens = {token for row in rows.values() for token in (row.ingredient, *row.classes)}
        self._members(properties, "regimen", "takes", tokens, whole=whole)
        return self._kept(key, Fact("regimen", "regimen", properties, whole=whole))

    def _conditions(self, patient: Patient, entries: Entries) -> Iterable[Fact]:
        for at, name in enumerate(patient.conditions or ()):
            one = ("condition", name, at)
            yield self._facts.get(one) or self._kept(one, Fact(f"c{at}", "condition", {"name": name}, (at,)))
        unread = entries.any_of("conditions")
        known = bool(patient.other_conditions) and not unread
        key = ("history", patient.conditions is None, unread, known, *(patient.conditions or ()))
        if key in self._facts:
            yield self._facts[key]
            return
        listed = None if patient.conditions is None else [*patient.conditions, *patient.other_conditions]
        properties: Properties = {"list": _list_state(listed, unread=unread), "unread": unread}
        whole = patient.conditions is not None
        self._members(properties, "history", "has", patient.conditions or (), whole=whole)
        yield self._kept(key, Fact("history", "history", properties, whole=whole))

    def _goals(self, patient: Patient, goals: Sequence[GoalJudgement], unread: Entries) -> Iterable[Fact]:
        for at, goal in enumerate(goals):
            one = ("goal", at, goal)
            known = self._facts.get(one)
            if known is None:
                properties: Properties = {
                    "understood": goal.understood,
                    "specific": goal.specific,
                    "one_action": goal.one_action,
                    "amount": goal.amount,
                    "when_or_how_often": goal.when_or_how_often,
                    "own_control": goal.own_control,
                    "small": goal.small,
                    "safety": goal.safety,
                    "topic": goal.topic,
                    "protected": goal.protected,
                    "names_benzodiazepine": goal.names_benzodiazepine,
                    "names_lamotrigine": goal.names_lamotrigine,
                    "names_antidepressant": goal.names_antidepressant,
                    "names_opioid": goal.names_opioid,
                }
                known = self._kept(one, Fact(f"g{at}", "goal", properties, (at,)))
            yield known
        summary: Properties = {"list": _list_state(patient.expectations.goals, unread=unread.any_of("goals"))}
        if patient.expectations.goals is not None:
            # A goal that nobody could read is none of those that are counted and compared.
            read = [goal for at, goal in enumerate(goals) if at not in unread.goals]
            summary["count"] = float(len(read))
            summary["specific_count"] = float(sum(goal.specific for goal in read))
            summary["all_clear"] = all(goal.safety == "none" for goal in read)
            summary["some_protected"] = any(goal.protected for goal in read)
        key = ("goals", *summary.values())
        yield self._facts.get(key) or self._kept(key, Fact("goals", "goals", summary))

    def _entries(self, unread: Entries, known: Entries) -> Fact:
        key = ("entries", bool(unread), bool(known))
        properties: Properties = {"unread": bool(unread), "known": bool(known)}
        return self._facts.get(key) or self._kept(key, Fact("entries", "entries", properties))

    def _members(self, properties: Properties, kind: str, field: str, tokens: Iterable[str], *, whole: bool = True) -> None:
        """Say for each tested token whether it is there; that it is not there only where the list is whole."""
        key = (kind, field)
        if whole:
            for token in self._tested.absent.get(key, ()):
                properties[member(field, token)] = False
        tested = self._tested.members.get(key, frozenset())
        for token in tokens:
            if token in tested:
                properties[member(field, token)] = True


def bounded(value: float) -> float:
    """`value` as the engine can read it: a float that is written without an exponent."""
    return LEAST_NUMBER if 0 < value < LEAST_NUMBER else float(value) + 0.0  # -0.0 is 0


def _list_state(entries: Sequence[object] | None, *, unread: bool) -> str:
    return "not_asked" if entries is None else "given" if entries or unread else "empty"
