"""Receiving bodies: whole ones before anything is spent on them, endless ones piece by piece, none for longer than that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar.exceptions import HTTPException
from litestar.types import Message, Receive, Send

from careplan.web.limits.fair_shares import Limit, Shares
from careplan.web.telemetry.metrics import Metrics

SLOWEST = 64.0
"""Bytes a second that the sender of an endless body must send on the average, while we wait for it."""
BUFFERED = 64 * 1_048_576
"""Bytes of bodies that came in several pieces and are not whole yet."""
DISCARDED = 64 * 1_048_576
"""As much of a body that is too long is read and thrown away, so that its sender hears why."""
_TOO_LONG = 413


class Discarding:
    """Answers a request whose body is too long, and then throws the rest of it away; any other it leaves as it is.

    A connection that is ended while somebody still sends to it is reset, and the answer lost with it. So the answer is
    sent at once, and ends when the body does: for how long and how much there are limits.
    """

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._is_refusal = self._is_held = False
        self._is_whole = False

    async def receive(self) -> Any:
        """A piece of the body."""
        message: Any = await self._receive()
        self._is_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass on all, but not yet the end of the answer that a body is too long."""
        if message["type"] == "http.response.start":
            self._is_refusal = message["status"] == _TOO_LONG and not self._is_whole
        if not self._is_refusal:
            pass
        elif message["type"] == "http.response.start":
            # Without its length, as the server ends the connection once all of an answer is sent.
            headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"content-length"]
            message["headers"] = [*headers, (b"connection", b"close")]
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_held = True
            message["more_body"] = True
        await self._send(message)

    async def finish(self) -> None:
        """Throw away what comes, then end the answer."""
        if not self._is_held:
            return
        left = DISCARDED
        try:
            with Limit(self._seconds):
                while not self._is_whole and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except (TimeoutError, HTTPException):
            pass  # What is not there by now is not waited for.
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class Bodies:
    """Receives for the requests of one worker."""

    def __init__(self, body_limit: int, body_seconds: float, metrics: Metrics) -> None:
        self._limit = body_limit
        self._seconds = body_seconds
        self._metrics = metrics
        self._buffered = Shares(BUFFERED)

    async def whole(self, receive: Receive, length: int | None, who: str) -> Receive | None:
        """A `receive` with the whole body, or with what the application refuses; None when too many bodies are on their way.

        `length` is what the header says, None if it does not.
        """
        if length is not None and length > self._limit:
            # Refused unread.
            return self.endless(receive)
        pieces: list[Any] = []
        size = 0
        try:
            with Limit(self._seconds):
                while True:
                    message: Any = await receive()
                    if message["type"] == "http.disconnect":
                        # The sender is gone, or broke the rules of HTTP in the middle of its body.
                        return self._failing("cut off", 400)
                    pieces.append(message)
                    if not message.get("more_body", False):
                        return _again(pieces, receive)
                    piece = len(message.get("body", b""))
                    if not self._buffered.take(who, piece):
                        return None
                    size += piece
                    if size > self._limit:
                        return _again(pieces, self.endless(receive))
        except TimeoutError:
            return self._failing("slow", 408)
        finally:
            if size:
                self._buffered.give(who, size)

    def _failing(self, why: str, status: int) -> Receive:
        self._metrics.rejected(why)

        async def failing() -> Any:
            raise HTTPException(status_code=status, headers={"Connection": "close"})

        return failing

    def endless(self, receive: Receive) -> Receive:
        """`receive` that fails with 408 when a piece does not come in time, or next to nothing does for too long."""
        left = self._seconds
        complete = False
        loop = asyncio.get_running_loop()

        async def timed() -> Any:
            nonlocal left, complete
            if complete:
                return await receive()
            began = loop.time()
            try:
                with Limit(left):
                    message = await receive()
            except TimeoutError:
                left = self._seconds
                self._metrics.rejected("slow")
                raise HTTPException(status_code=408, headers={"Connection": "close"}) from None
            if message["type"] == "http.disconnect":
                self._metrics.rejected("cut off")
                raise HTTPException(status_code=400, headers={"Connection": "close"})
            sent = len(message.get("body", b""))  # type: ignore[arg-type]
            left = min(self._seconds, left - (loop.time() - began) + sent / SLOWEST)
            complete = not message.get("more_body", False)
            return message

        return timed

    def discarding(self, receive: Receive, send: Send, length: int | None) -> Discarding | None:
        """What receives and sends for a request whose body may be too long; None for any other."""
        may_be = length is None or length > self._limit
        return Discarding(receive, send, self._seconds) if may_be else None

    def taken(self, send: Send) -> Send:
        """`send` that fails with 408 when the other side does not take a piece in time."""

        async def timed(message: Message) -> None:
            try:
                with Limit(self._seconds):
                    await send(message)
            except TimeoutError:
                raise HTTPException(status_code=408) from None

        return timed


def _again(pieces: Sequence[Any], receive: Receive) -> Receive:
    """`receive` that gives these pieces first."""
    if len(pieces) == 1:
        # The usual case, without the cost of an iterator.
        (only,) = pieces
        given = False

        async def once() -> Any:
            nonlocal given
            if given:
                return await receive()
            given = True
            return only

        return once
    left = iter(pieces)

    async def again() -> Any:
        for piece in left:
            return piece
        return await receive()

    return again
