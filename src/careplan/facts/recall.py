"""What callers write again and again, looked up once: names of medicines, and goals.

Neither is kept. Each is known again by a digest with a key of this process, and what is remembered is in our words.
"""

from __future__ import annotations

from hashlib import blake2b
from secrets import token_bytes

from careplan.memo import Memo
from careplan.recognition.goal_judge import GoalJudgement
from careplan.recognition.medicine_catalogue import Match, Problem, Resolved
from careplan.request.patient import Medication
from careplan.rulebook.model import Rulebook

MOST_REMEMBERED = 1_024

_LookedUp = tuple[Match | None, Problem | None, tuple[str, ...]]


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
        # A code has digits only, so that the two cannot run into each other.
        digest = self._digest(f"{entry.rxcui or ''} {entry.name or ''}")
        known = self._medicines.get(digest)
        if known is not None:
            return Resolved(index, entry, *known)
        resolved = self._catalogue.resolve(index, entry)
        if not resolved.unknown_parts:  # those are the caller's words
            self._medicines.keep(digest, (resolved.match, resolved.problem, resolved.suggestions))
        return resolved

    def goal(self, goal: str) -> GoalJudgement:
        """What is to be said of a goal."""
        digest = self._digest(goal)
        return self._goals.get(digest) or self._goals.keep(digest, self._judge.judge(goal))

    def _digest(self, words: str) -> bytes:
        return blake2b(words.encode(), key=self._key, digest_size=16).digest()
