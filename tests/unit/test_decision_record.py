"""Decision records: made, read, and decided again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from careplan.canonical import digest_of
from careplan.cli.main import main
from careplan.decision_record import DecisionRecord, read_record, record, replay
from careplan.fhir.read.bundle import FromFhir
from careplan.plan.model import NotConsidered
from careplan.planner import Planner
from careplan.rulebook.load import shipped
from tests.plans import items_in_json

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


def replayed_with(file: Path, change: Change) -> Result:
    recorded = json.loads(file.read_text())
    change(recorded)
    file.write_text(json.dumps(recorded))
    return replayed(file)


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
    read, intact = read_record(msgspec.json.encode(made))
    assert read == made
    assert intact is True
    found = replay(planner, read)
    assert found.same_plan
    assert found.facts == found.findings == []
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


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": "careplan-record/3"}'])
def test_what_is_no_record_is_refused_with_the_reason(content: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(content)
    done = replayed(tmp_path / "record.json")
    assert done.exit_code == 2
    assert "this is no decision record" in done.output


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made: made.update(findings=[]), "Rules that held on other facts"),
        (lambda made: made.update(facts=[]), "Facts that are not the same: c0"),
        (lambda made: made["facts"][0].update(kind="goal"), "Facts that are not the same: everyone"),
        (lambda made: made.update(engine="durable-rules 1.0"), "Engine then: durable-rules 1.0; now: "),
        (lambda made: made.update(service="9.9"), "Service then: 9.9; now: "),
        (lambda made: made["plan"].update(crisis="none"), "The crisis line: no longer “none”"),
        (
            lambda made: made["plan"].update(not_considered=[{"pointer": "/support", "what": "x", "why": "y"}]),
            "No longer among what was not considered",
        ),
        (
            lambda made: items_in_json(made["plan"])[0].update(patient_text="Walk."),
            "the text for the patient: no longer “Walk.”",
        ),
        (lambda made: made["plan"]["sections"].reverse(), "In another order or place: items."),
        (lambda made: made["input"].update(age_years=15), "Facts that are not the same: patient"),
        (lambda made: made.update(at="2025-01-01T00:00:00Z"), "The plan is the same."),
    ],
)
def test_a_record_that_was_changed_is_told_from_one_that_was_not(file: Path, change: Change, said: str) -> None:
    done = replayed_with(file, change)
    assert done.exit_code == 4
    assert "The record is not as it was made: its digest does not fit." in done.output
    assert said in done.output, done.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made: made.update(extra="sign here"), "a field that no record has, in the object at its root"),
        (lambda made: made["plan"].update(extra="sign here"), "a field that no record has, in the object at /plan"),
        (
            lambda made: items_in_json(made["plan"])[0].update(extra=1),
            "a field that no record has, in the object at /plan/sections/",
        ),
        (lambda made: made.update(at="2026-02-31T00:00:00Z"), "its time is none"),
        (lambda made: made.update(at="yesterday \x1b[31m"), "its time is none"),
        (lambda made: made["plan"]["rulebook"].update(digest="0" * 64), "name different rulebooks"),
        (lambda made: made.update(engine="durable \x1b[31m"), "engine"),
    ],
)
def test_what_no_service_could_have_recorded_is_refused(file: Path, change: Change, said: str) -> None:
    done = replayed_with(file, change)
    assert done.exit_code == 2
    assert said in done.output
    assert "\x1b" not in done.output


def test_a_record_with_a_key_twice_is_refused(file: Path) -> None:
    file.write_text(file.read_text().replace('"input":', '"input":{},"input":', 1))
    done = replayed(file)
    assert done.exit_code == 2
    assert "the same key twice" in done.output


def test_a_record_stays_what_it_is_when_a_program_writes_it_anew(file: Path) -> None:
    def shortened(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shortened(value[name]) for name in sorted(value, reverse=True)}
        if isinstance(value, list):
            return list(map(shortened, value))
        return int(value) if isinstance(value, float) and value.is_integer() else value

    file.write_text(json.dumps(shortened(json.loads(file.read_text())), indent=1))
    assert replayed(file).exit_code == 0


def test_a_digest_is_made_over_canonical_json() -> None:
    content = {"é": "\u20ac\n", "format": "careplan-record/3", "b": [1e-5, 7.0, 0.5], "digest": "not of the content"}
    canonical = '{"b":[0.00001,7,0.5],"format":"careplan-record/3","é":"€\\n"}'
    assert digest_of(content) == sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize("earlier", ["careplan-record/1", "careplan-record/2"])
def test_a_record_of_an_earlier_format_is_refused_by_name(file: Path, earlier: str) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": earlier}))
    done = replayed(file)
    assert done.exit_code == 2
    assert "format" in done.output


def test_a_record_that_no_canonical_json_can_say_is_refused(file: Path) -> None:
    recorded = json.loads(file.read_text())
    recorded["plan"]["crisis"] = "\ud800"
    file.write_text(json.dumps(recorded))
    done = replayed(file)
    assert done.exit_code == 2
    assert "this is no decision record" in done.output


def test_a_record_without_a_digest_is_taken_and_that_is_said(file: Path) -> None:
    recorded = json.loads(file.read_text())
    del recorded["digest"]
    file.write_text(json.dumps(recorded))
    done = replayed(file)
    assert done.exit_code == 0
    assert "The record has no digest" in done.output


def test_a_record_in_another_language_replays_in_that_language(planner: Planner) -> None:
    made = record(planner, planner.intake.decode(EXAMPLE.read_bytes()), None, "es")
    assert made.language == "es"
    assert made.plan.crisis != planner.plan(made.input).crisis
    read, intact = read_record(msgspec.json.encode(made))
    assert intact
    assert replay(planner, read).same_plan


def test_what_of_a_bundle_was_not_read_is_recorded_and_replays(planner: Planner) -> None:
    unmapped = [NotConsidered(pointer="/entry/0", what="Observation", why="It has no code that is read here.")]
    patient = planner.intake.decode(EXAMPLE.read_bytes())
    made = record(planner, patient, None, "en", FromFhir(patient, unmapped, {}, None, {}))
    assert made.plan.not_considered[-1:] == unmapped
    assert replay(planner, read_record(msgspec.json.encode(made))[0]).same_plan
