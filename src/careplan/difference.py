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


class Turn(Part, frozen=True, kw_only=True):
    """A value before and after."""

    before: str
    after: str


class ItemChange(Part, frozen=True, kw_only=True):
    """An item that both plans have, and the fields that differ, each before and after."""

    item: ItemRef
    fields: dict[str, Turn]


class Difference(Part, frozen=True, kw_only=True):
    """From one plan to another. `in_words` says the same for people, one line a difference, the most serious first."""

    same: bool
    status: Turn
    added: list[ItemRef] = []
    removed: list[ItemRef] = []
    changed: list[ItemChange] = []
    decisions: dict[str, Turn] = {}
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
        status=Turn(before=before.status, after=after.status),
        added=added,
        removed=removed,
        changed=changed,
        decisions=decisions,
        questions_added=sorted(asked_after - asked_before),
        questions_removed=sorted(asked_before - asked_after),
    )
    # A plan that was recorded before plans had words for their levels is no different for that.
    words = before.level_words or after.level_words
    same = msgspec.structs.replace(before, rulebook=after.rulebook, level_words=words) == after
    return msgspec.structs.replace(found, same=same, in_words=list(_words(found, after.level_words)))


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


def _fields(old: Item, new: Item) -> dict[str, Turn]:
    before, after = msgspec.to_builtins(old), msgspec.to_builtins(new)
    return {
        name: Turn(before=_text(before.get(name)), after=_text(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }


def _text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(value)
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def _mapped(old: Mapping[str, str], after: CarePlan) -> dict[str, Turn]:
    new: Mapping[str, str] = {made.subject: made.choice for made in after.decisions}
    subjects = sorted({*old, *new})
    turns = {subject: Turn(before=old.get(subject, "none"), after=new.get(subject, "none")) for subject in subjects}
    return {subject: turn for subject, turn in turns.items() if turn.before != turn.after}


def _words(found: Difference, levels: Mapping[str, str]) -> Iterable[str]:
    if found.status.before != found.status.after:
        yield f"Status: {found.status.before} becomes {found.status.after}."
    for subject, turn in found.decisions.items():
        yield f"Recommended {subject}: {turn.before.replace('_', ' ')} becomes {turn.after.replace('_', ' ')}."
    for item in found.added:
        yield f"New [{levels[item.level]}] {item.title}"
    for item in found.removed:
        yield f"Gone [{levels[item.level]}] {item.title}"
    for change in found.changed:
        fields = ", ".join(name.replace("_", " ") for name in change.fields)
        yield f"Changed [{levels[change.item.level]}] {change.item.title}: {fields}"
    for pointer in found.questions_added:
        yield f"Now also asked: {pointer}"
    for pointer in found.questions_removed:
        yield f"No longer asked: {pointer}"
