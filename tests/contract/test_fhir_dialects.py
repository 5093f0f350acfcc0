"""Records as other versions of FHIR, other countries and other vendors write them: read by what they say, or named."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader, FromFhir
from careplan.inference.derived import CaseMaker
from tests.contract.records import OWN, entry, incomplete, medicines, patient, problem, read, reported, statement
from tests.shipped import BOOK

Json = dict[str, Any]
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"


def coded(system: str, code: str, **rest: Any) -> Json:
    return {"coding": [{"system": system, "code": code} | rest]}


def illness(reader: FhirReader, code: Json, **rest: Any) -> FromFhir:
    return read(reader, patient(), entry("Condition", "c", subject=OWN, code=code, **rest))


def observed(reader: FhirReader, code: Json | str, **value: Any) -> FromFhir:
    said = coded(LOINC, code) if isinstance(code, str) else code
    found = entry("Observation", "o", status="final", subject=OWN, effectiveDateTime="2026-11-20", code=said, **value)
    return read(reader, patient(), found)


def value_of(found: FromFhir, measure: str) -> object:
    readings = found.patient.measures.get(measure)
    assert readings is None or isinstance(readings, list)
    return readings[0].value if readings else None


# The addresses of code systems.


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("https://snomed.info/sct", "38341003"),
        ("http://snomed.info/sct/32506021000036107", "38341003"),
        ("http://snomed.info/sct/83821000000107/version/20230101", "38341003"),
        ("http://snomed.info/sct|http://snomed.info/sct/731000124108", "38341003"),
        ("2.16.840.1.113883.6.96", "38341003"),
        ("SNOMED CT", "38341003"),
        ("SNOMEDCT_US", "38341003"),
        (SNOMED, " 38341003 "),
        ("http://hl7.org/fhir/sid/icd-10-am", "I10"),
        ("http://hl7.org/fhir/sid/icd-10-ca", "I10.0"),
        ("http://hl7.org/fhir/sid/icd-10-nl", "I10"),
        ("http://hl7.org/fhir/sid/icd-10-cm|2026", "I10"),
        ("http://hl7.org/fhir/sid/icd-9-cm/diagnosis", "401.9"),
        ("urn:oid:2.16.840.1.113883.6.90", "I10"),
    ],
)
def test_an_illness_is_read_by_every_address_of_its_code_system(reader: FhirReader, system: str, code: str) -> None:
    assert illness(reader, coded(system, code, display="zyx")).patient.conditions == ["hypertension"]


@pytest.mark.parametrize(
    "system", ["http://example.org/icd-10", "http://hl7.org/fhir/sid/icd-10-x", "urn:oid:2.16.840.1.113883.6.4", ""]
)
def test_a_code_of_a_system_that_is_not_known_stands_for_nothing(reader: FhirReader, system: str) -> None:
    found = illness(reader, coded(system, "I10", display="zyx"))
    assert (found.patient.conditions, found.patient.other_conditions) == (None, ["zyx"])


@pytest.mark.parametrize(
    "system", [f"{RXNORM}/", RXNORM.replace("http:", "https:"), "urn:oid:2.16.840.1.113883.6.88", "RxNorm", "RXNORM"]
)
def test_a_medicine_is_read_by_every_address_of_rxnorm(reader: FhirReader, system: str) -> None:
    code = coded(system, "8123", display="zyx")
    found = read(reader, patient(), statement("m", medicationCodeableConcept=code))
    assert [one.rxcui for one in found.patient.medications or []] == ["8123"]
    form = entry(
        "QuestionnaireResponse",
        "q",
        status="completed",
        subject=OWN,
        item=[{"linkId": "medications.name", "answer": [{"valueCoding": code["coding"][0]}]}],
    )
    assert [one.rxcui for one in read(reader, patient(), form).patient.medications or []] == ["8123"]


@pytest.mark.parametrize(
    "system", ["https://loinc.org", "http://loinc.org/", "urn:oid:2.16.840.1.113883.6.1", "LOINC", "LN"]
)
def test_an_observation_is_read_by_every_address_of_loinc(reader: FhirReader, system: str) -> None:
    found = observed(reader, coded(system, "8480-6"), valueQuantity={"value": 190, "unit": "mmHg"})
    assert value_of(found, "systolic") == (None if system == "LN" else 190)
    answer = coded(system, "LA6571-9")
    assert value_of(observed(reader, "44260-8", valueCodeableConcept=answer), "phq9_item9") == 3


# How sure an illness is, and whether it is over.


def test_a_status_as_versions_before_r4_write_it_counts(reader: FhirReader) -> None:
    there = read(reader, patient(), problem("c", "Hypertension", clinicalStatus="active", verificationStatus="confirmed"))
    assert (there.patient.other_conditions, there.unmapped) == (["Hypertension"], [])
    for status in ({"verificationStatus": "refuted"}, {"clinicalStatus": "resolved"}):
        gone = read(reader, patient(), problem("c", "Hypertension", **status))
        assert not gone.patient.other_conditions
        assert reported(gone) == ["Hypertension"]
    allergy = entry("AllergyIntolerance", "a", patient=OWN, substance={"text": "ketamine"}, status="active")
    assert read(reader, patient(), allergy).patient.allergies == ["ketamine"]
    allergy["resource"]["status"] = "entered-in-error"
    assert read(reader, patient(), allergy).patient.allergies is None


@pytest.mark.parametrize(
    ("certainty", "conditions", "why"),
    [
        ("G", ["bipolar_disorder"], []),
        ("V", ["bipolar_disorder"], ["It is provisional; until it is ruled out, it counts as there."]),
        ("A", None, ["Its verification status is refuted."]),
        ("x", ["bipolar_disorder"], []),
    ],
)
def test_a_german_diagnosis_that_is_ruled_out_is_none(
    reader: FhirReader, certainty: str, conditions: list[str] | None, why: list[str]
) -> None:
    for value in ({"valueCoding": {"code": certainty}}, {"valueCode": certainty}):
        found = illness(reader, coded(GM, "F31.9", extension=[{"url": CERTAINTY} | value]))
        assert (found.patient.conditions, [one.why for one in found.unmapped]) == (conditions, why)


def test_a_german_status_after_an_illness_is_one_that_is_over(reader: FhirReader) -> None:
    after = {"extension": [{"url": CERTAINTY, "valueCoding": {"code": "Z"}}]}
    assert illness(reader, coded(GM, "I10.90", **after)).patient.conditions is None
    active = {"clinicalStatus": {"coding": [{"code": "active"}]}}
    assert illness(reader, coded(GM, "I10.90", **after), **active).patient.conditions == ["hypertension"]


@pytest.mark.parametrize(
    "end",
    [
        {"abatementString": "ongoing"},
        {"abatementString": "no"},
        {"abatementString": "not resolved"},
        {"abatementString": "since 2010"},
        {"abatementString": "?resolved"},
        {"abatementPeriod": {"start": "2019"}},
        {"abatementDateTime": "2020-02-31"},
    ],
)
def test_an_end_that_is_not_plainly_one_takes_no_illness_away(reader: FhirReader, end: Json) -> None:
    found = illness(reader, coded(SNOMED, "38341003"), **end)
    assert found.patient.conditions == ["hypertension"]
    assert [one.why for one in found.unmapped] == ["Whether it is over could not be read, so it counts as there."]


@pytest.mark.parametrize(
    "end",
    [
        {"abatementPeriod": {"start": "2019", "end": "9999-12-31"}},
        {"abatementPeriod": {"start": "2027-01-01"}},
        {"abatementDateTime": "2027-01-01"},
        {"abatementBoolean": False},
    ],
)
def test_an_end_that_is_to_come_or_denied_takes_no_illness_away(reader: FhirReader, end: Json) -> None:
    found = illness(reader, coded(SNOMED, "38341003"), **end)
    assert (found.patient.conditions, found.unmapped) == (["hypertension"], [])


@pytest.mark.parametrize(
    "end",
    [
        {"abatementString": "resolved 2010"},
        {"abatementString": "in remission"},
        {"abatementString": "2019"},
        {"abatementAge": {"value": 30}},
        {"abatementBoolean": True},
        {"abatementPeriod": {"start": "2019", "end": "2020"}},
    ],
)
def test_an_end_that_is_plainly_one_is_the_end(reader: FhirReader, end: Json) -> None:
    found = illness(reader, coded(SNOMED, "38341003"), **end)
    assert found.patient.conditions is None
    assert [one.why for one in found.unmapped] == ["It has an end, so it is over."]


# Medicines of other versions.


@pytest.mark.parametrize(
    ("code", "taken", "status"),
    [
        *((code, None, None) for code in ("not-taking", "stopped", "stopped-as-directed", "stopped-not-as-directed")),
        *((code, ["phenelzine"], "on_hold") for code in ("on-hold", "on-hold-as-directed", "on-hold-not-as-directed")),
        *((code, ["phenelzine"], None) for code in ("taking", "taking-as-directed", "taking-not-as-directed", "unknown")),
    ],
)
def test_every_code_of_the_adherence_of_r5_counts(
    reader: FhirReader, code: str, taken: list[str] | None, status: str | None
) -> None:
    adherence = {"code": coded(ADHERENCE, code)}
    one = statement("m", status="recorded", medication={"concept": {"text": "phenelzine"}}, adherence=adherence)
    found = read(reader, patient(), one)
    assert (medicines(found), incomplete(found)) == (taken, [])
    assert [one.status for one in found.patient.medications or []] == [status] * (taken is not None)


def test_a_medicine_of_dstu_2_that_was_not_taken_is_none(reader: FhirReader) -> None:
    assert medicines(read(reader, patient(), statement("m", "phenelzine", wasNotTaken=True))) is None
    assert medicines(read(reader, patient(), statement("m", "phenelzine", wasNotTaken=False))) == ["phenelzine"]
    why = {"text": "epilepsy"}
    (medicine,) = (
        read(reader, patient(), statement("m", "lamotrigine", reasonForUseCodeableConcept=why)).patient.medications or []
    )
    assert medicine.indication == "epilepsy"


def test_the_draft_of_a_statement_leaves_the_list_incomplete_and_that_of_an_order_does_not(reader: FhirReader) -> None:
    assert incomplete(read(reader, patient(), statement("m", "phenelzine", status="draft"))) == ["medications"]
    order = entry("MedicationRequest", "m", status="draft", subject=OWN, medicationCodeableConcept={"text": "phenelzine"})
    assert incomplete(read(reader, patient(), order)) == []


def test_all_dosages_in_words_as_r5_has_them_are_reported(reader: FhirReader) -> None:
    found = read(reader, patient(), statement("m", "lorazepam", renderedDosageInstruction="1 mg on Mondays and Fridays"))
    assert [(one.pointer, one.why.rpartition(": ")[2]) for one in found.unmapped] == [
        ("/entry/1/resource/renderedDosageInstruction", "1 mg on Mondays and Fridays.")
    ]


@pytest.mark.parametrize(
    ("diagnosis", "lists"),
    [
        ([{"reference": {"reference": "Condition/c"}}], []),
        ([{"reference": {"reference": "Condition/c"}, "concept": {"text": "Hypertension"}}], []),
        ([{"reference": {"reference": "Condition/z"}}], ["conditions"]),
        ([{"concept": {"text": "Stroke"}}], ["conditions"]),
        ({"reference": "Condition/z"}, ["conditions"]),
    ],
)
def test_the_diagnoses_of_a_visit_are_looked_for_as_r4_and_r5_write_them(
    reader: FhirReader, diagnosis: Json | list[Json], lists: list[str]
) -> None:
    visit = entry("Encounter", "e", status="completed", subject=OWN, diagnosis=[{"condition": diagnosis}])
    found = read(reader, patient(), visit, problem("c", "Hypertension"))
    assert (incomplete(found), found.patient.other_conditions) == (lists, ["Hypertension"])


def test_parameters_within_a_bundle_may_hold_what_is_on_a_list(reader: FhirReader) -> None:
    assert incomplete(read(reader, patient(), entry("Parameters", "x", parameter=[]))) == ["medications", "conditions"]


# Allergies in words.


@pytest.mark.parametrize(
    "said",
    [
        "No known allergy to ketamine",
        "Denies allergy to ketamine",
        "No ketamine allergy",
        "Not allergic to ketamine",
        "NKDA",
        "kiwi",
    ],
)
def test_an_allergy_that_is_denied_is_none(reader: FhirReader, said: str) -> None:
    found = read(reader, patient(), entry("AllergyIntolerance", "a", patient=OWN, code={"text": said}))
    assert (found.patient.conditions, found.patient.allergies, reported(found)) == (None, [], [said])


@pytest.mark.parametrize("said", ["ketorolac", "Toradol - hives"])
def test_an_allergy_to_a_medicine_that_rules_look_at_is_compared_with_the_list(reader: FhirReader, said: str) -> None:
    found = read(reader, patient(), entry("AllergyIntolerance", "a", patient=OWN, code={"text": said}))
    assert (found.patient.conditions, found.patient.allergies, reported(found)) == (None, [said], [])
    case = CaseMaker(BOOK).case(found.patient)
    assert (case.illnesses.tokens, case.illnesses.allergens) == ((), (frozenset({"ketorolac"}),))


@pytest.mark.parametrize("said", ["Spravato", "Ketalar", "S-ketamine or ketamine", "ketamine HCl 50 MG/ML"])
def test_an_allergy_to_what_is_given_is_known_by_its_brands_and_among_other_words(reader: FhirReader, said: str) -> None:
    found = read(reader, patient(), entry("AllergyIntolerance", "a", patient=OWN, code={"text": said}))
    assert found.patient.allergies in ([said], ["hypersensitivity to ketamine or esketamine"])
    assert "ketamine_hypersensitivity" in CaseMaker(BOOK).case(found.patient).illnesses.tokens


# Values in words.


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ({"valueCodeableConcept": {"text": "Nearly every day"}}, 3),
        ({"valueCodeableConcept": {"coding": [{"code": "x", "display": "Several  days"}]}}, 1),
        ({"valueString": "more than half the days"}, 2),
        ({"valueString": "Not at all"}, 0),
        ({"valueString": "3"}, 3),
        ({"valueString": "some days"}, None),
        ({"valueCodeableConcept": {"text": "Nearly every day", "coding": [{"system": LOINC, "code": "LA6568-5"}]}}, None),
    ],
)
def test_an_answer_on_suicide_is_read_in_the_words_of_the_questionnaire(
    reader: FhirReader, value: Json, number: float | None
) -> None:
    assert value_of(observed(reader, "44260-8", **value), "phq9_item9") == number


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ({"valueString": "Nearly every day"}, 3),
        ({"valueCoding": {"display": "Several days"}}, 1),
        (
            {
                "valueCoding": {
                    "code": "a",
                    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 2}],
                }
            },
            2,
        ),
        (
            {
                "valueCoding": {
                    "code": "a",
                    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 2}],
                }
            },
            2,
        ),
        ({"valueCoding": {"code": "a", "extension": [{"url": "urn:x", "valueDecimal": 2}]}}, None),
    ],
)
def test_a_form_may_answer_in_words_and_by_weights(reader: FhirReader, answer: Json, number: float | None) -> None:
    form = entry("QuestionnaireResponse", "q", status="completed", subject=OWN, authored="2026-11-20")
    form["resource"]["item"] = [{"linkId": "/44249-1/44260-8", "answer": [answer]}]
    assert value_of(read(reader, patient(), form), "phq9_item9") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("190 mmHg", 190), ("190mmHg", 190), ("190", None), ("190/100", None), ("190 bananas", None), ("high", None)],
)
def test_a_number_in_words_needs_its_unit(reader: FhirReader, text: str, number: float | None) -> None:
    assert value_of(observed(reader, "8480-6", valueString=text), "systolic") == number


@pytest.mark.parametrize("value", [{"valueString": "Pregnant"}, {"valueCodeableConcept": {"text": "pregnant"}}])
def test_a_pregnancy_in_words_is_one(reader: FhirReader, value: Json) -> None:
    assert observed(reader, "82810-3", **value).patient.pregnancy == "pregnant"


def test_a_part_of_an_observation_that_may_mean_the_opposite_does_not_count(reader: FhirReader) -> None:
    part = {"code": coded(LOINC, "8480-6"), "valueQuantity": {"value": 190, "unit": "mmHg"}}
    assert value_of(observed(reader, "85354-9", component=[part]), "systolic") == 190
    modified = observed(reader, "85354-9", component=[part | {"modifierExtension": [{"url": "urn:x"}]}])
    assert value_of(modified, "systolic") is None
    assert "/entry/1/resource/component/0" in {one.pointer for one in modified.unmapped}


# Whom a resource is about.


@pytest.mark.parametrize(
    ("reference", "taken", "lists"),
    [
        ("Patient?identifier=https://example.org/mrn|7", ["phenelzine"], []),
        ("Patient?identifier=https%3A%2F%2Fexample.org%2Fmrn|7", ["phenelzine"], []),
        ("Patient?identifier=https://example.org/mrn|8", None, []),
        ("Patient?identifier=https://example.org/other|7", [], ["medications"]),
        ("Patient/p/", [], ["medications"]),
        ("Patient/p?x", [], ["medications"]),
        ("Patient/q", None, []),
    ],
)
def test_a_reference_that_is_none_is_not_taken_for_one_to_somebody_else(
    reader: FhirReader, reference: str, taken: list[str] | None, lists: list[str]
) -> None:
    own = patient(identifier=[{"system": "https://example.org/mrn", "value": "7"}])
    found = read(reader, own, statement("m", "phenelzine", subject={"reference": reference}))
    assert (medicines(found), incomplete(found)) == (taken, lists)


def test_a_uuid_is_the_same_in_small_and_big_letters(reader: FhirReader) -> None:
    own = patient(None, url="urn:uuid:AB12CD34-0000-4000-8000-000000000000")  # type: ignore[arg-type]
    subject = {"reference": "urn:uuid:ab12cd34-0000-4000-8000-000000000000"}
    assert medicines(read(reader, own, statement("m", "phenelzine", subject=subject))) == ["phenelzine"]


def test_a_form_without_items_is_reported_and_one_of_dstu_2_leaves_lists_incomplete(reader: FhirReader) -> None:
    bare = entry("QuestionnaireResponse", "q", status="completed", subject=OWN)
    found = read(reader, patient(), bare)
    assert (reported(found), incomplete(found)) == (["QuestionnaireResponse"], [])
    bare["resource"]["group"] = {"question": []}
    assert set(incomplete(read(reader, patient(), bare))) == {"medications", "conditions", "goals"}
