"""A machine that runs short of something: the service goes on, says what is wrong, and stops saying so once it is over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from careplan.web.process import shared, troubles
from careplan.web.process.supervisor import START_SECONDS, Watch
from careplan.web.process.troubles import SILENT_SECONDS, SelfCheck
from careplan.web.telemetry import shared_counts
from careplan.web.telemetry.logs import Lines
from tests.contract.serving import PATIENCE, children_of, running, until


def kinds(address: str) -> set[str]:
    return {one["what"] for one in httpx.get(f"{address}/readyz", timeout=PATIENCE).json()["troubles"]}


def plans(address: str) -> int:
    return httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code


def _line_of(page: str, name: str) -> str:
    return next((line for line in page.splitlines() if line.startswith(name)), "")


@pytest.mark.long
def test_a_stopped_worker_is_passed_over_told_of_and_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2", CAREPLAN_HANG_SECONDS="6") as address:
        # One that is not up yet is waited for.
        until(lambda: " 2.0" in _line_of(httpx.get(f"{address}/metrics").text, "careplan_rulebook_workers{"))
        stopped, other = children_of(address.pid)
        os.kill(stopped, signal.SIGSTOP)
        until(lambda: "worker silent" in (tmp_path / "log").read_text())
        # New connections go to the other one.
        assert [plans(address) for _ in range(10)] == [200] * 10
        assert "worker_silent" in kinds(address)
        until(lambda: stopped not in children_of(address.pid) and len(children_of(address.pid)) == 2)
        until(lambda: not kinds(address))
        assert other in children_of(address.pid)
    assert "killing a silent worker" in (tmp_path / "log").read_text()


@pytest.mark.long
def test_no_folder_for_temporary_files_is_needed(tmp_path: Path) -> None:
    """Neither a full one nor one that is read-only or not there makes any difference."""
    with running(tmp_path / "log", TMPDIR="/dev/full/nowhere", TMP="/nowhere", TEMP="/nowhere") as address:
        assert plans(address) == 200
        pdf = httpx.post(f"{address}/v1/care-plans", json={}, headers={"Accept": "application/pdf"}, timeout=60)
        assert pdf.content.startswith(b"%PDF")
        assert "careplan_plans_total" in httpx.get(f"{address}/metrics").text


@pytest.fixture
def full_disk() -> Iterator[BinaryIO]:
    with Path("/dev/full").open("wb") as full:
        yield full


@pytest.fixture
def full_pipe() -> Iterator[BinaryIO]:
    """A pipe whose reader lives and reads no more, as when what gathers the logs hangs."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 65_536)
    os.set_blocking(writer, True)
    with os.fdopen(writer, "wb") as full:
        yield full
    os.close(reader)


@pytest.mark.long
@pytest.mark.parametrize("log", ["full_disk", "full_pipe"])
def test_a_log_that_cannot_be_written_costs_no_request(tmp_path: Path, log: str, request: pytest.FixtureRequest) -> None:
    """Standard error leads to where nothing more fits. What is wrong is told where it can be."""
    command = [sys.executable, "-m", "careplan.cli.main", "serve", "--port", "0"]
    around = {name: value for name, value in os.environ.items() if not name.startswith("CAREPLAN_")}
    full = request.getfixturevalue(log)
    with (tmp_path / "out").open("wb") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=full, env=around | {"CAREPLAN_DRAIN_SECONDS": "0"})
    try:
        until(lambda: b"Listening on" in (tmp_path / "out").read_bytes())
        address = (tmp_path / "out").read_text().split("Listening on")[1].split()[0]
        assert [plans(address) for _ in range(5)] == [200] * 5
        until(lambda: kinds(address) == {"log"})
        assert 'careplan_workers_in_trouble{what="log"} 1.0' in httpx.get(f"{address}/metrics").text
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0


def test_a_line_is_lost_where_there_is_no_room_and_the_next_one_written_where_there_is() -> None:
    reader, writer = os.pipe()
    lines = Lines(writer)
    lines.write("first\n")
    assert os.read(reader, 100) == b"first\n"
    assert lines.lost_at < 0
    for _ in range(100):
        lines.write("long " * 1_000 + "\n")
    assert lines.lost_at > 0
    os.read(reader, 65_536)  # all that a pipe holds
    lines.lost_at = -1
    lines.write("last\n")
    assert os.read(reader, 65_536).endswith(b"last\n")
    os.close(reader)
    lines.write("nobody reads this\n")
    assert lines.lost_at > 0
    os.close(writer)
    lines.lost_at = -1
    lines.write("nor this\n")
    assert lines.lost_at > 0


@pytest.mark.long
def test_few_descriptors_are_told_of_and_the_service_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "log", module="tests.contract.few_descriptors") as address:
        with ExitStack() as opened, httpx.Client(base_url=address, timeout=PATIENCE) as client:
            assert client.post("/v1/care-plans", json={}).status_code == 200
            host, _, port = address.removeprefix("http://").partition(":")
            for _ in range(200):
                opened.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE))
            # Connections beyond those that are held wait, and those that are held are served.
            assert client.post("/v1/care-plans", json={}).status_code == 200
        until(lambda: plans(address) == 200)
        until(lambda: not kinds(address))
    assert "fewer connections" in (tmp_path / "log").read_text()


def test_what_a_worker_finds_wrong_with_itself_is_logged_when_it_begins_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [False]
    check = SelfCheck({"log": lambda: wrong[0], "descriptors": lambda: False, "memory": lambda: False})
    assert check.flags() == 0
    wrong[0] = True
    assert check.flags() == check.flags() == 1 << troubles.OF_A_WORKER.index("log")
    wrong[0] = False
    assert check.flags() == 0
    said = capsys.readouterr()
    assert (said.out + said.err).count("trouble over") == 1


@pytest.mark.parametrize(("used", "most", "little"), [(500, "max", False), (500, "1000", False), (990, "1000", True)])
@pytest.mark.parametrize("version", [1, 2])
def test_memory_is_short_when_what_cannot_be_given_back_comes_near_the_limit(
    tmp_path: Path,
    version: int,
    used: int,
    most: str,
    little: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(troubles, "_CGROUP", tmp_path)
    assert not troubles.little_memory()
    folder = tmp_path if version == 2 else tmp_path / "memory"
    folder.mkdir(exist_ok=True)
    limit, usage = ("max", "current") if version == 2 else ("limit_in_bytes", "usage_in_bytes")
    (folder / f"memory.{limit}").write_text(f"{most.replace('max', 'max' if version == 2 else str(2**63 - 4096))}\n")
    (folder / f"memory.{usage}").write_text(f"{used + 10_000}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{'' if version == 2 else 'total_'}inactive_file 10000\n")
    assert troubles.little_memory() is little


def test_a_worker_that_never_comes_up_is_replaced_in_the_end() -> None:
    watch, pid, at = Watch(20), os.getpid(), 6
    shared.expect(at)
    now = time.monotonic()
    steps = [now + seconds for seconds in range(0, int(START_SECONDS) + 10, 5)]
    looks = [watch.look(step, {at: pid}) for step in steps]
    assert looks[-1] == {at: "gone"}
    assert looks.index({at: "gone"}) == START_SECONDS // 5 + 1
    assert watch.look(steps[-1] + 1, {at: pid + 1}) == {}  # another was started in its place


def test_silence_is_told_once_and_forgiven_where_nobody_was_running() -> None:
    watch, pid, at = Watch(20), os.getpid(), 7
    shared.expect(at)
    now = time.monotonic()
    assert watch.look(now, {at: pid}) == {}  # it is not up yet
    shared.tell(at, edition=1, digest="ab" * 32, flags=0)
    steps = [now + seconds for seconds in (1, 2, 3, 4, SILENT_SECONDS + 1, SILENT_SECONDS + 2)]
    assert [watch.look(step, {at: pid}) for step in steps] == [{}, {}, {}, {}, {at: "silent"}, {}]
    shared.tell(at, edition=1, digest="ab" * 32, flags=0)
    assert watch.look(time.monotonic(), {at: pid}) == {at: "heard"}
    # All processes were stopped for an hour: that says nothing of any of them.
    assert watch.look(now + 3_600, {at: pid}) == {}
    assert watch.look(now + 3_600 + 21, {at: pid}) == {}
    looks = [watch.look(now + 3_621 + seconds, {at: pid}).get(at) for seconds in range(1, 30, 4)]
    assert looks.count("silent") == 1
    assert looks[-1] == "gone"
    shared.expect(at)


@pytest.mark.long
def test_counts_go_on_where_a_worker_was_replaced_and_what_was_so_of_it_does_not(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as address:
        for _ in range(20):
            plans(address)
        first = children_of(address.pid)[0]
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in children_of(address.pid) and not kinds(address))
        page = httpx.get(f"{address}/metrics").text
        assert 'careplan_requests_total{method="POST",route="/v1/care-plans",status="200"} 20.0' in page
        assert "careplan_worker_starts_total 3.0" in page
        assert page.count("careplan_rulebook_workers{") == 1
        assert page.split("careplan_rulebook_workers{")[1].split("} ")[1].startswith("2.0")
    assert not shared_counts.attached()
