"""The narrative of a resource: what it says to a reader whose system knows nothing of its structure, in XHTML.

Everything in it stands in the resource as data too. A resource within another has none, as R4 requires (dom-1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

Json = dict[str, Any]

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no document of XML can have, not even escaped."""

_URGENCY: Mapping[str, str] = {"stat": " (at once)", "urgent": " (before treatment)"}


def with_narrative(resource: Json) -> Json:
    """A resource with its `text`, before all that is its own."""
    title, *lines = filter(None, _WORDS[resource["resourceType"]](resource))
    language = f' lang="{escape(resource["language"])}"' if "language" in resource else ""
    said = "".join(f"<li>{plain(line)}</li>" for line in lines)
    listed = f"<ul>{said}</ul>" if said else ""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"{language}><p>{plain(title)}</p>{listed}</div>'
    head = {name: resource[name] for name in ("resourceType", "id", "language") if name in resource}
    return head | {"text": {"status": "generated", "div": div}} | resource


def plain(words: str) -> str:
    """Words as text of XHTML; what no document of XML can have is replaced."""
    return escape(_NO_XML.sub("\ufffd", words))


def _care_plan(plan: Json) -> Iterator[str]:
    yield plan["title"]
    yield plan["description"]
    yield from (note["text"] for note in plan.get("note", ()))


def _request_group(group: Json) -> Iterator[str]:
    actions = group.get("action", ())
    yield "What the draft plan proposes, for a clinician to decide:" if actions else "The draft plan proposes nothing."
    yield from (f"{action['title']}{_URGENCY.get(action['priority'], '')}" for action in actions)


def _task(task: Json) -> Iterator[str]:
    yield f"Proposed task: {task['description']}"
    yield from (f"For: {performer['text']}" for performer in task.get("performerType", ()))


def _detected_issue(issue: Json) -> Iterator[str]:
    yield issue["code"]["text"]
    yield issue["detail"]


def _communication_request(request: Json) -> Iterator[str]:
    (first, *more) = (part["contentString"] for part in request["payload"])
    yield first
    yield from more


def _goal(goal: Json) -> Iterator[str]:
    yield f"Proposed goal: {goal['description']['text']}"
    yield from (target["detailString"] for target in goal["target"])


def _medication_request(request: Json) -> Iterator[str]:
    routes = ", ".join(coding["display"] for dosage in request["dosageInstruction"] for coding in dosage["route"]["coding"])
    yield f"Proposed route of {request['medicationCodeableConcept']['text']}, without a dose: {routes}"


def _guidance_response(response: Json) -> Iterator[str]:
    if response["status"] == "data-required":
        yield "Questions that are still open:"
        yield from (note["text"] for note in response["note"])
    else:
        yield "What was sent and not considered is in the OperationOutcome, each entry with its reason."


def _operation_outcome(outcome: Json) -> Iterator[str]:
    yield "What was found:"
    for issue in outcome["issue"]:
        place = f" ({issue['diagnostics']})" if "diagnostics" in issue else ""
        yield f"{issue['details']['text']}{place}"


def _questionnaire(form: Json) -> Iterator[str]:
    yield form["title"]
    yield from (item["text"] for item in form["item"])


_WORDS: Mapping[str, Callable[[Json], Iterator[str]]] = {
    "CarePlan": _care_plan,
    "RequestGroup": _request_group,
    "Task": _task,
    "DetectedIssue": _detected_issue,
    "CommunicationRequest": _communication_request,
    "Goal": _goal,
    "ServiceRequest": lambda request: iter([f"Proposed: {request['code']['text']}"]),
    "MedicationRequest": _medication_request,
    "GuidanceResponse": _guidance_response,
    "OperationOutcome": _operation_outcome,
    "CapabilityStatement": lambda one: iter([one["implementation"]["description"], one["rest"][0]["documentation"]]),
    "PlanDefinition": lambda one: iter([one["title"], one["description"], f"{len(one['action'])} rules"]),
    "Questionnaire": _questionnaire,
}
"""For each type that is written its first line, and what stands in a list below it."""
