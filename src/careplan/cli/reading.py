"""Reading a rulebook: a rule in words, lists of rules, and which facts feed them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from rapidfuzz import process
from rich.console import Console
from rich.table import Table

from careplan.cli.common import RULES, fail, lines_of, print_json, read_rulebook
from careplan.explain.rule_view import Reading, RuleDetail, Selection, facts_of, summary
from careplan.plan.model import Evidence
from careplan.rulebook.model import LEVELS, SECTIONS, Rule, Rulebook
from careplan.rulebook.text_template import counted

_STYLES = {"stop": "bold red", "hold": "bold yellow", "caution": "cyan", "note": "green"}
FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.command()
@click.argument("rule_id", metavar="ID")
@RULES
@FORMAT
def show(rule_id: str, *, rules: Path | None, form: str) -> None:
    """Show the rule ID whole: its conditions in words, its texts, what it rests on and its examples.

    Exits with 2 if there is no such rule.

    Example: careplan rules show sleep-under-five-hours
    """
    book = read_rulebook(rules)
    rule = _rule(book, rule_id)
    detail = Reading(book).detail(rule)
    if form == "json":
        print_json(detail)
        return
    _show(Console(highlight=False), rule, detail)


@click.command("list")
@RULES
@click.option("--section", type=click.Choice(SECTIONS))
@click.option("--level", type=click.Choice(LEVELS))
@click.option("--status", type=click.Choice(["draft", "trial", "active", "retired"]))
@click.option("--source", help="Only rules that rest on this source.")
@click.option("--class", "drug_class", help="Only rules that name this drug class.")
@click.option("--ingredient", help="Only rules that name this ingredient.")
@click.option("--fact", help="Only rules that test this fact, such as medicine or lifestyle.cannabis.")
@click.option("--search", multiple=True, help="Only rules with this word in a text; may be given more than once.")
@FORMAT
def list_rules(*, rules: Path | None, form: str, search: tuple[str, ...], **wanted: str | None) -> None:
    """List rules, all or those of a description.

    Example: careplan rules list --section medications --level hold --class benzodiazepine
    """
    book = read_rulebook(rules)
    _check_names(book, wanted)
    found = Reading(book).select(Selection(**wanted, words=search))
    if form == "json":
        print_json([summary(rule) for rule in found])
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("section", "level", "id", "title"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "id")
    for rule in found:
        level = f"[{_STYLES[rule.file.level]}]{rule.file.level}[/]"
        table.add_row(rule.section, level, rule.id, rule.file.title)
    lines_of(table)
    click.echo(f"{counted(len(found), 'rule')}")


@click.command()
@RULES
@click.option("--fact", help="Only this fact, or this kind of fact.")
@click.option("--rule", "rule_id", help="Only the facts of this rule.")
@click.option("--format", "form", type=click.Choice(["text", "json", "dot", "mermaid"]), default="text", show_default=True)
def graph(*, rules: Path | None, fact: str | None, rule_id: str | None, form: str) -> None:
    """Show which facts feed which rules, and which no rule looks at.

    Example: careplan rules graph --fact lifestyle --format mermaid
    """
    book = read_rulebook(rules)
    chosen = _rule(book, rule_id) if rule_id else None
    edges = {
        name: [rule.id for rule in fed if chosen is None or rule is chosen]
        for name, fed in Reading(book).facts().items()
        if fact is None or fact in (name, name.partition(".")[0])
    }
    if chosen is not None:
        edges = {name: edges[name] for name in facts_of(chosen, book) if name in edges}
    if fact is not None and not edges:
        fail(f"there is no fact {fact}; {_nearest(fact, Reading(book).facts())}", 2)
    match form:
        case "json":
            print_json(edges)
        case "dot":
            lines = (f'  "{name}" -> "{rule}";' for name, fed in edges.items() for rule in fed)
            click.echo("\n".join(("digraph rules {", "  rankdir=LR;", *lines, "}")))
        case "mermaid":
            lines = (f'  {_node(name)}["{name}"] --> {_node(rule)}["{rule}"]' for name, fed in edges.items() for rule in fed)
            click.echo("\n".join(("graph LR", *lines)))
        case _:
            for name, fed in edges.items():
                click.echo(f"{name}: {', '.join(fed) or 'no rule looks at it'}")


def _show(console: Console, rule: Rule, detail: RuleDetail) -> None:
    works = {work.id: work for work in detail.sources}
    console.print(f"{detail.title}", style="bold")
    console.print(f"{detail.id} v{detail.version}, {detail.status}, {detail.section}", style="dim")
    console.print(f"Level: {detail.level}", style=_STYLES[detail.level])
    parts = [
        ("Holds", detail.conditions),
        ("Why for everyone", detail.for_everyone),
        ("Rationale", detail.rationale),
        ("Front page", detail.line),
        ("On the card", detail.card.says if detail.card else ""),
        ("Patient reads", detail.patient_text),
        ("Clinician reads", detail.clinician_text),
        *(("Asks", f"{ask.who}, {ask.by_words}: {ask.what}") for ask in detail.asks),
        *(("Rests on", _evidence(works[entry.source].title, entry)) for entry in detail.evidence),
        *(("Read", f"{work.title}: {work.read}{f', {work.read_on}' if work.read_on else ''}") for work in detail.sources),
        ("Contested", detail.contested),
        ("Known gaps", detail.gaps),
        ("Related", ", ".join(detail.related)),
        *(("Fires", _example(example.why, example.patient)) for example in rule.file.examples.fires),
        *(("Silent", _example(example.why, example.patient)) for example in rule.file.examples.silent),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in parts:
        if text:
            table.add_row(label, text.replace("[", r"\["))
    console.print(table)


def _evidence(title: str, entry: Evidence) -> str:
    passage = f" It says: {entry.passage}" if entry.passage else ""
    return f"{title}, {entry.place}: {entry.strength}.{passage}"


def _example(why: str, patient: dict[str, Any]) -> str:
    return f"{why}: {msgspec.json.encode(patient).decode()}"


def _rule(book: Rulebook, rule_id: str) -> Rule:
    rule = book.rules.get(rule_id) or book.resting.get(rule_id)
    if rule is None:
        fail(f"there is no rule {rule_id}; {_nearest(rule_id, (*book.rules, *book.resting))}", 2)
    return rule


def _check_names(book: Rulebook, wanted: dict[str, str | None]) -> None:
    for option, known in (
        ("source", book.sources),
        ("drug_class", book.classes),
        ("ingredient", book.catalogue.ingredients),
    ):
        name = wanted.get(option)
        if name is not None and name not in known:
            fail(f"there is no {option.replace('_', ' ')} {name}; {_nearest(name, known)}", 2)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = process.extract(name, list(known), limit=3, score_cutoff=50)
    return "near names are " + ", ".join(found for found, _, _ in near) if near else "see careplan rules list"


def _node(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name)
