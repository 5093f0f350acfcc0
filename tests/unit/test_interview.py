"""The interview on the terminal, as a person answers it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from careplan.cli.answering import value
from careplan.cli.main import main
from careplan.plan.model import AnswerForm
from careplan.plan.visit import MOST_FIRST
from careplan.planner import Planner

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "daily-benzodiazepine.json")


@pytest.fixture(autouse=True)
def _one_planner(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planner of the whole run, instead of one more for each of so many interviews."""
    monkeypatch.setattr("careplan.cli.interviewing.read_rulebook", lambda _folder: planner.book)
    monkeypatch.setattr("careplan.cli.interviewing.Planner", lambda _book: planner)


def interview(*answers: str, options: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(main, ["interview", *options], input="\n".join([*answers, ""]))


def asked(done: Result) -> int:
    return done.stderr.count("(could still change the plan:")


@pytest.fixture
def begun(tmp_path: Path) -> str:
    """A request in which the lists are answered, so that short questions come first."""
    path = tmp_path / "begun.json"
    path.write_text(
        json.dumps({"medications": [], "conditions": [], "treatment": {"product": "racemic"}, "expectations": {"goals": []}})
    )
    return str(path)


def test_it_asks_the_weightiest_question_first_and_ends_in_a_plan_at_done(begun: str) -> None:
    done = interview("plan_or_intent", "done", options=(begun,))
    assert asked(done) == 2
    assert done.exit_code == 3
    plan = json.loads(done.stdout)
    assert plan["status"] == "blocked"
    assert plan["alerts"]


def test_answers_are_saved_as_a_request_that_gives_the_same_plan(begun: str, tmp_path: Path) -> None:
    saved = tmp_path / "patient.json"
    done = interview("none", "done", options=("--save", str(saved), begun))
    again = CliRunner().invoke(main, ["plan", str(saved)])
    assert json.loads(again.stdout) == json.loads(done.stdout)
    assert json.loads(saved.read_text())["red_flags"] == {"suicidal_thoughts": "none"}


def test_an_empty_answer_leaves_a_question_open_and_does_not_come_back_to_it() -> None:
    done = interview(*[""] * 100, options=("--all",))
    assert done.exit_code == 0
    bold = [line for line in done.stderr.splitlines() if line.endswith("?") and not line.startswith(" ")]
    assert len(bold) == len(set(bold)) > 20
    assert json.loads(done.stdout)["information_needed"]


def test_a_question_mark_says_why_it_is_asked() -> None:
    done = interview("?", "done")
    assert "Could change:" in done.stderr
    assert asked(done) == 1


@pytest.mark.parametrize("typed", ["1,200", "12,345.5"])
def test_a_number_with_a_comma_that_can_be_read_in_two_ways_is_asked_for_again(typed: str) -> None:
    form = AnswerForm(type="number", least=0, most=5_000)
    with pytest.raises(ValueError, match="without a comma"):
        value(typed, form)
    assert (value("7,5", form), value("1200", form)) == (7.5, 1200)


@pytest.mark.parametrize("typed", ["perhaps", "17", "-", "nan"])
def test_an_answer_that_does_not_fit_is_asked_for_again(typed: str, begun: str) -> None:
    done = interview(typed, "done", options=(begun,))
    assert "Please " in done.stderr
    assert asked(done) == 1


def test_it_asks_no_more_than_it_was_told_to() -> None:
    assert asked(interview("", "", "", "", "", options=("--most", "3"))) == 3


def test_without_more_wanted_it_asks_the_eight_of_the_front_page_in_the_order_of_a_visit(planner: Planner) -> None:
    done = interview(*[""] * 100)
    assert asked(done) == MOST_FIRST
    front = planner.plan(planner.intake.convert({})).front.ask
    questions = {one.pointer: one.question for one in planner.plan(planner.intake.convert({})).information_needed}
    places = [done.stderr.index(questions[one.pointer]) for one in front]
    assert places == sorted(places)
    assert "--all asks them" in done.stderr


def test_it_greets_and_says_what_can_be_typed_and_says_it_again_when_asked() -> None:
    done = interview("help", "done")
    assert done.stderr.startswith("Welcome.")
    assert "Nothing is saved." in done.stderr
    assert done.stderr.count("goes back to the question before") == 2
    assert asked(done) == 1


def test_back_takes_an_answer_or_an_open_question_back_and_asks_it_again(begun: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    done = interview("back", "none", "back", "", "back", "2", "done", options=(begun, "--save", str(saved)))
    assert "This is the first question." in done.stderr
    assert done.stderr.count("Have you had thoughts of ending your life") == 3
    assert json.loads(saved.read_text())["red_flags"] == {"suicidal_thoughts": "passive"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("1", "none"),
        ("4", "plan_or_intent"),
        ("none", "none"),
        ("Active no plan", "active_no_plan"),
        ("has passive suicidal thoughts", "passive"),
        ("passive", "passive"),
        ("without a plan", "active_no_plan"),
    ],
)
def test_a_choice_is_made_by_its_number_or_by_words_that_only_it_has(
    typed: str, sent: str, begun: str, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    done = interview(typed, "done", options=(begun, "--save", str(saved)))
    assert json.loads(saved.read_text())["red_flags"] == {"suicidal_thoughts": sent}
    assert "Understood: has " in done.stderr


@pytest.mark.parametrize("typed", ["no", "plan", "suicidal", "0", "5"])
def test_words_that_several_choices_have_are_never_guessed_at(typed: str, begun: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    done = interview(typed, "done", options=(begun, "--save", str(saved)))
    assert "Please " in done.stderr
    assert "red_flags" not in json.loads(saved.read_text())


def test_it_ends_in_the_front_page_on_a_terminal(begun: str) -> None:
    done = interview("none", "done", options=(begun, "--format", "text"))
    assert "Care plan, draft for a clinician to sign" in done.stdout
    assert "Your ketamine card" not in done.stdout


def test_it_goes_on_from_a_file_and_asks_only_what_is_open_there() -> None:
    done = interview("done", options=(EXAMPLE,))
    assert asked(done) <= 1
    assert json.loads(done.stdout)["status"] == "draft"
    assert "psychosis" not in done.stderr


@pytest.mark.parametrize(
    ("left_out", "typed", "sent"),
    [
        ("medications", "Xanax, sertraline", [{"name": "Xanax"}, {"name": "sertraline"}]),
        ("medications", "none", []),
        ("medications", "N/A", []),
        ("medications", "lithium 1,200 mg, sertraline 50 mg", [{"name": "lithium 1,200 mg"}, {"name": "sertraline 50 mg"}]),
        ("medications", "vitamin B12,lithium", [{"name": "vitamin B12"}, {"name": "lithium"}]),
        ("conditions", "no", []),
        ("goals", "-", []),
        ("conditions", "high blood pressure", ["hypertension"]),
        ("goals", "Walk; Rest", ["Walk", "Rest"]),
    ],
)
def test_lists_are_typed_as_people_say_them(left_out: str, typed: str, sent: list[object], tmp_path: Path) -> None:
    body = json.loads(Path(EXAMPLE).read_text())
    body["treatment"]["response_so_far"] = "none"
    body["measures"] = {"systolic": 120, "diastolic": 80, "phq9_total": 10}
    body["expectations"]["wants_to_stop_early"] = False
    within = body["expectations"] if left_out == "goals" else body
    del within[left_out]
    begun, saved = tmp_path / "begun.json", tmp_path / "saved.json"
    begun.write_text(json.dumps(body))
    interview(typed, "done", options=(str(begun), "--save", str(saved)))
    answered = json.loads(saved.read_text())
    assert (answered["expectations"] if left_out == "goals" else answered)[left_out] == sent


@pytest.fixture
def without_conditions(tmp_path: Path) -> str:
    """A request in which nothing but the conditions is open, so that they are asked first."""
    body = json.loads(Path(EXAMPLE).read_text())
    body["treatment"]["response_so_far"] = "none"
    del body["conditions"]
    path = tmp_path / "begun.json"
    path.write_text(json.dumps(body))
    return str(path)


@pytest.mark.parametrize("again", ["yes", "no"])
def test_a_condition_that_nobody_knows_is_kept_as_written_once_that_is_confirmed(
    again: str, without_conditions: str, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    done = interview("zzqitis, high blood pressure", again, "done", options=(without_conditions, "--save", str(saved)))
    body = json.loads(saved.read_text())
    assert "There is no condition called zzqitis" in done.stderr
    if again == "yes":
        assert body["conditions"] == ["hypertension"]
        assert body["other_conditions"] == ["zzqitis"]
        assert "No rule looks at what could not be read." in done.stderr
    else:
        assert "conditions" not in body
        assert "other_conditions" not in body


def test_an_illness_in_everyday_words_is_understood_and_said_back(without_conditions: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    done = interview("OSA on CPAP, gout", "done", options=(without_conditions, "--save", str(saved)))
    assert json.loads(saved.read_text())["other_conditions"] == ["OSA on CPAP", "gout"]
    assert "“OSA on CPAP”: sleep apnea" in done.stderr
    assert "“gout”: known, no rule looks at it" in done.stderr


def test_a_misspelt_condition_is_met_with_the_one_that_may_be_meant(without_conditions: str) -> None:
    assert (
        "Did you mean high blood pressure?" in interview("hihg blood pressure", "no", options=(without_conditions,)).stderr
    )


def test_what_cannot_wait_is_said_at_once_with_who_acts_and_the_crisis_line(begun: str) -> None:
    done = interview("plan_or_intent", "done", options=(begun,))
    before, _, after = done.stderr.partition("ACT FIRST: ")
    plan = json.loads(done.stdout)
    assert asked(done) == 2
    assert before.count("(could still change the plan:") == 1
    assert plan["card"]["crisis"]["text"] in after.partition("(could still change the plan:")[0]
    for ask in plan["alerts"][0]["asks"]:
        assert f"{ask['who']}, {plan['by_words'][ask['by']]}: {ask['what']}" in after


def test_what_cannot_wait_is_said_once(begun: str) -> None:
    assert interview("plan_or_intent", "", "", "done", options=(begun,)).stderr.count("ACT FIRST: ") == 1


def test_an_interview_that_is_broken_off_keeps_what_was_answered(begun: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    done = CliRunner().invoke(main, ["interview", begun, "--save", str(saved)], input="active_no_plan\n")
    assert done.exit_code == 1
    assert f"saved in {saved}" in done.stderr
    assert json.loads(saved.read_text())["red_flags"] == {"suicidal_thoughts": "active_no_plan"}
    assert "nothing is saved" in CliRunner().invoke(main, ["interview", begun], input="none\n").stderr


def test_a_file_with_faults_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"age_years": "old"}')
    done = interview(options=(str(tmp_path / "bad.json"),))
    assert done.exit_code == 2
    assert "/age_years:" in done.stderr
