"""One row of the table of interactions, whom it is about, and patients who show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from careplan.recognition.medicine_catalogue import Catalogue
from careplan.recognition.medicine_rows import Ingredient

PRODUCTS: Mapping[str, tuple[str, ...]] = {"both": (), "ketamine": ("racemic", "unknown"), "esketamine": ("esketamine",)}
"""What a row calls the product, and the answers that are meant; none where any is."""
ROUTES: Mapping[str, tuple[str, ...]] = {
    "any": (),
    "injected": ("iv", "im", "subcutaneous"),
    "muscle": ("im",),
    "swallowed": ("oral", "sublingual"),
    "nose": ("nasal",),
}
"""What a row calls the route, and the answers that are meant."""


class Interaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. Cells that hold several values part them by semicolons.

    `valid_from` and `valid_until` are the first and the last day on which the rule that it makes is in force.
    """

    medicine: Annotated[tuple[str, ...], Meta(min_length=1)]
    but_not: tuple[str, ...]
    beside: tuple[str, ...]
    product: Literal["both", "ketamine", "esketamine"]
    route: Literal["any", "injected", "muscle", "swallowed", "nose"]
    what_happens: Annotated[str, Meta(min_length=1)]
    level: Literal["stop", "hold", "caution", "note", "none"]
    rule: tuple[str, ...]
    source: str
    place: str
    strength: str
    what_to_do: str
    topic: str
    version: str
    title: str
    line: str
    patient: str
    card: str
    card_es: str
    who: str
    does: str
    by: str
    valid_from: str = ""
    valid_until: str = ""

    @property
    def makes(self) -> bool:
        """Whether the row makes a rule of its own."""
        return bool(self.title)

    @property
    def situation(self) -> tuple[object, ...]:
        """Whom it is about, whatever it says of them."""
        return (frozenset(self.medicine), frozenset(self.but_not), frozenset(self.beside), self.product, self.route)

    def members(self, catalogue: Catalogue) -> list[Ingredient]:
        """The medicines that the row is about, in the order of the table of medicines."""
        return [row for row in catalogue.ingredients.values() if self.is_about(row)]

    def is_about(self, row: Ingredient) -> bool:
        """Whether the row is about a medicine."""
        held = row.tokens
        return any(token in held for token in self.medicine) and not any(token in held for token in self.but_not)


def stands_for_medicines(token: str, catalogue: Catalogue) -> bool:
    """Whether a token is a class or an ingredient of the table of medicines."""
    return any(token in one.tokens for one in catalogue.ingredients.values())


def with_medicine(medicine: Ingredient, beside: str, catalogue: Catalogue) -> dict[str, Any]:
    """A request of somebody who takes a medicine, with what a row says to be beside it."""
    patient: dict[str, Any] = {"medications": [{"name": medicine.name}]}
    if beside and stands_for_medicines(beside, catalogue):
        other = next(
            (
                one
                for one in catalogue.ingredients.values()
                if beside in one.tokens and one.ingredient != medicine.ingredient
            ),
            medicine,
        )
        patient["medications"].append({"name": other.name})
    elif beside:
        patient["conditions"] = [beside]
    return patient


def treatments(row: Interaction) -> list[dict[str, str]]:
    """The treatments that a row is about: each product and each route that it names, the others as in the first."""
    products = [name for name in PRODUCTS[row.product] if name != "unknown"] or ["racemic", "esketamine"]
    routes = ROUTES[row.route] or ("iv", "nasal", "oral")
    return [{"product": product, "preferred_route": route} for product in products for route in routes]


def fires(row: Interaction, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """Examples of patients for whom the rule of a row fires: each kind of medicine, and each answer that it names."""
    members = row.members(catalogue)
    firsts = [next((one for one in members if token in one.tokens), None) for token in row.medicine]
    beside = row.beside[0] if row.beside else ""
    treatment = treatments(row)[0] if PRODUCTS[row.product] or ROUTES[row.route] else {}
    for medicine in dict.fromkeys(filter(None, (*firsts, members[-1]))):
        yield _example(f"takes {medicine.name}", with_medicine(medicine, beside, catalogue), treatment)
    for token in row.beside[1:]:
        yield _example(f"beside {token}", with_medicine(members[0], token, catalogue), treatment)
    for route in ROUTES[row.route][1:]:
        other = treatment | {"preferred_route": route}
        yield _example(f"the route is {route}", with_medicine(members[0], beside, catalogue), other)
    if "unknown" in PRODUCTS[row.product]:
        other = {name: value for name, value in treatment.items() if name != "product"}
        yield _example("product not answered", with_medicine(members[0], beside, catalogue), other)


def silent(row: Interaction, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """Examples of patients for whom the rule of a row stays silent: each thing that it asks for is missing once."""
    members = row.members(catalogue)
    beside = row.beside[0] if row.beside else ""
    treatment = treatments(row)[0] if PRODUCTS[row.product] or ROUTES[row.route] else {}
    there = with_medicine(members[0], beside, catalogue)
    other = next(
        ingredient
        for ingredient in catalogue.ingredients.values()
        if not row.is_about(ingredient) and not {*row.but_not} & {*ingredient.classes}
    )
    nobody = with_medicine(other, beside, catalogue)
    yield _example("takes something else", nobody, treatment)
    yield _example("takes nothing", {"medications": []}, treatment)
    yield _example("medicines not asked", {}, treatment)
    for token in row.but_not:
        barred = next(
            (
                ingredient
                for ingredient in catalogue.ingredients.values()
                if token in ingredient.tokens and set(ingredient.tokens).intersection(row.medicine)
            ),
            None,
        )
        if barred:
            yield _example(f"{token} is left out", with_medicine(barred, beside, catalogue), treatment)
    if row.beside:
        yield _example(
            "nothing of the kind beside it", {"medications": there["medications"][:1], "conditions": []}, treatment
        )
    if PRODUCTS[row.product]:
        product = "racemic" if row.product == "esketamine" else "esketamine"
        yield _example("another product", there, treatment | {"product": product})
    if ROUTES[row.route]:
        route = "iv" if row.route in ("swallowed", "nose") else "oral"
        yield _example("another route", there, treatment | {"preferred_route": route})
    if row.valid_from:
        yield _example("on the day before it begins", there | {"as_of": _moved(row.valid_from, -1)}, treatment)
    if row.valid_until:
        yield _example("on the day after it ends", there | {"as_of": _moved(row.valid_until, 1)}, treatment)


def _moved(day: str, by: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=by)).isoformat()


def _example(why: str, patient: Mapping[str, Any], treatment: Mapping[str, str]) -> dict[str, Any]:
    return {"why": why, "patient": {**patient, **({"treatment": dict(treatment)} if treatment else {})}}
