"""From a model of the solver to a patient that a clinic could send, as JSON ready for `careplan plan`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import z3

from careplan.authoring.proof.answers import Formula, Unwritable
from careplan.authoring.proof.dose_symbols import without_doses
from careplan.authoring.proof.measure_symbols import TODAY
from careplan.authoring.proof.model_reading import ModelReading
from careplan.authoring.proof.symbols import PROBLEMS, SymbolicPatient
from careplan.authoring.proof.unread_names import UNHEARD_OF, misspelled, urgent_entry
from careplan.facts.hold_question import MAY_PROTECT
from careplan.facts.used_fields import looked_at
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import PROTOCOL_FIGURES, Medication
from careplan.rulebook.factors import KINDS, SINGLE
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]

_SESSIONS_THAT_JOIN = ["2026-12-07T15:00:00Z", "2026-12-09T15:00:00Z", "2026-12-11T15:00:00Z"]
UNKNOWN_CODE = "99999999"
_MOST_OTHERS = 40
"""A list with more medicines besides the one looked at is not written while a shorter one will do."""


class Writer:
    """Writes patients for one rulebook. `goals` are texts from which goals with wanted properties are taken."""

    def __init__(self, book: Rulebook, goals: Iterable[str]) -> None:
        self._book = book
        self._goals: dict[tuple[Any, ...], str] = {}
        for text in goals:
            self._goals.setdefault(_signature(book, text), text)
        rows = list(book.catalogue.ingredients.values())
        self._plain = next((row for row in rows if not row.classes), rows[0])
        self._coded = [row for row in rows if row.rxcui]
        self._misspelled = misspelled(book)
        under_rules = looked_at(book)
        self._silent = [row.name for row in rows if under_rules.isdisjoint(row.tokens)]
        self._silent += book.medicines.known_names[:1]

    def write(self, symbolic: SymbolicPatient, model: Any) -> Json:
        """The patient of `model`. Raises `Unwritable`."""
        reading = ModelReading(model)
        doses = without_doses(symbolic.spans, symbolic.medicines_asked, symbolic.takes_any)
        if not all(map(reading.holds, doses)):
            raise Unwritable("a dose a day would be needed")
        if any(map(reading.holds, symbolic.derived.supposed)):
            raise Unwritable("another medicine with attributes of its own would be needed")
        body = self._single_answers(symbolic, reading)
        self._write_days(symbolic, reading, body)
        self._conditions(symbolic, reading, body)
        if reading.holds(symbolic.gap.known) and reading.holds(symbolic.has_medicine):
            times = _SESSIONS_THAT_JOIN if reading.holds(symbolic.gap.value) else _SESSIONS_THAT_JOIN[:1]
            body.setdefault("treatment", {})["session_times"] = times
        if reading.holds(symbolic.medicines_asked):
            body["medications"] = self._medications(symbolic, reading)
        self._protocol(symbolic, reading, body)
        if reading.holds(symbolic.goals_asked):
            body.setdefault("expectations", {})["goals"] = self._goal_texts(symbolic, reading)
        return body

    @staticmethod
    def _single_answers(symbolic: SymbolicPatient, reading: ModelReading) -> Json:
        body: Json = {}
        for kind in SINGLE:
            values = {
                name: reading.value(answer)
                for (of, name), answer in symbolic.answers.items()
                if of == kind
                and name not in ("sessions_left", "beyond_plan", "indication_read", "approved", "doubtful")
                and reading.holds(answer.known)
            }
            if kind == "treatment" and reading.holds(symbolic.answers["treatment", "indication_read"].value):
                values.pop("indication", None)
            if kind == "patient":
                body |= values
            elif values:
                body[kind] = values
        return body

    def _conditions(self, symbolic: SymbolicPatient, reading: ModelReading, body: Json) -> None:
        """Write the conditions that the patient has, and beside them those that only words can say."""
        has = [name for name, there in symbolic.has.items() if reading.holds(there)]
        others = []
        if reading.holds(symbolic.conditions_asked):
            body["conditions"] = has
        elif has:
            raise Unwritable("a condition would have to be told in another list")
        if reading.holds(symbolic.contradicted) and has:
            others.append(f"denies {has[0].replace('_', ' ')}")
        if reading.holds(symbolic.unread_conditions):
            others.append("a condition of which nothing is known")
        others += [urgent_entry(self._book, name) for name, holds in symbolic.urgent.items() if reading.holds(holds)]
        if reading.holds(symbolic.known_conditions):
            others.append(self._known_condition())
        if others:
            body["other_conditions"] = others

    @staticmethod
    def _write_days(symbolic: SymbolicPatient, reading: ModelReading, body: Json) -> None:
        day = symbolic.day.written(reading)
        body |= symbolic.measures.written(reading, day or TODAY) | symbolic.day.sent(day)
        symbolic.derived.write_days(reading, body, day or TODAY)
        if day is None and "as_of" in body:
            raise Unwritable("what was measured when is told by the day of the plan, and that must not be known")

    def writable(self, symbolic: SymbolicPatient) -> Formula:
        """That of a goal a text is known, with harmless ones beside it, no dose is known, and a day where one is needed."""
        goal = [answer for (kind, _), answer in symbolic.answers.items() if kind == "goal"]
        known = [
            z3.And(
                [
                    answer.is_(value) if answer.tokens else answer.value == value
                    for answer, value in zip(goal, text, strict=True)
                ]
            )
            for text in self._goals
        ]
        # The other goals are then harmless ones.
        harmless = symbolic.answers["goal", "safety"].is_("none")
        clear = symbolic.answers["goals", "all_clear"].value
        goals = z3.Or(z3.Not(symbolic.has_goal), z3.And(z3.Or(known), z3.Or(clear, z3.Not(harmless))))
        alone = [z3.Not(supposed) for supposed in symbolic.derived.supposed]
        # Conditions are written into their own list, and so is what is urgent, which a goal or a line may tell as well.
        alone += [z3.Implies(one, symbolic.unread_conditions) for one in symbolic.urgent.values()]
        alone.append(z3.Implies(symbolic.contradicted, symbolic.present("condition")))
        alone.append(z3.Implies(symbolic.present("condition"), symbolic.conditions_asked))
        day = symbolic.day.writable(symbolic.answers, symbolic.measures.check, symbolic.derived.days.values())
        few = z3.AtMost(*symbolic.other.values(), _MOST_OTHERS)
        return z3.And(goals, few, day, *alone, *without_doses(symbolic.spans, symbolic.medicines_asked, symbolic.takes_any))

    def _known_condition(self) -> str:
        if self._book.known_conditions.first is None:
            raise Unwritable("this rulebook knows no illness that no rule concerns")
        return self._book.known_conditions.first

    def _known_medicine(self) -> str:
        if not self._silent:
            raise Unwritable("this rulebook knows no medicine that no rule concerns")
        return self._silent[0]

    def pointer(self, symbolic: SymbolicPatient, model: Any, kind: str, patient: Json) -> str:
        """Where in the written patient the medicine, condition or goal is that the symbolic one looks at; "" if unsure."""
        match kind:
            case "medicine":
                return "/medications/0"
            case "goal":
                return "/expectations/goals/0"
            case "condition":
                name = ModelReading(model).token(symbolic.answers["condition", "name"])
                return f"/conditions/{patient['conditions'].index(name)}"
            case _:
                return ""

    def _protocol(self, symbolic: SymbolicPatient, reading: ModelReading, body: Json) -> None:
        holds = [
            {"drug_class": name, "before_hours": 24, "after_hours": 24, "approved_by": "Dr. A. Example, MD"}
            for name, signed in symbolic.signed_holds.items()
            if reading.holds(signed)
        ]
        if holds:
            body.setdefault("protocol", {})["holds"] = holds
        if reading.holds(symbolic.answers["protocol", "approved"].value):
            body.setdefault("protocol", {})["approved_by"] = "Dr. A. Example, MD"
        if reading.holds(symbolic.answers["protocol", "doubtful"].value):
            self._doubt(body["protocol"])

    def _doubt(self, protocol: Json) -> None:
        """Give a protocol a figure that cannot be meant, in a place that is free. Raises `Unwritable` if there is none."""
        if protocol.get("holds"):
            protocol["holds"][0] |= {"before_hours": 0, "after_hours": 0}
            return
        free = next((name for name in self._book.about.plausible if name in PROTOCOL_FIGURES and name not in protocol), None)
        if free is None:
            raise Unwritable("every figure of the protocol is needed")
        protocol[free] = 0

    def _medications(self, symbolic: SymbolicPatient, reading: ModelReading) -> list[Json]:
        rows = {row.ingredient: row for row in symbolic.ingredients}
        entries: list[Json] = []
        looked_at = ""
        if reading.holds(symbolic.has_medicine):
            looked_at = reading.token(symbolic.answers["medicine", "ingredient"])
            entries.append(self._entry(symbolic, reading, rows[looked_at]))
        others = [rows[name] for name, taken in symbolic.other.items() if reading.holds(taken)]
        if entries and reading.holds(symbolic.rescue_product) and not self._rescue_names(rows[looked_at]):
            beside = next(row for row in others if self._rescue_names(row))
            others.remove(beside)
            entries[0]["name"] += f" and {self._rescue_names(beside)[0]}"
        entries += [self._other(symbolic, reading, row, again=row.ingredient == looked_at) for row in others]
        if reading.holds(symbolic.has_check):
            entries += self._troubled(symbolic, reading, entries)
        if reading.holds(symbolic.unread_entries) and not any(_unread(self._book, entry) for entry in entries):
            entries.append({"name": UNHEARD_OF})
        besides = entries[1:] if looked_at else entries
        if not reading.holds(symbolic.other_missing):
            for entry in besides:
                entry.setdefault("indication", "pain")
        if reading.holds(symbolic.other_unclear):
            self._leave_unclear(besides, rows)
        if reading.holds(symbolic.known_medicines):
            entries.append({"name": self._known_medicine(), "schedule": "daily", "indication": "pain"})
        if reading.holds(symbolic.other_protects):
            # What cannot be read at all is taken for the reason first: it changes nothing else about the list.
            free = sorted(entries[1:] if looked_at else entries, key=lambda entry: entry.get("name") != UNHEARD_OF)
            free[0]["indication"] = "alcohol_withdrawal" if reading.holds(symbolic.other_withdrawal) else "epilepsy"
        return entries

    def _entry(self, symbolic: SymbolicPatient, reading: ModelReading, row: Ingredient) -> Json:
        names = row.depot_brands if reading.holds(symbolic.depot_product) else ()
        names = self._rescue_names(row) if reading.holds(symbolic.rescue_product) else names
        entry: Json = {"name": (*names, row.name)[0]}
        problem = PROBLEMS[reading.number(symbolic.problem)]
        self._trouble(entry, row, problem)
        if reading.holds(symbolic.sent_schedule.known):
            entry["schedule"] = reading.token(symbolic.sent_schedule)
        indication = symbolic.answers["medicine", "indication"]
        if reading.holds(indication.known):
            entry["indication"] = reading.token(indication)
        if reading.holds(symbolic.disagrees):
            _let_disagree(entry)
        return entry

    def _other(self, symbolic: SymbolicPatient, reading: ModelReading, row: Ingredient, *, again: bool) -> Json:
        """Another entry; one of the same ingredient as the medicine looked at may be kept as rescue."""
        entry: Json = {"name": row.name}
        if not reading.holds(symbolic.other_missing) and (self._makes_dependent(row) or again):
            entry["schedule"] = "as_needed"
        if again and reading.holds(symbolic.other_rescue):
            entry["schedule"] = "rescue"
        if reading.holds(symbolic.other_daily) and self._makes_dependent(row):
            entry["schedule"] = "daily"
        return entry

    def _leave_unclear(self, besides: list[Json], rows: Mapping[str, Ingredient]) -> None:
        """Let one of the other entries name no reason, where that matters. Raises `Unwritable` if it matters for none."""
        named = {row.name: row for row in rows.values()}
        for entry in besides:
            row = named.get(entry["name"])
            if row is not None and not MAY_PROTECT.isdisjoint(row.classes):
                entry["indication"] = "other"
                return
        raise Unwritable("no other medicine is there whose reason could matter")

    def _makes_dependent(self, row: Ingredient) -> bool:
        return any(self._book.classes[name].daily_use_closes_hold for name in row.classes)

    def _troubled(self, symbolic: SymbolicPatient, reading: ModelReading, entries: list[Json]) -> list[Json]:
        problem = PROBLEMS[reading.number(symbolic.check_problem)]
        suggestion = reading.holds(symbolic.answers["medicine_check", "suggestion"].value)
        if problem == "no_rule":
            return []
        if problem == "not_recognized":
            return [{"name": self._misspelled if suggestion else UNHEARD_OF}]
        if problem == "partly_recognized" and suggestion:
            return [{"name": self._misspelled, "rxcui": self._coded[0].rxcui[0]}]
        if problem == "code_not_recognized" and entries and "rxcui" not in entries[0]:
            entries[-1]["rxcui"] = UNKNOWN_CODE
            return []
        if problem in ("fields_and_text_disagree", "on_hold", "among_allergies"):
            if not entries:
                raise Unwritable("no medicine is there of which this could be said")
            if problem == "among_allergies":
                return [{"name": entries[-1]["name"], "status": "allergy"}]
            _let_disagree(entries[-1]) if problem != "on_hold" else entries[-1].update(status="on_hold")
            return []
        entry = {"name": self._plain.name}
        self._trouble(entry, self._plain, problem)
        return [entry]

    def _trouble(self, entry: Json, row: Ingredient, problem: str) -> None:
        match problem:
            case "partly_recognized":
                entry["name"] = f"{entry['name']} and {UNHEARD_OF}"
            case "code_not_recognized":
                entry["rxcui"] = UNKNOWN_CODE
            case "code_and_name_disagree":
                other = next(other for other in reversed(self._coded) if other.ingredient != row.ingredient)
                entry["rxcui"] = other.rxcui[0]

    def _rescue_names(self, row: Ingredient) -> tuple[str, ...]:
        """Products of an ingredient that are sold as rescue only."""
        products = (entry for entry in self._book.catalogue.combinations if entry.rescue)
        return (*row.rescue_brands, *(entry.product for entry in products if row.ingredient in entry.ingredients))

    def _goal_texts(self, symbolic: SymbolicPatient, reading: ModelReading) -> list[str]:
        count = reading.number(symbolic.goal_count)
        if not reading.holds(symbolic.has_goal):
            return []
        wanted = {name: reading.value(answer) for (kind, name), answer in symbolic.answers.items() if kind == "goal"}
        text = self._goals.get(tuple(wanted.values()))
        if text is None:
            raise Unwritable(f"no text of a goal is known with {wanted}")
        read = reading.holds(symbolic.goal_is_read)
        specific = reading.number(symbolic.answers["goals", "specific_count"].value) - bool(read and wanted["specific"])
        clear = reading.holds(symbolic.answers["goals", "all_clear"].value) or (read and wanted["safety"] != "none")
        protected = reading.holds(symbolic.answers["goals", "some_protected"].value) and not (read and wanted["protected"])
        others = ((True, specific), (False, count - read - specific))
        texts = [text]
        for kind, many in others:
            if many:
                texts += [self._goal(specific=kind, clear=clear, protected=protected)] * many
        return [*texts, UNHEARD_OF] if read and reading.holds(symbolic.unread_goals) else texts

    def _goal(self, *, specific: bool, clear: bool, protected: bool) -> str:
        """A goal that was read: harmless if the list of goals is to be `clear`, and else one that raises a question."""
        for text in self._goals.values():
            judged = self._book.goals.judge(text)
            harmless = judged.safety == "none"
            alike = judged.specific == specific and judged.protected == protected
            if alike and harmless == clear and (judged.understood or not clear):
                return text
        kind = f"{'' if specific else 'not '}specific and {'harmless' if clear else 'raises a question of safety'}"
        raise Unwritable(f"no text of a goal is known that is {kind}")


def _let_disagree(entry: Json) -> None:
    """Let the dose that was sent and the one that the name has be two, which says nothing else of the medicine."""
    if "dose_mg" not in entry:
        entry["name"] += " 5 mg, 1 tablet"
        entry["dose_mg"] = 0


def _signature(book: Rulebook, text: str) -> tuple[Any, ...]:
    """The properties of a goal, in the order of its fields."""
    judged = book.goals.judge(text)
    return tuple(getattr(judged, name) for name in KINDS["goal"].fields)


def _unread(book: Rulebook, entry: Mapping[str, Any]) -> bool:
    found = book.catalogue.resolve(0, Medication(name=entry.get("name"), rxcui=entry.get("rxcui")))
    return found.problem in ("not_recognized", "partly_recognized")
