"""Looking for patients: the solver asked, its smallest patient written down, and the engine asked what it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import msgspec
import z3

from careplan.authoring.proof.answers import Formula, Unwritable
from careplan.authoring.proof.invariants import subjects
from careplan.authoring.proof.report import Demand, Failure, FailureKind, broken
from careplan.authoring.proof.symbols import PROBLEMS, SymbolicPatient
from careplan.authoring.proof.witness import Json, Writer
from careplan.errors import InvalidPatient
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook

CHECK_MILLISECONDS = 20_000
"""After this long the solver gives up on one question, and the report says so."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to refute: a formula that no patient may satisfy, and how the plan of one that does would show it."""

    kind: FailureKind
    subject: str
    says: str
    wrong: Formula
    demand: Demand
    rules: frozenset[str]
    about: frozenset[str] = frozenset()


def checked(solver: z3.Solver, *assumptions: Formula) -> Any:
    """The solver's answer: sat, unsat or unknown.

    The solver hears Ctrl-C itself and only ends its search; here that is the interrupt that was meant.
    """
    answer = solver.check(*assumptions)
    if answer == z3.unknown and "interrupted" in solver.reason_unknown():
        raise KeyboardInterrupt
    return answer


class Search:
    """Searches among all patients of one rulebook. Belongs to the thread that made it, as its planner does."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self.symbolic = SymbolicPatient(book)
        self._planner = Planner(book)
        self._writer = Writer(book, _goals_of(book))
        self._writable = self._writer.writable(self.symbolic)
        self._solver = z3.Solver()
        self._solver.set("timeout", CHECK_MILLISECONDS)
        self._solver.add(*self.symbolic.constraints)

    def close(self) -> None:
        """Free the engine's memory."""
        self._planner.close()

    def refute(self, claim: Claim) -> Iterator[Failure]:
        """A failure, with the smallest patient, unless no patient at all breaks the claim."""
        answer, _ = self.ask(claim.wrong)
        if answer == z3.unsat:
            return
        if answer != z3.sat:
            yield undecided(claim.subject)
            return
        patient: Json | None = None
        replayed: bool | None = None
        detail = f"This does not hold: {claim.says}."
        try:
            model = self._smallest(claim.wrong)
            patient = self.write(model)
            places = {kind: self._writer.pointer(self.symbolic, model, kind, patient) for kind in sorted(claim.about)}
            replayed = broken(claim.demand, claim.rules, self.fired(patient, places))
        except (Unwritable, InvalidPatient) as reason:
            detail += f" No patient can be written: {reason}."
        yield Failure(kind=claim.kind, subject=claim.subject, detail=detail, patient=patient, replayed=replayed)

    def fired(self, patient: Mapping[str, Any], places: Mapping[str, str] | None = None) -> Set[str]:
        """The rules with an item in the engine's plan; of those about a kind in `places`, only those about that entry."""
        places = places or {}
        plan = self._planner.plan(self._planner.intake.decode(msgspec.json.encode(patient)))
        fired = set()
        for item in (*plan.alerts, *(item for section in plan.sections for item in section.items)):
            wanted = {places[kind] for kind in subjects(self._book.rules[item.rule.id].when) & places.keys()} - {""}
            if wanted <= {entry.pointer for entry in item.about}:
                fired.add(item.rule.id)
        return fired

    def witness(self, formula: Formula) -> tuple[Any, Any]:
        """As `ask`, with a model that can be written down if there is one."""
        answer, model = self.ask(formula, self._writable)
        return (answer, model) if answer == z3.sat else self.ask(formula)

    def write(self, model: Any) -> Json:
        """The patient of a model. Raises `Unwritable` where a goal would be needed of which no text is known."""
        return self._writer.write(self.symbolic, model)

    def _smallest(self, wrong: Formula) -> Any:
        """A model with as few answers, medicines and conditions as can be, found by leaving one out after the other."""
        symbolic = self.symbolic
        optional = (
            symbolic.goals_asked,
            symbolic.has_check,
            symbolic.has_shared,
            symbolic.unread_entries,
            symbolic.unread_conditions,
            symbolic.unread_goals,
            symbolic.known_medicines,
            symbolic.known_conditions,
            symbolic.gap.known,
            symbolic.other_missing,
            symbolic.other_rescue,
            symbolic.other_withdrawal,
            symbolic.other_protects,
            symbolic.other_daily,
            symbolic.other_unclear,
            symbolic.disagrees,
            symbolic.problem != PROBLEMS.index("none"),
            symbolic.rescue_product,
            symbolic.depot_product,
            *symbolic.signed_holds.values(),
            symbolic.has_medicine,
            *symbolic.other.values(),
            symbolic.medicines_asked,
            symbolic.conditions_asked,
            *symbolic.has.values(),
            *(answer.known for answer in symbolic.answers.values() if not z3.is_true(answer.known)),
            symbolic.answers["protocol", "doubtful"].value,
            symbolic.answers["treatment", "indication_read"].value,
            symbolic.answers["protocol", "approved"].value,
        )
        self._solver.push()
        try:
            self._solver.add(wrong)
            if checked(self._solver, self._writable) == z3.sat:
                self._solver.add(self._writable)
            checked(self._solver)
            model = self._solver.model()
            for part in optional:
                absent = z3.Not(part)
                # What is absent already needs no search; the others are searched for without the part.
                if z3.is_true(model.eval(absent, model_completion=True)):
                    self._solver.add(absent)
                elif checked(self._solver, absent) == z3.sat:
                    model = self._solver.model()
                    self._solver.add(absent)
            checked(self._solver)
            return self._solver.model()
        finally:
            self._solver.pop()

    def ask(self, *formulas: Formula) -> tuple[Any, Any]:
        """The solver's answer (sat, unsat or unknown), and a model if there is one."""
        self._solver.push()
        try:
            self._solver.add(*formulas)
            answer = checked(self._solver)
            return answer, self._solver.model() if answer == z3.sat else None
        finally:
            self._solver.pop()


def _goals_of(book: Rulebook) -> Iterator[str]:
    """The goals in the examples of all rules, from which patients with goals are written."""
    for rule in book.in_order():
        for example in (*rule.file.examples.fires, *rule.file.examples.silent):
            goals = example.patient.get("expectations", {}).get("goals")
            yield from (goal for goal in goals or () if isinstance(goal, str))


def undecided(subject: str) -> Failure:
    """That the solver gave up on a question about `subject`."""
    return Failure(kind="not_decided", subject=subject, detail="The solver ran out of time; nothing is proved.")
