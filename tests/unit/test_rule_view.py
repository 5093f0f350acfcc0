"""Reading the rulebook on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from careplan.explain.rule_view import Reading, Selection
from careplan.rulebook.derived import behind
from careplan.rulebook.model import Rulebook


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["rules", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def read(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--format", "json", code=code))


def test_a_rule_is_shown_in_words_with_everything_it_says() -> None:
    text = " ".join(run("show", "younger-than-eighteen").split())
    assert "When the patient is less than 18 years old." in text
    for part in ("Under eighteen", "stop", "Rationale", "Patient reads", "Clinician reads", "Rests on", "Fires", "Silent"):
        assert part in text


def test_a_rule_for_machines_has_conditions_as_data_and_in_words() -> None:
    rule = read("show", "younger-than-eighteen")
    assert rule["when"] == {"patient": {"age_years": {"less_than": 18}}}
    assert rule["conditions"] == "When the patient is less than 18 years old."


def test_a_misspelled_rule_is_met_with_near_names() -> None:
    assert "younger-than-eighteen" in run("show", "younger-than-eightteen", code=2)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--section", "route", "--level", "hold"], Selection(section="route", level="hold")),
        (["--class", "z_drug"], Selection(drug_class="z_drug")),
        (["--source", "asam-2025"], Selection(source="asam-2025")),
        (["--search", "bladder", "--search", "blood"], Selection(words=("bladder", "blood"))),
    ],
)
def test_rules_are_found_by_what_they_are_about(options: list[str], wanted: Selection, book: Rulebook) -> None:
    found = {rule["id"] for rule in read("list", *options)}
    assert 0 < len(found) < len(book.rules)
    for rule in book.rules.values():
        texts = str((rule.id, rule.file)).lower()
        fits = (
            wanted.section in (None, rule.section)
            and wanted.level in (None, rule.file.level)
            and (wanted.source is None or wanted.source in [ref.source for ref in rule.file.sources])
            and (wanted.drug_class is None or wanted.drug_class in str([*behind(book.derived, rule.when)]))
            and all(word in texts for word in wanted.words)
        )
        assert (rule.id in found) <= fits
        if not wanted.words:
            assert (rule.id in found) == fits


def test_filters_narrow_each_other(book: Rulebook) -> None:
    reading = Reading(book)
    wide = reading.select(Selection(fact="medicine"))
    narrow = reading.select(Selection(fact="medicine.schedule", level="hold"))
    assert narrow
    assert {rule.id for rule in narrow} < {rule.id for rule in wide}
    assert len(reading.select(Selection())) == len(book.rules) + len(book.resting)


@pytest.mark.parametrize("options", [["--class", "z_drgu"], ["--source", "asam"], ["--ingredient", "zolpidme"]])
def test_an_unknown_name_is_not_an_empty_list(options: list[str]) -> None:
    assert "near names are" in run("list", *options, code=2)


def test_the_graph_leads_from_each_fact_to_its_rules_and_names_what_nobody_looks_at(book: Rulebook) -> None:
    edges = read("graph")
    assert "younger-than-eighteen" in edges["patient.age_years"]
    assert {rule for fed in edges.values() for rule in fed} == {
        rule.id for rule in book.rules.values() if rule.when[0][0].kind != "everyone"
    }
    assert edges["medicine.dose_mg"] == []
    assert "medicine.dose_mg: no rule looks at it" in run("graph", "--fact", "medicine.dose_mg")
    assert list(read("graph", "--rule", "younger-than-eighteen")) == ["patient.age_years"]


@pytest.mark.parametrize(("form", "begins"), [("dot", "digraph rules {"), ("mermaid", "graph LR")])
def test_the_graph_is_drawn_in_two_languages(form: str, begins: str) -> None:
    drawn = run("graph", "--fact", "support", "--format", form)
    assert drawn.startswith(begins)
    assert "no-one-to-take-you-home" in drawn


def test_sources_lead_to_rules_and_what_rests_on_nothing_is_named(book: Rulebook) -> None:
    found = read("sources")
    assert set(found["sources"]) == set(book.sources)
    assert found["advice_without_rule"] == []
    assert found["rules_without_source"] == []
    for name in found["sources_without_rule"]:
        assert not any(found["sources"][name].values())
    assert "sleep-under-five-hours" in found["sources"]["founding"]["2.2"]
    assert run("sources", "--json") == run("sources", "--format", "json")
    works = {work["id"]: work for work in found["works"]}
    assert list(works) == list(book.sources)
    assert works["spravato-label"]["read_on"] and "2026" in works["spravato-label"]["edition"]
    assert works["product-labels"]["read"] == "memory" and works["product-labels"]["read_on"] is None
