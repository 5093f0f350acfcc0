"""No line belongs to another patient: what is said of a medicine follows from its ingredient, its reason and its schedule.

Every medicine is the only one of a patient, with reasons and schedules, and every new line of the plan is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import pytest

from careplan.plan.model import Item, items_of
from careplan.planner import Planner
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Expectations, Medication, MedicineIndication, Patient, Response, Schedule, Treatment
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import KINDS
from tests.everyday import one_in, one_of_each
from tests.plans import rules_of
from tests.shipped import BOOK

REASONS: tuple[MedicineIndication | None, ...] = (*get_args(MedicineIndication), None)
SCHEDULES: tuple[Schedule | None, ...] = (*get_args(Schedule), None)
DEPENDENCE = frozenset(
    {"benzodiazepine", "designer_benzodiazepine", "z_drug", "barbiturate", "procedural_sedative", "oxybate", "alcohol"}
)
SEIZURES = DEPENDENCE | {"antiseizure", "gabapentinoid", "muscle_relaxant", "lowers_seizure_threshold"}
OPIOIDS = frozenset({"opioid", "opioid_use_disorder_treatment"})
REGULAR = re.compile(r"\b(?:every (?:day|night|morning)|daily|nightly|as usual|each (?:day|night|morning))\b", re.IGNORECASE)
OF_THE_HEART = re.compile(
    r"\b(?:your heart or blood pressure|heart medicine|blood pressure medicine|for blood pressure)\b", re.IGNORECASE
)
NAMED = frozenset(
    str(value)
    for rule in BOOK.rules.values()
    for pattern in behind(BOOK.derived, rule.when)
    for test in tests_of(pattern.tests)
    for value in test.values
)
"""What rules test a value for."""
SENTENCE = re.compile(r"(?<=[.!?])\s+")


def texts_of(item: Item) -> str:
    return " ".join([item.title, item.patient_text, item.clinician_text, *(ask.what for ask in item.asks)])


def what_rules_see(ingredient: str) -> tuple[object, ...]:
    """What the rules know of a medicine; of two of which they know the same, they say the same."""
    row = BOOK.catalogue.ingredients[ingredient]
    return row.classes, row.half_life, row.hold, row.longest_gap, ingredient in NAMED and ingredient


def lines_about(
    planner: Planner, row: Ingredient, reason: MedicineIndication | None, schedule: Schedule | None
) -> list[Item]:
    """The items of which one is about the only medicine of a patient."""
    entry = Medication(name=row.name, indication=reason, schedule=schedule)
    plan = planner.plan(Patient(medications=[entry]))
    return [item for item in items_of(plan) if any(about.pointer == "/medications/0" for about in item.about)]


def faults_of(item: Item, row: Ingredient, reason: MedicineIndication | None, schedule: Schedule | None) -> Iterator[str]:
    """What in an item belongs to another patient."""
    classes, whole = {*row.classes}, texts_of(item)
    if row.by_kind and "mood_stabilizer" in classes:
        classes.add("antiseizure")  # It may be one: most mood stabilizers are.
    said = f"{item.title} {item.patient_text}"
    if (
        "rash" in whole
        and re.search(r"missed|build-up|titration|lamotrigine", whole, re.IGNORECASE)
        and row.ingredient != "lamotrigine"
    ):
        yield "warns of the rash of lamotrigine"
    for text, owners in ((item.patient_text, DEPENDENCE), (item.clinician_text, SEIZURES)):
        for sentence in SENTENCE.split(text):
            if "withdrawal" in sentence and re.search(r"\bseizures?\b", sentence) and not classes & owners:
                yield "warns of withdrawal with seizures"
    if (
        reason == "pain"
        and (classes & OPIOIDS or row.ingredient == "naltrexone")
        and re.search(r"relapse|opioid use disorder|treatment program", whole)
    ):
        yield "speaks of opioid use disorder"
    if reason not in (None, "blood_pressure", "heart") and OF_THE_HEART.search(said):
        yield "calls it a medicine for heart or blood pressure"
    if schedule in ("as_needed", "rescue") and REGULAR.search(said):
        yield "speaks of regular use"
    if re.search(r"\bmornings?\b", said) and reason in ("ptsd_nightmares", "insomnia") and row.ingredient != "caffeine":
        yield "puts it in the morning"


@pytest.mark.parametrize("ingredient", one_of_each(what_rules_see, sorted(BOOK.catalogue.ingredients), number=24))
def test_a_medicine_gets_the_warnings_of_its_own_ingredient_reason_and_schedule(planner: Planner, ingredient: str) -> None:
    row = BOOK.catalogue.ingredients[ingredient]
    # Each reason and each schedule comes up with every medicine, each pair of them over all medicines.
    shift = sorted(BOOK.catalogue.ingredients).index(ingredient)
    pairs = [(reason, SCHEDULES[(at + shift) % len(SCHEDULES)]) for at, reason in enumerate(REASONS)]
    faults = {
        (item.id, fault)
        for reason, schedule in {*pairs, *((None, schedule) for schedule in SCHEDULES)}
        for item in lines_about(planner, row, reason, schedule)
        for fault in faults_of(item, row, reason, schedule)
    }
    assert not faults


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("reason", one_in(3, REASONS))
@pytest.mark.parametrize(
    "ingredient", ["prazosin", "propranolol", "methadone", "buprenorphine", "clonazepam", "lamotrigine"]
)
def test_what_was_once_said_to_the_wrong_patient_is_right_for_every_reason_and_schedule(
    planner: Planner, ingredient: str, reason: MedicineIndication | None, schedule: Schedule | None
) -> None:
    row = BOOK.catalogue.ingredients[ingredient]
    found = lines_about(planner, row, reason, schedule)
    assert found
    assert not [(item.id, fault) for item in found for fault in faults_of(item, row, reason, schedule)]


def test_every_benzodiazepine_line_and_no_other_has_its_warning(planner: Planner) -> None:
    lines = lines_about(planner, BOOK.catalogue.ingredients["clonazepam"], "anxiety", "as_needed")
    about = [item for item in lines if item.rule.id.startswith("benzodiazepine")]
    assert about
    assert all("withdrawal" in item.patient_text and "seizure" in item.patient_text for item in about)


OF_INFUSIONS = re.compile(
    r"Phillips|Murrough|McInnes|Oliver|Ekstrand|ELEKT|Singh|\b(?:50 to 72 in 100|(?:3 to 5|5 to 7|7|8) in 10)\b"
)


@pytest.mark.parametrize("response", [*get_args(Response), None])
@pytest.mark.parametrize("completed", one_in(3, [None, 0, 1, 2, 3, 4, 5, 7, 8, 11, 12]))
def test_patients_of_the_spray_read_no_figures_of_infusions(
    planner: Planner, completed: int | None, response: Response | None
) -> None:
    for indication in ("depression", "bipolar_depression", None):
        for expects in (True, False, None):
            patient = Patient(
                treatment=Treatment(
                    product="esketamine",
                    indication=indication,
                    sessions_planned=12,
                    sessions_completed=completed,
                    response_so_far=response,
                ),
                expectations=Expectations(
                    expects_immediate_relief=expects, expects_guaranteed_result=expects, wants_to_stop_early=expects
                ),
            )
            found = [item.rule.id for item in items_of(planner.plan(patient)) if OF_INFUSIONS.search(texts_of(item))]
            assert not found


def test_the_spray_of_a_running_course_is_the_treatment_itself(planner: Planner) -> None:
    course = Treatment(
        indication="depression", preferred_route="nasal", product="esketamine", sessions_planned=12, sessions_completed=8
    )
    plan = planner.plan(Patient(treatment=course, medications=[Medication(name="Spravato")], conditions=[]))
    assert "ketamine-already-taken" not in rules_of(plan)
    assert "esketamine-of-this-treatment-on-the-list" in rules_of(plan)
    lines = [item for item in items_of(plan) if any(about.pointer == "/medications/0" for about in item.about)]
    assert not any("judge" in item.patient_text for item in lines)


def test_ketamine_from_elsewhere_is_still_a_question(planner: Planner) -> None:
    course = Treatment(product="esketamine", sessions_completed=8)
    plan = planner.plan(Patient(treatment=course, medications=[Medication(name="ketamine")]))
    assert "ketamine-already-taken" in rules_of(plan)


def test_every_reason_has_words() -> None:
    assert set(KINDS["medicine"].fields["indication"].tokens) <= BOOK.vocabulary.fields["medicine.indication"].values.keys()
