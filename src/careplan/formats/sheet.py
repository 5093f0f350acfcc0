"""What every written form of a plan shows, in the order in which it is read: alerts first, the patient's own sheet apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from careplan.patient import Patient
from careplan.plan import CarePlan, Evidence, Item
from careplan.subject import medicine_words, question_words
from careplan.timeline import Moment, timeline

Json = dict[str, Any]


def sheet(plan: CarePlan, patient: Patient) -> Json:
    """The plan as templates need it. Sources are numbered in the order in which they are first named."""
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
            {"question": question_words(one, plan, patient), "why": one.why_it_matters, "field": one.pointer}
            for one in plan.information_needed
        ],
        "left_out": [{"what": one.what, "why": one.why, "field": one.pointer} for one in plan.not_considered],
        "sources": [
            {
                "number": at,
                "title": entry.title,
                "place": entry.place,
                "strength": _spaced(entry.strength),
                "read": _spaced(entry.read),
            }
            for at, entry in enumerate(evidence, 1)
        ],
        "timeline": [_moment(moment) for moment in timeline(plan, patient)],
        "patient": {
            "notice": "Not to be handed out before a clinician has cleared the alerts." if blocked else "",
            "sections": [
                {
                    "title": section.patient_title,
                    "texts": [_told(item) for item in section.items],
                    "asks": _asks_of_patient(section.items),
                }
                for section in plan.sections
                if section.items
            ],
        },
        "crisis": plan.crisis,
        "disclaimer": plan.disclaimer,
    }


def _asks_of_patient(items: Iterable[Item]) -> list[Json]:
    return [{"what": ask.what, "by": ask.by_words} for item in items for ask in item.asks if ask.who == "patient"]


_NOTES = {"needs_review": "(borrador de traducción: falta la revisión de un traductor)"}
"""What stands behind a text in Spanish that no translator has checked."""


def _told(item: Item) -> Json:
    return {
        "text": item.patient_text,
        "language": item.patient_language or "en",
        "note": _NOTES.get(item.translation or "", ""),
    }


def _moment(moment: Moment) -> Json:
    return {
        "kind": moment.kind,
        "session": moment.session,
        "from": moment.start.strftime("%Y-%m-%d %H:%M"),
        "to": moment.end.strftime("%Y-%m-%d %H:%M") if moment.end else "",
        "label": moment.label,
        "signed_by": moment.signed_by or "",
    }


def _spaced(token: str) -> str:
    return token.replace("_", " ")
