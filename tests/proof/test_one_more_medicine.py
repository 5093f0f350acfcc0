"""What one medicine more may take away: a question of leaving out doses closes, and a caution about the medicine stays."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import z3

from careplan.authoring.proof.claims import Claims
from careplan.authoring.proof.search import Search
from careplan.planner import Planner
from tests.patients import Json
from tests.shipped import BOOK

HOLD, CAUTION = "stimulant-session-day-decision", "stimulant-blood-pressure"
FEW = msgspec.structs.replace(BOOK, rules={name: BOOK.rules[name] for name in (HOLD, CAUTION)})


@pytest.fixture(scope="module")
def search() -> Iterator[Search]:
    made = Search(FEW)
    yield made
    made.close()


def broken(search: Search, *without: str) -> object:
    """What the solver says of a patient who loses the decision about a stimulant and has no caution about it."""
    book = msgspec.structs.replace(FEW, rules={name: rule for name, rule in FEW.rules.items() if name not in without})
    (claim,) = Claims(book, search.symbolic).one_more(book.rules[HOLD])
    assert "leaves a caution about the same medicine" in claim.says
    return search.ask(claim.wrong)[0]


@pytest.mark.long
def test_the_decision_about_a_stimulant_ends_with_its_question_and_a_caution_about_it_stays(search: Search) -> None:
    assert broken(search) == z3.unsat
    assert broken(search, CAUTION) == z3.sat


@pytest.mark.parametrize("more", [{"name": "lamotrigine"}, {"name": "diazepam", "indication": "epilepsy"}])
def test_the_engine_plans_so(planner: Planner, more: Json) -> None:
    patient: Json = {
        "medications": [{"name": "methylphenidate", "schedule": "daily", "indication": "depression"}],
        "conditions": [],
        "lifestyle": {"alcohol_drinks_per_week": 0},
        "red_flags": {"intoxicated_now": False, "new_neurological_symptom": False},
    }
    after = {**patient, "medications": [*patient["medications"], more]}
    plans = [
        {item.rule.id for item in planner.items(planner.intake.decode(msgspec.json.encode(body)))}
        for body in (patient, after)
    ]
    assert [{HOLD, CAUTION} & plan for plan in plans] == [{HOLD}, {CAUTION}]
