"""Runs of the command: what they refuse to touch, how they end, and how they go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from careplan.batch.resumable_file import LONGEST_JOURNAL, NotTheSame, PartFile, journal_of, receipt_of
from careplan.cli.main import main
from careplan.cli.progress import Meter
from careplan.rulebook.model import Rulebook
from tests.contract.serving import children_of, until
from tests.everyday import one_in
from tests.warm import Process


def batch(*arguments: object, stdin: bytes = b"", **environment: str) -> Result:
    command = ["batch", *map(str, arguments), *([] if "--workers" in arguments else ["--workers", "1"])]
    return CliRunner().invoke(main, command, input=stdin, env=environment)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch, book: Rulebook) -> None:
    """In this process nobody pulls the plug, and nobody changes the rulebook, so that it need not be read again."""
    monkeypatch.setattr("careplan.batch.resumable_file.os.fsync", lambda _: None)
    monkeypatch.setattr("careplan.cli.batching.read_rulebook", lambda _: book)


def heard() -> None:
    """Have a process end by signals, though whoever runs the tests ignores them, as `nohup` does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    path = tmp_path / "in.ndjson"
    path.write_bytes(b"".join(b'{"request_key":"%d","age_years":%d}\n' % (at, 20 + at % 50) for at in range(150)) + b"{\n")
    return path


# What is written never destroys what is read.


def test_no_file_is_written_over_another_one(patients: Path, tmp_path: Path) -> None:
    content = patients.read_bytes()
    other = tmp_path / "hard"
    os.link(patients, other)
    (tmp_path / "soft").symlink_to(patients)
    out = tmp_path / "out"
    calls: list[list[object]] = [
        [patients, patients],
        [patients, other],
        [patients, tmp_path / "soft"],
        [patients, out, "--errors", patients],
        [patients, "--errors", other],
        [patients, out, "--summary", patients],
        [patients, out, "--errors", out],
        [patients, out, "--errors", f"{out}.part"],
        [patients, out, "--summary", f"{out}.journal"],
        [patients, out, "--errors", tmp_path / "e", "--summary", tmp_path / "e"],
        [tmp_path, tmp_path],
    ]
    for call in calls:
        done = batch(*call)
        assert done.exit_code == 2, (call, done.output)
        assert "written over" in done.output
        assert patients.read_bytes() == content
        assert not out.exists()


@pytest.mark.long
def test_a_pipe_or_a_dash_is_written_into_and_stays_what_it_is(patients: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    copy = tmp_path / "copy"
    with copy.open("wb") as file, subprocess.Popen(["cat", str(pipe)], stdout=file):
        assert batch(patients, pipe).exit_code == 1
    assert pipe.is_fifo()
    assert batch(patients, "-").stdout.encode() == copy.read_bytes()
    assert not Path("-").exists()
    assert batch(patients, pipe, "--resume").exit_code == 2
    assert [path.name for path in tmp_path.iterdir() if "pipe" in path.name] == ["pipe"]


@pytest.mark.long
def test_a_link_stays_a_link(patients: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert batch(patients, tmp_path / "link").exit_code == 1
    assert (tmp_path / "link").is_symlink()
    assert len((tmp_path / "real").read_bytes().splitlines()) == 151


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["{in}", "{tmp}/none/out"], "there is no folder", 2),
        (["{in}", "{tmp}/out", "--errors", "{tmp}/none/e"], "there is no folder", 2),
        (["{in}", "{tmp}/out", "--summary", "{tmp}/none/s"], "there is no folder", 2),
        (["{tmp}", "{in}"], "is a file", 2),
        (["{in}", "{tmp}"], "is a folder", 2),
        (["{in}", "--on", "dask://127.0.0.1"], "dask://HOST:PORT", 2),
        (["{in}", "{tmp}/out", "--errors", "/dev/full"], "no room", 4),
        (["{in}", "{tmp}/out", "--summary", "/dev/full"], "No space left", 4),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(
    patients: Path, tmp_path: Path, arguments: list[str], says: str, code: int
) -> None:
    done = batch(*(argument.format(**{"in": patients, "tmp": tmp_path}) for argument in arguments))
    assert (done.exit_code, says in done.output) == (code, True), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


# Going on.


@pytest.mark.long
def test_a_receipt_tells_what_is_complete_and_what_is_answered_anew(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = batch(patients, out)
    assert first.exit_code == 1
    whole = out.read_bytes()
    os.utime(patients, (1, 1))
    again = batch(patients, out, "--resume", "--summary", tmp_path / "s")
    assert again.exit_code == 1
    assert "complete already" in again.output
    assert json.loads((tmp_path / "s").read_text())["failed"] == 1
    out.write_bytes(b"stale\n")
    assert "answered anew" in batch(patients, out, "--resume").output
    assert out.read_bytes() == whole
    protocol = tmp_path / "protocol.json"
    protocol.write_text('{"approved_by": "Ada Example", "driving_hours": 30}')
    changed = batch(patients, out, "--resume", CAREPLAN_PROTOCOL=str(protocol))
    assert "answered anew" in changed.output
    assert out.read_bytes() != whole
    patients.write_bytes(patients.read_bytes().replace(b'"age_years":21', b'"age_years":91'))
    assert "answered anew" in batch(patients, out, "--resume").output


@pytest.mark.long
def test_a_run_that_was_killed_before_it_could_say_so_is_complete(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert batch(patients, out).exit_code == 1
    whole, done, journal = out.read_bytes(), tmp_path / "out.done", tmp_path / "out.journal"
    entry = json.loads(done.read_text())
    for renamed in (True, False):
        journal.write_text(json.dumps(entry) + "\n")
        done.unlink()
        if not renamed:
            out.rename(tmp_path / "out.part")
        again = batch(patients, out, "--resume")
        assert "complete already" in again.output
        assert again.exit_code == 1
        assert out.read_bytes() == whole
        assert done.exists() and not journal.exists()


def killed(arguments: list[object], out: Path, pieces: int = 2) -> None:
    nowhere = subprocess.DEVNULL
    process = Process(["batch", *arguments, "--workers", 1], stdout=nowhere, stderr=nowhere)
    journal = out.with_name(f"{out.name}.journal")
    until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= pieces, pause=0.005)
    process.kill()
    process.wait()
    assert journal.exists()


@pytest.mark.long
def test_another_beginning_another_protocol_and_other_problems_are_not_gone_on_with(tmp_path: Path) -> None:
    patients, out, errors = tmp_path / "in.ndjson", tmp_path / "out", tmp_path / "errors"
    patients.write_bytes(b'{"age_years":400}\n' * 3_000)
    killed([patients, out, "--errors", errors], out)
    kept = errors.read_bytes()
    state = journal_of(out)
    assert state is not None
    for options in ([], ["--errors", tmp_path / "unrelated"]):
        assert batch(patients, out, "--resume", *options).exit_code == 2
    errors.write_bytes(kept[: state.state["failures"] - 1])
    refused = batch(patients, out, "--resume", "--errors", errors)
    assert refused.exit_code == 2
    assert "not the file of problems" in refused.output
    errors.write_bytes(kept)
    content = patients.read_bytes()
    patients.write_bytes(content.replace(b"400", b"401", 1))
    refused = batch(patients, out, "--resume", "--errors", errors)
    assert refused.exit_code == 2
    assert "does not begin with" in refused.output
    patients.write_bytes(content)
    assert batch(patients, out, "--resume", "--errors", errors).exit_code == 1
    assert errors.read_bytes() == out.read_bytes()
    assert len(out.read_bytes().splitlines()) == 3_000


@pytest.mark.long
def test_a_folder_that_is_gone_on_with_counts_what_was_finished_and_names_files(tmp_path: Path) -> None:
    folder, out, errors, summary = (tmp_path / name for name in ("in", "out", "errors", "summary"))
    folder.mkdir()
    (folder / "a.ndjson").write_bytes(b"{\n{}\n")
    (folder / "B.NDJSON").write_bytes(b'{"age_years":400}\n' * 3_000)
    (folder / "c.json").write_bytes(b"{}")
    (folder / "z.ndjson").mkdir()
    options: list[object] = [folder, out, "--errors", errors, "--summary", summary]
    killed(options, out / "B.NDJSON")
    done = batch(*options, "--resume")
    assert done.exit_code == 1
    assert "c.json is passed over" in done.output and "z.ndjson is passed over: a folder" in done.output
    told: dict[str, Any] = json.loads(summary.read_text())
    assert (told["lines"], told["failed"]) == (3_002, 3_001)
    problems = [json.loads(line) for line in errors.read_text().splitlines()]
    assert [(one["file"], one["line"]) for one in problems] == [("B.NDJSON", at) for at in range(1, 3_001)] + [
        ("a.ndjson", 1)
    ]
    again = batch(*options, "--resume")
    assert again.exit_code == 1
    assert json.loads(summary.read_text()) == told
    assert len(errors.read_text().splitlines()) == 3_001


def test_a_journal_stays_short(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "out", {}, {"note": ""}, resume=False)
    for at in range(40):
        part.add(b"x", {"note": "n" * 100_000, "at": at})
    assert (tmp_path / "out.journal").stat().st_size < LONGEST_JOURNAL + 300_000
    part.leave()
    part = PartFile(tmp_path / "out", {}, {}, resume=True)
    assert part.state["at"] == 39
    part.finish({"mark": "m"})
    receipt = receipt_of(tmp_path / "out")
    assert receipt is not None and (receipt["mark"], receipt["state"]["at"]) == ("m", 39)


# Being stopped.


@pytest.mark.parametrize("number", one_in(3, [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]))
def test_a_signal_stops_a_run_with_what_was_finished_kept_and_no_worker_left(tmp_path: Path, number: int) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as reading, os.fdopen(writes, "wb") as writing, log.open("wb") as told:
        command = ["batch", "-", out, "--workers", 2]
        process = Process(command, stdin=reading, stdout=subprocess.DEVNULL, stderr=told)
        reading.close()
        writing.write(b"{}\n" * 70)
        writing.flush()
        part = tmp_path / "out.part"
        until(lambda: part.exists() and part.read_bytes().count(b"\n") == 70)
        workers = children_of(process.pid)
        process.send_signal(number)
        assert process.wait(timeout=60) == 4
        said = log.read_bytes()
    assert b"go on with --resume" in said
    assert "Traceback" not in said.decode(), said.decode()
    until(lambda: not any(map(alive, workers)))
    done = batch("-", out, "--resume", stdin=b"{}\n" * 71)
    assert done.exit_code == 0
    assert len(out.read_bytes().splitlines()) == 71


@pytest.mark.parametrize("library", ["msgspec", "zstandard"])
def test_a_command_that_is_stopped_before_it_has_begun_ends_without_a_trace(library: str) -> None:
    command = [sys.executable, "-m", "careplan.cli.start", "batch", "-", "--workers", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=heard) as process:  # noqa: PLW1509
        # Libraries in C show when they are there.
        until(lambda: library in Path(f"/proc/{process.pid}/maps").read_text())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 4)
    assert said in (b"", b"careplan: stopped\n")


def test_workers_end_with_a_command_that_was_killed() -> None:
    (reads, writes), (answers, prints) = os.pipe(), os.pipe()
    with (
        os.fdopen(reads, "rb") as reading,
        os.fdopen(writes, "wb") as writing,
        os.fdopen(answers, "rb") as answered,
        os.fdopen(prints, "wb") as printing,
    ):
        process = Process(["batch", "-", "--workers", 2], stdin=reading, stdout=printing, stderr=subprocess.DEVNULL)
        reading.close()
        printing.close()
        writing.write(b"{}\n")
        writing.flush()
        assert answered.readline().startswith(b'{"line":1,')
        workers = children_of(process.pid)
        assert len(workers) == 2
        process.kill()
        process.wait()
    until(lambda: not any(map(alive, workers)))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# Progress.


def test_rate_and_time_left_are_of_this_run_alone() -> None:
    now = [0.0]
    meter = Meter(1_000, lambda: now[0])
    now[0] = 5.0
    meter.passed(400)
    assert meter.seconds_left is None
    now[0] = 15.0
    meter.answered(50, 700)
    assert meter.rate == 5.0
    assert meter.words == "70%, 50 patients, 5 a second, 0:10 left"
    meter.next_file(800)
    meter.answered(10, 100)
    assert meter.place == 900


def test_a_pipe_has_neither_percentage_nor_time_left() -> None:
    now = [0.0]
    meter = Meter(None, lambda: now[0])
    now[0] = 2.0
    meter.answered(10, 700)
    assert meter.words == "10 patients, 5 a second"


def test_of_two_writers_of_one_file_the_second_is_told_so_and_changes_nothing(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = PartFile(out, {"a": 1}, {"done": 0}, resume=False)
    first.add(b"one\n", {"done": 1})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for options in ((), ("--resume",)):
        done = batch(patients, out, *options)
        assert done.exit_code == 2
        assert "another process is writing" in done.output
        assert "remove it" not in done.output  # which would take away what the first one has written
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    first.add(b"two\n", {"done": 2})
    first.finish({})
    assert out.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("file", ["out.part", "out.journal", "out"])
def test_a_byte_that_was_changed_since_is_noticed_wherever_it_stands(tmp_path: Path, file: str) -> None:
    out, damaged = tmp_path / "out", tmp_path / file
    for at in range(0, 300, 7):
        part = PartFile(out, {"a": 1}, {"done": 0}, resume=False)
        part.add(b"one\n" * 5, {"done": 5})
        part.add(b"two\n" * 5, {"done": 10})
        if file == "out":
            part.finish({"lines": 10})
        else:
            part.leave()
        content = bytearray(damaged.read_bytes())
        if at >= len(content):
            break
        content[at] ^= 4
        damaged.write_bytes(content)
        if file == "out":
            assert receipt_of(out) is None
        elif file == "out.part":
            with pytest.raises(NotTheSame):
                PartFile(out, {"a": 1}, {"done": 0}, resume=True)
        else:
            # What stood before the damage is known, and the rest is done again.
            again = PartFile(out, {"a": 1}, {"done": 0}, resume=True)
            for number in range(again.state["done"] // 5, 2):
                again.add([b"one\n", b"two\n"][number] * 5, {"done": 5 * number + 5})
            again.finish({})
            assert out.read_bytes() == b"one\n" * 5 + b"two\n" * 5
        for path in tmp_path.iterdir():
            path.unlink()
