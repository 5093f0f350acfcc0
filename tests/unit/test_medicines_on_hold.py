"""A medicine on hold is neither silently taken nor silently stopped: rules look at it, and somebody asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.planner import Planner
from careplan.recognition.medicine_catalogue import Resolved
from careplan.request.patient import Medication, Patient
from tests.shipped import BOOK
from tests.unit.test_medicine_lines import WORDS

assert WORDS is not None
PHRASES = [phrase.replace("<n>", "3") for phrase in WORDS.statuses["on_hold"] if phrase != "hold"]
NAMES = ("clonazepam", "Xanax", "lisinopril", "metformin", "sertraline", "oxycodone", "lamotrigine")
DIRECTIONS = ("", " 1 mg", " 5 mg twice daily", " 10 mg tablet, take 1 tablet by mouth daily")


def read(text: str) -> Resolved:
    return BOOK.catalogue.resolve(0, Medication(text=text))


@given(
    st.sampled_from(NAMES),
    st.sampled_from(DIRECTIONS),
    st.sampled_from(PHRASES),
    st.sampled_from(["{name}{said} {hold}", "{name}{said} - {hold}", "{name}{said} ({hold})", "{hold} {name}{said}"]),
)
def test_a_medicine_on_hold_counts_and_nothing_is_said_of_how_it_is_taken(
    name: str, said: str, hold: str, line: str
) -> None:
    found = read(line.format(name=name, said=said, hold=hold))
    assert (found.recognition, found.taken, found.on_hold) == ("read", True, True)
    assert (found.schedule, found.doses) == (None, ())


@pytest.mark.parametrize("text", ["hold clonazepam", "HOLD: metformin", "metformin 500 mg HOLD", "sertraline, hold Xanax"])
def test_hold_itself_is_a_status_before_a_name_and_at_an_end(text: str) -> None:
    assert read(text).on_hold


@pytest.mark.parametrize(
    "text",
    [
        "metoprolol 25 mg twice daily, hold for HR < 60",
        "lorazepam 1 mg twice daily hold if sedated",
        "buprenorphine film, hold under tongue until dissolved",
        "Suboxone hold film under the tongue",
    ],
)
def test_an_instruction_to_hold_something_is_no_status(text: str) -> None:
    found = read(text)
    assert (found.taken, found.on_hold) == (True, False)


@pytest.mark.parametrize(
    ("text", "doses"),
    [
        ("HOLD lorazepam 1 mg bid; quetiapine 100 mg hs continue", {"quetiapine": 100}),
        ("oxycodone 10 mg q6h (held while inpatient), clonazepam 1 mg bid", {"clonazepam": 2}),
        ("Xanax 1 mg bid on hold, Xanax XR 2 mg daily", {"alprazolam": 2}),
    ],
)
def test_a_medicine_on_hold_hides_no_dose_of_the_others_of_its_line(text: str, doses: dict[str, float]) -> None:
    found = read(text)
    assert found.on_hold
    assert found.match is not None
    of = zip(found.match.ingredients, found.doses, strict=True)
    assert {row.ingredient: one.mg.most for row, one in of if one.mg is not None} == doses


def test_what_the_caller_sent_wins_and_the_difference_is_a_finding() -> None:
    found = BOOK.catalogue.resolve(0, Medication(text="clonazepam 1 mg, on hold", status="taking"))
    assert not found.on_hold
    assert [one.field for one in found.disagreements] == ["status"]
    stopped = BOOK.catalogue.resolve(0, Medication(text="clonazepam 1 mg, on hold", status="stopped"))
    assert not stopped.taken
    assert BOOK.catalogue.resolve(0, Medication(name="clonazepam", status="on_hold")).on_hold


@pytest.mark.parametrize("sent", [Medication(text="clonazepam, on hold"), Medication(name="clonazepam", status="on_hold")])
def test_a_plan_asks_about_it_and_opens_no_hold(planner: Planner, sent: Medication) -> None:
    plan = planner.plan(Patient(medications=[sent]))
    fired = {item.rule.id for section in plan.sections for item in section.items}
    assert "medicine-on-hold" in fired
    assert not {name for name in fired if name.startswith("benzodiazepine-now-and-then")}


@pytest.mark.parametrize("text", ["omeprazole on hold", "no clonazepam", "clonazepam, stopped", "clonazepam 1 mg at night"])
def test_nobody_asks_where_nothing_under_a_rule_is_on_hold(planner: Planner, text: str) -> None:
    plan = planner.plan(Patient(medications=[Medication(text=text)]))
    assert "medicine-on-hold" not in {item.rule.id for section in plan.sections for item in section.items}
