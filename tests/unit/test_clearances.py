"""A clinician's record turns an alert into a decision with the record beside it, never into silence, and it grows old."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.errors import InvalidPatient
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from tests.plans import by_rule
from tests.shipped import BOOK

AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
RECORD = {
    "what": "suicidal_thoughts",
    "by": "Dr. Hanna Okafor, MD",
    "at": AT.isoformat(),
    "arranged": "Safety plan written with the patient, sister informed, next call on Monday.",
}
PASSIVE: dict[str, Any] = {"red_flags": {"suicidal_thoughts": "passive"}}


def planned(planner: Planner, body: dict[str, Any]) -> CarePlan:
    """The plan of a body, which must be the same as its JSON."""
    patient = planner.intake.decode(json.dumps(body).encode())
    plan = planner.plan(patient)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=CarePlan) == plan
    return plan


def cleared(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return body | {"clearances": [RECORD | changes]}


def reasons(plan: CarePlan) -> list[str]:
    return [entry.why for entry in plan.not_considered if entry.pointer.startswith("/clearances")]


def test_an_alert_that_was_assessed_is_a_decision_with_the_record_beside_it(planner: Planner) -> None:
    before, after = planned(planner, PASSIVE), planned(planner, cleared(PASSIVE))
    assert (before.status, after.status) == ("blocked", "draft")
    assert not after.alerts
    (screening,) = [section for section in after.sections if section.section == "screening"]
    first = screening.items[0]
    assert (first.rule.id, first.level) == ("suicidal-thoughts-passive", "hold")
    assert first.cleared is not None
    assert (first.cleared.by, first.cleared.at, first.cleared.arranged) == (RECORD["by"], AT, RECORD["arranged"])
    assert all(words in first.clinician_text for words in (RECORD["by"], "2026-11-20 14:30 UTC", RECORD["arranged"]))
    assert RECORD["arranged"] not in first.patient_text
    assert "988" in first.patient_text
    assert by_rule(before).keys() == by_rule(after).keys()
    assert not reasons(after)


def test_a_record_of_another_thing_clears_nothing(planner: Planner) -> None:
    for what in ("pregnancy", "psychosis_now", "suicidal", "other"):
        plan = planned(planner, cleared(PASSIVE, what=what))
        assert plan.status == "blocked"
        assert plan.alerts[0] == planned(planner, PASSIVE).alerts[0]
        assert len(reasons(plan)) == 1


def test_a_plan_stays_blocked_while_one_alert_is_left(planner: Planner) -> None:
    plan = planned(planner, cleared({"pregnancy": "pregnant", **PASSIVE}))
    assert plan.status == "blocked"
    assert [item.rule.id for item in plan.alerts] == ["pregnancy-known-before-the-series"]
    assert by_rule(plan)["suicidal-thoughts-passive"].cleared
    assert [decision.choice for decision in plan.decisions] == ["discuss"]


def test_the_route_is_chosen_again_once_all_alerts_are_cleared(planner: Planner) -> None:
    body = {"pregnancy": "pregnant", "treatment": {"product": "racemic", "preferred_route": "iv", "sessions_completed": 0}}
    assert [decision.choice for decision in planned(planner, body).decisions] == ["discuss"]
    assert [decision.choice for decision in planned(planner, cleared(body, what="pregnancy")).decisions] == ["iv"]


@pytest.mark.parametrize(
    ("last", "times", "counts"),
    [
        (None, [], True),
        (AT - timedelta(days=30), [], True),
        (AT, [], False),
        (AT + timedelta(minutes=1), [], False),
        (None, [AT - timedelta(days=1)], True),
        (None, [AT + timedelta(days=7)], True),
        (None, [AT + timedelta(days=7, minutes=1)], False),
        (None, [AT + timedelta(days=2), AT + timedelta(days=9)], True),
        (AT + timedelta(days=2), [AT + timedelta(days=2), AT + timedelta(days=9)], False),
        (AT - timedelta(days=2), [AT - timedelta(days=2), AT + timedelta(days=5)], True),
    ],
)
def test_a_record_counts_until_a_session_has_taken_place_and_for_a_week_before_the_next(
    planner: Planner, last: datetime | None, times: list[datetime], *, counts: bool
) -> None:
    treatment: dict[str, Any] = {"session_times": [time.isoformat() for time in times]}
    if last is not None:
        treatment["last_session_at"] = last.isoformat()
    plan = planned(planner, cleared(PASSIVE | {"treatment": treatment}))
    assert plan.status == ("draft" if counts else "blocked")
    assert len(reasons(plan)) == (0 if counts else 1)
    assert counts or "assessed again" in reasons(plan)[0]


@given(
    at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)),
    last=st.none() | st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)),
    what=st.sampled_from(["suicidal_thoughts", "pregnancy", "intoxicated_now", "home_environment", "delirium", "x"]),
    flags=st.fixed_dictionaries(
        {},
        optional={
            "pregnancy": st.sampled_from(["pregnant", "possible"]),
            "red_flags": st.fixed_dictionaries(
                {
                    "suicidal_thoughts": st.sampled_from(["none", "passive", "plan_or_intent"]),
                    "intoxicated_now": st.booleans(),
                }
            ),
            "lifestyle": st.just({"home_environment": "abusive"}),
            "conditions": st.sampled_from([["delirium"], [], ["delirium", "mania"]]),
        },
    ),
)
def test_no_record_ever_makes_an_item_go_away_or_touches_another_one(
    planner: Planner, at: datetime, last: datetime | None, what: str, flags: dict[str, Any]
) -> None:
    body = flags | ({"treatment": {"last_session_at": last.isoformat()}} if last else {})
    before, after = planned(planner, body), planned(planner, cleared(body, what=what, at=at.isoformat()))
    assert by_rule(before).keys() == by_rule(after).keys()
    changed = [item for name, item in by_rule(after).items() if item.level != by_rule(before)[name].level]
    assert all(item.cleared and item.level == "hold" for item in changed)
    # Every record is either shown or named with a reason.
    assert bool(changed) != bool(reasons(after))
    assert (after.status == "blocked") == bool(after.alerts)


NEVER: dict[str, dict[str, Any]] = {
    "younger-than-eighteen": {"age_years": 15},
    "intoxicated-right-now": {"red_flags": {"intoxicated_now": True}},
    "suicidal-plan-or-intent": {"red_flags": {"suicidal_thoughts": "plan_or_intent"}},
    "intent-to-harm-others": {"conditions": ["harm_to_others_intent"]},
    "consent-not-possible": {"conditions": ["cannot_consent"]},
    "goal-speaks-of-self-harm": {"expectations": {"goals": ["kill myself"]}},
    "unread-entry-may-be-a-danger": {"conditions": [], "other_conditions": ["tried to kill myself last month"]},
    "goal-speaks-of-harming-others": {"expectations": {"goals": ["kill my boss"]}},
    "worse-and-suicidal-thoughts-not-asked": {"treatment": {"response_so_far": "worse", "sessions_completed": 2}},
}


@pytest.mark.parametrize("rule", NEVER)
@pytest.mark.parametrize(
    "what",
    [
        "age_years",
        "intoxicated_now",
        "suicidal_thoughts",
        "harm_to_others_intent",
        "cannot_consent",
        "self_harm",
        "response_so_far",
    ],
)
def test_some_stops_are_cleared_by_no_paper(planner: Planner, rule: str, what: str) -> None:
    plan = planned(planner, cleared(NEVER[rule], what=what))
    assert rule in {item.rule.id for item in plan.alerts}


def test_every_stop_says_whether_a_record_clears_it() -> None:
    stops = {rule.id for rule in BOOK.rules.values() if rule.file.level == "stop"}
    clearable = {rule.id for rule in BOOK.rules.values() if rule.file.clears_with}
    assert stops - clearable == NEVER.keys()
    assert all("No record clears this stop" in BOOK.rules[name].file.rationale for name in NEVER)


def test_of_several_conditions_only_the_one_that_was_assessed_is_cleared(planner: Planner) -> None:
    body = {"conditions": ["aneurysmal_vascular_disease", "arteriovenous_malformation"], "treatment": {"product": "racemic"}}
    plan = planned(planner, cleared(body, what="arteriovenous_malformation"))
    assert [item.id.partition("/")[2] for item in plan.alerts] == ["aneurysmal_vascular_disease"]


def test_of_two_records_the_newer_is_shown_and_the_other_named(planner: Planner) -> None:
    newer = RECORD | {"at": (AT + timedelta(days=1)).isoformat(), "arranged": "Seen again, thoughts less."}
    plan = planned(planner, PASSIVE | {"clearances": [RECORD, newer]})
    shown = by_rule(plan)["suicidal-thoughts-passive"].cleared
    assert shown is not None
    assert shown.arranged == newer["arranged"]
    assert len(reasons(plan)) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"by": "tbd"}, "/clearances/0/by"),
        ({"by": "x"}, "/clearances/0/by"),
        ({"at": "2026-11-20T14:30:00"}, "/clearances/0/at"),
        ({"at": "1850-11-20T14:30:00Z"}, "/clearances/0/at"),
        ({"arranged": " "}, "/clearances/0/arranged"),
        ({"arranged": "x" * 501}, "/clearances/0/arranged"),
        ({"what": "Suicidal"}, "/clearances/0/what"),
        ({"note": "x"}, "/clearances/0/note"),
    ],
)
def test_a_record_without_name_time_or_arrangement_is_refused(
    planner: Planner, change: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidPatient) as refused:
        planned(planner, cleared(PASSIVE, **change))
    assert pointer in {fault.pointer for fault in refused.value.faults}


def test_nothing_of_a_record_reaches_the_engine(planner: Planner) -> None:
    told = "Rumpelstiltskin arranged it"
    patient = planner.intake.decode(json.dumps(cleared(PASSIVE, by="Dr. Quillfeather", arranged=told)).encode())
    case, _, plan = planner.traced(patient)
    assert told in repr(plan)
    assert not any("umpel" in repr(fact) or "Quillfeather" in repr(fact) for fact in case.facts)


def test_the_time_of_the_last_session_without_a_record_is_named_as_not_looked_at(planner: Planner) -> None:
    body = {"treatment": {"last_session_at": AT.isoformat()}}
    assert [entry.pointer for entry in planned(planner, body).not_considered] == ["/treatment/last_session_at"]
    assert "/treatment/last_session_at" not in {entry.pointer for entry in planned(planner, cleared(body)).not_considered}
