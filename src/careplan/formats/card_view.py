"""What the patient takes home, as templates need it: the card, the one for whoever comes along, and the leaflet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from careplan.plan.card_model import Card, CardLine, Companion
from careplan.plan.model import CarePlan, Item

Json = dict[str, Any]
_SIZES = {"large": (25, 56), "medium": (32, 62)}
"""How a browser prints a card: the most rows that it may have for a size of type, and the characters of a row in it."""
_ACROSS_TITLE = 11
"""So many characters of a part's title stand in a row beside its lines."""
_NOTES = {"needs_review": "(borrador de traducción: falta la revisión de un traductor)"}
"""What stands beside a text in Spanish that no translator has checked."""
_LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {"name": "Your name", "by": "Clinician’s signature", "on": "Date", "leaflet": "To read at home"},
    "es": {"name": "Su nombre", "by": "Firma del profesional", "on": "Fecha", "leaflet": "Para leer en casa"},
}
"""What stands below the lines that are filled in by hand, and above the leaflet."""


def card(plan: CarePlan) -> Json:
    """The patient's card, its parts in the order of time."""
    card, language = plan.card, plan.card.language or "en"
    return {
        "title": card.title,
        "notice": card.notice,
        "language": language,
        "note": _NOTES.get(card.translation or "", ""),
        "blocked": plan.status == "blocked",
        "size": _size(card),
        "labels": dict(_LABELS.get(language, _LABELS["en"])),
        "parts": [
            {
                "title": title,
                "lines": [_line(line, card, date=lines is card.sessions and line.item is None) for line in lines],
                "strong": lines is card.call,
            }
            for title, lines in card.parts()
        ],
        "crisis": _line(card.crisis, card),
        "companion": _companion(card.companion, card) if card.companion else None,
        "disclaimer": None
        if plan.status == "blocked"
        else told(plan.disclaimer, plan.closing_language, plan.closing_translation),
    }


def _size(card: Card) -> str:
    """The largest type in which a card surely fits one page; the line between two parts takes the third of a row."""
    for size, (most, across) in _SIZES.items():
        rows = sum(
            0.3 + max(ceil(len(title) / _ACROSS_TITLE), sum(ceil(len(line.text) / across) for line in lines))
            for title, lines in card.parts()
        )
        if rows <= most:
            return size
    return "close"


def leaflet(plan: CarePlan) -> Json | None:
    """The longer texts for the patient, by section. There are none while a plan is blocked.

    Where something must not be read by others at home, it is what every patient of the clinic reads.
    """
    if plan.status == "blocked":
        return None
    sections = []
    for section in plan.sections:
        items = [item for item in section.items if not _private(plan) or item.scope == "standing"]
        if items:
            title = (section.patient_title, section.patient_title_language, section.patient_title_translation)
            sections.append(
                {
                    "title": told(*title),
                    "texts": [told(item.patient_text, item.patient_language, item.translation) for item in items],
                    "asks": _asks_of_patient(items),
                }
            )
    return {
        "title": _LABELS.get(plan.card.language or "en", _LABELS["en"])["leaflet"],
        "sections": sections,
        "crisis": told(plan.crisis, plan.closing_language, plan.closing_translation),
        "disclaimer": told(plan.disclaimer, plan.closing_language, plan.closing_translation),
    }


def _private(plan: CarePlan) -> bool:
    """Whether the card leaves out what is about this patient, as it does where others at home must not read it."""
    return plan.status == "draft" and plan.card.companion is None


def _companion(companion: Companion, card: Card) -> Json:
    return {"title": companion.title, "lines": [_line(line, card) for line in companion.lines]}


def _line(line: CardLine, card: Card, *, date: bool = False) -> Json:
    """A line; its language only where it is another one than the card's. Of a date the first sentence stands out."""
    language = line.language or "en"
    text = line.text[:1].upper() + line.text[1:]
    lead = text.partition(". ")[0] + "." * (". " in text) if date else ""
    return {
        "lead": lead,
        "text": text[len(lead) :].lstrip(),
        "does": line.does,
        "blank": line.blank,
        "language": language if language != (card.language or "en") else "",
        "note": _NOTES.get(line.translation or "", "") if line.translation != card.translation else "",
    }


def _asks_of_patient(items: Iterable[Item]) -> list[Json]:
    """What a patient is asked to do, once each."""
    found = dict.fromkeys((ask.what, ask.by_words) for item in items for ask in item.asks if ask.who == "patient")
    return [{"what": what, "by": by[:1].upper() + by[1:]} for what, by in found]


def told(text: str, language: str | None, translation: str | None) -> Json:
    """A text for the patient, its language, and the mark of what no translator has checked."""
    return {"text": text, "language": language or "en", "note": _NOTES.get(translation or "", "")}
