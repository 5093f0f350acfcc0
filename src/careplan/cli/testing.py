"""Testing a rulebook with the examples of its rules."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import rich_click as click
from rich.console import Console
from rich.progress import track

from careplan.authoring.rule_examples import Outcome, Shown, Trial, Trials
from careplan.cli.common import RULES, fail, read_rulebook
from careplan.rulebook.conditions import Test
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.text_template import counted

_ASPECTS = {
    "true": "never seen true",
    "false": "never seen to decide by being false",
    "limit": "never seen at its limit",
    "value": "never seen with this value",
}


@click.command()
@click.argument("rule_ids", metavar="[ID]...", nargs=-1)
@RULES
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--require-coverage", is_flag=True, help="Fail also when a condition was not shown by any example.")
def test(rule_ids: tuple[str, ...], *, rules: Path | None, form: str, require_coverage: bool) -> None:
    """Run the examples of the rules named, or of all, through the engine, and say what no example has shown.

    A condition is shown when it is true in an example that fires, and when it alone keeps an example silent. Of a list
    each value is to be shown, of a comparison its limit. Exits with 0 if all is well, 1 if an example fails (or, if
    required, a condition was not shown), 2 if nothing could be run.

    Example: careplan rules test sleep-under-five-hours
    """
    book = read_rulebook(rules)
    chosen = _chosen(book, rule_ids)
    runner = Trials(book)
    try:
        console = Console(stderr=True)
        shown = track(chosen, "Examples", console=console, transient=True, disable=not sys.stderr.isatty())
        trials = [runner.run(rule) for rule in shown]
    finally:
        runner.close()
    failed = [outcome for trial in trials for outcome in trial.outcomes if not outcome.passed]
    missing = sum(len(trial.missing) for trial in trials)
    prose = Prose(book)
    if form == "json":
        sys.stdout.buffer.write(
            msgspec.json.format(msgspec.json.encode([_data(prose, trial) for trial in trials]), indent=2)
        )
        sys.stdout.buffer.write(b"\n")
    else:
        _print(book, prose, trials)
    sys.exit(1 if failed or (require_coverage and missing) else 0)


def _chosen(book: Rulebook, rule_ids: Iterable[str]) -> list[Rule]:
    everything = {**book.rules, **book.resting}
    unknown = [name for name in rule_ids if name not in everything]
    if unknown:
        fail(f"there is no rule {unknown[0]}", 2)
    return [everything[name] for name in rule_ids] or book.in_order()


def _print(book: Rulebook, prose: Prose, trials: list[Trial]) -> None:
    for trial in trials:
        for outcome in trial.outcomes:
            if not outcome.passed:
                click.secho(_failure(book, outcome), fg="red")
                for condition in _unmet(prose, outcome):
                    click.echo(f"    not met: {condition}")
    count = sum(len(trial.outcomes) for trial in trials)
    failures = sum(not outcome.passed for trial in trials for outcome in trial.outcomes)
    for trial in trials:
        for shown in trial.missing:
            click.echo(f"{trial.rule}: {_words(prose, shown)}: {_ASPECTS[shown.aspect]}")
    wanted = sum(trial.wanted for trial in trials)
    seen = wanted - sum(len(trial.missing) for trial in trials)
    click.echo(f"{counted(len(trials), 'rule')}, {counted(count, 'example')}, {failures} failed")
    click.echo(f"{seen} of {wanted} things to show about conditions were shown")


def _failure(book: Rulebook, outcome: Outcome) -> str:
    rule = book.rules.get(outcome.rule) or book.resting[outcome.rule]
    examples = rule.file.examples.fires if outcome.expected == "fires" else rule.file.examples.silent
    example = examples[outcome.place]
    place = f"{rule.place}, examples.{outcome.expected}.{outcome.place}"
    patient = msgspec.json.encode(example.patient).decode()
    expected = "should fire" if outcome.expected == "fires" else "should stay silent"
    return f"{place} ({example.why}): {expected}, but {outcome.problem}\n    patient: {patient}"


def _unmet(prose: Prose, outcome: Outcome) -> list[str]:
    return [prose.condition(kind, condition) for kind, condition in outcome.unmet]


def _words(prose: Prose, shown: Shown) -> str:
    condition: Test = shown.test
    if shown.value is not None:
        condition = msgspec.structs.replace(condition, values=(shown.value,))
    return prose.condition(shown.kind, condition)


def _data(prose: Prose, trial: Trial) -> dict[str, object]:
    return {
        "rule": trial.rule,
        "examples": len(trial.outcomes),
        "failures": [
            {
                "expected": outcome.expected,
                "place": outcome.place,
                "problem": outcome.problem,
                "not_met": _unmet(prose, outcome),
            }
            for outcome in trial.outcomes
            if not outcome.passed
        ],
        "wanted": trial.wanted,
        "not_shown": [
            {"condition": _words(prose, shown), "aspect": shown.aspect, "alternative": shown.group + 1}
            for shown in trial.missing
        ],
    }
