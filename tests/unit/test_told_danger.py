"""Emergencies are told by classes of words that stand together, and denials, others, fears and the past take them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from careplan.planner import Planner
from careplan.recognition.told_danger import ToldDanger
from tests.plans import plan_of, rules_of
from tests.shipped import BOOK

WORDS = BOOK.known_conditions.words
OTHERS = (*WORDS.family, *WORDS.first_degree, *WORDS.of_others)
TOLD = ToldDanger(WORDS.dangers, OTHERS, WORDS.abbreviations)
NOW, GRAVE, NOTHING = (True, False), (False, True), (False, False)


def lines_of(name: str) -> list[str]:
    """The written rows of one of the lists for goals and illnesses."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["goals/emergencies.txt", "illnesses/dangerous.txt", "illnesses/harmless.txt"])
def test_the_cheap_look_passes_over_nothing_that_is_told(name: str) -> None:
    assert [said for said in lines_of(name) if any(TOLD.is_told(said)) and not TOLD.may_tell(said)] == []


@pytest.mark.parametrize("who", ["I was", "pt", "he has been", "she is"])
@pytest.mark.parametrize("what", ["vomiting blood", "coughing up bright red blood", "throwing up blood clots"])
@pytest.mark.parametrize("when", ["", "today", "since last night"])
def test_who_and_what_and_when_go_together_in_any_words(who: str, what: str, when: str) -> None:
    assert TOLD.is_told(f"{who} {what} {when}") == NOW


@pytest.mark.parametrize(
    "said",
    [
        "denies {}",
        "no {}",
        "my mother had {}",
        "afraid of {}",
        "{} in 2015",
        "history of {}",
        "{} resolved",
        "as a child {}",
        "never had {}",
    ],
)
@pytest.mark.parametrize("what", ["vomiting blood", "hives and wheezing", "black tarry stools", "facial droop"])
def test_denials_others_fears_and_the_past_take_it_back(said: str, what: str) -> None:
    assert TOLD.is_told(said.format(what)) == NOTHING


@pytest.mark.parametrize("said", ["history of seizures, seizure last night", "my husband says I had a seizure today"])
def test_what_is_said_of_today_and_of_oneself_counts_beside_the_past_and_others(said: str) -> None:
    assert TOLD.is_told(said) == NOW


def test_a_pregnancy_is_a_decision_and_with_bleeding_an_alert() -> None:
    assert TOLD.is_told("8 weeks pregnant") == GRAVE
    assert TOLD.is_told("8 weeks pregnant and bleeding")[0]


def test_a_cheap_look_overlooks_nothing() -> None:
    told = [*(kind.said for kind in WORDS.dangers.kinds.values())]
    plain = [text for said in told for text in said if "{" not in text and "~" not in text and "&" not in text]
    assert [text for text in plain if any(TOLD.is_told(text)) and not TOLD.may_tell(text)] == []


@pytest.mark.parametrize("line", ["took a whole bottle of Tylenol an hour ago", "swallowed 30 Ambien", "HI toward boss"])
def test_an_emergency_in_the_place_of_a_medicine_blocks(line: str) -> None:
    planner = Planner(BOOK)
    plan = plan_of(planner, {"medications": [{"text": "sertraline 50 mg daily"}, {"text": line}]})
    assert "unread-entry-may-be-a-danger" in rules_of(plan)
    planner.close()


@pytest.mark.parametrize("line", ["stopped Xanax cold turkey", "quit lithium cold turkey"])
def test_what_lines_of_medicines_tell_by_words_of_their_own_is_not_looked_for_in_them(line: str) -> None:
    assert any(TOLD.is_told(line))
    assert TOLD.is_told(line, in_list=True) == NOTHING


@pytest.mark.parametrize("word", ["watch for", "monitor for", "call if"])
def test_a_sign_that_somebody_watches_for_has_not_come(word: str) -> None:
    assert TOLD.is_told("lamotrigine 25 mg daily, new rash") != NOTHING
    assert TOLD.is_told(f"lamotrigine 25 mg daily, {word} a new rash") == NOTHING
