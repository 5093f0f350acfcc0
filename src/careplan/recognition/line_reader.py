"""One line of a medicine list, read part by part. What no list explains is kept as left over, and never guessed at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from typing import Any

from careplan.recognition.just_ended import JustEnded
from careplan.recognition.line import Leftover, Line, Listed, Named, Reason, Stretch, Word
from careplan.recognition.line_announced import Announced
from careplan.recognition.line_tables import KNOWN, Tables
from careplan.recognition.line_tokens import Tokens
from careplan.recognition.list_words import ListWords, Meaning, Phrases
from careplan.recognition.usual_line import BESIDE_A_NAME, usual_line

__all__ = ["KNOWN", "LineReader"]

_SEPARATORS = frozenset(",;:([\n|/+&-")
_PARTING = frozenset(",;\n|-")
"""A name behind one of these is another medicine; behind the other separators it is a brand or a further ingredient."""
_ENDS = frozenset(";\n|-")
_PLACE_OPENS = frozenset(("statuses", "switches", "leaves", "joins", "before_names", "before_brands", "no_allergies"))
"""Behind these stands a name."""
_FILLER = Meaning("filler")
_HOLD = ["hold"]
_AFTER_DENIALS: tuple[list[str], ...] = ([], [","], [";"], ["\n"], ["since"])
_BEFORE_DENIALS = frozenset(":-=?")
_KEPT = {"filler": ("reason_words", "statuses"), "limits": ("reason_words",), "steps": ("reason_words",)}
"""What stays the last that was read behind words that change nothing: "past psychiatric meds: ..."."""
_BEFORE_STRENGTHS = frozenset(("releases", "forms", "durations"))
_PLACE_STAYS = frozenset(("filler", "limits", "steps", "releases", "salts", "makers", "amounts"))
"""These leave the place for a name open, if it was: "Take 1 Xanax", "generic Xanax"."""


class _Reading(Announced):
    """The reading of one line, token by token."""

    def read(self) -> tuple[tuple[Listed, ...], tuple[Leftover, ...]]:
        """The medicines of the line, and what nothing explains."""
        at, words = 0, self._words
        count = len(words)
        while at < count:
            word = words[at]
            first = word[0]
            if first.isalpha():
                at = self._word(at, word)
            elif first.isdigit() or (first in ".," and len(word) > 1):
                at = self._number(at, word)
            else:
                at = self._sign(at, first)
        self._earlier_ends(count)
        self._settle()
        self._left_behind()
        for draft in self._beyond_an_end:
            if draft.frequencies and draft.status is not None and draft.status.value == "allergy":
                draft.status = None  # "Allergies: latex; sertraline 50 mg daily"
        if self._carried and not self._headed:
            self._drop_what_was_not_carried()
        return tuple([draft.listed(self._tables) for draft in self._drafts]), self._left()

    def _sign(self, at: int, sign: str) -> int:
        if self._earlier_from >= 0:
            self._earlier_behind_sign(at, sign)
        if sign in self._tables.marks and (end := self._marked(at, sign)):
            return end
        if sign in _BEFORE_DENIALS and self._is_denied(at + 1):
            return self._close(at + 2, "statuses")
        if sign in self._tables.tree:
            meaning, end = self._tokens.phrase(at)
            if meaning is not None and (end > at + 1 or meaning.kind in ("filler", "limits", "steps", "switches")):
                return self._explained(meaning, at, end)
        if sign == ":" and at == self._limit_at:
            self._limit_at = at + 1
        if sign in _SEPARATORS:
            if sign in _ENDS or sign == ",":
                self._settle(keep_used=sign == "," or self._goes_on_behind_an_end(sign))
            if sign in _PARTING:
                self._parted, self._denied, self._switch = True, None, None
                self._of_the_last = False
                self._left_behind()
            self._slot, self._after_name = True, False
        elif sign in ")]":
            self._left_behind()
            self._settle(keep_used=True)
            self._slot = self._after_name = bool(self._draft.names)
        self._last = sign
        return at + 1

    def _word(self, at: int, word: str) -> int:
        meaning, end = self._without_a_strength(at, *self._tokens.phrase(at))
        if meaning is not None:
            if self._after_name and meaning.kind in BESIDE_A_NAME:
                # "Atorvastatin calcium": directly behind a name these are no medicine of their own.
                return end
            if self._slot and self._may_go_on(at, word) and (behind := self._name(at, end, meaning)):
                return behind
            return self._explained(meaning, at, end)
        if behind := self._name(at, end, None):
            return behind
        if word in self._tables.numbers:
            return self._number(at, word)
        if self._last == "reason_words":
            return self._free_reason(at)
        if self._last == "people":
            return self._person(at)
        if self._slot and (foreign := self._tables.in_another_language(word)) is not None:
            return self._named(at, at + 1, foreign)
        self._leftover.append((at, at + 1, self._slot))
        return self._close(at + 1, "leftover")

    def _without_a_strength(self, at: int, meaning: Meaning | None, end: int) -> tuple[Meaning | None, int]:
        """A phrase without the figure at its end where that is a strength: "XR 24 mg" is no "XR 24"."""
        tokens, tables = self._tokens, self._tables
        if end == at + 1 or not self._words[end - 1].isdigit():
            return meaning, end
        if meaning is None or meaning.kind not in _BEFORE_STRENGTHS or not tokens.between(end - 1):
            return meaning, end
        if tables.strength.match(tokens.folded, tokens.starts[end - 1]) is None:
            return meaning, end
        return tables.tree[self._words[at]].get(""), at + 1

    def _may_go_on(self, at: int, word: str) -> bool:
        """Whether a name may begin with the word of everyday that stands here: most names go on otherwise."""
        signs = self._tables.beginnings.get(word)
        if signs is None:
            return False
        following = self._words[at + 1][0] if at + 1 < len(self._words) else ""
        return "" in signs or following in signs or not following.isalnum()

    def _is_denied(self, at: int) -> bool:
        """Take what stands before a sign for denied, as in "benzos: none", where nothing else is said of it."""
        draft, words = self._draft, self._words
        if at >= len(words) or words[at] not in self._tables.denials or not draft.names or draft.status is not None:
            return False
        if words[at + 1 : at + 2] not in _AFTER_DENIALS:
            return False
        if draft.names[-1].end != self._tokens.sent_ends[at - 2]:
            return False  # "Refills: none"
        draft.status = Word(*self._tokens.stretch(at, at + 1), "not_taken")
        return True

    def _explained(self, meaning: Meaning, at: int, end: int) -> int:
        """Keep what a phrase says."""
        kind, draft = meaning.kind, self._draft
        if self._earlier_from >= 0:
            self._earlier_behind(meaning, at, end)
        if self._leaving and self._words[at] in self._tables.leaves_for and self._goes_to_another(at + 1):
            return at + 1
        if kind in ("forms", "routes"):
            kept = draft.forms if kind == "forms" else draft.routes
            kept.append(Word(*self._tokens.stretch(at, end), meaning.value))
            return self._close(end, kind)
        if kind == "frequency" and not meaning.value.at_the_end:
            self._repeated(meaning.value, at, end)
            return self._close(end, kind)
        if kind in _PLACE_STAYS:
            self._stays(meaning, at, end)
            return end
        if kind in _PLACE_OPENS:
            return self._opened(meaning, at, end)
        return self._said_once(meaning, at, end)

    def _stays(self, meaning: Meaning, at: int, end: int) -> None:
        """Note a phrase behind which the line goes on as before it."""
        kind = meaning.kind
        if kind == "steps":
            if meaning.value != "earlier":
                self._stepped(meaning.value)
            elif not self._earlier(at, end):
                self._explained(_FILLER, at, end)
        elif end == at + 1 and self._words[at] in self._tables.tells_earlier:
            self._earlier_by_one_word(at, end)
        self._after_name = False
        self._directed = self._directed or self._words[at] in self._tables.directions
        if kind == "limits" and not self._limits_before(at, end):
            of_a_day = tuple(self._words[at:end]) in self._tables.limits_a_day
            self._limit_at, self._limit_is = end, "limit_a_day" if of_a_day else "limit"
        if self._last not in _KEPT.get(kind, ()):
            self._last = kind

    def _said_once(self, meaning: Meaning, at: int, end: int) -> int:
        """Keep what a phrase says of the reason, the supply or a time."""
        kind, draft = meaning.kind, self._draft
        match kind:
            case "frequency":
                if not self._is_at_the_end(end):
                    return self._explained(_FILLER, at, end)
                self._repeated(meaning.value, at, end)
            case "reasons" if self._is_denied_reason(meaning):
                begin = bisect_left(self._tokens.sent_starts, self._denied.start) if self._denied else at
                self._leftover.append((begin, end, False))  # "no mania"
            case "reasons":
                draft.reasons.append(Reason(*self._tokens.stretch(at, end), meaning.value))
            case "if_words":
                reason = self._tokens.phrase(end)[0] if end < len(self._words) else None
                if reason is None or reason.kind != "reasons":
                    return self._explained(_FILLER, at, end)
                draft.single.setdefault("as_needed", Stretch(*self._tokens.stretch(at, end)))
            case "quantities":
                end = self._of_what(end)
                draft.single.setdefault(kind, Stretch(*self._tokens.stretch(at, end)))
            case "durations" if self._is_times_over(at, end):
                return self._times_over(at + 1)
            case "as_needed" | "refills" | "durations":
                draft.single.setdefault(kind, Stretch(*self._tokens.stretch(at, end)))
                self._passed |= kind == "durations"
            case "since_words" | "date_words" | "months":
                return self._date(at, end, since=kind == "since_words")
            case _:
                pass
        return self._close(end, kind)

    def _is_denied_reason(self, meaning: Meaning) -> bool:
        """Whether "no" stands before a reason; of the gravest ones "no seizures since 2019" says what it is taken for."""
        denied = self._denied is not None and self._denied.value == "not_taken"
        return denied and meaning.value not in self._tables.kept_though_denied

    def _opened(self, meaning: Meaning, at: int, end: int) -> int:
        """Keep what a phrase says behind which a name may stand."""
        kind, before = meaning.kind, self._last
        if self._words[at:end] == _HOLD and not self._is_told_to_hold(end):
            return self._explained(_FILLER, at, end)
        if behind := self._tables.remarks.behind(self._words, self._tokens.between, at, end, self._before(at)):
            at = self._without_what_was_had(at) if behind == end and before == "reasons" else at
            self._leftover.append((at, behind, False))
            return self._close(behind, "leftover")
        if self._tells_of_an_earlier_dose(at, end):
            return self._before_an_earlier_dose(at, end)
        if kind in ("switches", "leaves") and end < len(self._words) and self._words[end][0].isdigit():
            is_left = kind == "leaves" and self._words[end - 1] in self._tables.leaves_from
            if is_left and meaning.value == "stopped":
                return self._before_an_earlier_dose(at, end)
            if kind == "switches" or is_left:
                self._stepped("changed")
            return self._explained(_FILLER, at, end)
        self._slot, self._after_name, self._last = True, False, kind
        match kind:
            case "switches":
                self._switch = Word(*self._tokens.stretch(at, end), meaning.value)
            case "leaves":
                self._leave, self._leaving = Word(*self._tokens.stretch(at, end), meaning.value), []
                self._parted |= bool(self._draft.names)
            case "no_allergies":
                self._settle()
                self._pending = None
            case "before_brands":
                self._last = "("
            case "joins":
                self._parted |= self._words[at] not in ("with", "w", "mit", "avec", "con", "&", "+")
            case "before_names":
                self._denied = Word(*self._tokens.stretch(at, end), meaning.value)
                self._parted |= bool(self._draft.names)
            case _ if before == "statuses" and self._is_open_still(meaning, at, end):
                self._headed = self._words[end - 1] == ":"
            case _:
                self._settle(keep_used=False)
                is_denied = meaning.value == "taking" and at > 0 and self._words[at - 1] in self._tables.negations
                self._pending = Word(*self._tokens.stretch(at, end), "not_taken" if is_denied else meaning.value or "taking")
                self._directed = self._directed or self._pending.value == "taking"
                self._headed, self._over = self._words[end - 1] == ":" or self._words[end : end + 1] == [":"], False
                self._parted |= bool(self._draft.names)
        return end

    def _goes_to_another(self, at: int) -> bool:
        """Make what stands behind "to" what is taken instead, as in "switched from Paxil to Zoloft"."""
        if at == len(self._words) or self._leave is None:
            return False
        if self._words[at][0].isdigit():
            self._stepped("changed")
            return False
        self._switch, self._slot, self._after_name, self._last = self._leave, True, False, "switches"
        return True

    def _before_an_earlier_dose(self, at: int, end: int) -> int:
        """Take a phrase for words that change nothing, and what follows it for an earlier dose."""
        self._explained(_FILLER, at, end)
        self._earlier(at, end)
        return end

    def _is_open_still(self, meaning: Meaning, at: int, end: int) -> bool:
        """True for the second part of "past meds:" and "denies taking", which says nothing of its own."""
        pending = self._pending
        if pending is None or pending.value == "taking" or meaning.value != "taking" or self._headed:
            return False
        return " ".join(self._words[at:end]) not in self._tables.again

    def _is_at_the_end(self, end: int) -> bool:
        """Whether a word that tells a time only behind a figure does so here: "1 ON", and not "50 mg on Monday"."""
        if self._last not in ("strength", "amount"):
            return False
        if end == len(self._words) or not self._words[end][0].isalnum():
            return True
        meaning = self._tokens.phrase(end)[0]
        return meaning is not None and meaning.kind == "as_needed"


class LineReader:
    """Reads lines by the words of `list_words.yaml` and a dictionary of names.

    `names` are all that mean something, squeezed; `meaning` gives what one stands for: `KNOWN`, something that rules look
    at, or None. `phrases` are those of `words`, where they were made already.
    """

    def __init__(
        self,
        words: ListWords,
        names: Collection[str],
        meaning: Callable[[str], Any],
        phrases: Phrases | None = None,
    ) -> None:
        self.tables = Tables(words, meaning, phrases or Phrases(words), names)
        self._ended, self._years_over = JustEnded(words.ended, words.since_words), words.ended.years_over

    def read(self, text: str, on: str | None = None) -> Line:
        """All that one line says, by the day of the plan where it is known."""
        tables = self.tables
        folded, places = tables.plainly(text)
        key = folded.replace(" ", "")
        if key.isalnum() and (whole := tables.meaning(key)) is not None:
            return Line(text, (Listed(names=(Named(text, 0, len(text), whole),)),))
        if isinstance(places, range) and (usual := usual_line(text, folded, tables)) is not None:
            return Line(text, (usual,))
        return self.in_full(text, folded, places, on)

    def years_over(self, on: str | None) -> int:
        """The last year that is over on a day; without one, that before the rulebook was last looked at."""
        return self._years_over if on is None else int(on[:4]) - 1

    def in_full(self, text: str, folded: str, places: Sequence[int], on: str | None = None) -> Line:
        """The same of a line that was made plain, whatever it says; `read` knows shorter ways for some."""
        tables = self.tables
        tokens = Tokens(text, folded, places, tables.phrases, tables.numbers)
        joined = "".join(tokens.words)
        if len(joined) <= tables.longest_of_nothing:
            squeezed = folded.replace(" ", "").strip()
            if joined in tables.nothing or squeezed in tables.nothing:
                return Line(text, says_none=True)
        over = self.years_over(on)
        medicines, leftover = _Reading(tables, tokens, over).read()
        medicines = self._ended.of_a_line(text, medicines, over, on)
        names_nothing = not leftover and not any(medicine.names for medicine in medicines)
        if names_nothing and any(phrase in joined for phrase in tables.nothing_at_length):
            return Line(text, says_none=True)  # "Patient is on no medications": a sentence around the words that say so
        return Line(text, medicines, leftover)
