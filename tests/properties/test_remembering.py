"""What is remembered from other patients changes nothing: the same bytes as from a planner that has just begun."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.explain.plan_diff import items_of
from careplan.explain.why_not import Explainer
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


@pytest.fixture(scope="module")
def cold(book: Rulebook) -> Iterator[Planner]:
    """A planner that forgets everybody."""
    made = Planner(book)
    yield made
    made.close()


@settings(max_examples=20)
@given(st.data())
def test_a_plan_is_the_same_whoever_was_planned_for_before(warm: Planner, cold: Planner, data: st.DataObject) -> None:
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
    cold.forget()
    assert encode(cold.plan(patient)) == first
    again = warm.explained(patient)
    assert encode(again.explanation) == encode(Explainer(warm.book).explain(case, findings, items_of(plan)))
    assert encode(again.explanation) == encode(warm.explained(patient).explanation)


TRICKY = st.sampled_from(
    ['"', "\\", "\x1a", "\x1agoal/0\x1a", "\\u001agoal/1\\u001a", "{goal}", "\u2028", "🙂", "é", "</script>"]
)
WORDS = st.text("abcdefgh ", min_size=1, max_size=12).map(str.strip)


NAMES = st.sampled_from(["Ada Lovelace", "José Ortega", "Zoë O'Brien", "Anne-Marie Fox"])


@st.composite
def bodies_that_differ_in_words(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    def body() -> dict[str, Any]:
        words = [f"{draw(WORDS)}{draw(TRICKY)}{draw(WORDS)}" for _ in range(3)]
        return {
            "medications": [
                {"name": f"{draw(st.sampled_from(['zqzq', 'alprazolam and zq', 'metoprolol']))} {words[0]}"},
                {"name": "Xanax", "schedule": "as_needed", "indication": "anxiety"},
            ],
            "expectations": {"goals": [f"I want to walk to {words[1]} every day", f"stop my Xanax {words[2]}"]},
            "treatment": {"preferred_route": "iv", "product": "racemic"},
            "protocol": {"driving_hours": 24, "approved_by": f"Doctor {draw(NAMES)}"},
        }

    return body(), body()


@settings(max_examples=40)
@given(bodies_that_differ_in_words())
def test_each_plan_has_the_words_of_its_own_caller(
    warm: Planner, cold: Planner, bodies: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    for body in bodies:
        patient = warm.intake.convert(body)
        cold.forget()
        wanted = cold.plan(patient)
        assert warm.encoded(patient) == encode(wanted)
        assert encode(warm.plan(patient)) == encode(wanted)
        named = {about.name for item in items_of(wanted) for about in item.about}
        assert set(map(str.strip, map(" ".join, map(str.split, body["expectations"]["goals"])))) <= named


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
