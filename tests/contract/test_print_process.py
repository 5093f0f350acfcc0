"""Printing happens beside the workers: bounded, one document a process, and nothing that goes wrong there takes a worker."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from careplan.formats.pdf import document, pdf
from careplan.formats.protocol import pdf as pdf_of_protocol
from careplan.formats.typesetting import Document
from careplan.planner import Planner
from careplan.request.patient import ClinicDefaults, Treatment
from careplan.rulebook.model import Rulebook
from careplan.web.process import printing
from careplan.web.process.printing import MOST_PRINTING, NotPrinted, Printer
from tests.contract.serving import PATIENCE, ROOT, Server, children_of, running, until
from tests.contract.test_print import fullest
from tests.everyday import one_in

PDF = {"Accept": "application/pdf"}
FAULTY = "tests.contract.faulty_printing"
MARK = "Zyxwvut"
SHORT = Document("protocol.typ", {"data": "{}"})


def ask(address: str, name: str = "Xanax", **more: Any) -> httpx.Response:
    return httpx.post(
        f"{address}/v1/care-plans", json={"medications": [{"name": name}]} | more, headers=PDF, timeout=PATIENCE
    )


def told(address: str) -> dict[str, int]:
    """How many documents came to which end."""
    page = httpx.get(f"{address}/metrics").text
    found = re.findall(r'^careplan_documents_total\{outcome="(\w+)"\} (\d+)', page, re.MULTILINE)
    return {outcome: int(number) for outcome, number in found}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("printing") / "log"


@pytest.fixture(scope="module")
def faulty(log: Path) -> Iterator[Server]:
    with running(log, module=FAULTY, PYTHONFAULTHANDLER="1") as address:
        yield address


def asked_again(method: str, address: str, json: object = None) -> httpx.Response:
    """What is answered once a process that prints is ready, for which a busy machine needs long at first."""
    for _ in range(10):
        answer = httpx.request(method, address, json=json, headers=PDF, timeout=PATIENCE)
        if answer.status_code != 503:
            break
    return answer


def test_a_pdf_of_the_service_has_the_bytes_that_the_command_line_makes(planner: Planner, faulty: Server) -> None:
    body = json.loads((ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json").read_text())
    patient = planner.intake.convert(body)
    answer = asked_again("POST", f"{faulty}/v1/care-plans?paper=a4&detail=full", json=body)
    assert answer.content == pdf(
        planner.plan(patient), patient, "a4", patient.clinic.hours if patient.clinic else None, "full"
    )


def test_so_has_a_pdf_of_the_protocol(planner: Planner, faulty: Server) -> None:
    answer = asked_again("GET", f"{faulty}/v1/protocol?product=racemic&paper=a4")
    made = planner.protocol(Treatment(product="racemic"), ClinicDefaults(None, None), "en")
    assert answer.content == pdf_of_protocol(made, "a4")


@pytest.mark.long
@pytest.mark.parametrize(
    ("word", "outcome", "detail"),
    [
        ("print-hang", "time", "within the time and memory"),
        ("print-hungry", "memory", "within the time and memory"),
        ("print-killed", "memory", "within the time and memory"),
        ("print-crash", "crash", "ended before"),
        ("print-exit", "crash", "ended before"),
    ],
)
def test_a_process_that_fails_costs_its_own_document_and_the_next_one_is_printed(
    faulty: Server, word: str, outcome: str, detail: str
) -> None:
    workers, before = children_of(faulty.pid), told(faulty).get(outcome, 0)
    answer = ask(faulty, f"{word} {MARK}")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert detail in answer.json()["detail"]
    assert MARK not in answer.text
    assert told(faulty)[outcome] == before + 1
    assert ask(faulty).content.startswith(b"%PDF-")
    assert children_of(faulty.pid) == workers
    assert children_of(workers[0]) == []


@pytest.mark.parametrize("word", ["print-defect", "print-no-template"])
def test_a_document_that_can_never_be_set_is_a_defect_and_not_to_be_tried_again(faulty: Server, word: str) -> None:
    answer = ask(faulty, f"{word} {MARK}")
    assert answer.status_code == 500
    assert "retry-after" not in answer.headers
    assert MARK not in answer.text


def test_no_log_holds_what_was_printed_however_it_went(faulty: Server, log: Path) -> None:
    test_a_process_that_fails_costs_its_own_document_and_the_next_one_is_printed(
        faulty, "print-crash", "crash", "ended before"
    )
    written = log.read_text()
    assert '"why": "crash"' in written
    assert MARK not in written + log.with_name("log.out").read_text()


def test_no_worker_ever_has_typst_and_no_process_prints_twice(faulty: Server) -> None:
    (worker,) = children_of(faulty.pid)
    seen: set[int] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.update(children_of(worker))
            time.sleep(0.005)

    looking = threading.Thread(target=look)
    looking.start()
    assert [ask(faulty).status_code for _ in range(3)] == [200] * 3
    done.set()
    looking.join()
    assert len(seen) == 3
    assert not [one for one in seen if Path(f"/proc/{one}").exists()]
    assert "typst" not in mapped(worker)


def mapped(process: int) -> str:
    """The files in the memory of a process. Workers let nobody look but root."""
    try:
        return Path(f"/proc/{process}/maps").read_text()
    except PermissionError:
        pytest.skip("only root may look")


@pytest.mark.long
def test_more_than_may_wait_are_sent_away_and_told_when_to_come_back(tmp_path: Path) -> None:
    with running(tmp_path / "log", module=FAULTY) as address, ThreadPoolExecutor(MOST_PRINTING + 4) as many:
        sent = [many.submit(ask, address, "print-hang") for _ in range(MOST_PRINTING + 4)]
        until(lambda: told(address).get("busy", 0) == 4)
        assert httpx.get(f"{address}/livez", timeout=PATIENCE).status_code == 200
        (worker,) = children_of(address.pid)
        until(lambda: len(children_of(worker)) == 1)
        answers = [one.result() for one in sent]
    assert {answer.status_code for answer in answers} == {503}
    assert all("retry-after" in answer.headers for answer in answers)
    assert Counter(answer.json()["detail"] for answer in answers)[printing._BUSY] == 4


@pytest.mark.long
def test_a_request_whose_time_is_over_ends_its_process(tmp_path: Path) -> None:
    with running(tmp_path / "log", module=FAULTY, CAREPLAN_REQUEST_SECONDS="1") as address:
        (worker,) = children_of(address.pid)
        assert ask(address, "print-hang").status_code == 503
        until(lambda: children_of(worker) == [])
        until(lambda: told(address) == {"given_up": 1})


@pytest.mark.long
@pytest.mark.parametrize("how", one_in(3, [signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR2]))
def test_the_process_ends_with_its_worker_however_that_goes(tmp_path: Path, how: signal.Signals) -> None:
    with running(tmp_path / "log", module=FAULTY, CAREPLAN_STOP_SECONDS="1") as address:
        (worker,) = children_of(address.pid)
        with ThreadPoolExecutor() as one:
            asked = one.submit(ask, address, "print-hang")
            until(lambda: children_of(worker) != [])
            (process,) = children_of(worker)
            os.kill(worker, how)
            until(lambda: not Path(f"/proc/{process}").exists(), 10)
            assert asked.exception() is not None or asked.result().status_code == 503


@pytest.mark.long
def test_a_stop_of_the_service_leaves_no_process(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as one:
        with running(tmp_path / "log", module=FAULTY, CAREPLAN_STOP_SECONDS="1") as address:
            (worker,) = children_of(address.pid)
            one.submit(ask, address, "print-hang")
            until(lambda: children_of(worker) != [])
            (process,) = children_of(worker)
        until(lambda: not Path(f"/proc/{process}").exists(), 5)


def opened_by(process: int) -> set[str]:
    """What files, pipes and sockets a process has open. Hardened processes let nobody look but root."""
    found = set()
    try:
        for file in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                found.add(str(file.readlink()))
    except PermissionError:
        pytest.skip("only root may look")
    return found


@pytest.mark.long
def test_a_process_sees_neither_the_settings_nor_the_files_of_its_worker(tmp_path: Path) -> None:
    with running(tmp_path / "log", module=FAULTY, CAREPLAN_TLS_KEY_PASSWORD=MARK) as address, ThreadPoolExecutor() as one:
        (worker,) = children_of(address.pid)
        held = opened_by(worker)
        asked = one.submit(ask, address, "print-hang")
        until(lambda: children_of(worker) != [])
        (process,) = children_of(worker)
        place = Path(f"/proc/{process}")
        until(lambda: b"RAYON" in place.joinpath("environ").read_bytes())
        # While it starts it opens and closes the files of its modules; what it was given stays open.
        until(lambda: len(opened_by(process)) == 3)
        environment, opened = place.joinpath("environ").read_bytes(), opened_by(process)
        assert asked.result().status_code == 503
    assert MARK.encode() not in environment
    assert b"CAREPLAN" not in environment
    assert len(opened) == 3
    assert not opened & held


def printed(printer: Printer, lay_out: Document = SHORT) -> bytes:
    return asyncio.run(printer.print(lambda: lay_out))


def test_where_no_process_can_be_started_there_is_no_pdf_this_time() -> None:
    outcomes: list[str] = []
    with pytest.raises(NotPrinted):
        printed(Printer(outcomes.append, command=["/nowhere/python"]))
    assert outcomes == ["no_process"]


@pytest.mark.long
def test_the_fullest_plan_needs_less_than_two_thirds_of_the_memory_that_a_document_may_take(
    planner: Planner, book: Rulebook
) -> None:
    patient = planner.intake.convert(fullest(book))
    laid_out = document(planner.plan(patient), patient, detail="full")
    outcomes: list[str] = []
    made = printed(Printer(outcomes.append, most_bytes=printing.PRINT_BYTES * 2 // 3), laid_out)
    assert made.startswith(b"%PDF-")
    with pytest.raises(NotPrinted):
        printed(Printer(outcomes.append, most_bytes=100_000_000), laid_out)
    assert outcomes == ["printed", "memory"]


def test_what_sets_a_document_loads_neither_rules_nor_engine_nor_service() -> None:
    script = "import sys, careplan.formats.print_process, typst; print(*sys.modules)"
    tree = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, env=tree)
    ours = {name for name in done.stdout.split() if name.startswith("careplan")}
    alone = {"careplan", "careplan.hardening", "careplan.clinic_logo", "careplan.formats"}
    assert ours == alone | {"careplan.formats.print_process", "careplan.formats.typesetting"}


@pytest.mark.long
def test_a_process_whose_starter_is_gone_ends_without_a_word() -> None:
    command = [*printing.PRINT_PROCESS, "1", str(printing.PRINT_BYTES), "20"]
    tree = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, input=msgspec.msgpack.encode(SHORT), capture_output=True, check=False, env=tree)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
