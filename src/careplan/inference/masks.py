"""What a group of tests asks of facts, as bit sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Mask(NamedTuple):
    """What a group asks of the facts of one space: atoms that must all match, and sets of which one must.

    `atoms` lists all of them by number.
    """

    need: int
    choices: tuple[int, ...]
    atoms: tuple[int, ...]

    @classmethod
    def of(cls, clauses: Iterable[list[int]]) -> Mask:
        """The mask of clauses, each of which lists atoms by number of which one must match."""
        need, choices, atoms = 0, [], list[int]()
        for clause in clauses:
            bits = sum(1 << atom for atom in clause)
            if len(clause) == 1:
                need |= bits
            else:
                choices.append(bits)
            atoms += clause
        return cls(need, tuple(choices), tuple(dict.fromkeys(atoms)))

    def matches(self, bits: int) -> bool:
        """Whether these atoms are enough."""
        return not self.need & ~bits and (not self.choices or all(choice & bits for choice in self.choices))
