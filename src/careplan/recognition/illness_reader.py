"""Illnesses as people write them on lists: what an entry says, part by part.

A part is read (it stands for conditions, or says that there is none of them), known (no rule concerns it) or unread. Only whole
names count, with words beside them that this rulebook knows; what is only like a name is an offer. Whoever says that
something is not there, or is somebody else's, sets nothing; of what is not sure nobody takes it for absent: it stays unread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from careplan.recognition.illness_codes import IllnessCodes, System, bare
from careplan.recognition.illness_parts import Around, Phrases, Unit
from careplan.recognition.illness_pieces import Piece, Separator, pieces_of
from careplan.recognition.illness_words import Normal

Recognition: TypeAlias = Literal["read", "known", "unread"]
Status: TypeAlias = Literal["present", "past", "denied", "family", "nothing", "unsure"]
"""What an entry says of its illness. Only what is present, or past with a condition for that, takes part in rules."""

MOST_JOINED = 5
MOST_OFFERS = 3


class Lasting(NamedTuple):
    """What an illness counts as when it is named as one of the past; "" is nothing.

    `onset`: for how many days after its start it says something of today, None for any. `graver` are conditions that may be
    meant where it is called worse, `of_family` the one that it is in a parent, brother, sister or child.
    """

    onset: int | None = None
    older: str = ""
    over: str = ""
    remission: str = ""
    sequela: str = ""
    history: str = ""
    graver: tuple[str, ...] = ()
    of_family: str = ""


class IllnessPart(msgspec.Struct, frozen=True, gc=False):
    """One part of an entry, from `start` up to but not including `end` (code points of the entry).

    `tokens` take part in rules, `denied` are said not to be there, `offers` are what an unread part may mean.
    """

    start: int
    end: int
    recognition: Recognition
    status: Status
    tokens: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()


class IllnessRead(msgspec.Struct, frozen=True, gc=False):
    """What was read of one entry."""

    parts: tuple[IllnessPart, ...]

    @property
    def recognition(self) -> Recognition:
        """Unread if any part is; known if every part is."""
        found = {part.recognition for part in self.parts}
        return "unread" if "unread" in found or not found else "read" if "read" in found else "known"

    @property
    def tokens(self) -> tuple[str, ...]:
        """What takes part in rules, each once."""
        return tuple(dict.fromkeys(token for part in self.parts for token in part.tokens))

    @property
    def denied(self) -> tuple[str, ...]:
        """What is said not to be there."""
        return tuple(dict.fromkeys(token for part in self.parts for token in part.denied))

    @property
    def offers(self) -> tuple[str, ...]:
        """What the unread parts may mean."""
        return tuple(dict.fromkeys(token for part in self.parts for token in part.offers))[:MOST_OFFERS]

    def stretches(self, recognition: Recognition) -> list[tuple[int, int]]:
        """Where the parts of one kind stand; one stretch where all parts are of this kind."""
        found = [(part.start, part.end) for part in self.parts if part.recognition == recognition]
        return [(found[0][0], found[-1][1])] if found and len(found) == len(self.parts) else found


class _Part(msgspec.Struct):
    """A part while it is put together: `unit` is None as long as its words are not understood.

    `all` is True where what stands before it is said of a whole list; `turned` where words beside it could deny it.
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


_STATUS = frozenset(
    {"present", "history", "over", "remission", "denied", "denied_all", "uncertain", "family", "first_degree", "of_others"}
)
_BEHIND = ("bracket", "attached")
_OF_FAMILY = frozenset({"family", "first_degree", "of_others"})
_DENIED = frozenset({"denied", "denied_all"})


class IllnessReader:
    """Reads illnesses by the names, codes and words of one rulebook."""

    def __init__(
        self,
        normal: Normal,
        phrases: Phrases,
        codes: IllnessCodes,
        of_icd10: Mapping[str, tuple[str, ...]],
        lasting: Mapping[str, Lasting],
    ) -> None:
        """`of_icd10` has what codes of ICD-10 without points stand for, as all below them; () for those of no rule."""
        self._normal, self._phrases = normal, phrases
        self._codes, self._of_icd10, self._lasting = codes, of_icd10, lasting

    def read(self, text: str, on: date | None = None) -> IllnessRead:
        """What an entry says; `on` is the day of the plan, by which years are judged."""
        pieces = pieces_of(text, self._normal)
        parts: list[IllnessPart] = []
        for sentence in _sentences(pieces):
            self._sentence(sentence, on, parts)
        return IllnessRead(tuple(parts))

    def name(self, token: str) -> str | None:
        """A name that is read as this condition."""
        return next((name for _, name, tokens in self._phrases.names.all() if tokens == (token,)), None)

    def _sentence(self, pieces: Sequence[Piece], on: date | None, into: list[IllnessPart]) -> None:
        taken = self._attached(list(self._parts(pieces)))
        scope: _Part | None = None
        for at, part in enumerate(taken):
            unsure = False
            if part.unit is not None and not part.around.kinds & _STATUS and scope is not None:
                spread = _spread(scope, part.separator, taken[at:])
                if spread == "no":
                    scope = None
                elif spread == "history":
                    unsure = not self._same_in_the_past(part, on)
                elif spread == "yes":
                    part.around = part.around.and_also(Around(scope.unit.before.kinds & _STATUS if scope.unit else frozenset()))
                else:
                    unsure = True
            elif part.unit is not None and part.around.kinds & _STATUS:
                scope = part if part.unit.before.kinds & _STATUS else None
            into.append(self._judged(part, on, unsure=unsure))

    def _same_in_the_past(self, part: _Part, on: date | None) -> bool:
        """Whether an illness counts as the same thing where it is one of the past."""
        named, _ = self._meant(part.unit, part.around) if part.unit else ((), True)
        past = part.around.and_also(Around(frozenset({"history"})))
        return self._counting(named or (), part.around, on) == self._counting(named or (), past, on)

    def _parts(self, pieces: Sequence[Piece]) -> Iterator[_Part]:
        """Pieces as parts, several as one where a name reaches over all of them and not each stands for an illness itself."""
        single = [self._phrases.unit(piece.words) for piece in pieces]
        at = 0
        while at < len(pieces):
            for end in range(min(len(pieces), at + MOST_JOINED), at + 1, -1):
                several = pieces[at:end]
                if any(one.separator in ("colon", "strong") for one in several[1:]):
                    continue
                each = all(one is not None and one.tokens is not None for one in single[at:end])
                unit, words = self._joined(several, own=each)
                if unit is not None:
                    yield _Part(words, unit, several[0].start, several[-1].end, several[0].separator, unit.around)
                    at = end
                    break
            else:
                piece, unit = pieces[at], single[at]
                around = unit.around if unit else Around()
                yield _Part(piece.words, unit, piece.start, piece.end, piece.separator, around)
                at += 1

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

    def _attached(self, parts: Sequence[_Part]) -> list[_Part]:
        """Parts that name an illness, with what the others say of these."""
        found: list[_Part] = []
        waiting: _Part | None = None
        for at, part in enumerate(parts):
            before = found[-1] if found else None
            if part.unit is None:
                self._by_code(part)
            if part.unit is None and before is not None and part.separator in _BEHIND and before.unit is not None:
                before.turned |= self._phrases.may_turn(part.words)
            if part.unit is not None and part.unit.tokens is None and (not part.unit.nothing or before or len(parts) > 1):
                kinds = part.around.kinds
                following = parts[at + 1] if at + 1 < len(parts) else None
                if before is not None and before.unit is None and part.around.codes and part.separator in (*_BEHIND, "with"):
                    self._by_code(before, part.around)
                    before.end = part.end
                    continue
                if before is not None and before.unit is not None and self._belongs(part, before):
                    before.around = before.around.and_also(part.around)
                    before.end = part.end
                    continue
                if part.around.codes and not kinds & _STATUS:
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
                if part.unit is not None:
                    part.around = part.around.and_also(waiting.around)
                    part.unit = part.unit._replace(before=part.unit.before.and_also(waiting.around))
                    part.all = part.separator == "colon"
                elif waiting.around.codes and not self._phrases.may_turn(part.words):
                    self._by_code(part, waiting.around)
                else:
                    part.turned = True
                part.start = waiting.start
                waiting = None
            found.append(part)
        if waiting is not None:
            waiting.left_over = not waiting.around.codes
            found.append(waiting)
        return found

    @staticmethod
    def _belongs(part: _Part, before: _Part) -> bool:
        """Whether words without a name are about the part before them."""
        if part.separator in ("colon", *_BEHIND, "with"):
            return True
        return part.separator == "comma" and not part.around.kinds & {*_DENIED, "present"} and not part.around.codes

    def _by_code(self, part: _Part, given: Around | None = None) -> None:
        """Take a part whose words are not known by its code, unless they could turn what the code says."""
        left, codes = (part.words, given) if given is not None else self._phrases.without_codes(part.words)
        if not codes.codes or self._phrases.may_turn(left):
            return
        part.unit, part.around = Unit(None, codes), codes

    def _judged(self, part: _Part, on: date | None, *, unsure: bool) -> IllnessPart:
        unit, around = part.unit, part.around
        if unit is None or part.left_over:
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=self._offers(part.words))
        if unit.tokens is None and not around.codes:
            return IllnessPart(part.start, part.end, "read", "nothing")
        named, known = self._meant(unit, around)
        if named is None:
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=self._offers(part.words))
        kinds = around.kinds
        denied = bool(kinds & _DENIED)
        if not named:
            recognition: Recognition = "known" if known and not denied else "read"
            return IllnessPart(part.start, part.end, recognition, "denied" if denied else "present")
        past = tuple(dict.fromkeys(filter(None, (self._of(one).history for one in named))))
        both = tuple(dict.fromkeys((*named, *past)))
        if "uncertain" in kinds or part.turned or unsure:
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=both[:MOST_OFFERS])
        if denied:
            return IllnessPart(part.start, part.end, "read", "denied", denied=() if unit.may_be else both)
        if unit.may_be and not (kinds & _OF_FAMILY and not any(self._of(one).of_family for one in named)):
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=named[:MOST_OFFERS])
        if kinds & _OF_FAMILY:
            return self._of_the_family(part, named, kinds)
        counted, surely = self._counting(named, around, on)
        if not surely:
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=both[:MOST_OFFERS])
        graver = tuple(dict.fromkeys(token for one in named for token in self._of(one).graver))
        worse = "graver" in kinds and any(self._of(one).onset is None for one in named)
        worse |= "severity" in kinds and bool(graver)
        recognition = "unread" if worse else "read"
        status: Status = "present" if counted == named else "past"
        return IllnessPart(part.start, part.end, recognition, status, counted, offers=graver if worse else ())

    def _meant(self, unit: Unit, around: Around) -> tuple[tuple[str, ...] | None, bool]:
        """What name and codes stand for together, and whether they are known; None where a code is of nothing that is known."""
        by_name = unit.tokens
        by_code = [self._of_code(*one) for one in around.codes]
        if any(one is None for one in by_code) and not by_name:
            return None, False
        tokens = dict.fromkeys(by_name or ())
        for one in by_code:
            tokens |= dict.fromkeys(one or ())
        return tuple(tokens), True

    def _of_code(self, system: System, code: str) -> tuple[str, ...] | None:
        if system == "SNOMED CT":
            return self._codes.tokens(code) or (() if self._codes.are_known(system, code) else None)
        short = bare(code)
        found = next((self._of_icd10[short[:end]] for end in range(len(short), 2, -1) if short[:end] in self._of_icd10), ())
        if found and len(short) == 7 and short.endswith("S"):  # What is left of an injury.
            found = tuple(dict.fromkeys(filter(None, (self._of(one).sequela for one in found))))
            return found
        return found or (() if self._codes.are_known(system, code) else None)

    def _of(self, token: str) -> Lasting:
        return self._lasting.get(token) or Lasting(None, token, token, token, token, token)

    def _of_the_family(self, part: _Part, named: tuple[str, ...], kinds: frozenset[str]) -> IllnessPart:
        found = tuple(dict.fromkeys(filter(None, (self._of(one).of_family for one in named))))
        if not found or "of_others" in kinds:
            return IllnessPart(part.start, part.end, "read", "family")
        if "first_degree" in kinds:
            return IllnessPart(part.start, part.end, "read", "family", found)
        # Whose it is was not said, and it matters.
        return IllnessPart(part.start, part.end, "unread", "unsure", offers=found)

    def _counting(self, named: tuple[str, ...], around: Around, on: date | None) -> tuple[tuple[str, ...], bool]:
        """What illnesses count as by what is said of their time, and whether that is sure."""
        found: dict[str, None] = {}
        surely = True
        for token in named:
            lasting = self._of(token)
            counts = token
            if "remission" in around.kinds:
                counts = lasting.remission
            elif "over" in around.kinds:
                counts = lasting.over
            elif lasting.onset is not None and around.days_ago is not None:
                counts = lasting.older if around.days_ago > lasting.onset else token
            elif lasting.onset is not None and around.year is not None:
                if on is None:
                    surely = False
                elif around.year < on.year and (on - date(around.year, 12, 31)).days > lasting.onset:
                    counts = lasting.older
            elif "history" in around.kinds:
                counts = lasting.history
            if counts:
                found[counts] = None
        return tuple(found), surely

    def _offers(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """What unread words may mean: names inside of them, else the nearest name."""
        inside = dict.fromkeys(token for tokens in self._phrases.inside(words) for token in tokens)
        return tuple(inside)[:MOST_OFFERS] or self._phrases.names.near(words)


def _sentences(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    found: list[Piece] = []
    for piece in pieces:
        if piece.separator == "strong" and found:
            yield found
            found = []
        found.append(piece)
    if found:
        yield found


def _spread(scope: _Part, separator: Separator, rest: Sequence[_Part]) -> Literal["yes", "no", "history", "unsure"]:
    """Whether what stands before one part is said of a later one as well."""
    kinds = scope.unit.before.kinds & _STATUS if scope.unit else frozenset()
    if "present" in kinds:
        return "no"
    if separator in ("or", "slash"):
        return "yes"
    if separator == "and":
        return "unsure" if "denied" in kinds and "denied_all" not in kinds and not scope.all else "yes"
    if separator == "comma":
        if "denied_all" in kinds or scope.all or _ends_in_or(rest):
            return "yes"
        if "uncertain" in kinds:
            return "no"
        return "unsure" if kinds & (_DENIED | _OF_FAMILY) else "history" if "history" in kinds else "no"
    return "unsure" if kinds & (_DENIED | {"uncertain"}) else "no"


def _ends_in_or(rest: Sequence[_Part]) -> bool:
    """Whether a list goes on with commas up to an "or"."""
    for part in rest:
        if part.separator == "or":
            return True
        if part.separator not in ("comma", "slash"):
            return False
    return False
