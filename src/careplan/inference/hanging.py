"""On which answers the rules hang that could still hold, as the atoms of their groups have it.

A group hangs on the answers of its open atoms, and on none where one of these hangs on no answer. A rule that surely holds
for somebody hangs on nothing there, whatever its other groups say.
"""

from __future__ import annotations

from typing import NamedTuple

from careplan.inference.masks import Mask
from careplan.inference.three_valued import NOTHING
from careplan.rulebook.conditions import Pattern

Subject = tuple[int, str]
"""The number of a rule, and the id of the fact that it is put to."""


class Group(NamedTuple):
    """One group of conditions. `many` is the kind of which there can be many facts, `of_many` what it asks of one.

    `only` is True for the only group of its rule; one that is `plain` leaves no choice between atoms besides.
    """

    rule: int
    number: int
    kinds: tuple[str, ...]
    single: Mask
    many: str
    of_many: Mask
    pattern: Pattern | None
    only: bool
    plain: bool


class State(NamedTuple):
    """What the tables say of one fact, or of all facts of which there is one: bit sets, and what open atoms hang on.

    `impossible` are the atoms that neither match nor could, `settled` those that match whatever is answered.
    """

    matches: int
    open: int
    hangs: dict[int, frozenset[str]]
    impossible: int
    settled: int

    @classmethod
    def of(cls, matches: int, open_: int, hangs: dict[int, frozenset[str]]) -> State:
        """The state with these atoms."""
        return cls(matches, open_, hangs, ~(matches | open_), matches & ~open_)


class Hanging:
    """Which rules hold for which subjects, and on which answers the others hang."""

    def __init__(self) -> None:
        self._rules: dict[frozenset[str], int] = {}
        self._sure: set[Subject] = set()
        self._open: dict[Subject, set[str]] = {}

    def note(self, group: Group, subject: str, judged: frozenset[str] | None) -> None:
        """Take in what was judged of one group: that it cannot hold, surely holds, or hangs on answers."""
        if judged is None or judged is _HELPLESS:
            return
        if group.only:
            self._rules[judged] = self._rules.get(judged, 0) | 1 << group.rule
        elif judged:
            self._open.setdefault((group.rule, subject), set()).update(judged)
        else:
            self._sure.add((group.rule, subject))

    def by_pointer(self) -> dict[str, int]:
        """For each answer the rules that hang on it, of the subjects for which they do not surely hold."""
        by_pointer: dict[str, int] = {}
        open_ = ((pointers, 1 << subject[0]) for subject, pointers in self._open.items() if subject not in self._sure)
        for pointers, rules in (*self._rules.items(), *open_):
            for pointer in pointers:
                by_pointer[pointer] = by_pointer.get(pointer, 0) | rules
        return by_pointer


_HELPLESS = frozenset({"no answer"})
"""What is open for a reason that no answer could mend."""


def judged_of(mask: Mask, state: State) -> frozenset[str] | None:
    """The answers on which a mask hangs: none where it surely holds; None where it cannot hold."""
    need = mask.need
    if need & state.impossible:
        return None
    open_ = need & state.open
    if not mask.choices:
        if not open_:
            return NOTHING
        if not open_ & open_ - 1:  # One alone is open.
            return state.hangs[open_.bit_length() - 1] or _HELPLESS
        found = [state.hangs[atom] for atom in mask.atoms if open_ >> atom & 1]
        return frozenset().union(*found) if all(found) else _HELPLESS
    pointers: set[str] = set()
    for choice in mask.choices:
        if not choice & ~state.impossible:
            return None
        if not choice & state.settled:
            pointers.update(*(state.hangs[atom] for atom in mask.atoms if choice & state.open & 1 << atom))
    for atom in mask.atoms:
        if open_ >> atom & 1:
            if not state.hangs[atom]:
                return _HELPLESS
            pointers |= state.hangs[atom]
    if not pointers and (open_ or any(not choice & state.settled for choice in mask.choices)):
        return _HELPLESS
    return frozenset(pointers)


def both(left: frozenset[str] | None, right: frozenset[str] | None) -> frozenset[str] | None:
    """The answers on which two things hang together."""
    if left is None or right is None:
        return None
    if left is _HELPLESS or right is _HELPLESS:
        return _HELPLESS
    return left | right
