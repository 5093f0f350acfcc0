"""The works that a plan rests on, each once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from careplan.plan.model import Evidence, Item, Source
from careplan.rulebook.model import Rule, Rulebook


class Bibliography:
    """The sources of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._sources = book.sources

    def of(self, items: Iterable[Item]) -> list[Source]:
        """The works that items rest on, in the order in which they are first named, each with its places."""
        return self.naming(entry for item in items for entry in item.evidence)

    def naming(self, evidence: Iterable[Evidence]) -> list[Source]:
        """The works that evidence names, each with its places."""
        places: dict[str, dict[str, None]] = {}
        for entry in evidence:
            places.setdefault(entry.source, {})[entry.place] = None
        return [
            Source(
                id=name,
                title=self._sources[name].title,
                read=self._sources[name].read,
                edition=self._sources[name].edition,
                read_on=self._sources[name].read_on,
                places=list(found),
                founding=bool(self._sources[name].advice),
            )
            for name, found in places.items()
        ]

    def passages(self, rule: Rule) -> list[Evidence]:
        """What a rule rests on, each with its passage."""
        return [
            msgspec.structs.replace(entry, passage=self._sources[entry.source].passage(entry.place))
            for entry in evidence(rule)
        ]


def evidence(rule: Rule) -> list[Evidence]:
    """What a rule rests on."""
    return [Evidence(source=ref.source, place=ref.place, strength=ref.strength) for ref in rule.file.sources]
