"""Which conditions a patient can have whose list of illnesses was not sent, for the solver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import z3

from careplan.authoring.proof.answers import Formula
from careplan.rulebook.illnesses import told_in_other_lists
from careplan.rulebook.model import Rulebook


def constraints(book: Rulebook, has: Mapping[str, Formula], asked: Formula) -> Iterator[Formula]:
    """A condition means that illnesses were asked for, unless an allergy or the line of a medicine can tell of it."""
    elsewhere = told_in_other_lists(book)
    return (z3.Implies(there, asked) for name, there in has.items() if name not in elsewhere)


def told_elsewhere(book: Rulebook, has: Mapping[str, Formula]) -> list[Formula]:
    """The conditions of which an allergy or the line of a medicine can tell."""
    return [has[name] for name in sorted(told_in_other_lists(book))]
