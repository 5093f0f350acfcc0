"""The gate before the application: hosts that are ours, as many requests as can be worked on, a share for each caller."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from careplan.errors import Problem
from careplan.media_types import PROBLEM_JSON
from careplan.settings import Settings
from careplan.web.limits.bodies import Bodies
from careplan.web.limits.ends import Ends
from careplan.web.limits.fair_shares import Limit, Shares
from careplan.web.limits.turns import Turns
from careplan.web.process.worker import Life
from careplan.web.security.access import Access
from careplan.web.telemetry.metrics import Metrics

VITAL = frozenset({"/livez", "/readyz"})
"""Asked by the machines that run the service: always answered, under whatever name they reach it."""
ENDLESS = frozenset({"/v1/care-plans/batch"})
"""Bodies of any length, of which each piece has its own time."""
SIGNED = "/cds-services/"
"""Below it, callers may show a token that works once; so it is looked at by the application alone."""
SINGLE = frozenset({b"authorization", b"x-api-key", b"content-type", b"host"})
"""Headers of which the last would count here, and the first for a proxy that looks at them."""
LONGEST_TARGET = 8_192
"""Of path and query, in characters, as servers and proxies usually take it."""
RETRY_SECONDS = 1
_SCRAPED = "/metrics"
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?")
_HIGHEST_PORT = 65_535
_BUSY = "More requests are in hand than can be worked on, of all callers or of you. Try again shortly."
_LATE = "There was no time for this request. Try again shortly."


class Gate:
    """Wraps the app. A request has a place in it from when its body is whole until it is answered."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, life: Life, access: Access) -> None:
        self._app = app
        self._hosts = settings.hosts
        self._access = access
        self._bodies = Bodies(max(settings.body_limit, settings.record_limit), settings.body_seconds, metrics)
        self._seconds = settings.request_seconds
        self._places, self._batches = Shares(settings.concurrency), Shares(settings.batches)
        self._turns = Turns()
        self._metrics = metrics
        self._life = life

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == ScopeType.HTTP and "//" in scope["path"]:
            # The router takes several slashes for one; so must whatever tells addresses apart.
            scope["path"] = re.sub("/{2,}", "/", scope["path"])
        if scope["type"] != ScopeType.HTTP or scope["path"] in VITAL:
            await self._app(scope, receive, send)
            return
        if len(scope["path"]) + len(scope["query_string"]) > LONGEST_TARGET:
            await _refuse(send, 414, "URI Too Long", "The address and its query are longer than this service takes.")
            return
        if self._hosts is not None and _host(scope) not in self._hosts and not self._scraped(scope):
            await _refuse(
                send, 421, "Misdirected Request", "This service does not answer under the name in the Host header."
            )
            return
        if fault := _ambiguous(scope):
            await _refuse(send, 400, "Bad Request", fault, (b"connection", b"close"))
            return
        if self._life.draining:
            send = _parting(send)
        ends = Ends(receive, send)
        try:
            await self._let_in(scope, ends.receive, ends.send)
        finally:
            ends.let_go()

    async def _let_in(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        who = await self._who(scope)
        endless = scope["path"].rstrip("/") in ENDLESS
        discarding = None if endless or _waits(scope) else self._bodies.discarding(receive, send, _length(scope))
        if discarding is not None:
            receive, send = discarding.receive, discarding.send
        try:
            await self._admitted(scope, receive, send, who, endless=endless)
        finally:
            # Whoever is still sending keeps no place.
            if discarding is not None:
                await discarding.finish()

    async def _admitted(self, scope: HTTPScope, receive: Receive, send: Send, who: str, *, endless: bool) -> None:
        if endless:
            receive, send = self._bodies.endless(receive), self._bodies.taken(send)
        elif (length := _length(scope)) != 0 and not self._turned_away(scope):
            whole = await self._bodies.whole(receive, length, who)
            if whole is None:
                await self._shed(send)
                return
            receive = whole
        shares = self._batches if endless else self._places
        if not shares.take(who):
            await self._shed(send)
            return
        self._metrics.in_hand.inc()
        try:
            await (self._app if endless else self._timed)(scope, receive, send)
        finally:
            shares.give(who)
            self._metrics.in_hand.dec()

    async def _who(self, scope: HTTPScope) -> str:
        """Whose share this is: of the caller that the credentials prove, otherwise of the address."""
        if self._access.needed and not scope["path"].startswith(SIGNED):
            caller = await self._access.recognize(scope)
            if caller is not None:
                return f"caller {caller.name}"
        address = scope["client"][0] if scope["client"] else ""
        # One line of IPv6 has very many addresses.
        return f"{int(IPv6Address(address)) >> 64:x}" if ":" in address and "%" not in address else address

    def _turned_away(self, scope: HTTPScope) -> bool:
        """Whether the application will refuse the caller without a look at the body."""
        return self._access.needed and scope["state"].get("recognized", False) is None

    def _scraped(self, scope: HTTPScope) -> bool:
        """Whether this is a collector of metrics, which asks each instance by its address; not where only loopback does."""
        return scope["path"] == _SCRAPED and self._access.needed

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, due = False, asyncio.get_running_loop().time() + self._seconds
        # All whose bodies are whole by now get their places before one of them is worked on; others see that it is full.
        await asyncio.sleep(0)
        await self._turns.take()
        if asyncio.get_running_loop().time() > due:
            await self._shed(send, _LATE)
            return

        async def noting(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            with Limit(self._seconds):
                await self._app(scope, receive, noting)
        except TimeoutError:
            if began:
                raise
            await self._shed(send, _LATE)

    async def _shed(self, send: Send, detail: str = _BUSY) -> None:
        self._metrics.shed.inc()
        await _refuse(send, 503, "Service Unavailable", detail, (b"retry-after", b"%d" % RETRY_SECONDS))


def _parting(send: Send) -> Callable[[Message], Awaitable[None]]:
    """`send` that ends the connection with the answer, so that the client opens its next one elsewhere."""

    async def parting(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
        await send(message)

    return parting


def _length(scope: HTTPScope) -> int | None:
    """How long the header says that the body is; None if it will be seen when it ends. The server has checked the header."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            return None
    return length


def _ambiguous(scope: HTTPScope) -> str:
    """What of the headers others on the way may read otherwise; empty if there is nothing."""
    seen: set[bytes] = set()
    for name, value in scope["headers"]:
        if name in SINGLE and name in seen:
            return f"The header {name.decode()} stands more than once."
        # The server takes off only this coding, whatever stands before it.
        if name == b"transfer-encoding" and (name in seen or value.strip().lower() != b"chunked"):
            return "The only Transfer-Encoding that is taken is chunked, and once."
        if name == b"host" and not _is_address(value):
            return "The Host header takes a name or address, and behind a colon the number of a port."
        seen.add(name)
    return ""


def _is_address(host: bytes) -> bool:
    """Whether this is a host with or without a port: on anything else whatever takes it apart later fails."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    address, port = found.groups()
    try:
        return (address is None or bool(IPv6Address(address.decode()))) and int(port or 0) <= _HIGHEST_PORT
    except ValueError:
        return False


def _waits(scope: HTTPScope) -> bool:
    """Whether the body is sent only when it is asked for."""
    return any(name == b"expect" for name, _ in scope["headers"])


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
