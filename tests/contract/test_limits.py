"""Nothing that one client does breaks the service, or keeps it from others: shapes and sizes that it must refuse."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from bench.memory import of_workers
from litestar.exceptions import HTTPException

from careplan.rulebook.model import Rulebook
from careplan.web.limits.bodies import Bodies
from careplan.web.limits.fair_shares import Shares
from careplan.web.routes.docs_assets import TYPES
from tests.contract.serving import PATIENCE, ROOT, Server, running
from tests.everyday import one_in
from tests.sizes import cases

POST = b"POST /v1/care-plans HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /v1/rulebook HTTP/1.1\r\nHost: localhost\r\n"
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(
        tmp_path_factory.mktemp("limits") / "log",
        module="tests.contract.faulty",
        CAREPLAN_BODY_SECONDS="1",
        CAREPLAN_HEADER_SECONDS="1",
        CAREPLAN_CONCURRENCY="4",
    ) as found:
        yield found


@pytest.fixture(autouse=True)
def still_well(address: Server) -> Iterator[None]:
    yield
    assert httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code == 200


def talk(address: str, sent: bytes) -> bytes:
    """What comes back until the server ends the connection."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


BATCH = POST.replace(b"/v1/care-plans", b"/v1/care-plans/batch").replace(b"application/json", b"application/x-ndjson")
REFUSED = {
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400),
    "a negative length": (POST + b"Content-Length: -2\r\n\r\n{}", 400),
    "a length with a sign": (POST + b"Content-Length: +2\r\n\r\n{}", 400),
    "an unknown coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "a coding after chunked": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    "two codings": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
    "a space before the colon": (POST + b"Content-Length : 2\r\n\r\n{}", 400),
    "a folded header": (POST + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a zero byte in a header": (POST + b"X: a\x00b\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a chunk of no size": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk beyond all numbers": (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk of no size in a batch": (BATCH + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
    "a batch that stops before its first line": (BATCH + b"Content-Length: 9\r\n\r\n{", 408),
    "a body that stops": (POST + b"Content-Length: 9\r\n\r\n{", 408),
    "a body that never begins": (POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", 408),
    "a body that is too large": (POST + b"Content-Length: 99999999\r\n\r\n{", 413),
    "a path without end": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "no host": (b"GET /v1/rulebook HTTP/1.1\r\nConnection: close\r\n\r\n", 421),
    "two hosts": (GET + b"Host: example.org\r\nConnection: close\r\n\r\n", 421),
    "a flood of headers": (GET + b"".join(b"X-%d: a\r\n" % at for at in range(500)) + b"\r\n", 431),
    "a header without end": (GET + b"X: " + b"a" * 300_000 + b"\r\n\r\n", 431),
    "a tunnel": (b"CONNECT example.org:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
}


@pytest.mark.parametrize("kind", one_in(3, REFUSED))
def test_a_request_of_a_bad_shape_is_refused(address: Server, kind: str) -> None:
    sent, status = REFUSED[kind]
    answer = talk(address, sent)
    assert answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").startswith(b"HTTP/1.1 %d " % status)


LONG = POST.replace(b"/v1/care-plans", b"/fhir/PlanDefinition/$apply")
TWELVE_MEGABYTES = [b" " * 100_000] * 120


@pytest.mark.parametrize("kind", ["whole", "in chunks", "slowly"])
def test_who_is_still_sending_a_body_that_is_too_long_hears_that_it_is(address: Server, kind: str) -> None:
    place = urlsplit(address)
    chunked = kind == "in chunks"
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        coding = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 12000000"
        connection.sendall(LONG + coding + b"\r\n\r\n")
        for piece in TWELVE_MEGABYTES:
            time.sleep(0.004 if kind == "slowly" else 0)
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        connection.sendall(b"0\r\n\r\n" if chunked else b"")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too large" in answer.lower()


@pytest.mark.long
def test_who_waits_with_a_body_that_is_too_long_hears_before_its_time_is_over(tmp_path: Path) -> None:
    with running(tmp_path / "log", CAREPLAN_BODY_SECONDS=str(2 * PATIENCE)) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
            connection.sendall(LONG + b"Content-Length: 12000000\r\n\r\n{")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_who_waits_with_a_body_that_is_too_long_is_not_waited_for_without_end(address: Server) -> None:
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        connection.sendall(LONG + b"Content-Length: 12000000\r\n\r\n{")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")
        assert b"".join(iter(lambda: connection.recv(65_536), b"")).endswith(b"0\r\n\r\n")


def test_nothing_is_smuggled_behind_a_body_with_two_ways_to_end(address: Server) -> None:
    answer = talk(address, POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_connection_that_says_nothing_is_ended(address: Server) -> None:
    with ThreadPoolExecutor(2) as both:
        assert list(both.map(lambda beginning: talk(address, beginning), (b"", GET[:20]))) == [b"", b""]


DEEP = {
    "lists": b"[" * 100_000,
    "objects": b'{"support":' * 20_000,
    "closed lists": b"[" * 900 + b"]" * 900,
    "inside a field": b'{"medications": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
}
BODIES: dict[str, bytes] = DEEP | {
    "not a number": b'{"age_years": NaN}',
    "an infinite number": b'{"lifestyle": {"sleep_hours_per_night": -Infinity}}',
    "a huge exponent": b'{"lifestyle": {"sleep_hours_per_night": 1e999999}}',
    "a tiny exponent": b'{"lifestyle": {"sleep_hours_per_night": 1e-999999}}',
    "a number of many figures": b'{"age_years": ' + b"9" * 100_000 + b"}",
    "a lone surrogate": b'{"expectations": {"goals": ["\\ud800"]}}',
    "half a pair": b'{"medications": [{"name": "\\udfff\\ud83d"}]}',
    "bytes that are no text": b'{"medications": [{"name": "\xc3\x28\xff"}]}',
    "UTF-16": json.dumps({"age_years": 40}).encode("utf-16"),
    "a zero byte": b'{"medications": [{"name": "a\x00b"}]}',
    "ten thousand medicines": json.dumps(
        {"medications": [{"name": f"m{at}"} for at in range(10_000)]}, separators=(",", ":")
    ).encode(),
    "ten thousand fields": json.dumps({f"field_{at}": at for at in range(9_000)}).encode(),
    "twice the same key": b'{"age_years": 40, "age_years": 41}',
    "null": b"null",
    "a text": b'"patient"',
    "two values": b"{} {}",
    "a comment": b"{/* none */}",
    "nothing": b"",
    "blanks": b" " * 1_000,
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_strange_body_is_answered_by_its_faults_and_at_once(address: Server, kind: str) -> None:
    for path in ("/v1/care-plans", "/v1/care-plans/compare", "/fhir/PlanDefinition/$apply"):
        answer = httpx.post(address + path, content=BODIES[kind], headers=JSON, timeout=30)
        fine = kind == "a tiny exponent" and path == "/v1/care-plans"
        assert answer.status_code == 200 if fine else answer.status_code in {400, 413, 422}, path
        assert len(answer.content) < 100_000


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/jsonx",
        "",
        "\xff",
        "a" * 5_000,
    ],
)
def test_a_body_of_another_type_is_refused(address: Server, media_type: str) -> None:
    answer = httpx.post(f"{address}/v1/care-plans", content=b"{}", headers={b"Content-Type": media_type.encode("latin-1")})
    assert answer.status_code == 415


def test_too_many_requests_at_once_are_shed_at_once_and_health_is_still_answered(address: Server) -> None:
    slow = {"medications": [{"name": "slow"}]}
    with ThreadPoolExecutor(16) as many:
        sent = [many.submit(httpx.post, f"{address}/v1/care-plans", json=slow, timeout=PATIENCE) for _ in range(16)]
        time.sleep(0.2)
        assert httpx.get(f"{address}/readyz", timeout=PATIENCE).status_code == 200
        answers = [answer.result() for answer in sent]
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["title"] == "Service Unavailable"
    assert sum(answer.status_code == 200 for answer in answers) >= 2
    shed = next(
        line for line in httpx.get(f"{address}/metrics").text.splitlines() if line.startswith("careplan_requests_shed_total")
    )
    assert float(shed.split()[1]) == sum(answer.status_code == 503 for answer in answers)


BEGUN = {
    "headers that stop": GET[:30],
    "bodies that never begin": POST + b"Content-Length: 2\r\n\r\n",
    "bodies that stop": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
}


@pytest.mark.long
@pytest.mark.parametrize("kind", one_in(3, BEGUN))
def test_a_client_with_hundreds_of_slow_connections_does_not_keep_itself_or_others_waiting(
    tmp_path: Path, kind: str
) -> None:
    # For longer than answers are waited for, so that whoever had to wait for these connections would get none.
    longer = str(2 * PATIENCE)
    with (
        running(tmp_path / "log", CAREPLAN_BODY_SECONDS=longer, CAREPLAN_HEADER_SECONDS=longer) as address,
        ExitStack() as opened,
    ):
        place = urlsplit(address)
        for _ in range(300):
            connection = opened.enter_context(socket.create_connection((place.hostname, place.port), timeout=PATIENCE))
            connection.sendall(BEGUN[kind])
        time.sleep(0.3)
        for client in (httpx.Client(), another_client()):
            with client:
                answers = [client.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code for _ in range(20)]
            assert answers == [200] * 20


def another_client() -> httpx.Client:
    """A client with another address, all of which lead to this machine."""
    return httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2"), timeout=PATIENCE)


@pytest.mark.long
def test_a_client_that_takes_its_whole_share_leaves_places_for_others(address: Server) -> None:
    slow = {"medications": [{"name": "slow-by-a-tenth"}]}
    stop = threading.Event()

    def flood() -> None:
        with httpx.Client(timeout=PATIENCE) as client:
            while not stop.is_set():
                client.post(f"{address}/v1/care-plans", json=slow)

    threads = [threading.Thread(target=flood) for _ in range(12)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        with another_client() as other:
            answers = [other.post(f"{address}/v1/care-plans", json={}).status_code for _ in range(5)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert answers == [200] * 5


BATCH = b"POST /v1/care-plans/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
LINES = b'{"medications": [{"name": "Xanax", "schedule": "daily"}]}\n' * 4_000
BATCHES = {
    "are never sent on": BATCH + b"Transfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n",
    "are never read": BATCH + b"Content-Length: %d\r\n\r\n" % len(LINES) + LINES,
}


@pytest.mark.long
@pytest.mark.parametrize("kind", BATCHES)
def test_batches_that_one_client_leaves_open_stop_nobody_and_end(address: Server, kind: str) -> None:
    place = urlsplit(address)
    body = b'{"age_years": 40}\n'
    with ExitStack() as opened:
        left = []
        for _ in range(40):
            connection = opened.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect((place.hostname, place.port))
            connection.settimeout(0)
            with suppress(BlockingIOError):
                connection.send(BATCHES[kind])
            left.append(connection)
        time.sleep(0.3)
        with another_client() as other:
            assert other.post(f"{address}/v1/care-plans", json={}).status_code == 200
            answer = other.post(f"{address}/v1/care-plans/batch", content=body, headers=NDJSON)
            assert (answer.status_code, answer.content.count(b"\n")) == (200, 1)
        assert httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code == 200
        for _ in range(10 * PATIENCE):
            if (
                httpx.post(f"{address}/v1/care-plans/batch", content=body, headers=NDJSON, timeout=PATIENCE).status_code
                == 200
            ):
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the batches never ended")


@pytest.mark.long
def test_a_batch_that_drips_is_ended(address: Server) -> None:
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        connection.sendall(BATCHES["are never sent on"])
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < PATIENCE:
                connection.sendall(b"1\r\n \r\n")
                time.sleep(0.3)
        assert time.monotonic() - began < PATIENCE


def test_bodies_that_are_not_whole_fill_only_so_much_memory_of_which_one_caller_has_half() -> None:
    shares = Shares(10)
    assert shares.take("one", 5)
    assert not shares.take("one")
    assert shares.take("other", 4)
    assert not shares.take("third", 2)
    shares.give("one", 5)
    assert shares.take("third", 5)


async def _busy_then(sent: bytes | None) -> int:
    """What a body gets that comes, or not, while the loop is busy until after its time."""

    class Counting:
        def rejected(self, _: str) -> None:
            """Count nothing."""

    arrived: asyncio.Queue[Any] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def busy() -> None:
        time.sleep(0.4)
        if sent is not None:
            loop.call_soon(arrived.put_nowait, {"type": "http.request", "body": sent, "more_body": False})

    loop.call_soon(busy)
    receive = await Bodies(1_000, 0.1, Counting()).whole(arrived.get, None, "caller")  # type: ignore[arg-type]
    assert receive is not None
    try:
        await receive()
    except HTTPException as error:
        return error.status_code
    return 200


@pytest.mark.parametrize(("sent", "status"), [(b"{}", 200), (None, 408)])
def test_a_body_that_came_while_the_service_was_busy_is_not_called_late(sent: bytes | None, status: int) -> None:
    assert asyncio.run(_busy_then(sent)) == status


@pytest.mark.long
def test_pdfs_hold_up_nothing_else_and_only_so_many_wait(tmp_path: Path) -> None:
    with running(tmp_path / "log", CAREPLAN_REQUEST_SECONDS="20") as address:
        body = json.loads((ROOT / "examples" / "daily-benzodiazepine.json").read_text())
        pdf = {"Accept": "application/pdf"}
        with ThreadPoolExecutor(30) as many:
            sent = [
                many.submit(httpx.post, f"{address}/v1/care-plans", json=body, headers=pdf, timeout=PATIENCE)
                for _ in range(30)
            ]
            time.sleep(0.3)
            assert httpx.get(f"{address}/livez", timeout=PATIENCE).status_code == 200
            assert httpx.post(f"{address}/v1/care-plans", json=body, timeout=PATIENCE).status_code == 200
            # Told by the order of the answers, and not by a clock: whoever is held up by PDFs hears after them.
            assert not all(answer.done() for answer in sent)
            answers = [answer.result() for answer in sent]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
        assert all(answer.content.startswith(b"%PDF") for answer in answers if answer.status_code == 200)


@pytest.mark.long
def test_a_request_for_which_there_is_no_time_gets_503_and_says_when_to_come_back(tmp_path: Path, book: Rulebook) -> None:
    with running(tmp_path / "log", CAREPLAN_REQUEST_SECONDS="0.001") as address:
        # A loop that is not busy gives a tenth of a second of grace, in which a short plan is set.
        body = {
            "medications": [{"name": name, "schedule": "daily"} for name in sorted(book.catalogue.ingredients)[:60]],
            "conditions": sorted(book.conditions)[:60],
        }
        answer = httpx.post(f"{address}/v1/care-plans", json=body, headers={"Accept": "application/pdf"}, timeout=PATIENCE)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["detail"].startswith("There was no time")


@pytest.mark.parametrize(
    "name", ["%00", "a" * 300, "a/" * 3_000, "..%2f..%2fetc%2fpasswd", "swagger-ui.css/x", "index.html"]
)
def test_only_the_files_of_the_documentation_are_served_whatever_is_asked_for(address: Server, name: str) -> None:
    assert httpx.get(f"{address}/docs-assets/{name}").status_code in {400, 404}
    for known in TYPES:
        assert httpx.get(f"{address}/docs-assets/{known}").status_code == 200


def test_probes_count_no_plans_and_lines_that_are_refused_are_counted(address: Server) -> None:
    names = ("careplan_plans_total", 'careplan_bodies_rejected_total{why="line"}')

    def counted() -> list[float]:
        time.sleep(1.2)
        lines = httpx.get(f"{address}/metrics").text.splitlines()
        return [sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)) for name in names]

    plans, rejected = counted()
    for _ in range(3):
        httpx.get(f"{address}/readyz")
    httpx.post(f"{address}/v1/care-plans/batch", content=b'{"age_years": "x"}\n{bad\n{}\n', headers=NDJSON)
    plans_then, rejected_then = counted()
    assert plans_then - plans == 1
    assert rejected_then - rejected == 2


def test_a_client_that_does_not_read_its_answers_does_not_keep_others_waiting(address: Server) -> None:
    place = urlsplit(address)
    with ExitStack() as opened:
        left = []
        for _ in range(20):
            connection = opened.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect((place.hostname, place.port))
            connection.sendall(POST + b"Content-Length: 2\r\n\r\n{}")
            connection.settimeout(5)
            left.append(connection)
        # Until all are worked on, this client has its share in hand. Their answers stay where they are.
        for connection in left:
            connection.recv(1, socket.MSG_PEEK)
        answers = [httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code for _ in range(20)]
        assert answers == [200] * 20


@pytest.mark.long
def test_the_largest_patients_do_not_make_the_memory_grow(address: Server) -> None:
    worst: dict[str, Any] = {
        "medications": [{"name": f"unknown medicine number {at}", "schedule": "daily"} for at in range(60)],
        "expectations": {"goals": ["a goal of many words " * 9] * 20},
    }
    largest = httpx.post(f"{address}/v1/care-plans", json=worst, timeout=PATIENCE)
    assert largest.status_code in {200, 422}

    def resident() -> float:
        page = httpx.get(f"{address}/livez").status_code
        assert page == 200
        return of_workers(address)["rss"] * 1e6

    def rounds(times: int) -> None:
        for at in range(times):
            httpx.post(
                f"{address}/v1/care-plans", content=list(BODIES.values())[at % len(BODIES)], headers=JSON, timeout=PATIENCE
            )
            httpx.post(f"{address}/v1/care-plans", json=worst, timeout=PATIENCE)

    rounds(24)
    before = resident()
    rounds(40)
    grown = resident() - before
    assert grown < 8_000_000, f"{grown} bytes"


def test_threads_of_clients_get_whole_answers(address: Server) -> None:
    bad: list[str] = []

    def client() -> None:
        with httpx.Client(base_url=address, timeout=PATIENCE) as session:
            for _ in range(cases(8)):
                answer = session.post("/v1/care-plans", json={"age_years": 40})
                if answer.status_code == 200:
                    if not math.isclose(len(answer.content), int(answer.headers["content-length"])):
                        bad.append("length")
                    answer.json()
                elif answer.status_code != 503:
                    bad.append(str(answer.status_code))

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bad == []
