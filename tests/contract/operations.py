"""Every operation of the document, with cases that are made of its schema, on a really running server.

`test_contract` runs this file; it is no part of what is collected with all tests, as making the cases takes long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from careplan.decision_record import is_a_time
from careplan.request.patient import FIRST_YEAR, LAST_YEAR
from careplan.request.signature import is_a_name
from tests.contract.serving import ROOT

DOCUMENT: dict[str, Any] = msgspec.json.decode((ROOT / "openapi" / "openapi.json").read_bytes())


def strings_in(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from strings_in(inner)


def thinned(part: Any, kept: frozenset[str]) -> Any:
    """The document with a few of each long list of tokens: each of some hundred time zones would be a request of its own.

    That every one of them is taken is a test in `test_contract`.
    """
    if isinstance(part, list):
        return [thinned(inner, kept) for inner in part]
    if not isinstance(part, dict):
        return part
    found = {name: inner if name == "examples" else thinned(inner, kept) for name, inner in part.items()}
    tokens = found.get("enum", ())
    if isinstance(tokens, list) and len(tokens) > MOST_TOKENS:
        found["enum"] = [one for at, one in enumerate(tokens) if one in kept or at % (len(tokens) // 5) == 0]
    return found


MOST_TOKENS = 40
EXAMPLES = DOCUMENT["paths"]["/v1/care-plans"]["post"]["requestBody"]["content"]["application/json"]["examples"]
IS_LONG = "CAREPLAN_TEST_API" in os.environ
EVERY = 1 if IS_LONG else int(os.environ.get("CAREPLAN_TEST_PATHS", "1"))
"""How many paths of the document there are for each one of which the operations are tried."""


def some_paths(every: int) -> dict[str, Any]:
    """The document with every so many of its paths, beginning with the first."""
    return DOCUMENT | {"paths": dict(list(DOCUMENT["paths"].items())[::every])}


SCHEMA = schemathesis.openapi.from_dict(thinned(some_paths(EVERY), frozenset(strings_in(EXAMPLES))))
# At the edges of its schema a patient has thousands of cases, and to make them takes a minute: all are for the long runs.
SCHEMA.config.phases.coverage.enabled = IS_LONG


@schemathesis.serializer("application/x-ndjson", "application/fhir+ndjson")
def lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """Text as it is: what a body of lines may hold is more than a schema can say."""
    return value.encode(errors="replace") if isinstance(value, str) else msgspec.json.encode(value)


def signatures(body: object) -> Iterator[str]:
    if isinstance(body, dict):
        yield from (value for key, value in body.items() if key in ("approved_by", "by") and isinstance(value, str))
    if isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from signatures(part)


def times() -> st.SearchStrategy[str]:
    """Times in the years that sessions may have: a pattern would leave few of all that there are."""
    years = datetime(FIRST_YEAR, 1, 2), datetime(LAST_YEAR, 12, 30)
    offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    return st.datetimes(*years, timezones=offsets).map(datetime.isoformat)


schemathesis.openapi.format("date-time", times())


@SCHEMA.hook
def filter_body(_: schemathesis.HookContext, body: object) -> bool:
    """What is no clinician's name, such as a placeholder, is refused by more than a schema can say."""
    return all(is_a_name(name) for name in signatures(body))


@SCHEMA.hook
def filter_query(_: schemathesis.HookContext, query: Any) -> bool:
    """A time or a visit that does nothing, or a day that there is not, is refused by more than a schema can say."""
    return usable(query)


def usable(query: Any) -> bool:
    """Whether what stands in a query can be used for what it asks for, in JSON."""
    if not isinstance(query, dict):
        return True
    at = query.get("at")
    if query.get("explain") == "record" and query.get("visit") in ("intake", "session_day"):
        return False
    if {"for", "length", "detail", "version"} & query.keys():  # which each are for some forms of an answer alone
        return False
    return not isinstance(at, str) or (is_a_time(at) and query.get("explain") == "record")


@SCHEMA.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """Which items a plan can have is more than a schema can say, so that one is named that each can have."""
    item = body.get("item") if isinstance(body, dict) else None
    return body | {"item": "sleep-under-five-hours"} if isinstance(item, str) and 1 <= len(item) <= 200 else body


@pytest.fixture
def address() -> str:
    """The server of the test that runs this file."""
    return os.environ["CAREPLAN_TEST_ADDRESS"]


@SCHEMA.parametrize()
@settings(max_examples=int(os.environ.get("CAREPLAN_TEST_API", "2")))
def test_every_operation_answers_as_documented(case: schemathesis.Case[Any], address: str) -> None:
    # Each line is answered for itself, with 200 around them all, so that no text is wrong as a whole.
    excluded: list[Any] = [negative_data_rejection] if case.path.endswith("/batch") else []
    # Hooks do not see the cases at the edges of the schema.
    # What can be signed is a record that this service has made: test_signing has such.
    if case.path.endswith(("/what-would-change", "/sign")) or not usable(dict(case.query or {})):
        excluded.append(positive_data_acceptance)
    case.call_and_validate(base_url=address, excluded_checks=excluded)
