"""What a worker has in hand, so that no single caller takes all of it, and clocks that blame no caller for our delays."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

LATE_SECONDS = 0.05
"""A timer that goes off this much late says that the loop was busy: what was waited for may have come meanwhile."""
GRACE_SECONDS = 0.1
"""Nothing is ended before it was waited for this long without a busy moment."""
GRACES = 50


class Shares:
    """So many of something, of which one caller may have half."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._each = (most + 1) // 2
        self._total = 0
        self._held: dict[str, int] = {}

    def take(self, who: str, number: int = 1) -> bool:
        """Take some, unless there are too few or the caller would have more than its half."""
        held = self._held.get(who, 0) + number
        if held > self._each or self._total + number > self._most:
            return False
        self._held[who] = held
        self._total += number
        return True

    def give(self, who: str, number: int = 1) -> None:
        """Give back."""
        self._total -= number
        left = self._held[who] - number
        if left:
            self._held[who] = left
        else:
            del self._held[who]


class Limit:
    """Ends a block after so many seconds, by `TimeoutError`; later if the loop was too busy to tell who was late."""

    __slots__ = ("_due", "_graces", "_handle", "_loop", "_task", "passed")

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + seconds
        self._graces = GRACES
        self.passed = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._handle = self._loop.call_at(self._due, self._end)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._handle.cancel()
        if self.passed and self._task is not None:
            self._task.uncancel()
            if kind is asyncio.CancelledError:
                raise TimeoutError from None

    def _end(self) -> None:
        if self._graces == GRACES or (self._graces and self._loop.time() - self._due > LATE_SECONDS):
            self._graces -= 1
            self._due = self._loop.time() + GRACE_SECONDS
            self._handle = self._loop.call_at(self._due, self._end)
            return
        self.passed = True
        if self._task is not None:
            self._task.cancel()
