"""What the written forms say about times and about which medicine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from careplan.formats.timeline_svg import LEFT, RIGHT, drawings
from careplan.formats.view_model import sheet
from careplan.plan.timeline import Moment, timeline
from careplan.planner import Planner
from careplan.zones import hour, zone_words

TIMES = ["2026-12-08T09:30:00-05:00", "2026-12-01T09:30:00-05:00"]
NEW_YORK = ZoneInfo("America/New_York")
DOCTOR = "Dr. A. Example, MD"
SIGNED: dict[str, Any] = {
    "medications": [{"name": "lorazepam", "schedule": "as_needed", "indication": "anxiety"}],
    "conditions": [],
    "lifestyle": {"alcohol_drinks_per_week": 0},
    "red_flags": {"intoxicated_now": False, "new_neurological_symptom": False},
    "support": {"therapist": True},
    "protocol": {
        "holds": [{"drug_class": "benzodiazepine", "before_hours": 48, "after_hours": 6, "approved_by": DOCTOR}],
        "solid_food_hours": 8,
        "clear_fluid_hours": 2,
        "observation_minutes": 90,
        "driving_hours": 24,
        "approved_by": DOCTOR,
    },
}


def moments(planner: Planner, body: dict[str, Any], zone: tzinfo | None = None) -> list[Moment]:
    patient = planner.intake.decode(msgspec.json.encode(body))
    return timeline(planner.plan(patient), patient, zone)


def rows(planner: Planner, body: dict[str, Any], zone: tzinfo | None) -> dict[str, tuple[str, str]]:
    """From when to when, by the kind of moment; where there are several of a kind, the first."""
    patient = planner.intake.decode(msgspec.json.encode(body))
    found = sheet(planner.plan(patient), patient, zone)["details"]["timeline"]
    return {row["kind"]: (row["from"], row["to"]) for row in reversed(found)}


def test_what_is_asked_after_a_session_stands_at_its_end_and_a_deadline_at_its_own_time(planner: Planner) -> None:
    body = {
        "treatment": {"preferred_route": "nasal", "product": "racemic", "sessions_planned": 6, "session_times": TIMES},
        "support": {"therapist": False, "trusted_people": 1},
        "protocol": {"observation_minutes": 90, "approved_by": "Dr. A. Example, MD"},
    }
    first = [moment for moment in moments(planner, body) if moment.session == 1]
    begins = next(moment.start for moment in first if moment.kind == "session")
    after = next(moment for moment in first if "note when the effect began" in moment.label)
    home = next(moment for moment in first if moment.kind == "escort")
    assert after.start == home.start == begins + timedelta(minutes=90)
    talk = next(moment for moment in first if "talk for 20 minutes" in moment.label)
    assert talk.whole_days
    assert (talk.start.isoformat(), (talk.end or begins).isoformat()) == (
        "2026-12-02T00:00:00-05:00",
        "2026-12-05T00:00:00-05:00",
    )
    assert [moment.kind for moment in first if moment.start == begins][0:1] == ["session"]


def test_where_nobody_said_how_long_a_session_is_what_follows_it_has_a_day_and_no_hour(planner: Planner) -> None:
    found = moments(planner, {"treatment": {"session_times": TIMES[:1]}, "support": {"therapist": True}})
    home, therapist = (next(one for one in found if word in one.label) for word in ("Way home", "Therapist: see or call"))
    assert home.whole_days
    assert (home.start.date().isoformat(), home.end) == ("2026-12-08", home.start + timedelta(days=1))
    assert therapist.whole_days
    assert (therapist.start, therapist.end) == (home.start + timedelta(days=1), home.start + timedelta(days=4))
    assert found[0].kind == "session"
    assert {one.kind for one in found} <= {"session", "escort", "check_in", "review"}


def test_days_that_count_from_the_reading_of_the_plan_have_no_date(planner: Planner) -> None:
    body = {"treatment": {"session_times": TIMES}, "conditions": ["blood_in_urine"]}
    plan = planner.plan(planner.intake.decode(msgspec.json.encode(body)))
    asked = [
        ask for section in plan.sections for item in section.items for ask in item.asks if ask.by == "within_three_days"
    ]
    assert any("urinary findings" in ask.what for ask in asked)
    assert not [one for one in moments(planner, body) if "urinary findings" in one.label]


def test_a_time_that_was_sent_twice_is_one_session(planner: Planner) -> None:
    body = {"treatment": {"session_times": ["2026-12-01T09:30:00-05:00", "2026-12-01T14:30:00Z"]}}
    assert len([one for one in moments(planner, body) if one.kind == "session"]) == 1


def test_the_windows_are_as_long_as_the_signed_protocol_says(planner: Planner) -> None:
    found = moments(planner, SIGNED | {"treatment": {"session_times": TIMES[:1]}})
    hours = {
        one.kind: tuple((when - one.begins) / timedelta(hours=1) for when in (one.start, one.end))
        for one in found
        if one.end and not one.whole_days
    }
    assert hours == {"hold": (-48, 6), "food": (-8, 0), "drinks": (-2, 0), "observation": (0, 1.5), "driving": (0, 24)}
    assert {one.signed_by for one in found if one.kind in hours} == {DOCTOR}


def test_hours_stand_in_the_zone_that_is_asked_for_over_a_change_of_its_clocks(planner: Planner) -> None:
    body = SIGNED | {"treatment": {"session_times": ["2027-03-15T14:00:00Z"]}}
    found = rows(planner, body, NEW_YORK)
    assert found["session"] == ("2027-03-15 10:00", "")
    assert found["hold"] == ("2027-03-13 09:00", "2027-03-15 16:00")
    assert found["food"] == ("2027-03-15 02:00", "2027-03-15 10:00")
    assert found["escort"] == ("2027-03-15 11:30", "")
    assert found["check_in"][0].startswith("2027-03-1")
    patient = planner.intake.convert(body)
    shown = sheet(planner.plan(patient), patient, NEW_YORK)
    assert shown["details"]["zone"] == "All hours are local time in New York (America/New_York)."


def test_without_a_zone_hours_stand_as_they_were_sent_and_say_their_offset(planner: Planner) -> None:
    body = SIGNED | {"treatment": {"session_times": ["2027-03-15T10:00:00-04:00"]}}
    found = rows(planner, body, None)
    assert found["session"] == ("2027-03-15 10:00 UTC-04:00", "")
    assert found["hold"] == ("2027-03-13 10:00 UTC-04:00", "2027-03-15 16:00 UTC-04:00")


def test_an_hour_that_the_clocks_show_twice_says_which_one_it_is() -> None:
    first, second = (datetime(2026, 11, 1, at, 30, tzinfo=UTC).astimezone(NEW_YORK) for at in (5, 6))
    assert [hour(when, NEW_YORK) for when in (first, second)] == ["2026-11-01 01:30 UTC-04:00", "2026-11-01 01:30 UTC-05:00"]
    assert hour(datetime(2026, 11, 1, 17, tzinfo=UTC).astimezone(NEW_YORK), NEW_YORK) == "2026-11-01 12:00"
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert hour(noon, None) == "2026-11-01 12:00 UTC"
    assert zone_words(ZoneInfo("UTC")) == "All hours are UTC."


# The drawing.


def test_bars_are_drawn_to_scale_and_say_how_long_before_and_after(planner: Planner) -> None:
    found = moments(planner, SIGNED | {"treatment": {"session_times": TIMES[:1]}})
    (svg,) = drawings(found)
    ticks = {name: float(at) for at, name in re.findall(r'<text x="([\d.]+)" [^>]*class="tick">([^<]+)</text>', svg)}
    bars = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    said = re.findall(r'class="hours"[^>]*>([^<]+)</text>', svg)
    assert {"start", "−2 d", "+1 d"} <= set(ticks)
    day = ticks["+1 d"] - ticks["start"]
    drawn = [(round((float(x) - ticks["start"]) / day * 24), round(float(width) / day * 24, 1)) for x, width in bars]
    assert drawn[:5] == [(-48, 54.0), (-8, 8.0), (-2, 2.0), (0, 24.0), (0, 1.5)]
    assert said[:5] == ["48 h before, 6 h after", "8 h before", "2 h before", "24 h after", "1.5 h after"]
    assert "1 to 3 days after" in said
    assert all(LEFT <= float(x) <= RIGHT for x, _ in bars)
    assert ticks == dict(sorted(ticks.items(), key=lambda one: one[1]))


def test_no_label_of_the_drawing_is_cut(planner: Planner) -> None:
    found = moments(planner, SIGNED | {"treatment": {"session_times": TIMES[:1]}})
    (svg,) = drawings(found)
    shown = " ".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg))
    assert "…" not in shown
    for one in found:
        assert one.kind == "review" or " ".join(one.label.split()) in shown
    assert "Session 1, 2026-12-08 09:30 UTC-05:00" in shown


def test_sessions_around_which_the_same_happens_share_a_drawing(planner: Planner) -> None:
    alike = drawings(moments(planner, SIGNED | {"treatment": {"session_times": TIMES}}))
    assert len(alike) == 1
    assert all(f"Session {at}, 2026-12-0" in alike[0] for at in (1, 2))
    # The end of summer time makes the days after a session come an hour later.
    apart = ["2026-10-31T09:30:00-04:00", "2026-11-10T09:30:00-05:00"]
    assert len(drawings(moments(planner, SIGNED | {"treatment": {"session_times": apart}}, NEW_YORK))) == 2
    assert drawings([]) == []


@pytest.mark.parametrize("hours", [0.5, 36])
def test_a_short_and_a_long_window_can_both_be_drawn(planner: Planner, hours: float) -> None:
    body = json_copy(SIGNED)
    body["protocol"]["holds"][0] |= {"before_hours": hours, "after_hours": hours}
    (svg,) = drawings(moments(planner, body | {"treatment": {"session_times": TIMES[:1]}}))
    ticks = re.findall(r'class="tick">([^<]+)<', svg)
    assert 2 <= len(ticks) <= 9
    assert f"{hours:g} h before, {hours:g} h after" in svg


def json_copy(body: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return copied


def test_a_session_is_numbered_only_where_the_times_count_from_the_first(planner: Planner) -> None:
    def labels(**more: object) -> list[str]:
        found = moments(planner, {"treatment": {"session_times": TIMES, **more}})
        return [moment.label for moment in found if moment.kind == "session"]

    assert labels() == labels(sessions_completed=0) == ["Session 1", "Session 2"]
    assert labels(sessions_completed=2) == ["Session, date 1 of 2", "Session, date 2 of 2"]


def test_a_medicine_that_was_not_recognized_is_shown_as_it_was_sent(planner: Planner) -> None:
    body = {"medications": [{"name": "Klonopin"}, {"name": "St  Johnz Wort"}, {"rxcui": "99999999"}]}
    patient = planner.intake.decode(msgspec.json.encode(body))
    assert sheet(planner.plan(patient), patient)["details"]["medicines"] == [
        "clonazepam (Klonopin)",
        "“St Johnz Wort” (not recognized)",
        "RxNorm code 99999999 (not recognized)",
    ]


def test_a_question_about_a_medicine_says_which_one(planner: Planner) -> None:
    body = {"medications": [{"name": "Klonopin"}, {"name": "Ozempic"}]}
    patient = planner.intake.decode(msgspec.json.encode(body))
    plan = planner.plan(patient)
    asked = [one["question"] for group in sheet(plan, patient)["details"]["questions"] for one in group["asked"]]
    assert len(set(asked)) == len(asked)
    assert "What is this medicine for? [clonazepam (Klonopin)]" in asked


def test_what_a_patient_does_not_have_is_said_without_an_article(planner: Planner) -> None:
    body = {"conditions": ["hypertension"], "lifestyle": {"nutrition": "mixed"}}
    plan = planner.plan(planner.intake.decode(msgspec.json.encode(body)))
    reasons = [reason for section in plan.sections for item in section.items for reason in item.because]
    assert "has no eating disorder" in reasons
    assert not [reason for reason in reasons if " no a " in reason or " no an " in reason]
