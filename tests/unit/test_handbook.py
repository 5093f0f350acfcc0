"""The rulebook as pages: whole, linked, safe to show, the same on disk and in the service."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath

import httpx
import pytest
from click.testing import CliRunner

from careplan.authoring.git_history import history
from careplan.authoring.handbook import Handbook
from careplan.cli.main import main
from careplan.explain.rule_view import Reading
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from tests.contract.serving import running
from tests.shipped import lists_in

VOID = {"meta", "link", "br"}


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


def test_every_page_is_whole_and_every_link_leads_to_a_place_in_the_handbook(handbook: Handbook) -> None:
    made = pages(handbook)
    for path, page in made.items():
        assert page.open == [], path
        assert page.tags & {"script", "iframe", "object", "style"} == set()
        for link in page.links:
            file, _, anchor = link.partition("#")
            target = normpath(str(PurePosixPath(path).parent / file)) if file else path
            assert target in made or target == "style.css", (path, link)
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


def test_the_service_shows_the_same_pages_and_says_when_nothing_changed(tmp_path: Path, book: Rulebook) -> None:
    made = Handbook(book, Reading(book), history(shipped()))
    with running(tmp_path / "log") as address, httpx.Client(base_url=address, timeout=5) as client:
        start = client.get("/rulebook", follow_redirects=True)
        assert start.url.path == "/rulebook/index.html"
        for path in ("index.html", "rules/lithium-continues.html", "style.css"):
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


def test_the_first_address_says_what_is_here_and_every_link_of_it_leads_somewhere(tmp_path: Path, book: Rulebook) -> None:
    with running(tmp_path / "log") as address, httpx.Client(base_url=address, timeout=5) as client:
        answer = client.get("/")
        assert answer.headers["content-type"].startswith("text/html")
        page = Parsed(answer.content)
        assert page.open == []
        assert f"{book.about.title}, {book.about.version}" in " ".join(page.words)
        assert len(page.links) >= 5
        for link in page.links:
            assert client.get(link, follow_redirects=True).status_code == 200, link
