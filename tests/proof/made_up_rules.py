"""Small random rulebooks that use the whole language of `when`, written as an author writes them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from careplan.rulebook.conditions import COMPARISONS, MOST_KINDS, Reader, When
from careplan.rulebook.factors import LIMITS, Field
from tests.patients import Json
from tests.shipped import BOOK

KINDS = {name: kind for name, kind in BOOK.kinds.items() if kind.fields}
MANY = sorted(name for name, kind in KINDS.items() if kind.many)
ONE = sorted(KINDS.keys() - MANY)
WEIGHTED = ["benzodiazepine", "opioid", "antidepressant", "lamotrigine", "stimulant", "lorazepam", "sertraline"]
"""Names that random patients often have, so that rules about them come up."""


def tokens_of(field: Field) -> list[str]:
    match field.vocabulary:
        case "classes":
            return sorted(BOOK.classes)
        case "ingredients":
            return ["lorazepam", "sertraline", *sorted(BOOK.catalogue.ingredients)]
        case "classes_or_ingredients":
            return [*WEIGHTED, *sorted(BOOK.classes)]
        case "conditions":
            return sorted(BOOK.conditions)
        case _:
            return list(field.tokens)


def wanted(kind: str, name: str, field: Field) -> st.SearchStrategy[Any]:
    """What a rule may want of a field, in every way that there is."""
    if field.between:
        return st.one_of(st.sampled_from(["known", "unknown"]), bounds(kind, name))
    if field.type == "number":
        number = st.sampled_from(edges(kind, name))
        return st.one_of(
            st.sampled_from(["known", "unknown"]), bounds(kind, name), number, number.map(lambda one: {"not": one})
        )
    if field.type == "boolean":
        plain: st.SearchStrategy[Any] = st.booleans()
    else:
        plain = st.sampled_from(tokens_of(field))
    several = st.lists(plain, min_size=1, max_size=3, unique=True)
    if field.type == "tokens":
        return st.one_of(plain, several, several.map(lambda all_: {"all": all_}), several.map(lambda none: {"not": none}))
    unknown = several.map(lambda some: [*some, "unknown"])
    return st.one_of(plain, several, unknown, several.map(lambda none: {"not": none}), st.sampled_from(["known", "unknown"]))


def edges(kind: str, name: str) -> list[float]:
    limits = BOOK.limits.get(f"{kind}.{name}") or LIMITS.get(f"{kind}.{name}")
    small = [0, 0.5, 1, 2, 3, 5, 6, 7, 12, 14]
    return small if limits is None else [*small, limits.least, limits.most, (limits.least + limits.most) // 2]


def bounds(kind: str, name: str) -> st.SearchStrategy[Json]:
    number = st.sampled_from(edges(kind, name)).map(abs)
    return st.dictionaries(st.sampled_from(COMPARISONS), number, min_size=1, max_size=2)


@st.composite
def tests(draw: st.DrawFn, kind: str, *, nested: bool) -> Json:
    """What a rule tests on a fact of one kind, with alternatives inside now and then."""
    fields = {name: field for name, field in KINDS[kind].fields.items() if field.type != "tokens" or tokens_of(field)}
    names = draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=2, unique=True))
    found: Json = {name: draw(wanted(kind, name, fields[name])) for name in names}
    if nested and draw(st.integers(0, 4)) == 0:
        found["any_of"] = [draw(tests(kind, nested=False)) for _ in range(2)]
    return found


@st.composite
def group(draw: st.DrawFn) -> Json:
    """One alternative of a rule: at most one kind of which a patient can have several facts."""
    kinds = draw(st.lists(st.sampled_from(ONE), max_size=MOST_KINDS - 2, unique=True))
    kinds += draw(st.lists(st.sampled_from(MANY), min_size=0 if kinds else 1, max_size=1))
    return {kind: draw(tests(kind, nested=True)) for kind in kinds}


WHENS = st.one_of(group(), group(), st.lists(group(), min_size=2, max_size=3).map(lambda some: {"any_of": some}))
RULEBOOKS = st.lists(WHENS, min_size=1, max_size=4)


NO_RULES = msgspec.structs.replace(BOOK, rules={})
EVERY_FIELD: dict[str, Json] = {
    kind: {name: "unknown" for name, field in described.fields.items() if field.type != "tokens"}
    for kind, described in KINDS.items()
}
"""Conditions that look at every field, so that facts have all that is known."""


def read(whens: list[Json]) -> dict[str, When]:
    """Conditions as the service reads them from a file. Raises `ValueError` for what it would refuse."""
    reader = Reader(BOOK.classes, BOOK.catalogue.ingredients, BOOK.conditions, BOOK.kinds)
    found = {f"rule-{at}": reader.when(data) for at, data in enumerate(whens)}
    if reader.flaws:
        raise ValueError(reader.flaws)
    return found
