"""Where each field of a request belongs, by its name, for one that was sent in the wrong object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from careplan.request.measurements import JsonSchema

Places = Mapping[str, Sequence[str]]
"""Names of fields, each with the pointers of the places at which it may be sent."""
NO_PLACES: Places = {}
_MOST = 3
"""A name that belongs in more places than these says nothing of what was meant."""
_ALSO_CALLED = {"frequency": "schedule"}
"""What other systems call a field."""
_ENTRY = "*"
"""Stands in a pointer for any entry of a list."""


def places_of_fields(schema: JsonSchema, components: Mapping[str, JsonSchema]) -> Places:
    """The places of all fields of objects that a schema describes; measures by their names alone."""
    found: dict[str, list[str]] = {}
    for name, pointer in _fields(schema, "", components):
        found.setdefault(name, []).append(pointer)
    return {name: pointers for name, pointers in found.items() if len(pointers) <= _MOST}


def where_it_belongs(name: str, places: Places) -> str:
    """Where a field with this name belongs, in words; empty if no object has one."""
    return " or ".join(_in_words(pointer) for pointer in places.get(name, ()))


def named_with(word: str, places: Places) -> str:
    """The one field that has this word in its name, as `age_years` has "age"; empty if none or several have it."""
    word = _ALSO_CALLED.get(word, word)
    found = [name for name in places if word in name.split("_")]
    return found[0] if len(found) == 1 else ""


def _in_words(pointer: str) -> str:
    before, entry, _ = pointer.rpartition(f"/{_ENTRY}/")
    return f"in an entry of {before}" if entry else f"at {pointer}"


def _fields(part: JsonSchema, pointer: str, components: Mapping[str, JsonSchema]) -> Iterator[tuple[str, str]]:
    part = components[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    for one in part.get("anyOf", ()):
        yield from _fields(one, pointer, components)
    if "items" in part:
        yield from _fields(part["items"], f"{pointer}/{_ENTRY}", components)
    for name, inner in part.get("properties", {}).items():
        if part.get("type") == "object":
            yield name, f"{pointer}/{name}"
            if pointer != "/measures":  # A reading looks alike in all of them.
                yield from _fields(inner, f"{pointer}/{name}", components)
