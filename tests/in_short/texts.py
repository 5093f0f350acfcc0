"""The texts of rules as a plan shows them, of the rules that no written-out patient has: each for its first example."""

from __future__ import annotations

from collections.abc import Iterator, Set

import msgspec

from careplan.plan.model import Item
from careplan.planner import Planner


def texts(planner: Planner, shown: Set[str]) -> Iterator[str]:
    """What the rules besides those that are `shown` elsewhere say of a patient."""
    yield "# What a plan says by the rules that no written-out patient has\n"
    yield "Each for the first example of its rule, as patient and clinician read it."
    for rule in planner.book.in_order():
        if rule.id not in shown:
            yield f"\n## {rule.id}\n"
            yield from of_rule(planner, rule.id)


def of_rule(planner: Planner, name: str) -> Iterator[str]:
    """What a rule says of the patient of its first example."""
    body = msgspec.json.encode(planner.book.rules[name].file.examples.fires[0].patient)
    found = (item for item in planner.items(planner.intake.decode(body)) if item.rule.id == name)
    yield from (line for item in found for line in _lines(item))


def rules_shown(planner: Planner, body: bytes) -> frozenset[str]:
    """The rules with an item in the plan of a patient."""
    return frozenset(item.rule.id for item in planner.items(planner.intake.decode(body)))


def _lines(item: Item) -> Iterator[str]:
    yield f"- {item.line}"
    yield f"- patient: {' '.join(item.patient_text.split())}"
    yield f"- clinician: {' '.join(item.clinician_text.split())}"
    if item.contested:
        yield f"- contested: {item.contested}"
