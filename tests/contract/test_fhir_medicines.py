"""What a medicine is, whether it is one at all, and how it is taken: plainly, or in the words of the record."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader
from careplan.fhir.read.products import MOST_INGREDIENTS
from careplan.planner import Planner
from tests.contract.records import OWN, entry, incomplete, medicines, patient, problem, read, reported, statement
from tests.contract.test_fhir import RXNORM, concept
from tests.plans import rules_of
from tests.shipped import reader_of
from tests.work import counted

Json = dict[str, Any]
SNOMED = "http://snomed.info/sct"
ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
ONCE_DAILY: Json = {"frequency": 1, "period": 1, "periodUnit": "d"}
ABBREVIATION = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"


def schedule(reader: FhirReader, *dosages: Json) -> tuple[str | None, list[str]]:
    found = read(reader, patient(), statement("m", "lorazepam", dosage=list(dosages)))
    (medicine,) = found.patient.medications or []
    assert incomplete(found) == []
    return medicine.schedule, [one.why for one in found.unmapped]


def repeated(**rest: Any) -> Json:
    return {"timing": {"repeat": rest}}


@pytest.mark.parametrize(
    ("dosage", "plain"),
    [
        (repeated(**ONCE_DAILY), "daily"),
        (repeated(period=1, periodUnit="d"), "daily"),
        (repeated(frequency=1, frequencyMax=3, period=1, periodUnit="d"), "daily"),
        (repeated(frequency=1, period=4, periodMax=6, periodUnit="h"), "daily"),
        (repeated(**ONCE_DAILY, when=["HS"]), "daily"),
        (repeated(**ONCE_DAILY, timeOfDay=["08:00:00"]), "daily"),
        (repeated(**ONCE_DAILY, boundsPeriod={"start": "2026-01-01"}), "daily"),
        (repeated(**ONCE_DAILY, boundsPeriod={"start": "2026-01-01", "end": "2026-12-31"}), "daily"),
        ({"timing": {"code": concept(ABBREVIATION, "BID")}}, "daily"),
        ({"timing": {"repeat": ONCE_DAILY, "code": {"text": "Daily"}}}, "daily"),
        ({"timing": {"repeat": ONCE_DAILY}, "text": "1 tablet every 24 hours"}, "daily"),
        (repeated(frequency=1, period=1, periodUnit="wk"), "weekly"),
        (repeated(frequency=1, period=7, periodUnit="d"), "weekly"),
        (repeated(dayOfWeek=["mon"]), "weekly"),
        (repeated(dayOfWeek=["mon"], frequency=1, period=1, periodUnit="wk"), "weekly"),
        (repeated(dayOfWeek=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), "daily"),
        ({"asNeededBoolean": True}, "as_needed"),
        ({"asNeededBoolean": True, "timing": {"repeat": ONCE_DAILY}}, "as_needed"),
        ({"asNeededCodeableConcept": {"text": "panic"}}, "as_needed"),
        ({"asNeeded": True}, "as_needed"),
    ],
)
def test_a_timing_that_says_it_plainly_is_read(reader: FhirReader, dosage: Json, plain: str) -> None:
    assert schedule(reader, dosage) == (plain, [])


@pytest.mark.parametrize(
    ("dosage", "said"),
    [
        (repeated(**ONCE_DAILY, count=1), "1 time in all"),
        (repeated(**ONCE_DAILY, count=3, countMax=5), "3 to 5 times in all"),
        (repeated(count=1), "1 time in all"),
        (repeated(**ONCE_DAILY, dayOfWeek=["mon"]), "Mon"),
        (repeated(dayOfWeek=["mon", "wed", "fri"]), "Mon, Wed, Fri"),
        (repeated(frequency=1, period=1, periodMax=7, periodUnit="d"), "every 1 to 7 d"),
        (repeated(frequency=1, period=2, periodUnit="d"), "every 2 d"),
        (repeated(frequency=3, period=1, periodUnit="wk"), "3 times every 1 wk"),
        (repeated(frequencyMax=3, period=1, periodUnit="d"), "up to 3 times every 1 d"),
        (repeated(when=["HS"]), "at HS"),
        (repeated(**ONCE_DAILY, boundsPeriod={"end": "2026-01-10"}), "until 2026-01-10"),
        (repeated(**ONCE_DAILY, boundsPeriod={"start": "2027-01-01"}), "from 2027-01-01"),
        (repeated(**ONCE_DAILY, boundsDuration={"value": 7, "unit": "days"}), "for 7 days"),
        (repeated(**ONCE_DAILY, boundsRange={"low": {"value": 7}, "high": {"value": 9, "unit": "d"}}), "for 7 to 9"),
        (
            repeated(**ONCE_DAILY, extension=[{"url": "http://hl7.org/fhir/StructureDefinition/timing-daysOfCycle"}]),
            "1 time",
        ),
        ({"timing": {"event": ["2026-11-01"], "repeat": ONCE_DAILY}}, "at 2026-11-01"),
        ({"timing": {"code": concept(ABBREVIATION, "QOD")}}, "QOD"),
        ({"timing": {"code": concept(ABBREVIATION, "QOD"), "repeat": ONCE_DAILY}}, "QOD"),
        ({"timing": {"repeat": ONCE_DAILY}, "text": "one tablet on Mondays"}, "one tablet on Mondays"),
        ({"timing": {"repeat": ONCE_DAILY, "code": {"text": "every other day"}}}, "every other day"),
        ({"timing": {"repeat": ONCE_DAILY}, "text": "daily as needed"}, "daily as needed"),
        ({"text": "as the doctor said"}, "as the doctor said"),
        ({"asNeededBoolean": True, "timing": {"repeat": {"count": 1}}}, "1 time in all"),
    ],
)
def test_a_timing_that_was_read_by_half_is_asked_for_and_reported_in_its_words(
    reader: FhirReader, dosage: Json, said: str
) -> None:
    found, why = schedule(reader, dosage)
    assert found is None
    assert len(why) == 1
    assert said in why[0]


def test_a_dosage_that_is_over_is_said_to_be_over(reader: FhirReader) -> None:
    over = repeated(**ONCE_DAILY, boundsPeriod={"start": "2026-01-01", "end": "2026-01-10"})
    assert "until 2026-01-10, and yet it counts as taken now" in schedule(reader, over)[1][0]


def test_several_dosages_count_together_or_not_at_all(reader: FhirReader) -> None:
    daily, weekly = repeated(**ONCE_DAILY), repeated(frequency=1, period=1, periodUnit="wk")
    modified = daily | {"modifierExtension": [{"url": "urn:x"}]}
    assert schedule(reader, daily, daily)[0] == "daily"
    for dosages in ((daily, weekly), (daily, modified), (daily, {"text": "more if bad"})):
        found, why = schedule(reader, *dosages)
        assert found is None
        assert why
    assert "1 time every 1 d / 1 time every 1 wk" in schedule(reader, daily, weekly)[1][0]


# What it is.


def contained(medication: Json) -> Json:
    inner = {"resourceType": "Medication", "id": "med"} | medication
    return statement("m", medicationReference={"reference": "#med"}, contained=[inner])


def item(*texts: str) -> list[Json]:
    return [{"itemCodeableConcept": {"text": text}} for text in texts]


@pytest.mark.parametrize(
    ("medication", "name", "known"),
    [
        ({"ingredient": item("lorazepam")}, "lorazepam", ["lorazepam"]),
        ({"ingredient": item("lorazepam", "morphine")}, "lorazepam / morphine", ["lorazepam", "morphine"]),
        ({"code": {"text": "mixture"}, "ingredient": item("lorazepam", "morphine")}, "lorazepam / morphine", []),
        ({"code": {"text": "Ativan"}, "ingredient": item("lorazepam")}, "Ativan", []),
        ({"code": {"text": "Ativan"}, "ingredient": item("lorazepam", "morphine")}, "Ativan / lorazepam / morphine", []),
        ({"ingredient": [{"itemCodeableConcept": concept(RXNORM, "6470")}]}, "lorazepam", ["lorazepam"]),
        ({"ingredient": [{"item": {"concept": {"text": "lorazepam"}}}]}, "lorazepam", ["lorazepam"]),
        ({"ingredient": [*item("lorazepam"), {"isActive": False} | item("morphine")[0]]}, "lorazepam", ["lorazepam"]),
    ],
)
def test_a_medicine_is_known_by_its_ingredients(
    reader: FhirReader, planner: Planner, medication: Json, name: str, known: list[str]
) -> None:
    by_reference = [
        entry("Medication", "med", **medication),
        statement("m", medicationReference={"reference": "Medication/med"}),
    ]
    for entries in ([contained(medication)], by_reference):
        found = read(reader, patient(), *entries)
        assert (medicines(found), incomplete(found)) == ([name], [])
    (medicine,) = found.patient.medications or []
    match = planner.book.catalogue.resolve(0, medicine).match
    assert match is not None
    assert [row.ingredient for row in match.ingredients] == known or not known


def test_an_ingredient_may_be_a_medication_or_substance_of_the_record(reader: FhirReader) -> None:
    inner = entry("Medication", "x", ingredient=item("morphine"))
    substance = entry("Substance", "y", code={"text": "lorazepam"})
    parts = [{"itemReference": {"reference": name}} for name in ("Medication/x", "Substance/y")]
    found = read(reader, patient(), inner, substance, contained({"ingredient": parts}))
    assert medicines(found) == ["morphine / lorazepam"]


@pytest.mark.parametrize("part", [{"itemReference": {"reference": "Medication/gone"}}, {}, {"itemCodeableConcept": {}}])
def test_an_ingredient_that_cannot_be_read_makes_the_list_incomplete(reader: FhirReader, part: Json) -> None:
    found = read(reader, patient(), contained({"ingredient": [*item("lorazepam"), part]}))
    assert (medicines(found), incomplete(found)) == (["lorazepam"], ["medications"])
    assert any("ingredient" in one.why for one in found.unmapped)


def to(*names: str) -> list[Json]:
    return [{"itemReference": {"reference": f"Medication/{name}"}} for name in names]


def test_medications_within_one_another_cost_no_more_than_they_are_long(reader: FhirReader) -> None:
    """Ten ingredients that are the Medication itself were a hundred thousand; so were five Medications of ten each."""
    circle = [entry("Medication", "0", ingredient=to(*"0" * 100))]
    ladder = [entry("Medication", str(at), ingredient=to(*str(at + 1) * 60)) for at in range(8)]
    pair = [entry("Medication", name, ingredient=to(*other * 60)) for name, other in (("0", "1"), ("1", "0"))]
    leading = [statement(f"m{at}", medicationReference={"reference": "Medication/0"}) for at in range(30)]
    for medications in (circle, ladder, pair):
        with counted() as work:
            found = read(reader, patient(), *leading, *medications)
        assert work.count < 100_000
        assert incomplete(found) == ["medications"]
        places = [(one.pointer, one.why) for one in found.unmapped if "ngredient" in one.why]
        assert len(places) == len(set(places)) <= 8 * 101


def test_of_a_medication_with_more_ingredients_than_are_read_that_is_said(reader: FhirReader) -> None:
    many = [f"zq{at}" for at in range(MOST_INGREDIENTS)]
    whole = read(reader, patient(), contained({"ingredient": item(*many[:-1], "lorazepam")}))
    assert not any("ingredients, of which" in one.why for one in whole.unmapped)
    longer = read(reader, patient(), contained({"ingredient": item(*many, "lorazepam")}))
    assert incomplete(longer) == ["medications"]
    assert any("more than 100 ingredients, of which the first are read" in one.why for one in longer.unmapped)


def test_a_medication_within_two_others_is_read_for_both(reader: FhirReader) -> None:
    inner = entry("Medication", "x", ingredient=[*item("morphine"), {}])
    outer = [
        entry("Medication", name, ingredient=[*to("x", "x"), *item(with_)])
        for name, with_ in (("a", "lorazepam"), ("b", "lithium"))
    ]
    leading = [statement(f"m{name}", medicationReference={"reference": f"Medication/{name}"}) for name in "ab"]
    found = read(reader, patient(), *leading, inner, *outer)
    assert medicines(found) == ["morphine / lorazepam", "morphine / lithium"]
    assert incomplete(found) == ["medications"]
    assert sum("ingredient of it could not" in one.why for one in found.unmapped) == 1


def test_a_code_of_rxnorm_is_nobodys_name(reader: FhirReader) -> None:
    found = read(reader, patient(), statement("m", medicationCodeableConcept=concept(RXNORM, "6470")))
    (medicine,) = found.patient.medications or []
    assert (medicine.name, medicine.rxcui) == (None, "6470")
    unknown = read(reader, patient(), statement("m", medicationCodeableConcept=concept(RXNORM, "99999999"), dosage=[{}]))
    assert medicines(unknown) == [None]
    assert reported(unknown) == ["dosage of RxNorm 99999999"]


@pytest.mark.parametrize(
    ("rest", "taken"),
    [
        ({"status": "recorded", "medication": {"concept": {"text": "phenelzine"}}}, ["phenelzine"]),
        ({"status": "recorded", "medication": {"reference": {"reference": "Medication/x"}}}, ["lorazepam"]),
        ({"status": "recorded", "medication": {"reference": {"display": "Nardil"}}}, ["Nardil"]),
        ({"status": "active", "medicationCodeableConcept": {"text": "phenelzine"}, "taken": "n"}, None),
        (
            {
                "status": "recorded",
                "medication": {"concept": {"text": "phenelzine"}},
                "adherence": {"code": {"coding": [{"code": "not-taken"}]}},
            },
            None,
        ),
    ],
)
def test_a_medicine_as_other_versions_of_fhir_write_it_is_read(
    reader: FhirReader, rest: Json, taken: list[str] | None
) -> None:
    medicine = entry("Medication", "x", code={"text": "lorazepam"})
    found = read(reader, patient(), medicine, entry("MedicationStatement", "m", subject=OWN, **rest))
    assert (medicines(found), incomplete(found)) == (taken, [])


# Nothing, and which version.


@pytest.mark.parametrize(
    "code",
    [
        concept(ABSENT, "no-known-medications", "No known medications"),
        concept(SNOMED, "787481004"),
        concept(SNOMED, "1234391000168107", "No known current medicines"),
        {"text": "No known medications."},
        concept("http://example.org/local", "NKM", "No Known Medications"),
    ],
)
def test_no_known_medicines_are_an_empty_list_and_no_medicine(reader: FhirReader, code: Json) -> None:
    none = statement("m", medicationCodeableConcept=code)
    found = read(reader, patient(), none)
    assert (medicines(found), found.unmapped, incomplete(found)) == ([], [], [])
    assert medicines(read(reader, patient(), none, statement("s", "sertraline"))) == ["sertraline"]
    theirs = statement("m", medicationCodeableConcept=code, subject={"reference": "Patient/other"})
    assert medicines(read(reader, patient(), theirs)) is None


@pytest.mark.parametrize("code", [concept(ABSENT, "no-known-problems"), concept(SNOMED, "160245001")])
def test_no_known_problems_are_an_empty_list_and_no_illness(reader: FhirReader, code: Json) -> None:
    found = read(reader, patient(), problem("c", "", code=code))
    assert (found.patient.conditions, found.patient.other_conditions, found.unmapped) == ([], [], [])


def test_words_that_there_is_nothing_beside_another_name_are_no_absence(reader: FhirReader) -> None:
    both = concept(RXNORM, "6470", "lorazepam") | {"text": "No known medications"}
    assert medicines(read(reader, patient(), statement("m", medicationCodeableConcept=both))) == ["lorazepam"]


def test_a_word_that_there_is_nothing_does_not_outlive_its_year(reader: FhirReader) -> None:
    none = concept(SNOMED, "787481004", "No known medications")
    for day, taken in (("2026-06-01", []), ("2018-06-01", None)):
        found = read(reader, patient(), statement("m", medicationCodeableConcept=none, effectiveDateTime=day))
        assert (medicines(found), incomplete(found)) == (taken, [])
        assert reported(found) == ([] if taken == [] else ["No known medications"])
    over = problem("c", "", code=concept(SNOMED, "160245001"), clinicalStatus={"text": "inactive"})
    assert read(reader, patient(), over).patient.conditions is None


def test_no_information_is_a_list_that_nobody_asked_for(reader: FhirReader) -> None:
    found = read(
        reader,
        patient(),
        statement("m", medicationCodeableConcept=concept(ABSENT, "no-medication-info")),
        problem("c", "", code=concept(ABSENT, "no-problem-info")),
    )
    assert (medicines(found), found.patient.conditions, found.patient.other_conditions) == (None, None, [])
    assert (len(found.unmapped), incomplete(found)) == (2, [])


def test_a_section_that_is_known_to_be_empty_is_an_empty_list(reader: FhirReader) -> None:
    def section(reason: str) -> Json:
        code = {"coding": [{"system": "http://loinc.org", "code": "10160-0"}]}
        return entry(
            "Composition", "c", subject=OWN, section=[{"code": code, "emptyReason": {"coding": [{"code": reason}]}}]
        )

    assert medicines(read(reader, patient(), section("nilknown"))) == []
    assert medicines(read(reader, patient(), section("notasked"))) is None
    assert incomplete(read(reader, patient(), section("unavailable"))) == ["medications"]


def version(number: str, status: str, day: str, text: str = "lorazepam") -> Json:
    return statement("m", text, status=status, meta={"versionId": number, "lastUpdated": f"{day}T00:00:00Z"})


@pytest.mark.parametrize("kind", ["history", "collection", "searchset"])
def test_the_newest_version_of_a_resource_counts_whatever_their_order(reader: FhirReader, kind: str) -> None:
    old, new = version("1", "active", "2026-01-01"), version("2", "stopped", "2026-10-01")
    for both in ([old, new], [new, old]):
        assert medicines(read(reader, patient(), *both, type=kind)) is None
    for both in (
        [new, version("10", "active", "2026-10-01", "diazepam")],
        [version("3", "active", "2026-11-01", "diazepam"), new],
    ):
        assert medicines(read(reader, patient(), *both, type=kind)) == ["diazepam"]


def test_in_a_history_the_first_counts_where_nothing_says_when_it_was_made(reader: FhirReader) -> None:
    both = [statement("m", "lorazepam", status="stopped"), statement("m", "lorazepam")]
    assert medicines(read(reader, patient(), *both, type="history")) is None
    assert medicines(read(reader, patient(), *both)) == ["lorazepam"]


@pytest.mark.parametrize(
    "deletion",
    [
        {"request": {"method": "DELETE", "url": "MedicationStatement/m"}},
        {"fullUrl": "https://ehr.example/fhir/MedicationStatement/m", "request": {"method": "DELETE", "url": "x"}},
    ],
)
def test_what_was_deleted_does_not_count_and_what_came_back_does(reader: FhirReader, deletion: Json) -> None:
    was = statement("m", "lorazepam", url="https://ehr.example/fhir/MedicationStatement/m")
    found = read(reader, patient(), deletion, was, type="history")
    assert (medicines(found), incomplete(found)) == (None, [])
    assert {one.why for one in found.unmapped} == {"The record says that it was deleted."}
    assert medicines(read(reader, patient(), was, deletion, type="history")) == ["lorazepam"]


def test_the_same_resource_twice_is_one_and_another_of_its_id_is_none_of_it(reader: FhirReader) -> None:
    one = statement("m", "lorazepam")
    again = statement("m", "lorazepam", meta={"source": "x"})
    found = read(reader, patient(), one, again, one)
    assert (medicines(found), [one.number for one in found.unmapped]) == (["lorazepam"], [2])
    elsewhere = [statement("m", "lorazepam", url=f"https://{server}.example/fhir/MedicationStatement/m") for server in "ab"]
    assert medicines(read(reader, patient(url="https://a.example/fhir/Patient/p"), *elsewhere)) == ["lorazepam"]
    assert medicines(read(reader, patient(), one, statement("m", "phenelzine"))) == ["lorazepam", "phenelzine"]


@pytest.mark.parametrize(
    "said", [{"status": "on-hold"}, {"status": "recorded", "adherence": {"code": {"coding": [{"code": "on-hold"}]}}}]
)
def test_a_medicine_on_hold_counts_and_is_said_to_be_on_hold(reader: FhirReader, said: Json) -> None:
    found = read(reader, patient(), statement("m", "lorazepam", **said))
    assert [(one.name, one.status) for one in found.patient.medications or []] == [("lorazepam", "on_hold")]


@pytest.mark.parametrize(
    ("dosage", "counts"),
    [
        ({"route": {"coding": [{"system": SNOMED, "code": "54485002", "display": "Ophthalmic route"}]}}, False),
        ({"route": {"text": "ophthalmic"}, "text": "1 gtt OU BID"}, False),
        ({"text": "1 drop each eye bid"}, False),
        ({"route": {"coding": [{"system": SNOMED, "code": "26643006", "display": "Oral route"}]}}, True),
        ({"text": "1 tablet twice daily"}, True),
    ],
)
def test_eye_drops_of_a_record_are_told_by_their_way_in(planner: Planner, dosage: Json, counts: bool) -> None:  # noqa: FBT001
    found = read(reader_of(planner), statement("m", "timolol", dosage=[dosage]))
    assert ("rebound-when-stopped-suddenly" in rules_of(planner.plan(found.patient))) == counts


def test_a_dosage_that_may_mean_something_else_is_reported_once(reader: FhirReader) -> None:
    turned = {"text": "1 mg daily as needed", "modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]}
    found = read(reader, patient(), statement("m1", medicationCodeableConcept={"text": "lorazepam"}, dosage=[turned]))
    assert [one.pointer for one in found.unmapped] == ["/entry/1/resource/dosage/0"]
