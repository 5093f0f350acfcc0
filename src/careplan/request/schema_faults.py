"""What a JSON Schema finds wrong with a body, in our words: the words of a validator quote what a caller sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from careplan.errors import Fault
from careplan.near_values import LONGEST, alternatives, near_values, offer
from careplan.request.clinic import ONE_LINE
from careplan.request.field_places import NO_PLACES, Places
from careplan.request.measurements import DAY, MOMENT
from careplan.request.other_names import TOKENS, ours
from careplan.request.patient import FIRST_YEAR, LAST_YEAR, NOT_BLANK, YEARS, Treatment
from careplan.request.unknown_fields import unknown_fields
from careplan.whole_patterns import in_python, published

if TYPE_CHECKING:
    from jsonschema import FormatChecker

UNLISTED = "must be one of the"
"""How the fault of a token begins of which there are too many to name."""

_NUMBER = re.compile(r" *-?[0-9]+(?:\.[0-9]+)? *")
_SHORT = 2
"""So few characters are like no token."""

_TYPES: Mapping[str, tuple[str, ...]] = {
    "object": ("an object",),
    "array": ("a list",),
    "string": ("a text",),
    "integer": ("a whole number",),
    "number": ("a number",),
    "boolean": ("true", "false"),
    "null": ("left out",),
}
"""What a value of a type is, in words; of some types there are several values."""

LIMIT_WORDS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "minLength": "must not be empty",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entry",
    "maxItems": "must have at most {} entries",
    "pattern": "must be of the form {}",
}
PATTERN_WORDS = {
    NOT_BLANK: "must not be blank",
    ONE_LINE: "must be one line of text that does not end in a blank",
}
"""What patterns ask for that have no examples."""


class SchemaError(Protocol):
    """What is used of an error of jsonschema, whose own types say that any part may be unset."""

    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    context: Any

    schema_path: Any

    @property
    def absolute_path(self) -> Any:
        """Keys and indexes from the body to the fault."""


class Validator(Protocol):
    """What finds every fault of a body."""

    def iter_errors(self, instance: Any) -> Iterator[Any]:
        """The errors of a body, in the order of its schema."""


def validator_of(schema: Any) -> Validator:
    """What holds bodies against a JSON Schema of the draft 2020-12. The library is read when it is first needed."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: object, form: str, instance: object, __: object) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not re.search(in_python(form), instance):
            yield ValidationError("is of another form")

    made: Any = extend  # which has no types
    found: Validator = made(Draft202012Validator, {"pattern": pattern})(schema, format_checker=_format_checker())
    return found


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


def faults_of(error: SchemaError, places: Places = NO_PLACES) -> Iterator[Fault]:
    """The faults behind one schema error, in our words: the validator's own message quotes the caller's value.

    Of a field that an object does not have and another one has, `places` knows where it belongs.
    """
    pointer = json_pointer(error.absolute_path)
    expected: Any = published(error.validator_value) if error.validator == "pattern" else error.validator_value
    match error.validator:
        case "additionalProperties":
            yield from unknown_fields(error.instance, sorted(error.schema["properties"]), pointer, places)
        case "required":
            missing = [name for name in expected if name not in error.instance]
            yield from (Fault(pointer=f"{pointer}/{name}", detail="is required here") for name in missing)
        case "if" | "allOf":
            for cause in error.context or ():
                yield from faults_of(cause, places)
        case "anyOf":
            yield from _faults_of_choice(error, pointer, places)
        case "enum":
            yield Fault(pointer=pointer, detail=_one_of(error.instance, expected))
        case "type":
            yield Fault(pointer=pointer, detail=_type_words(error, expected))
        case "format":
            yield Fault(
                pointer=pointer,
                detail="must be a time with date and offset, as RFC 3339 writes it, such as 2026-01-31T14:05:00Z",
            )
        case "pattern" if expected in (DAY, MOMENT):
            or_time = ", or a time such as 2026-01-31T14:05:00Z" if expected == MOMENT else ""
            yield Fault(
                pointer=pointer,
                detail=f"must be a day such as 2026-01-31{or_time}, in the years {FIRST_YEAR} to {LAST_YEAR}",
            )
        case "pattern" if expected == YEARS:
            if re.match(r"[0-9]{4}-", error.instance):
                yield Fault(pointer=pointer, detail=f"must be in the years {FIRST_YEAR} to {LAST_YEAR}")
        case "pattern" if expected != NOT_BLANK and error.schema.get("examples"):
            about = error.schema.get("description")
            detail = f"must be of the form of {error.schema['examples'][0]}{f': {about}' if about else ''}"
            yield Fault(pointer=pointer, detail=detail)
        case _:
            words = LIMIT_WORDS.get(str(error.validator), "is not of the form that the API describes")
            told = PATTERN_WORDS.get(expected) if error.validator == "pattern" else None
            yield Fault(pointer=pointer, detail=told or words.format(expected))


def _faults_of_choice(error: SchemaError, pointer: str, places: Places) -> Iterator[Fault]:
    if error.schema.get("title") == "Medication":
        yield Fault(pointer=pointer, detail="needs a name, a text or an rxcui")
        return
    causes: dict[int, list[SchemaError]] = {}
    for cause in error.context or ():
        if cause.schema.get("type") != "null":
            causes.setdefault(cause.schema_path[0], []).append(cause)
    # What is of the type of one of the alternatives is meant as that one.
    wrong = [cause for found in causes.values() for cause in found if _is_of_another_type(cause, error)]
    meant = [found for found in causes.values() if not any(cause in wrong for cause in found)]
    if len(wrong) > 1 and not meant:
        types = sorted({one for cause in wrong for one in _TYPES[str(cause.validator_value)]})
        yield Fault(pointer=pointer, detail=f"must be {alternatives(types)}")
        return
    for cause in (cause for found in meant or causes.values() for cause in found):
        yield from faults_of(cause, places)


def _is_of_another_type(cause: SchemaError, choice: SchemaError) -> bool:
    return bool(cause.validator == "type" and cause.absolute_path == choice.absolute_path)


def _one_of(value: object, tokens: list[str]) -> str:
    near: list[str] = []
    if isinstance(value, str) and len(value) <= LONGEST:
        # A short text is inside of many tokens, so that it is like none of them.
        near = ours(value, TOKENS, tokens) or (near_values(value, tokens) if len(value) > _SHORT else [])
    if len(tokens) > 20:
        return f"{UNLISTED} {len(tokens)} published tokens{offer(near)}"
    return f"must be one of {', '.join(tokens)}{offer(near)}"


def _type_words(error: SchemaError, expected: object) -> str:
    """What a value of another type should be, and how to mend what is nearly of it."""
    words = f"must be {alternatives(_TYPES[str(expected)])}"
    if isinstance(error.instance, str):
        if expected in ("number", "integer") and _NUMBER.fullmatch(error.instance):
            return f"{words}; leave out the quotation marks"
        if expected == "object" and "text" in error.schema.get("properties", {}):
            return f"{words}; a line as it is written goes into its field text"
    return words


def json_pointer(path: Collection[str | int]) -> str:
    """A path of names and places in lists as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
