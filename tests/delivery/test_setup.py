"""What the manual says is needed, and what it shows of completion, is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from careplan.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMPLETION = (ROOT / "docs" / "completion.md").read_text()
SHELLS = re.findall(r"_CAREPLAN_COMPLETE=(\w+)_source careplan > ", COMPLETION)


def completing(instruction: str, **typed: str) -> str:
    """What the program answers to a shell."""
    around = os.environ | {"_CAREPLAN_COMPLETE": instruction} | typed
    program = "import sys; sys.argv = ['careplan']; from careplan.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=around, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stderr == ""
    return done.stdout


def test_the_manual_shows_completion_for_three_shells() -> None:
    assert SHELLS == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_given_a_script_that_asks_the_program(shell: str) -> None:
    script = completing(f"{shell}_source")
    assert f"_CAREPLAN_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("careplan ", "1", set(main.list_commands(None))),  # type: ignore[arg-type]
        ("careplan rules sh", "2", {"show"}),
        ("careplan plan --format mark", "3", {"markdown"}),
    ],
)
def test_commands_options_and_values_are_completed(words: str, at: str, offered: set[str]) -> None:
    answer = completing("bash_complete", COMP_WORDS=words, COMP_CWORD=at)
    assert {line.partition(",")[2] for line in answer.splitlines()} == offered


def test_the_packages_that_the_manual_names_bring_what_the_set_up_compiles_with() -> None:
    (named,) = re.findall(r"apt-get install (.*)", README)
    assert {"python3-venv", "python3-dev", "gcc", "make", "git"} <= set(named.split())
    builds = (ROOT / "requirements" / "service.lock").read_text()
    assert "durable-rules==" in builds, "without it neither compiler nor headers are needed"


def test_the_flag_that_the_manual_gives_is_the_one_of_the_set_up() -> None:
    (flag,) = re.findall(r"CPPFLAGS=(\S+) pip install", README)
    assert flag in (ROOT / "Makefile").read_text()
    assert f"CPPFLAGS={flag}" in (ROOT / "Dockerfile").read_text()


def test_an_installation_waits_for_another_one() -> None:
    assert (ROOT / "scripts" / "debian").read_text().count("$wait_for ") == 2
