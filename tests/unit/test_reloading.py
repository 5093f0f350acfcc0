"""Editions of the rulebook come and go: requests keep theirs, memory is given back, and a bad one harms nobody."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest
from litestar.exceptions import HTTPException

from careplan.authoring.rehearsal import Rehearsal, rehearse, rehearse_apart
from careplan.errors import InvalidSettings
from careplan.inference.durable_rules import Engine
from careplan.inference.ruleset_compiler import EngineError
from careplan.planner import A_PATIENT, Planner
from careplan.request.patient import Patient
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from careplan.web.edition import Desk, Edition, Surroundings
from careplan.web.process import warm_up, worker
from careplan.web.process.reload import Reloader
from tests.shipped import few_rules_in

SWAPS = int(os.environ.get("CAREPLAN_TEST_SWAPS", "40"))
"""Engines made and freed in the memory test."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with few rules, which is read only."""
    return few_rules_in(tmp_path_factory.mktemp("few") / "rules")


def edition(book: Rulebook, around: Surroundings | None = None) -> Edition:
    return Edition(Planner(book), around or Surroundings(), dict)


def is_free(one: Edition) -> bool:
    try:
        one.planner.plan(A_PATIENT)
    except EngineError:
        return True
    return False


def test_a_request_keeps_its_edition_until_it_ends_and_then_it_is_freed(book: Rulebook) -> None:
    desk, first, second = Desk(), edition(book), edition(book)
    desk.swap(first)
    with desk.lease() as early:
        desk.swap(second)
        with desk.lease() as late:
            assert (early, late) == (first, second)
        assert not is_free(first)
        assert first.planner.plan(A_PATIENT) == second.planner.plan(A_PATIENT)
    assert is_free(first)
    assert not is_free(second)
    desk.swap(None)
    assert is_free(second)
    with pytest.raises(HTTPException), desk.lease():
        pass


def test_what_a_start_leaves_out_is_there_soon_after_unless_the_service_stops_before(
    book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, one = Desk(), edition(book)
    desk.swap(one)

    async def serve(seconds: float) -> bool:
        async with warm_up.loading(desk):
            until = time.monotonic() + seconds
            while time.monotonic() < until and "handbook" not in vars(one):
                await asyncio.sleep(0.01)
        return "handbook" in vars(one) and "faultfinder" in vars(one.planner.intake)

    assert not asyncio.run(serve(0.05))
    monkeypatch.setattr(warm_up, "PAUSE_SECONDS", 0.0)
    assert asyncio.run(serve(10))
    desk.swap(None)


def test_an_edition_that_nobody_uses_is_freed_at_once_and_the_current_one_stays_after_a_request(book: Rulebook) -> None:
    desk, first = Desk(), edition(book)
    desk.swap(first)
    with desk.lease():
        pass
    assert not is_free(first)
    desk.swap(None)
    assert is_free(first)


def grown(book: Rulebook, times: int, *, close: bool) -> int:
    """By how many bytes this process grows over so many engines."""
    engines = []
    before = resident()
    for _ in range(times):
        engine = Engine({rule.id: rule.when for rule in book.rules.values()})
        engine.check()
        if close:
            engine.close()
        else:
            engines.append(engine)
    after = resident()
    for engine in engines:
        engine.close()
    return after - before


def growths() -> tuple[int, int]:
    """The growth over many engines that are freed, and over ten that are kept."""
    book = load(shipped())
    grown(book, 10, close=True)
    return grown(book, SWAPS, close=True), grown(book, 10, close=False)


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_stays_flat_over_many_engines_that_are_freed() -> None:
    """Against the same loop that keeps its engines, so that the measure is known to see a leak."""
    # In a process of its own, as engines take what other tests of this one have left free.
    with get_context("spawn").Pool(1) as apart:
        freed, kept = apart.apply(growths)
    assert kept > 10 * 500_000
    assert freed < kept * SWAPS / 10 * 0.05


def test_a_rehearsal_in_a_process_of_its_own_finds_what_one_here_finds(tmp_path: Path) -> None:
    folder = few_rules_in(tmp_path / "rules")
    assert rehearse_apart(folder) == rehearse(folder) == Rehearsal(load(folder).digest, [])
    path = folder / "aftercare" / "sleep-under-five-hours.yaml"
    path.write_text(path.read_text().replace("less_than: 5}", "less_than: 4.5}"))
    assert {fault.code for fault in rehearse(folder).faults} == {"example"}
    path.write_text("id: [")
    found = rehearse_apart(folder)
    assert found == rehearse(folder)
    assert "yaml" in {fault.code for fault in found.faults}


def test_a_rehearsal_that_hangs_or_crashes_is_a_fault_of_the_rulebook(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = rehearse_apart(shipped(), seconds=0.05)
    assert [fault.code for fault in slow.faults] == ["engine"]
    monkeypatch.setattr("sys.executable", "/bin/false")
    crashed = rehearse_apart(shipped())
    assert [fault.code for fault in crashed.faults] == ["engine"]
    assert "code 1" in crashed.faults[0].problem


def reloaded(folder: Path, *, wrong: Exception | None = None) -> tuple[Desk, Reloader]:
    desk = Desk()

    def around(_: Rulebook) -> Surroundings:
        if wrong:
            raise wrong
        return Surroundings()

    reloader = Reloader(folder, desk, edition, around)
    desk.swap(edition(load(folder)))
    asyncio.run(_reload(reloader))
    return desk, reloader


async def _reload(reloader: Reloader) -> None:
    await reloader.reload()


def test_a_protocol_that_does_not_fit_the_new_rulebook_is_a_reason_to_refuse(few: Path) -> None:
    desk, reloader = reloaded(few, wrong=InvalidSettings("the clinic's protocol is not one: /holds/0"))
    assert reloader.last is not None
    assert (reloader.last.outcome, reloader.last.digest) == ("refused", load(few).digest)
    assert "/holds/0" in reloader.last.faults[0].problem
    desk.swap(None)


def test_a_failure_of_any_other_kind_keeps_the_rulebook_and_quotes_nothing(few: Path) -> None:
    desk, reloader = reloaded(few, wrong=RuntimeError("a secret"))
    assert reloader.last is not None
    assert reloader.last.outcome == "refused"
    assert "secret" not in msgspec.json.encode(reloader.last).decode()
    assert desk.current is not None
    assert desk.current.planner.plan(Patient()).status == "draft"
    desk.swap(None)


def test_the_same_rulebook_again_changes_nothing(few: Path) -> None:
    desk, reloader = reloaded(few)
    assert reloader.last is not None
    assert reloader.last.outcome == "unchanged"
    assert desk.current is not None
    assert not is_free(desk.current)
    desk.swap(None)


def test_a_settled_worker_searches_all_it_holds_for_garbage_less_often() -> None:
    before = gc.get_threshold()
    try:
        worker.settle()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == (*before[:2], worker.OLD_THRESHOLD)
        assert before[2] < worker.OLD_THRESHOLD
    finally:
        gc.set_threshold(*before)
