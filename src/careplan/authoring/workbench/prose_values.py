"""The values of a rule's conditions, each with where it stands in the text and in the prose, so that either can be changed.

Where a value stands in the prose is found by trying: another value in its place makes other words there and nowhere else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from careplan.authoring.workbench.completion import Completion, fields_of
from careplan.authoring.workbench.rule_text import Path, scalars
from careplan.rulebook.conditions import Reader, with_certainty
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.model import Rule, Rulebook

_PROBES = (86_753, 24_197)
"""Numbers that no rule has; a second where the first is the value itself."""
_LONGEST = 60
"""Characters of prose that one value may make; what changes more is a sentence of its own."""
_END = " ,;:)."


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A token that a value may be, and its words."""

    value: str
    says: str


class ConditionValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a condition: `start` to `end` of the text, and `at` to `until` of the prose, -1 where it has no words.

    `label` says what it is a value of. `choices` are what a token may be; a number has none.
    """

    start: int
    end: int
    written: str
    label: str
    kind: Literal["number", "token"]
    at: int = -1
    until: int = -1
    choices: list[Choice] = []


def values_of(text: str, rule: Rule, book: Rulebook, completion: Completion) -> list[ConditionValue]:
    """The values that a rule's text names in its conditions, in their order."""
    spots = [spot for spot in scalars(text) if spot.path[0] == "when" and len(spot.path) > 1]
    probing = _Probing(rule, book)
    found = []
    for path, start, end in spots:
        written = text[start:end]
        value = _read(rule.file.when, path)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if str(value).lower() != written.lower() and not (isinstance(value, int | float) and _is(written, value)):
            continue  # The text says something else there than its scan: it is left alone.
        tokens = [] if number else completion.tokens(path)
        if not number and len(tokens) < 2:
            continue
        others = [*_PROBES] if number else [one == "true" if one in ("true", "false") else one for one in tokens]
        at, until = probing.place(path, value, others)
        found.append(
            ConditionValue(
                start=start,
                end=end,
                written=written,
                label=_label(path, book),
                kind="number" if number else "token",
                at=at,
                until=until,
                choices=[Choice(value=one, says=completion.says(path, one) or one.replace("_", " ")) for one in tokens],
            )
        )
    return _apart(found)


class _Probing:
    """Makes the prose of a rule anew with another value in one place."""

    def __init__(self, rule: Rule, book: Rulebook) -> None:
        self._rule, self._book = rule, book
        self._prose = Prose(book)
        self._words = self._prose.when(rule.when)

    def place(self, path: Path, value: object, others: list[Any]) -> tuple[int, int]:
        """From where to where the prose has words of a value; (-1, -1) where that cannot be told."""
        for other in others:
            if other != value and (words := self._with(path, other)) is not None and words != self._words:
                return _differing(self._words, words)
        return -1, -1

    def _with(self, path: Path, value: object) -> str | None:
        data: Any = copy.deepcopy(self._rule.file.when)
        inner = data
        for step in path[1:-1]:
            inner = inner[step]
        if isinstance(inner, list) and value in inner:
            return None
        inner[path[-1]] = value
        book = self._book
        reader = Reader(book.classes, book.catalogue.ingredients, book.conditions, book.kinds)
        when = reader.when(data)
        if reader.flaws:
            return None
        return self._prose.when(with_certainty(when) if self._rule.file.certain else when)


def _differing(before: str, after: str) -> tuple[int, int]:
    """Whole words of `before` between what both have in common at the beginning and at the end."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end, other = len(before), len(after)
    while end > start and other > start and before[end - 1] == after[other - 1]:
        end, other = end - 1, other - 1
    while start > 0 and before[start - 1] not in " (":
        start -= 1
    while end < len(before) and not (before[end] in _END and (before[end] != "." or before[end + 1 : end + 2] in ("", " "))):
        end += 1
    return (start, end) if 0 < end - start <= _LONGEST else (-1, -1)


def _apart(values: list[ConditionValue]) -> list[ConditionValue]:
    """The same, without a place in the prose for those of which two would stand in one."""

    def clashes(value: ConditionValue) -> bool:
        return any(
            other is not value and other.at < value.until and value.at < other.until for other in values if other.at >= 0
        )

    return [msgspec.structs.replace(one, at=-1, until=-1) if one.at >= 0 and clashes(one) else one for one in values]


def _read(data: Any, path: Path) -> object:
    for step in path[1:]:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _is(written: str, value: float) -> bool:
    try:
        return float(written) == value
    except ValueError:
        return False


def _label(path: Path, book: Rulebook) -> str:
    words = next((one for one in map(book.vocabulary.fields.get, fields_of(path)) if one), None)
    field = words.label if words else str(path[1]).replace("_", " ")
    steps = list(_operations(path))
    return f"{field}: {' '.join(steps)}" if steps else field


def _operations(path: Path) -> Iterator[str]:
    for step in path[2:]:
        if step in ("at_least", "at_most", "less_than", "more_than", "not", "all"):
            yield str(step).replace("_", " ")
