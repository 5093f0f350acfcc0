"""What a change of the rules changes, for all patients: each rule compared before and after, with a smallest patient.

Both sides are looked at over one symbolic patient, who may take what either list of medicines has, and who sends nothing
that one of them reads otherwise than the other. That medicines of both lists have joined or left a class is part of what is
compared. Which names are read otherwise is known from `list_changes`; of these rules and a plan are shown. Where the lists
changed in other ways that is said, since it is not proved what this does.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, TypeAlias

import msgspec
import z3

from careplan.authoring.proof.answers import Formula, Unwritable
from careplan.authoring.proof.claims import Claim, Claims
from careplan.authoring.proof.derived_symbols import SymbolicDerived
from careplan.authoring.proof.difference_model import (
    Difference,
    Fires,
    InvariantDifference,
    Json,
    NameDifference,
    RuleDifference,
    Turn,
)
from careplan.authoring.proof.formulas import of_when
from careplan.authoring.proof.invariants import Invariant
from careplan.authoring.proof.list_changes import (
    in_words,
    moved_classes,
    not_compared,
    one_sided,
    renamed,
    rules_that_name,
)
from careplan.authoring.proof.report import Failure
from careplan.authoring.proof.search import Search
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.proof.terms import any_of
from careplan.errors import InvalidPatient
from careplan.facts.hold_question import MAY_PROTECT
from careplan.planner import Planner
from careplan.rulebook.conditions import Pattern, When, tests_of
from careplan.rulebook.derived import behind, used_by
from careplan.rulebook.lock import logic_of
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.validity import Term

Scope: TypeAlias = tuple[When, Term]
"""For whom and on which days a rule comes up."""
_WITH_MORE: Mapping[Fires, Fires] = {"same": "more", "fewer": "others", "new": "new"}
"""What a rule that comes up for no patients more does, if it does for some who take what only the new list has."""
_SUMMED = frozenset({"benzodiazepine", "z_drug", "opioid"})
"""The classes of which doses are added up."""


class Comparer:
    """Compares two rulebooks. Belongs to the thread that made it, as its planners do."""

    def __init__(self, before: Rulebook, after: Rulebook) -> None:
        self._books = before, after
        gone, new = one_sided(before, after)
        self._search = Search(after, gone)
        self._planners = Planner(before), Planner(after)
        symbolic = self._search.symbolic
        self.intake = self._planners[1].intake
        self._derived = {
            name
            for name in before.derived.keys() | after.derived.keys()
            if name not in before.derived
            or name not in after.derived
            or logic_of(before.derived[name]) != logic_of(after.derived[name])
        }
        self._moved = moved_classes(before, after)
        self._derived |= {name for name, one in before.derived.items() if self._rests_on(self._moved, one.patterns)}
        view, constraints = as_before(symbolic, before, self._derived)
        self._search.suppose(constraints)
        self._sides = view, symbolic
        self._takes_gone, self._takes_new = (any_of(symbolic.takes[row.ingredient] for row in rows) for rows in (gone, new))
        self._bearing = self._moved.union(*(row.tokens for row in (*gone, *new)))

    def close(self) -> None:
        """Free the engines' memory."""
        self._search.close()
        for planner in self._planners:
            planner.close()

    def compare(
        self, invariants: tuple[Sequence[Invariant], Sequence[Invariant]], only: Set[str] = frozenset()
    ) -> Difference:
        """Everything that differs, with the invariants of both sides; with `only`, of these rules and what rests on them."""
        before, after = self._books
        names = [rule.id for rule in after.in_order()]
        names += [rule.id for rule in before.in_order() if rule.id not in after.rules]
        names = [name for name in names if not only or name in only]
        rules = [found for name in names if (found := self._rule(name)) is not None]
        changed = {one.rule for one in rules if one.fires != "same"}
        return Difference(
            before=before.called,
            after=after.called,
            rules=rules,
            invariants=list(self._invariants(invariants, changed)),
            unchanged=len(names) - len(rules),
            names=list(self._names()),
            lists=list(not_compared(before, after)),
        )

    def _rule(self, name: str) -> RuleDifference | None:
        old, new = (book.rules.get(name) for book in self._books)
        rule = new or old
        assert rule is not None
        words = old is not None and new is not None and _said(old) != _said(new)
        if (
            old is not None
            and new is not None
            and (old.when, old.term) == (new.when, new.term)
            and not self._uses_changed(old)
        ):
            fires: Fires = "same"
            gains = loses = None
        else:
            scopes = ((old.when, old.term) if old else None, (new.when, new.term) if new else None)
            fires, gains, loses = self.classified(*scopes)
            if gains is None and fires in _WITH_MORE and scopes[0] != scopes[1]:
                gains = self._with_a_new_medicine(name, *scopes)
                fires = fires if gains is None else _WITH_MORE[fires]
            if old is None or new is None:
                fires = "new" if old is None else "gone"
        if fires == "same" and not words:
            return None
        turns = [None if one is None else self._turn(name, one) for one in (gains, loses)]
        return RuleDifference(
            rule=name,
            title=rule.file.title,
            level=rule.file.level,
            fires=fires,
            words=words,
            gains=turns[0],
            loses=turns[1],
        )

    def classified(self, old: Scope | None, new: Scope | None) -> tuple[Fires, Json | None, Json | None]:
        """For whom a rule of this scope comes up now, with a patient who gains it and one who loses it.

        A patient is None where there is none, or where none can be written down.
        """
        formulas = self._formulas(old, new)
        if formulas is None:
            return "not_decided", None, None
        before, after = formulas
        read_alike = z3.Not(z3.Or(self._takes_gone, self._takes_new))
        found = [self._patient(z3.And(read_alike, one, z3.Not(other))) for one, other in ((after, before), (before, after))]
        (gained, gains), (lost, loses) = found
        if z3.unknown in (gained, lost):
            return "not_decided", gains, loses
        more, fewer = gained == z3.sat, lost == z3.sat
        return ("others" if more and fewer else "more" if more else "fewer" if fewer else "same"), gains, loses

    def _formulas(self, old: Scope | None, new: Scope | None) -> tuple[Formula, Formula] | None:
        """That a rule comes up on each side; None where that cannot be said of both."""
        if self._moved and any(scope is not None and self._cannot_be_compared(scope[0]) for scope in (old, new)):
            return None
        try:
            before, after = (
                z3.BoolVal(val=False) if scope is None else z3.And(side.day.within(scope[1]), of_when(side, scope[0]))
                for side, scope in zip(self._sides, (old, new), strict=True)
            )
        except (KeyError, ValueError):  # It names an illness or a measure that the new lists do not have.
            return None
        return before, after

    def _with_a_new_medicine(self, rule: str, old: Scope | None, new: Scope | None) -> Json | None:
        """A patient with a medicine that only the new list has, who has the rule only now as the engine's plans show it."""
        formulas = self._formulas(old, new)
        if formulas is None or z3.is_false(self._takes_new):
            return None
        before, after = formulas
        _, patient = self._patient(z3.And(self._takes_new, z3.Not(self._takes_gone), after, z3.Not(before)))
        turn = None if patient is None else self._turn(rule, patient)
        return patient if turn is not None and turn.replayed else None

    def _names(self) -> Iterator[NameDifference]:
        before, after = self._books
        for difference in renamed(before.catalogue, after.catalogue):
            names = {name: None for book in self._books for name in rules_that_name(book, difference.tokens)}
            yield NameDifference(
                names=difference.names,
                before=in_words(difference.before),
                after=in_words(difference.after),
                rules=list(names),
                turn=self._turn("", difference.sent()),
            )

    def _patient(self, formula: Formula) -> tuple[Any, Json | None]:
        answer, _ = self._search.ask(formula)
        if answer != z3.sat:
            return answer, None
        try:
            return answer, self._search.write(self._search.witness(formula)[1])
        except (Unwritable, AttributeError):
            return answer, None

    def _turn(self, rule: str, patient: Json) -> Turn | None:
        titles: list[list[str]] = []
        there: list[tuple[bool, set[str]]] = []
        for planner in self._planners:
            try:
                items = planner.items(planner.intake.decode(msgspec.json.encode(patient)))
            except InvalidPatient:
                return None
            titles.append([item.title for item in items])
            own = [item for item in items if item.rule.id == rule]
            there.append((bool(own), {entry.pointer for item in own for entry in item.about}))
        replayed = there[0] != there[1] if rule else True
        return Turn(patient=patient, before=titles[0], after=titles[1], replayed=replayed)

    def _invariants(
        self, invariants: tuple[Sequence[Invariant], Sequence[Invariant]], changed: set[str]
    ) -> Iterator[InvariantDifference]:
        old, new = ({one.id: one for one in side} for side in invariants)
        claims = [Claims(book, side) for book, side in zip(self._books, self._sides, strict=True)]
        for name in (*new, *(name for name in old if name not in new)):
            was, now = old.get(name), new.get(name)
            title = (new.get(name) or old[name]).title
            about = [pattern for one in (was, now) if one for group in one.who for pattern in group]
            bears = self._rests_on(self._bearing, about)
            if was is not None and now is not None and _unchanged(was, now, changed) and not bears:
                continue
            held = None if was is None else self._held(claims[0].invariant(was))
            failures = [] if now is None else self._broken(claims[1].invariant(now))
            yield _told(name, title, failures, held=held, gone=now is None)
        for choice in sorted({*claims[0].choices, *claims[1].choices}):
            sides = [one.decided_once(choice) for one in claims]
            if changed & (sides[0].rules | sides[1].rules):
                held, failures = self._held(sides[0]), self._broken(sides[1])
                yield _told(choice, sides[1].says, failures, held=held, gone=False)

    def _held(self, claim: Claim) -> bool:
        """Whether it held for all whom the older lists can read."""
        return bool(self._search.ask(z3.Not(self._takes_new), claim.wrong)[0] == z3.unsat)

    def _broken(self, claim: Claim) -> list[Failure]:
        """The patient who breaks it now, of all whom the new lists can read."""
        wrong = z3.And(z3.Not(self._takes_gone), claim.wrong)
        return list(self._search.refute(msgspec.structs.replace(claim, wrong=wrong)))

    def _uses_changed(self, rule: Rule) -> bool:
        derived = self._books[0].derived
        patterns = [pattern for group in rule.when for pattern in group]
        return self._rests_on(self._moved, patterns) or any(
            fact.file.name in self._derived for pattern in patterns for fact in used_by(derived, pattern)
        )

    def _rests_on(self, tokens: Set[str], patterns: Iterable[Pattern]) -> bool:
        """Whether one of these looks at such medicines or classes."""
        tests = [(pattern.kind, test) for pattern in patterns for test in tests_of(pattern.tests)]
        return any(
            not tokens.isdisjoint(map(str, test.values))
            or not tokens.isdisjoint(_by_classes(kind, test.field, self._books[1]))
            for kind, test in tests
        )

    def _cannot_be_compared(self, when: When) -> bool:
        """Whether conditions ask what the program works out from classes by itself, of which medicines have moved."""
        return any(
            not self._moved.isdisjoint(_by_classes(pattern.kind, test.field, self._books[1]))
            for pattern in behind(self._books[0].derived, when)
            for test in tests_of(pattern.tests)
        )


def _by_classes(kind: str, field: str, book: Rulebook) -> Set[str]:
    """The classes of medicines by which the program decides a field that names none."""
    if kind == "shared_class" or field == "protocol_hold":
        return book.classes.keys()
    if field == "hold_question":
        return {*MAY_PROTECT, "benzodiazepine", *(name for name, one in book.classes.items() if one.daily_use_closes_hold)}
    return _SUMMED if field.endswith("_mg_a_day") else frozenset()


def as_before(symbolic: SymbolicPatient, book: Rulebook, changed: set[str]) -> tuple[SymbolicPatient, list[Formula]]:
    """The same symbolic patient, with what the older rulebook derives where that changed, and what holds of that."""
    view = copy.copy(symbolic)
    view.ingredients = tuple(book.catalogue.ingredients.values())
    derived = [one for name, one in book.derived.items() if name in changed]
    old = SymbolicDerived(derived, view, view.ingredients, beginning="before: ")
    view.answers = symbolic.answers | old.answers
    view.spans = symbolic.spans | old.spans
    view.derived = copy.copy(symbolic.derived)
    view.derived.beside = symbolic.derived.beside | old.beside
    return view, old.constraints


def _unchanged(was: Invariant, now: Invariant, changed: set[str]) -> bool:
    rules = [[rule.id for rule in one.rules] for one in (was, now)]
    return (was.who, was.demand, rules[0]) == (now.who, now.demand, rules[1]) and changed.isdisjoint(rules[0])


def _told(name: str, title: str, failures: list[Failure], *, held: bool | None, gone: bool) -> InvariantDifference:
    holds = None if gone else not failures
    breaks = failures[0] if failures else None
    return InvariantDifference(invariant=name, title=title, held=held, holds=holds, breaks=breaks)


def _said(rule: Rule) -> object:
    """What a rule says, and where in a plan."""
    file = rule.file
    return rule.section, file.level, file.order, file.title, file.scope, file.topic, file.line, file.then, file.contested
