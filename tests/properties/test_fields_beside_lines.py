"""However name, line and fields of a medicine go together, the answer is a plan."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from careplan.planner import Planner
from careplan.request.patient import Medication, MedicineIndication, MedicineStatus, Schedule
from careplan.rulebook.load import shipped
from tests.shipped import BOOK
from tests.sizes import cases

LINES = [
    line.split("\t")[0][:200]
    for line in (Path(__file__).parents[1] / "unit" / "lines_as_written.tsv").read_text().splitlines()[1:]
]
COMBINATIONS = [row["product"] for row in csv.DictReader((shipped() / "combinations.csv").read_text().splitlines())]
NAMES = [*COMBINATIONS, *(row.name for row in BOOK.catalogue.ingredients.values())]


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    """A line as it stands, cut in two, behind the name of another medicine, or with a second line behind it."""
    line = draw(st.sampled_from(LINES))
    words = line.split()
    cut = draw(st.integers(1, len(words)))
    head, rest = " ".join(words[:cut]), " ".join(words[cut:])
    return draw(
        st.sampled_from(
            [
                {"text": line},
                {"name": head, "text": rest or "8 mg"},
                {"name": draw(st.sampled_from(NAMES)), "text": rest or "daily"},
                {"text": f"{line}; {draw(st.sampled_from(LINES))}"[:200]},
            ]
        )
    )


fields = st.fixed_dictionaries(
    {},
    optional={
        "dose_mg": st.sampled_from([0.5, 8, 100]),
        "schedule": st.sampled_from(get_args(Schedule)),
        "status": st.sampled_from(get_args(MedicineStatus)),
        "indication": st.sampled_from(get_args(MedicineIndication)),
    },
)
medicines = st.lists(st.builds(lambda one, more: one | more, written(), fields), min_size=1, max_size=4)


@settings(max_examples=cases(150))
@given(medicines)
@example([{"text": "lorazepam 2 mg/day", "schedule": "as_needed"}])
@example([{"name": "fentanyl 25 mcg/hr TD", "text": "patch q72h", "schedule": "as_needed"}])
@example([{"name": "Suboxone", "text": "8 mg daily", "dose_mg": 8}])
def test_any_name_line_and_fields_together_give_a_plan(planner: Planner, sent: list[dict[str, Any]]) -> None:
    plan = planner.plan(planner.intake.convert({"medications": sent}))
    assert len(plan.medications) >= len(sent)


@pytest.mark.parametrize(
    ("text", "strength"), [("lorazepam 2 mg/day", "2 mg/day"), ("fentanyl 25 mcg/hr patch", "25 mcg/hr")]
)
def test_a_schedule_that_a_strength_speaks_against_is_named_at_the_strength(text: str, strength: str) -> None:
    found = BOOK.catalogue.resolve(0, Medication(text=text, schedule="as_needed"))
    assert [(one.field, text[one.start : one.end]) for one in found.disagreements] == [("schedule", strength)]
