"""Which clauses make a clause follow, by setting one literal after the other that a clause leaves open."""

from __future__ import annotations

from collections.abc import Sequence

from careplan.authoring.proof.clauses import Clause


class Propagation:
    """Clauses in their order, each watched at two of its literals."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        self._clauses = [list(dict.fromkeys(clause)) for clause in clauses]
        self._single = [at for at, clause in enumerate(self._clauses) if len(clause) == 1]
        self._watching: dict[int, list[int]] = {}
        for at, clause in enumerate(self._clauses):
            for literal in clause[:2] if len(clause) > 1 else ():
                self._watching.setdefault(literal, []).append(at)

    def because(self, clause: Clause, before: int) -> list[int]:
        """The clauses before a place that contradict each other if all literals of `clause` are false, in order of use.

        Raises `ValueError` where they do not.
        """
        reasons: dict[int, int | None] = {-literal: None for literal in clause}
        queue = list(reasons)
        clash = None
        for at in self._single:
            if at < before and clash is None:
                clash = self._set(self._clauses[at][0], at, reasons, queue)
        done = 0
        while clash is None and done < len(queue):
            clash = self._spread(queue[done], before, reasons, queue)
            done += 1
        if clash is None:
            raise ValueError("a clause does not follow by propagation")
        return self._used(clash, reasons, queue)

    @staticmethod
    def _set(literal: int, at: int, reasons: dict[int, int | None], queue: list[int]) -> int | None:
        if -literal in reasons:
            return at
        if literal not in reasons:
            reasons[literal] = at
            queue.append(literal)
        return None

    def _spread(self, literal: int, before: int, reasons: dict[int, int | None], queue: list[int]) -> int | None:
        """Look at the clauses in which the opposite of a literal is watched."""
        watching = self._watching.get(-literal, [])
        kept: list[int] = []
        clash = None
        for at in watching:
            if clash is not None or at >= before:
                kept.append(at)
                continue
            clause = self._clauses[at]
            if clause[0] == -literal:
                clause[0], clause[1] = clause[1], clause[0]
            if clause[0] in reasons:
                kept.append(at)
                continue
            for other in range(2, len(clause)):
                if -clause[other] not in reasons:
                    clause[1], clause[other] = clause[other], clause[1]
                    self._watching.setdefault(clause[1], []).append(at)
                    break
            else:
                kept.append(at)
                clash = self._set(clause[0], at, reasons, queue)
        watching[:] = kept
        return clash

    def _used(self, clash: int, reasons: dict[int, int | None], queue: Sequence[int]) -> list[int]:
        """The clauses on which a contradiction rests, in the order in which they set their literals."""
        wanted = {-literal for literal in self._clauses[clash]}
        found = [clash]
        for literal in reversed(queue):
            if literal in wanted and (at := reasons[literal]) is not None:
                found.append(at)
                wanted.update(-other for other in self._clauses[at] if other != literal)
        return found[::-1]
