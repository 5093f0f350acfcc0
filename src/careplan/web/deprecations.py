"""What is on its way out of the contract: marked in the document, and told in the headers of every answer that used it.

`Deprecation` is RFC 9745, `Sunset` RFC 8594; docs/versions.md says what is promised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any, NamedTuple

import msgspec
from litestar.types import Message, Scope

Json = dict[str, Any]
BODY_KEY = "body_sent"
"""Where a request notes its body in its state for as long as it lasts."""


class Deprecated(NamedTuple):
    """One thing that will be taken away: an operation, or a parameter or a field of the body of one.

    `field` is a path into the body, such as `treatment.route`, and `[]` stands for each entry of a list. `schema` and the
    last name of the path say where the contract has it.
    """

    operation: str
    since: date
    instead: str
    until: date | None = None
    """The last day on which it works."""
    parameter: str = ""
    field: str = ""
    schema: str = ""


DEPRECATED: tuple[Deprecated, ...] = ()
"""Everything that is deprecated in this version, the oldest first."""


def mark_deprecated(contract: Json, deprecated: Sequence[Deprecated] = DEPRECATED) -> None:
    """Mark it in the contract. Raises `LookupError` for what the contract does not have."""
    for deprecation in deprecated:
        part = _part(contract, deprecation)
        part["deprecated"] = True
        until = f", gone after {deprecation.until.isoformat()}" if deprecation.until else ""
        said = f"Deprecated since {deprecation.since.isoformat()}{until}: {deprecation.instead}"
        part["description"] = f"{part['description'].rstrip('. ')}. {said}" if part.get("description") else said


def _part(contract: Json, deprecation: Deprecated) -> Json:
    operations = (operation for path in contract["paths"].values() for operation in path.values())
    operation: Json = next(found for found in operations if found["operationId"] == deprecation.operation)
    if deprecation.parameter:
        found: Json = next(each for each in operation["parameters"] if each["name"] == deprecation.parameter)
        return found
    if deprecation.field:
        fields = contract["components"]["schemas"][deprecation.schema]["properties"]
        name = deprecation.field.rpartition(".")[2]
        field: Json = fields[name]
        if "$ref" in field:  # beside which a mark would be read by nobody
            fields[name] = field = {"allOf": [field]}
        return field
    return operation


def telling(deprecated: Sequence[Deprecated]) -> list[Callable[[Message, Scope], Awaitable[None]]]:
    """What adds the headers to the answers of an application; nothing where nothing is deprecated."""
    if not deprecated:
        return []

    async def tell(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        used = [deprecation for deprecation in deprecated if _uses(scope, deprecation)]
        if used:
            message["headers"] = [*message.get("headers", ()), *_headers(used)]

    return [tell]


def _headers(used: Sequence[Deprecated]) -> Iterator[tuple[bytes, bytes]]:
    since = datetime.combine(min(deprecation.since for deprecation in used), time(), UTC)
    yield b"deprecation", b"@%d" % int(since.timestamp())
    ends = [deprecation.until for deprecation in used if deprecation.until]
    if ends:
        end = datetime.combine(min(ends), time(23, 59, 59), UTC)
        yield b"sunset", format_datetime(end, usegmt=True).encode()
        yield b"link", b'</docs>; rel="sunset"'
    yield b"link", b'</docs>; rel="deprecation"'


def _uses(scope: Scope, deprecation: Deprecated) -> bool:
    handler: Any = scope.get("route_handler")
    if getattr(handler, "operation_id", None) != deprecation.operation:
        return False
    if deprecation.parameter:
        return any(part.partition(b"=")[0] == deprecation.parameter.encode() for part in scope["query_string"].split(b"&"))
    if not deprecation.field:
        return True
    try:
        body = msgspec.json.decode(scope["state"].get(BODY_KEY, b"null"))
    except (msgspec.DecodeError, RecursionError):
        return False
    return _has(body, deprecation.field.split("."))


def _has(value: object, path: Sequence[str]) -> bool:
    if not path:
        return True
    name, is_list = path[0].removesuffix("[]"), path[0].endswith("[]")
    if not isinstance(value, dict) or value.get(name) is None:
        return False
    entries = value[name] if is_list else [value[name]]
    return isinstance(entries, list) and any(_has(entry, path[1:]) for entry in entries)
