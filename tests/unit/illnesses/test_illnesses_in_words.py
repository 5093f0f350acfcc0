"""Illnesses as people write them: what is read, known or left to a person; no denial and no guess sets anything."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.recognition.illness_names import IllnessNames, Named
from careplan.recognition.illness_read import IllnessRead
from careplan.recognition.illness_words import Normal
from tests.shipped import BOOK

READER = BOOK.known_conditions.reader
LINES = [
    line.split("\t")
    for sheet in ("problem_lists.tsv", "more_lists.tsv", "lay_lists.tsv", "notes_and_languages.tsv")
    for line in (Path(__file__).parent / sheet).read_text().splitlines()
    if not line.startswith("#")
]
PAST = [
    line.split("\t")
    for line in (Path(__file__).parent / "said_of_the_past.tsv").read_text().splitlines()
    if not line.startswith("#")
]
NAMES = [(source, name, tokens) for source, name, tokens in READER.names()]
OWN = [(name, tokens) for source, name, tokens in NAMES if source == "conditions.yaml"]
own_names = st.sampled_from(OWN)


def said(read: IllnessRead) -> set[str]:
    """What an entry was read as, in the words of the list of lines."""
    found = set(read.tokens) | ({"unread"} if read.recognition == "unread" else set())
    return found or {"known" if read.recognition == "known" else "none"}


def test_every_line_of_a_problem_list_is_read_as_a_clinician_would() -> None:
    found = [(line, meant, said(READER.read(line))) for line, meant in LINES]
    assert [one for one in found if one[2] != set(one[1].split())] == []


def test_what_is_said_of_the_past_lasts_becomes_history_or_is_over_by_its_kind() -> None:
    for line, status, meant in PAST:
        read = READER.read(line)
        assert {part.status for part in read.parts} == {status}, line
        assert " ".join(read.tokens) == meant.replace("-", ""), line
        assert read.recognition != "unread", line


def test_of_the_lines_that_can_be_read_few_need_a_person() -> None:
    readable = [line for line, meant in LINES if "unread" not in meant.split()]
    found = Counter(READER.read(line).recognition for line in readable)
    assert found["unread"] <= len(readable) / 50


def test_every_name_of_the_rulebook_is_read_as_its_own_condition_and_no_other() -> None:
    wrong = [
        (source, name, sorted(READER.read(name).tokens))
        for source, name, tokens in NAMES
        if source in {"conditions.yaml", "known_names.yaml"} and set(READER.read(name).tokens) != set(tokens)
    ]
    assert wrong == []


def test_no_name_stands_for_two_things() -> None:
    assert list(READER.clashes()) == []


def test_a_name_of_a_table_of_codes_is_read_as_its_code_or_left_to_a_person() -> None:
    wrong = []
    for source, name, tokens in NAMES[::7]:
        read = READER.read(name)
        if source.startswith("snomed") and read.recognition != "unread" and not set(tokens) & set(read.tokens):
            wrong.append((name, tokens, read.tokens))
    # Names that say by themselves that it is over, or that there is none.
    assert [one for one in wrong if one[1]] == []


@pytest.mark.parametrize(
    "denial",
    [
        "no {}",
        "denies {}",
        "no history of {}",
        "negative for {}",
        "{}: denies",
        "Patient denies {}.",
        "never had {}",
        "{} (denies)",
    ],
)
@settings(max_examples=40)
@given(own_names)
def test_what_is_denied_never_sets_a_condition(denial: str, named: tuple[str, tuple[str, ...]]) -> None:
    read = READER.read(denial.format(named[0]))
    assert read.tokens == ()


@pytest.mark.parametrize("doubt", ["?{}", "possible {}", "rule out {}", "r/o {}", "{}?", "probable {}", "not sure if {}"])
@settings(max_examples=40)
# Of two things in one name ("eclampsia or pre-eclampsia now") the second may say by itself that it is so now.
@given(own_names.filter(lambda named: " or " not in named[0]))
def test_what_nobody_is_sure_of_stays_unread(doubt: str, named: tuple[str, tuple[str, ...]]) -> None:
    read = READER.read(doubt.format(named[0]))
    assert read.tokens == ()
    assert read.recognition == "unread"


@pytest.mark.parametrize("family", ["family history of {}", "FHx {}", "mother had {}", "aunt with {}", "{} in father"])
@settings(max_examples=40)
@given(own_names)
def test_an_illness_of_the_family_is_none_of_the_patient(family: str, named: tuple[str, tuple[str, ...]]) -> None:
    assert set(READER.read(family.format(named[0])).tokens) <= {"family_history_schizophrenia"}


@pytest.mark.parametrize("more", ["zzqblorptan", "no idea", "?"])
@settings(max_examples=40)
@given(own_names)
def test_words_that_nobody_knows_leave_an_entry_unread(more: str, named: tuple[str, tuple[str, ...]]) -> None:
    assert READER.read(f"{named[0]}; {more}").recognition == "unread"


@settings(max_examples=40)
@given(st.lists(own_names, min_size=2, max_size=4))
def test_of_several_illnesses_in_one_entry_each_is_read(several: list[tuple[str, tuple[str, ...]]]) -> None:
    read = READER.read("; ".join(name for name, _ in several))
    assert read.recognition == "read"
    assert set(read.tokens) == {token for _, tokens in several for token in tokens}


@settings(max_examples=40)
@given(own_names)
def test_spelling_and_case_make_no_difference(named: tuple[str, tuple[str, ...]]) -> None:
    name, tokens = named
    for text in (name.upper(), f"  {name} ", f"{name}.", name.replace("-", " "), name.replace("'", "’")):
        assert set(READER.read(text).tokens) == set(tokens), text


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("sleep apnoea", "sleep apnea"),
        ("ischaemic heart disease", "ischemic heart disease"),
        ("subarachnoid haemorrhage", "subarachnoid hemorrhage"),
        ("hyperlipidaemia", "hyperlipidemia"),
        ("iron deficiency anaemia", "iron deficiency anemia"),
        ("coeliac disease", "celiac disease"),
    ],
)
def test_british_spelling_is_read_like_american(british: str, american: str) -> None:
    one, other = READER.read(british), READER.read(american)
    assert (one.recognition, one.tokens) == (other.recognition, other.tokens)
    assert one.recognition != "unread"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("h/o psychosis", {"psychosis_history"}),
        ("psychosis, resolved", {"psychosis_history"}),
        ("history of asthma", {"respiratory_disease"}),
        ("asthma - resolved", set()),
        ("heart attack 3 weeks ago", {"recent_cardiovascular_event"}),
        ("heart attack 3 years ago", {"heart_or_vessel_disease"}),
        ("heart attack 2019", {"heart_or_vessel_disease"}),
        ("history of suicide attempt", {"self_harm_history"}),
        ("alcohol use disorder, in remission", {"alcohol_use_disorder_history"}),
        ("concussion (2011)", set()),
    ],
)
def test_what_is_past_counts_as_the_course_of_its_condition_says(text: str, tokens: set[str]) -> None:
    assert set(READER.read(text).tokens) == tokens
    assert READER.read(text).recognition == "read"


def test_a_year_is_judged_by_the_day_of_the_plan() -> None:
    assert READER.read("heart attack 2030", date(2030, 6, 1)).tokens == ("recent_cardiovascular_event",)
    assert READER.read("heart attack 2030", date(2032, 6, 1)).tokens == ("heart_or_vessel_disease",)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Denies seizures, psychosis or mania; asthma", {"respiratory_disease"}),
        ("Denies psychosis but has asthma", {"respiratory_disease"}),
        ("no seizures, psychosis, or mania", set()),
        ("asthma, no seizures", {"respiratory_disease"}),
        ("family history of bipolar and schizophrenia", set()),
        ("HTN without complications", {"hypertension"}),
    ],
)
def test_a_denial_reaches_as_far_as_it_is_said(text: str, tokens: set[str]) -> None:
    assert set(READER.read(text).tokens) == tokens


def test_where_nobody_can_say_how_far_a_denial_reaches_the_rest_is_left_to_a_person() -> None:
    read = READER.read("no seizures, asthma")
    assert read.tokens == ()
    assert read.recognition == "unread"
    assert "respiratory_disease" in read.offers


@pytest.mark.parametrize("text", ["uncontrolled asthma attack of grandeur", "hypertension 180/120", "severe hypertension"])
def test_what_may_be_graver_than_its_name_is_left_to_a_person(text: str) -> None:
    assert READER.read(text).recognition == "unread"


@pytest.mark.parametrize(
    ("text", "offered"),
    [("hypertention", "hypertension"), ("astma", "respiratory_disease"), ("epilepsi", "seizure_disorder")],
)
def test_a_near_name_is_an_offer_and_no_answer(text: str, offered: str) -> None:
    read = READER.read(text)
    assert (read.recognition, read.tokens) == ("unread", ())
    assert offered in read.offers


def test_a_slip_in_a_harmless_name_offers_no_danger() -> None:
    names = IllnessNames(Normal(), [Named("one", [("migrane", ("danger",)), ("migrain", ())])], {})
    assert names.near(("migran",)) == ()


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_text_is_read_part_by_part_within_itself(text: str) -> None:
    read = READER.read(text)
    assert all(0 <= part.start <= part.end <= len(text) for part in read.parts)
    assert all(one.end <= other.start for one, other in zip(read.parts, read.parts[1:], strict=False))


def test_reading_remembers_nothing_of_what_it_read() -> None:
    READER.read("zzqblorptan of the flumph")
    names = READER._phrases.names
    assert not any("zzqblorptan" in name for name in names._tokens)


@pytest.mark.parametrize(
    ("written", "tokens", "recognition"),
    [
        ("Depression, major, recurrent, moderate (HCC)", ("major_depression",), "read"),
        ("Opioid dependence in remission (CMS/HCC)", ("substance_use_disorder_history",), "read"),
        ("Bipolar disorder [HHS-HCC]", ("bipolar_disorder",), "read"),
        ("Prediabetes (HCC)", (), "known"),
        ("Cerebral aneurysm, nonruptured", ("aneurysmal_vascular_disease",), "read"),
        ("No active problems", (), "read"),
        ("cirrhosis, HCC", ("moderate_liver_impairment",), "unread"),
        ("HCC", (), "unread"),
        ("(HCC)", (), "unread"),
    ],
)
def test_what_a_record_system_puts_behind_a_name_says_nothing_of_the_patient(
    written: str, tokens: tuple[str, ...], recognition: str
) -> None:
    read = BOOK.known_conditions.reader.read(written)
    assert (read.tokens, read.recognition) == (tokens, recognition)
