"""Proofs for the workbench: in a process of its own, one at a time, with an end, and nothing left behind."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path, PurePosixPath

import msgspec
import pytest

from careplan.authoring.workbench.proving import Progress, Proving
from careplan.cli.workbench import COMMAND
from careplan.rulebook.folder import read_folder
from tests.shipped import lists_in

FILES = {PurePosixPath("sleep/rule.yaml"): b"id: rule\n"}


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def proving(script: str, *, longest: float = 30) -> Proving:
    return Proving((sys.executable, "-c", script), longest=longest)


def ended(one: Proving, seconds: float = 20) -> Progress:
    until = time.monotonic() + seconds
    while (found := one.look()).state == "running" and time.monotonic() < until:
        time.sleep(0.01)
    return found


def left(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith("careplan-workbench-")]


def test_it_is_given_the_rule_and_the_folder_with_the_change_and_its_answer_is_handed_on(scratch: Path) -> None:
    script = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index("--rules") + 1])
print(json.dumps([sys.argv[1:], sorted(one.name for one in folder.rglob("*.yaml"))]))
"""
    one = proving(script)
    one.start("prove", "sleep-rule", FILES, FILES)
    found = ended(one)
    assert found.state == "done"
    assert b'"--only", "sleep-rule"' in bytes(found.found)
    assert b'["rule.yaml"]' in bytes(found.found)
    assert left(scratch) == []


def test_a_comparison_is_given_both_folders() -> None:
    one = proving("import sys, os; print(len([p for p in sys.argv if p.startswith('/') and os.path.isdir(p)]))")
    one.start("compare", "sleep-rule", FILES, FILES)
    assert bytes(ended(one).found).strip() == b"2"


def test_without_a_solver_it_says_what_the_command_line_says() -> None:
    one = proving("import sys; print('proofs need the solver', file=sys.stderr); sys.exit(2)")
    one.start("prove", "sleep-rule", FILES, FILES)
    found = ended(one)
    assert (found.state, found.words) == ("failed", "proofs need the solver")


def test_one_that_takes_too_long_is_given_up(scratch: Path) -> None:
    one = proving("import time; time.sleep(60)", longest=0.05)
    one.start("prove", "sleep-rule", FILES, FILES)
    assert ended(one).state == "too_long"
    assert left(scratch) == []


def test_one_can_be_stopped_and_another_takes_its_place(scratch: Path) -> None:
    one = proving("import sys, time; print('2 of 7', file=sys.stderr, flush=True); time.sleep(60)")
    one.start("prove", "sleep-rule", FILES, FILES)
    until = time.monotonic() + 20
    while not one.look().words and time.monotonic() < until:
        time.sleep(0.01)
    assert one.look().words == "2 of 7"
    one.start("prove", "other-rule", FILES, FILES)
    assert len(left(scratch)) == 1
    assert one.stop().state == "stopped"
    assert left(scratch) == []
    assert one.look().state == "stopped"


def test_one_that_cannot_be_started_says_so() -> None:
    one = Proving(("/nowhere/careplan",))
    found = one.start("prove", "sleep-rule", FILES, FILES)
    assert found.state == "failed"
    assert "could not be started" in found.words


@pytest.mark.long
def test_the_command_line_of_the_workbench_proves_and_compares(tmp_path: Path) -> None:
    rule = PurePosixPath("aftercare/sleep-under-five-hours.yaml")
    before = read_folder(lists_in(tmp_path / "rules", [rule.stem, "sleep-six-to-seven-hours"]))
    after = {**before, rule: before[rule].replace(b"less_than: 5}", b"less_than: 5.5}")}
    one = Proving(COMMAND)
    one.start("prove", rule.stem, before, after)
    found = ended(one, 120)
    assert found.state == "done", found.words
    assert msgspec.json.decode(found.found)["failures"] == []
    one.start("compare", rule.stem, before, after)
    found = ended(one, 120)
    assert found.state == "done", found.words
    (changed,) = msgspec.json.decode(found.found)["rules"]
    assert (changed["rule"], changed["fires"]) == (rule.stem, "more")
