"""The certificate of a rulebook: what was proved of it for all patients, by which solvers, so that anyone can check it.

Written by `careplan rules prove --certify`, which needs solvers. Reading it needs none.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from careplan.rulebook.model import Rulebook

FORMAT = 1


class SolverName(msgspec.Struct, frozen=True):
    """A solver that was asked."""

    name: str
    version: str


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Something that holds for every patient: no patient satisfies the formula of its opposite, whose SHA-256 this is.

    `says` has every sentence that the formula stands for. `answers` are those of the solvers, in their order. `steps` is the
    SHA-256 of the steps in `proof.steps` by which it follows, which are checked without a solver; empty if there are none.
    """

    subject: str
    says: tuple[str, ...]
    formula: str
    answers: tuple[str, ...]
    steps: str = ""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What is claimed of each of many subjects, such as rules."""

    claim: str
    says: str
    proved: tuple[Proved, ...]


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """A patient whose plan, by the engine, shows that something can be."""

    subject: str
    patient: dict[str, Any]


class Possible(msgspec.Struct, frozen=True, kw_only=True):
    """What was shown to be possible of each of many subjects."""

    claim: str
    says: str
    shown: tuple[Witness, ...]


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved of one rulebook. `digest` is that of its files.

    `patients` is the SHA-256 of the formulas that hold of every patient that a request can describe, `script` that of all
    questions as SMT-LIB 2.6 text, which `careplan rules prove --questions FILE` writes. `steps_by` is the SAT solver that
    found the steps of claims that have some.
    """

    format: int
    rulebook: str
    version: str
    digest: str
    logic: str
    solvers: tuple[SolverName, ...]
    patients: str
    script: str
    claims: tuple[Claimed, ...]
    possible: tuple[Possible, ...]
    steps_by: SolverName | None = None


def certificate_of(book: Rulebook) -> Certificate | None:
    """The certificate that lies beside the rules, if there is one that can be read. It may be of another rulebook."""
    try:
        return msgspec.json.decode(book.certificate, type=Certificate) if book.certificate else None
    except msgspec.DecodeError:
        return None


def fits(book: Rulebook, certificate: Certificate | None) -> bool:
    """Whether a certificate is of this rulebook, as it is now to the last byte."""
    return certificate is not None and (certificate.format, certificate.digest) == (FORMAT, book.digest)


class _Head(msgspec.Struct, frozen=True):
    format: int
    digest: str


def digest_of_certificate(book: Rulebook) -> str:
    """The SHA-256 of the certificate of this rulebook; empty where it has none, or one of another rulebook."""
    try:
        head = msgspec.json.decode(book.certificate, type=_Head)
    except msgspec.DecodeError:
        return ""
    return hashlib.sha256(book.certificate).hexdigest() if head == _Head(FORMAT, book.digest) else ""


def as_text(certificate: Certificate) -> bytes:
    """A certificate as JSON, in which each claim about one subject has a line of its own."""
    head = msgspec.to_builtins(certificate)
    claims, possible = head.pop("claims"), head.pop("possible")
    parts = [f" {_json(name)}: {_json(value)}" for name, value in head.items()]
    parts.append(f' "claims": [\n{_listed(claims, "proved")}\n ]')
    parts.append(f' "possible": [\n{_listed(possible, "shown")}\n ]')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _listed(groups: list[dict[str, Any]], inside: str) -> str:
    found = []
    for group in groups:
        lines = ",\n".join(f"   {_json(one)}" for one in group.pop(inside))
        names = "".join(f"{_json(name)}: {_json(value)}, " for name, value in group.items())
        found.append(f'  {{{names}"{inside}": [\n{lines}\n  ]}}')
    return ",\n".join(found)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
