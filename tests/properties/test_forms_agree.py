"""Every form of a plan says the same: which rules, how grave, who is asked and by when. One that does not is caught."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader

from careplan.authoring.realistic_patients import realistic
from careplan.fhir.cds_hooks.cards import Cards
from careplan.fhir.read.bundle import FromFhir
from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner
from careplan.representations import BY_NAME, Wanted
from careplan.request.patient import Patient
from tests.shipped import BOOK

Said = set[tuple[str, ...]]
"""Of each item the rule, the level in words, and of each thing that it asks who and by when."""

RULE = re.compile(r"Rule ([a-z0-9-]+) v\d+ \((?:trial|active)\)")
BODIES = list(realistic(BOOK, 12, seed=3))


def spaced(token: str) -> str:
    return token.replace("_", " ")


def wanted(plan: CarePlan) -> Said:
    """What the plan itself says, without the standing protocol."""
    found: Said = set()
    for item in items_of(plan):
        if item.scope != "standing":
            found.add((item.rule.id, plan.level_words[item.level]))
            found |= {(item.rule.id, spaced(ask.who), ask.by_words or plan.by_words[ask.by]) for ask in item.asks}
    return found


def in_json(content: bytes, _: CarePlan) -> Said:
    body = msgspec.json.decode(content)
    return wanted(msgspec.convert(body, CarePlan))


class Articles(HTMLParser):
    """The items of a page: the class of each, its emphasized words, and all its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self.found.append({"lines": [], "text": ""})
        if self.found and tag == "li" and "article" in self.inside:
            self.found[-1]["lines"].append("")
        if tag not in ("br", "meta", "link"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "article" in self.inside:
            self.found[-1]["text"] += data
            if "li" in self.inside:
                self.found[-1]["lines"][-1] += data


def in_page(content: bytes, plan: CarePlan) -> Said:
    found: Said = set()
    for one in Articles(content.decode()).found:
        text = " ".join(one["text"].split())
        (rule,) = RULE.findall(text)
        (level,) = [words for words in plan.level_words.values() if text.startswith(words.capitalize())]
        found.add((rule, level))
        found |= {(rule, *asked(" ".join(line.split()))) for line in one["lines"]}
    return found


def asked(line: str) -> tuple[str, str]:
    """Who and by when, of "clinic, before each session: ask"."""
    who, _, rest = line.partition(", ")
    return who, rest.partition(":")[0]


def in_markdown(content: bytes, plan: CarePlan) -> Said:
    found: Said = set()
    for part in re.split(r"^###+ ", content.decode(), flags=re.MULTILINE)[1:]:
        rules = RULE.findall(part.replace("\\", ""))
        if not rules:
            continue
        (level,) = [words for words in plan.level_words.values() if f"{words.capitalize()}.*" in part]
        found.add((rules[0], level))
        found |= {(rules[0], who, by) for who, by in re.findall(r"^- \*\*([^*]+)\*\*, ([^:]+): ", part, flags=re.MULTILINE)}
    return found


def in_pdf(content: bytes, _: CarePlan) -> Said:
    """Rules alone with their levels: on paper lines break anywhere."""
    text = " ".join("".join(sheet.extract_text() + " " for sheet in PdfReader(io.BytesIO(content)).pages).split())
    return {(rule,) for rule in re.findall(r"Rule ([a-z0-9 -]+?) v\d+ \((?:trial|active)\)", text)}


def in_fhir(content: bytes, plan: CarePlan) -> Said:
    bundle = msgspec.json.decode(content)
    found: Said = set()
    resources = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    standing = set(plan.standing.items)
    words = {item.id: item for item in items_of(plan)}
    for group in (one for one in resources.values() if one["resourceType"] == "RequestGroup"):
        for action, item in zip(group.get("action", ()), words.values(), strict=True):
            if item.id in standing:
                continue
            rule = action["code"][0]["coding"][0]["code"]
            (level,) = [one["valueCode"] for one in action["extension"] if one["url"].endswith("level")]
            found.add((rule, plan.level_words[level]))
            behind = [action, *action.get("action", ())]
            for part in behind:
                resource = resources.get(part.get("resource", {}).get("reference"), {})
                if resource.get("resourceType") == "Task":
                    found |= {(rule, spaced(one["text"])) for one in resource.get("performerType", ())}
    return found


READERS: Mapping[str, Callable[[bytes, CarePlan], Said]] = {
    "json": in_json,
    "html": in_page,
    "markdown": in_markdown,
    "pdf": in_pdf,
    "fhir": in_fhir,
}


def agrees(form: str, content: bytes, plan: CarePlan) -> bool:
    """Whether a form says what the plan says, as far as the form can be read."""
    whole, said = wanted(plan), READERS[form](content, plan)
    if form == "pdf":
        return {rule.replace(" ", "") for (rule,) in said} == {one[0] for one in whole}
    if form == "fhir":
        levels = {one for one in whole if len(one) == 2}
        who = {(rule, by) for rule, by, *rest in whole if rest}
        return levels <= said and who <= said and {one[0] for one in said} == {one[0] for one in whole}
    return said == whole


def written(form: str, plan: CarePlan, patient: Patient) -> bytes:
    return BY_NAME[form].written(plan, Wanted(patient=patient))


@pytest.mark.parametrize("form", READERS)
def test_every_form_says_what_the_plan_says(planner: Planner, form: str) -> None:
    for body in BODIES[: 3 if form == "pdf" else None]:
        patient = planner.intake.convert(body)
        plan = planner.plan(patient)
        assert agrees(form, written(form, plan, patient), plan)


def test_the_cards_of_cds_hooks_name_every_decision(planner: Planner) -> None:
    for body in BODIES:
        patient = planner.intake.convert(body)
        plan = planner.plan(patient)
        read = FromFhir(patient=patient, unmapped=[], sources={}, origins={}, subject=None)
        cards = Cards(BOOK.about, BOOK.rules, {}).of(plan, read, "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")
        told = html.unescape(" ".join(card["detail"] for card in cards)).replace("\\", "")
        for item in items_of(plan):
            if item.level in ("stop", "hold"):
                assert f"Rule {item.rule.id} v{item.rule.version}" in told
        assert all(row.line in told for row in plan.front.decisions)


def less(item: Item) -> Item:
    return msgspec.structs.replace(item, asks=item.asks[1:])


def graver(item: Item) -> Item:
    return msgspec.structs.replace(item, level="stop" if item.level != "stop" else "note")


def somebody_else(item: Item) -> Item:
    (first, *rest) = item.asks
    return msgspec.structs.replace(
        item, asks=[msgspec.structs.replace(first, who="supporter" if first.who != "supporter" else "clinic"), *rest]
    )


def later(item: Item) -> Item:
    (first, *rest) = item.asks
    return msgspec.structs.replace(item, asks=[msgspec.structs.replace(first, by="when_ready", by_words="some day"), *rest])


FAULTS: Mapping[str, Callable[[Item], Item] | None] = {
    "an item is missing": None,
    "another level": graver,
    "another person": somebody_else,
    "another time": later,
    "a task is missing": less,
}


CAUGHT = [(form, fault) for form in ("json", "html", "markdown") for fault in FAULTS]
CAUGHT += [("fhir", fault) for fault in FAULTS if fault != "another time"] + [("pdf", "an item is missing")]
"""A PDF is compared by its rules alone, and FHIR, which has times of its own, by rules, levels and people."""


@pytest.mark.parametrize(("form", "fault"), CAUGHT)
def test_a_form_that_says_something_else_is_caught(planner: Planner, form: str, fault: str) -> None:
    """What a faulty writer would make stands for it: the form of a plan in which one item was changed."""
    patient = planner.intake.convert(BODIES[0])
    plan = planner.plan(patient)
    at, section = next(
        (at, section)
        for at, section in enumerate(plan.sections)
        if any(one.asks and one.scope != "standing" and alone(one, plan) for one in section.items)
    )
    item = next(one for one in section.items if one.asks and one.scope != "standing" and alone(one, plan))
    change = FAULTS[fault]
    items = [one if one is not item else change(one) if change else None for one in section.items]
    sections = [*plan.sections]
    sections[at] = msgspec.structs.replace(section, items=[one for one in items if one is not None])
    faulty = written(form, msgspec.structs.replace(plan, sections=sections), patient)
    try:
        same = agrees(form, faulty, plan)
    except ValueError:  # a form that cannot be read as that of this plan
        same = False
    assert not same


def alone(item: Item, plan: CarePlan) -> bool:
    """Whether no other item is of the same rule, and all that it asks is asked of different people at different times."""
    same = [one for one in items_of(plan) if one.rule.id == item.rule.id]
    return len(same) == 1 and len({ask.who for ask in item.asks}) == len(item.asks)
