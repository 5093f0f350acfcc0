"""A plan of a body that need not be bytes, and what it says, for tests that ask no more of it."""

from __future__ import annotations

from typing import Any

from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner

NO_RED_FLAGS: dict[str, Any] = {
    "suicidal_thoughts": "none",
    "psychosis_now": False,
    "mania_now": False,
    "intoxicated_now": False,
    "chest_pain_now": False,
    "new_neurological_symptom": False,
}
"""Of no red flag there is a sign."""
SUPPORTED: dict[str, Any] = {"therapist": True, "escort_available": True, "adult_at_home_24h": True, "trusted_people": 3}
"""Nobody is missing who could help."""
PREPARED: dict[str, Any] = {
    "researched": True,
    "intentions_set": True,
    "knows_the_process": True,
    "trusts_care_team": True,
    "comfortable_with_setting": True,
}
"""Ready for the first session."""
SOBER_HOPES: dict[str, Any] = {
    "expects_immediate_relief": False,
    "expects_guaranteed_result": False,
    "wants_to_stop_early": False,
}
"""Nothing is hoped for that no treatment can promise."""


def plan_of(planner: Planner, body: dict[str, Any], language: str = "en") -> CarePlan:
    """The plan of a request in plain data, with the patient's texts in a language."""
    return planner.plan(planner.intake.convert(body), language)


def rules_of(plan: CarePlan) -> set[str]:
    """The rules behind the items of a plan."""
    return {item.rule.id for item in items_of(plan)}


def by_rule(plan: CarePlan) -> dict[str, Item]:
    """The items of a plan by the rules behind them; of several of one rule the last."""
    return {item.rule.id: item for item in items_of(plan)}


def items_in_json(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every item of a plan in plain data, alerts first."""
    return [*plan["alerts"], *(item for section in plan["sections"] for item in section["items"])]
