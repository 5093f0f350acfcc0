"""How far a batch or another long command is: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from careplan.rulebook.text_template import counted


class Meter:
    """Counts what is done. Rate and time left are of this run; what an earlier one did is passed over."""

    def __init__(self, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        """`total` is the size of the input as it lies there; None where nobody knows."""
        self.total = total
        self._clock = clock
        self._began = clock()
        self._before = 0
        self._passed = 0
        self.place = 0
        self.patients = 0

    def passed(self, size: int) -> None:
        """So much of this file was done by an earlier run."""
        self.place = self._before + size
        self._passed += size
        if not self.patients:
            self._began = self._clock()

    def answered(self, patients: int, place: int) -> None:
        """These were answered; the file is done up to here."""
        self.patients += patients
        self.place = self._before + place

    def next_file(self, size: int) -> None:
        """A file of this size is done."""
        self._before += size
        self.place = self._before

    @property
    def rate(self) -> float:
        """Patients a second."""
        took = self._clock() - self._began
        return self.patients / took if took > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left; None while there is no telling."""
        done = self.place - self._passed
        if self.total is None or done <= 0 or not self.patients:
            return None
        return max(0.0, self.total - self.place) * (self._clock() - self._began) / done

    @property
    def words(self) -> str:
        """How far, how fast, and for how long still."""
        parts = [counted(self.patients, "patient"), f"{self.rate:,.0f} a second"]
        if self.total:
            parts.insert(0, f"{min(1.0, self.place / self.total):.0%}")
        left = self.seconds_left
        if left is not None:
            minutes, seconds = divmod(round(left), 60)
            hours, minutes = divmod(minutes, 60)
            parts.append(f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left")
        return ", ".join(parts)


class _Words(ProgressColumn):
    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    def render(self, task: Task) -> Text:  # noqa: ARG002 - the library's form
        return Text(self._meter.words)


@contextmanager
def shown(meter: Meter) -> Iterator[Callable[[], None]]:
    """Show a meter as long as the block lasts; what it gives brings the bar up to date."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with Progress(BarColumn(), _Words(meter), console=Console(stderr=True), transient=True) as progress:
        # Without a total the bar only pulses.
        task = progress.add_task("", total=meter.total)
        yield lambda: progress.update(task, completed=meter.place)


@contextmanager
def steps_shown() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each kind of step as long as the block lasts.

    What it gives is told the kind, how many of them are done, and of how many.
    """
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, int] = {}

        def advance(kind: str, done: int, of: int) -> None:
            task = tasks.setdefault(kind, len(tasks))
            if task == len(bar.tasks):
                bar.add_task(kind, total=of)
            bar.update(bar.tasks[task].id, completed=done)

        yield advance
