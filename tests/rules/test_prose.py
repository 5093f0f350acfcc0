"""Conditions in words: every rule can be read aloud, and no two different conditions read alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from careplan.rulebook.conditions import COMPARISONS, Either, Every, Expression, Pattern, Test, When
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.factors import KINDS
from careplan.rulebook.model import Rule
from tests.shipped import BOOK

PROSE = Prose(BOOK)
RULES = [pytest.param(rule, id=rule.id) for rule in BOOK.in_order()]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reads_without_tokens_or_data(rule: Rule) -> None:
    words = PROSE.rule(rule).removesuffix(f"{rule.file.title}.")
    assert words.startswith(("When ", "For every patient"))
    assert not re.search(r"_|\bNone\b|[\[\]]|\bTrue\b|\bFalse\b|\.0\b", words.replace("{value}", "_"))


def changed(test: Test) -> Iterator[Test]:
    """Tests of the same field that say something else."""
    if test.operation in COMPARISONS:
        limit = float(str(test.values[0]))
        yield msgspec.structs.replace(test, values=(limit + 1,))
        yield from (msgspec.structs.replace(test, operation=other) for other in COMPARISONS if other != test.operation)
    elif test.operation == "one_of":
        yield msgspec.structs.replace(test, operation="none_of")
        yield msgspec.structs.replace(test, operation="one_of_or_unknown")
    elif test.operation in ("known", "unknown"):
        yield msgspec.structs.replace(test, operation="unknown" if test.operation == "known" else "known")
    elif test.operation == "has_any":
        yield msgspec.structs.replace(test, operation="has_none")
        if len(test.values) > 1:
            yield msgspec.structs.replace(test, operation="has_all")
    if len(test.values) > 1:
        yield msgspec.structs.replace(test, values=test.values[1:])


def variants(expression: Expression) -> Iterator[Expression]:
    """The expression with one test changed or one part gone."""
    if isinstance(expression, Test):
        yield from changed(expression)
        return
    for at, part in enumerate(expression.parts):
        before, after = expression.parts[:at], expression.parts[at + 1 :]
        if len(expression.parts) > 1:
            yield type(expression)((*before, *after))
        for other in variants(part):
            yield type(expression)((*before, other, *after))
    if isinstance(expression, Either):
        yield Every(expression.parts)


def whens(when: When) -> Iterator[When]:
    for at, group in enumerate(when):
        for place, pattern in enumerate(group):
            for tests in variants(pattern.tests):
                assert isinstance(tests, Every)
                other = Pattern(pattern.kind, tests)
                yield (*when[:at], (*group[:place], other, *group[place + 1 :]), *when[at + 1 :])


@pytest.mark.parametrize("rule", RULES)
def test_a_changed_condition_reads_differently(rule: Rule) -> None:
    words = PROSE.when(rule.when)
    for other in whens(rule.when):
        assert other != rule.when
        if PROSE.when(other) == words:
            assert same_meaning(rule.when, other), words


def same_meaning(one: When, other: When) -> bool:
    """At most 0 and less than 0.01 aside, a list of one reads alike whether any or all of it must be there."""
    operations = {test.operation for when in (one, other) for group in when for pattern in group for test in tests(pattern)}
    return "has_all" in operations


def tests(pattern: Pattern) -> Iterator[Test]:
    stack: list[Expression] = [pattern.tests]
    while stack:
        part = stack.pop()
        if isinstance(part, Test):
            yield part
        else:
            stack += part.parts


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"patient": {"age_years": {"at_least": 18, "at_most": 24}}}, "When the patient is from 18 to 24 years old"),
        (
            {"lifestyle": {"sleep_hours_per_night": {"less_than": 5}}},
            "When the patient sleeps less than 5 hours a night",
        ),
        (
            {"medicine": {"class": "benzodiazepine", "half_life": "long", "schedule": "daily"}},
            "When the patient takes a benzodiazepine, its half-life is long, daily",
        ),
        (
            {"regimen": {"takes": {"all": ["opioid", "benzodiazepine"]}}},
            "When the patient takes opioids and benzodiazepines, all of them",
        ),
        (
            {"history": {"has": {"not": ["porphyria"]}}},
            "When the patient has none of porphyria, and the list is known to be complete",
        ),
        ({"support": {"escort_available": False}}, "When the patient has no escort for the way home"),
        ({"treatment": {"product": "unknown"}}, "When the product was not stated"),
        ({"treatment": {"product": {"not": "racemic"}}}, "When it is known and other than: is to have racemic ketamine"),
        (
            {"any_of": [{"support": {"therapist": True}}, {"support": {"trusted_people": {"at_most": 0}}}]},
            "When one of these holds: (1) the patient has a therapist; or (2) trusted people named: 0",
        ),
        ("everyone", "For every patient"),
    ],
)
def test_conditions_read_as_a_pharmacist_would_say_them(when: object, words: str) -> None:
    from careplan.rulebook.conditions import Reader

    reader = Reader(BOOK.classes, BOOK.catalogue.ingredients, BOOK.conditions)
    assert PROSE.when(reader.when(when)) == words
    assert reader.flaws == []


def test_every_field_of_every_kind_has_words_for_each_token() -> None:
    for kind, described in KINDS.items():
        for name, field in described.fields.items():
            for token in field.tokens:
                assert "_" not in PROSE.value(kind, name, token)
