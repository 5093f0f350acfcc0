"""What rules rest on: the bibliography with what was read and when, place by place, and what is due to be looked at."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import rich_click as click
from rich.table import Table

from careplan.authoring.coverage import by_source, outside_of_rules
from careplan.authoring.evidence_dates import Due, DueWork, due, works
from careplan.authoring.tracked_documents import Tracked, tracked_documents
from careplan.cli.common import DAY, RULES, fail, lines_of, print_json, read_rulebook, read_settings
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.text_template import counted


@click.command()
@RULES
@click.option("--due", "by", type=DAY, help="Only what has to be looked at by this day, and the rules that rest on it.")
@click.option("--strict", is_flag=True, help="With --due: fail on stops and holds alone that nothing would bear that day.")
@click.option("--places", is_flag=True, help="From each place in each source the rules that rest on it.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def sources(*, rules: Path | None, by: date | None, strict: bool, places: bool, form: str, as_json: bool) -> None:
    """List the works that rules rest on: what was read of each, when, in which edition, and by when to check it again.

    Then the documents of the last years that are tracked: which rules each changed, or why nothing rests on it.

    Exits with 1 if advice of a source has no rule, or with --due if anything is due; with --strict as well, if a stop or
    hold would rest on nothing that was read within two years of that day, and is not exempt until then.

    Example: careplan rules sources --due 2027-06-30 --strict
    """
    book = read_rulebook(rules)
    tracked, _ = tracked_documents(rules or read_settings().rules_folder)
    form = "json" if as_json else form
    if by is not None:
        found = due(book, by, tracked)
        print_json(found) if form == "json" else _show_due(found)
        sys.exit(1 if (found.unborne if strict else found.sources or found.rules or found.documents) else 0)
    if strict:
        fail("--strict judges the evidence of a day; name it with --due", 2)
    at = by_source(book)
    missing = [f"{name} {place}" for name, found in at.items() for place, resting in found.items() if not resting]
    elsewhere = {name for name, _ in outside_of_rules(book)}
    unused = [name for name, found in at.items() if not any(found.values()) and name not in elsewhere]
    if form == "json":
        print_json(
            {
                "works": works(book),
                "tracked": tracked,
                "sources": {name: {place: _ids(resting) for place, resting in found.items()} for name, found in at.items()},
                "advice_without_rule": missing,
                "sources_without_rule": unused,
                "rules_without_source": [rule.id for rule in book.in_order() if not rule.file.sources],
            }
        )
    else:
        if places or form == "markdown":
            click.echo("\n".join(_source_lines(book, at, heading="## " if form == "markdown" else "")))
        else:
            _show_works(book)
        click.echo("\n".join(_tracked_lines(tracked, heading="## " if form == "markdown" else "")))
        click.echo(f"\nAdvice without a rule: {', '.join(missing) or 'none'}")
        click.echo(f"Sources without a rule: {', '.join(unused) or 'none'}")
    sys.exit(1 if missing else 0)


def _show_works(book: Rulebook) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "read", "on", "check by", "rules", "title and edition"):
        table.add_column(
            heading, overflow="fold", no_wrap=heading == "id", justify="right" if heading == "rules" else "left"
        )
    for work in works(book):
        on = f"{work.read_on}{'*' if work.dated_by == 'entry' else ''}" if work.read_on else ""
        successor = f" Replaced by {work.replaced_by}." if work.replaced_by else ""
        title = f"{work.title}{f' ({work.edition})' if work.edition else ''}.".replace("[", r"\[")
        table.add_row(work.id, work.read, on, work.check_by or "", str(len(work.rules)), f"{title}{successor}")
    lines_of(table)
    click.echo("\n* at the latest: nobody noted the day of reading, and this is that of the entry.")


def _show_due(waiting: Due) -> None:
    for work in waiting.sources:
        since = f" ({work.since})" if work.since[0] != "0" else ""
        click.echo(f"{work.id}: {work.because}{since}. {work.title}")
        click.echo("\n".join(f"    {line}" for line in _resting_lines(work)))
    for document in waiting.documents:
        click.echo(f"{document.id}: {document.because} ({document.since}). {document.title}")
    for rule in waiting.rules:
        click.echo(f"{rule.id} ({rule.level}): {rule.because} ({rule.since})")
    for rule in waiting.unborne:
        click.echo(f"{rule.id} ({rule.level}): would not be borne: {rule.because}")
    more = f", {counted(len(waiting.documents), 'tracked document')}" if waiting.documents else ""
    click.echo(
        f"{counted(len(waiting.sources), 'source')} and {counted(len(waiting.rules), 'rule')}{more} due by {waiting.by}"
    )


def _resting_lines(work: DueWork) -> Iterable[str]:
    """What rests on a work that is due: how much of which weight, then the rules of each level by name."""
    counts = [counted(len(rules), level) for level, rules in work.levels.items()]
    others = [counted(count, f"entry of {file}", f"entries of {file}") for file, count in work.elsewhere.items()]
    yield f"rests on it: {', '.join([*counts, *others]) or 'nothing'}"
    yield from (f"{level}: {', '.join(rules)}" for level, rules in work.levels.items())


def _source_lines(book: Rulebook, found: dict[str, dict[str, list[Rule]]], *, heading: str) -> Iterable[str]:
    for name, places in found.items():
        source = book.sources[name]
        read = book.vocabulary.read[source.read]
        on = f", {source.read_on}" if source.read_on else ""
        yield f"\n{heading}{name}: {source.title} ({source.by}; {read}{on})"
        for place, resting in sorted(places.items()):
            says = f" ({passage})" if (passage := source.passage(place)) else ""
            yield f"- {place}{says}: {', '.join(_ids(resting)) or 'no rule'}"


def _tracked_lines(tracked: Mapping[str, Tracked], *, heading: str) -> Iterable[str]:
    """Each document that is tracked with what came of it, and from when."""
    yield f"\n{heading}Documents that are tracked"
    for name, one in tracked.items():
        rules = f" Changed {', '.join(one.changed)}." if one.changed else ""
        resting = f"rests on {', '.join(one.sources)}" if one.sources else "not in the bibliography"
        yield f"- {name}: {one.title} ({one.by}; looked for on {one.looked_on}, again by {one.check_by}): {resting}."
        yield f"  {one.came_of_it}{rules}"


def _ids(rules: Iterable[Rule]) -> list[str]:
    return [rule.id for rule in rules]
