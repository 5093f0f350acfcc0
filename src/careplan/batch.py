"""Many patients, one a line (NDJSON): each line answered by a plan or by a problem, in order, one never stopping another.

A line is a patient, as our JSON or as a FHIR Bundle. It may carry a `request_key` (of a Bundle, the value of its
identifier), which comes back with the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from careplan.difference import items_of
from careplan.errors import Fault, InvalidPatient, Problem, problem_of
from careplan.fhir.outcome import outcome
from careplan.fhir.reading import FhirReader, FromFhir, with_unmapped
from careplan.fhir.writing import FhirWriter
from careplan.patient import Patient, Protocol
from careplan.plan import CarePlan
from careplan.planner import Planner

LONGEST_LINE = 262_144
"""Bytes; as much as one request may have."""
LONGEST_KEY = 200
LINE = "urn:careplan:line"
"""The extension in which a FHIR answer carries the number of its line."""
_MARK = b"\xef\xbb\xbf"
_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Line(NamedTuple):
    """A line with its number, counted from 1. `content` is None where it was too long to be kept."""

    number: int
    content: bytes | None
    ended: bool = True


class Lines:
    """Cuts a stream into lines, keeping at most one and nothing of one that is too long. Blank lines only count."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._lost = False
        self.number = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that end in this piece of the stream."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._add(chunk[start:end])
            start = end + 1
            yield from self._line(ended=True)
        self._add(chunk[start:])

    def close(self) -> Iterator[Line]:
        """What is left where the stream ends without a line end."""
        if self._rest or self._lost:
            yield from self._line(ended=False)

    def _add(self, piece: bytes) -> None:
        if self._lost:
            return
        self._rest += piece
        if len(self._rest) > self._longest:
            self._lost = True
            self._rest.clear()

    def _line(self, *, ended: bool) -> Iterator[Line]:
        self.number += 1
        content, lost = bytes(self._rest), self._lost
        self._rest.clear()
        self._lost = False
        if self.number == 1:
            content = content.removeprefix(_MARK)
        if lost:
            yield Line(self.number, None, ended)
        elif content.strip():
            yield Line(self.number, content, ended)


class Answer(NamedTuple):
    """The answer to one line: its bytes without a line end, what it is, and the rules behind it."""

    body: bytes
    kind: str
    rules: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it is a problem and no plan."""
        return self.kind.startswith("problem")


class Answering:
    """Answers lines with one planner. Belongs to the thread that made the planner."""

    def __init__(self, planner: Planner, protocol: Protocol | None = None, *, as_fhir: bool = False) -> None:
        self._planner = planner
        self._protocol = protocol
        self._as_fhir = as_fhir
        self._reader = FhirReader(planner.book, planner.intake)
        self._writer = FhirWriter()

    def answer(self, line: Line) -> Answer:
        """A plan, or the problem with the line. Never raises for what a line holds."""
        key: str | None = None
        try:
            body = self._planner.intake.parse(_content(line))
            key = self._key(body)
            if isinstance(body, dict) and body.get("resourceType") is not None:
                read = self._reader.read(body)
                return self._planned(line, key, read.patient.under(self._protocol), read)
            if isinstance(body, dict):
                body.pop("request_key", None)
            patient = self._planner.intake.convert(body).under(self._protocol)
            return self._planned(line, key, patient, None)
        except InvalidPatient as error:
            return self._refused(line, key, error)

    @staticmethod
    def _key(body: object) -> str | None:
        """What the sender calls the line. Raises `InvalidPatient` for a key that is none."""
        if not isinstance(body, dict):
            return None
        identifier = body.get("identifier") if body.get("resourceType") == "Bundle" else None
        key = identifier.get("value") if isinstance(identifier, dict) else body.get("request_key")
        if key is None or (isinstance(key, str) and len(key) <= LONGEST_KEY):
            return key
        pointer = "/identifier/value" if identifier else "/request_key"
        raise InvalidPatient([Fault(pointer=pointer, detail=f"must be a text of at most {LONGEST_KEY} characters")])

    def _planned(self, line: Line, key: str | None, patient: Patient, read: FromFhir | None) -> Answer:
        if read is None and not self._as_fhir:
            status, rules, encoded = self._planner.summed_up(patient)
            return Answer(_around(line, key, b"plan", encoded), status, rules)
        plan = with_unmapped(self._planner.plan(patient), read)
        if not self._as_fhir:
            return Answer(_around(line, key, b"plan", _encode(plan)), plan.status, _rules(plan))
        bundle: Json = self._writer.bundle(plan, patient, read)
        # A Bundle has no extensions of its own; its meta has.
        bundle["meta"] = bundle.get("meta", {}) | {"extension": [{"url": LINE, "valuePositiveInt": line.number}]}
        if key is not None:
            bundle["identifier"] = {"value": key}
        return Answer(_encode(bundle), plan.status, _rules(plan))

    def _refused(self, line: Line, key: str | None, error: InvalidPatient) -> Answer:
        found = problem_of(error)
        cut = "" if line.ended else " The last line has no line end, so it may have been cut off."
        found = msgspec.structs.replace(found, detail=f"Line {line.number}: {found.detail}{cut}")
        kind = "problem: " + ("not JSON" if found.status == 400 else "too long" if line.content is None else "faults")
        if not self._as_fhir:
            return Answer(_around(line, key, b"problem", _encode(found)), kind)
        return Answer(_encode(_outcome(line, key, found)), kind)


def _content(line: Line) -> bytes:
    if line.content is None:
        raise InvalidPatient([Fault(pointer="", detail="is longer than a line may be")])
    return line.content


def _around(line: Line, key: str | None, name: bytes, body: bytes) -> bytes:
    return b'{"line":%d,"request_key":%s,"%s":%s}' % (line.number, _encode(key), name, body)


def _outcome(line: Line, key: str | None, found: Problem) -> Json:
    marks: list[Json] = [{"url": LINE, "valuePositiveInt": line.number}]
    if key is not None:
        marks.append({"url": "urn:careplan:request-key", "valueString": key})
    return {"resourceType": "OperationOutcome", "extension": marks} | outcome(found, root=None, whole="the line")


def _rules(plan: CarePlan) -> tuple[str, ...]:
    return tuple(item.rule.id for item in items_of(plan))


class Answers(NamedTuple):
    """The answers to several lines, and what they come to."""

    bodies: list[bytes]
    problems: list[bytes]
    kinds: Counter[str]
    rules: Counter[str]


def answered(answering: Answering, lines: list[Line]) -> Answers:
    """The answers to several lines, in order."""
    found = [answering.answer(line) for line in lines]
    return Answers(
        [answer.body for answer in found],
        [answer.body for answer in found if answer.failed],
        Counter(answer.kind for answer in found),
        Counter(rule for answer in found for rule in answer.rules),
    )
