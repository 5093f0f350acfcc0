"""What the schema of rules allows at a place in a rule's text: keys and tokens of this rulebook, each with its words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from careplan.authoring.editor_schema import rule_schema
from careplan.authoring.workbench.rule_text import Cursor, Path, cursor, keys, scalars
from careplan.request.patient import Patient
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]

MOST = 60
"""Of all that fits, so many are offered; who wants another types on."""
_FEW = 6
"""An object of at most so many keys is offered as a value, in brackets: {less_than: }."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to write: its name, what is put into the text, what it means, and how far from its end the caret goes."""

    name: str
    text: str
    says: str = ""
    back: int = 0


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What can be written in place of the text from `start` to `end`; `more` counts what fits and is not listed."""

    start: int = 0
    end: int = 0
    offers: list[Offer] = []
    more: int = 0


class Completion:
    """The schema of one rulebook, asked at places of a text."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._schema = _with_patients(rule_schema(book), book)

    def at(self, text: str, at: int) -> Offers:
        """What can be written at a place of the text."""
        place = cursor(text, at)
        if place is None:
            return Offers()
        nodes = list(self.nodes(place.path))
        there = keys(text).get(place.path, set()) - {text[place.start : place.end]}
        offers = []
        if place.key:
            offers += [one for one in self._keys(nodes, place) if one.name not in there]
        if place.value:
            offers += self._values(nodes, place.path)
            offers += self._places(text, place)
        sought = place.typed.lower()
        fitting = sorted(
            (one for one in offers if _fits(sought, one)), key=lambda one: not one.name.lower().startswith(sought)
        )
        if [one.text for one in fitting] == [place.typed]:
            fitting = []
        return Offers(start=place.start, end=place.end, offers=fitting[:MOST], more=max(0, len(fitting) - MOST))

    def nodes(self, path: Path) -> Iterator[Json]:
        """The parts of the schema that a value at a path may have."""
        found = [self._schema]
        for step in path:
            found = [part for node in found for one in self._spread(node) for part in _inside(one, step)]
        for node in found:
            yield from self._spread(node)

    def tokens(self, path: Path) -> list[str]:
        """The tokens that a value at a path may be."""
        return list(dict.fromkeys(token for node in self.nodes(path) for token in _tokens(node)))

    def says(self, path: Path, token: str) -> str:
        """What a token means there; "" where it says all itself."""
        book = self._book
        words = next((one for one in map(book.vocabulary.fields.get, fields_of(path)) if one), None)
        if words is not None and token in words.values:
            return words.values[token]
        where = next((step for step in reversed(path) if isinstance(step, str)), "")
        named: dict[str, Any] = {"source": book.sources, "topic": book.vocabulary.topics}
        if where in named:
            entry = named[where].get(token)
            return entry.title if entry else ""
        if where == "level" and token in book.vocabulary.levels:
            return str(next(words.meaning for name, words in book.vocabulary.levels.items() if name == token))
        if token in book.conditions:
            return book.conditions[token].label
        if token in book.classes:
            return book.classes[token].label
        return book.catalogue.ingredients[token].name if token in book.catalogue.ingredients else ""

    def _keys(self, nodes: Iterable[Json], place: Cursor) -> Iterator[Offer]:
        seen = set()
        for node in nodes:
            for name, inner in node.get("properties", {}).items():
                if name in seen:
                    continue
                seen.add(name)
                parts = list(self._spread(inner))
                field = self._book.vocabulary.fields.get(".".join((*map(str, place.path[-1:]), name)))
                says = inner.get("description") or (field.label if field else "")
                yield Offer(name=name, says=says, **_written(name, parts, place))

    def _values(self, nodes: Iterable[Json], path: Path) -> Iterator[Offer]:
        for token in dict.fromkeys(token for node in nodes for token in _tokens(node)):
            yield Offer(name=token, text=token, says=self.says(path, token))
        seen = set()
        for node in nodes:
            properties = node.get("properties", {})
            for name in properties if len(properties) <= _FEW else ():
                if name not in seen:
                    seen.add(name)
                    yield Offer(name=f"{{{name}: }}", text=f"{{{name}: }}", back=1)

    def _places(self, text: str, place: Cursor) -> Iterator[Offer]:
        """The places of the source that is named beside, each with what it says."""
        if place.path[:1] != ("sources",) or place.path[-1:] != ("place",):
            return
        beside = (*place.path[:-1], "source")
        named = next((text[one.start : one.end] for one in scalars(text) if one.path == beside), "")
        source = self._book.sources.get(named)
        if source is None:
            return
        for name in (*source.places, *source.advice):
            plain = re.fullmatch(r"[A-Za-z][\w /-]*", name)
            yield Offer(name=name, text=name if plain else json.dumps(name, ensure_ascii=False), says=source.passage(name))

    def _spread(self, node: Json) -> Iterator[Json]:
        """A part of the schema, or the parts of which it is one."""
        if "$ref" in node:
            yield from self._spread(self._schema["$defs"][node["$ref"].rsplit("/", 1)[1]])
        elif "anyOf" in node:
            for part in node["anyOf"]:
                yield from self._spread(part)
        else:
            yield node


def fields_of(path: Path) -> Iterator[str]:
    """The kind and field, as kind.field, that a path within `when` can be about; the innermost first."""
    steps = [step for step in path if isinstance(step, str) and step != "any_of"]
    for at in range(len(steps) - 2, -1, -1):
        yield f"{steps[at]}.{steps[at + 1]}"


def _fits(sought: str, offer: Offer) -> bool:
    """Whether what was typed begins the name or one of its words, or one of what it means."""
    words = re.split(r"[\W_]+", f"{offer.name} {offer.says}".lower())
    return not sought or sought in offer.name.lower() or any(word.startswith(sought) for word in words)


def _inside(node: Json, step: str | int) -> Iterator[Json]:
    if isinstance(step, int):
        yield from [node["items"]] if "items" in node else []
    elif step in node.get("properties", {}):
        yield node["properties"][step]
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"]


def _tokens(node: Json) -> Iterator[str]:
    if node.get("type") == "boolean":
        yield from ("true", "false")
    values = node.get("enum", [node["const"]] if "const" in node else [])
    yield from (str(value) for value in values if isinstance(value, str))


def _written(name: str, parts: list[Json], place: Cursor) -> dict[str, Any]:
    """How a key is written with the beginning of its value."""
    kinds = {part.get("type") for part in parts if part.get("type") != "null"}
    if kinds == {"array"}:
        return {"text": f"{name}: []", "back": 1}
    if kinds == {"object"} and not any(part.get("enum") or part.get("const") for part in parts):
        if place.flow:
            return {"text": f"{name}: {{}}", "back": 1}
        return {"text": f"{name}:\n{' ' * (place.indent + 2)}"}
    return {"text": f"{name}: "}


def _with_patients(schema: Json, book: Rulebook) -> Json:
    """The schema with what only this rulebook knows: its topics and rules, and patients as they are sent in examples."""
    definitions = schema["$defs"]
    patient = msgspec.json.schema(Patient)
    definitions |= {name: part for name, part in patient["$defs"].items() if name not in definitions}
    definitions["Example"]["properties"]["patient"] = {"$ref": "#/$defs/Patient"}
    illnesses = {"type": "array", "items": {"enum": sorted(book.conditions)}}
    definitions["Patient"]["properties"]["conditions"] = illnesses
    own = definitions["RuleFile"]["properties"]
    own["topic"] = {"enum": sorted(book.vocabulary.topics)}
    own["related"] = {"type": "array", "items": {"enum": sorted(book.rules)}}
    return schema
