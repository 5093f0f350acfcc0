"""The texts of the shipped rules: fit to be read by the people they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyphen
import pytest

from careplan.rulebook import forbidden_wording
from careplan.rulebook.model import Rule
from tests.shipped import BOOK

RULES = [pytest.param(rule, id=rule.id) for rule in BOOK.in_order()]
MOST_WORDS = 20
NAME = re.compile(r"\{[^}]*\}")


SYLLABLES = pyphen.Pyphen(lang="en_US", left=1, right=1)


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?:;])\s+", text) if part]


def grade(text: str) -> float:
    """The reading grade of Flesch and Kincaid."""
    words = re.findall(r"[A-Za-z']+", text)
    syllables: int = sum(SYLLABLES.inserted(word).count("-") + 1 for word in words)
    return 0.39 * len(words) / len(sentences(text)) + 11.8 * syllables / len(words) - 15.59


def plain(text: str) -> str:
    """A text with a short word in every place to fill in, as it would be read."""
    return NAME.sub("this", " ".join(text.split()))


@pytest.mark.parametrize("rule", RULES)
def test_a_patient_reads_short_sentences_of_the_sixth_grade_at_most(rule: Rule) -> None:
    text = plain(rule.file.then.patient)
    assert grade(text) < 7
    assert [sentence for sentence in re.split(r"(?<=[.!?])\s+", text) if len(sentence.split()) > MOST_WORDS] == []
    assert re.search(r"\b(?:you|your|we|us)\b", text, re.IGNORECASE)


def of_the_rulebook() -> Iterator[str]:
    """What `rulebook.yaml` says to patients, in English."""
    about = BOOK.about
    yield from (about.disclaimer, about.crisis, about.undecided_hold.patient, about.signed_hold.patient)
    yield from (about.signed_hold_between_doses.patient, about.joined_hold.patient)
    yield from (about.deferred_choice.patient, about.cleared.patient)
    yield from (numbers.crisis for numbers in (*about.regions.values(), *about.countries.values()))
    yield from about.card.companion.lines


@pytest.mark.parametrize("text", list(of_the_rulebook()))
def test_what_every_patient_may_read_is_in_short_sentences(text: str) -> None:
    said = re.split(r"(?<=[.!?])\s+", plain(text))
    assert [sentence for sentence in said if len(sentence.split()) > MOST_WORDS] == []


@pytest.mark.parametrize("rule", RULES)
def test_patients_are_asked_for_nothing_that_changes_a_medicine(rule: Rule) -> None:
    for ask in rule.file.then.asks:
        if ask.who in ("patient", "supporter"):
            assert forbidden_wording.orders_a_change(plain(ask.what)) is None


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Stop taking your medicine today.", True),
        ("You can skip your dose before the session.", True),
        ("Please hold {medicine} on the day.", True),
        ("Taper your lamotrigine slowly.", True),
        ("Do not stop {medicine} on your own.", False),
        ("Stopping a medicine suddenly can cause withdrawal.", False),
        ("Ask whether any change is right for you.", False),
        ("Walk for ten minutes.", False),
    ],
)
def test_an_order_to_change_a_medicine_is_recognized(text: str, order: bool) -> None:  # noqa: FBT001
    assert (forbidden_wording.orders_a_change(text) is not None) == order
