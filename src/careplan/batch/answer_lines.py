"""Many patients, one a line (NDJSON): each line answered by a plan or by a problem, in order, one never stopping another.

A line is a patient, as our JSON or as a FHIR Bundle. It may carry a `request_key` (of a Bundle, the value of its
identifier), which comes back with the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from careplan.batch.ndjson import NORMAL, Limits, Line
from careplan.errors import Fault, InvalidPatient, Problem, problem_of
from careplan.fhir.read.bundle import FhirReader, FromFhir, with_unmapped
from careplan.fhir.write.operation_outcome import outcome
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.plan.layers import at_detail
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.request.patient import NO_DEFAULTS, ClinicDefaults, Patient

LONGEST_KEY = 200
LINE = "urn:careplan:line"
"""The extension in which a FHIR answer carries the number of its line."""
FILE = "urn:careplan:file"
"""The extension that names the file of the line, where answers to several files stand together."""
KEY = "urn:careplan:request-key"
_TOO_LONG = "is longer than a line may be"
_NO_MEMORY = "there was no memory left for this line. Send it again; the other lines are answered."
_FAILED = "the service failed on this line. This is a defect; the other lines are answered."
_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Answer(NamedTuple):
    """The answer to one line: its bytes without a line end, what it is, and the rules behind it."""

    body: bytes
    kind: str
    rules: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it is a problem and no plan."""
        return self.kind.startswith("problem")


class Reader:
    """Reads lines: patients as our JSON or as FHIR Bundles, under the clinic's protocol."""

    def __init__(self, planner: Planner, defaults: ClinicDefaults, limits: Limits) -> None:
        self._intake = planner.intake
        self._fhir = FhirReader(planner.book, planner.intake)
        self._defaults = defaults
        self._limits = limits

    def parse(self, line: Line) -> object:
        """The JSON of a line. Raises `InvalidPatient`."""
        if line.content is None:
            raise _too_long(self._limits.longest)
        try:
            parse = self._fhir.parse if b'"resourceType"' in line.content else self._intake.parse
            body = parse(line.content)
        except InvalidPatient as error:
            if b"\0" not in line.content:
                raise
            said = error.faults[0]
            hint = f"{said.detail}; it holds zero bytes, as UTF-16 does, and only UTF-8 is read"
            raise InvalidPatient([msgspec.structs.replace(said, detail=hint)]) from None
        record = isinstance(body, dict) and body.get("resourceType") is not None
        limit = self._limits.record if record else self._limits.body
        if len(line.content) > limit:
            raise _too_long(limit)
        return body

    @staticmethod
    def key(body: object) -> str | None:
        """What the sender calls the line. Raises `InvalidPatient` for a key that is none."""
        if not isinstance(body, dict):
            return None
        identifier = body.get("identifier") if body.get("resourceType") == "Bundle" else None
        key = identifier.get("value") if isinstance(identifier, dict) else body.get("request_key")
        if key is None or (isinstance(key, str) and len(key) <= LONGEST_KEY):
            return key
        pointer = "/identifier/value" if identifier else "/request_key"
        raise InvalidPatient([Fault(pointer=pointer, detail=f"must be a text of at most {LONGEST_KEY} characters")])

    def patient(self, body: object) -> tuple[Patient, FromFhir | None]:
        """The patient, and what they were read from if that was FHIR. Raises `InvalidPatient`."""
        if isinstance(body, dict) and body.get("resourceType") is not None:
            read = self._fhir.read(body)
            return read.patient.under(self._defaults), read
        if isinstance(body, dict):
            body.pop("request_key", None)
        return self._intake.convert(body).under(self._defaults), None


def _too_long(limit: int) -> InvalidPatient:
    return InvalidPatient([Fault(pointer="", detail=f"{_TOO_LONG}, which is {limit:,} bytes")])


class Answering:
    """Answers lines with one planner."""

    def __init__(
        self,
        planner: Planner,
        defaults: ClinicDefaults = NO_DEFAULTS,
        *,
        as_fhir: bool = False,
        limits: Limits = NORMAL,
        on_failure: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """`on_failure` is told of a defect of ours, which is answered as the problem of its line alone."""
        self.on_failure = on_failure
        self._planner = planner
        self._reader = Reader(planner, defaults, limits)
        self._as_fhir = as_fhir
        self._writer = FhirWriter()

    def answer(self, line: Line) -> Answer:
        """A plan, or the problem with the line. Never raises, whatever a line holds and whatever is wrong with us."""
        try:
            return self._answer(line)
        except Exception as error:  # noqa: BLE001 - no line may take the others with it; its words may quote the patient
            self.on_failure(error)
            found = Problem(title="Internal Server Error", status=500, detail=f"Line {line.number}: {_FAILED}")
            if isinstance(error, MemoryError):
                found = Problem(title="Service Unavailable", status=503, detail=f"Line {line.number}: {_NO_MEMORY}")
            body = (
                _encode(_outcome(line, None, found, ""))
                if self._as_fhir
                else _around(line, None, b"problem", _encode(found))
            )
            return Answer(body, "problem: failed")

    def _answer(self, line: Line) -> Answer:
        key: str | None = None
        try:
            body = self._reader.parse(line)
            key = self._reader.key(body)
            patient, read = self._reader.patient(body)
        except InvalidPatient as error:
            return self._refused(line, key, error)
        return self._planned(line, key, patient, read)

    def _planned(self, line: Line, key: str | None, patient: Patient, read: FromFhir | None) -> Answer:
        plan = with_unmapped(self._planner.plan(patient), read)
        if not self._as_fhir:
            return Answer(_around(line, key, b"plan", _encode(at_detail(plan, "standard"))), plan.status, _rules(plan))
        bundle: Json = self._writer.bundle(plan, patient, read, key)
        # A Bundle has no extensions of its own; its meta has.
        bundle["meta"] = bundle.get("meta", {}) | {"extension": [{"url": LINE, "valuePositiveInt": line.number}]}
        if key is not None:
            bundle["identifier"] = {"value": key}
        return Answer(_encode(bundle), plan.status, _rules(plan))

    def _refused(self, line: Line, key: str | None, error: InvalidPatient) -> Answer:
        found = problem_of(error)
        cut = "" if line.ended else "The last line has no line end, so it may have been cut off."
        found = msgspec.structs.replace(found, detail=f"Line {line.number}: {found.detail} {cut}".rstrip())
        long = found.errors[0].detail.startswith(_TOO_LONG)
        kind = "problem: " + ("too long" if long else "not JSON" if found.status == 400 else "faults")
        if not self._as_fhir:
            return Answer(_around(line, key, b"problem", _encode(found)), kind)
        return Answer(_encode(_outcome(line, key, found, cut)), kind)


def _around(line: Line, key: str | None, name: bytes, body: bytes) -> bytes:
    return b'{"line":%d,"request_key":%s,"%s":%s}' % (line.number, _encode(key), name, body)


def _outcome(line: Line, key: str | None, found: Problem, cut: str) -> Json:
    marks: list[Json] = [{"url": LINE, "valuePositiveInt": line.number}]
    if key is not None:
        marks.append({"url": KEY, "valueString": key})
    said = outcome(found, root=None, whole="the line")
    if cut:
        said["issue"].append({"severity": "information", "code": "incomplete", "details": {"text": cut}})
    return {"resourceType": "OperationOutcome", "extension": marks} | said


def of_file(body: bytes, file: str) -> bytes:
    """An answer that names the file of its line as well."""
    if body.startswith(b'{"line":'):
        return b'{"file":%s,' % _encode(file) + body[1:]
    found: Json = msgspec.json.decode(body)
    holder: Json = found.get("meta", found)
    holder["extension"].append({"url": FILE, "valueString": file})
    return _encode(found)


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


class Summary(msgspec.Struct, kw_only=True):
    """What a batch came to. `problems` counts by kind, `rules` the items of each rule."""

    lines: int = 0
    plans: int = 0
    blocked: int = 0
    failed: int = 0
    problems: dict[str, int] = {}
    rules: dict[str, int] = {}

    def add(self, answers: Answers) -> None:
        """Count some answers."""
        kinds = answers.kinds
        self.merge(
            Summary(
                lines=kinds.total(),
                plans=kinds["draft"] + kinds["blocked"],
                blocked=kinds["blocked"],
                failed=len(answers.problems),
                problems={kind.removeprefix("problem: "): n for kind, n in kinds.items() if kind.startswith("problem")},
                rules=answers.rules,
            )
        )

    def merge(self, other: Summary) -> None:
        """Count what another batch came to as well."""
        self.lines += other.lines
        self.plans += other.plans
        self.blocked += other.blocked
        self.failed += other.failed
        self.problems = dict(sorted((Counter(self.problems) + Counter(other.problems)).items()))
        self.rules = dict(sorted((Counter(self.rules) + Counter(other.rules)).items()))
