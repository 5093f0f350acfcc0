"""What a medicine of a record is: by a concept, by a Medication that a reference leads to, or by its ingredients."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from careplan.fhir.read.code_systems import RXNORM
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import LONGEST_WORDS
from careplan.fhir.read.references import References
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.fhir.read.terminology import codes, names
from careplan.recognition.medicine_catalogue import Catalogue, Match, display
from careplan.request.patient import Medication

DEEPEST = 4
"""So many Medications within one another are followed."""
MOST_INGREDIENTS = 100
"""So many ingredients of a Medication are read, with those of the Medications within it."""
_TOO_MANY = f"It has more than {MOST_INGREDIENTS} ingredients, of which the first are read."
_NO_INGREDIENT = "An ingredient of it could not be read."


class Product(msgspec.Struct, frozen=True):
    """One medicine: its name and code as far as they were said, its concept, and what of it could not be read."""

    concept: Element | None
    name: str | None
    rxcui: str | None
    unread: tuple[tuple[Element, str], ...] = ()
    by_ingredients: str | None = None
    """The name that stands for nothing known, where the ingredients say what it is."""


class Inside:
    """The ingredients of a Medication."""

    def __init__(self) -> None:
        self.parts: dict[tuple[str, str | None], None] = {}
        """The name and code of each that is active, once."""
        self.unread: dict[str, tuple[Element, str]] = {}
        """What could not be read and why, by its pointer."""
        self.visited = 0


class ProductReader:
    """Reads what medicines are, with the medicines that the rulebook knows."""

    def __init__(self, catalogue: Catalogue, references: References) -> None:
        self._catalogue = catalogue
        self._references = references
        self._found: dict[tuple[str, int], Inside] = {}

    def of(self, resource: Element) -> Product:
        """The medicine of a MedicationStatement or MedicationRequest, of R4 or R5."""
        concept, pointing = resource.child("medicationCodeableConcept"), resource.child("medicationReference")
        if (both := resource.child("medication")) is not None:
            concept, pointing = concept or both.child("concept"), pointing or both.child("reference")
        medicine = self._references.to(pointing)
        called = pointing.text("display") if pointing else None
        if concept is not None or medicine is None or medicine.text("resourceType") != "Medication":
            return Product(concept, self._name(concept, called), self._rxcui(concept))
        return self._of_medication(medicine, called)

    def called(self, product: Product) -> str | None:
        """What to call a medicine in a report."""
        if product.name is None and product.rxcui is not None:
            match = self._match(Medication(rxcui=product.rxcui))
            return display(match) if match else f"RxNorm {product.rxcui}"
        return product.name

    def match(self, product: Product) -> Match | None:
        """What a medicine is in the rulebook."""
        if product.name is None and product.rxcui is None:
            return None
        return self._match(Medication(name=_cut(product.name), rxcui=product.rxcui))

    def _of_medication(self, medicine: Element, called: str | None) -> Product:
        if is_modified(medicine):
            return Product(None, called, None, ((medicine, MODIFIED),))
        concept = medicine.child("code")
        name, rxcui = self._name(concept, called), self._rxcui(concept)
        unread: list[tuple[Element, str]] = []
        if (status := medicine.text("status")) == "entered-in-error":
            unread.append((medicine, f"Its status is {status}."))
        inside = self._inside(medicine, 0)
        unread += inside.unread.values()
        parts = list(inside.parts)
        if not parts:
            return Product(concept, name, rxcui, tuple(unread))
        return self._with_parts(Product(concept, name, rxcui, tuple(unread)), parts)

    def _with_parts(self, product: Product, parts: Sequence[tuple[str, str | None]]) -> Product:
        """A product by its ingredients where its own name and code do not say as much."""
        together = " / ".join(dict.fromkeys(name for name, _ in parts))
        (_, code), *more = parts
        by_parts = Product(product.concept, together, None if more else code, product.unread)
        known, found = self.match(product), self.match(by_parts)
        if product.name is None and product.rxcui is None:
            return by_parts
        if known is None:
            return msgspec.structs.replace(by_parts, by_ingredients=product.name or product.rxcui)
        if found is not None and {row.ingredient for row in found.ingredients} <= {
            row.ingredient for row in known.ingredients
        }:
            return product
        name = f"{product.name or display(known)} / {together}"
        return Product(product.concept, name, product.rxcui, product.unread)

    def _inside(self, medicine: Element, depth: int) -> Inside:
        """What is in a Medication: found once for all that lead to it, however many these are and in whatever circles."""
        key = medicine.pointer, depth
        if key not in self._found:
            inside = self._found[key] = Inside()
            for ingredient in medicine.children("ingredient"):
                if inside.visited >= MOST_INGREDIENTS:
                    inside.unread[medicine.pointer] = medicine, _TOO_MANY
                    break
                if ingredient.value.get("isActive") is not False:
                    inside.visited += 1
                    self._take(ingredient, inside, depth)
        return self._found[key]

    def _take(self, ingredient: Element, inside: Inside, depth: int) -> None:
        """Put the name of an active ingredient to what is inside, with its code; or itself to what is unread."""
        item = ingredient.child("item")
        concept = ingredient.child("itemCodeableConcept") or (item.child("concept") if item else None)
        pointing = ingredient.child("itemReference") or (item.child("reference") if item else None)
        found = self._references.to(pointing)
        if found is not None and concept is None:
            within = self._inside(found, depth + 1) if depth < DEEPEST else Inside()
            inside.visited += within.visited
            inside.unread |= within.unread
            concept = None if is_modified(found) else found.child("code")
            if concept is None and within.parts:
                inside.parts |= within.parts
                return
        name, rxcui = self._name(concept, pointing.text("display") if pointing else None), self._rxcui(concept)
        if name is None and rxcui is not None and (match := self._match(Medication(rxcui=rxcui))):
            name = display(match)
        if name is None or is_modified(ingredient):
            inside.unread[ingredient.pointer] = ingredient, _NO_INGREDIENT
        else:
            inside.parts[name, rxcui] = None

    def _match(self, entry: Medication) -> Match | None:
        found = self._catalogue.resolve(0, entry)
        return found.match if found.taken else None

    def _name(self, concept: Element | None, called: str | None) -> str | None:
        """The first of its names that is known; where none is, what a reader would call it.

        A code of RxNorm is handed on as a code, and is nobody's name.
        """
        found = list(dict.fromkeys([*names(concept), *([called] if called else [])]))
        if len(found) > 1:
            return next((name for name in found if self._match(Medication(name=_cut(name)))), found[0])
        if found or self._rxcui(concept):
            return next(iter(found), None)
        return next((one.code for one in codes(concept)), None)

    def _rxcui(self, concept: Element | None) -> str | None:
        """The first of its RxNorm codes that is known; where none is, the first."""
        found = [one.code for one in codes(concept) if _is_of_rxnorm(one.system, one.code)]
        return next((code for code in found if self._match(Medication(rxcui=code))), found[0] if found else None)


def _is_of_rxnorm(system: str, code: str) -> bool:
    return system == RXNORM and is_rxcui(code)


def is_rxcui(code: str) -> bool:
    """Whether a code can be one of RxNorm."""
    return code.isascii() and code.isdigit() and len(code) <= 8


def _cut(name: str | None) -> str | None:
    return name[:LONGEST_WORDS] if name else None
