"""How an entry of a patient's list is recognized: by code and by every name, never by a near miss."""

from __future__ import annotations

import pytest

from careplan.planner import Planner
from careplan.recognition.medicine_catalogue import Catalogue, display, normalize
from careplan.recognition.medicine_rows import Combination, Ingredient
from careplan.request.patient import Medication
from careplan.rulebook.model import Rulebook
from tests.shipped import BOOK

CATALOGUE = BOOK.catalogue


def ingredients(**entry: str) -> set[str]:
    match = CATALOGUE.resolve(0, Medication(**entry)).match  # type: ignore[arg-type]
    return {row.ingredient for row in match.ingredients} if match else set()


ROWS = list(CATALOGUE.ingredients.values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ingredient)
def test_a_medicine_is_recognized_by_every_name_and_code_in_any_case_and_spacing(row: Ingredient) -> None:
    for name in (row.name, *row.names, *row.brands, *row.rescue_brands, *row.depot_brands):
        for written in (name, name.upper(), f"  {name.lower()}  ", name.replace(" ", "   "), f"{name} 10 mg tablet"):
            assert row.ingredient in ingredients(name=written), written
    for code in row.rxcui:
        assert row.ingredient in ingredients(rxcui=code)


@pytest.mark.parametrize("product", CATALOGUE.combinations, ids=lambda product: product.product)
def test_a_combination_shows_every_ingredient_that_it_hides(product: Combination) -> None:
    for name in (product.product, *product.names):
        assert ingredients(name=name) == set(product.ingredients)
    for code in product.rxcui:
        assert ingredients(rxcui=code) == set(product.ingredients)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("Librax", {"benzodiazepine"}),
        ("Limbitrol", {"benzodiazepine", "antidepressant"}),
        ("Contrave", {"opioid_antagonist", "antidepressant"}),
        ("Lybalvi", {"opioid_antagonist", "antipsychotic"}),
        ("Symbyax", {"antipsychotic", "antidepressant"}),
        ("Paxlovid", {"cyp_inhibitor"}),
        ("Auvelity", {"nmda_antagonist", "antidepressant"}),
        ("Suboxone", {"opioid"}),
        ("Fioricet", {"barbiturate"}),
        ("Xultophy", {"glp1_or_amylin"}),
    ],
)
def test_a_product_that_hides_a_class_is_seen_through(name: str, classes: set[str]) -> None:
    match = CATALOGUE.resolve(0, Medication(name=name)).match
    assert match
    assert classes <= {token for row in match.ingredients for token in row.classes}


@pytest.mark.parametrize(
    ("name", "ingredient"),
    [
        ("alprazolam ER", "alprazolam"),
        ("divalproex sodium", "valproate"),
        ("pethidine", "meperidine"),
        ("rifampicin", "rifampin"),
        ("amfetamine", "amphetamine"),
        ("St. John's Wort", "st_johns_wort"),
        ("st johns wort", "st_johns_wort"),
        ("LITHIUM CARBONATE 300 mg capsule", "lithium"),
    ],
)
def test_salts_forms_and_foreign_names_are_understood(name: str, ingredient: str) -> None:
    assert ingredients(name=name) == {ingredient}


@pytest.mark.parametrize(
    ("name", "offered"), [("xanx", "alprazolam (Xanax)"), ("zoplidem", "zolpidem"), ("lamotrigene", "lamotrigine")]
)
def test_a_near_miss_is_offered_and_never_taken(name: str, offered: str) -> None:
    resolved = CATALOGUE.resolve(0, Medication(name=name))
    assert resolved.match is None
    assert resolved.problem == "not_recognized"
    assert offered in resolved.suggestions


@pytest.mark.parametrize("name", ["qwertizine", "asdf", "x", "10 mg", "tablet", "💊", "unknown pill"])
def test_a_medicine_outside_the_vocabulary_is_never_guessed(name: str) -> None:
    resolved = CATALOGUE.resolve(0, Medication(name=name))
    assert resolved.match is None
    assert resolved.problem == "not_recognized"


def test_a_code_and_a_name_that_disagree_are_both_kept_and_reported() -> None:
    resolved = CATALOGUE.resolve(0, Medication(name="clonazepam", rxcui="596"))
    assert resolved.problem == "code_and_name_disagree"
    assert ingredients(name="clonazepam", rxcui="596") == {"alprazolam", "clonazepam"}


def test_a_code_agrees_with_a_brand_of_its_ingredient() -> None:
    assert CATALOGUE.resolve(0, Medication(name="Xanax", rxcui="596")).problem is None


def test_an_unknown_code_beside_a_known_name_is_reported() -> None:
    assert CATALOGUE.resolve(0, Medication(name="Xanax", rxcui="99999999")).problem == "code_not_recognized"


def test_a_known_code_beside_a_name_that_cannot_be_read_is_reported() -> None:
    resolved = CATALOGUE.resolve(0, Medication(name="qwertyuiop", rxcui="596"))
    assert resolved.problem == "partly_recognized"
    assert resolved.match


def test_a_list_of_ingredients_is_taken_apart_and_unknown_parts_are_reported() -> None:
    resolved = CATALOGUE.resolve(0, Medication(name="oxycodone / acetylfoo"))
    assert resolved.problem == "partly_recognized"
    assert resolved.unknown_parts == ("acetylfoo",)
    assert ingredients(name="olanzapine + fluoxetine") == {"olanzapine", "fluoxetine"}


def test_a_rescue_brand_says_that_it_is_for_rescue() -> None:
    match = CATALOGUE.resolve(0, Medication(name="Nayzilam")).match
    assert match
    assert match.rescue


def test_all_medicines_of_the_founding_table_are_there() -> None:
    assert len(CATALOGUE.ingredients) + len(CATALOGUE.combinations) >= 228


def test_two_rows_that_claim_one_name_are_refused() -> None:
    rows = [Ingredient(ingredient="a", name="Same", classes=()), Ingredient(ingredient="b", name="same", classes=())]
    with pytest.raises(ValueError, match="stands for both"):
        Catalogue(rows, [])


def test_names_are_compared_without_case_accents_and_punctuation() -> None:
    assert normalize("  Ampho-téricin  B's ") == "ampho tericin bs"


def test_a_search_finds_beginnings_misspellings_and_codes() -> None:
    assert CATALOGUE.search("lamo")[0].ingredient == "lamotrigine"
    assert CATALOGUE.search("klonapin")[0].ingredient == "clonazepam"
    assert CATALOGUE.search("28439")[0].ingredient == "lamotrigine"
    assert CATALOGUE.search("zzzzzz") == []


def test_a_medicine_is_shown_by_ingredient_and_brand() -> None:
    match = CATALOGUE.resolve(0, Medication(name="xanax")).match
    assert match
    assert display(match) == "alprazolam (Xanax)"


@pytest.mark.parametrize(
    ("name", "ingredient"),
    [
        ("Xanax (alprazolam)", "alprazolam"),
        ("lorazepam (Ativan) 1 mg tablet", "lorazepam"),
        ("Lamictal [lamotrigine]", "lamotrigine"),
        ("Xanax™", "alprazolam"),
        ("Klonopin 1mg BID", "clonazepam"),
        ("Klonopin PRN", "clonazepam"),
        ("zolpidem 5 mg qhs", "zolpidem"),
    ],
)
def test_brand_and_ingredient_with_strength_and_directions_are_one_medicine(
    book: Rulebook, name: str, ingredient: str
) -> None:
    found = book.catalogue.resolve(0, Medication(name=name))
    assert found.problem is None
    assert found.match
    assert [row.ingredient for row in found.match.ingredients] == [ingredient]


def test_a_brand_with_another_ingredient_in_brackets_is_both(book: Rulebook) -> None:
    found = book.catalogue.resolve(0, Medication(name="Xanax (lorazepam)"))
    assert found.match
    assert {row.ingredient for row in found.match.ingredients} == {"alprazolam", "lorazepam"}


@pytest.mark.parametrize("name", ["T3", "THC", "En", "(  )", "10 mg tablet"])
def test_what_could_be_anything_is_not_recognized(book: Rulebook, name: str) -> None:
    assert book.catalogue.resolve(0, Medication(name=name)).match is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ativan 1 mg q6h", "lorazepam (Ativan)"),
        ("Klonopin wafers", "clonazepam (Klonopin)"),
        ("Rivotril gotas", "clonazepam (Rivotril)"),
        ("Lamictal starter kit", "lamotrigine (Lamictal)"),
        ("ketamine troches", "ketamine"),
        ("Tylenol PM", "diphenhydramine (Tylenol PM)"),
        ("NyQuil", "doxylamine and dextromethorphan (NyQuil)"),
        ("Excedrin", "caffeine (Excedrin)"),
    ],
)
def test_words_on_how_it_is_taken_and_everyday_products_do_not_hide_a_medicine(
    book: Rulebook, written: str, shown: str
) -> None:
    found = book.catalogue.resolve(0, Medication(name=written))
    assert found.match is not None
    assert display(found.match) == shown
    assert found.problem is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Effexor", "venlafaxine (Effexor)"),
        ("Effexor XR 75", "venlafaxine (Effexor XR)"),
        ("Wellbutrin", "bupropion (Wellbutrin)"),
        ("Wellbutrin XL 300 mg", "bupropion (Wellbutrin XL)"),
        ("Toprol", "metoprolol (Toprol)"),
        ("Toprol XL 50", "metoprolol (Toprol-XL)"),
        ("pressed Xanax", "designer benzodiazepine (pressed Xanax)"),
    ],
)
def test_a_release_form_that_nobody_sent_is_not_shown(book: Rulebook, written: str, shown: str) -> None:
    match = book.catalogue.resolve(0, Medication(name=written)).match
    assert match is not None
    assert display(match) == shown


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("my Ativan from dr smith", "lorazepam (Ativan)"),
        ("the Klonopin they gave me", "clonazepam (Klonopin)"),
        ("EN", "delorazepam"),
        ("T3", "liothyronine"),
        ("T3", "codeine (Tylenol with codeine)"),
    ],
)
def test_a_known_name_within_an_entry_is_offered_and_never_taken(book: Rulebook, written: str, offered: str) -> None:
    found = book.catalogue.resolve(0, Medication(name=written))
    assert found.match is None
    assert offered in found.suggestions


@pytest.mark.parametrize("written", ["Tylenol AM", "Tylenol extra strength", "Robitussin 7", "aleve codein"])
def test_no_controlled_medicine_is_offered_for_an_everyday_product(book: Rulebook, written: str) -> None:
    found = book.catalogue.resolve(0, Medication(name=written))
    assert not [name for name in found.suggestions if "codeine" in name]


@pytest.mark.parametrize(
    "written",
    [
        *("Vivitrol", "Vivitrol 380 mg", "naltrexone (Vivitrol)", "Invega Sustenna"),
        *("Haldol decanoate", "Abilify Maintena", "Sublocade"),
    ],
)
def test_a_long_acting_injection_is_one_though_nobody_said_so(book: Rulebook, written: str) -> None:
    assert book.catalogue.resolve(0, Medication(name=written)).schedule == "long_acting_injection"
    assert book.catalogue.resolve(0, Medication(name=written, schedule="daily")).schedule == "long_acting_injection"


def test_two_street_benzodiazepines_are_two_medicines(planner: Planner) -> None:
    sent = {"medications": [{"name": "bromazolam"}, {"name": "pressed Xanax"}]}
    case = planner.plan(planner.intake.convert(sent))
    assert [read.recognized_as for read in case.medications] == ["bromazolam", "designer benzodiazepine (pressed Xanax)"]
    said = [item.patient_text for section in case.sections for item in section.items]
    assert not [text for text in said if "twice" in text]


def test_the_date_of_a_monthly_injection_is_asked_for_by_its_brand_alone(planner: Planner) -> None:
    plan = planner.plan(planner.intake.convert({"medications": [{"name": "Vivitrol"}]}))
    fired = {item.rule.id for section in plan.sections for item in section.items}
    assert "naltrexone-monthly-injection" in fired
    assert "naltrexone-or-nalmefene-tablets" not in fired
