"""What an answer is called, put together once for a rulebook: a phrase for each value that a field can have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from careplan.facts.case import Value
from careplan.plan.pattern_focus import Focus, Phrases, looked_at
from careplan.rulebook.conditions import Pattern
from careplan.rulebook.factors import KINDS, least_of, member, most_of
from careplan.rulebook.model import FieldWords, Rulebook
from careplan.rulebook.text_template import number, with_value

MOST_NAMED_ABSENT = 2
"""So many that are absent have a phrase of their own; more share one."""

MOST_NAMED_TOGETHER = 6

LISTS = frozenset({"takes", "has"})
"""The fields about a list, which are called what the patient does with its entries."""


class FieldPhrases:
    """The phrases of one field. Only numbers are put into words anew."""

    def __init__(self, field: str, words: FieldWords, values: Mapping[str, str]) -> None:
        """`values` are the words for the tokens that the field can have; of a boolean those of "true" and "false"."""
        self.name = field
        self._says = words.says
        self.unknown = words.unknown
        self._values = dict(values)
        self._phrases: dict[Value, str] = {token: with_value(self._says, said) for token, said in values.items()}
        for answer, token in ((True, "true"), (False, "false")):
            if token in self._phrases:
                self._phrases[answer] = self._phrases[token]

    def add(self, properties: Mapping[str, Value], into: list[str]) -> None:
        """Put the phrase after what is in `into`."""
        value = properties.get(self.name)
        into.append(self.unknown if value is None else self._phrases.get(value) or self.said(value))

    def held(self, properties: Mapping[str, Value]) -> str | None:
        """What a fact with these properties holds, in words; None if it holds no value."""
        value = properties.get(self.name)
        return None if value is None else self.value(value)

    def said(self, value: Value) -> str:
        """A value as the phrase that the vocabulary has for its field."""
        return self._phrases.get(value) or self.saying(self.value(value))

    def saying(self, words: str) -> str:
        """The phrase with other words in the place of the value."""
        return with_value(self._says, words)

    def value(self, value: Value) -> str:
        """A value in words."""
        if isinstance(value, float | int) and not isinstance(value, bool):
            return number(value)
        token = _token(value)
        return self._values.get(token) or token.replace("_", " ")


class SpanPhrases(FieldPhrases):
    """The phrases of a number that is known from its least to its most, such as the milligrams taken a day."""

    def add(self, properties: Mapping[str, Value], into: list[str]) -> None:
        """Put the phrase after what is in `into`; that the number is unknown where nothing bounds it on either side."""
        least, most = self._span(properties)
        into.append(self.unknown if not least and most is None else self.saying(_span_words(least or 0, most)))

    def held(self, properties: Mapping[str, Value]) -> str | None:
        """The span in words; None if the fact has none."""
        least, most = self._span(properties)
        return None if least is None else _span_words(least, most)

    def _span(self, properties: Mapping[str, Value]) -> tuple[float | None, float | None]:
        least, most = properties.get(least_of(self.name)), properties.get(most_of(self.name))
        return None if least is None else float(least), None if most is None else float(most)


def _span_words(least: float, most: float | None) -> str:
    if most is None:
        return f"at least {_rounded(least)}" if least else "an unknown number of"
    if least == most:
        return _rounded(most)
    return f"{_rounded(least)} to {_rounded(most)}" if least else f"up to {_rounded(most)}"


def _rounded(value: float) -> str:
    return number(round(value, 2))


class ListPhrases:
    """The phrases about a list: which of the tokens that a rule names are in it, and which are not."""

    def __init__(self, field: str, labels: Mapping[str, str]) -> None:
        """`labels` are what the tokens are called."""
        self._field = field
        self._tokens = [(member(field, token), f"{field} {labels[token]}", labels[token]) for token in sorted(labels)]
        self._none = self._without([label for _, _, label in self._tokens])

    def add(self, properties: Mapping[str, Value], into: list[str]) -> None:
        """Put what is taken or had after what is in `into`; what is not there in one phrase if it is much."""
        absent = []
        for name, there, label in self._tokens:
            value = properties.get(name)
            if value:
                into.append(there)
            elif value is False:
                absent.append(label)
        if absent:
            into += self._none if len(absent) == len(self._tokens) else self._without(absent)

    def _without(self, labels: Sequence[str]) -> list[str]:
        if len(labels) <= MOST_NAMED_ABSENT:
            return [f"{self._field} no {label.removeprefix('an ').removeprefix('a ')}" for label in labels]
        named, more = labels[:MOST_NAMED_TOGETHER], len(labels) - MOST_NAMED_TOGETHER
        return [f"{self._field} none of these: {', '.join(named)}" + (f" and {more} more" if more > 0 else "")]


class FactPhrases:
    """The phrases of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._fields = {
            name: _made_for(name)(name.partition(".")[2], words, self._values(name, words))
            for name, words in book.vocabulary.fields.items()
        }
        behind = (pattern for derived in book.derived.values() for pattern in derived.patterns)
        self._behind_derived = {pattern: self._focus(pattern) for pattern in behind}

    def focus(self, pattern: Pattern) -> Focus:
        """What a pattern looks at, with its phrases; of what derived facts rest on it is known from the start."""
        return self._behind_derived.get(pattern) or self._focus(pattern)

    def field(self, kind: str, field: str) -> FieldPhrases:
        """The phrases of one field of a kind of fact. Raises `KeyError` if the vocabulary has none."""
        return self._fields[f"{kind}.{field}"]

    def token(self, field: str, token: str) -> str:
        """What a token of a list is called: an illness, or a class or ingredient of medicines."""
        if field == "has":
            return self._book.conditions[token].label
        if token in self._book.classes:
            return self._book.classes[token].plural
        return self._book.catalogue.ingredients[token].name

    def _focus(self, pattern: Pattern) -> Focus:
        fields, tokens = looked_at(pattern.kind, pattern.tests)
        phrases: Phrases = tuple(
            self._of_list(field, tokens) if field in LISTS else self.field(pattern.kind, field) for field in fields
        )
        return Focus(fields, tokens, phrases)

    def _of_list(self, field: str, tokens: Iterable[str]) -> ListPhrases:
        known = self._book.conditions if field == "has" else {*self._book.classes, *self._book.catalogue.ingredients}
        return ListPhrases(field, {token: self.token(field, token) for token in tokens if token in known})

    def _values(self, name: str, words: FieldWords) -> dict[str, str]:
        kind, _, field = name.partition(".")
        if name == "condition.name":
            return {token: condition.label for token, condition in self._book.conditions.items()}
        kinds = self._book.kinds
        described = kinds[kind].fields.get(field) if kind in kinds else None
        tokens = ("true", "false") if described and described.type == "boolean" else described.tokens if described else ()
        return {token: words.values.get(token, token.replace("_", " ")) for token in (*tokens, *words.values)}


def _made_for(name: str) -> type[FieldPhrases]:
    kind, _, field = name.partition(".")
    described = KINDS[kind].fields.get(field, KINDS[kind].declared) if kind in KINDS else None
    return SpanPhrases if described is not None and described.between else FieldPhrases


def _token(value: Value) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
