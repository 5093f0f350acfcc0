"""FHIR: resources in and out, judged by two validators that together miss nothing of what was tried on them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.errors import InvalidPatient
from careplan.fhir.read.bundle import FhirReader, FromFhir
from careplan.fhir.write.definitions import capability_statement, plan_definition, questionnaire
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.rulebook.model import Rulebook
from tests.contract.serving import ROOT
from tests.fhir_validators import faults_of
from tests.patients import patients

Json = dict[str, Any]
PATIENTS = sorted([*(ROOT / "tests" / "golden" / "patients").glob("*.json"), *(ROOT / "examples").glob("*.json")])
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def bundle_of(planner: Planner, path: Path) -> Json:
    patient = planner.intake.decode(path.read_bytes())
    return FhirWriter().bundle(planner.plan(patient), patient)


def of_type(bundle: Json, kind: str) -> list[Json]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


SESSIONS = {
    "treatment": {"session_times": ["2027-03-12T10:00:00-05:00", "2027-03-15T10:00:00-04:00"], "product": "racemic"},
}


@pytest.mark.parametrize("each", [5, pytest.param(1, marks=pytest.mark.long)])
def test_every_resource_that_is_written_is_valid(planner: Planner, book: Rulebook, each: int) -> None:
    signed = planner.intake.convert(
        json.loads((ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json").read_text()) | SESSIONS
    )
    written = [
        *(bundle_of(planner, path) for path in PATIENTS[::each]),
        FhirWriter().bundle(planner.plan(signed), signed),
        plan_definition(book),
        questionnaire(book.about.version, book.vocabulary.fields, book.conditions),
        capability_statement("1"),
    ]
    resources = [resource for whole in written for resource in (whole, *(e["resource"] for e in whole.get("entry", ())))]
    found = faults_of(resources)
    assert len(found) == len(resources)
    assert [faults for faults in found if faults] == []


def _in(kind: str, change: Callable[[Json], object]) -> Callable[[Json], object]:
    return lambda bundle: change(of_type(bundle, kind)[0])


def _both_forms(plan: Json) -> None:
    plan["activity"][0]["detail"] = {"status": "not-started"}


DAMAGE: dict[str, Callable[[Json], object]] = {
    "an unknown status": _in("CarePlan", lambda plan: plan.update(status="sketch")),
    "a required field gone": _in("CarePlan", lambda plan: plan.pop("subject")),
    "an unknown field": _in("CarePlan", lambda plan: plan.update(sgined=True)),
    "a field of the wrong type": _in("CarePlan", lambda plan: plan.update(title=7)),
    "one value where there are several": _in("CarePlan", lambda plan: plan.update(note={"text": "x"})),
    "both forms of an activity (cpl-3)": _in("CarePlan", _both_forms),
    "a date that is none": _in("CarePlan", lambda plan: plan.update(created="yesterday")),
    "a code outside a required list": _in("RequestGroup", lambda group: group["action"][0].update(priority="soon")),
}


@pytest.fixture(scope="module")
def damaged(planner: Planner) -> dict[str, list[str]]:
    """What the validators say of a plan damaged in each way."""
    whole = bundle_of(planner, ROOT / "examples" / "daily-benzodiazepine.json")
    resources = []
    for damage in DAMAGE.values():
        bundle = copy.deepcopy(whole)
        damage(bundle)
        resources.append(bundle)
    return dict(zip(DAMAGE, faults_of(resources), strict=True))


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_validators_notice_damage(damaged: dict[str, list[str]], damage: str) -> None:
    assert damaged[damage]


def _values(extension: Json, *names: str) -> list[object]:
    """The values of the parts of an extension that have one of these names, in order."""
    parts = [part for part in extension.get("extension", ()) if part["url"] in names]
    return [value for part in parts for key, value in part.items() if key.startswith("value")]


def _of(element: Json, name: str) -> list[Json]:
    return [one for one in element.get("extension", ()) if one["url"] == f"urn:careplan:{name}"]


def dashed(words: str) -> str:
    return words.replace("_", "-")


@given(st.data())
@settings(max_examples=30)
def test_the_fhir_plan_says_what_the_json_plan_says(planner: Planner, book: Rulebook, data: st.DataObject) -> None:
    patient = planner.intake.convert(data.draw(patients(book, medicines=3)))
    plan = planner.plan(patient)
    bundle = FhirWriter().bundle(plan, patient)
    works = {work.id: work for work in plan.sources}
    (care_plan,), groups = of_type(bundle, "CarePlan"), of_type(bundle, "RequestGroup")
    for action, item in zip(groups[0].get("action", []), items_of(plan), strict=True):
        coding = action["code"][0]["coding"][0]
        codes = [_of(action, name)[0]["valueCode"] for name in ("level", "section", "rule-status")]
        assert (coding["code"], coding["version"]) == (item.rule.id, str(item.rule.version))
        assert codes == [item.level, dashed(item.placed_in), item.rule.status]
        assert (action["title"], action["description"]) == (item.title, item.clinician_text)
        assert action["textEquivalent"] == item.patient_text
        assert [one["valueString"] for one in _of(action, "contested")] == [item.contested] * bool(item.contested)
        (why,) = [one["valueMarkdown"] for one in action["extension"] if one["url"].endswith("cpg-rationale")]
        assert why == ("; ".join(item.because) or item.title)
        assert [(one["label"], one["display"], one["citation"]) for one in action["documentation"]] == [
            (
                entry.source,
                f"{works[entry.source].title}; {entry.place}",
                f"{entry.strength.replace('_', ' ')}; read: {(works[entry.source].read or '').replace('_', ' ')}",
            )
            for entry in item.evidence
        ]
        layers = [_of(action, name)[0] for name in ("scope", "topic", "line")]
        assert [layers[0]["valueCode"], layers[1]["valueCode"]] == [item.scope, dashed(item.topic)]
        assert layers[2]["valueString"] == item.line
        assert [_values(one, "pointer", "name") for one in _of(action, "about")] == [
            [entry.pointer, entry.name] for entry in item.about
        ]
    assert care_plan["extension"][0]["valueCode"] == plan.status
    assert [
        _values(one, "index", "recognized-as", "class", "problem", "suggestion") for one in _of(care_plan, "medicine")
    ] == [
        [
            read.index,
            *filter(None, [read.recognized_as]),
            *map(dashed, read.classes),
            *map(dashed, filter(None, [read.problem])),
            *read.suggestions,
        ]
        for read in plan.medications
    ]
    missing = [one for one in of_type(bundle, "GuidanceResponse") if one["status"] == "data-required"]
    needs = [need for one in missing for need in one["dataRequirement"]]
    for need, question in zip(needs, plan.information_needed, strict=True):
        assert need["mustSupport"] == [question.pointer.strip("/").replace("/", ".")]
        assert _of(need, "question")[0]["valueString"] == question.question
        assert _of(need, "why-it-matters")[0]["valueString"] == question.why_it_matters
        (answer,) = _of(need, "answer")
        assert _values(answer, "type") == [dashed(question.form.type)]
        assert [(one["code"], one["display"]) for one in _values(answer, "choice") if isinstance(one, dict)] == [
            (choice.value, choice.label) for choice in question.form.choices
        ]
        edges = [question.form.least, question.form.most]
        assert _values(answer, "least", "most") == [edge for edge in edges if edge is not None]
        assert [_values(one, "section", "level", "rule") for one in _of(need, "could-change")] == [
            [dashed(change.section), change.level, *change.rules] for change in question.could_change
        ]
    left_out = [
        (issue["details"]["text"], issue["diagnostics"])
        for outcome in of_type(bundle, "OperationOutcome")
        for issue in outcome["issue"]
    ]
    assert left_out == [(entry.what, f"{entry.why} ({entry.pointer})") for entry in plan.not_considered]
    habits = [item for item in items_of(plan) if item.section == "aftercare" and item.level in ("caution", "note")]
    assert [goal["description"]["text"] for goal in of_type(bundle, "Goal")] == [item.title for item in habits]
    full_urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert set(_references(bundle)) <= full_urls


@pytest.mark.parametrize(
    ("route", "product", "code"),
    [
        ("iv", "racemic", "47625008"),
        ("im", "racemic", "78421000"),
        ("subcutaneous", "racemic", "34206005"),
        ("nasal", "esketamine", "46713006"),
    ],
)
def test_a_recommended_route_has_its_own_code(planner: Planner, route: str, product: str, code: str) -> None:
    patient = planner.intake.convert({"treatment": {"preferred_route": route, "product": product}})
    plan = planner.plan(patient)
    choices = {decision.choice for decision in plan.decisions}
    found = {
        coding["code"]
        for request in of_type(FhirWriter().bundle(plan, patient), "MedicationRequest")
        for dosage in request["dosageInstruction"]
        for coding in dosage["route"]["coding"]
    }
    expected = {"iv": "47625008", "im": "78421000", "subcutaneous": "34206005", "nasal_esketamine": "46713006"}
    assert found == {expected[choice] for choice in choices if choice in expected}
    assert found == {code}


def test_a_hold_that_nobody_decided_is_a_task_without_a_window_and_a_protected_medicine_has_none(planner: Planner) -> None:
    def tasks(**medicine: str) -> list[Json]:
        flags = {"intoxicated_now": False, "new_neurological_symptom": False, "psychosis_now": False, "mania_now": False}
        sent = {"medications": [{"name": "lorazepam"} | medicine], "conditions": [], "red_flags": flags}
        patient = planner.intake.convert(sent | {"lifestyle": {"alcohol_drinks_per_week": 0}})
        found = of_type(FhirWriter().bundle(planner.plan(patient), patient), "Task")
        return [task for task in found if "code" in task]

    (task,) = tasks(schedule="as_needed", indication="anxiety")
    assert task["code"]["coding"][0]["code"] == "hold-activity"
    assert task["description"].startswith("Hold decision, open: ")
    assert "executionPeriod" not in task
    assert tasks(schedule="as_needed", indication="epilepsy") == []
    assert tasks(schedule="daily", indication="anxiety") == []
    assert tasks(schedule="rescue", indication="anxiety") == []


def test_the_window_of_a_hold_is_the_signed_hours_around_the_session(planner: Planner) -> None:
    body = json.loads((ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json").read_text())
    body["treatment"]["session_times"] = ["2027-03-12T10:00:00-05:00"]
    (hold,) = body["protocol"]["holds"]
    hold |= {"before_hours": 5, "after_hours": 3}
    patient = planner.intake.convert(body)
    tasks = {
        task["code"]["coding"][0]["code"]: task["executionPeriod"]
        for task in of_type(FhirWriter().bundle(planner.plan(patient), patient), "Task")
        if "executionPeriod" in task
    }
    assert tasks == {
        "hold-activity": {"start": "2027-03-12T05:00:00-05:00", "end": "2027-03-12T13:00:00-05:00"},
        "resume-activity": {"start": "2027-03-12T13:00:00-05:00"},
    }


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from _references(part)


def test_no_resource_carries_a_dose_and_a_window_only_with_a_signed_hold_and_a_time(planner: Planner) -> None:
    body = json.loads((ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json").read_text())
    body["treatment"].pop("session_times", None)
    for sent, windows in ((body, 0), (body | SESSIONS, 4), ({**body, "protocol": None} | SESSIONS, 0)):
        patient = planner.intake.convert(sent)
        bundle = FhirWriter().bundle(planner.plan(patient), patient)
        assert "doseAndRate" not in json.dumps(bundle)
        assert len([task for task in of_type(bundle, "Task") if "executionPeriod" in task]) == windows
        assert all(task["status"] == "draft" and task["intent"] == "proposal" for task in of_type(bundle, "Task"))


# In.


def entry(resource: Json) -> Json:
    return {"fullUrl": f"urn:example:{resource['resourceType']}", "resource": resource}


def concept(system: str, code: str, display: str = "") -> Json:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def medication(code: Json, **rest: object) -> Json:
    return entry(
        {"resourceType": "MedicationStatement", "id": "m1", "status": "active", "medicationCodeableConcept": code} | rest
    )


def condition(code: Json, **rest: object) -> Json:
    return entry({"resourceType": "Condition", "id": "c1", "code": code} | rest)


def observation(loinc: str, **rest: object) -> Json:
    return entry({"resourceType": "Observation", "status": "final", "code": concept("http://loinc.org", loinc)} | rest)


ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
DAILY = [{"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}]


def read(reader: FhirReader, *entries: Json, timestamp: str = "2026-11-01T12:00:00Z") -> FromFhir:
    return reader.read({"resourceType": "Bundle", "type": "collection", "timestamp": timestamp, "entry": list(entries)})


def test_a_day_that_somebody_named_is_that_of_the_plan_and_a_guessed_one_is_not(reader: FhirReader) -> None:
    taken = medication(concept(RXNORM, "596"), dateAsserted="2026-10-01")
    assert read(reader, taken).patient.as_of == "2026-11-01"
    bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-11-01T12:00:00Z", "entry": [taken]}
    assert reader.read(bundle, date(2027, 1, 1)).patient.as_of == "2027-01-01"
    del bundle["timestamp"]
    assert reader.read(bundle).patient.as_of is None


def test_medicines_are_read_with_code_name_schedule_and_reason(reader: FhirReader) -> None:
    found = read(
        reader,
        medication(
            concept(RXNORM, "596", "alprazolam 0.5 MG Oral Tablet"), dosage=DAILY, reasonCode=[concept(ICD10, "F41.1")]
        ),
        medication(concept(RXNORM, "28439"), dosage=[{"asNeededBoolean": True}]),
    )
    first, second = found.patient.medications or []
    assert (first.rxcui, first.schedule, first.indication) == ("596", "daily", "anxiety")
    assert first.name == "alprazolam 0.5 MG Oral Tablet"
    assert (second.schedule, second.indication) == ("as_needed", None)
    assert found.sources["/medications/0"] == "MedicationStatement/m1"


def test_a_medicine_may_be_a_resource_of_its_own_or_contained(reader: FhirReader) -> None:
    of_its_own = {"resourceType": "Medication", "id": "x", "code": {"text": "Lamictal"}}
    found = read(
        reader,
        entry({"resourceType": "MedicationRequest", "medicationReference": {"reference": "Medication/x"}}),
        entry({"resourceType": "MedicationRequest", "contained": [of_its_own], "medicationReference": {"reference": "#x"}}),
        entry(of_its_own),
    )
    assert [one.name for one in found.patient.medications or []] == ["Lamictal", "Lamictal"]


@pytest.mark.parametrize("status", ["stopped", "not-taken", "completed", "entered-in-error", "cancelled"])
def test_a_medicine_that_is_not_taken_is_reported_and_not_counted(reader: FhirReader, status: str) -> None:
    found = read(reader, medication({"text": "Xanax"}, status=status))
    assert found.patient.medications is None
    assert [one.what for one in found.unmapped] == ["Xanax"]


@pytest.mark.parametrize(
    ("code", "token"),
    [
        (concept(ICD10, "I10"), "hypertension"),
        (concept(ICD10, "I21.4"), "recent_cardiovascular_event"),
        (concept("urn:careplan:conditions", "seizure_disorder"), "seizure_disorder"),
    ],
)
def test_a_condition_is_read_by_its_code_or_one_above_it(reader: FhirReader, code: Json, token: str) -> None:
    found = read(reader, condition(code))
    assert found.patient.conditions == [token]
    assert found.patient.other_conditions == []


def test_a_condition_that_cannot_be_read_is_named_and_takes_nothing_else_away(reader: FhirReader, planner: Planner) -> None:
    found = read(reader, condition({"text": "fits as a child"}), condition(concept(ICD10, "I10")))
    assert found.patient.other_conditions == ["fits as a child"]
    items = {item.id: item for item in items_of(planner.plan(found.patient))}
    assert "fits as a child" in items["entries-not-read"].clinician_text
    assert "hypertension-known" in items


def test_what_is_over_counts_only_where_a_history_counts(reader: FhirReader) -> None:
    over = {"clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")}
    found = read(reader, condition(concept(ICD10, "I63.9"), **over), condition(concept(ICD10, "O99", "x"), **over))
    assert found.patient.conditions == ["stroke_or_tia"]
    assert [one.what for one in found.unmapped] == ["x"]


def test_an_allergy_to_ketamine_alone_does_not_stand_for_a_clean_history(reader: FhirReader) -> None:
    allergy = entry({"resourceType": "AllergyIntolerance", "code": concept(RXNORM, "6130", "Ketamine")})
    found = read(reader, allergy)
    assert (found.patient.allergies, found.patient.conditions, found.patient.other_conditions) == (["Ketamine"], None, [])
    both = read(reader, condition(concept(ICD10, "I10")), allergy).patient
    assert (both.allergies, both.conditions, both.other_conditions) == (["Ketamine"], ["hypertension"], [])


def test_an_allergy_that_only_its_code_tells_of_is_put_down_in_the_words_of_the_condition(reader: FhirReader) -> None:
    found = read(reader, entry({"resourceType": "AllergyIntolerance", "code": concept(RXNORM, "6130", "a drug")}))
    assert found.patient.allergies == ["hypersensitivity to ketamine or esketamine"]


def test_observations_become_factors_in_our_units_and_all_others_are_reported(reader: FhirReader) -> None:
    found = read(
        reader,
        observation("82810-3", valueCodeableConcept=concept("http://snomed.info/sct", "60001007")),
        observation("93832-4", valueQuantity={"value": 6.5, "code": "h"}),
        observation("89555-7", valueQuantity={"value": 3, "code": "d/wk"}),
        observation("68516-4", valueQuantity={"value": 40, "code": "min/d"}),
        observation("74013-4", valueQuantity={"value": 2, "code": "{drinks}/d"}),
        observation("2823-3", valueQuantity={"value": 4.1, "code": "mmol/L"}),
    )
    assert found.patient.pregnancy == "not_pregnant"
    assert found.patient.lifestyle.sleep_hours_per_night == 6.5
    assert found.patient.lifestyle.exercise_minutes_per_week == 120
    assert found.patient.lifestyle.alcohol_drinks_per_week == 14
    assert [one.what for one in found.unmapped] == ["2823-3"]


def test_a_number_in_another_unit_is_reported_and_not_guessed(reader: FhirReader) -> None:
    found = read(reader, observation("93832-4", valueQuantity={"value": 390, "code": "min"}))
    assert found.patient.lifestyle.sleep_hours_per_night is None
    assert len(found.unmapped) == 1


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [("1960-11-02", "2026-11-01", 65), ("1960-11-01", "2026-11-01", 66), ("1960-11", "2026-11-01", None)],
)
def test_the_age_is_counted_on_the_day_that_the_bundle_names(
    reader: FhirReader, born: str, on: str, age: int | None
) -> None:
    patient = entry({"resourceType": "Patient", "id": "p", "birthDate": born})
    found = read(reader, patient, timestamp=f"{on}T00:00:00Z")
    assert found.patient.age_years == age
    assert bool(found.unmapped) == (age is None)
    undated = reader.read({"resourceType": "Bundle", "entry": [patient]})
    assert undated.patient.age_years is None
    assert undated.unmapped
    assert reader.read({"resourceType": "Bundle", "entry": [patient]}, date.fromisoformat(on)).patient.age_years == age


def test_answers_to_the_questionnaire_become_factors(reader: FhirReader, book: Rulebook) -> None:
    asked = json.dumps(questionnaire(book.about.version, book.vocabulary.fields, book.conditions))
    answers = [
        {"linkId": "lifestyle", "item": [{"linkId": "lifestyle.nutrition", "answer": [{"valueCoding": {"code": "poor"}}]}]},
        {"linkId": "support.escort_available", "answer": [{"valueBoolean": False}]},
        {"linkId": "age_years", "answer": [{"valueInteger": 44}]},
        {"linkId": "conditions", "answer": [{"valueCoding": {"code": "hypertension"}}, {"valueString": "fits"}]},
        {"linkId": "expectations.goals", "answer": [{"valueString": "Walk"}, {"valueString": "Rest"}]},
        {
            "linkId": "medications",
            "item": [
                {"linkId": "medications.name", "answer": [{"valueString": "Xanax"}]},
                {"linkId": "medications.schedule", "answer": [{"valueCoding": {"code": "daily"}}]},
            ],
        },
        {"linkId": "shoe.size", "text": "Shoe size", "answer": [{"valueInteger": 44}]},
    ]
    found = read(reader, entry({"resourceType": "QuestionnaireResponse", "status": "completed", "item": answers}))
    patient = found.patient
    assert (patient.lifestyle.nutrition, patient.support.escort_available, patient.age_years) == ("poor", False, 44)
    assert (patient.conditions, patient.other_conditions) == (["hypertension"], ["fits"])
    assert patient.expectations.goals == ["Walk", "Rest"]
    assert [(one.name, one.schedule) for one in patient.medications or []] == [("Xanax", "daily")]
    assert [one.what for one in found.unmapped] == ["Shoe size"]
    assert all(f'"{link}"' in asked for link in ("age_years", "conditions", "medications", "medications.schedule"))


def test_types_that_are_not_read_are_reported(reader: FhirReader) -> None:
    found = read(reader, entry({"resourceType": "Coverage"}), entry({"resourceType": "OperationOutcome"}))
    assert [one.what for one in found.unmapped] == ["Coverage", "OperationOutcome"]
    assert [one.pointer for one in found.unmapped] == ["/entry/0/resource", "/entry/1/resource"]


GOOD: Json = {
    "resourceType": "Bundle",
    "timestamp": "2026-11-01T12:00:00Z",
    "entry": [
        entry({"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}),
        medication(concept(RXNORM, "596", "alprazolam"), dosage=DAILY, reasonCode=[concept(ICD10, "F41.1")]),
        condition(concept(ICD10, "I10"), clinicalStatus=concept("x", "active")),
        observation("93832-4", valueQuantity={"value": 6.5, "code": "h"}),
        entry(
            {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "age_years", "answer": [{"valueInteger": 46}]}]}
        ),
    ],
}


def _places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(part, (*path, key))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(list(_places(GOOD))), ANYTHING)
@settings(max_examples=120)
def test_whatever_a_bundle_holds_it_is_read_or_refused_with_a_place(
    reader: FhirReader, place: tuple[str | int, ...], value: object
) -> None:
    body: Any = copy.deepcopy(GOOD)
    target = body
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    try:
        reader.read(body)
    except InvalidPatient as error:
        assert error.faults
        assert all(fault.pointer == "" or fault.pointer.startswith("/") for fault in error.faults)


# Over HTTP.


FHIR = {"Content-Type": "application/fhir+json"}


def test_apply_takes_a_bundle_or_parameters_and_answers_with_a_valid_plan(address: str) -> None:
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": GOOD}]}
    answers = [
        httpx.post(f"{address}/fhir/PlanDefinition/$apply", json=GOOD, headers=FHIR),
        httpx.post(f"{address}/fhir/PlanDefinition/ketamine-care/$apply", json=parameters, headers=FHIR),
        httpx.post(f"{address}/v1/care-plans", json=GOOD, headers=FHIR),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"] for answer in answers} == {"application/fhir+json"}
    assert len({answer.content for answer in answers}) == 1
    assert faults_of([answers[0].json()]) == [[]]
    (issue, *_) = of_type(answers[0].json(), "DetectedIssue")
    assert issue["implicated"] == [{"reference": "MedicationStatement/m1"}]
    assert of_type(answers[0].json(), "CarePlan")[0]["subject"] == {"reference": "Patient/p"}


def test_a_patient_text_in_another_language_says_so_and_whether_it_was_checked(address: str) -> None:
    answers_given = [{"linkId": "treatment.sessions_planned", "answer": [{"valueInteger": 1}]}]
    about_sessions = {
        "resourceType": "Bundle",
        "entry": [entry({"resourceType": "QuestionnaireResponse", "item": answers_given})],
    }
    spanish = FHIR | {"Accept": "application/fhir+json", "Accept-Language": "es"}
    answers = [
        httpx.post(f"{address}/{path}", json=about_sessions, headers=spanish)
        for path in ("fhir/PlanDefinition/$apply", "fhir/PlanDefinition/ketamine-care/$apply", "v1/care-plans")
    ]
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["content-language"] for answer in answers} == {"es, en"}
    bundle = answers[0].json()
    marked = [action for action in of_type(bundle, "RequestGroup")[0]["action"] if "_textEquivalent" in action]
    assert marked
    for action in marked:
        assert action["_textEquivalent"]["extension"][0]["valueCode"] == "es"
        assert _of(action, "translation")[0]["valueCode"] == "needs-review"
    told = [one for one in of_type(bundle, "CommunicationRequest") if one.get("language") == "es"]
    assert all(_of(one, "translation")[0]["valueCode"] == "needs-review" for one in told)
    assert faults_of([bundle]) == [[]]


@pytest.mark.parametrize("path", PATIENTS, ids=lambda path: path.stem)
def test_the_intake_form_can_say_all_that_a_request_can(reader: FhirReader, planner: Planner, path: Path) -> None:
    patient = _of_the_patient(planner.intake.decode(path.read_bytes()))
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": _answered(patient)}
    asked = json.dumps(questionnaire(planner.book.about.version, planner.book.vocabulary.fields, planner.book.conditions))
    assert [link for link in _links(response["item"]) if f'"{link}"' not in asked] == []
    found = read(reader, entry(response))
    assert found.patient == msgspec.structs.replace(patient, as_of=found.patient.as_of), "the day is that of the call"
    assert found.unmapped == []


def _of_the_patient(patient: Patient) -> Patient:
    """What a patient can be asked: nothing that the clinic alone knows."""
    treatment = msgspec.structs.replace(patient.treatment, last_session_at=None)
    return msgspec.structs.replace(
        patient,
        treatment=treatment,
        as_of=None,
        measures=Patient().measures,
        clinic=None,
        protocol=None,
        clearances=[],
        incomplete=[],
    )


def _links(items: object) -> Iterator[str]:
    for item in items if isinstance(items, list) else ():
        yield item["linkId"]
        yield from _links(item.get("item"))


def _answered(patient: Patient) -> list[Json]:
    """A patient's factors as answers to the intake form."""
    sent: Json = msgspec.to_builtins(patient)
    empty = [
        name for name in ("conditions", "allergies", "medications") if sent.get(name) == [] and not sent.get(f"other_{name}")
    ]
    empty += ["expectations.goals"] if patient.expectations.goals == [] else []
    items: list[Json] = [{"linkId": f"{name}.none", "answer": [{"valueBoolean": True}]} for name in empty]
    items += [
        {
            "linkId": "medications",
            "item": [{"linkId": f"medications.{key}", "answer": [_answer(value, key)]} for key, value in medicine.items()],
        }
        for medicine in sent.pop("medications", None) or ()
    ]
    for key, value in sent.items():
        parts = {f"{key}.{name}": part for name, part in value.items()} if isinstance(value, dict) else {key: value}
        for link, part in parts.items():
            values = part if isinstance(part, list) else [part]
            if values:
                items.append({"linkId": link, "answer": [_answer(one, link) for one in values]})
    return items


_TEXTS = ("name", "rxcui", "other_conditions", "allergies", "expectations.goals")


def _answer(value: object, link: str) -> Json:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int | float):
        return {"valueDecimal": value}
    if link == "treatment.session_times":
        return {"valueDateTime": value}
    return {"valueString": value} if link in _TEXTS else {"valueCoding": {"code": value}}


def test_a_bundle_in_may_have_any_form_out(address: str) -> None:
    for media_type in ("application/json", "text/html", "text/markdown"):
        answer = httpx.post(f"{address}/v1/care-plans", json=GOOD, headers=FHIR | {"Accept": media_type})
        assert answer.headers["content-type"].startswith(media_type)
        assert "alprazolam" in answer.text


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        ({"resourceType": "Patient"}, "Bundle.resourceType"),
        ({"resourceType": "Bundle", "entry": [{}]}, "Bundle.entry[0].resource"),
        (GOOD | {"entry": [entry({"resourceType": "Patient", "birthDate": 7})]}, "Bundle.entry[0].resource.birthDate"),
        (GOOD | {"entries": []}, "Bundle.entries"),
        ({"resourceType": "Parameters", "parameter": []}, "Parameters.parameter"),
    ],
)
def test_a_fault_is_an_operation_outcome_with_its_place(address: str, body: Json, expression: str) -> None:
    answer = httpx.post(f"{address}/fhir/PlanDefinition/$apply", json=body, headers=FHIR)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json()["issue"][0]["expression"] == [expression]
    assert faults_of([answer.json()]) == [[]]


def test_what_describes_the_end_point_is_there(address: str) -> None:
    for path in ("metadata", "Questionnaire/intake", "PlanDefinition/ketamine-care"):
        answer = httpx.get(f"{address}/fhir/{path}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/fhir+json"
    missing = httpx.get(f"{address}/fhir/Questionnaire/other")
    assert missing.status_code == 404
    assert missing.json()["resourceType"] == "OperationOutcome"
