"""From a patient to small flat facts of tokens, booleans and bounded numbers.

Nothing a caller wrote goes into a fact: names, goals and ids are left behind, and the id of a fact leads back to them.
A factor that was not answered is left out of its fact, so that no test but `unknown` can hold on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from careplan.facts.case import Case, Fact, Properties, written
from careplan.facts.doses import doses_of_list, doses_of_medicine
from careplan.facts.grave_entries import GraveEntryReader
from careplan.facts.hold_gaps import gaps_of, gaps_without
from careplan.facts.hold_question import Bearing, HoldQuestion, HoldQuestions, hold_for
from careplan.facts.hold_windows import Window
from careplan.facts.illnesses import Illnesses, illnesses_of
from careplan.facts.indication import with_indication
from careplan.facts.measured import Measured, Measuring
from careplan.facts.protocol_limits import Plausibility
from careplan.facts.unread_entries import Entries, known_entries, unread_entries
from careplan.facts.used_fields import Tested, looked_at
from careplan.recognition.allergies import Allergies
from careplan.recognition.goal_judge import GoalJudgement
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Medication, Patient
from careplan.rulebook.conditions import When
from careplan.rulebook.factors import GROUPS, KINDS, member
from careplan.rulebook.model import Rulebook

_EVERYONE = Fact("everyone", "everyone", {})
_LONGEST_LINE = 80
"""No longer words beside an illness are tried as the name of a medicine."""
_OF_A_GOAL = tuple(KINDS["goal"].fields)


class FactMaker:
    """Makes the facts that one rulebook looks at, and those that `also` looks at."""

    def __init__(self, book: Rulebook, also: Iterable[When] = ()) -> None:
        self._catalogue = book.catalogue
        self._conditions_known = book.conditions
        self._judge = book.goals
        self._illness_reader = book.known_conditions.reader
        self._allergies = Allergies(book.catalogue, self._illness_reader, book.codes.allergens, book.allergy_classes)
        self._grave = GraveEntryReader(book)
        self._signs = book.known_conditions.reader.signs
        self._tested = Tested.by((*(rule.when for rule in book.rules.values()), *also))
        self._fields = {kind: tuple(sorted(names)) for kind, names in self._tested.fields.items()}
        self._absent = {
            key: {member(key[1], token): False for token in tokens} for key, tokens in self._tested.absent.items()
        }
        self._doses_of_one, self._doses_of_all = (
            tuple(sorted(name for name in self._tested.fields[kind] if KINDS[kind].field(name).between))
            for kind in ("medicine", "regimen")
        )
        self._looked_at = looked_at(book)
        self._hold_questions = HoldQuestions(book)
        self._plausibility = Plausibility(book)
        self._measuring = Measuring(book)
        self._with_a_limit = [row for row in book.catalogue.ingredients.values() if row.longest_gap]

    def case(self, patient: Patient) -> Case:
        """The facts of one patient."""
        written = self._signs.without_marks(patient.other_conditions)
        patient, illnesses = illnesses_of(patient, written, self._allergies, partial(self._grave.read, patient))
        patient, read_off = with_indication(patient, illnesses.tokens, self._conditions_known)
        medicines = tuple(
            [self._catalogue.resolve(at, entry, patient.as_of) for at, entry in enumerate(patient.medications or ())]
        )
        illnesses = illnesses.and_told(medicines)
        if any(one.any_of("unread") for one in illnesses.read):
            if medicines:
                illnesses = illnesses.and_listed(patient.other_conditions, partial(self._is_listed, medicines))
            illnesses = illnesses._replace(urgent=self._grave.of(patient.other_conditions, illnesses.read))
        goals = tuple(map(self._judge.judge, patient.expectations.goals or ()))
        unread = unread_entries(patient, medicines, goals, illnesses.read)
        illnesses = illnesses._replace(urgent=self._grave.with_others(illnesses.urgent, patient, goals, unread))
        known = known_entries(medicines, self._looked_at, illnesses.read)
        gaps, too_long = gaps_of(patient, medicines)
        holds = self._hold_questions.of(Bearing(patient, illnesses.listed, medicines, unread, too_long))
        doubts = tuple(self._plausibility.doubts(patient.protocol)) if patient.protocol else ()
        measured = self._measuring.of(patient, illnesses.told)
        facts: list[Fact] = [_EVERYONE]
        facts += self._single(patient, measured, doubtful=bool(doubts), read_off=bool(read_off))
        facts += self._measured(measured)
        facts += self._medicines(patient, medicines, holds, unread, gaps)
        facts += self._among_allergies(illnesses, medicines)
        facts += self._conditions(patient, illnesses, unread)
        facts += self._goals(patient, goals, unread)
        facts.append(
            Fact(
                "entries",
                "entries",
                {
                    "unread": bool(unread),
                    "known": bool(known),
                    "contradicted": bool(illnesses.contradicted),
                    "danger": bool(illnesses.urgent.danger),
                    "grave": bool(illnesses.urgent.grave),
                },
            )
        )
        kinds = self._tested.kinds
        looked_at_here = tuple([fact for fact in facts if fact.kind in kinds])
        of_any = self._of_any_medicine(patient, illnesses)
        return Case(
            patient,
            looked_at_here,
            medicines,
            goals,
            holds,
            of_any,
            doubts,
            unread,
            known,
            gaps,
            too_long,
            measured,
            read_off,
            illnesses=illnesses,
        )

    def _is_listed(self, medicines: Sequence[Resolved], text: str) -> bool:
        """Whether words name nothing but medicines that the patient takes."""
        if len(text) > _LONGEST_LINE:
            return False
        meant = self._catalogue.resolve(0, Medication(text=text))
        if meant.match is None or meant.problem or meant.suggestions or not meant.taken:
            return False
        taken = {row.ingredient for one in medicines if one.taken and one.match for row in one.match.ingredients}
        return all(row.ingredient in taken for row in meant.match.ingredients)

    def _single(self, patient: Patient, measured: Measured, *, doubtful: bool, read_off: bool) -> Iterator[Fact]:
        protocol = patient.protocol and (self._plausibility.usable(patient.protocol) if doubtful else patient.protocol)
        for kind, source in (
            ("patient", patient),
            *((group, getattr(patient, group)) for group in GROUPS),
            ("protocol", protocol),
            ("clinic", patient.clinic),
        ):
            properties: Properties = {}
            for field in self._fields[kind]:
                value = getattr(source, field, None)
                if value is not None:
                    properties[field] = written(value)
            if kind == "treatment":
                properties["indication_read"] = read_off
                planned, completed = patient.treatment.sessions_planned, patient.treatment.sessions_completed
                if planned is not None and completed is not None:
                    properties["sessions_left"] = float(max(0, planned - completed))
                    properties["beyond_plan"] = completed > planned
                if measured.response is not None and patient.treatment.response_so_far is None:
                    properties["response_so_far"] = measured.response[0]
            elif kind == "protocol":
                if "approved" in self._fields[kind]:
                    properties["approved"] = bool(patient.protocol and patient.protocol.approved_by)
                properties["doubtful"] = doubtful
            yield Fact(kind, kind, properties)

    def _measured(self, measured: Measured) -> Iterator[Fact]:
        """What was measured, how long ago, how scores changed, and what is to be asked again."""
        tested = self._tested.fields
        values: Properties = {}
        ages: Properties = {}
        for name, taken in measured.taken.items():
            if name in tested["measures"]:
                values[name] = written(taken.value)
            if name in tested["measured_days_ago"]:
                ages[name] = float(taken.days)
        earlier: Properties = {
            name: written(taken.value) for name, taken in measured.earlier.items() if name in tested["earlier_measures"]
        }
        words: Properties = {
            name: change.word for name, change in measured.changes.items() if name in tested["score_change"]
        }
        yield Fact("measures", "measures", values)
        yield Fact("earlier_measures", "earlier_measures", earlier)
        yield Fact("measured_days_ago", "measured_days_ago", ages)
        yield Fact("score_change", "score_change", words)
        for at, check in enumerate(measured.checks):
            yield Fact(f"k{at}", "measure_check", {"problem": check.problem}, (at,))

    def _of_any_medicine(self, patient: Patient, illnesses: Illnesses) -> Properties:
        closed = self._hold_questions.closed_for_all(patient, illnesses.listed)
        properties: Properties = {"hold_question": "closed"} if closed else {}
        if not gaps_without(patient, self._with_a_limit)[1]:
            properties["gap_too_long"] = False
        return properties | ({} if patient.protocol and patient.protocol.holds else {"protocol_hold": False})

    def _medicines(
        self,
        patient: Patient,
        medicines: Sequence[Resolved],
        questions: Mapping[str, HoldQuestion],
        unread: Entries,
        gaps: Mapping[str, Window],
    ) -> Iterator[Fact]:
        holds = patient.protocol.holds if patient.protocol else []
        entries: dict[str, list[int]] = {}
        rows: dict[str, Ingredient] = {}
        for resolved in medicines:
            for row in resolved.match.ingredients if resolved.match else ():
                entries.setdefault(row.ingredient, []).append(resolved.index)
                rows[row.ingredient] = row
        for resolved in medicines:
            for at, row in enumerate(resolved.match.ingredients if resolved.match else ()):
                properties: Properties = {"ingredient": row.ingredient}
                self._members(properties, "medicine", "class", row.classes)
                said = {
                    "half_life": row.half_life,
                    "schedule": resolved.schedule,
                    "indication": resolved.entry.indication,
                    "hold_question": questions[row.ingredient].stance,
                }
                properties |= {name: value for name, value in said.items() if value}
                properties["protocol_hold"] = bool(holds) and hold_for(row, holds) is not None
                properties["sent_twice"] = len(set(entries[row.ingredient])) > 1
                if resolved.doses and self._doses_of_one:
                    properties |= doses_of_medicine(resolved.doses[at], self._doses_of_one)
                if row.ingredient in gaps:
                    properties["gap_too_long"] = gaps[row.ingredient].hours > (row.longest_gap or 0)
                yield Fact(f"m{resolved.index}.{at}", "medicine", properties, (resolved.index,), row)
                if not self._looked_at & set(row.tokens):
                    yield _check(resolved, "no_rule", at)
            if resolved.problem:
                yield _check(resolved, resolved.problem)
            if resolved.disagreements:
                yield _check(resolved, "fields_and_text_disagree", "d")
            if resolved.on_hold:
                yield _check(resolved, "on_hold", "h")
        yield from _shared_classes(rows, entries)
        yield self._regimen(patient, medicines, rows, unread=unread.any_of("medications"))

    def _among_allergies(self, illnesses: Illnesses, medicines: Sequence[Resolved]) -> Iterator[Fact]:
        """The entries of medicines that are taken and named among the allergies too, in whichever list these stand."""
        entered = [one.entry.written for one in medicines if one.entry.status == "allergy" and one.entry.written]
        named = frozenset[str]().union(*illnesses.allergens, *(self._allergies.read(one).ingredients for one in entered))
        for resolved in medicines if named else ():
            if resolved.taken and resolved.match and any(row.ingredient in named for row in resolved.match.ingredients):
                yield _check(resolved, "among_allergies", "a")

    def _regimen(
        self, patient: Patient, medicines: Sequence[Resolved], rows: Mapping[str, Ingredient], *, unread: bool
    ) -> Fact:
        whole = patient.medications is not None
        taken = [resolved for resolved in medicines if resolved.taken]
        properties: Properties = {
            "list": _list_state(None if patient.medications is None else taken, unread=unread),
            "unread": unread,
            "against_withdrawal": any(resolved.entry.indication == "alcohol_withdrawal" for resolved in medicines),
        }
        tokens = {token for row in rows.values() for token in row.tokens}
        self._members(properties, "regimen", "takes", tokens, whole=whole)
        if whole and self._doses_of_all:
            properties |= doses_of_list(medicines, self._doses_of_all)
        return Fact("regimen", "regimen", properties, whole=whole)

    def _conditions(self, patient: Patient, illnesses: Illnesses, entries: Entries) -> Iterator[Fact]:
        for at, illness in enumerate(illnesses.listed):
            yield Fact(f"c{at}", "condition", {"name": illness.token}, (at,))
        unread = entries.any_of("conditions")
        named = [*illnesses.listed, *(one for one in illnesses.read if one.any_of("known"))]
        listed = None if patient.conditions is None else named
        properties: Properties = {"list": _list_state(listed, unread=unread), "unread": unread}
        whole = patient.conditions is not None
        self._members(properties, "history", "has", illnesses.tokens, whole=whole)
        yield Fact("history", "history", properties, whole=whole)

    def _goals(self, patient: Patient, goals: Sequence[GoalJudgement], unread: Entries) -> Iterator[Fact]:
        for at, goal in enumerate(goals):
            yield Fact(f"g{at}", "goal", {name: getattr(goal, name) for name in _OF_A_GOAL}, (at,))
        summary: Properties = {"list": _list_state(patient.expectations.goals, unread=unread.any_of("goals"))}
        if patient.expectations.goals is not None:
            # A goal that nobody could read is none of those that are counted and compared.
            read = [goal for at, goal in enumerate(goals) if at not in unread.goals]
            summary["count"] = float(len(read))
            summary["specific_count"] = float(sum(goal.specific for goal in read))
            summary["all_clear"] = all(goal.safety == "none" for goal in read)
            summary["some_protected"] = any(goal.protected for goal in read)
        yield Fact("goals", "goals", summary)

    def _members(self, properties: Properties, kind: str, field: str, tokens: Iterable[str], *, whole: bool = True) -> None:
        """Say for each tested token whether it is there; that it is not there only where the list is whole."""
        key = (kind, field)
        if whole and key in self._absent:
            properties |= self._absent[key]
        tested = self._tested.members.get(key, frozenset())
        for token in tokens:
            if token in tested:
                properties[member(field, token)] = True


def _check(resolved: Resolved, problem: str, at: int | str | None = None) -> Fact:
    properties: Properties = {"problem": problem, "suggestion": bool(resolved.suggestions)}
    place = f"{resolved.index}" if at is None else f"{resolved.index}.{at}"
    return Fact(f"x{place}", "medicine_check", properties, (resolved.index,))


def _shared_classes(rows: Mapping[str, Ingredient], entries: Mapping[str, list[int]]) -> Iterator[Fact]:
    members: dict[str, list[str]] = {}
    for row in rows.values():
        for name in row.classes:
            members.setdefault(name, []).append(row.ingredient)
    for name, ingredients in sorted(members.items()):
        if len(ingredients) > 1:
            indexes = sorted({at for ingredient in ingredients for at in entries[ingredient]})
            properties: Properties = {"class": name, "count": float(len(ingredients))}
            yield Fact(f"s.{name}", "shared_class", properties, tuple(indexes))


def _list_state(entries: Sequence[object] | None, *, unread: bool) -> str:
    return "not_asked" if entries is None else "given" if entries or unread else "empty"
