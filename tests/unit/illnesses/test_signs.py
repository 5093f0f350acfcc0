"""Signs for "it is there" and "it is not" beside what clinicians ask for at each visit."""

from __future__ import annotations

import pytest

from careplan.planner import Planner
from careplan.recognition.plain_text import plain
from careplan.recognition.signs import Signs
from tests.plans import rules_of
from tests.shipped import BOOK
from tests.unit.test_grave_entries import plan_of

READER = BOOK.known_conditions.reader
_STOP = "suicidal-thoughts-without-a-plan"
_DENIED = (
    "-SI -HI",
    "-SI",
    "-SI, -HI",
    "SI-/HI-",
    "AVH neg",
    "neg SI/HI",
    "SI (-)",
    "SI(-), HI(-), AVH(-)",
    "(-) SI (-) HI",
    "(-)SI/HI/AVH",
    "SI -ve, HI -ve",
    "SI -, HI -",
    "-SI/-HI/-AVH",
    "-SI/HI",
    "−SI –HI",
    "-passive SI",
    "-SI -HI today",
    "SI: (-), HI: (-)",
    "MDD, -SI, -HI, anxiety",
    "depression (-SI, -HI)",
    "Mood low. -SI/-HI/-AVH. Sleep poor",
)
_PRESENT = (
    "+SI",
    "+SI -HI",
    "SI (+), HI (-)",
    "(+) SI, (-) HI",
    "SI +ve",
    "+SI/-HI",
    "SI/-HI",
    "denies HI, +SI",
    "-HI +SI",
    "PTSD - SI",
    "- SI - HI",
    # What is said of it shows that it is there.
    "-SI with plan to overdose",
    # A list of which each entry begins with a sign.
    "-depression -anxiety -SI",
    "-insomnia\n-SI",
)


@pytest.mark.parametrize("written", _DENIED)
def test_a_sign_that_it_is_not_there_is_a_denial(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert plan.alerts == []
    assert "unread-entry-may-be-grave" not in rules_of(plan)
    assert READER.read(written).recognition != "unread"


@pytest.mark.parametrize("written", _PRESENT)
def test_a_sign_that_it_is_there_and_a_mark_of_a_list_are_none(planner: Planner, written: str) -> None:
    assert _STOP in [item.id for item in plan_of(planner, written).alerts]


def test_marks_of_a_list_are_told_by_its_other_entries(planner: Planner) -> None:
    assert _STOP in [item.id for item in plan_of(planner, "-depression", "-SI").alerts]
    assert plan_of(planner, "depression", "-SI").alerts == []
    assert plan_of(planner, "-HI", "-SI").alerts == []


def test_a_sign_takes_its_own_word_only_and_its_places_are_those_of_the_entry() -> None:
    text = "depression; SI (-), HI (+)"
    read = READER.read(text)
    assert [(text[part.start : part.end], part.status) for part in read.parts] == [
        ("depression", "present"),
        ("SI", "denied"),
        ("HI", "unsure"),
    ]
    assert READER.read("SI (-), seizures").tokens == ("seizure_disorder",)


def test_a_sign_in_brackets_counts_behind_any_word() -> None:
    assert READER.read("COVID (-)").tokens == READER.read("COVID -ve").tokens == ()
    assert READER.read("flu +ve").tokens == READER.read("flu").tokens != ()


def test_thoughts_that_were_do_not_contradict_that_there_are_none_today(planner: Planner) -> None:
    assert "entries-contradict" not in rules_of(plan_of(planner, "h/o SI, -SI currently"))
    assert "entries-contradict" in rules_of(plan_of(planner, "h/o SI; never had SI"))


@pytest.mark.parametrize("text", ["", "mood - low", "low-dose", "T-score -2.5", "A1c 7+"])
def test_other_signs_stay_as_they_are(text: str) -> None:
    assert Signs(("si", "hi")).written_out(*plain(text)) == plain(text)
