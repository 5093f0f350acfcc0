"""Lines as records, labels and people write them, each beside what a person says that it means.

`lines_as_written.tsv` has a line a row: what is taken with milligrams a day, what is said of each medicine, what is left.
Write a line and what it means by hand; a reading that changes is looked at before the table is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from careplan.recognition.recognizer import Recognized
from careplan.recognition.strengths import Dose
from careplan.request.patient import Medication
from tests.shipped import BOOK

TABLE = Path(__file__).with_name("lines_as_written.tsv")
ROWS = [(line.split("\t") + [""] * 3)[:4] for line in TABLE.read_text("utf-8").splitlines()[1:]]


def taken(line: str) -> str:
    """The ingredients under rules that are taken, each with milligrams a day where they can be known."""
    found = BOOK.catalogue.resolve(0, Medication(text=line))
    if not found.taken:
        return "not taken"
    if found.match is None or not any(row.classes for row in found.match.ingredients):
        return found.recognition
    doses = [*(one.mg for one in found.doses), *([None] * len(found.match.ingredients))]
    named = zip(found.match.ingredients, doses, strict=False)
    return ", ".join(f"{row.ingredient} {milligrams(dose)}".strip() for row, dose in named if row.classes)


def milligrams(dose: Dose | None) -> str:
    """A dose a day: 2, 0-4, or 1-... where nothing bounds it."""
    if dose is None:
        return ""
    most = "..." if dose.most is None else f"{dose.most:g}"
    return most if dose.most == dose.least else f"{dose.least:g}-{most}"


def said(line: str) -> str:
    """How each medicine of the line is taken, what for, and whether."""
    return "; ".join(filter(None, map(said_of, BOOK.medicines.recognize(line))))


def said_of(one: Recognized) -> str:
    if one.listed is None:
        return one.recognition
    reason = BOOK.medicines.indication(one.listed) if one.listed.reasons else None
    return " ".join(
        filter(None, (one.schedule, reason and f"for {reason}", one.status, "local" if one.listed.local else ""))
    )


def left(line: str) -> str:
    """The words that nothing explains."""
    return "; ".join(part.text for one in BOOK.medicines.recognize(line) for part in one.unexplained)


def test_lines_are_read_as_a_person_reads_them() -> None:
    wrong = {row[0]: (taken(row[0]), said(row[0]), left(row[0])) for row in ROWS}
    assert {line: read for line, read in wrong.items() if [line, *read] not in ROWS} == {}


@pytest.mark.parametrize("written", ["{}\n", "- {}", "3) {}"])
def test_a_bullet_changes_no_dose(written: str) -> None:
    assert [row[0] for row in ROWS[::9] if taken(written.format(row[0])) != row[1]] == []


def test_capitals_change_no_dose() -> None:
    assert [row[0] for row in ROWS[::5] if row[0].isascii() and taken(row[0].upper()) != row[1]] == []
