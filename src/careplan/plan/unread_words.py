"""How a plan names the entries that nobody could read, and what an item presumes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from careplan.facts.case import Case, Fact
from careplan.facts.unread_entries import Entries
from careplan.plan.model import About, Assumption
from careplan.recognition.illness_codes import without_code
from careplan.recognition.illness_read import Recognition
from careplan.recognition.medicine_catalogue import display
from careplan.recognition.plain_text import plain
from careplan.request.patient import ListName
from careplan.rulebook.conditions import LISTS_WITH_ENTRIES, Group, tests_of
from careplan.rulebook.derived import Derived, presumed_absent
from careplan.rulebook.factors import member
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import in_words, one_line

_LISTS: tuple[ListName, ...] = ("medications", "conditions", "goals")
_LIST_OF: dict[str, ListName] = {"regimen": "medications", "history": "conditions", "goals": "goals"}
_MISSING: dict[ListName, str] = {
    "medications": "what is missing from the list of medicines",
    "conditions": "what is missing from the list of illnesses",
    "goals": "what is missing from the list of goals",
}
_NOT_SHOWN = "an entry that a clinician goes through with you"
"""What the patient's paper says in the place of an entry that tells of harm at home."""

_COUNTED = {"diazepam_mg_a_day": "benzodiazepine", "morphine_mg_a_day": "opioid"}
"""Totals over the list, with the class that an entry must not be for a total to be all there is."""


class Absence(NamedTuple):
    """What a group of tests says not to be there: the kind of the list, the field and the tokens.

    `always` is True where it is presumed of every entry that was not read, whatever the list says.
    """

    kind: str
    field: str
    tokens: tuple[str, ...]
    always: bool = False


def absences(group: Group, derived: Mapping[str, Derived]) -> tuple[Absence, ...]:
    """Everything that a group of patterns says not to be in a list, found once per rule."""
    found = []
    for pattern in group:
        found += [Absence(kind, "", tokens, always=True) for kind, tokens in presumed_absent(derived, pattern)]
        for test in tests_of(pattern.tests):
            if pattern.kind in LISTS_WITH_ENTRIES and test.operation == "has_none":
                found.append(Absence(pattern.kind, test.field, tuple(map(str, test.values))))
            elif (
                pattern.kind == "regimen" and test.field in _COUNTED and test.operation in ("at_most", "less_than", "known")
            ):
                found.append(Absence("regimen", test.field, (_COUNTED[test.field],)))
            elif (pattern.kind, test.field, test.operation) == ("goals", "all_clear", "one_of") and True in test.values:
                found.append(Absence("goals", "all_clear", ()))
    return tuple(dict.fromkeys(found))


class UnreadWords:
    """Words for the entries of one case that were not read, or that are known though no rule concerns them."""

    def __init__(self, book: Rulebook, case: Case) -> None:
        self._book = book
        self._case = case
        self._unread: dict[ListName, list[str]] = {}

    def quoted(self, entries: Entries, *, with_offers: bool = False) -> str:
        """The entries as the caller wrote them; `with_offers` with the near names that could be meant."""
        names = [name for of in _LISTS for name in self._names(entries, of, with_offers=with_offers)]
        names += [_MISSING[of] for of in entries.incomplete]
        return in_words(names)

    def on_paper(self, entries: Entries) -> str:
        """The same for the patient's paper, which others may read: what tells of harm at home is not repeated on it."""
        names = [name for of in _LISTS for name in self._names(entries, of)]
        shown = [_NOT_SHOWN if self._book.known_conditions.off_paper.search(plain(name)[0]) else name for name in names]
        return in_words(list(dict.fromkeys([*shown, *(_MISSING[of] for of in entries.incomplete)])))

    def about(self, entries: Entries) -> Iterator[About]:
        """Where the entries stand, each with its name."""
        for of in _LISTS:
            for pointer, at, name in zip(
                entries.pointers(of), (*entries.of(of), 0), (*self._plain(entries, of), _MISSING[of]), strict=False
            ):
                yield About(pointer=pointer, index=at, name=name if of == "medications" else _without_marks(name))

    def assumptions(self, of_groups: Iterable[tuple[Absence, ...]], facts: dict[str, Fact]) -> list[Assumption]:
        """What an item presumes, of all the groups of tests by which it is there."""
        tokens: dict[ListName, dict[str, None]] = {}
        for absence in (absence for group in of_groups for absence in group):
            name = _LIST_OF[absence.kind]
            if self._case.unread.any_of(name) and self._presumed(absence, facts.get(absence.kind)):
                tokens.setdefault(name, {}).update(dict.fromkeys(absence.tokens))
        return [self._assumption(name, list(tokens[name])) for name in _LISTS if name in tokens]

    def _presumed(self, absence: Absence, fact: Fact | None) -> bool:
        if absence.always or fact is None:
            return absence.always
        if absence.kind == "goals":
            return fact.properties.get(absence.field) is True
        if absence.field in _COUNTED:
            return True
        return all(fact.properties.get(member(absence.field, token)) is False for token in absence.tokens)

    def _assumption(self, name: ListName, tokens: list[str]) -> Assumption:
        unread = self._case.unread
        if name not in self._unread:
            missing = [_MISSING[name]] if name in unread.incomplete else []
            self._unread[name] = [*self._names(unread, name), *missing]
        entries = self._unread[name]
        labels = [self._label(name, token) for token in tokens] or ["a goal that raises a question of safety"]
        if len(entries) == 1:
            without = [f"no {label.removeprefix('an ').removeprefix('a ')}" for label in labels]
            words = f"assumes that {entries[0]} is {in_words(without)}"
        else:
            words = f"assumes that none of {in_words(entries)} is {_either(labels)}"
        return Assumption(pointers=list(unread.pointers(name)), words=words)

    def _label(self, name: ListName, token: str) -> str:
        if name == "conditions":
            return self._book.conditions[token].label
        if token in self._book.classes:
            label = self._book.classes[token].label
            return f"{'an' if label[:1].lower() in 'aeiou' else 'a'} {label}"
        return self._book.catalogue.ingredients[token].name

    def _names(self, entries: Entries, name: ListName, *, with_offers: bool = False) -> Iterator[str]:
        for at, written in zip(entries.of(name), self._plain(entries, name), strict=True):
            offers = tuple(self._offers(name, at)) if with_offers else ()
            yield f"{written} (near names: {', '.join(offers)})" if offers else written

    def _offers(self, name: ListName, at: int) -> Iterator[str]:
        """What an entry that was not read may mean."""
        if name == "medications":
            yield from self._case.medicines[at].suggestions
        elif name == "conditions":
            for token in self._case.illnesses.read[at].offers:
                if token in self._book.conditions:
                    yield self._book.conditions[token].label

    def _plain(self, entries: Entries, name: ListName) -> Iterator[str]:
        patient = self._case.patient
        for at in entries.of(name):
            if name == "medications":
                yield self._medicine(at)
            elif name == "conditions":
                yield self._illness(at, known=entries is self._case.known)
            else:
                yield f"“{one_line((patient.expectations.goals or [])[at])}”"

    def _illness(self, at: int, *, known: bool) -> str:
        """What is written of an illness: of an entry of several, the parts that are meant."""
        written = self._case.patient.other_conditions[at]
        read = self._case.illnesses.read[at]
        kind: Recognition = "known" if known else "unread"
        parts = [written[part.start : part.end] for part in read.parts if part.recognition == kind]
        if len(parts) == len(read.parts):
            parts = [written]
        called = [without_code(part) if known else part for part in parts]
        return in_words([f"“{one_line(part)}”" for part in called])

    def contradicted(self) -> str:
        """The entries that say that something is not there which another one says to be there, with what that is."""
        found = []
        tokens = self._case.illnesses.tokens
        for at in self._case.illnesses.contradicted:
            written = one_line(self._case.patient.other_conditions[at])
            labels = [self._book.conditions[one].label for one in self._case.illnesses.read[at].denied if one in tokens]
            found.append(
                f"“{written}” against {in_words(labels)}" if labels else f"“{written}” against an answer that was sent"
            )
        return in_words(found)

    def _medicine(self, at: int) -> str:
        resolved = self._case.medicines[at]
        if resolved.match and resolved.is_named_by_us:
            return display(resolved.match)
        if resolved.entry.written:
            return f"“{one_line(resolved.entry.written)}”"
        return f"RxNorm code {resolved.entry.rxcui}"


def _without_marks(name: str) -> str:
    """A name without the marks around it; of several parts, with a comma between two."""
    return ", ".join(part for part in re.split(r"”?(?:,| and)? ?“|”", name) if part)


def _either(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"
