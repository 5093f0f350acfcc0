"""What must be possible in a rulebook: formulas that some patient must satisfy, and how the engine's plan shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial

import msgspec
import z3

from careplan.authoring.proof.answers import Formula
from careplan.authoring.proof.claims import Claims
from careplan.authoring.proof.formulas import number_of, of_group, of_when
from careplan.authoring.proof.invariants import Invariant, subjects
from careplan.authoring.proof.report import ShownKind
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.rulebook.conditions import Group
from careplan.rulebook.model import Rule

SHOWN: Mapping[ShownKind, str] = {
    "can_fire": "Every rule can come up, by each of its alternatives",
    "needed": "No rule is made needless by another that says the same: there is a patient for whom it alone comes up",
    "not_vacuous": "Every invariant says something: without the rules that carry it, this patient's plan would break it",
}
"""What can be, in the order of showing it."""


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must be possible. The plan of a patient shows it who has one of `rules` and none of `absent`.

    A rule about a kind in `about` must speak of what is looked at. `make` gives the formula, which only a search needs.
    """

    kind: ShownKind
    subject: str
    make: Callable[[], Formula]
    rules: frozenset[str]
    absent: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()

    @property
    def formula(self) -> Formula:
        """What some patient must satisfy."""
        return self.make()

    def in_plan(self, fired: Set[str]) -> bool:
        """Whether the rules with an item in a plan show it."""
        return not self.rules.isdisjoint(fired) and self.absent.isdisjoint(fired)


class Occurrences:
    """All that must be possible in one rulebook."""

    def __init__(self, claims: Claims, rules: Sequence[Rule], invariants: Sequence[Invariant]) -> None:
        symbolic = claims.symbolic
        self.all = [
            *(one for rule in rules for one in alternatives(symbolic, rule)),
            *(alone(claims, rule, other) for rule in rules for other in twins(rule, rules)),
            *(one for invariant in invariants for one in meant(claims, invariant)),
        ]

    def missing(self, shown: Mapping[tuple[str, str], Set[str]]) -> Iterator[str]:
        """What is not shown, in sentences. `shown` has the rules in the plan of each patient, by claim and subject."""
        some: dict[str, list[bool]] = {}
        for occurrence in self.all:
            found = (occurrence.kind, occurrence.subject) in shown and occurrence.in_plan(
                shown[occurrence.kind, occurrence.subject]
            )
            if occurrence.kind == "not_vacuous":
                some.setdefault(occurrence.subject.partition(",")[0], []).append(found)
            elif not found:
                yield f"No patient shows {occurrence.kind} of {occurrence.subject}."
        for name, found_of_each in some.items():
            if sum(found_of_each) < min(2, len(found_of_each)):
                yield f"No patient shows not_vacuous of {name}."


def alternatives(symbolic: SymbolicPatient, rule: Rule) -> Iterator[Occurrence]:
    """That a rule comes up by each of its alternatives."""
    for at, group in enumerate(rule.when):
        named = rule.id if len(rule.when) == 1 else f"{rule.id}, alternative {at + 1}"
        yield Occurrence(
            kind="can_fire", subject=named, make=partial(_by, symbolic, rule, group), rules=frozenset({rule.id})
        )


def _by(symbolic: SymbolicPatient, rule: Rule, group: Group) -> Formula:
    return z3.And(symbolic.day.within(rule.term), of_group(symbolic, group))


def alone(claims: Claims, rule: Rule, other: Rule) -> Occurrence:
    """That a rule comes up without another one."""

    def apart() -> Formula:
        return z3.And(claims.fires[rule.id], z3.Not(claims.fires[other.id]))

    rules, absent = frozenset({rule.id}), frozenset({other.id})
    return Occurrence(kind="needed", subject=f"{rule.id} without {other.id}", make=apart, rules=rules, absent=absent)


def meant(claims: Claims, invariant: Invariant) -> Iterator[Occurrence]:
    """That an invariant says something.

    Where it demands items, there are patients whom it is about and who have one of them: without its rules they have none.
    Where it forbids items, there are patients whom it is not about and who have one: asked of everybody, it would not hold.
    Where it forbids that they meet, there are patients whom it is about for each of two rules at least.
    """
    about = subjects(invariant.who)
    rules = frozenset(rule.id for rule in invariant.rules)

    def fires() -> list[Formula]:
        return [claims.fires_for(rule, about) for rule in invariant.rules]

    def who() -> Formula:
        return of_when(claims.symbolic, invariant.who)

    def each(rule: Rule) -> Formula:
        return z3.And(who(), claims.fires_for(rule, about))

    wanted: list[tuple[frozenset[str], Callable[[], Formula], frozenset[str]]]
    match invariant.demand:
        case "some_item" | "one_item":
            wanted = [(rules, lambda: z3.And(who(), number_of(fires()) > 0), about)]
        case "no_item":
            wanted = [(rules, lambda: z3.And(z3.Not(who()), z3.Or(*fires())), frozenset())]
        case _:
            wanted = [(frozenset({rule.id}), partial(each, rule), about) for rule in invariant.rules]
    for some, make, places in wanted:
        named = invariant.id if some == rules else f"{invariant.id}, {next(iter(some))}"
        yield Occurrence(kind="not_vacuous", subject=named, make=make, rules=some, about=places)


def twins(rule: Rule, rules: Iterable[Rule]) -> Iterator[Rule]:
    """The other rules that say the same as this one."""
    return (other for other in rules if other is not rule and _says_the_same(rule, other))


def _says_the_same(rule: Rule, other: Rule) -> bool:
    """Two items at the same place in the plan with a text, or everything that is asked, in common."""
    if (rule.section, rule.file.level) != (other.section, other.file.level):
        return False
    left, right = rule.file.then, other.file.then
    asks = left.asks == right.asks and bool(left.asks)
    return asks or left.patient.split() == right.patient.split() or left.clinician.split() == right.clinician.split()
