"""Commands in processes of their own, forked from one that has read the shipped rulebook: they begin as if they had.

A start from nothing takes seconds of work, and hundreds of tests ask for a process only for what it does afterwards. What a
start itself does is tried by the tests that make theirs `cold`.
"""

from __future__ import annotations

import atexit
import gc
import mmap
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import IO, Any

import msgspec

from careplan.web.process import shared

ROOT = Path(__file__).parent.parent
COMMAND = "careplan.cli.main"
_LONGEST = 100_000
_PATIENCE = 120
"""Seconds for which the process that all are forked from may take to load, or to answer."""


class _Wanted(msgspec.Struct):
    """What to run; in the order of this process, the streams come beside it."""

    module: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]


class Process:
    """A command that runs in a process of its own, to be used like one of `subprocess`. Its streams are files."""

    def __init__(
        self,
        arguments: Sequence[object],
        *,
        module: str = COMMAND,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any],
        stderr: int | IO[Any],
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.returncode: int | None = None
        self.arguments = [str(one) for one in arguments]
        wanted = _Wanted(module, self.arguments, str(cwd), dict(os.environ if env is None else env))
        with Path(os.devnull).open("r+b") as nowhere:
            streams = [nowhere if one == subprocess.DEVNULL else one for one in (stdin, stdout, stderr)]
            numbers = [one if isinstance(one, int) else one.fileno() for one in streams]
            self.pid = int(_starter().ask(msgspec.json.encode(wanted), numbers))
        self._over = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        """The code with which it ended, negative for a signal; None as long as it runs."""
        if self.returncode is None and select.select([self._over], [], [], 0)[0]:
            self.returncode = int(_starter().ask(b"%d" % self.pid))
            os.close(self._over)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its code, once it has ended. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            select.select([self._over], [], [], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def run(
    *arguments: object,
    module: str = COMMAND,
    typed: bytes = b"",
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout: float = 600,
    **streams: int | IO[Any],
) -> subprocess.CompletedProcess[bytes]:
    """What a command printed, and its code. `typed` is what it reads; what it prints can be sent elsewhere."""
    with tempfile.TemporaryFile() as reads, tempfile.TemporaryFile() as prints, tempfile.TemporaryFile() as complains:
        reads.write(typed)
        reads.seek(0)
        files: dict[str, int | IO[Any]] = {"stdin": reads, "stdout": prints, "stderr": complains} | streams
        process = Process(arguments, module=module, cwd=cwd, env=env, **files)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        prints.seek(0)
        complains.seek(0)
        return subprocess.CompletedProcess(process.arguments, code, prints.read(), complains.read())


class _Starter:
    """The process that all are forked from, one for each that runs tests."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asks, self._one_at_a_time = ours, Lock()
        self._asks.settimeout(_PATIENCE)
        # The tree that the tests stand in, wherever the package is installed from.
        around = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        with theirs:
            command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, env=around)
        atexit.register(self._end)

    def ask(self, words: bytes, streams: Sequence[int] = ()) -> bytes:
        with self._one_at_a_time:
            socket.send_fds(self._asks, [words], list(streams))
            answer = self._asks.recv(_LONGEST)
        assert answer, "the process that all are forked from is gone"
        return answer

    def _end(self) -> None:
        self._asks.close()
        self._process.wait(timeout=_PATIENCE)


_starter = cache(_Starter)


def _fork_as_asked(asks: socket.socket) -> _Wanted | None:
    """Fork what is asked for, and tell how each ended; in what is forked, what it is to run. None at the end of all."""
    while True:
        words, streams, *_ = socket.recv_fds(asks, _LONGEST, 3)
        if not words:
            return None
        if words.isdigit():
            _, status = os.waitpid(int(words), 0)
            asks.send(b"%d" % os.waitstatus_to_exitcode(status))
            continue
        process = os.fork()
        if process == 0:
            asks.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            return msgspec.json.decode(words, type=_Wanted)
        for stream in streams:
            os.close(stream)
        asks.send(b"%d" % process)


def _load() -> None:
    """Read, import and prepare what most services and commands do."""
    from careplan.rulebook import load
    from careplan.rulebook.folder import Files
    from careplan.rulebook.kept_parts import KeptParts
    from careplan.rulebook.model import Rulebook
    from tests.shipped import BOOK, FILES

    read_anew, kept = load.load_files, KeptParts()

    def load_files(files: Files, kept: KeptParts = kept) -> Rulebook:
        return BOOK if files == FILES else read_anew(files, kept)

    vars(load)["load_files"] = load_files
    for module in ("cli.common", "cli.running", "cli.planning", "web.app", "web.acceptance", "web.process.supervisor"):
        import_module(f"careplan.{module}")
    from careplan.planner import A_PATIENT, Planner

    # What this remembers, such as compiled expressions and factors of units, is there for every planner after it.
    planner = Planner(BOOK)
    planner.plan(A_PATIENT)
    planner.warm()
    planner.close()
    BOOK.known_conditions.reader.warm()
    BOOK.medicines.warm()
    gc.collect()
    gc.freeze()


def _run(wanted: _Wanted) -> None:
    # The memory that the processes of one service share is made when its module is imported: each service has its own.
    vars(shared)["_shared"] = mmap.mmap(-1, len(vars(shared)["_shared"]))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ending in (signal.SIGTERM, signal.SIGHUP):  # whoever runs the tests may ignore them, as `nohup` does
        signal.signal(ending, signal.SIG_DFL)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = vars(sys)[name]
        stream = os.fdopen(number, before.mode, encoding=before.encoding, errors=before.errors, closefd=False)
        vars(sys).update({name: stream, f"__{name}__": stream})
    os.chdir(wanted.folder)
    os.environ.clear()
    os.environ.update(wanted.environment)
    sys.argv = [wanted.module, *wanted.arguments]
    sys.modules.pop(wanted.module, None)
    runpy.run_module(wanted.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _load()
    if (asked := _fork_as_asked(socket.socket(fileno=int(sys.argv[1])))) is not None:
        _run(asked)
