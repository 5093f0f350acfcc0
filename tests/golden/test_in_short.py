"""All knowledge in short, kept as text: a change shows as what the readers make of it, word by word.

After a wanted change: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden/test_in_short.py`, then read the difference.
"""

from __future__ import annotations

import os

import pytest

from careplan.planner import Planner
from tests.golden.test_golden import PATIENTS
from tests.in_short.edition import Edition
from tests.in_short.texts import rules_shown, texts
from tests.in_short.views import FOLDER, VIEWS, View
from tests.shipped import BOOK, FILES


def on_file(name: str, text: str) -> str:
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        (FOLDER / name).write_text(text)
    return (FOLDER / name).read_text()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.file)
def test_what_is_known_is_read_as_on_file(view: View) -> None:
    text = view.text(Edition(BOOK, FILES))
    assert text == on_file(view.file, text)


def test_rules_that_no_written_out_patient_has_say_what_is_on_file(planner: Planner) -> None:
    shown = frozenset[str]().union(*(rules_shown(planner, path.read_bytes()) for path in PATIENTS))
    text = "\n".join(texts(planner, shown)) + "\n"
    assert text == on_file("texts.md", text)
