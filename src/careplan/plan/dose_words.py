"""Doses a day in words, and where the fields of an entry say something else than its text: for the clinician alone."""

from __future__ import annotations

from careplan.facts.case import Case, Fact
from careplan.rulebook.factors import KINDS, least_of, most_of
from careplan.rulebook.model import FieldWords, Rulebook
from careplan.rulebook.text_template import number

_NAMES = {"name": "name", "schedule": "schedule", "indication": "reason", "dose_mg": "dose", "status": "status"}
_STATUSES = {"taking": "taken", "stopped": "stopped", "not_taken": "not taken", "allergy": "an allergy"}


def span_of(fact: Fact, field: str) -> tuple[float, float | None] | None:
    """The least and the most of a number that a fact has from its least to its most; None if it has no such number."""
    described = KINDS[fact.kind].fields.get(field)
    if described is None or not described.between or (least := fact.properties.get(least_of(field))) is None:
        return None
    most = fact.properties.get(most_of(field))
    return float(least), None if most is None else float(most)


def span_words(words: FieldWords | None, least: float, most: float | None) -> str:
    """A number from its least to its most, as the phrase that the vocabulary has for its field."""
    if most is None:
        if least == 0 and words is not None:
            return words.unknown
        value = f"at least {_rounded(least)}" if least else "an unknown number of"
    elif least == most:
        value = _rounded(most)
    else:
        value = f"{_rounded(least)} to {_rounded(most)}" if least else f"up to {_rounded(most)}"
    return words.says.replace("{value}", value) if words is not None else value


def _rounded(value: float) -> str:
    return number(round(value, 2))


def disagreement_words(book: Rulebook, case: Case, at: int) -> str:
    """What was sent in each field, and the words of the text that say something else."""
    entry, sent = case.medicines[at], (case.patient.medications or [])[at]
    found = []
    for one in entry.disagreements:
        text = (sent.name if one.said_in == "name" else sent.text) or ""
        quoted = " ".join(text[one.start : one.end].split())
        found.append(f"{_NAMES[one.field]}: sent as {_value(book, one.field, one.sent)}, the text says “{quoted}”")
    return "; ".join(found)


def _value(book: Rulebook, field: str, token: str) -> str:
    if field == "dose_mg":
        return f"{token} mg"
    if field == "status":
        return _STATUSES.get(token, token)
    words = book.vocabulary.fields.get(f"medicine.{field}")
    return f"“{words.values[token]}”" if words is not None and token in words.values else f"“{token}”"
