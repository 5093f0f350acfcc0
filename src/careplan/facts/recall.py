"""What callers write again and again, looked up once: names of medicines, and goals.

Neither is kept. Each is known again by a digest with a key of this process, and what is remembered is in our words.
"""

from __future__ import annotations

from hashlib import blake2b
from secrets import token_bytes
from typing import NamedTuple

import msgspec

from careplan.memo import Memo
from careplan.recognition.goal_judge import GoalJudgement
from careplan.recognition.medicine_catalogue import Match, Problem, Resolved
from careplan.request.patient import Medication, MedicineIndication, Schedule
from careplan.rulebook.model import Rulebook

MOST_REMEMBERED = 1_024


class _LookedUp(NamedTuple):
    """What a name and a code stand for, and what the name says of schedule and reason: tokens, never words."""

    match: Match | None
    problem: Problem | None
    suggestions: tuple[str, ...]
    schedule: Schedule | None
    indication: MedicineIndication | None

    def resolved(self, index: int, entry: Medication) -> Resolved:
        schedule, indication = entry.schedule or self.schedule, entry.indication or self.indication
        if schedule != entry.schedule or indication != entry.indication:
            entry = msgspec.structs.replace(entry, schedule=schedule, indication=indication)
        return Resolved(index, entry, self.match, self.problem, self.suggestions)


class Recall:
    """Looks names and goals up in one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._catalogue = book.catalogue
        self._judge = book.goals
        self._key = token_bytes(32)
        self._medicines: Memo[bytes, _LookedUp] = Memo(MOST_REMEMBERED)
        self._goals: Memo[bytes, GoalJudgement] = Memo(MOST_REMEMBERED)

    def medicine(self, index: int, entry: Medication) -> Resolved:
        """One entry of the list of medicines."""
        digest = self._digest("\0".join((entry.rxcui or "", entry.status or "", entry.name or "", entry.text or "")))
        known = self._medicines.get(digest)
        if known is not None:
            return known.resolved(index, entry)
        found = self._catalogue.resolve(
            index, Medication(name=entry.name, text=entry.text, rxcui=entry.rxcui, status=entry.status)
        )
        looked_up = _LookedUp(found.match, found.problem, found.suggestions, found.entry.schedule, found.entry.indication)
        if found.unknown_parts:  # those are the caller's words
            return msgspec.structs.replace(looked_up.resolved(index, entry), unknown_parts=found.unknown_parts)
        return self._medicines.keep(digest, looked_up).resolved(index, entry)

    def goal(self, goal: str) -> GoalJudgement:
        """What is to be said of a goal."""
        digest = self._digest(goal)
        return self._goals.get(digest) or self._goals.keep(digest, self._judge.judge(goal))

    def _digest(self, words: str) -> bytes:
        return blake2b(words.encode(), key=self._key, digest_size=16).digest()
