"""A worker that dies or hangs is replaced, a restart loses nothing, and the service stops and starts as it says."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from tests.contract.serving import PATIENCE, ROOT, Server, certified, children_of, running, until
from tests.everyday import one_in, one_row_in


def workers(address: Server) -> list[int]:
    return children_of(address.pid)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


class Load:
    """A steady load of whole requests from several clients, each sending to whichever address is ready."""

    def __init__(self, addresses: Callable[[], list[str]], clients: int = 4) -> None:
        self.failed: list[str] = []
        self.answered = 0
        self._addresses = addresses
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(clients)]

    def _send(self) -> None:
        with httpx.Client(timeout=PATIENCE) as client:
            at = 0
            while not self._stop.is_set():
                at += 1
                addresses = self._addresses()
                address = addresses[at % len(addresses)]
                try:
                    answer = client.post(f"{address}/v1/care-plans", json={"age_years": 40})
                    if answer.status_code == 200 and answer.json()["status"] == "draft":
                        self.answered += 1
                    else:
                        self.failed.append(str(answer.status_code))
                except httpx.TransportError as error:
                    self.failed.append(type(error).__name__)

    @contextmanager
    def running(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def test_a_worker_that_dies_is_replaced_and_only_its_own_requests_fail(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as address:
        first = workers(address)
        assert len(first) == 2
        clients = 4
        with Load(lambda: [address], clients).running() as load:
            until(lambda: load.answered > 50)
            os.kill(first[0], signal.SIGSEGV)
            until(lambda: len(workers(address)) == 2 and first[0] not in workers(address))
            before = load.answered
            until(lambda: load.answered > before + 100)
        # What each client had in hand, no more: what waits in a queue of connections is kept for the next worker.
        assert len(load.failed) <= clients, load.failed
        assert first[1] in workers(address)


@pytest.mark.long
def test_a_worker_that_dies_again_and_again_is_replaced_each_time_while_the_other_one_serves(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as address:
        lasting, doomed = workers(address)
        deaths = 4  # each pause before the next worker is twice as long
        with Load(lambda: [address], 2).running() as load:
            for _ in range(deaths):
                os.kill(doomed, signal.SIGKILL)
                until(lambda doomed=doomed: len(workers(address)) == 2 and doomed not in workers(address))  # type: ignore[misc]
                before = load.answered
                until(lambda before=before: load.answered > before + 10)  # type: ignore[misc]
                (doomed,) = set(workers(address)) - {lasting}
        assert lasting in workers(address)
        assert len(load.failed) <= deaths * 2, load.failed


@pytest.mark.long
def test_the_only_worker_may_die_again_and_again_and_requests_wait_for_the_next_one(tmp_path: Path) -> None:
    with running(tmp_path / "log") as address:
        for _ in range(3):
            os.kill(workers(address)[0], signal.SIGKILL)
            # Refused by nobody: the connection waits in the queue that the first process holds.
            time.sleep(0.05)
            assert httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code == 200


@pytest.mark.long
def test_a_worker_that_hangs_in_the_engine_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "log", module="tests.contract.faulty", CAREPLAN_HANG_SECONDS="2") as address:
        (stuck,) = workers(address)
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{address}/v1/care-plans", json={"medications": [{"name": "hang Zyxwvut"}]}, timeout=PATIENCE)
        until(lambda: is_ready(address))
        assert workers(address) != [stuck]
        assert httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code == 200
    log = (tmp_path / "log").read_text()
    assert "Timeout" in log
    assert "Zyxwvut" not in log


@pytest.mark.parametrize("cold", one_in(2, [False, True], lambda cold: "cold" if cold else "warm"))
def test_a_stop_finishes_what_is_in_hand_and_ends_with_0(tmp_path: Path, *, cold: bool) -> None:
    with running(tmp_path / "log", module="tests.contract.faulty", cold=cold) as address:
        answers: list[int] = []

        def ask() -> None:
            answers.append(
                httpx.post(
                    f"{address}/v1/care-plans", json={"medications": [{"name": "slow"}]}, timeout=PATIENCE
                ).status_code
            )

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        os.kill(address.pid, signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert answers == [200] * 3
        assert address.process.wait(PATIENCE) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/livez")


@pytest.mark.long
def test_what_a_service_manager_sends_to_the_whole_group_stops_the_service_and_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(log, "--workers", "2", module="tests.contract.faulty") as address, httpx.Client(timeout=PATIENCE) as client:
        answers: list[int] = []

        def ask() -> None:
            slow = {"medications": [{"name": "slow"}]}
            answers.append(client.post(f"{address}/v1/care-plans", json=slow).status_code)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        for process in [*workers(address), address.pid]:
            os.kill(process, signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert address.process.wait(PATIENCE) == 0
        assert answers == [200] * 3
    assert log.read_text().count("Spawning worker") == 2
    assert "Unexpected exit" not in log.read_text()


@pytest.mark.long
def test_a_stop_in_the_middle_of_a_load_answers_each_request_or_refuses_its_connection(tmp_path: Path) -> None:
    with running(tmp_path / "log", CAREPLAN_DRAIN_SECONDS="0.5") as address:
        with Load(lambda: [address], clients=8).running() as load:
            until(lambda: load.answered > 50)
            os.kill(address.pid, signal.SIGTERM)
            assert address.process.wait(PATIENCE) == 0
            time.sleep(0.1)
        assert set(load.failed) <= {"ConnectError"}


@pytest.mark.long
@pytest.mark.parametrize("ready", [True, False])
def test_workers_do_not_outlive_the_process_that_started_them(tmp_path: Path, *, ready: bool) -> None:
    with running(tmp_path / "log", "--workers", "2", ready=ready) as address:
        until(lambda: len(workers(address)) == 2)
        left = workers(address)
        time.sleep(0.2)
        os.kill(address.pid, signal.SIGKILL)
        until(lambda: not [worker for worker in left if Path(f"/proc/{worker}/task").exists()])


@pytest.mark.long
def test_an_impatient_stop_while_the_workers_start_ends_them_and_not_by_force(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2", ready=False, CAREPLAN_STOP_SECONDS="600") as address:
        until(lambda: len(workers(address)) == 2)
        time.sleep(0.2)
        for process in [*workers(address), address.pid] * 3:
            os.kill(process, signal.SIGINT)
        assert address.process.wait(PATIENCE) == 0


@pytest.mark.long
def test_a_rolling_restart_under_load_loses_no_request(tmp_path: Path) -> None:
    """Two instances behind a balancer that sends to those that are ready, restarted one after the other."""
    ready: list[str] = []
    opened: list[ExitStack] = []

    def start(name: str) -> Server:
        stack = ExitStack()
        opened.append(stack)
        return stack.enter_context(running(tmp_path / name, CAREPLAN_DRAIN_SECONDS="1"))

    try:
        old = [start("first"), start("second")]
        ready.extend(old)
        with Load(lambda: list(ready), clients=2).running() as load:
            until(lambda: load.answered > 20)
            for at, before in enumerate(old):
                os.kill(before.pid, signal.SIGTERM)
                until(lambda before=before: not is_ready(before))  # type: ignore[misc]
                ready.remove(before)
                assert before.process.wait(PATIENCE) == 0
                ready.append(start(f"new-{at}"))
            enough = load.answered + 20
            until(lambda: load.answered > enough)
        assert load.failed == []
        assert '"event": "draining"' in (tmp_path / "first").read_text()
    finally:
        for stack in opened:
            stack.close()


@pytest.mark.long
def test_a_port_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    with running(tmp_path / "log") as address:
        done = started("--port", address.rpartition(":")[2])
        assert done.returncode == 2
        assert "cannot listen on 127.0.0.1" in done.stderr
        assert httpx.get(f"{address}/livez").status_code == 200


@pytest.mark.long
def test_of_two_services_that_start_on_one_port_at_the_same_time_one_runs() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "careplan.cli.main", "serve", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "CAREPLAN_DRAIN_SECONDS": "0"}
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment) for _ in range(2)]
    try:
        until(lambda: any(one.poll() is not None for one in both))
        until(lambda: is_ready(f"http://127.0.0.1:{port}"))
        (refused,) = [one for one in both if one.poll() is not None]
        assert refused.returncode == 2
        assert refused.stderr and b"cannot listen" in refused.stderr.read()
    finally:
        for one in both:
            one.terminate()
            one.communicate(timeout=PATIENCE)


def started(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("CAREPLAN_")}
    command = [sys.executable, "-m", "careplan.cli.main", "serve", "--port", "0", *options]
    everything = outside | {"PYTHONPATH": str(ROOT / "src")} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=everything, cwd=ROOT)


@pytest.mark.parametrize(
    ("environment", "says"),
    one_row_in(
        6,
        [
            ({"CAREPLAN_WORKERS": "0"}, "CAREPLAN_WORKERS must be a whole number"),
            ({"CAREPLAN_API_KEYS": "/nowhere.json"}, "API keys cannot be read"),
            ({"CAREPLAN_API_KEYS": __file__}, "API keys is not one"),
            ({"CAREPLAN_PROTOCOL": "/nowhere.json"}, "protocol cannot be read"),
            ({"CAREPLAN_CLINIC_LOGO": __file__}, "logo"),
            ({"CAREPLAN_CDS_CLIENTS": __file__, "CAREPLAN_PUBLIC_URL": "https://plans.example.org"}, "CDS clients"),
            ({"CAREPLAN_SIGNING_KEY": __file__}, "cannot be used"),
            ({"CAREPLAN_RULES": "/nowhere"}, "folder of the rulebook cannot be read"),
            ({"CAREPLAN_OAUTH_ISSUER": "https://login.example.org"}, "go together"),
            ({"CAREPLAN_RATE_LIMIT": "often"}, "rate"),
            ({"CAREPLAN_HOST": "0.0.0.0"}, "beyond loopback"),  # noqa: S104 - refused, which is what is tested
            ({"CAREPLAN_TLS_CERTIFICATE": "/nowhere.pem"}, "go together"),
            ({"CAREPLAN_TLS_CERTIFICATE": "/nowhere.pem", "CAREPLAN_TLS_KEY": "/nowhere.pem"}, "no file"),
            ({"CAREPLAN_OPEN_PATHS": "plans"}, "CAREPLAN_OPEN_PATHS"),
            ({"CAREPLAN_CONFIG": "/nowhere.toml"}, "file of settings"),
            ({"CAREPLAN_TLS_CERTIFICATE": __file__, "CAREPLAN_TLS_KEY": __file__}, "no PEM"),
            ({"CAREPLAN_HOST": ""}, "CAREPLAN_HOST is empty"),
            ({"CAREPLAN_PUBLIC_URL": "notaurl"}, "CAREPLAN_PUBLIC_URL"),
            ({"CAREPLAN_ALLOWED_HOSTS": "http://x/y"}, "CAREPLAN_ALLOWED_HOSTS"),
            (
                {"CAREPLAN_OAUTH_ISSUER": "i", "CAREPLAN_OAUTH_AUDIENCE": "a", "CAREPLAN_OAUTH_JWKS": "https://"},
                "CAREPLAN_OAUTH_JWKS",
            ),
            ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER"),
        ],
        lambda row: row[1],
    ),
)
def test_a_start_on_bad_settings_fails_fast_and_says_why(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    for name in [name for name in os.environ if name.startswith("CAREPLAN_")]:
        monkeypatch.delenv(name)
    done = CliRunner().invoke(main, ["serve", "--port", "0"], env=environment)
    assert done.exit_code == 2
    assert says in done.stderr
    # A host may come from an option, and a folder of rules is named by its place.
    assert any(word in done.stderr for name, value in environment.items() for word in (name, value or name)), done.stderr
    assert isinstance(done.exception, SystemExit)


def test_a_start_with_too_few_descriptors_for_any_worker_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (24, 24))
    done = CliRunner().invoke(main, ["serve", "--port", "0"])
    assert (done.exit_code, "24 open files are too few" in done.stderr) == (2, True)


def test_a_process_that_starts_on_bad_settings_ends_without_a_traceback() -> None:
    done = started(CAREPLAN_TLS_CERTIFICATE=__file__, CAREPLAN_TLS_KEY=__file__)
    assert done.returncode == 2
    assert "no PEM" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_with_a_certificate_of_its_own_the_service_speaks_tls(tmp_path: Path) -> None:
    pem, secret = certified(tmp_path)
    environment: Any = {
        "CAREPLAN_TLS_CERTIFICATE": str(pem),
        "CAREPLAN_TLS_KEY": str(secret),
        "CAREPLAN_PUBLIC_URL": "https://localhost",
    }
    with running(tmp_path / "log", trusted=pem, **environment) as address:
        assert address.startswith("https://localhost:")
        trusting = ssl.create_default_context(cafile=str(pem))
        answer = httpx.post(f"{address}/v1/care-plans", json={}, verify=trusting)
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        with pytest.raises(httpx.TransportError):
            httpx.get(address.replace("https://", "http://"))


@pytest.mark.long
def test_a_collector_that_does_not_answer_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        collector = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with running(tmp_path / "log", OTEL_EXPORTER_OTLP_ENDPOINT=collector) as address:
            httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE)
            began = time.monotonic()
            os.kill(address.pid, signal.SIGTERM)
            assert address.process.wait(PATIENCE) == 0
            assert time.monotonic() - began < 8
    assert "traces lost" in (tmp_path / "log").read_text()


@pytest.mark.long
def test_all_workers_count_together(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with running(tmp_path / "log", "--workers", "2", TMPDIR=str(temporary)) as address:
        for _ in range(30):
            httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE)
        lines = httpx.get(f"{address}/metrics").text.splitlines()
    counted = [line for line in lines if line.startswith("careplan_requests_total{") and 'route="/v1/care-plans"' in line]
    assert [float(line.rsplit(" ", 1)[1]) for line in counted] == [30.0]
    asked = {json.loads(line).get("event") for line in (tmp_path / "log").read_text().splitlines()}
    assert "request" in asked
    assert not list(temporary.iterdir())


@pytest.mark.long
def test_a_port_can_be_taken_again_at_once(tmp_path: Path) -> None:
    with running(tmp_path / "first") as address:
        httpx.get(f"{address}/livez")
        port = address.rpartition(":")[2]
    with running(tmp_path / "second", "--port", port) as address:
        assert httpx.get(f"{address}/livez").status_code == 200
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", int(port)))
