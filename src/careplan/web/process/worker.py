"""Life and death of a worker process: hardened at birth, watched while it lives, drained before it goes."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from multiprocessing import parent_process

import granian._signals
import structlog

from careplan.web.exhaustion import is_spent
from careplan.web.process import shared

log = structlog.get_logger("careplan")

DRAIN, STOP = signal.SIGUSR1, signal.SIGUSR2
"""What the first process tells a worker: that it will be stopped soon, and to stop. What a service manager or a terminal
sends to the whole group is not meant for workers: they would go while they are still sent requests."""
BEAT_SECONDS = 1.0
LEAVE_SECONDS = 0.05
"""Between the answer to a request for which there was no memory, and the end of a worker that will not have any."""
LEAVE_AT_LATEST_SECONDS = 20
"""After so long the kernel ends such a worker: one that has no memory may not get through its own end."""
OLD_THRESHOLD = 100
"""So many searches of younger things to one of everything; Python's own is 10."""
_HELD = {DRAIN, STOP}
_PR_SET_PDEATHSIG = 1
_number = 0


def next_worker(number: int) -> None:
    """Say which worker will be forked next."""
    global _number  # noqa: PLW0603 - the worker finds it there after the fork
    _number = number
    shared.expect(number)


def this_worker() -> int:
    """The number of this worker, counting from 0."""
    return _number


def begin_as_worker() -> None:
    """Forget how the parent answers to signals, listen to it alone, and stop when it is gone, however it went."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(STOP, signal.SIG_DFL)
    # The server asks this function which signals mean that it should finish its requests and go.
    granian._signals._get_signals = lambda: [STOP]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(STOP))
    parent = parent_process()
    if parent is not None and os.getppid() != parent.pid:
        # It went before this process watched it.
        signal.raise_signal(STOP)


def hold_signals() -> None:
    """Keep the signals of the first process waiting until `Life` finds the event loop running for good.

    The server's handlers are in place before it serves. A signal that they get then may be lost, as uvloop forgets what
    comes between two runs of the loop, or hang the process when it comes twice.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)


def settle() -> None:
    """Have the collector of garbage look through everything a tenth as often, and never through what is here now.

    What was made of the rulebook lives on, so that a search of all finds little, and requests wait for it as long as ten
    plans take.
    """
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, OLD_THRESHOLD)


class Life:
    """Whether this worker is on its way out, and its heartbeat.

    The engine is C and may hang where nothing in Python could interrupt it. A timer outside of Python then ends the
    process, and the server starts another.
    """

    def __init__(self, hang_seconds: float, beats: Callable[[], None], busy: Callable[[], float] = lambda: 0.0) -> None:
        """`busy` says for how many seconds a thread beside the loop has been at one piece of work."""
        self.draining = shared.draining()
        self._hang_seconds = hang_seconds
        self._beats = beats
        self._busy = busy
        self._leaving = False
        self.state: Callable[[], tuple[int, str, int]] = lambda: (0, "", 0)
        """The number of the edition that is served, the digest of its rulebook, and the bits of this worker's troubles."""

    def exhausted(self) -> None:
        """Something was used up for a request. Where memory stays short the worker finishes what it has in hand and goes."""
        if self._leaving or not is_spent():
            return
        self._leaving = True
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LEAVE_AT_LATEST_SECONDS)
        self.draining = True
        log.error("leaving for want of memory")
        # Once the answer is on its way, so that it says to come on another connection.
        asyncio.get_running_loop().call_later(LEAVE_SECONDS, signal.raise_signal, STOP)

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
        self.tell()
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

    def tell(self) -> None:
        """Let the other processes know how this one is."""
        edition, digest, flags = self.state()
        shared.tell(_number, edition=edition, digest=digest, flags=flags)

    async def _beat(self) -> None:
        while True:
            if self._busy() < self._hang_seconds:
                # Shows functions and lines of each thread, no values.
                faulthandler.dump_traceback_later(self._hang_seconds, exit=True)
            try:
                self._beats()
                self.tell()
            except Exception as error:  # noqa: BLE001 - without its next beats a worker is taken for one that hangs, and ended
                log.error("failed beat", error=type(error).__name__)
            await asyncio.sleep(BEAT_SECONDS)
            # The first sleep outlasts the run of the loop that only starts the application.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
