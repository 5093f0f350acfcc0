"""Facts and numbers that a rulebook derives once, in `derived/*.yaml`, and that many rules use.

To the logic of rules each is one more field: of `derived` what holds or does not, of `counts` how many there are, and of
`days_since` the days from a date to the day of the plan. A fact that is derived rests on what is answered, measured, taken
or had, and on other derived facts that hold, never on what was left unanswered, or on what could not be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from careplan.rulebook.conditions import (
    Either,
    Every,
    Expression,
    Operation,
    Pattern,
    Test,
    When,
    tests_of,
)
from careplan.rulebook.entries import Entry, Line
from careplan.rulebook.factors import KINDS, OF_DERIVED, OF_MEASURES, SINGLE, Field, Kind

FOLDER = "derived"
"""The folder of what a rulebook derives; no section of the plan."""

DATES = {"treatment.last_session_at": "the last session"}
"""The dates of a request from which days can be counted, and what they are called."""

RESTS_ON = frozenset({*SINGLE, "regimen", "history", "medicine", "derived", *OF_MEASURES})
"""The kinds of fact from which others may be derived."""
COUNTED = frozenset({"medicine", "condition"})
"""The kinds of fact that can be counted one by one."""


class CompareEntry(Entry, frozen=True, kw_only=True):
    """One number of a patient held against another one, to which `plus` is added. One comparison is given."""

    field: Line
    at_least: Line | None = None
    at_most: Line | None = None
    less_than: Line | None = None
    more_than: Line | None = None
    plus: Annotated[float, Meta(ge=0, lt=1_000_000)] = 0


class DerivedFile(Entry, frozen=True, kw_only=True):
    """One derived fact as written: its words, and one of `when`, `compare`, `count` and `days_since`."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    label: Line
    rationale: Line
    unknown: Line
    says: Line = "{value}"
    values: Mapping[str, Line] = {}
    when: Any = None
    compare: CompareEntry | None = None
    count: Any = None
    days_since: Line | None = None


class Compared(NamedTuple):
    """Two numbers, each by kind and field: the left one is held against the right one and `plus` together."""

    left: tuple[str, str]
    operation: Operation
    right: tuple[str, str]
    plus: float

    def holds(self, left: float, right: float) -> bool:
        """Whether two numbers compare as is asked."""
        limit = right + self.plus
        match self.operation:
            case "at_least":
                return left >= limit
            case "at_most":
                return left <= limit
            case "less_than":
                return left < limit
            case _:
                return left > limit


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    """One derived fact ready for use.

    `when` are the groups of which one must hold, or of a count those of its `lines`, each of which counts once if one of its
    groups holds; `counted` is what the facts that are counted must be like, `compared` what is held against
    what, `date` the date from which days are counted. Facts in `rests_on` are written out in `when`.
    """

    file: DerivedFile
    kind: Literal["derived", "counts", "days_since"]
    when: When = ()
    counted: Pattern | None = None
    compared: Compared | None = None
    date: str = ""
    lines: tuple[When, ...] = ()
    rests_on: tuple[Derived, ...] = ()

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Everything that it looks at."""
        found = [pattern for group in self.when for pattern in group]
        found += [self.counted] if self.counted else []
        if self.compared:
            for kind, field in (self.compared.left, self.compared.right):
                found.append(Pattern(kind, Every((Test(field, "known"),))))
        return tuple(found)

    @property
    def of_one_medicine(self) -> Pattern | None:
        """What a medicine must be like, where that is all there is to it: such a one can be asked for beside another."""
        return self.when[0][0] if len(self.patterns) == 1 == len(self.when) and self.when[0][0].kind == "medicine" else None


def behind(derived: Mapping[str, Derived], when: When) -> Iterator[Pattern]:
    """All patterns of conditions, and those on which the derived facts rest that they test."""
    for group in when:
        for pattern in group:
            yield pattern
            for fact in used_by(derived, pattern):
                yield from fact.patterns


def used_by(derived: Mapping[str, Derived], pattern: Pattern) -> Iterable[Derived]:
    """The derived facts that a pattern tests, each once."""
    if pattern.kind == "medicine":
        named = (str(name) for test in tests_of(pattern.tests) if test.field == "beside" for name in test.values)
    elif pattern.kind in OF_DERIVED:
        named = (test.field for test in tests_of(pattern.tests))
    else:
        return ()
    return [derived[name] for name in dict.fromkeys(named) if name in derived]


def presumed_absent(derived: Mapping[str, Derived], pattern: Pattern) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a pattern presumes not to be in a list, by what it says of derived facts: the kind of the list, and tokens.

    That a fact does not hold, and that there are at most so many, presumes of what was not read that it adds nothing.
    """
    for test in tests_of(pattern.tests):
        upward = test.operation in ("at_least", "more_than", "has_any", "has_all") or is_true(test)
        alone = Pattern(pattern.kind, Every((test,)))
        for part in (part for one in used_by(derived, alone) for part in one.patterns):
            for test_behind in tests_of(part.tests):
                if (
                    test_behind.field in _OF_LISTS.get(part.kind, ())
                    and (test_behind.operation in ("has_none", "none_of")) == upward
                ):
                    yield (
                        "history" if part.kind in ("history", "condition") else "regimen",
                        tuple(map(str, test_behind.values)),
                    )


_OF_LISTS = {"regimen": ("takes",), "history": ("has",), "medicine": ("class", "ingredient"), "condition": ("name",)}
"""The fields that name what stands in a list."""


def is_of_the_row(pattern: Pattern) -> bool:
    """Whether the row of a medicine in the table of medicines decides if it fits a pattern."""
    return all(test.field in ("class", "ingredient") for test in tests_of(pattern.tests))


def could_fit(pattern: Pattern, ingredient: str, classes: Iterable[str]) -> bool:
    """Whether a medicine of this name and these classes could fit a pattern, whatever else is true of it."""
    return could_be(pattern, {"ingredient": {ingredient}, "class": {*classes}})


def could_be(pattern: Pattern, held: Mapping[str, Collection[str]]) -> bool:
    """Whether something could fit a pattern of which these fields are known, each with the tokens that it holds."""

    def could(expression: Expression) -> bool:
        if isinstance(expression, Test):
            return _could(expression, frozenset(held[expression.field])) if expression.field in held else True
        parts = (could(part) for part in expression.parts)
        return any(parts) if isinstance(expression, Either) else all(parts)

    return could(pattern.tests)


def _could(test: Test, there: frozenset[str]) -> bool:
    wanted = {*map(str, test.values)}
    match test.operation:
        case "has_all":
            return wanted <= there
        case "has_none" | "none_of":
            return wanted.isdisjoint(there)
        case "known":
            return True
        case _:
            return not wanted.isdisjoint(there)


def is_true(test: Test) -> bool:
    """Whether a test asks for yes; the number 1 is no yes."""
    return test.operation == "one_of" and all(value is True for value in test.values)


def known_with(derived: Mapping[str, Derived], pattern: Pattern) -> Iterator[str]:
    """The numbers, as kind.field, that are known wherever it is known whether one compares with the other."""
    for test in pattern.tests.parts if pattern.kind == "derived" else ():
        if isinstance(test, Test) and test.operation in ("one_of", "none_of", "known"):
            compared = derived[test.field].compared
            yield from (".".join(side) for side in (compared.left, compared.right)) if compared else ()


def asserted(derived: Mapping[str, Derived], pattern: Pattern) -> Iterator[Derived]:
    """The derived facts that a pattern says to hold."""
    for test in tests_of(pattern.tests):
        if is_true(test) or test.operation in ("has_any", "has_all", "at_least", "more_than"):
            yield from used_by(derived, Pattern(pattern.kind, Every((test,))))


def kinds_with_derived(kinds: Mapping[str, Kind], derived: Iterable[Derived]) -> Mapping[str, Kind]:
    """All kinds of fact, with the fields that these derived facts add."""
    fields: dict[str, dict[str, Field]] = {kind: {} for kind in OF_DERIVED}
    derived = list(derived)
    for fact in derived:
        declared = KINDS[fact.kind].declared
        assert declared is not None
        fields[fact.kind][fact.file.name] = declared
    of_one_medicine = tuple(sorted(one.file.name for one in derived if one.of_one_medicine))
    medicine = {**kinds["medicine"].fields, "beside": Field("tokens", of_one_medicine)}
    found = {kind: Kind(of) for kind, of in sorted(fields.items())}
    return {**kinds, "medicine": Kind(medicine, many=True), **found}
