"""HEAD: whatever can be read can be asked for its headers alone."""

from __future__ import annotations

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send


class Heads:
    """Wraps the app: answers HEAD as GET without the body, and names HEAD wherever an answer names GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._head(scope, receive, send)
        else:
            await self._app(scope, receive, _naming(send))

    async def _head(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        asked: HTTPScope = {**scope, "method": HttpMethod.GET}
        answer = _naming(send)

        async def bare(message: Message) -> None:
            if "path_template" in asked:  # Which route it was is noted by whoever logs the request.
                scope["path_template"] = asked["path_template"]
            if message["type"] == "http.response.body":
                message["body"] = b""
            await answer(message)

        await self._app(asked, receive, bare)


def _naming(send: Send) -> Send:
    async def naming(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, _with_head(value) if name.lower() == b"allow" else value)
                for name, value in message.get("headers", ())
            ]
        await send(message)

    return naming


def _with_head(allowed: bytes) -> bytes:
    methods = {one.strip() for one in allowed.split(b",")}
    return b", ".join(sorted(methods | {b"HEAD"} if b"GET" in methods else methods))
