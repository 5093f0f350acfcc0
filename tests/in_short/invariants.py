"""What each invariant refuses: rulebooks without one of its rules, or with it at a lower level, each shown by an example."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, NamedTuple, get_args

import msgspec

from careplan.authoring.proof.invariants import Invariant, Selector, read_invariant
from careplan.authoring.rule_examples import holds
from careplan.facts.case import Fact
from careplan.inference.derived import CaseMaker
from careplan.request.decode import Intake
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.load import INVARIANTS
from careplan.rulebook.model import LEVELS, SECTIONS, Level, Rule, Rulebook, Who
from careplan.rulebook.text_template import Text
from careplan.rulebook.yaml_and_csv import Document
from tests.in_short.edition import Edition

Facts = Sequence[Fact]
MOST_NAMED = 12
GRAVE = ("stop", "hold")


class Example(NamedTuple):
    """A patient for whom a rule fires, as facts."""

    rule: str
    place: int
    facts: Facts


class Refusals(NamedTuple):
    """What an invariant refuses. `spoken_of` are the examples it is about, by rule and place.

    `levels` are those at which it takes each rule that it selects; `missed` are rules without which an example breaks it.
    `takes` has what else of a rule it looks at, and with which values it takes one of its rules.
    """

    spoken_of: frozenset[tuple[str, int]]
    levels: Mapping[str, tuple[Level, ...]]
    missed: frozenset[str]
    takes: Mapping[str, frozenset[str]]

    def held(self, book: Rulebook) -> Iterator[str]:
        """The rules that can be neither left out nor lowered by a level without a break."""
        for name in self.missed:
            lower = LEVELS[LEVELS.index(book.rules[name].file.level) + 1 :]
            if self.levels[name] and not set(lower) & set(self.levels[name]):
                yield name


class Refusing:
    """Says what invariants refuse, by the examples of all rules."""

    def __init__(self, book: Rulebook, all_of_them: Collection[tuple[Invariant, Selector]]) -> None:
        self.book = book
        self._whos = [one.who for one, _ in all_of_them]
        self._words = sorted({word for _, selector in all_of_them for word in selector.says})
        self._fires: dict[tuple[str, str, int], bool] = {}
        self._made: dict[tuple[str, int], Example] = {}

    @cached_property
    def examples(self) -> list[Example]:
        """Every example for which a stop or hold fires, and the first of every other rule."""
        return [
            self.example(rule.id, at, one.patient)
            for rule in self.book.in_order()
            for at, one in enumerate(rule.file.examples.fires[: None if rule.file.level in GRAVE else 1])
        ]

    def silent(self, rules: Iterable[Rule]) -> Iterator[Example]:
        """The examples for which these rules are silent."""
        for rule in rules:
            for at, one in enumerate(rule.file.examples.silent):
                yield self.example(rule.id, -1 - at, one.patient)

    @cached_property
    def _makers(self) -> tuple[Intake, CaseMaker]:
        return Intake(self.book.conditions, self.book.classes, self.book.forms), CaseMaker(self.book, self._whos)

    def example(self, rule: str, place: int, patient: Mapping[str, Any]) -> Example:
        """A patient as facts."""
        key = rule, place
        if key not in self._made:
            intake, maker = self._makers
            self._made[key] = Example(*key, maker.case(intake.decode(msgspec.json.encode(patient))).facts)
        return self._made[key]

    def of(self, invariant: Invariant, selector: Selector, among: Iterable[Example] | None = None) -> Refusals:
        """What an invariant refuses; `among` some examples only."""
        spoken_of = [one for one in (self.examples if among is None else among) if holds(invariant.who, one.facts)]
        chosen = {rule.id: rule for rule in invariant.rules}
        missed = {one.rule for one in spoken_of if one.rule in chosen and self._is_alone(one, chosen.values())}
        return Refusals(
            frozenset((one.rule, one.place) for one in spoken_of),
            {rule.id: tuple(level for level in LEVELS if selector.takes(_at(rule, level))) for rule in invariant.rules},
            frozenset(missed) if invariant.demand in ("some_item", "one_item") else frozenset(),
            dict(self._taken(invariant, selector)),
        )

    def _taken(self, invariant: Invariant, selector: Selector) -> Iterator[tuple[str, frozenset[str]]]:
        """With what else of a rule one of the selected is taken; only what the invariant looks at."""
        ways: tuple[tuple[str, Iterable[str], Callable[[Rule, Any], Rule]], ...] = (
            ("section", SECTIONS, _in),
            ("fills", self._places, _filling),
            ("asks", get_args(Who), _asking),
            ("says", self._words, _without),
        )
        for field, values, changed in ways:
            looks = getattr(selector, field)
            rules = invariant.rules if looks else ()
            yield field, frozenset(one for one in values if any(selector.takes(changed(rule, one)) for rule in rules))

    @cached_property
    def _places(self) -> frozenset[str]:
        return frozenset(name for rule in self.book.rules.values() for name in (*rule.patient.names, *rule.clinician.names))

    def _is_alone(self, example: Example, chosen: Iterable[Rule]) -> bool:
        """Whether none of the other rules that would do fires for the example."""
        return not any(self._fires_for(rule, example) for rule in chosen if rule.id != example.rule)

    def _fires_for(self, rule: Rule, example: Example) -> bool:
        key = rule.id, example.rule, example.place
        if key not in self._fires:
            self._fires[key] = holds(rule.when, example.facts)
        return self._fires[key]


def _at(rule: Rule, level: Level) -> Rule:
    return msgspec.structs.replace(rule, file=msgspec.structs.replace(rule.file, level=level))


def _in(rule: Rule, section: Any) -> Rule:
    return msgspec.structs.replace(rule, section=section)


def _filling(rule: Rule, name: str) -> Rule:
    only, nothing = Text((("", name),)), Text(())
    return msgspec.structs.replace(rule, patient=only, clinician=only, title=nothing)


def _asking(rule: Rule, who: Any) -> Rule:
    asks = tuple(msgspec.structs.replace(one, who=who) for one in rule.file.then.asks[:1])
    then = msgspec.structs.replace(rule.file.then, asks=asks)
    return msgspec.structs.replace(rule, file=msgspec.structs.replace(rule.file, then=then))


def _without(rule: Rule, word: str) -> Rule:
    then = rule.file.then
    texts = {name: getattr(then, name).lower().replace(word.lower(), "") for name in ("patient", "clinician")}
    return msgspec.structs.replace(
        rule, file=msgspec.structs.replace(rule.file, then=msgspec.structs.replace(then, **texts))
    )


def selector_of(data: Any) -> Selector:
    """What an invariant as written selects."""
    ((_, wanted),) = data["must"].items()
    return msgspec.convert(wanted, Selector)


def invariant_of(data: Any, book: Rulebook) -> Invariant | None:
    """An invariant as written; None for one that says nothing of this rulebook."""
    document = Document(PurePosixPath(INVARIANTS, f"{data['id']}.yaml"), json.dumps(data))
    return read_invariant(document, data["id"], book)


def read(edition: Edition) -> dict[str, tuple[Invariant, Selector]]:
    """The invariants of a rulebook, with what each selects."""
    found = {}
    for name, data in written(edition).items():
        one = invariant_of(data, edition.book)
        assert one is not None, name
        found[name] = one, selector_of(data)
    return found


def written(edition: Edition) -> dict[str, Any]:
    """All invariants as they are written, by their ids."""
    names = sorted(str(path) for path in edition.files if path.parts[0] == INVARIANTS and path.suffix == ".yaml")
    return {(data := edition.data(name))["id"]: data for name in names}


def weakened(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """An invariant as written without one part each: a value of a list, an alternative, a test, a demand."""
    inside: Any = data
    for step in at:
        inside = inside[step]
    here = (("who",), ("must",)) if not at else tuple((key,) for key in _places_in(inside))
    for (key,) in here:
        yield from weakened(data, (*at, key))
    if len(at) > 1 and isinstance(inside, (list, dict)) and len(inside) > 1:
        for key in _places_in(inside):
            changed = copy.deepcopy(data)
            holder = changed
            for step in at:
                holder = holder[step]
            del holder[key]
            name = key if isinstance(inside, dict) else inside[key]
            yield f"{'.'.join(map(str, at))} without {name}", changed


def _places_in(data: Any) -> Sequence[Any]:
    return list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()


def invariants_in_short(now: Edition, refused_by: Callable[[str], Refusals]) -> Iterator[str]:
    """The invariants of a rulebook, in words, with what they refuse."""
    prose = Prose(now.book)
    yield "# Invariants in short: for whom, what must be so, and which changes are refused\n"
    yield "An example of a rule is spoken of where the invariant is about its patient. “Not without” are rules whose loss"
    yield "breaks the invariant for an example; behind each are the levels that it may have."
    for name, (one, selector) in read(now).items():
        refused = refused_by(name)
        yield f"\n## {name}: {one.title}\n"
        yield f"- {prose.when(one.who)}"
        yield f"- must be: {one.demand.replace('_', ' ')}: {_in_words(selector)}"
        rules = len({rule for rule, _ in refused.spoken_of})
        yield f"- spoken of: {len(refused.spoken_of)} examples of {rules} rules; {len(one.rules)} rules are selected"
        if one.demand not in ("some_item", "one_item") or len(one.rules) <= MOST_NAMED:
            yield f"- selected: {', '.join(_told(refused.levels, sorted(refused.levels)))}"
        if refused.missed:
            yield f"- not without: {', '.join(_told(refused.levels, sorted(refused.missed)))}"


def _told(levels: Mapping[str, tuple[Level, ...]], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield name if len(levels[name]) == len(LEVELS) else f"{name} ({' or '.join(levels[name])})"


def _in_words(selector: Selector) -> str:
    fields = msgspec.structs.asdict(selector)
    return "; ".join(f"{name} {' or '.join(values)}" for name, values in fields.items() if values)
