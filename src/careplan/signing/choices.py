"""Whether for every decision of a plan a choice was made, none twice and none that the plan does not ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from careplan.errors import Fault
from careplan.plan.model import CarePlan, items_of
from careplan.rulebook.model import Level, Rulebook
from careplan.rulebook.text_template import in_words
from careplan.signing.model import ChoiceSent

TO_DECIDE: frozenset[Level] = frozenset({"stop", "hold"})


class _Place(NamedTuple):
    """Where on the front page an item stands, and the options that may be chosen for it."""

    pointer: str
    options: tuple[str, ...]


def is_blocked(plan: CarePlan) -> bool:
    """Whether an alert stands in a plan, whatever it says of itself."""
    return plan.status == "blocked" or bool(plan.alerts) or any(item.level == "stop" for item in items_of(plan))


def ids_of(choice: ChoiceSent) -> list[str]:
    """The items that a choice is about."""
    return [*(choice.items or ()), *([choice.item] if choice.item is not None else ())]


def faults_of_choices(plan: CarePlan, choices: Sequence[ChoiceSent], book: Rulebook) -> Iterator[Fault]:
    """What keeps these choices from being those that a plan waits for, with how to mend it. Nothing sent is repeated."""
    levels = {item.id: item.level for item in items_of(plan)}
    places = _places(plan, levels, book)
    decided: dict[str, int] = {}
    for at, choice in enumerate(choices):
        for pointer, id_ in _pointers(at, choice):
            if id_ not in places:
                mend = "is no item of a decision of this record: take it out, or name one of /record/plan/front/decisions"
                yield Fault(pointer=pointer, detail=mend)
                continue
            if id_ in decided:
                where = "in this choice" if decided[id_] == at else f"by /choices/{decided[id_]}"
                yield Fault(pointer=pointer, detail=f"is decided {where} already: leave one of the two")
            decided.setdefault(id_, at)
            place = places[id_]
            if choice.option not in place.options:
                what = "an alert" if levels.get(id_) == "stop" else "a decision"
                detail = f"is no option of {what} such as {place.pointer}: send {_either(place.options)}"
                yield Fault(pointer=f"/choices/{at}/option", detail=detail)
    for id_, place in places.items():
        if levels.get(id_) in TO_DECIDE and id_ not in decided:
            yield Fault(
                pointer=place.pointer, detail=f"is not decided: add a choice for it with the option {_either(place.options)}"
            )
    if any(level in TO_DECIDE and id_ not in places for id_, level in levels.items()):
        detail = "does not have every decision of the plan: ask for the plan anew with explain=record"
        yield Fault(pointer="/record/plan/front/decisions", detail=detail)


def _places(plan: CarePlan, levels: Mapping[str, Level], book: Rulebook) -> dict[str, _Place]:
    """The items behind the decisions of the front page. What can be chosen is what the rulebook in service offers."""
    options = {level: tuple(words.options) for level, words in book.vocabulary.levels.items()}
    places: dict[str, _Place] = {}
    for row, decision in enumerate(plan.front.decisions):
        for at, id_ in enumerate(decision.items):
            # A line of the page has the options of its gravest item, and is ticked as a whole; an alert only has its own.
            offered = options[levels.get(id_, decision.level)]
            offered += () if levels.get(id_) == "stop" else options[decision.level]
            places.setdefault(id_, _Place(f"/record/plan/front/decisions/{row}/items/{at}", tuple(dict.fromkeys(offered))))
    return places


def _pointers(at: int, choice: ChoiceSent) -> Iterator[tuple[str, str]]:
    if choice.item is not None:
        yield f"/choices/{at}/item", choice.item
    for place, id_ in enumerate(choice.items or ()):
        yield f"/choices/{at}/items/{place}", id_


def _either(options: Sequence[str]) -> str:
    return in_words(list(options)).replace(" and ", " or ")
