"""Rules by what they are about, for the pages of a rulebook: by medicine, by illness, and by any word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from careplan.authoring.interaction_check import looked_at
from careplan.explain.rule_view import Reading, tokens_of
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import asserted
from careplan.rulebook.model import Rule, Rulebook

_Entry = TypeVar("_Entry")
_IS = ("has_any", "has_all", "one_of", "one_of_or_unknown")
_SHORTEST = 3


def rules_by_medicine(book: Rulebook) -> dict[str, list[Rule]]:
    """For each class and each ingredient, the running rules that ask for it by its own name, in the order of the plan."""
    found: dict[str, list[Rule]] = {name: [] for name in (*book.classes, *book.catalogue.ingredients)}
    for rule in book.in_order():
        for name in looked_at(book, rule):
            found[name].append(rule)
    return found


def rules_by_illness(
    book: Rulebook, entries: Iterable[tuple[str, _Entry]]
) -> Iterator[tuple[tuple[str, _Entry], tuple[list[Rule], list[Rule]]]]:
    """Each illness with the running rules that can hold because of it, and with those that look at it otherwise."""
    named = [(rule, _asked(rule, book), tokens_of(rule, book)) for rule in book.in_order()]
    for name, entry in entries:
        because = [rule for rule, asked, _ in named if name in asked]
        besides = [rule for rule, asked, tokens in named if name in tokens and name not in asked]
        yield (name, entry), (because, besides)


def _asked(rule: Rule, book: Rulebook) -> set[str]:
    """The tokens that a rule asks to be there, by itself or by the derived facts that it says to hold."""
    patterns = [pattern for group in rule.when for pattern in group]
    patterns += [part for pattern in patterns for one in asserted(book.derived, pattern) for part in one.patterns]
    tests = (test for pattern in patterns for test in tests_of(pattern.tests) if test.operation in _IS)
    return {str(value) for test in tests for value in test.values}


def index_of(book: Rulebook, reading: Reading) -> str:
    """What the script searches: rules, medicines, illnesses and works, each with its page and the words that find it.

    A script and no bare JSON, since pages that lie in a folder may read no file but a script.
    """
    rows = [*_rules(book, reading), *_medicines(book), *_illnesses(book), *_works(book)]
    return f"globalThis.rulebookIndex = {msgspec.json.encode(rows).decode()};\n"


def _rules(book: Rulebook, reading: Reading) -> Iterator[dict[str, Any]]:
    for rule in (*book.in_order(), *(one for _, one in sorted(book.resting.items()))):
        detail = reading.detail(rule)
        texts = (detail.conditions, detail.line, detail.patient_text, detail.clinician_text, detail.rationale)
        state = book.vocabulary.levels[rule.file.level].label if rule.id in book.rules else rule.file.status
        about = f"Rule {rule.id}, {state}, {book.vocabulary.sections[rule.section].title.lower()}"
        yield _row(f"rules/{rule.id}.html", rule.file.title, about, texts)


def _medicines(book: Rulebook) -> Iterator[dict[str, Any]]:
    for row in sorted(book.catalogue.ingredients.values(), key=lambda one: one.name.lower()):
        labels = [book.classes[name].label for name in row.classes]
        about = f"Medicine, {', '.join(labels)}" if labels else "Medicine"
        yield _row(f"medicines.html#{row.ingredient}", row.name, about, (*row.names, *row.brands))
    for name, entry in sorted(book.classes.items()):
        yield _row(f"medicines.html#class-{name}", entry.label, "Class of medicines", (entry.plural,))


def _illnesses(book: Rulebook) -> Iterator[dict[str, Any]]:
    for name, entry in sorted(book.conditions.items(), key=lambda one: one[1].label.lower()):
        yield _row(f"conditions.html#{name}", entry.label, "Illness", (entry.patient_label, *entry.also, *entry.icd10))


def _works(book: Rulebook) -> Iterator[dict[str, Any]]:
    for name, source in book.sources.items():
        yield _row(f"sources.html#{name}", source.title, "Source", (source.by, name))


def _row(page: str, title: str, about: str, texts: Iterable[str]) -> dict[str, Any]:
    words = {word for word in re.findall(r"[\w.-]+", " ".join(texts).lower()) if len(word) >= _SHORTEST}
    return {"page": page, "title": title, "about": about, "words": " ".join(sorted(words))}
