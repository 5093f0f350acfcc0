"""The rulebook as pages to read: every rule in prose with its sources, examples and revisions. No script, no other site."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from careplan.authoring.coverage import by_source
from careplan.authoring.git_history import Revision
from careplan.explain.rule_view import Reading, tokens_of
from careplan.rulebook.model import SECTIONS, Rule, Rulebook
from careplan.rulebook.reviews import standing_of
from careplan.rulebook.text_template import one_line

MENU = (
    ("index.html", "Rules"),
    ("sources.html", "Sources"),
    ("facts.html", "Facts"),
    ("medicines.html", "Medicines"),
    ("conditions.html", "Conditions"),
)
"""The pages beside those of the rules, in the order of the menu."""

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content security policy that the pages keep."""


class Page(msgspec.Struct, frozen=True):
    """One file of the handbook. `etag` is quoted as HTTP wants it."""

    content: bytes
    media_type: str
    etag: str


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
        return ["style.css", *(file for file, _ in MENU), *(f"rules/{name}.html" for name in rules)]

    def page(self, path: str) -> Page | None:
        """The file at `path`, or None if there is none."""
        if path not in self._made:
            made = self._make(path)
            if made is None:
                return None
            content = made.encode()
            kind = "text/css" if path == "style.css" else "text/html"
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            self._made[path] = Page(content, kind, etag)
        return self._made[path]

    def _make(self, path: str) -> str | None:
        if path == "style.css":
            loader = self._environment.loader
            assert loader is not None
            return loader.get_source(self._environment, path)[0]
        if path.startswith("rules/") and path.endswith(".html"):
            name = path.removeprefix("rules/").removesuffix(".html")
            rule = self._book.rules.get(name) or self._book.resting.get(name)
            return self._rule(rule) if rule else None
        makers = {
            "index.html": self._index,
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
        return self._render(
            "rule.html",
            current="rule",
            up="../",
            rule=self._reading.detail(rule),
            decided=standing_of(rule, self._book).decisions.values(),
            exempt=rule.file.exempt,
            examples=rule.file.examples,
            history=self._history.get(rule.place, ()),
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
                f"{one.kind}.{one.file.name}": f"{self._reading.prose.derived(one)}. {one.file.rationale}" for one in derived
            },
        }

    def _medicines(self) -> dict[str, Any]:
        catalogue = self._book.catalogue
        return {
            "medicines": sorted(catalogue.ingredients.values(), key=lambda row: row.name.lower()),
            "combinations": sorted(catalogue.combinations, key=lambda row: row.product.lower()),
        }

    def _conditions(self) -> dict[str, Any]:
        return {"conditions": list(self._rules_by_condition())}

    def _rules_by_condition(self) -> Iterator[tuple[str, object, list[Rule]]]:
        tokens = [(rule, tokens_of(rule, self._book)) for rule in self._book.in_order()]
        for name, entry in sorted(self._book.conditions.items()):
            yield name, entry, [rule for rule, named in tokens if name in named]
