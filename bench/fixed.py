"""The fixed work that a plan is compared with: what any service in Python does for a request and an answer of this size.

A request of 1.5 kB is decoded and 80 kB of an answer, of the make of a plan, are encoded by `json` of the standard library.
Both are made up here and depend on nothing of the service, so that no change of rules or code moves them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import cycle
from typing import Any

Json = dict[str, Any]
ANSWER_BYTES = 80_000
SEVERAL = 30
"""Requests and answers that take turns: one alone would stay in the caches of the processor, which no plan does."""
_SENTENCE = (
    "before each session the clinic asks about sleep food medicines and who takes you home so that nothing is missed "
    "while a clinician looks at it in time"
)
_WORDS = _SENTENCE.split()


def _text(start: int, count: int) -> str:
    """So many words, which differ by where they start."""
    return " ".join(_WORDS[(start * 7 + at) % len(_WORDS)] for at in range(count)).capitalize() + "."


def request(number: int = 0) -> bytes:
    """A request with eight medicines, three conditions and two goals; another with each number."""
    medicines = [
        {"name": f"medicine {at} {at * 5 + 10} mg tablet, take 1 tablet by mouth daily", "schedule": "daily"}
        for at in range(8)
    ]
    body = {
        "age_years": 20 + number,
        "treatment": {"indication": "depression", "preferred_route": "iv", "sessions_planned": 6, "sessions_completed": 2},
        "medications": medicines,
        "conditions": ["hypertension", "sleep_apnea"],
        "other_conditions": ["generalized anxiety disorder since 2009"],
        "lifestyle": {
            "sleep_hours_per_night": 6.5,
            "exercise_minutes_per_week": 60,
            "nutrition": "mixed",
            "cannabis": "none",
        },
        "support": {"therapist": True, "escort_available": True, "adult_at_home_24h": False, "trusted_people": 3},
        "preparation": {"researched": True, "intentions_set": False, "knows_the_process": True},
        "expectations": {"expects_immediate_relief": True, "goals": [_text(number, 12), _text(number + 1, 9)]},
        "red_flags": {"suicidal_thoughts": "none", "psychosis_now": False, "mania_now": False, "chest_pain_now": False},
    }
    return json.dumps(body).encode()


def answer(number: int = 0) -> Json:
    """An answer of 80 kB, with as many texts and as long ones as a plan has; another with each number."""
    items: list[Json] = []
    questions = [
        {
            "ask": _text(number + at, 8),
            "form": {"type": "number", "minimum": 0, "maximum": at},
            "needed": True,
            "at": [at, "x"],
        }
        for at in range(40)
    ]
    found = {
        "status": "draft",
        "questions": questions,
        "sections": [{"section": "preparation", "title": "Preparation", "items": items}],
    }
    size = len(json.dumps(found))
    while size < ANSWER_BYTES:
        at = number * 100 + len(items)
        item = {
            "id": f"item-{at}",
            "level": "caution",
            "section": "preparation",
            "title": _text(at, 6),
            "patient_text": _text(at + 1, 62),
            "clinician_text": f"{_text(at + 2, 78)} 25–50 %.",
            "evidence": [
                {"source": f"source-{at + of}", "title": _text(at + of, 9), "place": f"page {of}", "strength": "guideline"}
                | {"read": "abstract"}
                for of in range(5)
            ],
            "rule": {"id": f"item-{at}", "version": 1 + at % 3, "status": "trial"},
            "because": [_text(at + 3, 4), _text(at + 4, 5)],
            "asks": [{"who": "clinician", "what": _text(at + 5, 10), "by": "before_each_session"}],
        }
        items.append(item)
        size += len(json.dumps(item)) + 2
    return found


def fixed_work() -> Callable[[], object]:
    """The work, to be done again and again: another request and another answer each time, as they come to a service."""
    several = cycle([(request(number), answer(number)) for number in range(SEVERAL)])

    def work() -> object:
        body, plan = next(several)
        return json.loads(body), json.dumps(plan)

    return work
