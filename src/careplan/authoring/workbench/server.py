"""The workbench as a small local web server, apart from the service: for one person, on loopback, behind a token.

Another site in the same browser can neither read nor write here: the name in Host must be ours, the cookie goes with no
request of another site, and a body must be JSON from our own origin.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from careplan.authoring.workbench.bench import MOST_PATIENTS, Bench, NoRule, Unfit, Unsaved
from careplan.authoring.workbench.proving import LONGEST as LONGEST_PROOF
from careplan.authoring.workbench.proving import Progress, Proving, Work

LONGEST = 1_000_000
"""Bytes of a body."""
_HERE = Path(__file__).parent / "static"
_LIBRARY = Path(__file__).parents[2] / "web" / "static" / "try"
_FILES = {
    "/": (_HERE / "index.html", "text/html"),
    "/main.js": (_HERE / "main.js", "text/javascript"),
    **{
        f"/{name}.js": (_HERE / f"{name}.js", "text/javascript")
        for name in ("parts", "field", "prose", "patient", "proof", "due")
    },
    "/workbench.css": (_HERE / "workbench.css", "text/css"),
    "/preact.js": (_LIBRARY / "preact.js", "text/javascript"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page sends: words to search for, or a rule with a text, and what of it is wanted."""

    words: str = ""
    rule: str = ""
    text: str = ""
    mark: str = ""
    patients: int = 300
    at: int = 0
    patient: dict[str, Any] = {}


class Workbench(ThreadingHTTPServer):
    """The server. Everything that touches rules is done by one thread."""

    daemon_threads = True

    def __init__(
        self, folder: Path, port: int = 0, *, command: Sequence[str] = (), longest_proof: float = LONGEST_PROOF
    ) -> None:
        """`command` starts the command line, for proofs; they are given up after `longest_proof` seconds."""
        super().__init__(("127.0.0.1", port), _Handler)
        self._worker = ThreadPoolExecutor(1)
        self._bench = self._worker.submit(Bench, folder).result()
        self._proving = Proving(command, longest=longest_proof)
        self.token = secrets.token_urlsafe(32)
        self.session = secrets.token_urlsafe(32)
        self.cookie = f"careplan-workbench-{self.server_port}"

    @property
    def address(self) -> str:
        """Where to open it, with the token that lets in."""
        return f"http://127.0.0.1:{self.server_port}/enter/{self.token}"

    @property
    def hosts(self) -> frozenset[str]:
        """The names that the Host header may have."""
        return frozenset(f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost"))

    def answer(self, path: str, asked: Asked) -> object:
        """What is asked at a path. Raises `KeyError` for a path that there is not, `NoRule`, `Unfit` and `Unsaved`."""
        if path in ("/proof", "/proof/stop"):  # Not behind other work: it must be possible to look and to stop.
            return self._proving.look() if path == "/proof" else self._proving.stop()
        if path == "/complete":
            return self._bench.complete(asked.text, max(0, min(asked.at, len(asked.text))))
        work: Callable[[], object] = {
            "/rules": lambda: self._bench.find(asked.words),
            "/rule": lambda: self._bench.read(asked.rule),
            "/check": lambda: self._bench.check(asked.rule, asked.text),
            "/effect": lambda: self._bench.effect(asked.rule, asked.text, max(1, min(asked.patients, MOST_PATIENTS))),
            "/said": lambda: self._bench.said(asked.rule, asked.text, asked.patient),
            "/due": lambda: self._bench.due(datetime.now().astimezone().date()),
            "/prove": lambda: self._prove("prove", asked),
            "/compare": lambda: self._prove("compare", asked),
            "/save": lambda: self._bench.save(asked.rule, asked.text, asked.mark),
        }[path]
        return self._worker.submit(work).result()

    def _prove(self, work: Work, asked: Asked) -> Progress:
        before, after = self._bench.sides(asked.rule, asked.text)
        return self._proving.start(work, asked.rule, before, after)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing of a reader that went away; anything else as ever."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """End it, and free what it holds."""
        super().server_close()
        self._proving.stop()
        self._worker.submit(self._bench.close).result()
        self._worker.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Workbench
    server_version = "careplan-workbench"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        if not self._is_ours():
            return
        if self.path.startswith("/enter/"):
            self._enter(self.path.removeprefix("/enter/"))
        elif not self._has_entered():
            self._refuse(HTTPStatus.FORBIDDEN, "Open the address that careplan workbench printed.")
        elif self.path in _FILES:
            file, media_type = _FILES[self.path]
            self._send(HTTPStatus.OK, file.read_bytes(), f"{media_type}; charset=utf-8")
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing at this address.")

    def do_POST(self) -> None:
        if not self._is_ours():
            return
        origin = self.headers.get("Origin")
        from_here = origin is None or origin.removeprefix("http://") in self.server.hosts
        if not self._has_entered() or not from_here or self.headers.get("Content-Type") != "application/json":
            self._refuse(HTTPStatus.FORBIDDEN, "Only the page of the workbench may ask this.")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body has no length, or is too large.")
            return
        try:
            asked = msgspec.json.decode(self.rfile.read(int(length)), type=Asked)
            found = self.server.answer(self.path, asked)
        except msgspec.DecodeError:
            self._refuse(HTTPStatus.BAD_REQUEST, "The body is not of the form that the page sends.")
        except KeyError:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        except NoRule:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such rule in the folder any more.")
        except (Unsaved, Unfit, OSError) as error:
            words = str(error) if not isinstance(error, OSError) else f"The file cannot be used: {error.strerror}."
            self._refuse(HTTPStatus.CONFLICT, words)
        else:
            self._send(HTTPStatus.OK, msgspec.json.encode(found), "application/json")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base calls it
        """Nothing: whoever runs it sees the page."""

    def _is_ours(self) -> bool:
        """Whether the request names this server, so that no other name that leads here is answered."""
        if self.headers.get_all("Host", []) in [[host] for host in self.server.hosts]:
            return True
        self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "The workbench does not answer under this name.")
        return False

    def _has_entered(self) -> bool:
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")).get(self.server.cookie)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(found.value.encode(), self.server.session.encode())

    def _enter(self, token: str) -> None:
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN, "This token is not that of the workbench that runs now.")
            return
        cookie = f"{self.server.cookie}={self.server.session}; HttpOnly; SameSite=Strict; Path=/"
        # Not a redirect: a cookie that goes with no request of another site would stay behind on the way from a link.
        page = (
            b'<!doctype html><html lang="en"><title>Workbench</title><meta http-equiv="refresh" content="0; url=/"></html>'
        )
        self._send(HTTPStatus.OK, page, "text/html; charset=utf-8", {"Set-Cookie": cookie})

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        self._send(status, msgspec.json.encode({"detail": words}), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, media_type: str, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        sent = (
            _HEADERS | {"Content-Type": media_type, "Content-Length": str(len(body)), "Connection": "close"} | (more or {})
        )
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
