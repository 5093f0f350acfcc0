"""The unanswered questions that could still change a plan, and what was sent that no rule looked at."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Literal

from careplan.facts.case import Case
from careplan.plan.illnesses_read import TWICE, silent_illnesses
from careplan.plan.item_templates import Written, shortened
from careplan.plan.model import AnswerForm, CouldChange, NotConsidered, Question, SignedHold
from careplan.plan.part import Choice
from careplan.plan.visit import asked_first
from careplan.plan.wording import Words
from careplan.recognition.allergies import COMPARED, OF_NO_ALLERGY
from careplan.recognition.dose_equivalents import Doses
from careplan.recognition.known_conditions import OF_NO_RULE
from careplan.rulebook.asking import Visit
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind, used_by
from careplan.rulebook.factors import KINDS, OF_MEASURES
from careplan.rulebook.model import LEVELS, SECTIONS, FieldWords, Rulebook, Section
from careplan.rulebook.text_template import one_line

_DOSES = {"dose_mg_a_day": "mg", "diazepam_mg_a_day": "diazepam", "morphine_mg_a_day": "morphine"}
"""The fields by which rules test doses, each with what it is among the doses of an entry."""
_NOTHING_SAID = "Rules looked at it, and none had anything to say."
_by_rank = itemgetter(0, 1, 2)


class Questions:
    """Knows for one rulebook which rules hang on which factors."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._rules = tuple(book.rules.values())
        self._fields = book.vocabulary.fields
        self._groups: dict[str, int] = {name: at for at, name in enumerate(book.vocabulary.order_of_a_visit)}
        self._ahead = frozenset(
            f"/{name.removeprefix('patient.').replace('.', '/')}"
            for name, words in self._fields.items()
            if words.asking.ahead
        )
        self._order = {name: at for at, name in enumerate(book.vocabulary.fields)}
        self._answers = {
            name: form
            for name, words in book.vocabulary.fields.items()
            if (form := answer_form(book, name, words)) is not None
        }
        self._names = [rule.id for rule in self._rules]
        self._of_levels = [(level, _numbered(rule.file.level == level for rule in self._rules)) for level in LEVELS]
        self._of_sections = [(name, _numbered(rule.section == name for rule in self._rules)) for name in SECTIONS]
        tested = {
            (pattern.kind, test.field)
            for rule in self._rules
            for pattern in behind(book.derived, rule.when)
            for test in tests_of(pattern.tests)
        }
        # An allergy that rules look at is a condition: its question hangs on theirs, and turns the rules that test these.
        of_allergies = frozenset(book.codes.allergies)
        self._of_allergies = _numbered(
            any(
                not of_allergies.isdisjoint(map(str, test.values))
                for pattern in behind(book.derived, rule.when)
                if pattern.kind in ("condition", "history")
                for test in tests_of(pattern.tests)
            )
            for rule in self._rules
        )
        self._dates = frozenset(
            used.date for rule in self._rules for pattern in behind({}, rule.when) for used in used_by(book.derived, pattern)
        )
        self._untested = tuple(
            (kind, name)
            for kind, described in sorted(KINDS.items())
            for name, field in sorted(described.fields.items())
            if field.sent and (kind, name) not in tested and kind != "medicine"
        )
        self._tested_measures = frozenset(name for kind, name in tested if kind in OF_MEASURES)
        tested_names = {name for _, name in tested}
        self._doses = [name for field, name in _DOSES.items() if field in tested_names]

    def unanswered(self, hanging: Mapping[str, int], words: Words, visit: Visit) -> list[Question]:
        """The questions of one case at a visit, those first on which the most of the most serious parts of the plan hangs.

        `hanging` has for each answer the rules that hang on it, as a bit set over their numbers. A rule that holds because
        something is unknown hangs on the answer as well: it could go away. What has no sense after other answers of the
        patient is not asked.
        """
        ranked = []
        patient = words.case.patient
        turned = hanging.get("/conditions", 0) & self._of_allergies
        if turned and patient.allergies is None and "allergies" in self._answers:
            hanging = {**hanging, "/allergies": turned}
        for pointer, rules in hanging.items():
            factor = _factor(pointer)
            if self._fields[factor].asking.is_withheld(patient):
                continue
            weight = [-(rules & of_level).bit_count() for _, of_level in self._of_levels]
            ranked.append((weight, self._order[factor], pointer, factor, rules))
        ranked.sort(key=_by_rank)
        in_order = sorted([self._place(pointer, factor) for _, _, pointer, factor, _ in ranked])
        places = {pointer: at for at, (*_, pointer) in enumerate(in_order)}
        found = [self._question(pointer, factor, rules, places[pointer], words) for *_, pointer, factor, rules in ranked]
        return asked_first(found, visit, self._ahead)

    def _place(self, pointer: str, factor: str) -> tuple[int, int, int, str]:
        """Where a question stands in the order of a visit: its group, the entry that it is about, and its factor."""
        entry = _INDEX.match(pointer)
        group = self._groups.get(factor.partition(".")[0], len(self._groups))
        return group, int(entry[1]) if entry else 0, self._order[factor], pointer

    def not_considered(self, case: Case, written: Sequence[Written], words: Words) -> list[NotConsidered]:
        """What was sent and left no trace in the items written of a case, with the reason."""
        spoken_of = {pointer for one in written for pointer in one.spoken_of}
        shown = [gate.signed for one in written if (gate := one.item.hold_gate) and gate.signed]
        silent = [*self._silent(case, spoken_of, words), *self._silent_holds(case, shown)]
        return sorted(silent, key=lambda entry: (entry.pointer, entry.what))

    def _about(self, pointer: str, factor: str, words: Words) -> str:
        """What a question is about, in a few words: the factor, and the medicine whose it is."""
        label = self._fields[factor].label
        entry = _INDEX.match(pointer)
        return f"{label}: {shortened(words.entry('medicine', int(entry[1])))}" if entry else label

    def _question(self, pointer: str, factor: str, rules: int, place: int, said: Words) -> Question:
        words = self._fields[factor]
        return Question(
            pointer=pointer,
            about=self._about(pointer, factor, said),
            question=words.question,
            why_it_matters=words.why,
            answer=self._answers[factor],
            could_change=[
                self._could_change(section, rules & of_section)
                for section, of_section in self._of_sections
                if rules & of_section
            ],
            asked_of=words.asking.of,
            asked_at=words.asking.at,
            place=place,
        )

    def _could_change(self, section: Section, rules: int) -> CouldChange:
        """What of a section could change with these rules of it: how grave it can be, and their names."""
        gravest = next(level for level, of_level in self._of_levels if rules & of_level)
        return CouldChange(section=section, level=gravest, rules=sorted([self._names[at] for at in _numbers_in(rules)]))

    def _silent(self, case: Case, spoken_of: Collection[str], words: Words) -> Iterator[NotConsidered]:
        patient = case.patient
        for kind, name in self._untested:
            source = patient if kind == "patient" else getattr(patient, kind, None)
            if getattr(source, name, None) is not None:
                pointer = f"/{name}" if kind == "patient" else f"/{kind}/{name}"
                label = self._fields[f"{kind}.{name}"].label
                yield NotConsidered(pointer=pointer, what=label, why="No rule of this rulebook looks at it.")
        if patient.treatment.session_times:
            yield NotConsidered(
                pointer="/treatment/session_times",
                what="times of the sessions",
                why="No rule of this rulebook looks at them; time line and calendar are made from them.",
            )
        last = "/treatment/last_session_at"
        if patient.treatment.last_session_at and not patient.clearances and last not in spoken_of:
            why = "No rule of this rulebook looks at it; it says whether a clearance still counts, and none was sent."
            if "treatment.last_session_at" in self._dates:
                sent = patient.as_of is not None
                why = _NOTHING_SAID if sent else "Rules count the days since then, and the day of the plan was not sent."
            yield NotConsidered(pointer=last, what="time of the last session", why=why)
        yield from silent_illnesses(case, spoken_of)
        yield from words.measures.not_considered(spoken_of, self._tested_measures)
        yield from self._silent_medicines(case, spoken_of, words)
        yield from self._silent_illnesses(case, spoken_of, words)
        yield from self._silent_goals(case, spoken_of, words)
        for doubt in case.doubts:
            why = "It lies outside of what this rulebook takes for plausible, so that no text quotes it."
            yield NotConsidered(pointer=doubt.pointer, what=doubt.what, why=why)

    def _silent_medicines(self, case: Case, spoken_of: Collection[str], words: Words) -> Iterator[NotConsidered]:
        for resolved in case.medicines:
            pointer = f"/medications/{resolved.index}"
            if pointer not in spoken_of:
                why = _NOTHING_SAID if resolved.taken else "The list says that it is not taken, so no rule looked at it."
                yield NotConsidered(pointer=pointer, what=words.entry("medicine", resolved.index), why=why)
            for part in resolved.besides:
                yield NotConsidered(
                    pointer=pointer, what=part, why="No rule concerns it, or the list says that it is not taken."
                )
            if resolved.entry.dose_mg is not None and not self._is_dose_looked_at(resolved.doses):
                yield NotConsidered(
                    pointer=f"{pointer}/dose_mg", what="dose", why="No rule looks at the dose of this medicine."
                )
            for part in resolved.match.also_contains if resolved.match else ():
                yield NotConsidered(pointer=pointer, what=part, why=OF_NO_RULE)
            for part in resolved.unknown_parts:
                yield NotConsidered(pointer=pointer, what=part, why="It is outside the medicines that this rulebook knows.")

    def _is_dose_looked_at(self, doses: Iterable[Doses]) -> bool:
        """Whether a rule tests what the dose of an entry is worth a day."""
        return any(getattr(dose, name) is not None for dose in doses for name in self._doses)

    def _silent_illnesses(self, case: Case, spoken_of: Collection[str], words: Words) -> Iterator[NotConsidered]:
        listed = {one.pointer for one in case.illnesses.listed}
        for at, written in enumerate(case.patient.allergies or ()):
            pointer = f"/allergies/{at}"
            if pointer not in listed:
                alone = COMPARED if case.illnesses.allergens[at] else OF_NO_ALLERGY
                why = TWICE if at in case.illnesses.allergic else alone
                yield NotConsidered(pointer=pointer, what=one_line(written), why=why)
        for at, token in enumerate(case.patient.conditions or ()):
            if f"/conditions/{at}" not in listed:
                yield NotConsidered(pointer=f"/conditions/{at}", what=self._book.conditions[token].label, why=TWICE)
        for at, illness in enumerate(case.illnesses.listed):
            if illness.pointer.startswith(("/conditions/", "/allergies/")) and illness.pointer not in spoken_of:
                yield NotConsidered(pointer=illness.pointer, what=words.entry("condition", at), why=_NOTHING_SAID)

    @staticmethod
    def _silent_goals(case: Case, spoken_of: Collection[str], words: Words) -> Iterator[NotConsidered]:
        for at in range(len(case.patient.expectations.goals or [])):
            if f"/expectations/goals/{at}" not in spoken_of:
                yield NotConsidered(pointer=f"/expectations/goals/{at}", what=words.entry("goal", at), why=_NOTHING_SAID)

    def _silent_holds(self, case: Case, shown: Sequence[SignedHold]) -> Iterator[NotConsidered]:
        """Signed holds that no item has: of no medicine in the list, or beside a longer one of its class."""
        holds = case.patient.protocol.holds if case.patient.protocol else []
        if not holds:
            return
        figures = {(hold.drug_class, hold.before_hours, hold.after_hours) for hold in shown}
        classes = {hold.drug_class for hold in shown}
        doubtful = {doubt.pointer for doubt in case.doubts}
        to_check = {hold.drug_class for at, hold in enumerate(holds) if f"/protocol/holds/{at}" in doubtful}
        for at, hold in enumerate(holds):
            said = (hold.drug_class, hold.before_hours, hold.after_hours) in figures
            if not said and f"/protocol/holds/{at}" not in doubtful:
                longer = "The protocol names this class twice; the longer hold is shown. Settle which one counts."
                if hold.drug_class in to_check:
                    longer = "The protocol names this class twice, and one of the two is to be checked. Neither is shown."
                none = "No medicine is in the list for which a rule of this rulebook speaks of this hold."
                yield NotConsidered(
                    pointer=f"/protocol/holds/{at}",
                    what=f"hold for {self._book.classes[hold.drug_class].plural}",
                    why=longer if hold.drug_class in classes else none,
                )


def answer_form(book: Rulebook, name: str, words: FieldWords) -> AnswerForm | None:
    """The form of the answer to the question about a factor, or about a whole list; None where nothing is asked."""
    kind, _, field = name.partition(".")
    described = book.kinds[kind].fields.get(field) if kind in book.kinds else None
    if described is None or not described.sent:
        return AnswerForm(type=_LISTS[name]) if name in _LISTS else None
    if described.type == "number":
        limits = book.limits[name]
        form: Literal["whole_number", "number"] = "whole_number" if limits.whole else "number"
        unit = book.vocabulary.measures[field].unit if kind == "measures" else None
        return AnswerForm(type=form, least=limits.least, most=limits.most, unit=unit or None)
    if described.type == "boolean":
        return AnswerForm(type="yes_no")
    order = list(words.values)
    tokens = sorted(described.tokens, key=lambda token: order.index(token) if token in order else len(order))
    choices = [Choice(value=token, label=words.values.get(token, token.replace("_", " "))) for token in tokens]
    return AnswerForm(type="choice", choices=choices)


_LISTS: Mapping[str, Literal["medications", "conditions", "goals"]] = {
    "medications": "medications",
    "conditions": "conditions",
    "goals": "goals",
    "allergies": "goals",
}

_INDEX = re.compile(r"^/medications/(\d+)/")


def _factor(pointer: str) -> str:
    """The vocabulary's name of the factor at a JSON Pointer of the request."""
    if pointer == "/expectations/goals":
        return "goals"
    path = _INDEX.sub("/medicine/", pointer).strip("/").replace("/", ".")
    return f"patient.{path}" if path in KINDS["patient"].fields else path


def _numbered(chosen: Iterable[bool]) -> int:
    """A bit set of the numbers of those that are chosen."""
    return sum(1 << at for at, one in enumerate(chosen) if one)


def _numbers_in(bits: int) -> list[int]:
    """The numbers in a bit set, in order."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
