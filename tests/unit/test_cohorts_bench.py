"""The tables of cohorts: from figures to sizes that do not contradict them, written between their marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.cohorts import MANUAL, MARKS, PLACES, WRITING, tables, write_manual

FOUND: dict[str, Any] = {
    "machine": {"python": "3", "cores": 2, "when": "today", "patients": 10},
    "bytes": 80_000.0,
    "rows": {
        place: {"middle": ms, "lowest": ms, "highest": ms}
        for place, ms in zip((*PLACES, *WRITING), (10.0, 5.0, 20.0, 10.0, 0.5, 1.0), strict=True)
    },
}


def test_a_size_takes_no_less_time_than_its_cores_and_its_writers_need() -> None:
    rows = {
        cells[0]: cells
        for line in tables(FOUND).splitlines()
        if line.startswith("|") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 6
    }
    # 32 cores at 20 ms plan 1,600 a second; one command writes 1,000.
    assert rows["10,000,000"][2:5] == ["32", "2", "1.7 h"]
    assert rows["1,000"][2:] == ["1", "1", "10 s", "80 MB"]


def test_the_tables_stand_between_their_marks(tmp_path: Path) -> None:
    copy = tmp_path / "cohorts.md"
    copy.write_text(MANUAL.read_text())
    write_manual(FOUND, copy)
    text = copy.read_text()
    begin, end = (text.index(mark) for mark in MARKS)
    assert tables(FOUND) in text[begin:end]
    assert text[:begin] == MANUAL.read_text()[:begin]
