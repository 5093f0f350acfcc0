"""The figures of a line: strengths, counts of pieces, frequencies with a number in them, dates."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from careplan.recognition.figures import falls, figure, intakes, numbers_in
from careplan.recognition.how_often import how_often, values
from careplan.recognition.line import Amount, Frequency, Strength, Stretch, Word
from careplan.recognition.line_dates import Dates
from careplan.recognition.line_tables import FEW
from careplan.recognition.list_words import FrequencyWords, Meaning
from careplan.recognition.name_index import FIRST
from careplan.recognition.piece_counts import Counted, counted

_AT_A_TIME = FrequencyWords((), a_day=1.0, time_of_day=True)
_HOUR, _MINUTES = re.compile(r"[01]?\d|2[0-4]"), re.compile(r"[0-5]\d")
SHORTEST_SCHEME = len("1-0-1")
_BEFORE_A_COUNT = frozenset(("strength", "amount"))
"""Behind these the first figure of "2 mg 1 + 5 mg 1" counts tablets."""
MOST_BEFORE_A_TIME = 4
"""Of "1 am, 2 pm" the numbers count tablets; nobody takes five at a time."""
_HOW_IT_IS_TAKEN = frozenset(("frequency", "routes", "as_needed", "if_words", "limits"))


class Figures(Dates):
    """Reads what begins with a figure or a number in words."""

    def _explained(self, meaning: Meaning, at: int, end: int) -> int:
        raise NotImplementedError

    def _number(self, at: int, word: str) -> int:
        """A figure: the strength, a count of pieces, a part of a frequency, a date."""
        if behind := self._ordinary(at, word):
            return behind
        in_figures = not word[0].isalpha()
        times = intakes(word) if in_figures and len(word) >= SHORTEST_SCHEME else None
        if in_figures and times is None:
            strength = self._tables.strength.match(self._tokens.folded, self._tokens.starts[at])
            if strength is not None and not (self._last in _BEFORE_A_COUNT and self._tables.adds(strength["figure"])):
                return self._measured(strength, at)
        meaning, end = self._tokens.phrase(at)
        if in_figures and (behind := self._name_or_time(at, word, meaning, end, times)):
            return behind
        if meaning is not None and meaning.kind not in ("filler", "limits"):
            return self._explained(meaning, at, end)
        behind = self._pieces(at) or (self._figure_alone(at, word) if in_figures else self._number_of_units(at, word))
        return behind or self._count(at, figure(word) if in_figures else self._tables.numbers[word])

    def _name_or_time(self, at: int, word: str, meaning: Meaning | None, end: int, times: float | None) -> int:
        """The token behind the number of an entry, a name in figures, or a time; 0 for any other figure.

        `times` are the intakes a day that the word says, as "1-0-1" does.
        """
        if behind := self._numbering(at, word):
            return behind
        if self._slot and self._last != "name" and (behind := self._name(at, end, meaning)):
            return behind
        if times is not None:
            self._draft.frequencies.append(Frequency(*self._tokens.stretch(at, at + 1), "daily", times))
            return self._close(at + 1, "frequency")
        if self._is_a_date(at) and (meaning is None or not word.isdecimal()):
            return self._date(at, at + 1)
        if behind := self._clock(at):
            self._repeated(_AT_A_TIME, at, behind)
            return self._close(behind, "frequency")
        if self._months_behind(at) or (self._speaks_of_a_date() and self._is_day_and_month(at)):
            return self._date(at, at)
        return 0

    def _number_of_units(self, at: int, word: str) -> int:
        """The token behind a strength whose figure is a word, such as "two mg"; 0 for any other number."""
        words, tables = self._words, self._tables
        if at + 1 >= len(words) or words[at + 1] not in tables.units:
            return 0
        stretch = self._tokens.stretch(at, at + 2)
        self._draft.strengths.append(
            Strength(*stretch, tables.numbers[word], words[at + 1], self._limited(at), self._directed)
        )
        return self._close(at + 2, "strength")

    def _figure_alone(self, at: int, word: str) -> int:
        """The token behind a volume, a strength without a unit, or a further dose in the unit before; 0 for any other."""
        words, tables, tokens = self._words, self._tables, self._tokens
        volume = tables.volume.match(tokens.folded, tokens.starts[at])
        if volume is not None:
            end = tokens.behind(at, volume.end())
            if volume["unit"] in tables.millilitres and self._is_of_a_pack(end):
                self._draft.single.setdefault("quantities", Stretch(*tokens.stretch(at, end)))
                return self._close(end, "quantities")
            self._draft.amounts.append(
                Amount(*tokens.stretch(at, end), figure(volume["figure"]), volume["unit"], self._limited(at))
            )
            return self._close(end, "amount")
        if self._after_name or self._last in ("strength", "/"):
            end = at + 1
            while end + 1 < len(words) and words[end] == "/" and words[end + 1][0].isdigit():
                end += 2
            self._draft.strengths.append(
                Strength(*tokens.stretch(at, end), figure(word) if end == at + 1 else None, "", self._limited(at))
            )
            return self._close(end, "strength")
        return self._goes_on_in_units(at, word)

    def _count(self, at: int, count: float | None) -> int:
        """The token behind a number that counts pieces, if it is a small one, or else is left over."""
        if self._earlier_from >= 0:
            return self._close(at + 1, "strength")
        if count is not None and count <= FEW:
            draft, slot = self._draft, self._slot
            # Of "0.5 mg in the morning, 1 at night" nobody can tell whether it is a milligram or a tablet.
            unclear = bool(draft.strengths and draft.frequencies) and not (draft.amounts or draft.forms)
            draft.amounts.append(Amount(*self._tokens.stretch(at, at + 1), count, "", self._limited(at), unclear))
            self._close(at + 1, "amount")
            self._slot = slot
            return at + 1
        self._leftover.append((at, at + 1, False))
        return self._close(at + 1, "leftover")

    def _ordinary(self, at: int, word: str) -> int:
        """The token behind "10 mg", "1 tablet" or "3 times daily", as most figures stand; 0 for any other figure."""
        words, tables, tokens = self._words, self._tables, self._tokens
        beside = words[at + 1] if at + 1 < len(words) else ""
        if not beside or tokens.between(at + 1) not in ("", " "):
            return 0
        if beside in tables.plain_units:
            amount = figure(word)
            if amount is None or words[at + 2 : at + 3] in (["/"], ["per"]) or tokens.is_abbreviated(at + 1):
                return 0
            self._draft.strengths.append(self._strength(tokens.stretch(at, at + 2), amount, beside, at, bare=True))
            self._directed = False
            return self._close(at + 2, "strength")
        if (
            beside in tables.behind_figures
            and len(word) <= 2
            and word.isdecimal()
            and (not self._slot or self._last == "name")
        ):
            meaning, end = tokens.phrase(at)
            return 0 if meaning is None or meaning.kind in ("filler", "limits") else self._explained(meaning, at, end)
        begins_a_name = (word + beside)[:FIRST] in tables.index.begin_with_figures
        if begins_a_name or beside not in tables.pieces or beside in tables.few.get(word, (beside,)):
            return 0
        return self._counted(at, Counted(float(word), at + 1))

    def _goes_on_in_units(self, at: int, word: str) -> int:
        """The token behind 50 of "25 mg in the morning, 50 at night", which are milligrams too; 0 for any other figure.

        Few of something may be tablets, and so may a range: these count pieces.
        """
        draft, amount = self._draft, figure(word)
        if self._last == "steps" and amount is not None and draft.strengths and draft.strengths[-1].unit:
            unit = draft.strengths[-1].unit
            draft.strengths.append(Strength(*self._tokens.stretch(at, at + 1), amount, unit, self._limited(at), bare=True))
            return self._close(at + 1, "strength")  # "50 mg, cut back to 25"
        if at + 1 == len(self._words) or not (draft.strengths and draft.strengths[-1].unit and draft.frequencies):
            return 0
        meaning, _ = self._tokens.phrase(at + 1)
        if amount is None or amount <= FEW or meaning is None or meaning.kind != "frequency":
            return 0
        unit = draft.strengths[-1].unit
        draft.strengths.append(Strength(*self._tokens.stretch(at, at + 1), amount, unit, self._limited(at), bare=True))
        return self._close(at + 1, "strength")

    def _limits_before(self, at: int, end: int) -> bool:
        """Make what stands before "max" a limit, as in "2 mg daily max"; False where these words say nothing of it.

        They speak of what follows if that is another figure. Of something taken several times a day they limit the times.
        """
        words, draft = self._words, self._draft
        if tuple(words[at:end]) not in self._tables.limits_behind or self._last not in ("strength", "amount", "frequency"):
            return False
        if end < len(words) and words[end][0].isalnum():
            meaning, _ = self._tokens.phrase(end)
            if meaning is None or meaning.kind not in ("as_needed", "reason_words"):
                return False
        if self._last == "frequency" and draft.frequencies[-1].times_a_day != 1:
            return False
        kept: list[Any] = [listed for listed in (draft.strengths, draft.amounts) if listed]
        if not kept:
            return False
        latest = max(kept, key=lambda listed: listed[-1].start)
        latest[-1] = msgspec.structs.replace(latest[-1], limit="limit")
        return True

    def _strength(self, stretch: tuple[str, int, int], amount: float | None, unit: str, at: int, *, bare: bool) -> Strength:
        """A strength at token `at`, with what the sign before it says: "40 mg + 20 mg", "2mg-5mg"."""
        before = self._words[at - 1] if at else ""
        up_to = self._last == "strength" and self._tokens.between(at) == "-"
        added = before in self._tables.adds_up
        return Strength(*stretch, amount, unit, self._limited(at), self._directed, bare, added, up_to)

    def _measured(self, match: re.Match[str], at: int) -> int:
        said = match["figure"] or match["activity"]
        unit = match["unit"] or match["counted_in"] or ""
        stretch = self._tokens.found(match)
        bare = match.end() == match.end("unit")
        self._draft.strengths.append(self._strength(stretch, figure(said) if said else None, unit, at, bare=bare))
        self._directed = False
        return self._close(self._tokens.behind(at, match.end()), "strength")

    def _pieces(self, at: int) -> int:
        """The token behind "2 tablets", "half a tablet", "1 (one) tab"; 0 if no pieces are counted."""
        words = self._words
        if self._last == "name" and (falls(words[at]) or max(numbers_in(words[at]), default=0) > FEW):
            return 0  # "Suboxone 8-2 film": the strengths of two ingredients; "Seretide 250 Evohaler"
        found = counted(words, at, self._tables.numbers)
        if self._last == "name" and found is not None and found.end > at + 1 and not words[at].isdecimal():
            return 0  # "Imovane 7.5 1 tab": a strength and a count
        return 0 if found is None or found.end >= len(words) else self._counted(at, found)

    def _counted(self, at: int, found: Counted) -> int:
        """The token behind pieces that were counted from token `at` on; 0 if no pieces are named."""
        words, end = self._words, found.end
        meaning, behind = self._tokens.phrase(end)
        if meaning is not None and meaning.kind in _HOW_IT_IS_TAKEN and self._is_a_count(at, end):
            self._draft.amounts.append(
                Amount(*self._tokens.stretch(at, end), found.pieces or None, "", self._limited(at), not found.agrees)
            )
            return self._close(end, "amount")
        if meaning is None or meaning.kind not in ("forms", "amounts"):
            return 0
        of = str(meaning.value or words[end])
        if of in self._tables.counted_singly and (found.pieces or 0) > FEW and not self._directed:
            self._draft.single.setdefault("quantities", Stretch(*self._tokens.stretch(at, behind)))
            return self._close(behind, "quantities")
        slot = self._slot and self._last != "name"
        unclear = not found.agrees or of in self._tables.measured_in_drops
        self._draft.amounts.append(
            Amount(*self._tokens.stretch(at, behind), found.pieces or None, of, self._limited(at), unclear)
        )
        if meaning.kind == "forms":
            self._draft.forms.append(Word(*self._tokens.stretch(end, behind), of))
        self._directed = False
        self._close(behind, "amount")
        self._slot = slot  # "Take 1 tablet of Xanax"
        return behind

    def _numbering(self, at: int, word: str) -> int:
        """The token behind "2." or "2)" between two medicines; 0 if this is no numbering."""
        words, tables = self._words, self._tables
        if not word.isdecimal() or len(word) > 2 or not self._draft.names or at + 1 >= len(words):
            return 0
        if words[at + 1] == ")" and self._last != "(":
            end = at + 2
        elif self._tokens.between(at + 1).startswith(". "):
            end = at + 1
        else:
            return 0
        if end >= len(words) or not words[end][0].isalpha() or words[end] in tables.tree or words[end] in tables.numbers:
            return 0
        self._settle()
        self._slot = self._parted = True
        self._after_name, self._last = False, ";"
        return end

    def _is_a_count(self, at: int, end: int) -> bool:
        """Whether pieces are meant where none are named: behind a strength with its unit, as in "50 mg 1/2 bid"."""
        if "/" in self._words[at:end]:
            return True  # 1/2, 1 1/2
        if not (self._draft.strengths and self._draft.strengths[-1].unit):
            return False
        if self._last not in ("strength", ")", "]") and not (self._last == "forms" and "-" in self._words[at]):
            return False  # "2mg tablets 1-2 tds"
        return max(values([self._words[at]], self._tables.numbers), default=FEW + 1) <= FEW

    def _is_times_over(self, at: int, end: int) -> bool:
        """Whether "x2" counts pieces: behind a strength, and behind "caps" where it is few, not a pack or days."""
        if end != at + 2 or self._words[at] != "x":
            return False
        few = max(numbers_in(self._words[at + 1]), default=MOST_BEFORE_A_TIME + 1) <= MOST_BEFORE_A_TIME
        return self._last == "strength" or (self._last == "forms" and few and bool(self._draft.strengths))

    def _times_over(self, at: int) -> int:
        """The token behind the count of "500 mg x 3 tabs" or "1 mg x 2"."""
        if behind := self._pieces(at):
            return behind
        counts = values([self._words[at]], self._tables.numbers)
        count = counts[0] if len(counts) == 1 else None
        self._draft.amounts.append(Amount(*self._tokens.stretch(at, at + 1), count, "", self._limited(at)))
        return self._close(at + 1, "amount")

    def _clock(self, at: int) -> int:
        """The token behind a time of the clock, such as "8am", "at 5 pm", "20:00"; 0 for "1 am, 2 pm", a count of pieces."""
        words, tokens = self._words, self._tokens
        hour, end = words[at], at + 1
        if not _HOUR.fullmatch(hour):
            return 0
        is_plain = len(hour) > 1 or int(hour) > MOST_BEFORE_A_TIME
        if words[end : end + 1] == [":"] and end + 1 < len(words) and _MINUTES.fullmatch(words[end + 1]) and is_plain:
            end += 2
        half = words[end] if end < len(words) else ""
        if half in ("am", "pm"):
            is_plain = is_plain or not tokens.between(end)
            end += 1
        elif half in ("a", "p") and not tokens.between(end) and words[end + 1 : end + 2] not in (["day"], ["d"]):
            behind = half == "a" or is_plain or bool(self._draft.frequencies)  # "8a and 2p", but two puffs in "2p bid"
            is_plain, end = is_plain or behind, end + behind
        is_told = (
            at > 0 and words[at - 1] in ("at", "@") and (end == len(words) or not words[end][0].isalpha() or end > at + 1)
        )
        return end if is_told or (is_plain and end > at + 1) else 0

    def _is_of_a_pack(self, end: int) -> bool:
        """True for a volume in brackets between a strength and a form: "100 unit/mL (3 mL) pen"."""
        if (
            self._last != "("
            or self._words[end : end + 1] != [")"]
            or not self._draft.strengths
            or end + 1 >= len(self._words)
        ):
            return False
        meaning, _ = self._tokens.phrase(end + 1)
        return meaning is not None and meaning.kind == "forms"

    def _repeated(self, said: FrequencyWords, at: int, end: int) -> None:
        """Keep a frequency, with the number in it where it has one."""
        if self._is_when(said, at):
            return
        counts = said.hours or said.days or said.counted
        numbers = values(self._words[at:end], self._tables.numbers) if counts else []
        schedule, a_day, time_of_day, between = how_often(said, numbers)
        if at == self._limit_at and a_day:  # "up to TDS"
            between = (0.0, a_day)
            schedule = a_day = None
        self._directed = False
        if said.in_steps:
            self._stepped("then")
        if self._passed and self._draft.frequencies:
            self._stepped("then")
        self._passed = False
        stretch = self._tokens.stretch(at, end)
        weekdays = () if schedule != "weekly" else self._tables.days_named(self._words[at:end])
        self._draft.frequencies.append(
            Frequency(*stretch, schedule, a_day, time_of_day, between, said.part, weekdays, said.in_steps)
        )
