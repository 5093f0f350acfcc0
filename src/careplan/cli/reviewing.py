"""Reviewing rules: the list of what is to be decided, and the decisions of named people."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import msgspec
import rich_click as click

from careplan.authoring.review_list import ReviewList, as_markdown
from careplan.cli.common import DAY, RULES, fail, read_rulebook, read_settings
from careplan.cli.progress import steps_shown
from careplan.rulebook.model import LEVELS, SECTIONS, Rule, Rulebook
from careplan.rulebook.review_decisions import REVIEWS, ROLES, ReviewDecision
from careplan.rulebook.reviews import content_of, in_the_other_role, is_nobody, standing_of

_HEAD = "# Who has decided on which version of which rule, written by `careplan rules review RULE --by ...`.\n"


@click.command()
@click.argument("rule_id", metavar="[RULE]", required=False)
@RULES
@click.option("--section", type=click.Choice(SECTIONS))
@click.option("--level", type=click.Choice(LEVELS))
@click.option(
    "--patients", type=click.IntRange(0, 10_000), default=200, show_default=True, help="Made-up patients to weigh by."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
@click.option("--by", help='Record a decision: who decides, such as "Ada Example, PharmD".')
@click.option("--as", "role", type=click.Choice(ROLES), help="In which role.")
@click.option("--decision", type=click.Choice(["accept", "reject"]))
@click.option("--on", type=DAY, help="The day of the decision.")
@click.option("--note", help="What there is to say about it.")
def review(
    *,
    rule_id: str | None,
    rules: Path | None,
    section: str | None,
    level: str | None,
    patients: int,
    as_json: bool,
    by: str | None,
    role: str | None,
    decision: str | None,
    on: date | None,
    note: str | None,
) -> None:
    """List the rules on which a pharmacist and a physician have yet to decide, or record what one of them decided on RULE.

    Of each rule the list has its conditions in prose, its texts, the passages that it rests on, its examples as sentences,
    and what would be missing from the plans of made-up patients if it were off. A decision is on one version: a rule that
    changes is listed anew. An active stop or hold needs both, another active rule one of them.

    Exits with 2 if there is no such rule, or a decision cannot be taken.

    Example: careplan rules review --level stop > review.md
    """
    folder = rules or read_settings().rules_folder
    book = read_rulebook(folder)
    said = (by, role, decision, on)
    if any(said) or note:
        if not all(said) or rule_id is None:
            fail("a decision needs RULE, --by, --as, --decision and --on", 2)
        # That a rule no longer runs can be decided on too.
        rule = book.resting.get(rule_id) or _chosen(book, rule_id, section, level)[0]
        _record(folder, book, rule, {"by": by, "as": role, "decision": decision, "on": str(on), "note": note})
        return
    chosen = _chosen(book, rule_id, section, level)
    with steps_shown() as advance:
        listing = ReviewList(book, patients, advance=advance)
        try:
            tasks = list(listing.tasks(chosen))
        finally:
            listing.close()
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(tasks), indent=2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        named = f"{book.about.title} {book.about.version}, {book.digest[:12]}."
        click.echo(as_markdown(tasks, f"{named} The patients are made up and stand for nobody."))


def _chosen(book: Rulebook, rule_id: str | None, section: str | None, level: str | None) -> list[Rule]:
    if rule_id is not None and rule_id not in book.rules:
        fail(f"there is no rule {rule_id} that runs", 2)
    return [
        rule
        for rule in book.in_order()
        if rule_id in (None, rule.id) and section in (None, rule.section) and level in (None, rule.file.level)
    ]


def _record(folder: Path, book: Rulebook, rule: Rule, said: dict[str, str | None]) -> None:
    """Write a decision down, after all that were taken before."""
    given = {"rule": rule.id, "version": rule.file.version, **{name: value for name, value in said.items() if value}}
    try:
        taken = msgspec.convert({**given, "content": content_of(rule, book)}, ReviewDecision)
    except msgspec.ValidationError as error:
        fail(f"this decision cannot be taken: {error}", 2)
    if is_nobody(taken.by):
        fail(f"{taken.by} is not a person's full name", 2)
    if in_the_other_role(taken, book.decisions):
        fail(f"{taken.by} has decided on this version in the other role, and the two decisions are of two people", 2)
    path = folder / REVIEWS
    before = path.read_text(encoding="utf-8") if path.is_file() else _HEAD
    entry = ", ".join(
        f"{name}: {_written(value)}" for name, value in msgspec.to_builtins(taken).items() if value is not None
    )
    path.write_text(f"{before.rstrip().removesuffix('[]').rstrip()}\n- {{{entry}}}\n", encoding="utf-8")
    click.echo(f"{taken.decision}ed: {rule.id} version {taken.version}, by {taken.by} as {taken.role} on {taken.on}")
    lacks = standing_of(rule, msgspec.structs.replace(book, decisions=(*book.decisions, taken))).lacks(rule.file)
    click.echo(lacks or "It may be made active: write status: active into its file.")


def _written(value: object) -> str:
    """A value as YAML and JSON both write it."""
    return msgspec.json.encode(value).decode()
