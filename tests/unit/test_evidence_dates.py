"""Evidence with a date: what bears a stop or hold on which day, what is due, and what each place says."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.authoring.evidence_dates import GRAVE, due, ended, unborne, unused_places, without_passage, works
from careplan.cli.main import main
from careplan.explain.rule_view import Reading
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from careplan.rulebook.sources import MOST_WORDS, Place
from tests.shipped import BOOK

RELEASED = date.fromisoformat(BOOK.about.released or "")
HOLD = "xanthine-and-seizure-threshold"


def ran(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["rules", *arguments])
    return done.exit_code, done.output


def borne(book: Rulebook, on: date) -> bool:
    return HOLD not in {rule.id for rule, _ in unborne(book, on)}


def test_every_stop_and_hold_rests_on_something_read_in_the_two_years_before_the_release() -> None:
    assert [rule.id for rule, _ in unborne(BOOK, RELEASED)] == []
    assert [rule.id for rule in ended(BOOK, RELEASED)] == []


def test_what_bears_a_hold_does_so_for_two_years_to_the_day() -> None:
    read = [BOOK.sources[ref.source] for ref in BOOK.rules[HOLD].file.sources]
    last = max(one.read_on for one in read if one.read_on and one.read in ("full", "section", "abstract"))
    assert borne(BOOK, date.fromisoformat(last).replace(year=int(last[:4]) + 2))
    day_after = date.fromisoformat(last).replace(year=int(last[:4]) + 2) + timedelta(days=1)
    assert not borne(BOOK, day_after)
    assert f"last read on {last}" in next(why for rule, why in unborne(BOOK, day_after) if rule.id == HOLD)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"read": "memory", "read_on": None, "dated_by": "reader", "places": {}}, "memory and conventions alone"),
        ({"read": "secondary"}, "summaries alone"),
        ({"read_on": None}, "nobody noted when"),
    ],
)
def test_memory_summaries_and_readings_without_a_day_bear_no_hold(change: dict[str, Any], says: str) -> None:
    changed = {
        ref.source: msgspec.structs.replace(BOOK.sources[ref.source], **{"places": {}} | change)
        for ref in BOOK.rules[HOLD].file.sources
    }
    book = msgspec.structs.replace(BOOK, sources={**BOOK.sources, **changed})
    found = {rule.id: why for rule, why in unborne(book, RELEASED)}
    assert says in found[HOLD]


def test_a_place_that_is_known_from_memory_bears_nothing_though_its_work_was_read() -> None:
    refs = BOOK.rules[HOLD].file.sources
    changed = {
        ref.source: msgspec.structs.replace(BOOK.sources[ref.source], places={ref.place: Place(read="memory")})
        for ref in refs
    }
    assert not borne(msgspec.structs.replace(BOOK, sources={**BOOK.sources, **changed}), RELEASED)


def test_an_exempt_rule_is_borne_until_its_last_day_and_then_due() -> None:
    rule = BOOK.rules["reading-to-take-again"]
    assert rule.file.exempt is not None
    last = date.fromisoformat(rule.file.exempt.until)
    for day, is_borne in ((last, True), (last + timedelta(days=1), False)):
        assert (rule.id not in {one.id for one, _ in unborne(BOOK, day)}) is is_borne
    assert rule.id in {one.id for one in due(BOOK, last).rules}
    assert rule.id not in {one.id for one in due(BOOK, last - timedelta(days=1)).rules}


@settings(max_examples=60)
@given(st.dates(date(2026, 1, 1), date(2031, 12, 31)), st.integers(0, 900))
def test_what_is_due_by_a_day_is_due_by_every_later_one(day: date, more: int) -> None:
    earlier, later = due(BOOK, day), due(BOOK, day + timedelta(days=more))
    assert {one.id for one in earlier.sources} <= {one.id for one in later.sources}
    assert {one.id for one in earlier.rules} <= {one.id for one in later.rules}


def test_what_is_due_names_the_rules_that_rest_on_it() -> None:
    code, text = ran("sources", "--due", "2027-03-01", "--json")
    found = json.loads(text)
    assert code == 1
    resting = {work["id"]: set(work["rules"]) for work in found["sources"]}
    assert HOLD in resting["ketamine-label"]
    assert "product-labels" in resting, "what was never read is always due"
    assert "prescribing-by-video-until-the-end-of-2026" in {rule["id"] for rule in found["rules"]}
    assert "prescribing-by-video-until-the-end-of-2026" in ran("sources", "--due", "2026-12-31")[1]
    assert ran("sources", "--due", "tomorrow")[0] == 2


def test_of_what_is_due_the_gravest_rules_are_told_apart_and_what_rests_on_it_without_a_rule_is_counted() -> None:
    text = ran("sources", "--due", "2027-06-01")[1]
    told = {block.split(":")[0]: block.splitlines()[1:] for block in re.split(r"\n(?=\S)", text)}
    order = list(BOOK.vocabulary.levels)
    for work in due(BOOK, date(2027, 6, 1)).sources:
        by_weight = sorted(work.rules, key=lambda rule: order.index(BOOK.rules[rule].file.level))
        assert [rule for rules in work.levels.values() for rule in rules] == by_weight
        assert work.rules or work.elsewhere, f"nothing rests on {work.id}"
        assert [line.split(":")[0].strip() for line in told[work.id]] == ["rests on it", *work.levels]
    assert "entries of interactions.csv" in told["spravato-interactions"][0]
    assert "entries of session_day.yaml" in told["spravato-rems-form"][0]


@pytest.mark.parametrize("day", ["2026-11-29", "2027-06-01"])
def test_every_stop_and_hold_is_borne_today_and_in_half_a_year(day: str) -> None:
    code, text = ran("sources", "--due", day, "--strict", "--json")
    assert (code, json.loads(text)["unborne"]) == (0, [])


def test_a_stop_or_hold_that_nothing_bears_on_a_day_fails_a_strict_list_and_is_named() -> None:
    code, text = ran("sources", "--due", "2029-06-01", "--strict")
    assert code == 1
    assert "reading-to-take-again (hold): would not be borne: rests on memory and conventions alone" in text
    assert f"{HOLD} (hold): would not be borne" in text
    assert ran("sources", "--strict")[0] == 2, "without a day there is nothing to judge by"


@pytest.mark.long
def test_a_strict_check_without_a_day_judges_on_that_of_the_release() -> None:
    check = ("check", "--strict", "--format", "json")
    assert ran(*check) == ran(*check, "--at", str(RELEASED))


@pytest.mark.long
def test_a_strict_check_judges_on_the_day_it_is_given() -> None:
    code, text = ran("check", "--strict", "--format", "json", "--at", "2029-06-01")
    faults = json.loads(text)["warnings"]
    assert code == 1
    graves = {f"{rule.section}/{rule.id}.yaml" for rule in BOOK.rules.values() if rule.file.level in GRAVE}
    assert {one["file"] for one in faults if one["code"] == "unborne"} == graves
    assert [one["file"] for one in faults if one["code"] == "rule-ended"] == [
        "route/prescribing-by-video-until-the-end-of-2026.yaml"
    ]


def test_every_place_that_a_stop_or_hold_rests_on_says_what_it_says_unless_nobody_read_it() -> None:
    assert list(without_passage(BOOK)) == []
    for source in BOOK.sources.values():
        for place in source.places:
            assert len(source.passage(place).split()) <= MOST_WORDS
            assert not (source.passage(place) and source.read_at(place) == "memory")


def test_a_place_is_used_by_a_rule_a_row_of_the_table_or_a_check_of_the_session() -> None:
    assert list(unused_places(BOOK)) == []
    without_rows = set(unused_places(msgspec.structs.replace(BOOK, interactions=())))
    assert ("spravato-interactions", "CNS depressants") in without_rows
    without_checks = set(unused_places(msgspec.structs.replace(BOOK, session_day=None)))
    assert ("spravato-rems-form", "submit within 7 days of each session") in without_checks
    assert "Sources without a rule: none" in ran("sources")[1]


def test_what_was_read_has_an_edition_or_a_citation_a_day_and_a_day_to_look_again() -> None:
    for work in works(BOOK):
        assert work.by and work.check_by, work.id
        assert (work.read_on is None) == (work.read in ("memory", "convention")), work.id
        assert work.read_on is None or work.read_on <= str(RELEASED) < work.check_by


def test_a_rule_by_itself_and_an_explanation_tell_the_passages_and_a_plan_leaves_them_out(planner: Planner) -> None:
    told = [entry.passage for entry in Reading(BOOK).detail(BOOK.rules[HOLD]).evidence]
    assert all(told)
    patient = planner.intake.convert({"medications": [{"name": "theophylline"}]})
    explained = planner.explained(patient).explanation
    assert explained is not None
    assert [entry.passage for report in explained.rules if report.rule.id == HOLD for entry in report.rests_on] == told
    assert b'"passage"' not in msgspec.json.encode(planner.plan(patient))
    assert told[0] in " ".join(ran("show", HOLD)[1].split())
