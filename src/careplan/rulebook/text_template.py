"""Texts with places to fill in, such as "You sleep about {lifestyle.sleep_hours_per_night} hours"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter

import msgspec


class Text(msgspec.Struct, frozen=True):
    """A text split once at load: literal pieces and the names of what goes between them."""

    pieces: tuple[tuple[str, str], ...]
    of_one: tuple[tuple[int, str], ...] = ()
    """The literals that count what stands before them, by their numbers, as they read after a one."""

    @classmethod
    def parse(cls, source: str) -> Text:
        """Split `source` at its `{names}`. Raises ValueError for braces that do not pair."""
        pieces = []
        for literal, name, spec, conversion in Formatter().parse(one_line(source)):
            if spec or conversion:
                raise ValueError("only plain {names} are possible in a text")
            pieces.append((literal, name or ""))
        of_one = [
            (at, one)
            for at, (literal, _) in enumerate(pieces)
            if at and pieces[at - 1][1] and (one := _singular(literal)) != literal
        ]
        return cls(tuple(pieces), tuple(of_one))

    @property
    def names(self) -> frozenset[str]:
        """The names to fill in."""
        return frozenset(name for _, name in self.pieces if name)

    def fill(self, words: Mapping[str, str]) -> str:
        """The text with every name replaced by its words. Raises KeyError for a name that has none."""
        if self.of_one:
            return self._counted(words)
        return "".join([literal + words[name] if name else literal for literal, name in self.pieces])

    def _counted(self, words: Mapping[str, str]) -> str:
        """The text with every name replaced, and "sessions" read as "session" after a one."""
        literals = [literal for literal, _ in self.pieces]
        for at, singular in self.of_one:
            if words[self.pieces[at - 1][1]] == "1":
                literals[at] = singular
        return "".join(literals[at] + (words[name] if name else "") for at, (_, name) in enumerate(self.pieces))

    @property
    def constant(self) -> str | None:
        """The whole text where nothing is to be filled in."""
        return None if self.names else self.fill({})

    def bare(self) -> str:
        """The text when there is nobody to fill it in for: "Plan {medicine}" as "Plan the medicine"."""
        return self.fill({name: f"the {name.rpartition('.')[2].replace('_', ' ')}" for name in self.names})


def capitalized(text: str) -> str:
    """A sentence with a capital at its beginning, unless its first word has one further on, as in pH."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.islower() else text


def one_line(text: str) -> str:
    """A text without line breaks and double spaces."""
    return " ".join(text.split())


def spaced(token: str) -> str:
    """A token as words."""
    return token.replace("_", " ")


def in_words(names: list[str]) -> str:
    """A list read aloud: "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


_ONE = {
    "sessions": "session",
    "visits": "visit",
    "hours": "hour",
    "minutes": "minute",
    "days": "day",
    "weeks": "week",
    "months": "month",
    "years": "year",
    "drinks": "drink",
    "people": "person",
    "medicines": "medicine",
    "ingredients": "ingredient",
    "goals": "goal",
    "sesiones": "sesión",
    "horas": "hora",
    "minutos": "minuto",
    "semanas": "semana",
    "personas": "persona",
}
"""What texts count, many and one, in every language that texts are written in."""
_COUNTS = re.compile(rf"( (?:[a-z]+ )?)({'|'.join(_ONE)})\b")


def _singular(after: str) -> str:
    """What stands after a number, as it reads after a one."""
    return _COUNTS.sub(lambda found: found[1] + _ONE[found[2]], after, count=1) if _COUNTS.match(after) else after


def with_value(says: str, value: str) -> str:
    """A phrase of the vocabulary with its {value}: "has 1 session left", "has 2 sessions left"."""
    if value == "1":
        before, place, after = says.partition("{value}")
        return f"{before}{value}{_singular(after)}" if place else says
    return says.replace("{value}", value)


def counted(amount: float, singular: str, plural: str = "") -> str:
    """An amount with its word: "1 session", "2 sessions", "1.5 hours"; `plural` where it is not the singular with an s."""
    figure = f"{amount:,}" if isinstance(amount, int) else number(amount)
    return f"{figure} {singular if amount == 1 else plural or f'{singular}s'}"


def rulebook_words(name: str, version: str, digest: str) -> str:
    """A rulebook as people read its name: id, version and the beginning of its digest."""
    return f"{name} {version} ({digest[:12]})"


def hours(value: float) -> str:
    """A number of hours: "1 hour", "7.5 hours"."""
    return counted(float(value), "hour")


def number(value: float) -> str:
    """A number as a person writes it: 7, 7.5, never 7.0 or 1e-05."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
