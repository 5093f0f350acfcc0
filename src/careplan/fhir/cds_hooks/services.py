"""The services of CDS Hooks: an id for each hook, and the answer to discovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

SERVICE = "ketamine-care-plan"
"""The id from before each hook had one of its own: it still takes every hook, and discovery does not name it."""
HOOKS: Mapping[str, str] = {
    "patient-view": "Draft care plan for treatment with ketamine",
    "order-select": "What bears on the order that is being chosen, for treatment with ketamine",
    "order-sign": "What bears on the orders that are to be signed, for treatment with ketamine",
    "appointment-book": "Draft care plan for treatment with ketamine, while a visit is booked",
}
"""The hooks that are served, each with the title of its service."""
ORDERING = frozenset({"order-select", "order-sign"})
"""The hooks in which something is ordered."""


def id_of(hook: str) -> str:
    """The id of the service of a hook. Clients that keep services by their id see each of them."""
    return f"{SERVICE}-{hook}"


SERVICES: Mapping[str, frozenset[str]] = {
    SERVICE: frozenset(HOOKS),
    **{id_of(hook): frozenset({hook}) for hook in HOOKS},
}
"""The ids that are served, each with the hooks that it takes."""


def services(prefetch: Mapping[str, str]) -> Json:
    """The answer to discovery."""
    return {
        "services": [
            {
                "hook": hook,
                "id": id_of(hook),
                "title": title,
                "description": (
                    "Alerts, medicines that need a decision, and what to prepare, from a rulebook that names its sources. "
                    "A clinician decides; nothing is stored."
                ),
                "usageRequirements": (
                    "Needs the medicines or the conditions of the patient as prefetch, better both. What is not sent is "
                    "named as missing on the first card."
                ),
                "prefetch": prefetch,
            }
            for hook, title in HOOKS.items()
        ]
    }
