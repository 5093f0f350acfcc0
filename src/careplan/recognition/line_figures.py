"""The figures of a line: strengths, counts of pieces, frequencies with a number in them, dates."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from careplan.recognition.figures import figure, intakes, numbers_in
from careplan.recognition.line import Amount, Frequency, Strength, Stretch, Word
from careplan.recognition.line_state import State
from careplan.recognition.list_words import FrequencyWords, Meaning
from careplan.recognition.piece_counts import counted
from careplan.request.patient import Schedule

FEW = 12
"""A bare number up to this is a count of pieces."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"(?:19|20)\d\d[/-]\d\d?[/-]\d\d?|\d\d?[/.-]\d\d?[/.-](?:19|20)?\d\d|\d\d?[/-](?:19|20)\d\d")


class Figures(State):
    """Reads what begins with a figure or a number in words."""

    __slots__ = ()

    def _explained(self, meaning: Meaning, at: int, end: int) -> int:
        raise NotImplementedError

    def _number(self, at: int, word: str) -> int:
        """A figure: the strength, a count of pieces, a part of a frequency, a date."""
        tables, tokens, words = self._tables, self._tokens, self._words
        in_figures = not word[0].isalpha()
        if in_figures and (strength := tables.strength.match(tokens.folded, tokens.starts[at])) is not None:
            return self._measured(strength, at)
        meaning, end = tokens.phrase(at)
        if self._slot and in_figures and self._last != "name" and (behind := self._name(at, end, meaning)):
            return behind
        if in_figures:
            times = intakes(word)
            if times is not None:
                self._draft.frequencies.append(Frequency(*self._tokens.stretch(at, at + 1), "daily", times))
                return self._close(at + 1, "frequency")
            if _DATE.fullmatch(word) or (meaning is None and _YEAR.fullmatch(word)):
                return self._date(at, at + 1)
        if meaning is not None and meaning.kind not in ("filler", "limits"):
            return self._explained(meaning, at, end)
        behind = self._pieces(at)
        if behind:
            return behind
        if not in_figures and at + 1 < len(words) and words[at + 1] in tables.units:
            stretch = tokens.stretch(at, at + 2)
            self._draft.strengths.append(
                Strength(*stretch, tables.numbers[word], words[at + 1], self._limited(at), self._directed)
            )
            return self._close(at + 2, "strength")
        if in_figures:
            volume = tables.volume.match(tokens.folded, tokens.starts[at])
            if volume is not None:
                end = self._tokens.behind(at, volume.end())
                self._draft.amounts.append(
                    Amount(*self._tokens.stretch(at, end), figure(volume["figure"]), volume["unit"], self._limited(at))
                )
                return self._close(end, "amount")
            if self._after_name or self._last in ("strength", "/"):
                end = at + 1
                while end + 1 < len(words) and words[end] == "/" and words[end + 1][0].isdigit():
                    end += 2
                self._draft.strengths.append(
                    Strength(*self._tokens.stretch(at, end), figure(word) if end == at + 1 else None, "", self._limited(at))
                )
                return self._close(end, "strength")
        count = figure(word) if in_figures else tables.numbers[word]
        if count is not None and count <= FEW:
            self._draft.amounts.append(Amount(*self._tokens.stretch(at, at + 1), count, "", self._limited(at)))
            slot = self._slot
            self._close(at + 1, "amount")
            self._slot = slot
            return at + 1
        self._leftover.append((at, at + 1, False))
        return self._close(at + 1, "leftover")

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

    def _measured(self, match: re.Match[str], at: int) -> int:
        amount = figure(match["figure"]) if match["figure"] else None
        stretch = self._tokens.found(match)
        self._draft.strengths.append(Strength(*stretch, amount, match["unit"] or "", self._limited(at), self._directed))
        self._directed = False
        return self._close(self._tokens.behind(at, match.end()), "strength")

    def _pieces(self, at: int) -> int:
        """The token behind "2 tablets", "half a tablet", "1 (one) tab"; 0 if no pieces are counted."""
        words = self._words
        if self._last == "name" and _falls(words[at]):
            return 0  # "Suboxone 8-2 film": the strengths of two ingredients
        found = counted(words, at, self._tables.numbers)
        if found is None or found.end >= len(words):
            return 0
        end = found.end
        meaning, behind = self._tokens.phrase(end)
        if meaning is None or meaning.kind not in ("forms", "amounts"):
            return 0
        of = str(meaning.value or words[end])
        slot = self._slot and self._last != "name"
        self._draft.amounts.append(
            Amount(*self._tokens.stretch(at, behind), found.pieces or None, of, self._limited(at), not found.agrees)
        )
        if meaning.kind == "forms":
            self._draft.forms.append(Word(*self._tokens.stretch(end, behind), of))
        self._directed = False
        self._close(behind, "amount")
        self._slot = slot  # "Take 1 tablet of Xanax"
        return behind

    def _date(self, at: int, end: int, *, since: bool = False) -> int:
        """Dates, with the words around them, to the token behind them."""
        words, months = self._words, self._tables.months
        began = at
        while end < len(words):
            word = words[end]
            if word[0].isdigit():
                if self._tables.strength.match(self._tokens.folded, self._tokens.starts[end]):
                    break
                meaning, behind = self._tokens.phrase(end)
                if meaning is not None and meaning.kind in ("date_words", "durations"):
                    end = behind
                    continue
                beside = words[end - 1] in months or (end + 1 < len(words) and words[end + 1] in months)
                if not (beside or _YEAR.fullmatch(word) or _DATE.fullmatch(word)):
                    break
                end += 1
            elif word in ("/", ":", ",") and end + 1 < len(words) and _YEAR.match(words[end + 1]):
                end += 1
            else:
                meaning, behind = self._tokens.phrase(end)
                if meaning is None or meaning.kind not in ("date_words", "months"):
                    break
                end = behind
        if since:
            self._draft.single.setdefault("since", Stretch(*self._tokens.stretch(began, end)))
        return self._close(end, "date")

    def _repeated(self, said: FrequencyWords, at: int, end: int) -> None:
        """Keep a frequency, with the number in it where it has one."""
        number, ranged, least = None, False, None
        if said.hours or said.days or said.counted:
            numbers = [value for word in self._words[at:end] for value in self._values(word)]
            number, least = max(numbers, default=None), min(numbers, default=None)
            ranged = len(numbers) > 1
        schedule: Schedule | None = None
        a_day, between = said.a_day, None
        if said.hours:
            a_day = 24 / number if number and not ranged else None
            schedule = "daily" if number is not None and number <= 24 else None
            between = (24 / number, 24 / least) if ranged and number and least else None
        elif said.days:
            a_day = 1.0 if number == 1 else None
            schedule = "daily" if number == 1 else "weekly" if number == 7 else None
        elif a_day is not None:
            schedule, a_day = "daily", None if ranged else number or a_day
            between = (least, number) if ranged and number and least else None
        elif said.a_week is not None:
            schedule = "weekly" if (number or said.a_week) == 1 else None
        stretch = self._tokens.stretch(at, end)
        self._draft.frequencies.append(Frequency(*stretch, schedule, a_day, said.time_of_day, between))

    def _values(self, word: str) -> list[float]:
        if word[0].isdigit():
            return numbers_in(word)
        value = self._tables.numbers.get(word)
        return [] if value is None else [value]


def _falls(word: str) -> bool:
    """True for a range from more to less, which counts nothing."""
    numbers = numbers_in(word)
    return len(numbers) == 2 and numbers[0] > numbers[1]
