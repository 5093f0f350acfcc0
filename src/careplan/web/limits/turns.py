"""Turns: of many requests that are ready at once, one is worked on each time the loop goes round."""

from __future__ import annotations

import asyncio


class Turns:
    """Gives turns, first come first served. Between two of them the loop hears of whatever else has happened.

    The loop does all that is ready before it looks at its sockets again. Sixty plans that are ready at once would keep a
    question of /livez waiting for as long as all of them take.
    """

    def __init__(self) -> None:
        self._is_taken = False

    async def take(self) -> None:
        """Wait for the next turn."""
        while self._is_taken:
            await asyncio.sleep(0)
        self._is_taken = True
        asyncio.get_running_loop().call_soon(self._free)

    def _free(self) -> None:
        self._is_taken = False
