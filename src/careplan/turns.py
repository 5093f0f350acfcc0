"""A value of a plan before and after, in words: only the phrases that differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from careplan.plan import CarePlan, HoldGate, Item, MedicineRead, NotConsidered, Question

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
    return _PHRASES.get(field, _other)(getattr(item, field))


def _other(value: object) -> list[str]:
    if isinstance(value, str):
        return phrases_of_text(value)
    return [] if value is None else [part if isinstance(part, str) else msgspec.json.encode(part).decode() for part in value]  # type: ignore[attr-defined]


def _gate(gate: HoldGate | None) -> list[str]:
    """A hold as the clinician reads it, its state first."""
    if gate is None:
        return []
    facts = [one.words for one in (*gate.closed_by, *gate.missing, *gate.unclear)]
    signed = f"; signed figure {gate.signed.before_hours:g} h and {gate.signed.after_hours:g} h" if gate.signed else ""
    return [f"{gate.state}{signed}{'; misses no dose' if gate.misses_no_dose else ''}", *facts]


_PHRASES: Mapping[str, Callable[[Any], list[str]]] = {
    "asks": lambda asks: [f"{ask.who}, {ask.by_words}: {ask.what}" for ask in asks],
    "evidence": lambda refs: [f"{ref.title}, {ref.place} ({ref.strength}, {ref.read})" for ref in refs],
    "rule": lambda rule: [f"{rule.id} v{rule.version} ({rule.status})"],
    "about": lambda entries: [f"{entry.name} ({entry.pointer})" for entry in entries],
    "assumes": lambda assumptions: [one.words for one in assumptions],
    "hold_gate": _gate,
    "gap": lambda gap: [f"{gap.hours:g} h without it, limit {gap.limit_hours:g} h"] if gap else [],
    "hold": lambda hold: (
        [f"{hold.drug_class}: {hold.before_hours:g} h before, {hold.after_hours:g} h after ({hold.approved_by})"]
        if hold
        else []
    ),
}

LABELS: Mapping[str, str] = {
    "because": "what it follows from",
    "asks": "who is asked to do what",
    "evidence": "what it rests on",
    "rule": "its rule",
    "about": "what it is about",
    "assumes": "what it assumes of entries that were not read",
    "hold": "the signed hold",
    "hold_gate": "why a hold is or is not shown",
    "gap": "the longest time without the medicine",
    "patient_text": "the text for the patient",
    "clinician_text": "the text for the clinician",
    "contested": "what is contested",
}


def question_of(question: Question, plan: CarePlan) -> str:
    """A question, with the medicine that it is about."""
    kind, _, rest = question.pointer.strip("/").partition("/")
    index, _, field = rest.partition("/")
    if kind != "medications" or not field:
        return question.question
    read = next((one for one in plan.medications if one.index == int(index)), None)
    name = read.recognized_as if read else None
    return f"{question.question} [{name or f'medicine {int(index) + 1}'}]"


def medicine_of(read: MedicineRead | None) -> str:
    """How an entry of the medicines was understood."""
    if read is None:
        return "not in the list"
    parts = [read.recognized_as or "not recognized", *read.classes]
    parts += [read.problem.replace("_", " ")] if read.problem else []
    parts += [f"near names {', '.join(read.suggestions)}"] if read.suggestions else []
    return ", ".join(parts)


def unconsidered(entry: NotConsidered) -> str:
    """What was sent and not considered, and why."""
    return f"{entry.what} ({entry.pointer}): {entry.why}"
