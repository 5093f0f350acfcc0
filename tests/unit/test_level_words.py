"""What people read in place of a level: beside the name of a medicine, the word "hold" would be taken for an order."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pypdf
import pytest
from rich.console import Console

from careplan.explain.plan_diff import difference
from careplan.fhir.cds_hooks.cards import Cards
from careplan.fhir.read.bundle import FromFhir
from careplan.formats import text
from careplan.formats.html import page
from careplan.formats.markdown import markdown
from careplan.formats.pdf import pdf
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.rulebook.model import LEVELS, Rulebook
from tests.everyday import one_in

PROTECTED = [
    {"medications": [{"name": "Ativan", "schedule": "daily", "indication": "catatonia"}], "conditions": ["catatonia"]},
    {"medications": [{"name": "Librium", "schedule": "daily", "indication": "alcohol_withdrawal"}], "conditions": []},
    {
        "medications": [{"name": "Rivotril", "indication": "epilepsy"}, {"name": "Diastat"}],
        "conditions": ["seizure_disorder"],
    },
    {"medications": [{"name": "Lamictal", "schedule": "daily", "indication": "epilepsy"}], "conditions": []},
    {"medications": [{"name": "phenobarbital", "schedule": "daily", "indication": "epilepsy"}]},
    {"medications": [{"name": "Klonopin", "schedule": "rescue"}, {"name": "methadone", "schedule": "daily"}]},
]
IDS = ["catatonia", "withdrawal", "epilepsy and rescue", "lamotrigine", "barbiturate", "rescue"]


def in_a_terminal(plan: CarePlan, patient: Patient) -> str:
    console = Console(file=io.StringIO(), width=200)
    text.write(plan, patient, console, detail="full")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def on_a_page(plan: CarePlan, patient: Patient) -> str:
    shown = page(plan, patient, detail="full").decode()
    assert "level-note" in shown
    return re.sub(r"<style>.*?</style>|<[^>]*>", " ", shown, flags=re.DOTALL)


def on_paper(plan: CarePlan, patient: Patient) -> str:
    return "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(pdf(plan, patient, detail="full"))).pages)


def in_markdown(plan: CarePlan, patient: Patient) -> str:
    return markdown(plan, patient, detail="full").decode()


VIEWS = [in_a_terminal, on_a_page, on_paper, in_markdown]


@pytest.mark.parametrize("body", one_in(6, PROTECTED, lambda body: IDS[PROTECTED.index(body)]))
@pytest.mark.parametrize("view", VIEWS)
def test_the_word_hold_stands_nowhere_beside_a_medicine_that_protects(
    planner: Planner, view: Callable[[CarePlan, Patient], str], body: dict[str, Any]
) -> None:
    patient = planner.intake.convert(body)
    plan = planner.plan(patient)
    shown = view(plan, patient)
    assert "take care" in shown.lower()
    assert re.findall(r"[^\n]*\bhold\b[^\n]*", shown, re.IGNORECASE) == []


@pytest.mark.parametrize("body", PROTECTED, ids=IDS)
def test_cards_do_not_say_hold_of_a_medicine_that_protects(planner: Planner, book: Rulebook, body: dict[str, Any]) -> None:
    patient = planner.intake.convert(body)
    read = FromFhir(patient=patient, unmapped=[], origins={}, subject=None, sources={}, ordered=("/medications/0",))
    for cards in (
        Cards(book.about, book.rules, book.codes.override_reasons).of(planner.plan(patient), read, "x"),
        Cards(book.about, book.rules, book.codes.override_reasons).of(planner.plan(patient), read, "x", ordering=True),
    ):
        told = [card[part] for card in cards for part in ("summary", "detail")]
        assert told
        assert [line for line in told if re.search(r"\bhold\b", line, re.IGNORECASE)] == []


def test_a_difference_in_words_says_the_level_in_words(planner: Planner) -> None:
    before, after = (planner.plan(planner.intake.convert(body)) for body in ({}, PROTECTED[0]))
    said = "\n".join(difference(before, after).in_words)
    assert "New [decide first] " in said
    assert not re.search(r"\[(stop|hold|caution)\]", said)


def test_a_plan_tells_the_words_for_its_levels_and_keeps_the_tokens_in_its_items(planner: Planner, book: Rulebook) -> None:
    plan = json.loads(msgspec.json.encode(planner.plan(planner.intake.convert(PROTECTED[0]))))
    assert plan["level_words"] == {level: book.vocabulary.levels[level].label for level in LEVELS}
    assert "hold" in {item["level"] for section in plan["sections"] for item in section["items"]}
    assert not any(re.search(r"\bhold\b", words.label) for words in book.vocabulary.levels.values())
