"""What differs between two plans, so that people and programs can act on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from careplan.explain.item_phrases import LABELS, phrases_of, phrases_of_text, turned
from careplan.explain.layers_apart import layers_apart
from careplan.plan.entry_labels import illness_words
from careplan.plan.medicine_model import MedicineRead
from careplan.plan.model import CarePlan, Item, NotConsidered, Question, items_of
from careplan.rulebook.model import LEVELS, Level, Section


def question_of(question: Question, plan: CarePlan) -> str:
    """A question, with the medicine that it is about."""
    kind, _, rest = question.pointer.strip("/").partition("/")
    index, _, field = rest.partition("/")
    if kind != "medications" or not field:
        return question.question
    read = next((one for one in plan.medications if one.index == int(index)), None)
    name = read.recognized_as if read else None
    return f"{question.question} [{name or f'medicine {int(index) + 1}'}]"


def medicine_of(read: MedicineRead | None) -> str:
    """How an entry of the medicines was understood."""
    if read is None:
        return "not in the list"
    parts = [read.recognized_as or ("known" if read.recognition == "known" else "not recognized"), *read.classes]
    parts += [read.problem.replace("_", " ")] if read.problem else []
    parts += [f"near names {', '.join(read.suggestions)}"] if read.suggestions else []
    return ", ".join(parts)


def unconsidered(entry: NotConsidered) -> str:
    """What was sent and not considered, and why."""
    return f"{entry.what} ({entry.pointer}): {entry.why}"


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
    """From one plan to another. `in_words` says all of it for people, the most serious first; nothing if both are the same.

    `texts` are the crisis line, the disclaimer and other texts of the plan as a whole, `medicines` and `illnesses` how
    entries were understood, by JSON Pointer. `order` names what stands in another order or in other places.
    """

    same: bool
    status: Turn
    added: list[ItemRef] = []
    removed: list[ItemRef] = []
    changed: list[ItemChange] = []
    decisions: dict[str, Turn] = {}
    questions_added: list[str] = []
    questions_removed: list[str] = []
    questions_changed: list[str] = []
    not_considered_added: list[str] = []
    not_considered_removed: list[str] = []
    medicines: dict[str, Turn] = {}
    illnesses: dict[str, Turn] = {}
    texts: dict[str, Turn] = {}
    order: list[str] = []
    in_words: list[str] = []


def difference(before: CarePlan, after: CarePlan) -> Difference:
    """Every difference that a reader of the two plans could see, but for the name of the rulebook."""
    # A plan that was recorded before plans had words for their levels is no different for that.
    before = msgspec.structs.replace(before, level_words=before.level_words or after.level_words)
    if msgspec.structs.replace(before, rulebook=after.rulebook) == after:
        return Difference(same=True, status=Turn(before=before.status, after=after.status))
    old, new = _items(before), _items(after)
    asked_before = {question.pointer: question for question in before.information_needed}
    asked_after = {question.pointer: question for question in after.information_needed}
    silent_before, silent_after = (list(map(unconsidered, plan.not_considered)) for plan in (before, after))
    read_before, read_after = ({f"/medications/{one.index}": one for one in plan.medications} for plan in (before, after))
    found = Difference(
        same=False,
        status=Turn(before=before.status, after=after.status),
        added=[_ref(item) for name, item in new.items() if name not in old],
        removed=[_ref(item) for name, item in old.items() if name not in new],
        changed=[
            ItemChange(item=_ref(item), fields=_fields(old[name], item))
            for name, item in new.items()
            if name in old and old[name] != item
        ],
        decisions=_turns(_choices(before), _choices(after), none="none"),
        questions_added=sorted(asked_after.keys() - asked_before.keys()),
        questions_removed=sorted(asked_before.keys() - asked_after.keys()),
        questions_changed=sorted(
            pointer for pointer, question in asked_after.items() if asked_before.get(pointer, question) != question
        ),
        not_considered_added=[one for one in silent_after if one not in silent_before],
        not_considered_removed=[one for one in silent_before if one not in silent_after],
        medicines={
            pointer: Turn(before=medicine_of(read_before.get(pointer)), after=medicine_of(read_after.get(pointer)))
            for pointer in dict.fromkeys([*read_before, *read_after])
            if read_before.get(pointer) != read_after.get(pointer)
        },
        illnesses=_illnesses(before, after),
        texts=_turns(_texts(before), _texts(after)),
        order=_order(before, after),
    )
    words = list(_words(found, before, after))
    return msgspec.structs.replace(found, in_words=words or [layers_apart(before, after)])


def _illnesses(before: CarePlan, after: CarePlan) -> dict[str, Turn]:
    old, new = ({f"/other_conditions/{one.index}": one for one in plan.conditions} for plan in (before, after))
    return {
        at: Turn(before=illness_words(old[at]) if at in old else "", after=illness_words(new[at]) if at in new else "")
        for at in dict.fromkeys([*old, *new])
        if old.get(at) != new.get(at)
    }


def _items(plan: CarePlan) -> dict[str, Item]:
    return {item.id: item for item in items_of(plan)}


def _ref(item: Item) -> ItemRef:
    return ItemRef(
        id=item.id,
        rule=item.rule.id,
        level=item.level,
        section=item.placed_in,
        title=item.title,
        about=[entry.pointer for entry in item.about],
    )


def _fields(old: Item, new: Item) -> dict[str, Turn]:
    before, after = msgspec.to_builtins(old), msgspec.to_builtins(new)
    found = {
        name: Turn(before=_text(before.get(name)), after=_text(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }
    if "evidence" in found:  # which says the works as well
        found.pop("sources", None)
    return found


def _text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(value)
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def _turns(old: Mapping[str, str], new: Mapping[str, str], none: str = "") -> dict[str, Turn]:
    turns = {name: Turn(before=old.get(name, none), after=new.get(name, none)) for name in dict.fromkeys([*old, *new])}
    return {name: turn for name, turn in turns.items() if turn.before != turn.after}


def _texts(plan: CarePlan) -> dict[str, str]:
    """The texts of a plan that belong to none of its items."""
    review = "yes" if plan.requires_clinician_review else "no"
    texts = {"crisis": plan.crisis, "disclaimer": plan.disclaimer, "requires_clinician_review": review}
    texts |= {f"levels/{level}": words for level, words in plan.level_words.items()}
    for section in plan.sections:
        texts |= {f"sections/{section.section}": section.title, f"sections/{section.section}/patient": section.patient_title}
    return texts | ({"explanation": msgspec.json.encode(plan.explanation).decode()} if plan.explanation else {})


def _order(before: CarePlan, after: CarePlan) -> list[str]:
    """What stands in another order, or elsewhere, or more than once, among what both plans have."""
    return [name for name, old, new in zip(_PLACED, _places(before), _places(after), strict=True) if _misplaced(old, new)]


_PLACED = ("items", "sections", "questions", "what was not considered", "medicines", "decisions")


def _places(plan: CarePlan) -> Iterator[list[tuple[str, str]]]:
    """For each of `_PLACED` what there is, with its place."""
    yield [
        *((item.id, "alerts") for item in plan.alerts),
        *((item.id, section.section) for section in plan.sections for item in section.items),
    ]
    yield [(section.section, "") for section in plan.sections]
    yield [(question.pointer, "") for question in plan.information_needed]
    yield [(unconsidered(entry), "") for entry in plan.not_considered]
    yield [(str(read.index), "") for read in plan.medications]
    yield [(made.subject, made.item) for made in plan.decisions]


def _misplaced(old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> bool:
    both = {name for name, _ in old} & {name for name, _ in new}
    return [one for one in old if one[0] in both] != [one for one in new if one[0] in both]


def _choices(plan: CarePlan) -> dict[str, str]:
    return {made.subject: made.choice for made in plan.decisions}


def _words(differs: Difference, before: CarePlan, after: CarePlan) -> Iterator[str]:
    levels = after.level_words
    if differs.status.before != differs.status.after:
        yield f"Status: {differs.status.before} becomes {differs.status.after}."
    for subject, turn in differs.decisions.items():
        yield f"Recommended {subject}: {turn.before.replace('_', ' ')} becomes {turn.after.replace('_', ' ')}."
    for name, turn in differs.texts.items():
        label = _label(name)
        # An explanation says why a plan is as it is; as a whole it is too long to be read here.
        said = "not the same" if name == "explanation" else turned(phrases_of_text(turn.before), phrases_of_text(turn.after))
        yield f"{label}: {said}."
    for item in sorted(differs.added, key=_seriousness):
        yield f"New [{levels[item.level]}] {item.title}"
    for item in sorted(differs.removed, key=_seriousness):
        yield f"Gone [{levels[item.level]}] {item.title}"
    yield from _changes(differs, before, after)
    for pointer, turn in differs.medicines.items():
        yield f"Medicine {int(pointer.rpartition('/')[2]) + 1} as understood: {turn.before}; now {turn.after}"
    for turn in differs.illnesses.values():
        yield f"Illness as understood: {turn.before or 'not in the list'}; now {turn.after or 'not in the list'}"
    yield from _questions(differs, before, after)
    for entry in differs.not_considered_added:
        yield f"Now sent, but not considered: {entry}"
    for entry in differs.not_considered_removed:
        yield f"No longer among what was not considered: {entry}"
    for name in differs.order:
        yield f"In another order or place: {name}."


def _changes(differs: Difference, before: CarePlan, after: CarePlan) -> Iterator[str]:
    """What is said otherwise in items that both plans have, the most serious first."""
    levels = after.level_words
    old, new = _items(before), _items(after)
    for change in sorted(differs.changed, key=lambda change: _seriousness(change.item)):
        for field in change.fields:
            label = LABELS.get(field, field.replace("_", " "))
            said = turned(phrases_of(old[change.item.id], field), phrases_of(new[change.item.id], field))
            yield f"Changed [{levels[change.item.level]}] {change.item.title}: {label}: {said}"


def _questions(differs: Difference, before: CarePlan, after: CarePlan) -> Iterator[str]:
    old = {question.pointer: question for question in before.information_needed}
    new = {question.pointer: question for question in after.information_needed}
    for pointer in differs.questions_added:
        yield f"Now also asked: {question_of(new[pointer], after)}"
    for pointer in differs.questions_removed:
        yield f"No longer asked: {question_of(old[pointer], before)}"
    weighed = 0
    for pointer in differs.questions_changed:
        if msgspec.structs.replace(old[pointer], could_change=[]) == msgspec.structs.replace(new[pointer], could_change=[]):
            weighed += 1
        else:
            yield f"Asked otherwise: {question_of(old[pointer], before)} Now: {question_of(new[pointer], after)}"
    if weighed:
        yield f"{weighed} {'question' if weighed == 1 else 'questions'} could change other parts of the plan than before."


def _seriousness(item: ItemRef) -> int:
    return LEVELS.index(item.level)


_TEXTS = {
    "crisis": "The crisis line",
    "disclaimer": "The disclaimer",
    "requires_clinician_review": "Whether a clinician must review the plan",
    "explanation": "The explanation",
}


def _label(text: str) -> str:
    kind, _, name = text.partition("/")
    return f"The words for the level {name}" if kind == "levels" else _TEXTS.get(text, f"The title of {name}")
