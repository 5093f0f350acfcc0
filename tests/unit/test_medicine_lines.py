"""What is read from one line of a medicine list, and from which part of it; what nothing explains shows."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.recognition.line import Line, Listed, Stretch
from careplan.recognition.line_reader import KNOWN, LineReader
from careplan.recognition.list_words import ListWords, Phrases
from careplan.recognition.plain_text import plain, squeezed
from careplan.request.patient import Medication
from careplan.rulebook.load import shipped
from careplan.rulebook.yaml_and_csv import Document
from tests.shipped import BOOK

WORDS = Document(PurePosixPath("list_words.yaml"), (shipped() / "list_words.yaml").read_text("utf-8")).convert(ListWords)
assert WORDS is not None
NAMES = {
    **{
        name: name
        for name in ("xanax", "alprazolam", "lorazepam", "ativan", "sertraline", "codeine", "lisinopril", "lamotrigine")
    },
    **{
        name: name
        for name in ("benadryl", "ketamine", "oxycodone", "oxycontin", "diazepam", "alcohol", "lithium", "clonazepam")
    },
    **dict.fromkeys(
        ("aspirin", "atorvastatin", "calcium", "omeprazole", "acetaminophen", "alcoholswab", "vitaminb12"), KNOWN
    ),
}
READER = LineReader(WORDS, NAMES, NAMES.get)


def one(text: str) -> Listed:
    (medicine,) = READER.read(text).medicines
    return medicine


def names(medicine: Listed) -> list[str]:
    return [squeezed(name.text) for name in medicine.names]


def left(line: Line) -> list[str]:
    return [part.text for part in line.leftover]


def test_no_phrase_of_the_lists_means_two_things() -> None:
    assert Phrases(WORDS).flaws == []  # type: ignore[arg-type]


def test_a_line_of_a_record_is_read_whole() -> None:
    line = READER.read("LORazepam (ATIVAN) 0.5 mg tablet, take 1 tablet by mouth daily as needed for anxiety")
    (medicine,) = line.medicines
    assert names(medicine) == ["lorazepam", "ativan"]
    assert (medicine.strengths[0].amount, medicine.strengths[0].unit) == (0.5, "mg")
    assert (medicine.amounts[0].count, medicine.amounts[0].of) == (1, "tablet")
    assert medicine.routes[0].value == "oral"
    assert medicine.schedule == "as_needed"
    assert medicine.reasons[0].indication == "anxiety"
    assert line.leftover == ()


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("daily", 1),
        ("q.d.", 1),
        ("od", 1),
        ("b.i.d.", 2),
        ("BD", 2),
        ("tds", 3),
        ("TID", 3),
        ("qds", 4),
        ("mane", 1),
        ("nocte", 1),
        ("q.h.s.", 1),
        ("qam and qpm", 2),
        ("1-0-1", 2),
        ("1-1-1-1", 4),
        ("0-0-1", 1),
        ("every 8 hours", 3),
        ("q8h", 3),
        ("q 12 h", 2),
        ("3 times a day", 3),
        ("three times daily", 3),
        ("in the morning and at night", 2),
        ("daily at bedtime", 1),
        ("2x daily", 2),
        ("einmal täglich", 1),
        ("3 x tgl.", 3),
        ("morgens und abends", 2),
        ("2 fois par jour", 2),
        ("matin, midi et soir", 3),
        ("toutes les 8 heures", 3),
        ("cada 8 horas", 3),
        ("2 veces al día", 2),
        ("por la mañana", 1),
        ("alle 6 Stunden", 4),
        ("1x/day", 1),
    ],
)
def test_what_plainly_says_daily_is_daily(said: str, times: float) -> None:
    medicine = one(f"Xanax 1 mg {said}")
    assert (medicine.schedule, medicine.times_a_day) == ("daily", times)


@pytest.mark.parametrize(
    "said", ["prn", "p.r.n.", "as needed", "bei Bedarf", "si besoin", "si precisa", "daily prn", "q6h prn", "bid as needed"]
)
def test_what_is_taken_as_needed_is_not_daily(said: str) -> None:
    assert one(f"Xanax 1 mg {said}").schedule == "as_needed"


@pytest.mark.parametrize("said", ["weekly", "once a week", "every 7 days", "1x/week", "wöchentlich", "every Monday"])
def test_what_plainly_says_weekly_is_weekly(said: str) -> None:
    assert one(f"Xanax 1 mg {said}").schedule == "weekly"


@pytest.mark.parametrize(
    "said",
    [
        "every other day",
        "monthly",
        "three times a week",
        "MWF",
        "every 2 weeks",
        "every 3 days",
        "once",
        "taper",
        "1 tab daily and 1 tab prn",
    ],
)
def test_what_is_neither_daily_nor_weekly_is_not_guessed_at(said: str) -> None:
    line = READER.read(f"Xanax 1 mg {said}")
    assert [medicine.schedule for medicine in line.medicines] == [None]
    assert line.medicines[0].frequencies
    assert line.leftover == ()


@pytest.mark.parametrize(
    ("said", "indication"),
    [
        ("prn anxiety", "anxiety"),
        ("for panic attacks", "anxiety"),
        ("PRN insomnia", "insomnia"),
        ("for seizures", "epilepsy"),
        ("for alcohol withdrawal", "alcohol_withdrawal"),
        ("gegen Angst", "anxiety"),
        ("para dormir", "insomnia"),
        ("for back pain", "pain"),
        ("for bipolar disorder", "bipolar"),
        ("for catatonia", "catatonia"),
        ("for high blood pressure", "blood_pressure"),
        ("for hypertension", "blood_pressure"),
        ("for heart failure", "heart"),
        ("for migraine", "migraine"),
        ("for ADHD", "adhd"),
        ("for opioid use disorder", "opioid_use_disorder"),
        ("for nightmares", "ptsd_nightmares"),
        ("for foot fungus", None),
        ("for allergies", "other"),
    ],
)
def test_a_reason_is_read_where_it_is_plain(said: str, indication: str | None) -> None:
    line = READER.read(f"lorazepam 1 mg {said}")
    assert line.medicines[0].reasons[0].indication == indication
    assert line.medicines[0].status is None
    assert line.leftover == ()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Xanax (allergic)", "allergy"),
        ("Allergies: Xanax", "allergy"),
        ("allergic to Xanax", "allergy"),
        ("Allergie gegen Xanax", "allergy"),
        ("Xanax - stopped", "stopped"),
        ("Xanax 1 mg (discontinued)", "stopped"),
        ("d/c'd Xanax", "stopped"),
        ("no longer taking Xanax", "stopped"),
        ("hx of Xanax", "stopped"),
        ("Xanax (stopped last month)", "stopped"),
        ("Xanax abgesetzt", "stopped"),
        ("Xanax suspendido", "stopped"),
        ("not taking Xanax", "not_taken"),
        ("denies Xanax", "not_taken"),
        ("no Xanax", "not_taken"),
        ("Xanax: patient not taking", "not_taken"),
        ("currently taking Xanax", "taking"),
        ("continue Xanax 1 mg", "taking"),
    ],
)
def test_the_status_of_a_medicine_is_read_wherever_it_stands(text: str, status: str) -> None:
    medicine = one(text)
    assert names(medicine) == ["xanax"]
    assert medicine.status is not None
    assert medicine.status.value == status


def test_a_status_counts_for_the_medicines_it_is_said_of_and_no_others() -> None:
    said = {
        "stopped sertraline, now on Xanax": ["stopped", "taking"],
        "sertraline - stopped; Xanax": ["stopped", None],
        "sertraline, Xanax (stopped)": [None, "stopped"],
        "no Xanax or Ativan": ["not_taken", "not_taken"],
        "no longer taking Xanax, Ativan and codeine": ["stopped", "stopped", "stopped"],
        "no Xanax, sertraline 50 mg": ["not_taken", None],
    }
    for text, statuses in said.items():
        medicines = READER.read(text).medicines
        assert [medicine.status and medicine.status.value for medicine in medicines] == statuses, text


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "None.",
        "NKDA",
        "no known medications",
        "N/A",
        "-",
        "nil",
        "Allergies: NKDA",
        "Medications: none",
        "keine",
        "aucun",
        "ninguna",
        "No current meds",
    ],
)
def test_a_line_that_says_there_is_nothing_names_no_medicine(text: str) -> None:
    line = READER.read(text)
    assert line.says_none
    assert (line.medicines, line.leftover) == ((), ())


@pytest.mark.parametrize(
    "text", ["Benadryl cream", "ketamine 10 % cream", "lorazepam 1 % ointment", "Benadryl eye drops", "Benadryl topical gel"]
)
def test_what_stays_on_the_skin_or_in_the_eye_is_local(text: str) -> None:
    assert one(text).local


@pytest.mark.parametrize(
    "text",
    ["Benadryl 25 mg capsule", "clonazepam nasal spray", "diazepam rectal gel", "codeine patch", "lorazepam injection"],
)
def test_what_reaches_the_blood_is_not_local(text: str) -> None:
    assert not one(text).local


def test_several_medicines_of_one_line_keep_what_is_said_of_each() -> None:
    aspirin, lisinopril, xanax = READER.read(
        "Aspirin 81 mg daily, lisinopril 10 mg q8h and Xanax 1 mg bid prn insomnia"
    ).medicines
    assert (aspirin.schedule, aspirin.strengths[0].amount) == ("daily", 81)
    assert (lisinopril.times_a_day, lisinopril.reasons) == (3, ())
    assert (xanax.schedule, xanax.reasons[0].indication) == ("as_needed", "insomnia")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12 HR Oxycodone Hydrochloride 40 MG Extended Release Oral Tablet [OxyContin]", ["oxycodone", "oxycontin"]),
        ("Acetaminophen 325 MG / Oxycodone Hydrochloride 5 MG Oral Tablet", ["acetaminophen", "oxycodone"]),
        ("Abuse-Deterrent 12 HR Oxycodone Hydrochloride 10 MG Extended Release Oral Tablet", ["oxycodone"]),
        ("Lorazepam 2 MG/ML Injectable Solution", ["lorazepam"]),
        ("NDA020503 200 ACTUAT Lorazepam 0.09 MG/ACTUAT Metered Dose Inhaler", ["lorazepam"]),
        ("72 HR Codeine 0.025 MG/HR Transdermal System", ["codeine"]),
        ("0.5 ML Sertraline 12.5 MG/ML Oral Solution", ["sertraline"]),
    ],
)
def test_a_name_of_rxnorm_is_one_medicine(text: str, found: list[str]) -> None:
    assert names(one(text)) == found


def test_salts_and_makers_behind_a_name_are_no_medicine() -> None:
    assert names(one("Atorvastatin calcium 40 mg Teva")) == ["atorvastatin"]


def test_words_that_nothing_explains_show() -> None:
    line = READER.read("Xanax blue bars 1 mg qwerty")
    assert left(line) == ["blue", "bars", "qwerty"] or left(line) == ["blue bars", "qwerty"]
    assert left(READER.read("Zorvolex 1 mg")) == ["Zorvolex"]


def test_a_word_of_everyday_is_a_medicine_only_where_nothing_unexplained_stands_beside_it() -> None:
    assert READER.read("lithium grease").medicines[0].names == ()
    assert names(one("lithium 300 mg")) == ["lithium"]
    assert names(one("alcohol swab")) == ["alcoholswab"]
    assert READER.read("alcohol swob").medicines[0].names == ()


@pytest.mark.parametrize(
    "written",
    [
        "Xa\u200bnax 1 mg",
        "Xa\xadnax 1 mg",
        "Ｘanax 1 mg",
        "Xanax&nbsp;1&#160;mg",
        "XANAX® 1 mg",
        "`Xanax` 1 mg",
        "\ufeffXanax 1 mg",
        "- Xanax 1 mg",
        "• Xanax 1 mg",
        "3) Xanax 1 mg",
        "2. Xanax 1 mg",
        "Xanax\t1 mg",
        "XANAX-1 mg",
        "Xanax 1mg",
        "Xanax 1 mg\n",
        "[x] Xanax 1 mg",
    ],
)
def test_the_way_it_was_typed_hides_nothing(written: str) -> None:
    medicine = one(written)
    assert names(medicine) == ["xanax"]
    assert medicine.strengths[0].amount == 1


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_the_form_of_unicode_makes_no_difference(form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    said = unicodedata.normalize(form, "Xanax 1 mg por la mañana, para la ansiedad ½ tab")
    medicine = one(said)
    assert (medicine.schedule, medicine.reasons[0].indication, medicine.amounts[0].count) == ("daily", "anxiety", 0.5)


def test_a_turkish_keyboard_hides_no_letter() -> None:
    assert names(one("LİSİNOPRİL 10 mg")) == names(one("lısınoprıl 10 mg")) == ["lisinopril"]


def stretches(line: Line) -> list[Stretch]:
    parts: list[Stretch] = [*line.leftover]
    for medicine in line.medicines:
        for field in medicine.__struct_fields__:
            value = getattr(medicine, field)
            parts += [part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, Stretch)]
    return parts


PIECES = st.sampled_from(
    [
        "Xanax",
        "sertraline",
        "foo",
        "1",
        "0.5 mg",
        "1/2",
        "tablet",
        "daily",
        "prn",
        "for",
        "anxiety",
        "(",
        ")",
        ",",
        ";",
        "\n",
        "stopped",
        "no",
        "since",
        "2021",
        "&amp;",
        "½",
        "é",
        "\u200b",
        "-",
        "/",
        "[",
        "#30",
        "q8h",
        "1-0-1",
        "and",
        "calcium",
        "%",
        "İ",
        "take",
        "mg",
        "hx of",
        "q.d.",
    ]
)


@given(
    st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=14).map(" ".join), st.lists(PIECES, max_size=14).map("".join))
)
def test_every_part_is_the_stretch_of_the_text_that_it_was_read_from(text: str) -> None:
    line = READER.read(text)
    for part in stretches(line):
        assert 0 <= part.start < part.end <= len(text)
        assert text[part.start : part.end] == part.text
    assert READER.read(text) == line


@given(st.text(max_size=60))
def test_plain_text_keeps_the_way_back(text: str) -> None:
    folded, places = plain(text)
    assert len(places) == len(folded) + 1
    assert list(places) == sorted(places)
    assert plain(folded)[0] == folded or "&" in text


@given(
    st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=4, unique=True),
    st.sampled_from([", ", "; ", " and ", "\n", " 1 mg, "]),
)
def test_no_name_is_lost_among_others(listed: list[str], between: str) -> None:
    found = [name for medicine in READER.read(between.join(listed)).medicines for name in names(medicine)]
    assert sorted(found) == sorted(listed)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("switched from Xanax to Ativan 1 mg bid", [("xanax", "stopped"), ("ativan", "taking")]),
        ("Xanax 1 mg changed to Ativan 1 mg", [("xanax", "stopped"), ("ativan", "taking")]),
        ("replaced Xanax with Ativan", [("xanax", "stopped"), ("ativan", "taking")]),
        (
            "switched from Xanax and Ativan to diazepam",
            [("xanax", "stopped"), ("ativan", "stopped"), ("diazepam", "taking")],
        ),
        ("switched from Xanax, sertraline 50 mg daily", [("xanax", "stopped"), ("sertraline", None)]),
        ("sertraline (switched from Xanax)", [("sertraline", None), ("xanax", "stopped")]),
        ("switching from Xanax to Ativan", [("xanax", "on_hold"), ("ativan", "taking")]),
        ("cross taper Xanax to diazepam", [("xanax", "on_hold"), ("diazepam", "taking")]),
        ("Xanax -> Ativan 1 mg", [("xanax", "on_hold"), ("ativan", "taking")]),
        ("sertraline 50 mg; insurance switched to Ativan", [("sertraline", "on_hold"), ("ativan", "taking")]),
        ("Xanax changed from 1 mg to 0.5 mg", [("xanax", None)]),
        ("Xanax 1 mg changed to as needed", [("xanax", None)]),
        ("dose changed 3/2/26, Xanax 1 mg", [("xanax", None)]),
        ("codeine -> vomiting", [("codeine", None)]),
        ("Xanax instead of Ativan", [("xanax", None), ("ativan", "not_taken")]),
        ("Xanax 2 mg instead of 1 mg", [("xanax", None)]),
        ("mom did well on sertraline", [("sertraline", "not_taken")]),
        ("per daughter takes Xanax", [("xanax", "taking")]),
        ("diazepam for my dog", [("diazepam", "not_taken")]),
    ],
)
def test_of_a_switch_the_first_ended_and_both_count_where_nobody_can_tell(
    line: str, said: list[tuple[str, str | None]]
) -> None:
    found = [(names(one)[0], one.status.value if one.status else None) for one in READER.read(line).medicines if one.names]
    assert found == said


def test_lists_that_are_put_together_share_one_tree_and_say_what_stands_twice() -> None:
    assert WORDS is not None
    tree = Phrases(WORDS).tree
    assert tree["mother"]["responded"] is tree["cousin"]["responded"]
    flaws = Phrases(msgspec.structs.replace(WORDS, filler=(*WORDS.filler, "mother takes"))).flaws
    assert [one.path for one in flaws] == [("relatives", WORDS.relatives.index("mother"))]


@pytest.mark.parametrize(
    ("name", "text", "recognition"),
    [
        ("timolol", "1 drop each eye bid", "known"),
        ("timolol", "timolol 1 drop each eye bid", "known"),
        ("timolol", "ophthalmic route", "known"),
        ("ketamine", "topical", "known"),
        ("timolol", "10 mg twice daily", "read"),
        ("timolol", "oral route", "read"),
        # What stays where it is put is something else.
        ("hydroxyzine 25 mg", "apply topical lidocaine", "read"),
        ("hydroxyzine", "apply topical lidocaine", "read"),
        ("hydroxyzine", "25 mg at night; lotion for itch", "read"),
        # Through the skin to the whole body.
        ("fentanyl", "transdermal route", "read"),
        ("estradiol", "topical", "read"),
    ],
)
def test_where_a_medicine_is_put_counts_where_it_stands_beside_the_name(name: str, text: str, recognition: str) -> None:
    assert BOOK.catalogue.resolve(0, Medication(name=name, text=text)).recognition == recognition


def test_what_is_one_letter_from_a_salt_is_no_second_medicine_unless_it_goes_with_the_first() -> None:
    apart = BOOK.catalogue.resolve(0, Medication(text="promethazine HCt 25 mg"))
    assert apart.match is not None
    assert [row.ingredient for row in apart.match.ingredients] == ["promethazine"]
    assert apart.unknown_parts == ("HCt",)
    together = BOOK.catalogue.resolve(0, Medication(text="losartan HCT 50/12.5 mg"))
    assert together.match is not None
    assert [row.ingredient for row in together.match.ingredients] == ["losartan", "hydrochlorothiazide"]
