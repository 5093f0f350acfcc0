"""Writing rules: checking all files at once, the schema for editors, the lock file, and a new rule to fill in."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import msgspec
import rich_click as click
from rapidfuzz import process

from careplan.authoring.editor_schema import DERIVED_FILE, FILE, MODELINE, derived_schema, rule_schema
from careplan.authoring.interaction_check import InteractionCheck
from careplan.authoring.lint import warnings
from careplan.authoring.sarif import as_sarif
from careplan.cli.common import DAY, RULES, fail, print_json, read_rulebook, read_settings
from careplan.errors import MOST_SHOWN, InvalidRulebook, RuleFault, lines_of_faults
from careplan.rulebook.folder import read_folder, unread
from careplan.rulebook.load import load_files
from careplan.rulebook.lock import LOCK, lock_text, locked, read_lock
from careplan.rulebook.model import SECTIONS, Rulebook
from careplan.rulebook.text_template import counted


@click.command()
@RULES
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option(
    "--strict", is_flag=True, help="Hold rules and interactions.csv against each other, and let warnings fail as well."
)
@click.option("--all", "everything", is_flag=True, help="Print every fault, however many there are.")
@click.option("--at", type=DAY, help="Judge the age of evidence on this day instead of that of the release.")
def check(*, rules: Path | None, form: str, strict: bool, everything: bool, at: date | None) -> None:
    """Check the whole rulebook and name all faults at once: file, line, field, what is wrong and how to mend it.

    As text it prints a page of them, and counts the rest; as json or sarif, all.

    Exits with 0 if it is sound, 1 if there are faults (or, with --strict, warnings), 2 if there is no such folder.

    Example: careplan rules check --format sarif > rules.sarif
    """
    folder = rules or read_settings().rules_folder
    faults, noted = _checked(folder, at, strict=strict)
    match form:
        case "json":
            print_json({"faults": faults, "warnings": noted})
        case "sarif":
            print_json(as_sarif(faults, noted, version("careplan")))
        case _:
            most = len(faults) + len(noted) if everything else MOST_SHOWN
            _print(faults, "red", most)
            _print(noted, "yellow", most)
            click.echo(f"{counted(len(faults), 'fault')}, {counted(len(noted), 'warning')} in {folder}")
    sys.exit(1 if faults or (strict and noted) else 0)


@click.command()
@RULES
@click.option("--derived", is_flag=True, help="Print that of files of what is derived.")
@click.option("--write", is_flag=True, help=f"Write {FILE} and {DERIVED_FILE} into the rulebook's folder.")
def schema(*, rules: Path | None, derived: bool, write: bool) -> None:
    """Print the JSON Schema of rule files, by which editors complete and check while typing.

    Example: careplan rules schema --write
    """
    folder = rules or read_settings().rules_folder
    book = read_rulebook(folder)
    found = {FILE: rule_schema(book), DERIVED_FILE: derived_schema(book)}
    texts = {
        name: msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=1) + b"\n"
        for name, schema in found.items()
    }
    if not write:
        click.echo(texts[DERIVED_FILE if derived else FILE].decode(), nl=False)
        return
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(text)


@click.command()
@RULES
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if the lock file is behind.")
def lock(*, rules: Path | None, only_check: bool) -> None:
    """Write the lock file: which version of each rule says what. An active rule that changed needs a higher version first.

    Exits with 2 if the rulebook has faults, a changed active rule of the same version among them.

    Example: careplan rules lock
    """
    folder = rules or read_settings().rules_folder
    book = read_rulebook(folder)
    path = folder / LOCK
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    text = lock_text((*book.rules.values(), *book.resting.values()), book.derived)
    changed = _changed(before, book)
    if only_check:
        click.echo("\n".join(changed) or "the lock file is up to date")
        sys.exit(1 if text != before else 0)
    path.write_text(text, encoding="utf-8")
    click.echo("\n".join((*changed, f"{counted(len(book.rules) + len(book.resting), 'rule')} locked in {path}")))


@click.command()
@click.argument("section", type=click.Choice(SECTIONS))
@click.argument("rule_id", metavar="ID")
@RULES
def new(section: str, rule_id: str, *, rules: Path | None) -> None:
    """Write a rule file in SECTION with everything in place to fill in, as a draft that does not run yet.

    Exits with 2 if the id is taken, also by a retired rule.

    Example: careplan rules new aftercare walk-with-a-friend
    """
    folder = rules or read_settings().rules_folder
    book = read_rulebook(folder)
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule_id):
        fail("an id is of small letters, digits and single hyphens, such as walk-with-a-friend", 2)
    taken = {*book.rules, *book.resting, *_locked_ids(folder)}
    if rule_id in taken:
        fail(f"the id {rule_id} is taken, and ids are never used again", 2)
    near = process.extractOne(rule_id, taken, score_cutoff=85)
    path = folder / section / f"{rule_id}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_TEMPLATE.format(modeline=MODELINE, id=rule_id), encoding="utf-8")
    click.echo(f"{path}\nFill it in, then: careplan rules check, careplan rules test {rule_id}")
    if near:
        click.echo(f"There is already {near[0]}: is it the same?")


_TEMPLATE = """\
{modeline}
id: {id}
version: 1
status: draft                     # draft never runs; trial runs; active needs decisions, see careplan rules review
level: note                       # stop > hold > caution > note
title: A short title, no full stop
scope: personal                   # personal, standing (true of everybody at this product and stage) or keep (go on as it is)
topic: sleep                      # items of one topic share a line on the front page; see vocabulary.yaml
line: What the clinician reads on the front page, in at most 25 words
rationale: >-
  Why this rule exists, for the clinician who wonders.
sources:
  - {{source: founding, place: "2.2", strength: expert_opinion}}
when:                             # everything named must hold; see README.md for the kinds of fact and their fields
  lifestyle:
    sleep_hours_per_night: {{less_than: 5}}
then:
  patient: >-
    You told us ... Say what to talk about, and with whom. Short sentences.
  clinician: >-
    Exact, with figures, source and uncertainty.
  card: {{slot: afterwards, says: "What stands on the patient's card, in at most 15 words.", does: true}}
  asks:
    - {{who: patient, what: one small step, by: this_week}}
examples:
  fires:
    - why: just under the boundary
      patient: {{lifestyle: {{sleep_hours_per_night: 4.9}}}}
  silent:
    - why: at the boundary
      patient: {{lifestyle: {{sleep_hours_per_night: 5}}}}
    - why: not asked
      patient: {{}}
"""


def _checked(folder: Path, at: date | None, *, strict: bool) -> tuple[Sequence[RuleFault], Sequence[RuleFault]]:
    try:
        files = read_folder(folder)
        book = load_files(files)
    except InvalidRulebook as error:
        return error.faults, ()
    noted = [*warnings(book, folder, at), *map(_not_read, unread(folder))]
    if strict:
        noted += InteractionCheck(book).faults()
    try:
        from careplan.authoring.proof.invariants import invariants
    except ImportError:
        return (), noted
    try:
        invariants(folder, book)
    except InvalidRulebook as error:
        return error.faults, noted
    return (), noted


def _not_read(file: str) -> RuleFault:
    mend = "Take it away, or give its name a dot at the beginning."
    return RuleFault(file=file, line=1, field="", problem="This is no file of a rulebook.", mend=mend, code="unread-file")


def _print(faults: Sequence[RuleFault], color: str, most: int) -> None:
    by_file: dict[str, list[RuleFault]] = defaultdict(list)
    for fault in faults[:most]:
        by_file[fault.file].append(fault)
    for file, found in by_file.items():
        click.secho(file, bold=True)
        for fault in found:
            where = f" {fault.field}:" if fault.field else ""
            click.secho(f"  line {fault.line}:{where} {fault.problem}", fg=color)
            click.echo(f"    {fault.mend} [{fault.code}]")
    for line in lines_of_faults(faults, most)[most:]:
        click.secho(f"{line} --all names each.", fg=color)


def _changed(before: str, book: Rulebook) -> list[str]:
    old = read_lock(before)
    now = {rule.id: locked(rule, book.derived) for rule in (*book.rules.values(), *book.resting.values())}
    lines = [f"new: {name}" for name in sorted(now.keys() - old.keys())]
    lines += [f"changed: {name}" for name in sorted(now.keys() & old.keys()) if now[name] != old[name]]
    return lines + [f"gone: {name}" for name in sorted(old.keys() - now.keys())]


def _locked_ids(folder: Path) -> set[str]:
    path = folder / LOCK
    return set(read_lock(path.read_text(encoding="utf-8"))) if path.is_file() else set()
