"""Whom a patient is told to call follows the region of the clinic, in every text and both languages."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from careplan.plan.emergency_numbers import EmergencyNumbers
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.request.clinic import Clinic, Region
from careplan.rulebook.numbers_checks import check_numbers, numbers_not_read
from careplan.rulebook.numbers_to_call import NumbersOfSomeDays, RegionalNumbers
from careplan.rulebook.sources import SourceRef
from tests.patients import Json
from tests.plans import plan_of
from tests.shipped import BOOK

NUMBERS = {"us": "911", "ca": "911", "uk": "999", "eu": "112", "au": "000"}
OF_THE_US = re.compile(r"\b(?:911|988|838255)\b")
URGENT: Json = {
    "conditions": ["hypertension", "heart_or_vessel_disease"],
    "red_flags": {"chest_pain_now": True, "suicidal_thoughts": "passive"},
}
CALM: Json = {"conditions": ["heart_or_vessel_disease"], "medications": [{"name": "Xyrem"}]}


def read_by_patients(plan: CarePlan) -> str:
    """All that somebody at home reads of a plan."""
    items = items_of(plan)
    asked = [ask.what for item in items for ask in item.asks]
    card = msgspec.json.encode(plan.card).decode()
    return "\n".join([plan.crisis, card, *asked, *(item.patient_text for item in items)])


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("body", [URGENT, CALM], ids=["urgent", "calm"])
@pytest.mark.parametrize("region", ["uk", "eu", "au"])
def test_no_number_of_the_united_states_is_read_elsewhere(planner: Planner, region: str, body: Json, language: str) -> None:
    text = read_by_patients(plan_of(planner, {**body, "clinic": {"region": region}}, language))
    assert NUMBERS[region] in text
    assert not OF_THE_US.search(text)


@pytest.mark.parametrize("region", sorted(NUMBERS))
def test_an_emergency_is_called_in_by_the_number_of_the_region(planner: Planner, region: str) -> None:
    plan = plan_of(planner, {**URGENT, "clinic": {"region": region}})
    (alert,) = (item for item in plan.alerts if item.rule.id == "chest-pain-right-now")
    assert f"Call {NUMBERS[region]} now" in alert.patient_text
    assert f"call {NUMBERS[region]}" in [ask.what for ask in alert.asks]


@pytest.mark.parametrize("body", [URGENT, CALM], ids=["urgent", "calm"])
def test_where_nobody_knows_where_the_clinic_is_each_line_is_named_with_its_country(planner: Planner, body: Json) -> None:
    text = read_by_patients(plan_of(planner, body))
    assert "United States and Canada: call or text 988." in text
    assert "United Kingdom and Ireland: call 116 123." in text
    assert text.count("988") == text.count("United States and Canada: call or text 988.")
    assert "838255" not in text and "13 11 14" not in text
    alone = re.compile(r"[Cc]all 911(?! or 112|, 112 or your local)")
    assert not alone.search(text), "a number of one country alone is no number for everywhere"
    assert "Other places: ____" in text


def test_what_is_safe_anywhere_is_said_in_spanish_too() -> None:
    said = EmergencyNumbers(BOOK).of(None, "es")
    assert said["emergency"] == "911 o 112"
    assert "Estados Unidos: 988, y pulse 2." in said["crisis"] and "____" in said["crisis"]


@pytest.mark.parametrize(
    ("clinic", "line", "emergency"),
    [
        ({"region": "us"}, "988", "911"),
        ({"region": "ca"}, "9-8-8", "911"),
        ({"region": "au"}, "13 11 14", "000"),
        ({"region": "uk"}, "116 123", "999"),
        ({"region": "eu"}, "____", "112"),
        ({"zone": "America/New_York"}, "988li", "911"),
        ({"zone": "US/Pacific"}, "988li", "911"),
        ({"zone": "America/Toronto"}, "9-8-8", "911"),
        ({"zone": "Europe/London"}, "116 123", "999"),
        ({"zone": "Australia/Perth"}, "13 11 14", "000"),
        ({"zone": "Pacific/Auckland"}, "1737", "111"),
        ({"zone": "Europe/Dublin"}, "116 123", "112"),
        ({"zone": "Europe/Berlin"}, "0800 1110111", "112"),
        ({"zone": "Europe/Berlin", "region": "eu"}, "0800 1110111", "112"),
        ({"zone": "Europe/Vienna"}, "142", "112"),
        ({"zone": "Europe/Paris"}, "3114", "112"),
        ({"zone": "Europe/Madrid"}, "024", "112"),
        ({"zone": "Europe/Amsterdam"}, "113", "112"),
        ({"zone": "Europe/Warsaw", "region": "eu"}, "____", "112"),
        ({"zone": "Europe/Warsaw"}, "____", "911 or 112"),
        ({"zone": "America/Mexico_City"}, "____", "911 or 112"),
        ({"zone": "UTC"}, "____", "911 or 112"),
        ({"zone": "Europe/Berlin", "region": "us"}, "988li", "911"),
        ({"zone": "America/New_York", "region": "eu"}, "____", "112"),
        ({}, "____", "911 or 112"),
    ],
)
def test_region_and_time_zone_say_whom_to_call(clinic: Json, line: str, emergency: str) -> None:
    numbers = EmergencyNumbers(BOOK)
    for language in ("en", "es"):
        said = numbers.of(Clinic(**clinic), language)
        assert line in said["crisis"]
        assert said["emergency"] == (emergency if language == "en" else emergency.replace(" or ", " o "))
        assert emergency in said["crisis"] or " or " in emergency


def test_every_line_that_a_patient_can_be_given_was_read_somewhere() -> None:
    places = (*BOOK.about.regions.values(), *BOOK.about.countries.values())
    assert [path for one in places for path in numbers_not_read(one, BOOK.sources)] == []
    invented = msgspec.structs.replace(places[0], crisis="Call 555 0100.", sources=())
    assert list(numbers_not_read(invented, BOOK.sources)) == [("crisis",)]
    blank = msgspec.structs.replace(places[0], crisis="Call ____, or 911 in danger.", sources=())
    assert list(numbers_not_read(blank, BOOK.sources)) == []


LATER = NumbersOfSomeDays(crisis="Call 5550.", emergency="555", valid_from="2027-01-01")


def test_the_day_of_a_plan_decides_which_number_is_called() -> None:
    ends = msgspec.structs.replace(BOOK.about.regions["us"], by_day=(LATER,))
    about = msgspec.structs.replace(BOOK.about, regions={"us": ends})
    numbers = EmergencyNumbers(msgspec.structs.replace(BOOK, about=about))
    then = {day: numbers.of(Clinic(region="us"), day=day) for day in (None, "2026-12-31", "2027-01-01")}
    assert "988" in then[None]["crisis"] and "988" in then["2026-12-31"]["crisis"]
    assert then["2027-01-01"] == {"crisis": "Call 5550.", "emergency": "555"}
    assert numbers.of(Clinic(region="us"), "es", "2027-01-01") == then["2027-01-01"]


US = BOOK.about.regions["us"]


@pytest.mark.parametrize(
    ("numbers", "path", "says"),
    [
        ({"zones": ("Mars/Olympus",)}, ("zones", 0), "no time zone Mars/Olympus"),
        ({"zones": ("Europe/London",)}, ("zones",), "regions.uk has the time zone Europe/London as well"),
        (
            {"sources": (SourceRef(source="a-book", place="p", strength="label"),)},
            ("sources", 0, "source"),
            "no source a-book",
        ),
        ({"by_day": (NumbersOfSomeDays(crisis="x"),)}, ("by_day", 0), "needs its first or its last day"),
        ({"by_day": (LATER, LATER)}, ("by_day",), "hold on the same day"),
        (
            {"by_day": (msgspec.structs.replace(LATER, valid_until="2026-01-01"),)},
            ("by_day", 0, "valid_until"),
            "before it begins",
        ),
        (
            {"by_day": (msgspec.structs.replace(LATER, valid_from="2026-02-30"),)},
            ("by_day", 0, "valid_from"),
            "no day of the",
        ),
    ],
)
def test_what_is_wrong_with_numbers_to_call_is_told_at_its_place(numbers: Json, path: tuple[Any, ...], says: str) -> None:
    noted: list[tuple[tuple[Any, ...], str, str]] = []

    class Notes:
        def fault(self, path: tuple[Any, ...], problem: str, mend: str, *, code: str = "form") -> None:
            noted.append((path, problem, mend))

    regions: dict[Region, RegionalNumbers] = {"uk": BOOK.about.regions["uk"], "us": msgspec.structs.replace(US, **numbers)}
    check_numbers(regions, {}, BOOK.sources, Notes())
    assert [(one[0], says in one[1]) for one in noted] == [(("regions", "us", *path), True)]
    assert all(mend for _, _, mend in noted)


def test_the_right_number_counts_for_more_than_the_language() -> None:
    numbers = EmergencyNumbers(BOOK)
    assert numbers.of(Clinic(region="uk"), "xx") == numbers.of(Clinic(region="uk"))
