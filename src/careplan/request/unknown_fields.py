"""Fields that an object of a request does not have, each with the field that may be meant and where it belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rapidfuzz import fuzz, process

from careplan.errors import Fault
from careplan.near_values import near_values, offer
from careplan.request.field_places import Places, named_with, where_it_belongs
from careplan.request.other_names import FIELDS, ours, snake_case

_FIELD_SHAPED = re.compile(r"[a-z]+(?:_[a-z0-9]+){0,6}")
_NO_FIELD = "is not a field of this object"
_HAS_FIELD = "has a field,"
_OF_FHIR = "resourceType"
_AS_FHIR = f"{_NO_FIELD} but of FHIR; send it as a Bundle with Content-Type application/fhir+json, in lines fhir+ndjson"
_LONGEST = 40
_NEAR_ELSEWHERE = 85
"""From such a score of likeness on a field of another object is offered."""


def unknown_fields(sent: Mapping[str, object], known: Sequence[str], pointer: str, places: Places) -> Iterator[Fault]:
    """A fault for each field of the object at `pointer` that is not among those `known` there.

    `places` knows where the fields of all objects belong. A key is quoted only when it is a field of ours or shaped like
    one; others could be anything, a name among them.
    """
    for position, key in enumerate(sent, start=1):
        if key in known:
            continue
        if key == _OF_FHIR and not pointer:
            yield Fault(pointer=f"/{key}", detail=_AS_FHIR)
        elif belongs := where_it_belongs(key, places):
            yield Fault(pointer=f"{pointer}/{key}", detail=f"{_NO_FIELD}; it belongs {belongs}")
        else:
            hint = _hint(key, sent[key], known, places)
            if len(key) <= _LONGEST and _FIELD_SHAPED.fullmatch(key):
                yield Fault(pointer=f"{pointer}/{key}", detail=f"{_NO_FIELD}{hint}")
            else:
                detail = f"{_HAS_FIELD} number {position}, that is not part of this object{hint}"
                yield Fault(pointer=pointer, detail=detail)


def is_of_a_name(fault: Fault) -> bool:
    """Whether a fault is that an object has a field that it cannot have."""
    return fault.detail.startswith((_NO_FIELD, _HAS_FIELD))


def _hint(key: str, value: object, known: Sequence[str], places: Places) -> str:
    """What may be meant by a key: a field of the same object, else one of another, else all that stands below it."""
    if len(key) > _LONGEST:
        return ""
    name = snake_case(key)
    if here := ours(key, FIELDS, known):
        return offer(here)
    if near := near_values(name, known):
        return offer(near)
    elsewhere = ours(key, FIELDS, places)
    if not elsewhere and (like := process.extractOne(name, places.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR_ELSEWHERE)):
        elsewhere = [like[0]]
    if not elsewhere and (only := named_with(name, places)):
        elsewhere = [only]
    if elsewhere:
        return offer(f"{field}, which belongs {where_it_belongs(field, places)}" for field in elsewhere)
    if isinstance(value, dict) and not value.keys().isdisjoint(known):
        return "; the fields in it stand one level higher"
    return ""
