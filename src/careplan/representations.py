"""The table of formats in which a plan can be had.

Everything that offers formats reads it: content negotiation and its 406, the OpenAPI document, what a worker loads after its
start, and the command line. A new format is a module in `formats` (or `fhir.write`) and a row here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pkgutil import resolve_name
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from careplan.clinic_logo import Logo
from careplan.fhir.read.bundle import FromFhir
from careplan.formats.typesetting import Document
from careplan.media_types import FHIR_JSON, JSON
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.plan.protocol_model import StandingProtocol
from careplan.plan.session_sheet_model import SessionSheet
from careplan.request.clinic import Paper
from careplan.request.patient import Patient

Content: TypeAlias = CarePlan | StandingProtocol | SessionSheet
"""What can be had in a format: a plan, the standing protocol, or the checklist of a session."""
Need = Literal["patient", "read", "zone", "paper", "stamp", "version", "key", "details", "detail", "reader", "logo"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer may need besides the plan: the fields are the names of `Need`.

    `read` is what the patient was read from, if that was FHIR; `zone` the one of hours; `paper` the size of a page; `detail`
    how much of the plan is wanted, and `reader` for whom; `logo` is the clinic's.
    `stamp`, `version`, `key` and `details` are what a calendar is told: when it was made, of which version of the record,
    the caller's own key, and how much titles may say.
    """

    patient: Patient
    read: FromFhir | None = None
    zone: ZoneInfo | None = None
    paper: Paper = "a4"
    stamp: datetime | None = None
    version: int | None = None
    key: str | None = None
    details: bool = False
    detail: Detail = "standard"
    reader: Reader = "all"
    logo: Logo | None = None


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a form of a plan.

    `name` is how the command line calls it and `title` how sentences do. `writer` is a function of this package as
    "module:function", imported when it is first used; it takes the plan and, by name, what is in `needs`, and gives bytes.
    `body` is what the OpenAPI document says of the answer. `stem` with `suffix` is the file name that an answer carries,
    where a browser would save or open it as a file. `headers` go with an answer. `layout`, likewise a function, is there for
    what takes as long as a hundred plans: it gives the document that another process can make the bytes of.
    """

    media_type: str
    name: str
    title: str
    suffix: str
    writer: str
    needs: tuple[Need, ...] = ()
    body: Literal["json", "fhir", "text", "binary"]
    stem: str = ""
    layout: str = ""
    headers: Mapping[str, str] = {}

    @property
    def module(self) -> str:
        """The module that writes it."""
        return self.writer.partition(":")[0]

    def written(self, plan: Content, wanted: Wanted) -> bytes:
        """The plan, or the protocol, in this form."""
        content = resolve_name(self.writer)(plan, **{need: getattr(wanted, need) for need in self.needs})
        assert isinstance(content, bytes)
        return content

    def laid_out(self, plan: Content, wanted: Wanted) -> Document:
        """The document of which `written` would make this form. Only for forms with a `layout`."""
        document = resolve_name(self.layout)(plan, **{need: getattr(wanted, need) for need in self.needs})
        assert isinstance(document, Document)
        return document

    def answered_with(self) -> dict[str, str]:
        """The headers of an answer in this form, besides those that all answers have."""
        named = {"Content-Disposition": f'inline; filename="{self.stem}{self.suffix}"'} if self.stem else {}
        return {**self.headers, **named}


PAGE_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

FORMATS: tuple[Format, ...] = (
    Format(
        media_type=JSON,
        name="json",
        title="JSON",
        suffix=".json",
        writer="careplan.formats.json:document",
        needs=("detail",),
        body="json",
    ),
    Format(
        media_type=FHIR_JSON,
        name="fhir",
        title="FHIR",
        suffix=".fhir.json",
        writer="careplan.fhir.write.plan_bundle:document",
        needs=("patient", "read"),
        body="fhir",
    ),
    Format(
        media_type="text/html",
        name="html",
        title="a page",
        suffix=".html",
        writer="careplan.formats.html:page",
        needs=("patient", "zone", "detail", "reader", "logo"),
        body="text",
        headers={"Content-Security-Policy": PAGE_POLICY},
    ),
    Format(
        media_type="text/markdown",
        name="markdown",
        title="Markdown",
        suffix=".md",
        writer="careplan.formats.markdown:markdown",
        needs=("patient", "zone", "detail", "reader"),
        body="text",
    ),
    Format(
        media_type="application/pdf",
        name="pdf",
        title="PDF",
        suffix=".pdf",
        writer="careplan.formats.pdf:pdf",
        needs=("patient", "paper", "zone", "detail", "reader", "logo"),
        body="binary",
        stem="care-plan",
        layout="careplan.formats.pdf:document",
    ),
    Format(
        media_type="text/calendar",
        name="calendar",
        title="a calendar",
        suffix=".ics",
        writer="careplan.formats.calendar:calendar",
        needs=("patient", "zone", "stamp", "version", "key", "details"),
        body="text",
        stem="appointments",
    ),
)
"""Every form of a plan. Of several that a caller likes equally, the default of the address is chosen, then the earlier."""

BY_MEDIA_TYPE: Mapping[str, Format] = {one.media_type: one for one in FORMATS}
BY_NAME: Mapping[str, Format] = {one.name: one for one in FORMATS}

_OF_PROTOCOL: Mapping[str, Mapping[str, Any]] = {
    "json": {"writer": "careplan.formats.protocol_json:document", "needs": ()},
    "html": {"writer": "careplan.formats.protocol:page", "needs": ("logo",)},
    "markdown": {"writer": "careplan.formats.protocol:markdown", "needs": ()},
    "pdf": {
        "writer": "careplan.formats.protocol:pdf",
        "needs": ("paper", "logo"),
        "stem": "protocol",
        "layout": "careplan.formats.protocol:document",
    },
}
PROTOCOL_FORMATS: Mapping[str, Format] = {
    BY_NAME[name].media_type: msgspec.structs.replace(BY_NAME[name], **own) for name, own in _OF_PROTOCOL.items()
}
"""Every form of the clinic's standing protocol, by media type."""


_OF_SESSION: Mapping[str, Mapping[str, Any]] = {
    "json": {"writer": "careplan.formats.session_sheet:data", "needs": ()},
    "html": {"writer": "careplan.formats.session_sheet:page", "needs": ("zone", "logo")},
    "markdown": {"writer": "careplan.formats.session_sheet:markdown", "needs": ("zone",)},
    "pdf": {
        "writer": "careplan.formats.session_sheet:pdf",
        "needs": ("paper", "zone", "logo"),
        "stem": "session-day",
        "layout": "careplan.formats.session_sheet:document",
    },
}
SESSION_FORMATS: Mapping[str, Format] = {
    BY_NAME[name].media_type: msgspec.structs.replace(BY_NAME[name], **own) for name, own in _OF_SESSION.items()
}
"""Every form of the checklist of a session, by media type."""


def in_words(titles: Iterable[str], link: str = "or") -> str:
    """Titles of several forms in a sentence, as in "JSON, a page or a calendar"."""
    *most, last = titles
    return f"{', '.join(most)} {link} {last}"
