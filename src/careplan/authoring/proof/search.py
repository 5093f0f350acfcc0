"""Looking for patients: the solver asked, its smallest patient written down, and the engine asked what it gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec
import z3

from careplan.authoring.proof.answers import Formula, Unwritable
from careplan.authoring.proof.claims import Claim
from careplan.authoring.proof.invariants import subjects
from careplan.authoring.proof.report import Failure, broken
from careplan.authoring.proof.symbols import PROBLEMS, SymbolicPatient
from careplan.authoring.proof.witness import Json, Writer
from careplan.errors import InvalidPatient
from careplan.planner import Planner
from careplan.recognition.medicine_rows import Ingredient
from careplan.rulebook.model import Rulebook

CHECK_MILLISECONDS = 20_000
"""After this long the solver gives up on one question, and the report says so."""


def checked(solver: z3.Solver, *assumptions: Formula) -> Any:
    """The solver's answer: sat, unsat or unknown.

    The solver hears Ctrl-C itself and only ends its search; here that raises `KeyboardInterrupt`, as was meant.
    """
    answer = solver.check(*assumptions)
    if answer == z3.unknown and "interrupted" in solver.reason_unknown():
        raise KeyboardInterrupt
    return answer


class Search:
    """Searches among all patients of one rulebook. Belongs to the thread that made it, as its planner does."""

    def __init__(self, book: Rulebook, besides: Iterable[Ingredient] = ()) -> None:
        """`besides` are medicines that the rulebook does not have, which a patient may be asked to take as well."""
        self.symbolic = SymbolicPatient(book, besides)
        self._planner = Planner(book)
        self._writer = Writer(book, _goals_of(book))
        self._writable = self._writer.writable(self.symbolic)
        self._solver = z3.Solver()
        self._solver.set("timeout", CHECK_MILLISECONDS)
        self._solver.add(*self.symbolic.constraints)
        self._can_be_written = z3.Bool("this patient can be written down")
        self._solver.add(z3.Implies(self._can_be_written, self._writable))
        self._parts = {f"left out {at}": part for at, part in enumerate(self._optional())}
        self._solver.add(*(z3.Implies(z3.Bool(name), z3.Not(part)) for name, part in self._parts.items()))

    def close(self) -> None:
        """Free the engine's memory."""
        self._planner.close()

    def suppose(self, constraints: Iterable[Formula]) -> None:
        """Look only among patients of whom these hold as well."""
        self._solver.add(*constraints)

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
            _, model = self.witness(claim.wrong)
            patient = self.write(model)
            places = self.places(claim.about, model, patient)
            replayed = broken(claim.demand, claim.rules, self.fired(patient, places)) if claim.rules else None
        except (Unwritable, InvalidPatient) as reason:
            detail += f" No patient can be written: {reason}."
        yield Failure(kind=claim.kind, subject=claim.subject, detail=detail, patient=patient, replayed=replayed)

    def places(self, about: Set[str], model: Any, patient: Json) -> dict[str, str]:
        """Where in a written patient the medicine, condition or goal is that was looked at, by the kinds asked for."""
        return {kind: self._writer.pointer(self.symbolic, model, kind, patient) for kind in sorted(about)}

    def fired(self, patient: Mapping[str, Any], places: Mapping[str, str] | None = None) -> Set[str]:
        """The rules with an item in the engine's plan; of those about a kind in `places`, only those about that entry."""
        return fired_for(self._planner, patient, places)

    def witness(self, formula: Formula) -> tuple[Any, Any]:
        """As `ask`, with a model that has as few answers, medicines and conditions as can be, and can be written if any can.

        All that can be left out is; what the solver then misses is let in, and left out again one after the other.
        """
        self._solver.push()
        try:
            self._solver.add(formula)
            for beside in ((self._can_be_written,), ()):
                out = [z3.Bool(name) for name in self._parts]
                while (answer := checked(self._solver, *beside, *out)) == z3.unsat and out:
                    missed = {flag.decl().name() for flag in self._solver.unsat_core()}
                    left = [flag for flag in out if flag.decl().name() not in missed]
                    if len(left) == len(out):
                        break
                    out = left
                if answer == z3.sat:
                    return answer, self._without_more(beside, out)
                if answer != z3.unsat:
                    return answer, None
            return answer, None
        finally:
            self._solver.pop()

    def _without_more(self, beside: Sequence[Formula], out: list[Formula]) -> Any:
        """The model at hand, without any part that some model does without."""
        model, known = self._solver.model(), {flag.decl().name() for flag in out}
        for name, part in self._parts.items():
            if name in known:
                continue
            flag = z3.Bool(name)
            # What is absent already needs no search; the others are searched for without the part.
            if z3.is_false(model.eval(part, model_completion=True)):
                out.append(flag)
            elif checked(self._solver, *beside, *out, flag) == z3.sat:
                model = self._solver.model()
                out.append(flag)
        checked(self._solver, *beside, *out)
        return self._solver.model()

    def write(self, model: Any) -> Json:
        """The patient of a model. Raises `Unwritable` where a goal would be needed of which no text is known."""
        return self._writer.write(self.symbolic, model)

    def _optional(self) -> tuple[Formula, ...]:
        """What a patient can do without, in the order in which it is given up."""
        symbolic = self.symbolic
        return (
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
            symbolic.contradicted,
            *symbolic.urgent.values(),
            *symbolic.has.values(),
            *(answer.known for answer in symbolic.answers.values() if not z3.is_true(answer.known)),
            symbolic.day.answer.known,
            symbolic.answers["protocol", "doubtful"].value,
            symbolic.answers["treatment", "indication_read"].value,
            symbolic.answers["protocol", "approved"].value,
        )

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


def fired_for(planner: Planner, patient: Mapping[str, Any], places: Mapping[str, str] | None = None) -> Set[str]:
    """The rules with an item in a plan; of those about a kind in `places`, only those about that entry."""
    places = places or {}
    fired = set()
    for item in planner.items(planner.intake.decode(msgspec.json.encode(patient))):
        wanted = {places[kind] for kind in subjects(planner.book.rules[item.rule.id].when) & places.keys()} - {""}
        if wanted <= {entry.pointer for entry in item.about}:
            fired.add(item.rule.id)
    return fired


def undecided(subject: str) -> Failure:
    """That the solver gave up on a question about `subject`."""
    return Failure(kind="not_decided", subject=subject, detail="The solver ran out of time; nothing is proved.")
