"""A usual line, read in one pass, says what the reader of all lines reads from it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from careplan.recognition.line import Line
from careplan.recognition.line_reader import LineReader
from careplan.recognition.plain_text import plain
from careplan.recognition.usual_line import usual_line
from tests.shipped import BOOK
from tests.unit.test_lines_as_written import ROWS
from tests.unit.test_medicine_lines import NAMES, READER

WRITTEN = [row[0] for row in ROWS]
OPENING = sorted(READER.tables.in_letters)
PHRASES = ["by mouth", "at bedtime", "as needed", "every 8 hours", "every 4 to 6 hours", "2 times a day", "twice daily"]
FIGURES = [
    "50 mg",
    "50mg",
    "0.5 mg",
    "5-10 mg",
    "1 tablet",
    "2 tabs",
    "20 mg/day",
    "20 mg per day",
    "1",
    "12",
    "1.",
    "up to 2",
]
SIGNS = [",", ":", "tablet:", "daily:", ".", "", " ", "(", ")", "-", "(Zoloft)", "(xanax)", "#30", "/", "and", "for"]


def read_the_same(reader: LineReader, text: str) -> bool:
    """True for a line that is not usual, too."""
    folded, places = plain(text)
    usual = usual_line(text, folded, reader.tables) if text.isascii() and "&" not in text else None
    return usual is None or reader.in_full(text, folded, places) == Line(text, (usual,))


def test_written_lines_are_read_the_same_and_many_of_them_are_usual() -> None:
    reader = BOOK.medicines.reader
    usual = [text for text in WRITTEN if text.isascii() and usual_line(text, plain(text)[0], reader.tables) is not None]
    assert len(usual) > len(WRITTEN) / 8
    assert [text for text in usual if not read_the_same(reader, text)] == []


@given(
    st.sampled_from([*NAMES, "Xanax XR", "vitamin b12", "alcohol"]),
    st.lists(st.sampled_from([*PHRASES, *FIGURES, *SIGNS]) | st.sampled_from(OPENING)),
    st.sampled_from([" ", " ", ", ", ""]),
)
@example("sertraline", ["50 mg", "tablet", "take", "1 tablet", "by mouth", "twice daily", "for", "depression"], " ")
def test_any_line_is_read_the_same(name: str, said: list[str], between: str) -> None:
    assert read_the_same(READER, f"{name} {between.join(said)}")


@given(st.lists(st.sampled_from([word for text in WRITTEN for word in text.split(" ")]), min_size=1, max_size=9))
def test_words_of_written_lines_in_any_order_are_read_the_same(words: list[str]) -> None:
    assert read_the_same(BOOK.medicines.reader, " ".join(words))


@given(st.sampled_from(WRITTEN), st.integers(0, 200), st.characters(max_codepoint=126))
def test_a_sign_anywhere_changes_nothing_of_that(text: str, at: int, sign: str) -> None:
    assert read_the_same(BOOK.medicines.reader, text[:at] + sign + text[at:])
