"""Asking the service in this process, over no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import structlog
from litestar import Litestar
from litestar.types import ASGIApp

from careplan.web.edition import Edition
from careplan.web.openapi.samples import Answered, Sent


class Service:
    """A service that answers the thread in which it was made, one request after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, app: Litestar, serves: ASGIApp) -> None:
        self._loop = loop
        self._serves = serves
        self.app = app

    def ask(self, sent: Sent, *, breaks_off: bool = False) -> Answered:
        """The answer to one request, of which the body never comes where it `breaks_off`."""
        return self._loop.run_until_complete(self._ask(sent, breaks_off=breaks_off))

    async def _ask(self, sent: Sent, *, breaks_off: bool) -> Answered:
        path, query = target_of(sent)
        headers = {"host": "localhost"} | {name.lower(): value for name, value in sent.headers.items()}
        if sent.body:
            headers |= {"content-type": sent.form, "content-length": str(len(sent.body))}
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": sent.method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path, safe="/$").encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        pieces = [] if breaks_off else [{"type": "http.request", "body": sent.body, "more_body": False}]
        began: dict[str, Any] = {}
        body: list[bytes] = []

        async def receive() -> Any:
            return pieces.pop() if pieces else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                began.update(message)
            else:
                body.append(bytes(message.get("body", b"")))

        await self._serves(scope, receive, send)  # type: ignore[arg-type]
        told = {bytes(name).decode().lower(): bytes(value).decode("latin-1") for name, value in began["headers"]}
        form = told.get("content-type", "").partition(";")[0].strip()
        return Answered(began["status"], form, b"".join(body), told)


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
