"""How an entry of a patient's list is recognized: by code and by every name, never by a near miss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from careplan.planner import Planner
from careplan.recognition.medicine_catalogue import Catalogue, display, normalize
from careplan.recognition.medicine_rows import Combination, Ingredient
from careplan.request.patient import Medication, Patient
from careplan.rulebook.model import Rulebook
from tests.shipped import BOOK

CATALOGUE = BOOK.catalogue


def ingredients(**entry: str) -> set[str]:
    match = CATALOGUE.resolve(0, Medication(**entry)).match  # type: ignore[arg-type]
    return {row.ingredient for row in match.ingredients} if match else set()


ROWS = list(CATALOGUE.ingredients.values())


def spellings(row: Ingredient) -> Iterator[str]:
    """A medicine's names in any case and spacing."""
    for name in (row.name, *row.names, *row.brands, *row.rescue_brands, *row.depot_brands):
        yield from (name, name.upper(), f"  {name.lower()}  ", name.replace(" ", "   "), f"{name} 10 mg tablet")


def test_every_medicine_is_recognized_by_every_name_and_code_in_any_case_and_spacing() -> None:
    wrong = [
        (row.ingredient, name) for row in ROWS for name in spellings(row) if row.ingredient not in ingredients(name=name)
    ]
    wrong += [(row.ingredient, code) for row in ROWS for code in row.rxcui if row.ingredient not in ingredients(rxcui=code)]
    assert wrong == []


def test_every_combination_shows_every_ingredient_that_it_hides() -> None:
    for product in CATALOGUE.combinations:
        shown = [ingredients(name=name) for name in (product.product, *product.names)]
        shown += [ingredients(rxcui=code) for code in product.rxcui]
        assert [found for found in shown if found != set(product.ingredients)] == [], product.product


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
        ("Xultophy", {"glp1_or_amylin", "insulin"}),
        ("Soliqua", {"glp1_or_amylin", "insulin"}),
        ("Nuedexta", {"nmda_antagonist", "qt_prolonging"}),
        ("Coricidin HBP Cough and Cold", {"nmda_antagonist", "sedating_antihistamine"}),
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
    ("name", "offered"), [("xanx", "alprazolam"), ("zoplidem", "zolpidem"), ("lamotrigene", "lamotrigine")]
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


def test_a_combination_keeps_nothing_beside_its_ingredients_that_rules_look_at() -> None:
    rows = [
        Ingredient(ingredient="plain", name="plain", classes=("nsaid",)),
        Ingredient(ingredient="sweet", name="sweet", names=("very sweet",), classes=("insulin",)),
    ]
    assert Catalogue(rows, [Combination(product="One", ingredients=("sweet",), also_contains=("very sweet", "lactose"))])
    with pytest.raises(ValueError, match="Both contains very sweet, which rules look at"):
        Catalogue(rows, [Combination(product="Both", ingredients=("plain",), also_contains=("very sweet",))])


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


@pytest.mark.parametrize("name", ["T3", "En", "(  )", "10 mg tablet"])
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
        ("Excedrin", "caffeine and aspirin (Excedrin)"),
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
        ("EN", "delorazepam"),
        ("T3", "liothyronine"),
        ("T3", "codeine (Tylenol with codeine)"),
    ],
)
def test_a_short_name_that_could_be_several_things_is_offered_and_never_taken(
    book: Rulebook, written: str, offered: str
) -> None:
    found = book.catalogue.resolve(0, Medication(name=written))
    assert found.match is None
    assert offered in found.suggestions


@pytest.mark.parametrize(
    ("written", "shown"),
    [("my Ativan from dr smith", "lorazepam (Ativan)"), ("the Klonopin they gave me", "clonazepam (Klonopin)")],
)
def test_a_known_name_in_a_sentence_is_read(book: Rulebook, written: str, shown: str) -> None:
    found = book.catalogue.resolve(0, Medication(name=written))
    assert found.match is not None
    assert display(found.match) == shown


@pytest.mark.parametrize(
    ("written", "schedule", "indication"),
    [
        ("LORazepam (ATIVAN) 0.5 mg tablet, take 1 tablet by mouth daily as needed for anxiety", "as_needed", "anxiety"),
        ("clonazepam 0.5 mg b.i.d. for seizures", "daily", "epilepsy"),
        ("lamotrigine 100 mg 1-0-1", "daily", None),
        ("alprazolam every other day", None, None),
        ("alprazolam 1 mg daily and Xanax 0.5 mg prn, sertraline 50 mg", None, None),
    ],
)
def test_what_a_name_says_of_schedule_and_reason_is_taken(
    book: Rulebook, written: str, schedule: str | None, indication: str | None
) -> None:
    entry = book.catalogue.resolve(0, Medication(name=written)).entry
    assert (entry.schedule, entry.indication) == (schedule, indication)


def test_a_line_is_read_as_a_name_is_and_a_name_beside_it_says_what_it_is(book: Rulebook) -> None:
    line = "clonazepam 0.5 mg b.i.d. for panic attacks"
    alone = book.catalogue.resolve(0, Medication(text=line))
    beside = book.catalogue.resolve(0, Medication(name="clonazepam", text=line))
    for found in (alone, beside):
        assert found.match is not None
        assert display(found.match) == "clonazepam"
        assert (found.entry.schedule, found.entry.indication, found.problem) == ("daily", "anxiety", None)


@pytest.mark.parametrize("status", ["stopped", "not_taken", "allergy"])
def test_what_was_sent_as_not_taken_bears_on_no_rule(
    planner: Planner, status: Literal["stopped", "not_taken", "allergy"]
) -> None:
    for entry in (Medication(name="phenelzine", status=status), Medication(rxcui="8123", status=status)):
        case = planner.traced(Patient(medications=[entry]))[0]
        assert not [fact for fact in case.facts if fact.kind in ("medicine", "medicine_check")]
    taking = Medication(text="phenelzine (stopped)", status="taking")
    assert [fact for fact in planner.traced(Patient(medications=[taking]))[0].facts if fact.kind == "medicine"]


@pytest.mark.parametrize(
    "written", ["Stesolid rectal tubes", "Epistatus", "midazolam oromucosal solution buccal", "Valtoco 10 mg nasal spray"]
)
def test_a_benzodiazepine_against_seizures_is_rescue_under_any_name(book: Rulebook, written: str) -> None:
    assert book.catalogue.resolve(0, Medication(name=written, schedule="as_needed")).schedule == "rescue"


def test_the_second_patient_with_the_same_line_is_read_as_the_first(planner: Planner) -> None:
    line = "clonazepam 0.5 mg b.i.d. for panic attacks"
    sent = [Medication(name=line), Medication(name=line, schedule="as_needed"), Medication(name=line)]
    for entry, schedule in zip(sent, ("daily", "as_needed", "daily"), strict=True):
        (medicine,) = planner.traced(Patient(medications=[entry]))[0].medicines
        assert (medicine.entry.schedule, medicine.entry.indication) == (schedule, "anxiety")


def test_what_the_caller_sent_in_fields_wins_over_what_a_name_says(book: Rulebook) -> None:
    sent = Medication(name="clonazepam 0.5 mg nightly for sleep", schedule="as_needed", indication="epilepsy")
    assert book.catalogue.resolve(0, sent).entry == sent


@pytest.mark.parametrize(
    "written",
    [
        "Xanax (allergic)",
        "sertraline (discontinued)",
        "no Xanax",
        "hx of oxycodone",
        "none",
        "NKDA",
        "omeprazole 20 mg",
        "Benadryl cream",
    ],
)
def test_what_is_not_taken_or_concerns_no_rule_leaves_the_list_whole(book: Rulebook, written: str) -> None:
    found = book.catalogue.resolve(0, Medication(name=written))
    assert found.match is not None
    assert (found.match.ingredients, found.problem) in (((), None), (found.match.ingredients, None))
    assert not [row for row in found.match.ingredients if row.classes]


def test_an_allergy_to_the_treatment_does_not_pass_in_silence(book: Rulebook) -> None:
    assert book.catalogue.resolve(0, Medication(name="ketamine (allergic)")).problem == "not_recognized"


@pytest.mark.parametrize(
    ("name", "rxcui", "problem"),
    [
        ("alprazolam 0.5 MG Oral Tablet", "308047", None),
        ("Xanax", "308047", None),
        ("clonazepam", "308047", "code_and_name_disagree"),
        ("vitamin C", "308047", "code_and_name_disagree"),
        ("simvastatin 20 MG Oral Tablet", "312961", None),
        ("alprazolam", "312961", "code_and_name_disagree"),
        ("omeprazole", "99999999", None),
        (None, "312961", None),
    ],
)
def test_a_code_of_a_product_that_agrees_with_the_name_is_no_finding(
    book: Rulebook, name: str | None, rxcui: str, problem: str | None
) -> None:
    assert book.catalogue.resolve(0, Medication(name=name, rxcui=rxcui)).problem == problem


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


@pytest.mark.parametrize("written", ["lorazepam (stopped 2019)", "none", "phenelzine (allergic)"])
def test_what_is_not_taken_is_named_quietly_and_makes_no_item(planner: Planner, written: str) -> None:
    plan = planner.plan(Patient(medications=[Medication(name=written)]))
    assert (plan.medications[0].recognition, plan.medications[0].recognized_as) == ("known", None)
    assert [one.what for one in plan.not_considered if one.pointer == "/medications/0"] == [f"“{written}”"]
    items = [item for section in plan.sections for item in section.items]
    assert not [item.id for item in items if any(about.pointer == "/medications/0" for about in item.about)]


def test_how_and_for_what_something_is_taken_that_is_not_taken_bears_on_nothing(book: Rulebook) -> None:
    sent = Medication(name="lorazepam", status="stopped", schedule="daily", indication="alcohol_withdrawal")
    found = book.catalogue.resolve(0, sent)
    assert (found.taken, found.entry.schedule, found.entry.indication) == (False, None, None)


def test_a_known_name_is_named_without_what_stands_beside_it(planner: Planner) -> None:
    plan = planner.plan(Patient(medications=[Medication(name="Cetirizine 10 mg daily")]))
    assert (plan.medications[0].recognition, plan.medications[0].recognized_as) == ("known", "Cetirizine")


def test_a_name_beside_one_that_rules_look_at_is_listed_if_it_is_not_taken(planner: Planner) -> None:
    plan = planner.plan(Patient(medications=[Medication(name="phenelzine stopped, sertraline 50 mg daily")]))
    assert plan.medications[0].recognized_as == "sertraline"
    assert "phenelzine" in [one.what for one in plan.not_considered]


@pytest.mark.parametrize(
    "name", ["ketamine allergy", "penicillin allergy", "sertraline allergies", "codeine allergic reaction"]
)
def test_a_name_with_a_word_of_allergy_alone_is_unread(book: Rulebook, name: str) -> None:
    assert book.catalogue.resolve(0, Medication(name=name)).problem == "not_recognized"


@pytest.mark.parametrize(
    ("name", "ingredient"), [("Benadryl allergy", "diphenhydramine"), ("Flonase allergy", "fluticasone")]
)
def test_a_medicine_against_allergies_is_read_with_that_word(book: Rulebook, name: str, ingredient: str) -> None:
    match = book.catalogue.resolve(0, Medication(name=name)).match
    assert match is not None
    assert [row.ingredient for row in match.ingredients] == [ingredient]


def test_a_combination_by_its_ingredients_is_given_no_brand(book: Rulebook) -> None:
    match = book.catalogue.resolve(0, Medication(name="losartan / hydrochlorothiazide")).match
    assert match is not None
    assert display(match) == "losartan and hydrochlorothiazide"
    assert book.catalogue.resolve(0, Medication(name="buproprion 150")).suggestions == ("bupropion",)
