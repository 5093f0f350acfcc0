"""Choosing the form of a plan and its language, by quality values, and having it made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from werkzeug.datastructures import LanguageAccept, MIMEAccept
from werkzeug.http import parse_accept_header

from careplan.media_types import FHIR_JSON, FHIR_VERSIONS
from careplan.representations import BY_MEDIA_TYPE, Content, Format, Wanted
from careplan.web.process.lanes import Lanes
from careplan.web.process.printing import Printer


async def written(form: Format, make: Callable[[], Content], wanted: Wanted, state: State, size: int) -> bytes:
    """The bytes, in this form, of the plan, protocol or checklist that `make` returns. A PDF is made by the printer.

    `size` is how much there is to do, as the bytes of the body that it is made of, and `state` that of the application.
    Raises what the printer raises, such as `NotPrinted`.
    """
    lanes: Lanes = state.lanes
    if not form.layout:
        return await lanes.do(size, lambda: form.written(make(), wanted))
    printer: Printer = state.printer
    return await printer.print(partial(form.laid_out, await lanes.do(size, make), wanted))


def lines_of(request: Request[Any, Any, Any], name: str) -> str | None:
    """A header of which several lines are one list, as RFC 9110 has it; None if there is none."""
    lines = request.headers.getall(name, [])
    return ", ".join(lines) if lines else None


class NotAcceptable(HTTPException):
    """None of the forms there are is wanted. `there` names them where they are not those of a plan."""

    status_code = 406

    def __init__(self, there: Iterable[str] = ()) -> None:
        super().__init__(extra={"there": list(there)})


def chosen(accept: str | None, default: str, among: Iterable[str]) -> str:
    """The media type that the Accept header likes best, of several equals the default. Raises `NotAcceptable`."""
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


async def fhir_accepted(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The guard of every route. Raises `NotAcceptable` where a resource is wanted in other versions of FHIR alone."""
    ranges = parse_accept_header(",".join(connection.headers.getall("accept", [])))
    if connection.scope["path"].startswith("/fhir/") and ranges and not any(_ours(wanted) for wanted, _ in ranges):
        raise NotAcceptable((f"{FHIR_JSON}; fhirVersion={min(FHIR_VERSIONS)}",))


def spoken(accept_language: str | None, available: Sequence[str]) -> str:
    """The language that the Accept-Language header likes best; the first there is where none is wanted."""
    for tag, quality in parse_accept_header(accept_language or "", LanguageAccept):
        language = tag.partition("-")[0].lower()
        if quality > 0 and language in available:
            return language
    return available[0]


def headers(media_type: str, language: str, forms: Mapping[str, Format] = BY_MEDIA_TYPE) -> dict[str, str]:
    """What goes with a plan in this form and language; a plan in another language has English in it as well."""
    found = {
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Language",
        "Content-Language": "en" if language == "en" else f"{language}, en",
    }
    return found | forms[media_type].answered_with()
