"""What stands behind a derived fact, in words: what it rests on, the medicines that were counted, the date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from careplan.facts.case import Basis, Case, Fact
from careplan.plan.model import About
from careplan.plan.pattern_focus import Focus
from careplan.plan.phrases import FactPhrases
from careplan.rulebook.model import Rulebook

Because = Callable[[Iterable[Fact], Iterable[Focus]], list[str]]
Entries = Callable[[Fact, Focus], Iterator[About]]


class DerivedWords:
    """The words of one case for what is derived. What it rests on is put into words as everywhere else."""

    def __init__(self, book: Rulebook, case: Case, phrases: FactPhrases, because: Because, about: Entries) -> None:
        self._derived = book.derived
        self._case = case
        self._phrases = phrases
        self._because = because
        self._about = about

    def behind(self, fact: Fact, field: str) -> str:
        """What stands behind a phrase about a derived fact, in brackets after it."""
        derived, basis = self._derived[field], self._basis(fact, field)
        if derived.date:
            kind, _, name = derived.date.partition(".")
            sent = getattr(getattr(self._case.patient, kind), name)
            said = [] if sent is None else [sent.date().isoformat()]
        elif derived.counted is not None:
            said = [entry.name for fact, focus in self._looked_at(basis) for entry in self._about(fact, focus)]
        else:
            said = [words for fact, focus in self._looked_at(basis) for words in self._because([fact], [focus])]
        return f" ({'; '.join(dict.fromkeys(said))})" if said else ""

    def about(self, fact: Fact, fields: Sequence[str]) -> Iterator[About]:
        """The entries of the request on which derived facts rest."""
        for field in fields:
            if date := self._derived[field].date:
                yield About(pointer=f"/{date.replace('.', '/')}", index=0, name=self._derived[field].file.label)
            for below, focus in self._looked_at(self._basis(fact, field)):
                yield from self._about(below, focus)

    def facts(self, facts: Iterable[Fact]) -> list[Fact]:
        """Facts, and after them those on which the derived ones among them rest."""
        found = list(facts)
        return found + [
            below for fact in found for basis in self._case.derived.get(fact.kind, {}).values() for _, below in basis.behind
        ]

    def _basis(self, fact: Fact, field: str) -> Basis:
        return self._case.derived[fact.kind][field]

    def _looked_at(self, basis: Basis) -> Iterator[tuple[Fact, Focus]]:
        for pattern, fact in basis.behind:
            yield fact, self._phrases.focus(pattern)
