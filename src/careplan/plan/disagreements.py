"""Where the fields of an entry say something else than its text, in words for the clinician alone."""

from __future__ import annotations

from careplan.facts.case import Case
from careplan.rulebook.model import Rulebook

_NAMES = {"name": "name", "schedule": "schedule", "indication": "reason", "dose_mg": "dose", "status": "status"}
_STATUSES = {
    "taking": "taken",
    "on_hold": "on hold",
    "stopped": "stopped",
    "not_taken": "not taken",
    "allergy": "an allergy",
}


def disagreement_words(book: Rulebook, case: Case, at: int) -> str:
    """What was sent in each field, and the words of the text that say something else."""
    entry, sent = case.medicines[at], (case.patient.medications or [])[at]
    found = []
    for disagreement in entry.disagreements:
        text = (sent.name if disagreement.said_in == "name" else sent.text) or ""
        quoted = " ".join(text[disagreement.start : disagreement.end].split())
        value = _value(book, disagreement.field, disagreement.sent)
        found.append(f"{_NAMES[disagreement.field]}: sent as {value}, the text says “{quoted}”")
    return "; ".join(found)


def _value(book: Rulebook, field: str, token: str) -> str:
    if field == "dose_mg":
        return f"{token} mg"
    if field == "status":
        return _STATUSES.get(token, token)
    words = book.vocabulary.fields.get(f"medicine.{field}")
    return f"“{words.values[token]}”" if words is not None and token in words.values else f"“{token}”"
