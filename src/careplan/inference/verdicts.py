"""Which rules hold for a patient, and which hang on an answer, read from the verdict tables as bit sets.

A group of a rule's conditions is a mask over the atoms of the facts of which a patient has one, and one over those of the
fact of which there can be many. It holds where all bits of the mask match, and is open where each matches or is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from careplan.facts.case import Case, Fact
from careplan.inference.case_logic import answers, not_asked, ruled_out, situation_of
from careplan.inference.clauses import clauses_of, properties_of
from careplan.inference.durable_rules import Finding
from careplan.inference.hanging import Group, Hanging, State, both, judged_of
from careplan.inference.masks import Mask
from careplan.inference.three_valued import NO_SITUATION, Properties, list_pointer, of_expression
from careplan.inference.verdict_tables import Cell, KindTables, of_the_row
from careplan.rulebook.conditions import Expression, Pattern, When
from careplan.rulebook.factors import KINDS, OF_DERIVED
from careplan.rulebook.validity import Terms, out_of_force

_ALL = ""
"""The subject of a group that is about the patient as a whole."""


class Verdicts:
    """The verdicts on all rules for one case. Rules that are `out_of_force` on its day neither hold nor hang on anything."""

    def __init__(self, rules: RuleTables, case: Case, single: State, many: Mapping[str, list[tuple[Fact, State]]]) -> None:
        self._rules = rules
        self._case = case
        self._single = single
        self._many = many
        self._out, self.out_of_force = rules.out_of_force(case)

    @cached_property
    def findings(self) -> list[Finding]:
        """Every rule that holds, with the facts behind it, in the order of rules, groups and facts; each once."""
        names = self._rules.names
        matched = self._single.matches
        # Most groups fail at what they need first; looking at that alone spares a call for each.
        missing = ~matched
        found = [
            Finding(names[group.rule], group.number, group.kinds)
            for need, group in self._rules.alone
            if not need & missing and group.single.matches(matched)
        ]
        for kind, facts in self._many.items():
            for fact, state in facts:
                for group in self._rules.about(fact, kind):
                    if group.of_many.matches(state.matches) and group.single.matches(matched):
                        ids = tuple([fact.id if one == kind else one for one in group.kinds])
                        found.append(Finding(names[group.rule], group.number, ids))
        if self._out:
            found = [finding for finding in found if finding.rule not in self.out_of_force]
        found.sort()
        return found

    @cached_property
    def hanging(self) -> dict[str, int]:
        """By the JSON Pointer of an answer that is missing, the rules that hang on it, as a bit set over their numbers."""
        found = Hanging()
        missing = not_asked(self._case.patient)
        single = self._single
        impossible, open_ = single.impossible, single.open
        for need, group in self._rules.alone:
            # Most cannot hold, or hold whatever is answered; seeing that here spares a call for each.
            if not need & impossible and (need & open_ or not group.plain):
                found.note(group, _ALL, judged_of(group.single, single))
        for kind in self._rules.by_kind:
            pointer = list_pointer(kind)
            if pointer in missing:
                on_the_list = frozenset({pointer})
                for group in self._rules.of_any(kind, self._case.of_any_medicine):
                    if not group.single.need & impossible:
                        found.note(group, kind, both(judged_of(group.single, single), on_the_list))
                continue
            for fact, state in self._many.get(kind, ()):
                for group in self._rules.about(fact, kind):
                    if group.single.need & impossible or group.of_many.need & state.impossible:
                        continue
                    of_many = judged_of(group.of_many, state)
                    found.note(group, fact.id, both(judged_of(group.single, single), of_many))
        hanging = found.by_pointer()
        if not self._out:
            return hanging
        return {pointer: left for pointer, bits in hanging.items() if (left := bits & ~self._out)}


class RuleTables:
    """The rules of one rulebook as masks over verdict tables, which several threads may ask at once.

    `terms` are those of rules that are not in force on every day. The day of a plan decides them before any condition does,
    so no verdict in the tables depends on a day.
    """

    def __init__(self, rules: Mapping[str, When], terms: Terms = MappingProxyType({})) -> None:
        self.names = tuple(rules)
        self._terms = terms
        atoms: dict[str, dict[Expression, int]] = {}
        for pattern in (pattern for when in rules.values() for group in when for pattern in group):
            known = atoms.setdefault(pattern.kind, {})
            for atom in (atom for clause in clauses_of(pattern) for atom in clause):
                known.setdefault(atom, len(known))
        # The atoms of the facts of which there is one are numbered through; of others those of each kind.
        self._offsets: dict[str, int] = {}
        place = 0
        for kind, known in atoms.items():
            if not KINDS[kind].many:
                self._offsets[kind] = place
                place += len(known)
        self._tables = {kind: KindTables(kind, tuple(known), self._offsets.get(kind, 0)) for kind, known in atoms.items()}
        groups = [
            self._group((rule, number), group, atoms, only=len(when) == 1)
            for rule, when in enumerate(rules.values())
            for number, group in enumerate(when)
        ]
        self.alone = tuple((group.single.need, group) for group in groups if not group.many)
        self.by_kind: dict[str, tuple[Group, ...]] = {
            kind: tuple(group for group in groups if group.many == kind)
            for kind in dict.fromkeys(group.many for group in groups if group.many)
        }
        self._about: dict[tuple[str, str], tuple[Group, ...]] = {}
        self._of_any: dict[tuple[object, ...], tuple[Group, ...]] = {}

    def verdicts(self, case: Case) -> Verdicts:
        """The verdicts for one case.

        Raises `EngineError` if the engine lost a fact or was closed.
        """
        self.enter()
        matches = open_ = 0
        hangs: dict[int, frozenset[str]] = {}
        many: dict[str, list[tuple[Fact, State]]] = {}
        for fact in case.facts:
            tables = self._tables.get(fact.kind)
            if tables is None:
                continue
            cells = tables.cells(fact, situation_of(case, fact))
            if tables.many:
                hangs_on: dict[int, frozenset[str]] = {}
                of_fact = _put_together(cells, case, fact, hangs_on)
                many.setdefault(fact.kind, []).append((fact, State.of(*of_fact, hangs_on)))
            else:
                matches_here, open_here = _put_together(cells, case, fact, hangs)
                matches |= matches_here
                open_ |= open_here
        return Verdicts(self, case, State.of(matches, open_, hangs), many)

    def out_of_force(self, case: Case) -> tuple[int, frozenset[str]]:
        """The rules that are not in force on the day of a case, as a bit set over their numbers, and their names."""
        out = out_of_force(self._terms, case.patient.as_of)
        return sum(1 << self.names.index(name) for name in out), out

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

    def enter(self) -> None:
        """Raise `EngineError` if the engine was closed."""
        if self._tables:  # they are closed together
            next(iter(self._tables.values())).enter()

    def check(self) -> None:
        """Run the engine once. Raises `EngineError` if it does not answer."""
        for tables in self._tables.values():
            tables.check()

    def close(self) -> None:
        """Free the engine's memory; the tables cannot be used afterwards."""
        for tables in self._tables.values():
            tables.close()

    def _could_be(self, fact: Fact, kind: str) -> Iterator[Group]:
        """The groups that no other fact of this name could rule out by its name alone."""
        named = Fact("0", kind, {name: value for name, value in fact.properties.items() if _of_the_name(kind, name)})
        for group in self.by_kind.get(kind, ()):
            assert group.pattern is not None
            parts = [part for part in group.pattern.tests.parts if _all_of_the_name(kind, part)]
            if all(_stands(kind, part, named) for part in parts):
                yield group

    def _group(
        self,
        place: tuple[int, int],
        group: Iterable[Pattern],
        atoms: Mapping[str, Mapping[Expression, int]],
        *,
        only: bool,
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
        of_one = Mask.of(single)
        plain = only and not of_one.choices
        return Group(*place, tuple(kinds), of_one, many.kind if many else "", Mask.of(of_many), many, only, plain)


def _put_together(cells: Iterable[Cell], case: Case, fact: Fact, hangs: dict[int, frozenset[str]]) -> tuple[int, int]:
    """The atoms of all cells of a fact that match and that are open; on what these hang goes into `hangs`."""
    matches = open_ = 0
    # What is asked of a medicine has its place in the list, and what is derived hangs on what is behind it.
    own = fact.kind == "medicine" or fact.kind in OF_DERIVED
    for cell in cells:
        matches |= cell.matches
        if cell.open:
            open_ |= cell.open
            if own:
                hangs.update([(atom, answers(case, fact, pointers)) for atom, pointers in cell.hangs])
            else:
                hangs.update(cell.hangs)
    return matches, open_


def _of_the_name(kind: str, name: str) -> bool:
    return name == "name" if kind == "condition" else of_the_row(name)


def _all_of_the_name(kind: str, part: Expression) -> bool:
    return all(_of_the_name(kind, name) for name in properties_of(kind, part))


def _stands(kind: str, part: Expression, fact: Fact) -> bool:
    return of_expression(kind, part, fact.properties, NO_SITUATION)[0] is not False
