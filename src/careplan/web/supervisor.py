"""The first process of the service: it holds the port, starts the workers, and replaces those that die, however often.

All workers take connections from one queue, which outlives them: while a worker is replaced, connections wait in it
instead of being refused, and a second service on the same port cannot start.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import wait
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.server.mp import MPServer, WorkerProcess

from careplan.web import life

log = structlog.get_logger("careplan")

DEAF_SECONDS = life.BEAT_SECONDS + 1.0
"""From its birth until a worker hears the first process: it starts, and then waits for its first beat."""
STEADY_SECONDS = 10.0
"""A worker that lived this long did not die of its start."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds before a worker that died young is replaced; doubled each time, so that a loop of deaths leaves cores free."""
HOPELESS_SECONDS = 120.0
"""When no worker was ever ready after this long, none will be."""
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

    def __init__(self, target: str, listening: socket.socket, drain_seconds: float, **options: Any) -> None:
        """`listening` is the bound socket that all workers accept from."""
        super().__init__(target, address=listening.getsockname()[0], port=listening.getsockname()[1], **options)
        self.main_loop_interrupt = Bell()  # type: ignore[assignment]
        self._listening = listening
        self._drain_seconds = drain_seconds
        self._draining = False
        self._began = time.monotonic()
        self._young_deaths: dict[int, int] = {}
        self.on_startup(self._listen_to_signals)

    def _init_shared_socket(self) -> None:
        self._listening.setblocking(False)  # noqa: FBT003 - its only argument
        self._ssp = None
        self._shd = SocketHolder(self._listening.fileno(), False, self.backlog)  # type: ignore[assignment, call-arg] # noqa: FBT003
        self._sso = None

    def _drop_shared_socket(self) -> None:
        self._listening.close()

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> WorkerProcess:  # type: ignore[override]
        worker: WorkerProcess = super()._spawn_worker(idx, target, callback_loader)

        def terminate() -> None:
            worker.interrupt_by_parent = True
            _tell(worker, life.STOP)

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
            for at in [at for at, when in due.items() if when <= now]:
                del due[at]
                self._replace(at, spawn_target, target_loader)
            if not life.ever_ready() and due and now - self._began > HOPELESS_SECONDS:
                log.error("no worker became ready", seconds=HOPELESS_SECONDS)
                self._hopeless = True
                break
            self.main_loop_interrupt.wait(max(0.0, min(due.values()) - now) if due else None)

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
        life.drain_from_now_on()
        self._tell_all(life.DRAIN)
        threading.Thread(target=self._part, daemon=True).start()

    def _part(self) -> None:
        # A worker that has just been born hears of the drain at its first beat, and the time for it counts from then.
        born = max((worker.birth for worker in self.wrks), default=0.0)
        time.sleep(max(0.0, born + DEAF_SECONDS - time.monotonic()) + self._drain_seconds)
        _hide(self._listening)
        time.sleep(PARTING_SECONDS)
        self.signal_handler_interrupt()

    def _tell_all(self, number: int) -> None:
        for worker in list(self.wrks):
            _tell(worker, number)


def _hide(listening: socket.socket) -> None:
    """Let the kernel drop attempts to connect.

    They are repeated after a second and then refused, so that a client knows that its request was not begun. To close the
    socket would cut off those that wait in its queue.
    """
    if sys.platform == "linux":
        drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(drop_all)))


_SO_ATTACH_FILTER = 26


def _tell(worker: WorkerProcess, number: int) -> None:
    if worker.inner.pid is not None and worker.inner.exitcode is None:
        with suppress(ProcessLookupError):
            os.kill(worker.inner.pid, number)
