"""What public texts say of single medicines and readings, and what a plan says of them; the source stands beside."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.planner import Planner
from tests.plans import by_rule
from tests.shipped import BOOK, reader_of

Json = dict[str, Any]


def rules(planner: Planner, **body: Any) -> set[str]:
    return set(by_rule(planner.plan(planner.intake.convert({"conditions": [], "as_of": "2026-11-30", **body}))))


def medicines(*names: str) -> list[Json]:
    return [{"name": name} for name in names]


@pytest.mark.parametrize(
    ("names", "conditions"),
    [
        (("quetiapine", "citalopram"), []),  # fda-quetiapine-2011: avoid beside medicines that lengthen QT
        (("hydroxyzine", "ondansetron"), []),  # mhra-hydroxyzine-2015: not beside other such medicines
        (("trazodone", "hydroxyzine"), []),  # trazodone-label-told
        (("amitriptyline", "methadone"), []),  # wenzel-seifert-2011: most tri- and tetracyclics
        (("amisulpride", "escitalopram"), []),  # wenzel-seifert-2011
        (("quetiapine",), ["low_potassium_or_magnesium"]),  # tga-quetiapine-qt: not with low potassium or magnesium
        (("hydroxyzine",), ["heart_or_vessel_disease"]),  # mhra-hydroxyzine-2015: not with heart disease
    ],
)
def test_what_lengthens_qt_adds_up_as_regulators_say(
    planner: Planner, names: tuple[str, ...], conditions: list[str]
) -> None:
    assert "qt-adds-up" in rules(planner, medications=medicines(*names), conditions=conditions)


@pytest.mark.parametrize("name", ["quetiapine", "hydroxyzine", "trazodone", "amitriptyline"])
def test_one_such_medicine_alone_says_nothing_of_qt(planner: Planner, name: str) -> None:
    assert "qt-adds-up" not in rules(planner, medications=medicines(name))


@pytest.mark.parametrize("name", ["fluoxetine", "venlafaxine", "olanzapine", "aripiprazole"])
def test_what_no_text_that_was_read_warns_of_counts_for_nothing(name: str) -> None:
    assert "qt_prolonging" not in BOOK.catalogue.ingredients[name].classes


@pytest.mark.parametrize(
    ("written", "low"),
    [
        ("potassium 3.4", True),  # statpearls-hypokalemia: mild from 3 to 3.4
        ("K 3.0 mmol/L", True),
        ("potassium 3.5", False),
        ("magnesium 1.6 mg/dL", True),  # qt-risk-factors-2020: below 1.7 mg/dL
        ("magnesium 1.7 mg/dL", False),
        ("magnesium 0.9 mmol/L", False),
        ("hypokalemia", True),
        ("low magnesium", True),
        ("no hypokalemia", False),
    ],
)
def test_low_potassium_and_magnesium_are_read(planner: Planner, written: str, *, low: bool) -> None:
    found = rules(planner, other_conditions=[written], medications=medicines("trazodone"))
    assert ({"low-potassium-or-magnesium", "qt-adds-up"} <= found) is low


@pytest.mark.parametrize("maoi", ["phenelzine", "selegiline", "linezolid", "methylene blue"])
def test_buspirone_beside_an_mao_inhibitor_is_a_decision(planner: Planner, maoi: str) -> None:
    """buspirone-label: contraindicated, and not to be started under linezolid or methylene blue."""
    assert "maoi-with-serotonergic-medicine" in rules(planner, medications=medicines("buspirone", maoi))
    assert "maoi-with-serotonergic-medicine" not in rules(planner, medications=medicines("buspirone"))


def test_antidepressants_count_for_seizures_as_a_review_names_them() -> None:
    """landmark-2016: amoxapine, bupropion, clomipramine and maprotiline, and no other antidepressant."""
    rows = BOOK.catalogue.ingredients.values()
    counted = {row.ingredient for row in rows if {"antidepressant", "lowers_seizure_threshold"} <= set(row.classes)}
    assert counted == {"amoxapine", "bupropion", "clomipramine", "maprotiline"}
    assert "lowers_seizure_threshold" in BOOK.catalogue.ingredients["meperidine"].classes  # meperidine-label-2011


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("opioid use disorder, on maintenance therapy", "use-disorder-state-not-known"),
        ("OUD on Suboxone", "use-disorder-state-not-known"),
        ("OUD, stable on methadone maintenance", "use-disorder-state-not-known"),
        ("Opioid dependence, on agonist therapy", "use-disorder-state-not-known"),
        ("opioid use disorder in sustained remission, on maintenance therapy", "substance-use-in-the-past"),
        ("history of opioid use disorder", "substance-use-in-the-past"),
        ("opioid use disorder", "substance-use-now-and-ketamine"),
        ("cocaine use disorder", "substance-use-now-and-ketamine"),
        # dsm-5-tr-opioid: early remission begins after three months
        ("alcohol use disorder, in remission for 90 days", "substance-use-in-the-past"),
        ("alcohol use disorder, in remission for 3 months", "substance-use-in-the-past"),
        ("alcohol use disorder, in remission for 89 days", "unread-entry-may-be-grave"),
        ("alcohol use disorder, in remission for 12 weeks", "unread-entry-may-be-grave"),
    ],
)
def test_a_use_disorder_weighs_by_what_is_said_of_its_present_state(planner: Planner, written: str, rule: str) -> None:
    found = rules(planner, other_conditions=[written])
    assert rule in found
    states = {"use-disorder-state-not-known", "substance-use-in-the-past", "substance-use-now-and-ketamine"}
    assert found & states <= {rule}


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("PHQ-2 5", "phq-2-positive"),
        ("PHQ-2: 4/6", "phq-2-positive"),
        ("full AUDIT 22", "alcohol-score-high"),
        ("AUDIT total 11", "alcohol-score-positive"),
        ("beta hCG 1200", "pregnancy-test-positive"),
        ("hCG quant 12 mIU/mL", "pregnancy-test-to-clarify"),
    ],
)
def test_scores_and_hcg_are_read_as_people_write_them(planner: Planner, written: str, rule: str) -> None:
    assert rule in rules(planner, other_conditions=[written])


@pytest.mark.parametrize(
    ("code", "value", "unit", "rule"),
    [
        ("55758-7", 4, "{score}", "phq-2-positive"),
        ("75624-7", 20, "{score}", "alcohol-score-high"),
        ("75624-7", 8, "{score}", "alcohol-score-positive"),
        ("21198-7", 88_769, "m[IU]/mL", "pregnancy-test-positive"),
        ("19080-1", 6, "[IU]/L", "pregnancy-test-to-clarify"),
        ("2823-3", 3.2, "mmol/L", "low-potassium-or-magnesium"),
        ("19123-9", 1.4, "mg/dL", "low-potassium-or-magnesium"),
    ],
)
def test_they_are_read_from_records_by_their_codes(planner: Planner, code: str, value: float, unit: str, rule: str) -> None:
    coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    seen = {"resourceType": "Observation", "status": "final", "code": coded, "effectiveDateTime": "2026-11-28T09:00:00Z"}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": "2026-11-30T12:00:00Z",
        "entry": [{"resource": seen | {"valueQuantity": quantity}}],
    }
    read = reader_of(planner).read(bundle)
    assert rule in by_rule(planner.plan(read.patient))
