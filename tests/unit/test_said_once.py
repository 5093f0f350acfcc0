"""What is left out of a record, said once for each kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from careplan.fhir.read.said_once import said_once
from careplan.plan.model import NotConsidered

KINDS = st.sampled_from(["Claim", "Encounter", "Body height"])
REASONS = st.sampled_from(["Resources of this type are not read.", "It is too old."])
LEFT_OUT = st.lists(st.tuples(KINDS, REASONS, st.sampled_from(["", "/code"])), max_size=30)


def reported(left_out: list[tuple[str, str, str]]) -> list[NotConsidered]:
    return [
        NotConsidered(pointer=f"/entry/{at}/resource{part}", what=what, why=why)
        for at, (what, why, part) in enumerate(left_out)
    ]


@given(LEFT_OUT)
def test_the_numbers_add_up_to_everything_that_was_left_out(left_out: list[tuple[str, str, str]]) -> None:
    said = said_once(reported(left_out))
    assert sum(one.number or 1 for one in said) == len(left_out)


@given(LEFT_OUT)
def test_each_kind_is_said_once_at_its_first_place_and_parts_of_entries_by_themselves(
    left_out: list[tuple[str, str, str]],
) -> None:
    sent = reported(left_out)
    said = said_once(sent)
    whole = [(one.what, one.why.partition(" There are ")[0]) for one in said if one.pointer.endswith("/resource")]
    assert len(set(whole)) == len(whole)
    assert [one for one in said if one.pointer.endswith("/code")] == [one for one in sent if one.pointer.endswith("/code")]
    by_pointer = {one.pointer: one for one in sent}
    assert all(by_pointer[one.pointer].what == one.what for one in said)
    places = [int(one.pointer.split("/")[2]) for one in said]
    assert places == sorted(places)


def test_the_number_is_said_in_words_as_well() -> None:
    (said,) = said_once(reported([("Claim", "Resources of this type are not read.", "")] * 1_200))
    assert said.number == 1_200
    assert said.why.endswith("There are 1,200 such entries in the record; this is the first.")
