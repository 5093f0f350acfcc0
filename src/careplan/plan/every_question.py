"""All questions that a rulebook can ask, in the order of a visit: what a form is made of before anything was answered."""

from __future__ import annotations

from careplan.plan.model import AnswerForm
from careplan.plan.part import Part
from careplan.plan.questions import answer_form
from careplan.rulebook.asking import AskedOf, Visit
from careplan.rulebook.model import Rulebook

ENTRY = "/medications/-/"
"""Where the answers about one medicine go; the entry's place in the list stands for the dash."""


class AnyQuestion(Part, frozen=True, kw_only=True):
    """One question, with the form of its answer and where that goes in a request."""

    pointer: str
    about: str
    question: str
    why_it_matters: str
    answer: AnswerForm
    asked_of: AskedOf = "patient"
    asked_at: Visit = "intake"


class QuestionGroup(Part, frozen=True, kw_only=True):
    """Questions that belong together."""

    group: str
    title: str
    questions: list[AnyQuestion]


def every_question(book: Rulebook) -> list[QuestionGroup]:
    """The groups of a rulebook's questions. Factors of which its vocabulary has no question are in none."""
    groups: dict[str, list[AnyQuestion]] = {name: [] for name in book.vocabulary.order_of_a_visit}
    for factor, words in book.vocabulary.fields.items():
        form = answer_form(book, factor, words)
        if form is None or not words.question:
            continue
        groups.setdefault(factor.partition(".")[0], []).append(
            AnyQuestion(
                pointer=_pointer(factor),
                about=words.label,
                question=words.question,
                why_it_matters=words.why,
                answer=form,
                asked_of=words.asking.of,
                asked_at=words.asking.at,
            )
        )
    return [
        QuestionGroup(group=name, title=_TITLES.get(name, name.replace("_", " ").capitalize()), questions=found)
        for name, found in groups.items()
        if found
    ]


_TITLES = {"patient": "About the patient", "conditions": "Illnesses", "medications": "Medicines"}


def _pointer(factor: str) -> str:
    if factor == "goals":
        return "/expectations/goals"
    kind, _, name = factor.partition(".")
    if kind == "patient":
        return f"/{name}"
    return f"{ENTRY}{name}" if kind == "medicine" else f"/{factor.replace('.', '/')}"
