"""Every stop and hold is held by an invariant, and every part of an invariant is needed: examples show both."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from careplan.authoring.rule_examples import holds
from tests.everyday import one_in
from tests.golden.test_in_short import on_file
from tests.in_short.edition import Edition
from tests.in_short.invariants import (
    GRAVE,
    Example,
    Refusals,
    Refusing,
    invariant_of,
    invariants_in_short,
    read,
    selector_of,
    weakened,
    written,
)
from tests.shipped import BOOK, FILES

SHIPPED = Edition(BOOK, FILES)
WRITTEN = written(SHIPPED)
READ = read(SHIPPED)
REFUSING = Refusing(BOOK, READ.values())
HEAVY = [rule.id for rule in BOOK.in_order() if rule.file.level in GRAVE]
IMPLIED = {
    "a-gap-beyond-the-limit-is-a-decision: who.medicine.hold_question without open": "such a gap makes the question unclear",
    "treatment-that-was-read-is-kept-whole: who.goal without understood": "no goal is protected that was not understood",
}
"""Parts that are said for whoever reads, and follow from the others."""
BESIDE_THE_EXAMPLES: tuple[dict[str, Any], ...] = (
    {"medications": [{"name": "phenobarbital", "schedule": "daily"}]},
    {"conditions": ["substance_use_disorder_history"], "lifestyle": {"alcohol_drinks_per_week": 2}},
    {"expectations": {"goals": ["take my sertraline every day at 8 am"]}},
    {"medications": [{"name": "donepezil"}], "conditions": ["delirium"]},
)
"""Patients of whom a part of an invariant speaks, and no example."""


@cache
def refusals(name: str) -> Refusals:
    return REFUSING.of(*READ[name])


@cache
def beside_the_examples() -> list[Example]:
    return [REFUSING.example("beside the examples", at, patient) for at, patient in enumerate(BESIDE_THE_EXAMPLES)]


def test_the_invariants_in_short_are_those_on_file() -> None:
    text = "\n".join(invariants_in_short(SHIPPED, refusals)) + "\n"
    assert text == on_file("invariants.md", text)


def test_no_stop_or_hold_can_be_left_out_or_lowered_without_breaking_an_invariant() -> None:
    held = {name for one in READ for name in refusals(one).held(BOOK)}
    assert [name for name in HEAVY if name not in held] == []


@pytest.mark.parametrize("name", one_in(20, READ))
def test_an_invariant_without_one_of_its_parts_refuses_less_or_more(name: str) -> None:
    needless = [f"{name}: {what}" for what, data in weakened(WRITTEN[name]) if not _differs(name, data)]
    assert [one for one in needless if one not in IMPLIED] == []


def _differs(name: str, data: object) -> bool:
    """Whether an example or a broken rule is judged otherwise; those that it speaks of are asked first."""
    other, selector = invariant_of(data, BOOK), selector_of(data)
    if other is None:
        return True
    before, who = refusals(name), READ[name][0].who
    spoken_of = [one for one in REFUSING.examples if (one.rule, one.place) in before.spoken_of]
    if REFUSING.of(other, selector, spoken_of) != before:
        return True
    if other.who == who:
        return False
    others = (beside_the_examples(), REFUSING.examples, REFUSING.silent(READ[name][0].rules))
    return any(holds(who, one.facts) != holds(other.who, one.facts) for some in others for one in some)
