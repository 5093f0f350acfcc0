"""One log line a request, made of our own words only: method, the route as declared, status, time taken.

Paths, queries, headers and bodies stay out: any of them may hold what a caller knows of a patient.
"""

from __future__ import annotations

import time
import uuid

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("careplan")

_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Journal:
    """Wraps the app: gives each request an id, logs it, and adds headers that every answer should have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_SECURITY, (b"x-request-id", request_id.encode())]
                log.info(
                    "request",
                    request_id=request_id,
                    method=scope["method"] if scope["method"] in _METHODS else "other",
                    route=scope.get("path_template") or "none",
                    status=message["status"],
                    milliseconds=round((time.perf_counter() - began) * 1000, 2),
                )
            await send(message)

        await self._app(scope, receive, noting)
