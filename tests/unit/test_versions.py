"""Which of several entries for one resource counts, held against the rule as it is said, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.fhir.read.datetimes import later, moment_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.versions import DELETED, OLDER, ORDERED, TWICE, Mark, Version, is_newer, superseded
from tests.sizes import cases
from tests.work import counted

Json = dict[str, Any]
TIMES = [
    *(None, "2021", "2021-05", "2021-05-01", "2021-05-02", "2021-05-01T10:00:00Z", "2021-05-01T11:00:00+01:00"),
    *("2021-05-02T00:30:00+14:00", "2020-01-01T00:00:00Z"),
]
ENTRIES = st.tuples(
    st.sampled_from(["said", "other", "deleted"]),
    st.sampled_from(TIMES),
    st.sampled_from([None, None, 1, 2, 3]),
    st.integers(0, 9).map(lambda number: number == 0),
)
Sent = tuple[str, str | None, int | None, bool]


def version(at: int, sent: Sent) -> Version:
    said, when, number, ordering = sent
    entry: Json = {}
    if said == "deleted":
        entry = {"request": {"method": "DELETE"}, "response": {"lastModified": when} if when else {}}
    else:
        meta = {"lastUpdated": when, "versionId": None if number is None else str(number)}
        known = {name: value for name, value in meta.items() if value is not None}
        entry = {"resource": {"resourceType": "Condition", "said": said, "meta": known}}
    element = Element(entry, f"/entry/{at}", [])
    return Version("one", element, element.child("resource") if "resource" in entry else None, ordering)


def as_it_is_said(sent: Sequence[Sent], *, history: bool) -> Iterator[str | None]:
    marks = [Mark(moment_of(when), None if said == "deleted" else number) for said, when, number, _ in sent]
    newest = 0
    for at, mark in enumerate(marks):
        newest = at if is_newer(mark, marks[newest]) else newest
    for at, (said, _, _, ordering) in enumerate(sent):
        others = [other for other in range(len(sent)) if other != at]
        before = range(at)
        if said == "deleted":
            yield DELETED
        elif not ordering and any(sent[other][3] for other in others):
            yield ORDERED
        elif any(is_newer(marks[other], marks[at]) for other in others) or (
            history and any(not is_newer(marks[at], marks[other]) for other in before)
        ):
            yield DELETED if sent[newest][0] == "deleted" else OLDER
        elif not history and any(sent[other][0] == "deleted" and not is_newer(marks[at], marks[other]) for other in others):
            yield DELETED
        elif any(not is_newer(marks[at], marks[other]) and sent[other][0] == said for other in before):
            yield TWICE
        else:
            yield None


@settings(max_examples=cases(200))
@given(st.lists(ENTRIES, min_size=2, max_size=7), st.booleans())
def test_of_several_entries_those_are_set_aside_that_the_rule_names(sent: list[Sent], history: bool) -> None:  # noqa: FBT001
    found = {one.entry.pointer: why for one, why in superseded([*map(version, range(9), sent)], history=history)}
    assert [found.get(f"/entry/{at}") for at in range(len(sent))] == [*as_it_is_said(sent, history=history)]


def test_a_time_is_newer_only_where_that_is_sure() -> None:
    year, month, day = (moment_of(text) for text in ("2021", "2021-05", "2021-06-01"))
    assert year and month and day
    assert later(day, month)
    assert not later(day, year)
    assert is_newer(Mark(year, 2), Mark(year, 1))
    assert not is_newer(Mark(year, 1), Mark(day, 2))


@pytest.mark.long
def test_the_work_of_many_entries_for_one_resource_goes_by_their_number_and_not_by_its_square() -> None:
    for entry in [("said", "2021", 3, False), ("said", None, None, False), ("deleted", "2021-05", 1, False)]:
        many = [version(at, entry if at % 2 else ("other", TIMES[at % len(TIMES)], at % 4, False)) for at in range(4_000)]
        for history in (False, True):
            with counted() as work_of_few:
                assert len([*superseded(many[:1_000], history=history)]) > 900
            with counted() as work:
                assert len([*superseded(many, history=history)]) > 3_600
            assert work.count < 6 * work_of_few.count
