"""Changes of dose in a line: of "0.5 mg twice daily, was 1 mg three times daily" only the first is taken.

What stands behind words of an earlier dose, up to the next sign or "to", is read and counts for nothing.
"""

from __future__ import annotations

import re
from typing import Any

from careplan.recognition.figures import figure
from careplan.recognition.line import Steps
from careplan.recognition.line_state import State
from careplan.recognition.line_tables import FEW
from careplan.recognition.list_words import Meaning

_ENDING = frozenset(("statuses", "steps", "switches", "leaves", "before_names"))
"""Behind these begins what is taken after the earlier dose, or something else."""
_SIGNS = frozenset(")];\n|-")
_BEHIND_A_DOSE = frozenset("),;]\n")
_YEAR = re.compile(r"(?:19|20)\d\d")


class Changes(State):
    """Reads doses that follow each other in time, and those that are past."""

    _earlier_from = -1
    """Where words of an earlier dose begin in the text that was sent; -1 outside of them."""

    def _stepped(self, how: Steps) -> None:
        """What follows is taken after what came before."""
        if self._draft.steps != "changed":
            self._draft.steps = how

    def _earlier(self, at: int, end: int) -> bool:
        """Take what follows token `end` for an earlier dose; False where no figure stands there."""
        words = self._words
        if end == len(words) or not (words[end][0].isdigit() or words[end][0] in ".," or words[end] in self._tables.numbers):
            return False
        self._earlier_ends(at)
        self._earlier_from = self._tokens.sent_starts[at]
        return True

    def _earlier_by_one_word(self, at: int, end: int) -> None:
        """Take "was 1 mg" and "from 1 mg" for an earlier dose, or for a step where no dose stands before "from"."""
        tables, tokens, draft = self._tables, self._tokens, self._draft
        word = self._words[at]
        if end == len(self._words):
            return
        is_a_strength = tables.strength.match(tokens.folded, tokens.starts[end]) is not None
        if word in tables.leaves_from:
            if is_a_strength and draft.strengths:
                self._earlier(at, end)
            elif is_a_strength:
                self._stepped("changed")
        elif is_a_strength or draft.strengths:
            self._earlier(at, end)

    def _earlier_ends(self, at: int) -> None:
        """What stands from token `at` on is of today again."""
        if self._earlier_from >= 0:
            starts = self._tokens.sent_starts
            end = starts[at] if at < len(starts) else len(self._tokens.text)
            self._draft.earlier.append((self._earlier_from, end))
            self._earlier_from = -1

    def _earlier_behind(self, meaning: Meaning, at: int, end: int) -> None:
        """Note that an earlier dose ends before a phrase such as "to" or "now"."""
        if meaning.kind in _ENDING or (end == at + 1 and self._words[at] in self._tables.leaves_for):
            self._earlier_ends(at)

    def _earlier_behind_sign(self, at: int, sign: str) -> None:
        """Note that an earlier dose ends before a sign; behind a comma another figure of it may follow."""
        words = self._words
        goes_on = sign == "," and at + 1 < len(words) and words[at + 1][0].isdigit() and bool(self._draft.strengths)
        if sign in _SIGNS or (sign == "," and not goes_on):
            self._earlier_ends(at)

    def _named(self, at: int, end: int, meaning: Any) -> int:
        self._earlier_ends(at)
        return super()._named(at, end, meaning)

    def _tells_of_an_earlier_dose(self, at: int, end: int) -> bool:
        """Whether a strength stands behind "previously" and another before it: what is said to be past is a dose."""
        strengths = self._draft.strengths
        if strengths and tuple(self._words[at:end]) in self._tables.not_borne:
            return self._is_a_dose(end)
        if not strengths or tuple(self._words[at:end]) not in self._tables.earlier_doses:
            return False
        if (
            self._last == "strength"
            and len(strengths) > 1
            and (end == len(self._words) or not self._words[end][0].isalnum())
        ):
            self._draft.earlier.append((strengths[-1].start, strengths[-1].end))  # "30 mg, 20 mg previously"
            return True
        if end == len(self._words):
            return False
        return self._words[end][0] in ".0123456789"

    def _is_a_dose(self, at: int) -> bool:
        """Whether a strength stands at a token, or a figure that is no date and no count: 300 of "failed 300"."""
        words, tables, tokens = self._words, self._tables, self._tokens
        if at == len(words) or not words[at][0].isdigit():
            return False
        if tables.strength.match(tokens.folded, tokens.starts[at]) is not None:
            return True
        amount = figure(words[at])
        is_bare = at + 1 == len(words) or words[at + 1] in _BEHIND_A_DOSE
        return is_bare and amount is not None and amount > FEW and _YEAR.fullmatch(words[at]) is None
