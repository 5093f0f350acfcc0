"""How often a medicine is taken, by the words of a line and the numbers in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from careplan.recognition.figures import numbers_in
from careplan.recognition.list_words import FrequencyWords
from careplan.request.patient import Schedule

HowOften: TypeAlias = tuple[Schedule | None, float | None, bool, tuple[float, float] | None]
"""The schedule, the times a day, whether it is a time of the day, and the least and most times of a range."""


def how_often(said: FrequencyWords, numbers: Sequence[float]) -> HowOften:
    """What words for a frequency say with these numbers in them."""
    if not numbers and said.a_day is not None:
        return "daily", said.a_day, said.time_of_day, None
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
    return schedule, a_day, said.time_of_day, between


def values(words: Sequence[str], numbers: Mapping[str, float]) -> list[float]:
    """The numbers in words and figures, in their order."""
    found: list[float] = []
    for word in words:
        if word[0].isdigit():
            found += numbers_in(word)
        elif word in numbers:
            found.append(numbers[word])
    return found
