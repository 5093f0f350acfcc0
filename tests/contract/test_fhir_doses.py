"""The dose a day of a medicine in a record: by its dosage, and the same as that of a line that says it in words."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.medicine_model import MedicineRead
from tests.contract.records import patient, read, reported, statement
from tests.shipped import reader_of, shared_planner

Json = dict[str, Any]

PLANNER = shared_planner()
READER = reader_of(PLANNER)
ALPRAZOLAM = "alprazolam 0.25 MG Oral Tablet"


def every(frequency: int = 1, period: float = 1, unit: str = "d", **rest: object) -> Json:
    return {"timing": {"repeat": {"frequency": frequency, "period": period, "periodUnit": unit} | rest}}


def of(value: float, unit: str = "mg") -> Json:
    return {"doseAndRate": [{"doseQuantity": {"value": value} | ({"unit": unit} if unit else {})}]}


def between(low: float, high: float, unit: str = "mg") -> Json:
    ends = {"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}
    return {"doseAndRate": [{"doseRange": ends}]}


def by_code(code: str) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
    return {"timing": {"code": {"coding": [{"system": system, "code": code}]}}}


NEEDED = {"asNeededBoolean": True}
MAXIMUM = {"maxDosePerPeriod": {"numerator": {"value": 2, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}}}
LINES: dict[str, tuple[Json, str]] = {
    "once a day": (every() | of(0.5), "0.5 mg once a day"),
    "three times a day": (every(3) | of(0.5), "0.5 mg three times a day"),
    "tablets": (every(3) | of(2, "tablet"), "2 tablets three times a day"),
    "tablets by their UCUM annotation": (every(3) | of(2, "{tbl}"), "2 tablets three times a day"),
    "pieces without a unit": (every(2) | of(1, ""), "1 tablet twice a day"),
    "half a tablet": (every(1) | of(0.5, "TAB"), "half a tablet once a day"),
    "every eight hours": (every(1, 8, "h") | of(0.25), "0.25 mg every 8 hours"),
    "every six to eight hours": (every(1, 6, "h", periodMax=8) | of(0.25), "0.25 mg every 6 to 8 hours"),
    "twice in twelve hours": (every(2, 12, "h") | of(0.25), "0.25 mg four times a day"),
    "every half day": (every(1, 0.5, "d") | of(0.25), "0.25 mg every 12 hours"),
    "once or twice": (every(1, frequencyMax=2) | of(0.5), "0.5 mg 1 to 2 times a day"),
    "a range": (every(2) | between(0.25, 0.5), "0.25 to 0.5 mg twice a day"),
    "a range of tablets": (every(2) | between(1, 2, "tablet"), "1 to 2 tablets twice a day"),
    "micrograms": (every(2) | of(250, "ug"), "250 mcg twice a day"),
    "as needed, so many times": (every(3) | of(0.5) | NEEDED, "0.5 mg three times a day as needed"),
    "as needed for a reason": (every(2) | of(0.5) | {"asNeededFor": [{"text": "panic"}]}, "0.5 mg twice a day as needed"),
    "as needed": (of(0.5) | NEEDED, "0.5 mg as needed"),
    "as needed, with a limit": (of(0.5) | NEEDED | MAXIMUM, "0.5 mg as needed, max 2 mg daily"),
    "by a code": (by_code("BID") | of(0.5), "0.5 mg twice a day"),
    "every six hours by a code": (by_code("Q6H") | of(0.5), "0.5 mg every 6 hours"),
    "at moments of the day": (every(2, when=["MORN", "HS"]) | of(0.5), "0.5 mg twice a day"),
    "once a week": (every(1, 1, "wk") | of(0.5), "0.5 mg once a week"),
    "with words that say the same": (every(2) | of(0.5) | {"text": "take 0.5 mg 2 times a day"}, "0.5 mg twice a day"),
    "as versions before R4 have it": (every(2) | {"doseQuantity": {"value": 0.5, "code": "mg"}}, "0.5 mg twice a day"),
}


def of_record(*dosages: Json, name: str = ALPRAZOLAM) -> MedicineRead:
    found = read(READER, patient(), statement("m", name, dosage=list(dosages)))
    (medicine,) = PLANNER.plan(found.patient).medications
    return medicine


@pytest.mark.parametrize("kind", LINES)
def test_a_dosage_gives_the_dose_a_day_that_its_words_give(kind: str) -> None:
    dosage, words = LINES[kind]
    sent = PLANNER.intake.convert({"medications": [{"name": ALPRAZOLAM, "text": words}]})
    (written,) = PLANNER.plan(sent).medications
    medicine = of_record(dosage)
    assert written.doses_a_day
    assert medicine.doses_a_day == written.doses_a_day


def test_the_dose_is_what_it_should_be() -> None:
    doses = [of_record(LINES[kind][0]).doses_a_day[0].mg for kind in ("tablets", "every six to eight hours")]
    assert [(dose.least, dose.most) for dose in doses if dose] == [(1.5, 1.5), (0.75, 1.0)]
    limited = of_record(LINES["as needed, with a limit"][0]).doses_a_day[0].mg
    assert limited is not None
    assert (limited.least, limited.most) == (0.0, 2.0)


UNCLEAR: dict[str, list[Json]] = {
    "several dosages": [every(1) | of(0.5), every(1) | of(1)],
    "a dose of no unit and no form": [every(2) | of(1, "unit")],
    "a dose that is only bounded": [
        every(2) | {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "mg", "comparator": "<"}}]}
    ],
    "two doses": [every(2) | {"doseAndRate": [*of(1)["doseAndRate"], *of(2)["doseAndRate"]]}],
    "moments that contradict the frequency": [every(3, when=["MORN"]) | of(0.5)],
    "words with another figure": [every(2) | of(0.5) | {"text": "0.5 to 1 mg twice a day"}],
    "two different units in a range": [
        every(2)
        | {"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 1, "unit": "tablet"}}}]}
    ],
}


@pytest.mark.parametrize("kind", UNCLEAR)
def test_a_dosage_that_is_not_plain_bounds_no_dose_from_above(kind: str) -> None:
    doses = of_record(*UNCLEAR[kind]).doses_a_day
    assert all(dose.mg is None or dose.mg.most is None for dose in doses)


def test_a_dose_in_tablets_is_no_longer_left_out() -> None:
    found = read(READER, patient(), statement("m", ALPRAZOLAM, dosage=[every(2) | of(1, "tablet")]))
    assert not [what for what in reported(found) if what.startswith("dose of")]
