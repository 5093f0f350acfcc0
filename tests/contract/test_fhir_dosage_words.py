"""Dosages of a record that are words alone: they say what the same words say on a list, or are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.medicine_model import MedicineRead
from careplan.plan.model import items_of
from tests.contract.records import patient, read, statement
from tests.shipped import reader_of, shared_planner

Json = dict[str, Any]
PLANNER = shared_planner()
READER = reader_of(PLANNER)
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


def coded(display: str, code: str = "696543") -> Json:
    return {
        "code": {"coding": [{"system": "https://ehr.example.org/codes", "code": code, "display": display}], "text": display}
    }


@pytest.mark.parametrize(
    ("dosage", "schedule"),
    [
        ({"text": "1 mg = 1 tab(s), Oral, Daily, # 90 tab(s), 3 Refill(s)", "timing": coded("Daily")}, "daily"),
        ({"text": "1 mg = 1 tab(s), Oral, Once a day (at bedtime)", "timing": coded("Once a day (at bedtime)")}, "daily"),
        ({"text": "1 tab twice a day", "timing": coded("2 times daily"), "asNeededBoolean": False}, "daily"),
        ({"timing": {"code": {"text": "BID"}}}, "daily"),
        ({"text": "1 tab daily", "timing": coded("Every other day")}, None),
        ({"text": "1 tab daily", "timing": coded("Weekly")}, None),
        ({"text": "1 tab daily", "timing": coded("")}, None),
        ({"text": "1 tab daily", "timing": coded("Daily") | {"event": ["2026-11-28"]}}, None),
        ({"text": "1 tab daily for 7 days", "timing": coded("Daily")}, None),
    ],
)
def test_the_words_of_a_timing_say_what_they_say_on_a_list_where_all_words_agree(dosage: Json, schedule: str | None) -> None:
    assert (of_record(dosage).schedule or sent(dosage).schedule) == schedule
    assert bool(why(dosage)) == (schedule is None)


def dose(value: float, unit: str, kind: str | None) -> Json:
    return {"doseQuantity": {"value": value, "unit": unit}} | ({"type": {"text": kind}} if kind else {})


@pytest.mark.parametrize(
    ("rates", "milligrams"),
    [
        ([dose(0.5, "mg", "calculated"), dose(1, "tablet", "admin-amount"), dose(0.5, "mg", "ordered")], 0.5),
        ([dose(0.5, "mg", "calculated"), dose(1, "mg", "ordered")], None),
        ([dose(0.5, "mg", None), dose(1, "tablet", None)], None),
        ([dose(1, "tablet", "ordered")], None),
    ],
)
def test_a_dose_that_is_told_in_several_ways_by_their_types_is_one_dose(rates: list[Json], milligrams: float | None) -> None:
    assert sent({"doseAndRate": rates}).dose_mg == milligrams


@pytest.mark.parametrize(
    ("reason", "indication"),
    [
        ("Panic disorder", "anxiety"),
        ("Seizures", "epilepsy"),
        ("Opioid use disorder", "opioid_use_disorder"),
        ("pain and sleep", None),
        ("not anxiety", None),
        ("anxiety zzqbl", None),
        ("zzqbl", None),
    ],
)
def test_a_reason_in_words_is_read_as_on_a_list_if_it_is_one_thing(reason: str, indication: str | None) -> None:
    assert sent(reasonCode=[{"text": reason}]).indication == indication
