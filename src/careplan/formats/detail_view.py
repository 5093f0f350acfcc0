"""The detail behind the front page as templates need it: items with their reasons, questions, sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from careplan.formats.card_view import told
from careplan.formats.references import References
from careplan.plan.entry_labels import illness_words, medicine_words, question_words
from careplan.plan.model import CarePlan, Item, SignedHold, Source
from careplan.plan.visit import grouped
from careplan.request.patient import Patient
from careplan.rulebook.model import LEVELS
from careplan.rulebook.text_template import spaced

Json = dict[str, Any]
LONG = 1500
"""An item with more characters than this, which are about a third of a column, may be cut in two on paper."""


def details(plan: CarePlan, patient: Patient, works: Sequence[Source]) -> Json:
    """All that is about this patient, section by section, and the works that what is shown rests on."""
    references = References(plan, works)
    return {
        "alerts": [_item(item, plan, references) for item in plan.alerts],
        "medicines": [medicine_words(medicine, patient) for medicine in plan.medications],
        "illnesses": [illness_words(illness) for illness in plan.conditions],
        "sections": _sections(plan, references, standing=False),
        "questions": [
            {
                "title": title,
                "asked": [
                    {
                        "question": question_words(question, plan, patient),
                        "why": question.why_it_matters,
                        "field": question.pointer,
                        "changes": ", ".join(
                            f"{spaced(change.section)} ({plan.level_words[change.level]})"
                            for change in question.could_change
                        ),
                    }
                    for question in questions
                ],
            }
            for title, questions in grouped(plan.information_needed)
        ],
        "left_out": [{"what": one.what, "why": one.why, "field": one.pointer} for one in plan.not_considered],
        "sources": references.all(),
        "disclaimer": plan.disclaimer if plan.closing_language is None else "",
    }


def standing(plan: CarePlan, *, texts: bool) -> Json:
    """The clinic's protocol: what a plan cites of it, and its texts where they are wanted."""
    part = plan.standing
    return {
        "cited": f"Standing protocol {part.digest[:12]}",
        "titles": list(part.items.values()),
        "sections": _sections(plan, References(plan, plan.sources), standing=True) if texts else [],
    }


def _sections(plan: CarePlan, references: References, *, standing: bool) -> list[Json]:
    found = [
        (section.title, [item for item in section.items if (item.scope == "standing") == standing])
        for section in plan.sections
    ]
    return [
        {
            "title": title,
            "counted": _counted(items, plan),
            "items": [_item(item, plan, references) for item in items],
        }
        for title, items in found
        if items
    ]


def _counted(items: Sequence[Item], plan: CarePlan) -> str:
    """How many items of each level there are, the gravest first."""
    numbers = [(plan.level_words[level], sum(item.level == level for item in items)) for level in LEVELS]
    return ", ".join(f"{words}:\N{NO-BREAK SPACE}{number}" for words, number in numbers if number)


def _item(item: Item, plan: CarePlan, references: References) -> Json:
    return {
        "id": item.id,
        "level": item.level,
        "level_words": plan.level_words[item.level],
        "title": item.title,
        "text": item.clinician_text,
        "hold": _signed(item.hold) if item.hold else "",
        "because": "; ".join(phrase.removesuffix(".") for phrase in item.because),
        "asks": [{"who": spaced(ask.who), "what": ask.what, "by": ask.by_words} for ask in item.asks],
        "contested": item.contested or "",
        "long": _length(item) > LONG,
        "assumes": [f"{one.words[0].upper()}{one.words[1:]}." for one in item.assumes],
        "sources": references.of(item),
        "rule": f"{item.rule.id} v{item.rule.version} ({item.rule.status})",
        # Of an alert nobody hands a patient anything: these are the words to say it with.
        "to_say": told(item.patient_text, item.patient_language, item.translation) if item.level == "stop" else None,
    }


def _length(item: Item) -> int:
    """About how many characters an item has; each task has a line of its own."""
    texts = (item.clinician_text, item.contested or "", *item.because, *(one.words for one in item.assumes))
    to_say = len(item.patient_text) if item.level == "stop" else 0
    return sum(map(len, texts)) + to_say + sum(100 + len(ask.what) for ask in item.asks)


def _signed(hold: SignedHold) -> str:
    return (
        f"Signed hold, {hold.drug_class.replace('_', ' ')}: {hold.before_hours:g} h before, {hold.after_hours:g} h after "
        f"({hold.approved_by})"
    )
