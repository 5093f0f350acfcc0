"""A plan as FHIR R4 resources: one Bundle that says what the JSON plan says, item by item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from careplan.fhir.read.bundle import FromFhir
from careplan.fhir.read.code_systems import RXNORM, SNOMED
from careplan.fhir.read.terminology import OWN
from careplan.fhir.write.extensions import about, illness_read, in_language, medicine_read, requirement, translated
from careplan.fhir.write.front_narrative import front_narrative
from careplan.fhir.write.narrative import with_narrative
from careplan.plan.entry_labels import question_words
from careplan.plan.model import Ask, CarePlan, Evidence, Item, items_of
from careplan.request.patient import Patient
from careplan.rulebook.model import Level
from careplan.rulebook.text_template import hours, spaced

Json = dict[str, Any]

CPG = "http://hl7.org/fhir/uv/cpg"
PRIORITIES: Mapping[Level, str] = {"stop": "stat", "hold": "urgent", "caution": "routine", "note": "routine"}
SEVERITIES: Mapping[Level, str] = {"stop": "high", "hold": "high", "caution": "moderate", "note": "low"}
TOLD_ABOUT = frozenset({"preparation", "day_of_treatment", "expectations", "commitment"})
"""Sections whose items are told to the patient; those of aftercare become goals."""
HABITS: frozenset[Level] = frozenset({"caution", "note"})
"""The levels at which an item of aftercare is a habit to have; what is graver is for a clinician to act on."""

_ROUTES = {
    "iv": (SNOMED, "47625008", "Intravenous route"),
    "im": (SNOMED, "78421000", "Intramuscular route"),
    "subcutaneous": (SNOMED, "34206005", "Subcutaneous route"),
    "nasal_esketamine": (SNOMED, "46713006", "Nasal route"),
}
_KETAMINE = {"nasal_esketamine": ("2119365", "esketamine")}
_PERFORMERS = {"patient": "patient", "prescriber": "provider", "clinician": "provider"}


class FhirWriter:
    """Writes the plans of one rulebook."""

    def bundle(self, plan: CarePlan, patient: Patient, read: FromFhir | None = None, key: str | None = None) -> Json:
        """The Bundle of one plan; `read` is what the patient came from, so that resources point back to their sources.

        `key` is what the sender calls the patient: ids of two that are otherwise alike differ by it.
        """
        return _Writing(plan, patient, read, key).bundle()


def document(plan: CarePlan, patient: Patient, read: FromFhir | None = None) -> bytes:
    """The Bundle of one plan as JSON in UTF-8; `read` is what the patient came from."""
    return msgspec.json.encode(FhirWriter().bundle(plan, patient, read))


class _Writing:
    """One plan on its way to a Bundle. Ids follow from the plan, so that equal plans get equal bytes."""

    def __init__(self, plan: CarePlan, patient: Patient, read: FromFhir | None, key: str | None) -> None:
        self._plan = plan
        self._patient = patient
        self._sources = read.sources if read else {}
        self._subject: Json = (
            {"reference": read.subject} if read and read.subject else {"display": "the patient of this request"}
        )
        called = [] if key is None else [key]
        self._seed = uuid5(NAMESPACE_URL, msgspec.json.encode([plan, patient, self._subject, *called]).decode())
        self._canonical = f"{OWN}rulebook:{plan.rulebook.id}|{plan.rulebook.version}"
        self._entries: list[Json] = []
        self._works = {work.id: work for work in plan.sources}

    def bundle(self) -> Json:
        """The Bundle: the CarePlan first, then what it refers to."""
        actions = [self._action(item) for item in items_of(self._plan)]
        group = self._add("RequestGroup", "items", self._proposal() | {"action": actions} if actions else self._proposal())
        decisions = [self._decision(choice.choice, choice.item) for choice in self._plan.decisions]
        missing = self._missing() if self._plan.information_needed else None
        left_out = self._left_out()
        plan = self._care_plan([group, *filter(None, [*decisions, missing, left_out])])
        return {"resourceType": "Bundle", "type": "collection", "entry": [plan, *self._entries]}

    def _add(self, kind: str, name: str, body: Json) -> str:
        """Add a resource; returns its reference."""
        entry = self._entry(kind, name, body)
        self._entries.append(entry)
        return str(entry["fullUrl"])

    def _entry(self, kind: str, name: str, body: Json) -> Json:
        number = str(uuid5(self._seed, f"{kind}/{name}"))
        resource = with_narrative({"resourceType": kind, "id": number} | body)
        return {"fullUrl": f"urn:uuid:{number}", "resource": resource}

    def _proposal(self) -> Json:
        return {"status": "draft", "intent": "proposal", "subject": self._subject}

    def _care_plan(self, references: Iterable[str]) -> Json:
        plan = self._plan
        title = "Draft care plan for a clinician to sign"
        goals = [entry["fullUrl"] for entry in self._entries if entry["resource"]["resourceType"] == "Goal"]
        body: Json = {
            "text": front_narrative(plan),
            "instantiatesCanonical": [self._canonical],
            "status": "draft",
            "intent": "proposal",
            "title": f"{title}, blocked until the alerts are cleared" if plan.status == "blocked" else title,
            "description": plan.disclaimer,
            "subject": self._subject,
            "goal": [{"reference": goal} for goal in goals],
            "activity": [{"reference": {"reference": reference}} for reference in (*references, *self._tasks_on_front())],
            "note": [{"text": plan.crisis}],
        }
        extension = {"url": f"{OWN}status", "valueCode": plan.status}
        digest = {"url": f"{OWN}rulebook-digest", "valueString": plan.rulebook.digest}
        body["extension"] = [extension, digest, *map(medicine_read, plan.medications), *map(illness_read, plan.conditions)]
        return self._entry("CarePlan", "plan", {key: value for key, value in body.items() if value != []})

    def _tasks_on_front(self) -> Iterator[str]:
        """The references of the tasks that stand on the front page, each once."""
        on_front = {(task.who, task.by, what) for task in self._plan.front.tasks for what in task.what}
        for item in items_of(self._plan):
            for at, ask in enumerate(item.asks):
                if (ask.who, ask.by, ask.what) in on_front and item.scope == "personal":
                    on_front.discard((ask.who, ask.by, ask.what))
                    yield f"urn:uuid:{uuid5(self._seed, f'Task/{item.id}/ask/{at}')}"

    def _action(self, item: Item) -> Json:
        behind = self._behind(item)
        action: Json = {
            "id": item.id.replace("/", ".").replace("_", "-")[:64],
            "extension": [
                {"url": f"{CPG}/StructureDefinition/cpg-rationale", "valueMarkdown": "; ".join(item.because) or item.title},
                {"url": f"{OWN}section", "valueCode": item.placed_in.replace("_", "-")},
                {"url": f"{OWN}level", "valueCode": item.level},
                {"url": f"{OWN}scope", "valueCode": item.scope},
                {"url": f"{OWN}topic", "valueCode": item.topic.replace("_", "-")},
                {"url": f"{OWN}line", "valueString": item.line},
                {"url": f"{OWN}rule-status", "valueCode": item.rule.status},
                *map(about, item.about),
                *translated(item),
                *({"url": f"{OWN}assumes", "valueString": one.words} for one in item.assumes),
                *({"url": f"{OWN}contested", "valueString": text} for text in filter(None, [item.contested])),
            ],
            "title": item.title,
            "description": item.clinician_text,
            "textEquivalent": item.patient_text,
            "priority": PRIORITIES[item.level],
            "code": [{"coding": [{"system": f"{OWN}rules", "version": str(item.rule.version), "code": item.rule.id}]}],
            "documentation": [self._cited(entry) for entry in item.evidence],
        }
        if item.patient_language:
            action["_textEquivalent"] = in_language(item.patient_language)
        if len(behind) == 1:
            action["resource"] = {"reference": behind[0]}
        elif behind:
            action["groupingBehavior"] = "logical-group"
            action["action"] = [{"title": item.title, "resource": {"reference": reference}} for reference in behind]
        return action

    def _cited(self, entry: Evidence) -> Json:
        work = self._works[entry.source]
        return _citation(entry, work.title, work.read)

    def _behind(self, item: Item) -> list[str]:
        """The resources that act on an item, or tell of it."""
        tasks = [self._task(f"{item.id}/ask/{at}", ask, item) for at, ask in enumerate(item.asks)]
        if item.hold is not None:
            tasks += self._holds(item)
        if item.open_decision == "hold":
            tasks.append(self._hold_decision(item))
        if item.section == "medications" and item.about:
            tasks.append(self._issue(item))
        is_habit = item.section == "aftercare" and item.level in HABITS
        if item.section in TOLD_ABOUT or not (tasks or is_habit):
            tasks.append(self._told(item))
        if is_habit:
            tasks.append(self._goal(item))
        return tasks

    def _task(self, name: str, ask: Ask, item: Item) -> str:
        performer = _PERFORMERS.get(ask.who, "provider")
        coding = {"system": "http://terminology.hl7.org/CodeSystem/task-performer-type", "code": performer}
        body = self._activity(item) | {
            "description": f"{ask.what} ({ask.by_words})",
            "performerType": [{"coding": [coding], "text": spaced(ask.who)}],
        }
        return self._add("Task", name, body)

    def _activity(self, item: Item) -> Json:
        return {
            "instantiatesCanonical": f"{OWN}rule:{item.rule.id}|{item.rule.version}",
            "status": "draft",
            "intent": "proposal",
            "priority": PRIORITIES[item.level],
            "for": self._subject,
        }

    def _holds(self, item: Item) -> Iterator[str]:
        """For each session a Task for the hold and one beside it for going on, as the named clinician's protocol has them.

        They are drafts of proposals: what is done with a medicine is for its prescriber to say.
        """
        assert item.hold is not None
        hold = item.hold
        times: list[datetime | None] = [*(self._patient.treatment.session_times or ())] or [None]
        for at, session in enumerate(times):
            for activity, text in (
                ("hold-activity", f"{item.title}. As entered by {hold.approved_by}: {hours(hold.before_hours)} before"),
                ("resume-activity", f"{item.title}. As entered by {hold.approved_by}: {hours(hold.after_hours)} after"),
            ):
                body = self._hold_activity(item, activity)
                body["description"] = f"{text} a session, for prescriber and clinic to confirm"
                if session is not None:
                    begin, end = session - timedelta(hours=hold.before_hours), session + timedelta(hours=hold.after_hours)
                    period = {"start": begin.isoformat(), "end": end.isoformat()}
                    body["executionPeriod"] = period if activity == "hold-activity" else {"start": end.isoformat()}
                yield self._add("Task", f"{item.id}/{activity}/{at}", body)

    def _hold_decision(self, item: Item) -> str:
        """A Task for the decision that nobody has taken yet: without a window, and no word of what it should be."""
        body = self._hold_activity(item, "hold-activity")
        words = "Prescriber and clinic decide together; until then nothing changes."
        body["description"] = f"Hold decision, open: {item.title}. {words}"
        return self._add("Task", f"{item.id}/hold-decision", body)

    def _hold_activity(self, item: Item, activity: str) -> Json:
        coding = {"system": f"{CPG}/CodeSystem/cpg-activity-type-cs", "code": activity}
        body = self._activity(item) | {"code": {"coding": [coding]}}
        if focus := next((self._sources.get(about.pointer) for about in item.about), None):
            body["focus"] = {"reference": focus}
        return body

    def _issue(self, item: Item) -> str:
        implicated = [self._sources[about.pointer] for about in item.about if about.pointer in self._sources]
        body: Json = {
            "status": "preliminary",
            "code": {"text": item.title},
            "severity": SEVERITIES[item.level],
            "patient": self._subject,
            "detail": item.clinician_text,
        }
        if implicated:
            body["implicated"] = [{"reference": reference} for reference in dict.fromkeys(implicated)]
        return self._add("DetectedIssue", item.id, body)

    def _told(self, item: Item) -> str:
        body: Json = {
            "status": "draft",
            "category": [{"text": spaced(item.placed_in)}],
            "priority": PRIORITIES[item.level],
            "subject": self._subject,
            "payload": [{"contentString": item.patient_text}],
        }
        if item.patient_language:
            body["language"] = item.patient_language
            body["extension"] = translated(item)
        return self._add("CommunicationRequest", item.id, body)

    def _goal(self, item: Item) -> str:
        target: Json = {"measure": {"text": item.title}, "detailString": item.patient_text}
        if item.patient_language:
            target["_detailString"] = in_language(item.patient_language)
        body = {
            "lifecycleStatus": "proposed",
            "description": {"text": item.title},
            "subject": self._subject,
            "target": [target],
            "note": [{"text": item.clinician_text}],
        }
        return self._add("Goal", item.id, body)

    def _decision(self, choice: str, item: str) -> str:
        """The recommended route: a proposal without a dose; where the route is to be talked about, a ServiceRequest."""
        if choice not in _ROUTES:
            body: Json = self._proposal() | {"code": {"text": "Talk about the route of treatment"}}
            return self._add("ServiceRequest", item, body)
        system, code, display = _ROUTES[choice]
        rxcui, name = _KETAMINE.get(choice, ("6130", "ketamine"))
        body = self._proposal() | {
            "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": rxcui, "display": name}], "text": name},
            "dosageInstruction": [{"route": {"coding": [{"system": system, "code": code, "display": display}]}}],
        }
        return self._add("MedicationRequest", item, body)

    def _missing(self) -> str:
        body = {
            "moduleCanonical": self._canonical,
            "status": "data-required",
            "subject": self._subject,
            "note": [
                {"text": f"{question_words(question, self._plan, self._patient)} ({question.pointer})"}
                for question in self._plan.information_needed
            ],
            "dataRequirement": [requirement(question) for question in self._plan.information_needed],
        }
        return self._add("GuidanceResponse", "missing", body)

    def _left_out(self) -> str | None:
        """Everything that was sent and not considered, each with the reason."""
        if not self._plan.not_considered:
            return None
        issues = [
            {
                "severity": "information",
                "code": "informational",
                "details": {"text": entry.what},
                "diagnostics": f"{entry.why} ({entry.pointer})",
            }
            for entry in self._plan.not_considered
        ]
        outcome = self._add("OperationOutcome", "left-out", {"issue": issues})
        body = {
            "moduleCanonical": self._canonical,
            "status": "success",
            "subject": self._subject,
            "evaluationMessage": [{"reference": outcome}],
        }
        return self._add("GuidanceResponse", "left-out", body)


@lru_cache(maxsize=4_096)
def _citation(entry: Evidence, title: str, read: str) -> Json:
    """A source, as the rulebook has it; shared between Bundles."""
    return {
        "type": "citation",
        "label": entry.source,
        "display": f"{title}; {entry.place}",
        "citation": f"{entry.strength.replace('_', ' ')}; read: {read.replace('_', ' ')}",
    }
