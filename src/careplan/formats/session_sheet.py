"""The checklist of a session as a page, as Markdown, as PDF and as JSON: for the staff, to be filled in by hand."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import msgspec

from careplan.clinic_logo import Logo
from careplan.formats.signs import cuttable, everywhere, visible
from careplan.formats.templating import MARKDOWN, PAGES
from careplan.formats.typesetting import Document, of_logo, typeset
from careplan.plan.protocol_model import Figure
from careplan.plan.session_sheet_model import SessionSheet, SheetCheck
from careplan.request.clinic import Clinic, Paper
from careplan.rulebook.text_template import number, rulebook_words, spaced
from careplan.zones import hour

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def data(sheet: SessionSheet) -> bytes:
    """The checklist as JSON in UTF-8, on one line."""
    return _encode(sheet)


def page(sheet: SessionSheet, zone: tzinfo | None = None, logo: Logo | None = None) -> bytes:
    """The page in UTF-8, its hours in `zone`."""
    return PAGES.get_template("session_sheet.html").render(sheet=shown(sheet, zone), logo=logo).encode()


def markdown(sheet: SessionSheet, zone: tzinfo | None = None) -> bytes:
    """The text in UTF-8, its hours in `zone`."""
    return MARKDOWN.get_template("session_sheet.md").render(sheet=shown(sheet, zone)).encode()


def document(sheet: SessionSheet, paper: Paper = "a4", zone: tzinfo | None = None, logo: Logo | None = None) -> Document:
    """What there is to set on this paper: hours in `zone`, or as they were sent, and the clinic's `logo` if it has one."""
    found = everywhere(shown(sheet, zone), cuttable)
    inputs = {"data": msgspec.json.encode(found).decode(), "paper": paper}
    return Document("session_sheet.typ", inputs | of_logo(logo))


def pdf(sheet: SessionSheet, paper: Paper = "a4", zone: tzinfo | None = None, logo: Logo | None = None) -> bytes:
    """The PDF (PDF/UA-1) of `document`, of the same arguments, set in this process."""
    return typeset(document(sheet, paper, zone, logo))


def shown(sheet: SessionSheet, zone: tzinfo | None = None) -> Json:
    """The checklist as templates need it, its sources by number."""
    numbers: dict[tuple[str, str], int] = {}
    for moment in sheet.moments:
        for check in moment.checks:
            for source in check.sources:
                numbers.setdefault((source.title, source.place), len(numbers) + 1)
    clinic = sheet.clinic or Clinic()
    done, planned = sheet.sessions_completed, sheet.sessions_planned
    of = f" of {planned}" if planned else ""
    found = {
        "title": sheet.title,
        "notice": sheet.notice,
        "blocked": sheet.status == "blocked",
        "product": sheet.product_words,
        "session": "" if done is None else f"Session {done + 1}{of}",
        "times": [hour(when, zone) for when in sheet.session_times],
        "clinic": {"name": clinic.name or "", "phone": clinic.phone or ""},
        "first": {"title": sheet.first_title, "lines": [one.line for one in sheet.first]},
        "own": {"title": sheet.own_title, "lines": [one.line for one in sheet.own], "none": sheet.nothing_own},
        "tasks": {
            "title": sheet.tasks_title,
            "lines": [f"{spaced(one.who).capitalize()}, {one.by_words}: {one.what}" for one in sheet.tasks],
        },
        "figures": {"title": sheet.figures_title, "lines": [_figure(one) for one in sheet.figures]},
        "moments": [
            {"title": moment.title, "checks": [_check(check, numbers) for check in moment.checks]}
            for moment in sheet.moments
        ],
        "sources": [{"number": at, "title": title, "place": place} for (title, place), at in numbers.items()],
        "rulebook": rulebook_words(sheet.rulebook.id, sheet.rulebook.version, sheet.rulebook.digest),
    }
    plain: Json = everywhere(found, visible)
    return plain


def _check(check: SheetCheck, numbers: dict[tuple[str, str], int]) -> Json:
    return {
        "line": check.line,
        "product": check.product or "",
        "fields": [{"label": one.label, "unit": one.unit, "choices": one.choices} for one in check.fields],
        "sources": ", ".join(str(numbers[one.title, one.place]) for one in check.sources),
    }


def _figure(figure: Figure) -> str:
    doubt = " To be checked: it cannot be meant as it stands." if figure.doubtful else ""
    return f"{figure.label[0].upper()}{figure.label[1:]}: {number(figure.value)} ({figure.approved_by}).{doubt}"
