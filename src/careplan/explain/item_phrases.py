"""The fields of an item in phrases, of which a comparison says which are gone and which are new."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from careplan.plan.model import HoldGate, Item

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def turned(before: Sequence[str], after: Sequence[str]) -> str:
    """Which phrases are gone and which are new; that only their order or number is another one, where none is."""
    gone = [phrase for phrase in before if phrase not in after]
    new = [phrase for phrase in after if phrase not in before]
    parts = [f"no longer “{'; '.join(gone)}”"] * bool(gone) + [f"now “{'; '.join(new)}”"] * bool(new)
    return ", ".join(parts) or "in another order"


def phrases_of_text(text: str | None) -> list[str]:
    """The sentences of a text."""
    return _SENTENCE.split(text) if text else []


def phrases_of(item: Item, field: str) -> list[str]:
    """One field of an item in phrases."""
    return PHRASES.get(field, _other)(getattr(item, field))


def _other(value: object) -> list[str]:
    if isinstance(value, str):
        return phrases_of_text(value)
    if value is None:
        return []
    parts = value if isinstance(value, list | tuple) else [value]
    return [part if isinstance(part, str) else msgspec.json.encode(part).decode() for part in parts]


def _gate(gate: HoldGate | None) -> list[str]:
    """A hold as the clinician reads it, its state first."""
    if gate is None:
        return []
    facts = [one.words for one in (*gate.closed_by, *gate.missing, *gate.unclear)]
    signed = f"; signed figure {gate.signed.before_hours:g} h and {gate.signed.after_hours:g} h" if gate.signed else ""
    return [f"{gate.state}{signed}{'; misses no dose' if gate.misses_no_dose else ''}", *facts]


PHRASES: Mapping[str, Callable[[Any], list[str]]] = {
    "asks": lambda asks: [f"{ask.who}, {ask.by_words}: {ask.what}" for ask in asks],
    "evidence": lambda refs: [f"{ref.source}, {ref.place} ({ref.strength})" for ref in refs],
    "rule": lambda rule: [f"{rule.id} v{rule.version} ({rule.status})"],
    "about": lambda entries: [f"{entry.name} ({entry.pointer})" for entry in entries],
    "assumes": lambda assumptions: [one.words for one in assumptions],
    "hold_gate": _gate,
    "cleared": lambda record: [f"assessed by {record.by} at {record.at.isoformat()}", record.arranged] if record else [],
    "gap": lambda gap: [f"{gap.hours:g} h without it, limit {gap.limit_hours:g} h"] if gap else [],
    "hold": lambda hold: (
        [f"{hold.drug_class}: {hold.before_hours:g} h before, {hold.after_hours:g} h after ({hold.approved_by})"]
        if hold
        else []
    ),
}
"""How fields are told whose parts are no texts."""

LABELS: Mapping[str, str] = {
    "because": "what it follows from",
    "asks": "who is asked to do what",
    "evidence": "what it rests on",
    "sources": "the works that it rests on",
    "rule": "its rule",
    "about": "what it is about",
    "assumes": "what it assumes of entries that were not read",
    "hold": "the signed hold",
    "hold_gate": "why a hold is or is not shown",
    "gap": "the longest time without the medicine",
    "patient_text": "the text for the patient",
    "clinician_text": "the text for the clinician",
    "line": "the line on the front page",
    "contested": "what is contested",
    "cleared": "the record of an assessment",
}
