"""How the command line ends where a file, a terminal or the machine fails it: with one line, never with a traceback."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import rich_click as click

UNUSABLE = 2
"""What was asked for cannot be done: a file that cannot be read or written, a full disk."""
STOPPED = 1
"""Somebody pressed Ctrl-C."""
DEFECT = 70
"""A defect of the program itself, as sysexits.h numbers it."""
_A_SIZE = re.compile("0*[1-9][0-9]{0,4}")
"""The width or height of a terminal; the longest that a system can tell has five digits."""


def open_streams() -> None:
    """See that the three streams of a process are there: what a shell closed leads to nowhere, never into a file of ours."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


@contextmanager
def ended() -> Iterator[None]:
    """A command, with whatever it raises told in a line on standard error and by the code of the process.

    Ends with 2 where files, streams or memory fail, and with 70 for a defect, of which the type and the place are named;
    Python's development mode (`python -X dev`) shows its traceback instead.
    """
    for name in ("COLUMNS", "LINES"):
        if not _A_SIZE.fullmatch(os.environ.get(name, "80")):
            del os.environ[name]  # nothing shows in no width, and one without end takes all memory
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows a question mark
    try:
        try:
            yield
        finally:
            _flush()
    except KeyboardInterrupt:  # between commands, or while a fault is being told; within a command click sees to it
        _end("stopped", STOPPED)
    except OSError as error:
        _end(_told(error), UNUSABLE)
    except UnicodeError as error:
        _end(f"what was read is not {_encoding(error)}", UNUSABLE)
    except MemoryError:
        _end("there is not enough memory for this", UNUSABLE)
    except RecursionError:
        _end("what was read is nested too deep", UNUSABLE)
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        _end(f"a defect, please report it: {type(error).__name__} at {_place(error)}", DEFECT)


def _flush() -> None:
    """Hand over what was printed, so that a disk that is full is noticed here and not after the last line of the program."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has read enough
        _drop()
    except OSError as error:
        _drop()
        raise OSError(error.errno, error.strerror, "standard output") from error
    except ValueError:  # closed by the command itself
        pass


def _drop() -> None:
    """Let what cannot be printed lead to nowhere, or Python would try once more when it ends, and complain."""
    if sys.stdout is sys.__stdout__:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _told(error: OSError) -> str:
    said = error.strerror or type(error).__name__
    if error.filename is not None:
        return f"{click.format_filename(error.filename)}: {said}"
    return f"standard output: {said}" if error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF) else said


def _encoding(error: UnicodeError) -> str:
    return str(getattr(error, "encoding", "text")).upper()


def _place(error: Exception) -> str:
    """Where it happened: the innermost line of ours, without any value."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "careplan" in Path(frame.filename).parts] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"


def _end(message: str, code: int) -> None:
    with suppress(OSError):
        click.echo(f"careplan: {message}", err=True)
    _drop_unprinted()
    sys.exit(code)


def _drop_unprinted() -> None:
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _drop()
