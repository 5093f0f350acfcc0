"""Tables of a rulebook as rows of cells, to change some and write them again."""

from __future__ import annotations

import csv
from pathlib import Path

Row = dict[str, str]


def rows_in(table: Path) -> list[Row]:
    """The rows of a table, each cell by the name of its column."""
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(table: Path, rows: list[Row]) -> None:
    """Write a table with the columns of its first row."""
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
