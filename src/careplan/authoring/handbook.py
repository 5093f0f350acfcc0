"""The rulebook as pages to read: every rule in prose with its sources, examples and history. Nothing of another site.

One page has a script, to search; all that it finds also stands in lists that need none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from careplan.authoring.coverage import by_source
from careplan.authoring.git_history import Revision
from careplan.authoring.handbook_lists import index_of, rules_by_illness, rules_by_medicine
from careplan.authoring.interaction_check import looked_at
from careplan.explain.rule_view import Reading, facts_of, tokens_of
from careplan.rulebook.model import SECTIONS, Rule, Rulebook
from careplan.rulebook.reviews import standing_of
from careplan.rulebook.text_template import one_line

MENU = (
    ("index.html", "Rules"),
    ("search.html", "Search"),
    ("sources.html", "Sources"),
    ("facts.html", "Facts"),
    ("medicines.html", "Medicines"),
    ("conditions.html", "Illnesses"),
)
"""The pages beside those of the rules, in the order of the menu."""

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content security policy that the pages keep."""
SEARCHING = f"{POLICY}; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
"""That of the one page with a script, which is a file beside it."""

_FILES = {"style.css": "text/css", "search.js": "text/javascript"}
_INDEX = "search-index.js"


class Page(msgspec.Struct, frozen=True):
    """One file of the handbook. `etag` is quoted as HTTP wants it."""

    content: bytes
    media_type: str
    etag: str
    policy: str = POLICY


class Handbook:
    """The pages of one rulebook, each made when it is first asked for."""

    def __init__(self, book: Rulebook, reading: Reading, history: Mapping[str, Sequence[Revision]]) -> None:
        self._book = book
        self._reading = reading
        self._history = history
        self._made: dict[str, Page] = {}
        self._environment = Environment(
            loader=PackageLoader("careplan.authoring"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["data"] = lambda value: msgspec.json.encode(value).decode()

    def paths(self) -> list[str]:
        """The path of every file, relative to the handbook's root."""
        rules = sorted({*self._book.rules, *self._book.resting})
        return [*_FILES, _INDEX, *(file for file, _ in MENU), *(f"rules/{name}.html" for name in rules)]

    def page(self, path: str) -> Page | None:
        """The file at `path`, or None if there is none."""
        if path not in self._made:
            text = self._make(path)
            if text is None:
                return None
            content = text.encode()
            kind = "text/javascript" if path == _INDEX else _FILES.get(path, "text/html")
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            self._made[path] = Page(content, kind, etag, SEARCHING if path == "search.html" else POLICY)
        return self._made[path]

    def _make(self, path: str) -> str | None:
        if path == _INDEX:
            return index_of(self._book, self._reading)
        if path in _FILES:
            loader = self._environment.loader
            assert loader is not None
            return loader.get_source(self._environment, path)[0]
        if path.startswith("rules/") and path.endswith(".html"):
            name = path.removeprefix("rules/").removesuffix(".html")
            rule = self._book.rules.get(name) or self._book.resting.get(name)
            return self._rule(rule) if rule else None
        makers = {
            "index.html": self._index,
            "search.html": dict,
            "sources.html": self._sources,
            "facts.html": self._facts,
            "medicines.html": self._medicines,
            "conditions.html": self._conditions,
        }
        return self._render(path, **makers[path]()) if path in makers else None

    def _render(self, template: str, *, current: str = "", up: str = "", **values: Any) -> str:
        disclaimer = one_line(self._book.about.disclaimer)
        page = self._environment.get_template(template)
        return page.render(book=self._book, disclaimer=disclaimer, menu=MENU, current=current or template, up=up, **values)

    def _rule(self, rule: Rule) -> str:
        asked = sorted(looked_at(self._book, rule))
        named = tokens_of(rule, self._book)
        return self._render(
            "rule.html",
            current="rule",
            up="../",
            rule=self._reading.detail(rule),
            decided=standing_of(rule, self._book).decisions.values(),
            decisions=[one for one in self._book.decisions if one.rule == rule.id],
            exempt=rule.file.exempt,
            examples=rule.file.examples,
            place=rule.place,
            history=self._history.get(rule.place, ()),
            facts=[name for name in facts_of(rule, self._book) if name in self._book.vocabulary.fields],
            classes=[name for name in asked if name in self._book.classes],
            ingredients=[name for name in asked if name in self._book.catalogue.ingredients],
            conditions=sorted(name for name in named if name in self._book.conditions),
        )

    def _index(self) -> dict[str, Any]:
        details = [self._reading.detail(rule) for rule in self._book.in_order()]
        statuses = [rule.status for rule in details]
        return {
            "sections": [(section, [rule for rule in details if rule.section == section]) for section in SECTIONS],
            "statuses": [(status, statuses.count(status)) for status in sorted(set(statuses))],
            "resting": [self._reading.detail(rule) for _, rule in sorted(self._book.resting.items())],
        }

    def _sources(self) -> dict[str, Any]:
        places = by_source(self._book)
        return {"sources": [(name, source, places[name]) for name, source in self._book.sources.items()]}

    def _facts(self) -> dict[str, Any]:
        facts = self._reading.facts()
        words = self._book.vocabulary.fields
        derived = self._book.derived.values()
        return {
            "facts": [(name, words[name], rules) for name, rules in facts.items() if name in words],
            "meaning": {
                f"{fact.kind}.{fact.file.name}": f"{self._reading.prose.derived(fact)}. {fact.file.rationale}"
                for fact in derived
            },
        }

    def _medicines(self) -> dict[str, Any]:
        catalogue = self._book.catalogue
        return {
            "medicines": sorted(catalogue.ingredients.values(), key=lambda row: row.name.lower()),
            "combinations": sorted(catalogue.combinations, key=lambda row: row.product.lower()),
            "classes": sorted(self._book.classes.items(), key=lambda entry: entry[1].label.lower()),
            "rules": rules_by_medicine(self._book),
        }

    def _conditions(self) -> dict[str, Any]:
        entries = sorted(self._book.conditions.items(), key=lambda entry: entry[1].label.lower())
        return {"conditions": [(name, entry, *rules) for (name, entry), rules in rules_by_illness(self._book, entries)]}
