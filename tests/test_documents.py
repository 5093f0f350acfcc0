"""What documents name is there: commands with their options, settings, files and the headings that links lead to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from careplan.cli.main import main
from careplan.settings import Settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path for folder in (ROOT, ROOT / "docs", ROOT / "rules", ROOT / "rules" / "vocabulary") for path in folder.glob("*.md")
)
OF_EVERY_COMMAND = frozenset({"--help", "--version"})
_SHOWN = re.compile(
    r"^ {4}(?:.*[ (|])??((?:\.venv/bin/)?careplan (?:.*\\\n)*.*)$|`((?:\.venv/bin/)?careplan [^`]+)`", re.MULTILINE
)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_SETTING = re.compile(r"\bCAREPLAN_([A-Z][A-Z_]*[A-Z])\b")
FOR_WHO_WORKS_ON_IT = frozenset({"CONFIG", "WRITE_GOLDEN", "ALL_FILES", "RULES_DIR"})
"""Variables that are no settings of the service: the file of settings, and what tests and scripts look at."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands_of(text: str) -> Iterator[list[str]]:
    """The words of each command line that a document shows, up to where another program or a file takes over."""
    for match in _SHOWN.finditer(text):
        line = (match[1] or match[2]).replace("\\\n", " ").replace("\n", " ")
        if "<Tab>" not in line:
            yield shlex.split(re.split(r" \| | > | && |; ", line)[0], comments=True)[1:]


def wrong_with(words: list[str]) -> Iterator[str]:
    """What the command line does not know of a command."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0].rstrip(",."))
        if inner is None:
            yield f"no command {words[0]}"
            return
        command, words = inner, words[1:]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        name = word.partition("=")[0].rstrip(",")
        if len(name) > 1 and name.startswith("-") and name not in options | OF_EVERY_COMMAND:
            yield f"no option {name} of {command.name}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_commands_in_a_document_exist_with_the_options_that_it_shows(path: Path) -> None:
    assert [fault for words in commands_of(path.read_text()) for fault in wrong_with(words)] == []


def test_a_command_or_an_option_that_does_not_exist_would_be_noticed() -> None:
    text = """\
Say `careplan rules chekc` or

    .venv/bin/careplan rules check --strickt RULES | less
    careplan plan FILE \\
      --zone x
"""
    assert [list(wrong_with(words)) for words in commands_of(text)] == [
        ["no command chekc"],
        ["no option --strickt of check"],
        [],
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_of_a_document_lead_to_files_and_headings_that_are_there(path: Path) -> None:
    gone = []
    for target, heading in _LINK.findall(path.read_text()):
        file = (path.parent / target) if target else path
        if not file.exists():
            gone.append(target)
        elif heading and file.suffix == ".md" and heading not in headings_of(file.read_text()):
            gone.append(f"{target}#{heading}")
    assert gone == []


def headings_of(text: str) -> set[str]:
    """The anchors that a page of GitHub has for the headings of a document."""
    lines = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_settings_that_a_document_names_exist(path: Path) -> None:
    there = {field.name.upper() for field in msgspec.structs.fields(Settings)} | FOR_WHO_WORKS_ON_IT
    said = set(_SETTING.findall(path.read_text()))
    assert {name for name in said if name not in there and not any(real.startswith(f"{name}_") for real in there)} == set()
