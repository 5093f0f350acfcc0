"""A warning belongs to the rules about its medicine, and only a stop can be cleared, by a record of what it is about."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import pytest

from careplan.errors import InvalidRulebook
from careplan.rulebook.load import load, shipped
from tests.everyday import one_in, one_row_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped(), tmp_path / "rules"))


def faults(folder: Path, rule: str, old: str, new: str) -> list[str]:
    """The codes of the faults once a text of a shipped rule is changed."""
    path = folder / f"{rule}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        load(folder)
    except InvalidRulebook as refused:
        return [fault.code for fault in refused.faults]
    return []


WARNINGS = (
    "A sudden end can cause withdrawal, including seizures.",
    "After missed doses there can be a serious rash.",
    "Lamotrigine can bring a rash.",
)
OF_OTHERS = ("medications/lithium-continues", "medications/antipsychotic-continues", "aftercare/sleep-under-five-hours")


@pytest.mark.parametrize("case", one_in(12, product(OF_OTHERS, ("patient", "clinician"), WARNINGS), " ".join))
def test_a_warning_of_another_medicine_is_refused(folder: Path, case: tuple[str, str, str]) -> None:
    rule, reader, words = case
    assert faults(folder, rule, f"  {reader}: >-\n", f"  {reader}: >-\n    {words}\n") == ["warning"]


def test_one_alternative_about_the_medicine_is_not_enough(folder: Path) -> None:
    rule = "screening/withdrawal-signs-right-now"
    text = (folder / f"{rule}.yaml").read_text(encoding="utf-8")
    when = text[text.index("when:\n") : text.index("then:\n")]
    wider = "when:\n  any_of:\n    - condition: {name: withdrawal_signs_now}\n    - condition: {name: delirium}\n"
    assert "warning" in faults(folder, rule, when, wider)


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    one_row_in(
        4,
        [
            ("medications/lithium-continues", "level: note\n", "level: note\nclears_with: [pregnancy]\n"),
            ("screening/chest-pain-right-now", "clears_with: [chest_pain_now]", "clears_with: [pregnancy]"),
            ("screening/chest-pain-right-now", "clears_with: [chest_pain_now]", "clears_with: [condition]"),
            ("screening/sudden-confusion-now", "clears_with: [condition]", "clears_with: [delirium_now]"),
        ],
        lambda row: f"{row[0]}-{row[2]}",
    ),
)
def test_a_clearance_that_cannot_be_meant_is_refused(folder: Path, rule: str, old: str, new: str) -> None:
    assert "clearing" in faults(folder, rule, old, new)
