"""`POST /v1/care-plans`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import ValidationException
from litestar.params import JSONBody, Parameter, QueryParameter

from careplan.decision_record import DecisionRecord, is_a_time, record
from careplan.fhir.read.bundle import with_unmapped
from careplan.media_types import FHIR_JSON, JSON
from careplan.plan.layers import Detail, PlanInBrief, Reader
from careplan.plan.model import CarePlan
from careplan.plan.session_sheet_model import SessionSheet
from careplan.plan.visit import visit_at
from careplan.representations import BY_MEDIA_TYPE, FORMATS, SESSION_FORMATS, Format, Wanted, in_words
from careplan.request.clinic import Clinic, Paper
from careplan.request.patient import TIME, Patient
from careplan.rulebook.asking import Visit
from careplan.web.edition import PlanRequest, edition_of, read_of, was_dated
from careplan.web.limits.query_guard import UnusableQuery
from careplan.web.negotiation import NotAcceptable, chosen, headers, lines_of, spoken, written
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.whole_patterns import in_python
from careplan.zones import is_a_zone

_encoder = msgspec.json.Encoder()
_Explain = Annotated[Literal["none", "full", "record"], Parameter(description="how much to say about why and why not")]
_At = Annotated[
    str | None,
    Parameter(
        pattern=in_python(TIME),
        max_length=40,
        description=(
            "the time to write into a decision record or a calendar; its day is the day of the plan where the body has no "
            "as_of; with session_times it says which questions come first, those of the intake or those of the day; of a "
            "FHIR Bundle it is also the day of ages. "
            "If left out that of Bundle.timestamp counts, else the newest date in the record, which the answer names"
        ),
    ),
]
_Visit = Annotated[
    Visit | None,
    Parameter(
        description=(
            "the visit that the questions marked as `first` are for; if left out it is session_day where `at` is the day of "
            "one of the session_times, else intake"
        )
    ),
]
_Paper = Annotated[Paper | None, Parameter(description="the paper of a PDF; if left out that of the clinic")]
_Detail = Annotated[
    Detail | None,
    Parameter(
        description=(
            "how much of the plan is answered in JSON, a page, Markdown and PDF: the front page and the card (`front`), "
            "also all that is about this patient (`standard`, if left out), or everything (`full`): in JSON also the long "
            "texts, the places in sources, the standing protocol, and of every question and entry all that is known of it; "
            "on pages also the standing protocol and the patient's leaflet"
        )
    ),
]
_Reader = Annotated[
    Reader | Literal["nurse"] | None,
    QueryParameter(
        name="for",
        description=(
            "for whom a page, Markdown or a PDF is: everybody (`all`, if left out), the clinician without the card, or the "
            "patient, whose copy has nothing that is written for the clinician. For the `nurse` the answer is the checklist "
            "of a session, also as JSON: what is checked when, with blanks, and what of this plan bears on the day"
        ),
    ),
]
_Length = Annotated[
    Literal["card", "full"] | None,
    Parameter(description="of a patient's copy: the card (if left out), or the card and the longer texts by section"),
]
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
        pattern=in_python(r"^[A-Za-z0-9_.\-]{1,80}$"),
        max_length=80,
        description=(
            "your own opaque key of this course of treatment, from which the UIDs of calendar events are made: under one "
            "key an event keeps its UID as long as its session keeps its time. Without a key they follow from all that "
            "was sent: any other answer makes new events, and equal bodies equal ones"
        ),
    ),
]
_Version = Annotated[
    int | None,
    Parameter(
        # The framework would leave a limit of 0 out of the contract.
        gt=-1,
        le=2_147_483_647,
        description=(
            "the version of your record of this course, a whole number that rises with each change: the SEQUENCE of events, "
            "by which readers know the newer of two; if left out that of Bundle.meta.versionId, else it is made "
            "of `at`"
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
    visit: _Visit = None,
    paper: _Paper = None,
    zone: _Zone = None,
    key: _Key = None,
    version: _Version = None,
    details: _Details = "none",
    detail: _Detail = None,
    reader: _Reader = None,
    length: _Length = None,
) -> Response[CarePlan | PlanInBrief | SessionSheet | DecisionRecord]:
    """Plan for one patient.

    Raises `ValidationException` where `at` is no time, `UnusableQuery` where a parameter would do nothing, and
    `NotAcceptable` where there is no such form.
    """
    edition, read = edition_of(request), read_of(request)
    accept = lines_of(request, "accept")
    asked = _Asked(explain, at, visit, version, detail, reader, length)
    if reader == "nurse" and (explain != "none" or detail is not None):
        raise UnusableQuery("the checklist of a session, for=nurse, is without explain and detail")
    rows = SESSION_FORMATS if reader == "nurse" else BY_MEDIA_TYPE
    forms = rows if explain == "none" else (JSON,)
    try:
        media_type = chosen(accept, FHIR_JSON if read is not None and FHIR_JSON in forms else JSON, forms)
    except NotAcceptable:
        raise NotAcceptable(forms if reader == "nurse" else ()) from None
    form = rows[media_type]
    if at is not None and not is_a_time(at):
        raise ValidationException(extra=[{"key": "at", "message": "no such time"}])
    if request.query_params.get("version", "").lower() == "null":
        # The word null is no number, though the framework takes it for a parameter that was left out.
        raise ValidationException(extra=[{"key": "version", "message": "no number"}])
    uses_a_time = was_dated(request) or read is not None or (bool(data.treatment.session_times) and not visit)
    if idle := _idle(asked, form, uses_a_time=uses_a_time):
        raise UnusableQuery(idle)
    data = _at_clinic(data, zone, paper)
    clinic = data.clinic or Clinic()
    language = spoken(lines_of(request, "accept-language"), edition.planner.languages.available)
    state, size = request.app.state, len(await request.body())
    if explain == "record":
        body = await state.lanes.do(size, lambda: _encoder.encode(record(edition.planner, data, at, language, read)))
    else:
        stamp = datetime.fromisoformat(at) if at else None
        at_which = visit or (visit_at(data, stamp) if stamp else "intake")
        plan = edition.planner.explained if explain == "full" else edition.planner.plan
        wanted = Wanted(
            patient=data,
            read=read,
            paper=clinic.printed_on,
            zone=clinic.hours,
            stamp=stamp,
            version=version if version is not None or read is None else read.version,
            key=key,
            details=details == "all",
            detail=detail or ("full" if "full" in (explain, length) else "standard"),
            reader=reader if reader and reader != "nurse" else "all",
            logo=edition.defaults.logo,
        )

        def shown() -> CarePlan | SessionSheet:
            care_plan = plan(data, language, at_which)
            if reader != "nurse":
                return with_unmapped(care_plan, read)
            sheet = edition.planner.session_sheet(care_plan, data)
            if sheet is None:
                raise UnusableQuery("the rulebook in service has no checklist of a session, so for=nurse would do nothing")
            return sheet

        body = await written(form, shown, wanted, state, size)
    return Response(body, media_type=media_type, headers=headers(media_type, language, rows))


class _Asked(NamedTuple):
    """The parameters of a query that are for some answers only."""

    explain: _Explain
    at: _At
    visit: _Visit
    version: _Version
    detail: _Detail
    reader: _Reader
    length: _Length


def _idle(asked: _Asked, form: Format, *, uses_a_time: bool) -> str | None:
    """What is wrong with a query of which a parameter would do nothing for this form of answer; None if nothing is."""
    if asked.visit is not None and asked.explain == "record":
        return "visit says which questions come first, and a decision record is the same for every visit"
    if asked.at is not None and not (uses_a_time or asked.explain == "record" or "stamp" in form.needs):
        return (
            "at would do nothing here, as as_of names the day of the plan: it is for a body without as_of, explain=record, "
            "a calendar, the ages of a FHIR Bundle, or a request with session_times and no visit"
        )
    if asked.detail is not None and ("detail" not in form.needs or asked.explain != "none"):
        return "detail is for a plan in JSON, a page, Markdown or PDF, without explain; others have all of it"
    if asked.version is not None and "version" not in form.needs:
        return "version is for a calendar; every other form is the same whichever version of a record it is of"
    if asked.reader not in (None, "nurse") and "reader" not in form.needs:
        return "?for= goes with a page, Markdown or PDF, which Accept asks for; every other form is for programs"
    if asked.length is not None and asked.reader != "patient":
        return "length is about a patient's copy, so it goes with for=patient"
    if asked.reader == "patient" and asked.detail is not None:
        return "a patient's copy has no detail of a plan; its length is card or full"
    return None


def _at_clinic(patient: Patient, zone: str | None, paper: Paper | None) -> Patient:
    """The patient with the zone and the paper of the query in place of the clinic's."""
    if zone is not None and not is_a_zone(zone):
        raise ValidationException(extra=[{"key": "zone", "message": "no such time zone"}])
    if zone is None and paper is None:
        return patient
    asked = Clinic(zone=zone, paper=paper).over(patient.clinic)
    return msgspec.structs.replace(patient, clinic=asked)
