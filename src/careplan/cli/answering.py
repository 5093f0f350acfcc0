"""What is typed in an interview, as it goes into a request."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapidfuzz import process

from careplan.plan.model import AnswerForm
from careplan.plan.part import Choice
from careplan.request.what_if_request import merge_patch
from careplan.rulebook.model import Condition

Json = dict[str, Any]

_NOTHING = frozenset({"none", "no", "nil", "nothing", "n/a", "na", "-", "--"})
_NO_THOUSANDS = r"(?!(?<=\d,)\d{3}(?!\d))"
"""Behind a sign: it is no comma between the thousands of a number."""
_GROUPED = re.compile(r"\s*\d{1,3}(?:,\d{3})+(?:\.\d*)?\s*")
"""A number of which nobody can tell whether its comma parts thousands or a fraction."""


def hint(answer: AnswerForm) -> str:
    """What can be typed."""
    match answer.type:
        case "yes_no":
            return "yes or no"
        case "number" | "whole_number":
            return f"a number from {answer.least:g} to {answer.most:g}{f' ({answer.unit})' if answer.unit else ''}"
        case "choice":
            return "its number or its words"
        case "goals":
            return "each parted from the next by a semicolon, or none"
        case _:
            return f"{answer.type}, parted by commas, or none"


def value(typed: str, answer: AnswerForm) -> Any:
    """What is typed, as it goes into a request. Raises `ValueError` saying what is wrong with it."""
    match answer.type:
        case "yes_no":
            if typed.lower() not in ("yes", "y", "no", "n"):
                raise ValueError("Please answer yes or no.")
            return typed.lower().startswith("y")
        case "number" | "whole_number":
            if _GROUPED.fullmatch(typed):
                raise ValueError("Please type the number without a comma, such as 1200 or 1.2.")
            try:
                number = float(typed.replace(",", "."))
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise ValueError("Please type a number.")
            return int(number) if number.is_integer() else number
        case "choice":
            return _chosen(typed, answer.choices)
        case "medications":
            return [{"name": name} for name in listed(typed, ",")]
        case "goals":
            return listed(typed, ";")
        case _:
            raise ValueError("Please leave this open.")


def _chosen(typed: str, choices: Sequence[Choice]) -> str:
    """The choice meant by its number, its token, its words, or words that only its own have."""
    if typed.isdecimal() and 1 <= int(typed) <= len(choices):
        return choices[int(typed) - 1].value
    said = _words(typed)
    for choice in choices:
        if said in (_words(choice.value), _words(choice.label)):
            return choice.value
    having = [one for one in choices if said and set(said) <= {*_words(one.value), *_words(one.label)}]
    if len(having) == 1:
        return having[0].value
    if having:
        raise ValueError(f"Please say which of these: {'; '.join(one.label for one in having)}.")
    raise ValueError(f"Please type a number from 1 to {len(choices)}, or the words of one of these.")


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", text.lower()))


def listed(typed: str, separator: str) -> list[str]:
    """The entries of a list; none for "none" and what else says so. The comma of "1,200 mg" parts nothing."""
    if typed.strip().lower() in _NOTHING:
        return []
    return [part.strip() for part in re.split(f"{separator}{_NO_THOUSANDS}", typed) if part.strip()]


class Conditions:
    """The conditions that a rulebook knows, by every name that it has for them."""

    def __init__(self, conditions: Mapping[str, Condition]) -> None:
        self._tokens = {
            name.lower(): token
            for token, entry in conditions.items()
            for name in (token.replace("_", " "), entry.label, entry.patient_label, *entry.also)
        }

    def token(self, typed: str) -> str | None:
        """The token of a condition, if it has one."""
        return self._tokens.get(" ".join(typed.lower().replace("_", " ").split()))

    def near(self, typed: str) -> str | None:
        """A known name that what was typed may be meant for."""
        found = process.extractOne(typed.lower(), list(self._tokens), score_cutoff=80)
        return found[0] if found else None


def put(body: Json, pointer: str, answer: Any) -> Json:
    """`body` with an answer at a JSON Pointer."""
    first, *rest = pointer.strip("/").split("/")
    if first == "medications" and len(rest) == 2:
        entries = [dict(entry) for entry in body["medications"]]
        entries[int(rest[0])][rest[1]] = answer
        return body | {"medications": entries}
    patch = answer
    for key in reversed([first, *rest]):
        patch = {key: patch}
    merged: Json = merge_patch(body, patch)
    return merged


def at_pointer(body: Json, pointer: str) -> Any:
    """What stands at a JSON Pointer of a request to which an answer was put."""
    found: Any = body
    for key in pointer.strip("/").split("/"):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found
