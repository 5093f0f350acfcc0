"""One patient told in different ways is one patient: other order, spelling and form change nothing that is found.

The written-out patients, the examples and random ones; every medicine by every name it is known by.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.patient import Patient
from tests.clinical.reading import CODES, bundle, condition, ingredients, record_of, request_of, sayable, split
from tests.everyday import one_in, one_of_each
from tests.patients import patients
from tests.shipped import BOOK
from tests.sizes import cases

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
WRITTEN = {
    path.stem: json.loads(path.read_text())
    for path in sorted([*(ROOT / "tests" / "golden" / "patients").glob("*.json"), *(ROOT / "examples").glob("*.json")])
}
LISTS = ("medications", "conditions", "other_conditions", "goals")
QUIET = "known-entries-without-a-rule"
ROWS = ingredients()
BY_NAME = {name.casefold(): row for row in ROWS for name in (row["name"], *split(row["names"]), *split(row["brands"]))}
LEVELS = ["note", "caution", "hold", "stop"]
STRENGTH = re.compile(r"\s+\d[\d.]* ?(?:mg|mcg)\b.*$")
"""The strength in the name of an entry, and what stands behind it."""


def items(planner: Planner, body: Any) -> list[Any]:
    """The items of a plan, of a body or of a patient who was read already."""
    plan = planner.plan(planner.intake.convert(body) if isinstance(body, dict) else body)
    return items_of(plan)


def plain(name: str) -> str:
    """The name of what an item is about, without the brand behind it."""
    return re.sub(r" \([^)]*\)$", "", name)


def findings(found: list[Any]) -> Counter[tuple[str, str, tuple[str, ...]]]:
    return Counter((item.rule.id, item.level, tuple(sorted(plain(about.name) for about in item.about))) for item in found)


def listed(body: Json, name: str) -> list[Any]:
    found: list[Any] = (body.get("expectations", {}) if name == "goals" else body).get(name) or []
    return found


def with_list(body: Json, name: str, entries: list[Any]) -> Json:
    if name == "goals":
        return body | {"expectations": body["expectations"] | {"goals": entries}}
    return body | {name: entries}


def shuffled(body: Json, seed: int) -> Json:
    chance = random.Random(seed)  # noqa: S311
    for name in LISTS:
        if entries := listed(body, name):
            body = with_list(body, name, chance.sample(entries, len(entries)))
    return body


def renamed(body: Json, naming: Any) -> Json:
    """The patient with each medicine of which the name is known called otherwise."""
    medicines = [one | {"name": naming(one["name"])} if "name" in one else one for one in listed(body, "medications")]
    return with_list(body, "medications", medicines) if medicines else body


def as_brand(name: str) -> str:
    """A brand for a name that is a generic one."""
    generic = STRENGTH.sub("", name)
    row = BY_NAME.get(generic.casefold())
    brands = split(row["brands"]) if row else []
    return brands[0] + name[len(generic) :] if row and brands and generic.casefold() == row["name"].casefold() else name


def as_line(name: str) -> str:
    return f"{name} 50 mg tablet" if name.casefold() in BY_NAME else name


def in_capitals(name: str) -> str:
    return name.upper() if STRENGTH.sub("", name).casefold() in BY_NAME else name


SPELLINGS = {"a brand for the generic name": as_brand, "in capitals": in_capitals, "with strength and form": as_line}


# Order.


@pytest.mark.parametrize("name", one_in(4, WRITTEN))
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_medicines_illnesses_and_goals_changes_nothing(planner: Planner, name: str, seed: int) -> None:
    body = WRITTEN[name]
    assert findings(items(planner, shuffled(body, seed))) == findings(items(planner, body))


@given(data=st.data())
@settings(max_examples=cases(12))
def test_the_order_changes_nothing_for_any_patient(planner: Planner, data: st.DataObject) -> None:
    body = data.draw(patients(BOOK))
    assert findings(items(planner, shuffled(body, 3))) == findings(items(planner, body))


# Spelling.


@pytest.mark.parametrize("row", one_of_each(lambda row: row["classes"], ROWS, lambda row: str(row["ingredient"]), number=6))
def test_a_medicine_is_the_same_by_every_name_it_is_known_by(planner: Planner, row: dict[str, str]) -> None:
    def found(name: str) -> Counter[tuple[str, str, tuple[str, ...]]]:
        return findings(items(planner, {"medications": [{"name": name, "schedule": "daily"}], "conditions": []}))

    generic = found(row["name"])
    for name in (*split(row["names"]), *split(row["brands"])):
        assert found(name) == generic, name
    for name in (row["name"].upper(), row["name"].title(), f"{row['name']} 50 mg tablet", f"  {row['name']}  "):
        assert found(name) == generic, name


@pytest.mark.parametrize("name", one_in(4, WRITTEN))
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_of_the_medicines_changes_nothing(planner: Planner, name: str, spelling: str) -> None:
    body = WRITTEN[name]
    assert findings(items(planner, renamed(body, SPELLINGS[spelling]))) == findings(items(planner, body))


@given(data=st.data())
@settings(max_examples=cases(12))
def test_another_spelling_changes_nothing_for_any_patient(planner: Planner, data: st.DataObject) -> None:
    body = data.draw(patients(BOOK))
    spelling = data.draw(st.sampled_from(sorted(SPELLINGS)))
    assert findings(items(planner, renamed(body, SPELLINGS[spelling]))) == findings(items(planner, body))


def test_the_spellings_reach_the_written_out_patients() -> None:
    for naming in SPELLINGS.values():
        assert sum(renamed(body, naming) != body for body in WRITTEN.values()) >= 10


# A record for a request.


def on_its_day(body: dict[str, Any], of_record: Patient) -> dict[str, Any]:
    """The body with the day that a record of it is of, as a record has one where a body need not."""
    return body if "as_of" in body or of_record.as_of is None else body | {"as_of": of_record.as_of}


@pytest.mark.parametrize("name", one_in(4, WRITTEN))
def test_a_record_of_the_same_patient_gives_the_same_findings(planner: Planner, name: str) -> None:
    body = sayable(WRITTEN[name])
    of_record = request_of(planner, record_of(body))
    assert findings(items(planner, of_record)) == findings(items(planner, on_its_day(body, of_record)))


@given(data=st.data())
@settings(max_examples=cases(20))
def test_a_record_gives_the_same_findings_for_any_patient(planner: Planner, data: st.DataObject) -> None:
    body = sayable(data.draw(patients(BOOK)))
    of_record = request_of(planner, record_of(body))
    assert findings(items(planner, of_record)) == findings(items(planner, on_its_day(body, of_record)))


@pytest.mark.parametrize("name", one_in(4, WRITTEN))
def test_the_order_of_a_record_changes_nothing(planner: Planner, name: str) -> None:
    record = record_of(sayable(WRITTEN[name]))
    other = bundle(*reversed(record["entry"]))
    assert findings(items(planner, request_of(planner, other))) == findings(items(planner, request_of(planner, record)))


def test_most_illnesses_have_a_code_of_their_own() -> None:
    assert sum(map(bool, CODES.values())) >= 30


# A known medicine more.


def told(found: list[Any]) -> Counter[tuple[Any, ...]]:
    """All that items say, but for the one that lists what no rule concerns."""
    return Counter(
        (item.rule.id, item.level, item.title, item.patient_text, item.clinician_text, str(item.hold), *item.because)
        for item in found
        if item.rule.id != QUIET
    )


def check_known_medicine_more(planner: Planner, body: Json, name: str) -> None:
    more = with_list(body, "medications", [*listed(body, "medications"), {"name": name}])
    before, after = items(planner, body), items(planner, more)
    assert told(after) == told(before)
    assert any(name in item.clinician_text for item in after if item.rule.id == QUIET)


@pytest.mark.parametrize("name", one_in(4, [name for name, body in WRITTEN.items() if listed(body, "medications")]))
@pytest.mark.parametrize("medicine", ["magnesium oxide", "fexofenadine", "pravastatin"])
def test_a_known_medicine_more_changes_nothing_but_the_quiet_line(planner: Planner, name: str, medicine: str) -> None:
    check_known_medicine_more(planner, WRITTEN[name], medicine)


@given(data=st.data())
@settings(max_examples=cases(12))
def test_a_known_medicine_more_changes_nothing_for_any_patient(planner: Planner, data: st.DataObject) -> None:
    body, medicine = data.draw(patients(BOOK)), data.draw(st.sampled_from(["vitamin D", "loratadine"]))
    assume(listed(body, "medications") and medicine not in json.dumps(body).casefold())
    check_known_medicine_more(planner, body, medicine)


# An entry that stands there twice.


def check_nothing_is_lost(before: list[Any], after: list[Any]) -> None:
    def worst(found: list[Any]) -> dict[tuple[str, str], int]:
        pairs: dict[tuple[str, str], int] = {}
        for item in found:
            for name in [plain(about.name) for about in item.about] or [""]:
                key = (item.rule.id, name)
                pairs[key] = max(pairs.get(key, 0), LEVELS.index(item.level))
        return pairs

    now = worst(after)
    lost = {key: level for key, level in worst(before).items() if now.get(key, -1) < level}
    assert not lost


def doubled(body: Json, name: str, at: int) -> Json:
    entries = listed(body, name)
    return with_list(body, name, [*entries, entries[at]])


@pytest.mark.parametrize("name", one_in(4, WRITTEN))
@pytest.mark.parametrize("which", LISTS)
def test_an_entry_that_stands_there_twice_takes_nothing_away(planner: Planner, name: str, which: str) -> None:
    body = WRITTEN[name]
    before = items(planner, body)
    for at in range(len(listed(body, which))):
        check_nothing_is_lost(before, items(planner, doubled(body, which, at)))


@given(data=st.data())
@settings(max_examples=cases(12))
def test_a_doubled_entry_takes_nothing_away_for_any_patient(planner: Planner, data: st.DataObject) -> None:
    body, which = data.draw(patients(BOOK)), data.draw(st.sampled_from(LISTS))
    entries = listed(body, which)
    assume(entries)
    at = data.draw(st.integers(0, len(entries) - 1))
    check_nothing_is_lost(items(planner, body), items(planner, doubled(body, which, at)))


@pytest.mark.parametrize(
    "written",
    ["zzq syndrome", "possible asthma", "BP 130/80", "denies seizures", "seasonal allergies", "depression", "? lupus"],
)
def test_one_illness_that_may_be_unread_leaves_the_history_as_unknown_from_a_record_as_from_a_request(
    planner: Planner, written: str
) -> None:
    record = bundle(condition("only", "", written))
    asked = [
        {item.rule.id for item in items(planner, told)} & {"conditions-not-asked", "no-conditions-reported"}
        for told in ({"other_conditions": [written]}, request_of(planner, record))
    ]
    assert asked[0] == asked[1]
    assert bool(asked[0]) == (written not in {"seasonal allergies", "depression", "? lupus"})
