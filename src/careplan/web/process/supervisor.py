"""The first process of the service: it holds the port, starts the workers, and replaces those that die, however often.

The queues of connections outlive the workers: while one is replaced, new connections go to the others, or wait where there
are none, and nothing is refused.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import wait
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.server.mp import MPServer, WorkerProcess

from careplan.web.process.listen_sockets import Listeners
from careplan.web.process.worker import BEAT_SECONDS, DRAIN, STOP, drain_from_now_on, ever_ready, is_ready, next_worker

log = structlog.get_logger("careplan")

DEAF_SECONDS = BEAT_SECONDS + 1.0
"""From its birth until a worker hears the first process: it starts, and then waits for its first beat."""
STEADY_SECONDS = 10.0
"""A worker that lived this long did not die of its start."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds before a worker that died young is replaced; doubled each time, so that a loop of deaths leaves cores free."""
HOPELESS_SECONDS = 120.0
"""When no worker was ever ready after this long, none will be."""
LOOK_SECONDS = 0.05
"""How often a worker that is on its way is looked after."""
PARTING_SECONDS = 0.25
"""Between taking no more connections and stopping: those just taken have sent their request by then."""


class Bell:
    """Wakes the main loop. Unlike an event of the standard library it can be rung by a signal's handler at any moment."""

    def __init__(self) -> None:
        self._rung: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Ring."""
        self._rung.put(None)

    def clear(self) -> None:
        """Each ring wakes once; there is nothing to clear."""

    def wait(self, seconds: float | None = None) -> None:
        """Sleep until it rings, or for so many seconds."""
        with suppress(Empty):
            self._rung.get(timeout=seconds)


class Supervisor(MPServer):
    """The server, with a port that is held from before its first worker to after its last, and patience with workers."""

    def __init__(self, target: str, listeners: Listeners, drain_seconds: float, **options: Any) -> None:
        """`listeners` are the bound sockets that the workers accept from."""
        super().__init__(target, address=listeners.sockets[0].getsockname()[0], port=listeners.port, **options)
        self.main_loop_interrupt = Bell()  # type: ignore[assignment]
        self._listeners = listeners
        self._coming: set[int] = set()
        self._drain_seconds = drain_seconds
        self._draining = False
        self._began = time.monotonic()
        self._young_deaths: dict[int, int] = {}
        self.on_startup(self._listen_to_signals)

    def _init_shared_socket(self) -> None:
        for one in self._listeners.sockets:
            one.setblocking(False)  # noqa: FBT003 - its only argument
        self._ssp = self._sso = None

    def _drop_shared_socket(self) -> None:
        self._listeners.close()

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> WorkerProcess:  # type: ignore[override]
        own = self._listeners.of(idx).fileno()
        self._shd = SocketHolder(own, False, self.backlog)  # type: ignore[assignment, call-arg] # noqa: FBT003
        worker: WorkerProcess = super()._spawn_worker(idx, target, callback_loader)
        next_worker(idx)

        def terminate() -> None:
            worker.interrupt_by_parent = True
            _tell(worker, STOP)

        worker.terminate = terminate  # type: ignore[method-assign]
        return worker

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        """Replace what dies until told to stop. The server's own loop ends the service when a worker dies twice."""
        due: dict[int, float] = {}
        while not self.interrupt_signal:
            now = time.monotonic()
            while self.interrupt_children:
                at = self.interrupt_children.pop()
                due[at] = now + self._pause(at, now)
                self._coming.add(at)
                self._listeners.leave_out(at)
            for at in [at for at, when in due.items() if when <= now]:
                del due[at]
                self._replace(at, spawn_target, target_loader)
            for at in [at for at in self._coming - due.keys() if is_ready(at)]:
                self._coming.discard(at)
                self._listeners.take_back(at)
            if not ever_ready() and due and now - self._began > HOPELESS_SECONDS:
                log.error("no worker became ready", seconds=HOPELESS_SECONDS)
                self._hopeless = True
                break
            looks = [LOOK_SECONDS] if self._coming - due.keys() else []
            waits = [*looks, *(max(0.0, when - now) for when in due.values())]
            self.main_loop_interrupt.wait(min(waits, default=None))

    _hopeless = False

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the workers and end. A worker that died by itself while the service was told to stop is no failure of it."""
        self.interrupt_children = []
        super().shutdown(1 if self._hopeless else exit_code)

    def _stop_workers(self) -> None:
        """Tell all to finish; kill what has not in time. An end is seen by its pipe; another thread waits for it."""
        for worker in self.wrks:
            worker.terminate()
        until = time.monotonic() + (self.workers_kill_timeout or 0)
        for worker in self.wrks:
            if not wait([worker.inner.sentinel], max(0.0, until - time.monotonic())):
                log.warning("killing a worker that did not stop in time", worker=worker.idx + 1)
                worker.kill()
                worker.join()
        self.wrks.clear()

    def _pause(self, at: int, now: float) -> float:
        young = now - self.wrks[at].birth < STEADY_SECONDS
        self._young_deaths[at] = self._young_deaths.get(at, 0) + 1 if young else 0
        times = self._young_deaths[at]
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (times - 1)) if times else 0.0

    def _replace(self, at: int, spawn_target: Any, target_loader: Any) -> None:
        worker = self._spawn_worker(at, spawn_target, target_loader)
        self.wrks[at] = worker
        worker.start()

    def _listen_to_signals(self) -> None:
        """Pass on SIGHUP, and drain before stopping.

        To SIGHUP the server would answer by replacing its workers, even for a rulebook with faults. The second SIGTERM, and
        SIGINT, stop at once.
        """
        signal.signal(signal.SIGHUP, lambda *_: self._tell_all(signal.SIGHUP))
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, *_: object) -> None:
        if self._draining:
            self.signal_handler_interrupt()
            return
        self._draining = True
        drain_from_now_on()
        self._tell_all(DRAIN)
        threading.Thread(target=self._part, daemon=True).start()

    def _part(self) -> None:
        # A worker that has just been born hears of the drain at its first beat, and the time for it counts from then.
        born = max((worker.birth for worker in self.wrks), default=0.0)
        time.sleep(max(0.0, born + DEAF_SECONDS - time.monotonic()) + self._drain_seconds)
        self._listeners.hide()
        time.sleep(PARTING_SECONDS)
        self.signal_handler_interrupt()

    def _tell_all(self, number: int) -> None:
        for worker in list(self.wrks):
            _tell(worker, number)


def _tell(worker: WorkerProcess, number: int) -> None:
    if worker.inner.pid is not None and worker.inner.exitcode is None:
        with suppress(ProcessLookupError):
            os.kill(worker.inner.pid, number)
