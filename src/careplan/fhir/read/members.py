"""The members that a Bundle and Parameters can have: any other is a slip of which the contents would be lost."""

from __future__ import annotations

import re

from rapidfuzz import fuzz, process

from careplan.errors import Fault
from careplan.fhir.read.element import Element

_RESOURCE = {"resourceType", "id", "meta", "implicitRules", "language"}
BUNDLE = frozenset(_RESOURCE | {"identifier", "type", "timestamp", "total", "link", "entry", "signature", "issues"})
PARAMETERS = frozenset(_RESOURCE | {"parameter"})
ENTRY = frozenset({"id", "extension", "modifierExtension", "link", "fullUrl", "resource", "search", "request", "response"})
_SHAPED = re.compile(r"[A-Za-z_]{1,40}")


def check_members(element: Element, known: frozenset[str], of: str) -> None:
    """Note every member that is none, with the right name nearest to it. Only what is shaped like a name is repeated."""
    for at, name in enumerate(element.value, start=1):
        if name.removeprefix("_") in known:
            continue
        near = process.extractOne(name, sorted(known), scorer=fuzz.ratio, score_cutoff=60)
        hint = f"; did you mean {near[0]}?" if near else ""
        if _SHAPED.fullmatch(name):
            element.fault(name, f"is not a part of {of}{hint}")
        else:
            element.faults.append(
                Fault(pointer=element.pointer, detail=f"has a part, number {at}, that is not one of {of}{hint}")
            )
