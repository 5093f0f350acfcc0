"""Codes of records: what diagnoses mean, which mean nothing sure, and which are a red flag."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FromFhir, reader_of
from careplan.plan.model import CarePlan, Item
from careplan.planner import Planner

Json = dict[str, Any]
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"


def condition(code: str, system: str = ICD, status: str = "active") -> Json:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": status}]},
        "code": {"coding": [{"system": system, "code": code}], "text": f"problem {code}"},
    }


def read(planner: Planner, *resources: Json) -> FromFhir:
    entries = [{"resource": resource} for resource in resources]
    return reader_of(planner.book, planner.intake).read({"resourceType": "Bundle", "type": "collection", "entry": entries})


def items(plan: CarePlan) -> list[Item]:
    return [*plan.alerts, *(item for section in plan.sections for item in section.items)]


@pytest.mark.parametrize(
    ("code", "tokens"),
    [
        ("F10.20", ["alcohol_use_disorder_active"]),
        *((f"F10.{rest}", ["alcohol_use_disorder_history"]) for rest in ("11", "21", "91")),
        *((f"{drug}.{rest}", ["substance_use_disorder_history"]) for drug in ("F11", "F14", "F19") for rest in ("11", "21")),
        *((f"{drug}.20", ["substance_use_disorder_active"]) for drug in ("F11", "F12", "F13", "F16", "F19")),
        ("F10.231", ["alcohol_use_disorder_active", "withdrawal_signs_now"]),
        ("G47.33", ["sleep_apnea"]),
        ("I60.9", ["intracerebral_hemorrhage"]),
        ("I62.00", ["intracerebral_hemorrhage"]),
        ("Q27.33", ["arteriovenous_malformation"]),
        ("I50.9", ["unstable_cardiovascular_disease"]),
        ("I48.91", ["unstable_cardiovascular_disease"]),
        ("I11.0", ["hypertension", "unstable_cardiovascular_disease"]),
        ("K72.90", ["severe_liver_impairment"]),
        ("K74.60", ["moderate_liver_impairment"]),
        ("E80.21", ["porphyria"]),
        ("F31.74", ["bipolar_disorder"]),
        ("F31.2", ["active_psychosis", "bipolar_disorder", "mania"]),
        ("F30.4", ["bipolar_disorder"]),
        ("R41.0", ["delirium"]),
        ("R41.3", ["cognitive_impairment"]),
        ("Z59.01", ["unsafe_housing"]),
    ],
)
def test_a_diagnosis_is_the_condition_that_it_means(planner: Planner, code: str, tokens: list[str]) -> None:
    patient = read(planner, condition(code)).patient
    assert sorted(patient.conditions or []) == sorted(tokens)
    assert not patient.other_conditions


@pytest.mark.parametrize("code", ["T78.40", "Z81.8", "E80.1", "R41.9", "G45.4", "K74.00", "R11.0"])
def test_a_diagnosis_that_only_may_mean_a_condition_is_left_to_a_person(planner: Planner, code: str) -> None:
    patient = read(planner, condition(code)).patient
    assert patient.conditions == []
    assert patient.other_conditions == [f"problem {code}"]


@pytest.mark.parametrize(
    ("code", "system", "answer"),
    [
        ("R45.851", ICD, "active_no_plan"),
        ("6471006", SNOMED, "active_no_plan"),
        ("225457007", SNOMED, "active_no_plan"),
        ("267073005", SNOMED, "active_no_plan"),
        ("T14.91XA", ICD, "plan_or_intent"),
    ],
)
def test_a_diagnosis_of_suicidal_thoughts_blocks_the_plan(planner: Planner, code: str, system: str, answer: str) -> None:
    found = read(planner, condition(code, system))
    assert found.patient.red_flags.suicidal_thoughts == answer
    assert not found.patient.other_conditions
    plan = planner.plan(found.patient)
    assert plan.status == "blocked"
    assert any(ask.by in ("now", "same_day") for alert in plan.alerts for ask in alert.asks)


def test_of_two_answers_about_suicidal_thoughts_the_graver_one_counts(planner: Planner) -> None:
    answer = {"linkId": "red_flags.suicidal_thoughts", "answer": [{"valueCoding": {"code": "none"}}]}
    said = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [answer]}
    for resources in ((said, condition("R45.851")), (condition("R45.851"), said)):
        found = read(planner, *resources)
        assert found.patient.red_flags.suicidal_thoughts == "active_no_plan"
        assert any(entry.what == "red_flags.suicidal_thoughts" for entry in found.unmapped)
    both = read(planner, condition("T14.91"), condition("R45.851"))
    assert both.patient.red_flags.suicidal_thoughts == "plan_or_intent"


def test_suicidal_thoughts_that_are_over_are_named_and_set_no_flag(planner: Planner) -> None:
    found = read(planner, condition("R45.851", status="resolved"))
    assert found.patient.red_flags.suicidal_thoughts is None
    assert [entry.what for entry in found.unmapped] == ["problem R45.851"]


@pytest.mark.parametrize(
    ("code", "token"),
    [
        ("F10.20", "alcohol_use_disorder_history"),
        ("F14.20", "substance_use_disorder_history"),
        ("F29", "psychosis_history"),
        ("F30.10", "bipolar_disorder"),
    ],
)
def test_an_illness_in_remission_counts_as_one_of_the_past(planner: Planner, code: str, token: str) -> None:
    assert read(planner, condition(code, status="remission")).patient.conditions == [token]


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("K21.9", ICD),
        ("E78.5", ICD),
        ("Z59.7", ICD),
        ("S82.101A", ICD),
        ("K21.9", "http://hl7.org/fhir/sid/icd-10"),
        ("E11.90", "http://fhir.de/CodeSystem/bfarm/icd-10-gm"),
        ("44054006", SNOMED),
        ("160903007", SNOMED),
    ],
)
def test_a_valid_code_that_no_rule_concerns_is_known_and_hidden_behind_its_name(
    planner: Planner, code: str, system: str
) -> None:
    found = read(planner, condition(code, system))
    plan = planner.plan(found.patient)
    assert "entries-not-read" not in {item.id for item in items(plan)}
    (known,) = [item for item in items(plan) if item.id == "known-entries-without-a-rule"]
    assert f"“problem {code}”" in known.clinician_text
    assert not found.unmapped


@pytest.mark.parametrize("code", ["K21.99", "QQQ", "K21-K29", "99999999"])
def test_a_code_that_there_is_not_is_no_known_illness(planner: Planner, code: str) -> None:
    system = SNOMED if code.isdecimal() else ICD
    plan = planner.plan(read(planner, condition(code, system)).patient)
    assert "entries-not-read" in {item.id for item in items(plan)}


def dated(code: str, day: str, *, system: str = ICD, recorded: str | None = None) -> Json:
    more = {"recordedDate": recorded} if recorded else {}
    return condition(code, system) | {"onsetDateTime": day} | more


def read_on(planner: Planner, *resources: Json) -> FromFhir:
    book = planner.book
    entries = [{"resource": resource} for resource in resources]
    record = {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-11-28T12:00:00Z", "entry": entries}
    return reader_of(book, planner.intake).read(record)


@pytest.mark.parametrize(
    ("code", "day", "tokens"),
    [
        ("R06.02", "2021-03-01", []),
        ("I16.0", "2019-05-01", ["hypertension"]),
        ("I21.4", "2012-01-01", ["heart_or_vessel_disease"]),
        ("O14.90", "2014-01-01", []),
        ("F10.230", "2017-01-01", ["alcohol_use_disorder_active"]),
        ("R45.851", "2022-01-01", ["self_harm_history"]),
        ("T14.91XS", "2026-11-20", ["self_harm_history"]),
        ("R45.88", "2026-11-20", ["self_harm_history"]),
        ("F32.3", "2026-11-20", ["major_depression", "psychotic_depression"]),
        ("F33.3", "2024-11-20", ["major_depression", "psychosis_history"]),
        ("I48.0", "2026-11-20", ["heart_or_vessel_disease"]),
        ("I50.22", "2026-11-20", ["heart_or_vessel_disease"]),
        ("S06.360A", "2010-01-01", ["intracerebral_hemorrhage"]),
    ],
)
def test_an_entry_that_is_not_of_today_never_makes_an_acute_condition(
    planner: Planner, code: str, day: str, tokens: list[str]
) -> None:
    patient = read_on(planner, dated(code, day)).patient
    assert sorted(patient.conditions or []) == tokens
    assert patient.red_flags.suicidal_thoughts is None


def test_an_event_counts_from_its_start_and_a_state_from_the_day_it_was_last_recorded(planner: Planner) -> None:
    event = read_on(planner, dated("I21.4", "2012-01-01", recorded="2026-11-20"))
    assert event.patient.conditions == ["heart_or_vessel_disease"]
    state = read_on(planner, dated("R45.851", "2022-01-01", recorded="2026-11-20"))
    assert state.patient.red_flags.suicidal_thoughts == "active_no_plan"


@pytest.mark.parametrize("code", ["R41.840", "F12.90", "F10.90", "F10-F19"])
def test_what_stands_beside_a_code_of_a_rule_is_not_that_illness(planner: Planner, code: str) -> None:
    assert read_on(planner, condition(code)).patient.conditions == []


@pytest.mark.parametrize(
    "address",
    [
        "https://hl7.org/fhir/sid/icd-10-cm/",
        "urn:oid:2.16.840.1.113883.6.90",
        "ICD10CM",
        "ICD-10",
        "http://hl7.org/fhir/sid/icd-10",
    ],
)
def test_a_code_system_is_known_under_every_address_that_clients_use(planner: Planner, address: str) -> None:
    assert read_on(planner, condition("G47.33", address)).patient.conditions == ["sleep_apnea"]
    assert read_on(planner, condition("296.33", "ICD-9-CM")).patient.conditions == ["major_depression"]
