"""One log line, one count and one span a request, made of our own words only: method, the route as declared, status, time.

Paths, queries, headers and bodies stay out: any of them may hold what a caller knows of a patient. The one thing taken
over is the id of a trace, and only if it is exactly of the form that W3C gave it.
"""

from __future__ import annotations

import time
import uuid

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from careplan.errors import Problem
from careplan.media_types import PROBLEM_JSON
from careplan.web.exhaustion import USED_UP, is_exhaustion
from careplan.web.telemetry.logs import places
from careplan.web.telemetry.metrics import Metrics
from careplan.web.telemetry.tracing import Parent, Span, Tracing, parent_of

log = structlog.get_logger("careplan")

SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
PAGE = (
    b"content-security-policy",
    b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
"""For pages that bring no policy of their own: the documentation, whose library writes its script into the page."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAILED = msgspec.json.encode(
    Problem(title="Internal Server Error", status=500, detail="The service failed on this request.")
)
_USED_UP = msgspec.json.encode(Problem(title="Service Unavailable", status=503, detail=USED_UP))


class Journal:
    """Wraps the app: gives each request an id, notes it, and adds headers that every answer should have."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing, *, https: bool = False) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._headers = SECURITY + (((b"strict-transport-security", b"max-age=31536000"),) if https else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        with self._tracing.request(_parent(scope)) as span:
            await self._serve(scope, receive, send, span)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send, span: Span) -> None:
        request_id = uuid.uuid4().hex
        began = time.perf_counter()
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = list(message.get("headers", ()))
                page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in given)
                policy = (PAGE,) if page and not any(name == PAGE[0] for name, _ in given) else ()
                message["headers"] = [*given, *self._headers, *policy, (b"x-request-id", request_id.encode())]
                self._note(scope, request_id, int(message["status"]), time.perf_counter() - began, span)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001 - its words may quote the patient, so it goes no further
            if started and (status := _cut_off(error)) is not None:
                log.info("cut off", request_id=request_id, why=_WHY.get(status, "refused"))
                return
            log.error("failed", request_id=request_id, error=type(error).__name__, at=places(error.__traceback__))
            if not started:
                further: tuple[tuple[bytes, bytes], ...] = ()
                status, body = 500, _FAILED
                if is_exhaustion(error):
                    self._metrics.exhausted.inc()
                    status, body, further = 503, _USED_UP, ((b"retry-after", b"1"),)
                headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", b"%d" % len(body)), *further]
                await noting({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body, "more_body": False})

    def _note(self, scope: HTTPScope, request_id: str, status: int, seconds: float, span: Span) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = scope.get("path_template") or "none"
        self._metrics.answered(method, route, status, seconds)
        span.answer(method, route, status)
        fields = {"trace_id": span.trace_id} if span.trace_id else {}
        caller = scope.get("state", {}).get("caller")
        log.info(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 2),
            **fields,
            **({"caller": caller} if caller else {}),
        )


def _cut_off(error: BaseException | None) -> int | None:
    """The status that an answer would have had if it had not begun: the caller went away, or was too slow."""
    while error is not None:
        if isinstance(error, HTTPException) and error.status_code < 500:
            return error.status_code
        error = error.__cause__ or error.__context__
    return None


_WHY = {400: "the caller went away, or the service stops", 408: "the caller was too slow"}


def _parent(scope: HTTPScope) -> Parent | None:
    return next((parent_of(value) for name, value in scope["headers"] if name == b"traceparent"), None)
