"""What the engine says of every fact that there can be, worked out once for a rulebook.

Of a fact, an atom looks at a few properties: tokens, booleans, and where a number lies among the constants of the rules. For
each such set of properties there is a table. A cell of it, for one combination of values, says which atoms match and which
hang on an answer. The engine decides the cell when it is first needed. How many cells there can be follows from the
rulebook and from the limits of the request, whoever the patients are; no cell holds anything else of a patient.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from careplan.facts.case import Fact, Value
from careplan.inference.clauses import constants_of, properties_of
from careplan.inference.durable_rules import PatternMatcher
from careplan.inference.three_valued import Situation, of_expression
from careplan.rulebook.conditions import LISTS_WITH_ENTRIES, Every, Expression, Pattern
from careplan.rulebook.factors import KINDS, OF_DERIVED, OF_MEASURES, SESSION_COUNTS

Key = tuple[object, ...]

_CAN_BE_UNUSABLE = frozenset({"protocol", "measures", "measured_days_ago"}) | OF_DERIVED
"""The kinds with fields that nobody is asked for, though nothing is known of them."""


class Cell(NamedTuple):
    """Bit sets over the atoms of a kind: those that match, and those that hang on answers.

    `hangs` has for each open atom, by its number, the answers (JSON Pointers); none where no answer helps.
    """

    matches: int
    open: int
    hangs: tuple[tuple[int, frozenset[str]], ...]


_ByValue = dict[Value | None, Cell]


class Table:
    """The atoms of one kind of fact that look at the same properties."""

    def __init__(self, kind: str, atoms: Mapping[int, Expression], matcher: PatternMatcher, first: int) -> None:
        """`atoms` are known by their numbers, which are also those of the patterns of `matcher`.

        In the bit sets of a cell the number of an atom is counted from `first`.
        """
        self._kind = kind
        self._atoms = atoms
        self._matcher = matcher
        self._first = first
        self._names = tuple(sorted(frozenset[str]().union(*(properties_of(kind, atom) for atom in atoms.values()))))
        self._steps = constants_of(kind, atoms.values())
        self._counts = kind == "treatment" and not SESSION_COUNTS.isdisjoint(self._names)
        self._by_row = kind == "medicine" and any(map(of_the_row, self._names))
        self._looks_at = tuple(
            (name, self._steps.get(name, [])) for name in self._names if not (self._by_row and of_the_row(name))
        )
        self._holds = kind == "medicine" and "hold_question" in self._names
        self._beside = frozenset(name.removeprefix("beside_is_") for name in self._names if name.startswith("beside_is_"))
        self._cells: dict[Key, Cell] = {}

    @property
    def lone(self) -> tuple[str, list[float]] | None:
        """The one property that decides, with the constants that a number is held against; None where more does."""
        return self._looks_at[0] if len(self._looks_at) == 1 and self._kind != "medicine" and not self._counts else None

    def cell(self, fact: Fact, situation: Situation) -> Cell:
        """What the atoms say of a fact."""
        key = self._key(fact, situation)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = self.decided(fact, situation)
        return cell

    def __len__(self) -> int:
        return len(self._cells)

    def _key(self, fact: Fact, situation: Situation) -> Key:
        properties = fact.properties
        key: list[object] = []
        for name, steps in self._looks_at:
            value = properties.get(name)
            key.append(_place(steps, value) if isinstance(value, float) else value)
        if self._by_row and fact.ingredient is not None:
            key.append(fact.ingredient.ingredient)
        if self._counts and None in situation.sessions:
            key.append(situation.sessions)
        elif self._holds:
            key += (situation.may_open, situation.waits)
            key.append(situation.unusable.intersection(self._beside))
        elif self._beside:
            key.append(situation.unusable.intersection(self._beside))
        elif self._kind in _CAN_BE_UNUSABLE:
            key.append(situation.unusable.intersection(self._names))
        elif not situation.whole:
            key.append(False)
        return tuple(key)

    def decided(self, fact: Fact, situation: Situation) -> Cell:
        """A cell, decided on a fact that has nothing but what the key says.

        Raises AssertionError where the engine and the three-valued logic disagree.
        """
        raw = self._counts and None in situation.sessions
        properties = {
            name: value if raw else self._representative(name, value)
            for name, value in fact.properties.items()
            if name in self._names
        }
        ours = self._matcher.matches([Fact("0", self._kind, properties)])["0"]
        matches = open_ = 0
        hangs = []
        for number in ours:
            if number in self._atoms:
                matches |= 1 << self._first + number
        for number, atom in self._atoms.items():
            place = self._first + number
            verdict, pointers = of_expression(self._kind, atom, properties, situation)
            if verdict is None:
                open_ |= 1 << place
                hangs.append((place, pointers))
            elif verdict is True and not matches >> place & 1:
                raise AssertionError(f"engine and logic disagree on {atom}")
        # A test for not being known matches and hangs on the answer at once.
        return Cell(matches, open_, tuple(hangs))

    def _representative(self, name: str, value: Value) -> Value:
        """A value that lies among the constants where this one does."""
        steps = self._steps.get(name)
        if not steps or not isinstance(value, float):
            return value
        place = _place(steps, value)
        at = place // 2
        if place % 2:
            return steps[at]
        if at == 0:
            return steps[0] / 2
        return steps[-1] + 1 if at == len(steps) else (steps[at - 1] + steps[at]) / 2


class KindTables:
    """All atoms of one kind of fact. `numbers` knows each atom by its number, which in cells is counted from `first`."""

    def __init__(self, kind: str, atoms: Sequence[Expression], first: int = 0) -> None:
        self.kind = kind
        self.many = KINDS[kind].many
        self._first = first
        self.numbers = {atom: at for at, atom in enumerate(atoms)}
        self._matcher = PatternMatcher([Pattern(kind, Every((atom,))) for atom in atoms])
        looked_at = [(properties_of(kind, atom), at, atom) for at, atom in enumerate(atoms)]
        lone = kind in LISTS_WITH_ENTRIES
        self._members: dict[str, dict[int, Expression]] = {}
        together: dict[frozenset[str], dict[int, Expression]] = {}
        for properties, at, atom in looked_at:
            (name, *more) = properties or [""]
            if lone and not more and KINDS[kind].fields.get(name) is None:
                self._members.setdefault(name, {})[at] = atom
            else:
                together.setdefault(_merged(kind, properties), {})[at] = atom
        self._tables = [Table(kind, group, self._matcher, first) for group in together.values()]
        # Most tables look at one property, and nothing else decides: their cells by its value, and the same by its value
        # where nobody could answer for it.
        self._lone: list[tuple[str, list[float], _ByValue, _ByValue, Table]] = [
            (*table.lone, {}, {}, table) for table in self._tables if table.lone
        ]
        self._others = [table for table in self._tables if not table.lone]
        self._member_tables = {name: Table(kind, group, self._matcher, first) for name, group in self._members.items()}
        self._none_of_them: dict[bool, Cell] = {}
        self._nothing: dict[frozenset[str], tuple[Cell]] = {}

    def cells(self, fact: Fact, situation: Situation) -> Sequence[Cell]:
        """The cells of one fact."""
        if self.kind in OF_MEASURES and not fact.properties:
            return self._of_nothing(fact, situation)
        return self._looked_up(fact, situation)

    def _of_nothing(self, fact: Fact, situation: Situation) -> Sequence[Cell]:
        """The cells of a fact where nothing was measured, as of most patients, as one.

        What nobody is asked for follows from the patient's age and the limits that the rulebook has for its measures.
        """
        unusable = situation.unusable
        found = self._nothing.get(unusable)
        if found is None:
            found = self._nothing[unusable] = (_as_one(self._looked_up(fact, situation)),)
        return found

    def _looked_up(self, fact: Fact, situation: Situation) -> list[Cell]:
        if not situation.whole:
            found = [table.cell(fact, situation) for table in self._tables]
        else:
            found = [table.cell(fact, situation) for table in self._others]
            properties, unusable = fact.properties, situation.unusable
            for name, steps, usable_cells, unusable_cells, table in self._lone:
                value = properties.get(name)
                place = _place(steps, value) if isinstance(value, float) else value
                cells = unusable_cells if name in unusable else usable_cells
                cell = cells.get(place)
                if cell is None:
                    cell = cells[place] = table.decided(fact, situation)
                found.append(cell)
        if self._member_tables:
            found.append(self._of_members(fact, situation))
        return found

    def _of_members(self, fact: Fact, situation: Situation) -> Cell:
        """What is said of the members of a list: as of an empty one, but for those that are there."""
        base = self._none_of_them.get(situation.whole)
        if base is None:
            base = self._none_of_them[situation.whole] = self._without_members(situation)
        matches, open_ = base.matches, base.open
        hangs = list(base.hangs)
        for name, value in fact.properties.items():
            if value is True and name in self._member_tables:
                cell = self._member_tables[name].cell(fact, situation)
                bits = self._bits[name]
                matches = matches & ~bits | cell.matches
                open_ = open_ & ~bits | cell.open
                hangs = [one for one in hangs if not bits >> one[0] & 1] + list(cell.hangs)
        return Cell(matches, open_, tuple(hangs))

    def _without_members(self, situation: Situation) -> Cell:
        self._bits = {name: sum(1 << self._first + at for at in group) for name, group in self._members.items()}
        cells = []
        for name, table in self._member_tables.items():
            absent = Fact("0", self.kind, {name: False} if situation.whole else {}, whole=situation.whole)
            cells.append(table.cell(absent, situation))
        return _as_one(cells)

    def __len__(self) -> int:
        of_lone = sum(len(usable) + len(unusable) for _, _, usable, unusable, _ in self._lone)
        return of_lone + sum(map(len, (*self._tables, *self._member_tables.values())))

    def enter(self) -> None:
        """Raise `EngineError` if the engine was closed."""
        self._matcher.enter()

    def check(self) -> None:
        """Run the engine once. Raises `EngineError` if it does not answer."""
        self._matcher.check()

    def close(self) -> None:
        """Free the engine's memory."""
        self._matcher.close()


def _as_one(cells: Iterable[Cell]) -> Cell:
    matches = open_ = 0
    hangs: list[tuple[int, frozenset[str]]] = []
    for cell in cells:
        matches |= cell.matches
        open_ |= cell.open
        hangs += cell.hangs
    return Cell(matches, open_, tuple(hangs))


def _place(steps: list[float], value: float) -> int:
    """Where a number lies among constants: between two of them, or on one."""
    return bisect_left(steps, value) + bisect_right(steps, value)


def of_the_row(name: str) -> bool:
    """Whether a property of a medicine follows from its row in the table of medicines."""
    return name in ("ingredient", "half_life") or name.startswith("class_is_")


def _merged(kind: str, properties: frozenset[str]) -> frozenset[str]:
    """All that follows from the row of a medicine is looked up together."""
    if kind != "medicine" or not any(map(of_the_row, properties)):
        return properties
    return frozenset(name for name in properties if not of_the_row(name)) | {"ingredient"}
