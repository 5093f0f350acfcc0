"""A local page for owners of rules, apart from the service."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from careplan.authoring.workbench.server import Workbench
from careplan.cli.common import fail

COMMAND = (sys.executable, "-P", "-m", "careplan.cli.start")
"""Starts the command line, for a proof in a process of its own."""


@click.command()
@click.argument("folder", metavar="RULES_DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="Port; 0 for a free one.")
def workbench(folder: Path, *, port: int) -> None:
    """Read, change and try the rules in RULES_DIR on a page, on this machine only.

    Prints the address to open; it holds a token, so give it to nobody. Each rule stands as prose beside its file; what is
    typed is checked at once, with its examples, and whose plans would change can be seen before anything is saved. Saving
    writes the rule's file and nothing else; git does the rest. Ends with Ctrl-C.

    Exits with 2 for a folder without a rulebook or a port that is taken.

    Example: careplan workbench our-rules
    """
    if not (folder / "rulebook.yaml").is_file():
        fail(f"there is no rulebook in {folder}; careplan rules init makes one", 2)
    try:
        server = Workbench(folder, port, command=COMMAND)
    except OSError as error:
        fail(f"port {port} cannot be used: {error.strerror}", 2)
    click.echo(f"Open {server.address}\nCtrl-C ends it.")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("The workbench has ended.")
    finally:
        server.server_close()
