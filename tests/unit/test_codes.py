"""Codes of records: what diagnoses mean, which mean nothing sure, and which are a red flag."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from careplan.fhir.read.bundle import FromFhir
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.recognition.illness_codes import pointed
from careplan.rulebook.model import Rulebook
from tests.everyday import one_in
from tests.shipped import reader_of
from tests.sizes import cases

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
    return reader_of(planner).read({"resourceType": "Bundle", "type": "collection", "entry": entries})


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
        ("I50.9", ["heart_failure"]),
        ("I50.1", ["heart_failure"]),
        ("I50.20", ["heart_failure"]),
        ("I50.23", ["unstable_cardiovascular_disease"]),
        ("I50.84", ["unstable_cardiovascular_disease"]),
        ("I48.91", ["heart_or_vessel_disease"]),
        ("I11.0", ["heart_failure", "hypertension"]),
        ("K72.90", ["severe_liver_impairment"]),
        ("B19.21", ["severe_liver_impairment"]),
        ("N18.4", ["severe_kidney_impairment"]),
        ("N18.6", ["severe_kidney_impairment"]),
        ("Z99.2", ["severe_kidney_impairment"]),
        ("Z49.31", ["severe_kidney_impairment"]),
        ("I12.0", ["hypertension", "severe_kidney_impairment"]),
        ("I13.2", ["heart_failure", "hypertension", "severe_kidney_impairment"]),
        ("I12.9", ["hypertension"]),
        ("N18.9", ["kidney_disease_of_unknown_stage"]),
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
    assert not patient.conditions
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


def test_suicidal_thoughts_that_are_over_are_a_history_of_them_and_set_no_flag(planner: Planner) -> None:
    found = read(planner, condition("R45.851", status="resolved"))
    assert found.patient.red_flags.suicidal_thoughts is None
    assert found.patient.conditions == ["self_harm_history"]


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
    assert "entries-not-read" not in {item.id for item in items_of(plan)}
    (known,) = [item for item in items_of(plan) if item.id == "known-entries-without-a-rule"]
    assert f"“problem {code}”" in known.clinician_text
    assert not found.unmapped


@pytest.mark.parametrize("code", ["K21.99", "QQQ", "K21-K29", "99999999"])
def test_a_code_that_there_is_not_is_no_known_illness(planner: Planner, code: str) -> None:
    system = SNOMED if code.isdecimal() else ICD
    plan = planner.plan(read(planner, condition(code, system)).patient)
    assert "entries-not-read" in {item.id for item in items_of(plan)}


def dated(code: str, day: str, *, system: str = ICD, recorded: str | None = None) -> Json:
    more = {"recordedDate": recorded} if recorded else {}
    return condition(code, system) | {"onsetDateTime": day} | more


def read_on(planner: Planner, *resources: Json) -> FromFhir:
    entries = [{"resource": resource} for resource in resources]
    record = {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-11-28T12:00:00Z", "entry": entries}
    return reader_of(planner).read(record)


@pytest.mark.parametrize(
    ("code", "day", "tokens"),
    [
        ("R06.02", "2021-03-01", []),
        ("I16.0", "2019-05-01", ["hypertension"]),
        ("I21.4", "2012-01-01", ["heart_or_vessel_disease"]),
        ("O14.90", "2014-01-01", []),
        ("F10.230", "2017-01-01", ["use_disorder_state_not_known"]),
        ("F11.20", "2023-01-01", ["use_disorder_state_not_known"]),
        ("F11.20", "2026-06-01", ["substance_use_disorder_active"]),
        ("F11.21", "2023-01-01", ["substance_use_disorder_history"]),
        ("E87.6", "2026-11-01", ["low_potassium_or_magnesium"]),
        ("E87.6", "2021-11-01", []),
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
    assert not read_on(planner, condition(code)).patient.conditions


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


@pytest.mark.parametrize(
    ("code", "system", "tokens"),
    [
        ("N18.5", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", ["severe_kidney_impairment"]),
        ("N18.89", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", ["kidney_disease_of_unknown_stage"]),
        ("585.4", "ICD-9-CM", ["severe_kidney_impairment"]),
        ("585.6", "ICD-9-CM", ["severe_kidney_impairment"]),
        ("403.91", "ICD-9-CM", ["hypertension", "severe_kidney_impairment"]),
        ("V45.11", "ICD-9-CM", ["severe_kidney_impairment"]),
        ("585.9", "ICD-9-CM", ["kidney_disease_of_unknown_stage"]),
        ("431857002", SNOMED, ["severe_kidney_impairment"]),
        ("105502003", SNOMED, ["severe_kidney_impairment"]),
        ("153891000119101", SNOMED, ["hypertension", "severe_kidney_impairment"]),
        ("709044004", SNOMED, ["kidney_disease_of_unknown_stage"]),
        ("433144002", SNOMED, []),
    ],
)
def test_kidneys_that_hardly_work_are_read_in_every_code_system(
    planner: Planner, code: str, system: str, tokens: list[str]
) -> None:
    patient = read_on(planner, condition(code, system)).patient
    assert sorted(patient.conditions or []) == tokens
    said = {item.id for item in items_of(planner.plan(patient))}
    assert ("kidney-function-very-low" in said) == ("severe_kidney_impairment" in tokens)
    assert ("kidney-disease-stage-not-known" in said) == ("kidney_disease_of_unknown_stage" in tokens)


def stays(book: Rulebook, token: str, code: str) -> bool:
    """Whether a code is of an illness of this condition that no time makes older."""
    lasting = book.codes.courses[token].lasting
    return code in lasting.snomed or any(code.startswith(one) for one in lasting.icd10)


def test_no_old_entry_of_any_code_makes_an_illness_of_now(planner: Planner) -> None:
    """Every code of every condition that is acute for a time, as an active entry that began and was recorded long ago."""
    book = planner.book
    acute = {token for token, course in book.codes.courses.items() if course.onset != "any"}
    flagged = [code for one in book.codes.diagnoses for values in one.values.values() for code in values.icd10]
    coded = [(code, ICD) for code in flagged]
    coded += [(code, ICD) for token in acute for code in book.conditions[token].icd10]
    coded += [(code, SNOMED) for tokens, code, _ in book.known_conditions.codes.illnesses() if acute & set(tokens)]
    for code, system in sorted(set(coded))[:: max(1, 48 // cases(1))]:
        lasting = {token for token in acute if stays(book, token, code)}
        patient = read_on(planner, dated(code, "2011-03-01", system=system, recorded="2011-03-02")).patient
        assert acute.intersection(patient.conditions or []) <= lasting, code
        assert (patient.red_flags.suicidal_thoughts, patient.pregnancy, patient.lifestyle.home_environment) == (None,) * 3, (
            code
        )


def poisonings(planner: Planner) -> Iterator[tuple[str, str]]:
    """Every first encounter for poisoning or suffocation in ICD-10-CM, with the character that says how it came about."""
    for _, code in planner.book.known_conditions.codes.table.codes():
        if ("T36" <= code[:3] <= "T65" or code[:3] == "T71") and len(code) == 7 and code.endswith("A"):
            yield pointed(code), code[4] if code[5] == "X" else code[5]


def test_poisoning_that_was_meant_is_the_red_flag_and_of_unknown_intent_is_left_to_a_person(planner: Planner) -> None:
    found = dict(poisonings(planner))
    assert sum(intent == "2" for intent in found.values()) > 300
    codes = planner.book.known_conditions.codes
    for number, (code, intent) in enumerate(found.items()):
        assert codes.are_known("ICD-10-CM", code) == (intent not in ("2", "4")), code
        if intent == "2" and not number % max(1, 8 // cases(1)):
            now = read_on(planner, dated(code, "2026-11-20")).patient
            assert now.red_flags.suicidal_thoughts == "plan_or_intent", code
    past = read_on(planner, dated("T42.4X2D", "2021-11-20"), dated("T39.1X2S", "2026-11-20")).patient
    assert (past.red_flags.suicidal_thoughts, past.conditions) == (None, ["self_harm_history"])


@pytest.mark.parametrize("code", ["C71.9", "C79.31", "D33.2", "D32.0"])
def test_a_growth_inside_the_head_is_left_to_a_person(planner: Planner, code: str) -> None:
    plan = planner.plan(read(planner, condition(code)).patient)
    assert plan.front.unread is not None
    assert not planner.plan(read(planner, condition("D17.1")).patient).front.unread


def test_a_pregnancy_test_that_was_positive_is_a_pregnancy(planner: Planner) -> None:
    assert read_on(planner, dated("Z32.01", "2026-11-01")).patient.pregnancy == "pregnant"
    assert read_on(planner, dated("Z32.02", "2026-11-01")).patient.pregnancy is None


def test_no_code_of_remission_or_of_what_is_left_makes_an_illness_of_now(planner: Planner) -> None:
    book = planner.book
    acute = {token for token, course in book.codes.courses.items() if course.onset != "any"}
    over = {
        token
        for token, course in book.codes.courses.items()
        if acute & {token if counts == "same" else counts for counts in (course.remission, course.over)}
    }
    assert over == set()
    for code in ("S06.0X1S", "S06.5X0S", "T78.2XXS", "T14.91XS", "T88.6XXS"):
        assert acute.isdisjoint(read_on(planner, dated(code, "2026-11-20")).patient.conditions or []), code


# fmt: off
COMMON = (
    "15777000", "59621000", "38341003", "444814009", "195662009", "10509002", "162864005", "271737000",
    "44054006", "55822004", "302870006", "237602007", "80394007", "53741008", "22298006", "230690007", "49436004",
    "88805009", "26929004", "230265002", "195967001", "233678006", "87433001", "185086009", "82423001",
    "203082005", "95417003", "370143000", "47505003", "7200002", "5602001", "128613002", "84757009", "703151001",
    "410429000", "398254007", "72892002", "43878008", "65363002", "75498004", "40055000", "36971009", "233604007",
    "62106007", "110030002", "38822007", "90560007", "69896004", "239873007", "239872002", "64859006",
    "201834006", "192127007", "24079001", "367498001", "446096008", "40275004", "241929008", "40930008",
    "68496003", "363406005", "254837009", "126906006", "127013003", "431855005", "431856006", "46177005",
    "713197008", "196416002", "198992004", "19169002", "254637007", "314529007", "160903007", "160904001",
    "73595000", "66383009", "422650009", "224299000", "423315002", "18718003", "278860009", "80583007",
    "361055000", "6525002", "840539006", "389087006", "235595009", "193462001", "16114001",
)
# fmt: on
"""Codes of SNOMED CT that stand most often in synthetic records."""


@pytest.mark.parametrize("code", one_in(4, COMMON))
def test_what_stands_most_often_in_synthetic_records_is_read_or_known(planner: Planner, code: str) -> None:
    found = read_on(planner, condition(code, SNOMED) | {"onsetDateTime": "2026-11-25"})
    patient = found.patient
    answers = (patient.red_flags.suicidal_thoughts, patient.pregnancy, patient.lifestyle.home_environment)
    known = planner.book.known_conditions
    assert patient.conditions or any(answers) or [known.has(name) for name in patient.other_conditions] == [True]


def test_a_known_illness_that_stands_twice_is_listed_once(planner: Planner) -> None:
    twice = [condition("K21.9", ICD), condition("K21.9", "http://hl7.org/fhir/sid/icd-10"), condition("235595009", SNOMED)]
    same = [one | {"code": one["code"] | {"text": "Reflux of the stomach"}} for one in twice]
    assert read(planner, *same).patient.other_conditions == ["Reflux of the stomach (ICD-10-CM K21.9)"]


def test_a_list_that_is_full_of_known_illnesses_lacks_nothing(planner: Planner) -> None:
    codes = [code for _, code in zip(range(80), snomed_known(), strict=False)]
    found = read_on(planner, condition("64572001", SNOMED), *(condition(code, SNOMED) for code in codes))
    assert found.patient.other_conditions[0] == "problem 64572001"
    assert len(found.patient.other_conditions) == 60
    assert found.patient.incomplete == []
    assert len(found.unmapped) == 21


def snomed_known() -> Iterator[str]:
    table = Path(__file__).parents[2] / "rules" / "vocabulary" / "snomed_known.tsv"
    yield from (line.partition("\t")[0] for line in table.read_text(encoding="utf-8").splitlines())


def test_what_is_treated_is_read_off_a_record_and_the_plan_says_so(planner: Planner) -> None:
    plan = planner.plan(read(planner, condition("F33.1"), condition("I10")).patient)
    (item,) = [one for one in items_of(plan) if one.id == "indication-read-off-the-list"]
    assert "depression" in item.clinician_text
    assert "/treatment/indication" not in {question.pointer for question in plan.information_needed}


def test_what_is_treated_is_asked_for_where_two_illnesses_could_be_meant(planner: Planner) -> None:
    plan = planner.plan(read(planner, condition("F33.1"), condition("F43.12")).patient)
    assert "indication-read-off-the-list" not in {one.id for one in items_of(plan)}
    assert "/treatment/indication" in {question.pointer for question in plan.information_needed}


def in_words(text: str, **more: Any) -> Json:
    return condition("", "") | {"code": {"text": text}} | more


CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


@pytest.mark.parametrize(
    ("text", "status", "day", "tokens"),
    [
        ("Seizure disorder", "active", None, {"seizure_disorder"}),
        ("Seizure disorder", "resolved", None, {"seizure_disorder"}),
        ("Alcohol use disorder", "remission", None, {"alcohol_use_disorder_history"}),
        ("Heart attack", "active", "2012-01-01", {"heart_or_vessel_disease"}),
        ("Heart attack", "active", "2026-11-20", {"recent_cardiovascular_event"}),
        ("Asthma", "resolved", None, set()),
        ("denies seizures", "active", None, set()),
    ],
)
def test_an_illness_in_words_follows_status_and_days_of_the_record_as_a_code_does(
    planner: Planner, text: str, status: str, day: str | None, tokens: set[str]
) -> None:
    more: Json = {"clinicalStatus": {"coding": [{"system": CLINICAL, "code": status}]}}
    patient = read_on(planner, in_words(text, **more, **({"onsetDateTime": day} if day else {}))).patient
    plan = planner.plan(patient)
    assert {*(patient.conditions or []), *(token for one in plan.conditions for token in one.tokens)} == tokens
