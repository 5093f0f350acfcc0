"""Whatever text is in a request or in a plan, every form of the plan is made of it, and shows something for each sign."""

from __future__ import annotations

import io
import re
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from rich.console import Console

from careplan.errors import InvalidPatient
from careplan.formats import text
from careplan.formats.html import page
from careplan.formats.markdown import markdown
from careplan.formats.pdf import pdf
from careplan.formats.signs import BOX, LONGEST, cuttable, printable, visible
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.request.patient import Patient
from tests.sizes import cases

FONTS = files("careplan.formats").joinpath("fonts")
FONT_FILES = sorted((one for one in FONTS.iterdir() if one.name.endswith(".ttf")), key=lambda one: one.name)
SIGNS_OF: dict[str, frozenset[int]] = {one.name: frozenset(TTFont(str(one)).getBestCmap()) for one in FONT_FILES}
SIGNS = frozenset[int]().union(*SIGNS_OF.values())
PLACES: tuple[tuple[Detail, Reader], ...] = (
    ("front", "all"),
    ("standard", "clinician"),
    ("full", "all"),
    ("full", "patient"),
)
HARD = "\x00\x07\x1b\x7f\x85\xad\u034f\u200b\u200d\u200e\u2028\u202e\u2066\ufe0f\ufeff\ufffd\U000e0041\U0010ffff"
SCRIPTS = (
    "日本語 ไทย हिन्दी العربية עברית Ελληνικά Кириллица Việt ẞß ﬁ ½ ☺ 😀 👩‍👩‍👧 👍🏽 🇺🇸 ❤️ e\u0301\u0301\u0301 ∑ → ☐ ■ € ₿"
)

anything = st.text(st.characters(exclude_categories=()), min_size=1, max_size=60)
words = st.one_of(
    anything,
    st.text(st.sampled_from(HARD + SCRIPTS), min_size=1, max_size=60),
    st.builds(lambda sign, times: sign * times, st.sampled_from("WiÄЖ日#*[<😀"), st.integers(100, 500)),
)


def write_everything(plan: CarePlan, patient: Patient, detail: Detail, reader: Reader) -> None:
    shown = page(plan, patient, None, detail, reader).decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert markdown(plan, patient, None, detail, reader).decode()
    console = Console(file=io.StringIO(), width=80)
    text.write(plan, patient, console, None, detail, reader)
    assert isinstance(console.file, io.StringIO)
    assert "\x1b" not in console.file.getvalue()


def rewritten(found: Any, one: str) -> Any:
    """A plan with its texts replaced, whatever checks a request would have to pass: tokens and ids stay."""
    kept = {"id", "level", "section", "scope", "topic", "status", "source", "by", "who", "pointer", "language", "digest"}
    if isinstance(found, msgspec.Struct):
        changes = {
            name: one
            if isinstance(value, str) and name in ("line", "title", "headline", "text", "what", "patient_text")
            else rewritten(value, one)
            for name in found.__struct_fields__
            if name not in kept and (value := getattr(found, name)) is not None
        }
        return msgspec.structs.replace(found, **changes)
    return [rewritten(entry, one) for entry in found] if isinstance(found, list) else found


@given(words)
@settings(max_examples=cases(54))
def test_what_is_printed_has_a_sign_for_each_character_and_places_to_cut_long_words(one: str) -> None:
    made = printable(one)
    assert {ord(char) for char in made} <= SIGNS
    assert printable(made) == made
    assert not any(len(part) > LONGEST for part in re.split("[\\s\u200b]", cuttable(one)))
    assert cuttable(one).replace("\u200b", "") == made


@given(words)
@settings(max_examples=cases(54))
def test_what_is_shown_neither_steers_a_terminal_nor_turns_a_line(one: str) -> None:
    made = visible(one)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]", made)
    assert len(made) == len(one)
    assert visible(made) == made
    assert made.encode()


@given(st.lists(words, min_size=5, max_size=5))
@settings(max_examples=cases(4), deadline=None)
def test_any_names_and_goals_of_a_request_come_out_in_every_form(planner: Planner, found: list[str]) -> None:
    medicine, illness, goal, clinic, line = found
    body: dict[str, Any] = {
        "medications": [{"name": medicine[:100]}, {"text": line[:100]}, {"name": "lorazepam"}],
        "other_conditions": [illness[:100]],
        "expectations": {"goals": [goal]},
        "clinic": {"name": clinic[:80]},
    }
    for left_out in ((), ("clinic",), ("clinic", "other_conditions"), ("clinic", "other_conditions", "medications")):
        try:
            patient = planner.intake.convert({key: value for key, value in body.items() if key not in left_out})
            break
        except InvalidPatient:
            continue
    else:
        reject()
    plan = planner.plan(patient)
    for detail, reader in PLACES:
        write_everything(plan, patient, detail, reader)
    assert pdf(plan, patient, detail="full")


@given(words)
@settings(max_examples=cases(2), deadline=None)
def test_any_text_at_any_place_of_a_plan_comes_out_in_every_form(planner: Planner, one: str) -> None:
    patient = planner.intake.convert({"medications": [{"name": "lorazepam", "schedule": "as_needed"}], "conditions": []})
    plan = rewritten(planner.plan(patient), one)
    for detail, reader in PLACES:
        write_everything(plan, patient, detail, reader)
    made = PdfReader(io.BytesIO(pdf(plan, patient, detail="full")))
    assert made.pages


def test_signs_of_other_scripts_show_as_boxes_and_the_foot_says_what_a_box_is(planner: Planner) -> None:
    patient = planner.intake.convert({"expectations": {"goals": [SCRIPTS]}, "medications": [{"name": "薬"}]})
    made = PdfReader(io.BytesIO(pdf(planner.plan(patient), patient)))
    shown = "".join(sheet.extract_text() for sheet in made.pages)
    assert BOX in shown
    assert "Ελληνικά Кириллица" in shown
    assert "stands for a character that this print has no sign for" in shown
    assert "日本語" in page(planner.plan(patient), patient).decode()


def test_a_pdf_is_set_in_the_fonts_of_the_package_alone(planner: Planner) -> None:
    patient = planner.intake.convert({"expectations": {"goals": [SCRIPTS]}})
    document = PdfReader(io.BytesIO(pdf(planner.plan(patient), patient, detail="full")))
    used = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for sheet in document.pages
        for font in sheet["/Resources"].get("/Font", {}).values()  # type: ignore[attr-defined]
    }
    assert used
    assert all(name.startswith("Noto") for name in used), used


def test_the_list_of_characters_is_that_of_the_fonts_and_their_licence_travels_with_them() -> None:
    assert [one.name for one in FONT_FILES] == [
        *("NotoEmoji-Regular.ttf", "NotoSans-Bold.ttf", "NotoSans-Regular.ttf"),
        *("NotoSansMath-Regular.ttf", "NotoSansSymbols-Regular.ttf", "NotoSansSymbols2-Regular.ttf"),
    ]
    assert sum(len(one.read_bytes()) for one in FONT_FILES) < 1_500_000
    assert SIGNS_OF["NotoSans-Bold.ttf"] == SIGNS_OF["NotoSans-Regular.ttf"]
    bounds = [line.split("-") for line in FONTS.joinpath("characters.txt").read_text().split()]
    assert {char for first, last in bounds for char in range(int(first, 16), int(last, 16) + 1)} == SIGNS
    assert "SIL OPEN FONT LICENSE Version 1.1" in FONTS.joinpath("OFL.txt").read_text()


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("one\ntwo\tthree", "one two three"),
        ("a\u202eb", f"a{BOX}b"),
        ("\x1b[31mred", f"{BOX}[31mred"),
        ("\ud800", BOX),
        ("👩\u200d👧", "👩\u200d👧"),
        ("plain", "plain"),
    ],
)
def test_what_cannot_be_seen_shows_as_a_box(sent: str, shown: str) -> None:
    assert visible(sent) == shown
