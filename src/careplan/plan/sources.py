"""The works that a plan rests on, each once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter

from msgspec.structs import replace

from careplan.plan.model import Evidence, Item, Source
from careplan.rulebook.model import Rule, Rulebook

_evidence = attrgetter("evidence")
_where = attrgetter("source", "place")


class Bibliography:
    """The sources of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._sources = book.sources
        self._without_places = {
            name: Source(
                id=name,
                title=source.title,
                read=source.read,
                edition=source.edition,
                read_on=source.read_on,
                places=[],
                founding=bool(source.advice),
            )
            for name, source in book.sources.items()
        }

    def of(self, items: Iterable[Item]) -> list[Source]:
        """The works that items rest on, in the order in which they are first named, each with its places."""
        return self.naming(chain.from_iterable(map(_evidence, items)))

    def naming(self, evidence: Iterable[Evidence]) -> list[Source]:
        """The works that evidence names, each with its places."""
        places: dict[str, list[str]] = {}
        for source, place in dict.fromkeys(map(_where, evidence)):
            places.setdefault(source, []).append(place)
        return [replace(self._without_places[source], places=found) for source, found in places.items()]

    def passages(self, rule: Rule) -> list[Evidence]:
        """What a rule rests on, each with its passage."""
        return [replace(entry, passage=self._sources[entry.source].passage(entry.place)) for entry in evidence(rule)]


def evidence(rule: Rule) -> list[Evidence]:
    """What a rule rests on."""
    return [Evidence(source=ref.source, place=ref.place, strength=ref.strength) for ref in rule.file.sources]
