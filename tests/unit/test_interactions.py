"""The table of interactions: what its rows make, what is wrong with it, and whether it and the rules say the same."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from careplan.authoring.interaction_check import InteractionCheck, looked_at
from careplan.authoring.rule_examples import Trials
from careplan.errors import InvalidRulebook
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.load import load, shipped
from tests.everyday import one_in, one_row_in
from tests.shipped import BOOK, lists_in
from tests.tables import Row, rows_in, write_rows


def rows_of(folder: Path) -> list[Row]:
    return rows_in(folder / INTERACTIONS)


def write(folder: Path, rows: list[Row]) -> None:
    write_rows(folder / INTERACTIONS, rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped lists with the rows of the table that make rules, and no rule that was written by hand."""
    made = lists_in(tmp_path / "rules")
    write(made, [row for row in rows_of(shipped()) if row["title"]])
    return made


@pytest.fixture(scope="module")
def check() -> InteractionCheck:
    return InteractionCheck(BOOK)


def levels(planner: Planner, **body: Any) -> dict[str, str]:
    plan = planner.plan(planner.intake.decode(json.dumps(body).encode()))
    items = items_of(plan)
    return {item.rule.id: item.level for item in items}


@pytest.mark.long  # scripts/check asks the same of the command every day
def test_rules_and_table_say_the_same_for_every_medicine_of_every_class(check: InteractionCheck) -> None:
    assert check.faults() == []


def test_the_examples_of_a_row_show_all_that_its_rule_asks_for() -> None:
    made = [BOOK.rules[row.rule[0]] for row in BOOK.interactions if row.makes]
    trials = Trials(BOOK)
    for rule in made:
        trial = trials.run(rule)
        assert all(outcome.passed for outcome in trial.outcomes), trial
        assert not trial.missing, (rule.id, trial.missing)
        assert len(rule.file.examples.fires) >= 1 and len(rule.file.examples.silent) >= 2
    trials.close()


def test_a_row_makes_a_rule_like_one_of_a_file(folder: Path) -> None:
    made = load(folder).rules["memantine-beside-ketamine"]
    assert (made.section, made.file.level, made.place) == ("medications", "hold", INTERACTIONS)
    assert made.file.sources[0].source == "memantine-label-eu"


def test_what_an_owner_changes_in_a_spreadsheet_is_what_a_plan_says(folder: Path) -> None:
    rows = rows_of(folder)
    row = next(row for row in rows if row["rule"] == "memantine-beside-ketamine")
    row |= {"medicine": "memantine;amantadine", "level": "caution"}
    write(folder, rows)
    made = load(folder).rules["memantine-beside-ketamine"]
    assert made.file.level == "caution"
    assert looked_at(load(folder), made) == {"memantine", "amantadine"}


@dataclass
class Broken:
    """A row that somebody broke: what is written where, and the column and words of the fault."""

    rule: str
    cells: Row
    column: str
    says: str


BROKEN = [
    Broken("memantine-beside-ketamine", {"medicine": "memantin"}, "medicine", "nothing called memantin"),
    Broken("memantine-beside-ketamine", {"but_not": "memantine"}, "medicine", "No medicine is of this kind"),
    Broken("memantine-beside-ketamine", {"beside": "gout"}, "beside", "nothing called gout"),
    Broken("lamotrigine-with-estrogen", {"beside": "estrogen"}, "beside", "beside itself"),
    Broken("lamotrigine-with-estrogen", {"beside": "lamotrigine;sleep_apnea"}, "beside", "mixes medicines and illnesses"),
    Broken("memantine-beside-ketamine", {"level": "grave"}, "level", "grave"),
    Broken("memantine-beside-ketamine", {"level": "none"}, "rule", "says nothing names no rule"),
    Broken("memantine-beside-ketamine", {"rule": ""}, "rule", "Nobody says this"),
    Broken("memantine-beside-ketamine", {"rule": "a;b"}, "rule", "makes one rule"),
    Broken("memantine-beside-ketamine", {"rule": "ketones-while-fasting"}, "rule", "already taken"),
    Broken("memantine-beside-ketamine", {"patient": ""}, "patient", "is empty"),
    Broken("memantine-beside-ketamine", {"version": "one"}, "version", "whole number"),
    Broken("memantine-beside-ketamine", {"title": ""}, "by", "the row makes none"),
    Broken("memantine-beside-ketamine", {"source": "a-book"}, "source", "no source a-book"),
    Broken("memantine-beside-ketamine", {"topic": "gout"}, "topic", "no topic gout"),
    Broken("memantine-beside-ketamine", {"line": "word " * 26}, "line", "26 words"),
    Broken("memantine-beside-ketamine", {"patient": "Skip your dose of memantine."}, "patient", "order to change"),
    Broken("memantine-beside-ketamine", {"card": "Take 5 mg."}, "card", "dose"),
    Broken("memantine-beside-ketamine", {"who": "nobody"}, "does", "nobody"),
    Broken("memantine-beside-ketamine", {"strength": "rumor"}, "strength", "rumor"),
]


@pytest.mark.parametrize("broken", one_in(6, BROKEN, lambda broken: f"{broken.column or 'row'}-{broken.says}"))
def test_a_fault_names_line_and_column_and_how_to_mend_it(folder: Path, broken: Broken) -> None:
    rows = rows_of(folder)
    at = next(at for at, row in enumerate(rows) if row["rule"] == broken.rule)
    rows[at] |= broken.cells
    write(folder, rows)
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    found = [fault for fault in raised.value.faults if fault.file == INTERACTIONS and broken.says in fault.problem]
    assert found, raised.value.faults
    taken = broken.says == "already taken"
    assert taken or (found[0].line, found[0].field) == (at + 2, broken.column)
    assert found[0].mend


Change = Callable[[Any], Any]
DISAGREEMENTS: list[tuple[str, str, Change, str]] = [
    ("xanthine-and-seizure-threshold", "medicine", lambda row: (*row.medicine, "caffeine"), "not spoken of"),
    ("xanthine-and-seizure-threshold", "rule", lambda _: ("no-such-rule",), "No rule that runs"),
    ("xanthine-and-seizure-threshold", "rule", lambda _: ("z-drug-every-night",), "does not look at this medicine"),
    ("xanthine-and-seizure-threshold", "level", lambda _: "note", "The row says note"),
    ("xanthine-and-seizure-threshold", "source", lambda _: "a-book", "no source a-book"),
    ("grapefruit-and-ketamine-by-mouth", "route", lambda _: "injected", "not spoken of"),
    ("nose-spray-before-esketamine", "product", lambda _: "both", "not spoken of"),
    ("maoi-with-a-stimulant", "beside", lambda _: (), "not spoken of"),
]


@pytest.mark.parametrize(("rule", "field", "change", "says"), one_row_in(3, DISAGREEMENTS, lambda row: f"{row[0]}-{row[1]}"))
def test_a_row_that_says_more_than_its_rules_is_found(rule: str, field: str, change: Change, says: str) -> None:
    row = next(row for row in BOOK.interactions if row.rule == (rule,))
    changed = msgspec.structs.replace(row, **{field: change(row)})
    book = msgspec.structs.replace(BOOK, interactions=(changed,))
    assert any(says in fault.problem for fault in InteractionCheck(book).faults() if fault.file == INTERACTIONS)


@pytest.mark.long
def test_a_rule_that_no_row_names_and_a_class_of_which_none_speaks_are_found() -> None:
    rows = tuple(
        row
        for row in BOOK.interactions
        if "antiemetic" not in row.medicine and "xanthine-and-seizure-threshold" not in row.rule
    )
    found = InteractionCheck(msgspec.structs.replace(BOOK, interactions=rows)).faults()
    assert any("xanthine-and-seizure-threshold" in fault.file for fault in found)
    assert any("antiemetic" in fault.problem for fault in found)


def test_what_adds_up_to_sleepiness_is_one_item_with_its_grade(planner: Planner) -> None:
    """Quetiapine, mirtazapine, amitriptyline and doxepin once had no item at all."""
    named = [{"name": name} for name in ("quetiapine", "mirtazapine", "amitriptyline", "doxepin")]
    graver, milder = "sedation-adds-up-gravely", "sedation-adds-up"
    assert levels(planner, medications=named, conditions=[]).get(graver) == "hold"
    found = levels(planner, medications=named[:3], conditions=[])
    assert found.get(milder) == "caution" and graver not in found
    found = levels(planner, medications=[{"name": "alprazolam"}, {"name": "oxycodone"}, {"name": "gabapentin"}])
    assert found.get(graver) == "hold" and milder not in found


@pytest.mark.parametrize("second", ["ramelteon", "cyclobenzaprine", "hydroxyzine", "gabapentin", "oxycodone", "zolpidem"])
@pytest.mark.parametrize("first", ["trazodone", "methocarbamol"])
def test_beside_the_judgment_of_the_whole_list_no_item_says_the_same_of_one_medicine(
    planner: Planner, first: str, second: str
) -> None:
    alone = levels(planner, medications=[{"name": first}], conditions=[])
    assert {"other-sedating-medicine", "muscle-relaxant-sedation"} & set(alone), "alone it has an item of its own"
    named = [{"name": first}, {"name": second}]
    items = items_of(planner.plan(planner.intake.convert({"medications": named, "conditions": []})))
    assert not [item for item in items if item.rule.id in ("other-sedating-medicine", "muscle-relaxant-sedation")]
    (judged,) = (item for item in items if item.rule.id in ("sedation-adds-up", "sedation-adds-up-gravely"))
    assert [one.name for one in judged.about] == [first, second], "nothing is dropped: the judgment names each of them"
    assert "hour" in judged.clinician_text and "when you take each" in judged.patient_text


def test_who_looks_at_alertness_before_leaving_is_told_once(planner: Planner) -> None:
    named = [{"name": "gabapentin"}, {"name": "zolpidem", "schedule": "daily"}, {"name": "trazodone"}]
    plan = planner.plan(planner.intake.convert({"medications": named, "conditions": []}))
    told = [what for task in plan.front.tasks for what in task.what if "alert" in what]
    assert told == ["check alertness and gait before the patient leaves"]


ORDINARY = ("sertraline", "escitalopram", "venlafaxine", "duloxetine", "vortioxetine", "vilazodone")


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(ORDINARY, 2)))
def test_two_ordinary_antidepressants_are_a_quiet_line_and_whatever_comes_to_them_a_caution(
    planner: Planner, first: str, second: str
) -> None:
    quiet, louder = "two-antidepressants-and-serotonin", "serotonin-adds-up"
    two = [{"name": first}, {"name": second}]
    assert {quiet: "note"}.items() <= (found := levels(planner, medications=two)).items() and louder not in found
    for more in ("tramadol", "lithium", "St. John's wort", "fluoxetine", "clomipramine"):
        found = levels(planner, medications=[*two, {"name": more}])
        assert found.get(louder) == "caution" and quiet not in found, more
    found = levels(planner, medications=[*two, {"name": "phenelzine"}])
    assert found.get("maoi-with-serotonergic-medicine") == "hold" and not {quiet, louder} & set(found)


def test_a_high_amount_of_benzodiazepines_has_one_item_of_its_load(planner: Planner) -> None:
    found = levels(planner, medications=[{"text": "diazepam 40 mg daily"}])
    assert "benzodiazepine-load-forty-or-more" in found and "benzodiazepine-load-above-eight" not in found


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"medications": [{"name": "insulin glargine"}]}, "insulin-while-fasting"),
        ({"medications": [{"name": "glipizide"}]}, "low-blood-sugar-while-fasting"),
        ({"medications": [{"name": "methadone"}, {"name": "ondansetron"}]}, "qt-adds-up"),
        ({"medications": [{"name": "lamotrigine"}, {"name": "ethinylestradiol"}]}, "lamotrigine-with-estrogen"),
        ({"medications": [{"name": "memantine"}]}, "memantine-beside-ketamine"),
        (
            {"medications": [{"name": "apixaban"}], "treatment": {"product": "racemic", "preferred_route": "im"}},
            "blood-thinner-and-injection-into-a-muscle",
        ),
        (
            {"medications": [{"name": "clomipramine"}], "conditions": ["seizure_disorder"]},
            "seizure-threshold-medicine-with-seizure-history",
        ),
        ({"age_years": 70}, "from-sixty-on"),
        ({"age_years": 92}, "from-seventy-five-on"),
    ],
)
def test_what_once_passed_in_silence_is_said(planner: Planner, body: dict[str, Any], rule: str) -> None:
    assert rule in levels(planner, **body)


def test_people_of_39_70_and_92_get_plans_of_their_own(planner: Planner) -> None:
    found = [set(levels(planner, age_years=age)) for age in (39, 70, 92)]
    assert len({frozenset(each) for each in found}) == 3


@pytest.mark.parametrize("condition", ["preeclampsia", "stroke_or_tia", "recent_head_injury"])
def test_where_the_uk_label_counts_all_of_its_sentence_stops(planner: Planner, condition: str) -> None:
    body = {"conditions": [condition], "treatment": {"product": "racemic"}}
    assert "stop" in levels(planner, **body, clinic={"region": "uk"}).values()


def test_a_region_changes_what_rests_on_a_label_and_nothing_else(planner: Planner) -> None:
    body = {"conditions": ["stroke_or_tia"], "treatment": {"product": "racemic"}, "age_years": 40}
    us, uk = (levels(planner, **body, clinic={"region": region}) for region in ("us", "uk"))
    assert set(us) ^ set(uk) == {"stroke-in-the-past", "uk-label-stroke-or-head-injury"}
    assert us == levels(planner, **body)
    spray = {"treatment": {"product": "esketamine"}}
    us, eu = (levels(planner, **spray, clinic={"region": region}) for region in ("us", "eu"))
    assert set(us) ^ set(eu) == {"esketamine-needs-a-certified-site", "esketamine-under-supervision-outside-the-us"}


@pytest.mark.parametrize("route", ["oral", "sublingual", "nasal"])
def test_who_wishes_mouth_or_nose_reads_the_three_figures_beside_each_other(planner: Planner, route: str) -> None:
    body = json.dumps({"treatment": {"product": "racemic", "preferred_route": route}}).encode()
    plan = planner.plan(planner.intake.decode(body))
    items = [item for section in plan.sections for item in section.items]
    text = next(item.patient_text for item in items if item.rule.id == "uptake-varies-by-mouth-and-nose")
    for said in ("by mouth about 20 parts of 100", "by nose about 40", "into a vein all 100", "16 to 25", "25 to 50"):
        assert said in text
