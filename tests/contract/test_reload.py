"""A running service takes a new rulebook between two requests, or keeps the last good one and says why."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from careplan.rulebook.load import load, shipped
from tests.contract.serving import PATIENCE, Server, running
from tests.shipped import few_rules_in

SLEEP = "aftercare/sleep-under-five-hours.yaml"
SHORT = {"lifestyle": {"sleep_hours_per_night": 5.2}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Few of the shipped rules, to be edited."""
    return few_rules_in(tmp_path / "rules")


def edit(folder: Path, old: str = "less_than: 5}", new: str = "less_than: 5.5}") -> None:
    text = (folder / SLEEP).read_text()
    assert old in text
    (folder / SLEEP).write_text(text.replace(old, new, 1).replace("sleep_hours_per_night: 5}", "sleep_hours_per_night: 6}"))


def reloads(
    service: Server, done: Callable[[dict[str, Any]], bool], meanwhile: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """What `/readyz` says of the last reload, as soon as it is `done`; `meanwhile` is called until then."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        ready = httpx.get(f"{service}/readyz", timeout=PATIENCE)
        assert ready.status_code == 200
        last: dict[str, Any] | None = ready.json()["last_reload"]
        serving = {worker["digest"] for worker in ready.json()["workers"]}
        if last is not None and done(last) and serving == {last["digest"]}:
            return last
        meanwhile()
        time.sleep(0.05)
    raise AssertionError("no reload within a minute")


def rules_of(service: str) -> set[str]:
    plan = httpx.post(f"{service}/v1/care-plans", json=SHORT, timeout=PATIENCE).json()
    return {item["rule"]["id"] for section in plan["sections"] for item in section["items"]}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the service logs to."""
    return tmp_path / "log"


@pytest.fixture
def service(folder: Path, log: Path) -> Iterator[Server]:
    """A service on `folder`."""
    with running(log, "--rules", str(folder), CAREPLAN_BODY_SECONDS="120") as started:
        yield started


def test_a_signal_swaps_the_rulebook_in_and_a_batch_under_way_keeps_its_own(
    service: Server, folder: Path, log: Path
) -> None:
    before = load(folder).digest
    place = urlsplit(service)
    first, second = b"{}\n", json.dumps(SHORT).encode()
    with socket.create_connection((place.hostname, place.port), timeout=60) as slow:
        slow.sendall(
            b"POST /v1/care-plans/batch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % len(first + second) + first
        )
        answer = b""
        while b'"line":1,' not in answer:  # from here on the batch is under way
            received = slow.recv(65_536)
            assert received, answer
            answer += received
        edit(folder)
        os.kill(service.pid, signal.SIGHUP)
        last = reloads(service, lambda last: last["outcome"] == "swapped")
        after = load(folder).digest
        assert (last["digest"], last["faults"]) == (after, [])
        assert "sleep-under-five-hours" in rules_of(service)
        slow.sendall(second)
        answer += b"".join(iter(lambda: slow.recv(65_536), b""))
    line = answer[answer.index(b'{"line":2,') :].partition(b"\n")[0]
    plan = json.loads(line)["plan"]
    assert plan["rulebook"]["digest"] == before != after
    assert httpx.get(f"{service}/v1/rulebook", timeout=PATIENCE).json()["digest"] == after
    assert "rulebook swapped" in log.read_text()


@pytest.mark.long
def test_a_faulty_rulebook_is_refused_and_the_last_good_one_goes_on(service: Server, folder: Path, log: Path) -> None:
    before = httpx.get(f"{service}/v1/rulebook", timeout=PATIENCE).json()["digest"]
    edit(folder, "level: caution", "level: cautoin")
    os.kill(service.pid, signal.SIGHUP)
    last = reloads(service, lambda last: last["outcome"] == "refused")
    assert (last["digest"], last["fault_count"]) == (before, 1)
    (fault,) = last["faults"]
    assert (fault["file"], fault["line"], fault["field"]) == (SLEEP, 5, "level")
    assert "Did you mean caution?" in fault["mend"]
    assert "sleep-under-five-hours" not in rules_of(service)
    assert "rulebook refused" in log.read_text()
    shutil.copy(shipped() / SLEEP, folder / SLEEP)
    os.kill(service.pid, signal.SIGHUP)
    reloads(service, lambda last: last["outcome"] == "unchanged")


@pytest.mark.long
def test_a_rulebook_whose_examples_fail_is_refused(service: Server, folder: Path) -> None:
    edit(folder, "less_than: 5}", "less_than: 3}")
    os.kill(service.pid, signal.SIGHUP)
    last = reloads(service, lambda last: last["outcome"] == "refused")
    assert {fault["code"] for fault in last["faults"]} == {"example"}


@pytest.mark.long
def test_a_watched_folder_reloads_by_itself(folder: Path, tmp_path: Path) -> None:
    with running(tmp_path / "log", "--rules", str(folder), "--watch") as service:
        edit(folder)
        # A watch sees what changes after it has begun, which is at some time after the start.
        reloads(service, lambda last: last["outcome"] == "swapped", meanwhile=(folder / SLEEP).touch)
        assert "sleep-under-five-hours" in rules_of(service)
