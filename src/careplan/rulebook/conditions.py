"""The small language of `when`: read from YAML data into tests that name their field, operation and values.

A test on an unanswered field is never true, except where it says `unknown`. Fields of several values (the classes of
a medicine, what a patient takes or has) are tested by membership.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from rapidfuzz import process

from careplan.rulebook.factors import KINDS, Field, Kind, least_of, most_of

Value: TypeAlias = str | bool | float
Path: TypeAlias = tuple[str | int, ...]
Operation = Literal[
    "one_of",
    "one_of_or_unknown",
    "none_of",
    "known",
    "unknown",
    "at_least",
    "at_most",
    "less_than",
    "more_than",
    "has_any",
    "has_all",
    "has_none",
]
COMPARISONS: tuple[Operation, ...] = ("at_least", "at_most", "less_than", "more_than")
MOST_KINDS = 4
LISTS_WITH_ENTRIES = frozenset({"regimen", "history"})
"""The kinds of fact that say of a whole list what is in it, and whether an entry of it could not be read."""


class Test(msgspec.Struct, frozen=True, tag=True):
    """One field against some values."""

    field: str
    operation: Operation
    values: tuple[Value, ...] = ()


class Every(msgspec.Struct, frozen=True, tag=True):
    """Holds when all of its parts hold."""

    parts: tuple[Expression, ...]


class Either(msgspec.Struct, frozen=True, tag=True):
    """Holds when at least one of its parts holds."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = Test | Every | Either


class Pattern(msgspec.Struct, frozen=True):
    """What one fact of a kind must satisfy."""

    kind: str
    tests: Every


Group: TypeAlias = tuple[Pattern, ...]
When: TypeAlias = tuple[Group, ...]
"""A rule holds when all patterns of one of its groups find a fact."""


class Flaw(msgspec.Struct, frozen=True):
    """Something wrong in a rule file: the path of keys to it, what is wrong and how to mend it."""

    path: Path
    problem: str
    mend: str
    code: str


class Reader:
    """Reads `when` with the token lists of one rulebook, collecting flaws instead of stopping at the first."""

    def __init__(
        self,
        classes: Collection[str],
        ingredients: Collection[str],
        conditions: Collection[str],
        kinds: Mapping[str, Kind] = KINDS,
    ) -> None:
        self.kinds = kinds
        self._tokens = {
            "classes": tuple(classes),
            "ingredients": tuple(ingredients),
            "classes_or_ingredients": (*classes, *ingredients),
            "conditions": tuple(conditions),
            "": (),
        }
        self.flaws: list[Flaw] = []

    def when(self, data: object, path: Path = ("when",)) -> When:
        """The groups of `data`; flaws are added to `self.flaws`."""
        if data == "everyone":
            return ((Pattern("everyone", Every(())),),)
        if isinstance(data, dict) and set(data) == {"any_of"}:
            alternatives = data["any_of"]
            if not isinstance(alternatives, list) or len(alternatives) < 2:
                self._flaw(
                    (*path, "any_of"), "any_of needs two or more alternatives.", "List each one with a dash.", code="any-of"
                )
                return ()
            return tuple(self._group(part, (*path, "any_of", at)) for at, part in enumerate(alternatives))
        return (self._group(data, path),)

    def _group(self, data: object, path: Path) -> Group:
        if not isinstance(data, dict) or not data:
            self._flaw(
                path,
                "conditions name a kind of fact and its fields.",
                "Write for example `lifestyle:`.",
                code="empty-conditions",
            )
            return ()
        patterns = []
        for kind, tests in data.items():
            if kind not in self.kinds or kind == "everyone":
                self._flaw(
                    (*path, kind),
                    f"there is no kind of fact called {kind}.",
                    _nearest(kind, self.kinds),
                    code="unknown-kind",
                )
                continue
            patterns.append(Pattern(str(kind), self._every(str(kind), tests, (*path, kind))))
        many = [pattern.kind for pattern in patterns if self.kinds[pattern.kind].many]
        if len(many) > 1:
            self._flaw(
                path,
                f"{' and '.join(many)} can each occur many times.",
                "Use regimen or history for one of them.",
                code="too-many-kinds",
            )
        if len(patterns) > MOST_KINDS:
            self._flaw(
                path, f"more than {MOST_KINDS} kinds of fact in one group.", "Split the rule in two.", code="too-many-kinds"
            )
        return tuple(patterns)

    def _every(self, kind: str, data: object, path: Path) -> Every:
        if not isinstance(data, dict) or not data:
            self._flaw(
                path,
                f"{kind} needs at least one field to test.",
                f"Fields are {', '.join(self.kinds[kind].fields)}.",
                code="empty-conditions",
            )
            return Every(())
        parts: list[Expression] = []
        for name, wanted in data.items():
            here = (*path, name)
            if name == "any_of":
                if not isinstance(wanted, list) or len(wanted) < 2:
                    self._flaw(here, "any_of needs two or more alternatives.", "List each one with a dash.", code="any-of")
                    continue
                parts.append(Either(tuple(self._every(kind, part, (*here, at)) for at, part in enumerate(wanted))))
            elif name not in self.kinds[kind].fields:
                self._flaw(
                    here,
                    f"{kind} has no field called {name}.",
                    _nearest(name, self.kinds[kind].fields),
                    code="unknown-field",
                )
            else:
                field = self.kinds[kind].fields[name]
                read = self._tokens_test if field.type == "tokens" else self._test
                parts += read(name, field, wanted, here)
        return Every(tuple(parts))

    def _test(self, name: str, field: Field, wanted: object, path: Path) -> Iterator[Test]:
        if field.between and wanted not in ("known", "unknown") and not (isinstance(wanted, dict) and "not" not in wanted):
            mend = "Write for example {at_least: 8}, known or unknown."
            self._flaw(path, f"{name} is known from its least to its most.", mend, code="comparison")
            return
        match wanted:
            case "known" | "unknown":
                yield Test(name, wanted)
            case dict() if "not" in wanted:
                yield Test(name, "none_of", self._values(field, wanted["not"], (*path, "not")))
                self._only(wanted, {"not"}, path)
            case dict():
                yield from self._bounds(name, field, wanted, path)
            case list():
                known = [value for value in wanted if value != "unknown"]
                operation: Operation = "one_of" if len(known) == len(wanted) else "one_of_or_unknown"
                yield Test(name, operation, self._values(field, known, path))
            case _:
                yield Test(name, "one_of", self._values(field, wanted, path))

    def _bounds(self, name: str, field: Field, wanted: Mapping[Any, Any], path: Path) -> Iterator[Test]:
        if field.type != "number":
            self._flaw(
                path,
                f"{name} cannot be compared as a number.",
                "Name the value, a list of values, or {not: ...}.",
                code="comparison",
            )
            return
        self._only(wanted, set(COMPARISONS), path)
        self._some(wanted, path, "{at_least: 8}")
        for operation in COMPARISONS:
            if operation in wanted:
                yield Test(name, operation, self._values(field, wanted[operation], (*path, operation)))

    def _tokens_test(self, name: str, field: Field, wanted: object, path: Path) -> Iterator[Test]:
        if not isinstance(wanted, dict):
            yield Test(name, "has_any", self._values(field, wanted, path))
            return
        self._only(wanted, {"all", "not"}, path)
        self._some(wanted, path, "{not: opioid}")
        if "all" in wanted:
            yield Test(name, "has_all", self._values(field, wanted["all"], (*path, "all")))
        if "not" in wanted:
            yield Test(name, "has_none", self._values(field, wanted["not"], (*path, "not")))

    def _values(self, field: Field, data: object, path: Path) -> tuple[Value, ...]:
        listed = data if isinstance(data, list) else [data]
        if not listed:
            self._flaw(path, "an empty list is never true.", "Name at least one value.", code="empty-list")
        return tuple(value for at, item in enumerate(listed) if (value := self._value(field, item, (*path, at))) is not None)

    def _value(self, field: Field, item: object, path: Path) -> Value | None:
        if field.type == "boolean":
            if isinstance(item, bool):
                return item
            self._flaw(path, f"{item} is not true or false.", "Write true or false.", code="value")
        elif field.type == "number":
            if isinstance(item, (int, float)) and not isinstance(item, bool):
                if abs(item) < 1_000_000 and round(item, 2) == item and item >= 0:
                    return float(item)
                self._flaw(
                    path,
                    f"{item} is out of range or too fine.",
                    "Use a number from 0 with at most two decimals.",
                    code="value",
                )
            else:
                self._flaw(path, f"{item} is not a number.", "Write a plain number without quotes.", code="value")
        else:
            allowed = field.tokens or self._tokens[field.vocabulary]
            if item in allowed:
                return str(item)
            self._flaw(path, f"{item} is not a value of this field.", _nearest(item, allowed), code="unknown-token")
        return None

    def _only(self, data: Mapping[Any, Any], allowed: set[str], path: Path) -> None:
        for key in data:
            if key not in allowed:
                self._flaw(
                    (*path, key),
                    f"{key} is not a comparison for this field.",
                    _nearest(key, sorted(allowed)),
                    code="comparison",
                )

    def _some(self, data: Mapping[Any, Any], path: Path, example: str) -> None:
        """Note braces with nothing in them, which would hold of everybody."""
        if not data:
            self._flaw(path, "braces with nothing in them test nothing.", f"Write for example {example}.", code="comparison")

    def _flaw(self, path: Path, problem: str, mend: str, *, code: str) -> None:
        self.flaws.append(Flaw(path, problem, mend, code))


def with_certainty(when: When) -> When:
    """The same conditions for a rule that asks for certainty.

    Where a pattern says that something is not in a list, every entry of that list must have been read as well.
    """
    return tuple(tuple(map(_certain, group)) for group in when)


def _certain(pattern: Pattern) -> Pattern:
    if pattern.kind in LISTS_WITH_ENTRIES and any(test.operation == "has_none" for test in tests_of(pattern.tests)):
        return Pattern(pattern.kind, Every((*pattern.tests.parts, Test("unread", "one_of", (False,)))))
    return pattern


def names_unread_entries(when: When) -> bool:
    """Whether conditions ask for an entry that could not be read, of any list."""
    return any(
        pattern.kind == "entries" and test.field == "unread" and True in test.values
        for group in when
        for pattern in group
        for test in tests_of(pattern.tests)
    )


def property_of(kind: str, test: Test) -> str:
    """The property of a fact by which a test of one value is decided.

    Of a number known from its least to its most: the least decides that it is high enough, the most that it is low enough,
    and whether there is a most decides whether it is known.
    """
    if not KINDS[kind].field(test.field).between:
        return test.field
    return least_of(test.field) if test.operation in ("at_least", "more_than") else most_of(test.field)


def as_decided(kind: str, expression: Expression) -> Expression:
    """The expression with each test on the property that decides it."""
    if isinstance(expression, Test):
        return msgspec.structs.replace(expression, field=property_of(kind, expression))
    return type(expression)(tuple(as_decided(kind, part) for part in expression.parts))


def tests_of(expression: Expression) -> Iterator[Test]:
    """Every test inside an expression, in reading order."""
    if isinstance(expression, Test):
        yield expression
    else:
        for part in expression.parts:
            yield from tests_of(part)


def _nearest(word: object, known: Collection[str]) -> str:
    near = process.extractOne(str(word), list(known), score_cutoff=60)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Use one of {', '.join(known)}." if len(known) <= 15 else "See README.md for what there is."
