"""The comparison of two revisions: the same code makes the same bytes, and a planted difference is found by its place."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from bench.compare_plans import cohort, compared, first_difference
from bench.measure import ROOT


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    return cohort(120)


def test_no_two_patients_of_the_cohort_are_alike(bodies: list[bytes]) -> None:
    assert len(set(bodies)) == len(bodies) == 120


@pytest.mark.long
def test_the_same_code_and_rules_make_the_same_bytes(bodies: list[bytes]) -> None:
    found = compared(ROOT, ROOT, bodies)
    assert (found.patients, found.different, found.differences) == (120, 0, [])


@pytest.mark.long
def test_a_planted_difference_is_found_with_its_place(bodies: list[bytes], tmp_path: Path) -> None:
    for name in ("src", "rules"):
        shutil.copytree(ROOT / name, tmp_path / name)
    file = tmp_path / "src" / "careplan" / "plan" / "assemble.py"
    text = file.read_text()
    assert text.count("disclaimer=self._disclaimer") == 1
    file.write_text(text.replace("disclaimer=self._disclaimer", 'disclaimer="planted"'))
    found = compared(ROOT, tmp_path, bodies[:10])
    assert found.different == 10
    assert (found.differences[0].pointer, found.differences[0].new) == ("/disclaimer", "planted")


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ({"a": [1, {"b/c": 2}]}, {"a": [1, {"b/c": 3}]}, ("/a/1/b~1c", 2, 3)),
        ({"a": 1}, {"a": 1, "b": 2}, ("/b", None, 2)),
        ([1], [1, 2], ("/1", None, 2)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ("", ["a", "b"], ["b", "a"])),
        (1, True, ("", 1, True)),
        ({"a": [1]}, {"a": [1]}, None),
    ],
)
def test_the_first_difference_is_named_by_its_pointer(old: Any, new: Any, wanted: tuple[str, Any, Any] | None) -> None:
    assert first_difference(old, new) == wanted
