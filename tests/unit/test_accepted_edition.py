"""No fault of a rulebook's files reaches what is served: it is refused with its place, and a worker that replaces a dead one
starts from what was accepted. The same with processes that are really killed is in the contract tests.
"""

from __future__ import annotations

import mmap
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from careplan.rulebook.folder import Files, digest_of, read_folder
from careplan.rulebook.load import load_files
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web import acceptance
from careplan.web import app as composition
from careplan.web.process import shared
from careplan.web.process.accepted import Content, Slots, content_of
from tests.contract.test_file_faults import FAULTS
from tests.everyday import one_in
from tests.shipped import few_rules_in


class Served(NamedTuple):
    """What the first process accepted, from which folder."""

    folder: Path
    book: Rulebook
    content: Content


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = few_rules_in(tmp_path_factory.mktemp("site") / "rules")
    files = read_folder(folder)
    return Served(folder, load_files(files), content_of(files, {}))


@pytest.fixture(autouse=True)
def accepted(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A first process that has accepted it, in memory of its own."""
    monkeypatch.setattr(shared, "_shared", mmap.mmap(-1, len(shared._shared)))
    monkeypatch.setattr(composition, "slots", Slots())
    monkeypatch.setattr(composition, "_inherited", None)
    composition.accept(served.book, served.content)

    def known(files: Files) -> Rulebook:
        # What was read once need not be read thirteen times.
        return served.book if digest_of(files) == served.book.digest else load_files(files)

    monkeypatch.setattr(acceptance, "load_files", known)
    yield
    assert shared.accepted().number == 1, "nothing else was accepted"


@pytest.mark.parametrize("fault", one_in(3, FAULTS))
def test_a_faulty_rulebook_is_refused_with_its_place_and_a_replacement_has_the_accepted_one(
    served: Served, fault: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(served.folder, tmp_path / "rules", symlinks=True))
    FAULTS[fault](folder)
    settings = Settings(rules=str(folder))
    content, verdict = acceptance.examine(settings, served.content)
    assert verdict.faults and all(one.file and one.line > 0 and one.mend for one in verdict.faults)
    assert content is not None and digest_of(content.files) == served.book.digest
    number, book, _ = composition._edition(settings)
    assert (number, book.digest) == (1, served.book.digest)


def test_a_process_that_inherits_nothing_reads_the_accepted_content_and_no_folder(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(composition, "_inherited", None)
    number, book, named = composition._edition(Settings(rules=str(tmp_path / "gone")))
    assert (number, book.digest, dict(named)) == (1, served.book.digest, {})
    assert book is not served.book
