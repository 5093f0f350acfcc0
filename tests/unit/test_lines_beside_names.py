"""A name in one field and how it is taken in another: together they say what a whole line says."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from careplan.plan.medicine_model import MedicineRead
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.patient import Medication
from careplan.rulebook.load import shipped
from tests.everyday import one_in
from tests.shipped import BOOK


def read(planner: Planner, **entry: Any) -> MedicineRead:
    (medicine,) = planner.plan(planner.intake.convert({"medications": [entry]})).medications
    return medicine


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Xanax", "0.5 mg bid prn anxiety"),
        ("lorazepam 1 mg", "1 tab po qhs prn sleep"),
        ("clonazepam", "0.5 mg nightly for seizures"),
        ("lamotrigine", "100 mg twice a day"),
        ("diazepam", "once weekly"),
        ("sertraline 50 mg", "take 1 tablet by mouth daily"),
        ("Xanax", "discontinued"),
        ("Xanax", "stopped 2019"),
        ("Xanax", "not taking"),
        ("lamotrigine", "allergic, rash"),
        ("lithium", "300 mg tid; pt never started"),
        ("lithium", "on hold"),
        ("Xanax", "ran out yesterday"),
        ("metformin", "500 mg bid"),
    ],
)
def test_a_name_with_a_line_beside_it_is_read_as_one_line(planner: Planner, name: str, line: str) -> None:
    apart = planner.plan(planner.intake.convert({"medications": [{"name": name, "text": line}]}))
    whole = planner.plan(planner.intake.convert({"medications": [{"text": f"{name} {line}"}]}))
    one, other = apart.medications[0], whole.medications[0]
    assert (one.recognition, one.schedule, one.indication) == (other.recognition, other.schedule, other.indication)
    assert one.doses_a_day == other.doses_a_day
    assert {item.id for item in items_of(apart)} == {item.id for item in items_of(whole)}


def test_a_line_beside_a_name_that_says_otherwise_than_a_field_is_shown_at_its_place(planner: Planner) -> None:
    medicine = read(planner, name="Xanax", schedule="daily", text="0.5 mg prn")
    (found,) = medicine.disagreements
    assert (found.field, found.sent, found.read) == ("schedule", "daily", "as_needed")
    assert found.pointer.endswith("/text")
    assert "0.5 mg prn"[found.start : found.end] == "prn"


def test_a_status_that_was_sent_wins_over_the_line(planner: Planner) -> None:
    assert read(planner, name="Xanax", status="taking", text="stopped 2019").recognition == "read"


def test_a_line_that_nobody_can_read_takes_nothing_from_the_name(planner: Planner) -> None:
    assert read(planner, name="Xanax", text="weird blob words").recognition == "read"
    assert read(planner, name="Xanax", text="Valium 5 mg prn").recognized_as == "alprazolam and diazepam"


@pytest.mark.parametrize(
    "days", ["on Mondays and Fridays", "Tuesday/Thursday", "montags und donnerstags", "on Mondays, on Thursdays"]
)
def test_two_days_of_a_week_are_no_single_one(planner: Planner, days: str) -> None:
    assert read(planner, text=f"diazepam 5 mg {days}").schedule is None


@pytest.mark.parametrize("day", ["weekly on Mondays", "every Monday", "on Mondays", "montags"])
def test_one_day_of_a_week_is_once_a_week(planner: Planner, day: str) -> None:
    assert read(planner, text=f"diazepam 5 mg {day}").schedule == "weekly"


TEXTS = ("8 mg daily", "8-2 mg twice a day", "30 units at bedtime", "1 tablet daily", "10 mg/325 mg q6h", "half a tablet")


@pytest.mark.parametrize("first", one_in(4, range(4)))
def test_the_doses_of_a_combination_are_those_of_the_whole_line_where_its_name_has_a_field_of_its_own(first: int) -> None:
    """One figure beside such a name, "Suboxone" and "8 mg daily", had been a failure of the service."""
    table = csv.DictReader((shipped() / "combinations.csv").read_text().splitlines())
    names = [name for row in table for name in (row["product"], *row["names"].split(";")) if name]
    assert len(names) > 500
    for name in names[first::4]:
        for of_name, text in (*(("", text) for text in TEXTS), (" 8-2 mg", "1 tablet daily"), (" 8 mg", "twice a day")):
            apart, whole = Medication(name=f"{name}{of_name}", text=text), Medication(text=f"{name}{of_name} {text}")
            assert BOOK.catalogue.resolve(0, apart).doses == BOOK.catalogue.resolve(0, whole).doses, (name, of_name, text)
