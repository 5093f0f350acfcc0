"""The interview on the terminal, as a person answers it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from careplan.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "daily-benzodiazepine.json")


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
    done = interview(*[""] * 100)
    assert done.exit_code == 0
    bold = [line for line in done.stderr.splitlines() if line.endswith("?") and not line.startswith(" ")]
    assert len(bold) == len(set(bold)) > 20
    assert json.loads(done.stdout)["information_needed"]


def test_a_question_mark_says_why_it_is_asked() -> None:
    done = interview("?", "done")
    assert "Could change:" in done.stderr
    assert asked(done) == 1


@pytest.mark.parametrize("typed", ["perhaps", "17", "-"])
def test_an_answer_that_does_not_fit_is_asked_for_again(typed: str, begun: str) -> None:
    done = interview(typed, "done", options=(begun,))
    assert "Please " in done.stderr
    assert asked(done) == 1


def test_it_asks_no_more_than_it_was_told_to() -> None:
    assert asked(interview("", "", "", "", "", options=("--most", "3"))) == 3


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
        ("conditions", "high blood pressure", ["hypertension"]),
        ("goals", "Walk; Rest", ["Walk", "Rest"]),
    ],
)
def test_lists_are_typed_as_people_say_them(left_out: str, typed: str, sent: list[object], tmp_path: Path) -> None:
    body = json.loads(Path(EXAMPLE).read_text())
    body["treatment"]["response_so_far"] = "none"
    within = body["expectations"] if left_out == "goals" else body
    del within[left_out]
    begun, saved = tmp_path / "begun.json", tmp_path / "saved.json"
    begun.write_text(json.dumps(body))
    interview(typed, "done", options=(str(begun), "--save", str(saved)))
    answered = json.loads(saved.read_text())
    assert (answered["expectations"] if left_out == "goals" else answered)[left_out] == sent


def test_a_condition_that_nobody_knows_is_met_with_the_known_ones() -> None:
    done = interview("zebra disease", "done")
    assert "There is no condition called zebra disease; careplan knows " in done.stderr
    assert asked(done) == 1


def test_a_file_with_faults_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"age_years": "old"}')
    done = interview(options=(str(tmp_path / "bad.json"),))
    assert done.exit_code == 2
    assert "/age_years:" in done.stderr
