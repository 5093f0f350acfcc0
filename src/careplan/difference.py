"""What differs between two plans: status, items, choices and questions, so that people and programs can act on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from careplan.plan import CarePlan, Item
from careplan.rulebook.model import Level, Section


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of everything in a difference: what does not apply is left out."""


class ItemRef(Part, frozen=True, kw_only=True):
    """An item in short."""

    id: str
    rule: str
    level: Level
    section: Section
    title: str
    about: list[str] = []


class ItemChange(Part, frozen=True, kw_only=True):
    """An item that both plans have, and the fields that differ, each before and after."""

    item: ItemRef
    fields: dict[str, tuple[str, str]]


class Difference(Part, frozen=True, kw_only=True):
    """From one plan to another. `in_words` says the same for people, one line a difference, the most serious first."""

    same: bool
    status: tuple[str, str]
    added: list[ItemRef] = []
    removed: list[ItemRef] = []
    changed: list[ItemChange] = []
    decisions: dict[str, tuple[str, str]] = {}
    questions_added: list[str] = []
    questions_removed: list[str] = []
    in_words: list[str] = []


def difference(before: CarePlan, after: CarePlan) -> Difference:
    """Every difference that a reader of the two plans could see, but for the name of the rulebook."""
    old, new = _items(before), _items(after)
    added = [_ref(item) for name, item in new.items() if name not in old]
    removed = [_ref(item) for name, item in old.items() if name not in new]
    changed = [
        ItemChange(item=_ref(item), fields=fields)
        for name, item in new.items()
        if name in old and (fields := _fields(old[name], item))
    ]
    decisions = _mapped({made.subject: made.choice for made in before.decisions}, after)
    asked_before = {question.pointer for question in before.information_needed}
    asked_after = {question.pointer for question in after.information_needed}
    found = Difference(
        same=False,
        status=(before.status, after.status),
        added=added,
        removed=removed,
        changed=changed,
        decisions=decisions,
        questions_added=sorted(asked_after - asked_before),
        questions_removed=sorted(asked_before - asked_after),
    )
    same = msgspec.structs.replace(before, rulebook=after.rulebook) == after
    return msgspec.structs.replace(found, same=same, in_words=list(_words(found)))


def items_of(plan: CarePlan) -> Iterable[Item]:
    """Every item of a plan, alerts first."""
    return [*plan.alerts, *(item for section in plan.sections for item in section.items)]


def _items(plan: CarePlan) -> dict[str, Item]:
    return {item.id: item for item in items_of(plan)}


def _ref(item: Item) -> ItemRef:
    return ItemRef(
        id=item.id,
        rule=item.rule.id,
        level=item.level,
        section=item.section,
        title=item.title,
        about=[entry.pointer for entry in item.about],
    )


def _fields(old: Item, new: Item) -> dict[str, tuple[str, str]]:
    before, after = msgspec.to_builtins(old), msgspec.to_builtins(new)
    return {
        name: (_text(before.get(name)), _text(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }


def _text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(value)
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def _mapped(old: Mapping[str, str], after: CarePlan) -> dict[str, tuple[str, str]]:
    new: Mapping[str, str] = {made.subject: made.choice for made in after.decisions}
    subjects = sorted({*old, *new})
    pairs = {subject: (old.get(subject, "none"), new.get(subject, "none")) for subject in subjects}
    return {subject: pair for subject, pair in pairs.items() if pair[0] != pair[1]}


def _words(found: Difference) -> Iterable[str]:
    before, after = found.status
    if before != after:
        yield f"Status: {before} becomes {after}."
    for subject, (old, new) in found.decisions.items():
        yield f"Recommended {subject}: {old.replace('_', ' ')} becomes {new.replace('_', ' ')}."
    for item in found.added:
        yield f"New [{item.level}] {item.title}"
    for item in found.removed:
        yield f"Gone [{item.level}] {item.title}"
    for change in found.changed:
        fields = ", ".join(name.replace("_", " ") for name in change.fields)
        yield f"Changed [{change.item.level}] {change.item.title}: {fields}"
    for pointer in found.questions_added:
        yield f"Now also asked: {pointer}"
    for pointer in found.questions_removed:
        yield f"No longer asked: {pointer}"
