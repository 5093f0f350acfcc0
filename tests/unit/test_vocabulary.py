"""What is read, known and unread: no harmless name hides a class, and no near miss is taken for another medicine."""

from __future__ import annotations

import json
import os
import random
import shutil
import string
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from careplan.errors import InvalidRulebook
from careplan.recognition.list_words import ListWords
from careplan.recognition.measure import entries, measure
from careplan.recognition.name_sources import rxnorm_parts
from careplan.recognition.name_stems import NameStems, StemCheck
from careplan.recognition.plain_text import squeezed
from careplan.recognition.recognizer import Recognized
from careplan.recognition.vocabulary import FOLDER, FURTHER_NAMES, KNOWN_NAMES, PRODUCT_CODES, WideVocabulary
from careplan.rulebook.load import load, shipped
from careplan.rulebook.yaml_and_csv import Document
from tests.shipped import BOOK, lists_in

MEDICINES = BOOK.medicines
INGREDIENTS = BOOK.catalogue.ingredients
VOCABULARY = WideVocabulary(
    *((shipped() / FOLDER / name).read_text("utf-8") for name in (KNOWN_NAMES, FURTHER_NAMES, PRODUCT_CODES))
)
STEMS = Document(PurePosixPath("name_stems.yaml"), (shipped() / "name_stems.yaml").read_text("utf-8")).convert(NameStems)
assert STEMS is not None
WORDS = Document(PurePosixPath("list_words.yaml"), (shipped() / "list_words.yaml").read_text("utf-8")).convert(ListWords)
KNOWN = frozenset(VOCABULARY.known)


def ingredients(found: tuple[Recognized, ...]) -> set[str]:
    return {row.ingredient for one in found if one.match is not None for row in one.match.ingredients}


def classes(tokens: set[str]) -> set[str]:
    return {name for token in tokens for name in INGREDIENTS[token].classes}


def kinds(text: str) -> list[str]:
    return [one.recognition for one in MEDICINES.recognize(text)]


def test_no_known_name_speaks_by_its_stem_for_a_class_under_a_rule() -> None:
    """An error here means that somebody must look: add a row to medicines.csv, or a reason to `looked_at`."""
    check = StemCheck(STEMS)  # type: ignore[arg-type]
    assert {name: list(found) for name in VOCABULARY.known if (found := tuple(check.classes(name)))} == {}


def test_every_stem_stands_for_a_class_of_the_rulebook_and_catches_something() -> None:
    assert STEMS is not None
    for name in (*STEMS.endings, *STEMS.beginnings):
        assert name in BOOK.classes
    caught = {name for row in INGREDIENTS.values() for name in (squeezed(row.name), *map(squeezed, row.names))}
    for name, endings in STEMS.endings.items():
        assert any(word.endswith(endings) for word in caught), name


def test_every_reason_for_a_name_that_was_looked_at_is_still_needed() -> None:
    assert STEMS is not None
    without = StemCheck(NameStems(endings=STEMS.endings, beginnings=STEMS.beginnings, looked_at={}))
    assert [name for name in STEMS.looked_at if not any(True for _ in without.classes(name))] == []


def test_no_name_of_a_medicine_under_a_rule_stands_among_the_known_ones() -> None:
    own = {squeezed(name) for row in INGREDIENTS.values() if row.classes for name in (row.name, *row.names, *row.brands)}
    assert own & set(VOCABULARY.known) == set()
    assert VOCABULARY.every_further().keys() & set(VOCABULARY.known) == set()


def test_every_further_name_and_code_stands_for_ingredients_with_a_class() -> None:
    meant = {token for further in VOCABULARY.every_further().values() for token in further.ingredients}
    meant |= {token for tokens in VOCABULARY.codes().values() for token in tokens}
    assert [token for token in meant if not INGREDIENTS[token].classes] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cipralex 10 mg", {"escitalopram"}),
        ("Lustral", {"sertraline"}),
        ("Seroxat", {"paroxetine"}),
        ("Zispin", {"mirtazapine"}),
        ("Efexor XL", {"venlafaxine"}),
        ("Elvanse 30 mg", {"lisdexamfetamine"}),
        ("Epilim Chrono", {"valproate"}),
        ("Priadel", {"lithium"}),
        ("Tavor 1 mg", {"lorazepam"}),
        ("Stilnoct", {"zolpidem"}),
        ("Quetiapin 25 mg", {"quetiapine"}),
        ("sertralina 50 mg", {"sertraline"}),
        ("lamotrigina", {"lamotrigine"}),
        ("co-codamol 8/500", {"codeine"}),
        ("Endocet 5-325", {"oxycodone"}),
        ("Cobenfy", {"xanomeline"}),
        ("Exxua", {"gepirone"}),
        ("Aurorix", {"moclobemide"}),
        ("Syrian rue", {"harmala"}),
        ("heroin", {"diamorphine"}),
        ("kratom", {"kratom"}),
        ("magic mushrooms", {"psilocybin"}),
        ("Lantus 20 units nightly", {"insulin_glargine"}),
        ("glipizide 5 mg", {"glipizide"}),
        ("levetiracetam 500 mg bid", {"levetiracetam"}),
        ("Eliquis", {"apixaban"}),
        ("valerian root", {"valerian"}),
        ("Yasmin", {"combined_contraceptive"}),
        ("Acetaminophen 325 MG / Hydrocodone Bitartrate 5 MG Oral Tablet [Norco]", {"hydrocodone"}),
        ("12 HR Oxycodone Hydrochloride 40 MG Extended Release Oral Tablet [OxyContin]", {"oxycodone"}),
        ("losartan/HCTZ 50/12.5", {"losartan", "hydrochlorothiazide"}),
    ],
)
def test_names_of_all_countries_and_levels_are_read(text: str, found: set[str]) -> None:
    assert {token for token in ingredients(MEDICINES.recognize(text)) if INGREDIENTS[token].classes} == found


@pytest.mark.parametrize(
    "text",
    [
        "vitamin D3 2000 IU daily",
        "prednisone 5 mg",
        "omeprazole 20 mg",
        "fish oil 1000 mg capsules",
        "CPAP",
        "Freestyle Libre 2 sensor",
        "multivitamin",
        "flu shot",
        "alcohol swabs",
        "glucosamine-chondroitin",
        "buspirone 10 mg bid",
        "Shingrix",
        "test strips",
        "amoxicilina 500 mg",
        "Rogaine",
    ],
)
def test_what_no_rule_concerns_is_known(text: str) -> None:
    assert kinds(text) == ["known"]


@pytest.mark.parametrize(
    "text",
    [
        "fluticasone inhaler",
        "mometasone 220 mcg inhaled daily",
        "Advair Diskus 250/50",
        "Zaditor",
        "Benadryl cream",
        "ketamine 10 % cream",
        "timolol eye drops",
        "Nizoral shampoo",
        "ketoconazole 2 % shampoo",
    ],
)
def test_what_stays_on_the_skin_is_known_and_not_taken(text: str) -> None:
    assert kinds(text) == ["known"]
    assert ingredients(MEDICINES.recognize(text)) == set()


@pytest.mark.parametrize(
    "text", ["flumbozepam", "calcium frobnicate", "the blue one", "mirtazolamine 5 mg", "qwertz 10 mg daily"]
)
def test_what_nobody_knows_is_unread(text: str) -> None:
    assert kinds(text) == ["unread"]


def test_a_medicine_beside_words_that_nothing_explains_is_still_read_and_they_show() -> None:
    (found,) = MEDICINES.recognize("alprazolam zorvo 1 mg")
    assert found.recognition == "read"
    assert [part.text for part in found.unexplained] == ["zorvo"]


def test_the_reason_that_counts_is_the_gravest() -> None:
    (found,) = MEDICINES.recognize("lorazepam 1 mg prn anxiety or seizures")
    assert found.listed is not None
    assert MEDICINES.indication(found.listed) == "epilepsy"


def test_products_are_known_by_their_codes() -> None:
    alprazolam = MEDICINES.by_code("308047")
    assert alprazolam is not None
    assert ingredients((alprazolam,)) == {"alprazolam"}
    simvastatin = MEDICINES.by_code("312961")
    assert simvastatin is not None
    assert simvastatin.recognition == "known"
    assert MEDICINES.by_code("99999999") is None


NEAR_MISSES = int(os.environ.get("CAREPLAN_TEST_NEAR_MISSES", "6000"))


def near_misses(names: list[str], count: int) -> Iterator[tuple[str, str]]:
    """Names with one letter left out, doubled, changed or swapped. A long run says how far it is."""
    chance = random.Random(19)  # noqa: S311
    for made in range(count):
        if made and made % 20_000 == 0:
            print(f"{made:,} of {count:,} near misses", file=sys.stderr)  # noqa: T201
        name = chance.choice(names)
        at = chance.randrange(len(name))
        letter = chance.choice(string.ascii_lowercase)
        change = chance.randrange(4)
        missed = (
            name[:at] + name[at + 1 :],
            name[:at] + letter + name[at:],
            name[:at] + letter + name[at + 1 :],
            name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :],
        )[change]
        if missed != name:
            yield name, missed


def is_of_no_rule_in_another_language(name: str) -> bool:
    """Whether a slip made the name that a real medicine of no rule has elsewhere, such as almitrin for almitrine."""
    assert WORDS is not None
    ends = ((end, other) for end, others in WORDS.endings.items() if name.endswith(end) for other in others)
    return any(name.removesuffix(end) + other in KNOWN for end, other in ends)


@pytest.mark.parametrize("share", ["of all names", "of the names of what rules look at"])
def test_no_near_miss_is_taken_for_another_medicine(share: str) -> None:
    """One letter away from a name stands what somebody sells, or nothing that is read as a medicine of another class.

    Neither does a slip make a medicine under rules a harmless one.
    """
    own = {name for row in INGREDIENTS.values() if row.classes for name in (row.name, *row.names, *row.brands)}
    further = set(VOCABULARY.every_further())
    names = sorted({*own, *VOCABULARY.known, *further} if share == "of all names" else {*own, *further})
    real = {*map(squeezed, own), *further, *VOCABULARY.known} | {squeezed(name) for name, _ in BOOK.catalogue.spellings()}
    wrong = []
    for name, missed in near_misses(names, NEAR_MISSES // 2):
        if squeezed(missed) in real:
            continue
        read = MEDICINES.recognize(missed)
        if is_of_no_rule_in_another_language(squeezed(missed)):
            continue
        if any(one.recognition == "unread" or one.unexplained or squeezed(one.called) in real for one in read):
            continue
        found, meant = classes(ingredients(read)), classes(ingredients(MEDICINES.recognize(name)))
        if not (found <= meant if found else not meant):
            wrong.append((name, missed, found))
    assert wrong == []


def test_an_offer_is_within_reach_of_spelling_and_never_from_harmless_to_controlled() -> None:
    def offered(text: str) -> set[str]:
        return {
            row.ingredient
            for one in MEDICINES.recognize(text)
            for match in MEDICINES.offers(one)
            for row in match.ingredients
        }

    assert offered("alprazolm") == {"alprazolam"}
    assert offered("sertralinne 50 mg") == {"sertraline"}
    for text in (
        "hydrocortisne",
        "estradol patch",
        "rufinamidde",
        "kavaa",
        "hydrocodne-cortisone",
        "valium-free tea",
        "clonidne",
    ):
        assert not classes(offered(text)) & {"opioid", "benzodiazepine", "stimulant", "z_drug", "barbiturate"}, text


def test_no_offer_is_of_a_controlled_class_unless_one_letter_is_wrong() -> None:
    controlled = set(BOOK.about.controlled)
    for name, missed in near_misses(sorted(VOCABULARY.known), 60):
        for one in MEDICINES.recognize(missed):
            for match in MEDICINES.offers(one):
                found = {name for row in match.ingredients for name in row.classes}
                assert not found & controlled or missed == name, (name, missed, match.called)


def test_a_clinics_own_names_win(tmp_path: Path) -> None:
    folder = lists_in(tmp_path / "rules")
    (folder / "local_medicines.csv").write_text(
        "name,ingredients,rxcui,note\nClinic mix,ketamine;lorazepam,424242,\nXanax tea,,,a tea\n"
    )
    medicines = load(folder).medicines
    assert ingredients(medicines.recognize("clinic mix 5 ml")) == {"ketamine", "lorazepam"}
    assert [one.recognition for one in medicines.recognize("Xanax tea")] == ["known"]
    local = medicines.by_code("424242")
    assert local is not None
    assert ingredients((local,)) == {"ketamine", "lorazepam"}
    (folder / "local_medicines.csv").write_text("name,ingredients,rxcui,note\nClinic mix,ketamin,,\n")
    with pytest.raises(InvalidRulebook, match="There is no ingredient ketamin"):
        load(folder)


def test_the_names_of_rxnorm_are_taken_apart() -> None:
    assert rxnorm_parts("12 HR Oxycodone Hydrochloride 40 MG Extended Release Oral Tablet [OxyContin]") == (
        ("Oxycodone Hydrochloride",),
        "OxyContin",
    )
    assert rxnorm_parts("72 HR Fentanyl 0.025 MG/HR Transdermal System") == (("Fentanyl",), "")
    assert rxnorm_parts("Amitriptyline / Perphenazine Pill") == (("Amitriptyline", "Perphenazine"), "")
    assert rxnorm_parts("5-Hydroxytryptophan 100 MG Oral Capsule") == (("5-Hydroxytryptophan",), "")


LISTS = "sertraline 50 mg daily\nnone\nfrobnicol 3 mg\nomeprazole\n"


def test_a_file_is_measured_line_by_line() -> None:
    bar = measure("lists.txt", entries(LISTS), MEDICINES)
    assert (bar.lines, bar.read, bar.known, bar.none, bar.unread) == (4, 1, 1, 1, 1)
    assert bar.share == 0.75
    table = "line\tmeant\tkind\nsertraline 50 mg\tsertraline\tx\nXanax (stopped)\t\ty\nparoxetine\tsertraline\tz\n"
    bar = measure("table.tsv", entries(table), MEDICINES)
    assert bar.other == ("paroxetine",)


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output


def test_the_command_prints_the_bars_and_fails_below_the_least(tmp_path: Path) -> None:
    path = tmp_path / "lists.txt"
    path.write_text(LISTS)
    code, printed = run("vocabulary", "check", str(path), "--json")
    assert code == 0
    assert json.loads(printed)[0]["share"] == 0.75
    code, printed = run("vocabulary", "check", str(path), "--unread", "--least", "90")
    assert code == 1
    assert "75.0% understood" in printed
    assert "unread: 'frobnicol 3 mg'" in printed


@pytest.mark.long
def test_a_newer_release_is_laid_over_the_shipped_names_and_codes(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    row = "{0}|ENG|P|L|PF|S|Y|A||{0}||RXNORM|{1}|{0}|{2}||N|4096|\n"
    (tmp_path / "RXNCONSO.RRF").write_text(
        row.format("9100001", "SBD", "newmabium 1 MG Oral Tablet [Newmabo]")
        + row.format("9100002", "SBD", "alprazolam 0.7 MG Oral Tablet [Xanorix]")
        + row.format("9100003", "SCD", "foxazepam 1 MG Oral Tablet")
    )
    (tmp_path / "RXNSAT.RRF").write_text("9100002|L|S|A|AUI|X|AT|SAT|NDC|RXNORM|00009002901|N|\n")
    code, printed = run("vocabulary", "refresh", "--rules", str(folder), "--rxnorm", str(tmp_path))
    assert code == 0, printed
    medicines = load(folder).medicines
    assert [one.recognition for one in medicines.recognize("Newmabo 1 mg")] == ["known"]
    assert ingredients(medicines.recognize("Xanorix")) == {"alprazolam"}
    product = medicines.by_code("9100002")
    assert product is not None
    assert ingredients((product,)) == {"alprazolam"}
    package = medicines.by_code("00009002901")
    assert package is not None
    assert ingredients((package,)) == {"alprazolam"}
    assert medicines.by_code("9100003") is None, "a benzodiazepine by its stem is no harmless product"
    code, _ = run("vocabulary", "refresh", "--rules", str(folder), "--rxnorm", str(folder / "rulebook.yaml"))
    assert code == 2
