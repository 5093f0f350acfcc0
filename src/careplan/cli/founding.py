"""From the founding text to the rules."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from careplan.authoring.coverage import as_markdown
from careplan.authoring.coverage import coverage as covered
from careplan.cli.common import RULES, fail, read_rulebook, read_settings


@click.command()
@RULES
@click.option("--write", is_flag=True, help="Write COVERAGE.md into the rulebook's folder.")
def coverage(*, rules: Path | None, write: bool) -> None:
    """Show which rules say each piece of advice of the founding text. Exits with 1 if no patient is told of one.

    Example: careplan rules coverage --write
    """
    folder = rules or read_settings().rules_folder
    book = read_rulebook(folder)
    table = as_markdown(book)
    if write:
        (folder / "COVERAGE.md").write_text(table, encoding="utf-8")
    else:
        click.echo(table, nl=False)
    missing = [place for places in covered(book).values() for place, found in places.items() if not found.patient]
    if missing:
        fail(f"no rule tells patients {', '.join(missing)}", 1)
