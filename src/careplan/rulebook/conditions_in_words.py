"""Conditions in words, so that a rule can be read aloud. Two conditions that differ read differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from careplan.rulebook.conditions import COMPARISONS, Either, Expression, Group, Operation, Pattern, Test, Value, When
from careplan.rulebook.derived import DATES, Derived, used_by
from careplan.rulebook.factors import KINDS
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.text_template import number

_VERBS = frozenset(
    "calls does expects has is knows lives named prefers reports sleeps takes trusts uses wants would".split()  # noqa: SIM905
)
_BOUNDS: dict[Operation, str] = {
    "at_least": "at least {}",
    "at_most": "at most {}",
    "less_than": "less than {}",
    "more_than": "more than {}",
}
_COMPARED: dict[Operation, str] = {
    "at_least": "at least",
    "at_most": "at most",
    "less_than": "less than",
    "more_than": "more than",
}
_JOINED = {"or": " or ", "and": " and "}


class Prose:
    """The words of one rulebook for its conditions."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book

    def rule(self, rule: Rule) -> str:
        """A rule as one sentence: "When the patient ..., then ..."."""
        level = self._book.vocabulary.levels[rule.file.level].label
        section = self._book.vocabulary.sections[rule.section].title.lower()
        return f"{self.when(rule.when)}, then the plan has a {level} under {section}: {rule.file.title}."

    def when(self, when: When) -> str:
        """All conditions of a rule, as the beginning of a sentence."""
        if any(pattern.kind == "everyone" for group in when for pattern in group):
            return "For every patient"
        groups = [self.group(group) for group in when]
        if len(groups) == 1:
            return f"When {groups[0]}"
        numbered = "; or ".join(f"({at}) {words}" for at, words in enumerate(groups, 1))
        return f"When one of these holds: {numbered}"

    def derived(self, derived: Derived) -> str:
        """What a derived fact means, as a sentence; without its full stop."""
        label = derived.file.label[:1].upper() + derived.file.label[1:]
        if derived.date:
            return f"{label}: the days from {DATES.get(derived.date, derived.date)} to the day of the plan"
        if derived.compared is not None:
            sides = (derived.compared.left, derived.compared.right)
            left, right = (self._book.vocabulary.fields[".".join(side)].label for side in sides)
            plus = f" and {number(derived.compared.plus)}" if derived.compared.plus else ""
            return f"{label}: {left} are {_COMPARED[derived.compared.operation]} {right}{plus}"
        if derived.counted is not None:
            each = "medicines (each ingredient once)" if derived.counted.kind == "medicine" else "illnesses"
            return f"{label}: the number of {each} that fit: {self.pattern(derived.counted)}"
        groups = [self.group(group) for group in derived.when]
        if derived.kind == "counts":
            lines = ["; or ".join(map(self.group, line)) for line in derived.lines]
            numbered = "; ".join(f"({at}) {words}" for at, words in enumerate(lines, 1))
            return f"{label}: how many of these hold: {numbered}"
        return f"{label}: {'; or '.join(groups)}"

    def whole(self, when: When) -> str:
        """All conditions of a rule, and after them what the derived facts mean that it uses."""
        meaning = self.behind(when)
        return ". ".join((self.when(when), " ".join(meaning).removesuffix("."))) if meaning else self.when(when)

    def behind(self, when: When) -> list[str]:
        """What the derived facts mean that conditions use, each as a sentence."""
        patterns = (pattern for group in when for pattern in group if pattern.kind != "medicine")
        found = (one for pattern in patterns for one in used_by(self._book.derived, pattern))
        return [f"{self.derived(one)}." for one in {one.file.name: one for one in found}.values()]

    def group(self, group: Group) -> str:
        """Conditions that must hold together."""
        return " and ".join(self.pattern(pattern) for pattern in group)

    def pattern(self, pattern: Pattern) -> str:
        """What one fact must be like, as a clause with its subject."""
        if pattern.kind == "everyone":
            return "there is a patient"
        if pattern.kind == "medicine":
            return self._medicine(pattern)
        parts = [self._clause(words) for words in self._parts(pattern.kind, pattern.tests.parts)]
        return " and ".join(parts)

    def condition(self, kind: str, expression: Expression) -> str:
        """One test, or one choice between tests, as a clause with its subject."""
        words = self._expression(kind, expression)
        own = kind == "medicine" and words.split(maxsplit=1)[0] != "takes"
        return self._clause(f"takes a medicine, {words}" if own else words)

    def _clause(self, words: str) -> str:
        return f"the patient {words}" if words.split(maxsplit=1)[0] in _VERBS else words

    def _parts(self, kind: str, parts: Sequence[Expression]) -> list[str]:
        """The words of tests that must all hold; the bounds of one number together."""
        words: list[str] = []
        bounds: dict[str, list[Test]] = {}
        for part in parts:
            if isinstance(part, Test) and part.operation in COMPARISONS:
                bounds.setdefault(part.field, []).append(part)
                if len(bounds[part.field]) > 1:
                    continue
                words.append(f"{kind}.{part.field}")
            else:
                words.append(self._expression(kind, part))
        by_field = {f"{kind}.{field}": self._number(kind, tests) for field, tests in bounds.items()}
        return [by_field.get(entry, entry) for entry in words]

    def _expression(self, kind: str, expression: Expression) -> str:
        if isinstance(expression, Test):
            return self._test(kind, expression)
        if isinstance(expression, Either):
            return "either " + " or else ".join(self._expression(kind, part) for part in expression.parts)
        return " and ".join(self._parts(kind, expression.parts))

    def _test(self, kind: str, test: Test) -> str:
        if test.operation in COMPARISONS:
            return self._number(kind, [test])
        if KINDS[kind].field(test.field).type == "tokens":
            return self._members(kind, test)
        words = self._book.vocabulary.fields[f"{kind}.{test.field}"]
        match test.operation:
            case "unknown":
                return words.unknown
            case "known":
                return f"it is known: {words.label}"
            case "one_of":
                return self._said(kind, test.field, test.values)
            case "one_of_or_unknown":
                return f"{self._said(kind, test.field, test.values)} (or {words.unknown})"
            case _ if (kind, test.field) == ("medicine", "ingredient"):
                return "is not " + " or ".join(self.value(kind, test.field, value) for value in test.values)
            case _:
                return f"it is known and other than: {self._said(kind, test.field, test.values)}"

    def _said(self, kind: str, field: str, values: Iterable[Value]) -> str:
        """The vocabulary's words for one of some values."""
        says = self._book.vocabulary.fields[f"{kind}.{field}"].says
        named = [self.value(kind, field, value) for value in values]
        if says == "{value}":
            return " or ".join(named)
        return says.replace("{value}", " or ".join(named))

    def value(self, kind: str, field: str, value: Value) -> str:
        """One value in words."""
        if isinstance(value, float):
            return number(value)
        if isinstance(value, bool):
            value = "true" if value else "false"
        described = KINDS[kind].field(field)
        words = self._book.vocabulary.fields[f"{kind}.{field}"].values
        if value in words:
            return words[value]
        return self._token(value) if described.vocabulary else value.replace("_", " ")

    def _number(self, kind: str, tests: Sequence[Test]) -> str:
        limits = {test.operation: number(float(str(test.values[0]))) for test in tests}
        if limits.keys() == {"at_least", "at_most"}:
            least, most = limits["at_least"], limits["at_most"]
            words = least if least == most else f"from {least} to {most}"
        else:
            # No number of a request is below 0.
            bounds = ("0" if bound == ("at_most", "0") else _BOUNDS[bound[0]].format(bound[1]) for bound in limits.items())
            words = " and ".join(bounds)
        says = self._book.vocabulary.fields[f"{kind}.{tests[0].field}"].says
        return says.replace("about {value}", words).replace("{value}", words)

    def _members(self, kind: str, test: Test) -> str:
        if test.field == "beside":
            return self._beside(test)
        named = [self._token(str(token), singular=kind == "medicine") for token in test.values]
        verb = {"regimen": "takes", "history": "has"}.get(kind, "is")
        match test.operation:
            case "has_any":
                return f"{verb} {_JOINED['or'].join(named)}"
            case "has_all":
                return f"{verb} {_JOINED['and'].join(named)}" + (", all of them" if len(named) > 1 else "")
            case _ if kind == "medicine":
                return f"is not {_JOINED['or'].join(named)}"
            case _:
                return f"{verb} none of {_JOINED['or'].join(named)}, and the list is known to be complete"

    def _beside(self, test: Test) -> str:
        """What other medicine is taken: a benzodiazepine, every day."""
        patterns = [self._book.derived[str(name)].of_one_medicine for name in test.values]
        others = [self._medicine(one).removeprefix("the patient takes ") for one in patterns if one]
        joined = _JOINED["and" if test.operation == "has_all" else "or"].join(f"({other})" for other in others)
        return f"{'without' if test.operation == 'has_none' else 'beside'} another medicine that is {joined}"

    def _medicine(self, pattern: Pattern) -> str:
        """A medicine with what must be true of it: the patient takes a benzodiazepine of long half-life, as needed."""
        what, details = "a medicine", []
        for part in pattern.tests.parts:
            if isinstance(part, Test) and what == "a medicine" and (part.field, part.operation) in _SUBJECTS:
                joined = _JOINED["and" if part.operation == "has_all" else "or"]
                what = joined.join(self._token(str(token), singular=part.field == "class") for token in part.values)
            else:
                details.append(self._expression("medicine", part))
        return ", ".join([f"the patient takes {what}", *details])

    def _token(self, token: str, *, singular: bool = False) -> str:
        """A class, ingredient or condition; a class in the singular with its article where `singular` is wanted."""
        if token in self._book.conditions:
            return self._book.conditions[token].label
        if token in self._book.classes:
            words = self._book.classes[token]
            return f"{'an' if words.label[:1].lower() in 'aeiou' else 'a'} {words.label}" if singular else words.plural
        if token in self._book.catalogue.ingredients:
            return self._book.catalogue.ingredients[token].name
        return token.replace("_", " ")


_SUBJECTS = frozenset({("ingredient", "one_of"), ("class", "has_any"), ("class", "has_all")})
