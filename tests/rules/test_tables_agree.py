"""What is written twice in different ways says the same: ATC codes and classes, hours and groups, numbers and passages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.numbers_to_call import RegionalNumbers
from tests.shipped import BOOK

GROUPS = {
    "A04AA": "antiemetic",
    "A06AH": "peripheral_opioid_antagonist",
    "A10A": "insulin",
    "A10BB": "glucose_lowering",
    "A10BF": "glucose_lowering",
    "A10BG": "glucose_lowering",
    "A10BH": "glucose_lowering",
    "A10BJ": "glp1_or_amylin",
    "A10BK": "glucose_lowering",
    "B01AA": "anticoagulant",
    "B01AB": "anticoagulant",
    "B01AE": "anticoagulant",
    "B01AF": "anticoagulant",
    "C01B": "qt_prolonging",
    "C01CA": "sympathomimetic",
    "C02A": "antihypertensive",
    "C02AC": "rebound_risk",
    "C02C": "antihypertensive",
    "C02D": "antihypertensive",
    "C03A": "antihypertensive",
    "C03B": "antihypertensive",
    "C03C": "antihypertensive",
    "C03D": "antihypertensive",
    "C07": "antihypertensive",
    "C07A": "rebound_risk",
    "C08C": "antihypertensive",
    "C08D": "antihypertensive",
    "C09A": "antihypertensive",
    "C09C": "antihypertensive",
    "C09X": "antihypertensive",
    "G03C": "estrogen",
    "H03AA": "thyroid_hormone",
    "J01FA": "qt_prolonging",
    "J01MA": "qt_prolonging",
    "J02AC": "cyp_inhibitor",
    "J04AB": "cyp_inducer",
    "J05AE": "cyp_inhibitor",
    "M03A": "neuromuscular_blocker",
    "N01AB": "halogenated_anesthetic",
    "N01AF": "barbiturate",
    "N01AH": "opioid",
    "N02A": "opioid",
    "N02BF": "gabapentinoid",
    "N03AA": "barbiturate",
    "N03AB": "antiseizure",
    "N03AD": "antiseizure",
    "N03AF": "antiseizure",
    "N03AG": "antiseizure",
    "N03AX": "antiseizure",
    "N04BD": "maoi",
    "N05AA": "antipsychotic",
    "N05AB": "antipsychotic",
    "N05AC": "antipsychotic",
    "N05AD": "antipsychotic",
    "N05AE": "antipsychotic",
    "N05AF": "antipsychotic",
    "N05AG": "antipsychotic",
    "N05AL": "antipsychotic",
    "N05AX": "antipsychotic",
    "N05BA": "benzodiazepine",
    "N05CA": "barbiturate",
    "N05CC": "cns_depressant",
    "N05CD": "benzodiazepine",
    "N05CE": "cns_depressant",
    "N05CF": "z_drug",
    "N05CJ": "orexin_antagonist",
    "N05CM": "cns_depressant",
    "N06AA": "antidepressant",
    "N06AB": "antidepressant",
    "N06AF": "maoi",
    "N06AG": "maoi",
    "N07BB": "opioid_antagonist",
    "N07CA": "antiemetic",
    "P01BA": "qt_prolonging",
    "R01BA": "sympathomimetic",
    "R03DA": "xanthine",
    "R06AA": "sedating_antihistamine",
    "R06AB": "sedating_antihistamine",
    "R06AC": "sedating_antihistamine",
    "R06AE": "sedating_antihistamine",
}
"""Groups of the ATC classification all members of which are of one class here; others are mixed."""
MIXED = {
    "A04AD": ("antiemetic", {"dronabinol"}),
    "M03B": ("muscle_relaxant", {"tetrazepam"}),
    "N05AH": ("antipsychotic", {"samidorphan"}),
    "N06BA": ("stimulant", {"atomoxetine", "solriamfetol"}),
    "N07BC": ("opioid", {"lofexidine"}),
    "R05DA": ("opioid", {"dextromethorphan"}),
    "R06AD": ("sedating_antihistamine", {"thiethylperazine"}),
    "N06AX": (
        "antidepressant",
        {"esketamine", "viloxazine", "zuranolone", "dextromethorphan", "pirlindole", "brexanolone"},
    ),
}
"""The same of groups with a few members of another kind."""


CLASSES = [*GROUPS.items(), *((group, wanted) for group, (wanted, _) in MIXED.items())]


@pytest.mark.parametrize(("group", "wanted"), CLASSES)
def test_a_medicine_is_of_the_class_that_its_atc_code_says(group: str, wanted: str) -> None:
    others = MIXED[group][1] if group in MIXED else set()
    of_group = [row for row in BOOK.catalogue.ingredients.values() if any(code.startswith(group) for code in row.atc)]
    assert of_group
    assert {row.ingredient for row in of_group if wanted not in row.classes} == others


BOUNDS = {"short": (0, 8), "intermediate": (6, 30), "long": (28, 250)}
"""Between which hours the longest half-life of a medicine and of its active metabolites lies."""


def test_the_group_of_a_half_life_fits_the_hours_beside_it() -> None:
    told = 0
    for row in BOOK.catalogue.ingredients.values():
        words = re.sub(r"\([^)]*\bmin\b[^)]*\)", "", f"{row.half_life_hours} {row.active_metabolite}")
        hours = [int(number) for number in re.findall(r"(?<![\w.-])~?(?:\d+(?:\.\d+)?-)?(\d+)\b(?![-\w])", words)]
        if row.half_life in BOUNDS and hours:
            told += 1
            least, most = BOUNDS[row.half_life]
            assert least <= max(hours) <= most, (row.ingredient, row.half_life, words)
        elif row.half_life == "varies":
            assert not hours or "metab" in words, row.ingredient
    assert told > 40


def test_each_number_to_call_stands_in_a_passage_of_what_was_read() -> None:
    numbers = re.compile(r"\d[\d -]*\d")
    for name, one in [*BOOK.about.regions.items(), *BOOK.about.countries.items()]:
        passages = " ".join(BOOK.sources[ref.source].passage(ref.place) for ref in one.sources)
        read = {re.sub(r"[ -]", "", found) for found in numbers.findall(passages)}
        for text in _texts(one):
            said = {re.sub(r"[ -]", "", found) for found in numbers.findall(text)}
            assert said <= read | {one.emergency}, (name, said - read)
            assert one.emergency in said, name


def test_a_number_that_is_said_where_nobody_knows_the_place_is_that_of_a_place() -> None:
    about = BOOK.about
    there = {"".join(re.findall(r"\d", one.emergency)) for one in about.regions.values()} | {"988", "116123", "2"}
    for text in (about.crisis, about.emergency, about.in_languages["es"].crisis, str(about.in_languages["es"].emergency)):
        assert {re.sub(r"[ -]", "", found) for found in re.findall(r"\d[\d -]*\d|\d", text)} <= there


def _texts(one: RegionalNumbers) -> Iterator[str]:
    yield one.crisis
    yield from one.in_languages.values()


SOON = {"stop": {"now", "same_day"}, "hold": {"now", "same_day", "within_a_day", "within_three_days"}}
BEFORE = {"before_first_session", "before_next_session", "before_each_session"}


def grave(book: Rulebook) -> list[Rule]:
    """The stops and holds."""
    return [rule for rule in book.in_order() if rule.file.level in SOON]


@pytest.mark.parametrize("rule", grave(BOOK), ids=lambda rule: rule.id)
def test_somebody_acts_on_a_stop_today_and_on_a_hold_before_a_session(rule: Rule) -> None:
    stops = rule.file.level == "stop"
    wanted = SOON[rule.file.level] | (set() if stops else BEFORE)
    in_time = {ask.who for ask, _ in rule.asks if ask.by in wanted}
    assert in_time & {"clinician", "on_call_clinician", "prescriber", "clinic"}, [ask.by for ask, _ in rule.asks]
