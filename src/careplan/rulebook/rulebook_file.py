"""`rulebook.yaml`: what a rulebook is called, and the words and limits that go with all of its rules."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from careplan.request.clinic import Region
from careplan.rulebook.course_words import CourseWords
from careplan.rulebook.entries import Entry, Language, Line, Range
from careplan.rulebook.layers import CardWords, FrontWords
from careplan.rulebook.numbers_to_call import Country, CountryNumbers, EmergencyWords, RegionalNumbers
from careplan.rulebook.validity import Day


class ForBoth(Entry, frozen=True, kw_only=True):
    """One thing said twice, for the patient and for the clinician."""

    patient: Line
    clinician: Line


class KnownNames(Entry, frozen=True, kw_only=True):
    """`known_names.yaml`: illnesses that are known and that no rule concerns."""

    conditions: tuple[str, ...] = ()


class Closing(Entry, frozen=True, kw_only=True):
    """What belongs to no rule in another language: crisis line, disclaimer, the words of the card.

    `reviewed_by` has checked them, and the titles of sections and of the parts of the card.
    """

    disclaimer: Line
    crisis: Line
    emergency: EmergencyWords | None = None
    card: CardWords | None = None
    reviewed_by: Annotated[str, Meta(min_length=3, max_length=120)] | None = None


class HoldGateSentences(Entry, frozen=True, kw_only=True):
    """What the clinician reads of a hold that is not open, as the words of `{hold_gate}`.

    `signed` quotes the clinic's figure, `unsigned` says that there is none. `closed`, `missing` and `unclear` name the facts
    by which no hours are shown; `between_doses` says that the figure misses no dose of a medicine taken once a day.
    """

    signed: Line
    unsigned: Line
    closed: Line
    missing: Line
    unclear: Line
    between_doses: Line


class Deferred(Entry, frozen=True, kw_only=True):
    """What stands in place of a choice while an alert blocks the plan; `clinician` comes before what the rule says."""

    choice: str
    title: Line
    line: Line
    patient: Line
    clinician: Line


class ClearedWords(Entry, frozen=True, kw_only=True):
    """What stands in place of an alert that was cleared: title, texts and asks; `clinician` comes before the rule's own."""

    title: Line
    line: Line
    patient: Line
    clinician: Line
    ask: Line


class RulebookFile(Entry, frozen=True, kw_only=True):
    """`rulebook.yaml`. `released` is the day by which the age of what was read is judged.

    `crisis` and `emergency` hold where nobody knows where the clinic is, so that they must be safe to read anywhere.
    `regions` and `countries` have those of the places that can be known.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9-]+$")]
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]
    title: Line
    released: Day | None = None
    disclaimer: Line
    crisis: Line
    emergency: EmergencyWords = "911"
    regions: dict[Region, RegionalNumbers] = {}
    countries: dict[Country, CountryNumbers] = {}
    front: FrontWords
    card: CardWords
    undecided_hold: ForBoth
    signed_hold: ForBoth
    signed_hold_between_doses: ForBoth
    joined_hold: ForBoth
    hold_gate: HoldGateSentences
    doubtful_hold: Line
    deferred_choice: Deferred
    cleared: ClearedWords
    course: CourseWords
    clearance_days: Annotated[int, Meta(ge=1, le=31)]
    plausible: dict[str, Range] = {}
    in_languages: dict[Language, Closing] = {}
    drinks_that_close_holds: Annotated[float, Meta(gt=0, le=14)]
    dosage_words: tuple[str, ...]
    only_offered: dict[str, tuple[str, ...]] = {}
    controlled: tuple[str, ...] = ()
