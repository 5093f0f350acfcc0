"""Batches over HTTP and on a Dask cluster of several processes."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from bench.measure import golden_bodies
from bench.memory import of_workers

from careplan.batch.answer_lines import Answering
from careplan.batch.dask_cluster import Cluster as cluster_of  # noqa: N813 - the one below stands for the machines
from careplan.batch.dask_cluster import Unusable
from careplan.batch.jobs import AnswerJob
from careplan.batch.ndjson import NORMAL, Line
from careplan.planner import Planner
from careplan.request.patient import NO_DEFAULTS
from tests.contract.serving import PATIENCE, ROOT, Server, running
from tests.sizes import cases

PATH = "/v1/care-plans/batch"
NDJSON = {"Content-Type": "application/x-ndjson"}
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n".encode()
ENDLESS = b"Content-Length: 900000000\r\n\r\n"
BODIES = [json.dumps({"request_key": f"k{at}"} | json.loads(body)).encode() for at, body in enumerate(golden_bodies())]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("batch") / "log"


@pytest.fixture(scope="module")
def address(log: Path) -> Iterator[Server]:
    with running(log, CAREPLAN_BODY_SECONDS="2", CAREPLAN_BODY_LIMIT="100000") as found:
        yield found


def resident(address: Server) -> float:
    return of_workers(address)["rss"]


def test_each_line_is_answered_in_order_by_what_a_single_request_would_get(address: Server) -> None:
    lines = [*BODIES[:5], b"{", b"", b'{"request_key": "bad", "age_years": -1}', *BODIES[5:]]
    answer = httpx.post(f"{address}{PATH}", content=b"\n".join(lines), headers=NDJSON, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["line"] for one in found] == [at for at, line in enumerate(lines, start=1) if line]
    assert [one["request_key"] for one in found if "plan" in one] == [f"k{at}" for at in range(len(BODIES))]
    assert [one["line"] for one in found if "problem" in one] == [6, 8]
    single = httpx.post(f"{address}/v1/care-plans", content=golden_bodies()[0], headers={"Content-Type": "application/json"})
    assert found[0]["plan"] == single.json()


def test_answers_come_while_the_body_is_still_being_sent(address: Server) -> None:
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for at in range(3):
            connection.sendall(b"3\r\n{}\n\r\n")
            seen = b""
            while b'"line":%d,' % (at + 1) not in seen:
                seen += connection.recv(65_536)
        connection.sendall(b"0\r\n\r\n")
        while b"0\r\n\r\n" not in seen[-7:]:
            seen = seen[-7:] + connection.recv(65_536)


def test_bundles_are_answered_with_bundles(address: Server) -> None:
    lines = b'{"resourceType": "Bundle", "type": "collection", "entry": []}\n{"resourceType": "Patient"}\n'
    headers = {"Content-Type": "application/fhir+ndjson"}
    answer = httpx.post(f"{address}{PATH}", content=lines, headers=headers, timeout=PATIENCE)
    kinds = [json.loads(line)["resourceType"] for line in answer.text.splitlines()]
    assert kinds == ["Bundle", "OperationOutcome"]


def test_a_body_of_another_type_is_refused_and_an_empty_one_has_no_answers(address: Server) -> None:
    refused = httpx.post(f"{address}{PATH}", json={})
    assert refused.status_code == 415
    assert "application/x-ndjson or application/fhir+ndjson" in refused.json()["detail"]
    for path, headers in ((PATH, NDJSON), ("/v1/care-plans", {"Content-Type": "application/json"})):
        packed = httpx.post(f"{address}{path}", content=gzip.compress(b"{}"), headers=headers | {"Content-Encoding": "gzip"})
        assert packed.status_code == 415
        assert "without Content-Encoding" in packed.json()["detail"]
    empty = httpx.post(f"{address}{PATH}", content=b"", headers=NDJSON)
    assert (empty.status_code, empty.content) == (200, b"")


@pytest.mark.long
def test_memory_stays_flat_and_others_are_served_while_a_long_batch_runs(address: Server) -> None:
    body = b"\n".join(BODIES) + b"\n"

    def endless(times: int) -> Iterator[bytes]:
        for _ in range(times):
            yield body

    def ask(times: int) -> int:
        with httpx.stream("POST", f"{address}{PATH}", content=endless(times), headers=NDJSON, timeout=60) as answer:
            return sum(chunk.count(b"\n") for chunk in answer.iter_raw())

    rounds = cases(12)
    assert ask(rounds) == rounds * len(BODIES)
    before = resident(address)
    counted: list[int] = []
    thread = threading.Thread(target=lambda: counted.append(ask(2 * rounds)))
    thread.start()
    answers = [httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code for _ in range(10)]
    thread.join()
    assert answers == [200] * 10
    assert counted == [2 * rounds * len(BODIES)]
    assert resident(address) - before < 8


@pytest.mark.long
def test_a_slow_reader_slows_the_work_and_fills_no_memory(address: Server) -> None:
    place = urlsplit(address)
    before = resident(address)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(1.5)
        connection.connect((place.hostname, place.port))
        connection.sendall(HEAD + ENDLESS)
        taken, stopped = 0, False
        try:
            for _ in range(2_000):
                taken += connection.send((BODIES[0] + b" " * 2_000 + b"\n") * 100)
        except TimeoutError:
            stopped = True
        assert resident(address) - before < 30
        assert stopped
        assert taken < 60_000_000


def standing(count: Callable[[], float], seconds: float = 1.0) -> float:
    """What is counted, once it has not changed for so long."""
    last, since, until = count(), time.monotonic(), time.monotonic() + 60
    while time.monotonic() - since < seconds:
        assert time.monotonic() < until, "it never stood still"
        time.sleep(0.1)
        now = count()
        if now != last:
            last, since = now, time.monotonic()
    return last


def test_a_client_that_goes_away_stops_the_work(address: Server) -> None:
    place = urlsplit(address)

    def plans() -> float:
        lines = httpx.get(f"{address}/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("careplan_plans_total"))

    connection = socket.create_connection((place.hostname, place.port), timeout=PATIENCE)
    line = BODIES[0] + b" " * 2_000 + b"\n"

    def send() -> None:
        with suppress(OSError):
            connection.sendall(HEAD + ENDLESS + line * 20_000)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    connection.recv(1_000)
    before = plans()
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    settled = standing(plans)
    assert settled - before < 500
    sender.join()


def test_a_client_that_has_sent_all_and_goes_away_is_heard_of_and_logged_as_no_fault(address: Server, log: Path) -> None:
    place = urlsplit(address)
    body = b"{}\n" * 20_000  # some pieces, each of thousands of lines
    logged = len(log.read_text().splitlines())
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        # It stays for some dozens of answers, so that its entry cannot be one of those passed over below.
        answers = 0
        while answers < 200:
            answers += connection.recv(10_000).count(b"\n")
    for _ in range(600):
        entries = [json.loads(line) for line in log.read_text().splitlines()[logged:]]
        # Clients of other tests, which send a few lines only, may be found gone as late as now.
        ends = [entry for entry in entries if entry["event"] == "batch" and entry["lines"] > 5]
        if ends:
            break
        time.sleep(0.1)
    assert [entry["ended"] for entry in ends] == ["client gone"]
    assert ends[0]["lines"] < 1_500, "it was noticed with the piece of the body, not with the line"
    assert {entry["level"] for entry in entries} == {"info"}


def test_a_line_may_be_as_long_as_a_request(address: Server) -> None:
    answer = httpx.post(f"{address}{PATH}", content=b'{"a": "' + b"x" * 100_000 + b'"}\n', headers=NDJSON)
    assert "which is 100,000 bytes" in answer.json()["problem"]["errors"][0]["detail"]


@pytest.mark.long
def test_a_body_that_stops_ends_the_answer_without_its_end(address: Server) -> None:
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE)
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Type", "application/x-ndjson")
    connection.putheader("Content-Length", "500")
    connection.endheaders(b"{}\n")
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
    assert httpx.get(f"{address}/readyz").status_code == 200


# On a cluster.


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, stack: ExitStack, folder: Path, workers: int) -> None:
        self._stack, self._folder = stack, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", self.port, "--no-dashboard", "--dashboard-address", ":0"
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        self.workers = [self.worker() for _ in range(workers)]

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        options = ("--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", self._folder)
        return self._start("worker", f"tcp://127.0.0.1:{self.port}", *options, **environment)

    def _start(self, kind: str, *options: object, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, options)]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=os.environ | environment
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


@pytest.mark.long
def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed_in_the_middle(tmp_path: Path, planner: Planner) -> None:
    lines = [json.dumps({"request_key": str(at)} | json.loads(BODIES[at % len(BODIES)])).encode() for at in range(600)]
    source, target = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    source.write_bytes(b"\n".join(lines) + b"\n")
    with ExitStack() as stack:
        cluster = Cluster(stack, tmp_path, workers=2)
        command: list[Any] = [sys.executable, "-m", "careplan.cli.main", "batch", source, target]
        process = subprocess.Popen([*command, "--on", f"dask://127.0.0.1:{cluster.port}"], stderr=subprocess.PIPE)
        journal = tmp_path / "out.ndjson.journal"
        for _ in range(1_200):
            if journal.exists() and journal.read_bytes().count(b"\n") >= 3:
                break
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.02)
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        cluster.worker()
        _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    answering = Answering(planner)
    wanted = b"".join(answering.answer(Line(at, line)).body + b"\n" for at, line in enumerate(lines, start=1))
    assert target.read_bytes() == wanted


@pytest.mark.long
def test_a_cluster_that_cannot_do_the_work_says_why(tmp_path: Path) -> None:
    job = AnswerJob({}, NO_DEFAULTS, as_fhir=False, limits=NORMAL)
    # Stands in for a worker's machine on which careplan was never installed.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as m\n"
        "known = m.version\n"
        "def version(name):\n"
        "    if name == 'careplan':\n"
        "        raise m.PackageNotFoundError(name)\n"
        "    return known(name)\n"
        "m.version = version\n"
    )
    with ExitStack() as stack:
        cluster = Cluster(stack, tmp_path, workers=0)
        with pytest.raises(Unusable, match="no workers"):
            cluster_of(f"tcp://127.0.0.1:{cluster.port}", job, wait=1)
        cluster.worker(PYTHONPATH=str(tmp_path))
        with pytest.raises(Unusable, match="without careplan"):
            cluster_of(f"tcp://127.0.0.1:{cluster.port}", job, wait=30)


@pytest.mark.long
def test_an_impact_is_the_same_on_a_cluster_as_here_and_a_lost_scheduler_is_said(tmp_path: Path) -> None:
    source = tmp_path / "in.ndjson.gz"
    source.write_bytes(gzip.compress(b"\n".join(BODIES) + b"\n{\n"))
    changed = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", changed)
    rule = changed / "aftercare" / "sleep-under-five-hours.yaml"
    rule.write_text(rule.read_text().replace("less_than: 5}", "less_than: 4}"))
    impact: list[Any] = [sys.executable, "-m", "careplan.cli.main", "rules", "impact", changed, "--patients", source]
    with ExitStack() as stack:
        cluster = Cluster(stack, tmp_path, workers=1)
        on = f"dask://127.0.0.1:{cluster.port}"
        found = [subprocess.run([*impact, *more], capture_output=True, check=False) for more in ([], ["--on", on])]
        assert [one.returncode for one in found] == [2, 2], found[1].stderr
        assert found[0].stdout == found[1].stdout
        many, out = tmp_path / "many.ndjson", tmp_path / "out"
        many.write_bytes(b"\n".join(BODIES * 100) + b"\n")
        command: list[Any] = [sys.executable, "-m", "careplan.cli.main", "batch", many, out, "--on", on]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        journal = tmp_path / "out.journal"
        for _ in range(1_200):
            if journal.exists() and journal.read_bytes().count(b"\n") >= 2:
                break
            time.sleep(0.02)
        cluster.scheduler.kill()
        _, told = process.communicate(timeout=60)
    assert process.returncode == 4
    assert b"cannot be reached any more" in told
    assert told.count(b"\n") == 1
