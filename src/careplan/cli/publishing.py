"""The rulebook as a site of plain files."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import track

from careplan.authoring.git_history import history
from careplan.authoring.handbook import Handbook
from careplan.cli.common import RULES, read_rulebook, read_settings
from careplan.explain.rule_view import Reading
from careplan.rulebook.text_template import counted


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@RULES
def docs(out: Path, *, rules: Path | None) -> None:
    """Write the rulebook as a site into the folder OUT: rules in prose, sources, facts, examples and revisions.

    The pages need no server and nothing of the internet. A running service has them at /rulebook.

    Example: careplan rules docs site
    """
    folder = rules or read_settings().rules_folder
    book = read_rulebook(folder)
    handbook = Handbook(book, Reading(book), history(folder))
    paths = handbook.paths()
    console = Console(stderr=True)
    for path in track(paths, "Pages", console=console, transient=True, disable=not sys.stderr.isatty()):
        page = handbook.page(path)
        assert page is not None
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(page.content)
    click.echo(f"{counted(len(paths), 'file')}; begin with {out / 'index.html'}")
