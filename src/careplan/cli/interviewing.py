"""An interview on the terminal: it asks what a visit asks first, in its order, and ends in the front page of a plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import rich_click as click

from careplan.cli.answering import Conditions, Json, at_pointer, hint, listed, put, value
from careplan.cli.common import RULES, fail, read_rulebook, read_settings, refuse, whole
from careplan.cli.output import Output
from careplan.clinic_settings import clinic_defaults
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.plan.entry_labels import illness_words, medicine_words, question_words
from careplan.plan.model import Question
from careplan.plan.visit import MOST_FIRST, in_order
from careplan.planner import Planner
from careplan.request.patient import ClinicDefaults
from careplan.rulebook.text_template import counted


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the answers to this file as a request.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), help="Text on a terminal, JSON in a pipe, unless named."
)
@click.option("--all", "everything", is_flag=True, help="Ask until no answer could change the plan.")
@click.option("--most", type=click.IntRange(1), help="Ask at most this many questions.")
@RULES
def interview(
    file: BinaryIO | None, *, save: Path | None, form: str | None, everything: bool, most: int | None, rules: Path | None
) -> None:
    """Ask for a patient's factors, at most the eight that a visit asks first, then print the front page of the plan.

    Begins with the answers in FILE if there is one. Answer with the number or the words of a choice. An empty answer leaves
    a question open and does not come back to it; "?" says why it is asked, "back" goes back to the one before, "help" says
    what can be typed, "done" ends the interview. What the clinic's own protocol says is not asked. Whatever a human
    must act on first is said as soon as an answer brings it up. An illness that careplan cannot read can be kept as
    written. With --all it goes on until no answer could change the plan.

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
        body: Json = planner.intake.parse(whole(file)) if file else {}
        planner.intake.convert(body)
    except InvalidPatient as error:
        refuse(error)
    talk = Interview(planner, clinic, body, everything=everything or most is not None)
    try:
        talk.run(most or (None if everything else MOST_FIRST), saves=save is not None)
    except (click.Abort, KeyboardInterrupt):
        where = f"what was answered is saved in {save}" if save else "nothing is saved, because --save was not given"
        _save(talk.body, save)
        fail(f"the interview was broken off; {where}", 1)
    _save(talk.body, save)
    Output(form or ("text" if sys.stdout.isatty() else "json"), reader="clinician").plan(talk.plan, talk.patient)
    sys.exit(3 if talk.plan.status == "blocked" else 0)


def _save(body: Json, path: Path | None) -> None:
    if path:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")


_HELP = """\
  Answer with the number or the words of a choice, with a number, or with yes or no.
  Enter   leaves the question open
  ?       says why it is asked
  back    goes back to the question before
  done    ends with the plan as it is by then
  help    shows this again"""


class _Before(NamedTuple):
    """The interview as it was before a question."""

    body: Json
    left_open: frozenset[str]


class Interview:
    """The answers so far, and the plan that follows from them."""

    def __init__(self, planner: Planner, clinic: ClinicDefaults, body: Json, *, everything: bool) -> None:
        self._planner = planner
        self._clinic = clinic
        self._everything = everything
        self._conditions = Conditions(planner.book.conditions)
        self._left_open: frozenset[str] = frozenset()
        self._told: set[str] = set()
        self._past: list[_Before] = []
        self._take(body)

    def _take(self, body: Json) -> None:
        """Go on from these answers. Raises `InvalidPatient` if they are none."""
        patient = self._planner.intake.convert(body).under(self._clinic)
        self.plan = self._planner.plan(patient)
        self.patient, self.body = patient, body

    def run(self, most: int | None, *, saves: bool) -> None:
        """Ask until no question is open, at most `most` questions."""
        self._greet(most, saves=saves)
        while True:
            self._tell_alerts()
            questions = self._open()
            if not questions or len(self._past) == most:
                self._part()
                return
            still = len(self._asked_of_patients())
            at = f"Question {len(self._past) + 1}" + (f" of at most {most}" if most else "")
            click.echo(f"\n{at} (could still change the plan: {still} open)", err=True)
            if self._ask(questions[0]):
                return

    @staticmethod
    def _greet(most: int | None, *, saves: bool) -> None:
        number = f"at most {counted(most, 'question')}" if most else "every question that could change the plan"
        click.secho(f"Welcome. Here come {number}; then you see the plan.", bold=True, err=True)
        kept = "The answers are saved when it ends." if saves else "Nothing is saved."
        click.echo(f"{kept} A clinician reads and signs every plan.\n{_HELP}", err=True)

    def _part(self) -> None:
        left = len(self._asked_of_patients())
        if left and not self._everything:
            click.echo(f"\nThat was all for the first page. More could change the plan ({left}): --all asks them.", err=True)

    def _asked_of_patients(self) -> list[Question]:
        return [
            question
            for question in self.plan.information_needed
            if question.pointer not in self._left_open and question.asked_of == "patient"
        ]

    def _open(self) -> list[Question]:
        """What can be asked now, in the order of a visit: what comes first there, and if all is wanted then the rest."""
        asked = in_order(self._asked_of_patients())
        first = [question for question in asked if question.first]
        return first or (asked if self._everything else [])

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
        for at, choice in enumerate(question.form.choices, 1):
            click.echo(f"  {at}  {choice.label}", err=True)
        before = _Before(self.body, self._left_open)
        while True:
            typed = click.prompt(hint(question.form), default="", show_default=False, err=True).strip()
            match typed.lower():
                case "done":
                    return True
                case "back" if self._past:
                    body, self._left_open = self._past.pop()
                    self._take(body)
                    return False
                case "back":
                    click.echo("  This is the first question.", err=True)
                case "help":
                    click.echo(_HELP, err=True)
                case "?":
                    self._say_why(question)
                case "":
                    self._left_open |= {question.pointer}
                    self._past.append(before)
                    return False
                case _ if self._answers(question, typed):
                    self._past.append(before)
                    return False

    def _say_why(self, question: Question) -> None:
        levels = self.plan.level_words
        changes = ", ".join(f"{change.section} ({levels[change.level]})" for change in question.could_change)
        click.echo(f"  {question.why_it_matters} Could change: {changes}.", err=True)

    def _answers(self, question: Question, typed: str) -> bool:
        """Take what was typed as the answer; False, with what is wrong said, if it is to be typed again."""
        try:
            answered = self._answered(question, typed)
            if answered is None:
                return False
            self._take(answered)
        except ValueError as error:
            click.echo(f"  {error}", err=True)
            return False
        except InvalidPatient as error:
            click.echo("  " + "; ".join(f"{fault.pointer} {fault.detail}" for fault in error.faults), err=True)
            return False
        self._echo(question)
        return True

    def _echo(self, question: Question) -> None:
        """Say which choice was understood, and which medicines were not."""
        if question.form.type == "choice":
            sent = at_pointer(self.body, question.pointer)
            click.echo(f"  Understood: {next(one.label for one in question.form.choices if one.value == sent)}", err=True)
        elif question.form.type == "conditions":
            for illness in self.plan.conditions:
                click.echo(f"  Understood: {illness_words(illness)}", err=True)
        elif question.form.type == "medications":
            for read in self.plan.medications:
                if read.recognition == "unread":
                    click.echo(f"  Not read: {medicine_words(read, self.patient)}; a clinician looks at it.", err=True)
                else:
                    click.echo(f"  Understood: {medicine_words(read, self.patient)}", err=True)

    def _answered(self, question: Question, typed: str) -> Json | None:
        """The answers with what was typed; None if it is to be typed again."""
        if question.form.type != "conditions":
            return put(self.body, question.pointer, value(typed, question.form))
        names = {name: self._conditions.token(name) for name in listed(typed, ",")}
        others = [name for name, token in names.items() if token is None]
        reader = self._planner.book.known_conditions.reader
        unknown = [name for name in others if reader.read(name).recognition == "unread"]
        for name in unknown:
            near = self._conditions.near(name)
            hinted = f" Did you mean {near}?" if near else ""
            click.echo(f"  There is no condition called {name} among those that careplan knows.{hinted}", err=True)
        if unknown:
            kept = ", ".join(unknown)
            if not click.confirm(f"  Keep as written, for a clinician to read: {kept}", default=False, err=True):
                return None
            click.echo("  Kept among other conditions. No rule looks at what could not be read.", err=True)
        found = [token for token in names.values() if token is not None]
        body = self.body | {"conditions": list(dict.fromkeys(found))}
        others = [*body.get("other_conditions", []), *others]
        return body | ({"other_conditions": list(dict.fromkeys(others))} if others else {})
