"""Rules that are in force on some days only: which days those are, and what becomes of a rule on the others."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from careplan.cli.main import main
from careplan.errors import InvalidRulebook
from careplan.explain.rule_view import Reading
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.rulebook.load import load
from careplan.rulebook.validity import ALWAYS, Term, out_of_force
from tests import reference
from tests.patients import Json
from tests.plans import rules_of
from tests.shipped import few_rules_in

DAYS = st.dates(date(1970, 1, 1), date(2199, 12, 31))
ENDS, BEGINS = "prescribing-by-video-until-the-end-of-2026", "prescribing-by-video-from-2027"
AT_HOME: Json = {"treatment": {"preferred_route": "oral", "product": "racemic"}}


@given(st.none() | DAYS, st.none() | DAYS, DAYS)
def test_a_term_holds_from_its_first_day_to_its_last_and_what_follows_it_from_the_next(
    first: date | None, last: date | None, day: date
) -> None:
    term = Term(first, last)
    assert term.holds_on(day) == ((first or date.min) <= day <= (last or date.max))
    assert term.holds_on(day) == reference.in_force(term, day.isoformat())
    assert term.holds_on(None)
    if last is not None:
        assert Term(last=last).holds_on(day) is not Term(first=last + timedelta(days=1)).holds_on(day)


@given(DAYS)
def test_nothing_is_out_of_force_that_has_no_term_and_nothing_is_where_no_day_is_known(day: date) -> None:
    terms = {"always": ALWAYS, "never-again": Term(last=date(1969, 12, 31))}
    assert out_of_force(terms, day.isoformat()) == {"never-again"}
    assert out_of_force(terms, None) == frozenset()
    assert not ALWAYS


@given(DAYS, DAYS)
def test_the_days_of_a_term_stand_in_its_texts(first: date, last: date) -> None:
    term = Term(first, last)
    told = term.filled("From {valid_from} until {valid_until}, {crisis}")
    assert str(first.year) in told and str(last.year) in told and "{valid" not in told and told.endswith("{crisis}")
    assert term.in_words().startswith("from ") and " until " in term.in_words()


def of(planner: Planner, day: str | None) -> set[str]:
    plan = planner.plan(planner.intake.convert(AT_HOME | ({"as_of": day} if day else {})))
    return rules_of(plan) & {ENDS, BEGINS}


def test_the_telemedicine_rule_ends_with_the_year_and_the_next_one_begins(planner: Planner) -> None:
    assert of(planner, "2026-12-31") == {ENDS}
    assert of(planner, "2027-01-01") == {BEGINS}
    assert of(planner, None) == {ENDS, BEGINS}, "without a day both hold, and each says its day"


def test_an_explanation_says_that_the_day_keeps_a_rule_from_firing(planner: Planner) -> None:
    found = planner.explained(planner.intake.convert(AT_HOME | {"as_of": "2027-01-01"})).explanation
    assert found is not None
    report = next(one for one in found.rules if one.rule.id == ENDS)
    assert (report.outcome, report.near, report.questions) == ("not_fired", False, [])
    [why] = report.because_not
    assert (why.words, why.pointers) == ("it is in force until December 31, 2026", ["/as_of"])
    changes = planner.what_would_change(planner.intake.convert(AT_HOME | {"as_of": "2027-01-01"}), ENDS)
    assert (changes.ways, changes.fixed) == ([], ["it is in force until December 31, 2026"])


@pytest.mark.parametrize("day", ["2026-12-31", "2027-01-01"])
def test_no_question_is_asked_for_the_sake_of_a_rule_that_is_not_in_force(planner: Planner, day: str) -> None:
    found = planner.explained(planner.intake.convert({"as_of": day})).explanation
    assert found is not None
    hanging = {one.rule.id: bool(one.questions) for one in found.rules if one.rule.id in (ENDS, BEGINS)}
    assert hanging == {ENDS: day < "2027", BEGINS: day >= "2027"}


@pytest.mark.parametrize(("sent", "day"), [(None, "2027-01-01"), ("2026-12-31", "2026-12-31")])
def test_a_record_is_of_the_day_that_was_sent_or_else_of_its_own(sent: str | None, day: str) -> None:
    body = json.dumps(AT_HOME | ({"as_of": sent} if sent else {}))
    done = CliRunner().invoke(main, ["plan", "-", "--record", "2027-01-01T00:30:00Z"], input=body)
    made = json.loads(done.output)
    assert made["input"]["as_of"] == day
    assert {one["rule"] for one in made["findings"]} & {ENDS, BEGINS} == {ENDS if day < "2027" else BEGINS}


DATED = """\
  by_day:
    - valid_until: "2026-12-31"
      patient: Until {valid_until} we say this about sleep.
      clinician: The text until {valid_until}.
    - valid_from: "2027-01-01"
      patient: From {valid_from} we say that about sleep.
      clinician: The text from {valid_from}.
      line: Short sleep, as told from {valid_from}.
"""


def with_dated(folder: Path, text: str = DATED) -> Path:
    """A folder in which a rule on sleep says something else on some days."""
    made = few_rules_in(folder)
    path = made / "aftercare" / "sleep-under-five-hours.yaml"
    path.write_text(
        re.sub(r"^  in_languages:\n(?:    .*\n)+", "", path.read_text(), flags=re.MULTILINE).replace(
            "then:\n", f"then:\n{text}", 1
        )
    )
    return made


def test_a_rule_says_the_text_of_the_day_and_without_a_day_its_own(tmp_path: Path) -> None:
    book = load(with_dated(tmp_path / "rules"))
    planner = Planner(book)
    try:
        said = {}
        for day in ("2026-12-31", "2027-01-01", None):
            body = {"lifestyle": {"sleep_hours_per_night": 4}} | ({"as_of": day} if day else {})
            items = {item.rule.id: item for item in items_of(planner.plan(planner.intake.convert(body)))}
            said[day] = items["sleep-under-five-hours"]
    finally:
        planner.close()
    assert said["2026-12-31"].patient_text == "Until December 31, 2026 we say this about sleep."
    assert said["2027-01-01"].clinician_text == "The text from January 1, 2027."
    assert said["2027-01-01"].line == "Short sleep, as told from January 1, 2027."
    assert said["2026-12-31"].line == said[None].line
    assert "4" in said[None].patient_text
    assert [one.valid_from for one in Reading(book).detail(book.rules["sleep-under-five-hours"]).by_day] == [
        None,
        "2027-01-01",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('valid_until: "2026-12-31"', 'valid_until: "2027-01-01"', "Two of these texts hold on the same day."),
        ('valid_until: "2026-12-31"', 'valid_until: "2026-02-30"', "no day of the calendar"),
        ("we say this about sleep", "stop your medicine", "order to change a medicine"),
        ("The text from", "Give 0.5 mg/kg from", "dose by weight"),
        ("The text from", "The {lifestyle.nutrition} from", "not known whenever this rule holds"),
    ],
)
def test_the_texts_of_some_days_keep_the_floors_of_all_texts(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in DATED
    with pytest.raises(InvalidRulebook) as raised:
        load(with_dated(tmp_path / "rules", DATED.replace(old, new)))
    assert any(says in fault.problem and fault.field.startswith("then.by_day") for fault in raised.value.faults)
