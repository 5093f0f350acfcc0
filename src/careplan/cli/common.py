"""What the commands share: the option that names a rulebook, reading settings and rulebook, and ending with a message."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table

from careplan.clinic_settings import clinic_defaults
from careplan.errors import MOST_SHOWN, InvalidPatient, InvalidRulebook, InvalidSettings, lines_of_faults
from careplan.request.decode import Intake
from careplan.request.patient import ClinicDefaults
from careplan.request.previous_reading import CheckSignature
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import counted
from careplan.settings import Settings, from_environment

MOST_BYTES = 50_000_000
"""Of a file that a command takes from a caller: some times what the longest record may have."""
RULES = click.option(
    "--rules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the rulebook; the shipped one if left out.",
)


class _Day(click.ParamType[date]):
    """A day of the calendar, such as 2026-12-31."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no day; write it as 2026-12-31", param, ctx)


DAY = _Day()
_UNFOLDED = 10_000
"""Columns; wider than any row."""


def read_settings() -> Settings:
    """The settings of the environment; ends the command with code 2 if one is wrong."""
    try:
        return from_environment()
    except InvalidSettings as error:
        fail(str(error), 2)


def read_rulebook(folder: Path | None) -> Rulebook:
    """The rulebook in `folder`, or the one of the settings; ends the command with code 2 and every fault if it is unfit."""
    folder = folder or read_settings().rules_folder
    try:
        return load(folder)
    except InvalidRulebook as error:
        refuse_rulebook(error, f"the rulebook in {folder}")


def refuse_rulebook(error: InvalidRulebook, what: str) -> NoReturn:
    """End the command with code 2 and a page of the faults, the rest counted; `what` has them."""
    for line in lines_of_faults(error.faults):
        click.echo(line, err=True)
    all_of_them = "; careplan rules check --all names each" if len(error.faults) > MOST_SHOWN else ""
    fail(f"{what} has {counted(len(error.faults), 'fault')}{all_of_them}", 2)


def read_defaults(settings: Settings, intake: Intake) -> ClinicDefaults:
    """What the settings say of the clinic; ends the command with code 2 if it cannot be used."""
    try:
        return clinic_defaults(settings, intake)
    except InvalidSettings as error:
        fail(str(error), 2)


def read_check(settings: Settings) -> CheckSignature | None:
    """What checks signatures by the key of the settings, if there is one; ends the command with code 2 if it is none."""
    if not settings.signing_key:
        return None
    # What checks signatures takes longer to load than a plan to make.
    from careplan.signing.keys import KnownKeys, read_signing_key

    try:
        return KnownKeys([read_signing_key(settings.signing_key).public])
    except InvalidSettings as error:
        fail(str(error), 2)


def whole(file: BinaryIO) -> bytes:
    """All of a file, or of standard input. Ends the command with code 2 if that is more than any record has."""
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        fail(f"{file.name} is larger than {MOST_BYTES:,} bytes", 2)
    return content


def lines_of(table: Table) -> None:
    """Print a table: folded to the width of a terminal, and in a pipe with each row on one line, whatever its length."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNFOLDED
    console.print(table)


def print_json(value: object) -> None:
    """Print anything that msgspec can encode as JSON for people: indented, in UTF-8 whatever the terminal's own encoding."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    sys.stdout.buffer.flush()


def fail(message: str, code: int) -> NoReturn:
    """End the command with a message on standard error."""
    click.echo(f"careplan: {message}", err=True)
    sys.exit(code)


def refuse(error: InvalidPatient) -> NoReturn:
    """End the command with code 2 and every fault of a body, each with where it stands."""
    for fault in error.faults:
        click.echo(f"{fault.pointer or '(the body)'}: {fault.detail}", err=True)
    sys.exit(2)
