"""Decision records: made, read, and decided again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from careplan.cli import main
from careplan.planner import Planner
from careplan.record import DecisionRecord, read_record, record, replay
from careplan.rulebook.load import shipped

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "daily-benzodiazepine.json"
AT = "2026-03-01T09:30:00Z"

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def made(planner: Planner) -> DecisionRecord:
    return record(planner, planner.intake.decode(EXAMPLE.read_bytes()), AT)


@pytest.fixture
def file(made: DecisionRecord, tmp_path: Path) -> Path:
    path = tmp_path / "record.json"
    path.write_bytes(msgspec.json.encode(made))
    return path


def changed(path: Path, change: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def replayed(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def test_a_record_holds_everything_the_plan_came_from(planner: Planner, made: DecisionRecord) -> None:
    plan = planner.plan(made.input)
    assert made.plan == plan
    assert made.rulebook == plan.rulebook
    assert made.at == AT
    named = {fact.id for fact in made.facts}
    assert all(set(finding.facts) <= named for finding in made.findings)
    shown = {item.rule.id for section in plan.sections for item in section.items}
    assert shown <= {finding.rule for finding in made.findings}


def test_facts_in_a_record_carry_nothing_in_the_callers_own_words(planner: Planner) -> None:
    body = {"medications": [{"name": "Zyxwvut Qponmlk"}], "expectations": {"goals": ["Zyxwvut Qponmlk"]}}
    made = record(planner, planner.intake.decode(msgspec.json.encode(body)), None)
    assert b"Zyxwvut" not in msgspec.json.encode(made.facts) + msgspec.json.encode(made.findings)


def test_a_record_read_back_is_the_same_and_gives_the_same_plan(planner: Planner, made: DecisionRecord) -> None:
    read = read_record(msgspec.json.encode(made))
    assert read == made
    found = replay(planner, read)
    assert found.same_plan
    assert found.reproduced is True


def test_the_command_writes_a_record_that_replays(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["plan", str(EXAMPLE), "--record", AT])
    assert done.exit_code == 0
    (tmp_path / "record.json").write_text(done.output)
    again = replayed(tmp_path / "record.json")
    assert again.exit_code == 0, again.output
    assert "The rulebook is the same.\nThe plan is the same." in again.output


def test_another_rulebook_is_named_with_what_its_plan_has_otherwise(file: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    for rule in (folder / "day_of_treatment").glob("driving-*.yaml"):
        rule.unlink()
    done = replayed(file, "--rules", folder)
    assert done.exit_code == 1, done.output
    assert "Replayed under" in done.output
    assert "The plan is not the same." in done.output


def test_a_plan_that_the_same_rulebook_does_not_make_is_told_apart(file: Path) -> None:
    recorded = json.loads(file.read_text())
    del recorded["plan"]["sections"][0]["items"][0]
    file.write_text(json.dumps(recorded))
    done = replayed(file)
    assert done.exit_code == 4
    assert "The same rulebook gave another plan." in done.output
    found = json.loads(replayed(file, "--format", "json").output)
    assert found["reproduced"] is False
    assert found["difference"]["added"]


def test_an_input_that_is_no_longer_taken_is_refused_with_its_fault(file: Path) -> None:
    recorded = json.loads(file.read_text())
    recorded["input"]["conditions"] = ["zzz"]
    file.write_text(json.dumps(recorded))
    done = replayed(file)
    assert done.exit_code == 2
    assert "/conditions/0" in done.output


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": "careplan-record/2"}'])
def test_what_is_no_record_is_refused_with_the_reason(content: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(content)
    done = replayed(tmp_path / "record.json")
    assert done.exit_code == 2
    assert "this is no decision record" in done.output
