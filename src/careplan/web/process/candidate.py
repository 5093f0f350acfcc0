"""A candidate for the next edition, examined in a process of its own while the first process goes on.

Nothing is waited for: the first process looks in from time to time, and a candidate that takes too long is given up.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

import msgspec

from careplan.errors import MOST_SHOWN, RuleFault

LONGEST = 300.0
"""Seconds after which a candidate counts as hanging; the shipped rulebook takes about five."""
_MOST = 1_000_000
"""Bytes of a report; one with as many faults as are shown, each as long as a fault may be, has a third of that."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: all that is wrong, whether content to serve was written, and the digest of the rulebook in it.

    `more` counts faults that are not among `faults`.
    """

    digest: str = ""
    taken: bool = False
    faults: list[RuleFault]
    more: int = 0

    def in_short(self) -> Verdict:
        """The same with the faults that somebody reads one by one, and the others counted: there may be many thousands."""
        beyond = max(0, len(self.faults) - MOST_SHOWN)
        return msgspec.structs.replace(self, faults=self.faults[:MOST_SHOWN], more=self.more + beyond)


class Candidate:
    """The examination of the files as they are now."""

    def __init__(self, command: Sequence[str], content_file: int, before_file: int, *, seconds: float = LONGEST) -> None:
        """`command` is given descriptors: where to write what it accepts, its report, and what is served now.

        Raises `OSError` where no process can be started.
        """
        self._report = os.memfd_create("careplan-report", os.MFD_CLOEXEC)
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [*command, str(content_file), str(self._report), str(before_file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(content_file, self._report, before_file),
            )
        except OSError:
            os.close(self._report)
            raise

    def verdict(self) -> Verdict | None:
        """What came of it; None as long as that is not known."""
        code = self._process.poll()
        if code is None and time.monotonic() < self._until:
            return None
        if code is None:
            return refused(f"The engine was not done with this rulebook after {self._seconds:g} seconds.")
        if code != 0:
            return refused(f"What examines the files ended with code {code}.")
        try:
            return msgspec.msgpack.decode(os.pread(self._report, _MOST, 0), type=Verdict)
        except msgspec.DecodeError:
            return refused("What examined the files said nothing.")

    def close(self) -> None:
        """End the process, if it is still there."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._report)


def refused(problem: str) -> Verdict:
    """The verdict on files that could not be looked at."""
    mend = "Take back the last change and make it in smaller steps; what was in use before stays."
    return Verdict(faults=[RuleFault(file="rulebook.yaml", line=1, field="", problem=problem, mend=mend, code="engine")])
