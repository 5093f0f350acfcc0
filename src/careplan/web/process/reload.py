"""How a worker follows what the first process accepted: it swaps the edition in between two requests.

It looks for one when it is told to (SIGHUP), and with every beat, so that no edition is missed. Where it cannot take one,
for want of memory say, it goes on with the one before, says so, and tries again.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import structlog

from careplan.rulebook.folder import digest_of
from careplan.rulebook.load import load_files
from careplan.rulebook.model import Rulebook
from careplan.web.edition import Desk
from careplan.web.process import shared
from careplan.web.process.accepted import Content, Slots

log = structlog.get_logger("careplan")

AGAIN_SECONDS = 5.0
"""Between two attempts to take an edition that could not be taken."""


class Follower:
    """Takes accepted editions, one after the other."""

    def __init__(
        self, slots: Slots, desk: Desk, number: int, prepared: Callable[[Rulebook, Mapping[str, bytes]], Callable[[], None]]
    ) -> None:
        """`number` is that of the edition that the worker starts with; what `prepared` returns puts another in its place."""
        self._slots = slots
        self._desk = desk
        self._prepared = prepared
        self._wanted = asyncio.Event()
        self.number = number
        self.stuck = False
        """Whether the last attempt to take an edition failed."""

    @property
    def behind(self) -> bool:
        """Whether another edition is accepted than the one that is served here."""
        return shared.accepted().number not in (0, self.number)

    def look(self) -> None:
        """Follow, if there is anything to follow; returns at once."""
        if self.behind:
            self._wanted.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow, and listen for SIGHUP, as long as the block lasts."""
        task = asyncio.create_task(self._work())
        listens = hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread()
        if listens:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.look)
        try:
            yield
        finally:
            if listens:
                asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self.stuck = self.behind and not await self.follow()
            if self.stuck:
                await asyncio.sleep(AGAIN_SECONDS)

    async def follow(self) -> bool:
        """Take the accepted edition. False where that did not work; the one before then stays."""
        try:
            number, content = self._slots.read()
            book = await asyncio.to_thread(self._book, content)
            take = await asyncio.to_thread(self._prepared, book, content.named)
            take()
        except Exception as error:  # noqa: BLE001 - whatever it is, the running rulebook goes on
            log.error("edition not taken", error=type(error).__name__)
            return False
        self.number = number
        log.info("edition taken", digest=book.digest)
        return True

    def _book(self, content: Content) -> Rulebook:
        current = self._desk.current
        if current is not None and current.planner.book.digest == digest_of(content.files):
            return current.planner.book
        return load_files(content.files)
