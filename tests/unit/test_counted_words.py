"""Numbers with their words: one of a thing reads as one."""

from __future__ import annotations

import pytest

from careplan.rulebook.text_template import Text, counted, hours, with_value


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0 sessions"), (1, "1 session"), (2, "2 sessions"), (1500, "1,500 sessions"), (1.5, "1.5 sessions")],
)
def test_an_amount_is_counted_in_words(amount: float, words: str) -> None:
    assert counted(amount, "session") == words


def test_a_plural_of_its_own_is_taken() -> None:
    assert [counted(amount, "person", "people") for amount in (1, 2)] == ["1 person", "2 people"]


def test_hours_read_as_one_only_for_one() -> None:
    assert [hours(amount) for amount in (0.5, 1, 7.5)] == ["0.5 hours", "1 hour", "7.5 hours"]


@pytest.mark.parametrize(
    ("says", "one", "two"),
    [
        ("has {value} sessions left", "has 1 session left", "has 2 sessions left"),
        ("has {value} trusted people", "has 1 trusted person", "has 2 trusted people"),
        ("is {value} years old", "is 1 year old", "is 2 years old"),
        ("goals that were read: {value}", "goals that were read: 1", "goals that were read: 2"),
    ],
)
def test_a_phrase_is_said_of_one_as_of_one(says: str, one: str, two: str) -> None:
    assert (with_value(says, "1"), with_value(says, "2")) == (one, two)


def test_a_text_counts_what_stands_before_the_word_and_nothing_else() -> None:
    text = Text.parse("{a} sessions done, {b} weeks and two days left")
    assert text.fill({"a": "1", "b": "2"}) == "1 session done, 2 weeks and two days left"
    assert text.fill({"a": "11", "b": "1"}) == "11 sessions done, 1 week and two days left"
