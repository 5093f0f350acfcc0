"""What realistic_patients.yaml says: the form of the file from which realistic patients are drawn."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from careplan.authoring.composed_texts import Form
from careplan.rulebook.yaml_and_csv import Document

Json = dict[str, Any]
DATA = Path(__file__).with_name("realistic_patients.yaml")


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of what the file says."""


class Answer(_Data, frozen=True, kw_only=True):
    """How often a question is answered, and how: by yes or no, by a token, or by a number in steps between two limits."""

    asked: float
    yes: float | None = None
    tokens: dict[str, float] = {}
    zero: float = 0.0
    mean: float = 0.0
    spread: float = 0.0
    step: float = 1.0
    least: float = 0.0
    most: float = 0.0


class Ages(_Data, frozen=True, kw_only=True):
    """Ages in bands: from, to (both in years), weight."""

    asked: float
    bands: list[tuple[int, int, float]]


class Pregnancy(_Data, frozen=True, kw_only=True):
    """Asked up to an age in years."""

    up_to: int
    asked: float
    tokens: dict[str, float]


class Stage(_Data, frozen=True, kw_only=True):
    """How far a course has come: sessions done, from and to, and how many are still planned."""

    weight: float
    completed: tuple[int, int]
    ahead: dict[int, float]


class Course(_Data, frozen=True, kw_only=True):
    """What is told of a course, and its dates: days before and after `today`."""

    asked: float
    response_asked: float
    response: dict[str, float]
    last_session_asked: float
    next_sessions_asked: float
    today: date
    since_last_session: tuple[int, int]
    between_sessions: tuple[int, int]
    hours: list[str]
    offsets: list[str]


class Clinic(_Data, frozen=True, kw_only=True):
    """A made-up clinic and its protocol, if it has one."""

    weight: float
    protocol: Json | None = None


class Cleared(_Data, frozen=True, kw_only=True):
    """How often thoughts of suicide were assessed already, by whom, and what was arranged."""

    rate: float
    by: list[str]
    arranged: list[str]


class Lists(_Data, frozen=True, kw_only=True):
    """How often each list is sent, and how often one is known to be cut off."""

    medications_asked: float
    conditions_asked: float
    goals_asked: float
    incomplete: float


class Illness(_Data, frozen=True, kw_only=True):
    """How common it is, its token or how people write it, and how often it brings a medicine of which group."""

    rate: float
    token: str = ""
    said: list[str] = []
    brings: dict[str, float] = {}


class Ending(_Data, frozen=True, kw_only=True):
    """How an illness in other words ends."""

    weight: float
    text: str


class Medicine(_Data, frozen=True, kw_only=True):
    """A medicine within its group."""

    name: str
    weight: float
    brands: list[str] = []
    strengths: list[float | str]
    unit: str = ""
    form: str = ""


class Group(_Data, frozen=True, kw_only=True):
    """Medicines of which a patient takes one at most, and how often whatever the illnesses."""

    rate: float
    schedules: dict[str, float]
    reasons: dict[str, float]
    medicines: list[Medicine]


class Line(_Data, frozen=True, kw_only=True):
    """How an entry of a list is written, and how often fields (and the dose) stand beside it."""

    weight: float
    text: str
    fields: float
    dose: float = 0.0


class Sig(_Data, frozen=True, kw_only=True):
    """How to take a medicine, as a label says it and in short."""

    weight: float
    sig: str
    short: str


class Misspelt(_Data, frozen=True, kw_only=True):
    """How often a name is misspelt, and which misspellings are not written."""

    rate: float
    but_not: list[str]


class Unread(_Data, frozen=True, kw_only=True):
    """How often a list has an entry that nobody can read, and the parts of such entries."""

    rate: float
    parts: dict[str, list[str]]


class Goals(_Data, frozen=True, kw_only=True):
    """How many goals a patient has, and what they are put together from."""

    count: dict[int, float]
    forms: list[Form]
    parts: dict[str, list[str]]


class Source(_Data, frozen=True, kw_only=True):
    """The whole file."""

    ages: Ages
    pregnancy: Pregnancy
    answers: dict[str, dict[str, Answer]]
    stages: list[Stage]
    course: Course
    clinics: list[Clinic]
    clearance: Cleared
    lists: Lists
    illnesses: list[Illness]
    illness_endings: list[Ending]
    years: tuple[int, int]
    groups: dict[str, Group]
    lines: list[Line]
    default_form: str
    default_unit: str
    sigs: dict[str, list[Sig]]
    sigs_of_forms: dict[str, list[Sig]]
    misspelt: Misspelt
    unread: Unread
    goals: Goals


@cache
def source() -> Source:
    """What the patients are drawn from."""
    document = Document(PurePosixPath(DATA.name), DATA.read_text(encoding="utf-8"))
    assert not document.faults, document.faults
    return msgspec.convert(document.data, Source, strict=False)
