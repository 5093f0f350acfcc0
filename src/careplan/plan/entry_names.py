"""What an entry of the request is called in a plan: a condition, a goal or a medicine."""

from __future__ import annotations

from careplan.facts.case import Case
from careplan.recognition.medicine_catalogue import Resolved, display
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import in_words

NOT_NAMED = "a medicine not named"
"""What is told of a medicine where nobody says which one."""


def entry_name(book: Rulebook, case: Case, kind: str, at: int) -> str:
    """The name of one entry of a list: its label, its words, or what we call the medicine."""
    if kind == "condition":
        return book.conditions[case.illnesses.listed[at].token].label
    if kind == "goal":
        return " ".join((case.patient.expectations.goals or [])[at].split())
    return medicine_name(case.medicines[at])


def medicine_name(resolved: Resolved) -> str:
    """What we call a medicine where we know it by itself, or what was sent, in quotation marks."""
    if resolved.match and resolved.is_named_by_us:
        return display(resolved.match)
    name = " ".join((resolved.entry.written or "").split())
    return f"“{name}”" if name else f"RxNorm code {resolved.entry.rxcui}"


def medicine_telling(case: Case, token: str) -> str:
    """The medicines of whose lines a condition is told."""
    return in_words([medicine_name(one) for one in case.medicines if token in one.told]) or NOT_NAMED
