"""Threads for what takes long, so that the loop which answers is never held up: one for short pieces of work, one for long.

What is quick is done at once, as handing it over would cost more than it does. In one lane one piece follows the other, so
that the loop has at most two threads to share the interpreter with, and a plan does not wait for a record of ten megabytes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")

QUICK = 2_048
"""Bytes of a request of which nothing takes longer than some dozen milliseconds, whatever is in it."""
SHORT = 65_536
"""Bytes up to which it takes a quarter of a second at the most."""
WHOLE = 16_384
"""Bytes of work in pieces up to which it may share a lane with others, piece by piece."""
SWITCH_SECONDS = 0.001
"""How long a thread may go on after the loop asks for its turn; Python's own is five times as long."""


class _Lane:
    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, name)
        self.since: float | None = None

    async def do(self, work: Callable[[], Result]) -> Result:
        context = copy_context()

        def timed() -> Result:
            self.since = time.monotonic()
            try:
                return context.run(work)
            finally:
                self.since = None

        return await asyncio.get_running_loop().run_in_executor(self._thread, timed)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


class Lanes:
    """The threads of one worker."""

    def __init__(self) -> None:
        self._short, self._long = _Lane("short"), _Lane("long")
        self._whole = asyncio.Lock()
        sys.setswitchinterval(SWITCH_SECONDS)

    async def do(self, size: int, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises. `size` is how much there is to do, as the bytes of a body to read and plan for.

        Whoever is cancelled while the work is done waits no longer for it; it goes on to its end.
        """
        if size <= QUICK:
            return work()
        return await (self._short if size <= SHORT else self._long).do(work)

    def one_after_another(self, size: int) -> AbstractAsyncContextManager[None]:
        """Where what is done in pieces makes up a long work as a whole, the next such work begins after its last piece.

        Pieces of several works would share the lane, and where there are too many, none would be done in its time.
        """
        return self._whole if size > WHOLE else nullcontext()

    def longest(self) -> float:
        """For how many seconds the longest piece of work has been going on."""
        now = time.monotonic()
        return max(now - (lane.since or now) for lane in (self._short, self._long))

    def close(self) -> None:
        """Begin no more work."""
        self._short.close()
        self._long.close()
