"""What is offered for a misspelt name: the nearest names that rules look at, unless a harmless one is as near."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from careplan.recognition.medicine_catalogue import Match
from careplan.recognition.near_names import LONG, MOST_OFFERS, NearNames
from careplan.recognition.vocabulary import WideVocabulary
from tests.shipped import BOOK

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
def test_the_nearest_names_within_reach_are_offered_in_their_order(names: list[str], key: str) -> None:
    row = BOOK.catalogue.ingredients["lorazepam"]
    meant = {name: Match((msgspec.structs.replace(row, ingredient=name, classes=("made_up",)),)) for name in names}
    distances = {name: OSA.distance(name, key) for name in names}
    reach = 1 if len(key) < LONG else 2
    nearest = min(distances.values())
    expected = [name for name in names if distances[name] == nearest] if nearest <= reach else []
    offered = NearNames(meant, WideVocabulary(), ()).offers(key)
    assert [match.ingredients[0].ingredient for match in offered] == expected[:MOST_OFFERS]


@given(st.lists(LETTERS, min_size=1, max_size=8, unique=True), slipped(LETTERS))
def test_a_harmless_name_within_reach_is_never_passed_over(others: list[str], case: tuple[str, str]) -> None:
    name, made = case
    slips = OSA.distance(name, made)
    if 0 < slips <= 2 and len(made) > 3 and made[0] == name[0]:
        near = WideVocabulary(" ".join([name, *others])).known_like(made, slips)
        assert any(name in several for several in near)
