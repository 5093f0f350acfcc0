"""What can be wrong with an input, and the two exceptions that carry it."""

from __future__ import annotations

from collections.abc import Sequence

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


class InvalidRulebook(Exception):
    """The rulebook is not fit for use. `faults` names every fault found, in order of file and line."""

    def __init__(self, faults: Sequence[RuleFault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class InvalidSettings(Exception):
    """A setting is not of the form it must have. Says which one, never its value."""
