"""The first process of the service: it holds the port, starts the workers, and replaces those that die, however often.

The queues of connections outlive the workers: while one is replaced, new connections go to the others, or wait where there
are none, and nothing is refused.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import wait
from queue import Empty, SimpleQueue
from typing import Any, Literal

import structlog
from granian._granian import SocketHolder
from granian.server.mp import MPServer, WorkerProcess

from careplan.web.process import shared
from careplan.web.process.accepted import memory_file
from careplan.web.process.keeper import Keeper
from careplan.web.process.listen_sockets import Listeners
from careplan.web.process.troubles import SILENT_SECONDS
from careplan.web.process.worker import BEAT_SECONDS, DRAIN, STOP, next_worker

log = structlog.get_logger("careplan")

DEAF_SECONDS = BEAT_SECONDS + 1.0
"""From its birth until a worker hears the first process: it starts, and then waits for its first beat."""
STEADY_SECONDS = 10.0
"""A worker that lived this long did not die of its start."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds before a worker that died young is replaced; doubled each time, so that a loop of deaths leaves cores free."""
HOPELESS_SECONDS = 120.0
"""When no worker was ever ready after this long, none will be."""
START_SECONDS = 300.0
"""A worker that was stopped before it was up would never be told from one that takes its time, but for this."""
SLACK_SECONDS = 3.0
"""Beyond the time after which a worker that hangs ends itself, and says where."""
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


class Watch:
    """Which workers have said nothing for a while: stopped by a signal, say, or waiting for a disk."""

    def __init__(self, longest: float) -> None:
        """After `longest` seconds of silence a worker counts as gone."""
        self._longest = longest
        self._looked = self._since = time.monotonic()
        self._silent: set[int] = set()
        self._starting: dict[int, tuple[int | None, float]] = {}

    def look(self, now: float, workers: Mapping[int, int | None]) -> dict[int, Literal["silent", "heard", "gone"]]:
        """What is new of the workers, which are given with the ids of their processes."""
        if now - self._looked > SILENT_SECONDS:
            self._since = now  # This process did not run either, so that nobody's silence says anything.
        self._looked = now
        found: dict[int, Literal["silent", "heard", "gone"]] = {}
        for at, pid in workers.items():
            state = shared.state_of(at)
            if not state.ready or state.pid != pid:
                if self._is_long_coming(at, pid, now):
                    found[at] = "gone"
                continue
            silence = now - max(state.beat, self._since)
            if silence > self._longest:
                self._silent.discard(at)
                found[at] = "gone"
            elif silence > SILENT_SECONDS and at not in self._silent:
                self._silent.add(at)
                found[at] = "silent"
            elif silence <= SILENT_SECONDS and at in self._silent:
                self._silent.discard(at)
                found[at] = "heard"
        return found

    def _is_long_coming(self, at: int, pid: int | None, now: float) -> bool:
        """Whether a worker that is not up yet was started so long ago that it will not be any more."""
        started = self._starting.get(at)
        if started is None or started[0] != pid:
            started = self._starting[at] = pid, now
        return now - max(started[1], self._since) > START_SECONDS


class Supervisor(MPServer):
    """The server, with a port that is held from before its first worker to after its last, and patience with workers."""

    def __init__(  # noqa: PLR0913 - its parts and its settings
        self,
        target: str,
        listeners: Listeners,
        keeper: Keeper,
        *,
        drain_seconds: float,
        hang_seconds: float,
        tls: tuple[bytes, ...] = (),
        **options: Any,
    ) -> None:
        """`listeners` are the bound sockets that the workers accept from; `keeper` decides what they serve.

        `tls` is the content of the files of the certificate and its key: workers never look at the files themselves.
        """
        super().__init__(target, address=listeners.sockets[0].getsockname()[0], port=listeners.port, **options)
        if tls:
            places = [f"/proc/self/fd/{memory_file('careplan-tls', content)}" for content in tls]
            self.ssl_ctx = (self.ssl_ctx[0], *places, *self.ssl_ctx[3:])  # type: ignore[assignment]
        self.main_loop_interrupt = Bell()  # type: ignore[assignment]
        self._listeners = listeners
        self._keeper = keeper
        self._watch = Watch(hang_seconds + SLACK_SECONDS)
        self._coming: set[int] = set()
        self._drain_seconds = drain_seconds
        self._draining = False
        self._began = time.monotonic()
        self._young_deaths: dict[int, int] = {}
        self.on_startup(self._listen_to_signals)

    def _init_shared_socket(self) -> None:
        for listening in self._listeners.sockets:
            listening.setblocking(False)  # noqa: FBT003 - its only argument
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
                if not self._replace(at, spawn_target, target_loader):
                    due[at] = now + LONGEST_PAUSE
            for at in [at for at in self._coming - due.keys() if shared.state_of(at).ready]:
                self._coming.discard(at)
                self._listeners.take_back(at)
            self._look_after(now)
            if self._keeper.step():
                self._tell_all(signal.SIGHUP)
            if not shared.ever_ready() and due and now - self._began > HOPELESS_SECONDS:
                log.error("no worker became ready", seconds=HOPELESS_SECONDS)
                self._hopeless = True
                break
            looks = [LOOK_SECONDS] if self._coming - due.keys() else []
            kept = self._keeper.wait()
            waits = [BEAT_SECONDS, *looks, *([kept] if kept else []), *(max(0.0, when - now) for when in due.values())]
            self.main_loop_interrupt.wait(min(waits))

    _hopeless = False

    def _look_after(self, now: float) -> None:
        """End workers that say nothing, and send new connections past those that have just fallen silent."""
        for at, silent in self._watch.look(now, {worker.idx: worker.inner.pid for worker in self.wrks}).items():
            if at in self._coming:
                continue
            match silent:
                case "silent":
                    log.error("worker silent", worker=at + 1)
                    self._listeners.leave_out(at)
                case "heard":
                    self._listeners.take_back(at)
                case "gone":
                    log.error("killing a silent worker", worker=at + 1)
                    _tell(self.wrks[at], signal.SIGKILL)

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the workers and end. A worker that died by itself while the service was told to stop is no failure of it."""
        self.interrupt_children = []
        self._keeper.close()
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

    def _replace(self, at: int, spawn_target: Any, target_loader: Any) -> bool:
        """Start another worker in this one's place. False where the machine has no process, memory or descriptor for it."""
        worker = self._spawn_worker(at, spawn_target, target_loader)
        try:
            worker.start()
        except (OSError, RuntimeError, MemoryError) as error:
            log.error("no worker could be started", worker=at + 1, error=type(error).__name__)
            _tell(worker, signal.SIGKILL)  # one that runs without being watched
            return False
        self.wrks[at] = worker
        return True

    def _listen_to_signals(self) -> None:
        """Look at the files on SIGHUP, and drain before stopping.

        To SIGHUP the server would answer by replacing its workers, even for a rulebook with faults. The second SIGTERM, and
        SIGINT, stop at once.
        """
        signal.signal(signal.SIGHUP, self._on_sighup)
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sighup(self, *_: object) -> None:
        self._keeper.request()
        self.main_loop_interrupt.set()

    def _on_sigterm(self, *_: object) -> None:
        if self._draining:
            self.signal_handler_interrupt()
            return
        self._draining = True
        shared.drain_from_now_on()
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
