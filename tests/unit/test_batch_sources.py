"""What a batch reads: packed files to their very end, pipes as they come, and the same lines when a run goes on."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from careplan.batch.byte_sources import Source, Unreadable
from careplan.batch.ndjson import Line, Otherwise, Tasks, mark_of
from careplan.batch.worker_pool import Processes, in_order

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstandard.compress}
CONTENT = os.urandom(40_000).hex().encode() + b"\n" * 3


def read(path: Path) -> bytes:
    with Source(path) as source:
        return b"".join(piece or b"" for piece in source.pieces())


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_file_is_read_part_by_part_whatever_its_name(tmp_path: Path, kind: str) -> None:
    pack = PACKERS[kind]
    for name in ("a.ndjson", f"a.ndjson.{kind}"):
        path = tmp_path / name
        path.write_bytes(pack(CONTENT) + pack(b"") + pack(b"more"))
        assert read(path) == CONTENT + b"more"


@pytest.mark.parametrize("kind", PACKERS)
@given(share=st.floats(0.001, 0.999))
def test_a_packed_file_that_ends_too_early_is_never_taken_for_whole(
    tmp_path_factory: pytest.TempPathFactory, kind: str, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a"
    whole = PACKERS[kind](CONTENT[:3_000]) + PACKERS[kind](CONTENT[:3_000])
    first = len(whole) // 2
    kept = max(5, int(len(whole) * share))
    path.write_bytes(whole[:kept])
    if kept == first:
        return
    with pytest.raises(Unreadable, match="cut off"):
        read(path)


def test_what_is_not_packed_or_damaged_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    for content, says in ((b"{}\n", "not packed as its name says"), (b"", "empty")):
        path.write_bytes(content)
        with pytest.raises(Unreadable, match=says):
            read(path)
    packed = bytearray(gzip.compress(CONTENT))
    packed[2_000] ^= 255
    path.write_bytes(packed)
    with pytest.raises(Unreadable, match="damaged"):
        read(path)


def test_a_frame_that_holds_something_else_may_come_first(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + zstandard.compress(CONTENT))
    assert read(path) == CONTENT


def test_lines_of_a_pipe_are_given_out_before_more_come(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    goes_on = threading.Event()

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            file.write(b"{}\n" * 70)
            goes_on.wait(10)
            file.write(b"{}\n")

    writer = threading.Thread(target=write)
    writer.start()
    counted = 0
    with Source(pipe) as source:
        for lines in Tasks(source, 100):
            counted += len(lines or [])
            if lines is None and counted == 70:
                goes_on.set()
    writer.join()
    assert counted == 71


def tasks_of(path: Path, done: int = 0, mark: str = "") -> Iterator[tuple[list[Line], str]]:
    with Source(path) as source:
        tasks = Tasks(source, 100, done, mark)
        for lines in tasks:
            if lines:
                yield lines, tasks.answered(lines)[0]


def test_a_run_goes_on_behind_the_same_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"".join(b'{"a":%d}\n\n' % at for at in range(200)))
    found = list(tasks_of(path))
    lines, mark = found[1]
    rest = [line for lines, _ in tasks_of(path, lines[-1].number, mark) for line in lines]
    assert rest == [line for lines, _ in found[2:] for line in lines]
    lines_at_last, mark_at_last = found[-1]
    assert list(tasks_of(path, lines_at_last[-1].number, mark_at_last)) == []
    with Source(path) as source:
        # The last blank line counts for the whole.
        assert mark_of(source, 100) != mark_at_last
    path.write_bytes(path.read_bytes().replace(b'{"a":7}', b'{"a":8}'))
    with pytest.raises(Otherwise):
        list(tasks_of(path, lines[-1].number, mark))
    path.write_bytes(b"{}\n")
    with pytest.raises(Otherwise):
        list(tasks_of(path, lines[-1].number, mark))


def test_too_long_lines_that_differ_are_not_the_same(tmp_path: Path) -> None:
    marks = set()
    for letter in b"xy":
        path = tmp_path / "a"
        path.write_bytes(bytes([letter]) * 1_000 + b"\n{}\n")
        marks.add(next(tasks_of(path))[1])
    assert len(marks) == 2


# Out of a source, into a pool.


def squares(tasks: Iterator[int | None]) -> Iterator[int]:
    pool: Processes[int, int] = Processes(lambda: lambda task: task * task, 2)
    try:
        for _, result in pool.in_order(tasks):
            yield result
    finally:
        pool.close()


def test_what_came_before_a_fault_of_the_source_is_still_done() -> None:
    def broken() -> Iterator[int]:
        yield from range(9)
        raise Unreadable("is cut off")

    found: list[int] = []
    with pytest.raises(Unreadable):
        found.extend(squares(broken()))
    assert found == [task * task for task in range(9)]


def test_results_are_given_out_while_the_source_has_nothing() -> None:
    found: list[int] = []

    def slow() -> Iterator[int | None]:
        for task in range(4):
            yield task
            for _ in range(5_000):
                if len(found) > task:
                    break
                threading.Event().wait(0.002)
                yield None
            assert len(found) > task

    for result in squares(slow()):
        found.append(result)  # noqa: PERF402 - the source looks at it
    assert found == [0, 1, 4, 9]


def test_no_more_is_asked_for_than_there_is_room() -> None:
    class Never:
        def __init__(self) -> None:
            self.given = 0

        def room(self) -> int:
            return 3

        def submit(self, task: int) -> Future[int]:
            self.given += 1
            return Future()

        def first(self, waiting: object) -> int:
            assert self.given <= taken + 3
            return 0

    hands = Never()
    taken = 0
    for _ in in_order(hands, iter(range(10))):
        taken += 1
    assert taken == 10
