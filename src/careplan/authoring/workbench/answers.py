"""What the workbench answers: rules in a list, a rule's file, what came of a text, whose plans it changes."""

from __future__ import annotations

from typing import Any

import msgspec

from careplan.authoring.impact import RuleImpact
from careplan.authoring.workbench.prose_values import Choice, ConditionValue
from careplan.errors import RuleFault
from careplan.explain.rule_view import RuleDetail

Json = dict[str, Any]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The base of what is answered."""


class Row(Part, frozen=True, kw_only=True):
    """One rule in the list, as its file says it."""

    id: str
    section: str
    title: str
    level: str
    status: str
    version: str


class Example(Part, frozen=True, kw_only=True):
    """One example of a rule, and whether it comes out."""

    expected: str
    why: str
    passed: bool
    problem: str = ""
    patient: Json


class Checked(Part, frozen=True, kw_only=True):
    """What came of a text: faults, or the rule in prose and its examples; and how it differs from the file.

    `unshown` counts what of its conditions no example has shown, of `wanted`; `notes` say what is still to be done.
    `values` are those of its conditions, each with its place in text and prose.
    """

    faults: list[RuleFault] = []
    prose: RuleDetail | None = None
    examples: list[Example] = []
    wanted: int = 0
    unshown: int = 0
    notes: list[str] = []
    values: list[ConditionValue] = []
    diff: str = ""


class Sheet(Part, frozen=True, kw_only=True):
    """A rule's file as it is on disk; `mark` is the hash of it, by which a save knows that nobody changed it meanwhile."""

    id: str
    path: str
    text: str
    mark: str
    checked: Checked
    illnesses: list[Choice]


class Sample(Part, frozen=True, kw_only=True):
    """One made-up patient whose plan changes, and how, in words."""

    patient: int
    words: list[str]


class Effect(Part, frozen=True, kw_only=True):
    """What a text does to many made-up patients who look like those of a clinic."""

    patients: int
    differing: int
    statuses: dict[str, int]
    rules: list[RuleImpact]
    samples: list[Sample]
    faults: list[RuleFault] = []
