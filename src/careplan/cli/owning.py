"""Having a rulebook of one's own: a copy of the shipped one, and keeping up with newer ones."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import rich_click as click
from rapidfuzz import process

from careplan.authoring.doctor import WORDS, Doctor, Finding
from careplan.authoring.origin import copy_rulebook, id_of
from careplan.cli.common import fail, read_rulebook
from careplan.rulebook.load import shipped
from careplan.rulebook.text_template import counted

_MOST_FIELDS = 6
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--id", "name", help="The id of the new rulebook; made from the name of DIR if left out.")
def init(folder: Path, *, name: str | None) -> None:
    """Copy the shipped rulebook into DIR under an id of its own, to be changed there.

    A record of what was copied is kept in DIR/origin.lock, so that `careplan rules doctor` can tell later what changed on
    which side. Put DIR under version control. Exits with 2 if there is something in DIR already.

    Example: careplan rules init our-rules --id riverside-clinic
    """
    name = name or re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        fail("an id is of small letters, digits and single hyphens, such as riverside-clinic; name one with --id", 2)
    if folder.is_dir() and any(one for one in folder.iterdir() if one.name != ".git"):
        fail(f"there is something in {folder} already; a rulebook is copied into a new or an empty folder only", 2)
    if name == id_of(shipped()):
        fail(f"{name} is the id of the shipped rulebook; name another one with --id", 2)
    copy_rulebook(shipped(), folder, name)
    book = read_rulebook(folder)
    click.echo(
        f"{counted(len(book.rules), 'rule')} copied into {folder}; the rulebook's id is {name}.\n"
        f"Change what you like, then: careplan rules check --rules {folder}\n"
        f"Serve it with: careplan serve --rules {folder}\n"
        f"After an upgrade of careplan: careplan rules doctor {folder}"
    )


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--against", type=_FOLDER, help="The newer rulebook; the shipped one if left out.")
@click.option("--only", "only", metavar="ID", multiple=True, help="Look at this rule or file only; can be given again.")
@click.option("--write", is_flag=True, help="Take over what only the shipped rulebook changed.")
@click.option(
    "--settled", metavar="ID", multiple=True, help="Note that you have dealt with this rule or file; can be given again."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(
    folder: Path, *, against: Path | None, only: tuple[str, ...], write: bool, settled: tuple[str, ...], form: str
) -> None:
    """Say what the rulebook in DIR lacks against the shipped one, rule by rule, and take it over with --write.

    Three versions of each rule and file are compared by content: what was copied, what stands in DIR, and what is shipped
    now. What only the shipped rulebook changed is clean and can be taken over. What you changed, added or took away is
    never touched: where both sides changed it is listed, with the fields that differ, to be dealt with by hand and then
    noted with --settled. With --write either all that is clean is written or, if the rulebook would not be fit for use
    then, nothing.

    Exits with 0 if nothing is lacking, 1 if something is left, 2 for a folder that cannot be used.

    Example: careplan rules doctor our-rules --write
    """
    if not (folder / "rulebook.yaml").is_file():
        fail(f"there is no rulebook in {folder}", 2)
    try:
        found = Doctor(folder, against or shipped())
    except ValueError as error:
        fail(str(error), 2)
    for name in (*only, *settled):
        if name not in found.known():
            near = process.extractOne(name, sorted(found.known()), score_cutoff=70)
            fail(f"there is no rule or file {name}{f'; did you mean {near[0]}?' if near else ''}", 2)
    if settled:
        found.settle(settled)
    listed = found.findings(only)
    taken = [one for one in listed if one.clean] if write else []
    if taken:
        read_rulebook(folder)  # Its own faults are to be mended first, or they would be taken for those of the merge.
        faults = found.take_over(taken)
        if faults:
            for fault in faults:
                click.echo(str(fault), err=True)
            fail(
                f"nothing was written: with {counted(len(taken), 'change')} taken over the rulebook would have "
                f"{counted(len(faults), 'fault')}. Deal with what both sides changed first, or take over less with --only",
                1,
            )
    left = [one for one in listed if one not in taken]
    if form == "json":
        written = {"taken_over": taken, "left": left, "has_record": found.has_record}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n")
    else:
        _report(folder, taken, left, has_record=found.has_record)
    sys.exit(1 if left else 0)


def _report(folder: Path, taken_over: Sequence[Finding], left: Sequence[Finding], *, has_record: bool) -> None:
    if taken_over:
        click.secho(f"Taken over: {counted(len(taken_over), 'change')}", bold=True)
        _list(taken_over)
        click.echo(f"Then: careplan rules test --rules {folder}, careplan rules lock --rules {folder}")
        click.echo(f"and:  careplan rules schema --write --rules {folder}")
    clean = [one for one in left if one.clean]
    by_hand = [one for one in left if not one.clean]
    if clean:
        click.secho(f"Can be taken over with --write: {counted(len(clean), 'change')}", bold=True)
        _list(clean)
    if by_hand:
        click.secho(f"To be dealt with by hand: {counted(len(by_hand), 'difference')}", bold=True)
        _list(by_hand)
        click.echo("Look at each with: careplan rules diff; note it as done with --settled ID.")
    if not has_record:
        click.echo("There is no record of what was copied, so nothing can be taken over by itself.")
    if not left and not taken_over:
        click.echo("Nothing is lacking.")


def _list(findings: Sequence[Finding]) -> None:
    for finding in findings:
        fields = ", ".join(finding.fields[:_MOST_FIELDS])
        more = f" and {len(finding.fields) - _MOST_FIELDS} more" if len(finding.fields) > _MOST_FIELDS else ""
        click.echo(f"  {finding.path}: {WORDS[finding.what]}{f'; differs in {fields}{more}' if fields else ''}")
