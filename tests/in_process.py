"""The whole service in this process, asked as its server asks it and over no socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web import app as composition
from careplan.web.deprecations import Deprecated
from careplan.web.limits.gate import Gate
from careplan.web.methods import Heads
from careplan.web.telemetry.access_log import Journal
from careplan.web.telemetry.tracing import tracing_from

PAUSE = 0.005
"""Seconds between two looks at whether others have their turn."""
Headers = Sequence[tuple[str, str]]


class Answer(NamedTuple):
    """What came back. Names of headers are in small letters."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """A header, empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


class Lag(NamedTuple):
    """An answer, the longest time for which nobody else had a turn meanwhile, and how long /livez took at the most.

    In seconds of this process, so that it does not matter what else the machine has to do.
    """

    answer: Answer
    held: float
    health: float


class Service:
    """The service, to be asked from the thread in which it was made."""

    def __init__(self, loop: asyncio.AbstractEventLoop, serves: Any) -> None:
        self._loop = loop
        self._serves = serves

    def ask(
        self, method: str, target: str, body: bytes = b"", headers: Headers | Mapping[str, str] = (), *, bare: bool = False
    ) -> Answer:
        """The answer to one request. A `bare` one is not said to be JSON."""
        return self._loop.run_until_complete(self._ask(method, target, body, headers, bare=bare))

    def lag(self, method: str, target: str, body: bytes = b"", headers: Headers | Mapping[str, str] = ()) -> Lag:
        """The same with the time for which the request kept others from their turn."""
        return self._loop.run_until_complete(self._lag(method, target, body, headers))

    async def _lag(self, method: str, target: str, body: bytes, headers: Headers | Mapping[str, str]) -> Lag:
        held = health = 0.0

        async def beat() -> None:
            nonlocal held, health
            while True:
                began = time.process_time()
                await asyncio.sleep(PAUSE)
                held = max(held, time.process_time() - began)
                began = time.process_time()
                await self._ask("GET", "/livez", b"", ())
                health = max(health, time.process_time() - began)

        task = asyncio.create_task(beat())
        await asyncio.sleep(0)
        answer = await self._ask(method, target, body, headers)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return Lag(answer, held, health)

    async def _ask(
        self, method: str, target: str, body: bytes, headers: Headers | Mapping[str, str], *, bare: bool = False
    ) -> Answer:
        given = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        if body and not bare and not any(name.lower() == "content-type" for name, _ in given):
            given.append(("content-type", "application/json"))
        parts = urlsplit(target)
        sent = [(b"host", b"localhost"), *((name.lower().encode(), value.encode("latin-1")) for name, value in given)]
        if body:
            sent.append((b"content-length", b"%d" % len(body)))
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": _unquoted(parts.path),
            "raw_path": quote(parts.path, safe="/%$:@").encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": sent,
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        pieces = [{"type": "http.request", "body": body, "more_body": False}]
        found: dict[str, Any] = {"body": []}

        async def receive() -> Any:
            if pieces:
                return pieces.pop()
            return await asyncio.Event().wait()  # The client stays until it is answered.

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                found.update(message)
                found["body"] = []
            else:
                found["body"].append(bytes(message.get("body", b"")))

        await self._serves(scope, receive, send)
        told = [(bytes(name).decode().lower(), bytes(value).decode("latin-1")) for name, value in found.get("headers", ())]
        return Answer(found["status"], told, b"".join(found["body"]))


def _unquoted(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path)


@contextmanager
def in_process(book: Rulebook, deprecated: Sequence[Deprecated] = (), **given: Any) -> Iterator[Service]:
    """A service with this rulebook and these settings, as long as the block lasts."""
    # Between two requests nothing beats here, and what ends a worker that hangs would end the tests.
    settings = Settings(**({"hang_seconds": 3_600} | given))
    loop = asyncio.new_event_loop()
    app = composition.build(book, settings, deprecated=deprecated)
    gate = Gate(app, settings, app.state.metrics, app.state.life, app.state.access)
    serves = Journal(Heads(gate), app.state.metrics, tracing_from({}), https=False)
    up, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            up.set()
            await over.wait()

    life = loop.create_task(live())
    try:
        loop.run_until_complete(up.wait())
        yield Service(loop, serves)
    finally:
        over.set()
        loop.run_until_complete(life)
        loop.close()
