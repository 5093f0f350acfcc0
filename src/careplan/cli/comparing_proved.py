"""Comparing two rulebooks for all patients at once."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from careplan.authoring.git_history import NoRevision, folder_at
from careplan.cli.common import RULES, fail, read_rulebook, read_settings
from careplan.errors import InvalidRulebook
from careplan.rulebook.text_template import counted

if TYPE_CHECKING:
    from careplan.authoring.proof.difference import Difference, Fires, InvariantDifference, RuleDifference, Turn


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@RULES
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def compare(old: str, new: str | None, *, rules: Path | None, form: str) -> None:
    """Prove for each rule whether it comes up for the same patients in OLD and NEW, each a folder or a git revision.

    NEW is the rulebook as it is now if left out. Every patient whom a request can describe is looked at, and a smallest one
    who shows a difference is named with both plans. That medicines join or leave classes is proved as well. What else
    changes in the lists of medicines and illnesses is not; `careplan rules impact` counts it. Exits with 0 if nothing
    changed for any patient, 1 if something did, 2 if nothing could be proved.

    Example: careplan rules compare HEAD~5
    """
    if find_spec("z3") is None:
        fail("this needs the solver: pip install 'careplan[prove]'", 2)
    from careplan.authoring.proof.difference import Comparer
    from careplan.authoring.proof.invariants import invariants

    home = rules or read_settings().rules_folder
    try:
        with ExitStack() as opened:
            folders = [opened.enter_context(folder_at(side, home)) if side else home for side in (old, new)]
            before, after = map(read_rulebook, folders)
            demands = invariants(folders[0], before), invariants(folders[1], after)
            comparer = Comparer(before, after)
            opened.callback(comparer.close)
            found = comparer.compare(demands)
    except NoRevision as error:
        fail(str(error), 2)
    except InvalidRulebook as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        fail(f"the invariants have {len(error.faults)} faults", 2)
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    else:
        click.echo("\n".join(in_words(found)))
    sys.exit(1 if found.rules or found.lists or any(one.held is not one.holds for one in found.invariants) else 0)


_FIRES: dict[Fires, str] = {
    "same": "comes up for the same patients",
    "more": "comes up for more patients",
    "fewer": "comes up for fewer patients",
    "others": "comes up for some patients more and for some no longer",
    "new": "is new",
    "gone": "is gone",
    "not_decided": "could not be compared",
}


def in_words(found: Difference) -> Iterator[str]:
    """A difference, line by line."""
    yield f"From {found.before} to {found.after}"
    for rule in found.rules:
        yield from _of_rule(rule)
    kept = [one for one in found.invariants if one.held and one.holds]
    for invariant in found.invariants:
        if invariant not in kept:
            yield from _of_invariant(invariant)
    if kept:
        yield f"\nStill held by every plan that these rules bear on: {counted(len(kept), 'invariant')}."
    undecided = any(one.fires == "not_decided" for one in found.rules)
    rules = counted(found.unchanged, "other rule")
    if undecided:
        yield f"\n{rules} did not change for any patient. What could not be compared may have changed."
    else:
        yield f"\nNothing else changed, for any patient: {rules} come up for the same patients, with the same words."
    if found.lists:
        yield f"This is said of patients as the new lists read them. These changed too: {', '.join(found.lists)}."


def _of_rule(rule: RuleDifference) -> Iterator[str]:
    words = ", and what it says changed" if rule.words else ""
    yield f"\n{rule.level} {rule.rule}: {rule.title}\n  It {_FIRES[rule.fires]}{words}."
    for says, turn in (("A patient who has it only now", rule.gains), ("A patient who had it only before", rule.loses)):
        if turn is not None:
            yield f"  {says}: {msgspec.json.encode(turn.patient).decode()}"
            yield from _of_plans(turn)


def _of_plans(turn: Turn) -> Iterator[str]:
    gone, come = (_without(*sides) for sides in ((turn.before, turn.after), (turn.after, turn.before)))
    yield from (f"    - {title}" for title in gone)
    yield from (f"    + {title}" for title in come)
    if not turn.replayed:
        yield "    The engine's plans do not show it."


def _without(titles: Iterable[str], others: list[str]) -> list[str]:
    left = list(others)
    found = []
    for title in titles:
        if title in left:
            left.remove(title)
        else:
            found.append(title)
    return found


def _of_invariant(one: InvariantDifference) -> Iterator[str]:
    if one.holds is None:
        words = "It is no longer demanded."
    elif one.holds:
        words = "It holds now, and did not before." if one.held is False else "It holds for every patient."
    else:
        words = "It no longer holds." if one.held else "It does not hold."
    yield f"\ninvariant {one.invariant}: {one.title}\n  {words}"
    if one.breaks is not None and one.breaks.patient is not None:
        yield f"  A patient who breaks it: {msgspec.json.encode(one.breaks.patient).decode()}"
