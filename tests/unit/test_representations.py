"""The table of formats: whatever offers formats offers all of them, and each is written as its row says."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from pkgutil import resolve_name
from zoneinfo import ZoneInfo

import msgspec
import pytest
import rich_click as click

from careplan.cli.planning import plan as plan_command
from careplan.planner import Planner
from careplan.representations import BY_MEDIA_TYPE, BY_NAME, FORMATS, Format, Wanted, in_words
from careplan.web.negotiation import headers

EXAMPLE = Path(__file__).parents[2] / "examples" / "signed-protocol-as-needed-lorazepam.json"
CONTRACT = Path(__file__).parents[2] / "openapi" / "openapi.json"


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_writer_takes_the_plan_and_exactly_what_its_row_says_that_it_needs(form: Format) -> None:
    first, *others = inspect.signature(resolve_name(form.writer)).parameters
    assert first == "plan"
    assert set(others) == set(form.needs) <= set(Wanted.__struct_fields__)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_each_format_writes_a_plan_with_and_without_a_zone(form: Format, planner: Planner) -> None:
    patient = planner.intake.decode(EXAMPLE.read_bytes())
    plan = planner.plan(patient)
    plain = form.written(plan, Wanted(patient=patient))
    zoned = form.written(plan, Wanted(patient=patient, zone=ZoneInfo("Europe/Lisbon")))
    assert plain
    assert (plain != zoned) == ("zone" in form.needs)


def test_no_two_formats_share_a_media_type_a_name_or_a_suffix() -> None:
    assert len(BY_MEDIA_TYPE) == len(BY_NAME) == len({form.suffix for form in FORMATS}) == len(FORMATS)


def test_contract_and_command_line_offer_every_format() -> None:
    answer = json.loads(CONTRACT.read_text())["paths"]["/v1/care-plans"]["post"]["responses"]["200"]["content"]
    assert answer.keys() == BY_MEDIA_TYPE.keys()
    (option,) = (one for one in plan_command.params if one.name == "form")
    assert isinstance(option.type, click.Choice)
    assert set(option.type.choices) == {"text", *BY_NAME}


def test_an_answer_carries_a_file_name_where_its_row_has_one() -> None:
    named = {form.name: headers(form.media_type, "en").get("Content-Disposition") for form in FORMATS}
    assert {name: words for name, words in named.items() if words} == {
        "pdf": 'inline; filename="care-plan.pdf"',
        "calendar": 'inline; filename="appointments.ics"',
    }


def test_titles_make_a_sentence() -> None:
    assert in_words(["JSON", "a page", "a calendar"]) == "JSON, a page or a calendar"


def test_json_has_the_plan_itself_and_less_of_it_on_request(planner: Planner) -> None:
    patient = planner.intake.decode(EXAMPLE.read_bytes())
    plan = planner.plan(patient)
    whole, usual, brief = (
        msgspec.json.decode(BY_NAME["json"].written(plan, Wanted(patient=patient, detail=detail)))
        for detail in ("full", "standard", "front")
    )
    assert whole == msgspec.to_builtins(plan)
    scopes = {item["id"]: item.get("scope", "personal") for section in whole["sections"] for item in section["items"]}
    shown = {item["id"] for section in usual["sections"] for item in section["items"]}
    assert shown == {name for name, scope in scopes.items() if scope != "standing"}
    assert scopes.keys() - shown == whole["standing"]["items"].keys() != set()
    assert usual["detail"] == "standard"
    assert "detail" not in whole
    assert "sections" not in brief
    assert all(brief[name] == whole[name] for name in ("status", "rulebook", "disclaimer"))
    assert brief["front"] == usual["front"]
    assert brief["card"] == usual["card"]
