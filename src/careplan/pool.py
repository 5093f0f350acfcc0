"""Work in several processes, results in the order of the work, with only so much under way that memory stays flat."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Generic, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Asked = TypeVar("Asked")
Given_co = TypeVar("Given_co", covariant=True)
AHEAD = 3
"""Tasks handed out for each worker; more would only wait in memory."""
TRIES = 3


class WorkerLost(Exception):
    """A task was lost with its worker as often as it was tried."""


class Pool(Protocol[Asked, Given_co]):
    """Does tasks somewhere."""

    def in_order(self, tasks: Iterable[Asked]) -> Iterator[tuple[Asked, Given_co]]:
        """Each task with its result, in the order of the tasks. Raises `WorkerLost`."""
        ...

    def close(self) -> None:
        """End the workers."""
        ...


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Here(Generic[Task, Result]):
    """Does tasks in this process, one after the other."""

    def __init__(self, make: Callable[[], Callable[[Task], Result]]) -> None:
        self._do = make()

    def in_order(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Each task with its result."""
        for task in tasks:
            yield task, self._do(task)

    def close(self) -> None:
        """Nothing to end."""


class Processes(Generic[Task, Result]):
    """Does tasks in processes of this machine; one that dies is replaced and what it had is done again."""

    def __init__(self, make: Callable[[], Callable[[Task], Result]], workers: int) -> None:
        """`make` gives the function that does a task; it is called once in each process."""
        self._make = make
        self._workers = workers
        self._executor = self._start()

    def in_order(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Each task with its result, in the order of the tasks. Raises `WorkerLost`."""
        waiting: deque[tuple[Task, Future[Result]]] = deque()
        source = iter(tasks)
        tries = 0
        while True:
            while len(waiting) < self._workers * AHEAD and (task := next(source, _END)) is not _END:
                waiting.append((task, self._submit(task)))  # type: ignore[arg-type]
            if not waiting:
                return
            head, future = waiting[0]
            try:
                result = future.result()
            except BrokenProcessPool:
                tries += 1
                if tries >= TRIES:
                    raise WorkerLost from None
                self._executor.shutdown(wait=False)
                self._executor = self._start()
                waiting = deque((task, self._submit(task)) for task, _ in waiting)
                continue
            tries = 0
            waiting.popleft()
            yield head, result

    def close(self) -> None:
        """End the processes."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, task: Task) -> Future[Result]:
        try:
            return self._executor.submit(_do, task)
        except BrokenProcessPool as error:
            failed: Future[Result] = Future()
            failed.set_exception(error)
            return failed

    def _start(self) -> ProcessPoolExecutor:
        # Forked, so that a rulebook that was read once need not be read again nor sent.
        return ProcessPoolExecutor(self._workers, mp_context=get_context("fork"), initializer=_begin, initargs=(self._make,))


_END = object()
_work: Callable[[Any], Any] | None = None


def _begin(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _work  # noqa: PLW0603 - one for each process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _work = make()


def _do(task: Any) -> Any:
    assert _work is not None
    return _work(task)
