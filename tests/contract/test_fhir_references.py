"""References lead where FHIR R4 says, and nowhere else: resources of two servers with one id never meet."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.errors import InvalidPatient
from careplan.fhir.read.bundle import Asked, FhirReader
from tests.contract.records import OWN, entry, incomplete, medicines, patient, problem, read, statement

Json = dict[str, Any]

CLINIC, PHARMACY = "https://clinic.example/fhir", "https://pharmacy.example/base/fhir"
URN = "urn:uuid:04121321-4af5-424c-a0e1-ed3aab1c349d"
MRN = {"system": "https://clinic.example/mrn", "value": "77"}


def at(server: str, kind: str, name: str, **rest: object) -> Json:
    return entry(kind, name, url=f"{server}/{kind}/{name}", **rest)


def taken(server: str, medicine: str, subject: str = f"{CLINIC}/Patient/p", name: str = "m") -> Json:
    return at(
        server,
        "MedicationStatement",
        name,
        status="active",
        subject={"reference": subject},
        medicationReference={"reference": medicine},
    )


HERS = at(CLINIC, "Patient", "p")
LISINOPRIL = at(CLINIC, "Medication", "9", code={"text": "lisinopril"})
LORAZEPAM = at(PHARMACY, "Medication", "9", code={"text": "lorazepam"})


@pytest.mark.parametrize(
    ("server", "reference", "name"),
    [
        (PHARMACY, "Medication/9", "lorazepam"),
        (CLINIC, "Medication/9", "lisinopril"),
        (PHARMACY, f"{CLINIC}/Medication/9", "lisinopril"),
        (CLINIC, f"{PHARMACY}/Medication/9", "lorazepam"),
        (CLINIC, f"{PHARMACY}/Medication/9/_history/4", "lorazepam"),
        (CLINIC, "https://elsewhere.example/fhir/Medication/9", None),
        ("https://elsewhere.example/fhir", "Medication/9", None),
    ],
)
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_relative_reference_is_one_of_the_server_of_its_entry(
    reader: FhirReader, server: str, reference: str, name: str | None, order: list[int]
) -> None:
    both = [[LISINOPRIL, LORAZEPAM][one] for one in order]
    found = read(reader, HERS, *both, taken(server, reference))
    assert medicines(found) == [name or "unnamed medicine"]
    assert incomplete(found) == ([] if name else ["medications"])


def test_a_reference_to_a_version_leads_to_this_version_or_nowhere(reader: FhirReader) -> None:
    second = at(CLINIC, "Medication", "9", code={"text": "lisinopril"}, meta={"versionId": "2"})
    for version, name in (("2", "lisinopril"), ("1", "unnamed medicine")):
        found = read(reader, HERS, second, taken(CLINIC, f"Medication/9/_history/{version}"))
        assert medicines(found) == [name]


def test_entries_that_name_no_server_belong_to_the_only_one_there_is(reader: FhirReader) -> None:
    loose = entry("Medication", "9", code={"text": "lisinopril"})
    assert medicines(read(reader, HERS, loose, taken(CLINIC, "Medication/9"))) == ["lisinopril"]
    assert medicines(read(reader, HERS, loose, taken(PHARMACY, "Medication/9"))) == ["unnamed medicine"]
    found = read(reader, HERS, statement("m", "lisinopril"))
    assert (medicines(found), incomplete(found)) == (["lisinopril"], [])


def test_a_reference_by_urn_leads_to_the_entry_of_this_urn(reader: FhirReader) -> None:
    found = read(
        reader,
        entry("Patient", url=URN),
        entry("Medication", url="urn:uuid:2", code={"text": "lisinopril"}),
        statement("m", subject={"reference": URN}, medicationReference={"reference": "urn:uuid:2"}),
        statement("n", "phenelzine", subject={"reference": "urn:uuid:3"}),
    )
    assert medicines(found) == ["lisinopril"]
    assert (found.subject, incomplete(found)) == (URN, ["medications"])


@pytest.mark.parametrize(
    ("identifier", "counts"),
    [
        (MRN, True),
        ({"value": "77"}, False),
        ({"system": MRN["system"]}, False),
        (MRN | {"system": "https://elsewhere.example/mrn"}, False),
        (MRN | {"value": "78"}, False),
    ],
)
def test_a_logical_reference_matches_by_system_and_value_only(reader: FhirReader, identifier: Json, *, counts: bool) -> None:
    hers = patient(identifier=[MRN])
    found = read(reader, hers, statement("m", "lorazepam", subject={"identifier": identifier}))
    assert ("lorazepam" in (medicines(found) or [])) == counts
    medicine = entry("Medication", "9", identifier=[MRN], code={"text": "lorazepam"})
    by_logic = read(reader, patient(), medicine, statement("m", medicationReference={"identifier": identifier}))
    assert medicines(by_logic) == ["lorazepam" if counts else "unnamed medicine"]


def test_another_number_of_the_same_system_is_somebody_else_and_of_another_system_nobody_knows(reader: FhirReader) -> None:
    hers = patient(identifier=[MRN])
    other = statement("m", "lorazepam", subject={"identifier": MRN | {"value": "78"}})
    assert incomplete(read(reader, hers, other)) == []
    unknown = statement("m", "lorazepam", subject={"identifier": {"system": "urn:x", "value": "77"}})
    assert incomplete(read(reader, hers, unknown)) == ["medications"]


@pytest.mark.parametrize(
    ("contained", "counts"), [({}, False), ({"identifier": [MRN]}, True), ({"identifier": [MRN | {"value": "1"}]}, False)]
)
def test_a_contained_patient_is_this_one_only_by_an_identifier(reader: FhirReader, contained: Json, *, counts: bool) -> None:
    inner = {"resourceType": "Patient", "id": "x"} | contained
    said = statement("m", "lorazepam", subject={"reference": "#x"}, contained=[inner])
    found = read(reader, patient(identifier=[MRN]), said)
    assert medicines(found) == (["lorazepam"] if counts else [])
    assert incomplete(found) == ([] if counts else ["medications"])


@pytest.mark.parametrize(
    ("subject", "lists"),
    [
        (f"{CLINIC}/Patient/p", None),
        ("Patient/p", None),
        ("Patient/p/_history/9", None),
        (f"{PHARMACY}/Patient/p", ["medications"]),
        ("Patient/2", []),
        ("p", ["medications"]),
        ("#p", ["medications"]),
        ("http://clinic.example/fhir/Patient/p", ["medications"]),
    ],
)
def test_who_is_meant_is_told_by_server_and_id(reader: FhirReader, subject: str, lists: list[str] | None) -> None:
    found = read(reader, HERS, LISINOPRIL, taken(CLINIC, "Medication/9", subject))
    assert medicines(found) == (["lisinopril"] if lists is None else None if lists == [] else [])
    assert incomplete(found) == (lists or [])


def test_a_patient_of_another_server_that_has_the_same_id_is_not_this_one(reader: FhirReader) -> None:
    theirs = taken(PHARMACY, "Medication/9", "Patient/p", name="n")
    found = read(reader, HERS, LISINOPRIL, LORAZEPAM, taken(CLINIC, "Medication/9"), theirs)
    assert medicines(found) == ["lisinopril"]
    assert incomplete(found) == ["medications"]


def test_a_record_that_is_linked_to_the_patient_may_be_the_same_person(reader: FhirReader) -> None:
    hers = patient(link=[{"type": "seealso", "other": {"reference": "Patient/old"}}])
    found = read(reader, hers, statement("m", "phenelzine", subject={"reference": "Patient/old"}))
    assert incomplete(found) == ["medications"]


def test_of_several_patients_one_must_be_named(reader: FhirReader) -> None:
    both = [patient("a"), patient("b"), statement("m", "lorazepam", subject={"reference": "Patient/b"})]
    with pytest.raises(InvalidPatient) as refused:
        read(reader, *both)
    assert [fault.pointer for fault in refused.value.faults] == ["/entry/1/resource/id"]
    found = read(reader, *both, asked=Asked(subject="Patient/b"))
    assert (medicines(found), found.subject) == (["lorazepam"], "Patient/b")
    found = read(reader, *both, asked=Asked(subject="Patient/a"))
    assert (medicines(found), incomplete(found), found.subject) == (None, [], "Patient/a")


def test_what_names_nobody_in_a_record_of_several_patients_is_nobodys(reader: FhirReader) -> None:
    nobody = entry("MedicationStatement", "m", status="active", medicationCodeableConcept={"text": "phenelzine"})
    found = read(reader, patient("a"), patient("b"), nobody, asked=Asked(subject="Patient/b"))
    assert (medicines(found), incomplete(found)) == ([], ["medications"])
    assert medicines(read(reader, patient("b"), nobody)) == ["phenelzine"]


def test_a_document_is_about_the_subject_of_its_first_entry(reader: FhirReader) -> None:
    first = entry("Composition", "c", subject={"reference": "Patient/b"})
    about = [
        statement(name, text, subject={"reference": f"Patient/{name}"}) for name, text in zip("ab", ("x", "y"), strict=True)
    ]
    found = read(reader, first, patient("a"), patient("b"), *about, type="document")
    assert (medicines(found), found.subject) == (["y"], "Patient/b")


def test_one_person_on_two_servers_is_one_by_an_identifier(reader: FhirReader) -> None:
    two = [at(server, "Patient", name, identifier=[MRN]) for server, name in ((CLINIC, "p"), (PHARMACY, "8"))]
    here = taken(CLINIC, "Medication/9")
    there = taken(PHARMACY, "Medication/9", "Patient/8", name="n")
    found = read(reader, *two, LISINOPRIL, LORAZEPAM, here, there)
    assert (medicines(found), incomplete(found)) == (["lisinopril", "lorazepam"], [])


def test_a_fact_within_another_resource_is_about_whom_that_is_about(reader: FhirReader) -> None:
    illness = {"resourceType": "Condition", "id": "c", "code": {"text": "Schizophrenia"}}
    for subject, others in ((OWN, ["Schizophrenia"]), ({"reference": "Patient/2"}, [])):
        found = read(reader, patient(), entry("Encounter", "e", subject=subject, contained=[illness]))
        assert found.patient.other_conditions == others
        assert incomplete(found) == []
    family = entry("FamilyMemberHistory", "f", patient=OWN, relationship={"text": "mother"}, contained=[illness])
    found = read(reader, patient(), family)
    assert (found.patient.conditions, found.patient.other_conditions) == (None, [])
    named = illness | {"subject": {"reference": "Patient/2"}}
    assert read(reader, patient(), entry("Encounter", "e", subject=OWN, contained=[named])).patient.conditions is None


def test_a_reason_that_was_not_sent_takes_no_medicine_away(reader: FhirReader) -> None:
    found = read(reader, patient(), statement("m", "lorazepam", reasonReference=[{"reference": "Condition/gone"}]))
    assert (medicines(found), incomplete(found)) == (["lorazepam"], [])
    found = read(reader, patient(), problem("h", "Hypertension"), statement("m", "lorazepam"))
    assert incomplete(found) == []


def named(name: str, subject: Json, **rest: object) -> Json:
    return statement(name, f"medicine {name}", subject=subject, **rest)


def within(name: str, **rest: object) -> Json:
    return named(name, {"reference": "#x"}, contained=[{"resourceType": "Patient", "id": "x"} | rest])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"reference": "Patient/a"}, {"reference": "Patient/b"}),
        ({"reference": f"{CLINIC}/Patient/a"}, {"reference": f"{PHARMACY}/Patient/a"}),
        ({"reference": "urn:uuid:1"}, {"reference": "urn:uuid:2"}),
        ({"identifier": MRN}, {"identifier": MRN | {"value": "78"}}),
        ({"reference": "a"}, {"reference": "b"}),
        ({"display": "Pat Doe"}, {"display": "Kim Roe"}),
    ],
)
def test_facts_of_two_people_are_refused_however_they_are_named(reader: FhirReader, one: Json, other: Json) -> None:
    with pytest.raises(InvalidPatient) as refused:
        read(reader, named("m", one), named("n", other))
    assert [fault.pointer for fault in refused.value.faults] == ["/entry/1/resource/subject"]
    assert medicines(read(reader, named("m", one), named("n", one))) == ["medicine m", "medicine n"]


def test_facts_that_contain_their_patients_are_of_one_only_by_an_identifier(reader: FhirReader) -> None:
    assert medicines(read(reader, within("m"))) == ["medicine m"]
    assert medicines(read(reader, within("m", identifier=[MRN]), within("n", identifier=[MRN]))) is not None
    for rest in ({}, {"identifier": [MRN | {"value": "78"}]}):
        with pytest.raises(InvalidPatient):
            read(reader, within("m", **({"identifier": [MRN]} if rest else {})), within("n", **rest))


def test_who_is_named_less_surely_than_the_patient_is_not_taken_for_them(reader: FhirReader) -> None:
    found = read(reader, named("m", {"reference": "Patient/a"}), named("n", {"display": "Pat Doe"}))
    assert (medicines(found), incomplete(found), found.subject) == (["medicine m"], ["medications"], "Patient/a")
