"""The parameters of a query: one that an address does not know, or that stands twice, is refused rather than lost."""

from __future__ import annotations

from functools import cache
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import BaseRouteHandler
from rapidfuzz import process

_ADDRESSES = ("/v1/", "/fhir/", "/cds-services")
"""Where this holds. Elsewhere (documentation, health, metrics) a query is what browsers and probes add by themselves."""

_NO_QUERY = frozenset(
    {"data", "request", "state", "scope", "headers", "cookies", "query", "body", "socket", "send", "receive", "return"}
)
_OF_FHIR = frozenset({"_format", "_pretty"})
"""Parameters that clients of FHIR send to every address; what is answered is the same."""

_JSON_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "text/json", "*/*"})
"""What `_format` may be; a plus that was not escaped is a space by now."""


class UnusableQuery(ValidationException):
    """A query with parameters that are unknown or stand twice. `words` says which, without repeating what was sent."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class NoSuchFormat(HTTPException):
    """FHIR is asked for in another form than JSON, by `_format`."""

    status_code = 406
    words = "FHIR is answered as JSON alone: _format can be json, application/json or application/fhir+json."


async def queried(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of every route.

    Raises `UnusableQuery` for parameters that would do nothing, or that stand twice, and `NoSuchFormat` for a form of FHIR.
    """
    path = connection.scope["path"]
    if not connection.scope["query_string"] or not path.startswith(_ADDRESSES):
        return
    known = parameters_of(handler) - connection.path_params.keys()
    taken = known | _OF_FHIR if path.startswith("/fhir/") else known
    sent = connection.query_params
    if path.startswith("/fhir/") and sent.get("_format", "json").partition(";")[0].replace(" ", "+") not in _JSON_FORMATS:
        raise NoSuchFormat
    unknown = [name for name in sent if name not in taken]
    twice = sorted(name for name in taken if name in sent and len(sent.getall(name)) > 1)
    faults = [f"the parameter {name} stands more than once" for name in twice]
    if unknown:
        near = {found[0] for name in unknown if (found := process.extractOne(name[:40], sorted(known), score_cutoff=70))}
        meant = f" (did you mean {' and '.join(sorted(near))}?)" if near else ""
        number = "a parameter" if len(unknown) == 1 else f"{len(unknown)} parameters"
        there = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
        faults.append(f"this address does not know {number} of the query{meant}; {there}")
    if faults:
        raise UnusableQuery("; ".join(faults))


@cache
def parameters_of(handler: BaseRouteHandler) -> frozenset[str]:
    """The names that a route takes: of its path and of its query."""
    taken = handler.parsed_fn_signature.parameters.items()
    return frozenset(getattr(one.kwarg_definition, "name", None) or name for name, one in taken if name not in _NO_QUERY)
