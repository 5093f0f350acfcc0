"""Checking that clauses cannot all be true, by a derivation of the empty clause. Nothing is searched for.

Each step adds a clause. A step either is about numbers, and then what it denies adds up to a contradiction; or it names
clauses, and then it is taken that all literals of the new clause are false: each clause named must leave one literal, which
is taken to be true, and the last one none at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from careplan.authoring.proof.clauses import Clause, Clauses

QUESTION = 0
"""The number by which a step names what is asked. Above it are clauses, from 1 on; below it the steps before, from -1 on."""


class Step(NamedTuple):
    """A clause, and the clauses from which it follows; without any it is about numbers."""

    clause: Clause
    because: tuple[int, ...] = ()


class Refused(Exception):
    """A derivation that is none. Says why."""


def check(known: Clauses, question: int, steps: Sequence[Step]) -> None:
    """Check that a literal that is asked of `known` cannot be true. Raises `Refused`."""
    for at, step in enumerate(steps):
        if step.because:
            _follows(step, [_named(known, question, steps, at, number) for number in step.because])
        elif not known.is_about_numbers(step.clause):
            raise Refused(f"step {at + 1} does not follow from how numbers are ordered")
    if not steps or steps[-1].clause:
        raise Refused("it does not end with the empty clause")


def _named(known: Clauses, question: int, steps: Sequence[Step], at: int, number: int) -> Clause:
    if number == QUESTION:
        return (question,)
    if number > len(known.clauses) or -number > at:
        raise Refused(f"there is no clause {number}")
    return known.clauses[number - 1] if number > 0 else steps[-number - 1].clause


def _follows(step: Step, named: Sequence[Clause]) -> None:
    true = {-literal for literal in step.clause}
    for clause in named:
        left = [literal for literal in clause if -literal not in true]
        if not left:
            return
        if len(left) > 1:
            raise Refused(f"a clause leaves {len(left)} literals open where it is used")
        true.add(left[0])
    raise Refused("the clauses that a step names do not contradict each other")


def as_text(steps: Sequence[Step]) -> str:
    """The steps, a line for each: the literals, and behind a 0 what they follow from."""
    return "".join(f"{' '.join(map(str, (*step.clause, 0, *step.because)))}\n" for step in steps)


def from_text(lines: Sequence[str]) -> list[Step]:
    """Steps as `as_text` writes them. Raises `Refused`."""
    found = []
    for line in lines:
        try:
            numbers = [int(word) for word in line.split(" ")]
            end = numbers.index(0)
        except ValueError:
            raise Refused(f"a step cannot be read: {line[:40]}") from None
        found.append(Step(tuple(numbers[:end]), tuple(numbers[end + 1 :])))
    return found
