"""Errors as RFC 9457 problem documents. Nothing that a caller sent is repeated in one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from careplan.errors import InvalidPatient, Problem, problem_of
from careplan.fhir.write.operation_outcome import outcome
from careplan.media_types import FHIR_JSON, JSON, PROBLEM_JSON
from careplan.representations import BY_MEDIA_TYPE
from careplan.web.exhaustion import USED_UP, is_exhaustion
from careplan.web.query_words import missing, what_is_wanted
from careplan.web.telemetry.logs import places

log = structlog.get_logger("careplan")


RETRY_SECONDS = "1"
_DETAILS = {
    400: "The request could not be read.",
    401: "Show who you are, by an API key or an access token in the Authorization header.",
    403: "These credentials do not allow this; the WWW-Authenticate header names the scope that does.",
    404: "There is nothing at this address.",
    405: "This address does not take this method; the Allow header says which it takes.",
    406: f"There is no answer of the types that Accept names; there are: {', '.join(BY_MEDIA_TYPE)}. "
    "explain and records come as application/json only.",
    408: "The body did not arrive in time.",
    412: "Neither medicines nor conditions of the patient were sent, and nothing is fetched from here. Send what the "
    "prefetch keys statements, requests and conditions ask for, and null where there is nothing on record.",
    413: "The body is larger than this service takes.",
    415: "Send the body as application/json, or where a Bundle is taken as application/fhir+json, of FHIR R4 or R4B.",
    429: "You ask faster than you may; the Retry-After header says when to ask again.",
    503: "No rulebook is ready to plan with.",
}


def problem(request: Request[Any, Any, Any], document: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    """The answer that carries a problem document; for callers that speak FHIR, the same as an OperationOutcome."""
    if _speaks_fhir(request):
        root = "Request" if request.scope["path"].startswith("/cds-services") else "Bundle"
        return Response(
            msgspec.json.encode(outcome(document, root)),
            status_code=document.status,
            media_type=FHIR_JSON,
            headers={"Cache-Control": "no-store"} | (headers or {}),
        )
    return Response(
        msgspec.json.encode(document),
        status_code=document.status,
        media_type=PROBLEM_JSON,
        headers={"Cache-Control": "no-store"} | (headers or {}),
    )


def _speaks_fhir(request: Request[Any, Any, Any]) -> bool:
    if request.scope["path"].startswith(("/fhir/", "/cds-services")):
        return True
    accepted = {one.partition(";")[0].strip() for line in request.headers.getall("accept", []) for one in line.split(",")}
    return (FHIR_JSON in accepted and JSON not in accepted) or request.content_type[0] == FHIR_JSON


def on_invalid_patient(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Name every fault of a body. A body that is not JSON at all is 400, one with wrong factors 422."""
    assert isinstance(error, InvalidPatient)
    found = problem_of(error)
    request.app.state.metrics.rejected("unreadable" if found.status == 400 else "faults")
    return problem(request, found)


def on_validation(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Name the query parameters that cannot be used."""
    assert isinstance(error, ValidationException)
    keys = [str(entry["key"]) for entry in error.extra or [] if isinstance(entry, dict) and entry.get("key")]
    names = [_NAMES.get(key, key) for key in keys]
    words = getattr(error, "words", "")
    faults = [what_is_wanted(request, name) for name in dict.fromkeys(names or missing(request)) if name != _NAMES["data"]]
    said = "; ".join(faults)
    nothing = _NO_BODY if _NAMES["data"] in names else _DETAILS[400]
    return problem(
        request,
        Problem(
            title=HTTPStatus.BAD_REQUEST.phrase,
            status=400,
            detail=f"{words[:1].upper()}{words[1:]}."
            if words
            else f"In the query, {said}{'' if said.endswith('?') else '.'}"
            if said
            else nothing,
        ),
    )


_NAMES = {"data": "the body"}
_NO_BODY = "The request has no body, and this address takes one; an empty object, {}, is the shortest that it reads as JSON."


def on_http(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Any error with a status: 404, 405, 413, 415 and their like."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("failed", error=type(error).__name__, at=places(error.__traceback__))
    if status in _REJECTED:
        request.app.state.metrics.rejected(_REJECTED[status])
    allow = {
        name: value
        for name, value in (error.headers or {}).items()
        if name.lower() in ("allow", "connection", "retry-after", "www-authenticate")
    }
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        # The rest of the body was not read, so nothing more can come on this connection.
        allow["Connection"] = "close"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        allow.setdefault("Retry-After", RETRY_SECONDS)
    detail = getattr(error, "words", "") or _DETAILS.get(status, "")
    if status == HTTPStatus.NOT_ACCEPTABLE and isinstance(error.extra, dict) and error.extra["there"]:
        detail = f"There is no answer of the types that Accept names; there are: {', '.join(error.extra['there'])}."
    return problem(request, Problem(title=status.phrase, status=status, detail=detail), allow)


_REJECTED = {413: "too large", 415: "media type"}


def on_failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect of ours: logged by type and place, because the words of an error may quote the patient.

    Where memory, threads or files are used up it is none: whoever asks again shortly may be answered.
    """
    log.error("failed", error=type(error).__name__, at=places(error.__traceback__))
    if is_exhaustion(error):
        state = request.app.state
        state.metrics.exhausted.inc()
        state.life.exhausted()
        used_up = Problem(title=HTTPStatus.SERVICE_UNAVAILABLE.phrase, status=503, detail=USED_UP)
        return problem(request, used_up, {"Retry-After": RETRY_SECONDS})
    return problem(
        request,
        Problem(title="Internal Server Error", status=500, detail="The service failed on this request. It is logged."),
    )
