"""Makes the files of the wide vocabulary from free lists of names and codes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from careplan.recognition.list_words import ListWords, phrases
from careplan.recognition.medicine_rows import Combination, Ingredient
from careplan.recognition.name_sources import Group, rxnorm_parts
from careplan.recognition.name_stems import StemCheck
from careplan.recognition.plain_text import plain, squeezed
from careplan.recognition.vocabulary import (
    FURTHER_NAMES,
    KNOWN_NAMES,
    PRODUCT_CODES,
    Further,
    write_codes,
    write_further,
    write_known,
)

LONGEST, SHORTEST, MOST_WORDS = 40, 4, 6
LONG_ENOUGH = 7
_PLAUSIBLE = re.compile(r"[a-z0-9][a-z0-9 .'/&+-]*[a-z0-9+]")
_CHEMICAL = re.compile(
    r"\d'|\d-\(|[a-z]-\d+-|-\d-[a-z]|^\d+-[a-z]+-|\d{4}|^[a-z]{1,4}[ -]?\d{2,}|^\d+[a-z]|yl-[a-z]|^\d|[a-z]{2}\d[a-z]"
)
"""Names of chemists and codes of makers, which stand in no list of a patient."""
_BOTANY = frozenset(
    [
        "whole",
        "pollen",
        "component",
        "flowering",
        "subsp",
        "var",
        "leafy",
        "twig",
        "sapwood",
        "stem",
        "kernel",
        "tuber",
        "wood",
        "bulb",
        "shoot",
        "cone",
        "top",
        "bract",
        "husk",
        "unspecified",
        "impurity",
        "related",
        "standard",
        "reference",
        "albumin-bound",
        "vector",
        "virus",
        "antigen",
        "allergenic",
        "venom",
        "strain",
        "recombinant",
        "protein",
        "receptor",
    ]
)
"""Words of herbaria and laboratories."""


_SAYS_NOTHING = frozenset(
    [
        "preparation",
        "extract",
        "resin",
        "flowers",
        "flower",
        "root",
        "leaf",
        "bark",
        "modified",
        "(usp)",
        "usp",
        "polygalacturonate",
        "a",
        "b",
        "anhydrous",
        "human",
        "mesylates",
        "benzoate",
        "free",
        "base",
        "oil",
        "polistirex",
        "teoclate",
        "fruit",
        "juice",
    ]
)
"""Words behind the name of an ingredient, besides salts, that do not change which one it is."""


def _turned(name: str) -> str:
    """A name as people write it of one that a catalogue turned, such as "hydrochloride, propranolol"."""
    last, comma, first = name.partition(", ")
    return f"{first} {last}" if comma and "," not in first else name


class Counts(msgspec.Struct):
    """What came of the names that were offered."""

    known: int = 0
    further: int = 0
    codes: int = 0
    of_a_class: int = 0
    ambiguous: int = 0


class Builder:
    """Sorts names and codes into known and further ones. `texts` are the files that come of it."""

    def __init__(
        self,
        ingredients: Iterable[Ingredient],
        combinations: Iterable[Combination],
        words: ListWords,
        stems: StemCheck,
        never_names: Iterable[str],
    ) -> None:
        self._means: dict[str, tuple[str, ...]] = {}
        self._taken: set[str] = set()
        ingredients = list(ingredients)
        self._first_names = {squeezed(row.name): (row.ingredient,) for row in ingredients}
        for row in ingredients:
            for name in (row.name, row.ingredient, *row.names):
                self._means.setdefault(squeezed(name), (row.ingredient,))
            for name in (row.name, row.ingredient, *row.names, *row.brands, *row.rescue_brands, *row.depot_brands):
                self._taken.add(squeezed(name))
        self._ruled = {row.ingredient for row in ingredients if row.classes}
        for product in combinations:
            self._taken.update(squeezed(name) for name in (product.product, *product.names))
            for name in product.names:
                if " / " in name:
                    self._means.setdefault(squeezed(name), product.ingredients)
        self._salts = frozenset(words.salts)
        self._never = {squeezed(name) for name in never_names}
        self._never.update(
            "".join(phrase.cut) for phrase in phrases(words) if phrase.meaning.kind not in ("salts", "reasons")
        )
        self._stems = stems
        self._meanings: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        self._written: dict[str, str] = {}
        self._codes: dict[str, tuple[str, ...]] = {}
        self._by_hand: set[str] = set()
        self._of_a_class: set[str] = set()
        self.counts = Counts()

    def add_groups(self, groups: Iterable[Group]) -> None:
        """Names that mean one substance: known, or further names of one of ours if one of them is ours."""
        for names, rare in groups:
            every = (*names, *rare)
            ours = self.ours(every[0]) or next(
                (found for name in every if (found := self._first_names.get(squeezed(name)))), ()
            )
            if not ours and any(True for _ in self._stems.classes(squeezed(every[0]))):
                self._of_a_class.update(every[:1])
                continue
            for name in every if ours else names:
                self._add(name, ours)

    def add_by_hand(self, names: Iterable[str]) -> None:
        """Names that somebody has looked at one by one: known, whatever the other sources make of them."""
        self._by_hand.update(key for name in names if (key := squeezed(name)) and key not in self._taken)

    def add_known(self, keys: Iterable[str]) -> None:
        """Squeezed names that are known already."""
        for key in keys:
            self._meanings[key].add(())

    def add_further(self, names: Mapping[str, Further]) -> None:
        """Further names that are there already."""
        for key, meant in names.items():
            self._meanings[key].add(meant.ingredients)
            self._written.setdefault(key, meant.name)

    def add_codes(self, codes: Mapping[str, tuple[str, ...]]) -> None:
        """Codes of products that are there already."""
        self._codes.update(codes)

    def add_aliases(self, aliases: Iterable[tuple[str, str]]) -> None:
        """Numbers of another system, each with the code of the product that it stands for."""
        self._codes.update({alias: self._codes[code] for alias, code in aliases if code in self._codes})

    def add_products(self, products: Iterable[tuple[str, str]]) -> None:
        """Products of RxNorm by code and name: their ingredients, their brand, and what the code stands for."""
        brands: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        listed = [(code, *rxnorm_parts(name)) for code, name in products]
        for _, parts, brand in listed:
            meant = self._ours_of(parts)
            if brand and (meant or not self._of_a_class_in(parts)):
                brands[squeezed(brand)].add(meant)
                self._written.setdefault(squeezed(brand), brand)
        for code, parts, brand in listed:
            meant = self._ours_of(parts)
            alone = squeezed(parts[0]) if len(parts) == 1 and not brand else ""
            if not meant and alone in brands and len(brands[alone]) == 1:
                meant = next(iter(brands[alone]))
            elif not brand:
                for part in parts:
                    self._add(part, self.ours(part))
            if meant or not self._of_a_class_in(parts):
                self._codes[code] = meant
        for key, meanings in brands.items():
            # Of a brand RxNorm says every ingredient, where other lists often name one.
            self._meanings.pop(key, None)
            for meant in meanings:
                self._add(self._written[key], meant)

    def ours(self, name: str) -> tuple[str, ...]:
        """The ingredients of `medications.csv` that a name means, with or without its salt; none if it means others."""
        folded = plain(name)[0]
        found = self._means.get(squeezed(folded))
        if found is None:
            kept = folded.replace(",", " ").split()
            while len(kept) > 1 and (kept[-1] in self._salts or kept[-1] in _SAYS_NOTHING):
                kept.pop()
                if (found := self._means.get(squeezed("".join(kept)))) is not None:
                    break
        return found or ()

    def _ours_of(self, parts: Iterable[str]) -> tuple[str, ...]:
        meant = {token for part in parts for token in self.ours(part) or self._first_word(part)}
        return tuple(sorted(token for token in meant if token in self._ruled))

    def _of_a_class_in(self, parts: Iterable[str]) -> bool:
        return any(True for part in parts for _ in self._stems.classes(squeezed(part)))

    def _first_word(self, part: str) -> tuple[str, ...]:
        """The ingredient whose name begins the name of a salt or variant that nobody has listed."""
        first = plain(part)[0].split()[0]
        return self._first_names.get(first, ()) if len(first) >= LONG_ENOUGH else ()

    def _add(self, name: str, meant: tuple[str, ...]) -> None:
        folded = _turned(plain(name)[0]).strip()
        if not _PLAUSIBLE.fullmatch(folded) or len(folded.split()) > MOST_WORDS:
            return
        key = squeezed(folded)
        if not SHORTEST <= len(key) <= LONGEST or key in self._taken or key in self._never or key.isdecimal():
            return
        if _CHEMICAL.search(folded) or not _BOTANY.isdisjoint(folded.split()):
            return
        said = {token for word in folded.split() for token in self._means.get(word, ()) if token in self._ruled}
        if not said <= set(meant):
            # "Benzoate of X" or "aspirin and codeine": read word by word, or not at all, and never as one harmless name.
            return
        self._meanings[key].add(tuple(token for token in meant if token in self._ruled))
        self._written.setdefault(key, name.title() if name.isupper() else name)

    def texts(self) -> dict[str, str]:
        """The files, by name. Left out are names with two meanings, and those whose stem speaks for a class under a rule."""
        known: set[str] = set()
        further: dict[str, Further] = {}
        self.counts = Counts(codes=len(self._codes), of_a_class=len(self._of_a_class))
        for key, meanings in self._meanings.items():
            if len(meanings) > 1:
                self.counts.ambiguous += 1
                continue
            (meant,) = meanings
            if meant:
                further[key] = Further(self._written[key], meant)
            elif any(True for _ in self._stems.classes(key)):
                self.counts.of_a_class += 1
            else:
                known.add(key)
        known |= self._by_hand
        further = {key: meant for key, meant in further.items() if key not in self._by_hand}
        self.counts.known, self.counts.further = len(known), len(further)
        return {
            KNOWN_NAMES: write_known(known),
            FURTHER_NAMES: write_further(further),
            PRODUCT_CODES: write_codes(self._codes),
        }

    def left_out(self) -> Iterator[tuple[str, str]]:
        """The names that were left out for their stems, each with the class; for somebody to look at."""
        names = [key for key, meanings in self._meanings.items() if meanings == {()}]
        for key in (*names, *map(squeezed, self._of_a_class)):
            if classes := tuple(self._stems.classes(key)):
                yield key, ", ".join(dict.fromkeys(classes))
