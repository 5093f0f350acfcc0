"""How much a list says is taken a day, where fields and text disagree, and which stretch of a text each part came from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.planner import Planner
from careplan.recognition.medicine_catalogue import Resolved
from careplan.request.patient import Medication
from careplan.rulebook.load import shipped
from careplan.rulebook.medicine_names import EQUIVALENTS
from tests.shipped import BOOK


def resolved(**entry: Any) -> Resolved:
    return BOOK.catalogue.resolve(0, Medication(**entry))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Suboxone 8 mg daily", {"buprenorphine": 8}),
        ("Suboxone 8 mg film 2 films daily", {"buprenorphine": 16}),
        ("buprenorphine/naloxone 8 mg bid", {"buprenorphine": 16}),
        ("Suboxone 8-2 mg bid", {"buprenorphine": 16, "naloxone": 4}),
        ("Percocet 10 mg q6h", {"oxycodone": 40}),
        ("Vicodin 500 mg bid", {}),
        ("acetaminophen-codeine 30 mg tid", {"codeine": 90}),
        ("acetaminophen-codeine 300 mg tid", {}),
        ("Contrave 8 mg bid", {}),
        ("chlordiazepoxide-amitriptyline 25 mg at bedtime", {}),
        ("amphetamine-dextroamphetamine 20 mg daily", {}),
    ],
)
def test_one_figure_of_a_combination_is_of_the_ingredient_that_it_is_told_by_or_of_nobody(
    text: str, meant: dict[str, float]
) -> None:
    read = resolved(text=text)
    assert read.match is not None
    doses = zip(read.match.ingredients, read.doses, strict=False)
    assert {row.ingredient: one.mg.most for row, one in doses if one.mg is not None} == meant


def test_a_dose_sent_beside_a_combination_is_no_dose_of_what_it_is_not_told_by() -> None:
    known = [[one.mg is not None for one in resolved(name="Suboxone 8-2 mg", dose_mg=8, schedule="daily").doses]]
    known += [
        [one.mg is not None for one in resolved(name=name, dose_mg=500, schedule="daily").doses]
        for name in ("Vicodin", "Contrave")
    ]
    assert known == [[True, False], [], []]


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("alprazolam 1 mg tid", 3, 3),
        ("LORazepam (ATIVAN) 0.5 mg tablet, take 1 tablet by mouth daily as needed for anxiety", 0, 0.5),
        ("Xanax 0.5 mg 1-2 tablets every 4-6 hours as needed", 0, 6),
        ("Percocet 5/325 1 tab q6h", 20, 20),
        ("acetaminophen-codeine 300-30 mg tid", 90, 90),
        ("fentanyl 25 mcg/hr patch every 72 hours", 0.6, 0.6),
        ("clonazepam 0.5 mg in the morning and 1 mg at night", 1.5, 1.5),
        ("clonazepam 1 mg at night and 0.5 mg as needed", 1, None),
        ("diazepam 10 mg tablet take 20 mg daily", 20, 20),
        ("morphine 10 mg/5 ml oral solution take 5 ml every 4 hours", 60, 60),
        ("lorazepam 0,5 mg 1/2-0-1", 0.75, 0.75),
        ("lorazepam 1 mg prn max 3 per day", 0, 3),
        ("diazepam 5mg tds prn (max 15mg/day)", 0, 15),
        ("diazepam 5 mg prn, not to exceed 20 mg/day", 0, 20),
        ("lorazepam 1 mg q6h prn maximum 3 mg daily", 0, 3),
        ("clonazepam 1 mg bid, max dose 2 mg", 2, 2),
        ("alprazolam up to 4 mg per day", 0, 4),
        ("lorazepam 1 mg tablet take up to 2 tablets at night", 0, 2),
        ("oxycodone 5 mg 1-2 tabs q4-6h prn max 8 tabs/day", 0, 40),
        ("diazepam 5 mg up to three times a day", 0, 15),
        ("oxycodone 5 mg, max 4 per day", 0, 20),
        ("lorazepam 2 mg daily max", 0, 2),
        ("lorazepam 1 mg prn, 2 mg daily maximum", 0, 2),
        ("lorazepam 1 mg prn (2 mg/day max)", 0, 2),
        ("lorazepam 1 mg prn, 3 tablets daily max", 0, 3),
        ("lorazepam 1 mg, 2 mg daily maximum as needed for anxiety", 0, 2),
        ("clonazepam 1 mg bid, 2 mg daily max", 2, 2),
        ("lorazepam 1 mg daily max 4 mg daily", 1, 1),
        ("lorazepam 1 mg bid max", 2, 2),
        ("lorazepam 15mg/day", 15, 15),
        ("diazepam 2.5-5 mg bid", 5, 10),
        ("lorazepam 1 mg weekly", 0, 1),
        ("diazepam 5 mg take 5 mg by mouth 3 (three) times daily", 15, 15),
        ("lorazepam 1 mg tablet 1 tab every 6 (six) hours as needed", 0, 4),
        ("lorazepam 1 mg prn. Max Daily Amount: 3 mg", 0, 3),
        ("lorazepam 1 mg prn, maximum daily dose 4 mg", 0, 4),
        ("lorazepam 1 mg prn, max daily amount: 2 tablets", 0, 2),
        ("lorazepam 1 mg tablet 1/2 to 1 tablet at bedtime", 0.5, 1),
        ("lorazepam 1 mg tablet 1/2-1 tablet bid", 1, 2),
        ("clonazepam 1 mg, one tablet twice daily and two tablets at bedtime", 4, 4),
        ("diazepam 20 mg tablet, daily, 2 tablets at bedtime", 40, 40),
    ],
)
def test_a_dose_a_day_is_worked_out_where_it_can_be_known(text: str, least: float, most: float | None) -> None:
    dose = next(doses.mg for doses in resolved(text=text).doses if doses.mg is not None)
    assert (dose.least, dose.most) == (least, most)


@pytest.mark.parametrize(
    ("count", "spellings"),
    [
        (0.25, ["1/4", "\u00bc", "one quarter", "one-quarter", "0.25", "a quarter of a"]),
        (0.5, ["1/2", "½", "one half", "one-half", "half a", "0.5", "one-half (1/2)", "half"]),
        (0.75, ["3/4", "¾", "three quarters of a", "three-quarter"]),
        (1, ["1", "one", "1 (one)", "one (1)", "a single", "2 half", "two halves of a"]),
        (
            1.5,
            [
                "1 1/2",
                "1-1/2",
                "1½",
                "1 ½",
                "one and a half",
                "one and one-half",
                "1 and 1/2",
                "1.5",
                "one and one half (1.5)",
            ],
        ),
        (2, ["2", "two", "two (2)", "2 (two)", "2 x 1", "2 whole"]),
        (2.5, ["2 1/2", "2-1/2", "2½", "two and a half"]),
        (10, ["10", "ten", "ten (10)"]),
    ],
)
@pytest.mark.parametrize("line", ["diazepam 5 mg take {} tablet daily", "Diazepam 5 MG; {} tablets by mouth every day"])
def test_however_a_count_is_written_the_dose_is_the_same(line: str, count: float, spellings: list[str]) -> None:
    doses = {spelling: [one.mg for one in resolved(text=line.format(spelling)).doses] for spelling in spellings}
    assert doses == {spelling: [(5 * count, 5 * count)] for spelling in spellings}


@pytest.mark.parametrize(("strength", "mg"), [("one mg", 1), ("two milligrams", 2), ("ten mg", 10), ("one-half mg", 0.5)])
def test_a_strength_in_words_is_read_as_one_in_figures(strength: str, mg: float) -> None:
    assert [one.mg for one in resolved(text=f"diazepam {strength} nightly").doses] == [(mg, mg)]


@pytest.mark.parametrize("text", ["lorazepam 1 mg take 1 (two) tablets daily", "lorazepam 1 mg take two (3) tablets daily"])
def test_of_two_numbers_that_do_not_agree_neither_is_taken(text: str) -> None:
    assert resolved(text=text).doses == ()


@pytest.mark.parametrize("text", ["lorazepam 1 mg", "lorazepam", "lorazepam 1 tablet daily", "stopped lorazepam 1 mg daily"])
def test_a_dose_that_the_words_do_not_give_is_not_guessed(text: str) -> None:
    assert resolved(text=text).doses == ()


def test_the_strength_of_a_product_is_not_taken_for_what_is_taken() -> None:
    assert resolved(name="diazepam 10 mg tablet", schedule="daily").doses == ()


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({"text": "lorazepam 1 mg as needed", "schedule": "daily"}, ["schedule"]),
        ({"text": "clonazepam 1 mg for seizures", "indication": "anxiety"}, ["indication"]),
        ({"text": "sertraline 50 mg daily", "dose_mg": 100}, ["dose_mg"]),
        ({"text": "stopped lorazepam", "status": "taking"}, ["status"]),
        ({"name": "sertraline", "text": "Xanax 1 mg bid"}, ["name"]),
        ({"text": "lorazepam 1 mg daily", "schedule": "daily", "dose_mg": 1}, []),
        ({"text": "omeprazole 20 mg daily", "schedule": "as_needed"}, []),
    ],
)
def test_a_field_that_says_something_else_than_the_text_counts_and_is_named(entry: Any, fields: list[str]) -> None:
    found = resolved(**entry)
    assert [one.field for one in found.disagreements] == fields
    assert entry.get("schedule") in (None, found.entry.schedule)
    assert entry.get("indication") in (None, found.entry.indication)


_NAMES = ("Xanax", "sertraline", "Zorvolexx", "(Ativan)", "blorp", "stopped", "since 2019", "ı", "😀", "&amp;", "é", ",")
_USE = ("1 mg", "0,5 mg", "2 tablets", "bid", "as needed", "for anxiety", "po", "every 4-6 hours", "#30", "2 refills")
PIECES = st.sampled_from((*_NAMES, *_USE))


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=9).map(" ".join))
def test_spans_lie_within_the_text_and_words_are_their_slices(planner: Planner, text: str) -> None:
    body = {"medications": [{"text": text}]}
    (read,) = planner.plan(planner.intake.decode(json.dumps(body).encode())).medications
    for said in read.texts:
        assert said.pointer == "/medications/0/text"
        for part in said.parts:
            assert 0 <= part.start < part.end <= len(text)
            assert part.words is None or part.words == text[part.start : part.end]
        for one, other in zip(said.parts, said.parts[1:], strict=False):
            nested = one.what == "amount" and other.what == "form" and other.end <= one.end
            shared = (one.what, one.start, one.end) == (other.what, other.start, other.end) and one.what == "status"
            assert one.end <= other.start or nested or shared, (one, other)
        if "blorp" in text:
            assert any("blorp" in (part.words or "") for part in said.parts)


def test_every_factor_names_sources_that_there_are() -> None:
    lines = (shipped() / EQUIVALENTS).read_text("utf-8").splitlines()[1:]
    assert {key for line in lines for key in line.split(",")[5].split(";")} <= BOOK.sources.keys()
