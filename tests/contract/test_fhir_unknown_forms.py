"""Forms and findings that nobody knows: a danger or a stop in them reaches a person, and nothing of others does."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader
from careplan.plan.model import items_of
from careplan.planner import Planner
from tests.contract.records import OWN, bundle, entry, patient, problem, read, statement
from tests.plans import rules_of

Json = dict[str, Any]
YES, NO = {"valueBoolean": True}, {"valueBoolean": False}
_GIVEN = frozenset({"conditions-not-asked", "medications-not-asked", "medicine-list-not-asked"})


def levels(reader: FhirReader, planner: Planner, *entries: Json) -> set[str]:
    """The levels of stops and holds of a plan for a record of these entries."""
    record = bundle(patient(gender="female", birthDate="1980-05-02"), *entries, timestamp="2026-11-30T10:00:00Z")
    plan = planner.plan(reader.read(record).patient)
    return {item.level for item in items_of(plan) if item.level in ("stop", "hold") and item.id not in _GIVEN}


def form(question: str, answer: Json | str) -> Json:
    said = {"valueString": answer} if isinstance(answer, str) else answer
    item = {"linkId": "1", "text": question, "answer": [said]}
    return entry("QuestionnaireResponse", None, status="completed", subject=OWN, authored="2026-11-29", item=[item])


def finding(name: str, **value: Any) -> Json:
    return entry(
        "Observation", None, status="final", subject=OWN, code={"text": name}, effectiveDateTime="2026-11-29", **value
    )


def chosen(display: str) -> Json:
    return {"valueCoding": {"display": display}}


@pytest.mark.parametrize(
    ("question", "answer", "level"),
    [
        ("Thoughts of suicide", YES, "stop"),
        ("Do you feel safe with your partner?", NO, "stop"),
        ("Anything else?", "I dont want to be alive anymore", "stop"),
        ("Haben Sie Suizidgedanken?", YES, "stop"),
        ("Are you pregnant?", YES, "hold"),
        ("Has a doctor ever told you that you have an aneurysm?", YES, "hold"),
        ("List your medical problems", "schizophrenia, high blood pressure", "hold"),
        ("Check all that apply", chosen("Schizophrenia"), "hold"),
        ("Past surgeries and illnesses", "brain aneurysm clipped 2012; gallbladder", "hold"),
        ("Do you use street drugs?", "heroin every day", "hold"),
        ("Any allergies?", "penicillin, ketamine", "stop"),
    ],
)
def test_what_a_form_that_nobody_knows_asks_for_reaches_a_person(
    reader: FhirReader, planner: Planner, question: str, answer: Json | str, level: str
) -> None:
    found = levels(reader, planner, form(question, answer))
    assert found
    assert level == "hold" or "stop" in found


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Thoughts of suicide", NO),
        ("Are you pregnant?", "No"),
        ("Have you had thoughts of suicide?", "no, never"),
        ("Do you have glaucoma?", "never"),
        ("Do you feel safe with your partner?", YES),
        ("Does anyone in your family have schizophrenia or bipolar disorder?", YES),
        ("Mother's health problems", "schizophrenia, stroke"),
        ("Check all that apply to your family", chosen("Schizophrenia")),
        ("What do you hope to get from treatment?", "less anxiety"),
        ("Any allergies?", "penicillin"),
    ],
)
def test_a_no_and_an_answer_about_others_raise_nothing(
    reader: FhirReader, planner: Planner, question: str, answer: Json | str
) -> None:
    assert levels(reader, planner, form(question, answer)) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Columbia: wish to be dead", {"valueBoolean": True}),
        ("C-SSRS screener result", {"valueString": "High risk"}),
        ("Suicide risk", {"valueString": "High"}),
        ("Suicidal ideation", {"valueCodeableConcept": {"text": "Present"}}),
        ("Homicidal ideation", {"valueString": "present"}),
        ("Auditory hallucinations", {"valueBoolean": True}),
        ("Domestic violence screen: afraid of partner", {"valueBoolean": True}),
    ],
)
def test_a_finding_that_is_a_danger_by_its_name_and_value_reaches_a_person(
    reader: FhirReader, planner: Planner, name: str, value: Json
) -> None:
    assert levels(reader, planner, finding(name, **value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Suicide risk", {"valueString": "Low"}),
        ("Suicidal ideation", {"valueString": "Denies"}),
        ("Suicidal ideation", {"valueCodeableConcept": {"text": "Not present"}}),
        ("Family history of suicide", {"valueCodeableConcept": {"text": "Yes"}}),
        ("History of suicide attempt", {"valueBoolean": False}),
        ("Chest pain", {"valueBoolean": False}),
        ("Auditory hallucinations", {"valueString": "denied"}),
    ],
)
def test_a_finding_that_is_not_there_raises_nothing(reader: FhirReader, planner: Planner, name: str, value: Json) -> None:
    assert levels(reader, planner, finding(name, **value)) == set()


@pytest.mark.parametrize(
    ("onset", "level"),
    [
        ({"onsetAge": {"value": 30, "unit": "a", "code": "a"}}, None),
        ({"onsetRange": {"low": {"value": 18, "code": "a"}, "high": {"value": 20, "code": "a"}}}, None),
        ({"onsetString": "around 2012"}, None),
        ({"onsetAge": {"value": 46, "unit": "a", "code": "a"}}, "stop"),
        ({"onsetString": "3 weeks ago"}, "stop"),
        ({"onsetString": "since 2026"}, "stop"),
    ],
)
def test_an_onset_as_an_age_or_in_words_says_how_long_ago_it_was(
    reader: FhirReader, planner: Planner, onset: Json, level: str | None
) -> None:
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    assert ("stop" in levels(reader, planner, problem("c", "Heart attack", clinicalStatus=active, **onset))) == bool(level)


@pytest.mark.parametrize(
    "beside",
    [
        {"evidence": [{"code": [{"text": "active suicidal ideation with plan"}]}]},
        {"stage": [{"summary": {"text": "now with command hallucinations to kill self"}}]},
    ],
)
def test_what_an_illness_rests_on_is_searched_for_danger(reader: FhirReader, planner: Planner, beside: Json) -> None:
    assert "stop" in levels(reader, planner, problem("c", "depression", **beside))
    assert "stop" not in levels(
        reader, planner, problem("c", "depression", evidence=[{"code": [{"text": "PHQ-9 14, denies SI"}]}])
    )


@pytest.mark.parametrize(
    ("question", "answer", "listed"),
    [
        ("Please list all current medications and doses", "Nardil 45 mg daily, Xanax 1 mg prn", True),
        ("Current medications", "sertraline 100 mg daily\nphenelzine 15 mg", True),
        ("What medications are you currently taking?", "phenelzine", True),
        ("Welche Medikamente nehmen Sie?", "Nardil", True),
        ("What medications are you currently taking?", "none", False),
        ("Please list your medications", "yes", False),
        ("List any medications you have tried in the past", "Nardil", False),
        ("Are you allergic to any current medications?", "Nardil", False),
    ],
)
def test_a_list_of_medicines_in_a_form_that_nobody_knows_is_read_as_lines(
    reader: FhirReader, planner: Planner, question: str, answer: str, *, listed: bool
) -> None:
    found = read(reader, patient(), statement("s", "lisinopril"), form(question, {"valueString": answer}))
    assert ("maoi-plan-before-treatment" in rules_of(planner.plan(found.patient))) == listed
    assert len(found.patient.medications or []) > 1 if listed else len(found.patient.medications or []) == 1


def test_a_medicine_that_a_form_and_an_order_name_is_on_the_list_once(reader: FhirReader) -> None:
    told = form("Current medications", {"valueString": "Nardil 15 mg\nlisinopril 10 mg"})
    found = read(reader, patient(), statement("s", "lisinopril"), told)
    assert [one.name or one.text for one in found.patient.medications or []] == ["lisinopril", "Nardil 15 mg"]


@pytest.mark.parametrize("said", ["weekly", "Daily", "occasionally", "in the past"])
def test_how_often_something_grave_happens_is_a_yes(reader: FhirReader, said: str) -> None:
    found = read(reader, patient(), form("Do you use ketamine recreationally?", {"valueString": said}))
    assert [one for one in found.patient.other_conditions or [] if "ketamine" in one]
