"""Danger is spoken of where danger was read, and only there; treatment is kept whole; drink and medicines never block.

The goals are written as people write them; `goals/` has the lists.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner
from careplan.request.patient import Expectations, Lifestyle, Patient
from tests.everyday import one_in, one_row_in
from tests.shipped import BOOK

LISTS = Path(__file__).parent / "goals"
HARMLESS = (LISTS / "harmless.txt").read_text(encoding="utf-8").splitlines()
DANGEROUS = [line.split("\t") for line in (LISTS / "dangerous.txt").read_text(encoding="utf-8").splitlines()]
EMERGENCIES = (LISTS / "emergencies.txt").read_text(encoding="utf-8").splitlines()
TREATMENT = (LISTS / "treatment.txt").read_text(encoding="utf-8").splitlines()
DANGER = {"self_harm", "harm_to_others"}
OF_DANGER = ("suicid", "self-harm", "988", "crisis", "danger")
COACHING = {
    *("goal-too-vague", "goal-well-chosen", "goal-without-amount", "goal-without-when", "goal-with-several-actions"),
    *("goal-not-in-your-hands", "goal-too-big-to-begin-with", "goal-on-food-or-movement-with-eating-disorder"),
    *("no-specific-goal-among-several", "several-goals-start-with-one"),
}


def planned(planner: Planner, *goals: str, drinks: float | None = None) -> CarePlan:
    lifestyle = Lifestyle(alcohol_drinks_per_week=drinks)
    return planner.plan(Patient(expectations=Expectations(goals=list(goals)), lifestyle=lifestyle))


def lines(plan: CarePlan) -> list[Item]:
    """The items about a goal."""
    found = items_of(plan)
    return [item for item in found if item.rule.id.startswith(("goal-", "several-goals", "no-specific-goal"))]


def test_the_lists_are_long_enough_and_name_each_goal_once() -> None:
    assert len(HARMLESS) == len(set(HARMLESS)) >= 120
    assert len(DANGEROUS) == len({text for _, text in DANGEROUS}) >= 60


def test_no_everyday_goal_is_read_as_any_danger() -> None:
    assert {text: found for text in HARMLESS if (found := BOOK.goals.judge(text).safety) != "none"} == {}


@pytest.mark.parametrize(
    "text",
    [
        "volunteer at the suicide prevention walk",
        "work my shift on the crisis line",
        "write about my mother's suicide in my journal",
    ],
)
def test_help_for_others_and_a_loss_that_name_suicide_are_no_danger(planner: Planner, text: str) -> None:
    assert BOOK.goals.judge(text).safety == "none"
    assert planned(planner, text).status == "draft"


@pytest.mark.parametrize(
    "text", [f"{figure} and I want to die" for figure in ("my back is killing me", "dying to see my kids")]
)
def test_a_figure_of_speech_hides_no_danger_beside_it(text: str) -> None:
    assert BOOK.goals.judge(text).safety == "self_harm"


def test_every_dangerous_goal_is_read_as_the_danger_it_is() -> None:
    found = [(text, category, BOOK.goals.judge(text).safety) for category, text in DANGEROUS]
    assert [one for one in found if one[1] != one[2] and not {*one[1:]} <= DANGER] == []


@pytest.mark.parametrize(("category", "text"), one_row_in(3, map(tuple, DANGEROUS), "-".join))
def test_a_dangerous_goal_goes_to_a_person_and_is_neither_praised_nor_coached(
    planner: Planner, category: str, text: str
) -> None:
    plan = planned(planner, text)
    assert plan.status == ("blocked" if category in DANGER else "draft")
    assert any(item.level in ("stop", "hold") for item in lines(plan))
    assert not {item.rule.id for item in lines(plan)} & COACHING


@pytest.mark.parametrize("text", EMERGENCIES)
def test_an_emergency_that_a_goal_tells_of_blocks(planner: Planner, text: str) -> None:
    assert planned(planner, "walk every day", text).status == "blocked"


def test_an_alert_of_an_emergency_names_the_goal_that_tells_of_it(planner: Planner) -> None:
    plan = planned(planner, "walk every day", "vomiting blood today")
    alert = next(item for item in plan.alerts if item.rule.id == "unread-entry-may-be-a-danger")
    assert [about.pointer for about in alert.about] == ["/expectations/goals/1"]
    assert "vomiting blood today" in alert.clinician_text


@pytest.mark.parametrize("text", one_in(6, HARMLESS))
def test_an_everyday_goal_that_was_read_blocks_nothing_and_speaks_of_no_danger(planner: Planner, text: str) -> None:
    plan = planned(planner, text)
    assert plan.status == "draft"
    if BOOK.goals.judge(text).understood:
        said = " ".join(f"{item.patient_text} {item.clinician_text}".lower() for item in lines(plan))
        in_our_words = said.replace(text.lower(), "")  # "go to the suicide support group" may be repeated
        assert not any(word in in_our_words for word in OF_DANGER)


@pytest.mark.parametrize(
    "text", ["get my life back", "coach my son's Little League", "put my phone away at 10 pm", "end my work day at five"]
)
def test_everyday_goals_that_were_once_taken_for_danger_are_read(text: str) -> None:
    assert BOOK.goals.judge(text).understood


@given(st.sampled_from([text for _, text in DANGEROUS if text.isascii() and "&" not in text]), st.data())
def test_danger_is_read_however_the_text_was_written_or_exported(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    invisible = data.draw(st.sampled_from(["\u00ad", "\u200b", "\u2060", "\ufeff", "&shy;", "&#8203;"]))
    apostrophe = data.draw(st.sampled_from(["\u2019", "&#39;", "&amp;#39;", "&rsquo;", "`"]))
    wide = data.draw(st.booleans())
    changed = "".join(chr(ord(char) + 0xFEE0) if wide and char.isalpha() else char for char in text)
    changed = f"{changed[:at]}{invisible}{changed[at:]}".replace("'", apostrophe)
    assert BOOK.goals.judge(changed).safety == BOOK.goals.judge(text).safety


def test_treatment_recovery_and_safety_are_read_as_what_they_are() -> None:
    verdicts = {text: BOOK.goals.judge(text) for text in TREATMENT}
    right = {text for text, one in verdicts.items() if one.protected and one.understood and one.safety == "none"}
    assert verdicts.keys() - right == set()


@pytest.mark.parametrize("text", one_in(4, TREATMENT))
def test_treatment_recovery_and_safety_are_kept_whole_and_never_made_smaller(planner: Planner, text: str) -> None:
    for goals in ([text], [text, "Sleep better"], [text, "Sleep better", "Walk 10 minutes every day", "Read more"]):
        found = {item.rule.id: item for item in lines(planned(planner, *goals))}
        assert "goal-kept-whole" in found
        about = {about.pointer for item in found.values() if item.rule.id in COACHING for about in item.about}
        assert "/expectations/goals/0" not in about
        assert not found.keys() & {"no-specific-goal-among-several", "several-goals-start-with-one"}


@pytest.mark.parametrize(
    "text",
    [
        "stop going to therapy", "quit my NA meetings", "skip dialysis this week", "stop seeing my therapist",
        "quit my suicide safety plan", "stop using my CPAP", "quit cardiac rehab", "skip radiation",
        "stop seeing my cardiologist",
        "drop my accountability partner", "cancel my Suboxone appointments", "quit going to the suicide support group",
    ],
)  # fmt: skip
def test_leaving_a_treatment_is_a_decision_and_not_kept_as_a_goal(planner: Planner, text: str) -> None:
    plan = planned(planner, text)
    assert plan.status == "draft"
    assert {item.rule.id for item in lines(plan) if item.level == "hold"} >= {"goal-ends-a-treatment"}
    assert "goal-kept-whole" not in {item.rule.id for item in lines(plan)}


OWN_WARNINGS = {
    "benzodiazepine": "withdrawal, including seizures",
    "lamotrigine": "rash",
    "antidepressant": "dizzy",
    "opioid": "After a break",
}


@pytest.mark.parametrize(
    ("text", "rule", "own"),
    [
        ("take less Xanax", "goal-changes-a-benzodiazepine", "benzodiazepine"),
        ("get off Klonopin by spring", "goal-changes-a-benzodiazepine", "benzodiazepine"),
        ("quit benzos", "goal-changes-a-benzodiazepine", "benzodiazepine"),
        ("come off Zoloft", "goal-changes-an-antidepressant", "antidepressant"),
        ("wean off my antidepressant", "goal-changes-an-antidepressant", "antidepressant"),
        ("stop taking Lamictal", "goal-changes-lamotrigine", "lamotrigine"),
        ("stop my oxycodone", "goal-changes-an-opioid", "opioid"),
        ("get off all my meds", "goal-changes-a-medicine", ""),
        ("take less lisinopril", "goal-changes-a-medicine", ""),
    ],
)
def test_a_goal_about_a_medicine_never_blocks_and_warns_of_that_medicine_alone(
    planner: Planner, text: str, rule: str, own: str
) -> None:
    plan = planned(planner, text)
    assert plan.status == "draft"
    (item,) = [item for item in lines(plan) if item.rule.id.startswith("goal-changes")]
    assert (item.rule.id, item.level) == (rule, "hold")
    assert {ask.who for ask in item.asks} >= {"clinician"}
    assert "prescriber" in item.patient_text
    assert {name for name, words in OWN_WARNINGS.items() if words in item.patient_text} == ({own} if own else set())


@pytest.mark.parametrize(
    ("text", "safety"),
    [
        ("get off all my pills", "medicine_change"),
        ("stop taking all my pills", "medicine_change"),
        ("get rid of all my pills", "medicine_change"),
        ("not have to take all these pills", "medicine_change"),
        ("take all my pills on time", "none"),
        ("remember to take all my pills", "none"),
        ("sort all my pills into a box on Sundays", "none"),
        ("take all my pills tonight", "self_harm"),
        ("swallow all my pills", "self_harm"),
        ("save all my pills", "self_harm"),
        ("stop taking my meds and then take all my pills", "self_harm"),
        ("take all my pills every night until I die", "self_harm"),
    ],
)
def test_all_of_the_pills_are_a_danger_only_where_they_may_be_taken_together(text: str, safety: str) -> None:
    assert BOOK.goals.judge(text).safety == safety


def test_a_goal_about_two_medicines_gets_the_warning_of_each(planner: Planner) -> None:
    found = {item.rule.id for item in lines(planned(planner, "Stop my Xanax and my Lamictal"))}
    assert {"goal-changes-a-benzodiazepine", "goal-changes-lamotrigine"} <= found


@pytest.mark.parametrize(
    "text", ["stop drinking", "cut down on wine", "drink less", "no more beer on weekdays", "get sober"]
)
@pytest.mark.parametrize(("drinks", "level"), [(None, "hold"), (0, "caution"), (7.9, "caution"), (8, "hold"), (40, "hold")])
def test_a_goal_about_drink_never_blocks_and_warns_of_alcohol_alone(
    planner: Planner, text: str, drinks: float | None, level: str
) -> None:
    plan = planned(planner, text, drinks=drinks)
    assert plan.status == "draft"
    (item,) = [item for item in lines(plan) if item.rule.id.startswith("goal-on-alcohol")]
    assert item.level == level
    assert "suddenly" in item.patient_text
    assert "lamotrigine" not in item.patient_text
    assert "medicine" not in item.patient_text


@pytest.mark.parametrize(
    "text", ["drink less coffee", "stop drinking soda", "drink more water", "no alcohol on treatment days"]
)
def test_other_drinks_and_the_days_of_treatment_are_no_question_of_alcohol(text: str) -> None:
    assert BOOK.goals.judge(text).safety == "none"
