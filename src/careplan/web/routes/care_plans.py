"""`POST /v1/care-plans`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import ValidationException
from litestar.params import JSONBody, Parameter

from careplan.decision_record import DecisionRecord, is_a_time, record
from careplan.fhir.read.bundle import with_unmapped
from careplan.formats.view_model import Paper
from careplan.media_types import FHIR_JSON, JSON
from careplan.plan.model import CarePlan
from careplan.representations import BY_MEDIA_TYPE, FORMATS, Wanted, in_words
from careplan.request.patient import TIME, Patient
from careplan.web.edition import PlanRequest, edition_of, read_of
from careplan.web.limits.query_guard import UnusableQuery
from careplan.web.negotiation import chosen, headers, spoken, written
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.zones import ZONES

_encoder = msgspec.json.Encoder()
_Explain = Annotated[Literal["none", "full", "record"], Parameter(description="how much to say about why and why not")]
_At = Annotated[
    str | None,
    Parameter(
        pattern=TIME,
        max_length=40,
        description="the time to write into a decision record or a calendar; no plan depends on it",
    ),
]
_Paper = Annotated[Paper, Parameter(description="the paper of a PDF")]
_ZONED = in_words((one.title.removeprefix("a ") for one in FORMATS if "zone" in one.needs), "and")
_Zone = Annotated[
    str | None,
    Parameter(
        description=(
            f"the time zone in which {_ZONED} write hours, by its IANA name; if left out the "
            "clinic's own, and without that the offset that was sent, or UTC in a calendar"
        ),
    ),
]
_Key = Annotated[
    str | None,
    Parameter(
        pattern=r"^[A-Za-z0-9_.\-]{1,80}$",
        max_length=80,
        description=(
            "your own opaque key of this course of treatment, from which the UIDs of calendar events are made: under one "
            "key an event keeps its UID as long as its session keeps its time. Without a key they follow from all that "
            "was sent: any other answer makes new events, and equal bodies equal ones"
        ),
    ),
]
_Details = Annotated[
    Literal["none", "all"], Parameter(description="whether the titles of calendar events may tell about health")
]


@post(
    "/v1/care-plans",
    status_code=200,
    operation_id="createCarePlan",
    summary="A draft care plan for one patient",
    description=(
        "Takes the factors of one patient, as JSON or as a FHIR R4 Bundle, and answers with a draft care plan in the form "
        f"that Accept names: {in_words(one.title for one in FORMATS)}. Every factor is optional: what is left out is "
        "unknown, never no, and is asked for under `information_needed`. Nothing is stored. With `explain=full` the plan "
        "says of every rule why it fired or not; with `explain=record` the answer is a decision record, which "
        "`careplan replay` reads."
    ),
    tags=["plans"],
    opt={"scope": "plan"},
    request_class=PlanRequest,
    responses=documented(PROBLEMS, 400, 406, 413, 415, 422, 500, 503),
    response_description="The draft plan. A clinician signs it; `blocked` means that a human must act on the alerts first.",
)
async def create_care_plan(  # noqa: PLR0913, PLR0917 - one parameter for each of the query
    data: JSONBody[Patient],
    request: Request[None, None, State],
    explain: _Explain = "none",
    at: _At = None,
    paper: _Paper = "a4",
    zone: _Zone = None,
    key: _Key = None,
    details: _Details = "none",
) -> Response[CarePlan | DecisionRecord]:
    """Plan for one patient.

    Raises `ValidationException` where `at` is no time, and `UnusableQuery` where it would do nothing.
    """
    edition, read = edition_of(request), read_of(request)
    accept = request.headers.get("accept")
    forms = BY_MEDIA_TYPE if explain == "none" else (JSON,)
    media_type = chosen(accept, FHIR_JSON if read is not None and FHIR_JSON in forms else JSON, forms)
    form = BY_MEDIA_TYPE[media_type]
    if at is not None and not is_a_time(at):
        raise ValidationException(extra=[{"key": "at", "message": "no such time"}])
    if at is not None and explain != "record" and "stamp" not in form.needs:
        raise UnusableQuery("at is for explain=record, or for a calendar; no plan depends on it")
    where = _zone_of(zone, edition.zone)
    language = spoken(request.headers.get("accept-language"), edition.languages.available)
    if explain == "record":
        body = _encoder.encode(record(edition.planner, data, at, language, read))
    else:
        made = edition.planner.explained(data) if explain == "full" else edition.planner.plan(data)
        made = edition.languages.plan(made, language)
        stamp = datetime.fromisoformat(at) if at else None
        wanted = Wanted(patient=data, read=read, paper=paper, zone=where, stamp=stamp, key=key, details=details == "all")
        body = await written(form, with_unmapped(made, read), wanted)
    return Response(body, media_type=media_type, headers=headers(media_type, language))  # type: ignore[arg-type]


def _zone_of(name: str | None, otherwise: ZoneInfo | None) -> ZoneInfo | None:
    if name is not None and name not in ZONES:
        raise ValidationException(extra=[{"key": "zone", "message": "no such time zone"}])
    return ZoneInfo(name) if name else otherwise
