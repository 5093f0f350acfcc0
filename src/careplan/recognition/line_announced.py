"""What stands in a line behind a word or sign that announces it: a person, a reason, what a number counts, a box to tick."""

from __future__ import annotations

from careplan.recognition.line import Reason, Word
from careplan.recognition.line_figures import Figures

MOST_NAMES_OF_A_PERSON = 3
_TICKED = "[x]"


class Announced(Figures):
    """Reads what was announced."""

    def _of_what(self, end: int) -> int:
        """The token behind the form or unit of a quantity: "Dispense: 90 capsules", "Disp: 15 mL"."""
        if end == len(self._words):
            return end
        meaning, behind = self._tokens.phrase(end)
        if meaning is not None and meaning.kind in ("forms", "amounts"):
            return behind
        return end + 1 if self._words[end] in self._tables.volumes else end

    def _person(self, at: int) -> int:
        """Behind "Dr." or "prescribed by" stands the name of a person, which is shown and means no medicine."""
        end, words = at, self._words
        while end < len(words) and end - at < MOST_NAMES_OF_A_PERSON and words[end][0].isalpha():
            if end > at and (words[end] in self._tables.tree or self._tables.meaning(words[end]) is not None):
                break
            end += 2 if words[end + 1 : end + 2] == [","] and end == at and self._is_a_first_name(end + 2) else 1
        self._leftover.append((at, end, False))
        return self._close(end, "leftover")

    def _is_a_first_name(self, at: int) -> bool:
        """Whether "JOHN" of "SMITH, JOHN" stands here."""
        words, tables = self._words, self._tables
        return at < len(words) and words[at].isalpha() and words[at] not in tables.tree and tables.meaning(words[at]) is None

    def _free_reason(self, at: int) -> int:
        """Behind "for" stands a reason, known or not, up to the next sign or phrase."""
        end, words = at + 1, self._words
        while end < len(words) and words[end][0].isalpha() and end - at < 5:
            meaning, _ = self._tokens.phrase(end)
            if meaning is not None and meaning.kind not in ("filler", "limits", "reasons"):
                break
            end += 1
        self._draft.reasons.append(Reason(*self._tokens.stretch(at, end)))
        return self._close(end, "reasons")

    def _marked(self, at: int, sign: str) -> int:
        """The token behind a box or an amount of money; 0 where nothing more is said so."""
        words, tables = self._words, self._tables
        if sign in tables.unticked or (sign == "[" and words[at + 1 : at + 2] == ["]"]):
            return self._unticked(at)
        if sign in tables.ticked:
            self._parted = self._slot = True
        if sign in tables.money:
            return at + 2 if at + 1 < len(words) and words[at + 1][0].isdigit() else at + 1
        return 0

    def _unticked(self, at: int) -> int:
        """The token behind an empty box, and behind the status that it stands before, which is then not the case.

        Where no box of the line is ticked, they are bullets.
        """
        words, tables = self._words, self._tables
        end = at + 1 if words[at] in tables.unticked else at + 2
        self._slot, self._after_name, self._last, self._parted = True, False, "|", True
        if _TICKED not in self._tokens.folded and tables.ticked.isdisjoint(words):
            return end
        if self._is_behind_a_name(at):
            self._draft.status = Word(*self._tokens.stretch(at, end), "not_taken")
            return end
        meaning, behind = self._tokens.phrase(end) if end < len(words) else (None, end)
        if meaning is not None and meaning.kind in ("statuses", "before_names"):
            return behind
        self._denied = Word(*self._tokens.stretch(at, end), "not_taken")
        return end

    def _is_behind_a_name(self, at: int) -> bool:
        """Whether boxes stand behind what they are for, as in "Opioids [ ] Benzos [x]", and this one does."""
        words, boxes = self._words, self._tables.ticked | self._tables.unticked | {"["}
        first = next(place for place, word in enumerate(words) if word in boxes)
        draft = self._draft
        ends_here = bool(draft.names) and at > 0 and draft.names[-1].end == self._tokens.sent_ends[at - 1]
        return first > 0 and words[first - 1].isalnum() and ends_here
