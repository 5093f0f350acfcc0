"""What a record left out, cut off or announced without sending makes its lists incomplete, and takes nothing else away."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from careplan.fhir.cds_hooks.call import read_call
from careplan.fhir.read.bundle import FhirReader
from tests.contract.records import (
    OWN,
    bundle,
    entry,
    incomplete,
    medicines,
    patient,
    problem,
    read,
    reported,
    statement,
)

Json = dict[str, Any]

ODD = [{"url": "http://example.org/odd", "valueBoolean": True}]
SERTRALINE = statement("s", "sertraline")
BOTH = ["medications", "conditions"]


@pytest.mark.parametrize(
    "left_out",
    [
        statement("f", "phenelzine", modifierExtension=ODD),
        statement("f", "phenelzine", implicitRules="http://example.org/rules"),
        statement("f", "phenelzine") | {"modifierExtension": ODD},
        statement("f", "phenelzine", subject={"reference": "p"}),
        statement("f", "phenelzine", subject={"reference": "urn:uuid:0"}),
        statement("f", "phenelzine", subject={"display": "Pat Doe"}),
        statement("f", "phenelzine", subject={"reference": "Group/all"}),
        statement("f", "phenelzine", subject=[OWN, {"reference": "Patient/other"}]),
        statement("f", "phenelzine", subject={}),
        statement("f", "phenelzine", subject={"reference": "https://elsewhere.example.org/fhir/Patient/p"}),
        statement("f", medicationReference={"reference": "Medication/gone"}),
        statement("f", medicationCodeableConcept={"coding": [{"system": "http://loinc.org", "display": " "}]}),
        statement(
            "f",
            medicationCodeableConcept={
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}]
            },
        ),
        entry("MedicationDispense", "f", status="completed", subject=OWN),
        entry("MedicationAdministration", "f", status="completed", subject=OWN),
        entry("MedicationOrder", "f", status="active", patient=OWN),
        entry("MedicationStatment", "f", status="active", subject=OWN),
        entry("Encounter", "f", subject=OWN, contained=[{"resourceType": "MedicationRequest", "id": "x"}]),
        entry("List", "f", subject=OWN, entry=[{"item": {"reference": "MedicationRequest/gone"}}]),
        entry("List", "f", subject=OWN, entry=[{"item": {"reference": "MedicationStatement/gone/_history/1"}}]),
        entry("List", "f", subject=OWN, entry=[{"item": {"reference": "https://ehr.example/fhir/Medication/gone"}}]),
        entry(
            "List",
            "f",
            subject=OWN,
            code={"coding": [{"system": "http://loinc.org", "code": "10160-0"}]},
            entry=[{"item": {"reference": "urn:uuid:0"}}],
        ),
        entry(
            "Composition",
            "f",
            subject=OWN,
            section=[
                {
                    "code": {"coding": [{"system": "http://loinc.org", "code": "10160-0"}]},
                    "emptyReason": {"coding": [{"code": "withheld"}]},
                }
            ],
        ),
    ],
)
def test_a_medicine_that_was_left_out_makes_the_list_incomplete_and_is_named(reader: FhirReader, left_out: Json) -> None:
    found = read(reader, patient(), SERTRALINE, left_out)
    assert incomplete(found) == ["medications"]
    assert medicines(found) in (["sertraline"], ["sertraline", "unnamed medicine"])
    assert found.unmapped
    alone = read(reader, patient(), left_out)
    assert medicines(alone) in ([], ["unnamed medicine"])
    assert incomplete(alone) == ["medications"]


@pytest.mark.parametrize(
    "left_out",
    [
        problem("x", "Alcohol dependence", modifierExtension=ODD),
        problem("x", "Alcohol dependence", subject={"reference": "1"}),
        entry("Condition", "x", subject=OWN),
        entry("AllergyIntolerance", "x", patient=OWN),
        entry("AllergyIntolerance", "x", patient=OWN, implicitRules="urn:x"),
        entry("Encounter", "x", subject=OWN, diagnosis=[{"condition": {"reference": "Condition/gone"}}]),
        entry("ClinicalImpression", "x", subject=OWN, finding=[{"itemCodeableConcept": {"text": "psychosis"}}]),
        entry("Basic", "x", subject=OWN, modifierExtension=ODD, contained=[{"resourceType": "Condition", "id": "y"}]),
        entry("Organization", "x", contained=[{"resourceType": "Condition", "id": "y", "code": {"text": "mania"}}]),
    ],
)
def test_an_illness_that_was_left_out_makes_the_list_incomplete(reader: FhirReader, left_out: Json) -> None:
    found = read(reader, patient(), problem("h", "Hypertension"), left_out)
    assert incomplete(found) == ["conditions"]
    assert "Hypertension" in found.patient.other_conditions
    assert incomplete(read(reader, patient(), left_out)) == ["conditions"]
    assert read(reader, patient(), left_out).patient.conditions == []


@pytest.mark.parametrize(
    "judged",
    [
        statement("f", "phenelzine", status="stopped"),
        statement("f", "phenelzine", status="entered-in-error"),
        statement("f", "phenelzine", effectivePeriod={"end": "2020-01-01"}),
        statement("f", "phenelzine", subject={"reference": "Patient/other"}),
        problem("x", "Mania", subject={"reference": "Patient/other"}),
        problem("x", "Mania", verificationStatus={"text": "refuted"}),
        problem("x", "Mania", category=[{"text": "family history"}]),
        entry("FamilyMemberHistory", "x", patient=OWN, contained=[{"resourceType": "Condition", "code": {"text": "mania"}}]),
        entry("Encounter", "x", subject={"reference": "Patient/2"}, contained=[{"resourceType": "Condition", "id": "y"}]),
        entry("MedicationDispense", "x", status="cancelled", subject=OWN),
        entry("MedicationDispense", "x", status="completed", subject={"reference": "Patient/other"}),
        entry("AllergyIntolerance", "x", patient=OWN, code={"text": "Latex"}),
        entry("Immunization", "x", patient=OWN),
        entry("Procedure", "x", subject=OWN),
        entry("Encounter", "x", subject=OWN),
        entry("List", "x", subject=OWN, entry=[{"item": {"reference": "MedicationStatement/s"}}]),
        entry("List", "x", subject=OWN, entry=[{"item": {"reference": "Observation/gone"}}]),
        entry("List", "x", subject=OWN, entry=[{"deleted": True, "item": {"reference": "MedicationStatement/gone"}}]),
        entry("OperationOutcome", issue=[{"severity": "information", "code": "informational"}]),
    ],
)
def test_what_was_read_and_does_not_count_leaves_the_lists_complete(reader: FhirReader, judged: Json) -> None:
    found = read(reader, patient(), SERTRALINE, problem("h", "Hypertension"), judged)
    assert incomplete(found) == []
    assert (medicines(found), found.patient.other_conditions) == (["sertraline"], ["Hypertension"])
    assert len(found.unmapped) in (1, 2)


def test_a_dispensed_medicine_with_its_order_in_the_record_is_on_the_list_by_the_order(reader: FhirReader) -> None:
    order = entry("MedicationRequest", "r", status="active", subject=OWN, medicationCodeableConcept={"text": "lisinopril"})
    given = entry(
        "MedicationDispense",
        "d",
        status="completed",
        subject=OWN,
        authorizingPrescription=[{"reference": "MedicationRequest/r"}],
    )
    assert incomplete(read(reader, patient(), order, given)) == []
    assert incomplete(read(reader, patient(), given)) == ["medications"]


OUTCOME = {"severity": "warning", "code": "processing"}


@pytest.mark.parametrize(
    ("more", "rest"),
    [
        ([], {"total": 40}),
        ([], {"link": [{"relation": "next", "url": "https://ehr.example.org/page2"}]}),
        ([], {"meta": {"tag": [{"code": "SUBSETTED"}]}}),
        ([], {"meta": {"security": [{"code": "REDACTED"}]}}),
        ([], {"implicitRules": "http://example.org/rules"}),
        ([entry("Bundle", "b", type="searchset", entry=[statement("n", "phenelzine")])], {}),
        ([entry("OperationOutcome", issue=[OUTCOME, {"severity": "error", "code": "incomplete"}])], {}),
        ([entry("OperationOutcome", issue=[OUTCOME | {"severity": "fatal"}])], {}),
        ([entry("OperationOutcome", issue=[OUTCOME | {"code": "suppressed"}])], {}),
        ([entry("OperationOutcome", issue=[OUTCOME | {"diagnostics": "2 results were suppressed"}])], {}),
        ([entry("OperationOutcome", issue=[OUTCOME | {"details": {"text": "Some entries were not returned."}}])], {}),
        ([{"response": {"status": "403 Forbidden"}}], {"type": "batch-response"}),
    ],
)
def test_a_sign_for_the_whole_record_makes_both_lists_incomplete(reader: FhirReader, more: list[Json], rest: Json) -> None:
    found = read(reader, patient(), SERTRALINE, *more, **rest)
    assert incomplete(found) == BOTH
    assert (medicines(found), found.patient.conditions) == (["sertraline"], [])
    assert found.unmapped


def test_a_total_counts_matches_and_not_what_was_included_with_them(reader: FhirReader) -> None:
    included = entry("Medication", "x") | {"search": {"mode": "include"}}
    assert incomplete(read(reader, patient(), SERTRALINE, included, total=2)) == []
    assert incomplete(read(reader, patient(), SERTRALINE, included, total=3)) == BOTH


def test_goals_of_a_page_of_several_are_incomplete_and_none_are_made_up(reader: FhirReader) -> None:
    goals = {"linkId": "expectations.goals", "answer": [{"valueString": "walk"}]}
    form = entry("QuestionnaireResponse", status="completed", subject=OWN, item=[goals])
    assert incomplete(read(reader, patient(), form, total=9)) == [*BOTH, "goals"]
    assert read(reader, patient(), total=9).patient.expectations.goals is None


@pytest.mark.parametrize(
    ("resource", "lists"),
    [
        (statement("f", "phenelzine", meta={"tag": [{"code": "SUBSETTED"}]}), ["medications"]),
        (problem("x", "Mania", meta={"security": [{"code": "MASKED"}]}), ["conditions"]),
        (entry("QuestionnaireResponse", subject=OWN, meta={"tag": [{"code": "SUBSETTED"}]}), [*BOTH, "goals"]),
        (entry("Observation", subject=OWN, meta={"tag": [{"code": "SUBSETTED"}]}), []),
    ],
)
def test_a_resource_of_which_something_was_taken_away_still_counts_for_what_it_says(
    reader: FhirReader, resource: Json, lists: list[str]
) -> None:
    found = read(reader, patient(), resource)
    assert incomplete(found) == lists
    assert medicines(found) in (None, [], ["phenelzine"])


def test_more_medicines_than_fit_make_the_list_incomplete(reader: FhirReader) -> None:
    found = read(reader, patient(), *(statement(f"m{at}", f"medicine {at}") for at in range(101)))
    assert incomplete(found) == ["medications"]
    assert reported(found) == ["medicine 100"]


def test_a_medicine_is_left_out_of_nothing_by_a_modified_medication(reader: FhirReader) -> None:
    modified = entry("Medication", "x", code={"text": "phenelzine"}, modifierExtension=ODD)
    found = read(reader, patient(), modified, statement("f", medicationReference={"reference": "Medication/x"}))
    assert medicines(found) == ["unnamed medicine"]
    assert incomplete(found) == ["medications"]


FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
CALL: Json = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/7", "patientId": "p"},
}


@pytest.mark.parametrize(
    ("change", "lists"),
    [
        ({}, []),
        ({"requests": bundle(total=3)}, ["medications"]),
        ({"requests": FAILED}, ["medications"]),
        ({"allergies": bundle(link=[{"relation": "next", "url": "x"}])}, ["conditions"]),
        ({"allergies": bundle({"resource": FAILED})}, ["conditions"]),
        ({"observations": FAILED}, []),
        ({"answers": bundle({"resource": FAILED})}, []),
        ({"something-else": FAILED}, BOTH),
        ({"statements": bundle(statement("f", "phenelzine", modifierExtension=ODD))}, ["medications"]),
    ],
)
def test_what_failed_of_a_prefetch_makes_the_list_incomplete_that_it_would_have_been(
    reader: FhirReader, change: Json, lists: list[str]
) -> None:
    whole = {"statements": bundle(SERTRALINE), "conditions": bundle(problem("h", "Hypertension"))}
    call = read_call(CALL | {"prefetch": whole | change}, reader, date(2026, 11, 28))
    assert incomplete(call.read) == lists
