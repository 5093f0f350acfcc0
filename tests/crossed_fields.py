"""Bodies in which the fields of one entry meet: every pair of them, with values that mean something to whoever reads them.

A field alone is read well; what was not thought of lies between two. So the values are no extremes but what records have:
combinations with one figure and with several, units per time, ranges, denials, dates of every precision, codes and words
that contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, get_args

import yaml

from careplan.request import patient as request

Json = dict[str, Any]
Fields = Mapping[str, list[Any]]

_WORDS = yaml.safe_load((Path(__file__).parent / "crossed_words.yaml").read_text())
NAMES, LINES, ILLNESSES, GOALS, DAYS = (list[str](_WORDS[name]) for name in ("names", "lines", "illnesses", "goals", "days"))
MOMENTS = ["2026-11-28T10:00:00Z", "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-12-08T09:30:00.5+14:00"]
BY = ["Dr Ada Quill", "A. Example, MD", "Ada\u00a0Quill-O'Neil"]
TOKENS = [
    "hypertension",
    "seizure_disorder",
    "active_psychosis",
    "aneurysmal_vascular_disease",
    "alcohol_use_disorder_active",
]
READINGS: list[Any] = [
    *(7, 0, -1, 45.5, 999999, True, "positive", None, {"value": 12}, {"value": 12, "at": "2026-11-01"}),
    *({"value": 95, "unit": "kPa"}, [{"value": 12, "at": "2026-11-01"}, {"value": 3, "at": "2026-11-28T10:00:00Z"}]),
    [{"value": 20}, {"value": 2, "at": "2024-02-29"}],
]
_MEASURES = ("systolic", "diastolic", "phq9_total", "phq9_item9", "weight", "height", "oxygen_saturation", "pulse")
NUMBERS: list[Any] = [0, 0.5, 1, 2.5, 8, 30, 100, 7.0]
FLAGS: list[Any] = [True, False, None]


def tokens(alternatives: object) -> list[Any]:
    """The tokens of a field of the request."""
    return list(get_args(alternatives))


PARTS: dict[str, Fields] = {
    "medications": {
        "name": NAMES,
        "text": LINES,
        "rxcui": ["596", "352741", "0", "99999999", "1819", "723"],
        "dose_mg": [0, 0.5, 8, 325, 100_000],
        "schedule": tokens(request.Schedule),
        "indication": tokens(request.MedicineIndication),
        "status": tokens(request.MedicineStatus),
    },
    "clearances": {
        "what": ["suicidal_thoughts", "psychosis_now", "pregnancy", *TOKENS],
        "by": BY,
        "at": MOMENTS,
        "arranged": ["seen today, safe", "lithium 300 mg bid, denies tremor", "{x}"],
    },
    "holds": {
        "drug_class": ["benzodiazepine", "lamotrigine", "stimulant", "opioid", "gabapentinoid"],
        "before_hours": NUMBERS,
        "after_hours": NUMBERS,
        "approved_by": BY,
    },
    "protocol": {
        "solid_food_hours": NUMBERS,
        "clear_fluid_hours": NUMBERS,
        "observation_minutes": [0, 1, 45, 120.5, 1_440],
        "driving_hours": NUMBERS,
        "approved_by": BY,
    },
    "treatment": {
        "indication": tokens(request.Indication),
        "preferred_route": tokens(request.Route),
        "product": tokens(request.Product),
        "sessions_planned": [1, 2, 6, 200],
        "sessions_completed": [0, 1, 6, 200],
        "session_times": [[], MOMENTS[:1], MOMENTS, MOMENTS[:1] * 2, ["2026-11-28T10:00:00Z", "2026-11-28T18:00:00Z"]],
        "response_so_far": tokens(request.Response),
        "last_session_at": MOMENTS,
    },
    "lifestyle": {
        "sleep_hours_per_night": [0, 4.9, 5, 24],
        "exercise_minutes_per_week": [0, 149, 10_080],
        "stress_practice_minutes_per_day": [0, 10],
        "alcohol_drinks_per_week": [0, 0.5, 14, 500],
        "nutrition": tokens(request.Nutrition),
        "cannabis": tokens(request.Cannabis),
        "home_environment": tokens(request.HomeEnvironment),
    },
    "support": {
        "therapist": FLAGS,
        "escort_available": FLAGS,
        "adult_at_home_24h": FLAGS,
        "trusted_people": [0, 1, 1_000],
    },
    "preparation": dict.fromkeys(request.Preparation.__struct_fields__, FLAGS),
    "expectations": {
        **dict.fromkeys(("expects_immediate_relief", "expects_guaranteed_result", "wants_to_stop_early"), FLAGS),
        "goals": [[], GOALS[:1], GOALS, GOALS[3:5]],
    },
    "red_flags": {
        "suicidal_thoughts": tokens(request.SuicidalThoughts),
        **dict.fromkeys(request.RedFlags.__struct_fields__[1:], FLAGS),
    },
    "clinic": {
        "name": ["Quiet Room", "A {name} clinic"],
        "phone": ["(555) 010-0100", "+44 20 7946 0018 x12"],
        "phone_after_hours": ["555-0199"],
        "paper": ["a4", "us-letter"],
        "zone": ["America/New_York", "Etc/UTC", "Pacific/Kiritimati"],
        "region": ["us", "uk", "eu", "ca", "au"],
    },
    "measures": dict.fromkeys(
        ("systolic", "diastolic", "phq9_total", "phq9_item9", "weight", "height", "oxygen_saturation", "pulse"), READINGS
    ),
}
"""What may be sent in each part of a request."""
_LISTED = {"medications", "clearances"}
_REQUIRED = {
    "clearances": ("what", "by", "at", "arranged"),
    "holds": ("drug_class", "before_hours", "after_hours", "approved_by"),
    "protocol": ("approved_by",),
}


class Crossing(NamedTuple):
    """A body, the part or kind of resource that was crossed, and the fields that meet in it."""

    kind: str
    fields: tuple[str, ...]
    body: Json


def drawn(random: Random, fields: Fields, pair: tuple[str, ...], always: tuple[str, ...] = ()) -> Json:
    """A value for each field of the pair, for those that must be there, and for up to two others."""
    others = [name for name in fields if name not in pair and name not in always]
    more = random.sample(others, min(len(others), random.choice([0, 0, 1, 1, 2])))
    return {name: random.choice(fields[name]) for name in (*pair, *always, *more)}


def crossed_parts(seed: int, rounds: int = 1) -> Iterator[Crossing]:
    """Requests in which every two fields of every part meet, and every two parts: the same for the same seed."""
    random = Random(seed)  # noqa: S311 - nothing is kept secret by it
    for _ in range(rounds):
        for kind, fields in PARTS.items():
            for pair in combinations(fields, 2):
                entry = drawn(random, fields, pair, tuple(n for n in _REQUIRED.get(kind, ()) if n not in pair))
                yield Crossing(kind, pair, _around(random, kind, entry))
        for two in combinations([*PARTS, *_WHOLE], 2):
            body: Json = {}
            for kind in two:
                body = _merged(body, _part(random, kind))
            yield Crossing("patient", two, body)


_WHOLE: dict[str, list[Any]] = {
    "age_years": [0, 12, 17, 18, 65, 130],
    "sex": tokens(request.Sex),
    "pregnancy": tokens(request.Pregnancy),
    "conditions": [[], TOKENS[:1], TOKENS[3:]],
    "other_conditions": [[], ILLNESSES[:3], ILLNESSES[5:9], ILLNESSES[12:16], ILLNESSES[18:]],
    "allergies": [[], ["ketamine"], ["NKDA"], ["sertraline - rash", "no known allergies"]],
    "incomplete": [[], ["medications"], ["medications", "conditions", "goals"]],
    "as_of": ["2026-11-28", "2024-02-29"],
}


def _part(random: Random, kind: str) -> Json:
    if kind in _WHOLE:
        return {kind: random.choice(_WHOLE[kind])}
    fields = PARTS[kind]
    pair = tuple(random.sample(list(fields), 2))
    return _around(random, kind, drawn(random, fields, pair, tuple(n for n in _REQUIRED.get(kind, ()) if n not in pair)))


def _around(random: Random, kind: str, entry: Json) -> Json:
    """The body that has an entry of a part, and of a list one or two more."""
    if kind == "holds":
        return {"protocol": {"holds": [entry]}, "medications": [{"name": random.choice(NAMES)}]}
    if kind == "medications":
        more = [drawn(random, PARTS[kind], ("name",)) for _ in range(random.choice([0, 0, 1, 2]))]
        entry = entry if entry.keys() & {"name", "text", "rxcui"} else entry | {"name": random.choice(NAMES)}
        return {kind: [entry, *more]}
    return {kind: [entry] if kind in _LISTED else entry}


def _merged(one: Json, other: Json) -> Json:
    both = {name: one[name] for name in one.keys() & other.keys()}
    return one | other | {name: _joined(value, other[name]) for name, value in both.items()}


def _joined(one: Any, other: Any) -> Any:
    return one | other if isinstance(one, dict) else [*one, *other]
