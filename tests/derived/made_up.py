"""A made-up rulebook that derives facts in every way there is, with rules that test them in every way there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from careplan.rulebook.load import load
from careplan.rulebook.model import SECTIONS, Rulebook
from tests.patients import Json, patients
from tests.shipped import few_rules_in

DERIVED: dict[str, Json] = {
    "tired": {"when": {"lifestyle": {"sleep_hours_per_night": {"less_than": 6}}}},
    "at_risk": {
        "when": {
            "any_of": [
                {"history": {"has": ["sleep_apnea", "porphyria"]}},
                {"regimen": {"takes": ["opioid"]}, "patient": {"age_years": {"at_least": 65}}},
                {"support": {"escort_available": False}},
            ]
        }
    },
    "drinks_little": {"when": {"lifestyle": {"alcohol_drinks_per_week": {"at_most": 6}, "cannabis": {"not": "daily"}}}},
    "daily_calming": {"when": {"medicine": {"class": ["antipsychotic", "antidepressant"], "schedule": "daily"}}},
    "an_opioid": {"when": {"medicine": {"class": "opioid"}}},
    "spared": {"when": {"regimen": {"takes": {"not": "opioid"}}, "history": {"has": {"not": "sleep_apnea"}}}},
    "more_sleep_than_company": {
        "compare": {"field": "lifestyle.sleep_hours_per_night", "at_least": "support.trusted_people", "plus": 2}
    },
    "swapped": {"compare": {"field": "protocol.clear_fluid_hours", "more_than": "protocol.solid_food_hours"}},
    "strained": {
        "count": [
            {"lifestyle": {"sleep_hours_per_night": {"less_than": 6}}},
            {"support": {"therapist": False}},
            {"history": {"has": "ptsd"}},
        ]
    },
    "calming": {"count": {"medicine": {"class": ["antipsychotic", "antidepressant", "opioid"]}}},
    "daily_ones": {"count": {"medicine": {"schedule": "daily"}}},
    "of_the_heart": {"count": {"condition": {"name": ["hypertension", "heart_or_vessel_disease", "stroke_or_tia"]}}},
    "last_time": {"days_since": "treatment.last_session_at"},
    "worn": {"when": {"derived": {"tired": True}, "support": {"therapist": False}}},
    "in_danger": {
        "when": {"any_of": [{"derived": {"any_of": [{"at_risk": True}, {"worn": True}]}}, {"history": {"has": "ptsd"}}]}
    },
    "burdens": {
        "count": [
            {"derived": {"in_danger": True}},
            {"derived": {"tired": True}},
            {"any_of": [{"lifestyle": {"cannabis": "daily"}}, {"derived": {"an_opioid": True}}]},
        ]
    },
}
NUMBERS = ("burdens", "strained", "calming", "daily_ones", "of_the_heart")
FACTS = tuple(name for name, one in DERIVED.items() if "when" in one or "compare" in one)

LIMITS: tuple[Any, ...] = ({"at_least": 2}, {"at_most": 1}, {"less_than": 1}, "known")
BESIDE = {"all": ["daily_calming", "an_opioid"]}, {"not": "daily_calming"}, "daily_calming"
WHENS: list[Any] = [
    *({"derived": {name: wanted}} for name in FACTS for wanted in (True, False, "unknown", "known")),
    *({"counts": {name: wanted}} for name in NUMBERS for wanted in LIMITS),
    *({"days_since": {"last_time": wanted}} for wanted in ({"at_least": 42}, {"less_than": 2}, "unknown")),
    *({"medicine": {"class": "antipsychotic", "beside": beside}} for beside in BESIDE),
    {"derived": {"any_of": [{"tired": True}, {"at_risk": False}]}, "counts": {"strained": {"at_least": 1}}},
    {"any_of": [{"derived": {"tired": True}, "support": {"therapist": True}}, {"derived": {"drinks_little": False}}]},
]  # fmt: skip

RULE: Json = {
    "version": 1,
    "status": "trial",
    "level": "note",
    "title": "A made-up rule",
    "scope": "personal",
    "topic": "sleep",
    "rationale": "It exists for a test.",
    "sources": [{"source": "founding", "place": "2.2", "strength": "expert_opinion"}],
    "then": {
        "patient": "Ask your prescriber and the clinic.",
        "clinician": "Ask the prescriber and the clinic.",
    },
    "examples": {"fires": [{"why": "none", "patient": {}}], "silent": [{"why": "none", "patient": {}}]},
}


def files() -> dict[str, Json]:
    """The files of what is derived and of the rules, by their place in a rulebook."""
    found: dict[str, Json] = {}
    for name, one in DERIVED.items():
        label = name.replace("_", " ")
        words: Json = {"label": label, "rationale": "For a test.", "unknown": f"it is not known: {label}"}
        words |= (
            {"values": {"true": f"it is so: {label}", "false": f"it is not so: {label}"}}
            if name in FACTS
            else {"says": f"{label}: {{value}}"}
        )
        found[f"derived/{name}.yaml"] = {"name": name} | words | one
    for at, when in enumerate(WHENS):
        found[f"aftercare/made-up-{at}.yaml"] = {
            "id": f"made-up-{at}",
            "line": f"Made up, number {at}.",
            "when": when,
        } | RULE
    return found


def made_up(folder: Path) -> Rulebook:
    """The rulebook."""
    place = few_rules_in(folder)
    rules = "".join(rule.read_text() for section in SECTIONS for rule in (place / section).glob("*.yaml"))
    for old in (*(place / "derived").glob("*.yaml"), *(place / "retired").glob("*.yaml")):
        if old.parent.name == "retired" or f"{old.stem}:" not in rules:
            old.unlink()  # What rests on the facts of the shipped rulebook goes with them.
    for name, content in files().items():
        (place / name).write_text(yaml.safe_dump(content, sort_keys=False, width=1_000))
    return load(place)


MEDICINES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["quetiapine", "olanzapine", "sertraline", "oxycodone", "methadone", "lisinopril", "unheard-of"]
        )
    },
    optional={"schedule": st.sampled_from(["daily", "as_needed"])},
)


def bodies(book: Rulebook) -> st.SearchStrategy[Json]:
    """Patients about whom something can be derived."""
    near: Json = {
        "medications": st.lists(MEDICINES, max_size=4),
        "conditions": st.lists(
            st.sampled_from(["sleep_apnea", "hypertension", "stroke_or_tia", "ptsd", "ketamine_misuse_history"]), max_size=3
        ),
        "as_of": st.sampled_from(["2026-03-01", "2026-03-13"]),
        "treatment": st.fixed_dictionaries(
            {},
            optional={
                "last_session_at": st.sampled_from(["2026-01-30T10:00:00Z", "2026-03-12T10:00:00Z", "2026-12-01T10:00:00Z"]),
                "sessions_completed": st.integers(0, 3),
            },
        ),
        "measures": st.just({"pulse": {"value": 80, "at": "2026-03-02"}}),
    }
    return st.tuples(patients(book, medicines=2), st.fixed_dictionaries({}, optional=near)).map(lambda two: two[0] | two[1])
