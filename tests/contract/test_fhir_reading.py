"""What a clinical record says, how sure and how old it is and of whom: each fact counts, or is reported with the reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from careplan.errors import InvalidPatient
from careplan.fhir.read.bundle import FhirReader, FromFhir
from careplan.fhir.read.questionnaire_responses import INTAKE
from careplan.inference.derived import CaseMaker
from careplan.request.patient import Patient
from tests.contract.test_fhir import DAILY, ICD10, RXNORM, concept, condition, entry, medication, observation, read
from tests.shipped import BOOK

Json = dict[str, Any]
SNOMED = "http://snomed.info/sct"
HL7 = "http://terminology.hl7.org/CodeSystem/"
VERIFICATION = f"{HL7}condition-ver-status"


def form(*items: Json, **rest: object) -> Json:
    return entry({"resourceType": "QuestionnaireResponse", "status": "completed", "item": list(items)} | rest)


def answered(link: str, *answers: Json) -> Json:
    return {"linkId": link, "answer": list(answers)}


def coded(code: str) -> Json:
    return {"valueCoding": {"code": code}}


def without_marks(patient: Patient) -> Patient:
    """A patient without what only says that a list is incomplete."""
    empty = {name: getattr(patient, name) or None for name in ("medications", "conditions")}
    return msgspec.structs.replace(patient, incomplete=[], **empty)


def reasons(found: FromFhir) -> list[str]:
    return [f"{one.what}: {one.why}" for one in found.unmapped]


# Answers that cannot be read.


@pytest.mark.parametrize("answer", [{"valueReference": {"reference": "Condition/1"}}, {}, {"valueDate": "2026-01-01"}])
def test_an_unreadable_illness_is_never_taken_for_none(reader: FhirReader, answer: Json) -> None:
    found = read(reader, form(answered("conditions", answer)))
    assert (found.patient.conditions, found.patient.incomplete) == ([], ["conditions"])
    assert len(found.patient.other_conditions) == 1
    assert reasons(found) == ["conditions: This answer could not be read."]


@pytest.mark.parametrize(
    ("coding", "conditions", "others"),
    [
        ({"display": "Epilepsy"}, ["hypertension"], ["Epilepsy"]),
        ({"system": ICD10, "code": "G40.9", "display": "Epilepsy"}, ["hypertension", "seizure_disorder"], []),
        ({"system": "urn:other", "code": "seizure_disorder"}, ["hypertension"], ["seizure_disorder"]),
        ({"code": "seizure_disorder"}, ["hypertension", "seizure_disorder"], []),
    ],
)
def test_each_illness_of_several_answers_counts(
    reader: FhirReader, coding: Json, conditions: list[str], others: list[str]
) -> None:
    found = read(reader, form(answered("conditions", coded("hypertension"), {"valueCoding": coding})))
    assert (found.patient.conditions, found.patient.other_conditions) == (conditions, others)


def test_goals_that_cannot_be_read_are_reported_and_their_list_is_known_to_be_incomplete(reader: FhirReader) -> None:
    date = {"valueDate": "2026-01-01"}
    found = read(reader, form(answered("expectations.goals", date)))
    assert (found.patient.expectations.goals, found.patient.incomplete) == ([], ["goals"])
    assert len(found.unmapped) == 1
    one = read(reader, form(answered("expectations.goals", date, {"valueString": "walk"}))).patient
    assert (one.expectations.goals, one.incomplete) == (["walk"], ["goals"])


@pytest.mark.parametrize(
    ("link", "answer"),
    [
        ("support.escort_available", coded("yes")),
        ("age_years", {"valueDate": "2001-01-01"}),
        ("age_years", {"valueInteger": 900}),
        ("age_years", {"valueDecimal": 33.5}),
        ("lifestyle.nutrition", coded("splendid")),
        ("lifestyle.nutrition", {"valueCoding": {"system": "urn:other", "code": "poor"}}),
        ("lifestyle.sleep_hours_per_night", {"valueQuantity": {"value": 390, "unit": "min"}}),
        ("treatment.session_times", {"valueDateTime": "2026-12-01"}),
    ],
)
def test_an_answer_of_another_kind_is_reported_and_refuses_nothing(reader: FhirReader, link: str, answer: Json) -> None:
    found = read(reader, form(answered(link, answer)))
    assert found.patient == read(reader).patient
    assert [one.what for one in found.unmapped] == [link]


def test_two_answers_where_one_is_asked_for_are_reported_but_of_a_red_flag_the_graver_counts(reader: FhirReader) -> None:
    found = read(
        reader,
        form(
            answered("age_years", {"valueInteger": 33}, {"valueInteger": 34}),
            answered("red_flags.suicidal_thoughts", coded("none"), coded("active_no_plan")),
        ),
    )
    assert found.patient.age_years is None
    assert found.patient.red_flags.suicidal_thoughts == "active_no_plan"
    assert [one.what for one in found.unmapped] == ["age_years", "red_flags.suicidal_thoughts"]


def test_items_below_an_answer_are_read(reader: FhirReader) -> None:
    below = [answered("age_years", {"valueInteger": 33}), answered("lifestyle.cannabis", coded("daily"))]
    found = read(reader, form({"linkId": "smokes", "text": "Smoker?", "answer": [{"valueBoolean": True, "item": below}]}))
    assert (found.patient.age_years, found.patient.lifestyle.cannabis) == (33, "daily")
    assert [one.what for one in found.unmapped] == ["Smoker?"]


def test_all_that_is_said_of_a_medicine_in_the_form_is_read_or_reported(reader: FhirReader) -> None:
    group = {
        "linkId": "medications",
        "item": [
            answered("medications.name", {"valueCoding": {"system": RXNORM, "code": "6470", "display": "lorazepam"}}),
            answered("medications.dose_mg", {"valueDecimal": 1}),
            answered("medications.schedule", {"valueDate": "2020-01-01"}),
            answered("comment", {"valueString": "hi"}),
        ],
    }
    two_names = {
        "linkId": "medications",
        "item": [answered("medications.name", {"valueString": "Xanax"}, {"valueString": "Ativan"})],
    }
    found = read(reader, form(group, two_names))
    first, second = found.patient.medications or []
    assert (first.name, first.rxcui, first.dose_mg, first.schedule) == ("lorazepam", "6470", 1, None)
    assert second.name == "Xanax"
    assert [one.what for one in found.unmapped] == ["medications.schedule", "comment", "medications.name"]


# Which form, of whom, and when.


def test_a_form_without_questions_of_ours_or_a_mistake_does_not_count(reader: FhirReader) -> None:
    calm = answered("red_flags.suicidal_thoughts", coded("none"))
    cars = {"questionnaire": "http://other.example.org/Questionnaire/cars"}
    for found in (
        read(reader, form(calm, status="entered-in-error")),
        read(reader, form(answered("cars", coded("none")), **cars)),
    ):
        assert found.patient.red_flags.suicidal_thoughts is None
        assert [one.what for one in found.unmapped] == ["QuestionnaireResponse"]
    ours = read(reader, form(calm, questionnaire=f"{INTAKE}|0.1.0"))
    assert ours.patient.red_flags.suicidal_thoughts == "none"


@pytest.mark.parametrize("status", ["in-progress", "stopped"])
def test_of_an_unfinished_form_only_warnings_count(reader: FhirReader, status: str) -> None:
    items = [
        answered("red_flags.suicidal_thoughts", coded("passive")),
        answered("red_flags.psychosis_now", {"valueBoolean": False}),
        answered("age_years", {"valueInteger": 33}),
        answered("conditions.none", {"valueBoolean": True}),
    ]
    found = read(reader, form(*items, status=status))
    patient = found.patient
    assert patient.red_flags.suicidal_thoughts == "passive"
    assert (patient.red_flags.psychosis_now, patient.age_years, patient.conditions) == (None, None, None)
    assert len(found.unmapped) == 1


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (("none", "2020-01-01"), ("plan_or_intent", "2026-10-01"), "plan_or_intent"),
        (("plan_or_intent", "2020-01-01"), ("none", "2026-10-01"), "none"),
        (("none", "2026-10-01"), ("plan_or_intent", "2020-01-01"), "none"),
        (("none", "2026-10-01"), ("plan_or_intent", None), "plan_or_intent"),
        (("plan_or_intent", "2026-10-01"), ("none", None), "plan_or_intent"),
        (("none", "2026-10-01T10:00:00+02:00"), ("passive", "2026-10-01T08:30:00Z"), "passive"),
        (("none", "2026-10"), ("passive", "2026-10-01"), "passive"),
        (("none", "2094-10-01"), ("passive", "2026-10-01"), "passive"),
    ],
)
def test_the_newest_answer_counts_and_a_red_flag_before_its_denial_of_no_surely_later_time(
    reader: FhirReader, first: tuple[str, str | None], second: tuple[str, str | None], counts: str
) -> None:
    forms = [
        form(answered("red_flags.suicidal_thoughts", coded(value)), **({"authored": at} if at else {}))
        for value, at in (first, second)
    ]
    found = read(reader, *forms)
    assert found.patient.red_flags.suicidal_thoughts == counts
    assert [one.what for one in found.unmapped] == ["red_flags.suicidal_thoughts"]


def test_the_newest_observation_counts_whatever_the_order_and_the_other_is_reported(reader: FhirReader) -> None:
    old = observation("93832-4", effectiveDateTime="2026-05-01", valueQuantity={"value": 8, "code": "h"})
    new = observation("93832-4", effectivePeriod={"start": "2026-10-01"}, valueQuantity={"value": 4, "code": "h"})
    for both in ((old, new), (new, old)):
        found = read(reader, *both)
        assert found.patient.lifestyle.sleep_hours_per_night == 4
        assert reasons(found) == ["lifestyle.sleep_hours_per_night: A later entry says something else, which counts."]


@pytest.mark.parametrize(
    ("code", "issued", "pregnancy"),
    [
        ("60001007", "2026-10-20", "not_pregnant"),
        ("60001007", "2026-09-20", None),
        ("77386006", "2026-09-20", "pregnant"),
        ("77386006", "2015-01-01", None),
    ],
)
def test_an_observation_too_old_to_tell_of_today_is_reported_and_a_warning_lasts_longer(
    reader: FhirReader, code: str, issued: str, pregnancy: str | None
) -> None:
    found = read(reader, observation("82810-3", issued=issued, valueCodeableConcept=concept(SNOMED, code)))
    assert found.patient.pregnancy == pregnancy
    assert [one.what for one in found.unmapped] == ([] if pregnancy else ["82810-3"])


def test_the_lists_of_a_newer_form_replace_those_of_an_older_one(reader: FhirReader) -> None:
    def listing(name: str, goal: str, illness: str, authored: str) -> Json:
        medicine = {"linkId": "medications", "item": [answered("medications.name", {"valueString": name})]}
        goals = answered("expectations.goals", {"valueString": goal})
        return form(medicine, goals, answered("conditions", coded(illness)), authored=authored)

    found = read(
        reader,
        listing("Ativan", "walk", "hypertension", "2020-01-01"),
        listing("Xanax", "rest", "seizure_disorder", "2026-01-01"),
    )
    assert [one.name for one in found.patient.medications or []] == ["Xanax"]
    assert found.patient.expectations.goals == ["rest"]
    assert found.patient.conditions == ["hypertension", "seizure_disorder"]
    assert {one.what for one in found.unmapped} == {"expectations.goals", "Ativan"}


def test_somebody_who_says_there_is_nothing_gives_empty_lists_unless_something_is_named(reader: FhirReader) -> None:
    nothing = form(*(answered(f"{kind}.none", {"valueBoolean": True}) for kind in ("conditions", "medications")))
    found = read(reader, nothing)
    assert (found.patient.conditions, found.patient.medications) == ([], [])
    contradicted = read(reader, nothing, condition({"text": "fits"}), medication({"text": "Xanax"}))
    assert (contradicted.patient.conditions, contradicted.patient.other_conditions) == ([], ["fits"])
    assert len(contradicted.patient.medications or []) == 1
    assert len(contradicted.unmapped) == 2


# About whom.

PATIENT = entry({"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"})


@pytest.mark.parametrize(
    "resource",
    [
        medication({"text": "Xanax"}, subject={"reference": "Patient/OTHER"}),
        condition(concept(ICD10, "I21.4"), subject={"reference": "https://fhir.example.org/Patient/OTHER"}),
        entry(
            {
                "resourceType": "AllergyIntolerance",
                "patient": {"reference": "Patient/OTHER"},
                "code": concept(RXNORM, "6130"),
            }
        ),
        observation("93832-4", subject={"reference": "urn:uuid:1"}, valueQuantity={"value": 6, "code": "h"}),
        form(answered("age_years", {"valueInteger": 33}), subject={"reference": "Group/p"}),
    ],
)
def test_what_is_about_somebody_else_does_not_count(reader: FhirReader, resource: Json) -> None:
    found = read(reader, PATIENT, resource)
    assert without_marks(found.patient) == without_marks(read(reader, PATIENT).patient)
    assert [one.what for one in found.unmapped] == [resource["resource"]["resourceType"]]


@pytest.mark.parametrize(
    ("named", "full_url"),
    [
        ("Patient/p", "urn:uuid:7"),
        ("Patient/p/_history/3", "urn:uuid:7"),
        ("urn:uuid:7", "urn:uuid:7"),
        ("Patient/p", "https://fhir.example.org/r4/Patient/p"),
        ("https://fhir.example.org/r4/Patient/p", "https://fhir.example.org/r4/Patient/p"),
    ],
)
def test_the_patient_is_known_by_every_reference_to_them(reader: FhirReader, named: str, full_url: str) -> None:
    patient = PATIENT | {"fullUrl": full_url}
    found = read(reader, condition(concept(ICD10, "I10"), subject={"reference": named}), patient)
    assert found.patient.conditions == ["hypertension"]
    assert found.subject == "Patient/p"


def test_facts_of_two_people_without_a_patient_are_refused(reader: FhirReader) -> None:
    both = [condition(concept(ICD10, "I10"), subject={"reference": f"Patient/{name}"}) for name in "ab"]
    with pytest.raises(InvalidPatient) as refused:
        read(reader, *both)
    assert [fault.pointer for fault in refused.value.faults] == ["/entry/1/resource/subject"]
    assert read(reader, both[0]).subject == "Patient/a"


@pytest.mark.parametrize("modified", [{"modifierExtension": [{"url": "urn:x"}]}, {"implicitRules": "urn:x"}])
def test_what_may_mean_the_opposite_does_not_count(reader: FhirReader, modified: Json) -> None:
    resources = [
        medication({"text": "Xanax"}),
        condition(concept(ICD10, "I10")),
        observation("93832-4", valueQuantity={"value": 6, "code": "h"}),
        form(answered("age_years", {"valueInteger": 33})),
    ]
    for resource in resources:
        found = read(reader, entry(resource["resource"] | modified))
        assert without_marks(found.patient) == read(reader).patient
        assert "modifier extension" in found.unmapped[0].why
    inside = form({"linkId": "age_years", "answer": [{"valueInteger": 33}]} | modified)
    assert read(reader, inside).patient.age_years is None


# Medicines.


def test_a_medicine_whose_time_is_over_is_reported(reader: FhirReader) -> None:
    over = {"start": "2010-01-01", "end": "2012-01-01"}
    found = read(reader, medication({"text": "Xanax"}, effectivePeriod=over))
    assert found.patient.medications is None
    assert reasons(found) == ["Xanax: Its period says that it is not taken any more (until 2012-01-01)."]
    current = {"start": "2026-01-01", "end": "2026-11-01"}
    assert read(reader, medication({"text": "Xanax"}, effectivePeriod=current)).patient.medications


@pytest.mark.parametrize(
    ("pointing", "full_url"),
    [
        ("Medication/9", "urn:uuid:9"),
        ("Medication/9/_history/2", "urn:uuid:9"),
        ("urn:uuid:9", "urn:uuid:9"),
        ("https://fhir.example.org/Medication/9", "https://fhir.example.org/Medication/9"),
    ],
)
def test_a_medicine_is_found_by_every_reference_to_it(reader: FhirReader, pointing: str, full_url: str) -> None:
    of_its_own = {"resourceType": "Medication", "id": "9", "code": concept(RXNORM, "6470", "lorazepam")}
    request = {"resourceType": "MedicationRequest", "id": "r", "medicationReference": {"reference": pointing}}
    found = read(reader, entry(request), entry(of_its_own) | {"fullUrl": full_url})
    assert [(one.name, one.rxcui) for one in found.patient.medications or []] == [("lorazepam", "6470")]
    assert found.unmapped == []


def test_a_reference_that_leads_nowhere_still_has_its_words(reader: FhirReader) -> None:
    pointing = {"reference": "Medication/9", "display": "Lorazepam 1 MG tablet"}
    found = read(reader, entry({"resourceType": "MedicationRequest", "medicationReference": pointing}))
    assert [one.name for one in found.patient.medications or []] == ["Lorazepam 1 MG tablet"]


def test_the_name_that_is_known_counts_before_a_text_that_is_none(reader: FhirReader) -> None:
    ndc = {"system": "http://hl7.org/fhir/sid/ndc", "code": "00093-0832-01", "display": "clonazePAM 0.5mg"}
    products = [{"system": RXNORM, "code": "99999999"}, {"system": RXNORM, "code": "3322"}]
    found = read(reader, medication({"coding": [ndc], "text": "take 1"}), medication({"coding": products}))
    first, second = found.patient.medications or []
    assert first.name == "clonazePAM 0.5mg"
    assert second.rxcui == "3322"


@pytest.mark.parametrize(
    ("reason", "indication"),
    [
        ({"reasonReference": [{"reference": "Condition/c1"}]}, "epilepsy"),
        ({"reasonReference": [{"reference": "Condition/gone"}]}, None),
        ({"reasonCode": [{"text": "for seizures"}]}, None),
        ({"reasonCode": [{"text": "Anxiety"}]}, "anxiety"),
        ({"reasonCode": [concept(ICD10, "F41.1"), {"text": "something else"}]}, None),
        (
            {
                "contained": [{"resourceType": "Condition", "id": "z", "code": concept(ICD10, "G40")}],
                "reasonReference": [{"reference": "#z"}],
            },
            "epilepsy",
        ),
    ],
)
def test_the_reason_of_a_medicine_is_read_or_reported(reader: FhirReader, reason: Json, indication: str | None) -> None:
    found = read(reader, medication(concept(RXNORM, "2598", "clonazepam"), **reason), condition(concept(ICD10, "G40.9")))
    (medicine,) = found.patient.medications or []
    assert medicine.indication == indication
    assert [one.what for one in found.unmapped] == ([] if indication else ["reason for clonazepam"])


@pytest.mark.parametrize(
    ("quantity", "dose"),
    [({"value": 200, "unit": "mg"}, 200), ({"value": 2, "unit": "tablets"}, None), ({"value": 1, "unit": "drop"}, None)],
)
def test_a_dose_in_milligrams_is_read_and_any_other_reported(reader: FhirReader, quantity: Json, dose: float | None) -> None:
    dosage = [DAILY[0] | {"doseAndRate": [{"doseQuantity": quantity}]}]
    found = read(reader, medication({"text": "lamotrigine"}, dosage=dosage))
    assert [one.dose_mg for one in found.patient.medications or []] == [dose]
    assert [one.what for one in found.unmapped] == ([] if dose else ["dose of lamotrigine"])


def test_what_a_resource_contains_is_read_or_reported(reader: FhirReader) -> None:
    contained = [
        {"resourceType": "Condition", "id": "z", "code": concept(ICD10, "I21.4")},
        {"resourceType": "AllergyIntolerance", "id": "y", "code": concept(RXNORM, "6130", "ketamine")},
        {"resourceType": "Practitioner", "id": "x"},
    ]
    found = read(reader, medication({"text": "lisinopril"}, contained=contained))
    assert (found.patient.conditions, found.patient.allergies) == (["recent_cardiovascular_event"], ["ketamine"])
    assert [one.what for one in found.unmapped] == ["Practitioner"]


# Illnesses.


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ({"abatementDateTime": "2010"}, "It has an end, so it is over."),
        ({"category": [concept("urn:x", "family-history")]}, "It is about the family."),
        ({"verificationStatus": {"text": "Refuted"}}, "Its verification status is refuted."),
        (
            {
                "verificationStatus": {
                    "coding": [{"system": "urn:x", "code": "R"}, {"system": VERIFICATION, "code": "refuted"}]
                }
            },
            "Its verification status is refuted.",
        ),
        ({"clinicalStatus": {"text": "resolved"}}, "Its clinical status is resolved."),
    ],
)
def test_an_illness_that_is_none_or_over_is_reported_with_the_reason(reader: FhirReader, rest: Json, why: str) -> None:
    found = read(reader, condition(concept(ICD10, "I10", "Hypertension"), **rest))
    assert found.patient.conditions is None
    assert reasons(found) == [f"Hypertension: {why}"]


def test_an_illness_that_is_not_sure_counts_and_is_reported(reader: FhirReader) -> None:
    found = read(
        reader, condition(concept(ICD10, "G40.9", "Epilepsy"), verificationStatus=concept(VERIFICATION, "unconfirmed"))
    )
    assert found.patient.conditions == ["seizure_disorder"]
    assert reasons(found) == ["Epilepsy: It is unconfirmed; until it is ruled out, it counts as there."]


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ({"verificationStatus": concept("urn:x", "refuted")}, "Its verification status is refuted."),
        ({"clinicalStatus": concept("urn:x", "resolved")}, "Its clinical status is resolved."),
        ({"code": {"text": "Latex"}}, "No rule of this rulebook looks at this allergy."),
    ],
)
def test_an_allergy_that_does_not_count_is_reported_with_the_reason(reader: FhirReader, rest: Json, why: str) -> None:
    found = read(reader, entry({"resourceType": "AllergyIntolerance", "code": concept(RXNORM, "6130", "Ketamine")} | rest))
    assert found.patient.conditions is None
    assert [one.why for one in found.unmapped] == [why]


@pytest.mark.parametrize(
    "said",
    [{"code": {"text": "Ketamine hydrochloride injection"}}, {"reaction": [{"substance": concept(RXNORM, "6130")}]}],
)
def test_an_allergy_to_the_treatment_is_known_by_its_words_and_its_substance(reader: FhirReader, said: Json) -> None:
    found = read(reader, entry({"resourceType": "AllergyIntolerance"} | said))
    assert "ketamine_hypersensitivity" in CaseMaker(BOOK).case(found.patient).illnesses.tokens


def test_more_than_a_request_can_hold_is_reported_and_refuses_nothing(reader: FhirReader) -> None:
    illnesses = [condition({"text": f"illness {number}"}) for number in range(62)]
    medicines = [medication({"text": f"medicine {number}"}) for number in range(101)]
    found = read(reader, *illnesses, illnesses[0], *medicines)
    assert len(found.patient.other_conditions) == 60
    assert len(found.patient.medications or []) == 100
    assert [one.what for one in found.unmapped] == ["Condition", "illness 60", "illness 61", "medicine 100"]
    assert found.patient.incomplete == ["medications", "conditions"]


# Observations.


@pytest.mark.parametrize(
    "quantity", [{"value": 30, "code": "min/d"}, {"value": 3}, {"value": 3, "code": "d/wk", "comparator": "<"}]
)
def test_each_code_has_its_own_units_and_none_is_not_one_of_them(reader: FhirReader, quantity: Json) -> None:
    minutes = observation("68516-4", valueQuantity={"value": 40, "code": "min/d"})
    found = read(reader, observation("89555-7", valueQuantity=quantity), minutes)
    assert found.patient.lifestyle.exercise_minutes_per_week is None
    assert [one.what for one in found.unmapped] == ["89555-7", "lifestyle.exercise_minutes_per_week"]


@pytest.mark.parametrize("unit", ["h", "hr", "hours"])
def test_usual_ways_of_writing_a_unit_are_known(reader: FhirReader, unit: str) -> None:
    found = read(reader, observation("93832-4", valueQuantity={"value": 6, "unit": unit}))
    assert found.patient.lifestyle.sleep_hours_per_night == 6


LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    ("value", "thoughts"),
    [
        ({"valueCodeableConcept": concept(LOINC, "LA6568-5")}, "none"),
        ({"valueCodeableConcept": concept(LOINC, "LA6569-3")}, "passive"),
        ({"valueCodeableConcept": concept(LOINC, "LA6570-1")}, "passive"),
        ({"valueCodeableConcept": concept(LOINC, "LA6571-9")}, "passive"),
        ({"valueInteger": 2}, "passive"),
        ({"valueQuantity": {"value": 0, "code": "{score}"}}, "none"),
        ({"valueInteger": 9}, None),
    ],
)
def test_item_nine_of_the_phq_9_is_read(reader: FhirReader, value: Json, thoughts: str | None) -> None:
    found = read(reader, observation("44260-8", **value))
    assert found.patient.red_flags.suicidal_thoughts == thoughts
    assert bool(found.unmapped) == (thoughts is None)


@pytest.mark.parametrize(
    ("answer", "authored", "thoughts"),
    [
        ("plan_or_intent", "2026-10-01", "plan_or_intent"),
        ("none", "2026-10-01", "passive"),
        ("none", "2026-10-20", "none"),
    ],
)
def test_item_nine_of_the_phq_9_makes_no_graver_answer_less(
    reader: FhirReader, answer: str, authored: str, thoughts: str
) -> None:
    item = observation("44260-8", effectiveDateTime="2026-10-10", valueCodeableConcept=concept(LOINC, "LA6569-3"))
    found = read(reader, item, form(answered("red_flags.suicidal_thoughts", coded(answer)), authored=authored))
    assert found.patient.red_flags.suicidal_thoughts == thoughts


def test_a_diagnosis_of_suicidal_thoughts_is_the_red_flag_and_counts_before_a_denial(reader: FhirReader) -> None:
    denial = form(answered("red_flags.suicidal_thoughts", coded("none")), authored="2026-10-01")
    found = read(reader, condition(concept(ICD10, "R45.851", "Suicidal ideations")), denial)
    assert found.patient.red_flags.suicidal_thoughts == "active_no_plan"
    assert [one.what for one in found.unmapped] == ["red_flags.suicidal_thoughts"]
