"""PDFs, each set by a process of its own: one at a time in each worker, within limits of time and memory.

Typst keeps what it has set and gives no memory back, so that a worker would grow by half its size with each long plan, and
its memory would hold patients' texts for hours. A process that ends with its document costs a twentieth of a second more and
leaves nothing. It is a fresh interpreter that knows neither rules nor engine, and it does not outlive its worker.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

import msgspec
import structlog
from litestar.exceptions import HTTPException

from careplan.formats.typesetting import Document

log = structlog.get_logger("careplan")

MOST_PRINTING = 8
"""Documents in hand at once: the one that is set, and those that wait for it."""
PRINT_SECONDS = 20
"""After this long a document is given up. The time of its request may be over before."""
PRINT_BYTES = 256 * 1024 * 1024
"""The address space of a process that sets one document."""
RETRY_SECONDS = 2
PRINT_PROCESS = (sys.executable, "-P", "-m", "careplan.formats.print_process")

Outcome = Literal["printed", "busy", "time", "memory", "crash", "no_process", "given_up", "defect"]
"""`busy`: too many wait. `time`, `memory`: a limit ended the process. `crash`: it ended by itself without a PDF.
`no_process`: none could be started. `given_up`: the request ended first. `defect`: there is no setting this document."""

_BUSY = "More PDFs are being made than can be. Try again shortly."
_LIMITED = "The PDF was not ready within the time and memory that one may take. Try again shortly."
_FAILED = "The process that makes PDFs ended before this one was ready. Try again shortly."
_WORDS: Mapping[Outcome, str] = {"busy": _BUSY, "time": _LIMITED, "memory": _LIMITED}
_CODES: Mapping[int, Outcome] = {
    0: "printed",
    3: "memory",
    4: "defect",
    # Not sent from here before the process has been waited for: by the kernel, where memory ran out for all.
    -signal.SIGKILL: "memory",
    -signal.SIGALRM: "time",
}
_NO_MEMORY = b"memory allocation of"
"""What the language that Typst is written in says last."""
_LONGEST = 64 * 1024 * 1024
"""More than any PDF has: reading one is never paused, and the end of its process is always seen."""
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH")
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""So that the address space does not grow with the cores of the machine."""


class NotPrinted(HTTPException):
    """No PDF this time: 503, and when to ask again. `words` say why."""

    status_code = 503

    def __init__(self, why: Outcome) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_SECONDS)})
        self.why = why
        self.words = _WORDS.get(why, _FAILED)


class DefectiveDocument(Exception):
    """Typst takes this document for wrong, and would each time: a defect of a template."""


class Printer:
    """Prints for one worker. `counted` is told what became of each document."""

    def __init__(
        self,
        counted: Callable[[Outcome], None],
        *,
        command: Sequence[str] | None = None,
        seconds: float | None = None,
        most_bytes: int = PRINT_BYTES,
    ) -> None:
        self._counted = counted
        self._command = command or PRINT_PROCESS
        self._seconds = seconds or PRINT_SECONDS
        self._most_bytes = most_bytes
        self._in_hand = 0
        self._turn = asyncio.Lock()
        # Long plans take a while to lay out as well, and requests should not wait for that.
        self._layouts = ThreadPoolExecutor(1, "layout", initializer=partial(os.nice, 10))
        self._running: asyncio.subprocess.Process | None = None

    async def print(self, lay_out: Callable[[], Document]) -> bytes:
        """The PDF of what `lay_out` returns, which is called when its turn has come.

        Raises `NotPrinted` where there is none this time, and `DefectiveDocument` where there can be none.
        """
        try:
            pdf = await self._printed(lay_out)
        except NotPrinted as error:
            self._counted(error.why)
            if error.why != "busy":
                log.warning("no PDF", why=error.why)
            raise
        except asyncio.CancelledError:
            self._counted("given_up")
            raise
        except DefectiveDocument:
            self._counted("defect")
            raise
        self._counted("printed")
        return pdf

    async def _printed(self, lay_out: Callable[[], Document]) -> bytes:
        if self._in_hand >= MOST_PRINTING:
            raise NotPrinted("busy")
        self._in_hand += 1
        try:
            async with self._turn:
                document = await asyncio.get_running_loop().run_in_executor(self._layouts, lay_out)
                return await self._set(msgspec.msgpack.encode(document))
        finally:
            self._in_hand -= 1

    async def _set(self, document: bytes) -> bytes:
        # The process ends itself a little later than it is ended, should the worker hang.
        limits = (os.getpid(), self._most_bytes, int(self._seconds) + 5)
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *map(str, limits),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=_LONGEST,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _ONE_THREAD,
            )
        except OSError:
            raise NotPrinted("no_process") from None
        self._running = process
        try:
            async with asyncio.timeout(self._seconds):
                pdf, errors = await process.communicate(document)
        except TimeoutError:
            raise NotPrinted("time") from None
        finally:
            self.close()
            await process.wait()
            self._running = None
        outcome: Outcome = "memory" if _NO_MEMORY in errors else _CODES.get(process.returncode or 0, "crash")
        if outcome == "defect":
            raise DefectiveDocument
        if outcome != "printed":
            raise NotPrinted(outcome)
        return pdf

    def close(self) -> None:
        """End the process that is setting a document, if there is one."""
        if self._running is not None and self._running.returncode is None:
            self._running.kill()
