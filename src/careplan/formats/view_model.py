"""What every written form of a plan shows, in the order in which it is read: alerts first, the patient's own sheet apart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from typing import Any

from careplan.plan.entry_labels import medicine_words, question_words
from careplan.plan.model import CarePlan, Evidence, Item
from careplan.plan.timeline import Moment, timeline
from careplan.plan.visit import grouped
from careplan.request.patient import Patient
from careplan.zones import hour, spoken, zone_words

Json = dict[str, Any]


def sheet(plan: CarePlan, patient: Patient, zone: tzinfo | None = None) -> Json:
    """The plan as templates need it, its hours in `zone`. Sources are numbered in the order in which they are named."""
    moments = timeline(plan, patient, zone)
    works = {work.id: work for work in plan.sources}
    sources: dict[tuple[str, str], int] = {}
    evidence: list[Evidence] = []

    def numbers(item: Item) -> list[int]:
        for entry in item.evidence:
            if (entry.source, entry.place) not in sources:
                sources[entry.source, entry.place] = len(sources) + 1
                evidence.append(entry)
        return [sources[entry.source, entry.place] for entry in item.evidence]

    def shown(item: Item) -> Json:
        return {
            "id": item.id,
            "level": item.level,
            "level_words": plan.level_words[item.level],
            "title": item.title,
            "text": item.clinician_text,
            "because": [phrase.removesuffix(".") for phrase in item.because],
            "asks": [{"who": _spaced(ask.who), "what": ask.what, "by": ask.by_words} for ask in item.asks],
            "contested": item.contested or "",
            "assumes": [f"{one.words[0].upper()}{one.words[1:]}." for one in item.assumes],
            "sources": numbers(item),
            "rule": f"{item.rule.id} v{item.rule.version} ({item.rule.status})",
        }

    blocked = plan.status == "blocked"
    alerts = [shown(item) for item in plan.alerts]
    sections = [
        {"title": section.title, "items": [shown(item) for item in section.items]}
        for section in plan.sections
        if section.items
    ]
    return {
        "blocked": blocked,
        "status": "Blocked until a clinician acts on the alerts" if blocked else "Draft for a clinician to sign",
        "rulebook": f"{plan.rulebook.id} {plan.rulebook.version} ({plan.rulebook.digest[:12]})",
        "alerts": alerts,
        "medicines": [medicine_words(medicine, patient) for medicine in plan.medications],
        "decisions": [
            {"subject": made.subject, "choice": made.choice.upper() if len(made.choice) == 2 else _spaced(made.choice)}
            for made in plan.decisions
        ],
        "sections": sections,
        "questions": [
            {
                "title": title,
                "asked": [
                    {"question": question_words(one, plan, patient), "why": one.why_it_matters, "field": one.pointer}
                    for one in questions
                ],
            }
            for title, questions in grouped(plan.information_needed)
        ],
        "left_out": [{"what": one.what, "why": one.why, "field": one.pointer} for one in plan.not_considered],
        "sources": [
            {
                "number": at,
                "title": works[entry.source].title,
                "place": entry.place,
                "strength": _spaced(entry.strength),
                "read": _spaced(works[entry.source].read),
            }
            for at, entry in enumerate(evidence, 1)
        ],
        "zone": zone_words(zone),
        "timeline": [moment_words(moment, zone) for moment in moments],
        "patient": {
            "notice": "Not to be handed out before a clinician has cleared the alerts." if blocked else "",
            "dates": [spoken(moment.start, zone) for moment in moments if moment.kind == "session"],
            "sections": [
                {
                    "title": _line(section.patient_title, section.patient_title_language, section.patient_title_translation),
                    "texts": [_line(item.patient_text, item.patient_language, item.translation) for item in section.items],
                    "asks": _asks_of_patient(section.items),
                }
                for section in plan.sections
                if section.items
            ],
        },
        "crisis": _line(plan.crisis, plan.closing_language, plan.closing_translation),
        "disclaimer": _line(plan.disclaimer, plan.closing_language, plan.closing_translation),
    }


def _asks_of_patient(items: Iterable[Item]) -> list[Json]:
    return [{"what": ask.what, "by": ask.by_words} for item in items for ask in item.asks if ask.who == "patient"]


_NOTES = {"needs_review": "(borrador de traducción: falta la revisión de un traductor)"}
"""What stands behind a text in Spanish that no translator has checked."""


def _line(text: str, language: str | None, translation: str | None) -> Json:
    return {"text": text, "language": language or "en", "note": _NOTES.get(translation or "", "")}


def moment_words(moment: Moment, zone: tzinfo | None) -> Json:
    """One row of the time line: from when to when, or on which days, and what."""
    if moment.whole_days and moment.end is not None:
        first, last = moment.start.strftime("%Y-%m-%d"), (moment.end - timedelta(days=1)).strftime("%Y-%m-%d")
        begin, end = first, "" if first == last else last
    else:
        begin, end = hour(moment.start, zone), hour(moment.end, zone) if moment.end else ""
    return {
        "kind": moment.kind,
        "session": moment.session,
        "from": begin,
        "to": end,
        "label": moment.label,
        "signed_by": moment.signed_by or "",
    }


def _spaced(token: str) -> str:
    return token.replace("_", " ")
