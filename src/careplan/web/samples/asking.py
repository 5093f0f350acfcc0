"""Asking the service in this process, over no socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import structlog
from litestar import Litestar
from litestar.types import ASGIApp

from careplan.web.edition import Edition
from careplan.web.openapi.samples import Answered, Sent


def transport_to(serves: Any) -> httpx.ASGITransport:
    """What sends requests to an application in this process, each with a state of its own, as the server gives it one."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await serves({**scope, "state": {}}, receive, send)

    return httpx.ASGITransport(served)


class Service:
    """A service that answers the thread in which it was made, one request after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, app: Litestar, serves: Any) -> None:
        self._loop = loop
        self._transport = transport_to(serves)
        self.app = app

    def ask(self, sent: Sent, *, breaks_off: bool = False) -> Answered:
        """The answer to one request, of which the body never comes where it `breaks_off`."""
        return self._loop.run_until_complete(self._ask(sent, breaks_off=breaks_off))

    async def _ask(self, sent: Sent, *, breaks_off: bool) -> Answered:
        path, query = target_of(sent)
        headers = dict(sent.headers)
        if sent.body:
            headers |= {"content-type": sent.form, "content-length": str(len(sent.body))}
        request = httpx.Request(
            sent.method,
            f"http://localhost{quote(path, safe='/$')}?{query}",
            headers=headers,
            content=_never() if breaks_off else sent.body,
        )
        answer = await self._transport.handle_async_request(request)
        form = answer.headers.get("content-type", "").partition(";")[0].strip()
        return Answered(answer.status_code, form, await answer.aread(), dict(answer.headers))


async def _never() -> AsyncIterator[bytes]:
    """A body that does not come."""
    await asyncio.Event().wait()
    yield b""


def target_of(sent: Sent) -> tuple[str, str]:
    """Path and query of a request, with its parameters in them."""
    inside = {name: value for name, value in sent.parameters.items() if "{" + name + "}" in sent.path}
    path = sent.path
    for name, value in inside.items():
        path = path.replace("{" + name + "}", value)
    return path, urlencode({name: value for name, value in sent.parameters.items() if name not in inside})


@contextmanager
def answering(app: Litestar, serves: ASGIApp, edition: Edition) -> Iterator[Service]:
    """The service of an application and of what is around it, with an edition of somebody else, as long as the block lasts.

    It is not started as a worker is, so that nothing watches it, and it logs nothing.
    """
    loop = asyncio.new_event_loop()
    before = structlog.get_config()
    structlog.configure(processors=[_dropped])
    edition.requests += 1  # so that it is not closed here
    app.state.desk.swap(edition)
    try:
        yield Service(loop, app, serves)
    finally:
        app.state.desk.swap(None)
        edition.requests -= 1
        app.state.lanes.close()
        app.state.printer.close()
        loop.close()
        structlog.configure(**before)


def _dropped(*_: object) -> Any:
    raise structlog.DropEvent
