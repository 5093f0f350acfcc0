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
from typing import Any

import jiter
import msgspec
import msgspec.inspect

from careplan.errors import MOST_FAULTS, Fault, InvalidPatient
from careplan.near_values import near_tokens, offer
from careplan.no_collection import no_collection
from careplan.request.field_places import Places, places_of_fields
from careplan.request.measurements import (
    JsonSchema,
    MeasureForm,
    all_fit,
    days_are_real,
    readings_of,
    schema_of,
    unreal_days,
)
from careplan.request.patient import FIRST_YEAR, LAST_YEAR, PROTOCOL_FIGURES, Patient
from careplan.request.previous_reading import CheckSignature, brief
from careplan.request.schema_faults import LIMIT_WORDS, UNLISTED, Validator, faults_of, validator_of
from careplan.request.signature import unnamed
from careplan.zones import ZONES

MARK = b"\xef\xbb\xbf"
"""The byte-order mark, which some programs write before UTF-8; it says nothing."""
PARTS_OF_PREVIOUS = ("Previous", "PreviousItem", "PreviousChoice", "ScorePoint")
"""The schemas that a contract does not need, since an earlier plan is sent as the service answered it."""


_CONDITION = re.compile(r"/conditions/(\d+)")
_IN_WORDS = "(words and codes as they are written go into other_conditions)"
_PARSER_POSITION = re.compile(r"line (\d+) column (\d+)")


class Intake:
    """Reads patients whose conditions, drug classes and measures are those of one rulebook."""

    def __init__(
        self,
        conditions: Collection[str],
        drug_classes: Collection[str],
        measures: Mapping[str, MeasureForm] | None = None,
        words: Mapping[str, str] | None = None,
        check: CheckSignature | None = None,
    ) -> None:
        """`words` has what conditions are called, so that a plain name is answered with the token that is meant.

        `check` knows the keys by which a signed plan that is brought back is checked.
        """
        self._check = check
        self._conditions = frozenset(conditions)
        self._words = dict.fromkeys(conditions, "") if words is None else words
        self._drug_classes = frozenset(drug_classes)
        self._measures = measures or {}

    def decode(self, body: bytes) -> Patient:
        """The patient in a UTF-8 JSON `body`.

        Raises `InvalidPatient` naming every fault by JSON Pointer: broken JSON, a key that stands twice, unknown
        fields, wrong types, tokens and limits.
        """
        return self.convert(self.parse(body))

    def parse(self, body: bytes) -> Any:
        """The data in a JSON `body`. Raises `InvalidPatient` for broken JSON and for a key that stands twice."""
        body = body.removeprefix(MARK)
        try:
            with no_collection():
                return jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
        except ValueError as error:
            raise InvalidPatient([Fault(pointer="", detail=_parse_problem(str(error)))]) from None

    def convert(self, data: object) -> Patient:
        """The patient in already parsed JSON; raises like `decode`."""
        if isinstance(data, dict) and isinstance(data.get("previous"), dict):
            data = data | {"previous": msgspec.to_builtins(brief(data["previous"], self._check))}
        return self.recorded(data)

    def recorded(self, data: object) -> Patient:
        """The patient as a decision record holds it, whose earlier plan is cut down already; raises like `decode`."""
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
    def faultfinder(self) -> Validator:
        """What knows every fault of a body; made when first needed, as most bodies have none."""
        schema, components = self._schema
        return validator_of(schema | {"$defs": components})

    @cached_property
    def _schema(self) -> tuple[JsonSchema, dict[str, JsonSchema]]:
        return patient_schema(self._conditions, self._drug_classes, self._measures)

    @cached_property
    def _places(self) -> Places:
        return places_of_fields(*self._schema)

    def _tokens_hold(self, patient: Patient) -> bool:
        protocol = patient.protocol
        return (
            self._conditions.issuperset(patient.conditions or ())
            and all(entry.written or entry.rxcui for entry in patient.medications or ())
            and all_fit(patient.measures, self._measures)
            and days_are_real(patient.measures, patient.as_of)
            and (patient.previous is None or patient.previous.has_a_real_day)
            and all(FIRST_YEAR <= when.year <= LAST_YEAR for when in _times_of(patient))
            and (patient.clinic is None or patient.clinic.zone_is_known)
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
        yield from (Fault(pointer=pointer, detail=detail) for pointer, detail in unreal_days(data))
        for error in self.faultfinder.iter_errors(data):
            yield from map(self._with_offers, faults_of(error, self._places), repeat(data))

    def _with_offers(self, fault: Fault, data: object) -> Fault:
        """A fault of a condition with the tokens that may be meant, and where all of them stand."""
        place = _CONDITION.fullmatch(fault.pointer)
        if place is None or not isinstance(data, dict) or not fault.detail.startswith(UNLISTED):
            return fault
        near = near_tokens(data["conditions"][int(place[1])], self._words)
        detail = f"{UNLISTED} {len(self._conditions)} tokens of GET /v1/conditions {_IN_WORDS}{offer(near)}"
        return Fault(pointer=fault.pointer, detail=detail)


def patient_schema(
    conditions: Collection[str], drug_classes: Collection[str], measures: Mapping[str, MeasureForm]
) -> tuple[JsonSchema, dict[str, JsonSchema]]:
    """The JSON Schema of a request and its named parts, references of the form `#/$defs/Name`.

    It says what the structs cannot: which tokens and measures the rulebook knows, that a medicine has a name or a code, and
    that figures of a protocol need a name below them.
    """
    (schema,), components = msgspec.json.schema_components([Patient], ref_template="#/$defs/{name}")
    named = [{"required": [key], "properties": {key: {"type": "string"}}} for key in ("name", "text", "rxcui")]
    components["Medication"]["anyOf"] = named
    components["Patient"]["properties"]["conditions"]["anyOf"][0]["items"] = {"enum": sorted(conditions)}
    components["Patient"]["properties"]["measures"] = schema_of(measures)
    components.pop("Reading", None)  # Each measure has a reading of its own, with its units and answers.
    components |= readings_of(measures)
    # Whatever is brought as an earlier plan is taken: what is none is said to be none.
    previous = components["Patient"]["properties"]["previous"]
    previous["anyOf"] = [{"type": "object"}, {"type": "null"}]
    for name in PARTS_OF_PREVIOUS:
        components.pop(name, None)
    components["Clinic"]["properties"]["zone"]["anyOf"][0] = {"enum": list(ZONES)}
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
            yield Fault(pointer=path, detail=LIMIT_WORDS["maxItems"].format(most))


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


def with_whole_numbers(data: object) -> object:
    """`data` with 7.0 written as 7 everywhere; a fraction stays as it is."""
    if isinstance(data, dict):
        return {key: with_whole_numbers(value) for key, value in data.items()}
    if isinstance(data, list):
        return [with_whole_numbers(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


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
