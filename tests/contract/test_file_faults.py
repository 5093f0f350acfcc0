"""Whatever happens to the files of a running service, every process serves what was accepted last, replacements included."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from tests.contract.serving import PATIENCE, Server, children_of, running, until
from tests.shipped import few_rules_in
from tests.unit.test_rule_files import BOMB

WORKERS = 2


class Site:
    """A service with two workers, on a folder with a rulebook, a file of keys and a protocol."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rules = few_rules_in(folder / "rules")
        self.keys, self.protocol = folder / "keys.json", folder / "protocol.json"
        self.key = self.made("ehr")
        self.protocol.write_text('{"solid_food_hours": 6, "approved_by": "Ada Quill, MD"}')
        self.address = Server()
        self.log = folder / "log"

    def made(self, client: str) -> str:
        done = CliRunner().invoke(main, ["key", "--client", client, "--file", str(self.keys)])
        return done.stdout.strip()

    def workers(self) -> set[int]:
        found = set()
        for child in children_of(self.address.pid):
            if b"acceptance" not in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
        return found

    def ready(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.address}/readyz", timeout=PATIENCE)
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {"workers": [], "last_reload": None}
        return found

    def status(self, key: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.post(f"{self.address}/v1/care-plans", json={}, headers=headers, timeout=PATIENCE).status_code

    def digests(self) -> set[str]:
        """What all workers serve, once all are there; nothing before."""
        workers = self.ready()["workers"]
        return {one["digest"] for one in workers} if all(one["ready"] for one in workers) else set()

    def reload(self) -> dict[str, Any]:
        before = self.ready()["last_reload"]
        refusals = self.log.read_text().count('"event": "rulebook ')
        os.kill(self.address.pid, signal.SIGHUP)
        until(lambda: self.log.read_text().count('"event": "rulebook ') > refusals, seconds=120)
        found: dict[str, Any] = self.ready()["last_reload"]
        assert found != before or before is not None
        return found

    def kill(self, count: int = 1) -> None:
        before = self.workers()
        for worker in sorted(before)[:count]:
            os.kill(worker, signal.SIGKILL)
        until(lambda: len(self.workers() - before) == count and len(self.workers()) == WORKERS and bool(self.digests()))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One service for all tests; each leaves its files as they were."""
    made = Site(tmp_path_factory.mktemp("site"))
    with running(
        made.log,
        *("--rules", str(made.rules), "--workers", str(WORKERS)),
        CAREPLAN_API_KEYS=str(made.keys),
        CAREPLAN_PROTOCOL=str(made.protocol),
        CAREPLAN_OPEN_PATHS="metrics",
    ) as address:
        made.address = address
        yield made


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


RULE = "aftercare/sleep-under-five-hours.yaml"
FAULTS: dict[str, Callable[[Path], object]] = {
    "half a list": lambda folder: (folder / "medications.csv").write_bytes(
        (folder / "medications.csv").read_bytes()[:5_001] + b'\n"open'
    ),
    "an alias bomb": lambda folder: (folder / "goals.yaml").write_text(BOMB),
    "an anchor on itself": lambda folder: (folder / "codes.yaml").write_text("a: &a [*a]"),
    "deep nesting": lambda folder: (folder / "vocabulary.yaml").write_text("[" * 50_000),
    "a link in a circle": lambda folder: (folder / "aftercare" / "loop").symlink_to(".."),
    "a name that is no text": lambda folder: (folder / "aftercare" / os.fsdecode(b"\xff.yaml")).write_bytes(b""),
    "a number of 5,000 digits": lambda folder: (folder / RULE).write_text(
        (folder / RULE).read_text().replace("less_than: 5}", f"less_than: {'9' * 5_000}}}", 1)
    ),
    "a failing example": lambda folder: (folder / RULE).write_text(
        (folder / RULE).read_text().replace("less_than: 5}", "less_than: 3}", 1)
    ),
    "a missing list": lambda folder: (folder / "sources.yaml").unlink(),
    "an empty folder": emptied,
    "no folder": shutil.rmtree,
    "a folder without end": lambda folder: os.truncate(folder / "vocabulary.yaml", 3_000_000_000),
    "a pipe": lambda folder: os.mkfifo(folder / "aftercare" / "pipe.yaml"),
}
LONG = (pytest.mark.deep, pytest.mark.skipif("CAREPLAN_TEST_FILES" not in os.environ, reason="scripts/long does it"))


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=pytest.mark.long if name == "a failing example" else LONG) for name in FAULTS]
)
def test_a_faulty_rulebook_is_refused_and_replacements_serve_the_accepted_one(
    site: Site, fault: str, tmp_path: Path
) -> None:
    good = Path(shutil.copytree(site.rules, tmp_path / "good", symlinks=True))
    until(lambda: len(site.digests()) == 1)  # as soon as a worker has told what it serves
    before = site.digests()
    try:
        FAULTS[fault](site.rules)
        site.kill()  # a worker that dies before anybody noticed
        assert site.digests() == before
        said = site.reload()
        assert said["outcome"] == "refused"
        assert said["faults"] and all(one["file"] and one["mend"] for one in said["faults"])
        site.kill(WORKERS)
        assert site.digests() == before
        assert site.status() == 200
    finally:
        shutil.rmtree(site.rules, ignore_errors=True)
        shutil.copytree(good, site.rules, symlinks=True)


@pytest.mark.parametrize("named", [pytest.param("keys", marks=pytest.mark.long), pytest.param("protocol", marks=LONG)])
def test_a_faulty_file_is_refused_and_replacements_have_what_was_accepted(site: Site, named: str) -> None:
    file: Path = getattr(site, named)
    good = file.read_bytes()
    try:
        for bad in (good[: len(good) // 2], b"", None):
            file.unlink(missing_ok=True)
            if bad is not None:
                file.write_bytes(bad)
            site.kill()
            assert site.status() == 200
        said = site.reload()
        assert said["outcome"] == "refused"
        assert [one["file"] for one in said["faults"]] == [
            {"keys": "CAREPLAN_API_KEYS", "protocol": "CAREPLAN_PROTOCOL"}[named]
        ]
        site.kill(WORKERS)
        assert site.status() == 200
    finally:
        file.write_bytes(good)


@pytest.mark.long
def test_a_key_is_taken_and_taken_back_by_every_worker_and_those_that_replace_them(site: Site) -> None:
    good = site.keys.read_bytes()
    second = site.made("portal")
    try:
        assert site.status(second) == 401
        said = site.reload()
        assert (said["outcome"], said["changed"]) == ("swapped", ["api_keys"])
        until(lambda: [site.status(second) for _ in range(6)] == [200] * 6)
        site.keys.write_bytes(good)
        site.kill()
        assert site.status(second) == 200  # what is on the disk counts when it is accepted
        site.reload()
        until(lambda: [site.status(second) for _ in range(6)] == [401] * 6)
        site.kill(WORKERS)
        assert [site.status(second) for _ in range(6)] == [401] * 6
    finally:
        site.keys.write_bytes(good)


def in_place(folder: Path, _: Path) -> None:
    """A file written anew where it is."""
    edited(folder)


def moved(folder: Path, tmp_path: Path) -> None:
    """A new folder in the place of the old one."""
    new = Path(shutil.copytree(folder, tmp_path / "new"))
    edited(new)
    folder.rename(tmp_path / "old")
    new.rename(folder)


def linked(folder: Path, tmp_path: Path) -> None:
    """A link to a new folder in the place of the old one."""
    new = Path(shutil.copytree(folder, tmp_path / "new"))
    edited(new)
    folder.rename(tmp_path / "old")
    folder.symlink_to(new)


def projected(folder: Path, tmp_path: Path) -> None:
    """As Kubernetes mounts a volume, and then swaps it."""
    content = Path(shutil.copytree(folder, tmp_path / "new"))
    edited(content)
    shutil.rmtree(folder)
    folder.mkdir()
    content.rename(folder / "..2026_02")
    (folder / "..data").symlink_to("..2026_02")
    for entry in (folder / "..2026_02").iterdir():
        (folder / entry.name).symlink_to(Path("..data", entry.name))


def edited(folder: Path) -> None:
    about = folder / "rulebook.yaml"
    about.write_text(about.read_text().replace("\ntitle:", "\ntitle: Changed", 1))


@pytest.mark.parametrize(
    "update",
    [
        *(pytest.param(one, marks=LONG) for one in (in_place, moved, linked)),
        pytest.param(projected, marks=pytest.mark.long),
    ],
    ids=lambda one: one.__name__,
)
def test_an_update_of_any_kind_is_taken_by_all_and_by_their_replacements(
    site: Site, update: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    good = Path(shutil.copytree(site.rules, tmp_path / "good"))
    before = site.digests()
    try:
        update(site.rules, tmp_path)
        said = site.reload()
        assert (said["outcome"], said["changed"]) == ("swapped", ["rulebook"])
        until(lambda: site.digests() == {said["digest"]})
        assert site.digests() != before
        site.kill(WORKERS)
        assert site.digests() == {said["digest"]}
        page = httpx.get(f"{site.address}/metrics", timeout=PATIENCE).text
        for worker in range(1, WORKERS + 1):
            assert f'careplan_worker_rulebook{{digest="{said["digest"]}",worker="{worker}"}} 1.0' in page
    finally:
        if site.rules.is_symlink():
            site.rules.unlink()
        shutil.rmtree(site.rules, ignore_errors=True)
        shutil.copytree(good, site.rules)
        site.reload()
        until(lambda: site.digests() == before)
