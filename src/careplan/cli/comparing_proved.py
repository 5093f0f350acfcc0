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
from careplan.rulebook.folder import read_folder
from careplan.rulebook.text_template import counted

if TYPE_CHECKING:
    from careplan.authoring.proof.difference_model import (
        Difference,
        Fires,
        InvariantDifference,
        NameDifference,
        RuleDifference,
        Turn,
    )


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@RULES
@click.option("--rule", "only", multiple=True, metavar="ID", help="Compare this rule alone; can be given again.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def compare(old: str, new: str | None, *, rules: Path | None, only: tuple[str, ...], form: str) -> None:
    """Prove for each rule whether it comes up for the same patients in OLD and NEW, each a folder or a git revision.

    NEW is the rulebook as it is now if left out. Every patient whom a request can describe is looked at, and a smallest one
    who shows a difference is named with both plans. That medicines join or leave classes is proved as well. Names of
    medicines that are read otherwise are listed, with what they do to a plan; what is proved is said of patients who send
    none of them. What changed in the lists otherwise is named and not proved; `careplan rules impact` counts it. Exits with
    0 if nothing changed for any patient, 1 if something did, 2 if nothing could be proved.

    Example: careplan rules compare HEAD~5 --rule antidepressant-continues
    """
    if find_spec("z3") is None:
        fail("this needs the solver: pip install 'careplan[prove]'", 2)
    from careplan.authoring.proof.difference import Comparer
    from careplan.authoring.proof.invariants import invariants
    from careplan.authoring.proof.list_changes import files_not_compared

    home = rules or read_settings().rules_folder
    try:
        with ExitStack() as opened:
            folders = [opened.enter_context(folder_at(side, home)) if side else home for side in (old, new)]
            before, after = map(read_rulebook, folders)
            demands = invariants(folders[0], before), invariants(folders[1], after)
            if unknown := [name for name in only if name not in before.rules and name not in after.rules]:
                fail(f"no rule that runs is called {unknown[0]}", 2)
            comparer = Comparer(before, after)
            opened.callback(comparer.close)
            found = comparer.compare(demands, frozenset(only))
            unproved = [*found.lists, *files_not_compared(*map(read_folder, folders))]
            found = msgspec.structs.replace(found, lists=unproved)
    except NoRevision as error:
        fail(str(error), 2)
    except InvalidRulebook as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        fail(f"the invariants have {len(error.faults)} faults", 2)
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    else:
        click.echo("\n".join(in_words(found, only=bool(only))))
    changed = found.rules or found.names or found.lists
    sys.exit(1 if changed or any(one.held is not one.holds for one in found.invariants) else 0)


_NAMES_SHOWN = 12
_FIRES: dict[Fires, str] = {
    "same": "comes up for the same patients",
    "more": "comes up for more patients",
    "fewer": "comes up for fewer patients",
    "others": "comes up for some patients more and for some no longer",
    "new": "is new",
    "gone": "is gone",
    "not_decided": "could not be compared",
}


def in_words(found: Difference, *, only: bool = False) -> Iterator[str]:
    """A difference, line by line; `only` of the rules that were named."""
    yield f"From {found.before} to {found.after}"
    for rule in found.rules:
        yield from _of_rule(rule)
    kept = [one for one in found.invariants if one.held and one.holds]
    for invariant in found.invariants:
        if invariant not in kept:
            yield from _of_invariant(invariant)
    if kept:
        yield f"\nStill held by every plan that these rules bear on: {counted(len(kept), 'invariant')}."
    for difference in found.names:
        yield from _of_names(difference)
    undecided = any(one.fires == "not_decided" for one in found.rules)
    rules = f"{counted(found.unchanged, 'other rule')}{' that you named' if only else ''}"
    whom = "any patient who sends none of these names" if found.names else "any patient"
    if undecided:
        yield f"\n{rules} did not change for {whom}. What could not be compared may have changed."
    elif only:
        yield f"\nOf the rules that you named nothing else changed, for {whom}: {counted(found.unchanged, 'rule')}."
    else:
        yield f"\nNothing else changed, for {whom}: {rules} come up for the same patients, with the same words."
    if found.names:
        yield "A name so near one of these that it is offered for it counts as one of them."
    if found.lists:
        yield f"It is not proved what these changes do: {', '.join(found.lists)}."


def _of_names(difference: NameDifference) -> Iterator[str]:
    before, after = (words or "nothing of the list of medicines" for words in (difference.before, difference.after))
    shown = ", ".join(difference.names[:_NAMES_SHOWN])
    more = f" and {len(difference.names) - _NAMES_SHOWN} more" if len(difference.names) > _NAMES_SHOWN else ""
    yield f"\nread otherwise: {shown}{more}\n  Before as {before}, now as {after}."
    if difference.rules:
        rules = counted(len(difference.rules), "rule names", "rules name")
        yield f"  {rules} it or one of its classes: {', '.join(difference.rules)}."
    if difference.turn is not None:
        yield f"  A patient who sends nothing but the first: {msgspec.json.encode(difference.turn.patient).decode()}"
        yield from _of_plans(difference.turn)
        if difference.turn.before == difference.turn.after:
            yield "    The items of the plan are the same."


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


def _of_invariant(difference: InvariantDifference) -> Iterator[str]:
    if difference.holds is None:
        words = "It is no longer demanded."
    elif difference.holds:
        words = "It holds now, and did not before." if difference.held is False else "It holds for every patient."
    else:
        words = "It no longer holds." if difference.held else "It does not hold."
    yield f"\ninvariant {difference.invariant}: {difference.title}\n  {words}"
    if difference.breaks is not None and difference.breaks.patient is not None:
        yield f"  A patient who breaks it: {msgspec.json.encode(difference.breaks.patient).decode()}"
