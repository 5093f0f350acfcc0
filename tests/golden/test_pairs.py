"""What each factor of a request changes in a plan, kept as a table that a person can read aloud.

After a wanted change: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden/test_pairs.py`, then read what became different.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from careplan.planner import Planner
from tests.pairs import COVERED, Pair, factors, pairs, paragraphs, told
from tests.shipped import BOOK

GOLDEN = Path(__file__).parent / "pairs.md"
WRITES = bool(os.environ.get("CAREPLAN_WRITE_GOLDEN"))
EVERY_DAY = 8
"""Of so many factors one is tried every day, and all of them in the long tests and where the table is written."""


@pytest.fixture(scope="module", params=[EVERY_DAY, pytest.param(1, marks=pytest.mark.long)])
def table(request: pytest.FixtureRequest) -> list[tuple[str, list[Pair]]]:
    planner = Planner(BOOK)
    try:
        return list(pairs(planner, 1 if WRITES else request.param))
    finally:
        planner.close()


def test_the_table_of_pairs_is_that_on_file(table: list[tuple[str, list[Pair]]]) -> None:
    text = told(table)
    if WRITES:
        GOLDEN.write_text(text)
    on_file = GOLDEN.read_text()
    if len(table) == len(list(factors(BOOK))):
        assert text == on_file
    for paragraph in paragraphs(table):
        assert paragraph in on_file


def test_every_field_of_a_request_is_among_the_factors(planner: Planner) -> None:
    places = {path[0] if path else factor for factor, path, _ in factors(planner.book)}
    named = {factor for factor, _, _ in factors(planner.book)}
    assert {name for name in COVERED if name not in places | named} == set()


def test_every_factor_changes_something(table: list[tuple[str, list[Pair]]]) -> None:
    assert {factor for factor, listed in table if not listed} == set()
