"""The word lists of `goals.yaml`: what is in the file, and every list with the kind of its findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

import msgspec

from careplan.recognition.phrase_tree import NUMBER, Spelled, places

Category = Literal[
    "self_harm",
    "harm_to_others",
    "contact_with_abuser",
    "medicine_change",
    "treatment_end",
    "alcohol_change",
    "body_weight",
    "isolation",
    "major_decision",
]
"""The categories of safety, the gravest first: the first one found is the verdict."""
Topic = Literal["movement", "sleep", "calm", "people", "therapy", "food", "mood", "work", "other"]
"""The topics; where two fit a goal equally well the earlier one is taken."""
MedicineGroup = Literal["benzodiazepine", "lamotrigine", "antidepressant", "opioid"]
"""Medicines whose end has dangers of its own, so that a goal about them gets a warning of its own."""
Phrases = tuple[str, ...]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of everything in `goals.yaml`: a misspelled field is a fault, not a list that is silently empty."""


class Together(_Entry, frozen=True, kw_only=True):
    """A sign made of two phrases: one of `these` less than `before` words ahead of one of `near`, or `after` behind."""

    these: Phrases
    near: Phrases
    before: int
    after: int


class SafetyWords(_Entry, frozen=True, kw_only=True):
    """One category of safety: what gives it away, and the phrases (`harmless`) inside which a sign means nothing."""

    phrases: Phrases
    together: tuple[Together, ...]
    harmless: Phrases


class MedicineWords(_Entry, frozen=True, kw_only=True):
    """A group of medicines: its classes or ingredients in `medications.csv`, and words for it beside their names."""

    tokens: Phrases
    words: Phrases


class KeptWhole(_Entry, frozen=True, kw_only=True):
    """What names treatment, recovery or safety, and the phrases (`harmless`) inside which it does not."""

    phrases: Phrases
    harmless: Phrases


class TopicWords(_Entry, frozen=True, kw_only=True):
    """One topic: its words, and a goal of that topic as it should be, to show to the patient."""

    words: Phrases
    example: str


class HowOften(_Entry, frozen=True, kw_only=True):
    """Phrases that say how many times a week something is done."""

    times_a_week: float
    phrases: Phrases


class Size(_Entry, frozen=True, kw_only=True):
    """Units of one measure: worth `minutes` each if they measure time, else with the `most` that is small in one go."""

    units: Phrases
    minutes: float | None = None
    most: float | None = None


class Limits(_Entry, frozen=True, kw_only=True):
    """Beyond any of these a first step is too big. `minutes_a_day` is a mean over the week."""

    minutes_a_day: float
    minutes_at_once: float
    actions_at_once: int
    not_for_actions: Phrases
    sizes: tuple[Size, ...]
    not_effort: Phrases


class Everyday(_Entry, frozen=True, kw_only=True):
    """What is needed to say that a goal was read: everyday words, and phrases that only their writer understands."""

    words: Phrases
    things: Phrases
    say_little: Phrases
    unclear: Phrases
    clear: Phrases


class GoalWords(_Entry, frozen=True, kw_only=True):
    """The whole of `goals.yaml`, where each list is explained. A phrase that cannot be read makes the file invalid."""

    numbers: Mapping[str, float]
    fillers: Phrases
    lists: Mapping[str, Phrases]
    actions: Mapping[str, Phrases]
    light_actions: Phrases
    counted_actions: Phrases
    clock_actions: Phrases
    nouns_after: Phrases
    joins: Phrases
    asides: Phrases
    amounts: Phrases
    not_amounts: Phrases
    clock_times: Phrases
    when: Phrases
    not_when: Phrases
    how_often: tuple[HowOften, ...]
    number_a_week: Phrases
    number_a_day: Phrases
    week_totals: Phrases
    vague: Phrases
    outcomes: Phrases
    not_outcomes: Phrases
    others_acts: Phrases
    not_others_acts: Phrases
    everyday: Everyday
    safety: Mapping[Category, SafetyWords]
    medicine_groups: Mapping[MedicineGroup, MedicineWords]
    treatment_and_safety: KeptWhole
    names_not_judged: Phrases
    topics: Mapping[Topic, TopicWords]
    limits: Limits

    def __post_init__(self) -> None:
        spelled: Spelled = {}
        for _, _, phrases in kinds_of(self):
            for phrase in phrases:
                places(phrase, self.numbers, self.lists, spelled)
        named = {*self.light_actions, *self.counted_actions, *self.clock_actions, *self.limits.not_for_actions}
        named |= {*self.everyday.say_little}
        for what, missing in (
            ("action", named - set(self.actions)),
            ("category of safety", set(get_args(Category)) - set(self.safety)),
            ("topic", set(get_args(Topic)) - set(self.topics)),
            ("group of medicines", set(get_args(MedicineGroup)) - set(self.medicine_groups)),
        ):
            if missing:
                raise ValueError(f"there is no {what} called {', '.join(sorted(missing))}")


def kinds_of(words: GoalWords) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Every list of the file: the kind of its findings, the value they carry, and its phrases."""
    yield from (("action", action, phrases) for action, phrases in words.actions.items())
    yield from (("topic", topic, lists.words) for topic, lists in words.topics.items())
    for kind, phrases in (
        ("amount", words.amounts),
        ("not_amount", words.not_amounts),
        ("clock_time", words.clock_times),
        ("when", words.when),
        ("not_when", words.not_when),
        ("weekday", words.lists.get("weekday", ())),
        ("vague", words.vague),
        ("outcome", words.outcomes),
        ("not_outcome", words.not_outcomes),
        ("others", words.others_acts),
        ("not_others", words.not_others_acts),
        ("not_effort", words.limits.not_effort),
        ("word", words.everyday.words),
        ("word", words.names_not_judged),
        ("thing", words.everyday.things),
        ("unclear", words.everyday.unclear),
        ("clear", words.everyday.clear),
        ("kept_whole", words.treatment_and_safety.phrases),
        ("not_kept_whole", words.treatment_and_safety.harmless),
    ):
        yield kind, "", phrases
    yield from (("often", str(entry.times_a_week), entry.phrases) for entry in words.how_often)
    often = (("a week", words.number_a_week), ("a day", words.number_a_day), ("total", words.week_totals))
    yield from (("often", value, phrases) for value, phrases in often)
    for at, size in enumerate(words.limits.sizes):
        yield "size", str(at), [f"{start} {unit}" for unit in size.units for start in (NUMBER, "a", "an")]
    yield from (("group", group, named.words) for group, named in words.medicine_groups.items())
    for category, signs in words.safety.items():
        yield category, "", signs.phrases
        yield f"{category} harmless", "", signs.harmless
        phrases_of_pairs = (phrases for pair in signs.together for phrases in (pair.these, pair.near))
        yield from ((kind, "", pair) for kind, pair in zip(kinds_of_pairs(category, signs), phrases_of_pairs, strict=True))


def kinds_of_pairs(category: str, signs: SafetyWords) -> list[str]:
    """The kinds of the findings that make up a pair, in the order of the file."""
    return [f"{category} {at} {side}" for at in range(len(signs.together)) for side in ("these", "near")]
