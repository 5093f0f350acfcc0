"""The same tasks on a Dask cluster: one planner for each thread of a worker, made once, from rules that come with the job.

Needs the extra `dask`. A task whose worker dies is done again elsewhere.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from distributed import Client, Future, KilledWorker, WorkerPlugin

from careplan.batch import Answering, Answers, Line, answered
from careplan.patient import Protocol
from careplan.planner import Planner
from careplan.pool import AHEAD, WorkerLost
from careplan.rulebook.load import load

RETRIES = 5
CONNECT_SECONDS = 5
_here = threading.local()
_jobs: dict[str, Job] = {}


class Job(msgspec.Struct, frozen=True):
    """What a worker needs to know: the files of the rulebook, the clinic's protocol, the form of the answers."""

    digest: str
    files: dict[str, bytes]
    protocol: Protocol | None
    as_fhir: bool

    @property
    def name(self) -> str:
        """One name for equal jobs."""
        return blake2b(msgspec.json.encode((self.digest, self.protocol, self.as_fhir)), digest_size=16).hexdigest()


class _Rules(WorkerPlugin):
    """Brings the job to every worker, also to those that come later."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.name = f"careplan-{job.name}"

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - the library's form
        _jobs[self.job.name] = self.job


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a rulebook, by their paths in its folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in {".yaml", ".csv", ".lock"} and path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def answer_here(name: str, lines: list[Line]) -> Answers:
    """On a worker: answer lines with this thread's planner."""
    made: dict[str, Answering] = _here.__dict__.setdefault("made", {})
    if name not in made:
        job = _jobs[name]
        with TemporaryDirectory(prefix="careplan-rules-") as folder:
            for path, content in job.files.items():
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            made[name] = Answering(Planner(load(Path(folder))), job.protocol, as_fhir=job.as_fhir)
    return answered(made[name], [Line(*line) for line in lines])


class Cluster:
    """Does tasks on a cluster."""

    def __init__(self, address: str, job: Job) -> None:
        """Raises `OSError` if nobody answers at the address."""
        self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
        self._name = job.name
        self._client.register_plugin(_Rules(job))

    def in_order(self, tasks: Iterable[list[Line]]) -> Iterator[tuple[list[Line], Answers]]:
        """Each task with its result, in the order of the tasks. Raises `WorkerLost`."""
        waiting: deque[tuple[list[Line], Future[Any]]] = deque()
        source = iter(tasks)
        while True:
            threads = self._client.nthreads()  # type: ignore[no-untyped-call]
            most = max(1, sum(threads.values())) * AHEAD
            while len(waiting) < most and (task := next(source, None)) is not None:
                future = self._client.submit(answer_here, self._name, task, pure=False, retries=RETRIES)
                waiting.append((task, future))
            if not waiting:
                return
            head, future = waiting.popleft()
            try:
                yield head, Answers(*future.result())
            except KilledWorker:
                raise WorkerLost from None

    def close(self) -> None:
        """Leave the cluster as it is."""
        self._client.close()  # type: ignore[no-untyped-call]
