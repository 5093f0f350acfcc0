"""Proving a rulebook over all patients."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click
from rich.console import Console
from rich.progress import Progress

from careplan.cli.common import RULES, fail, read_rulebook, read_settings
from careplan.errors import InvalidRulebook

if TYPE_CHECKING:
    from careplan.authoring.proof.report import Failure, Report


@click.command()
@RULES
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each patient that breaks a claim into this folder, ready for `careplan plan`.",
)
def prove(*, rules: Path | None, form: str, save: Path | None) -> None:
    """Prove the rulebook over all patients: rules that can fire, choices made once, and every invariant.

    The invariants are the files in the folder `invariants` of the rulebook. What does not hold is shown with a smallest
    patient that breaks it, which was also sent through the engine. Exits with 0 if everything holds, 1 if something does
    not, 2 if nothing could be proved.

    Example: careplan rules prove --save counterexamples
    """
    try:
        import z3  # noqa: F401
    except ImportError:
        fail("proofs need the solver: pip install 'careplan[prove]'", 2)
    folder = rules or read_settings().rules_folder
    report = _prove(folder)
    if save and report.failures:
        _save(report.failures, save)
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        _show(report)
    sys.exit(1 if report.failures else 0)


def _prove(folder: Path) -> Report:
    from careplan.authoring.proof.invariants import invariants
    from careplan.authoring.proof.prover import Prover

    book = read_rulebook(folder)
    try:
        demands = invariants(folder, book)
    except InvalidRulebook as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        fail(f"the invariants in {folder} have {len(error.faults)} faults", 2)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, int] = {}

        def advance(claim: str, done: int, of: int) -> None:
            task = tasks.setdefault(claim, len(tasks))
            if task == len(bar.tasks):
                bar.add_task(claim, total=of)
            bar.update(bar.tasks[task].id, completed=done)

        prover = Prover(book, advance)
        try:
            return prover.prove(demands)
        finally:
            prover.close()


def _show(report: Report) -> None:
    console = Console(highlight=False)
    console.print(f"Rulebook {report.rulebook} {report.version}, {report.digest[:12]}", style="dim")
    for claim, held in report.holds.items():
        console.print(f"{held:>5} {claim}")
    for failure in report.failures:
        console.print(f"\n{failure.kind.replace('_', ' ')}: {failure.subject}", style="bold red")
        console.print(f"  {failure.detail}", soft_wrap=True)
        if failure.patient is not None:
            console.print(f"  {msgspec.json.encode(failure.patient).decode()}", soft_wrap=True, markup=False)
            if failure.replayed is not None:
                agrees = "shows" if failure.replayed else "does not show"
                console.print(f"  The engine's plan of this patient {agrees} it.")
    console.print(
        f"\n{len(report.failures)} claims do not hold." if report.failures else "\nEverything holds for all patients."
    )


def _save(failures: list[Failure], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for at, failure in enumerate(failures, 1):
        if failure.patient is not None:
            name = "".join(char if char.isalnum() else "-" for char in failure.subject)
            body = msgspec.json.format(msgspec.json.encode(failure.patient), indent=2)
            (folder / f"{at:02}-{name}.json").write_bytes(body + b"\n")
