"""Nothing that a caller sent reaches a log line, a metric, a trace, an error, a crash, a core dump or a temporary file.

Unique values are planted in every field, header, query and path; every kind of answer and failure is provoked; then
everything that the service left anywhere is searched for them.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import pytest

from careplan.fhir.cds_hooks.services import SERVICE
from careplan.request.patient import Patient
from careplan.web.security.access import new_key
from tests.contract.operations import DOCUMENT
from tests.contract.serving import PATIENCE, ROOT, Server, children_of, running
from tests.contract.test_cds_hooks import CALL

MARK = "Zyxwvut"
"""Begins every planted text; the rest tells where it was planted."""
NUMBER = 31.70707
"""Planted where a number goes."""


def planted(schema: dict[str, Any], path: str, *, valid: bool) -> Any:
    """A body with a planted value in every place of a schema. A valid one plants where any text is taken."""
    schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "anyOf" in schema and "properties" not in schema:
        (schema,) = [choice for choice in schema["anyOf"] if choice.get("type") != "null"][:1]
        return planted(schema, path, valid=valid)
    if "properties" in schema:
        return {name: planted(field, f"{path}.{name}", valid=valid) for name, field in schema["properties"].items()}
    if not valid:
        return [f"{MARK} {path}"] if schema.get("type") == "array" else f"{MARK} {path}"
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "array":
            return [planted(schema["items"], path, valid=valid)]
        case "boolean":
            return True
        case "integer":
            return max(schema.get("minimum", 0), 1)
        case "number":
            return max(min(NUMBER, schema["maximum"]), schema.get("minimum", 0))
    time = "2031-07-17T11:13:17+00:00"
    examples = {"rxcui": "7091731", "session_times": time, "last_session_at": time, "at": time, "what": "pregnancy"}
    examples |= {"as_of": time[:10], "on": time[:10]}
    examples |= {"phone": "555 7091731", "phone_after_hours": "556 7091731", "zone": "America/Argentina/Ushuaia"}
    examples |= {"reference": "7091731"}
    if path == "body.previous":
        item = {"id": f"{MARK} {path}.id", "version": 1, "level": "hold", "title": f"{MARK} {path}.title", "mark": "0" * 16}
        kept = {"format": "careplan-course/1", "state": "signed", "signed_by": f"{MARK} Signer", "reference": "7091731"}
        return kept | {"items": [item], "choices": [{"items": [item["id"]], "option": MARK}], "asked": [f"{MARK} asked"]}
    examples |= {"approved_by": f"{MARK} Approver", "by": f"{MARK} Assessor"}
    return examples.get(path.rpartition(".")[2], f"{MARK} {path}")


VALID: dict[str, Any] = planted({"$ref": "#/components/schemas/Patient"}, "body", valid=True)
INVALID: dict[str, Any] = planted({"$ref": "#/components/schemas/Patient"}, "body", valid=False)
SECRETS = [MARK, str(NUMBER), "7091731", "2031-07-17", "Ushuaia"]
HEADERS = {
    name: f"{MARK}-{name}"
    for name in (
        "Cookie",
        "User-Agent",
        "Referer",
        "X-Request-Id",
        "X-Patient",
        "Tracestate",
        "Baggage",
        "From",
        "Origin",
        "Forwarded",
    )
} | {"Traceparent": f"00-{MARK}", "X-Forwarded-For": MARK, "Accept-Language": MARK, "If-None-Match": MARK}
QUERY = {MARK: MARK, "q": MARK}


class Collector:
    """Takes traces as an OTLP collector does, and keeps their bytes."""

    def __init__(self) -> None:
        self.received = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.received += str(self.headers).encode() + self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


class Left(NamedTuple):
    """What a service left: the answers by what was asked, the metrics, and all files and traces."""

    answers: dict[str, httpx.Response]
    metrics: str
    log: str
    files: dict[str, bytes]
    traces: bytes


def asked(address: Server) -> Iterator[tuple[str, httpx.Response]]:
    """Every kind of answer, each request with planted headers and query."""
    with httpx.Client(base_url=address, headers=HEADERS, timeout=PATIENCE) as client:

        def post(path: str = "/v1/care-plans", body: Any = VALID, params: Any = None, **headers: str) -> httpx.Response:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return client.post(path, content=content, params=params, headers={"Content-Type": "application/json"} | headers)

        for form in ("json", "fhir+json", "pdf"):
            yield f"200 {form}", post(Accept=f"application/{form}")
        for form in ("html", "markdown", "calendar"):
            yield f"200 {form}", post(Accept=f"text/{form}")
        yield "200 explained", post(params={"explain": "full"})
        yield "200 record", post(params={"explain": "record"})
        yield (
            "200 compared",
            post("/v1/care-plans/compare", {"patient": VALID, "changes": [{"support": {"therapist": None}}]}),
        )
        yield "400 broken", post(body=json.dumps(VALID).encode()[:-3])
        yield "422 twice", post(body=b'{"%s": 1, "%s": 2}' % (MARK.encode(), MARK.encode()))
        yield "400 query", client.get("/v1/medications", params={"q": MARK, "limit": MARK})
        yield "400 parameters", client.get("/v1/rules", params=QUERY)
        yield "404 path", client.get(f"/v1/rules/{MARK}")
        yield "404 page", client.get(f"/rulebook/{MARK}.html", params=QUERY)
        yield "200 search", post("/try/medicines", {"q": MARK})
        yield "400 search", post("/try/medicines", {"q": MARK * 60, MARK: MARK})
        yield "404 file", client.get(f"/try/files/{MARK}.js", params=QUERY)
        yield "404 anywhere", client.get(f"/{MARK}/{quote(MARK + ' /../')}", params=QUERY)
        yield "422 item", post("/v1/care-plans/what-would-change", {"patient": VALID, "item": f"{MARK}/{MARK}"})
        yield "422 sign", post("/v1/care-plans/sign", {"record": VALID, "by": MARK, "at": MARK, "choices": [VALID], MARK: 1})
        yield "405", client.request("PATCH", "/v1/care-plans", content=json.dumps(VALID), params=QUERY)
        yield "405 strange", client.request(MARK.upper(), "/v1/care-plans", params=QUERY)
        yield "406", post(Accept=f"image/{MARK}")
        yield "412", post(f"/cds-services/{SERVICE}", {**CALL, "prefetch": {}})
        yield "413", post(body=b'{"%s": "%s"}' % (MARK.encode(), b"9" * 300_000))
        yield "415", post(**{"Content-Type": f"text/{MARK}; charset={MARK}"})
        yield "421", post(Host=f"{MARK}.example.org")
        yield "422 every field", post(body=INVALID)
        yield "422 every field, fhir", post(body=INVALID, Accept="application/fhir+json")
        yield "422 unknown field", post(body={MARK: MARK, "medications": [{MARK: MARK}], "conditions": [MARK]})
        yield "422 zone", post(params={"zone": MARK, "at": MARK, "key": MARK * 40, "explain": MARK, "paper": MARK})
        for way in ("raise", "recursion", "task", "thread", "unraisable", "warning"):
            yield f"fault: {way}", post(body=VALID | {"medications": [{"name": f"{way} {MARK}"}]})


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("privacy")
    home, temporary = folder / "home", folder / "tmp"
    home.mkdir()
    temporary.mkdir()
    collector = Collector()
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    with running(
        folder / "log",
        module="tests.contract.faulty",
        cwd=home,
        TMPDIR=str(temporary),
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
        CAREPLAN_BODY_SECONDS="1",
        PYTHONFAULTHANDLER="1",
    ) as address:
        answers = dict(asked(address))
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as slow:
            slow.sendall(f"POST /v1/care-plans HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n{MARK}".encode())
            assert b" 408 " in slow.recv(65_536)
        with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as strange:
            strange.sendall(f"POST /{MARK} {MARK}\r\n{MARK}\r\n\r\n".encode())
            strange.recv(65_536)
        worker = int(subprocess.run(["pgrep", "-P", str(address.pid)], capture_output=True, check=True).stdout.split()[0])
        with pytest.raises(httpx.TransportError):
            httpx.post(
                f"{address}/v1/care-plans", json=VALID | {"medications": [{"name": f"segv {MARK}"}]}, timeout=PATIENCE
            )
        for _ in range(200):
            try:
                metrics = httpx.get(f"{address}/metrics", timeout=PATIENCE).text
                break
            except httpx.TransportError:
                time.sleep(0.05)
        with pytest.raises(ProcessLookupError):
            os.kill(worker, signal.SIGCONT)
        httpx.post(f"{address}/v1/care-plans", json=VALID, headers=HEADERS, timeout=PATIENCE)
        for file in temporary.rglob("*.db"):
            answers[f"file {file.name}"] = httpx.Response(200, content=file.read_bytes())
    collector.server.shutdown()
    collector.server.server_close()
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return Left(answers, metrics, (folder / "log").read_text(), files, collector.received)


def test_a_planted_body_is_taken_whole(left: Left) -> None:
    msgspec.convert(VALID, Patient)
    assert left.answers["200 json"].status_code == 200
    assert MARK in left.answers["200 json"].text


def test_every_kind_of_answer_was_provoked(left: Left) -> None:
    statuses = {kind: answer.status_code for kind, answer in left.answers.items() if kind[:3].isdigit()}
    assert {kind for kind, status in statuses.items() if kind[:3] != str(status)} == {"422 zone"}
    assert left.answers["fault: raise"].status_code == 500
    assert left.answers["fault: recursion"].status_code == 500
    seen = {line.get("status") for line in map(json.loads, filter(lambda line: line.startswith("{"), left.log.splitlines()))}
    assert seen >= {200, 400, 404, 405, 406, 408, 412, 413, 415, 421, 422, 500}


def test_no_error_repeats_what_was_sent(left: Left) -> None:
    for kind, answer in left.answers.items():
        if answer.status_code >= 400:
            assert not [secret for secret in SECRETS if secret in answer.text], kind
            assert MARK not in str(answer.headers), kind


def test_no_header_of_an_answer_repeats_what_was_sent(left: Left) -> None:
    assert not [kind for kind, answer in left.answers.items() if MARK in str(answer.headers)]


def test_neither_log_nor_metrics_nor_traces_nor_any_file_holds_what_was_sent(left: Left) -> None:
    everything = left.files | {"metrics": left.metrics.encode(), "traces": left.traces}
    everything |= {kind: answer.content for kind, answer in left.answers.items() if kind.startswith("file")}
    found = [(name, secret) for name, content in everything.items() for secret in SECRETS if secret.encode() in content]
    assert found == []


def test_what_was_searched_is_really_there(left: Left) -> None:
    assert "careplan_findings_total{rule=" in left.metrics
    assert 'careplan_bodies_rejected_total{why="faults"}' in left.metrics
    assert "careplan_worker_starts_total 2.0" in left.metrics
    assert b"POST /v1/care-plans" in left.traces
    assert b"http.route" in left.traces
    errors = [json.loads(line).get("error") for line in left.log.splitlines() if line.startswith("{") and '"error"' in line]
    assert errors.count("ValueError") >= 3
    assert "RecursionError" in errors
    assert '"logger": "py.warnings"' in left.log
    assert "Segmentation fault" in left.log


@pytest.mark.long
def test_a_worker_leaves_no_core_and_a_hardened_process_is_not_for_others_to_read(tmp_path: Path) -> None:
    with running(tmp_path / "log") as address:
        (worker,) = children_of(address.pid)
        assert Path(f"/proc/{worker}/limits").read_text().count("Max core file size        0 ") == 1
    # PR_GET_DUMPABLE tells of one's own process only.
    script = (
        "import ctypes; from careplan.hardening import harden; harden(); assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})


def test_refusals_of_callers_and_lines_of_batches_leave_nothing_either(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    text, entry = new_key("ehr", ["plan"], "ehr-1")
    slow, rated = new_key("slow", ["plan"], "slow-1")
    entries = [entry, msgspec.structs.replace(rated, rate="1/hour")]
    keys.write_bytes(msgspec.json.encode({"keys": entries}))
    with (
        running(
            tmp_path / "log",
            module="tests.contract.faulty",
            CAREPLAN_API_KEYS=str(keys),
            CAREPLAN_CONCURRENCY="1",
            CAREPLAN_BATCHES="1",
        ) as address,
        httpx.Client(base_url=address, headers=HEADERS, timeout=PATIENCE) as client,
    ):

        def post(
            key: str, path: str = "/v1/care-plans", body: Any = VALID, form: str = "application/json"
        ) -> httpx.Response:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            shown = {"Authorization": f"Bearer {key}", "Content-Type": form}
            return client.post(path, content=content, headers=shown)

        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": {"resourceType": MARK, "id": MARK}}],
        }
        lines = b"\n".join(json.dumps(body).encode() for body in (VALID, INVALID, bundle)) + b"\n{" + MARK.encode()
        answers = {
            401: post(f"cpk.{MARK.lower()}.{MARK * 7}"),
            403: client.get("/metrics", params=QUERY, headers={"Authorization": f"Bearer {text}"}),
            200: post(text, "/v1/care-plans/batch", lines, "application/x-ndjson"),
            422: post(text, "/fhir/PlanDefinition/$apply", {"resourceType": "Bundle", "type": MARK, "entry": MARK}),
        }
        post(slow)
        answers[429] = post(slow)
        waiting = [threading.Thread(target=post, args=(text, "/v1/care-plans", {"medications": [{"name": f"slow {MARK}"}]}))]
        waiting += [threading.Thread(target=lambda: shed.append(post(text).status_code)) for _ in range(6)]
        shed: list[int] = []
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        page = httpx.get(f"{address}/livez").text
    assert {kind: answer.status_code for kind, answer in answers.items()} == {kind: kind for kind in answers}
    assert set(shed) <= {200, 503}
    assert not [status for status, answer in answers.items() if status != 200 and MARK in answer.text + str(answer.headers)]
    log = (tmp_path / "log").read_text()
    assert not [secret for secret in SECRETS if secret in log + page]


def test_a_crash_leaves_no_core_dump(left: Left) -> None:
    assert [name for name in left.files if "core" in name] == []


@pytest.mark.long
def test_a_valid_trace_context_is_logged_and_anything_else_is_not(tmp_path: Path) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    good = f"00-{trace_id}-00f067aa0ba902b7-01"
    bad = [good.upper(), good + "-x", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"01-{MARK}", good.replace("-", "_")]
    with running(tmp_path / "log") as address:
        for header in (good, *bad):
            httpx.get(f"{address}/v1/rulebook", headers={"traceparent": header})
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    told = [line.get("trace_id") for line in lines if line.get("route") == "/v1/rulebook"]
    assert told == [trace_id] + [None] * len(bad)
