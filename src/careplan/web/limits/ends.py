"""The two ends of a connection that a request is handed: what it receives by, and what it sends by."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from litestar.types import Message, Receive, Send


class Ends:
    """Passes on to the server for as long as the request lasts.

    The server holds a connection open while anything refers to its own two functions, even when it has said that it ends it.
    An exception whose traceback leads back to itself is enough for that, until the garbage collector comes by.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive: Receive | None = receive
        self._send: Send | None = send

    def receive(self) -> Awaitable[Any]:
        """A piece of the body, or the news that the client is gone. Raises `RuntimeError` after the request's end."""
        if self._receive is None:
            raise RuntimeError("the request is over")
        return self._receive()

    def send(self, message: Message) -> Awaitable[None]:
        """Send a part of the answer. Raises `RuntimeError` after the request's end."""
        if self._send is None:
            raise RuntimeError("the request is over")
        return self._send(message)

    def let_go(self) -> None:
        """End both: the request is answered."""
        self._receive = self._send = None
