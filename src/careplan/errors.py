"""What can be wrong with an input, and the two exceptions that carry it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec


class Fault(msgspec.Struct, frozen=True, order=True, kw_only=True, omit_defaults=True):
    """One fault of a request body.

    `pointer` is a JSON Pointer (RFC 6901) into the body, "" for the body itself. `detail` never quotes a value
    that the caller sent: bodies hold health data, and problem documents end up in logs.
    """

    pointer: str
    detail: str


class RuleFault(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One fault of a rulebook file: where it is, what is wrong and how to mend it. `line` counts from 1.

    `code` names the kind of fault and stays the same when the words change.
    """

    file: str
    line: int
    field: str
    problem: str
    mend: str
    code: str = "form"

    def __str__(self) -> str:
        where = f" ({self.field})" if self.field else ""
        return f"{self.file}:{self.line}{where}: {self.problem} {self.mend}".rstrip()


MOST_FAULTS = 200
"""A problem document names at most this many faults and says when there are more."""


class InvalidPatient(Exception):
    """The body is not a patient. `faults` names every fault found, in order of pointer; `more` says that there are more."""

    type = "urn:careplan:problem:invalid-patient"
    title = "The patient's factors cannot be used"

    def __init__(self, faults: Sequence[Fault], *, more: bool = False) -> None:
        super().__init__(f"{len(faults)} faults in the patient's factors")
        self.faults = tuple(faults[:MOST_FAULTS])
        self.more = more or len(faults) > MOST_FAULTS


class InvalidSigning(InvalidPatient):
    """The body is not a record that can be signed with the choices in it; faults as of a patient."""

    type = "urn:careplan:problem:invalid-signing"
    title = "The plan cannot be signed as it was sent"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document (RFC 9457). `errors` names every fault by JSON Pointer; `more` is true when there are more."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[Fault] = []
    more: bool = False


def problem_of(error: InvalidPatient) -> Problem:
    """The problem document for a body: 400 where it is not JSON at all, 422 where its factors are wrong."""
    unreadable = len(error.faults) == 1 and error.faults[0].pointer == "" and "JSON" in error.faults[0].detail
    many = len(error.faults)
    said = f"More than {many} faults" if error.more else f"{many} {'fault' if many == 1 else 'faults'}"
    return Problem(
        type=error.type,
        title=error.title,
        status=400 if unreadable else 422,
        detail=f"{said} found; {'the first are' if error.more else 'each is'} named below.",
        errors=list(error.faults),
        more=error.more,
    )


LONGEST_WORDS = 1_000
"""Characters of what a fault quotes of a file: it may be a file of one line."""
MOST_SHOWN = 20
"""Faults that are shown one by one, where there may be thousands."""


class InvalidRulebook(Exception):
    """The rulebook is not fit for use. `faults` names every fault found, each once, in order of file and line."""

    def __init__(self, faults: Iterable[RuleFault]) -> None:
        self.faults = tuple(sorted({_shortened(fault) for fault in faults}))
        super().__init__("\n".join(lines_of_faults(self.faults)))


def lines_of_faults(faults: Sequence[RuleFault], most: int = MOST_SHOWN) -> list[str]:
    """One line for each fault; beyond `most` they are counted, file by file where these are few."""
    rest = faults[most:]
    lines = [str(fault) for fault in faults[:most]]
    if not rest:
        return lines
    files = sorted({fault.file for fault in rest})
    where = ", ".join(files) if len(files) <= 5 else f"{len(files)} files"
    return [*lines, f"... and {len(rest):,} more in {where}."]


def _shortened(fault: RuleFault) -> RuleFault:
    words = {name: getattr(fault, name) for name in ("file", "field", "problem", "mend")}
    if max(map(len, words.values())) <= LONGEST_WORDS and all(text.isprintable() for text in words.values()):
        return fault
    return msgspec.structs.replace(fault, **{name: _cut(text) for name, text in words.items()})


def _cut(text: str) -> str:
    """The text on one line and no longer than that, without what a terminal would obey."""
    shown = "".join(char if char.isprintable() else " " for char in text[: LONGEST_WORDS * 2])
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST_WORDS else f"{shown[: LONGEST_WORDS - 40]} ... {shown[-30:]}"


class InvalidSettings(Exception):
    """A setting is not of the form it must have. Says which one, never its value."""
