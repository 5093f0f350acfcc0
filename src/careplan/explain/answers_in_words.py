"""What a patient's answers say about a condition that does not hold, in words, and where those answers stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from careplan.explain.nearest_miss import Unmet
from careplan.facts.case import Case, Fact
from careplan.facts.hold_question import HoldQuestions
from careplan.inference.case_logic import CaseLogic
from careplan.inference.three_valued import list_pointer
from careplan.plan.phrases import FactPhrases
from careplan.plan.wording import Words
from careplan.rulebook.conditions import Expression, Pattern, tests_of
from careplan.rulebook.factors import OF_DERIVED
from careplan.rulebook.model import Rulebook

_LISTS = frozenset({"medicine_check", "shared_class", "regimen", "condition", "history", "goal", "goals"})
_SESSIONS = ("sessions_planned", "sessions_completed")


class Given(NamedTuple):
    """What was answered, in phrases, and the JSON Pointers of the answers."""

    words: list[str]
    pointers: list[str]


class Reasons:
    """Finds them for one case. Why the question of a hold is not open is led back to the answers that closed it."""

    def __init__(self, book: Rulebook, holds: HoldQuestions, case: Case, logic: CaseLogic, phrases: FactPhrases) -> None:
        self._book = book
        self._case = case
        self._logic = logic
        self._words = Words(book, case, phrases)
        self._holds = holds
        self._found: dict[str | None, tuple[str, ...]] = {}

    def _against(self, name: str | None) -> tuple[str, ...]:
        """The answers that keep a hold question from being open."""
        if name not in self._found:
            self._found[name] = self._holds.against(self._case.bearing, name)
        return self._found[name]

    def given(self, unmet: Unmet) -> Given:
        """What the answers say about a condition that does not hold."""
        if unmet.part is None or unmet.fact is None:
            return self._of_list(unmet.pattern)
        words = self._words.given(unmet.fact, unmet.part)
        if len(unmet.places) > 1:
            words += [self._answer(f"/treatment/{name}") for name in _SESSIONS if name in unmet.fact.properties]
        pointers = set(self._pointers(unmet.part, unmet.fact))
        if unmet.fact.kind in OF_DERIVED:
            pointers = set(self._behind(unmet.part, unmet.fact))
        for basis in self._case.beside.get(unmet.fact.id, {}).values() if "beside" in _fields(unmet.part) else ():
            pointers |= basis.pointers | {f"/medications/{at}" for _, other in basis.behind for at in other.indexes}
        if unmet.fact.ingredient and any(test.field == "hold_question" for test in tests_of(unmet.part)):
            question = self._case.holds[unmet.fact.ingredient.ingredient]
            if question.stance is None and question.may_open:
                pointers |= question.waits_for
            elif question.stance != "open":
                against = self._against(unmet.fact.ingredient.ingredient)
                pointers |= set(against)
                words = list(dict.fromkeys([*words, *(self._answer(pointer) for pointer in against)]))
        return Given(words, sorted(pointers))

    def _behind(self, part: Expression, fact: Fact) -> Iterator[str]:
        """Where the answers stand, or would stand, on which a derived fact rests."""
        for test in tests_of(part):
            basis = self._case.derived[fact.kind][test.field]
            yield from basis.pointers
            if date := self._book.derived[test.field].date:
                yield f"/{date.replace('.', '/')}"
            for pattern, below in basis.behind:
                yield from self._pointers(pattern.tests, below)

    def _pointers(self, part: Expression, fact: Fact) -> Iterator[str]:
        """Where the answers stand, or would stand, that a condition looks at."""
        if fact.kind == "condition":
            yield from (self._case.illnesses.listed[at].pointer for at in fact.indexes)
        else:
            yield from _pointers(part, fact)

    def _of_list(self, pattern: Pattern) -> Given:
        """What is there instead of the subject that a pattern is about; why none could be, where none was asked for."""
        kind = {"condition": "history", "goal": "goals"}.get(pattern.kind, "regimen")
        listed = self._book.vocabulary.fields[f"{kind}.list"]
        if self._logic.list_is_missing(pattern.kind):
            if self._logic.of_missing(pattern) is None:
                return Given([listed.unknown], [list_pointer(pattern.kind)])
            return self._ruled_out(pattern)
        facts = self._logic.known_facts(pattern.kind)
        there = [self._words.entry(pattern.kind, at) for fact in facts for at in fact.indexes]
        if pattern.kind in ("medicine_check", "shared_class"):
            words = "nothing of this kind was found"
        elif there:
            words = f"{'has' if kind == 'history' else 'takes'} {', '.join(dict.fromkeys(there))}"
        else:
            words = listed.values["empty"] if listed.values else listed.unknown
        return Given([words], [list_pointer(pattern.kind)])

    def _ruled_out(self, pattern: Pattern) -> Given:
        """Why no medicine of a list that was not sent could be what a pattern is about."""
        words, pointers = list[str](), list[str]()
        tested = {test.field for test in tests_of(pattern.tests)}
        for field, value in self._case.of_any_medicine.items():
            if field in tested:
                words.append(self._words.said("medicine", field, value))
                pointers += self._against(None) if field == "hold_question" else ["/protocol/holds"]
        words += [self._answer(pointer) for pointer in pointers if pointer != "/protocol/holds"]
        return Given(words, pointers)

    def _answer(self, pointer: str) -> str:
        """The answer at a pointer, in words of ours: nothing that a caller wrote."""
        group, _, rest = pointer.strip("/").partition("/")
        fields = self._book.vocabulary.fields
        if pointer == "/treatment/session_times":
            return fields["medicine.gap_too_long"].values["true"]
        if group in ("medications", "conditions") and not rest:
            return "the list may be longer than what was sent"
        listed = self._case.illnesses.listed
        if group == "other_conditions" and not any(
            illness.pointer == pointer and self._holds.closes(illness.token) for illness in listed
        ):
            return fields["history.unread"].values["true"]
        return self._of_entry(*rest.split("/")) if group == "medications" else self._words.answer(group, rest)

    def _of_entry(self, index: str, field: str = "") -> str:
        resolved = self._case.medicines[int(index)]
        if resolved.match is None or resolved.problem == "partly_recognized":
            return f"medicine {resolved.index + 1} was not recognized"
        name = self._words.recognized(resolved.index)
        if not field:
            # What is taken as rescue by its product, and what a rulebook speaks of no hold for.
            return f"{name} is a rescue medicine" if resolved.match.rescue else f"no hold is discussed for {name}"
        return f"{name}: {self._words.said('medicine', field, getattr(resolved.entry, field))}"


def _fields(part: Expression) -> frozenset[str]:
    return frozenset(test.field for test in tests_of(part))


def _pointers(part: Expression, fact: Fact) -> Iterator[str]:
    """Where the answers stand, or would stand, that a condition looks at."""
    if fact.kind in _LISTS:
        base = list_pointer(fact.kind)
        yield from [f"{base}/{at}" for at in fact.indexes] or [base]
        return
    for test in tests_of(part):
        if fact.kind == "medicine":
            yield from (f"/medications/{at}{_OF_MEDICINE.get(test.field, '')}" for at in fact.indexes)
        elif fact.kind == "treatment" and test.field in ("sessions_left", "beyond_plan"):
            yield from (f"/treatment/{name}" for name in _SESSIONS)
        elif (fact.kind, test.field) == ("treatment", "indication_read"):
            yield "/treatment/indication"
        elif (fact.kind, test.field) == ("protocol", "approved"):
            yield "/protocol/approved_by"
        elif (fact.kind, test.field) == ("protocol", "doubtful"):
            yield "/protocol"
        elif test.field == "protocol_hold":
            yield "/protocol/holds"
        else:
            yield f"/{test.field}" if fact.kind == "patient" else f"/{fact.kind}/{test.field}"


_OF_MEDICINE = {"schedule": "/schedule", "indication": "/indication"}
