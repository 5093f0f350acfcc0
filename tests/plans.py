"""What a plan says, for tests that ask no more of it."""

from __future__ import annotations

from careplan.plan.model import CarePlan, items_of


def rules_of(plan: CarePlan) -> set[str]:
    """The rules behind the items of a plan."""
    return {item.rule.id for item in items_of(plan)}
