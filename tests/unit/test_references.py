"""What templates are given beside the plan: works by number and mark, and telephone numbers that can be called."""

from __future__ import annotations

import re

import pytest

from careplan.formats.html import page
from careplan.formats.references import References, cited_alone, marks
from careplan.formats.templating import dialled
from careplan.plan.model import items_of
from careplan.planner import Planner

BODY = {"age_years": 71, "medications": [{"name": "clonazepam"}], "conditions": ["hypertension"]}


def test_every_place_that_an_item_rests_on_can_be_looked_up_by_its_mark(planner: Planner) -> None:
    plan = planner.plan(planner.intake.convert(BODY))
    references = References(plan, plan.sources)
    looked_up = [{place["mark"]: place["words"] for place in one["marked"]} for one in references.all()]
    numbers = {work.id: number for number, work in enumerate(plan.sources)}
    for item in items_of(plan):
        cited: dict[int, list[str]] = {one["number"] - 1: [] for one in references.of(item)}
        for one in references.of(item):
            cited[one["number"] - 1] += one["marks"].split(", ")
        for entry in item.evidence:
            at = numbers[entry.source]
            told = [looked_up[at].get(mark, mark) for mark in cited[at]]
            assert any(words == entry.place or words.startswith(f"{entry.place}, ") for words in told)


def test_no_two_places_of_a_work_have_one_mark() -> None:
    places = [f"place {at}, a long one" for at in range(60)]
    assert marks(["2.10", "boxed warning", "5", "interactions"]) == ["2.10", "a", "5", "b"]
    assert len(set(marks(places))) == 60
    assert marks(places)[25:28] == ["z", "aa", "ab"]


def test_works_of_the_standing_protocol_alone_are_left_to_it(planner: Planner) -> None:
    plan = planner.plan(planner.intake.convert(BODY))
    left = cited_alone(plan)
    own = {(entry.source, entry.place) for item in items_of(plan) if item.scope != "standing" for entry in item.evidence}
    assert {(work.id, place) for work in left for place in work.places} == own
    assert len(left) < len(plan.sources)


@pytest.mark.parametrize(
    ("phone", "address"),
    [("(555) 010-0100", "5550100100"), ("+44 20 7946 0000", "+442079460000"), ("555-010-0100 ext. 12", "5550100100")],
)
def test_a_number_to_call_can_be_called_from_the_page(planner: Planner, phone: str, address: str) -> None:
    assert dialled(f"By day: {phone} <b>", [phone]) == (
        f'By day: <a class="phone" href="tel:{address}">{phone}</a> &lt;b&gt;'
    )
    assert dialled("By day: <b>", ["", ""]) == "By day: &lt;b&gt;"
    patient = planner.intake.convert({"clinic": {"phone": phone, "phone_after_hours": f"{phone[:-1]}9"}})
    shown = page(planner.plan(patient), patient).decode()
    assert set(re.findall(r'href="tel:([^"]*)"', shown)) >= {address}
