"""The clinic's own protocol behind the one of a request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from careplan.clinic_settings import clinic_defaults
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.planner import Planner
from careplan.request.patient import NO_DEFAULTS, ClinicDefaults, Hold, Patient, Protocol
from careplan.settings import Settings

CLINIC = Protocol(
    holds=[Hold(drug_class="benzodiazepine", before_hours=12, after_hours=0, approved_by="Dr. Clinic")],
    solid_food_hours=8,
    approved_by="Dr. Clinic",
)


def test_a_request_without_a_protocol_gets_the_clinics() -> None:
    assert Patient().under(ClinicDefaults(CLINIC)).protocol == CLINIC
    assert Patient(protocol=Protocol()).under(ClinicDefaults(CLINIC)).protocol == CLINIC
    assert Patient().under(NO_DEFAULTS).protocol is None


def test_figures_of_two_protocols_are_not_mixed_under_one_name() -> None:
    sent = Patient(protocol=Protocol(driving_hours=24, approved_by="Dr. Sender")).under(ClinicDefaults(CLINIC)).protocol
    assert sent is not None
    assert (sent.driving_hours, sent.solid_food_hours, sent.approved_by) == (24, None, "Dr. Sender")
    assert sent.holds == CLINIC.holds


def test_a_hold_in_the_request_wins_over_the_clinics_for_its_class() -> None:
    own = Hold(drug_class="benzodiazepine", before_hours=2, after_hours=2, approved_by="Dr. Sender")
    other = Hold(drug_class="opioid", before_hours=2, after_hours=2, approved_by="Dr. Sender")
    taken = Patient(protocol=Protocol(holds=[own, other])).under(ClinicDefaults(CLINIC)).protocol
    assert taken is not None
    assert taken.holds == [own, other]
    assert taken.solid_food_hours == 8


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"holds": [msgspec.to_builtins(CLINIC.holds[0]) | {"drug_class": "benzodiazepines"}]}, "drug_class"),
        ({"driving_hours": 24}, "approved_by"),
        ({"driving_hours": 24, "approved_by": "TBD"}, "approved_by"),
        ({"driving_huors": 24}, "driving_huors"),
        ([], "must be"),
    ],
)  # fmt: skip
def test_a_faulty_file_is_refused_before_anything_is_served(
    planner: Planner, tmp_path: Path, content: Any, says: str
) -> None:
    path = tmp_path / "protocol.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidSettings, match=says):
        clinic_defaults(Settings(protocol=str(path)), planner.intake)


def test_a_sound_file_is_read(planner: Planner, tmp_path: Path) -> None:
    path = tmp_path / "protocol.json"
    path.write_bytes(msgspec.json.encode(CLINIC))
    assert clinic_defaults(Settings(protocol=str(path)), planner.intake) == ClinicDefaults(CLINIC)
    with pytest.raises(InvalidSettings, match="cannot be read"):
        clinic_defaults(Settings(protocol=str(tmp_path / "none.json")), planner.intake)


def test_two_holds_of_one_class_are_not_settled_in_silence(planner: Planner) -> None:
    holds = [
        {"drug_class": "benzodiazepine", "before_hours": 12, "after_hours": 0, "approved_by": "Dr. Uno"},
        {"drug_class": "benzodiazepine", "before_hours": 48, "after_hours": 24, "approved_by": "Dr. Due"},
    ]
    body = {
        "medications": [{"name": "Xanax", "schedule": "as_needed", "indication": "anxiety"}],
        "conditions": [],
        "lifestyle": {"alcohol_drinks_per_week": 0},
        "red_flags": {"intoxicated_now": False, "new_neurological_symptom": False},
        "protocol": {"holds": holds},
    }
    (entry,) = planner.plan(planner.intake.convert(body)).not_considered
    assert entry.pointer == "/protocol/holds/0"
    assert "names this class twice" in entry.why


def test_a_condition_that_gave_an_item_through_the_whole_history_is_not_called_silent(planner: Planner) -> None:
    plan = planner.plan(planner.intake.convert({"conditions": ["mania"]}))
    assert plan.status == "blocked"
    assert [about.pointer for about in plan.alerts[0].about] == ["/conditions/0"]
    assert plan.not_considered == []


def test_what_should_precede_the_first_session_is_due_before_the_next_one_in_a_running_series(planner: Planner) -> None:
    for completed, due in ((0, True), (1, False)):
        body = {"medications": [{"name": "Xanax"}], "treatment": {"sessions_completed": completed}}
        plan = planner.plan(planner.intake.convert(body))
        asked = {ask.by for section in plan.sections for item in section.items for ask in item.asks}
        assert ("before_first_session" in asked) == due


@pytest.mark.parametrize(
    "name",
    [
        "J. K. Smith",
        "Dr. A. Example, MD",
        "Jos\u00e9 \u00d1u",
        "\u738b\u5c0f\u660e",
        "O'Neil",
        "\u0936\u094d\u0930\u0940 \u0926\u0947\u0935\u0940",
    ],
)
def test_names_of_all_kinds_may_sign(planner: Planner, name: str) -> None:
    body = json.dumps({"protocol": {"approved_by": name}}).encode()
    protocol = planner.intake.decode(body).protocol
    assert protocol is not None
    assert protocol.approved_by == name


@pytest.mark.parametrize("name", ["a..", "N/A", "tbd", "Dr.", "a\rb1", "Sam <b>", "stop your Xanax now", "12 h"])
def test_what_is_no_name_may_not_sign(planner: Planner, name: str) -> None:
    with pytest.raises(InvalidPatient):
        planner.intake.decode(json.dumps({"protocol": {"approved_by": name}}).encode())


@pytest.mark.parametrize("name", ["aa" * 60_000 + "1", "a " * 60_000 + "1", "a" + " " * 120_000 + "1"])
def test_a_hostile_signature_is_refused_without_searching_it_for_long(planner: Planner, name: str) -> None:
    """A pattern with several ways to read a text would need minutes for these; the runner's own limit would end it."""
    with pytest.raises(InvalidPatient):
        planner.intake.decode(json.dumps({"protocol": {"approved_by": name}}).encode())
