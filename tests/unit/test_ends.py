"""What a request is handed to receive and send by ends with it, whatever still refers to the request."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from careplan.settings import Settings
from careplan.web.limits.gate import Gate
from careplan.web.process.worker import Life
from careplan.web.security.access import Access
from careplan.web.telemetry.metrics import Metrics


class Server:
    """The server's side of a connection, which is held open while anything refers to it."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(self, message: Any) -> None:
        self.sent.append(message)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def asked(path: str, application: Any, server: Server) -> None:
    """Let this application answer one request."""
    scope: Any = {
        "type": "http",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "state": {},
    }
    counts, settings = Metrics(), Settings()
    gate = Gate(application, settings, counts, Life(3_600, counts.flush), Access(settings))
    await gate(scope, server.receive, server.send)


@pytest.mark.parametrize("path", ["/v1/care-plans", "/v1/care-plans/batch", "/v1/rulebook"])
def test_a_reference_cycle_does_not_hold_a_connection(path: str) -> None:
    reached = []

    async def keeping(_: Any, receive: Any, send: Any) -> None:
        await receive()
        reached.append(path)
        cycle: dict[str, Any] = {"receive": receive, "send": send}
        cycle["itself"] = cycle

    server = Server()
    held = weakref.ref(server)
    with without_garbage_collection():
        asyncio.run(asked(path, keeping, server))
        del server
        assert reached == [path]
        assert held() is None


def test_nobody_sends_or_receives_after_the_end() -> None:
    kept: list[Any] = []

    async def keeping(_: Any, receive: Any, send: Any) -> None:
        kept.extend([receive, send])

    async def late(server: Server) -> None:
        await asked("/v1/care-plans/batch", keeping, server)
        receive, send = kept
        with pytest.raises(RuntimeError, match="over"):
            await receive()
        with pytest.raises(RuntimeError, match="over"):
            await send({"type": "http.response.body"})

    server = Server()
    asyncio.run(late(server))
    assert server.sent == []
