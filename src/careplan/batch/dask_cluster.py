"""The same tasks on a Dask cluster: one planner for each thread of a worker, made once, from rules that come with the job.

Needs the extra `dask`. A task whose worker dies is done again elsewhere.
"""

from __future__ import annotations

import logging
import threading
import time
from asyncio import CancelledError
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol
from uuid import uuid4

from distributed import Client, Future, KilledWorker, WorkerPlugin
from distributed.client import FutureCancelledError

from careplan.batch.answer_lines import Answers
from careplan.batch.jobs import Work
from careplan.batch.ndjson import Line
from careplan.batch.worker_pool import AHEAD, Waiting, WorkerLost, in_order

RETRIES = 5
CONNECT_SECONDS = 5
WAIT_SECONDS = 30
"""For a worker to join where there is none."""
LOOK_SECONDS = 2
KEPT = 2
"""Jobs for which a worker's thread keeps its planners."""
_here = threading.local()
_jobs: dict[str, Job] = {}


class Job(Protocol):
    """What workers do; see `careplan.batch.jobs`."""

    @property
    def name(self) -> str:
        """One name for equal jobs."""
        ...

    def start(self) -> Work[Any]:
        """What does pieces of it."""
        ...


class Unusable(Exception):
    """The cluster cannot do the work. Says why, to stand behind its address."""


class _Brings(WorkerPlugin):
    """Brings the job to every worker, also to those that come later, and takes it away again."""

    def __init__(self, run: str, job: Job) -> None:
        self.name = f"careplan-{run}"
        self._run, self._job = run, job
        self._version = version("careplan")

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - the library's form
        if version("careplan") != self._version:
            raise RuntimeError("this worker has another version of careplan than the command")
        _jobs[self._run] = self._job

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - the library's form
        _jobs.pop(self._run, None)


def do_here(run: str, lines: list[Line]) -> Any:
    """On a worker: do a piece of a job with this thread's planner."""
    works: dict[str, Work[Any]] = _here.__dict__.setdefault("made", {})
    job = _jobs[run]
    work = works.pop(job.name, None) or job.start()
    works[job.name] = work
    while len(works) > KEPT:
        works.pop(next(iter(works))).close()
    return work([Line(*line) for line in lines])


class Cluster:
    """Does tasks on a cluster."""

    def __init__(self, address: str, job: Job, *, wait: float = WAIT_SECONDS) -> None:
        """Raises `OSError` if nobody answers at the address, `Unusable` if its workers cannot do the job."""
        # What goes wrong there is said by our own messages.
        for name in logging.root.manager.loggerDict:
            if name.split(".")[0] in ("distributed", "tornado"):
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._wait = wait
        self._run = uuid4().hex
        self._room, self._looked = 1, 0.0
        self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
        self._plugin = _Brings(self._run, job)
        try:
            self._check()
        except BaseException:
            self._client.close(timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
            raise

    def _check(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=self._wait)
        except TimeoutError:
            raise Unusable(f"has no workers, and none has joined within {self._wait:.0f} seconds") from None
        own = version("careplan")
        # A function of the standard library, so that workers without careplan can answer as well.
        for worker, found in self._client.run(version, "careplan", on_error="return").items():
            if isinstance(found, PackageNotFoundError):
                raise Unusable(f"has a worker without careplan: {worker}")
            if found != own:
                raise Unusable(f"has a worker with another version of careplan than this, {own}: {worker}")
        try:
            self._client.register_plugin(self._plugin)
        except Exception as error:  # noqa: BLE001 - whatever it was, it came from a worker
            raise Unusable(f"has a worker that cannot take the job ({type(error).__name__})") from None

    def in_order(self, tasks: Iterable[list[Line] | None]) -> Iterator[tuple[list[Line], Any]]:
        """Each task with its result, in the order of the tasks. Raises `WorkerLost`."""
        return in_order(self, tasks)

    def room(self) -> int:
        """How many tasks the workers may have, by how many there are now."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            self._room = max(1, self._threads()) * AHEAD
        return self._room

    def submit(self, task: list[Line]) -> Future[Any]:
        """Give the workers a task."""
        return self._client.submit(do_here, self._run, task, pure=False, retries=RETRIES)

    def first(self, waiting: Waiting[list[Line], Future[Any]]) -> Any:
        """The result of the first task that waits. Raises `WorkerLost`."""
        alone = 0.0
        while True:
            try:
                found = waiting[0][1].result(timeout=LOOK_SECONDS)
            except TimeoutError:
                alone = 0.0 if self._threads() else alone + LOOK_SECONDS
                if alone >= self._wait:
                    raise WorkerLost("the cluster has no workers any more") from None
            except KilledWorker:
                raise WorkerLost("a worker was lost again and again on the same lines") from None
            except (FutureCancelledError, CancelledError, OSError):
                raise WorkerLost("the cluster cannot be reached any more") from None
            else:
                # Named tuples may arrive as plain ones.
                return Answers(*found) if isinstance(found, tuple) else found

    def _threads(self) -> int:
        try:
            return sum(dict(self._client.nthreads()).values())  # type: ignore[no-untyped-call]
        except (OSError, CancelledError):
            raise WorkerLost("the cluster cannot be reached any more") from None

    def close(self) -> None:
        """Leave the cluster as it was."""
        try:
            if self._client.status == "running":
                self._client.unregister_worker_plugin(self._plugin.name)  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001, S110 - it may be gone
            pass
        self._client.close(timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
