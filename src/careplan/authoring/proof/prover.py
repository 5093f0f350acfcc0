"""What is proved of a rulebook, and the smallest patient that breaks what does not hold.

Every patient that the solver finds is sent through the real engine, so that what is proved is about the rules that run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Any

import msgspec
import z3

from careplan.authoring.proof.answers import Unwritable
from careplan.authoring.proof.claims import Claim, Claims
from careplan.authoring.proof.formulas import of_pattern
from careplan.authoring.proof.invariants import Invariant
from careplan.authoring.proof.occurrences import Occurrence, alone, alternatives, meant, twins
from careplan.authoring.proof.report import Failure, Report, Shown
from careplan.authoring.proof.search import Search, checked, undecided
from careplan.rulebook.conditions import Either, Every, Expression, Group, Test
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
        self._claims = Claims(book, self._symbolic)
        self._progress = progress
        self._seen_with: dict[str, list[tuple[Set[str], dict[str, Any]]]] = {}
        self._shown: list[Shown] = []

    def close(self) -> None:
        """Free the engine's memory."""
        self._search.close()

    def prove(self, invariants: Sequence[Invariant], *, refuting: bool = True, only: Set[str] = frozenset()) -> Report:
        """Every claim, in a fixed order. Without `refuting`, only what must be possible is shown.

        With `only`, what is claimed of these rules, and of every plan by invariants and choices that they bear on.
        """
        about = self._book.about
        report = Report(rulebook=about.id, version=about.version, digest=self._book.digest)
        possible = (self._reachable, self._implied, self._says_something)
        rules, choices = self._rules, self._claims.choices
        if only:
            rules = [rule for rule in rules if rule.id in only]
            choices = [choice for choice in choices if only & self._claims.decided_once(choice).rules]
            invariants = [one for one in invariants if only & {rule.id for rule in one.rules}]
        for claim, things, check in (
            ("rules that can fire, by each alternative", rules, self._reachable),
            ("rules that no other makes needless", rules, self._implied),
            ("choices made exactly once for every patient", choices, self._decided_once),
            ("rules that never take unknown for an answer", rules, self._unknown),
            ("rules that no unread entry keeps from firing", rules, self._takes_nothing_away),
            ("rules that no medicine more takes away", rules, self._one_more),
            ("invariants that hold for every patient", invariants, self._invariant),
            ("invariants that say something", invariants, self._says_something),
        ):
            if refuting or check in possible:
                self._claim(report, claim, things, check)
        report.shown = self._shown
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

    # What can be.

    def _reachable(self, rule: Rule) -> Iterator[Failure]:
        for group, occurrence in zip(rule.when, alternatives(self._symbolic, rule), strict=True):
            if len(rule.when) == 1 and (shown := self._example(rule, occurrence)) is not None:
                self._show(occurrence, shown)
                continue
            answer, model = self._search.witness(occurrence.formula)
            if answer == z3.unsat:
                clash = "; ".join(self._clash(group))
                detail = f"No patient can meet these at once: {clash}."
                yield Failure(kind="unreachable", subject=occurrence.subject, detail=detail)
            elif answer == z3.sat:
                yield from self._replay(occurrence, model, instead=rule)
            else:
                yield undecided(occurrence.subject)

    def _replay(self, occurrence: Occurrence, model: Any, instead: Rule | None = None) -> Iterator[Failure]:
        """The patient found must get the item from the engine; where none can be written, an example of a rule must."""
        named = occurrence.subject
        try:
            patient = self._search.write(model)
            places = self._search.places(occurrence.about, model, patient)
        except Unwritable as reason:
            shown = self._example(instead, occurrence) if instead else None
            if shown is None:
                yield Failure(kind="not_decided", subject=named, detail=f"No patient can be written: {reason}.")
            else:
                self._show(occurrence, shown)
            return
        if occurrence.in_plan(fired := self._search.fired(patient, places)):
            self._show(occurrence, patient)
        else:
            detail = "The solver's patient gets no item from the engine."
            yield Failure(kind="disagreement", subject=named, detail=detail, patient=patient, replayed=False)
        if not places:
            for name in fired:
                self._seen_with.setdefault(name, []).append((fired, patient))

    def _example(self, rule: Rule, occurrence: Occurrence) -> dict[str, Any] | None:
        """An example of the rule whose plan by the engine shows it, if there is one."""
        for example in rule.file.examples.fires:
            fired = self._search.fired(example.patient)
            for name in fired:
                self._seen_with.setdefault(name, []).append((fired, example.patient))
            if occurrence.in_plan(fired):
                return example.patient
        return None

    def _show(self, occurrence: Occurrence, patient: dict[str, Any]) -> None:
        self._shown.append(Shown(kind=occurrence.kind, subject=occurrence.subject, patient=patient))

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

    def _implied(self, rule: Rule) -> Iterator[Failure]:
        """No rule is made needless by another with the same effect."""
        for other in twins(rule, self._rules):
            occurrence = alone(self._claims, rule, other)
            seen = next((body for fired, body in self._seen_with.get(rule.id, ()) if occurrence.in_plan(fired)), None)
            if seen is not None:
                self._show(occurrence, seen)
                continue
            answer, model = self._search.witness(occurrence.formula)
            if answer == z3.unsat:
                yield Failure(
                    kind="implied",
                    subject=rule.id,
                    detail=f"Whenever it holds, {other.id} holds and says the same; one of the two is enough.",
                )
            elif answer == z3.sat:
                yield from self._replay(occurrence, model)
            else:
                yield undecided(occurrence.subject)

    def _says_something(self, invariant: Invariant) -> Iterator[Failure]:
        """No invariant is empty, so that it would hold whatever the rules said."""
        found = 0
        for occurrence in meant(self._claims, invariant):
            answer, model = self._search.witness(occurrence.formula)
            found += answer == z3.sat
            if answer == z3.sat:
                yield from self._replay(occurrence, model)
        if found < (2 if invariant.demand == "at_most_one_item" else 1):
            detail = "It says nothing: there is no patient for whom the rules that carry it make a difference."
            yield Failure(kind="vacuous", subject=invariant.id, detail=detail)

    # What must be so for every patient.

    def _decided_once(self, choice: str) -> Iterator[Failure]:
        yield from self._search.refute(self._claims.decided_once(choice))

    def _unknown(self, rule: Rule) -> Iterator[Failure]:
        yield from self._refuted(self._claims.unknown(rule))

    def _takes_nothing_away(self, rule: Rule) -> Iterator[Failure]:
        yield from self._refuted(self._claims.takes_nothing_away(rule))

    def _one_more(self, rule: Rule) -> Iterator[Failure]:
        yield from self._refuted(self._claims.one_more(rule))

    def _invariant(self, invariant: Invariant) -> Iterator[Failure]:
        yield from self._search.refute(self._claims.invariant(invariant))

    def _refuted(self, claims: Iterable[Claim]) -> Iterator[Failure]:
        for claim in claims:
            yield from self._search.refute(claim)


def _words(expression: Expression) -> str:
    if isinstance(expression, Test):
        values = ", ".join(map(str, expression.values))
        return f"{expression.field} {expression.operation.replace('_', ' ')} {values}".strip()
    joined = " or " if isinstance(expression, Either) else " and "
    return f"({joined.join(map(_words, expression.parts))})"
