"""What something costs in calls of functions, which are the same on every machine and at every hour."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Calls:
    """How many functions of Python and of C have been called so far."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def counted() -> Iterator[Calls]:
    """Count every call of this thread within the block."""
    found = Calls()

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        found.count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield found
    finally:
        sys.setprofile(before)


def calls(work: Callable[[], object]) -> int:
    """How many functions this work calls."""
    with counted() as found:
        work()
    return found.count
