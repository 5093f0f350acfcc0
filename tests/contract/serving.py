"""A really running server for the contract tests, on a free port of loopback."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


class Server(str):
    """The address of a server, and the process to send signals to."""

    __slots__ = ("pid",)
    pid: int


@contextmanager
def running(log: Path, *options: str, **environment: str) -> Iterator[Server]:
    """The address of a server that lives as long as the block."""
    command = [sys.executable, "-m", "careplan.cli", "serve", "--port", "0", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, env=_environment(environment))
        try:
            assert process.stdout is not None
            address = Server(_address(process.stdout.fileno(), process))
            address.pid = process.pid
            _await(address)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)
            assert process.stdout is not None
            process.stdout.close()


def _environment(extra: dict[str, str]) -> dict[str, str]:
    import os

    outside = {name: value for name, value in os.environ.items() if not name.startswith("CAREPLAN_")}
    return outside | extra


def _address(descriptor: int, process: subprocess.Popen[bytes]) -> str:
    seen = b""
    with open(descriptor, "rb", buffering=0, closefd=False) as stream:
        while not (found := re.search(rb"Listening on\s+(\S+)", seen)):
            chunk = stream.read(4096)
            assert chunk, f"the server ended with {process.wait()}"
            seen += chunk
    return found[1].decode()


def _await(address: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not become ready")
