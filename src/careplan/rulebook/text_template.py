"""Texts with places to fill in, such as "You sleep about {lifestyle.sleep_hours_per_night} hours"."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

import msgspec


class Text(msgspec.Struct, frozen=True):
    """A text split once at load: literal pieces and the names of what goes between them."""

    pieces: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, source: str) -> Text:
        """Split `source` at its `{names}`. Raises ValueError for braces that do not pair."""
        pieces = []
        for literal, name, spec, conversion in Formatter().parse(" ".join(source.split())):
            if spec or conversion:
                raise ValueError("only plain {names} are possible in a text")
            pieces.append((literal, name or ""))
        return cls(tuple(pieces))

    @property
    def names(self) -> frozenset[str]:
        """The names to fill in."""
        return frozenset(name for _, name in self.pieces if name)

    def fill(self, words: Mapping[str, str]) -> str:
        """The text with every name replaced by its words. Raises KeyError for a name that has none."""
        if len(self.pieces) == 1 and not self.pieces[0][1]:
            return self.pieces[0][0]
        return "".join([literal + words[name] if name else literal for literal, name in self.pieces])

    @property
    def constant(self) -> str | None:
        """The whole text where nothing is to be filled in."""
        return None if self.names else self.fill({})

    def bare(self) -> str:
        """The text when there is nobody to fill it in for: "Plan {medicine}" as "Plan the medicine"."""
        return self.fill({name: f"the {name.rpartition('.')[2].replace('_', ' ')}" for name in self.names})


def in_words(names: list[str]) -> str:
    """A list read aloud: "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def hours(value: float) -> str:
    """A number of hours: "1 hour", "7.5 hours"."""
    return f"{number(value)} hour{'' if value == 1 else 's'}"


def number(value: float) -> str:
    """A number as a person writes it: 7, 7.5, never 7.0 or 1e-05."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
