"""Which entries of a request nobody could read, and which are known though no rule concerns them.

What was read takes part in rules. What is known is listed once and presumed to be nothing else. What is unread takes
nothing away: rules presume that it is harmless, and each item that does so says what the entry must not be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from careplan.recognition.goal_judge import GoalJudgement
from careplan.recognition.illness_read import IllnessRead
from careplan.recognition.medicine_catalogue import Resolved
from careplan.request.patient import ListName, Patient

_PARTLY_READ = frozenset({"not_recognized", "partly_recognized"})
"""Problems of a medicine of which something was not read at all. A disagreement of name and code reads both."""

_POINTERS: dict[ListName, str] = {
    "medications": "/medications",
    "conditions": "/other_conditions",
    "goals": "/expectations/goals",
}
_LISTS: dict[ListName, str] = {
    "medications": "/medications",
    "conditions": "/conditions",
    "goals": "/expectations/goals",
}


class Entries(msgspec.Struct, frozen=True, gc=False):
    """The places of entries in their lists: medicines, other conditions and goals.

    `incomplete` names the lists that were sent and of which it is known that something is missing.
    """

    medications: tuple[int, ...] = ()
    conditions: tuple[int, ...] = ()
    goals: tuple[int, ...] = ()
    incomplete: tuple[ListName, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.medications or self.conditions or self.goals or self.incomplete)

    def of(self, name: ListName) -> tuple[int, ...]:
        """The places of entries in one list."""
        return self.medications if name == "medications" else self.conditions if name == "conditions" else self.goals

    def any_of(self, name: ListName) -> bool:
        """True when an entry of the list is among them, or the list is known to be incomplete."""
        return bool(self.of(name)) or name in self.incomplete

    def pointers(self, name: ListName) -> tuple[str, ...]:
        """JSON Pointers of the entries, and of the list itself where something is missing from it."""
        entries = tuple([f"{_POINTERS[name]}/{at}" for at in self.of(name)])
        return (*entries, _LISTS[name]) if name in self.incomplete else entries


def is_unread(goal: GoalJudgement) -> bool:
    """Whether a goal was not read. One in which danger was read was read in what matters."""
    return not goal.understood and goal.safety == "none"


def unread_entries(
    patient: Patient, medicines: Sequence[Resolved], goals: Sequence[GoalJudgement], illnesses: Sequence[IllnessRead]
) -> Entries:
    """The entries of one patient that nobody could read."""
    return Entries(
        medications=tuple([resolved.index for resolved in medicines if resolved.problem in _PARTLY_READ]),
        conditions=tuple([at for at, one in enumerate(illnesses) if one.recognition == "unread"]),
        goals=tuple([at for at, goal in enumerate(goals) if is_unread(goal)]),
        incomplete=tuple(_sent_incomplete(patient)),
    )


def known_entries(medicines: Sequence[Resolved], looked_at: frozenset[str], illnesses: Sequence[IllnessRead]) -> Entries:
    """The entries that are known, also in part, and no rule looks at; `looked_at` has what of medicines is under rules."""
    return Entries(
        medications=tuple([resolved.index for resolved in medicines if _without_a_rule(resolved, looked_at)]),
        conditions=tuple([at for at, one in enumerate(illnesses) if one.any_of("known")]),
    )


def _without_a_rule(resolved: Resolved, looked_at: frozenset[str]) -> bool:
    return (
        resolved.match is not None
        and resolved.taken
        and resolved.problem not in _PARTLY_READ
        and all(looked_at.isdisjoint(row.tokens) for row in resolved.match.ingredients)
    )


def _sent_incomplete(patient: Patient) -> Iterator[ListName]:
    sent: dict[ListName, object] = {
        "medications": patient.medications,
        "conditions": patient.conditions,
        "goals": patient.expectations.goals,
    }
    for name, entries in sent.items():
        if name in patient.incomplete and entries is not None:
            yield name
