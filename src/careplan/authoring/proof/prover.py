"""What is proved of a rulebook, and the smallest patient that breaks what does not hold.

Every patient that the solver finds is sent through the real engine, so that what is proved is about the rules that run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Any

import msgspec
import z3

from careplan.authoring.proof.answers import Formula, Unwritable
from careplan.authoring.proof.formulas import of_group, of_pattern, of_when
from careplan.authoring.proof.invariants import Invariant, subjects
from careplan.authoring.proof.report import Failure, FailureKind, Report
from careplan.authoring.proof.search import Claim, Search, checked, undecided
from careplan.rulebook.conditions import Either, Every, Expression, Group, Test, tests_of
from careplan.rulebook.factors import SINGLE
from careplan.rulebook.model import Rule, Rulebook

Progress = Callable[[str, int, int], None]
"""Told of each claim how many of its subjects are done, of how many."""


class Prover:
    """Proves one rulebook. Belongs to the thread that made it, as its planner does."""

    def __init__(self, book: Rulebook, progress: Progress = lambda _claim, _done, _of: None) -> None:
        self._book = book
        self._rules = book.in_order()
        self._search = Search(book)
        self._symbolic = self._search.symbolic
        self._fires = {rule.id: of_when(self._symbolic, rule.when) for rule in self._rules}
        self._progress = progress
        self._seen_with: dict[str, list[Set[str]]] = {}

    def close(self) -> None:
        """Free the engine's memory."""
        self._search.close()

    def prove(self, invariants: Sequence[Invariant]) -> Report:
        """Every claim, in a fixed order."""
        about = self._book.about
        report = Report(rulebook=about.id, version=about.version, digest=self._book.digest)
        choices = sorted({rule.file.then.decides.subject for rule in self._rules if rule.file.then.decides})
        for claim, things, check in (
            ("rules that can fire, by each alternative", self._rules, self._reachable),
            ("rules that no other makes needless", self._rules, self._implied),
            ("choices made exactly once for every patient", choices, self._decided_once),
            ("rules that never take unknown for an answer", self._rules, self._unknown),
            ("rules that no unread entry keeps from firing", self._rules, self._takes_nothing_away),
            ("invariants that hold for every patient", invariants, self._invariant),
        ):
            self._claim(report, claim, things, check)
        return report

    def _claim(self, report: Report, claim: str, things: Sequence[Any], check: Callable[[Any], Iterable[Failure]]) -> None:
        held = 0
        for at, thing in enumerate(things):
            self._progress(claim, at, len(things))
            failures = list(check(thing))
            report.failures += failures
            held += not failures
        report.holds[claim] = held
        self._progress(claim, len(things), len(things))

    # Every rule can fire, by each of its alternatives.

    def _reachable(self, rule: Rule) -> Iterator[Failure]:
        for at, group in enumerate(rule.when):
            named = rule.id if len(rule.when) == 1 else f"{rule.id}, alternative {at + 1}"
            answer, model = self._search.witness(of_group(self._symbolic, group))
            if answer == z3.unsat:
                clash = "; ".join(self._clash(group))
                yield Failure(kind="unreachable", subject=named, detail=f"No patient can meet these at once: {clash}.")
            elif answer == z3.sat:
                yield from self._replay(rule, named, model)
            else:
                yield undecided(named)

    def _replay(self, rule: Rule, named: str, model: Any) -> Iterator[Failure]:
        """The patient found must get the item from the engine; where none can be written, an example must."""
        try:
            patient = self._search.write(model)
        except Unwritable as reason:
            if not any(rule.id in self._search.fired(example.patient) for example in rule.file.examples.fires):
                yield Failure(kind="not_decided", subject=named, detail=f"No patient can be written: {reason}.")
            return
        fired = self._search.fired(patient)
        for name in fired:
            self._seen_with.setdefault(name, []).append(fired)
        if rule.id not in fired:
            detail = "The solver's patient gets no item from the engine."
            yield Failure(kind="disagreement", subject=named, detail=detail, patient=patient, replayed=False)

    def _clash(self, group: Group) -> list[str]:
        """The conditions that cannot hold together."""
        solver = z3.Solver()
        solver.add(*self._symbolic.constraints)
        words: dict[str, str] = {}
        for pattern in group:
            for part in pattern.tests.parts:
                flag = z3.Bool(f"condition {len(words)}")
                words[str(flag)] = f"{pattern.kind} {_words(part)}"
                alone = msgspec.structs.replace(pattern, tests=Every((part,)))
                solver.add(z3.Implies(flag, of_pattern(self._symbolic, alone)))
        checked(solver, *map(z3.Bool, words))
        return sorted(words[str(flag)] for flag in solver.unsat_core())

    # No rule is made needless by another with the same effect.

    def _implied(self, rule: Rule) -> Iterator[Failure]:
        for other in self._rules:
            if other is not rule and _says_the_same(rule, other) and self._always_with(rule, other):
                yield Failure(
                    kind="implied",
                    subject=rule.id,
                    detail=f"Whenever it holds, {other.id} holds and says the same; one of the two is enough.",
                )

    def _always_with(self, narrow: Rule, wide: Rule) -> bool:
        if any(wide.id not in fired for fired in self._seen_with.get(narrow.id, ())):
            return False
        return bool(self._search.ask(self._fires[narrow.id], z3.Not(self._fires[wide.id]))[0] == z3.unsat)

    # Choices.

    def _decided_once(self, choice: str) -> Iterator[Failure]:
        deciding = [rule for rule in self._rules if rule.file.then.decides and rule.file.then.decides.subject == choice]
        fires = [(self._fires[rule.id], 1) for rule in deciding]
        yield from self._search.refute(
            Claim(
                kind="decision",
                subject=choice,
                says=f"Exactly one rule decides the {choice}",
                wrong=z3.Not(z3.PbEq(fires, 1)),
                demand="one_item",
                rules=frozenset(rule.id for rule in deciding),
            )
        )

    # Unknown is not an answer.

    def _unknown(self, rule: Rule) -> Iterator[Failure]:
        """A rule that holds while a factor is unknown, and does not ask for that, must hold whatever the answer is."""
        tests = [(pattern.kind, test) for group in rule.when for pattern in group for test in tests_of(pattern.tests)]
        asking = {(kind, test.field) for kind, test in tests if _asks_for_unknown(test)}
        fires = self._fires[rule.id]
        for kind, field in sorted({(kind, test.field) for kind, test in tests} - asking):
            answer = self._symbolic.answers.get((kind, field))
            if answer is None or not z3.is_const(answer.known) or z3.is_true(answer.known):
                continue
            silent, spoken = (z3.substitute(fires, (answer.known, z3.BoolVal(val=known))) for known in (False, True))
            says = f"It does not hold while {kind}.{field} is unknown, or it holds for every answer"
            yield from self._search.refute(_without(rule, says, z3.And(z3.Not(answer.known), silent, z3.Not(spoken))))
        if not asking and all(pattern.kind != "everyone" for group in rule.when for pattern in group):
            says = "It does not hold for a patient of whom nothing is known"
            yield from self._search.refute(_without(rule, says, z3.And(fires, *map(z3.Not, self._anything_known()))))

    # What cannot be read takes nothing away.

    def _takes_nothing_away(self, rule: Rule) -> Iterator[Failure]:
        """An unread entry more on a list that was sent keeps no rule from firing that does not ask for certainty."""
        if rule.file.certain:
            return
        symbolic = self._symbolic
        fires = self._fires[rule.id]
        for name, asked, unread in (
            ("medicines", symbolic.medicines_asked, symbolic.unread_entries),
            ("illnesses", symbolic.conditions_asked, symbolic.unread_conditions),
            ("goals", symbolic.goals_asked, symbolic.unread_goals),
        ):
            without, with_one = (z3.substitute(fires, (unread, z3.BoolVal(val=there))) for there in (False, True))
            says = f"An entry more that nobody could read among the {name} takes nothing away"
            wrong = z3.And(asked, z3.Not(unread), without, z3.Not(with_one))
            yield from self._search.refute(_without(rule, says, wrong, kind="unread_takes_away"))

    def _anything_known(self) -> Iterator[Formula]:
        symbolic = self._symbolic
        yield from (symbolic.conditions_asked, symbolic.unread_conditions, symbolic.known_conditions)
        yield from (symbolic.medicines_asked, symbolic.goals_asked)
        yield symbolic.answers["protocol", "approved"].value
        yield from (
            answer.known for (kind, name), answer in symbolic.answers.items() if kind in SINGLE and name != "approved"
        )

    # Invariants.

    def _invariant(self, invariant: Invariant) -> Iterator[Failure]:
        about = subjects(invariant.who)
        fires = [(self._fires_for(rule, about), 1) for rule in invariant.rules]
        wrong = {
            "some_item": z3.PbEq(fires, 0),
            "no_item": z3.PbGe(fires, 1),
            "one_item": z3.Not(z3.PbEq(fires, 1)),
            "at_most_one_item": z3.PbGe(fires, 2),
        }
        yield from self._search.refute(
            Claim(
                kind="invariant",
                subject=invariant.id,
                says=invariant.title,
                wrong=z3.And(of_when(self._symbolic, invariant.who), wrong[invariant.demand]),
                demand=invariant.demand,
                rules=frozenset(rule.id for rule in invariant.rules),
                about=about,
            )
        )

    def _fires_for(self, rule: Rule, about: Set[str]) -> Formula:
        """That the rule gives an item about what an invariant is about; about any condition, if it is about none."""
        fires = self._fires[rule.id]
        if "condition" not in subjects(rule.when) - about:
            return fires
        return z3.Or(
            [
                z3.And(there, z3.substitute(fires, (self._symbolic.condition, z3.IntVal(at))))
                for at, there in enumerate(self._symbolic.has.values())
            ]
        )


def _without(rule: Rule, says: str, wrong: Formula, kind: FailureKind = "unknown_as_answer") -> Claim:
    return Claim(
        kind=kind,
        subject=rule.id,
        says=says,
        wrong=wrong,
        demand="no_item",
        rules=frozenset({rule.id}),
    )


def _asks_for_unknown(test: Test) -> bool:
    return test.operation in ("unknown", "one_of_or_unknown") or test.field == "list"


def _says_the_same(one: Rule, other: Rule) -> bool:
    """Two items at the same place in the plan with a text, or everything that is asked, in common."""
    if (one.section, one.file.level) != (other.section, other.file.level):
        return False
    left, right = one.file.then, other.file.then
    asks = left.asks == right.asks and bool(left.asks)
    return asks or left.patient.split() == right.patient.split() or left.clinician.split() == right.clinician.split()


def _words(expression: Expression) -> str:
    if isinstance(expression, Test):
        values = ", ".join(map(str, expression.values))
        return f"{expression.field} {expression.operation.replace('_', ' ')} {values}".strip()
    joined = " or " if isinstance(expression, Either) else " and "
    return f"({joined.join(map(_words, expression.parts))})"
