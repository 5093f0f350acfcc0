"""A worker that stays without memory is replaced, and one that has it again lives on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.serving import PATIENCE, Server, children_of, running, until

WORDS = "Zyxwvut Qponmlk"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    log = tmp_path_factory.mktemp("faulty") / "log"
    with running(log, module="tests.contract.faulty", CAREPLAN_OPEN_PATHS="metrics") as address:
        yield address, log


@pytest.mark.long
def test_a_worker_lives_on_where_memory_comes_back_and_is_replaced_where_it_does_not(faulty: tuple[Server, Path]) -> None:
    address, log = faulty
    before = set(children_of(address.pid))
    once = httpx.post(f"{address}/v1/care-plans", json={"medications": [{"name": f"memory {WORDS}"}]})
    assert (once.status_code, once.headers["retry-after"]) == (503, "1")
    assert httpx.post(f"{address}/v1/care-plans", json={}).status_code == 200
    assert set(children_of(address.pid)) == before
    gone = httpx.post(f"{address}/v1/care-plans", json={"medications": [{"name": f"memory-for-good {WORDS}"}]})
    assert (gone.status_code, gone.headers["retry-after"]) == (503, "1")
    until(lambda: set(children_of(address.pid)).isdisjoint(before) and bool(children_of(address.pid)))
    assert httpx.post(f"{address}/v1/care-plans", json={}, timeout=PATIENCE).status_code == 200
    said = log.read_text()
    assert "leaving for want of memory" in said
    assert "Zyxwvut" not in said
