"""What a record says beside its codes: notes, free text, flags, relatives, and figures that make no factor."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader
from careplan.fhir.read.notes import MOST_SENTENCES, SEARCHED
from careplan.planner import Planner
from tests.contract.records import OWN, bundle, entry, incomplete, patient, problem, read, reported, statement
from tests.contract.test_fhir import concept
from tests.plans import rules_of
from tests.shipped import reader_of

Json = dict[str, Any]
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
KILL = "States she wants to kill herself tonight."


def observed(code: str = "", *, name: str = "Nursing note", at: str = "2026-11-27", **rest: Any) -> Json:
    coded = concept(LOINC, code, name) if code else {"text": name}
    return entry("Observation", None, status="final", subject=OWN, code=coded, effectiveDateTime=at, **rest)


def measured(code: str, value: float, unit: str, *, at: str = "2026-11-27") -> Json:
    return observed(code, name="x", at=at, valueQuantity={"value": value, "unit": unit, "code": unit})


@pytest.mark.parametrize(
    "said",
    [
        problem("c", "depression", note=[{"text": f"Seen by phone. {KILL}"}]),
        problem("c", "depression", note={"text": KILL}),
        statement("m", "sertraline 50 mg daily", note=[{"text": KILL}]),
        entry("AllergyIntolerance", "a", patient=OWN, code={"text": "penicillin"}, note=[{"text": KILL}]),
        observed(valueString=KILL),
        observed("8867-4", name="pulse", valueQuantity={"value": 70, "unit": "/min"}, note=[{"text": KILL}]),
    ],
)
def test_danger_in_a_note_is_an_alert_wherever_it_stands(reader: FhirReader, planner: Planner, said: Json) -> None:
    found = read(reader, patient(), said)
    assert KILL in (found.patient.other_conditions or [])
    assert planner.plan(found.patient).status == "blocked"


def test_a_note_beside_illnesses_leaves_their_list_whole_and_one_without_them_makes_none(reader: FhirReader) -> None:
    beside = read(reader, patient(), problem("c", "depression", note=[{"text": KILL}]))
    alone = read(reader, patient(), observed(valueString=KILL))
    assert (incomplete(beside), incomplete(alone)) == ([], ["conditions"])


@pytest.mark.parametrize(
    "text",
    [
        "Denies SI and HI.",
        "Call 988 if suicidal thoughts return.",
        "Counseled on the risk of suicidal thoughts in young adults.",
        "Monitor for suicidality.",
        "Takes it with food.",
        "Mother died by suicide.",
    ],
)
def test_a_note_in_which_no_danger_is_read_is_reported_and_adds_nothing(reader: FhirReader, text: str) -> None:
    found = read(reader, patient(), problem("c", "hypertension", note=[{"text": text}]))
    assert found.patient.other_conditions == ["hypertension"]
    assert [one.why for one in found.unmapped if one.what == "note"] == [SEARCHED]


@pytest.mark.parametrize(("at", "counts"), [("2026-11-20", True), ("2019-03-01", False)])
def test_a_note_of_long_ago_says_nothing_of_today(reader: FhirReader, at: str, *, counts: bool) -> None:
    found = read(reader, patient(), problem("c", "depression", note=[{"text": KILL, "time": at}]))
    assert (KILL in (found.patient.other_conditions or [])) == counts
    assert "note" in reported(found)


def test_a_note_beside_a_medicine_tells_of_its_end_as_a_line_does(reader: FhirReader, planner: Planner) -> None:
    note = "patient ran out 6 days ago"
    beside = read(reader, patient(), statement("m", "lamotrigine 200 mg daily", note=[{"text": note}])).patient
    within = read(reader, patient(), statement("m", f"lamotrigine 200 mg daily, {note}")).patient
    assert rules_of(planner.plan(beside)) == rules_of(planner.plan(within))
    assert planner.plan(beside).status == "blocked"


def test_a_harmless_note_beside_a_medicine_changes_no_item(reader: FhirReader, planner: Planner) -> None:
    plain = read(reader, patient(), statement("m", "lamotrigine 200 mg daily")).patient
    noted = read(
        reader, patient(), statement("m", "lamotrigine 200 mg daily", note=[{"text": "likes the blue box"}])
    ).patient
    assert rules_of(planner.plan(plain)) == rules_of(planner.plan(noted))


def test_of_many_notes_the_first_sentences_are_searched_and_the_rest_is_reported(reader: FhirReader) -> None:
    many = [{"text": "Fine. " * (MOST_SENTENCES - 1)}, {"text": f"Well. {KILL}"}, {"text": KILL}]
    found = read(reader, patient(), problem("c", "depression", note=many))
    assert found.patient.other_conditions == ["depression"]
    assert [one.why for one in found.unmapped if one.what == "note"][1].startswith("Only the first")


@pytest.mark.parametrize(
    ("code", "value", "unit", "words"),
    [
        ("2823-3", 2.6, "mmol/L", "potassium 2.6 mmol/L"),
        ("9279-1", 34, "/min", "respiratory rate 34 /min"),
        ("8310-5", 33.9, "Cel", "temperature 33.9 Cel"),
        ("2951-2", 118, "mmol/L", "sodium 118 mmol/L"),
        ("6301-6", 7.2, "{INR}", "inr 7.2"),
        ("14334-7", 2.1, "mmol/L", "lithium level 2.1 mmol/L"),
        ("3016-3", 0.02, "m[IU]/L", "tsh 0.02 m[IU]/L"),
        ("718-7", 6.1, "g/dL", "hemoglobin 6.1 g/dL"),
        ("10230-1", 22, "%", "ejection fraction 22 %"),
    ],
)
def test_a_figure_far_out_is_asked_about_as_in_words(
    reader: FhirReader, planner: Planner, code: str, value: float, unit: str, words: str
) -> None:
    found = read(reader, patient(), measured(code, value, unit))
    assert found.patient.other_conditions == [words]
    assert "unread-entry-may-be-grave" in rules_of(planner.plan(found.patient))


def test_a_fever_of_yesterday_is_the_illness_that_it_means(reader: FhirReader, planner: Planner) -> None:
    listed = problem("d", "hypertension")
    by_code = read(reader, patient(), listed, measured("8310-5", 39.4, "Cel")).patient
    by_word = read(reader, patient(), listed, problem("c", "temperature 39.4 °C")).patient
    assert rules_of(planner.plan(by_code)) == rules_of(planner.plan(by_word))


@pytest.mark.parametrize(
    "entries",
    [
        [measured("2823-3", 4.1, "mmol/L")],
        [measured("2823-3", 2.6, "mmol/L", at="2026-02-01")],
        [measured("2823-3", 2.6, "pebbles")],
        [measured("2823-3", 2.6, "mmol/L", at="2026-11-01"), measured("2823-3", 4.1, "mmol/L")],
        [measured("2823-3", 4.1, "mmol/L"), measured("2823-3", 2.6, "mmol/L", at="2026-11-01")],
        [measured("99999-9", 2.6, "mmol/L")],
    ],
)
def test_a_figure_that_is_usual_old_or_of_no_known_kind_is_reported(reader: FhirReader, entries: list[Json]) -> None:
    found = read(reader, patient(), *entries)
    assert not found.patient.other_conditions
    assert len(found.unmapped) == len(entries)


@pytest.mark.parametrize(
    ("status", "name", "joins"),
    [
        ("active", "At risk for suicide", True),
        ("active", "Currently suicidal with a plan", True),
        ("inactive", "At risk for suicide", False),
        ("active", "Needs an interpreter", False),
    ],
)
def test_a_flag_of_danger_joins_the_illnesses(reader: FhirReader, status: str, name: str, *, joins: bool) -> None:
    found = read(reader, patient(), entry("Flag", "f", status=status, subject=OWN, code={"text": name}))
    assert found.patient.other_conditions == ([name] if joins else [])
    assert reported(found) == ([] if joins else ["Flag"])


def test_a_flag_about_somebody_else_does_not_count(reader: FhirReader) -> None:
    flag = entry("Flag", "f", status="active", subject={"reference": "Patient/q"}, code={"text": "Suicidal with a plan"})
    assert not read(reader, patient(), flag).patient.other_conditions


def relative(relationship: Json, illness: Json, **rest: Any) -> Json:
    more: Json = {"status": "completed", "patient": OWN, "relationship": relationship, "condition": [{"code": illness}]}
    return entry("FamilyMemberHistory", "f", **(more | rest))


ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SCHIZOPHRENIA = concept(SNOMED, "58214004", "Schizophrenia")


@pytest.mark.parametrize(
    ("relationship", "illness"),
    [
        ({"text": "mother"}, SCHIZOPHRENIA),
        (concept(ROLE, "NMTH"), {"text": "schizophrenia"}),
        (concept(ROLE, "BRO"), concept("http://hl7.org/fhir/sid/icd-10", "F20.0")),
        ({"text": "Father"}, {"text": "Paranoid schizophrenia"}),
    ],
)
def test_schizophrenia_of_a_near_relative_counts_as_in_words(reader: FhirReader, relationship: Json, illness: Json) -> None:
    found = read(reader, patient(), relative(relationship, illness))
    assert found.patient.conditions == ["family_history_schizophrenia"]


@pytest.mark.parametrize(
    ("relationship", "illness", "more"),
    [
        ({"text": "grandmother"}, SCHIZOPHRENIA, {}),
        (concept(ROLE, "MTHINLAW"), SCHIZOPHRENIA, {}),
        ({"text": "mother"}, {"text": "breast cancer"}, {}),
        ({"text": "mother"}, SCHIZOPHRENIA, {"status": "entered-in-error"}),
        ({"text": "mother"}, SCHIZOPHRENIA, {"patient": {"reference": "Patient/q"}}),
    ],
)
def test_other_illnesses_of_relatives_are_reported_and_count_for_nothing(
    reader: FhirReader, relationship: Json, illness: Json, more: Json
) -> None:
    found = read(reader, patient(), relative(relationship, illness, **more))
    assert not found.patient.conditions
    assert not found.patient.other_conditions
    assert reported(found) == ["FamilyMemberHistory"]


def test_notes_beside_many_entries_are_said_once(reader: FhirReader) -> None:
    noted = (problem(f"c{at}", "hypertension", note=[{"text": "stable"}]) for at in range(5))
    found = reader.read(bundle(patient(), *noted))
    assert [one.number for one in found.unmapped if one.what == "note"] == [5]


def alerts_of_answer(planner: Planner, question: str, answer: Json, **more: Any) -> list[str]:
    """The alerts of a form that is none of ours, with one question."""
    form = {"status": "completed", "authored": "2026-11-27", "subject": OWN} | more
    item = {"linkId": "1", "text": question, "answer": [answer]}
    reader = reader_of(planner)
    read_of_it = read(reader, patient(), entry("QuestionnaireResponse", "q", item=[{"linkId": "0", "item": [item]}], **form))
    assert "QuestionnaireResponse" in reported(read_of_it)
    return [alert.rule.id for alert in planner.plan(read_of_it.patient).alerts]


BETTER_OFF_DEAD = "Over the last 2 weeks: thoughts that you would be better off dead"


@pytest.mark.parametrize(
    ("question", "answer", "alerts"),
    [
        (BETTER_OFF_DEAD, {"valueCoding": {"code": "LA6570-1", "display": "More than half the days"}}, 1),
        (BETTER_OFF_DEAD, {"valueCoding": {"code": "LA6568-5", "display": "Not at all"}}, 0),
        (BETTER_OFF_DEAD, {"valueCoding": {"code": "LA6568-5"}}, 0),
        ("Have you had any thoughts about killing yourself?", {"valueBoolean": True}, 1),
        ("Have you had any thoughts about killing yourself?", {"valueBoolean": False}, 0),
        ("Do you have thoughts of suicide?", {"valueString": "sometimes"}, 1),
        ("Do you have thoughts of suicide?", {"valueString": "No, never."}, 0),
        ("Do you have thoughts of suicide?", {"valueInteger": 0}, 0),
        ("Do you have thoughts of suicide?", {"valueDecimal": 2.5}, 1),
        (
            "Are you hearing voices?",
            {"valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v2-0136", "code": "Y"}},
            True,
        ),
        ("In the past year, have you been afraid of your partner?", {"valueBoolean": True}, 1),
        ("Does your partner hit you?", {"valueBoolean": True}, 1),
        ("Do you feel safe at home?", {"valueBoolean": False}, 1),
        ("Do you feel safe at home?", {"valueString": "No"}, 1),
        ("Do you feel safe at home?", {"valueBoolean": True}, 0),
        ("Do you exercise?", {"valueBoolean": False}, 0),
        ("In the past year, have you been afraid of your partner?", {"valueBoolean": False}, 0),
        ("How are you?", {"valueString": "My dog is nice. I want to die."}, 1),
        ("How are you?", {"valueString": "My dog is nice."}, 0),
        ("What do you take?", {"valueString": "Xanax 1mg 3x day"}, 0),
    ],
)
def test_the_answers_to_a_form_of_others_are_searched_for_danger(
    planner: Planner, question: str, answer: Json, alerts: int
) -> None:
    assert len(alerts_of_answer(planner, question, answer)) == alerts
    assert alerts_of_answer(planner, question, answer, authored="2026-01-01") == []


# What is written elsewhere in a record.


def risk(size: str, outcome: str = "Suicide", day: str = "2026-11-25") -> Json:
    prediction = [{"outcome": {"text": outcome}, "qualitativeRisk": {"text": size}}]
    return entry("RiskAssessment", "r", status="final", subject=OWN, occurrenceDateTime=day, prediction=prediction)


def message(text: str, sent: str = "2026-11-27", **rest: Any) -> Json:
    payload = [{"contentString": text}]
    return entry("Communication", "m", status="completed", subject=OWN, sent=sent, payload=payload, **rest)


def document(code: str, text: str, **rest: Any) -> Json:
    coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
    section = {"code": coded, "text": {"div": f"<div><ul><li>{text}</li><li>Hay fever</li></ul></div>"}} | rest
    return entry("Composition", "c", status="final", subject=OWN, section=[section])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (risk("High"), ["Suicide risk: High"]),
        (risk("Low"), []),
        (risk("High", "Stroke"), []),
        (risk("High", day="2025-01-01"), []),
        (message("I took all my lorazepam and want to die"), ["I took all my lorazepam and want to die"]),
        (message("You told us that you want to die", sender={"reference": "Practitioner/1"}), []),
        (message("I want to die", sent="2024-01-01"), []),
        (message("See you on Tuesday"), []),
        (document("11450-4", "Unruptured cerebral aneurysm"), ["Unruptured cerebral aneurysm"]),
        (document("11348-0", "Schizophrenia &amp; asthma"), ["Schizophrenia & asthma"]),
        (document("11450-4", "No cerebral aneurysm"), []),
        (document("10157-6", "Schizophrenia"), []),
        (document("11450-4", "Cerebral aneurysm", entry=[{"reference": "Condition/k"}]), []),
    ],
)
def test_what_is_written_where_nothing_else_is_read_is_searched_for_danger(
    reader: FhirReader, written: Json, said: list[str]
) -> None:
    found = read(reader, patient(), problem("k", "Hay fever"), written)
    assert [one for one in found.patient.other_conditions or [] if one != "Hay fever"] == said
    assert reported(found)


@pytest.mark.parametrize(
    ("code", "lists"), [("11450-4", ["conditions"]), ("10160-0", ["medications"]), ("10157-6", []), ("47519-4", [])]
)
def test_a_list_in_words_alone_is_a_list_of_which_something_is_missing(
    reader: FhirReader, code: str, lists: list[str]
) -> None:
    found = read(reader, patient(), problem("k", "Hay fever"), statement("s", "lisinopril"), document(code, "zyx"))
    assert incomplete(found) == lists
    assert incomplete(read(reader, patient(), document(code, "zyx"))) == []  # Such a list was not sent at all.


@pytest.mark.parametrize(
    "kept_back",
    [
        {"note": [{"text": "Items excluded due to confidentiality and/or patient preferences."}]},
        {"extension": [{"url": "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ListWarningCode-1"}]},
    ],
)
def test_a_list_from_which_something_was_kept_back_is_not_whole(reader: FhirReader, kept_back: Json) -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "933361000000108"}]}
    item = [{"item": {"reference": "MedicationStatement/s"}}]
    listed = entry("List", "l", status="current", subject=OWN, code=code, entry=item)
    assert incomplete(read(reader, patient(), statement("s", "lisinopril"), listed)) == []
    listed["resource"] |= kept_back
    assert incomplete(read(reader, patient(), statement("s", "lisinopril"), listed)) == ["medications"]
