"""SMT-LIB text as clauses of literals, whose refutation refutes the text.

A number is compared with constants only: `x` lies at a place or behind it, or not. That is one literal for each sum of
variables and place. How places of the same sum follow one another is all that is known of numbers. So the clauses may admit
more than the text does, and never less; what they refute is refuted.

Nothing here is taken from a solver or from the library that writes the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from careplan.authoring.proof.numbers import Choice, Number, Point, compared, contradict, ranges
from careplan.authoring.proof.smtlib_reader import NotRead, Term, commands, number

Clause: TypeAlias = tuple[int, ...]
Value: TypeAlias = int | Number
"""A literal, or a number."""

TRUE = 1
_MANY_CHOICES = 8
_MOST_CHOICES, _MOST_STEPS = 300, 20_000
"""A comparison of more choices, or one that would need more literals, is left open, which is safe."""


class Defined(NamedTuple):
    """What a variable is made of: its clauses from `begin` to before `end`, and the literals in them."""

    begin: int
    end: int
    parts: Clause


class Clauses:
    """Reads a script, command by command.

    `clauses` define each literal by those before it, and say what is asserted once and for all: `assumed` has the places of
    those. `asked` are the literals of the questions, in order. `defined` says for each variable where its clauses begin and
    end, and of which literals it is made; `points` what the literal of a comparison says. `names` has what was declared.
    """

    def __init__(self) -> None:
        self.clauses: list[Clause] = [(TRUE,)]
        self.assumed: list[int] = []
        self.asked: list[int] = []
        self.defined: dict[int, Defined] = {}
        self.points: dict[int, Point] = {}
        self._variables = TRUE
        self.names: dict[str, Value] = {"true": TRUE, "false": -TRUE}
        self._whole: dict[str, bool] = {}
        self._gates: dict[tuple[str, Clause], int] = {}
        self._places: dict[Point, int] = {}
        self._compared: dict[tuple[Number, bool], int] = {}
        self._counts: dict[tuple[Choice, ...], str] = {}
        self._counted: dict[str, tuple[Choice, ...]] = {}
        self._inside = False

    def read(self, text: str) -> None:
        """Take in commands. Raises `NotRead`."""
        for command in commands(text):
            match command:
                case ("set-logic", _) | ("check-sat",):
                    pass
                case ("push", "1") if not self._inside:
                    self._inside = True
                case ("pop", "1") if self._inside:
                    self._inside = False
                case ("declare-const", str(name), "Bool") if name not in self.names:
                    self.names[name] = self._new()
                case ("declare-const", str(name), "Int" | "Real" as sort) if name not in self.names:
                    self._whole[name] = sort == "Int"
                    self.names[name] = Number(variables=((name, Fraction(1)),))
                case ("define-fun", str(name), (), "Bool" | "Int" | "Real", body) if name not in self.names:
                    self.names[name] = self._value(body)
                case ("assert", body):
                    self._assert(self._literal(body))
                case _:
                    raise NotRead(f"a command of an unknown form: {str(command)[:80]}")

    def is_about_numbers(self, clause: Clause) -> bool:
        """Whether a clause compares numbers, and is true of all numbers."""
        denied = [(self.points.get(abs(literal)), literal < 0) for literal in clause]
        points = [(point, so) for point, so in denied if point is not None]
        return len(points) == len(denied) and contradict(points)

    def _assert(self, literal: int) -> None:
        if self._inside:
            self.asked.append(literal)
        else:
            self.assumed.append(len(self.clauses))
            self.clauses.append((literal,))

    def _new(self) -> int:
        self._variables += 1
        return self._variables

    def _value(self, term: Term) -> Value:  # noqa: C901 - a case for each form that a term can have
        if isinstance(term, str):
            known = self.names.get(term)
            if known is not None:
                return known
            if (constant := number(term)) is None:
                raise NotRead(f"{term} is not declared")
            return Number(constant)
        match term:
            case ("and", *parts):
                return self._all([self._literal(part) for part in parts])
            case ("or", *parts):
                return -self._all([-self._literal(part) for part in parts])
            case ("not", part):
                return -self._literal(part)
            case ("=>", first, second):
                return -self._all([self._literal(first), -self._literal(second)])
            case ("xor", first, second):
                return -self._same(self._literal(first), self._literal(second))
            case ("ite", condition, yes, no):
                return self._chosen(self._literal(condition), self._value(yes), self._value(no))
            case ("=", first, second):
                return self._equal(self._value(first), self._value(second))
            case ("distinct", first, second):
                return -self._equal(self._value(first), self._value(second))
            case (">=" | ">" | "<=" | "<" as sign, first, second):
                left, right = self._number(first), self._number(second)
                if sign in ("<=", "<"):
                    left, right = right, left
                return self._at_least(left.plus(right.times(Fraction(-1))), above=sign in ("<", ">"))
            case ("to_real", part):
                return self._number(part)
            case ("-", part):
                return self._number(part).times(Fraction(-1))
            case ("-" | "+" as sign, first, *parts):
                total = self._number(first)
                for part in parts:
                    total = total.plus(self._number(part).times(Fraction(1 if sign == "+" else -1)))
                return self._count(total)
            case ("*" | "/" as sign, first, second):
                return self._product(self._number(first), self._number(second), divided=sign == "/")
            case _:
                raise NotRead(f"a term of an unknown form: {str(term)[:80]}")

    def _literal(self, term: Term) -> int:
        value = self._value(term)
        if isinstance(value, Number):
            raise NotRead(f"a number where something true or false belongs: {str(term)[:80]}")
        return value

    def _number(self, term: Term) -> Number:
        value = self._value(term)
        if not isinstance(value, Number):
            raise NotRead(f"no number where one belongs: {str(term)[:80]}")
        return value

    def _count(self, total: Number) -> Number:
        """A sum of many choices as a variable of its own, so that two such sums can be compared with each other."""
        constants = [one.constant for _, *both in total.choices for one in both]
        plain = not any(one.variables or one.choices for _, *both in total.choices for one in both)
        if len(total.choices) < _MANY_CHOICES or not plain or any(one.denominator != 1 for one in constants):
            return total
        if total.choices not in self._counts:
            name = f"count {len(self._counts)}"
            self._counts[total.choices] = name
            self._counted[name] = total.choices
            self._whole[name] = True
        return Number(total.constant, total.variables).plus(Number(variables=((self._counts[total.choices], Fraction(1)),)))

    def _product(self, left: Number, right: Number, *, divided: bool) -> Number:
        if right.variables or right.choices:
            left, right = right, left
            if divided:
                raise NotRead("a number divided by a variable")
        if right.variables or right.choices:
            raise NotRead("a variable times a variable")
        if not right.constant:
            if divided:
                raise NotRead("a number divided by zero")
            return Number()
        return left.times(1 / right.constant if divided else right.constant)

    # Literals that stand for something made of others.

    def _gate(self, kind: str, parts: Clause, clauses: Sequence[Sequence[int]]) -> int:
        """A new variable for what is made of `parts`. In its clauses 1 at the start stands for it, -1 for its opposite."""
        new = self._gates[kind, parts] = self._new()
        begin = len(self.clauses)
        self.clauses += [(new if clause[0] > 0 else -new, *clause[1:]) for clause in clauses]
        self.defined[new] = Defined(begin, len(self.clauses), parts)
        return new

    def _all(self, literals: list[int]) -> int:
        """That all of these are true."""
        parts = set(literals) - {TRUE}
        if -TRUE in parts or any(-one in parts for one in parts):
            return -TRUE
        if len(parts) < 2:
            return parts.pop() if parts else TRUE
        key = tuple(sorted(parts, key=lambda one: (abs(one), one)))
        known = self._gates.get(("all", key))
        return known or self._gate("all", key, [*((-1, one) for one in key), (1, *(-one for one in key))])

    def _chosen(self, condition: int, yes: Value, no: Value) -> Value:
        if isinstance(yes, Number) and isinstance(no, Number):
            if abs(condition) == TRUE or yes == no:
                return yes if condition == TRUE or yes == no else no
            return Number(choices=(Choice(condition, yes, no),))
        if isinstance(yes, Number) or isinstance(no, Number):
            raise NotRead("one side of a choice is a number and the other is not")
        return self._either(condition, yes, no)

    def _either(self, condition: int, yes: int, no: int) -> int:
        """That `yes` is true where the condition is, and `no` where it is not."""
        if condition == TRUE or yes == no:
            return yes
        if condition == -TRUE:
            return no
        if condition < 0:
            condition, yes, no = -condition, no, yes
        if abs(yes) == TRUE or abs(no) == TRUE:
            first = -self._all([condition, -yes])
            return self._all([first, -self._all([-condition, -no])])
        parts = (condition, yes, no)
        meant = [(-1, -condition, yes), (-1, condition, no), (1, -condition, -yes), (1, condition, -no), (-1, yes, no)]
        return self._gates.get(("either", parts)) or self._gate("either", parts, [*meant, (1, -yes, -no)])

    def _same(self, left: int, right: int) -> int:
        return self._either(left, right, -right)

    def _equal(self, left: Value, right: Value) -> int:
        if isinstance(left, Number) and isinstance(right, Number):
            difference = left.plus(right.times(Fraction(-1)))
            return self._all([self._at_least(difference, above=False), -self._at_least(difference, above=True)])
        if isinstance(left, Number) or isinstance(right, Number):
            raise NotRead("a number is compared with what is true or false")
        return self._same(left, right)

    # Comparisons.

    def _at_least(self, value: Number, *, above: bool) -> int:
        """That a number is at least zero, or above it."""
        if (value, above) not in self._compared:
            self._compared[value, above] = self._decided(value, above=above)
        return self._compared[value, above]

    def _decided(self, value: Number, *, above: bool) -> int:
        """As `_at_least`, by going through the choices one after the other with what has come together so far."""
        choices, rest = value.choices, ranges(value.choices)
        found: dict[tuple[int, Number], int] = {}

        def from_(at: int, so_far: Number) -> int:
            if (at, so_far) in found:
                return found[at, so_far]
            between = rest[at] if not so_far.variables and not so_far.choices else None
            least, most = (so_far.constant + one for one in between) if between else (None, None)
            if least is not None and (least > 0 or (least == 0 and not above)):
                literal = TRUE
            elif most is not None and (most < 0 or (most == 0 and above)):
                literal = -TRUE
            elif at < len(choices):
                choice = choices[at]
                literal = self._either(
                    choice.literal, from_(at + 1, so_far.plus(choice.yes)), from_(at + 1, so_far.plus(choice.no))
                )
            elif so_far.choices:
                literal = self._at_least(so_far, above=above)
            else:
                literal = self._point(so_far, above=above)
            found[at, so_far] = literal
            if len(found) > _MOST_STEPS:
                raise _TooMany
            return literal

        try:
            return from_(0, Number(value.constant, value.variables)) if len(choices) <= _MOST_CHOICES else self._new()
        except _TooMany:
            return self._new()

    def _point(self, value: Number, *, above: bool) -> int:
        point, positive = compared(value, above=above, whole=self._whole)
        if point not in self._places:
            literal = self._place(point)
            self._places[point] = literal
            if abs(literal) != TRUE:
                self.points[literal] = point
        return self._places[point] if positive else -self._places[point]

    def _place(self, point: Point) -> int:
        """A new variable for a point. That of a count is defined by what is counted."""
        (name, factor), *others = point.variables
        if others or name not in self._counted:
            return self._new()
        assert factor == 1, "a sum of one variable has no factor"
        literal = self._at_least(Number(-point.place.limit, choices=self._counted[name]), above=point.place.above)
        return literal if abs(literal) == TRUE else self._gate("point", (literal,), [(-1, literal), (1, -literal)])


class _TooMany(Exception):
    """A comparison needs more literals than it is worth."""
