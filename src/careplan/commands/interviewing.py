"""An interview on the terminal: it asks, in order, only what could still change the plan, and ends in a plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import rich_click as click

from careplan.commands.common import RULES, fail, read_rulebook, read_settings
from careplan.commands.output import Output
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.inquiry import merge_patch
from careplan.plan import AnswerForm, CarePlan, Question
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from careplan.settings import clinic_protocol
from careplan.subject import question_words

Json = dict[str, Any]


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
    "?" says why it is asked, "done" ends the interview. What the clinic's own protocol says is not asked.

    Example: careplan interview --save patient.json
    """
    settings = read_settings()
    planner = Planner(read_rulebook(rules or settings.rules_folder))
    try:
        clinic = clinic_protocol(settings, planner.intake)
    except InvalidSettings as error:
        fail(str(error), 2)
    try:
        body: Json = planner.intake.parse(file.read()) if file else {}
        planner.intake.convert(body)
    except InvalidPatient as error:
        for fault in error.faults:
            click.echo(f"{fault.pointer or '(the body)'}: {fault.detail}", err=True)
        sys.exit(2)
    left_open: set[str] = set()
    asked = 0
    while True:
        patient = planner.intake.convert(body).under(clinic)
        plan = planner.plan(patient)
        questions = _open(plan, left_open)
        if not questions or asked == most:
            break
        question = questions[0]
        click.echo(f"\n(could still change the plan: {len(questions)} open)", err=True)
        answered = _ask(question, question_words(question, plan, patient), planner, body)
        asked += 1
        if answered == "done":
            break
        if isinstance(answered, dict):
            body = answered
        else:
            left_open.add(question.pointer)
    if save:
        save.write_bytes(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")
    Output(form or ("text" if sys.stdout.isatty() else "json")).plan(plan, patient)
    sys.exit(3 if plan.status == "blocked" else 0)


def _open(plan: CarePlan, left_open: set[str]) -> list[Question]:
    return [
        question
        for question in plan.information_needed
        if question.pointer not in left_open and not question.pointer.startswith("/protocol/")
    ]


def _ask(question: Question, words: str, planner: Planner, body: Json) -> Json | str | None:
    """The body with the answer in it; None if the question stays open, "done" at the end."""
    click.secho(words, bold=True, err=True)
    for choice in question.answer.choices:
        click.echo(f"  {choice.value}: {choice.label}", err=True)
    while True:
        typed = click.prompt(_hint(question.answer), default="", show_default=False, err=True).strip()
        if typed == "":
            return None
        if typed == "done":
            return "done"
        if typed == "?":
            levels = planner.book.vocabulary.levels
            changes = ", ".join(f"{change.section} ({levels[change.level].label})" for change in question.could_change)
            click.echo(f"  {question.why_it_matters} Could change: {changes}.", err=True)
            continue
        try:
            answered = _put(body, question.pointer, _value(typed, question.answer, planner.book))
            planner.intake.convert(answered)
        except ValueError as error:
            click.echo(f"  {error}", err=True)
        except InvalidPatient as error:
            click.echo("  " + "; ".join(f"{fault.pointer} {fault.detail}" for fault in error.faults), err=True)
        else:
            return answered


def _hint(answer: AnswerForm) -> str:
    match answer.type:
        case "yes_no":
            return "yes or no"
        case "number" | "whole_number":
            return f"a number from {answer.least:g} to {answer.most:g}"
        case "choice":
            return "one of these"
        case "goals":
            return "goals, parted by semicolons, or none"
        case _:
            return f"{answer.type}, parted by commas, or none"


def _value(typed: str, answer: AnswerForm, book: Rulebook) -> Any:
    """What is typed, as it goes into a request. Raises `ValueError` saying what is wrong with it."""
    match answer.type:
        case "yes_no":
            if typed.lower() not in ("yes", "y", "no", "n"):
                raise ValueError("Please answer yes or no.")
            return typed.lower().startswith("y")
        case "number" | "whole_number":
            try:
                number = float(typed)
            except ValueError:
                raise ValueError("Please type a number.") from None
            return int(number) if number.is_integer() else number
        case "choice":
            if typed not in [choice.value for choice in answer.choices]:
                raise ValueError(f"Please type one of {', '.join(choice.value for choice in answer.choices)}.")
            return typed
        case "conditions":
            return [_condition(name, book) for name in _listed(typed, ",")]
        case "medications":
            return [{"name": name} for name in _listed(typed, ",")]
        case "goals":
            return _listed(typed, ";")


def _listed(typed: str, separator: str) -> list[str]:
    return [] if typed.lower() == "none" else [part.strip() for part in typed.split(separator) if part.strip()]


def _condition(typed: str, book: Rulebook) -> str:
    """The token of a condition by its token, its label or another of its names."""
    wanted = typed.lower().replace("_", " ")
    for token, entry in book.conditions.items():
        if wanted in (
            token.replace("_", " "),
            entry.label.lower(),
            entry.patient_label.lower(),
            *map(str.lower, entry.also),
        ):
            return token
    raise ValueError(f"There is no condition called {typed}; careplan knows {', '.join(sorted(book.conditions))}.")


def _put(body: Json, pointer: str, value: Any) -> Json:
    """`body` with `value` at a JSON Pointer."""
    first, *rest = pointer.strip("/").split("/")
    if first == "medications" and len(rest) == 2:
        entries = [dict(entry) for entry in body["medications"]]
        entries[int(rest[0])][rest[1]] = value
        return body | {"medications": entries}
    patch = value
    for key in reversed([first, *rest]):
        patch = {key: patch}
    merged: Json = merge_patch(body, patch)
    return merged
