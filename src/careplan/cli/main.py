"""The command line: which commands there are, and where each is found."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import rich_click as click

from careplan.cli.endings import ended
from careplan.cli.interrupts import unbegun

_COMMANDS = {
    "batch": "batching.batch",
    "cohort": "comparing.cohort",
    "config": "running.config",
    "healthcheck": "healthcheck.healthcheck",
    "interview": "interviewing.interview",
    "key": "keys.key",
    "openapi": "contract.openapi",
    "plan": "planning.plan",
    "protocol": "protocol.protocol",
    "replay": "planning.replay_record",
    "serve": "running.serve",
    "sign": "signing.sign",
    "signing-key": "signing.signing_key",
    "workbench": "workbench.workbench",
}
_OF_RULES = {
    "check": "authoring.check",
    "compare": "comparing_proved.compare",
    "coverage": "founding.coverage",
    "diff": "comparing.diff",
    "docs": "publishing.docs",
    "doctor": "owning.doctor",
    "graph": "reading.graph",
    "impact": "comparing.impact",
    "init": "owning.init",
    "list": "reading.list_rules",
    "lock": "authoring.lock",
    "new": "authoring.new",
    "prove": "proving.prove",
    "review": "reviewing.review",
    "schema": "authoring.schema",
    "show": "reading.show",
    "sources": "bibliography.sources",
    "test": "testing.test",
}

_OF_VOCABULARY = {
    "build": "vocabulary.build",
    "check": "vocabulary.check",
    "icd10": "illness_codes.icd10",
    "refresh": "vocabulary.refresh",
}


class _Group(click.RichGroup):
    """Commands whose modules are imported when they are asked for: a service that starts needs none of the others."""

    def __init__(self, *given: Any, found: Mapping[str, str], **options: Any) -> None:
        super().__init__(*given, **options)
        self._found = found

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self._found, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._found and cmd_name not in self.commands:
            module, _, name = self._found[cmd_name].partition(".")
            with unbegun():
                self.add_command(getattr(import_module(f"careplan.cli.{module}"), name))
        return super().get_command(ctx, cmd_name)


class _Root(_Group):
    """All commands."""

    def main(self, *given: Any, **options: Any) -> Any:
        with ended():
            return super().main(*given, **options)


@click.group(cls=_Root, found=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="careplan")
def main() -> None:
    """Draft care plans for ketamine clinics, from rules that a pharmacist can read.

    Example: careplan plan examples/daily-benzodiazepine.json
    """


@main.group(cls=_Group, found=_OF_RULES)
def rules() -> None:
    """Look after the rulebook."""


@main.group(cls=_Group, found=_OF_VOCABULARY)
def vocabulary() -> None:
    """Look after the names and codes of medicines and illnesses."""


if __name__ == "__main__":
    main()
