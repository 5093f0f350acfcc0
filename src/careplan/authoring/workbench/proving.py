"""Proofs and comparisons for the workbench: each in a process of its own, with a time limit, and one at a time.

The process is the command line itself, given copies of the folder: `rules prove --only` and `rules compare`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Literal

import msgspec

from careplan.rulebook.folder import NOT_OF_RULES, Files

LONGEST = 180.0
"""Seconds after which it is given up."""
_MOST_WORDS = 2_000

Work = Literal["prove", "compare"]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is. `found` is what came of it, as the command line says it in JSON; `words` the last of its progress.

    `state` is failed where nothing could be proved, such as without a solver: `words` then say why.
    """

    state: Literal["none", "running", "done", "failed", "stopped", "too_long"] = "none"
    work: Work = "prove"
    seconds: int = 0
    words: str = ""
    found: msgspec.Raw = msgspec.Raw(b"null")


class Proving:
    """At most one proof or comparison at a time; another one takes its place."""

    def __init__(self, command: Sequence[str], *, longest: float = LONGEST) -> None:
        """`command` starts the command line."""
        self._command = command
        self._longest = longest
        self._lock = Lock()
        self._running: _Running | None = None
        self._last = Progress()

    def start(self, work: Work, rule: str, before: Files, after: Files) -> Progress:
        """Begin with it, on rulebooks with and without the change."""
        with self._lock:
            self._end("stopped")
            try:
                self._running = _Running(self._command, work, rule, before, after)
            except OSError as error:
                self._last = Progress(state="failed", work=work, words=f"It could not be started: {error.strerror}.")
            return self._look()

    def look(self) -> Progress:
        """How far it is."""
        with self._lock:
            return self._look()

    def stop(self) -> Progress:
        """Give it up."""
        with self._lock:
            self._end("stopped")
            return self._last

    def _look(self) -> Progress:
        running = self._running
        if running is None:
            return self._last
        if running.process.poll() is None and running.seconds < self._longest:
            return Progress(state="running", work=running.work, seconds=int(running.seconds), words=running.last_line())
        if running.process.returncode is None:
            self._end("too_long")
        else:
            self._last = running.result()
            self._running = None
        return self._last

    def _end(self, state: Literal["stopped", "too_long"]) -> None:
        if self._running is not None:
            self._last = Progress(state=state, work=self._running.work, seconds=int(self._running.seconds))
            self._running.end()
            self._running = None


class _Running:
    """One process, with its folders."""

    def __init__(self, command: Sequence[str], work: Work, rule: str, before: Files, after: Files) -> None:
        self.work = work
        self._began = time.monotonic()
        self._folder = TemporaryDirectory(prefix="careplan-workbench-")
        home = Path(self._folder.name)
        _write(home / "after", after)
        if work == "compare":
            _write(home / "before", before)
            asked = ["compare", str(home / "before"), str(home / "after")]
        else:
            asked = ["prove", "--only", rule, "--progress-lines", "--rules", str(home / "after")]
        self._said, self._found = home / "said", home / "found"
        try:
            with self._said.open("wb") as said, self._found.open("wb") as found:
                self.process = subprocess.Popen(  # noqa: S603
                    [*command, "rules", *asked, "--format", "json"], stdin=subprocess.DEVNULL, stdout=found, stderr=said
                )
        except OSError:
            self._folder.cleanup()
            raise

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def last_line(self) -> str:
        """The last that it said of itself."""
        lines = self._said.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1][:_MOST_WORDS] if lines else ""

    def result(self) -> Progress:
        """What came of it once it has ended. Its folders are gone afterwards."""
        words, found, code = self.last_line(), self._found.read_bytes(), self.process.returncode
        self._folder.cleanup()
        if code not in (0, 1) or not found:
            words = words or f"It ended with {code}."
            return Progress(state="failed", work=self.work, seconds=int(self.seconds), words=words)
        return Progress(state="done", work=self.work, seconds=int(self.seconds), found=msgspec.Raw(found))

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self._folder.cleanup()


def _write(folder: Path, files: Mapping[PurePosixPath, bytes]) -> None:
    for path, content in files.items():
        if path.suffix not in NOT_OF_RULES:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
