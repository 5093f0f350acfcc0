"""A rulebook of which parts are kept from the loading before is the one that is loaded anew, and so are its faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from careplan.authoring.workbench.bench import Bench
from careplan.errors import InvalidRulebook
from careplan.rulebook import load as loading
from careplan.rulebook.folder import Files, read_folder
from careplan.rulebook.kept_parts import KeptParts
from careplan.rulebook.load import load_files
from careplan.rulebook.yaml_and_csv import Document
from tests.shipped import few_rules_in

RULE = PurePosixPath("aftercare/sleep-under-five-hours.yaml")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return read_folder(few_rules_in(tmp_path_factory.mktemp("kept") / "rules"))


def with_(files: Files, path: PurePosixPath, old: str, new: str) -> dict[PurePosixPath, bytes]:
    text = files[path].decode()
    assert old in text
    return {**files, path: text.replace(old, new, 1).encode()}


def loaded(files: Mapping[PurePosixPath, bytes], kept: KeptParts | None) -> object:
    """What a rulebook says, or its faults."""
    try:
        book = load_files(files, kept)
    except InvalidRulebook as error:
        return error.faults
    return book.digest, book.rules, book.conditions, book.catalogue.ingredients, book.catalogue.named(), book.derived


@pytest.mark.long
def test_with_parts_of_the_loading_before_the_rulebook_and_its_faults_are_those_of_one_loaded_anew(files: Files) -> None:
    kept = KeptParts()
    conditions = PurePosixPath("conditions.yaml")
    steps = [
        files,
        with_(files, RULE, "version: ", "version: 9"),
        with_(files, RULE, "title: ", "titel: "),
        with_(files, PurePosixPath("medications.csv"), "sertraline,antidepressant,", "sertraline,antidepresant,"),
        {path: content for path, content in files.items() if path != conditions},
        files,
    ]
    found = [loaded(step, kept) for step in steps]
    assert found[:-1] == [loaded(step, None) for step in steps[:-1]]
    assert found[0] == found[-1]
    assert len({str(one) for one in found}) == len(found) - 1


def test_of_a_rule_that_is_being_typed_the_workbench_reads_only_its_file_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(few_rules_in(tmp_path / "rules"))
    text = bench.read("sleep-under-five-hours").text
    read: list[str] = []

    class Watched(Document):
        def __init__(self, file: PurePosixPath, text: str) -> None:
            read.append(str(file))
            super().__init__(file, text)

    monkeypatch.setattr(loading, "Document", Watched)
    for typed in (text + "# one\n", text.replace("title:", "titel:"), text + "# two\n"):
        read.clear()
        bench.check("sleep-under-five-hours", typed)
        assert read == [str(RULE)]
    bench.close()
