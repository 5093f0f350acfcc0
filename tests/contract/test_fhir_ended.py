"""What a record calls ended: medicines that ended lately are asked about, and some illnesses do not go away."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader
from careplan.plan.model import items_of
from careplan.planner import Planner
from tests.contract.records import OWN, entry, incomplete, medicines, patient, problem, read, reported, statement
from tests.plans import rules_of

Json = dict[str, Any]


def until(day: str) -> Json:
    return {"effectivePeriod": {"start": "2026-01-10", "end": day}}


@pytest.mark.parametrize("status", ["stopped", "completed", "active", "on-hold", "unknown"])
def test_a_medicine_that_ended_within_two_weeks_is_asked_about(reader: FhirReader, status: str) -> None:
    found = read(reader, patient(), statement("m", "Nardil 15 mg", status=status, **until("2026-11-25")))
    assert [(one.name, one.status) for one in found.patient.medications or []] == [("Nardil 15 mg", "on_hold")]
    assert any("ended on 2026-11-25" in one.why for one in found.unmapped)
    assert incomplete(found) == []


@pytest.mark.parametrize("line", ["Nardil", "lorazepam 1 mg", "lamotrigine 200 mg", "methadone 40 mg"])
def test_a_record_and_a_line_that_say_that_a_medicine_ended_bring_up_the_same_rules(
    reader: FhirReader, planner: Planner, line: str
) -> None:
    record = read(reader, patient(), statement("m", line, status="stopped", **until("2026-11-25"))).patient
    listed = read(reader, patient(), statement("m", f"{line}, stopped 3 days ago")).patient
    assert rules_of(planner.plan(record)) == rules_of(planner.plan(listed))


@pytest.mark.parametrize(
    ("status", "end", "more"),
    [
        ("stopped", "2026-11-14", {}),
        ("stopped", "2026-11", {}),
        ("not-taken", "2026-11-25", {}),
        ("entered-in-error", "2026-11-25", {}),
        ("stopped", "2026-11-25", {"wasNotTaken": True}),
        ("active", "2026-11-25", {"adherence": {"code": {"coding": [{"code": "not-taking"}]}}}),
    ],
)
def test_a_medicine_that_ended_longer_ago_or_was_never_taken_does_not_count(
    reader: FhirReader, status: str, end: str, more: Json
) -> None:
    found = read(reader, patient(), statement("m", "Nardil", status=status, **until(end), **more))
    assert medicines(found) is None
    assert reported(found) == ["Nardil"]


def test_a_medicine_of_no_rule_that_ended_lately_is_not_asked_about(reader: FhirReader) -> None:
    found = read(reader, patient(), statement("m", "amoxicillin 500 mg", status="completed", **until("2026-11-25")))
    assert medicines(found) is None
    assert reported(found) == ["amoxicillin 500 mg"]


@pytest.mark.parametrize("first", ["ended", "taken"])
def test_an_order_that_took_the_place_of_another_of_the_same_medicine_is_all_that_counts(
    reader: FhirReader, first: str
) -> None:
    ended = statement("old", "Ativan 1 mg", status="completed", **until("2026-11-25"))
    taken = statement("new", "lorazepam 0.5 mg")
    found = read(reader, patient(), *((ended, taken) if first == "ended" else (taken, ended)))
    assert medicines(found) == ["lorazepam 0.5 mg"]
    assert reported(found) == ["Ativan 1 mg"]


def test_of_several_orders_that_ended_lately_the_last_one_is_asked_about(reader: FhirReader) -> None:
    days = ("2026-11-20", "2026-11-25", "2026-11-22")
    several = [statement(day, f"lorazepam, order of {day}", status="stopped", **until(day)) for day in days]
    found = read(reader, patient(), *several)
    assert medicines(found) == ["lorazepam, order of 2026-11-25"]
    assert sorted(reported(found)) == sorted(f"lorazepam, order of {day}" for day in days)


# Illnesses and allergies that a record calls over.


@pytest.mark.parametrize("status", ["inactive", "resolved", "remission"])
@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("Cerebral aneurysm", "aneurysmal_vascular_disease"),
        ("Abdominal aortic aneurysm 4.2 cm", "aneurysmal_vascular_disease"),
        ("Cerebral arteriovenous malformation", "arteriovenous_malformation"),
        ("Subarachnoid hemorrhage", "intracerebral_hemorrhage"),
        ("Glaucoma", "raised_intraocular_pressure"),
    ],
)
def test_what_does_not_go_away_counts_however_its_status_calls_it(
    reader: FhirReader, planner: Planner, name: str, token: str, status: str
) -> None:
    record = read(reader, patient(), problem("c", name, clinicalStatus=status)).patient
    assert record.conditions == [token]
    listed = planner.intake.convert({"other_conditions": [f"{name}, {status}"], "as_of": record.as_of})
    weighty = {item.rule.id for item in items_of(planner.plan(listed)) if item.level in ("stop", "hold")}
    assert weighty <= rules_of(planner.plan(record))


@pytest.mark.parametrize("word", ["refuted", "entered-in-error"])
def test_what_does_not_go_away_and_never_was_does_not_count(reader: FhirReader, word: str) -> None:
    found = read(reader, patient(), problem("c", "Cerebral aneurysm", clinicalStatus="inactive", verificationStatus=word))
    assert (found.patient.conditions, reported(found)) == (None, ["Cerebral aneurysm"])


@pytest.mark.parametrize(
    ("days", "token"),
    [
        ({"onsetDateTime": "2026-11-14", "abatementDateTime": "2026-11-18"}, "recent_cardiovascular_event"),
        ({"abatementDateTime": "2026-11-18"}, "recent_cardiovascular_event"),
        ({"recordedDate": "2026-11-14"}, "recent_cardiovascular_event"),
        ({"onsetDateTime": "2009-01-01", "abatementDateTime": "2026-11-18"}, "heart_or_vessel_disease"),
        ({"onsetDateTime": "2026", "recordedDate": "2026"}, "heart_or_vessel_disease"),
        ({"onsetDateTime": "2009"}, "heart_or_vessel_disease"),
        ({}, "heart_or_vessel_disease"),
    ],
)
def test_a_heart_attack_of_the_last_weeks_is_one_though_its_visit_is_closed(
    reader: FhirReader, days: Json, token: str
) -> None:
    found = read(reader, patient(), problem("c", "Myocardial infarction", clinicalStatus="resolved", **days))
    assert found.patient.conditions == [token]


def test_suicidal_thoughts_that_a_record_calls_over_are_a_history_of_them(reader: FhirReader) -> None:
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R45.851"}]}
    found = read(reader, patient(), problem("c", "", code=code, clinicalStatus="resolved"))
    assert found.patient.conditions == ["self_harm_history"]


@pytest.mark.parametrize(("status", "allergies"), [("inactive", ["Ketamine"]), ("resolved", []), ("active", ["Ketamine"])])
def test_an_allergy_to_ketamine_that_a_list_no_longer_shows_counts(
    reader: FhirReader, status: str, allergies: list[str]
) -> None:
    allergy = entry("AllergyIntolerance", "a", patient=OWN, code={"text": "Ketamine"}, clinicalStatus=status)
    assert read(reader, patient(), allergy).patient.allergies == allergies
