"""What readings of each measure are taken for: at both sides of its bounds, in each unit, on each day, by each code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec

from careplan.errors import InvalidPatient
from careplan.facts.measured import Measuring
from careplan.fhir.read.bundle import FhirReader
from careplan.recognition.units import factor
from careplan.request.decode import Intake
from careplan.request.measurements import readings
from careplan.rulebook.measures import Measure
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import number
from tests.in_short.edition import Edition

_TODAY = "2026-11-30"


class _Readings:
    """Sends readings, as a request and as a record, and says what became of them."""

    def __init__(self, book: Rulebook) -> None:
        self._measuring = Measuring(book)
        self._intake = Intake(book.conditions, book.classes, book.forms)
        self._records = FhirReader(book, self._intake)

    def sent(self, name: str, value: object, **more: object) -> str:
        """What becomes of a reading in a request."""
        body = {"as_of": _TODAY, "measures": {name: {"value": value} | more}}
        try:
            found = self._measuring.of(self._intake.decode(msgspec.json.encode(body)))
        except InvalidPatient:
            return "refused"
        if name in found.taken:
            return _value(found.taken[name].value)
        return "an earlier value" if name in found.earlier else "asked again" if found.checks else "set aside"

    def recorded(self, code: str, value: dict[str, Any]) -> str:
        """Which measure an observation with this code is, and its value."""
        coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
        about = {"resourceType": "Observation", "status": "final", "effectiveDateTime": _TODAY, "code": coded}
        entries = [{"resourceType": "Patient", "id": "1"}, about | {"subject": {"reference": "Patient/1"}} | value]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
        found = self._records.read(bundle).patient.measures
        return (
            ", ".join(f"{name} {_value(one.value)}" for name, sent in found.items() for one in readings(sent or []))
            or "nothing"
        )


def measures(now: Edition, asked: Edition) -> Iterator[str]:
    """The measures of one rulebook as the readers of another take their readings."""
    sender = _Readings(now.book)
    yield "# Measures in short: what readings are taken for\n"
    yield "A value just outside of what can be meant is asked again, and an old one says nothing of today."
    for name, one in sorted(asked.book.vocabulary.measures.items()):
        yield f"\n## {name}\n"
        if name not in now.book.vocabulary.measures:
            yield "It is gone."
            continue
        yield from (f"- {line}" for line in _of_one(sender, name, one, now.book.vocabulary.measures[name]))


def _of_one(sender: _Readings, name: str, one: Measure, now: Measure) -> Iterator[str]:
    plain = _plain_value(one)
    if one.plausible is not None and one.plausible.least is not None and one.plausible.most is not None:
        step = 1 if one.whole else 0.5
        least, most = one.plausible.least, one.plausible.most
        for value in (least - step, least, most, most + step):
            yield f"{number(value)} {one.unit}: {sender.sent(name, value)}".replace(" :", ":")
    for unit, meant in one.units.items():
        same = round(float(plain) / (factor(meant, one.unit) or 1.0), 3)
        yield f"{number(same)} {unit}: {sender.sent(name, same, unit=unit)} {one.unit}"
    for days in (
        one.counts_days,
        one.counts_days + 1,
        one.counts_days + one.earlier_days,
        one.counts_days + one.earlier_days + 1,
    ):
        yield f"{days} days old: {sender.sent(name, plain, at=_days_ago(days))}"
    for code in one.loinc:
        yield f"LOINC {code}: {sender.recorded(code, _coded(one, plain))}"
    for answer, codes in one.answers.items():
        yield f"answer {answer}: {sender.sent(name, _answer(answer))}"
        for system, listed in (("http://loinc.org", codes.loinc), ("http://snomed.info/sct", codes.snomed)):
            for code in listed if one.loinc else ():
                coded = {"valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}
                yield f"answer {answer} by the code {code}: {sender.recorded(one.loinc[0], coded)}"
    scores = ", ".join(f"{code} {number(score)}" for code, score in now.scores.items())
    told = [
        f"the {now.graver} is graver",
        f"scores {scores}" if scores else "",
        f"assessed as {now.assessed_as}" if now.assessed_as else "",
    ]
    if now.ages is not None:
        told.append(f"made for ages {now.ages.least} to {now.ages.most}")
    if now.change is not None:
        told.append(
            ", ".join(
                f"{field.replace('_', ' ')} {_value(value)}" for field, value in msgspec.structs.asdict(now.change).items()
            )
        )
    yield "; ".join(part for part in told if part)


def _plain_value(one: Measure) -> str | bool | float:
    if one.answers:
        return _answer(next(iter(one.answers)))
    assert one.plausible is not None and one.plausible.least is not None and one.plausible.most is not None
    middle = (one.plausible.least + one.plausible.most) / 2
    return float(round(middle))


def _coded(one: Measure, value: str | float) -> dict[str, Any]:
    """A value as a record has it."""
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, str):
        code = next(iter(one.answers.values()))
        system, chosen = (
            ("http://loinc.org", code.loinc[0]) if code.loinc else ("http://snomed.info/sct", (*code.snomed, "")[0])
        )
        return {"valueCodeableConcept": {"coding": [{"system": system, "code": chosen}], "text": value}}
    return {"valueQuantity": {"value": value, "code": one.unit}} if one.unit else {"valueInteger": int(value)}


def _answer(answer: str) -> str | bool:
    return {"true": True, "false": False}.get(answer, answer)


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _days_ago(days: int) -> str:
    return (date.fromisoformat(_TODAY) - timedelta(days=days)).isoformat()
