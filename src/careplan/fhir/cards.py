"""A plan as the cards of CDS Hooks 2.0: what a clinician should see now, each line that matters a card of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from careplan.fhir.coding import OWN
from careplan.fhir.reading import FromFhir
from careplan.fhir.writing import FhirWriter
from careplan.patient import Patient
from careplan.plan import CarePlan, Item
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.model import Level, Rulebook
from careplan.subject import question_words

Json = dict[str, Any]

SERVICE = "ketamine-care-plan"
HOOKS = ("patient-view", "order-select", "order-sign")
INDICATORS: Mapping[Level, str] = {"stop": "critical", "hold": "warning", "caution": "warning", "note": "info"}
LONGEST_SUMMARY = 139

_PATIENT = "{{context.patientId}}"


def services(book: Rulebook) -> Json:
    """The answer to discovery. One id for all hooks, so that a later hook replaces the cards of an earlier one."""
    return {
        "services": [
            {
                "hook": hook,
                "id": SERVICE,
                "title": "Draft care plan for treatment with ketamine",
                "description": (
                    "Alerts, medicines that need a decision, and what to prepare, from a rulebook that names its sources. "
                    "A clinician decides; nothing is stored."
                ),
                "usageRequirements": "Needs the medicines and conditions of the patient as prefetch.",
                "prefetch": prefetch(book),
            }
            for hook in HOOKS
        ]
    }


def prefetch(book: Rulebook) -> dict[str, str]:
    """The queries for what some rule looks at, and for nothing else."""
    tested = {
        (pattern.kind, test.field)
        for rule in book.rules.values()
        for group in rule.when
        for pattern in group
        for test in tests_of(pattern.tests)
    }
    kinds = {kind for kind, _ in tested}
    found = {}
    if ("patient", "age_years") in tested:
        found["patient"] = f"Patient/{_PATIENT}"
    if kinds & {"medicine", "medicine_check", "regimen", "shared_class"}:
        found["statements"] = f"MedicationStatement?patient={_PATIENT}"
        found["requests"] = f"MedicationRequest?patient={_PATIENT}"
    if kinds & {"condition", "history"}:
        found["conditions"] = f"Condition?patient={_PATIENT}"
        found["allergies"] = f"AllergyIntolerance?patient={_PATIENT}"
    codes = [
        f"http://loinc.org|{code}"
        for observation in book.codes.observations
        if tuple(f"patient.{observation.factor}".rsplit(".", 2)[-2:]) in tested
        for code in observation.loinc
    ]
    if codes:
        found["observations"] = f"Observation?patient={_PATIENT}&code={','.join(codes)}"
    found["answers"] = f"QuestionnaireResponse?patient={_PATIENT}"
    return found


class Cards:
    """Makes the cards of one rulebook; with the service's public address they lead to the rules behind them."""

    def __init__(self, book: Rulebook, address: str = "") -> None:
        self._book = book
        self._address = address.rstrip("/")
        self._writer = FhirWriter()

    def of(self, plan: CarePlan, read: FromFhir, hook_instance: str, *, ordered: Iterable[str] = ()) -> list[Json]:
        """The cards of a plan. While orders are made, only alerts and what concerns the medicines `ordered` (pointers)."""
        concerned = set(ordered)
        items = [*plan.alerts, *(item for section in plan.sections for item in section.items)]
        if concerned:
            shown = [item for item in items if item.level == "stop" or concerned & {about.pointer for about in item.about}]
        else:
            shown = [item for item in items if item.level in ("stop", "hold")]
        tasks = self._tasks(plan, read)
        cards = [self._card(item, hook_instance, tasks.get(item.id, [])) for item in shown]
        rest = [item for item in items if item not in shown]
        return cards if concerned or not rest else [*cards, self._rest(plan, read.patient, rest, hook_instance)]

    def _card(self, item: Item, hook_instance: str, tasks: list[Json]) -> Json:
        card: Json = {
            "uuid": card_uuid(hook_instance, item.rule.id, item.id),
            "summary": shortened(item.title),
            "detail": _detail(item),
            "indicator": INDICATORS[item.level],
            "source": self._source(item.section),
            "overrideReasons": [
                {"code": code, "system": f"{OWN}override-reasons", "display": display}
                for code, display in self._book.codes.override_reasons.items()
            ],
        }
        if tasks:
            card["selectionBehavior"] = "any"
            card["suggestions"] = [
                {
                    "label": shortened(task["description"]),
                    "uuid": card_uuid(hook_instance, item.rule.id, f"{item.id}/{at}"),
                    "actions": [{"type": "create", "description": f"Make a task: {task['description']}", "resource": task}],
                }
                for at, task in enumerate(tasks)
            ]
        if self._address:
            url = f"{self._address}/rulebook/rules/{item.rule.id}.html"
            card["links"] = [{"label": "The rule and its sources", "url": url, "type": "absolute", "autolaunchable": False}]
        return card

    def _rest(self, plan: CarePlan, patient: Patient, items: list[Item], hook_instance: str) -> Json:
        """One card for everything that can wait until the plan is read as a whole."""
        lines = [f"- **{_marked(plan.level_words[item.level])}** {_marked(item.title)}" for item in items]
        lines += [
            f"- *asked for:* {_marked(question_words(question, plan, patient))}" for question in plan.information_needed
        ]
        lines += [f"- *not considered:* {_marked(entry.what)}: {_marked(entry.why)}" for entry in plan.not_considered]
        card: Json = {
            "uuid": card_uuid(hook_instance, SERVICE, "rest"),
            "summary": f"Draft care plan: {len(items)} further lines, {len(plan.information_needed)} open questions",
            "detail": "\n".join([*lines, "", _marked(plan.disclaimer)]),
            "indicator": "info",
            "source": self._source(None),
        }
        if self._address:
            card["links"] = [
                {"label": "The rulebook", "url": f"{self._address}/rulebook", "type": "absolute", "autolaunchable": False}
            ]
        return card

    def _source(self, section: str | None) -> Json:
        source: Json = {"label": f"{self._book.about.title}, {self._book.about.version}"}
        if self._address:
            source["url"] = f"{self._address}/rulebook"
        if section:
            display = section.replace("_", " ")
            source["topic"] = {"system": f"{OWN}sections", "code": section.replace("_", "-"), "display": display}
        return source

    def _tasks(self, plan: CarePlan, read: FromFhir) -> dict[str, list[Json]]:
        """The tasks of each item as new resources: without an id, which the clinic's own system gives."""
        bundle = self._writer.bundle(plan, read.patient, read)
        by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
        (group,) = (one for one in by_url.values() if one["resourceType"] == "RequestGroup")
        items = [*plan.alerts, *(item for section in plan.sections for item in section.items)]
        found: dict[str, list[Json]] = {}
        for item, action in zip(items, group.get("action", ()), strict=True):
            for part in action.get("action", [action]):
                resource = by_url.get(part.get("resource", {}).get("reference"), {})
                if resource.get("resourceType") == "Task":
                    task = {key: value for key, value in resource.items() if key != "id"}
                    found.setdefault(item.id, []).append(task)
        return found


def card_uuid(hook_instance: str, rule: str, item: str) -> str:
    """The id of a card (a UUID of version 8): unique to the hook's instance, with the rule in it.

    So feedback can be counted by rule, and nothing has to be kept of the call.
    """
    own = hashlib.sha256(f"{hook_instance}\0{item}".encode()).digest()[:10] + _mark(rule)
    number = int.from_bytes(own) & ~(0xF << 76) & ~(0x3 << 62) | (0x8 << 76) | (0x2 << 62)
    return str(UUID(int=number))


def rules_by_mark(rules: Iterable[str]) -> dict[bytes, str]:
    """For reading the rule out of the id of a card with `mark_of`."""
    return {_mark(rule): rule for rule in [*rules, SERVICE]}


def mark_of(card: str) -> bytes | None:
    """The part of a card's id that tells the rule; None where the id is none."""
    try:
        return UUID(card).bytes[10:]
    except ValueError:
        return None


def _mark(rule: str) -> bytes:
    return hashlib.sha256(rule.encode()).digest()[:6]


def shortened(text: str) -> str:
    """A text as a summary: less than 140 characters, cut between words."""
    if len(text) <= LONGEST_SUMMARY:
        return text
    return f"{text[: LONGEST_SUMMARY - 1].rsplit(' ', 1)[0]}…"


def _detail(item: Item) -> str:
    """The card's text in GitHub Flavored Markdown."""
    parts = [_marked(item.clinician_text)]
    parts += (
        ["\n".join(f"- **{_marked(ask.who)}**, {ask.by_words}: {_marked(ask.what)}" for ask in item.asks)]
        if item.asks
        else []
    )
    parts += [f"*Contested:* {_marked(item.contested)}"] if item.contested else []
    parts.append(f"*Because:* {_marked('; '.join(item.because))}")
    sources = "; ".join(f"{entry.title}, {entry.place} ({entry.strength.replace('_', ' ')})" for entry in item.evidence)
    parts.append(f"*Sources:* {_marked(sources)}. Rule {item.rule.id} v{item.rule.version} ({item.rule.status}).")
    return "\n\n".join(parts)


def _marked(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|~#" else sign for sign in " ".join(text.split()))
