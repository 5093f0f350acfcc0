"""What one line of a medicine list says, each part with the stretch of the text that it was read from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from careplan.request.patient import MedicineIndication, MedicineStatus, Schedule

Status = MedicineStatus
Limit = Literal["", "limit", "limit_a_day"]
"""Of a figure that is the most that may be taken, whether the words before it say that this is for a day."""
Steps = Literal["", "then", "changed"]
"""Of doses that follow each other in time: "1 mg bid for a week, then 1 mg at night", or "50 mg increased to 100 mg"."""


Time = Literal["over", "perhaps", "ending", "ago", "year"]
"""What is said of a time: over; a period ended, told to the day or in a year that may go on; years ago; a past year."""
_ALL_THE_TIME = re.compile(r"/ ?(?:24 ?)?h(?:r|rs|our|ours)?$")
"""So much an hour."""


class Stretch(msgspec.Struct, frozen=True, gc=False):
    """A part of the text that was sent, from `start` up to but not including `end`."""

    text: str
    start: int
    end: int


class Strength(Stretch, frozen=True, gc=False):
    """How much a piece or a millilitre holds. `amount` is None for several figures in one, such as 5/325 mg.

    `limit`: it is the most that may be taken, as in "max 15 mg a day". `directed`: it stands behind "take" or the like.
    `bare`: it is a figure with a unit and nothing else. `added`: it comes on top of the one before, as in "40 mg + 20 mg".
    `up_to`: the one before is the least of a range, as in "2mg-5mg".
    """

    amount: float | None = None
    unit: str = ""
    limit: Limit = ""
    directed: bool = False
    bare: bool = False
    added: bool = False
    up_to: bool = False


class Amount(Stretch, frozen=True, gc=False):
    """How much is taken at a time: `count` pieces or units, `of` which; None where it is a range.

    `limit`: it is the most that may be taken, as in "up to 2 tablets". `unclear`: its numbers do not agree.
    """

    count: float | None = None
    of: str = ""
    limit: Limit = ""
    unclear: bool = False


class Frequency(Stretch, frozen=True, gc=False):
    """How often. `schedule` is None where the words plainly say neither of the schedules that rules test.

    `between` are the least and the most times a day, where the words give a range, such as "every 4 to 6 hours".
    `part` is the part of the day, of which "at bedtime" and "before bed" name the same. `weekdays` are the days of the week.
    `in_steps`: it only says that doses follow each other, as "taper" does.
    """

    schedule: Schedule | None = None
    times_a_day: float | None = None
    time_of_day: bool = False
    between: tuple[float, float] | None = None
    part: str = ""
    weekdays: tuple[str, ...] = ()
    in_steps: bool = False


class Reason(Stretch, frozen=True, gc=False):
    """What it is taken for. `indication` is None for a reason that no list knows."""

    indication: MedicineIndication | None = None


class Word(Stretch, frozen=True, gc=False):
    """A form, route or status by its token in `list_words.yaml`."""

    value: str = ""


class Leftover(Stretch, frozen=True, gc=False):
    """Words that nothing explains. `in_name`: they stand where the name of a medicine is expected."""

    in_name: bool = False


class Named(Stretch, frozen=True):
    """A name of a medicine. `meaning` is what the dictionary of names holds for it."""

    meaning: Any = None


class Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One medicine of a line: its name, often with a brand or further ingredients, and all that is said of it.

    `local`: it stays where it is put, as a cream does. `steps`: whether its doses follow each other instead of adding up.
    `past`: what is said of a time at which it was taken, by its `Time`.
    """

    names: tuple[Named, ...] = ()
    strengths: tuple[Strength, ...] = ()
    forms: tuple[Word, ...] = ()
    routes: tuple[Word, ...] = ()
    amounts: tuple[Amount, ...] = ()
    frequencies: tuple[Frequency, ...] = ()
    as_needed: Stretch | None = None
    reasons: tuple[Reason, ...] = ()
    quantity: Stretch | None = None
    refills: Stretch | None = None
    duration: Stretch | None = None
    since: Stretch | None = None
    status: Word | None = None
    local: bool = False
    steps: Steps = ""
    past: Word | None = None

    @property
    def says_more(self) -> bool:
        """Whether anything is said besides names."""
        return self != Listed(names=self.names)

    @property
    def schedule(self) -> Schedule | None:
        """How it is taken, where the line plainly says one thing; None for "daily, and one more as needed"."""
        frequencies = self.frequencies_of_taking
        if self.as_needed is None and len(frequencies) == 1:
            return frequencies[0].schedule or self._all_the_time
        said = {frequency.schedule for frequency in frequencies}
        if self.as_needed is not None:
            return None if said and self._amount_between(self.as_needed, frequencies) else "as_needed"
        if said == {"weekly"} and len({day for one in frequencies for day in one.weekdays}) > 1:
            return None  # on Mondays and Fridays
        if not said and any(one.text.lower().endswith("day") and not one.limit for one in self.strengths):
            return "daily"  # 20 mg/day
        return (said.pop() if len(said) == 1 else None) or (self._all_the_time if not any(said) else None)

    @property
    def _all_the_time(self) -> Schedule | None:
        """Regularly, where so much is given an hour, as a patch does however often it is changed."""
        return "daily" if any(_ALL_THE_TIME.search(one.text.lower()) for one in self.strengths) else None

    @property
    def times_a_day(self) -> float | None:
        """How many times a day, where the line says one thing; times of the day add up."""
        frequencies = self.frequencies_of_taking
        at_times = [frequency.times_a_day for frequency in frequencies if frequency.time_of_day]
        others = [frequency.times_a_day for frequency in frequencies if not frequency.time_of_day]
        if others:
            return others[0] if len(others) == 1 else None
        return sum(times or 0 for times in at_times) or None

    @property
    def figures(self) -> list[Strength | Amount | Frequency]:
        """Strengths, amounts and frequencies in the order in which they stand."""
        return sorted((*self.strengths, *self.amounts, *self.frequencies), key=lambda part: part.start)

    @property
    def limits(self) -> list[Strength | Amount]:
        """The most that may be taken, in the order in which it stands."""
        figures: Sequence[Strength | Amount] = (*self.strengths, *self.amounts)
        limits = [one for one in figures if one.limit]
        return limits if len(limits) < 2 else sorted(limits, key=lambda part: part.start)

    @property
    def frequencies_of_taking(self) -> Sequence[Frequency]:
        """Those that do not belong to a limit, as the last one of "1 mg twice a day, at most 3 a day" does."""
        if not self.limits:
            return self.frequencies
        figures = self.figures
        of_limits = [
            behind
            for part, behind in pairwise(figures)
            if isinstance(behind, Frequency) and not behind.time_of_day and not isinstance(part, Frequency) and part.limit
        ]
        return [one for one in self.frequencies if one not in of_limits]

    def _amount_between(self, as_needed: Stretch, frequencies: Sequence[Frequency]) -> bool:
        """True if another amount stands between "as needed" and a frequency: they speak of two ways of taking it."""
        begin = min(as_needed.start, frequencies[0].start)
        end = max(as_needed.start, frequencies[-1].start)
        return any(begin < part.start < end for part in (*self.amounts, *self.strengths))


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line as read. `says_none`: it says that there is no medicine, such as "none" or "NKDA"."""

    text: str
    medicines: tuple[Listed, ...] = ()
    leftover: tuple[Leftover, ...] = ()
    says_none: bool = False


class Said(NamedTuple):
    """What one text of an entry says: the field it was sent in, its medicines, and the words that nothing explains."""

    field: Literal["name", "text"]
    medicines: tuple[Listed, ...]
    unexplained: tuple[Leftover, ...] = ()

    @property
    def says_more(self) -> bool:
        """Whether anything is said besides names."""
        return bool(self.unexplained) or any(listed.says_more for listed in self.medicines)


class WaysIn(Protocol):
    """The forms and routes in which a medicine stays where it is put, unless it is also said to be swallowed."""

    local_forms: frozenset[str]
    local_routes: frozenset[str]
    swallowed: frozenset[str]


class Draft:
    """What is said of one medicine, while the line is read."""

    __slots__ = (
        *("amounts", "earlier", "forms", "frequencies", "names", "past", "reasons", "routes", "single", "status", "steps"),
        "strengths",
    )

    def __init__(self) -> None:
        self.names: list[Named] = []
        self.strengths: list[Strength] = []
        self.forms: list[Word] = []
        self.routes: list[Word] = []
        self.amounts: list[Amount] = []
        self.frequencies: list[Frequency] = []
        self.reasons: list[Reason] = []
        self.single: dict[str, Stretch] = {}
        self.status: Word | None = None
        self.steps: Steps = ""
        self.past: Word | None = None
        self.earlier: list[tuple[int, int]] = []
        """Where an earlier dose stands, which counts for nothing."""

    @property
    def has_schedule(self) -> bool:
        """Whether it is said how often it is taken, or that it is as needed."""
        return bool(self.frequencies) or "as_needed" in self.single

    def listed(self, ways: WaysIn) -> Listed:
        """The medicine as read."""
        if self.earlier:
            self._without_earlier()
        said = {word.value for word in (*self.forms, *self.routes)}
        stays = not (ways.local_forms.isdisjoint(said) and ways.local_routes.isdisjoint(said))
        single = self.single.get
        return Listed(
            tuple(self.names),
            tuple(self.strengths),
            tuple(self.forms),
            tuple(self.routes),
            tuple(self.amounts),
            tuple(self.frequencies),
            single("as_needed"),
            tuple(self.reasons),
            single("quantities"),
            single("refills"),
            single("durations"),
            single("since"),
            self.status,
            stays and ways.swallowed.isdisjoint(said),
            self.steps,
            self.past,
        )

    def _without_earlier(self) -> None:
        for parts in (self.strengths, self.amounts, self.frequencies):
            kept: list[Any] = [one for one in parts if not any(start <= one.start < end for start, end in self.earlier)]
            parts[:] = kept
