"""Medicines of which a list tells only the kind, such as "benzos": an unnamed member where taken, nothing where denied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.planner import Planner
from careplan.recognition.medicine_catalogue import Resolved
from careplan.request.patient import Medication
from tests.shipped import BOOK

ROWS = [row for row in BOOK.catalogue.ingredients.values() if row.by_kind]
KINDS = {name: row for row in ROWS for name in row.names}
NAMED = [row for row in BOOK.catalogue.ingredients.values() if row.classes and not row.by_kind]
words = st.sampled_from(sorted(KINDS))


def read(text: str, rxcui: str | None = None) -> Resolved:
    return BOOK.catalogue.resolve(0, Medication(text=text, rxcui=rxcui))


def ingredients(found: Resolved) -> list[str]:
    return [row.ingredient for row in found.match.ingredients] if found.match is not None else []


def test_every_kind_is_one_that_medicines_with_names_are_of() -> None:
    assert [row.ingredient for row in ROWS if not any(row.kind <= set(one.classes) for one in NAMED)] == []
    assert [row.ingredient for row in ROWS if not row.kind or row.name.split()[0] != "unnamed"] == []


@given(words, st.sampled_from(["{}", "{} as needed", "{} 0.5 mg twice daily", "takes {}", "on {} since 2021", "{} prn"]))
def test_a_kind_that_is_taken_is_read_as_an_unnamed_member_without_a_dose(word: str, line: str) -> None:
    found = read(line.format(word))
    assert (found.recognition, ingredients(found), found.problem) == ("read", [KINDS[word].ingredient], None)
    assert found.match is not None
    assert (found.match.called, found.doses) == ("", ())


@given(
    words,
    st.sampled_from(["no {}", "denies {}", "patient denies any {}", "not currently on any {}", "{}: none", "keine {}"]),
)
def test_a_kind_that_is_denied_is_understood_and_nothing_is_taken(word: str, line: str) -> None:
    found = read(line.format(word))
    assert (found.recognition, found.taken, ingredients(found)) == ("known", False, [])


@given(words, words)
def test_two_kinds_are_denied_with_one_word(one: str, other: str) -> None:
    found = read(f"no {one} or {other}")
    assert (found.taken, ingredients(found)) == (False, [])


@given(st.data())
def test_a_kind_beside_a_name_of_it_is_a_remark_and_no_second_medicine(data: st.DataObject) -> None:
    word = data.draw(words)
    members = [row for row in NAMED if KINDS[word].kind <= set(row.classes)]
    member = data.draw(st.sampled_from(members))
    line = data.draw(st.sampled_from(["{} ({})", "{} - {}", "{}, a {}", "{} 5 mg daily ({})"]))
    assert ingredients(read(line.format(member.name, word))) == [member.ingredient]


@given(
    words,
    st.sampled_from(["naltrexone for {} cravings", "omeprazole because of {} reflux", "cetirizine ({})", "cetirizine {}"]),
)
def test_a_kind_in_a_reason_or_beside_a_harmless_name_is_nothing_that_is_taken(word: str, line: str) -> None:
    assert not any(one.startswith("unnamed") for one in ingredients(read(line.format(word))))


@pytest.mark.parametrize(
    "text",
    [
        "blood pressure",
        "diabetes",
        "depression",
        "nausea",
        "seizure",
        "seizures",
        "sleep",
        "epilepsy",
        "nasal",
        "water",
        "pill",
    ],
)
def test_a_part_of_such_words_is_no_medicine(text: str) -> None:
    assert not ingredients(read(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("benzos prn", "benzodiazepine"),
        ("an SSRI", "antidepressant"),
        ("Blutverdünner", "anticoagulant"),
        ("blood thinners", "anticoagulant"),
        ("Opioide bei Bedarf", "opioid"),
        ("BP meds daily", "antihypertensive"),
        ("sleeping pill at night", "sleeping_pill"),
        ("antidépresseur 1 par jour", "antidepressant"),
        ("toma antidepresivos", "antidepressant"),
        ("benzodiazépines", "benzodiazepine"),
        ("Anti-Depressants", "antidepressant"),
    ],
)
def test_words_of_people_and_other_languages_are_read(text: str, kind: str) -> None:
    assert ingredients(read(text)) == [f"unnamed_{kind}"]


@pytest.mark.parametrize("text", ["steroids", "no steroids", "steroid pill daily"])
def test_a_kind_that_no_rule_concerns_is_known(text: str) -> None:
    assert read(text).recognition == "known"


def test_a_code_or_a_line_beside_the_kind_says_which_one_it_is() -> None:
    lorazepam = BOOK.catalogue.ingredients["lorazepam"]
    coded = read("benzo as needed", rxcui=lorazepam.rxcui[0])
    assert (ingredients(coded), coded.problem) == (["lorazepam"], None)
    lined = BOOK.catalogue.resolve(0, Medication(name="benzo", text="lorazepam 1 mg as needed"))
    assert (ingredients(lined), lined.disagreements) == (["lorazepam"], ())


def test_a_kind_of_another_class_than_the_code_is_a_disagreement() -> None:
    assert read("SSRI", rxcui="6470").problem == "code_and_name_disagree"


def test_only_single_words_are_offered_for_a_misspelt_kind() -> None:
    assert read("opiods").suggestions == ("unnamed opioid",)
    assert read("ppill").suggestions == ()


@pytest.mark.parametrize("text", ["benzos as needed for anxiety", "benzos daily", "stimulants as needed for adhd"])
def test_a_plan_asks_which_one_and_shows_no_hours_for_it(planner: Planner, text: str) -> None:
    holds = [
        {"drug_class": name, "before_hours": 13, "after_hours": 7, "approved_by": "Dr. Ines Marlow, MD"}
        for name in ("benzodiazepine", "stimulant")
    ]
    sent = {
        "medications": [{"text": text}],
        "conditions": [],
        "lifestyle": {"alcohol_drinks_per_week": 0},
        "red_flags": {"intoxicated_now": False, "new_neurological_symptom": False},
        "protocol": {"holds": holds, "approved_by": "Dr. Ines Marlow, MD"},
    }
    plan = planner.plan(planner.intake.convert(sent))
    items = [item for section in plan.sections for item in section.items]
    assert "medicine-told-by-its-kind" in {item.rule.id for item in items}
    assert str(plan.medications[0].recognized_as).startswith("unnamed ")
    assert not [item.id for item in items if "13 hours" in (item.patient_text or "")]
