"""`POST /v1/care-plans/batch`: lines in, answers out, one after the other, while the body is still coming.

The next line is read when the answer to the last one has been taken, so memory stays flat and a slow reader slows the work.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import structlog
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import Message, Receive, Scope, Send

from careplan.batch.answer_lines import Answering
from careplan.batch.ndjson import Limits, Line, Lines
from careplan.web.edition import Edition, declared, edition_of
from careplan.web.exhaustion import is_exhaustion
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.web.process.connection import Connection, connection_of
from careplan.web.telemetry.logs import places

NDJSON, FHIR_NDJSON = "application/x-ndjson", "application/fhir+ndjson"
AHEAD = 4
"""Pieces that are received while an earlier one is worked on."""
log = structlog.get_logger("careplan")


@post(
    "/v1/care-plans/batch",
    status_code=200,
    operation_id="createCarePlans",
    summary="Draft care plans for many patients",
    description=(
        "Takes one patient a line (NDJSON), as JSON or as a FHIR Bundle, and answers one line for each, in order, while the "
        "body is still being sent: a plan, or a problem document, with the number of the line and its `request_key`. A bad "
        "line never stops the rest. Blank lines are passed over. Read answers while you send, or the service waits for you."
    ),
    tags=["plans"],
    sync_to_thread=False,
    opt={"scope": "plan"},
    responses=documented(PROBLEMS, 400, 408, 415, 500, 503),
    response_description="One answer a line.",
)
def create_care_plans(request: Request[None, None, State]) -> Response[None]:
    """Answer line by line."""
    form = declared(request, NDJSON, FHIR_NDJSON)
    return _Streamed(edition_of(request), form)


class _Streamed(Response[None]):
    """An answer that is written while the request is read."""

    def __init__(self, edition: Edition, form: str) -> None:
        super().__init__(None, media_type=form, headers={"Cache-Control": "no-store"})
        self._edition = edition
        self._form = form

    def to_asgi_response(self, request: Request[Any, Any, Any], **_: Any) -> ASGIResponse:  # type: ignore[override]
        """The part that sends."""
        limits = Limits(request.app.state.body_limit, request.app.state.record_limit)
        return _Exchange(self._edition, self._form, limits, request.headers.get("content-length") == "0")


class _Exchange(ASGIResponse):
    def __init__(self, edition: Edition, form: str, limits: Limits, empty: bool) -> None:  # noqa: FBT001
        super().__init__(media_type=MediaType.TEXT)
        self._edition = edition
        self._form = form
        self._limits = limits
        self._empty = empty

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the body ends or the client goes away, and log how it ended."""
        begun = False

        async def sending(message: Message) -> None:
            # Begun with the first line: a body that cannot be read before that is answered with what is wrong.
            nonlocal begun
            if not begun:
                begun = True
                headers = [(b"content-type", self._form.encode()), (b"cache-control", b"no-store")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send(message)

        # Where the body stops or breaks off, the answer ends without its proper end, so that nobody takes it for whole.
        incoming = _Incoming(receive, connection_of(scope["client"]))
        counted: Counter[bool] = Counter()
        began = time.perf_counter()
        ended = "failed"
        try:
            state = scope["litestar_app"].state
            await self._answer(incoming, sending, counted, state)
            ended = "whole"
        except HTTPException as error:
            ended = "too slow" if error.status_code == 408 else "client gone"
            if not begun:
                raise
        except asyncio.CancelledError:
            ended = "stopped"
            raise
        finally:
            incoming.close()
            seconds = round(time.perf_counter() - began, 3)
            log.info("batch", lines=counted.total(), problems=counted[True], seconds=seconds, ended=ended)

    async def _answer(self, incoming: _Incoming, send: Send, counted: Counter[bool], state: State) -> None:
        exhausted: list[Exception] = []

        def note(error: Exception) -> None:
            log.error("failed", error=type(error).__name__, at=places(error.__traceback__))
            if is_exhaustion(error):
                exhausted.append(error.with_traceback(None))

        answering = Answering(
            self._edition.planner,
            self._edition.defaults,
            as_fhir=self._form == FHIR_NDJSON,
            limits=self._limits,
            on_failure=note,
        )
        async for line in self._lines(incoming):
            answer = await state.lanes.do(len(line.content or b""), partial(answering.answer, line))
            counted[answer.failed] += 1
            if answer.failed:
                state.metrics.rejected("line")
            while exhausted:
                exhausted.pop()
                state.metrics.exhausted.inc()
                state.life.exhausted()
            await send({"type": "http.response.body", "body": answer.body + b"\n", "more_body": True})
            # Between two lines, others have their turn.
            await asyncio.sleep(0)
            incoming.look()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _lines(self, incoming: _Incoming) -> AsyncIterator[Line]:
        lines = Lines(self._limits.longest)
        more = not self._empty
        while more:
            message = await incoming.next()
            for line in lines.feed(message.get("body", b"")):
                yield line
            more = message.get("more_body", False)
        for line in lines.close():
            yield line


class _Incoming:
    """The pieces of a body, some asked for while the last one is worked on: so a client's leaving is seen behind them."""

    def __init__(self, receive: Receive, connection: Connection | None) -> None:
        self._receive = receive
        self._connection = connection
        self._ahead: deque[dict[str, Any]] = deque()
        self._pending = self._ask()

    def _ask(self) -> asyncio.Task[dict[str, Any]]:
        async def ask() -> dict[str, Any]:
            return dict(await self._receive())

        return asyncio.create_task(ask())

    async def next(self) -> dict[str, Any]:
        """The next piece. Raises if the client is gone, or sends nothing for too long while nothing else is done."""
        if self._ahead:
            return self._ahead.popleft()
        if self._is_late():
            # It ran out of time while we were busy: not the client's fault.
            self._pending = self._ask()
        message = self._there(await self._pending)
        self._pending = self._ask()
        return message

    def look(self) -> None:
        """Take what has arrived, up to a limit. Raise if the client is gone."""
        if self._connection is not None and self._connection.is_over():
            raise HTTPException(status_code=400)
        if self._is_late():
            self._pending = self._ask()
        elif self._pending.done() and len(self._ahead) < AHEAD:
            self._ahead.append(self._there(self._pending.result()))
            # After the last piece there is still the client's leaving to hear of.
            self._pending = self._ask()

    @staticmethod
    def _there(message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] == "http.disconnect":
            raise HTTPException(status_code=400)
        return message

    def _is_late(self) -> bool:
        error = self._pending.exception() if self._pending.done() else None
        return isinstance(error, HTTPException) and error.status_code == 408

    def close(self) -> None:
        """Ask for nothing more."""
        self._pending.cancel()
        if self._pending.done() and not self._pending.cancelled():
            self._pending.exception()
