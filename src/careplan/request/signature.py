"""Whether the words below a figure are the name of somebody who can have signed it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from careplan.errors import Fault

CHANGE = (
    r"stop|skip|hold(?: off)?|discontinue|pause|taper|cut (?:down|back)|halve|double|restart|withhold|leave out|come off|"
    r"miss|omit|reduce|increase|lower|raise|start"
)


_ADDRESSED = re.compile(rf"\b(?:{CHANGE}|take|taking)\s+(?:your|the|all|any|taking|it|a|more|no)\b", re.IGNORECASE)


def addresses_a_change(text: str) -> bool:
    """True when a text, short as a name, still tells somebody to change what they take."""
    return bool(_ADDRESSED.search(text))


def unnamed(data: object) -> Iterator[Fault]:
    """Names of people and of the clinic that are none: placeholders, and sentences, which a patient would read."""
    protocol = data.get("protocol") if isinstance(data, dict) else None
    cleared = data.get("clearances") if isinstance(data, dict) else None
    for at, part in enumerate(cleared if isinstance(cleared, list) else ()):
        by = part.get("by") if isinstance(part, dict) else None
        if isinstance(by, str) and not is_a_name(by):
            yield Fault(pointer=f"/clearances/{at}/by", detail="must be the name of the clinician who assessed it")
    clinic = data.get("clinic") if isinstance(data, dict) else None
    called = clinic.get("name") if isinstance(clinic, dict) else None
    if isinstance(called, str) and addresses_a_change(called):
        yield Fault(pointer="/clinic/name", detail="must be the name of a clinic, as it stands on what patients read")
    if not isinstance(protocol, dict):
        return
    holds = protocol.get("holds")
    signed = [("/protocol/approved_by", protocol)]
    if isinstance(holds, list):
        signed += [(f"/protocol/holds/{at}/approved_by", hold) for at, hold in enumerate(holds) if isinstance(hold, dict)]
    for pointer, part in signed:
        name = part.get("approved_by")
        if isinstance(name, str) and not is_a_name(name):
            yield Fault(pointer=pointer, detail="must be the name of the clinician who approved it")


def is_a_name(signature: str) -> bool:
    """Whether a signature can be a clinician's name: letters, no figures of any script, no placeholder, no order."""
    words = re.findall(r"\w+", signature.casefold())
    letters = sum(map(str.isalpha, signature))
    if letters < 3 or any(map(str.isnumeric, signature)):
        return False
    return not _PLACEHOLDERS.issuperset(words) and not addresses_a_change(signature)


_PLACEHOLDERS = frozenset(
    {"none", "null", "na", "n", "a", "tbd", "tba", "unknown", "nobody", "noone", "no", "one", "anonymous", "test", "pending"}
    | {"todo", "x", "xx", "xxx", "dr", "md", "doctor", "clinician"}
)
