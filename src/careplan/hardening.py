"""Keeping the memory of a process, which holds patients' data, out of files and from other processes."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """Leave no core dump, and let no other process of the user read this one's memory; forked children inherit both."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        # A core_pattern that is a pipe is served whatever the limit says, unless the process is not dumpable.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)
