"""The standing protocol as a page, as Markdown and as PDF: printed once for the clinic, not for each patient."""

from __future__ import annotations

from typing import Any

import msgspec

from careplan.clinic_logo import Logo
from careplan.formats.templating import MARKDOWN, PAGES
from careplan.formats.typesetting import Document, of_logo, typeset
from careplan.plan.protocol_model import Figure, ProtocolItem, StandingHold, StandingProtocol
from careplan.request.clinic import Paper
from careplan.rulebook.text_template import capitalized, hours, number, spaced

Json = dict[str, Any]


def page(plan: StandingProtocol, logo: Logo | None = None) -> bytes:
    """The page in UTF-8."""
    return PAGES.get_template("protocol.html").render(protocol=sheet(plan), logo=logo).encode()


def markdown(plan: StandingProtocol) -> bytes:
    """The text in UTF-8."""
    return MARKDOWN.get_template("protocol.md").render(protocol=sheet(plan)).encode()


def document(plan: StandingProtocol, paper: Paper = "a4", logo: Logo | None = None) -> Document:
    """What there is to set."""
    inputs = {"data": msgspec.json.encode(sheet(plan)).decode(), "paper": paper}
    return Document("protocol.typ", inputs | of_logo(logo))


def pdf(plan: StandingProtocol, paper: Paper = "a4", logo: Logo | None = None) -> bytes:
    """The PDF (PDF/UA-1) of that document, set in this process."""
    return typeset(document(plan, paper, logo))


def sheet(plan: StandingProtocol) -> Json:
    """The protocol as templates need it: words in place of tokens, sources by number."""
    numbers: dict[tuple[str, str], int] = {}
    works = {work.id: work for work in plan.sources}
    for section in plan.sections:
        for item in section.items:
            for entry in item.evidence:
                numbers.setdefault((entry.source, entry.place), len(numbers) + 1)
    return {
        "clinic": (plan.clinic and plan.clinic.name) or "",
        "product": _PRODUCTS[plan.product or ""],
        "stage": plan.stage.words,
        "version": f"{plan.id} {plan.version}",
        "digest": plan.digest,
        "figures": [
            {
                "label": capitalized(figure.label),
                "value": number(figure.value) + _doubt(figure),
                "signed_by": figure.approved_by,
            }
            for figure in plan.figures
        ],
        "holds": [
            {
                "label": capitalized(hold.label),
                "value": f"{hours(hold.before_hours)} before to {hours(hold.after_hours)} after a session" + _doubt(hold),
                "signed_by": hold.approved_by,
            }
            for hold in plan.holds
        ],
        "sections": [
            {"title": section.title, "entries": [_shown(item, numbers) for item in section.items]}
            for section in plan.sections
        ],
        "sources": [{"number": at, "title": works[source].title, "place": place} for (source, place), at in numbers.items()],
    }


_PRODUCTS = {"racemic": "racemic ketamine", "esketamine": "esketamine nasal spray", "": "any product"}


def _shown(item: ProtocolItem, numbers: dict[tuple[str, str], int]) -> Json:
    return {
        "id": item.id,
        "title": item.title,
        "line": item.line,
        "clinician": item.clinician_text,
        "patient": item.patient_text,
        "language": item.patient_language or "en",
        "asks": [{"who": spaced(ask.who), "by": ask.by_words, "what": ask.what} for ask in item.asks],
        "contested": item.contested or "",
        "rule": f"{item.rule.id} v{item.rule.version} ({item.rule.status})",
        "sources": [numbers[entry.source, entry.place] for entry in item.evidence],
    }


def _doubt(figure: Figure | StandingHold) -> str:
    return " (to be checked: no patient reads it)" if figure.doubtful else ""
