"""The checklist of a session: what is checked comes from the rulebook, what bears on the day from the patient's plan."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from careplan.errors import InvalidRulebook
from careplan.formats import session_sheet as forms
from careplan.plan.model import items_of
from careplan.plan.session_sheet_model import SessionSheet
from careplan.planner import Planner
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from careplan.rulebook.session_day import FILE, SessionDay
from tests.everyday import one_row_in
from tests.patients import Json, patients
from tests.shipped import BOOK, lists_in

SPRAY: Json = {"treatment": {"product": "esketamine", "sessions_planned": 8, "sessions_completed": 2}}
RACEMIC: Json = {"treatment": {"product": "racemic"}}


def sheet(planner: Planner, body: Json) -> SessionSheet:
    patient = planner.intake.convert(body)
    made = planner.session_sheet(planner.plan(patient), patient)
    assert made is not None
    return made


def checks(made: SessionSheet) -> dict[str, str]:
    return {check.id: moment.moment for moment in made.moments for check in moment.checks}


def day_of(book: Rulebook) -> SessionDay:
    assert book.session_day is not None
    return book.session_day


@pytest.mark.parametrize("body", [SPRAY, RACEMIC])
def test_pressure_is_measured_before_at_forty_minutes_and_at_the_end(planner: Planner, body: Json) -> None:
    made = sheet(planner, body)
    measured = [moment.moment for moment in made.moments if any("Blood pressure" in check.line for check in moment.checks)]
    assert {"before", "minutes_40", "minutes_120"} <= set(measured)
    for moment in made.moments:
        if moment.moment in ("before", "minutes_40", "minutes_120"):
            assert any(field.unit == "mmHg" for check in moment.checks for field in check.fields)


@pytest.mark.parametrize("body", [SPRAY, RACEMIC])
def test_sedation_and_readiness_to_leave_are_looked_at(planner: Planner, body: Json) -> None:
    found = checks(sheet(planner, body))
    assert found["sedation-at-40-minutes"] == "minutes_40"
    assert found["sedation-at-the-end"] == "minutes_120"
    assert found["ready-to-leave"] == found["leaves-with-an-adult"] == "leaving"


def test_the_form_of_the_rems_is_due_within_seven_days_after_the_spray_alone(planner: Planner) -> None:
    assert "monitoring-form-in-seven-days" in checks(sheet(planner, SPRAY))
    assert "monitoring-form-in-seven-days" not in checks(sheet(planner, RACEMIC))
    (form,) = (one for one in day_of(planner.book).checks if one.id == "monitoring-form-in-seven-days")
    assert "within 7 days" in form.line


def test_where_the_product_is_not_known_the_checks_of_both_are_there_with_its_name(planner: Planner) -> None:
    made = sheet(planner, {})
    named = {check.product for moment in made.moments for check in moment.checks}
    assert named == {None, "racemic ketamine", "esketamine nasal spray"}
    assert set(checks(made)) == {one.id for one in day_of(planner.book).checks}
    assert "not known" in made.product_words


def test_the_limits_and_tasks_of_this_patient_stand_above_the_checklist(planner: Planner) -> None:
    made = sheet(planner, SPRAY | {"conditions": ["hypertension", "sleep_apnea"]})
    assert "hypertension-known" in {one.item for one in made.own}
    assert "breathing-needs-a-closer-watch" in {one.item for one in made.own}
    assert made.nothing_own == ""
    assert sheet(planner, SPRAY | {"conditions": [], "medications": []}).nothing_own


def test_the_figures_that_the_clinic_signed_stand_on_it_with_the_name(planner: Planner) -> None:
    protocol = {"observation_minutes": 150, "solid_food_hours": 99 / 2, "approved_by": "Dr. Ada Quill"}
    watched, food = sorted(sheet(planner, SPRAY | {"protocol": protocol}).figures, key=lambda one: one.name)
    assert (watched.value, watched.approved_by, watched.doubtful) == (150, "Dr. Ada Quill", False)
    assert food.doubtful


@settings(max_examples=60)
@given(patients(BOOK))
def test_no_stop_and_no_hold_is_missing_from_it(planner: Planner, body: Json) -> None:
    patient = planner.intake.convert(body)
    plan, made = planner.plan(patient), sheet(planner, body)
    grave = [item for item in items_of(plan) if item.level in ("stop", "hold")]
    assert [one.item for one in made.first] == [item.id for item in grave]
    shown = forms.page(made).decode()
    assert made.first_title in shown or not grave
    for line in made.own:
        assert any(item.id == line.item and item.scope == "personal" for item in items_of(plan))


def test_every_check_of_the_rulebook_has_blanks_and_a_source_that_there_is(book: Rulebook) -> None:
    for check in day_of(book).checks:
        assert check.fields
        assert all(one.source in book.sources for one in check.sources)
        assert len(check.line.split()) <= 25


def test_falls_age_and_bleeding_stand_before_the_nurse_and_allergies_are_asked_for(planner: Planner) -> None:
    made = sheet(planner, RACEMIC | {"age_years": 81, "conditions": ["falls_history", "frailty", "bleeding_disorder"]})
    own = {line.item for line in made.own}
    assert {"from-seventy-five-on", "unsteady-after-a-session", "frailty-known", "bleeding-disorder-known"} <= own
    assert checks(made)["allergies-and-what-is-given"] == "before"


def test_every_form_says_the_same(planner: Planner) -> None:
    body = SPRAY | {"conditions": ["hypertension"], "medications": [{"name": "<b>Xanax*"}], "clinic": {"name": "<Harbor>"}}
    made = sheet(planner, body)
    page, text = forms.page(made).decode(), forms.markdown(made).decode()
    data = msgspec.json.decode(forms.data(made))
    assert "<Harbor>" not in page
    assert "&lt;Harbor&gt;" in page
    for moment in made.moments:
        assert moment.title in page
        assert moment.title in text
        assert any(one["moment"] == moment.moment for one in data["moments"])
    assert forms.pdf(made).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("before", "after", "field"),
    one_row_in(
        3,
        [
            ("source: parikh-2021", "source: nobody-2021", "checks.0.sources.0.source"),
            ("strength: expert_opinion", "strength: hearsay", "checks.0.sources.0.strength"),
            ("id: pressure-before-racemic", "id: pressure-before-esketamine", "checks.2.id"),
            ("own_topics: [age, falls, blood_pressure", "own_topics: [age, falls, bloodpressure", "own_topics"),
            ("own_by: [before_each_session", "own_by: [some_day", "own_by"),
            ("  before: Before the dose\n", "", "checks.0.moment"),
        ],
        lambda row: row[2],
    ),
)
def test_a_fault_of_the_checklist_is_named_with_its_place(tmp_path: Path, before: str, after: str, field: str) -> None:
    folder = lists_in(tmp_path / "rules")
    file = folder / FILE
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    with pytest.raises(InvalidRulebook) as refused:
        load(folder)
    assert (FILE, field) in {(fault.file, fault.field) for fault in refused.value.faults}


def test_a_rulebook_without_a_checklist_has_none(tmp_path: Path) -> None:
    folder: Any = shutil.copytree(lists_in(tmp_path / "rules"), tmp_path / "without")
    (folder / FILE).unlink()
    assert load(folder).session_day is None
