"""Medicines that were dispensed or administered: they count where nothing else tells of them, and never twice."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader, FromFhir
from careplan.planner import Planner
from tests.contract.records import OWN, entry, incomplete, medicines, patient, read, reported, statement
from tests.plans import rules_of

Json = dict[str, Any]

HYPERTENSION = entry("Condition", "h", subject=OWN, code={"text": "Hypertension"})
LISTED = statement("listed", "lisinopril 10 mg")


def dispensed(text: str = "phenelzine 15 mg", on: str | None = "2026-11-20", days: int | None = 30, **rest: Any) -> Json:
    supply = {"daysSupply": {"value": days, "unit": "days"}} if days else {}
    said = {"status": "completed", "subject": OWN, "medicationCodeableConcept": {"text": text}, "whenHandedOver": on}
    return entry("MedicationDispense", "d", **{key: one for key, one in (said | supply | rest).items() if one is not None})


def administered(text: str, on: str, **rest: Any) -> Json:
    said = {"status": "completed", "subject": OWN, "medicationCodeableConcept": {"text": text}, "effectiveDateTime": on}
    return entry("MedicationAdministration", "a", **said | rest)


def order(text: str = "phenelzine 15 mg", status: str = "active", **rest: Any) -> Json:
    said = {"status": status, "intent": "order", "subject": OWN, "medicationCodeableConcept": {"text": text}}
    return entry("MedicationRequest", "r", **said | rest)


def taken(found: FromFhir) -> list[tuple[str | None, str | None]]:
    return [(one.name, one.status) for one in found.patient.medications or []]


@pytest.mark.parametrize(
    "given",
    [
        dispensed(),
        dispensed(days=None),
        dispensed(on="2026-09-15", days=90),
        dispensed(on=None, whenPrepared="2026-11-20T09:00:00Z"),
        dispensed(status="in-progress"),
        dispensed(on="9999-12-31"),
        dispensed(status="unknown"),
        administered("Vivitrol 380 mg", "2026-11-01"),
    ],
)
def test_what_was_given_and_still_lasts_is_taken(reader: FhirReader, given: Json) -> None:
    found = read(reader, patient(), LISTED, given)
    (_, (name, status)) = taken(found)
    assert name in ("phenelzine 15 mg", "Vivitrol 380 mg")
    assert (status, incomplete(found)) == (None, [])
    assert [one.why for one in found.unmapped if "counts as taken" in one.why]


def test_how_a_dispensed_medicine_is_taken_is_read_as_of_an_order(reader: FhirReader, planner: Planner) -> None:
    daily: dict[str, Any] = {"dosageInstruction": [{"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}]}
    given = read(reader, patient(), LISTED, HYPERTENSION, dispensed("clonazepam 0.5 mg", **daily)).patient
    ordered = read(reader, patient(), LISTED, HYPERTENSION, order("clonazepam 0.5 mg", **daily)).patient
    assert rules_of(planner.plan(given)) == rules_of(planner.plan(ordered))


@pytest.mark.parametrize(
    "entries",
    [
        (dispensed(on="2026-10-24"),),
        (order(status="stopped"), dispensed()),
        (order(status="completed"), dispensed()),
        (statement("s", "phenelzine 15 mg", status="not-taken"), dispensed()),
        (administered("phenelzine 15 mg", "2026-11-25"),),
    ],
)
def test_what_was_given_lately_and_may_have_ended_is_asked_about(reader: FhirReader, entries: tuple[Json, ...]) -> None:
    found = read(reader, patient(), LISTED, *entries)
    assert taken(found)[1:] == [("phenelzine 15 mg", "on_hold")]
    assert [one.why for one in found.unmapped if "is asked about" in one.why]


@pytest.mark.parametrize(
    "entries",
    [
        (order(), dispensed()),
        (order(), dispensed(authorizingPrescription=[{"reference": "MedicationRequest/r"}])),
        (statement("s", "Nardil 15 mg"), dispensed()),
        (dispensed(), dispensed(on="2026-10-20")),
        (dispensed(on="2026-10-20"), dispensed()),
        (dispensed(), administered("phenelzine 15 mg", "2026-11-25")),
        (dispensed(), dispensed()),
    ],
)
def test_a_medicine_that_was_given_is_never_on_the_list_twice(reader: FhirReader, entries: tuple[Json, ...]) -> None:
    for number, one in enumerate(entries):
        one["resource"]["id"] = one["resource"]["id"] if number == 0 else f"n{number}"
    found = read(reader, patient(), *entries)
    assert len(medicines(found) or []) == 1
    assert taken(found)[0][1] is None


@pytest.mark.parametrize(
    ("given", "lists"),
    [
        (dispensed(status="cancelled"), []),
        (dispensed(status="declined"), []),
        (dispensed(status="entered-in-error"), []),
        (dispensed(subject={"reference": "Patient/other"}), []),
        (dispensed(on="2019-03-03"), []),
        (administered("haloperidol 5 mg", "2026-11-25", status="not-done"), []),
        (administered("ketamine 35 mg", "2026-11-25"), []),
        (dispensed("amoxicillin 500 mg", on="2026-11-10", days=7), []),
        # It may be taken all the same.
        (dispensed(on="2026-08-01"), ["medications"]),
        (dispensed(on=None), ["medications"]),
        (dispensed(on="2026"), ["medications"]),
        (administered("haloperidol 5 mg", "2026-09-01"), ["medications"]),
    ],
)
def test_what_was_not_given_or_long_ago_is_named_and_not_taken(reader: FhirReader, given: Json, lists: list[str]) -> None:
    found = read(reader, patient(), LISTED, given)
    assert (medicines(found), incomplete(found)) == (["lisinopril 10 mg"], lists)
    assert reported(found)


def test_what_a_pharmacy_gave_is_no_list_of_all_that_is_taken(reader: FhirReader) -> None:
    found = read(reader, patient(), dispensed())
    assert (medicines(found), incomplete(found)) == (["phenelzine 15 mg"], ["medications"])
