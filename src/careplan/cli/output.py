"""Plans and what is said about them, printed for people or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click
from rich.console import Console

from careplan.cli.common import print_json
from careplan.decision_record import Replay
from careplan.explain.counterfactual import WhatWouldChange
from careplan.explain.plan_diff import Difference
from careplan.formats import text
from careplan.plan.layers import Detail, Reader, at_detail
from careplan.plan.model import CarePlan
from careplan.request.patient import Patient
from careplan.rulebook.text_template import rulebook_words

if TYPE_CHECKING:
    from careplan.signing.verify import SignatureState, Verified


_SIGNATURES: Mapping[SignatureState, str] = {
    "genuine": "The signature is that of the given key.",
    "wrong": "The signature is not that of the given key, or there is none.",
    "unchecked": "The signature was not checked; give the key with --public-key.",
    "none": "No key has signed it; its digest tells accidents only, as anyone can make one.",
}


def looked_at(signed: Verified) -> dict[str, Any]:
    """What a look at a signed plan showed, without the record itself."""
    shown = {name: getattr(signed, name) for name in ("signed", "intact", "signature", "faults")}
    return {name: msgspec.to_builtins(value) for name, value in shown.items()}


class Output:
    """Prints in one form, "text" or "json", hours in the zone if there is one, and so much of a plan for its reader."""

    def __init__(self, form: str, zone: tzinfo | None = None, detail: Detail | None = None, reader: Reader = "all") -> None:
        self._form = form
        self._zone = zone
        self._detail = detail
        self._reader = reader

    def data(self, value: object) -> None:
        """Anything, as JSON."""
        print_json(value)

    def plan(self, plan: CarePlan, patient: Patient) -> None:
        """The plan of a patient; on a terminal its front page and its card, unless more is wanted."""
        if self._form == "json":
            self.data(at_detail(plan, self._detail or ("full" if plan.explanation else "standard")))
        else:
            console = Console(highlight=False, soft_wrap=False)
            text.write(plan, patient, console, self._zone, self._detail or "front", self._reader)

    def difference(self, differs: Difference) -> None:
        """How two plans differ."""
        if self._form == "json":
            self.data(differs)
        else:
            click.echo("Both plans are the same." if differs.same else "\n".join(differs.in_words))

    def ways(self, changes: WhatWouldChange) -> None:
        """What would change an item."""
        if self._form == "json":
            self.data(changes)
            return
        click.echo(f"{changes.title} ({changes.rule}) {'would go away' if changes.there else 'would come up'} if:")
        for at, way in enumerate(changes.ways, 1):
            click.echo(f"{at:3}. " + "\n     and ".join(f"{change.then} (now: {change.now})" for change in way.changes))
            if way.brings_up:
                click.echo(f"     but this brings up a {way.brings_up}, so it is no remedy by itself")
            for words in way.besides:
                click.echo(f"     also {words}")
        if not changes.ways:
            click.echo("  nothing that patient or clinic could change. What stands in the way:")
            for condition in changes.fixed:
                click.echo(f"  - {condition}")

    def replay(self, replayed: Replay, signed: Verified | None = None) -> None:
        """What came of a replay, and of a look at the signed plan around the record where there was one."""
        if self._form == "json":
            self.data({**msgspec.to_builtins(replayed), "signed_plan": looked_at(signed)} if signed else replayed)
            return
        if signed:
            self._signed(signed)
        then, now = (rulebook_words(book.id, book.version, book.digest) for book in (replayed.then, replayed.now))
        self._say(f"Recorded under {then}" + (f" at {replayed.at}" if replayed.at else ""))
        if replayed.intact is False:
            self._say("The record is not as it was made: its digest does not fit.")
        elif replayed.intact is None:
            self._say("The record has no digest, so it cannot be told whether it is as it was made.")
        self._say("The rulebook is the same." if replayed.reproduced is not None else f"Replayed under {now}")
        for what, turn in (("Service", replayed.service), ("Engine", replayed.engine)):
            if turn.before != turn.after:
                self._say(f"{what} then: {turn.before}; now: {turn.after}")
        if replayed.same_plan:
            self._say("The plan is the same.")
        else:
            self._say("The plan is not the same." if replayed.reproduced is None else "The same rulebook gave another plan.")
            self._say("\n".join(f"  {line}" for line in replayed.difference.in_words))
        if replayed.facts:
            self._say(f"Facts that are not the same: {', '.join(replayed.facts)}")
        if replayed.findings:
            self._say("Rules that held on other facts, or only then or only now:")
            self._say("\n".join(f"  {name}" for name in replayed.findings))

    def _signed(self, signed: Verified) -> None:
        self._say(f"Signed by {signed.signed.by} at {signed.signed.at}")
        for choice in signed.signed.choices:
            note = f" ({choice.note})" if choice.note else ""
            self._say(f"  {choice.option}: {', '.join(choice.items)}{note}")
        if not signed.intact:
            self._say("The signed plan is not as it was signed: its digest does not fit.")
        self._say(_SIGNATURES[signed.signature])
        for fault in signed.faults:
            self._say(f"  {fault.pointer}: {fault.detail}")

    @staticmethod
    def _say(line: str) -> None:
        """A line that may hold what a record says, without what would steer a terminal."""
        click.echo("".join(char if char.isprintable() or char == "\n" else "?" for char in line))
