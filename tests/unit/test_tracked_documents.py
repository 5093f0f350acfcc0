"""The documents that a clinician expects: each is in the bibliography with what it changed, or left out for a reason."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from careplan.authoring.tracked_documents import TRACKED, Tracked, faults_of_tracked, tracked_documents
from careplan.cli.main import main
from careplan.rulebook.load import shipped
from tests.shipped import BOOK

DOCUMENTS, FAULTS = tracked_documents(shipped())
EXPECTED = {
    "asa-2025": "asa-ketamine-2025",
    "askp3-2024": "askp3-2024",
    "spravato-rems-respiratory": "spravato-rems",
    "fda-glp1-2024": "fda-glp1-2024",
    "dea-telemedicine": "dea-telemedicine-2025",
    "spravato-label-2026": None,
    "canmat-2023": None,
    "nice-ta854": None,
    "nice-ng222": None,
}
"""What a review asked for, with the work of the bibliography that it became, if it did."""


def ran(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["rules", "sources", *arguments])
    return done.exit_code, done.output


def test_every_expected_document_is_used_by_rules_or_left_out_for_a_reason() -> None:
    assert FAULTS == []
    assert list(faults_of_tracked(BOOK, DOCUMENTS)) == []
    for name, source in EXPECTED.items():
        one = DOCUMENTS[name]
        assert (source in one.sources) if source else len(one.came_of_it.split()) > 10, name


def test_the_list_of_sources_shows_what_became_of_each() -> None:
    code, text = ran()
    assert code == 0
    for name, one in DOCUMENTS.items():
        assert name in text
        assert one.came_of_it in text
        assert one.looked_on in text
    assert "Documents that are tracked" in ran("--format", "markdown")[1]
    assert json.loads(ran("--json")[1])["tracked"].keys() == DOCUMENTS.keys()


def test_a_document_that_was_left_out_is_due_on_its_day_and_not_before() -> None:
    left_out = {name: one for name, one in DOCUMENTS.items() if one.why_not}
    for name, one in left_out.items():
        day = date.fromisoformat(one.check_by)
        assert one.is_due(day)
        assert name in {entry["id"] for entry in json.loads(ran("--due", one.check_by, "--json")[1])["documents"]}
        before = date.fromordinal(day.toordinal() - 1)
        assert name not in {entry["id"] for entry in json.loads(ran("--due", str(before), "--json")[1])["documents"]}


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("canmat-2023", {"why_not": None}, "neither in the bibliography nor left out"),
        ("asa-2025", {"why_not": "Nobody read it."}, "or both"),
        ("asa-2025", {"changed": ()}, "Nobody says which rules it changed"),
        ("asa-2025", {"changes": None}, "Nobody says which rules it changed"),
        ("asa-2025", {"sources": ("no-such-work",)}, "There is no source no-such-work"),
        ("asa-2025", {"changed": ("hypertension-known",)}, "No running rule hypertension-known rests on it"),
        ("asa-2025", {"changed": ("no-such-rule",)}, "No running rule no-such-rule rests on it"),
        ("canmat-2023", {"check_by": "2026-02-30"}, "none of the calendar"),
        ("canmat-2023", {"check_by": "2020-01-01"}, "in the wrong order"),
    ],
)
def test_an_entry_that_does_not_say_what_came_of_it_is_a_fault(name: str, change: dict[str, object], says: str) -> None:
    changed = {name: msgspec.structs.replace(DOCUMENTS[name], **change)}
    assert any(says in fault.problem for fault in faults_of_tracked(BOOK, changed))


def test_a_rulebook_without_the_file_tracks_nothing_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    assert tracked_documents(tmp_path) == ({}, [])
    (tmp_path / TRACKED).write_text("one: {title: A title}\n")
    found, faults = tracked_documents(tmp_path)
    assert found == {}
    assert any("by" in str(fault) for fault in faults)
    assert isinstance(DOCUMENTS["canmat-2023"], Tracked)
