"""When there is no memory, thread or file left for a request: it is answered with 503, and a worker may go."""

from __future__ import annotations

import errno
import gc
from collections.abc import Callable

USED_UP = "There was no memory, thread or file left for this request. Try again shortly."
SPARE_BYTES = 32 * 1024 * 1024
"""A worker that cannot have this much once it has cleared up is of no use any more."""
_NUMBERS = frozenset({errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT})
_NO_THREAD = "can't start new thread"


def is_exhaustion(error: BaseException) -> bool:
    """Whether an error says that the machine, or what this process may have of it, is used up: no defect of a request."""
    if isinstance(error, OSError):
        return error.errno in _NUMBERS
    if isinstance(error, RuntimeError):
        return error.args == (_NO_THREAD,)
    return isinstance(error, MemoryError)


def is_spent(allocate: Callable[[int], object] = bytearray) -> bool:
    """Whether this process is still without memory after it has cleared up."""
    gc.collect()
    try:
        allocate(SPARE_BYTES)
    except MemoryError:
        return True
    return False
