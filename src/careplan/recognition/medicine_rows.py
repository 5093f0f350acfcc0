"""One row of the table of medicines, and one of the table of products with several ingredients."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

NAME_NOT_TOLD = "name_not_told"
"""The class of rows that stand for a medicine of which only the kind was told, such as "benzos"."""
HoldStance = Literal["never", "ask", ""]


class Ingredient(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `medications.csv`. `half_life` is the group that rules test, `half_life_hours` the figure in words."""

    ingredient: str
    name: str
    classes: tuple[str, ...]
    half_life: Literal["short", "intermediate", "long", "varies", ""] = ""
    half_life_hours: str = ""
    active_metabolite: str = ""
    half_life_read: Literal["read", "secondary", "memory"] = "memory"
    rxcui: tuple[str, ...] = ()
    rxcui_status: Literal["verified", "memory", "none"] = "none"
    atc: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    rescue_brands: tuple[str, ...] = ()
    depot_brands: tuple[str, ...] = ()
    hold: HoldStance = ""
    note: str = ""
    longest_gap_hours: Annotated[str, Meta(pattern=r"^([0-9]{1,4})?$")] = ""

    @property
    def tokens(self) -> tuple[str, ...]:
        """What rules may call it: its own token and its classes."""
        return (self.ingredient, *self.classes)

    @property
    def by_kind(self) -> bool:
        """True for a row that stands for a member of a class of which only the kind was told."""
        return NAME_NOT_TOLD in self.classes

    @property
    def kind(self) -> frozenset[str]:
        """The classes of which such a row is, without the one that says so."""
        return frozenset(self.classes) - {NAME_NOT_TOLD}

    @property
    def longest_gap(self) -> float | None:
        """The longest time without this medicine, in hours, that needs no decision of its own; None without a limit."""
        return float(self.longest_gap_hours) if self.longest_gap_hours else None


class Combination(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `combinations.csv`: a product with several ingredients, known or outside the vocabulary."""

    product: str
    names: tuple[str, ...] = ()
    ingredients: tuple[str, ...]
    also_contains: tuple[str, ...] = ()
    rxcui: tuple[str, ...] = ()
    rescue: Literal["yes", ""] = ""
    note: str = ""
