"""What is compared with a misspelt name: never fewer than all names that are one or two slips away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from careplan.recognition.near_index import NearIndex
from careplan.recognition.vocabulary import WideVocabulary
from tests.shipped import BOOK

SHIPPED = [name for name in BOOK.medicines.known_names if len(name) > 4]
LETTERS = st.text(alphabet="abc", min_size=5, max_size=9)


@st.composite
def slipped(draw: st.DrawFn, names: st.SearchStrategy[str], most: int = 2) -> tuple[str, str]:
    """A name, and what one or two slips make of it."""
    name = draw(names)
    made = name
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, len(made) - 2))
        letter = draw(st.sampled_from("abce"))
        made = draw(
            st.sampled_from(
                (
                    made[:at] + letter + made[at + 1 :],
                    made[:at] + letter + made[at:],
                    made[:at] + made[at + 1 :],
                    made[:at] + made[at + 1] + made[at] + made[at + 2 :],
                )
            )
        )
    return name, made


@given(st.lists(LETTERS, min_size=1, max_size=20, unique=True), LETTERS)
def test_every_name_within_reach_of_a_word_is_compared_with_it(names: list[str], key: str) -> None:
    index = NearIndex(names)
    for slips in (1, 2):
        compared = [
            name for length in range(len(key) - slips, len(key) + slips + 1) for name in index.within(key, length, slips)
        ]
        assert {name for name in names if OSA.distance(name, key) <= slips} <= set(compared)


@given(slipped(st.sampled_from(SHIPPED)))
def test_no_slip_in_a_shipped_name_takes_it_out_of_reach(case: tuple[str, str]) -> None:
    name, made = case
    slips = OSA.distance(name, made)
    if 0 < slips <= 2:
        assert name in NearIndex([name]).within(made, len(name), slips)


@given(st.lists(LETTERS, min_size=1, max_size=8, unique=True), slipped(LETTERS))
def test_a_harmless_name_within_reach_is_never_passed_over(others: list[str], case: tuple[str, str]) -> None:
    name, made = case
    slips = OSA.distance(name, made)
    if 0 < slips <= 2 and len(made) > 3 and made[0] == name[0]:
        near = WideVocabulary(" ".join([name, *others])).known_like(made, slips)
        assert any(name in several for several in near)
