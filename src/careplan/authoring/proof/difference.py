"""What a change of the rules changes, for all patients: each rule compared before and after, with a smallest patient.

Both sides are looked at over one symbolic patient, as the new lists of medicines and illnesses read one. That medicines of
both lists have joined or left a class is part of what is compared. Where the lists changed otherwise that is said, since it
is not proved what this does.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Literal, TypeAlias

import msgspec
import z3

from careplan.authoring.proof.answers import Formula, Unwritable
from careplan.authoring.proof.claims import Claims
from careplan.authoring.proof.derived_symbols import SymbolicDerived
from careplan.authoring.proof.formulas import of_when
from careplan.authoring.proof.invariants import Invariant
from careplan.authoring.proof.report import Failure
from careplan.authoring.proof.search import Search
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.errors import InvalidPatient
from careplan.facts.hold_question import MAY_PROTECT
from careplan.facts.used_fields import looked_at
from careplan.planner import Planner
from careplan.rulebook.conditions import Pattern, When, tests_of
from careplan.rulebook.derived import behind, used_by
from careplan.rulebook.lock import logic_of
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.validity import Term

Json = dict[str, Any]
Scope: TypeAlias = tuple[When, Term]
"""For whom and on which days a rule comes up."""
Fires = Literal["same", "more", "fewer", "others", "new", "gone", "not_decided"]
"""For whom a rule comes up now: the same patients as before, more, fewer, or some more and some fewer."""


_SUMMED = frozenset({"benzodiazepine", "z_drug", "opioid"})
"""The classes of which doses are added up."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A smallest patient for whom a rule comes up on one side only, and the titles of the plan on both.

    `replayed` says whether the engine's plans show it.
    """

    patient: Json
    before: list[str]
    after: list[str]
    replayed: bool


class RuleDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule that is not what it was. `gains` is a patient who has it only now, `loses` one who had it only before.

    `words` says whether what it says changed, or where in a plan it says it.
    """

    rule: str
    title: str
    level: str
    fires: Fires
    words: bool = False
    gains: Turn | None = None
    loses: Turn | None = None


class InvariantDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invariant that rests on what changed: whether it held, whether it holds, and who breaks it now."""

    invariant: str
    title: str
    held: bool | None = None
    holds: bool | None = None
    breaks: Failure | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """All that a change of rules changes for any patient.

    `unchanged` counts the rules that come up for the same patients and say the same. `lists` names what else changed, of
    which it is not proved what it does.
    """

    before: str
    after: str
    rules: list[RuleDifference]
    invariants: list[InvariantDifference]
    unchanged: int
    lists: list[str]


class Comparer:
    """Compares two rulebooks. Belongs to the thread that made it, as its planners do."""

    def __init__(self, before: Rulebook, after: Rulebook) -> None:
        self._books = before, after
        self._search = Search(after)
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
        self._derived |= {name for name, one in before.derived.items() if self._rests_on_moved(one.patterns)}
        view, constraints = as_before(symbolic, before, self._derived)
        self._search.suppose(constraints)
        self._sides = view, symbolic

    def close(self) -> None:
        """Free the engines' memory."""
        self._search.close()
        for planner in self._planners:
            planner.close()

    def compare(self, invariants: tuple[Sequence[Invariant], Sequence[Invariant]]) -> Difference:
        """Everything that differs, with the invariants of both sides."""
        before, after = self._books
        names = [rule.id for rule in after.in_order()]
        names += [rule.id for rule in before.in_order() if rule.id not in after.rules]
        rules = [found for name in names if (found := self._rule(name)) is not None]
        changed = {one.rule for one in rules if one.fires != "same"}
        return Difference(
            before=_name(before),
            after=_name(after),
            rules=rules,
            invariants=list(self._invariants(invariants, changed)),
            unchanged=len(names) - len(rules),
            lists=list(self._lists()),
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
            fires, gains, loses = self.classified(*((rule.when, rule.term) if rule else None for rule in (old, new)))
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
        if self._moved and any(scope is not None and self._cannot_be_compared(scope[0]) for scope in (old, new)):
            return "not_decided", None, None
        try:
            before, after = (
                z3.BoolVal(val=False) if scope is None else z3.And(side.day.within(scope[1]), of_when(side, scope[0]))
                for side, scope in zip(self._sides, (old, new), strict=True)
            )
        except (KeyError, ValueError):  # It names something that the new lists do not have.
            return "not_decided", None, None
        found = [self._patient(formula) for formula in (z3.And(after, z3.Not(before)), z3.And(before, z3.Not(after)))]
        (gained, gains), (lost, loses) = found
        if z3.unknown in (gained, lost):
            return "not_decided", gains, loses
        more, fewer = gained == z3.sat, lost == z3.sat
        return ("others" if more and fewer else "more" if more else "fewer" if fewer else "same"), gains, loses

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
        return Turn(patient=patient, before=titles[0], after=titles[1], replayed=there[0] != there[1])

    def _invariants(
        self, invariants: tuple[Sequence[Invariant], Sequence[Invariant]], changed: set[str]
    ) -> Iterator[InvariantDifference]:
        old, new = ({one.id: one for one in side} for side in invariants)
        claims = [Claims(book, side) for book, side in zip(self._books, self._sides, strict=True)]
        for name in (*new, *(name for name in old if name not in new)):
            was, now = old.get(name), new.get(name)
            title = (new.get(name) or old[name]).title
            about = [pattern for one in (was, now) if one for group in one.who for pattern in group]
            if was is not None and now is not None and _unchanged(was, now, changed) and not self._rests_on_moved(about):
                continue
            held = None if was is None else not list(self._search.refute(claims[0].invariant(was)))
            failures = [] if now is None else list(self._search.refute(claims[1].invariant(now)))
            yield _told(name, title, failures, held=held, gone=now is None)
        for choice in sorted({*claims[0].choices, *claims[1].choices}):
            sides = [one.decided_once(choice) for one in claims]
            if changed & (sides[0].rules | sides[1].rules):
                held, failures = not list(self._search.refute(sides[0])), list(self._search.refute(sides[1]))
                yield _told(choice, sides[1].says, failures, held=held, gone=False)

    def _uses_changed(self, rule: Rule) -> bool:
        derived = self._books[0].derived
        patterns = [pattern for group in rule.when for pattern in group]
        return self._rests_on_moved(patterns) or any(
            one.file.name in self._derived for pattern in patterns for one in used_by(derived, pattern)
        )

    def _rests_on_moved(self, patterns: Iterable[Pattern]) -> bool:
        """Whether one of these looks at classes that medicines have joined or left."""
        tests = [(pattern.kind, test) for pattern in patterns for test in tests_of(pattern.tests)]
        return any(
            not self._moved.isdisjoint(map(str, test.values))
            or not self._moved.isdisjoint(_by_classes(kind, test.field, self._books[1]))
            for kind, test in tests
        )

    def _cannot_be_compared(self, when: When) -> bool:
        """Whether conditions ask what the program works out from classes by itself, of which medicines have moved."""
        return any(
            not self._moved.isdisjoint(_by_classes(pattern.kind, test.field, self._books[1]))
            for pattern in behind(self._books[0].derived, when)
            for test in tests_of(pattern.tests)
        )

    def _lists(self) -> Iterator[str]:
        """What of the lists by which patients are read is not the same."""
        before, after = self._books
        for name, of in _LISTS.items():
            if of(before) != of(after):
                yield name


def _silent(book: Rulebook) -> frozenset[str]:
    """The medicines that no rule looks at."""
    used = looked_at(book)
    return frozenset(row.ingredient for row in book.catalogue.ingredients.values() if used.isdisjoint(row.tokens))


_LISTS: Mapping[str, Any] = {
    "the medicines": lambda book: (
        {name: msgspec.structs.replace(row, classes=()) for name, row in book.catalogue.ingredients.items()},
        book.catalogue.combinations,
    ),
    "the classes of medicines": lambda book: book.classes,
    "the illnesses": lambda book: book.conditions,
    "the measures": lambda book: book.vocabulary.measures,
    "the words by which goals are read": lambda book: book.goals.words,
    "which figures of a protocol can be meant": lambda book: book.about.plausible,
    "how much drinking closes the question of a hold": lambda book: book.about.drinks_that_close_holds,
    "which medicines no rule looks at": _silent,
}


def moved_classes(before: Rulebook, after: Rulebook) -> frozenset[str]:
    """The classes that medicines of both lists have joined or left."""
    old, new = (book.catalogue.ingredients for book in (before, after))
    return frozenset[str]().union(*(set(old[name].classes) ^ set(new[name].classes) for name in old.keys() & new.keys()))


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
    view.ingredients = tuple(book.catalogue.ingredients.get(row.ingredient, row) for row in symbolic.ingredients)
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


def _name(book: Rulebook) -> str:
    return f"{book.about.id} {book.about.version} ({book.digest[:12]})"
