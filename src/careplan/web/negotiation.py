"""The forms in which a plan can be had, and choosing one: by quality values, and 406 with the list of what there is."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from litestar.exceptions import HTTPException
from werkzeug.datastructures import LanguageAccept, MIMEAccept
from werkzeug.http import parse_accept_header

from careplan.fhir.read.bundle import FromFhir
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.plan.model import CarePlan
from careplan.request.patient import Patient
from careplan.web.media_types import FHIR_JSON

if TYPE_CHECKING:
    from careplan.formats.pdf import Paper

JSON = "application/json"
CALENDAR = "text/calendar"
FHIR_VERSIONS = frozenset({"4.0", "4.0.1"})
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_encode = msgspec.json.Encoder().encode


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about the form of its answer."""

    paper: Paper
    zone: ZoneInfo | None
    at: str | None
    key: str | None
    details: bool


Written: TypeAlias = Callable[[CarePlan, Patient, FromFhir | None, Wanted], bytes]

_fhir = FhirWriter()


def _page(plan: CarePlan, patient: Patient, _: FromFhir | None, wanted: Wanted) -> bytes:
    from careplan.formats.html import page

    return page(plan, patient, wanted.zone)


def _markdown(plan: CarePlan, patient: Patient, _: FromFhir | None, wanted: Wanted) -> bytes:
    from careplan.formats.markdown import markdown

    return markdown(plan, patient, wanted.zone)


def _paper(plan: CarePlan, patient: Patient, _: FromFhir | None, wanted: Wanted) -> bytes:
    from careplan.formats.pdf import paper

    return paper(plan, patient, wanted.paper, wanted.zone)


def _calendar(plan: CarePlan, patient: Patient, _: FromFhir | None, wanted: Wanted) -> bytes:
    from careplan.formats.calendar import Occasion, calendar

    stamp = datetime.fromisoformat(wanted.at) if wanted.at else None
    return calendar(plan, patient, Occasion(zone=wanted.zone, stamp=stamp, key=wanted.key, details=wanted.details))


VIEWS: Mapping[str, Written] = {
    JSON: lambda plan, _patient, _read, _wanted: _encode(plan),
    FHIR_JSON: lambda plan, patient, read, _wanted: _encode(_fhir.bundle(plan, patient, read)),
    "text/html": _page,
    "text/markdown": _markdown,
    "application/pdf": _paper,
    CALENDAR: _calendar,
}
"""What writes each form. The libraries for forms that are read by people are imported after the start (`web.later`)."""


_printers = ThreadPoolExecutor(1, "printer", initializer=partial(os.nice, 10))
"""A PDF takes as long as a hundred plans: it is made beside the loop, one at a time, by a thread that gives way."""
MOST_PRINTING = 8
_printing = BoundedSemaphore(MOST_PRINTING)


async def written(media_type: str, plan: CarePlan, patient: Patient, read: FromFhir | None, wanted: Wanted) -> bytes:
    """A plan in this form."""
    if media_type != "application/pdf":
        return VIEWS[media_type](plan, patient, read, wanted)
    if not _printing.acquire(blocking=False):
        raise HTTPException(status_code=503, headers={"Retry-After": "2"})
    try:
        return await asyncio.get_running_loop().run_in_executor(_printers, VIEWS[media_type], plan, patient, read, wanted)
    finally:
        _printing.release()


class NotAcceptable(HTTPException):
    """None of the forms there are is wanted."""

    status_code = 406


def chosen(accept: str | None, default: str, among: Iterable[str]) -> str:
    """The media type that the Accept header likes best, of several equals the default. Raises 406."""
    if accept is None or accept in ("", "*/*", default) or not accept.strip():
        return default
    ranges = MIMEAccept([(_bare(wanted), quality) for wanted, quality in parse_accept_header(accept) if _ours(wanted)])
    found = ranges.best_match([default, *(one for one in among if one != default)])
    if found is None:
        raise NotAcceptable
    return found


def _bare(wanted: str) -> str:
    """A media range without its parameters: none of them, such as a charset, tells one of our forms from another."""
    return wanted.partition(";")[0].strip()


def _ours(wanted: str) -> bool:
    """Whether a media range may mean a form of ours; one that names another version of FHIR does not."""
    version = re.search(r";\s*fhirVersion\s*=\s*\"?([^\s\";]*)", wanted, re.IGNORECASE)
    return version is None or version[1] in FHIR_VERSIONS


def spoken(accept_language: str | None, available: Sequence[str]) -> str:
    """The language that the Accept-Language header likes best; the first there is where none is wanted."""
    for tag, quality in parse_accept_header(accept_language or "", LanguageAccept):
        language = tag.partition("-")[0].lower()
        if quality > 0 and language in available:
            return language
    return available[0]


def headers(media_type: str, language: str) -> dict[str, str]:
    """What goes with a plan in this form and language; a plan in another language has English in it as well."""
    found: dict[str, Any] = {
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Language",
        "Content-Language": "en" if language == "en" else f"{language}, en",
    }
    if media_type == "text/html":
        found["Content-Security-Policy"] = PAGE_POLICY
    if media_type in ("application/pdf", CALENDAR):
        name = "care-plan.pdf" if media_type == "application/pdf" else "appointments.ics"
        found["Content-Disposition"] = f'inline; filename="{name}"'
    return found
