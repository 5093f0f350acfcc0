"""Batches: lines in, answers out, in order, whatever the lines hold and whatever interrupts the work."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from bench.measure import golden_bodies, made_up_bodies
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from careplan.batch.answer_lines import FILE, Answering, of_file
from careplan.batch.ndjson import NORMAL, Limits, Line, Lines
from careplan.batch.resumable_file import PartFile, packer
from careplan.batch.worker_pool import Processes, WorkerLost
from careplan.cli.main import main
from careplan.plan.layers import at_detail
from careplan.planner import Planner
from tests import warm
from tests.everyday import one_in


def cut(content: bytes, sizes: list[int], longest: int = 40) -> list[Line]:
    lines = Lines(longest)
    found: list[Line] = []
    at = 0
    for size in [*sizes, len(content)]:
        found += lines.feed(content[at : at + size])
        at += size
    return [*found, *lines.close()]


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=8), st.lists(st.integers(1, 30)))
def test_a_stream_is_cut_into_the_same_lines_however_it_arrives(texts: list[bytes], sizes: list[int]) -> None:
    content = b"\n".join(texts)
    wanted = [
        Line(at, None if len(text) > 40 else text, at < len(texts))
        for at, text in enumerate(texts, start=1)
        if text.strip() or len(text) > 40
    ]
    found = cut(content, sizes)
    if texts and texts[0].startswith(b"\xef\xbb\xbf"):
        return
    assert found == wanted
    assert found == cut(content, [])


def test_a_line_without_end_keeps_no_memory() -> None:
    lines = Lines(1_000)
    for _ in range(2_000):
        assert list(lines.feed(b"x" * 50_000)) == []
        assert len(lines._rest) <= 51_000
    assert list(lines.feed(b"\n{}\n")) == [Line(1, None), Line(2, b"{}")]


@cache
def answering_with(planner: Planner, *, as_fhir: bool) -> Answering:
    """What answers lines, as a worker makes it: once for all of them."""
    return Answering(planner, as_fhir=as_fhir)


def answers(planner: Planner, *lines: bytes, as_fhir: bool = False) -> list[dict[str, Any]]:
    answering = answering_with(planner, as_fhir=as_fhir)
    found = [answering.answer(Line(at, line)).body for at, line in enumerate(lines, start=1)]
    assert not any(b"\n" in body for body in found)
    return [msgspec.json.decode(body) for body in found]


def test_a_line_is_answered_by_the_plan_of_a_single_request(planner: Planner) -> None:
    for body in golden_bodies():
        (answer,) = answers(planner, body)
        plan = at_detail(planner.plan(planner.intake.decode(body)), "standard")
        assert answer == {"line": 1, "request_key": None, "plan": msgspec.json.decode(msgspec.json.encode(plan))}


def test_a_key_comes_back_with_its_answer_be_it_plan_or_problem(planner: Planner) -> None:
    good, bad, broken, long = answers(
        planner,
        b'{"request_key": "a-1", "age_years": 40}',
        b'{"request_key": "a-2", "age_years": 400}',
        b'{"request_key": "a-3", ',
        b'{"request_key": "%s"}' % (b"k" * 300),
    )
    assert (good["request_key"], good["plan"]["status"]) == ("a-1", "draft")
    assert (bad["request_key"], bad["line"], bad["problem"]["errors"][0]["pointer"]) == ("a-2", 2, "/age_years")
    assert (broken["request_key"], broken["problem"]["status"]) == (None, 400)
    assert long["problem"]["errors"][0]["pointer"] == "/request_key"


def test_bundles_are_answered_as_plans_or_as_bundles(planner: Planner) -> None:
    medicine = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"text": "Xanax"},
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"value": "b-1"},
        "entry": [{"resource": medicine}],
    }
    line = msgspec.json.encode(bundle)
    (plan,) = answers(planner, line)
    assert plan["request_key"] == "b-1"
    assert plan["plan"]["medications"][0]["recognized_as"].startswith("alprazolam")
    made, refused = answers(planner, line, b'{"resourceType": "Bundle", "entry": 7}', as_fhir=True)
    assert (made["resourceType"], made["identifier"]["value"]) == ("Bundle", "b-1")
    assert made["meta"]["extension"][0]["valuePositiveInt"] == 1
    assert refused["resourceType"] == "OperationOutcome"
    assert refused["extension"][0]["valuePositiveInt"] == 2


def test_lines_that_differ_only_in_their_key_have_bundles_of_their_own(planner: Planner) -> None:
    lines = [
        b'{"resourceType": "Bundle", "type": "collection", "identifier": {"value": "%s"}}' % key for key in (b"a", b"b")
    ]
    found = answers(planner, *lines, *lines, as_fhir=True)
    ids = [one["entry"][0]["resource"]["id"] for one in found]
    assert len(set(ids)) == 2
    assert ids[:2] == ids[2:]


def test_a_cut_last_line_and_a_text_in_utf_16_are_called_so_in_both_forms(planner: Planner) -> None:
    for as_fhir in (False, True):
        answering = Answering(planner, as_fhir=as_fhir, limits=Limits(100, 50))
        assert b"may have been cut off" in answering.answer(Line(1, b'{"age', ended=False)).body
        assert b"UTF-16" in answering.answer(Line(1, '{"age_years": 40}'.encode("utf-16"))).body
        assert b"which is 100 bytes" in answering.answer(Line(1, None)).body
        assert b"which is 100 bytes" in answering.answer(Line(1, b"{%s}" % (b" " * 100))).body
        assert b"which is 50 bytes" in answering.answer(Line(1, b'{"resourceType":"Bundle"%s}' % (b" " * 50))).body


@pytest.mark.parametrize("as_fhir", [False, True])
def test_an_answer_can_name_the_file_of_its_line(planner: Planner, as_fhir: bool) -> None:  # noqa: FBT001
    answering = Answering(planner, as_fhir=as_fhir)
    for line in (b"{}", b"{"):
        body = of_file(answering.answer(Line(3, line)).body, "a.ndjson")
        assert b'"a.ndjson"' in body
        found = json.loads(body)
        assert FILE in body.decode() if as_fhir else found["file"] == "a.ndjson" and found["line"] == 3


# The command.


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory, planner: Planner) -> Path:
    """A file of patients that is read only, two of them with faults."""
    file = tmp_path_factory.mktemp("cohort") / "patients.ndjson"
    bodies = (golden_bodies() * 20)[:150] + made_up_bodies(planner.book, 20)
    lines = [json.dumps({"request_key": f"p{at}"} | json.loads(body)).encode() for at, body in enumerate(bodies)]
    lines[7] = b'{"request_key":"p7","age_years":"old"}'
    lines[90] = b"{"
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


def run(*arguments: object, stdin: bytes = b"", before: Callable[[], None] | None = None) -> Any:
    if before is None:
        return warm.run("batch", *arguments, typed=stdin, timeout=120)
    command = [sys.executable, "-m", "careplan.cli.main", "batch", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120, preexec_fn=before)


@pytest.fixture(scope="module")
def wanted(cohort: Path, planner: Planner) -> bytes:
    answering = Answering(planner)
    lines = [Line(at, line) for at, line in enumerate(cohort.read_bytes().splitlines(), start=1)]
    return b"".join(answering.answer(line).body + b"\n" for line in lines)


@pytest.mark.long
def test_all_cores_give_what_one_gives_in_order(cohort: Path, wanted: bytes, tmp_path: Path) -> None:
    for workers in (1, 2):
        out, failures, summary = (tmp_path / f"{name}-{workers}" for name in ("out.ndjson", "errors", "summary"))
        done = run(cohort, out, "--workers", workers, "--errors", failures, "--summary", summary)
        assert done.returncode == 1, done.stderr
        assert out.read_bytes() == wanted
        assert [json.loads(line)["line"] for line in failures.read_text().splitlines()] == [8, 91]
        told = json.loads(summary.read_text())
        assert (told["lines"], told["plans"], told["failed"]) == (170, 168, 2)
        assert told["problems"] == {"faults": 1, "not JSON": 1}
        assert sum(told["rules"].values()) > 1_000
        assert b"170 lines, 168 plans" in done.stderr
        assert b"\x1b" not in done.stderr
    assert [path.name for path in tmp_path.glob("*.part")] == []


def unzstd(packed: bytes) -> bytes:
    found: bytes = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()
    return found


PACKING: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (gzip.compress, gzip.decompress),
    ".zst": (zstandard.compress, unzstd),
}


@pytest.mark.parametrize("ending", [".gz", pytest.param(".zst", marks=pytest.mark.long)])
def test_packed_files_and_pipes_go_in_and_out(cohort: Path, wanted: bytes, tmp_path: Path, ending: str) -> None:
    pack, unpack = PACKING[ending]
    packed = tmp_path / f"in.ndjson{ending}"
    few = 30
    packed.write_bytes(pack(b"".join(cohort.read_bytes().splitlines(keepends=True)[:few])))
    wanted = b"".join(wanted.splitlines(keepends=True)[:few])
    out = tmp_path / f"out.ndjson{ending}"
    assert run(packed, out, "--workers", 1).returncode == 1
    assert unpack(out.read_bytes()) == wanted
    piped = run("-", "--workers", 1, stdin=packed.read_bytes())
    assert piped.stdout == wanted


def test_a_folder_is_answered_file_by_file(cohort: Path, wanted: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    lines = cohort.read_bytes().splitlines(keepends=True)
    (folder / "a.ndjson").write_bytes(b"".join(lines[:7]))
    (folder / "b.ndjson").write_bytes(b"".join(lines[:3]))
    assert run(folder, tmp_path / "out", "--workers", 1).returncode == 0
    assert (tmp_path / "out" / "a.ndjson").read_bytes() == b"".join(wanted.splitlines(keepends=True)[:7])
    assert (tmp_path / "out" / "b.ndjson").read_bytes() == b"".join(wanted.splitlines(keepends=True)[:3])


@pytest.mark.long
def test_a_run_that_was_killed_is_gone_on_with_and_no_line_is_lost_or_doubled(
    cohort: Path, wanted: bytes, tmp_path: Path
) -> None:
    out, failures = tmp_path / "out.ndjson.gz", tmp_path / "errors"
    command = ["batch", cohort, out, "--workers", 1, "--errors", failures]
    process = warm.Process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part, journal = tmp_path / "out.ndjson.gz.part", tmp_path / "out.ndjson.gz.journal"
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert part.exists()
    assert not out.exists()
    with part.open("ab") as file:
        file.write(b"half of a piece")
    with journal.open("ab") as file:
        file.write(b'{"length": 9999')
    refused = run(cohort, out, "--workers", 1)
    assert refused.returncode == 2
    assert b"--resume" in refused.stderr
    done = run(cohort, out, "--workers", 2, "--resume", "--errors", failures)
    assert done.returncode == 1, done.stderr
    assert gzip.decompress(out.read_bytes()) == wanted
    assert len(failures.read_text().splitlines()) == 2
    assert b"170 lines, 168 plans" in done.stderr
    again = run(cohort, out, "--resume", "--workers", 1)
    assert b"complete already" in again.stderr


def test_another_input_is_not_mixed_with_what_was_begun(cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    PartFile(out, {"rulebook": "another"}, {}, resume=False).leave()
    done = run(cohort, out, "--resume", "--workers", 1)
    assert done.returncode == 2
    assert b"another input" in done.stderr


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=6), st.integers(0, 200), st.integers(0, 200))
def test_a_part_file_survives_being_cut_anywhere(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], lost: int, lost_notes: int
) -> None:
    target = tmp_path_factory.mktemp("part") / "out"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("careplan.batch.resumable_file.os.fsync", lambda _: None)
        cut_and_gone_on_with(target, pieces, lost, lost_notes)


def cut_and_gone_on_with(target: Path, pieces: list[bytes], lost: int, lost_notes: int) -> None:
    first = PartFile(target, {"a": 1}, {"done": 0}, resume=False)
    kept = 0
    for at, piece in enumerate(pieces[:-1]):
        first.add(piece, {"done": at + 1})
        kept += len(piece)
    first.leave()
    notes = target.with_name("out.journal")
    content = notes.read_bytes()
    head = content.index(b"\n") + 1
    # The journal is written after its piece: notes may be lost, pieces before a note may not.
    notes.write_bytes(content[: max(head, len(content) - lost_notes)])
    with target.with_name("out.part").open("ab") as file:
        file.write(b"?" * lost)
    again = PartFile(target, {"a": 1}, {"done": 0}, resume=True)
    done = again.state["done"]
    for at, piece in enumerate(pieces[done:], start=done):
        again.add(piece, {"done": at + 1})
    again.finish({})
    assert target.read_bytes() == b"".join(pieces)


@pytest.mark.parametrize("name", ["a.gz", "a.zst", "a"])
@given(pieces=st.lists(st.binary(max_size=50), max_size=5))
def test_packed_pieces_stand_one_behind_the_other(name: str, pieces: list[bytes]) -> None:
    packed = b"".join(map(packer(name), pieces))
    if name.endswith("gz"):
        packed = gzip.decompress(packed)
    elif name.endswith("zst"):
        packed = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read() if packed else b""
    assert packed == b"".join(pieces)


@pytest.mark.long
def test_without_room_the_run_says_so_and_keeps_what_was_finished(cohort: Path, wanted: bytes, tmp_path: Path) -> None:
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))

    out = tmp_path / "out.ndjson"
    done = run(cohort, out, "--workers", 1, before=limited)
    assert done.returncode == 4
    assert b"no room" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not out.exists()
    assert run(cohort, out, "--workers", 1, "--resume").returncode == 1
    assert out.read_bytes() == wanted


BAD: dict[str, tuple[bytes, list[str]]] = {
    "a cut last line": (b'{"age_years": 40}\n{"age_ye', ["plan", "cut off"]),
    "a line that is too long": (b'{"a": "' + b"x" * (NORMAL.longest * 3) + b'"}\n{}\n', ["longer than a line", "plan"]),
    "two encodings": (b"{}\n" + '{"age_years": 40}'.encode("utf-16") + b"\n{}\n", ["plan", "not valid JSON", "plan"]),
    "a byte-order mark": (b"\xef\xbb\xbf{}\n{}\n", ["plan", "plan"]),
    "empty lines": (b"\n\n{}\n  \n{}\n\n", ["plan", "plan"]),
    "Windows line ends": (b"{}\r\n{}\r\n", ["plan", "plan"]),
    "nothing": (b"", []),
    "not patients": (b'[1]\n"a"\nnull\n', ["problem"] * 3),
}


@pytest.mark.parametrize("kind", one_in(3, BAD))
def test_bad_lines_are_named_and_the_rest_is_answered(kind: str) -> None:
    content, says = BAD[kind]
    done = CliRunner().invoke(main, ["batch", "-", "--workers", "1"], input=content)
    lines = done.stdout.splitlines()
    assert len(lines) == len(says), done.output
    for line, words in zip(lines, says, strict=True):
        assert words in line
    assert done.exit_code == (0 if all(words == "plan" for words in says) else 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["/nowhere.ndjson"], "there is no"),
        (["-", "--resume"], "cannot be gone on with"),
        (["-", "--on", "spark://x:1"], "dask://"),
        (["-", "--on", "dask://127.0.0.1:1"], "no Dask scheduler"),
    ],
)
def test_a_call_that_cannot_work_is_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.setattr("careplan.batch.dask_cluster.CONNECT_SECONDS", 0.2)
    done = CliRunner().invoke(main, ["batch", *arguments], input=b"{}\n")
    assert done.exit_code in (2, 4)
    assert says in done.output


def test_a_file_that_is_not_packed_as_its_name_says_is_named(tmp_path: Path) -> None:
    for ending in (".gz", ".zst"):
        file = tmp_path / f"in.ndjson{ending}"
        file.write_bytes(b'{"age_years": 40}\n')
        done = CliRunner().invoke(main, ["batch", str(file), "--workers", "1"])
        assert done.exit_code == 4
        assert "not packed as its name says" in done.output


# Workers.


def test_a_worker_that_dies_is_replaced_and_its_tasks_are_done_again(tmp_path: Path) -> None:
    died = tmp_path / "died"

    def make() -> Callable[[int], int]:
        def do(task: int) -> int:
            if task == 5 and not died.exists():
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return task * task

        return do

    pool = Processes(make, 2)
    assert [result for _, result in pool.in_order(range(20))] == [task * task for task in range(20)]
    assert died.exists()
    pool.close()


def test_a_task_that_kills_every_worker_ends_the_run() -> None:
    def make() -> Callable[[int], int]:
        def do(_: int) -> int:
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        return do

    pool = Processes(make, 2)
    with pytest.raises(WorkerLost):
        list(pool.in_order(range(3)))
    pool.close()


def test_only_so_many_tasks_are_under_way() -> None:
    pool: Processes[int, int] = Processes(lambda: lambda task: task, 2)
    taken: list[int] = []

    def tasks() -> Any:
        for task in range(50):
            taken.append(task)
            yield task

    for number, _ in pool.in_order(tasks()):
        assert len(taken) <= number + 1 + 2 * 3
    pool.close()
