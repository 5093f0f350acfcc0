"""What each factor of a request changes in a plan, kept as a table that a person can read aloud.

After a wanted change: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden/test_pairs.py`, then read what became different.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from careplan.planner import Planner
from tests.pairs import COVERED, Pair, factors, pairs, told

GOLDEN = Path(__file__).parent / "pairs.md"


@pytest.fixture(scope="module")
def table() -> list[tuple[str, list[Pair]]]:
    from tests.shipped import BOOK

    planner = Planner(BOOK)
    try:
        return list(pairs(planner))
    finally:
        planner.close()


def test_the_table_of_pairs_is_that_on_file(table: list[tuple[str, list[Pair]]]) -> None:
    text = told(table)
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_every_field_of_a_request_is_among_the_factors(planner: Planner) -> None:
    places = {path[0] if path else factor for factor, path, _ in factors(planner.book)}
    named = {factor for factor, _, _ in factors(planner.book)}
    assert {name for name in COVERED if name not in places | named} == set()


def test_every_factor_changes_something(table: list[tuple[str, list[Pair]]]) -> None:
    assert {factor for factor, listed in table if not listed} == set()
