"""Dosages of a record that are words alone: they say what the same words say on a list, or are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader
from careplan.plan.medicine_model import MedicineRead
from careplan.plan.model import items_of
from tests.contract.records import patient, read, statement
from tests.shipped import BOOK, shared_planner

Json = dict[str, Any]
PLANNER = shared_planner()
READER = FhirReader(BOOK, PLANNER.intake)
NAME = "lorazepam 1 mg"


def sent(*dosages: Json, **more: Any) -> Any:
    """The medicine as a request would have it."""
    patient_read: Any = read(READER, patient(), statement("m", NAME, dosage=list(dosages), **more)).patient
    (medicine,) = patient_read.medications
    return medicine


def why(*dosages: Json) -> list[str]:
    return [one.why for one in read(READER, patient(), statement("m", NAME, dosage=list(dosages))).unmapped]


def of_record(*dosages: Json, **more: Any) -> MedicineRead:
    found = read(READER, patient(), statement("m", NAME, dosage=list(dosages), **more))
    (medicine,) = PLANNER.plan(found.patient).medications
    return medicine


@pytest.mark.parametrize(
    ("words", "schedule", "reason"),
    [
        ("Take 1 tablet (1 mg total) by mouth daily", "daily", None),
        ("TAKE 1 TABLET BY MOUTH EVERY DAY", "daily", None),
        ("1 tab po bid", "daily", None),
        ("nocte", "daily", None),
        ("tds", "daily", None),
        ("1 tab PO qhs prn sleep", "as_needed", "insomnia"),
        ("TAKE 1/2 TO 1 TABLET BY MOUTH TWICE DAILY AS NEEDED FOR ANXIETY", "as_needed", "anxiety"),
        ("1-2 tabs q6h prn pain", "as_needed", "pain"),
        ("1 tab daily for anxiety", "daily", "anxiety"),
        ("once weekly", "weekly", None),
    ],
)
def test_words_of_a_dosage_say_what_they_say_on_a_list(words: str, schedule: str, reason: str | None) -> None:
    medicine = of_record({"text": words})
    (listed,) = PLANNER.plan(PLANNER.intake.convert({"medications": [{"text": f"{NAME} {words}"}]})).medications
    assert (medicine.schedule, medicine.indication) == (listed.schedule, listed.indication) == (schedule, reason)
    assert medicine.doses_a_day == listed.doses_a_day
    assert why({"text": words}) == []
    assert of_record({"patientInstruction": words}).schedule == schedule


@pytest.mark.parametrize(
    "words",
    [
        "as the doctor said",
        "every other day",
        "1 tablet twice a day for 5 days",
        "take 1 tablet daily x7 days",
        "one a day until the visit",
        "2 daily, then 1 daily",
        "1 tablet daily. Max 3 per week",
        "take 1 tablet daily on Mondays",
        "1 mg on Mondays and Fridays",
        "1 tablet daily, patient not taking",
        "take with phenelzine daily",
    ],
)
def test_words_that_say_less_or_something_else_are_asked_for(words: str) -> None:
    assert of_record({"text": words}).schedule is None
    assert any(words in one for one in why({"text": words}))


def test_words_beside_a_timing_or_other_words_change_nothing() -> None:
    weekly = {"timing": {"repeat": {"dayOfWeek": ["mon"]}}, "text": "1 tab po bid"}
    assert (sent(weekly).schedule, sent(weekly).text) == ("weekly", None)
    assert of_record({"text": "1 tab po bid", "patientInstruction": "only when anxious"}).schedule is None
    assert of_record({"text": "1 tab po bid"}, {"text": "1 tab prn"}).schedule is None


def test_words_of_a_dosage_that_tell_of_a_sudden_end_are_heard() -> None:
    said = {"text": "ran out yesterday"}
    plan = PLANNER.plan(read(READER, patient(), statement("m", NAME, dosage=[said])).patient)
    assert "benzodiazepine-ended-suddenly" in {item.rule.id for item in items_of(plan)}


@pytest.mark.parametrize(
    "reason", [{"text": "anxiety"}, {"coding": [{"system": "http://snomed.info/sct", "code": "48694002"}]}]
)
def test_what_a_medicine_is_needed_for_is_its_reason(reason: Json) -> None:
    assert sent({"asNeededCodeableConcept": reason}).indication == "anxiety"
    assert sent({"asNeeded": True, "asNeededFor": [reason]}).indication == "anxiety"
    epilepsy = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G40.909"}]}
    assert sent({"asNeededCodeableConcept": reason}, reasonCode=[epilepsy]).indication == "epilepsy"
