"""A line of a medicine list cut into what is taken each time and how often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from careplan.recognition.line import Amount, Frequency, Listed, Strength, Stretch

_LATE = {"evening", "night"}
"""Parts of the day that are one where they stand side by side."""


class Taken(NamedTuple):
    """What stands before one frequency, or behind the last: the strengths and amounts of one intake."""

    strengths: Sequence[Strength]
    amounts: Sequence[Amount]
    frequency: Frequency | None = None


def takings_of(listed: Listed) -> Iterable[Taken]:
    """The line cut behind each frequency that counts."""
    if not listed.frequencies:
        return [Taken(listed.strengths, listed.amounts)]
    first = listed.frequencies[0]
    if len(listed.frequencies) == 1 and all(part.start < first.start for part in (*listed.strengths, *listed.amounts)):
        return [Taken(listed.strengths, listed.amounts, first)]  # as most lines have it
    frequencies = _that_count(listed)
    parts: list[Stretch] = sorted((*listed.strengths, *listed.amounts, *frequencies), key=lambda part: part.start)
    strengths: list[Strength] = []
    amounts: list[Amount] = []
    found: list[Taken] = []
    for part in parts:
        if isinstance(part, Strength):
            strengths.append(part)
        elif isinstance(part, Amount):
            amounts.append(part)
        elif isinstance(part, Frequency):
            found.append(Taken(strengths, amounts, part))
            strengths, amounts = [], []
    if strengths and not amounts and len(found) == 1 and listed.as_needed is None and _is_said_again(strengths, found[0]):
        return found
    if strengths or amounts:
        if not found:
            return [Taken(strengths, amounts)]
        last = found[-1]
        is_the_product = not last.strengths and not amounts
        if (
            len(found) == 1
            and (is_the_product or not (last.amounts and (amounts or strengths)))
            and not _is_behind(listed.as_needed, last)
        ):
            # "20 mg tablet, daily, 2 tablets": said behind the frequency, of the same intake
            return [Taken((*last.strengths, *strengths), (*last.amounts, *amounts), last.frequency)]
        found.append(Taken(strengths, amounts))
    return found


def as_needed_apart(listed: Listed, takings: Sequence[Taken]) -> bool:
    """True for "1 mg at night, and 1 mg as needed": what is taken as needed comes on top."""
    if len(takings) < 2 or listed.as_needed is None or takings[-1].frequency is not None:
        return False
    before = takings[-2].frequency
    return before is not None and before.end <= listed.as_needed.start


def goes_beyond(listed: Listed, takings: Sequence[Taken]) -> bool:
    """True for "1 mg twice a day as needed, uses 2 a week": all of it is as needed, and how much it is stays open."""
    if len(takings) < 2 or listed.as_needed is None or takings[-1].frequency is not None:
        return False
    before = takings[-2].frequency
    if before is None or not 0 <= listed.as_needed.start - before.end <= 1:
        return False
    return all(part.start > listed.as_needed.end for part in (*takings[-1].strengths, *takings[-1].amounts))


def comes_on_top(listed: Listed, takings: Sequence[Taken]) -> bool:
    """True for "32 mg daily + 4 mg every 4 hours as needed": only what was added is as needed."""
    if len(takings) < 2 or listed.as_needed is None or not takings[-1].strengths:
        return False
    return takings[-1].strengths[0].added and listed.as_needed.start > takings[-1].strengths[0].start


def is_sum_of_those_before(takings: Sequence[Taken], doses: Sequence[object], total: object) -> bool:
    """Whether the last dose only says what those before it make, as in "1 mg twice a day = 2 mg/d"."""
    if len(doses) < 2 or total is None or doses[-1] != total:
        return False
    last = takings[-1].frequency
    return last is not None and last.text.startswith("/")


def are_steps(takings: Sequence[Taken]) -> bool:
    """Whether a taper is told step by step, each with its dose and how often; where one dose alone leads nobody knows."""
    return len(takings) > 1 and all(
        (one.strengths or one.amounts) and one.frequency is not None and one.frequency.times_a_day for one in takings
    )


def follow_each_other(listed: Listed, takings: Sequence[Taken]) -> bool:
    """Whether the intakes are steps in time, or one told twice, as in "1 mg three times daily, although prescribed twice".

    What is taken "in the morning, then at night" adds up nevertheless.
    """
    if any(one.frequency and not (one.frequency.time_of_day or one.strengths or one.amounts) for one in takings[1:]):
        return True
    if listed.steps != "then":
        return listed.steps == "changed"
    times = [one.frequency for one in takings]
    of_the_day = {one.text.lower() for one in times if one is not None and one.time_of_day}
    return len(of_the_day) < len(times)


def _is_said_again(strengths: Sequence[Strength], taken: Taken) -> bool:
    """Whether these name the product or the dose once more: "2 mg caps, 3 caps at bedtime (6 mg)", "brand 0.5 mg"."""
    if len(taken.strengths) != 1 or len(taken.amounts) > 1 or taken.strengths[0].amount is None:
        return False
    product = taken.strengths[0]
    counts = [one.count for one in taken.amounts]
    doses = {product.amount, *(product.amount * count for count in counts if count is not None and product.amount)}
    return all(one.unit == product.unit and one.amount in doses for one in strengths)


def _is_behind(as_needed: Stretch | None, last: Taken) -> bool:
    return as_needed is not None and last.frequency is not None and as_needed.start > last.frequency.end


def _that_count(listed: Listed) -> tuple[Frequency, ...]:
    """Of "once daily at bedtime" the first; of times of the day all, as they add up, and of steps in time.

    So does a time of the day that has an amount of its own: "one tablet twice daily and two at bedtime".
    """
    if listed.steps:
        return tuple([one for one in listed.frequencies if not one.in_steps])
    frequencies = _each_part_once(listed)
    whole = [one for one in frequencies if not one.time_of_day]
    if not whole or len(whole) == len(frequencies):
        return _once(frequencies)
    kept: list[Frequency] = []
    for frequency in frequencies:
        before = kept[-1].end if kept else 0
        has_its_own = any(before <= amount.start < frequency.start for amount in listed.amounts)
        has_its_own = has_its_own and any(amount.start < before for amount in listed.amounts)
        if not frequency.time_of_day or has_its_own or _has_a_strength(listed, kept, frequency):
            kept.append(frequency)
    return _once(kept)


def _has_a_strength(listed: Listed, kept: Sequence[Frequency], frequency: Frequency) -> bool:
    """Whether a strength of its own stands before a time of the day, as in "1 mg twice daily, 2 mg at bedtime"."""
    if not kept or (kept[-1].times_a_day or 0) < 2:
        return False
    before = kept[-1].end
    starts = [one.start for one in listed.strengths]
    return any(before <= start < frequency.start for start in starts) and any(start < before for start in starts)


def _each_part_once(listed: Listed) -> list[Frequency]:
    """Without a part of the day that is told again with nothing of its own: "1 tablet at bedtime, take right before bed"."""
    kept: dict[str, Frequency] = {}
    found: list[Frequency] = []
    for frequency in listed.frequencies:
        before = kept.get(frequency.part) if frequency.part else None
        if before is not None and not any(
            before.end <= part.start < frequency.start for part in (*listed.strengths, *listed.amounts)
        ):
            continue
        if found and {found[-1].part, frequency.part} == _LATE and frequency.start - found[-1].end <= 1:
            continue  # "le soir au coucher"
        kept[frequency.part] = frequency
        found.append(frequency)
    return found


def _once(frequencies: Sequence[Frequency]) -> tuple[Frequency, ...]:
    """The same said twice, as in "BID, take twice a day", counts once, but for times of the day."""
    kept: dict[object, Frequency] = {}
    for one in frequencies:
        kept.setdefault(one.start if one.time_of_day else (one.times_a_day, one.schedule, one.between), one)
    return tuple(kept.values())
