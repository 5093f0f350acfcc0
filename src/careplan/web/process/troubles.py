"""What is wrong with the running service that it goes on in spite of: said in the log, by `/readyz` and by a metric.

Each worker looks at itself with every beat, and any of them can tell of all. A trouble that has passed is not said any more.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, get_args

import msgspec
import structlog

from careplan.web.process import shared

log = structlog.get_logger("careplan")

Kind = Literal["edition", "descriptors", "memory", "log", "counts", "worker_silent", "worker_missing"]
OF_A_WORKER: tuple[Kind, ...] = ("edition", "descriptors", "memory", "log", "counts")
"""What a worker says of itself, in the order of the bits that stand for it."""
WORDS: dict[Kind, str] = {
    "edition": "It could not take the accepted edition, and serves the one before.",
    "descriptors": "It has nearly as many files and connections open as it may have.",
    "memory": "The service has nearly used up the memory that it may have.",
    "log": "Lines of its log could not be written.",
    "counts": "There was no room for some of its counts.",
    "worker_silent": "It has said nothing for some seconds, and gets no new connections.",
    "worker_missing": "It is not there, and is about to be replaced.",
}
MOST_OPEN = 0.9
LEAST_MEMORY = 0.05
"""Shares of what there may be."""
SILENT_SECONDS = 5.0
"""A worker that did not say for so long that it lives gets no new connections."""
_CGROUP = Path("/sys/fs/cgroup")
_MEMORY_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)
"""Limit, use, and what of it can be given back, in either version of the kernel's interface."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with a worker; they count from 1."""

    what: Kind
    worker: int
    words: str


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker serves. They count from 1; `digest` is that of its rulebook, empty as long as it is not there."""

    worker: int
    ready: bool
    edition: int
    digest: str


def workers(count: int) -> list[Worker]:
    """What each worker says that it serves."""
    states = [shared.state_of(at) for at in range(count)]
    return [
        Worker(worker=at, ready=state.ready, edition=state.edition, digest=state.digest)
        for at, state in enumerate(states, start=1)
    ]


def troubles_of(count: int) -> list[Trouble]:
    """All that is wrong with so many workers."""
    noticed: list[Trouble] = []
    now = time.monotonic()
    for at in range(count):
        state = shared.state_of(at)
        kinds: list[Kind] = [kind for bit, kind in enumerate(OF_A_WORKER) if state.flags >> bit & 1]
        if not is_there(at):
            kinds = ["worker_missing"]
        elif now - state.beat > SILENT_SECONDS:
            kinds.append("worker_silent")
        noticed += [Trouble(what=kind, worker=at + 1, words=WORDS[kind]) for kind in kinds]
    return noticed


def is_there(worker: int) -> bool:
    """Whether the worker of this number, counting from 0, is up and its process there."""
    state = shared.state_of(worker)
    return state.ready and Path(f"/proc/{state.pid}").exists()


def counted(count: int) -> Iterable[tuple[dict[str, str], float]]:
    """For each kind of trouble, how many workers have it."""
    kinds = [trouble.what for trouble in troubles_of(count)]
    return [({"what": kind}, float(kinds.count(kind))) for kind in get_args(Kind)]


class SelfCheck:
    """Looks at this worker. Each kind is asked by a function of its own."""

    def __init__(self, further: dict[Kind, Callable[[], bool]]) -> None:
        own: dict[Kind, Callable[[], bool]] = {"descriptors": few_descriptors, "memory": little_memory}
        self._checks = own | further
        self._known: set[Kind] = set()

    def flags(self) -> int:
        """The bits of what is wrong now. What is new or over is logged."""
        now: set[Kind] = {kind for kind, wrong in self._checks.items() if wrong()}
        for kind in sorted(now - self._known):
            log.error("trouble", what=kind, words=WORDS[kind])
        for kind in sorted(self._known - now):
            log.info("trouble over", what=kind)
        self._known = now
        return sum(1 << OF_A_WORKER.index(kind) for kind in now)


def few_descriptors() -> bool:
    """Whether nearly all descriptors are taken."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir()) > soft * MOST_OPEN
    except OSError:
        return True


def little_memory() -> bool:
    """Whether the group of processes has nearly reached its limit, not counting what the kernel would give back."""
    for limit, usage, cached in _MEMORY_FILES:
        try:
            most = int((_CGROUP / limit).read_text())
            used = int((_CGROUP / usage).read_text())
            page = (_CGROUP / usage).with_name("memory.stat").read_text()
            kept = next(int(line.split()[1]) for line in page.splitlines() if line.startswith(f"{cached} "))
        except (OSError, ValueError, StopIteration):
            continue  # There is no limit, or it cannot be seen from here.
        return used - kept > most * (1 - LEAST_MEMORY)
    return False
