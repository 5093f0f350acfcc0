"""Where the reading of a line stands: what was read so far, whether a name may come next, and which names begin where."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import msgspec
from rapidfuzz.distance import OSA

from careplan.recognition.line import Draft, Leftover, Limit, Named, Word
from careplan.recognition.line_remarks import Before
from careplan.recognition.line_tables import KNOWN, SHORT, Tables
from careplan.recognition.line_tokens import Tokens
from careplan.recognition.list_words import Meaning
from careplan.recognition.plain_text import plain

MOST_WORDS_OF_A_NAME = 6
MOST_WORDS_BETWEEN = 8
"""So near stands "never mixes" before what is not taken with it."""
_PARTS_SENTENCES = frozenset(";:\n|(")
_OF_ONE = frozenset(("(", "[", "name"))
_BESIDE = frozenset(("(", "[", "/", "+", "&", "joins", "name"))
"""Behind these stands another name of the same medicine, or a further ingredient; behind a regimen, another name alone."""
_THROUGH = frozenset("/&+#,")
"""Signs that may stand inside a name: Losartan/HCTZ, Tylenol #3, Estrogens, Conjugated."""


class State:
    """The reading of one line, token by token. `_last` is the kind of what was read before."""

    _pending: Word | None = None
    """A status that waits for a name."""
    _headed = _carried = _over = False
    """It is a heading with a colon; it counts for more than one name; what follows it ended, as "2 weeks ago" says."""
    _denied: Word | None = None
    _switch: Word | None = None
    """What comes next is taken in the place of what came before."""
    _leave: Word | None = None
    """What is named next was given up for what stands behind "to"."""
    _beyond = False
    """What is named next stands behind an end of a list of allergies, and may be what is taken."""
    _of_the_last = False
    """It was said that what is told next is when it was last taken."""
    _slot = True
    """A name may begin here."""
    _after_name = _parted = _said = False
    """Directly behind a name; a sign or word since the last name parts it from the next; something is said of it."""
    _passed = False
    """A duration was told since the last frequency."""
    _directed = False
    """What comes next is what is taken, as behind "take"."""
    _last = ""
    _limit_at = -1
    _limit_is: Limit = ""
    """The token behind the last words that make what follows a limit, such as "not to exceed", and of what."""

    def __init__(self, tables: Tables, tokens: Tokens, years_over: int) -> None:
        self._years_over = years_over
        self._tables, self._tokens, self._words = tables, tokens, tokens.words
        self._draft = Draft()
        self._drafts = [self._draft]
        self._leaving: list[Draft] = []
        self._beyond_an_end: list[Draft] = []
        self._leftover: list[tuple[int, int, bool]] = []

    def _name(self, at: int, read_to: int, meaning: Meaning | None) -> int:
        """The token behind the longest name that begins here; 0 if there is none, or if more words are read otherwise."""
        words, tables = self._words, self._tables
        index, known = tables.index, tables.index.names
        end, key = at, ""
        found: list[tuple[str, int, Any]] = []
        for word in words[at : at + MOST_WORDS_OF_A_NAME]:
            end += 1
            if word.isalnum():
                if known is index.names and not word.isalpha():
                    if key not in index.before_figures:
                        break
                    known = index.with_figures
                key += word
                if key in known and end >= read_to and (stands_for := tables.meaning(key)) is not None:
                    found.append((key, end, stands_for))
            elif word not in _THROUGH:  # 0.5 or 1-2 stands in no name, nor does a bracket
                break
        while found:
            key, end, stands_for = found.pop()
            if key in tables.whole_only and not self._stands_alone(at, end, key):
                continue
            if len(key) <= SHORT and self._after_name and self._is_no_part(key, stands_for):
                continue
            if not self._slot and (getattr(stands_for, "by_kind", False) or (stands_for == KNOWN and not self._opens(end))):
                continue  # "for opioid cravings" names no opioid
            if meaning is not None and end == read_to and meaning.kind in ("filler", "limits", "joins"):
                begins_a_line = len(key) > SHORT and not self._draft.names and words[end : end + 1]
                if not (begins_a_line and words[end][0].isdigit()):
                    return 0  # but "SAMe 400 mg"
            if end > at + 1 and len(key) <= SHORT and key.isalpha():
                continue  # of "as a teen" no word is aspirin
            return self._named(at, end, stands_for)
        return 0

    def _is_no_part(self, key: str, meaning: Any) -> bool:
        """Whether behind a name a salt may have been mistyped: "promethazine HCt", while "losartan HCT" is told so."""
        if meaning == KNOWN or _are_of_a_kind(self._draft.names[-1].meaning, meaning):
            return False
        return any(OSA.distance(key, salt) == 1 for salt in self._tables.short_salts)

    def _opens(self, end: int) -> bool:
        """Outside of the place for a name only what looks like the next medicine is one: "aspirin 81 mg Lipitor 40 mg"."""
        return self._last not in ("leftover", "reason_words") and end < len(self._words) and self._words[end][0].isdigit()

    def _stands_alone(self, at: int, end: int, key: str) -> bool:
        """True if no word that nothing explains stands beside it. Two or three letters behind a name say what kind it is."""
        if len(key) <= SHORT and self._after_name:
            return False
        if self._leftover and self._leftover[-1][1] == at and "." not in self._tokens.between(at):
            return False
        if end == len(self._words) or not self._words[end][0].isalpha():
            return True
        word, tables = self._words[end], self._tables
        return word in tables.tree or word in tables.numbers or (len(key) > SHORT and tables.meaning(word) is not None)

    def _named(self, at: int, end: int, meaning: Any) -> int:
        draft, apart = self._draft, self._kept_apart(at, end, meaning)
        if self._switch is not None:
            draft = self._draft = self._taken_instead(meaning, self._switch)
        elif draft.names and (
            (begins_a_sentence := "." in self._tokens.between(at))
            or self._is_another()
            or (self._last == "(" and draft.frequencies and _are_others(draft.names[-1].meaning, meaning))
            or apart is not None
        ):
            if self._pending is not None and draft.status is self._pending:
                if self._over or (begins_a_sentence and not self._headed):
                    self._pending = None
                else:
                    self._carried = True
            draft = self._draft = Draft()
            self._drafts.append(draft)
        draft.names.append(Named(*self._tokens.stretch(at, end), meaning))
        form = self._tables.forms.get(self._words[end - 1]) if end > at + 1 else None
        if form is not None and not getattr(meaning, "by_kind", False):
            draft.forms.append(Word(*self._tokens.stretch(end - 1, end), form))  # fentanyl patch
        if self._leave is not None:
            self._leaving.append(draft)
        if apart is not None and not self._headed:
            self._pending = None  # "Ambien 10 mg, do not take with wine"
        status = apart or self._denied or self._pending
        if status is not None:
            draft.status = status
            self._over = False
            if self._beyond:
                self._beyond_an_end.append(draft)
        self._parted, self._said = apart is not None, False
        self._slot = self._after_name = True
        self._last = "name"
        return end

    def _kept_apart(self, at: int, end: int, meaning: Any) -> Word | None:
        """That what is named is not taken, as "never mixes Xanax with alcohol" says of alcohol; None for any other name."""
        tables = self._tables
        if tables.kept_from.isdisjoint(name for row in getattr(meaning, "ingredients", ()) for name in row.classes):
            return None
        before = self._words[max(at - MOST_WORDS_BETWEEN, 0) : at]
        signs = [place for place, word in enumerate(before) if word in _PARTS_SENTENCES]
        before = before[signs[-1] + 1 :] if signs else before
        for said in tables.kept_apart:
            if any(tuple(before[place : place + len(said)]) == said for place in range(len(before))):
                return Word(*self._tokens.stretch(at, end), "not_taken")
        return None

    def _taken_instead(self, meaning: Any, switch: Word) -> Draft:
        """What is taken in the place of what came before, of which "switched to" or "switched from" says that it ended.

        Where words stand between them and they are of different kinds, nobody can tell whether it was that one.
        """
        left = self._leaving or ([self._draft] if self._draft.names else [])
        certain = bool(self._leaving) or not (self._parted and left) or _are_of_a_kind(left[-1].names[0].meaning, meaning)
        for draft in left:
            if draft.status is None or draft.status.value == "taking":
                draft.status = switch if certain else msgspec.structs.replace(switch, value="on_hold")
        self._pending = msgspec.structs.replace(switch, value="taking")
        self._leave, self._leaving, self._switch = None, [], None
        self._headed = self._carried = False
        if not left:
            return self._draft
        self._drafts.append(draft := Draft())
        return draft

    def _left_behind(self) -> None:
        """What was "switched from", with no word of what is taken instead, was given up; what was "changed" may go on."""
        leave = self._leave
        if leave is not None and leave.text.lower().endswith(self._tables.leaves_from):
            for draft in self._leaving[:1]:
                if draft.status is None or draft.status.value == "taking":
                    draft.status = leave
        self._leave, self._leaving = None, []

    def _before(self, at: int) -> Before:
        """What stands before words that may be a remark."""
        draft = self._draft
        is_a_word = self._last in ("leftover", "reasons") and self._words[at - 1][0].isalpha()
        return Before(bool(draft.names), draft.has_schedule or bool(draft.strengths), draft.has_schedule, is_a_word)

    def _without_what_was_had(self, at: int) -> int:
        """Take back a reason that is none, as in "- asthma as a child"; the token where its words begin."""
        reasons = self._draft.reasons
        begin = bisect_left(self._tokens.sent_starts, reasons[-1].start) if reasons else 0
        if not reasons or begin == 0 or self._words[begin - 1].isalnum():
            return at
        reasons.pop()
        return begin

    def _is_another(self) -> bool:
        """True if a name that comes next is another medicine than the one before it."""
        if self._parted:
            return True
        beside = _OF_ONE if self._draft.frequencies else _BESIDE
        return bool(self._said or self._draft.frequencies) and self._last not in beside

    def _drop_what_was_not_carried(self) -> None:
        """Take "stopped" away from what is taken: of "stopped Xanax, sertraline 50 mg daily" the second has a regimen.

        Behind a heading such as "Stopped:" all that is listed has the status of the heading.
        """
        first: Draft | None = None
        for draft in self._drafts:
            if first is not None and draft.status is first.status and draft.frequencies:
                if not (first.strengths or first.frequencies):
                    draft.status = None
            elif draft.status is not None and draft.status.value != "taking":
                first = draft

    def _is_told_to_hold(self, end: int) -> bool:
        """Whether "hold" says that a medicine is left out: before a name or at an end, not in "hold under tongue"."""
        words, meaning = self._words, self._tables.meaning
        if end == len(words) or not words[end][0].isalnum():
            return True
        return meaning(words[end]) is not None or meaning("".join(words[end : end + 2])) is not None

    def _limited(self, at: int) -> Limit:
        return self._limit_is if at == self._limit_at else ""

    def _close(self, end: int, kind: str) -> int:
        self._slot = self._after_name = False
        self._denied = self._switch = None
        self._said = True
        self._last = kind
        return end

    def _settle(self, *, keep_used: bool = False) -> None:
        """A status behind which no name came is that of the name before it."""
        pending = self._pending
        if pending is None:
            return
        draft = self._draft
        if draft.status is not pending and (draft.names or len(self._drafts) == 1):
            if draft.names and draft.names[-1].end <= pending.start:
                if draft.status is None or pending.value != "taking" or self._is_again(pending):
                    draft.status = pending
            elif not draft.names:
                return
            self._pending = None
        elif not keep_used:
            self._pending = None

    def _goes_on_behind_an_end(self, sign: str) -> bool:
        """Whether a list of allergies goes on behind this sign, as in "Allergies: latex; codeine; sulfa"."""
        pending = self._pending
        goes_on = sign in ";|" and self._headed and pending is not None and pending.value == "allergy"
        self._beyond |= goes_on
        return goes_on

    def _is_again(self, status: Word) -> bool:
        """Whether it says that what was stopped is taken again: "stopped in May, restarted in July"."""
        return " ".join(plain(status.text)[0].split()) in self._tables.again

    def _left(self) -> tuple[Leftover, ...]:
        """What nothing explained, words side by side as one."""
        if not self._leftover:
            return ()
        joined: list[tuple[int, int, bool]] = []
        for at, end, in_name in self._leftover:
            if joined and joined[-1][1] == at:
                joined[-1] = (joined[-1][0], end, joined[-1][2])
            else:
                joined.append((at, end, in_name))
        return tuple(
            [Leftover(*self._tokens.stretch(at, end), in_name and self._names(at, end)) for at, end, in_name in joined]
        )

    def _names(self, at: int, end: int) -> bool:
        """True if unexplained words stand where a name of their own would, and not in a remark on the medicine before.

        "Aspirin 81 mg, Zorvolex" names a second medicine, "aspirin 81 mg (as ordered by cardiology)" does not.
        """
        words = self._words
        if not self._drafts[0].names or self._tokens.stretch(at, end)[1] < self._drafts[0].names[0].start:
            return True
        before = words[at - 1] if at else ","
        behind = words[end] if end < len(words) else ","
        if before[0].isalpha() and before not in self._tables.joins:
            return any(self._tokens.stretch(at - 1, at)[2] == name.end for draft in self._drafts for name in draft.names)
        in_brackets = sum(word in "([" for word in words[:at]) > sum(word in ")]" for word in words[:at])
        return not (in_brackets and behind[0].isalpha())


def _are_of_a_kind(left: Any, right: Any) -> bool:
    """Whether two medicines have a class in common."""
    classes = [{name for row in getattr(found, "ingredients", ()) for name in row.classes} for found in (left, right)]
    return not classes[0].isdisjoint(classes[1])


def _are_others(before: Any, meaning: Any) -> bool:
    """Whether two medicines, neither told by its kind alone, share no ingredient: "Lexapro 10 mg daily (Zoloft failed)"."""
    rows = [{row.ingredient for row in getattr(found, "ingredients", ())} for found in (before, meaning)]
    by_kind = any(getattr(found, "by_kind", False) for found in (before, meaning))
    return all(rows) and not by_kind and rows[0].isdisjoint(rows[1])
