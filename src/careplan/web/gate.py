"""The gate before the application: only hosts that are ours, only as many requests as can be worked on, no endless body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from careplan.errors import Problem
from careplan.settings import Settings
from careplan.web.life import Life
from careplan.web.metrics import Metrics
from careplan.web.problems import PROBLEM_JSON

VITAL = frozenset({"/livez", "/readyz"})
"""Asked by the machines that run the service: always answered, under whatever name they reach it."""
ENDLESS = frozenset({"/v1/care-plans/batch"})
"""Bodies of any length, of which each piece has its own time."""
RETRY_SECONDS = 1


class Gate:
    """Wraps the app."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, life: Life) -> None:
        self._app = app
        self._hosts = settings.hosts
        self._most = settings.concurrency
        self._body_seconds = settings.body_seconds
        self._metrics = metrics
        self._life = life
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        if scope["path"] in VITAL:
            await self._app(scope, receive, send)
            return
        if self._hosts is not None and _host(scope) not in self._hosts:
            await _refuse(
                send, 421, "Misdirected Request", "This service does not answer under the name in the Host header."
            )
            return
        if self._in_hand >= self._most:
            self._metrics.shed.inc()
            detail = "More requests are in hand than can be worked on. Try again shortly."
            await _refuse(send, 503, "Service Unavailable", detail, (b"retry-after", b"%d" % RETRY_SECONDS))
            return
        self._in_hand += 1
        self._metrics.in_hand.inc()
        try:
            whole = scope["path"] not in ENDLESS
            await self._app(scope, self._timed(receive, whole=whole), self._parting(send) if self._life.draining else send)
        finally:
            self._in_hand -= 1
            self._metrics.in_hand.dec()

    def _timed(self, receive: Receive, *, whole: bool) -> Receive:
        """`receive` until the body is complete, within the time for it, or for each piece of it. Raises 408 afterwards."""
        until = asyncio.get_running_loop().time() + self._body_seconds
        complete = False

        async def timed() -> Any:
            nonlocal complete, until
            if complete:
                return await receive()
            if not whole:
                until = asyncio.get_running_loop().time() + self._body_seconds
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                self._metrics.rejected("slow")
                raise HTTPException(status_code=408, headers={"Connection": "close"}) from None
            if message["type"] == "http.disconnect":
                # The sender is gone, or broke the rules of HTTP in the middle of its body.
                self._metrics.rejected("cut off")
                raise HTTPException(status_code=400, headers={"Connection": "close"})
            complete = not message.get("more_body", False)
            return message

        return timed

    @staticmethod
    def _parting(send: Send) -> Callable[[Message], Awaitable[None]]:
        """`send` that ends the connection with the answer, so that the client opens its next one elsewhere."""

        async def parting(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        return parting


def _host(scope: HTTPScope) -> str:
    """The name in the Host header, without its port, in small letters; empty if it is missing or stands twice."""
    found = [value for name, value in scope["headers"] if name == b"host"]
    if len(found) != 1:
        return ""
    name = found[0].decode("latin-1").lower()
    return name[: name.index("]") + 1] if name.startswith("[") and "]" in name else name.partition(":")[0]


async def _refuse(send: Send, status: int, title: str, detail: str, *headers: tuple[bytes, bytes]) -> None:
    body = msgspec.json.encode(Problem(title=title, status=status, detail=detail))
    fixed = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
