"""A really running server for the contract tests, on a free port of loopback."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.warm import Process

ROOT = Path(__file__).parents[2]
PATIENCE = 120
"""Seconds for which an answer is waited for. How long one takes is up to the machine: only what never comes is a failure."""


class Server(str):
    """The address of a server, and its process, to send signals to."""

    __slots__ = ("pid", "process")
    pid: int
    process: subprocess.Popen[bytes] | Process


@contextmanager
def running(
    log: Path,
    *options: str,
    module: str = "careplan.cli.main",
    cwd: Path = ROOT,
    trusted: Path | None = None,
    ready: bool = True,
    before: Sequence[str] = (),
    cold: bool = False,
    **environment: str,
) -> Iterator[Server]:
    """The address of a server that lives as long as the block. What it prints goes to `log` with `.out` behind it.

    `trusted` is the certificate of a server that speaks TLS to localhost. Without `ready`, its workers may still start.
    `before` is a command that becomes the server's. One that starts `cold` loads all that it is made of; others are forked
    from what has that. So do those with such a command, or with a variable that Python itself reads as it starts.
    """
    arguments, around = ["serve", "--port", "0", *options], _environment(environment)
    cold = cold or bool(before) or any(name.startswith("PYTHON") for name in environment)
    printed = log.with_name(f"{log.name}.out")
    with log.open("wb") as errors, printed.open("wb") as output:
        how: Any = {"stdout": output, "stderr": errors, "env": around, "cwd": cwd}
        process = (
            subprocess.Popen([*before, sys.executable, "-m", module, *arguments], **how)
            if cold
            else Process(arguments, module=module, **how)
        )
        try:
            found = _address(printed, process)
            address = Server(found.replace("127.0.0.1", "localhost") if trusted else found)
            address.pid, address.process = process.pid, process
            if ready:
                _await(address, trusted)
            yield address
        finally:
            # SIGTERM would wait until a worker that has just started can hear of it; what it does has tests of its own.
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE)


def until(true: Callable[[], bool], seconds: float = PATIENCE, pause: float = 0.02) -> None:
    """Wait for a condition. How long it takes is up to the machine, so that only what never comes is a failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return
        time.sleep(pause)
    raise AssertionError(f"not within {seconds} seconds")


def children_of(process: int) -> list[int]:
    """The processes that a process has started and that live; none where it has ended meanwhile."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _environment(extra: dict[str, str]) -> dict[str, str]:
    import os

    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(("CAREPLAN_", "OTEL_", "PROMETHEUS_"))
    }
    # The tree that the tests stand in, wherever the package is installed from.
    tree = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    return outside | {"PYTHONPATH": tree, "CAREPLAN_DRAIN_SECONDS": "0"} | extra


def _address(printed: Path, process: subprocess.Popen[bytes] | Process) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := re.search(r"Listening on\s+(\S+)\n", printed.read_text()):
            return found[1]
        assert process.poll() is None, f"the server ended with {process.wait()}"
        time.sleep(0.05)
    raise AssertionError("the server did not say where it listens")


def _await(address: str, trusted: Path | None) -> None:
    verify = ssl.create_default_context(cafile=str(trusted)) if trusted else True
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if httpx.get(f"{address}/readyz", timeout=PATIENCE, verify=verify).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not become ready")


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
    return pem, secret
