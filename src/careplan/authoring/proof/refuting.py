"""Finding derivations: a SAT solver refutes the clauses of a question, and what it wrote is cut down to what is needed.

Nothing here needs to be right for a derivation to be believed, since `derivation` checks every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from fractions import Fraction
from itertools import islice, pairwise, product
from typing import Any

from careplan.authoring.proof.clauses import TRUE, Clause, Clauses
from careplan.authoring.proof.derivation import QUESTION, Step
from careplan.authoring.proof.numbers import Sum
from careplan.authoring.proof.propagation import Propagation

SOLVER = "cadical195"


class Refuter:
    """Looks for derivations from clauses, which may grow from one question to the next."""

    def __init__(self, known: Clauses) -> None:
        self._known = known
        self._of_assumed: list[tuple[int, Set[int], Set[object]]] = []

    def refuted(self, question: int) -> list[Step] | None:
        """Steps that show that a literal cannot be true; None where the clauses do not rule it out.

        Of what holds of every patient it takes in what bears on the question, then what bears on that, and so on.
        """
        self._take_in_what_is_assumed()
        used: set[int] = set()
        variables = self._below([question])
        while True:
            clauses = self._clauses(question, variables, used)
            lemmas = _proof(clauses.values())
            if lemmas is not None:
                return _steps(clauses, lemmas)
            subjects = self._subjects(variables)
            more = {
                at for at, (_, _, about) in enumerate(self._of_assumed) if at not in used and not about.isdisjoint(subjects)
            }
            if not more:
                return None
            used |= more
            variables = variables | {one for at in more for one in self._of_assumed[at][1]}

    def _take_in_what_is_assumed(self) -> None:
        for at in self._known.assumed[len(self._of_assumed) :]:
            below = self._below(self._known.clauses[at])
            self._of_assumed.append((at, below, self._subjects(below)))

    def _below(self, literals: Iterable[int]) -> Set[int]:
        """The variables of which these are made."""
        found: set[int] = set()
        stack = [abs(literal) for literal in literals]
        while stack:
            if (at := stack.pop()) not in found:
                found.add(at)
                stack += map(abs, self._known.defined[at].parts if at in self._known.defined else ())
        return found

    def _subjects(self, variables: Set[int]) -> Set[object]:
        """What these are about in the end: what may be true or false, and numbers."""
        found: set[object] = set()
        for variable in variables:
            if variable in self._known.points:
                found.update(name for name, _ in self._known.points[variable].variables)
            elif variable not in self._known.defined and variable != TRUE:
                found.add(variable)
        return found

    def _clauses(self, question: int, variables: Set[int], used: Set[int]) -> dict[int | Clause, Clause]:
        """All clauses by their numbers; those about numbers, which have none, by themselves."""
        known = self._known
        found: dict[int | Clause, Clause] = {QUESTION: (question,), 1: known.clauses[0]}
        for variable in sorted(variables):
            if variable in known.defined:
                begin, end, _ = known.defined[variable]
                found |= {at + 1: known.clauses[at] for at in range(begin, end)}
        found |= {at + 1: known.clauses[at] for at, _, _ in (self._of_assumed[one] for one in sorted(used))}
        return found | {clause: clause for clause in self._about_numbers(variables)}

    def _about_numbers(self, variables: Set[int]) -> Iterator[Clause]:
        """How the places follow one another; and of two numbers and their difference what two of them say of the third."""
        places: dict[Sum, list[int]] = {}
        for variable in sorted(
            variables & self._known.points.keys(), key=lambda variable: self._known.points[variable].place
        ):
            places.setdefault(self._known.points[variable].variables, []).append(variable)
        for some in places.values():
            yield from ((-later, first) for first, later in pairwise(some))
        for factors, differences in places.items():
            if [factor for _, factor in factors] == [1, -1]:
                first, second = (places.get(((name, Fraction(1)),), []) for name, _ in factors)
                yield from self._of_difference(differences, first, second)

    def _of_difference(self, differences: Sequence[int], first: Sequence[int], second: Sequence[int]) -> Iterator[Clause]:
        """If a difference is at least so much, and the second number too, then the first one; and the other way round."""
        for difference, other in product(differences, second):
            for sign, ordered in ((-1, first[::-1]), (1, first)):
                clauses = ((sign * difference, sign * other, -sign * one) for one in ordered)
                yield from islice(filter(self._known.is_about_numbers, clauses), 1)


def _proof(clauses: Iterable[Clause]) -> list[Clause] | None:
    """The clauses that a SAT solver learned until it came to the empty one; None where there is a solution."""
    from pysat.solvers import Solver

    solver: Any = Solver(name=SOLVER, bootstrap_with=[list(one) for one in clauses], with_proof=True)
    try:
        if solver.solve():
            return None
        lines = [line.split() for line in solver.get_proof() if not line.startswith("d")]
    finally:
        solver.delete()
    return [*(tuple(map(int, line[:-1])) for line in lines), ()]


def _steps(clauses: dict[int | Clause, Clause], lemmas: Sequence[Clause]) -> list[Step]:
    """What of the learned clauses is needed for the empty one, each with the clauses from which it follows."""
    names = list(clauses)
    propagation = Propagation([*clauses.values(), *lemmas])
    end = next(at for at, lemma in enumerate(lemmas) if not lemma)
    needed: dict[int, list[int]] = {}
    wanted = {len(names) + end}
    while wanted:
        at = max(wanted)
        wanted.discard(at)
        needed[at] = propagation.because(lemmas[at - len(names)], at)
        wanted.update(one for one in needed[at] if one >= len(names))
    steps: list[Step] = []
    numbers: dict[int, int] = {}

    def number(place: int) -> int:
        name = names[place] if place < len(names) else None
        if isinstance(name, int):
            return name
        if place not in numbers:  # a clause about numbers, which is a step of its own
            steps.append(Step(clauses[names[place]]))
            numbers[place] = -len(steps)
        return numbers[place]

    for at in sorted(needed):
        because = tuple(map(number, needed[at]))
        steps.append(Step(lemmas[at - len(names)], because))
        numbers[at] = -len(steps)
    return steps
