"""Which rules hold for a patient, and which hang on an answer, read from the verdict tables as bit sets.

A group of a rule's conditions is a mask over the atoms of the facts of which a patient has one, and one over those of the
fact of which there can be many. It holds where all bits of the mask match, and is open where each matches or is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from careplan.facts.case import Case, Fact
from careplan.inference.case_logic import answers, not_asked, ruled_out, situation_of
from careplan.inference.clauses import clauses_of, properties_of
from careplan.inference.durable_rules import Finding
from careplan.inference.three_valued import NO_SITUATION, NOTHING, Properties, list_pointer, of_expression
from careplan.inference.verdict_tables import KindTables
from careplan.rulebook.conditions import Expression, Pattern, When
from careplan.rulebook.factors import KINDS

_ALL = ""
"""The subject of a group that is about the patient as a whole."""
Subject = tuple[int, str]
"""The number of a rule, and the id of the fact that it is put to."""


class Mask(NamedTuple):
    """What a group asks of the facts of one space: atoms that must all match, and sets of which one must.

    `atoms` lists all of them by number.
    """

    need: int
    choices: tuple[int, ...]
    atoms: tuple[int, ...]

    def matches(self, bits: int) -> bool:
        """Whether these atoms are enough."""
        need = self.need
        if need & bits != need:
            return False
        return all(choice & bits for choice in self.choices)


class Group(NamedTuple):
    """One group of conditions. `many` is the kind of which there can be many facts, `of_many` what it asks of one."""

    rule: int
    number: int
    kinds: tuple[str, ...]
    single: Mask
    many: str
    of_many: Mask
    pattern: Pattern | None


class State(NamedTuple):
    """What the tables say of one fact, or of all facts of which there is one: bit sets, and what open atoms hang on."""

    matches: int
    open: int
    hangs: dict[int, frozenset[str]]


class Verdicts:
    """The verdicts on all rules for one case."""

    def __init__(self, rules: RuleTables, case: Case, single: State, many: Mapping[str, list[tuple[Fact, State]]]) -> None:
        self._rules = rules
        self._case = case
        self._single = single
        self._many = many

    @cached_property
    def findings(self) -> list[Finding]:
        """Every rule that holds, with the facts behind it, in the order of rules, groups and facts; each once."""
        names = self._rules.names
        matched = self._single.matches
        alone = self._rules.alone
        found = [Finding(names[one.rule], one.number, one.kinds) for one in alone if one.single.matches(matched)]
        for kind, facts in self._many.items():
            for fact, state in facts:
                for group in self._rules.about(fact, kind):
                    if group.of_many.matches(state.matches) and group.single.matches(matched):
                        ids = tuple([fact.id if one == kind else one for one in group.kinds])
                        found.append(Finding(names[group.rule], group.number, ids))
        found.sort()
        return found

    def hanging(self) -> dict[str, set[int]]:
        """By the JSON Pointer of an answer that is missing, the numbers of the rules that hang on it."""
        found = _Hanging()
        missing = not_asked(self._case.patient)
        single = self._single
        for group in self._rules.alone:
            found.note((group.rule, _ALL), _judged(group.single, single))
        for kind in self._rules.by_kind:
            pointer = list_pointer(kind)
            if pointer in missing:
                on_the_list = frozenset({pointer})
                for group in self._rules.of_any(kind, self._case.of_any_medicine):
                    found.note((group.rule, kind), _both(_judged(group.single, single), on_the_list))
                continue
            for fact, state in self._many.get(kind, ()):
                for group in self._rules.about(fact, kind):
                    of_many = _judged(group.of_many, state)
                    if of_many is not None:
                        found.note((group.rule, fact.id), _both(_judged(group.single, single), of_many))
        return found.by_pointer()


class _Hanging:
    """Which rules hold for which subjects, and on which answers the others hang."""

    def __init__(self) -> None:
        self._sure: set[Subject] = set()
        self._open: dict[Subject, set[str]] = {}

    def note(self, subject: Subject, judged: frozenset[str] | None) -> None:
        """Take in what was judged of one group: that it cannot hold, surely holds, or hangs on answers."""
        if judged is None:
            return
        if not judged:
            self._sure.add(subject)
        elif judged is not _HELPLESS:
            self._open.setdefault(subject, set()).update(judged)

    def by_pointer(self) -> dict[str, set[int]]:
        """For each answer the rules that hang on it, of the subjects for which they do not surely hold."""
        found: dict[str, set[int]] = {}
        for subject, pointers in self._open.items():
            if subject not in self._sure:
                for pointer in pointers:
                    found.setdefault(pointer, set()).add(subject[0])
        return found


_HELPLESS = frozenset({"no answer"})
"""What is open for a reason that no answer could mend."""


def _judged(mask: Mask, state: State) -> frozenset[str] | None:
    """The answers on which a mask hangs: none where it surely holds; None where it cannot hold."""
    need, choices = mask.need, mask.choices
    possible = state.matches | state.open
    if need & possible != need or not all(choice & possible for choice in choices):
        return None
    open_ = need & state.open
    settled = state.matches & ~state.open
    undecided = [choice for choice in choices if not choice & settled]
    if not open_ and not undecided:
        return NOTHING
    pointers: set[str] = set()
    for atom in mask.atoms:
        bit = 1 << atom
        if bit & open_:
            if not state.hangs[atom]:
                return _HELPLESS
            pointers |= state.hangs[atom]
        elif undecided and any(bit & choice & state.open for choice in undecided):
            pointers |= state.hangs[atom]
    return frozenset(pointers) or _HELPLESS


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """The answers on which two things hang together."""
    if one is None or other is None:
        return None
    if one is _HELPLESS or other is _HELPLESS:
        return _HELPLESS
    return one | other


class RuleTables:
    """The rules of one rulebook as masks over verdict tables. Belongs to the thread that made it, as the engine does."""

    def __init__(self, rules: Mapping[str, When]) -> None:
        self.names = tuple(rules)
        atoms: dict[str, dict[Expression, int]] = {}
        for pattern in (pattern for when in rules.values() for group in when for pattern in group):
            known = atoms.setdefault(pattern.kind, {})
            for atom in (atom for clause in clauses_of(pattern) for atom in clause):
                known.setdefault(atom, len(known))
        self._tables = {kind: KindTables(kind, tuple(known)) for kind, known in atoms.items()}
        self._offsets: dict[str, int] = {}
        place = 0
        for kind, known in atoms.items():
            if not KINDS[kind].many:
                self._offsets[kind] = place
                place += len(known)
        groups = [
            self._group(rule, number, group, atoms)
            for rule, when in enumerate(rules.values())
            for number, group in enumerate(when)
        ]
        self.alone = tuple(group for group in groups if not group.many)
        self.by_kind: dict[str, tuple[Group, ...]] = {
            kind: tuple(group for group in groups if group.many == kind)
            for kind in dict.fromkeys(group.many for group in groups if group.many)
        }
        self._about: dict[tuple[str, str], tuple[Group, ...]] = {}
        self._of_any: dict[tuple[object, ...], tuple[Group, ...]] = {}

    def verdicts(self, case: Case) -> Verdicts:
        """The verdicts for one case. Raises `EngineError` if the engine lost a fact."""
        matches = open_ = 0
        hangs: dict[int, frozenset[str]] = {}
        many: dict[str, list[tuple[Fact, State]]] = {}
        for fact in case.facts:
            tables = self._tables.get(fact.kind)
            if tables is None:
                continue
            state = self._state(tables, case, fact)
            if KINDS[fact.kind].many:
                many.setdefault(fact.kind, []).append((fact, state))
            else:
                offset = self._offsets[fact.kind]
                matches |= state.matches << offset
                open_ |= state.open << offset
                for atom, pointers in state.hangs.items():
                    hangs[atom + offset] = pointers
        return Verdicts(self, case, State(matches, open_, hangs), many)

    def about(self, fact: Fact, kind: str) -> tuple[Group, ...]:
        """The groups that could be about a fact, by what it is called."""
        name = fact.ingredient.ingredient if fact.ingredient is not None else ""
        if not name and kind == "condition":
            name = str(fact.properties["name"])
        if not name:
            return self.by_kind.get(kind, ())
        groups = self._about.get((kind, name))
        if groups is None:
            groups = self._about[kind, name] = tuple(self._could_be(fact, kind))
        return groups

    def of_any(self, kind: str, of_any_medicine: Properties) -> tuple[Group, ...]:
        """The groups that an entry of a list that was not sent could meet."""
        key = (kind, *of_any_medicine.items())
        groups = self._of_any.get(key)
        if groups is None:
            groups = tuple(one for one in self.by_kind[kind] if one.pattern and not ruled_out(one.pattern, of_any_medicine))
            self._of_any[key] = groups
        return groups

    def __len__(self) -> int:
        """How many cells the tables have."""
        return sum(map(len, self._tables.values()))

    def check(self) -> None:
        """Run the engine once. Raises `EngineError` if it does not answer."""
        for tables in self._tables.values():
            tables.check()

    def close(self) -> None:
        """Free the engine's memory; the tables cannot be used afterwards."""
        for tables in self._tables.values():
            tables.close()

    def _state(self, tables: KindTables, case: Case, fact: Fact) -> State:
        matches = open_ = 0
        hangs: dict[int, frozenset[str]] = {}
        for cell in tables.cells(fact, situation_of(case, fact)):
            matches |= cell.matches
            if cell.open:
                open_ |= cell.open
                for atom, pointers in cell.hangs:
                    hangs[atom] = answers(case, fact, pointers)
        return State(matches, open_, hangs)

    def _could_be(self, fact: Fact, kind: str) -> Iterator[Group]:
        """The groups that no other fact of this name could rule out by its name alone."""
        named = Fact("0", kind, {name: value for name, value in fact.properties.items() if _of_the_name(kind, name)})
        for group in self.by_kind.get(kind, ()):
            assert group.pattern is not None
            parts = [part for part in group.pattern.tests.parts if _all_of_the_name(kind, part)]
            if all(_stands(kind, part, named) for part in parts):
                yield group

    def _group(
        self, rule: int, number: int, group: Iterable[Pattern], atoms: Mapping[str, Mapping[Expression, int]]
    ) -> Group:
        single: list[list[int]] = []
        of_many: list[list[int]] = []
        many: Pattern | None = None
        kinds = []
        for pattern in group:
            kinds.append(pattern.kind)
            into, offset = single, self._offsets.get(pattern.kind, 0)
            if KINDS[pattern.kind].many:
                many, into = pattern, of_many
            for clause in clauses_of(pattern):
                into.append([atoms[pattern.kind][atom] + offset for atom in clause])
        return Group(rule, number, tuple(kinds), _mask(single), many.kind if many else "", _mask(of_many), many)


def _mask(clauses: Iterable[list[int]]) -> Mask:
    need, choices, atoms = 0, [], list[int]()
    for clause in clauses:
        bits = sum(1 << atom for atom in clause)
        if len(clause) == 1:
            need |= bits
        else:
            choices.append(bits)
        atoms += clause
    return Mask(need, tuple(choices), tuple(dict.fromkeys(atoms)))


def _of_the_name(kind: str, name: str) -> bool:
    return name == "name" if kind == "condition" else name in ("ingredient", "half_life") or name.startswith("class_is_")


def _all_of_the_name(kind: str, part: Expression) -> bool:
    return all(_of_the_name(kind, name) for name in properties_of(kind, part))


def _stands(kind: str, part: Expression, fact: Fact) -> bool:
    return of_expression(kind, part, fact.properties, NO_SITUATION)[0] is not False
