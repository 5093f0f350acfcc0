"""What a parameter of a query takes, in words, with the values that are nearest to the one that was sent."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from litestar import Request
from litestar.types import Empty

from careplan.near_values import near_values, offer
from careplan.request.patient import FIRST_YEAR, LAST_YEAR
from careplan.zones import ZONES

_EXAMPLES = {
    "at": f"a time such as 2026-01-31T14:00:00Z, with its offset, of a day that there is in {FIRST_YEAR} to {LAST_YEAR}",
    "key": "1 to 80 letters, digits, dots, dashes and underscores",
    "_elements": "names of members of the resource, parted by commas",
    "zone": "the IANA name of a time zone, such as America/New_York",
}
"""Of parameters that are held against more than a list or a limit."""
_MOST_OFFERS = 2


def missing(request: Request[Any, Any, Any]) -> list[str]:
    """The parameters without which this address does not answer and that the query does not have."""
    fields = request.route_handler.parsed_fn_signature.parameters.values()
    needed = [_name(field) for field in fields if field.kwarg_definition is not None and field.default is Empty]
    return [name for name in needed if name not in request.query_params and name not in request.path_params]


def what_is_wanted(request: Request[Any, Any, Any], name: str) -> str:
    """What the parameter of this name takes at this address. Of what was sent nothing is repeated."""
    parameters = request.route_handler.parsed_fn_signature.parameters.values()
    for field in parameters:
        limits = field.kwarg_definition
        if name in (field.name, _name(field)):
            name = _name(field)
            values = _values(field.annotation)
            said = _EXAMPLES.get(name) or _said(field.annotation, limits, values)
            among = ZONES if name == "zone" else values
            return f"{name} must be {said}{offer(near_values(request.query_params.get(name), among, most=_MOST_OFFERS))}"
    return f"{name} cannot be used"


def _name(field: Any) -> str:
    return str(getattr(field.kwarg_definition, "name", None) or field.name)


def _values(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(map(str, get_args(annotation)))
    return tuple(value for part in get_args(annotation) for value in _values(part))


def _said(annotation: Any, limits: Any, values: tuple[str, ...]) -> str:
    if values:
        return f"one of {', '.join(values)}"
    if annotation is int or int in get_args(annotation):
        least = limits.ge if limits.ge is not None else limits.gt + 1 if limits.gt is not None else 0
        return f"a whole number from {least} to {limits.le}"
    return f"a text of {limits.min_length or 0} to {limits.max_length} characters"
