"""Life and death of a worker process: hardened at birth, watched while it lives, drained before it goes."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from multiprocessing import parent_process

import structlog

log = structlog.get_logger("careplan")

DRAIN = signal.SIGUSR1
"""Tells a worker that it will be stopped soon."""
BEAT_SECONDS = 1.0
_HELD = {signal.SIGTERM, DRAIN}
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def harden() -> None:
    """Leave no core dump, which would hold patients' data, and let no other process of the user read our memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.platform == "linux":
        # A core_pattern that is a pipe is served whatever the limit says, unless the process is not dumpable.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)


def begin_as_worker() -> None:
    """Forget how the parent answers to signals, and stop when it is gone, however it went."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    parent = parent_process()
    if parent is not None and os.getppid() != parent.pid:
        # It went before this process watched it.
        signal.raise_signal(signal.SIGTERM)


def hold_signals() -> None:
    """Keep the signals of a stop waiting until `Life` finds the event loop running for good.

    The server's handlers are in place before it serves. A signal that they get then may be lost, as uvloop forgets what
    comes between two runs of the loop, or hang the process when it comes twice. What a terminal sends is held for good:
    the first process gets it too, and passes it on as SIGTERM.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD | {signal.SIGINT})


class Life:
    """Whether this worker is on its way out, and its heartbeat.

    The engine is C and may hang where nothing in Python could interrupt it. A timer outside of Python then ends the
    process, and the server starts another.
    """

    def __init__(self, hang_seconds: float, beats: Callable[[], None]) -> None:
        self.draining = False
        self._hang_seconds = hang_seconds
        self._beats = beats

    def drain(self) -> None:
        """Be not ready any more; go on answering."""
        self.draining = True
        log.info("draining")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Beat, and listen for the signal to drain, as long as the block lasts."""
        task = asyncio.create_task(self._beat())
        listens = threading.current_thread() is threading.main_thread()
        if listens:
            asyncio.get_running_loop().add_signal_handler(DRAIN, self.drain)
        try:
            yield
        finally:
            if listens:
                asyncio.get_running_loop().remove_signal_handler(DRAIN)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            faulthandler.cancel_dump_traceback_later()
            self._beats()

    async def _beat(self) -> None:
        while True:
            # Shows functions and lines of each thread, no values.
            faulthandler.dump_traceback_later(self._hang_seconds, exit=True)
            self._beats()
            await asyncio.sleep(BEAT_SECONDS)
            # The first sleep outlasts the run of the loop that only starts the application.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
