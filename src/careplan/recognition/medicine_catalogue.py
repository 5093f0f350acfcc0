"""The medicines a rulebook knows, and how an entry of a patient's list is resolved to ingredients.

A medicine is taken as recognized only on an exact match of a code or of a whole name, after case, spacing, accents,
punctuation, salts and dosage forms are set aside. A near name is offered as a suggestion and never taken by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from rapidfuzz import fuzz, process

from careplan.recognition.medicine_rows import Combination, Ingredient
from careplan.request.patient import Medication, Schedule

Problem = Literal["not_recognized", "partly_recognized", "code_not_recognized", "code_and_name_disagree"]

SUGGESTION_SCORE = 80
MOST_SUGGESTIONS = 3
MOST_WORDS = 12
"""So many words of an entry are looked through for a known name."""


class Match(msgspec.Struct, frozen=True, gc=False):
    """What one name or code stands for. `called` is our spelling of it, such as the brand; never the caller's.

    A medicine that is known and that no rule concerns has no ingredients here, only the name by which it is called.
    """

    ingredients: tuple[Ingredient, ...]
    called: str = ""
    also_contains: tuple[str, ...] = ()
    rescue: bool = False
    depot: bool = False


class NameWords(msgspec.Struct, frozen=True):
    """Words in names: those that say nothing about which medicine it is, and those of forms that are kept as rescue."""

    forms: tuple[str, ...] = ()
    rescue: tuple[str, ...] = ()


class Offers(msgspec.Struct, frozen=True):
    """What bears on suggestions: short names with what they may mean, and classes never offered beside everyday products."""

    short: Mapping[str, tuple[str, ...]] = {}
    everyday: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class Resolved(msgspec.Struct, frozen=True, gc=False):
    """An entry of the patient's list after look-up. `match` is None when nobody may say what it is."""

    index: int
    entry: Medication
    match: Match | None
    problem: Problem | None = None
    suggestions: tuple[str, ...] = ()
    unknown_parts: tuple[str, ...] = ()

    @property
    def schedule(self) -> Schedule | None:
        """How it is taken: as sent, but for a product that is sold only as rescue or only as a long-acting injection."""
        if self.match is not None and self.match.rescue:
            return "rescue"
        return "long_acting_injection" if self.match is not None and self.match.depot else self.entry.schedule


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of the look-up: an ingredient, by which of its names it was found, and how near that name is (0 to 100)."""

    ingredient: str
    name: str
    matched: str
    score: float
    classes: tuple[str, ...]
    half_life: str = ""
    half_life_hours: str = ""
    rxcui: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    product: str = ""


class Catalogue:
    """All medicines of a rulebook, ready for look-up. Raises ValueError naming a name or code that two rows claim."""

    def __init__(
        self,
        ingredients: Iterable[Ingredient],
        combinations: Iterable[Combination],
        words: NameWords | None = None,
        *,
        offers: Offers | None = None,
        known: Iterable[str] = (),
    ) -> None:
        self.ingredients: Mapping[str, Ingredient] = {row.ingredient: row for row in ingredients}
        self.combinations = tuple(combinations)
        words = words or NameWords()
        self._form_words = frozenset(words.forms)
        self._rescue_forms = frozenset(words.rescue)
        self._by_name: dict[str, Match] = {}
        self._by_stem: dict[str, Match | None] = {}
        self._by_code: dict[str, Match] = {}
        for row in self.ingredients.values():
            self._add_ingredient(row)
        for product in self.combinations:
            self._add_combination(product)
        self._spellings = {name: match for name, match in self._by_name.items() if len(name) > 3}
        self.known = tuple(known)
        for name in self.known:
            self._add_name(name, Match((), name))
        offers = offers or Offers()
        self._everyday, self._never_offered = frozenset(offers.everyday), frozenset(offers.never)
        self._short = {normalize(name): tuple(map(self._named, meant)) for name, meant in offers.short.items()}

    def named(self) -> dict[str, frozenset[str]]:
        """Every normalized name of every medicine, with its salt and form and without, and what it stands for."""
        matches = {stem: match for stem, match in self._by_stem.items() if match} | self._by_name
        return {
            name: frozenset(token for row in match.ingredients for token in (row.ingredient, *row.classes))
            for name, match in matches.items()
            if match.ingredients
        }

    def resolve(self, index: int, entry: Medication) -> Resolved:
        """Look one entry up by its code and its name, which must agree where both are known."""
        by_code = self._by_code.get(entry.rxcui.lstrip("0")) if entry.rxcui else None
        by_name, unknown_parts = self._find(entry.name) if entry.name else (None, ())
        if by_code and by_name and not _agree(by_code, by_name):
            rows = {row.ingredient: row for row in (*by_code.ingredients, *by_name.ingredients)}
            both = Match(tuple(rows.values()), rescue=by_code.rescue or by_name.rescue)
            return Resolved(index, entry, both, "code_and_name_disagree")
        if by_name:
            problem: Problem | None = "code_not_recognized" if entry.rxcui and not by_code else None
            if unknown_parts:
                problem = "partly_recognized"
            return Resolved(index, entry, by_name, problem, unknown_parts=unknown_parts)
        if by_code:
            # The code is exact; a name that cannot be read beside it is still shown to the clinician.
            return Resolved(index, entry, by_code, "partly_recognized" if entry.name else None, self.suggest(entry.name))
        return Resolved(index, entry, None, "not_recognized", self.suggest(entry.name))

    def suggest(self, name: str | None) -> tuple[str, ...]:
        """Known names that stand in `name`, and known names near it, nearest first, in our spelling."""
        plain = normalize(name or "")
        if plain in self._short:
            return tuple(display(match) for match in self._short[plain])
        key = self._strip_forms(plain)
        if len(key) < 4:
            return ()
        near = process.extract(key, self._spellings.keys(), scorer=fuzz.ratio, limit=8, score_cutoff=SUGGESTION_SCORE)
        matches = [*self._contained(plain), *(self._by_name[found] for found, _, _ in near)]
        if not self._everyday.isdisjoint(plain.split()):
            matches = [match for match in matches if not self._is_kept_back(match)]
        return tuple(dict.fromkeys(map(display, matches)))[:MOST_SUGGESTIONS]

    def _contained(self, plain: str) -> Iterator[Match]:
        """The medicines whose whole name stands among the words, the longest name first."""
        words = plain.split()[:MOST_WORDS]
        for length in range(len(words), 0, -1):
            for start in range(len(words) - length + 1):
                part = " ".join(words[start : start + length])
                if part in self._spellings:
                    yield self._by_name[part]
                elif length == 1 and len(part) > 3 and part not in self._form_words:
                    match = self._by_stem.get(part)
                    if match and match.ingredients:
                        yield self._as_written(match, part)

    def _is_kept_back(self, match: Match) -> bool:
        return any(not self._never_offered.isdisjoint(row.classes) for row in match.ingredients)

    def _named(self, name: str) -> Match:
        match = self._by_name.get(normalize(name))
        if match is None:
            raise ValueError(f"the name {name}, which is to be offered for a short one, stands for no medicine")
        return match

    def search(self, query: str, limit: int = 20) -> list[Found]:
        """Medicines by any name, misspelling, beginning of a name or RxNorm code; best first."""
        if query.strip().isdigit():
            match = self._by_code.get(query.strip().lstrip("0"))
            return _found(match, query.strip(), 100.0) if match else []
        key = self._strip_forms(normalize(query))
        exact, _ = self._find(query)
        found = _found(exact, key, 100.0) if exact else []
        if key:
            starts = ((name, 95.0) for name in sorted(self._by_name) if len(key) >= 2 and name.startswith(key))
            near = process.extract(key, self._spellings.keys(), scorer=fuzz.ratio, limit=limit, score_cutoff=70)
            for name, score in (*starts, *((name, round(score, 1)) for name, score, _ in near)):
                found += _found(self._by_name[name], name, score)
        best: dict[tuple[str, str], Found] = {}
        for hit in found:
            best.setdefault((hit.ingredient, hit.product), hit)
        return sorted(best.values(), key=lambda hit: (-hit.score, hit.name, hit.product))[:limit]

    def _find(self, name: str) -> tuple[Match | None, tuple[str, ...]]:
        """The match of a whole name, or of its parts if it names several; with the parts that nobody knows."""
        key = normalize(name)
        match = self._exact(key)
        if match:
            return self._as_kept(match, key), ()
        split = re.split(r"\s*(?:[/+&;,()\[\]]|\bwith\b|\band\b|-(?=[a-z]{5}))\s*", _fold(name))
        parts = [part for part in split if part and self._names_something(part)]
        if not 1 <= len(parts) <= 6:
            return None, ()
        keys = [normalize(part) for part in parts]
        matches = [self._exact(part) for part in keys]
        known = [found for found in matches if found]
        if not known:
            return None, ()
        unknown = tuple(part for part, found in zip(keys, matches, strict=True) if not found and self._strip_forms(part))
        ruled = [found for found in known if found.ingredients]
        besides = tuple(dict.fromkeys(found.called for found in known if not found.ingredients))
        if not ruled:
            return Match((), " and ".join(besides)), unknown
        ingredients = {row.ingredient: row for found in ruled for row in found.ingredients}
        if len(ingredients) == len(ruled[0].ingredients) and not unknown:
            # One medicine under two of its names, such as a brand with its ingredient in brackets.
            one = max(ruled, key=lambda found: (found.rescue, found.depot, found.called))
            return self._as_kept(_with(one, besides), key), ()
        together = Match(tuple(ingredients.values()), rescue=any(found.rescue for found in ruled))
        return self._as_kept(_with(together, besides), key), unknown

    def _names_something(self, part: str) -> bool:
        """False for strengths, forms and directions alone."""
        words = normalize(part).split()
        return any(word not in self._form_words and not _STRENGTH.fullmatch(word) for word in words)

    def _as_kept(self, match: Match, key: str) -> Match:
        """A benzodiazepine in a form that is kept against seizures is a rescue medicine, whatever it is called."""
        calms = any("benzodiazepine" in row.classes for row in match.ingredients)
        if match.rescue or not calms or self._rescue_forms.isdisjoint(key.split()):
            return match
        return msgspec.structs.replace(match, rescue=True)

    def _exact(self, key: str) -> Match | None:
        """The match of a normalized name, as it stands or without its salts, forms and strengths."""
        stem = self._strip_forms(key)
        unmeasured = " ".join(word for word in key.split() if not _STRENGTH.fullmatch(word))
        exact = self._by_name.get(key) or self._by_name.get(unmeasured) or self._by_name.get(stem)
        if exact:
            return exact
        shared = self._by_stem.get(stem)
        return self._as_written(shared, key) if shared else None

    def _as_written(self, match: Match, key: str) -> Match:
        """A match by a brand in another form, called by that brand without the form that was not named: "Effexor"."""
        named = set(key.split())
        words = match.called.replace("-", " ").split()
        kept = [word for word in words if normalize(word) in named or normalize(word) not in self._form_words]
        return match if len(kept) == len(words) else msgspec.structs.replace(match, called=" ".join(kept))

    def _strip_forms(self, key: str) -> str:
        """`key` without salts, dosage forms and strengths; unchanged if nothing else would be left."""
        words = [word for word in key.split() if word not in self._form_words and not _STRENGTH.fullmatch(word)]
        return " ".join(words) or key

    def _add_ingredient(self, row: Ingredient) -> None:
        plain = Match((row,))
        for name in (row.name, row.ingredient, *row.names):
            self._add_name(name, plain)
        for brand in (*row.brands, *row.rescue_brands, *row.depot_brands):
            made = Match((row,), brand, rescue=brand in row.rescue_brands, depot=brand in row.depot_brands)
            self._add_name(brand, made)
        for code in row.rxcui:
            self._add_code(code, plain)

    def _add_combination(self, product: Combination) -> None:
        rows = tuple(self.ingredients[name] for name in product.ingredients)
        match = Match(rows, product.product, product.also_contains, rescue=product.rescue == "yes")
        for name in (product.product, *product.names):
            self._add_name(name, match)
        for code in product.rxcui:
            self._add_code(code, match)

    def _add_name(self, name: str, match: Match) -> None:
        key = normalize(name)
        known = self._by_name.setdefault(key, match)
        # A stem that two medicines share stands for neither.
        stem = self._strip_forms(key)
        shared = self._by_stem.setdefault(stem, match)
        if shared and shared.ingredients != match.ingredients:
            self._by_stem[stem] = None
        if known.ingredients != match.ingredients:
            raise ValueError(f"the name {name} stands for both {display(known)} and {display(match)}")

    def _add_code(self, code: str, match: Match) -> None:
        known = self._by_code.setdefault(code, match)
        if known.ingredients != match.ingredients:
            raise ValueError(f"the code {code} stands for both {display(known)} and {display(match)}")


def display(match: Match) -> str:
    """How a plan names a medicine: its ingredients, with the brand it was found by."""
    ingredients = " and ".join(row.name for row in match.ingredients)
    return f"{ingredients} ({match.called})" if match.called and ingredients else ingredients or match.called


def _with(match: Match, besides: tuple[str, ...]) -> Match:
    """A match that contains known medicines besides."""
    return msgspec.structs.replace(match, also_contains=(*match.also_contains, *besides)) if besides else match


def called(match: Match | None) -> tuple[str, ...]:
    """What decides how a plan names a medicine: the brand and the ingredients."""
    return (match.called, *[row.ingredient for row in match.ingredients]) if match else ()


def normalize(name: str) -> str:
    """`name` folded for look-up: no case, accents, punctuation or surplus spaces."""
    if name.isascii() and name.isalnum():
        return name.lower()
    return " ".join(re.sub(r"[^\w]+|_", " ", _fold(name).replace("'", "").replace("’", "")).split())


def _fold(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", re.sub("[™®©℠]", "", name))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def _agree(one: Match, other: Match) -> bool:
    """True when one of the two names all that the other does: a product agrees with the code of its ingredient."""
    left = {row.ingredient for row in one.ingredients}
    right = {row.ingredient for row in other.ingredients}
    if not left or not right:
        return left == right
    return left <= right or right <= left


def _found(match: Match, matched: str, score: float) -> list[Found]:
    return [
        Found(
            ingredient=row.ingredient,
            name=row.name,
            matched=match.called or matched,
            score=score,
            classes=row.classes,
            half_life=row.half_life,
            half_life_hours=row.half_life_hours,
            rxcui=row.rxcui,
            atc=row.atc,
            brands=row.brands,
            product=match.called if len(match.ingredients) > 1 or match.also_contains else "",
        )
        for row in match.ingredients
    ]


_STRENGTH = re.compile(r"\d+(?:mg|mcg|ug|g|ml|mgml)?|mg|mcg|ml|g")
