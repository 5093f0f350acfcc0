"""The whole service in this process, asked as its server asks it and over no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import msgspec

from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web import app as composition
from careplan.web.deprecations import Deprecated
from careplan.web.limits.gate import Gate
from careplan.web.methods import Heads
from careplan.web.samples.asking import transport_to
from careplan.web.telemetry.access_log import Journal
from careplan.web.telemetry.tracing import tracing_from
from tests.work import Calls, counted

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
    """An answer, the most calls of functions between two turns of others, and those until /livez was answered."""

    answer: Answer
    held: int
    health: int


class Service:
    """The service, to be asked from the thread in which it was made."""

    def __init__(self, loop: asyncio.AbstractEventLoop, serves: Any, app: Any) -> None:
        self.app = app
        self._loop = loop
        self._transport = transport_to(_without_bodies_for_head(serves))

    def ask(
        self, method: str, target: str, body: bytes = b"", headers: Headers | Mapping[str, str] = (), *, bare: bool = False
    ) -> Answer:
        """The answer to one request. A `bare` one is not said to be JSON."""
        return self._loop.run_until_complete(self._ask(method, target, body, headers, bare=bare))

    def ask_at_once(self, *requests: tuple[str, str, bytes]) -> list[Answer]:
        """The answers to several requests that come at the same time, each a method, a target and a body."""

        async def all_of_them() -> list[Answer]:
            return await asyncio.gather(*(self._ask(method, target, body, ()) for method, target, body in requests))

        return self._loop.run_until_complete(all_of_them())

    def lag(self, method: str, target: str, body: bytes = b"", headers: Headers | Mapping[str, str] = ()) -> Lag:
        """The same with what the request did while it kept others from their turn."""
        return self._loop.run_until_complete(self._lag(method, target, body, headers))

    async def _lag(self, method: str, target: str, body: bytes, headers: Headers | Mapping[str, str]) -> Lag:
        held = health = 0

        async def beat(so_far: Calls) -> None:
            nonlocal held, health
            while True:
                began = so_far.count
                await asyncio.sleep(PAUSE)
                held = max(held, so_far.count - began)
                began = so_far.count
                await self._ask("GET", "/livez", b"", ())
                health = max(health, so_far.count - began)

        with counted() as so_far:
            task = asyncio.create_task(beat(so_far))
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
        request = httpx.Request(
            method,
            f"http://localhost{target}",
            headers=[(name.encode(), value.encode("latin-1")) for name, value in given],
            content=body,
        )
        answer = await self._transport.handle_async_request(request)
        told = [(name.decode().lower(), value.decode("latin-1")) for name, value in answer.headers.raw]
        return Answer(answer.status_code, told, await answer.aread())


def _without_bodies_for_head(serves: Any) -> Any:
    """The same, which fails where HEAD is answered with a body: what asks leaves that out in silence."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            assert scope["method"] != "HEAD" or not message.get("body"), "HEAD was answered with a body"
            await send(message)

        await serves(scope, receive, sent)

    return served


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
        yield Service(loop, serves, app)
    finally:
        over.set()
        loop.run_until_complete(life)
        loop.close()
