"""What is measured counts by its age, its unit and what was recorded since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from careplan.errors import InvalidPatient, InvalidRulebook
from careplan.fhir.read.bundle import FhirReader
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.recognition import units
from careplan.recognition.units import factor
from careplan.rulebook.load import load
from tests.plans import by_rule
from tests.shipped import BOOK, few_rules_in

ALERT = "measured-very-high-blood-pressure"
SCALE = "scale-answer-on-suicide"


def planned(planner: Planner, **body: Any) -> CarePlan:
    return planner.plan(planner.intake.decode(json.dumps(body).encode()))


def of(value: Any, at: str | None = None) -> dict[str, Any]:
    return {"value": value} if at is None else {"value": value, "at": at}


def record(what: str, at: str) -> dict[str, str]:
    return {"what": what, "by": "Dr. Hanna Okafor, MD", "at": at, "arranged": "Safety plan written, next call on Monday."}


def test_a_reading_without_a_time_hides_no_grave_one(planner: Planner) -> None:
    for undated, dated in ((120, 190), (190, 120)):
        plan = planned(planner, as_of="2026-11-28", measures={"systolic": [of(undated), of(dated, "2026-11-28")]})
        assert [item.rule.id for item in plan.alerts] == [ALERT]


def test_a_newer_reading_counts_for_an_older_one_of_the_same_day(planner: Planner) -> None:
    pressures = [of(190, "2026-11-28T09:00:00Z"), of(135, "2026-11-28T10:00:00Z")]
    plan = planned(planner, measures={"systolic": pressures})
    assert not plan.alerts
    assert "/measures/systolic" in {entry.pointer for entry in plan.not_considered}


def test_an_old_pressure_is_no_alert_and_is_measured_again_and_said_to_be_old(planner: Planner) -> None:
    plan = planned(planner, as_of="2026-11-28", measures={"systolic": of(190, "2026-09-01")})
    item = by_rule(plan)["earlier-very-high-blood-pressure"]
    assert not plan.alerts
    assert item.because == ["earlier, and not since: systolic blood pressure is 190 mmHg (2026-09-01)"]
    assert any("more than a day old" in entry.why for entry in plan.not_considered)
    assert "/measures/systolic" in {question.pointer for question in plan.information_needed}


def test_a_record_of_an_assessment_clears_no_answer_that_came_after_it(planner: Planner) -> None:
    answer = {"phq9_item9": of(2, "2026-11-28T09:00:00Z")}
    for at, cleared in (("2026-11-28T10:00:00Z", True), ("2026-11-28T08:00:00Z", False)):
        plan = planned(planner, measures=answer, clearances=[record("suicidal_thoughts", at)])
        assert [item.rule.id for item in plan.alerts] == ([] if cleared else [SCALE])
        assert (by_rule(plan)[SCALE].cleared is not None) is cleared


def test_a_record_about_one_answer_clears_no_newer_one_of_another_question(planner: Planner) -> None:
    answers = {"phq9_item9": of(1, "2026-11-20"), "cssrs_plan": {"value": True, "at": "2026-11-27"}}
    plan = planned(planner, measures=answers, clearances=[record("phq9_item9", "2026-11-21T10:00:00Z")])
    assert [item.rule.id for item in plan.alerts] == [SCALE]


def test_a_record_clears_no_red_flag_when_a_form_has_spoken_since(planner: Planner) -> None:
    flag = {
        "red_flags": {"suicidal_thoughts": "passive"},
        "clearances": [record("suicidal_thoughts", "2026-11-21T10:00:00Z")],
    }
    assert not planned(planner, **flag, measures={"phq9_item9": of(1, "2026-11-20")}).alerts
    since = planned(planner, **flag, measures={"phq9_item9": of(1, "2026-11-27")})
    assert [item.rule.id for item in since.alerts] == ["suicidal-thoughts-passive"]
    assert any("measured since" in entry.why for entry in since.not_considered)


TREATED = {"indication": "depression", "sessions_completed": 2}


@pytest.mark.parametrize(
    ("last", "response"), [(4, "good"), (10, "good"), (14, "partial"), (20, "none"), (25, "worse"), (24, "none")]
)
def test_how_treatment_goes_is_worked_out_of_two_scores_and_not_asked(planner: Planner, last: int, response: str) -> None:
    scores = [of(20, "2026-10-20"), of(last, "2026-11-20")]
    plan = planned(planner, treatment=TREATED, measures={"phq9_total": scores})
    told = planned(planner, treatment=TREATED | {"response_so_far": response})
    assert "/treatment/response_so_far" not in {question.pointer for question in plan.information_needed}
    assert by_rule(told).keys() <= by_rule(plan).keys()


def test_one_score_or_one_before_the_first_session_tells_nothing_of_the_treatment(planner: Planner) -> None:
    both = [of(20, "2026-10-20"), of(9, "2026-11-20")]
    for scores, treatment in ((both[1:], TREATED), (both, TREATED | {"sessions_completed": 0})):
        plan = planned(planner, treatment=treatment, measures={"phq9_total": scores})
        assert "early-sessions-good-response" not in by_rule(plan)
    plan = planned(planner, treatment=TREATED, measures={"phq9_total": both})
    assert "early-sessions-good-response" in by_rule(plan)


def test_every_declared_unit_is_one_that_the_measure_can_be_told_in() -> None:
    for name, measure in BOOK.vocabulary.measures.items():
        for written, unit in measure.units.items():
            assert factor(unit, measure.unit) is not None, f"{name}: {written}"


def test_what_is_no_measure_unit_or_answer_is_refused(planner: Planner) -> None:
    for measures, pointer in (
        ({"sistolic": 120}, "/measures/sistolic"),
        ({"systolic": {"value": 120, "unit": "furlong"}}, "/measures/systolic/unit"),
        ({"pregnancy_test": "maybe"}, "/measures/pregnancy_test"),
        ({"systolic": {"value": 120, "at": "2026-02-30"}}, "/measures/systolic/at"),
    ):
        with pytest.raises(InvalidPatient) as raised:
            planned(planner, measures=measures)
        assert pointer in {fault.pointer for fault in raised.value.faults}


POTASSIUM = """\
  potassium:
    label: potassium
    says: "potassium is {value} mmol/L"
    unknown: the potassium is not known
    question: What was the last potassium?
    why: Potassium that is low makes a rhythm of the heart unsafe.
    unit: mmol/L
    units: {meq/L: "meq/L"}
    plausible: {least: 1, most: 10}
    counts_days: 30
    loinc: ["2823-3"]
"""
LOW = """\
id: potassium-low
version: 1
status: trial
level: hold
title: Potassium is low
scope: personal
topic: kidney
line: "Potassium below 3.5 mmol/L: find the cause and repeat it before a session."
rationale: Potassium that is low makes a rhythm of the heart unsafe.
sources:
  - {source: clinic-convention, place: "below 3.5 mmol/L", strength: convention}
when:
  measures: {potassium: {less_than: 3.5}}
then:
  patient: One of your blood values is low. We look at it before a session.
  clinician: Potassium below 3.5 mmol/L. Find the cause and repeat it before a session.
  asks:
    - {who: clinician, what: repeat the potassium, by: before_next_session}
examples:
  fires:
    - why: low
      patient: {measures: {potassium: 3.4}}
  silent:
    - why: at the limit
      patient: {measures: {potassium: 3.5}}
"""


def test_an_owner_can_declare_a_measure_and_a_rule_on_it(tmp_path: Path) -> None:
    folder = few_rules_in(tmp_path / "rules")
    vocabulary = folder / "vocabulary.yaml"
    vocabulary.write_text(vocabulary.read_text().replace("\nmeasures:\n", f"\nmeasures:\n{POTASSIUM}", 1))
    (folder / "screening").mkdir(exist_ok=True)
    (folder / "screening" / "potassium-low.yaml").write_text(LOW)
    planner = Planner(load(folder))
    try:
        for sent in (3, {"value": 3, "unit": "meq/L"}):
            assert "potassium-low" in by_rule(planned(planner, measures={"potassium": sent}))
        (question,) = [one for one in planned(planner).information_needed if one.pointer == "/measures/potassium"]
        assert (question.form.type, question.form.unit, question.form.most) == ("number", "mmol/L", 10)
        codes = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}
        value = {
            "resourceType": "Observation",
            "status": "final",
            "code": codes,
            "valueQuantity": {"value": 3, "code": "mmol/L"},
        }
        book = planner.book
        reader = FhirReader(book, planner.intake)
        read = reader.read({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": value}]})
        assert "potassium-low" in by_rule(planner.plan(read.patient))
    finally:
        planner.close()


def test_a_factor_that_no_rule_could_use_is_a_fault(tmp_path: Path) -> None:
    folder = few_rules_in(tmp_path / "rules")
    vocabulary = folder / "vocabulary.yaml"
    factor_of_nobody = 'fields:\n  lifestyle.potassium: {label: potassium, says: "{value}", unknown: not known}\n'
    vocabulary.write_text(vocabulary.read_text().replace("\nfields:\n", f"\n{factor_of_nobody}", 1))
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    assert {fault.code for fault in raised.value.faults} == {"unusable-factor"}


@pytest.mark.long
def test_another_process_works_out_what_a_rulebook_may_need_and_its_library_stays_there(
    planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = planner.book.vocabulary.measures.values()
    here = {(unit, one.unit): factor(unit, one.unit) for one in measures for unit in one.units.values()}
    monkeypatch.setattr(units, "_learned", {})
    monkeypatch.setattr(units, "_registry", lambda: pytest.fail("it was loaded here"))
    units._worked_out.cache_clear()
    planner.warm()
    assert {pair: factor(*pair) for pair in here} == here
    assert len(here) > 10


def test_what_the_other_process_does_not_say_is_worked_out_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "_learned", {})
    monkeypatch.setattr("sys.executable", "/no/such/python")
    units.learn([("g", "kg")])
    assert factor("g", "kg") == pytest.approx(0.001)
