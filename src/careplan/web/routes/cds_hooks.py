"""The CDS Hooks 2.0 end points: discovery, the service, feedback."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import structlog
from litestar import Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody, Parameter

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.cds_hooks.call import HookCall, MissingData, read_call
from careplan.fhir.cds_hooks.cards import Cards, mark_of, rules_by_mark
from careplan.fhir.cds_hooks.prefetch import templates
from careplan.fhir.cds_hooks.services import ORDERING, SERVICES, services
from careplan.fhir.read.bundle import with_unmapped
from careplan.fhir.read.element import Element
from careplan.request.patient import TIME
from careplan.web.edition import Edition, JsonRequest, edition_of
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.web.security.access import Access, admit, mark_of_client
from careplan.web.telemetry.metrics import Metrics
from careplan.whole_patterns import in_python

if TYPE_CHECKING:
    from careplan.web.security.cds_clients import Trust

Json = dict[str, Any]

OUTCOMES = ("accepted", "overridden")
log = structlog.get_logger("careplan")
_encode = msgspec.json.Encoder().encode
_Service = Annotated[
    str, Parameter(pattern=in_python(r"^[a-z0-9\-]{1,64}$"), max_length=64, description="id of the service")
]


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """How often the cards of a rule were accepted and set aside, since the service started."""

    rule: str
    accepted: int = 0
    overridden: int = 0


class ServiceRequest(JsonRequest):
    """A request to one of the services that there are."""

    async def service_body(self) -> bytes:
        """The body. Raises `NotFoundException` for any other service."""
        if self.path_params["service"] not in SERVICES:
            raise NotFoundException
        return await self.json_body()


class HookRequest(ServiceRequest):
    """A request whose body is a call of a hook."""

    async def json(self) -> HookCall:
        """The call. Raises `InvalidPatient`, and `HTTPException` with 412 when data was not sent that is needed."""
        body, reader = await self.service_body(), edition_of(self).fhir
        try:
            hooks = SERVICES[self.path_params["service"]]
            return await self.beside(lambda: read_call(reader.parse(body), reader, datetime.now(UTC).date(), hooks))
        except MissingData:
            raise HTTPException(status_code=412) from None


class FeedbackRequest(ServiceRequest):
    """A request whose body is feedback on cards."""

    async def json(self) -> list[tuple[str, str]]:
        """Each card with its outcome. Raises `InvalidPatient`."""
        body, reader = await self.service_body(), edition_of(self).fhir
        return await self.beside(lambda: _feedback_of(reader.parse(body)))


async def trusted(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only trusted CDS clients pass; where none are configured, whoever may ask for plans.

    Raises `HTTPException` with a bare 401 for all others.
    """
    trust: Trust | None = connection.app.state.trust
    access: Access = connection.app.state.access
    if trust is None:
        await admit(connection, "plan")
        return
    from careplan.web.security.cds_clients import Untrusted

    try:
        issuer = await trust.check(connection.headers.get("authorization"), connection.scope["path"])
    except Untrusted:
        raise HTTPException(status_code=401, headers={"WWW-Authenticate": "Bearer"}) from None
    name = f"cds-{mark_of_client(issuer)}"
    connection.scope["state"]["caller"] = name
    access.spend_by_name(name)


@get(
    "/cds-services",
    operation_id="discoverCdsServices",
    summary="The services of CDS Hooks",
    description="Which hooks are served, and the prefetch templates: only what some rule looks at.",
    tags=["cds-hooks"],
    sync_to_thread=False,
    opt={"scope": None},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def discover(request: Request[None, None, State]) -> Response[Json]:
    """List the services."""
    book = edition_of(request).planner.book
    return _answer(services(templates(book.rules.values(), book.derived, book.codes.observations)))


@post(
    "/cds-services/{service:str}",
    status_code=200,
    operation_id="callCdsService",
    summary="Cards for a patient",
    description=(
        "Takes a call of patient-view, order-select, order-sign or appointment-book and answers with cards, of which the "
        "first is the front page of the plan. Medicines or conditions must be in the prefetch (412 otherwise); of the two, "
        "what was not sent is named on the first card. null means that there are none on record, which is not the same as "
        "having none. Each hook has a service of its own; the id ketamine-care-plan takes all of them."
    ),
    tags=["cds-hooks"],
    request_class=HookRequest,
    guards=[trusted],
    opt={"scope": None},
    responses=documented(PROBLEMS, 400, 401, 404, 412, 413, 415, 422, 500, 503),
    response_description="The cards; an empty list where there is nothing to say.",
)
async def call_service(
    service: FromPath[_Service],  # noqa: ARG001 - the request has looked at it
    data: JSONBody[HookCall],
    request: Request[None, None, State],
) -> Response[Json]:
    """Make cards for one call."""
    edition = edition_of(request)
    if data.died:
        return _answer({"cards": _cards(edition, request.app.state.address).of_the_deceased(data.instance)})
    read = msgspec.structs.replace(data.read, patient=data.read.patient.under(edition.defaults))
    ordering = data.hook in ORDERING
    cards = _cards(edition, request.app.state.address)

    def answer_with_cards() -> Response[Json]:
        plan = with_unmapped(edition.planner.plan(read.patient), read)
        if ordering and not data.orders:
            return _answer({"cards": []})
        return _answer({"cards": cards.of(plan, read, data.instance, ordering=ordering, missing=data.missing)})

    answer: Response[Json] = await request.app.state.lanes.do(len(await request.body()), answer_with_cards)
    return answer


def _cards(edition: Edition, address: str) -> Cards:
    book = edition.planner.book
    return Cards(book.about, book.rules, book.codes.override_reasons, address)


@post(
    "/cds-services/{service:str}/feedback",
    status_code=200,
    operation_id="sendCdsFeedback",
    summary="What became of cards",
    description="Counted by rule; comments, users and times are not kept.",
    tags=["cds-hooks"],
    sync_to_thread=False,
    request_class=FeedbackRequest,
    guards=[trusted],
    opt={"scope": None},
    responses=documented(PROBLEMS, 400, 401, 404, 413, 415, 422, 500, 503),
    response_description="Taken.",
)
def take_feedback(
    service: FromPath[_Service],  # noqa: ARG001 - the request has looked at it
    data: JSONBody[list[tuple[str, str]]],
    request: Request[None, None, State],
) -> Response[Json]:
    """Count the outcomes."""
    rules = rules_by_mark(edition_of(request).planner.book.rules)
    metrics: Metrics = request.app.state.metrics
    for card, outcome in data:
        rule = rules.get(mark_of(card) or b"", "unknown")
        metrics.heard(rule, outcome)
        log.info("feedback", rule=rule, outcome=outcome)
    return _answer({})


@get(
    "/v1/feedback",
    operation_id="getFeedback",
    summary="How cards were received",
    description="How often the cards of each rule were accepted and set aside, since the service started.",
    tags=["cds-hooks"],
    sync_to_thread=False,
    opt={"scope": "observe"},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def get_feedback(request: Request[None, None, State]) -> list[Heard]:
    """The counts by rule."""
    metrics: Metrics = request.app.state.metrics
    counts = metrics.feedback()
    return [
        Heard(rule=rule, accepted=counts[rule, "accepted"], overridden=counts[rule, "overridden"])
        for rule in sorted({rule for rule, _ in counts})
    ]


def _feedback_of(body: object) -> list[tuple[str, str]]:
    faults: list[Fault] = []
    if not isinstance(body, dict):
        raise InvalidPatient([Fault(pointer="", detail="must be an object")])
    whole = Element(body, "", faults)
    entries = list(whole.children("feedback"))
    if not entries:
        whole.fault("feedback", "must be a list with at least one entry")
    outcomes = [_outcome_of(entry) for entry in entries]
    if faults:
        raise InvalidPatient(sorted(set(faults)))
    return outcomes


def _outcome_of(entry: Element) -> tuple[str, str]:
    """The uuid of a card and what became of it; faults are noted at the entry."""
    card, outcome, when = entry.text("card"), entry.text("outcome"), entry.text("outcomeTimestamp")
    if card is None or mark_of(card) is None:
        entry.fault("card", "must be the uuid of a card")
    if outcome not in OUTCOMES:
        entry.fault("outcome", f"must be one of {', '.join(OUTCOMES)}")
    if when is None or not re.fullmatch(TIME, when):
        entry.fault("outcomeTimestamp", "must be a time such as 2026-01-31T14:00:00Z")
    accepted = list(entry.children("acceptedSuggestions"))
    if outcome == "accepted" and not accepted:
        entry.fault("acceptedSuggestions", "is missing; it goes with accepted")
    for suggestion in accepted:
        if mark_of(suggestion.text("id") or "") is None:
            suggestion.fault("id", "must be the uuid of a suggestion")
    if (override := entry.child("overrideReason")) is not None:
        override.text("userComment")
        if (reason := override.child("reason")) is not None and reason.text("code") is None:
            reason.fault("code", "is missing")
    return card or "", outcome or ""


def _answer(body: Json) -> Response[Json]:
    return Response(_encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})  # type: ignore[arg-type]
