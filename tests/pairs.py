"""For each factor of the request pairs of patients that differ in it alone, and what differs in their plans.

The table of all pairs is kept as a file, so that a person can read it aloud: where a plan differs, and where it does not.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, NamedTuple

import msgspec

from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner
from careplan.request.patient import Medication, Patient
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import GROUPS, KINDS, Field
from careplan.rulebook.measures import Measure
from careplan.rulebook.model import Rulebook
from tests.plans import NO_RED_FLAGS, PREPARED, SOBER_HOPES, SUPPORTED

Json = dict[str, Any]

CALM: Json = {
    "age_years": 44,
    "sex": "female",
    "pregnancy": "not_pregnant",
    "treatment": {
        "indication": "depression",
        "preferred_route": "iv",
        "product": "racemic",
        "sessions_planned": 6,
        "sessions_completed": 0,
    },
    "medications": [],
    "conditions": [],
    "lifestyle": {
        "sleep_hours_per_night": 7.5,
        "exercise_minutes_per_week": 160,
        "stress_practice_minutes_per_day": 12,
        "alcohol_drinks_per_week": 0,
        "nutrition": "good",
        "cannabis": "none",
        "home_environment": "supportive",
    },
    "support": SUPPORTED,
    "preparation": PREPARED,
    "expectations": SOBER_HOPES | {"goals": ["walk the dog for 10 minutes each morning"]},
    "red_flags": NO_RED_FLAGS,
}
"""Somebody of whom everything is known and nothing stands out, before the first session."""

MEDICATED: Json = CALM | {
    "treatment": CALM["treatment"] | {"sessions_completed": 3, "response_so_far": "partial"},
    "medications": [
        {"name": "clonazepam", "schedule": "as_needed", "indication": "anxiety"},
        {"name": "lamotrigine", "schedule": "daily", "indication": "bipolar", "dose_mg": 200},
        {"name": "sertraline", "schedule": "daily", "indication": "depression", "dose_mg": 100},
    ],
    "protocol": {
        "holds": [
            {"drug_class": name, "before_hours": 12, "after_hours": 6, "approved_by": "Dr. Ada Quill"}
            for name in ("benzodiazepine", "lamotrigine")
        ],
        "approved_by": "Dr. Ada Quill",
    },
}
"""The same in the middle of the series, with medicines of which doses may be held."""

SPRAY: Json = CALM | {"treatment": CALM["treatment"] | {"product": "esketamine", "preferred_route": "nasal"}}
"""The first with the spray."""

BASES: Mapping[str, Json] = {"calm": CALM, "medicated": MEDICATED, "spray": SPRAY, "nothing known": {}}


class Pair(NamedTuple):
    """Two patients that differ in one factor alone, and what the second plan has that the first does not."""

    factor: str
    base: str
    values: tuple[str, str]
    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    reworded: tuple[Item, ...]
    others: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the two plans differ at all."""
        return bool(self.added or self.removed or self.reworded or self.others)


LEFT_OUT = object()
ABSENT = "not asked"


def pairs(planner: Planner, every: int = 1) -> Iterator[tuple[str, list[Pair]]]:
    """One factor of so many with its pairs, of the base in which they bring the most items; of equals the earlier."""
    for factor, path, values in islice(factors(planner.book), 0, None, every):
        tried = [list(_of(planner, factor, name, base, path, values)) for name, base in BASES.items()]
        best = max(tried, key=_weight)
        yield factor, best if len(best) == 1 else [pair for pair in best if not _says_the_number(pair)] or best


def _weight(listed: Sequence[Pair]) -> tuple[int, int]:
    return sum(len(pair.added) for pair in listed), sum(pair.differs for pair in listed)


def _says_the_number(pair: Pair) -> bool:
    """Whether two numbers of a patient differ in nothing but the words that tell them."""
    numbers = all(value.replace(".", "", 1).lstrip("-").isdigit() for value in pair.values)
    return numbers and not pair.added and not pair.removed and set(pair.others) <= {"card"}


def factors(book: Rulebook) -> Iterator[tuple[str, tuple[str, ...], Sequence[Any]]]:
    """Every factor with its place in the request and the values between which a plan could differ, in their order."""
    constants = _constants(book)
    for kind in ("patient", *GROUPS, "protocol"):
        for name, field in KINDS[kind].fields.items():
            if field.sent:
                path = (name,) if kind == "patient" else (kind, name)
                yield f"{kind}.{name}" if kind != "patient" else name, path, _values(book, kind, name, field, constants)
    for name in sorted(book.conditions):
        yield f"conditions: {name}", ("conditions",), [[], [name]]
    taken: set[str] = set()
    for row in book.catalogue.ingredients.values():
        new = [one for one in row.classes if one not in taken]
        if new:
            taken.update(row.classes)
            yield f"medications: {row.name} ({', '.join(row.classes)})", ("medications",), [[], [{"name": row.name}]]
    for name, measure in book.vocabulary.measures.items():
        yield f"measures.{name}", ("measures", name), _of_measure(name, measure, constants)
    yield from _of_medicines()
    yield from _others()


def _of_medicines() -> Iterator[tuple[str, tuple[str, ...], Sequence[Any]]]:
    """The answers about one medicine, of one for which each of them matters."""
    one = {"name": "clonazepam", "schedule": "as_needed", "indication": "anxiety", "dose_mg": 1}
    for name in ("schedule", "indication"):
        tokens = KINDS["medicine"].fields[name].tokens
        yield f"medications.{name}", ("medications",), [[one | {name: token}] for token in tokens]
    every_day = one | {"schedule": "daily"}
    yield "medications.dose_mg", ("medications",), [[every_day | {"dose_mg": dose}] for dose in (0.25, 1, 6)]
    states = ("taking", "stopped", "not_taken", "allergy")
    yield "medications.status", ("medications",), [[one | {"status": status}] for status in states]
    spray = {"text": "ketamine 50 mg troche, twice a week"}
    yield "medications.text", ("medications",), [[{"text": "vitamin D3 1000 units daily"}], [spray]]
    yield "medications.rxcui", ("medications",), [[{"rxcui": "161"}], [{"rxcui": "596"}]]
    yield "medications.name", ("medications",), [[{"name": "acetaminophen"}], [{"name": "Xanax"}]]


def _others() -> Iterator[tuple[str, tuple[str, ...], Sequence[Any]]]:
    """What no rule tests as a field of its own."""
    yield "medications", ("medications",), [LEFT_OUT, [], [{"name": "an unheard-of pill"}]]
    yield "conditions", ("conditions",), [LEFT_OUT, []]
    yield "other_conditions", ("other_conditions",), [[], ["an unheard-of illness"]]
    yield "allergies", ("allergies",), [[], ["ketamine"]]
    yield "incomplete", ("incomplete",), [[], ["medications"], ["conditions"], ["goals"]]
    goals = ("Feel better", "Stop my Xanax this week", "I want to die", "Go to my NA meeting every Monday")
    yield "expectations.goals", ("expectations", "goals"), [LEFT_OUT, [], *([goal] for goal in goals)]
    times = ["2026-05-04T10:00:00Z", "2026-05-06T10:00:00Z", "2026-05-08T10:00:00Z"]
    yield "treatment.session_times", ("treatment", "session_times"), [LEFT_OUT, times[:1], times]
    done = CALM["treatment"] | {"sessions_completed": 6}
    last = {"last_session_at": "2026-01-30T10:00:00Z"}
    today = {"as_of": "2026-09-01"}
    yield "treatment.last_session_at", (), [today | {"treatment": done}, today | {"treatment": done | last}]
    old = {"measures": {"systolic": {"value": 150, "at": "2026-04-20"}}}
    yield "as_of", (), [old, old | {"as_of": "2026-05-20"}]
    earlier = {"format": "careplan-course/1", "state": "signed", "reference": "p-1"}
    yield "reference", (), [{"previous": earlier} | {"reference": name} for name in ("p-1", "p-2")]
    yield "clinic", ("clinic",), [LEFT_OUT, {"name": "Harbor Clinic", "phone": "(555) 010-0100"}]
    yield "previous", ("previous",), [LEFT_OUT, {}, earlier]
    hold = {"drug_class": "benzodiazepine", "before_hours": 12, "after_hours": 6, "approved_by": "Dr. Ada Quill"}
    signed = {"holds": [hold], "approved_by": "Dr. Ada Quill"}
    yield "protocol.holds", ("protocol",), [LEFT_OUT, signed, signed | {"holds": [hold | {"before_hours": 300}]}]
    cleared = {"what": "suicidal_thoughts", "by": "Dr. Ada Quill", "at": "2026-05-01T10:00:00Z", "arranged": "plan in place"}
    flagged = {"red_flags": {"suicidal_thoughts": "passive"}}
    yield "clearances", (), [flagged, flagged | {"clearances": [cleared]}]


COVERED = frozenset(field.name for field in msgspec.structs.fields(Patient)) | {
    f"medications.{field.name}" for field in msgspec.structs.fields(Medication)
}
"""Every field of a request and of a medicine, which the factors must cover."""


def _constants(book: Rulebook) -> dict[tuple[str, str], set[float]]:
    """The numbers with which rules compare each field."""
    found: dict[tuple[str, str], set[float]] = {}
    for rule in book.rules.values():
        for pattern in behind(book.derived, rule.when):
            for test in tests_of(pattern.tests):
                numbers = {float(one) for one in test.values if isinstance(one, int | float) and not isinstance(one, bool)}
                found.setdefault((pattern.kind, test.field), set()).update(numbers)
    return found


def _values(
    book: Rulebook, kind: str, name: str, field: Field, constants: Mapping[tuple[str, str], set[float]]
) -> Sequence[Any]:
    if field.type == "boolean":
        return [True, False]
    if field.type == "token":
        return field.tokens
    limits = book.limits[f"{kind}.{name}"]
    bounds = book.about.plausible.get(name)
    ends = {limits.least, *((bounds.least, bounds.most) if kind == "protocol" and bounds else ())}
    near = {one + step for one in constants.get((kind, name), set()) | ends for step in (-1, 0, 1)}
    if name in ("sessions_planned", "sessions_completed"):
        near |= set(map(float, range(13)))
    inside = sorted(one for one in near if limits.least <= one <= limits.most)
    return [int(one) if one.is_integer() else one for one in map(float, inside)]


def _of_measure(name: str, measure: Measure, constants: Mapping[tuple[str, str], set[float]]) -> Sequence[Any]:
    form = measure.form
    if form.type == "boolean":
        return [False, True]
    if form.type == "token":
        return form.answers
    near = {one + step for one in constants.get(("measures", name), set()) for step in (-1, 0, 1)}
    bounds = measure.plausible
    assert bounds is not None and bounds.least is not None and bounds.most is not None
    near |= {bounds.least, (bounds.least + bounds.most) / 2, bounds.most + 1}
    return [LEFT_OUT, *sorted(round(one, 3) for one in near if bounds.least <= one <= bounds.most + 1)]


def _of(
    planner: Planner, factor: str, base_name: str, base: Json, path: tuple[str, ...], values: Sequence[Any]
) -> Iterator[Pair]:
    plans = [(value, planner.plan(planner.intake.convert(put(base, path, value)))) for value in values]
    for (before, old), (after, new) in pairwise(plans):
        pair = compared(factor, base_name, (said(before), said(after)), old, new)
        if pair.differs:
            yield pair


def put(base: Json, path: tuple[str, ...], value: Any) -> Json:
    """The patient with this value in this place alone; with an empty path, with all that the value has."""
    body = copy.deepcopy(base)
    if not path:
        return {**body, **copy.deepcopy(value)}
    part = body
    for name in path[:-1]:
        part = part.setdefault(name, {})
    if value is LEFT_OUT:
        part.pop(path[-1], None)
    else:
        part[path[-1]] = copy.deepcopy(value)
    if path[0] == "protocol" and len(path) > 1:
        body["protocol"]["approved_by"] = "Dr. Ada Quill"
    return body


def said(value: Any) -> str:
    """A value as the table names it."""
    return ABSENT if value is LEFT_OUT else value if isinstance(value, str) else msgspec.json.encode(value).decode()


def compared(factor: str, base: str, values: tuple[str, str], old: CarePlan, new: CarePlan) -> Pair:
    """What differs between two plans: items, their words, the choice of a route, the question asked, the course."""
    before, after = ({item.id: item for item in items_of(plan)} for plan in (old, new))
    others = [
        name
        for name, one, two in (
            ("status", old.status, new.status),
            ("route", [made.choice for made in old.decisions], [made.choice for made in new.decisions]),
            ("questions", _asked(old), _asked(new)),
            ("sent, but not considered", old.not_considered, new.not_considered),
            ("medicines as understood", old.medications, new.medications),
            ("card", old.card, new.card),
            ("clinic", old.clinic, new.clinic),
            ("course", old.course, new.course),
        )
        if one != two
    ]
    return Pair(
        factor,
        base,
        values,
        added=tuple(item for name, item in after.items() if name not in before),
        removed=tuple(item for name, item in before.items() if name not in after),
        reworded=tuple(item for name, item in after.items() if name in before and before[name] != item),
        others=tuple(others),
    )


def _asked(plan: CarePlan) -> list[str]:
    return [question.pointer for question in plan.information_needed]


def told(found: Sequence[tuple[str, list[Pair]]]) -> str:
    """The table as text for people."""
    lines = [
        "# Pairs of patients that differ in one factor alone",
        "",
        "Written by the tests. Each line says from which answer to which, in which patient, and what the second plan has",
        "(+) or no longer has (-), what it says in other words (~), and what else of it is not the same.",
        "",
    ]
    silent = [factor for factor, listed in found if not listed]
    lines += ["## Factors that change nothing", "", *(f"- {factor}" for factor in silent), ""]
    lines += paragraphs(found)
    return "\n".join(lines)


def paragraphs(found: Sequence[tuple[str, list[Pair]]]) -> Iterator[str]:
    """What the table says of each factor that changes something."""
    for factor, listed in found:
        if listed:
            yield "\n".join([f"## {factor}", "", *(f"- {_line(pair)}" for pair in listed), ""])


def _line(pair: Pair) -> str:
    parts = [f"+ [{item.level}] {item.title} ({item.id})" for item in pair.added]
    parts += [f"- [{item.level}] {item.title} ({item.id})" for item in pair.removed]
    parts += [f"~ {item.id}" for item in pair.reworded]
    parts += [f"also: {', '.join(pair.others)}"] if pair.others else []
    before, after = pair.values
    return f"{before} to {after} ({pair.base}): {'; '.join(parts)}"
