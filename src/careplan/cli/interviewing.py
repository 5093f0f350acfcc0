"""An interview on the terminal: it asks, in order, only what could still change the plan, and ends in a plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import msgspec
import rich_click as click

from careplan.cli.answering import Conditions, Json, hint, listed, put, value
from careplan.cli.common import RULES, fail, read_rulebook, read_settings
from careplan.cli.output import Output
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.plan.entry_labels import question_words
from careplan.plan.model import Question
from careplan.planner import Planner
from careplan.request.patient import ClinicDefaults
from careplan.settings import clinic_defaults


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the answers to this file as a request.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), help="Text on a terminal, JSON in a pipe, unless named."
)
@click.option("--most", type=click.IntRange(1), help="Ask at most this many questions.")
@RULES
def interview(file: BinaryIO | None, *, save: Path | None, form: str | None, most: int | None, rules: Path | None) -> None:
    """Ask for a patient's factors, the weightiest first, until no answer could change the plan; then print it.

    Begins with the answers in FILE if there is one. An empty answer leaves a question open and does not come back to it;
    "?" says why it is asked, "done" ends the interview. What the clinic's own protocol says is not asked. Whatever a human
    must act on first is said as soon as an answer brings it up. A condition that careplan has no name for can be kept as
    written.

    Exits with 0 for a draft, 3 for a blocked plan, 2 for a FILE that cannot be used, 1 if it is broken off; --save then
    keeps the answers so far.

    Example: careplan interview --save patient.json
    """
    settings = read_settings()
    planner = Planner(read_rulebook(rules or settings.rules_folder))
    try:
        clinic = clinic_defaults(settings, planner.intake)
    except InvalidSettings as error:
        fail(str(error), 2)
    try:
        body: Json = planner.intake.parse(file.read()) if file else {}
        planner.intake.convert(body)
    except InvalidPatient as error:
        for fault in error.faults:
            click.echo(f"{fault.pointer or '(the body)'}: {fault.detail}", err=True)
        sys.exit(2)
    talk = Interview(planner, clinic, body)
    try:
        talk.run(most)
    except (click.Abort, KeyboardInterrupt):
        where = f"what was answered is saved in {save}" if save else "nothing is saved, because --save was not given"
        _save(talk.body, save)
        fail(f"the interview was broken off; {where}", 1)
    _save(talk.body, save)
    Output(form or ("text" if sys.stdout.isatty() else "json")).plan(talk.plan, talk.patient)
    sys.exit(3 if talk.plan.status == "blocked" else 0)


def _save(body: Json, path: Path | None) -> None:
    if path:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")


class Interview:
    """The answers so far, and the plan that follows from them."""

    def __init__(self, planner: Planner, clinic: ClinicDefaults, body: Json) -> None:
        self._planner = planner
        self._clinic = clinic
        self._conditions = Conditions(planner.book.conditions)
        self._left_open: set[str] = set()
        self._told: set[str] = set()
        self._take(body)

    def _take(self, body: Json) -> None:
        """Go on from these answers. Raises `InvalidPatient` if they are none."""
        patient = self._planner.intake.convert(body).under(self._clinic)
        self.plan = self._planner.plan(patient)
        self.patient, self.body = patient, body

    def run(self, most: int | None) -> None:
        """Ask until no question is open, at most `most` questions."""
        asked = 0
        while True:
            self._tell_alerts()
            questions = self._open()
            if not questions or asked == most:
                return
            click.echo(f"\n(could still change the plan: {len(questions)} open)", err=True)
            if self._ask(questions[0]):
                return
            asked += 1

    def _open(self) -> list[Question]:
        return [
            question
            for question in self.plan.information_needed
            if question.pointer not in self._left_open and question.asked_of == "patient"
        ]

    def _tell_alerts(self) -> None:
        """Say at once what cannot wait for the end of the interview, and who acts on it."""
        new = [alert for alert in self.plan.alerts if alert.id not in self._told]
        for alert in new:
            click.secho(f"\n{self.plan.level_words[alert.level].upper()}: {alert.title}", bold=True, fg="red", err=True)
            for ask in alert.asks:
                click.echo(f"  {ask.who}, {ask.by_words}: {ask.what}", err=True)
        if new:
            click.echo(f"  {self.plan.crisis}", err=True)
            click.echo('  Further questions can wait; "done" ends the interview with the plan.', err=True)
        self._told |= {alert.id for alert in new}

    def _ask(self, question: Question) -> bool:
        """Ask one question and take its answer; True at "done"."""
        click.secho(question_words(question, self.plan, self.patient), bold=True, err=True)
        for choice in question.answer.choices:
            click.echo(f"  {choice.value}: {choice.label}", err=True)
        while True:
            typed = click.prompt(hint(question.answer), default="", show_default=False, err=True).strip()
            if typed == "":
                self._left_open.add(question.pointer)
                return False
            if typed == "done":
                return True
            if typed == "?":
                levels = self.plan.level_words
                changes = ", ".join(f"{change.section} ({levels[change.level]})" for change in question.could_change)
                click.echo(f"  {question.why_it_matters} Could change: {changes}.", err=True)
                continue
            try:
                answered = self._answered(question, typed)
                if answered is not None:
                    self._take(answered)
                    return False
            except ValueError as error:
                click.echo(f"  {error}", err=True)
            except InvalidPatient as error:
                click.echo("  " + "; ".join(f"{fault.pointer} {fault.detail}" for fault in error.faults), err=True)

    def _answered(self, question: Question, typed: str) -> Json | None:
        """The answers with what was typed; None if it is to be typed again."""
        if question.answer.type != "conditions":
            return put(self.body, question.pointer, value(typed, question.answer))
        names = {name: self._conditions.token(name) for name in listed(typed, ",")}
        unknown = [name for name, token in names.items() if token is None]
        for name in unknown:
            near = self._conditions.near(name)
            hinted = f" Did you mean {near}?" if near else ""
            click.echo(f"  There is no condition called {name} among those that careplan knows.{hinted}", err=True)
        if unknown:
            kept = ", ".join(unknown)
            if not click.confirm(f"  Keep as written, for a clinician to read: {kept}", default=False, err=True):
                return None
            click.echo("  Kept among other conditions. No rule looks at what is written there.", err=True)
        found = [token for token in names.values() if token is not None]
        body = self.body | {"conditions": list(dict.fromkeys(found))}
        others = [*body.get("other_conditions", []), *unknown]
        return body | ({"other_conditions": list(dict.fromkeys(others))} if others else {})
