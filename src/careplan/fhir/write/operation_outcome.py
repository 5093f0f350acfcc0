"""Problems as FHIR says them."""

from __future__ import annotations

from typing import Any

from careplan.errors import Problem
from careplan.fhir.write.narrative import with_narrative

_ISSUES = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    406: "not-supported",
    408: "timeout",
    412: "required",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
}
_MORE = "There are more faults than are named here."


def outcome(document: Problem, root: str | None = "Bundle", whole: str = "the body") -> dict[str, Any]:
    """A problem as an OperationOutcome: one issue for each fault.

    With a `root` its place is named as a FHIRPath, too. `whole` is what the input is called where a fault is of all of it.
    """
    code = _ISSUES.get(document.status, "exception" if document.status >= 500 else "invalid")
    issues: list[dict[str, Any]] = [
        {
            "severity": "error",
            "code": code,
            "details": {"text": fault.detail},
            "diagnostics": fault.pointer or whole,
        }
        | ({"expression": [_path(fault.pointer, root)]} if root else {})
        for fault in document.errors
    ]
    if document.more:
        issues.append({"severity": "information", "code": "incomplete", "details": {"text": _MORE}})
    summary = {"severity": "error", "code": code, "details": {"text": document.detail or document.title}}
    return with_narrative({"resourceType": "OperationOutcome", "issue": issues or [summary]})


def _path(pointer: str, root: str) -> str:
    """A JSON Pointer as FHIRPath writes it: `/entry/0/resource` is `Bundle.entry[0].resource`.

    Where a Bundle or Parameters can be sent, the place tells which of them it was.
    """
    path = "Parameters" if pointer.startswith("/parameter") else root
    for part in pointer.strip("/").split("/") if pointer else ():
        path += f"[{part}]" if part.isdigit() else f".{part}"
    return path
