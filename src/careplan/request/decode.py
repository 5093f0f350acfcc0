"""From bytes to a valid `Patient`, or to the names of all that is wrong with them.

The quick way is one parse and one conversion. Only when that fails is the body held against the JSON Schema of the
request, which knows every fault where msgspec names the first one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, Protocol

import jiter
import msgspec
import msgspec.inspect
from rapidfuzz import process

from careplan.errors import Fault, InvalidPatient
from careplan.request.near_tokens import near_tokens, offer
from careplan.request.patient import FIRST_YEAR, LAST_YEAR, NOT_BLANK, PROTOCOL_FIGURES, YEARS, Patient, Treatment
from careplan.request.signature import unnamed

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker

MOST_FAULTS = 200
"""A problem document names at most this many faults and says when there are more."""

JsonSchema = dict[str, Any]

_CONDITION, _NO_TOKEN = re.compile(r"/conditions/(\d+)"), "must be one of the"
_FIELD_SHAPED = re.compile(r"[a-z]+(?:_[a-z0-9]+){0,6}")
_PARSER_POSITION = re.compile(r"line (\d+) column (\d+)")


class Intake:
    """Reads patients whose conditions and drug classes are tokens of one rulebook."""

    def __init__(
        self, conditions: Collection[str], drug_classes: Collection[str], words: Mapping[str, str] | None = None
    ) -> None:
        """`words` has what conditions are called, so that a plain name is answered with the token that is meant."""
        self._conditions = frozenset(conditions)
        self._words = dict.fromkeys(conditions, "") if words is None else words
        self._drug_classes = frozenset(drug_classes)

    def decode(self, body: bytes) -> Patient:
        """The patient in a UTF-8 JSON `body`.

        Raises `InvalidPatient` naming every fault by JSON Pointer: broken JSON, a key that stands twice, unknown
        fields, wrong types, tokens and limits.
        """
        return self.convert(self.parse(body))

    def parse(self, body: bytes) -> Any:
        """The data in a JSON `body`. Raises `InvalidPatient` for broken JSON and for a key that stands twice."""
        try:
            return jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
        except ValueError as error:
            raise InvalidPatient([Fault(pointer="", detail=_parse_problem(str(error)))]) from None

    def convert(self, data: object) -> Patient:
        """The patient in already parsed JSON; raises like `decode`."""
        try:
            patient = msgspec.convert(data, Patient)
        except msgspec.ValidationError as error:
            self._refuse(data, str(error))
            # JSON Schema takes 7.0 for an integer and so do we, only the conversion does not.
            patient = msgspec.convert(with_whole_numbers(data), Patient)
        if not self._tokens_hold(patient):
            self._refuse(data, "")
        if any(True for _ in unnamed(data)):
            self._refuse(data, "")
        return patient

    @cached_property
    def faultfinder(self) -> Draft202012Validator:
        """What knows every fault of a body; made when first needed, as most bodies have none."""
        from jsonschema import Draft202012Validator

        schema, components = patient_schema(self._conditions, self._drug_classes)
        return Draft202012Validator(schema | {"$defs": components}, format_checker=_format_checker())

    def _tokens_hold(self, patient: Patient) -> bool:
        protocol = patient.protocol
        return (
            self._conditions.issuperset(patient.conditions or ())
            and all(entry.written or entry.rxcui for entry in patient.medications or ())
            and all(FIRST_YEAR <= when.year <= LAST_YEAR for when in _times_of(patient))
            and (
                protocol is None
                or (
                    not protocol.unsigned_figures() and all(hold.drug_class in self._drug_classes for hold in protocol.holds)
                )
            )
        )

    def _refuse(self, data: object, message: str) -> None:
        """Raise for every fault of `data`; return only if a decimal point in a whole number was all there was."""
        found = list(islice(self._faults(data), MOST_FAULTS + 1))
        if not found and not message.startswith("Expected `int"):
            found = [Fault(pointer=_pointer_of(message), detail="is not of the form that the API describes")]
        if found:
            raise InvalidPatient(sorted(set(found[:MOST_FAULTS])), more=len(found) > MOST_FAULTS) from None

    def _faults(self, data: object) -> Iterator[Fault]:
        if too_long := list(_too_long(data)):
            # A list beyond its limit is not looked into: each entry would cost time, and the sender could choose how much.
            yield from too_long
            return
        yield from unnamed(data)
        for error in self.faultfinder.iter_errors(data):
            yield from map(self._with_offers, _faults_of(error), repeat(data))

    def _with_offers(self, fault: Fault, data: object) -> Fault:
        """A fault of a condition with the tokens that may be meant, and where all of them stand."""
        place = _CONDITION.fullmatch(fault.pointer)
        if place is None or not isinstance(data, dict) or not fault.detail.startswith(_NO_TOKEN):
            return fault
        near = near_tokens(data["conditions"][int(place[1])], self._words)
        detail = f"{_NO_TOKEN} {len(self._conditions)} tokens of GET /v1/conditions{offer(near)}"
        return Fault(pointer=fault.pointer, detail=detail)


def patient_schema(conditions: Collection[str], drug_classes: Collection[str]) -> tuple[JsonSchema, dict[str, JsonSchema]]:
    """The JSON Schema of a request and its named parts, references of the form `#/$defs/Name`.

    It says what the structs cannot: which tokens the rulebook knows, that a medicine has a name or a code, and that
    figures of a protocol need a name below them.
    """
    (schema,), components = msgspec.json.schema_components([Patient], ref_template="#/$defs/{name}")
    named = [{"required": [key], "properties": {key: {"type": "string"}}} for key in ("name", "text", "rxcui")]
    components["Medication"]["anyOf"] = named
    components["Patient"]["properties"]["conditions"]["anyOf"][0]["items"] = {"enum": sorted(conditions)}
    components["Hold"]["properties"]["drug_class"] = {
        "enum": sorted(drug_classes),
        "examples": ["benzodiazepine"],
    }
    components["Protocol"]["allOf"] = [
        {
            "if": {"required": [figure], "properties": {figure: {"type": "number"}}},
            "then": {"required": ["approved_by"], "properties": {"approved_by": {"type": "string"}}},
        }
        for figure in PROTOCOL_FIGURES
    ]
    return schema, components


def _too_long(data: object) -> Iterator[Fault]:
    for path, most in LISTS.items():
        part: object = data
        for key in path.strip("/").split("/"):
            part = part.get(key) if isinstance(part, dict) else None
        if isinstance(part, list) and len(part) > most:
            yield Fault(pointer=path, detail=_LIMITS["maxItems"].format(most))


def _limits_of_lists(struct: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, int]]:
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        parts = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
        for described in parts:
            inner = described.type if isinstance(described, msgspec.inspect.Metadata) else described
            if isinstance(inner, msgspec.inspect.ListType):
                assert inner.max_length is not None, f"{field.name} has no limit"
                yield f"{path}/{field.name}", inner.max_length
            elif isinstance(inner, msgspec.inspect.StructType):
                yield from _limits_of_lists(inner.cls, f"{path}/{field.name}")


LISTS = dict(_limits_of_lists(Patient))
"""Every list of the request with the most entries that it may have, by JSON Pointer."""


def _times_of(patient: Patient) -> Iterator[datetime]:
    yield from patient.treatment.session_times or ()
    yield from (clearance.at for clearance in patient.clearances)
    if patient.treatment.last_session_at is not None:
        yield patient.treatment.last_session_at


class _SchemaError(Protocol):
    """What is used of an error of jsonschema, whose own types say that any part may be unset."""

    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    context: Any

    @property
    def absolute_path(self) -> Any:
        """Keys and indexes from the body to the fault."""


def _format_checker() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())

    def date_time(value: object) -> bool:
        if not isinstance(value, str):
            return True
        msgspec.convert({"session_times": [value]}, Treatment)
        return True

    checker.checks("date-time", raises=msgspec.ValidationError)(date_time)
    return checker


def _faults_of(error: _SchemaError) -> Iterator[Fault]:
    """The faults behind one schema error, in our words: the validator's own message quotes the caller's value."""
    pointer = json_pointer(error.absolute_path)
    expected = error.validator_value
    match error.validator:
        case "additionalProperties":
            yield from _unknown_fields(error, pointer)
        case "required":
            missing = [name for name in expected if name not in error.instance]
            yield from (Fault(pointer=f"{pointer}/{name}", detail="is required here") for name in missing)
        case "if" | "allOf":
            for cause in error.context or ():
                yield from _faults_of(cause)
        case "anyOf":
            yield from _faults_of_choice(error, pointer)
        case "enum":
            yield Fault(pointer=pointer, detail=_one_of(error.instance, expected))
        case "type":
            yield Fault(pointer=pointer, detail=f"must be {_TYPES.get(str(expected), str(expected))}")
        case "format":
            yield Fault(pointer=pointer, detail="must be a time with date and offset, as RFC 3339 writes it")
        case "pattern" if expected == YEARS:
            if re.match(r"[0-9]{4}-", error.instance):
                yield Fault(pointer=pointer, detail=f"must be in the years {FIRST_YEAR} to {LAST_YEAR}")
        case _:
            words = _LIMITS.get(str(error.validator), "is not of the form that the API describes")
            yield Fault(pointer=pointer, detail="must not be blank" if expected == NOT_BLANK else words.format(expected))


def _faults_of_choice(error: _SchemaError, pointer: str) -> Iterator[Fault]:
    if error.schema.get("title") == "Medication":
        yield Fault(pointer=pointer, detail="needs a name, a text or an rxcui")
        return
    for cause in error.context or ():
        if cause.schema.get("type") != "null":
            yield from _faults_of(cause)


def _unknown_fields(error: _SchemaError, pointer: str) -> Iterator[Fault]:
    """A key is quoted only when it is shaped like a field; others could be anything, a patient's name among them."""
    known = sorted(error.schema["properties"])
    for position, key in enumerate(error.instance, start=1):
        if key in error.schema["properties"]:
            continue
        near = process.extractOne(key, known, score_cutoff=70)
        hint = f"; did you mean {near[0]}?" if near else ""
        if len(key) <= 40 and _FIELD_SHAPED.fullmatch(key):
            yield Fault(pointer=f"{pointer}/{key}", detail=f"{_NO_FIELD}{hint}")
        else:
            yield Fault(pointer=pointer, detail=f"{_HAS_FIELD} number {position}, that is not part of this object{hint}")


_NO_FIELD = "is not a field of this object"
_HAS_FIELD = "has a field,"


def is_of_a_name(fault: Fault) -> bool:
    """Whether a fault is that an object has a field that it cannot have."""
    return fault.detail.startswith((_NO_FIELD, _HAS_FIELD))


def _one_of(value: object, tokens: list[str]) -> str:
    near = process.extractOne(value, tokens, score_cutoff=70) if isinstance(value, str) and len(value) <= 200 else None
    hint = f"; did you mean {near[0]}?" if near else ""
    if len(tokens) > 20:
        return f"{_NO_TOKEN} {len(tokens)} published tokens{hint}"
    return f"must be one of {', '.join(tokens)}{hint}"


def with_whole_numbers(data: object) -> object:
    """`data` with 7.0 written as 7 everywhere; a fraction stays as it is."""
    if isinstance(data, dict):
        return {key: with_whole_numbers(value) for key, value in data.items()}
    if isinstance(data, list):
        return [with_whole_numbers(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}

_LIMITS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "minLength": "must not be empty",
    "maxLength": "must have at most {} characters",
    "maxItems": "must have at most {} entries",
    "pattern": "must be of the form {}",
}


def json_pointer(path: Collection[str | int]) -> str:
    """A path of names and places in lists as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _pointer_of(message: str) -> str:
    """The pointer in a message of msgspec, which ends in "- at `$.medications[0].name`"."""
    _, _, path = message.rpartition("`$")
    return re.sub(r"\[(\d+|\.\.\.)\]|\.", lambda m: f"/{m[1] or ''}", path.rstrip("`"))


def _parse_problem(message: str) -> str:
    place = _PARSER_POSITION.search(message)
    where = f" at line {place[1]}, column {place[2]}" if place else ""
    if "duplicate key" in message:
        return f"an object has the same key twice{where}; only one of the values could be used"
    if "recursion limit" in message:
        return f"the JSON is nested too deeply{where}"
    return f"is not valid JSON in UTF-8{where}"
