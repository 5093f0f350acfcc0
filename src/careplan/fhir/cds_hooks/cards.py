"""A plan as the cards of CDS Hooks 2.0: what a clinician should see now, each line that matters a card of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from careplan.fhir.cds_hooks.front_card import INDICATORS, Front, detail, marked, shortened, summary
from careplan.fhir.cds_hooks.services import SERVICE
from careplan.fhir.read.bundle import FromFhir
from careplan.fhir.read.terminology import OWN
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.plan.entry_labels import question_words
from careplan.plan.model import CarePlan, Item, Question, items_of
from careplan.plan.visit import in_order
from careplan.request.patient import ListName, Patient
from careplan.rulebook.conditions import names_unread_entries
from careplan.rulebook.model import LEVELS, Rule
from careplan.rulebook.rulebook_file import RulebookFile
from careplan.rulebook.text_template import counted, spaced

Json = dict[str, Any]

BEFORE_TREATMENT = frozenset({"screening", "medications", "route"})
"""The sections that a clinician has to know who orders the treatment."""


class Cards:
    """Makes the cards of one rulebook; with the service's public address they lead to the rules behind them.

    `reasons` are those offered for setting a card aside, by their codes.
    """

    def __init__(
        self, about: RulebookFile, rules: Mapping[str, Rule], reasons: Mapping[str, str], address: str = ""
    ) -> None:
        self._about = about
        self._rules = rules
        self._reasons = reasons
        self._address = address.rstrip("/")
        self._writer = FhirWriter()

    def of(
        self,
        plan: CarePlan,
        read: FromFhir,
        hook_instance: str,
        *,
        ordering: bool = False,
        missing: Sequence[ListName] = (),
    ) -> list[Json]:
        """The cards of a plan: its front page, then what has a card of its own, the gravest first, then all the rest.

        While orders are made, those that have to do with the orders. `missing` are the lists that were not sent.
        """
        items = items_of(plan)
        shown = [item for item in items if (_concerns(item, read) if ordering else self._has_a_card(item))]
        shown.sort(key=lambda item: LEVELS.index(item.level))
        asked = plan.information_needed if read.treats or not ordering else []
        front = Front(shown, missing, in_order([one for one in asked if one.first]), whole=not ordering)
        tasks = self._tasks(plan, read)
        titles = {work.id: work.title for work in plan.sources}
        tells = shown or asked or missing or not ordering
        cards = [self._front(front, plan, read.patient, hook_instance)] if tells else []
        cards += [self._card(item, hook_instance, tasks.get(item.id, []), titles) for item in shown]
        rest = [] if ordering else [item for item in items if item not in shown]
        further = in_order([one for one in asked if not one.first])
        if not rest and not further and not plan.not_considered:
            return cards
        return [*cards, self._rest(plan, read.patient, rest, further, hook_instance)]

    def _front(self, front: Front, plan: CarePlan, patient: Patient, hook_instance: str) -> Json:
        card: Json = {
            "uuid": card_uuid(hook_instance, SERVICE, "front"),
            "summary": summary(front),
            "detail": detail(front, plan, patient),
            "indicator": front.indicator,
            "source": self._source(None),
        }
        return card | self._links("The rulebook", "/rulebook")

    def _has_a_card(self, item: Item) -> bool:
        """A stop, a hold, and the line that names what could not be read, since it may hide one."""
        rule = self._rules[item.rule.id]
        return item.level in ("stop", "hold") or names_unread_entries(rule.when)

    def of_the_deceased(self, hook_instance: str) -> list[Json]:
        """The one card that says why there are no others."""
        card: Json = {
            "uuid": card_uuid(hook_instance, SERVICE, "deceased"),
            "summary": "No draft care plan: the record says that this patient has died",
            "indicator": "info",
            "source": self._source(None),
        }
        return [card]

    def _card(self, item: Item, hook_instance: str, tasks: list[Json], titles: Mapping[str, str]) -> Json:
        card: Json = {
            "uuid": card_uuid(hook_instance, item.rule.id, item.id),
            "summary": shortened(item.title),
            "detail": _detail(item, titles),
            "indicator": INDICATORS[item.level],
            "source": self._source(item.placed_in),
            "overrideReasons": [
                {"code": code, "system": f"{OWN}override-reasons", "display": display}
                for code, display in self._reasons.items()
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
        return card | self._links("The rule and its sources", f"/rulebook/rules/{item.rule.id}.html")

    def _rest(self, plan: CarePlan, patient: Patient, items: list[Item], asked: list[Question], hook_instance: str) -> Json:
        """One card for everything that can wait until the plan is read as a whole, and for what is not known."""
        lines = [f"- **{marked(plan.level_words[item.level])}** {marked(item.title)}" for item in items]
        lines += [f"- *asked for:* {marked(question_words(question, plan, patient))}" for question in asked]
        lines += [f"- *not considered:* {marked(entry.what)}: {marked(entry.why)}" for entry in plan.not_considered]
        counts = [
            counted(len(items), "further line"),
            counted(len(asked), "further question"),
            f"{counted(len(plan.not_considered), 'entry', 'entries')} not considered",
        ]
        card: Json = {
            "uuid": card_uuid(hook_instance, SERVICE, "rest"),
            "summary": f"The rest of the draft care plan: {', '.join(counts)}",
            "detail": "\n".join([*lines, "", marked(plan.disclaimer)]),
            "indicator": "info",
            "source": self._source(None),
        }
        return card | self._links("The rulebook", "/rulebook")

    def _links(self, label: str, path: str) -> Json:
        """A link to a page of this service, where its address is known."""
        if not self._address:
            return {}
        url = f"{self._address}{path}"
        return {"links": [{"label": label, "url": url, "type": "absolute", "autolaunchable": False}]}

    def _source(self, section: str | None) -> Json:
        source: Json = {"label": f"{self._about.title}, {self._about.version}"}
        if self._address:
            source["url"] = f"{self._address}/rulebook"
        if section:
            display = spaced(section)
            source["topic"] = {"system": f"{OWN}sections", "code": section.replace("_", "-"), "display": display}
        return source

    def _tasks(self, plan: CarePlan, read: FromFhir) -> dict[str, list[Json]]:
        """The tasks of each item as new resources: without an id, which the clinic's own system gives."""
        bundle = self._writer.bundle(plan, read.patient, read)
        by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
        (group,) = (one for one in by_url.values() if one["resourceType"] == "RequestGroup")
        items = items_of(plan)
        found: dict[str, list[Json]] = {}
        for item, action in zip(items, group.get("action", ()), strict=True):
            for part in action.get("action", [action]):
                resource = by_url.get(part.get("resource", {}).get("reference"), {})
                if resource.get("resourceType") == "Task":
                    task = {key: value for key, value in resource.items() if key != "id"}
                    found.setdefault(item.id, []).append(task)
        return found


def _concerns(item: Item, read: FromFhir) -> bool:
    """Whether an item has to do with what is being ordered.

    Every alert has, what is about an ordered medicine, and where the treatment is ordered all that stands in its way.
    """
    if item.level == "stop" or not set(read.ordered).isdisjoint(about.pointer for about in item.about):
        return True
    return read.treats and item.level != "note" and item.section in BEFORE_TREATMENT


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


def _detail(item: Item, titles: Mapping[str, str]) -> str:
    """The card's text in GitHub Flavored Markdown; `titles` are those of its sources by their keys."""
    parts = [marked(item.clinician_text)]
    parts += (
        ["\n".join(f"- **{marked(ask.who)}**, {ask.by_words}: {marked(ask.what)}" for ask in item.asks)] if item.asks else []
    )
    parts += [f"*{marked(one.words[0].upper() + one.words[1:])}.*" for one in item.assumes]
    parts += [f"*Contested:* {marked(item.contested)}"] if item.contested else []
    parts.append(f"*Because:* {marked('; '.join(item.because))}")
    sources = "; ".join(f"{titles[entry.source]}, {entry.place} ({spaced(entry.strength)})" for entry in item.evidence)
    parts.append(f"*Sources:* {marked(sources)}. Rule {item.rule.id} v{item.rule.version} ({item.rule.status}).")
    return "\n\n".join(parts)
