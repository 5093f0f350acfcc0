"""Codes beside those of rules that were passed over: what lasts, what is of a pregnancy, what a person has to look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from careplan.plan.model import items_of
from careplan.planner import Planner
from tests.shipped import reader_of

Json = dict[str, Any]
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
SNOMED = "http://snomed.info/sct"
LONG_AGO, LATELY = "2018-05-05", "2026-11-20"


def condition(code: str, system: str = ICD, day: str | None = None, **more: Any) -> Json:
    dated: Json = {"onsetDateTime": day} if day else {}
    named: Json = {"coding": [{"system": system, "code": code}], "text": f"problem {code}"}
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": named,
        **dated,
        **more,
    }


def read(planner: Planner, resources: Iterable[Json]) -> Any:
    entries = [{"resource": one} for one in resources]
    record = {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-11-28T12:00:00Z", "entry": entries}
    return reader_of(planner).read(record).patient


@pytest.mark.parametrize(
    ("code", "system", "tokens"),
    [
        ("N30.10", ICD, ["cystitis_or_urinary_symptoms"]),
        ("N30.21", ICD, ["cystitis_or_urinary_symptoms"]),
        ("595.1", ICD9, ["cystitis_or_urinary_symptoms"]),
        ("197834003", SNOMED, ["cystitis_or_urinary_symptoms"]),
        ("K31.84", ICD, ["digestive_symptoms"]),
        ("713703005", SNOMED, ["digestive_symptoms"]),
        ("F22", ICD, ["active_psychosis"]),
        ("48500005", SNOMED, ["active_psychosis"]),
        ("I1A.0", ICD, ["uncontrolled_hypertension"]),
        ("N02.8", ICD, ["blood_in_urine"]),
    ],
)
def test_an_illness_that_lasts_is_there_however_long_ago_it_began(
    planner: Planner, code: str, system: str, tokens: list[str]
) -> None:
    assert read(planner, [condition(code, system, LONG_AGO)]).conditions == tokens
    over = {"clinicalStatus": {"coding": [{"code": "resolved"}]}}
    assert set(tokens).isdisjoint(read(planner, [condition(code, system, LONG_AGO, **over)]).conditions or [])


@pytest.mark.parametrize("code", ["N30.00", "R11.10", "F23", "R31.0", "I16.0"])
def test_an_illness_beside_it_that_passes_is_over(planner: Planner, code: str) -> None:
    acute = {"cystitis_or_urinary_symptoms", "vomiting_now", "active_psychosis", "blood_in_urine", "severe_hypertension_now"}
    assert acute & {*read(planner, [condition(code, day=LATELY, recordedDate="2026-11-27")]).conditions}
    assert acute.isdisjoint(read(planner, [condition(code, day=LONG_AGO)]).conditions or [])


@pytest.mark.parametrize(
    ("words", "tokens"),
    [
        ("interstitial cystitis since 2018", ["cystitis_or_urinary_symptoms"]),
        ("gastroparesis dx 2019", ["digestive_symptoms"]),
        ("hx of gastroparesis", ["digestive_symptoms"]),
        ("persistent delusional disorder (2015)", ["active_psychosis"]),
        ("resistant hypertension 2018", ["uncontrolled_hypertension"]),
        ("interstitial cystitis, resolved", []),
        ("psychosis 2015", ["psychosis_history"]),
        ("bladder infection 2019", []),
        ("hx of nausea", []),
    ],
)
def test_words_for_an_illness_that_lasts_count_as_its_code_does(planner: Planner, words: str, tokens: list[str]) -> None:
    plan = planner.plan(planner.intake.decode(f'{{"as_of": "2026-11-28", "other_conditions": ["{words}"]}}'.encode()))
    assert [token for one in plan.conditions for token in one.tokens] == tokens


@pytest.mark.parametrize("words", ["Interstitial cystitis", "Gastroparesis", "Delusional disorder"])
def test_the_words_of_a_record_are_not_taken_away_by_its_days(planner: Planner, words: str) -> None:
    plan = planner.plan(read(planner, [condition("", day=LONG_AGO) | {"code": {"text": words}}]))
    assert [token for one in plan.conditions for token in one.tokens] != []


@pytest.mark.parametrize(
    "code",
    [
        *("O99.342", "O99.011", "O99.212", "O98.513", "O9A.211", "O91.012", "O88.111", "O60.03", "O99.810", "O99.891"),
        *("Z33.3", "Z64.0", "O00.01", "O24.410", "O10.011", "O12.03"),
    ],
)
def test_an_illness_of_a_pregnancy_says_that_there_is_one(planner: Planner, code: str) -> None:
    assert read(planner, [condition(code, day=LATELY)]).pregnancy == "pregnant"


@pytest.mark.parametrize(
    "code",
    [
        "O99.345",
        "O99.03",
        "O24.434",
        "O24.12",
        "O10.03",
        "O12.05",
        "O14.95",
        "O25.3",
        "O26.63",
        "O60.10X0",
        "Z33.2",
        "O03.9",
    ],
)
def test_an_illness_of_childbirth_and_the_time_after_is_no_pregnancy(planner: Planner, code: str) -> None:
    patient = read(planner, [condition(code, day=LATELY)])
    assert patient.pregnancy is None
    plan = planner.plan(patient)
    assert not plan.front.unread
    assert "hypertension" in (patient.conditions or []) or not code.startswith("O10")


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("Z39.1", "breastfeeding"),
        ("O91.23", "breastfeeding"),
        ("O92.13", "breastfeeding"),
        ("Z32.00", "possible"),
        ("Z31.83", "possible"),
    ],
)
def test_breastfeeding_and_a_possible_pregnancy_are_read_by_their_codes(planner: Planner, code: str, answer: str) -> None:
    assert read(planner, [condition(code, day=LATELY)]).pregnancy == answer


def test_violence_in_a_pregnancy_is_a_talk_alone_and_a_pregnancy(planner: Planner) -> None:
    patient = read(planner, [condition("O9A.312", day=LATELY)])
    assert (patient.pregnancy, patient.lifestyle.home_environment) == ("pregnant", "abusive")
    assert read(planner, [condition("O9A.53", day=LATELY)]).lifestyle.home_environment == "abusive"


@pytest.mark.parametrize(
    ("code", "tokens"),
    [
        ("G43.609", ["stroke_or_tia"]),
        ("I69.354", ["mobility_limitation", "stroke_or_tia"]),
        ("I69.141", ["intracerebral_hemorrhage", "mobility_limitation"]),
        ("I77.71", ["aneurysmal_vascular_disease"]),
        ("Q25.43", ["aneurysmal_vascular_disease"]),
        ("I28.0", ["arteriovenous_malformation"]),
        ("H47.11", ["raised_intracranial_pressure"]),
        ("Q03.9", ["raised_intracranial_pressure"]),
        ("G93.45", ["seizure_disorder"]),
        ("O90.3", ["heart_or_vessel_disease"]),
        ("B33.24", ["heart_or_vessel_disease"]),
        ("Z86.711", ["heart_or_vessel_disease"]),
        ("I25.760", ["unstable_cardiovascular_disease"]),
        ("O88.23", ["recent_cardiovascular_event"]),
        ("A81.00", ["cognitive_impairment"]),
        ("N99.0", ["kidney_disease_of_unknown_stage"]),
        ("Z99.81", ["respiratory_disease"]),
        ("J95.822", ["breathing_difficulty_now", "respiratory_disease"]),
        ("H54.8", ["communication_help"]),
        ("R47.01", ["communication_help"]),
    ],
)
def test_a_code_outside_the_chapter_of_its_illness_is_that_illness(planner: Planner, code: str, tokens: list[str]) -> None:
    assert sorted(read(planner, [condition(code, day="2026-11-25")]).conditions) == tokens


@pytest.mark.parametrize(
    "code",
    [
        *("E27.5", "C74.11", "D35.02", "D44.7", "G06.0", "G08", "O87.3", "D49.6", "D18.02", "H47.10", "Q79.63", "Q87.410"),
        *(
            "L51.1",
            "D72.12",
            "E51.2",
            "G90.A",
            "Z93.0",
            "R78.2",
            "Z71.51",
            "O00.101",
            "H34.11",
            "R29.810",
            "R47.81",
        ),
    ],
)
def test_a_code_that_may_be_grave_is_left_to_a_person(planner: Planner, code: str) -> None:
    plan = planner.plan(read(planner, [condition(code)]))
    assert "entries-not-read" in {item.id for item in items_of(plan)} or plan.front.unread


@pytest.mark.parametrize(
    "words",
    [
        "chronic respiratory failure with hypoxia",
        "chronic pulmonary embolism",
        "chronic idiopathic urticaria",
        "urticaria",
        "CRP",
    ],
)
def test_a_lasting_illness_in_words_is_no_emergency_of_today(planner: Planner, words: str) -> None:
    plan = planner.plan(planner.intake.decode(f'{{"other_conditions": ["{words}"]}}'.encode()))
    assert plan.alerts == []
    assert "chronic_pain" not in {token for one in plan.conditions for token in one.tokens}
