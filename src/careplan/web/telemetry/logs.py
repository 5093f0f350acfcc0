"""The log: our own events, and of everything else only where it comes from, as its words may quote a patient."""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal

import structlog

log = structlog.get_logger("careplan")

_OWN_WORDS = ("_granian", "granian", "opentelemetry")
"""Loggers whose messages are fixed texts; even of those the arguments are left out where they are not about the server."""


LOST_SECONDS = 30.0
"""So long after a line was lost the log counts as broken."""


AT_ONCE = 4_096
"""Bytes that a pipe takes without waiting if it takes any (`PIPE_BUF`)."""


class Lines:
    """Where lines of the log go. One that cannot be written at once is lost, and keeps no request from its answer."""

    def __init__(self, descriptor: int = 2) -> None:
        """Lines go to standard error, or to another descriptor."""
        self._descriptor = descriptor
        self.lost_at = float("-inf")

    def write(self, text: str) -> None:
        """Write a line, whose rest is left out where a pipe is full: its reader may have stopped, or be gone for good."""
        content = text.encode(errors="backslashreplace")
        try:
            for at in range(0, len(content), AT_ONCE):
                if not select.select((), (self._descriptor,), (), 0)[1]:
                    self.lost_at = time.monotonic()
                    return
                os.write(self._descriptor, content[at : at + AT_ONCE])
        except (OSError, ValueError):  # the latter for a descriptor that was closed
            self.lost_at = time.monotonic()

    def flush(self) -> None:
        """Nothing is kept."""


_lines = Lines()


def is_losing() -> bool:
    """Whether a line was lost a short while ago."""
    return time.monotonic() - _lines.lost_at < LOST_SECONDS


def configure(form: Literal["json", "console"]) -> None:
    """Send the log to standard error, one write an event; with it what libraries log, and what nobody caught."""
    renderer: Mapping[str, Any] = {"json": structlog.processors.JSONRenderer(), "console": structlog.dev.ConsoleRenderer()}
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer[form],
        ],
        logger_factory=structlog.WriteLoggerFactory(_lines),  # type: ignore[arg-type] # it writes and flushes
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_Reduced()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda found: _uncaught(found.exc_type, found.exc_value, found.exc_traceback)
    threading.excepthook = lambda found: _uncaught(found.exc_type, found.exc_value, found.exc_traceback)


def places(trace: TracebackType | None) -> list[str]:
    """Where an error was raised and through what it passed, the last twelve places: files and lines, no values."""
    found = []
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        found.append(f"{name.rpartition('careplan/')[2] or name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found[-12:]


def _uncaught(kind: type[BaseException] | None, _: BaseException | None, trace: TracebackType | None) -> None:
    if kind is None or issubclass(kind, KeyboardInterrupt):
        return
    log.critical("failed", error=kind.__name__, at=places(trace))


class _Reduced(logging.Handler):
    """Passes on what other libraries log: who, where, and the type of an error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one event."""
        fields: dict[str, Any] = {"logger": record.name, "at": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[0]:
            fields |= {"error": record.exc_info[0].__name__, "at": places(record.exc_info[2])}
        event = "library"
        if record.name.startswith(_OWN_WORDS):
            event = record.getMessage() if record.name == "_granian" and not record.exc_info else str(record.msg)
            fields = {} if record.name == "_granian" and not record.exc_info else fields
        getattr(log, record.levelname.lower() if record.levelno in _LEVELS else "info")(event, **fields)


_LEVELS = frozenset({logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL})


SERVER_LOGS: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {name: {"handlers": [], "level": "INFO", "propagate": True} for name in ("_granian", "granian.access")},
}
"""For the server: it logs through the root logger, that is, through us."""
