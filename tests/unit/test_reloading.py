"""Editions of the rulebook come and go: requests keep theirs, memory is given back, and a bad one harms nobody."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

import pytest
from litestar.exceptions import HTTPException

from careplan.errors import MOST_SHOWN, RuleFault
from careplan.inference.durable_rules import Engine
from careplan.inference.ruleset_compiler import EngineError
from careplan.planner import A_PATIENT, Planner
from careplan.rulebook.folder import read_folder
from careplan.rulebook.load import load, load_files, shipped
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web import acceptance
from careplan.web.edition import Desk, Edition, Surroundings
from careplan.web.process import keeper, warm_up, worker
from careplan.web.process.accepted import Content, Slots, content_of, write
from careplan.web.process.candidate import Candidate, Verdict
from careplan.web.process.keeper import Reloaded
from careplan.web.process.reload import Follower
from tests.everyday import one_in
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
    warm: list[Planner] = []

    def warmed(planner: Planner) -> None:
        warm.append(planner)

    monkeypatch.setattr(Planner, "warm", warmed)

    async def serve(seconds: float) -> bool:
        async with warm_up.loading(desk):
            until = time.monotonic() + seconds
            while time.monotonic() < until and not warm:
                await asyncio.sleep(0.01)
        return bool(warm) and "handbook" in vars(one) and "faultfinder" in vars(one.planner.intake)

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
@pytest.mark.long
def test_memory_stays_flat_over_many_engines_that_are_freed() -> None:
    """Against the same loop that keeps its engines, so that the measure is known to see a leak."""
    # In a process of its own, as engines take what other tests of this one have left free.
    with get_context("spawn").Pool(1) as apart:
        freed, kept = apart.apply(growths)
    assert kept > 10 * 500_000
    assert freed < kept * SWAPS / 10 * 0.05


EXAMINING = (sys.executable, "-P", "-m", "careplan.web.acceptance")


def examined(folder: Path, *, seconds: float = 300, command: Sequence[str] = EXAMINING) -> tuple[Content | None, Verdict]:
    """What a candidate in a process of its own finds of a folder, and the content that it accepts."""
    slots = Slots()
    content, now = slots.free(), slots.current()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAREPLAN_RULES", str(folder))
        tried = Candidate(command, content, now, seconds=seconds)
        while (verdict := tried.verdict()) is None:
            time.sleep(0.05)
        tried.close()
    return (slots.written() if verdict.taken else None), verdict


def test_a_candidate_is_examined_apart_and_handed_over_as_content(few: Path) -> None:
    content, verdict = examined(few)
    assert verdict == Verdict(digest=load(few).digest, faults=[], taken=True)
    assert content is not None
    assert load_files(content.files).digest == verdict.digest


def test_a_candidate_that_hangs_or_crashes_is_refused(few: Path) -> None:
    _, slow = examined(few, seconds=0.05)
    assert [fault.code for fault in slow.faults] == ["engine"]
    _, crashed = examined(few, command=("/bin/false",))
    assert "ended with code 1" in crashed.faults[0].problem
    _, silent = examined(few, command=("/bin/true",))
    assert [fault.code for fault in silent.faults] == ["engine"]


def test_what_has_many_long_faults_is_refused_by_the_first_of_them_and_their_number(few: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(few, tmp_path / "rules"))
    rule = folder / "aftercare" / "sleep-under-five-hours.yaml"
    with rule.open("a") as file:
        file.writelines(f"{'long_word_' * 90}{at}: 1\n" for at in range(900))
    _, verdict = examined(folder)
    assert [fault.file for fault in verdict.faults] == ["aftercare/sleep-under-five-hours.yaml"] * MOST_SHOWN
    assert {fault.code for fault in verdict.faults} == {"unknown-key"}
    assert verdict.more == 900 - MOST_SHOWN


def test_examples_that_fail_are_faults_of_their_places(few: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(few, tmp_path / "rules"))
    path = folder / "aftercare" / "sleep-under-five-hours.yaml"
    path.write_text(path.read_text().replace("less_than: 5}", "less_than: 4.5}"))
    _, verdict = acceptance.examine(Settings(rules=str(folder)))
    assert {fault.code for fault in verdict.faults} == {"example"}


BAD_FILES = {
    "half": b'{"keys": [',
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "deep": b"[" * 100_000,
    "bytes": bytes(range(256)),
    "number": b"9" * 5_000,
}


@pytest.mark.long
@pytest.mark.parametrize("setting", one_in(5, ["protocol", "api_keys", "signing_key", "cds_clients", "oauth_jwks"]))
def test_any_file_that_a_setting_names_is_refused_with_its_place_and_nothing_else_is_tried(
    few: Path, tmp_path: Path, setting: str
) -> None:
    file = tmp_path / "file.json"
    around = {"oauth_issuer": "https://login.example.org", "oauth_audience": "careplan"} if setting == "oauth_jwks" else {}
    settings = Settings(rules=str(few), public_url="https://localhost", **{setting: str(file)}, **around)  # type: ignore[arg-type]
    before = content_of(read_folder(few), {})
    for content in (content for name, content in BAD_FILES.items() if (name, setting) != ("list", "cds_clients")):
        file.write_bytes(content)
        taken, verdict = acceptance.examine(settings, before)
        assert taken is None
        assert [fault.file for fault in verdict.faults] == [f"CAREPLAN_{setting.upper()}"]
        assert verdict.faults[0].mend
    file.unlink()
    assert "cannot be read" in acceptance.examine(settings, before)[1].faults[0].problem
    os.mkfifo(file)
    assert "it is no file" in acceptance.examine(settings, before)[1].faults[0].problem
    file.unlink()
    file.write_bytes(b" " * 1_000_001)
    assert "larger than" in acceptance.examine(settings, before)[1].faults[0].problem


def test_keys_can_be_taken_back_while_the_rulebook_on_the_disk_is_faulty(few: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(b'{"keys": []}')
    folder = Path(shutil.copytree(few, tmp_path / "rules"))
    before = content_of(read_folder(folder), {"api_keys": b"other"})
    (folder / "rulebook.yaml").write_text("id: [")
    content, verdict = acceptance.examine(Settings(rules=str(folder), api_keys=str(keys)), before)
    assert content == content_of(before.files, {"api_keys": b'{"keys": []}'})
    assert [fault.code for fault in verdict.faults] == ["yaml"]
    assert verdict.digest == load(few).digest


def kept(before: Content, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, after: Content | None = None) -> Reloaded:
    """What a keeper says of a candidate that came to this verdict."""

    class Decided:
        def __init__(self, _: Sequence[str], content: int, __: int) -> None:
            if after is not None:
                write(content, after)

        def verdict(self) -> Verdict:
            return verdict

        def close(self) -> None:
            pass

    slots = Slots()
    write(slots.free(), before)
    slots.take()
    monkeypatch.setattr(keeper, "Candidate", Decided)
    one = keeper.Keeper(slots, "first", ["unused"])
    assert not one.step()
    one.request()
    assert not one.step()
    assert one.step()
    assert slots.read()[1] == (after or before)
    said = keeper.last_reload()
    assert said is not None
    return said


A_FAULT = RuleFault(file="rulebook.yaml", line=3, field="", problem="This is wrong.", mend="Mend it.")


def test_what_was_accepted_is_the_edition_and_what_was_refused_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Content(rules={"rulebook.yaml": b"one"}, named={"api_keys": b"a"})
    two = Content(rules={"rulebook.yaml": b"two"}, named={"api_keys": b"b"})
    keys = Content(rules=one.rules, named=two.named)
    taken = kept(one, monkeypatch, Verdict(digest="second", taken=True, faults=[]), two)
    assert (taken.outcome, taken.digest, taken.changed) == ("swapped", "second", ["rulebook", "api_keys"])
    same = kept(one, monkeypatch, Verdict(digest="first", taken=True, faults=[]), one)
    assert (same.outcome, same.digest, same.changed) == ("unchanged", "first", [])
    refused = kept(one, monkeypatch, Verdict(faults=[A_FAULT] * 50))
    assert (refused.outcome, refused.digest, refused.fault_count, refused.faults[0]) == ("refused", "first", 50, A_FAULT)
    many = kept(one, monkeypatch, Verdict(faults=[A_FAULT] * MOST_SHOWN, more=9_000))
    assert (many.fault_count, len(many.faults)) == (9_000 + MOST_SHOWN, MOST_SHOWN)
    half = kept(one, monkeypatch, Verdict(digest="first", taken=True, faults=[A_FAULT]), keys)
    assert (half.outcome, half.digest, half.changed) == ("refused", "first", ["api_keys"])


def test_a_machine_that_can_start_no_process_refuses_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    slots = Slots()
    write(slots.free(), Content(rules={}, named={}))
    slots.take()
    monkeypatch.setattr(keeper, "Candidate", none)
    one = keeper.Keeper(slots, "first", ["unused"])
    one.request()
    assert one.step()
    said = keeper.last_reload()
    assert said is not None
    assert said.outcome == "refused"
    assert "temporarily" in said.faults[0].problem


def test_an_edition_that_cannot_be_taken_leaves_the_one_before_and_is_tried_again(few: Path) -> None:
    slots, desk, wrong = Slots(), Desk(), [MemoryError()]
    desk.swap(edition(load(few)))

    def prepared(book: Rulebook, _: Mapping[str, bytes]) -> Callable[[], None]:
        if wrong:
            raise wrong.pop()
        made = edition(book)
        return lambda: desk.swap(made)

    write(slots.free(), content_of(read_folder(few), {}))
    slots.take()
    follower = Follower(slots, desk, 0, prepared)
    before = desk.current
    steps = [(follower.behind, asyncio.run(follower.follow()), follower.behind, desk.current is before) for _ in range(2)]
    assert steps == [(True, False, True, True), (True, True, False, False)]
    desk.swap(None)


def test_a_slot_that_was_damaged_is_never_served() -> None:
    slots = Slots()
    with pytest.raises(LookupError):
        slots.written()
    write(slots.free(), Content(rules={"rulebook.yaml": b"one"}, named={}))
    slots.take()
    os.pwrite(slots.current(), b"x", 40)
    with pytest.raises(LookupError):
        slots.read()


def test_a_settled_worker_searches_all_it_holds_for_garbage_less_often() -> None:
    before = gc.get_threshold()
    try:
        worker.settle()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == (*before[:2], worker.OLD_THRESHOLD)
        assert before[2] < worker.OLD_THRESHOLD
    finally:
        gc.set_threshold(*before)
