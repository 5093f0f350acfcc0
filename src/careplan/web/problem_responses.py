"""What the contract says of the problems that an endpoint can answer with."""

from __future__ import annotations

from collections.abc import Mapping

from litestar.openapi.datastructures import ResponseSpec

from careplan.errors import Problem
from careplan.media_types import PROBLEM_JSON

PROBLEMS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "Credentials are missing or not trusted; WWW-Authenticate says which are wanted.",
    403: "The credentials do not allow this; WWW-Authenticate names the scope that does.",
    404: "There is no such thing.",
    406: "There is no answer of a type that Accept names; the detail lists what there is.",
    408: "The body did not arrive in time.",
    412: "Data that is needed was not sent.",
    413: "The body is larger than this service takes.",
    415: "The body is not declared as application/json.",
    422: "The body is JSON, but not a patient; every fault is named by JSON Pointer.",
    429: "This client asks faster than it may; Retry-After says when to ask again.",
    500: "The service failed; nothing of the request is repeated.",
    503: "The service is not ready, or has too many requests in hand; Retry-After says when to ask again.",
}


def documented(problems: Mapping[int, str], *statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of an endpoint, as problem documents."""
    return {
        status: ResponseSpec(Problem, description=problems[status], media_type=PROBLEM_JSON, generate_examples=False)
        for status in statuses
    }
