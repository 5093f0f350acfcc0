"""The FHIR R4 end point: `PlanDefinition/$apply`, and what describes it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, JSONBody, Parameter, QueryParameter

from careplan.decision_record import is_a_time
from careplan.fhir.read.ages import day_of
from careplan.fhir.read.bundle import with_unmapped
from careplan.fhir.read.parameters import read_applied
from careplan.fhir.read.terminology import OWN
from careplan.fhir.write.definitions import capability_statement, plan_definition, questionnaire
from careplan.fhir.write.parts import Summary, part_of
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.media_types import FHIR_JSON
from careplan.request.patient import TIME, Patient
from careplan.web.edition import JsonRequest, edition_of, read_of
from careplan.web.negotiation import headers, lines_of, spoken
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.whole_patterns import in_python

Json = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_writer = FhirWriter()
_At = Annotated[
    str | None,
    Parameter(
        pattern=in_python(TIME),
        max_length=40,
        description=(
            "the day of which ages are counted; if left out that of Bundle.timestamp counts, and without it the newest date "
            "in the record, which the answer then names"
        ),
    ),
]
_Name = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9.\-]{1,64}$", max_length=64, description="id of the resource")]

_Summary = Annotated[
    Summary | None,
    QueryParameter(name="_summary", description="only a part of the resource, which is then marked as SUBSETTED"),
]
_Elements = Annotated[
    str | None,
    QueryParameter(
        name="_elements",
        pattern=in_python(r"^[A-Za-z]+(,[A-Za-z]+)*$"),
        max_length=400,
        description="names of members, parted by commas; only these come, and those without which the resource is not valid",
    ),
]
_Mode = Annotated[Literal["full", "normative"], Parameter(description="which statement; both are the same here")]


class ApplyRequest(JsonRequest):
    """A request whose body is a Bundle, or Parameters that hold one as `data`."""

    async def json(self) -> Patient:
        """The patient. Raises `InvalidPatient`, or 415 for another media type."""
        edition = edition_of(self)
        body = await self.json_body(FHIR_JSON, "application/json")
        about = edition.planner.book.about
        names = [f"{name}|{about.version}" for name in (f"PlanDefinition/{about.id}", f"{OWN}rulebook:{about.id}")]
        day = day_of(self.query_params.get("at"))
        read = await self.beside(lambda: read_applied(edition.fhir.parse(body), edition.fhir, names, day))
        self.state["read"] = read
        return read.patient.under(edition.defaults)


_ABOUT = (
    "Takes a Bundle of Patient, MedicationStatement, MedicationRequest, Condition, AllergyIntolerance, Observation and "
    "QuestionnaireResponse, by itself or as the parameter `data`, and answers with a Bundle: CarePlan, RequestGroup, "
    "Tasks, Goals, DetectedIssues, CommunicationRequests, and GuidanceResponses for what is missing or was left out. "
    "With the parameter `subject`, such as Patient/123, the plan is for this patient; of several one must be named."
)


@post(
    "/fhir/PlanDefinition/$apply",
    status_code=200,
    operation_id="applyPlanDefinition",
    summary="A draft plan as FHIR",
    description=_ABOUT,
    response_description="The Bundle, its CarePlan first.",
    tags=["fhir"],
    opt={"scope": "plan"},
    request_class=ApplyRequest,
    responses=documented(PROBLEMS, 400, 413, 415, 422, 500, 503),
)
async def apply(data: JSONBody[Patient], request: Request[None, None, State], at: _At = None) -> Response[Json]:
    """Plan for the patient of a Bundle."""
    return await _applied(data, request, at)


@post(
    "/fhir/PlanDefinition/{name:str}/$apply",
    status_code=200,
    operation_id="applyNamedPlanDefinition",
    summary="A draft plan as FHIR, by the rulebook's name",
    description=_ABOUT,
    response_description="The Bundle, its CarePlan first.",
    tags=["fhir"],
    opt={"scope": "plan"},
    request_class=ApplyRequest,
    responses=documented(PROBLEMS, 400, 404, 413, 415, 422, 500, 503),
)
async def apply_named(
    name: FromPath[_Name], data: JSONBody[Patient], request: Request[None, None, State], at: _At = None
) -> Response[Json]:
    """The same for the rulebook by its name. Raises `NotFoundException` for any other."""
    if name != edition_of(request).planner.book.about.id:
        raise NotFoundException
    return await _applied(data, request, at)


async def _applied(patient: Patient, request: Request[None, None, State], at: str | None) -> Response[Json]:
    """The plan for a patient, with the patient's texts in the language that is asked for."""
    if at is not None and not is_a_time(at):
        raise ValidationException(extra=[{"key": "at", "message": "no such time"}])
    edition, read = edition_of(request), read_of(request)
    language = spoken(lines_of(request, "accept-language"), edition.planner.languages.available)

    def bundle() -> bytes:
        return _encode(_writer.bundle(with_unmapped(edition.planner.plan(patient, language), read), patient, read))

    body = await request.app.state.lanes.do(len(await request.body()), bundle)
    return Response(body, media_type=FHIR_JSON, headers=headers(FHIR_JSON, language))


@get(
    "/fhir/metadata",
    operation_id="getCapabilityStatement",
    summary="What the FHIR end point can do",
    description="The CapabilityStatement.",
    tags=["fhir"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def metadata(summary: _Summary = None, elements: _Elements = None, mode: _Mode = "full") -> Response[Json]:  # noqa: ARG001
    """The CapabilityStatement, which is the same in each mode."""
    return _answer(part_of(capability_statement(version("careplan")), summary, elements))


@get(
    "/fhir/Questionnaire/{name:str}",
    operation_id="getQuestionnaire",
    summary="The intake form",
    description="A Questionnaire of every factor; a QuestionnaireResponse to it is read by `$apply`.",
    tags=["fhir"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 404, 500, 503),
)
def get_questionnaire(
    name: FromPath[_Name], request: Request[None, None, State], summary: _Summary = None, elements: _Elements = None
) -> Response[Json]:
    """The Questionnaire `intake`, to which responses are read by `$apply`. Raises `NotFoundException` for any other."""
    if name != "intake":
        raise NotFoundException
    book = edition_of(request).planner.book
    whole = questionnaire(book.about.version, book.vocabulary.fields, book.conditions)
    return _answer(part_of(whole, summary, elements))


@get(
    "/fhir/PlanDefinition/{name:str}",
    operation_id="getPlanDefinition",
    summary="The rulebook as FHIR",
    description="The rulebook as a PlanDefinition: each rule an action, its conditions in words.",
    tags=["fhir"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 404, 500, 503),
)
def get_plan_definition(
    name: FromPath[_Name], request: Request[None, None, State], summary: _Summary = None, elements: _Elements = None
) -> Response[Json]:
    """The rulebook as a PlanDefinition, its tests in words. Raises `NotFoundException` for another name than its own."""
    book = edition_of(request).planner.book
    if name != book.about.id:
        raise NotFoundException
    return _answer(part_of(plan_definition(book), summary, elements))


def _answer(resource: Json) -> Response[Json]:
    return Response(_encode(resource), media_type=FHIR_JSON, headers={"Cache-Control": "no-store"})  # type: ignore[arg-type]
