"""What of the lists by which patients are read is not the same in two rulebooks, and which names it concerns.

What rules say is compared for all patients who are read alike by both. Whoever sends a name that is read otherwise, or
something so near it that it is offered, is none of them. Which names those are is known in full, since an entry of a list is
read by whole names and by codes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from careplan.facts.used_fields import looked_at
from careplan.recognition.medicine_catalogue import Catalogue, Match, display
from careplan.recognition.medicine_rows import Ingredient
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.folder import Files
from careplan.rulebook.model import Rulebook

_CODE = "RxNorm "
_IN_WORDS_ONLY = frozenset(
    {
        *("name", "classes", "half_life_hours", "active_metabolite", "half_life_read", "rxcui", "rxcui_status", "atc"),
        *("names", "brands", "rescue_brands", "depot_brands", "note"),
    }
)
"""What of a row rules do not look at, beside the classes and names, which are compared by themselves."""


class Renamed(NamedTuple):
    """Names and codes that are read otherwise, all of them alike: as which medicine before, and as which now."""

    names: tuple[str, ...]
    before: Match | None
    after: Match | None

    @property
    def tokens(self) -> frozenset[str]:
        """The tokens by which rules may speak of what they stood for or stand for."""
        return frozenset(
            token for match in (self.before, self.after) if match for row in match.ingredients for token in row.tokens
        )

    def sent(self) -> dict[str, Any]:
        """A patient who sends the first of them and nothing else."""
        name = self.names[0]
        return {"medications": [{"rxcui": name.removeprefix(_CODE)} if name.startswith(_CODE) else {"name": name}]}


def renamed(before: Catalogue, after: Catalogue) -> list[Renamed]:
    """The names and codes that the lists of medicines read otherwise, in the order of the names."""
    sides = [_read_as(side) for side in (before, after)]
    grouped: dict[tuple[object, object], tuple[list[str], Match | None, Match | None]] = {}
    for name in sorted(sides[0].keys() | sides[1].keys()):
        was, now = (side.get(name) for side in sides)
        if _meaning(was) != _meaning(now):
            grouped.setdefault((_meaning(was), _meaning(now)), ([], was, now))[0].append(name)
    return [Renamed(tuple(names), was, now) for names, was, now in grouped.values()]


def _read_as(catalogue: Catalogue) -> dict[str, Match]:
    return dict(catalogue.spellings()) | {_CODE + code: match for code, match in catalogue.by_code.items()}


def _meaning(match: Match | None) -> object:
    """What of a name's meaning rules and plans look at; what its medicine is called by it is words."""
    if match is None:
        return None
    return tuple(row.ingredient for row in match.ingredients), match.also_contains, match.rescue, match.depot


def in_words(match: Match | None) -> str:
    """What a name stands for, for a reader; nothing for one that stands for no medicine of the list."""
    if match is None:
        return ""
    return display(msgspec.structs.replace(match, called=""))


def one_sided(before: Rulebook, after: Rulebook) -> tuple[list[Ingredient], list[Ingredient]]:
    """The rows of the table of medicines that are gone, and those that are new."""
    old, new = (book.catalogue.ingredients for book in (before, after))
    return [old[name] for name in old if name not in new], [new[name] for name in new if name not in old]


def moved_classes(before: Rulebook, after: Rulebook) -> frozenset[str]:
    """The classes that medicines of both lists have joined or left."""
    old, new = (book.catalogue.ingredients for book in (before, after))
    return frozenset[str]().union(*(set(old[name].classes) ^ set(new[name].classes) for name in old.keys() & new.keys()))


def rules_that_name(book: Rulebook, tokens: frozenset[str]) -> list[str]:
    """The rules of a book that name one of these medicines or classes, themselves or by what they derive."""
    return [
        rule.id
        for rule in book.in_order()
        if any(
            not tokens.isdisjoint(map(str, test.values))
            for pattern in behind(book.derived, rule.when)
            for test in tests_of(pattern.tests)
        )
    ]


def not_compared(before: Rulebook, after: Rulebook) -> Iterator[str]:
    """What of the lists is not the same, of which it is not proved what it does."""
    yield from _rows_with_other_figures(before, after)
    for name, of in _LISTS.items():
        if of(before) != of(after):
            yield name
    both = before.catalogue.ingredients.keys() & after.catalogue.ingredients.keys()
    if _silent(before, both) != _silent(after, both):
        yield "which medicines no rule looks at"


def _rows_with_other_figures(before: Rulebook, after: Rulebook) -> Iterator[str]:
    old, new = (book.catalogue.ingredients for book in (before, after))
    for name in old:
        if name in new:
            fields = [field for field in Ingredient.__struct_fields__ if field not in _IN_WORDS_ONLY]
            other = [field for field in fields if getattr(old[name], field) != getattr(new[name], field)]
            if other:
                yield f"{', '.join(other)} of {name}"


def _silent(book: Rulebook, others: Collection[str]) -> frozenset[str]:
    """The medicines of both lists that no rule looks at."""
    used = looked_at(book)
    rows = book.catalogue.ingredients.values()
    return frozenset(row.ingredient for row in rows if row.ingredient in others and used.isdisjoint(row.tokens))


_LISTS: Mapping[str, Callable[[Rulebook], object]] = {
    "the classes of medicines": lambda book: book.classes,
    "the illnesses": lambda book: book.conditions,
    "the measures": lambda book: book.vocabulary.measures,
    "the words by which goals are read": lambda book: book.goals.words,
    "which figures of a protocol can be meant": lambda book: book.about.plausible,
    "how much drinking closes the question of a hold": lambda book: book.about.drinks_that_close_holds,
}


def files_not_compared(before: Files, after: Files) -> list[str]:
    """Files by which entries are read and doses reckoned that are not the same, and of which nothing is proved."""
    return [
        str(path)
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path) and (str(path) in _READ_BY or path.parts[0] == "vocabulary")
    ]


_READ_BY = frozenset(
    {
        *("codes.yaml", "dose_equivalents.csv", "illness_words.yaml", "known_names.yaml", "list_words.yaml"),
        "local_medicines.csv",
    }
)
