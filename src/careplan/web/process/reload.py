"""Taking a new rulebook without stopping: on SIGHUP, or when a watched folder changes.

The new rulebook is rehearsed in a process of its own, loaded beside the running one and swapped in between two
requests. When anything is wrong the running one stays, and the log and `/readyz` say why.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import structlog
from msgspec import Meta

from careplan.authoring.rehearsal import rehearse_apart
from careplan.errors import InvalidRulebook, InvalidSettings, RuleFault
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from careplan.web.edition import LAST_FAULTS, Desk, Edition, Surroundings

log = structlog.get_logger("careplan")

Outcome = Literal["swapped", "unchanged", "refused"]


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last reload. `digest` is that of the rulebook in use since; `faults` why a new one was refused."""

    outcome: Outcome
    at: Annotated[str, Meta(description="when, as an RFC 3339 timestamp", extra_json_schema={"format": "date-time"})]
    digest: str
    fault_count: int = 0
    faults: list[RuleFault] = []


class Reloader:
    """Reloads one after the other, however often it is asked to."""

    def __init__(
        self,
        folder: Path,
        desk: Desk,
        make: Callable[[Rulebook, Surroundings], Edition],
        around: Callable[[Rulebook], Surroundings],
        *,
        watched: Sequence[Path] = (),
    ) -> None:
        self._folder = folder
        self._desk = desk
        self._around = around
        self._watched = watched
        self._make = make
        self._wanted = asyncio.Event()
        self.last: Reloaded | None = None
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[Outcome], None] = lambda _outcome: None

    def request(self) -> None:
        """Ask for a reload; returns at once."""
        self._wanted.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for SIGHUP, and watch whatever is to be watched, as long as the block lasts."""
        tasks = [asyncio.create_task(self._work())]
        if self._watched:
            tasks.append(asyncio.create_task(self._watch()))
        listens = hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread()
        if listens:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.request)
        try:
            yield
        finally:
            if listens:
                asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.reload()

    async def _watch(self) -> None:
        import watchfiles

        async for _ in watchfiles.awatch(*self._watched):
            self.request()

    async def reload(self) -> Reloaded:
        """Take the rulebook as it is in its folder now, or keep the running one. Never raises for a bad rulebook."""
        self.before()
        try:
            book, around = await asyncio.to_thread(self._prepare)
            edition = await asyncio.to_thread(self._make, book, around)
        except InvalidRulebook as error:
            return self._note("refused", error.faults)
        except Exception as error:  # noqa: BLE001 - whatever it is, the running rulebook goes on
            fault = _fault("rulebook.yaml", f"The rulebook could not be taken: {type(error).__name__}.")
            return self._note("refused", [fault])
        before = self._desk.current
        unchanged = before is not None and (before.planner.book.digest, before.defaults) == (book.digest, around.defaults)
        if unchanged:
            edition.planner.close()
        else:
            self._desk.swap(edition)
        return self._note("unchanged" if unchanged else "swapped", [])

    def _prepare(self) -> tuple[Rulebook, Surroundings]:
        for _ in range(3):
            tried = rehearse_apart(self._folder)
            if tried.faults:
                raise InvalidRulebook(tried.faults)
            book = load(self._folder)
            if book.digest == tried.digest:
                break
        else:
            raise InvalidRulebook([_fault("rulebook.yaml", "The files kept changing while they were read.")])
        try:
            return book, self._around(book)
        except InvalidSettings as error:
            raise InvalidRulebook([_fault("CAREPLAN_PROTOCOL", f"{error}.".capitalize())]) from None

    def _note(self, outcome: Outcome, faults: Sequence[RuleFault]) -> Reloaded:
        current = self._desk.current
        digest = current.planner.book.digest if current else ""
        self.last = Reloaded(
            outcome=outcome,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            digest=digest,
            fault_count=len(faults),
            faults=list(faults[:LAST_FAULTS]),
        )
        for fault in faults[:LAST_FAULTS]:
            log.error("rulebook fault", **msgspec.structs.asdict(fault))
        self.after(outcome)
        event = {"swapped": log.info, "unchanged": log.info, "refused": log.error}[outcome]
        event(f"rulebook {outcome}", digest=digest, faults=len(faults))
        return self.last


def _fault(file: str, problem: str) -> RuleFault:
    mend = "Correct it and reload again; the rulebook before it stays in use."
    return RuleFault(file=file, line=1, field="", problem=problem, mend=mend, code="reload")
