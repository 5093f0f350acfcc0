"""The pieces of an entry put together to parts, each with one illness and all that is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from careplan.recognition.illness_around import Around, Unit
from careplan.recognition.illness_parts import DENIED, OF_FAMILY, Phrases
from careplan.recognition.illness_pieces import Piece, Separator

MOST_JOINED = 5


class Part(msgspec.Struct):
    """A part while it is put together: `unit` is None as long as its words are not understood.

    `all` is True where what stands before it is said of a whole list; `turned` where words beside it could deny it, and
    `treats` where it is what an illness is treated with, behind "on".
    """

    words: tuple[str, ...]
    unit: Unit | None
    start: int
    end: int
    separator: Separator
    around: Around
    all: bool = False
    turned: bool = False
    left_over: bool = False
    treats: bool = False


STATUS = frozenset(
    {"present", "history", "over", "remission", "denied", "denied_all", "uncertain", "family", "first_degree", "of_others"}
)
_BEHIND = ("bracket", "attached")


class Grouping:
    """Puts pieces together by the names and phrases of one rulebook."""

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def parts(self, pieces: Sequence[Piece]) -> list[Part]:
        """The parts of what stands between two strong separators."""
        return self._attached(list(self._parts(pieces)))

    def _parts(self, pieces: Sequence[Piece]) -> Iterator[Part]:
        """Pieces as parts, several as one where a name reaches over all of them and not each is an illness by itself."""
        single = [self._single(piece) for piece in pieces]
        at = 0
        while at < len(pieces):
            for end in range(min(len(pieces), at + MOST_JOINED), at + 1, -1):
                several = pieces[at:end]
                if any(one.separator in ("colon", "strong") for one in several[1:]) and not self._is_answered_name(several):
                    continue
                each = all(one is not None and one.tokens is not None for one in single[at:end])
                unit, words = self._joined(several, own=each)
                if unit is not None:
                    yield Part(words, unit, several[0].start, several[-1].end, several[0].separator, unit.around)
                    at = end
                    break
            else:
                if (said := self._said(pieces, single, at)) is not None:
                    yield said[0]
                    at = said[1]
                    continue
                if (across := self._named_across(pieces, single, at)) is not None:
                    yield across
                    at += 2
                    continue
                piece, unit = pieces[at], single[at]
                around = unit.around if unit else Around()
                treats = piece.joining == ("on",) and unit is None
                yield Part(piece.words, unit, piece.start, piece.end, piece.separator, around, treats=treats)
                at += 1

    def _is_answered_name(self, several: Sequence[Piece]) -> bool:
        """Whether a heading with what stands behind it is one name: "Marijuana: occasional"."""
        return len(several) == 2 and several[1].separator == "colon" and self._phrases.names.is_own(_words(several))

    def _single(self, piece: Piece) -> Unit | None:
        """What one piece says; with the small word before it a phrase is no illness of its own: "with last pregnancy"."""
        if piece.separator == "with" and (said := self._phrases.says((*piece.joining, *piece.words))) is not None:
            return Unit(None, said)
        return self._phrases.unit(piece.words)

    def _named_across(self, pieces: Sequence[Piece], single: Sequence[Unit | None], at: int) -> Part | None:
        """Two pieces as one that nobody could read, where a name reaches over the small word between them."""
        several = pieces[at : at + 2]
        if len(several) < 2 or several[1].separator != "with" or single[at] is not None:
            return None
        first, second = several
        words = (*first.words, *second.joining, *second.words)
        if not self._phrases.reaches_over(words, len(first.words)):
            return None
        return Part(words, None, first.start, second.end, first.separator, Around())

    def _said(self, pieces: Sequence[Piece], single: Sequence[Unit | None], at: int) -> tuple[Part, int] | None:
        """Pieces that small words part and that only together say something of an illness, as "controlled on medication"."""
        first = pieces[at]
        words = first.words
        for end in range(at + 1, min(len(pieces), at + MOST_JOINED)):
            piece, unit = pieces[end], single[end]
            if piece.separator not in ("with", "and", "or") or (unit is not None and unit.tokens is not None):
                return None
            words = (*words, *piece.joining, *piece.words)
            if (around := self._phrases.behind(words)) is not None:
                return Part(words, Unit(None, around), first.start, piece.end, first.separator, around), end + 1
        return None

    def _joined(self, several: Sequence[Piece], *, own: bool) -> tuple[Unit | None, tuple[str, ...]]:
        words: tuple[str, ...] = several[0].words
        first = last = 0
        for piece in several[1:]:
            if own or piece.separator not in ("with", "bracket"):
                first, last = first or len(words), len(words)
            words = (*words, *piece.joining, *piece.words)
        across = range(first, last + 1) if first else range(0)
        unit = self._phrases.unit(words, across, own=own)
        if unit is not None and unit.tokens is not None:
            return unit, words
        if not own and len(several) == 2 and several[1].separator == "comma":  # "Apnea, sleep"
            turned = (*several[1].words, *several[0].words)
            unit = self._phrases.unit(turned, range(len(several[1].words), len(several[1].words) + 1))
            if unit is not None and unit.tokens is not None:
                return unit, words
        return None, words

    def _attached(self, parts: Sequence[Part]) -> list[Part]:
        """Parts that name an illness, with what the others say of these."""
        found: list[Part] = []
        waiting: Part | None = None
        for at, part in enumerate(parts):
            before = found[-1] if found else None
            if part.unit is None:
                self._by_code(part)
            if part.unit is None and before is not None and part.separator in _BEHIND and before.unit is not None:
                before.turned |= self._phrases.may_turn(part.words)
            if part.unit is not None and part.unit.tokens is None and (not part.unit.nothing or before or len(parts) > 1):
                kinds = part.around.kinds
                following = parts[at + 1] if at + 1 < len(parts) else None
                if before is not None and before.treats and len(found) > 1 and kinds & STATUS == {"remission"}:
                    # "OUD on Suboxone, in remission" says it of the illness, and not of what it is treated with.
                    found[-2].around = found[-2].around.and_also(part.around)
                    continue
                if before is not None and self._joins(before, part, following):
                    before.end = part.end
                    continue
                if part.around.codes and not kinds & STATUS:
                    if following is not None and following.separator in _BEHIND and following.unit is not None:
                        waiting = part
                        continue
                elif following is not None and following.separator in ("colon", *_BEHIND, "with"):
                    if waiting is not None:
                        part.around, part.start = waiting.around.and_also(part.around), waiting.start
                    waiting = part
                    continue
                elif part.unit.nothing:
                    pass
                else:
                    part.left_over = not part.around.codes
            if waiting is not None:
                self._follow(waiting, part)
                waiting = None
            found.append(part)
        if waiting is not None:
            waiting.left_over = not waiting.around.codes
            found.append(waiting)
        return found

    def _follow(self, waiting: Part, part: Part) -> None:
        """Give a part the words that stand before it and wait for an illness."""
        if part.unit is not None:
            # A heading is of the whole list behind it, and "no" behind the heading of one of them: "PMH: no HTN, asthma".
            denies_itself = part.unit.before.kinds & DENIED and not waiting.around.kinds & DENIED
            part.all = part.separator == "colon" and bool(waiting.around.kinds & STATUS) and not denies_itself
            part.around = part.around.and_also(waiting.around)
            part.unit = part.unit._replace(before=part.unit.before.and_also(waiting.around))
        elif waiting.around.codes and not self._phrases.may_turn(part.words):
            self._by_code(part, waiting.around)
        else:
            part.turned = True
        part.start = waiting.start

    def _joins(self, before: Part, part: Part, following: Part | None) -> bool:
        """Whether words without a name are said of the part before them, which then has them."""
        if before.unit is None:
            is_its_code = bool(part.around.codes) and part.separator in (*_BEHIND, "with")
            if is_its_code:
                self._by_code(before, part.around)
            return is_its_code
        if not self._belongs(part) or _leads(part, following):
            return False
        before.around = before.around.with_newest(part.around)
        return True

    @staticmethod
    def _belongs(part: Part) -> bool:
        """Whether words without a name are about the part before them."""
        if part.separator == "with" and part.around.kinds & OF_FAMILY:
            return False  # "Panic attacks with my husband" are the patient's.
        if part.separator in ("colon", *_BEHIND, "with"):
            return True
        if part.separator == "and":  # "Suicide attempts 2004 and 2009"
            return part.around.has_a_day and not part.around.kinds and not part.around.codes
        return part.separator == "comma" and not part.around.kinds & {*DENIED, "present"} and not part.around.codes

    def _by_code(self, part: Part, given: Around | None = None) -> None:
        """Take a part whose words are not known by its code, unless they could turn what the code says."""
        left, codes = (part.words, given) if given is not None else self._phrases.without_codes(part.words)
        if not codes.codes or self._phrases.may_turn(left):
            return
        part.unit, part.around = Unit(None, codes), codes


def _words(several: Sequence[Piece]) -> tuple[str, ...]:
    return tuple([word for piece in several for word in piece.words])


def _leads(part: Part, following: Part | None) -> bool:
    """Whether a status behind a comma is said of the illness that follows it."""
    return (
        part.separator == "comma"
        and bool(part.around.kinds & STATUS)
        and following is not None
        and following.unit is not None
        and following.unit.tokens is not None
        and following.separator in ("colon", "attached")
    )
