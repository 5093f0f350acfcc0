"""A record without what nobody looks at: most of a long one is of types that are not read, and need not be built.

Of each resource of such a type only the members stay that are looked at in every resource. All else is left as it
stands, so that what is read is parsed as strictly as any body.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from careplan.fhir.read.completeness import SAY_NOTHING

_KIND = b'"resourceType"'


class _Contained(msgspec.Struct, omit_defaults=True):
    resource_type: Any = msgspec.field(name="resourceType", default=UNSET)
    id: Any = UNSET


class _Resource(msgspec.Struct, omit_defaults=True, rename="camel"):
    """What is looked at in a resource whatever its type: what it is, whether it counts, and when it was written."""

    resource_type: Any = UNSET
    id: Any = UNSET
    identifier: Any = UNSET
    meta: Any = UNSET
    implicit_rules: Any = UNSET
    modifier_extension: Any = UNSET
    contained: list[_Contained] | UnsetType = UNSET
    recorded_date: Any = UNSET
    date_asserted: Any = UNSET
    authored_on: Any = UNSET
    authored: Any = UNSET
    issued: Any = UNSET
    effective_date_time: Any = UNSET
    date: Any = UNSET


class _Entry(msgspec.Struct):
    resource: Raw = Raw()


class _Record(msgspec.Struct):
    """A Bundle, Parameters that hold some, or a call of CDS Hooks with its prefetch."""

    resource_type: Any = msgspec.field(name="resourceType", default=None)
    entry: list[_Entry] = []
    parameter: list[_Entry] = []
    prefetch: dict[str, Raw] = {}


_record = msgspec.json.Decoder(_Record).decode
_kind = msgspec.json.Decoder(_Contained).decode
_resource = msgspec.json.Decoder(_Resource).decode
_encode = msgspec.json.Encoder().encode


def shortened(body: bytes) -> bytes:
    """The same record, shorter; `body` itself where it is none, or is broken, so that its faults are told as they stand."""
    try:
        pieces = list(_pieces(body))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body
    return b"".join(pieces)


def _pieces(body: bytes) -> Iterator[bytes | memoryview]:
    """What a shortened body is put together of. Raises `ValueError` for one that has a resource at an odd place."""
    whole, at = memoryview(body), 0
    for raw in _resources(_record(body)):
        if (short := _short(raw)) is not None:
            # No string holds the same bytes, as its quotes would be escaped.
            start = body.index(memoryview(raw), at)
            yield whole[at:start]
            yield short
            at = start + len(memoryview(raw))
    yield whole[at:]


def _resources(record: _Record) -> Iterator[Raw]:
    for entry in record.entry:
        yield entry.resource
    for held in (*(parameter.resource for parameter in record.parameter), *record.prefetch.values()):
        if _is_object(held):
            yield from _resources(_record(held))


def _is_object(raw: Raw) -> bool:
    return memoryview(raw)[:1].tobytes() == b"{"


def _says_nothing(resource: _Contained) -> bool:
    return isinstance(resource.resource_type, str) and resource.resource_type in SAY_NOTHING


def _short(raw: Raw) -> bytes | None:
    """A resource of a type that says nothing, as far as it is looked at; None for any other."""
    if not _is_object(raw) or not _says_nothing(_kind(raw)):
        return None
    found = _resource(raw)
    within = found.contained or []
    if not all(map(_says_nothing, within)):
        return None
    # More types than resources: one stands twice, or a resource is where none is expected.
    return _encode(found) if bytes(raw).count(_KIND) == 1 + len(within) else None
