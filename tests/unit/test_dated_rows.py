"""Rows of tables that count on some days only: the rule or figure that a row makes, and what is wrong with its days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.errors import InvalidRulebook
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.recognition.dose_equivalents import DoseEquivalent
from careplan.request.patient import Medication
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.load import load, shipped
from careplan.rulebook.medicine_names import EQUIVALENTS
from careplan.rulebook.validity import Term
from careplan.rulebook.validity_checks import DatedRow, faults_of_rows
from tests.everyday import one_row_in
from tests.patients import Json
from tests.shipped import lists_in
from tests.tables import Row, rows_in, write_rows

OF_MAKERS = ("title", "line", "patient", "card", "card_es", "who", "does", "by", "topic", "version")
MEMANTINE = "memantine-beside-ketamine"
SAYS_ITS_DAYS = "Until {valid_until} this is told. "
DAYS = st.dates().map(lambda day: day.isoformat())


def rows_of(name: str) -> list[Row]:
    return [row | {"valid_from": "", "valid_until": ""} for row in rows_in(shipped() / name)]


def write(folder: Path, name: str, rows: list[Row]) -> None:
    write_rows(folder / name, rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped lists, and of the rules those without which no plan is whole."""
    return lists_in(tmp_path / "rules", [path.stem for path in (shipped() / "route").glob("*.yaml")])


def until(last: str) -> Row:
    """The row of memantine as it is until a day, which its texts say."""
    [row] = [row for row in rows_of(INTERACTIONS) if row["rule"] == MEMANTINE]
    said = {name: SAYS_ITS_DAYS + row[name] for name in ("patient", "what_to_do")}
    return row | said | {"valid_until": last}


def following(row: Row, first: str) -> Row:
    """A row that takes its place from a day on."""
    said = {name: row[name].replace("Until {valid_until}", "From {valid_from} on") for name in ("patient", "what_to_do")}
    new = {"rule": "memantine-from-then-on", "line": "Anew: " + row["line"]}
    return row | said | new | {"valid_from": first, "valid_until": ""}


@pytest.mark.long
def test_the_day_of_a_plan_decides_which_of_two_rows_speaks(folder: Path) -> None:
    old = until("2026-12-31")
    write(folder, INTERACTIONS, [old, following(old, "2027-01-01")])
    planner = Planner(load(folder))

    def of(day: str | None) -> set[str]:
        body: Json = {"medications": [{"name": "memantine"}]} | ({"as_of": day} if day else {})
        items = items_of(planner.plan(planner.intake.convert(body)))
        assert all("{valid" not in f"{item.patient_text} {item.clinician_text}" for item in items)
        return {item.rule.id for item in items} & {MEMANTINE, "memantine-from-then-on"}

    assert of("2026-12-31") == {MEMANTINE}
    assert of("2027-01-01") == {"memantine-from-then-on"}
    assert of(None) == {MEMANTINE, "memantine-from-then-on"}, "without a day both speak, and each says its day"
    planner.close()


def test_a_dated_row_shows_the_day_on_which_its_rule_is_silent(folder: Path) -> None:
    write(folder, INTERACTIONS, [until("2026-12-31")])
    silent = load(folder).rules[MEMANTINE].file.examples.silent
    assert [example.patient["as_of"] for example in silent if "as_of" in example.patient] == ["2027-01-01"]


Change = Callable[[Row], list[Row]]
BROKEN: list[tuple[str, Change, int, str, str]] = [
    ("no day", lambda row: [row | {"valid_until": "2026-02-30"}], 2, "valid_until", "no day of the calendar"),
    ("no date", lambda row: [row | {"valid_until": "soon"}], 2, "valid_until", "no day of the calendar"),
    ("order", lambda row: [row | {"valid_from": "2027-01-01"}], 2, "valid_until", "before it begins"),
    ("overlap", lambda row: [row, following(row, "2026-12-31")], 3, "valid_from", "Line 2 says something about the same"),
    ("doubled", lambda row: [row, row | {"rule": "another"}], 3, "valid_until", "Line 2 says something about the same"),
    ("texts", lambda row: [row | {"patient": "Ask us."}], 2, "patient", "its text says its days"),
    ("no maker", lambda row: [row | dict.fromkeys(OF_MAKERS, "")], 2, "valid_until", "the row makes none"),
]


@pytest.mark.parametrize(
    ("change", "line", "column", "says"), one_row_in(4, (one[1:] for one in BROKEN), lambda row: str(row[3]))
)
def test_what_is_wrong_with_the_days_of_a_row_is_told_at_its_cell(
    folder: Path, change: Change, line: int, column: str, says: str
) -> None:
    write(folder, INTERACTIONS, change(until("2026-12-31")))
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    found = [fault for fault in raised.value.faults if says in fault.problem]
    assert [(fault.file, fault.line, fault.field) for fault in found][:1] == [(INTERACTIONS, line, column)]
    assert found[0].mend


def test_a_factor_counts_on_its_days_and_without_a_day_the_dose_is_worth_what_any_of_them_says(folder: Path) -> None:
    rows = [row for row in rows_of(EQUIVALENTS) if (row["ingredient"], row["route"]) != ("oxycodone", "oral")]
    [now] = [row for row in rows_of(EQUIVALENTS) if (row["ingredient"], row["route"]) == ("oxycodone", "oral")]
    now |= {"least": "1.5", "most": "1.5"}
    rows += [now | {"valid_until": "2026-12-31"}, now | {"least": "2", "most": "2", "valid_from": "2027-01-01"}]
    write(folder, EQUIVALENTS, rows)
    catalogue = load(folder).catalogue

    def worth(day: str | None) -> tuple[float, float | None]:
        [doses] = catalogue.resolve(0, Medication(name="oxycodone 10 mg twice daily"), day).doses
        assert doses.morphine is not None
        return doses.morphine.least, doses.morphine.most

    assert worth("2026-12-31") == (30, 30)
    assert worth("2027-01-01") == (40, 40)
    assert worth(None) == (30, 40)


def test_two_factors_of_one_day_are_told_with_the_line_of_the_second(folder: Path) -> None:
    rows = rows_of(EQUIVALENTS)
    write(folder, EQUIVALENTS, [*rows, rows[0] | {"valid_from": "2027-01-01"}])
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    [fault] = raised.value.faults
    assert (fault.file, fault.line, fault.field) == (EQUIVALENTS, len(rows) + 2, "valid_from")
    assert "Line 2 says something about the same on the same days." in fault.problem


@given(st.just("") | DAYS, st.just("") | DAYS, DAYS)
def test_a_factor_counts_on_exactly_the_days_of_its_term(first: str, last: str, day: str) -> None:
    row = DoseEquivalent(
        ingredient="x", of="morphine", route="oral", least="1", most="1", source=("a",), valid_from=first, valid_until=last
    )
    assert row.counts_on(day) == Term.of(first or None, last or None).holds_on(date.fromisoformat(day))
    assert row.counts_on(None)


@given(st.lists(st.tuples(st.just("") | DAYS, st.just("") | DAYS), min_size=2, max_size=2), DAYS)
def test_two_rows_about_the_same_are_told_where_both_count_on_a_day(terms: list[tuple[str, str]], day: str) -> None:
    rows = [DatedRow(at, "the same", *term) for at, term in enumerate(terms, start=2)]
    told = [fault.problem for fault in faults_of_rows("t.csv", rows, "row")]
    both = all((first or "0") <= day <= (last or "9") for first, last in terms)
    assert bool(told) or not both
    if not any(first and last and last < first for first, last in terms):
        days = sorted({part for term in terms for part in term if part} | {"0001-01-01", "9999-12-31"})
        meet = any(all((first or "0") <= one <= (last or "9") for first, last in terms) for one in days)
        assert bool(told) == meet
    assert not list(faults_of_rows("t.csv", [row._replace(about=row.line) for row in rows if not told], "row"))
