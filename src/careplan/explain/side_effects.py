"""What the ways to change an item do besides: each is planned, and one that brings up a stop or hold is no remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from careplan.explain.counterfactual import Way, WhatWouldChange
from careplan.explain.plan_diff import difference
from careplan.plan.model import CarePlan
from careplan.request.patient import Patient
from careplan.rulebook.model import LEVELS, Level

MOST_WAYS = 5
"""As many ways are offered, the smallest first."""

_GRAVE: tuple[Level, ...] = ("stop", "hold")


def weighed(found: WhatWouldChange, item: str, patient: Patient, plan: Callable[[Patient], CarePlan]) -> WhatWouldChange:
    """The ways that were `found` to change an item, each with what else it adds to the plan of the patient and removes.

    `item` is the id of the item, or of a rule, and `plan` makes a patient's plan. A way that brings up a stop or hold is
    offered only for want of others.
    """
    if not found.ways:
        return found
    now = plan(patient)
    ways = [_weighed(way, item, now, plan(patched(patient, way.patch))) for way in found.ways]
    harmless = [way for way in ways if way.brings_up is None]
    ways = harmless or sorted(ways, key=lambda way: -LEVELS.index(way.brings_up or "note"))
    return msgspec.structs.replace(found, ways=ways[:MOST_WAYS])


def patched(patient: Patient, patch: dict[str, dict[str, Any]]) -> Patient:
    """The patient with some factors of its groups changed."""
    groups = {kind: msgspec.structs.replace(getattr(patient, kind), **fields) for kind, fields in patch.items()}
    return msgspec.structs.replace(patient, **groups)


def _weighed(way: Way, item: str, before: CarePlan, after: CarePlan) -> Way:
    differs = difference(before, after)
    adds = [added for added in differs.added if item not in (added.id, added.rule)]
    removes = [removed for removed in differs.removed if item not in (removed.id, removed.rule)]
    grave = [added.level for added in adds if added.level in _GRAVE]
    words = [f"brings up [{after.level_words[added.level]}] {added.title}" for added in adds]
    words += [f"takes away [{after.level_words[removed.level]}] {removed.title}" for removed in removes]
    worst = min(grave, key=LEVELS.index, default=None)
    return msgspec.structs.replace(way, adds=adds, removes=removes, besides=words, brings_up=worst)
