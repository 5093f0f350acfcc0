"""What changed between two rulebooks, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.model import Rule, Rulebook

What = Literal["new", "gone", "changed"]


class Detail(msgspec.Struct, frozen=True):
    """One field before and after; empty where there was or is none."""

    field: str
    before: str
    after: str


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule or one entry of a list that is new, gone or changed. `kind` is "rule" or the list's file."""

    kind: str
    id: str
    what: What
    title: str = ""
    details: tuple[Detail, ...] = ()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All changes from the rulebook `before` to the rulebook `after`, each named by version and digest."""

    before: str
    after: str
    changes: tuple[Change, ...]


Words = Mapping[str, str]
"""An entry as words by field, in the order to read them."""


def compare(before: Rulebook, after: Rulebook) -> Comparison:
    """Every difference that the two rulebooks have, rules first. Rulebooks with equal files have none."""
    changes: list[Change] = []
    for (kind, old), new in zip(_lists(before).items(), _lists(after).values(), strict=True):
        changes += _changes(kind, old, new)
    return Comparison(before=before.called, after=after.called, changes=tuple(changes))


def _lists(book: Rulebook) -> dict[str, dict[str, Words]]:
    prose = Prose(book)
    combinations = {row.product: row for row in book.catalogue.combinations}
    words = msgspec.structs.asdict(book.vocabulary)
    order = ", ".join(words.pop("order_of_a_visit"))
    return {
        "rule": {rule.id: _rule(prose, rule) for rule in (*book.in_order(), *book.resting.values())},
        "rulebook.yaml": {name: {"": value} for name, value in _plain(book.about).items()},
        "drug_classes.yaml": {name: _plain(entry) for name, entry in book.classes.items()},
        "codes.yaml": {
            **{f"indications.{name}": _plain(entry) for name, entry in book.codes.indications.items()},
            **{f"observations.{entry.factor}": _plain(entry) for entry in book.codes.observations},
            "override_reasons": dict(book.codes.override_reasons),
            **{f"allergies.{name}": _plain(entry) for name, entry in book.codes.allergies.items()},
            **{f"routes.{name}": _plain(entry) for name, entry in book.codes.routes.items()},
            "treatments": dict(book.codes.treatments),
        },
        "conditions.yaml": {name: _plain(entry) for name, entry in book.conditions.items()},
        "medications.csv": {name: _plain(row) for name, row in book.catalogue.ingredients.items()},
        "combinations.csv": {name: _plain(row) for name, row in combinations.items()},
        "sources.yaml": {name: _plain(entry) for name, entry in book.sources.items()},
        "vocabulary.yaml": {
            "order_of_a_visit": {"": order},
            **{f"{part}.{key}": _plain(entry) for part in words for key, entry in words[part].items()},
        },
        "derived": {
            name: {
                "means": prose.derived(derived),
                "says": derived.file.says,
                **derived.file.values,
                "unknown": derived.file.unknown,
            }
            for name, derived in book.derived.items()
        },
        "goals.yaml": {name: {"": value} for name, value in _plain(book.goals.words).items()},
    }


def _rule(prose: Prose, rule: Rule) -> Words:
    file = rule.file
    asks = (f"{ask.who} ({ask.by}): {ask.what}" for ask in file.then.asks)
    shown: dict[str, Any] = {
        "title": file.title,
        "version": file.version,
        "status": file.status,
        "section": rule.section,
        "level": file.level,
        "place in its level": file.order,
        "holds": prose.when(rule.when),
        "says to the patient": file.then.patient,
        "says to the clinician": file.then.clinician,
        "asks": "\n".join(asks),
        "decides": file.then.decides and f"{file.then.decides.subject}: {file.then.decides.choice}",
        "rationale": file.rationale,
        "rests on": "\n".join(f"{ref.source}, {ref.place} ({ref.strength})" for ref in file.sources),
        "contested": file.contested,
        "gaps": file.gaps,
        "for everyone because": file.for_everyone,
        "related": ", ".join(file.related),
        "in force": rule.term.in_words(),
        "exempt": file.exempt and f"{file.exempt.why} (until {file.exempt.until})",
        "examples": "\n".join(
            f"{expected}: {example.why}"
            for expected, examples in (("fires", file.examples.fires), ("silent", file.examples.silent))
            for example in examples
        ),
    }
    return {name: _text(value) for name, value in shown.items()}


def _plain(entry: object) -> Words:
    data = msgspec.to_builtins(entry)
    return {name: _text(value) for name, value in data.items()} if isinstance(data, dict) else {"": _text(data)}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return "\n".join(" ".join(line.split()) for line in value.strip().splitlines())
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return msgspec.json.encode(value).decode()


def _changes(kind: str, old: Mapping[str, Words], new: Mapping[str, Words]) -> Iterator[Change]:
    for name, words in new.items():
        if name not in old:
            yield Change(kind=kind, id=name, what="new", title=words.get("title", ""), details=_details({}, words))
        elif old[name] != words:
            title = words.get("title", "")
            yield Change(kind=kind, id=name, what="changed", title=title, details=_details(old[name], words))
    for name, words in old.items():
        if name not in new:
            yield Change(kind=kind, id=name, what="gone", title=words.get("title", ""))


def _details(old: Words, new: Words) -> tuple[Detail, ...]:
    fields = list(dict.fromkeys([*new, *old]))
    return tuple(
        Detail(field, old.get(field, ""), new.get(field, "")) for field in fields if old.get(field, "") != new.get(field, "")
    )
