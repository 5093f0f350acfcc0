"""What is remembered from other patients changes nothing: the same bytes as from a planner that has just begun."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.assembly import Assembly
from careplan.difference import items_of
from careplan.explain import Explainer
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from tests.patients import patients

encode = msgspec.json.Encoder().encode


@pytest.fixture(scope="module")
def warm(book: Rulebook) -> Iterator[Planner]:
    """A planner that sees every patient of these tests."""
    made = Planner(book)
    yield made
    made.close()


@settings(max_examples=20)
@given(st.data())
def test_a_plan_is_the_same_whoever_was_planned_for_before(warm: Planner, data: st.DataObject) -> None:
    patient = warm.intake.convert(data.draw(patients(warm.book)))
    warm.forget()
    first = encode(warm.plan(patient))
    for _ in range(2):
        other = warm.intake.convert(data.draw(patients(warm.book)))
        warm.plan(other)
        warm.explained(other)
    case, findings, plan = warm.traced(patient)
    assert encode(plan) == first
    assert warm.encoded(patient) == first
    assert encode(Assembly(warm.book).plan(case, findings)) == first
    again = warm.explained(patient)
    assert encode(again.explanation) == encode(Explainer(warm.book).explain(case, findings, items_of(plan)))
    assert encode(again.explanation) == encode(warm.explained(patient).explanation)


def test_zero_is_written_the_same_whatever_its_sign(warm: Planner) -> None:
    bodies = [b'{"lifestyle": {"exercise_minutes_per_week": %s}}' % number for number in (b"-0.0", b"0.0", b"0", b"-0")]
    assert len({warm.encoded(warm.intake.decode(body)) for body in bodies}) == 1


def test_no_words_of_a_caller_are_remembered(warm: Planner) -> None:
    mark = "Zyxwvut"
    body = {
        "medications": [{"name": f"alprazolam and {mark}"}, {"name": mark, "schedule": "daily"}, {"name": "Xanax"}],
        "expectations": {"goals": [f"I want to walk to {mark} every day"]},
        "other_conditions": [mark],
        "conditions": sorted(warm.book.conditions)[:3],
        "protocol": {
            "driving_hours": 24,
            "approved_by": f"Doctor {mark}",
            "holds": [
                {"drug_class": "benzodiazepine", "before_hours": 8, "after_hours": 2, "approved_by": f"Doctor {mark}"}
            ],
        },
        "treatment": {"preferred_route": "iv", "product": "racemic"},
    }
    patient = warm.intake.decode(encode(body))
    assert mark.encode() in warm.encoded(patient)
    warm.explained(patient)
    assert mark not in repr(list(warm.remembered()))
