"""The process that sets one document and ends: it reads the document from its input and writes the PDF to its output.

Run as `python -P -m careplan.formats.print_process STARTER BYTES SECONDS`. It ends with the process STARTER, takes no more
address space than so many bytes, and lives no longer than so many seconds, whatever the process that started it does.
Nothing of a document is left when it has ended, and nothing of one is printed but the PDF.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from careplan.formats import typesetting
from careplan.hardening import harden

OUT_OF_MEMORY, DEFECT, PANIC = 3, 4, 5
"""How it ends without a PDF, where it can still choose."""
_NICE = 10
_FIRST_TO_GO = "800"
"""Where memory runs out for all, the kernel ends this process before any that serves."""
_PR_SET_PDEATHSIG = 1


def bound(starter: int, most: int, seconds: int) -> None:
    """Give way to others, and set the limits of this process. Ends it if the process that started it is gone already."""
    signal.alarm(seconds)
    os.nice(_NICE)
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    harden()
    if os.getppid() != starter:
        os._exit(0)


def main() -> int:
    """Set the document of the input; the code to end with."""
    try:
        document = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=typesetting.Document)
        sys.stdout.buffer.write(typesetting.typeset(document))
        sys.stdout.buffer.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception:  # noqa: BLE001 - its words may quote a patient
        return DEFECT
    except BaseException:  # noqa: BLE001 - a panic of Typst, which may have been for want of a thread
        return PANIC
    return 0


if __name__ == "__main__":
    bound(*map(int, sys.argv[1:]))
    # Without tidying up, which would take as long as a short document.
    os._exit(main())
