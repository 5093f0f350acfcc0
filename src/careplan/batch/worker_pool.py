"""Work in several processes, results in the order of the work, with only so much under way that memory stays flat."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from threading import Timer
from typing import Any, Generic, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Asked = TypeVar("Asked")
Given_co = TypeVar("Given_co", covariant=True)
AHEAD = 3
"""Tasks handed out for each worker; more would only wait in memory."""
TRIES = 3
PARTING_SECONDS = 5.0
"""How long workers may take to end."""
_PR_SET_PDEATHSIG = 1


class WorkerLost(Exception):
    """The work cannot go on: a task was lost with its worker as often as it was tried, or the workers are gone."""


class Pool(Protocol[Asked, Given_co]):
    """Does tasks somewhere."""

    def in_order(self, tasks: Iterable[Asked | None]) -> Iterator[tuple[Asked, Given_co]]:
        """Each task with its result, in the order of the tasks.

        None among the tasks says that there is none at the moment. What the tasks raise is raised after the results of
        those that came before. Raises `WorkerLost`.
        """
        ...

    def close(self) -> None:
        """End the workers."""
        ...


class Promise(Protocol):
    """A result that may still be on its way."""

    def done(self) -> bool:
        """Whether it is there."""
        ...


Promised = TypeVar("Promised", bound=Promise)
Waiting = deque[tuple[Task, Promised]]


class Workers(Protocol[Task, Promised, Given_co]):
    """What works at several tasks at once."""

    def room(self) -> int:
        """How many tasks they may have."""
        ...

    def submit(self, task: Task) -> Promised:
        """Give them a task."""
        ...

    def first(self, waiting: Waiting[Task, Promised]) -> Given_co:
        """The result of the first task that waits, which may take a while. Raises `WorkerLost`."""
        ...


def in_order(workers: Workers[Task, Promised, Result], tasks: Iterable[Task | None]) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in order: what is finished is given out before more is asked for."""
    waiting: Waiting[Task, Promised] = deque()
    source = iter(tasks)
    failure: Exception | None = None
    more = True
    while more or waiting:
        full = False
        while more and not (full := len(waiting) >= workers.room()):
            try:
                task = next(source)
            except StopIteration:
                more = False
            except Exception as error:  # noqa: BLE001 - raised again below
                failure, more = error, False
            else:
                if task is None:
                    break
                waiting.append((task, workers.submit(task)))
                if waiting[0][1].done():
                    break
        if waiting and (full or not more or waiting[0][1].done()):
            result = workers.first(waiting)
            yield waiting.popleft()[0], result
    if failure is not None:
        raise failure


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class InThisProcess(Generic[Task, Result]):
    """Does tasks in this process, one after the other."""

    def __init__(self, make: Callable[[], Callable[[Task], Result]]) -> None:
        self._do = make()

    def in_order(self, tasks: Iterable[Task | None]) -> Iterator[tuple[Task, Result]]:
        """Each task with its result."""
        for task in tasks:
            if task is not None:
                yield task, self._do(task)

    def close(self) -> None:
        """Nothing to end."""


class Processes(Generic[Task, Result]):
    """Does tasks in processes of this machine; one that dies is replaced and what it had is done again."""

    def __init__(self, make: Callable[[], Callable[[Task], Result]], workers: int) -> None:
        """`make` gives the function that does a task; it is called once in each process."""
        self._make = make
        self._workers = workers
        self._tries = 0
        self._executor = self._start()

    def in_order(self, tasks: Iterable[Task | None]) -> Iterator[tuple[Task, Result]]:
        """Each task with its result, in the order of the tasks. Raises `WorkerLost`."""
        return in_order(self, tasks)

    def room(self) -> int:
        """How many tasks the processes may have."""
        return self._workers * AHEAD

    def submit(self, task: Task) -> Future[Result]:
        """Give the processes a task."""
        try:
            return self._executor.submit(_do, task)
        except BrokenProcessPool as error:
            failed: Future[Result] = Future()
            failed.set_exception(error)
            return failed

    def first(self, waiting: Waiting[Task, Future[Result]]) -> Result:
        """The result of the first task that waits, done again if its worker dies. Raises `WorkerLost`."""
        while True:
            try:
                result = waiting[0][1].result()
            except BrokenProcessPool:
                self._tries += 1
                if self._tries >= TRIES:
                    raise WorkerLost("a worker was lost again and again on the same lines") from None
                self._executor.shutdown(wait=True)
                self._executor = self._start()
                for at, (task, _) in enumerate(list(waiting)):
                    waiting[at] = (task, self.submit(task))
            else:
                self._tries = 0
                return result

    def close(self) -> None:
        """End the processes; one that takes too long is killed, as nothing more is wanted of it."""
        impatience = Timer(PARTING_SECONDS, _kill_children)
        impatience.daemon = True
        impatience.start()
        try:
            # Waited for, because the interpreter would write to the thread that watches the workers as that thread ends.
            self._executor.shutdown(wait=True, cancel_futures=True)
        finally:
            impatience.cancel()

    def _start(self) -> ProcessPoolExecutor:
        # Forked, so that a rulebook that was read once need not be read again nor sent.
        context = get_context("fork")
        return ProcessPoolExecutor(self._workers, mp_context=context, initializer=_begin, initargs=(self._make, os.getpid()))


def _kill_children() -> None:
    for worker in active_children():
        worker.kill()


_work: Callable[[Any], Any] | None = None


def _begin(make: Callable[[], Callable[[Any], Any]], parent: int) -> None:
    global _work  # noqa: PLW0603 - one for each process
    # What a terminal sends to all of a group, the command answers for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        # Not to wait for ever for work from a process that was killed.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        # It went before this process watched it.
        signal.raise_signal(signal.SIGKILL)
    _work = make()


def _do(task: Any) -> Any:
    assert _work is not None
    return _work(task)
