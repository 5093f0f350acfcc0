"""An interrupt (Ctrl-C) that comes while the command line is still loading ends it quietly."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unbegun() -> Iterator[None]:
    """A block in which an interrupt ends the process without a word, instead of telling which import it broke off."""
    if threading.current_thread() is not threading.main_thread():  # others cannot hear signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
