"""The medicines a rulebook knows, and how an entry of a patient's list is resolved to ingredients.

A medicine is taken as recognized only on an exact match of a code or of a whole name, after case, spacing, accents,
punctuation, salts and dosage forms are set aside. A near name is offered as a suggestion and never taken by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, Protocol

import msgspec
from rapidfuzz import fuzz, process

from careplan.recognition.disagreements import Disagreement
from careplan.recognition.dose_equivalents import Doses
from careplan.recognition.line import Said
from careplan.recognition.medicine_rows import Combination, Ingredient
from careplan.request.patient import Medication, Schedule

Recognition = Literal["read", "known", "unread"]
Problem = Literal["not_recognized", "partly_recognized", "code_not_recognized", "code_and_name_disagree"]


class Match(msgspec.Struct, frozen=True, gc=False):
    """What one name or code stands for. `called` is our spelling of it, such as the brand; never the caller's.

    A medicine that is known and that no rule concerns has no ingredients here, only the name by which it is called.
    """

    ingredients: tuple[Ingredient, ...]
    called: str = ""
    also_contains: tuple[str, ...] = ()
    rescue: bool = False
    depot: bool = False
    by_kind: bool = False
    """It tells only of what kind a medicine is, as "benzos" does: an unnamed member of that class."""

    @property
    def is_under_rules(self) -> bool:
        """Whether rules look at one of its ingredients."""
        return any(row.classes for row in self.ingredients)


class Resolved(msgspec.Struct, frozen=True, gc=False):
    """An entry of the patient's list after look-up. `match` is None when nobody may say what it is."""

    index: int
    entry: Medication
    match: Match | None
    problem: Problem | None = None
    suggestions: tuple[str, ...] = ()
    unknown_parts: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    """Names in an entry that rules look at, which none of them looks at: known without a rule, or not taken."""
    taken: bool = True
    """False where the entry says that the medicine is not taken, or that there is none."""
    on_hold: bool = False
    """Rules look at it, and it is said to be left out for now: whether it is taken today nobody can tell from the entry."""
    said: tuple[Said, ...] = ()
    """What its texts say besides names."""
    disagreements: tuple[Disagreement, ...] = ()
    """Where a field of the entry says something else than its line."""
    doses: tuple[Doses, ...] = ()
    """Doses a day of the ingredients of `match`, in their order; empty where none can be known."""
    told: tuple[str, ...] = ()
    """Conditions of the patient that its texts tell of, such as doses that were missed."""

    @property
    def recognition(self) -> Recognition:
        """`read`: rules look at one of its ingredients; `known`: a real medicine of no rule, or one not taken; `unread`."""
        if self.match is None or (self.problem == "partly_recognized" and not self.match.ingredients):
            return "unread"
        return "read" if self.match.is_under_rules else "known"

    @property
    def contradicts_itself(self) -> bool:
        """True where the entry leaves open how the medicine is taken: its fields and its text disagree, or it is on hold."""
        return self.on_hold or bool(self.disagreements)

    @property
    def is_named_by_us(self) -> bool:
        """True if our own words say what it is; else only the caller's do."""
        if self.match is None or self.problem == "partly_recognized":
            return False
        return bool(self.match.ingredients or self.match.called)

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


class ReadsEntries(Protocol):
    """What resolves the entries of a list with more than these rows."""

    told_of: Collection[str]
    """Conditions that lines can tell of."""

    def resolve(self, index: int, entry: Medication, on: str | None = None) -> Resolved:
        """What the entry at this place of the list stands for, `on` the day of a plan."""
        ...


class Catalogue:
    """All medicines of a rulebook, ready for look-up. Raises ValueError naming a name or code that two rows claim."""

    def __init__(
        self,
        ingredients: Iterable[Ingredient],
        combinations: Iterable[Combination],
        form_words: Iterable[str] = (),
        only_offered: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.ingredients: Mapping[str, Ingredient] = {row.ingredient: row for row in ingredients}
        self.combinations = tuple(combinations)
        self.entries: ReadsEntries | None = None
        self._form_words = frozenset(form_words)
        self._by_name: dict[str, Match] = {}
        self._by_stem: dict[str, Match | None] = {}
        self.by_code: dict[str, Match] = {}
        for row in self.ingredients.values():
            self._add_ingredient(row)
        for product in self.combinations:
            self._add_combination(product)
        self._spellings = {name: match for name, match in self._by_name.items() if len(name) > 3}
        self._short = {normalize(name): tuple(map(self._named, meant)) for name, meant in (only_offered or {}).items()}

    def named(self) -> dict[str, frozenset[str]]:
        """Every normalized name of every medicine, with its salt and form and without, and what it stands for."""
        matches = {stem: match for stem, match in self._by_stem.items() if match} | self._by_name
        return {
            name: frozenset(token for row in match.ingredients for token in row.tokens)
            for name, match in matches.items()
            if match.ingredients
        }

    def spellings(self) -> Iterator[tuple[str, Match]]:
        """Every normalized name with what it stands for; last the ones that are whole only with their salt or form."""
        shorter = ((stem, match) for stem, match in self._by_stem.items() if match and stem not in self._by_name)
        yield from ((stem, self._as_written(match, stem)) for stem, match in shorter)
        yield from self._by_name.items()

    def offered_for(self, name: str) -> tuple[str, ...]:
        """What a short name may mean that is never taken for a medicine; empty for any other name."""
        return tuple(map(display, self._short.get(normalize(name), ())))

    def resolve(self, index: int, entry: Medication, on: str | None = None) -> Resolved:
        """Look one entry up by its code and its name. The reader of entries is set when a rulebook is loaded.

        What doses are worth is told as it is `on` the day of a plan, such as 2026-12-31, if there is one.
        """
        assert self.entries is not None
        return self.entries.resolve(index, entry, on)

    def _named(self, name: str) -> Match:
        match = self._by_name.get(normalize(name))
        if match is None:
            raise ValueError(f"the name {name}, which is to be offered for a short one, stands for no medicine")
        return match

    def exactly(self, name: str) -> Match | None:
        """What a name stands for, as it stands or without salt, form and strength; nothing near it counts."""
        return self._exact(normalize(name))

    def search(self, query: str, limit: int = 20) -> list[Found]:
        """Medicines by any name, misspelling, beginning of a name or RxNorm code; best first."""
        if query.strip().isdigit():
            match = self.by_code.get(query.strip().lstrip("0"))
            return _found(match, query.strip(), 100.0) if match else []
        key = self._strip_forms(normalize(query))
        exact = self._exact(normalize(query))
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
        plain = Match((row,), by_kind=row.by_kind)
        for name in (row.name, row.ingredient, *row.names):
            self._add_name(name, plain)
        for brand in (*row.brands, *row.rescue_brands, *row.depot_brands):
            match = Match((row,), brand, rescue=brand in row.rescue_brands, depot=brand in row.depot_brands)
            self._add_name(brand, match)
        for code in row.rxcui:
            self._add_code(code, plain)

    def _add_combination(self, product: Combination) -> None:
        rows = tuple(self.ingredients[name] for name in product.ingredients)
        shown = frozenset(token for row in rows for token in row.classes)
        for name in product.also_contains:
            hidden = self._by_name.get(normalize(name))
            if hidden and not shown.issuperset(token for row in hidden.ingredients for token in row.classes):
                raise ValueError(f"{product.product} contains {name}, which rules look at: it belongs to its ingredients")
        match = Match(rows, product.product, product.also_contains, rescue=product.rescue == "yes")
        # Who writes the ingredients alone takes no brand.
        unbranded = match if product.also_contains else msgspec.structs.replace(match, called="")
        own = {word for row in rows for name in (row.name, *row.names) for word in normalize(name).split()}
        for name in (product.product, *product.names):
            self._add_name(name, unbranded if own.issuperset(normalize(name).split()) else match)
        for code in product.rxcui:
            self._add_code(code, match)

    def _add_name(self, name: str, match: Match) -> None:
        key = normalize(name)
        known = self._by_name.setdefault(key, match)
        if not match.by_kind:  # "Diabetes pill" is a medicine, and "diabetes" is none.
            # A stem that two medicines share stands for neither.
            stem = self._strip_forms(key)
            shared = self._by_stem.setdefault(stem, match)
            if shared and shared.ingredients != match.ingredients:
                self._by_stem[stem] = None
        if known.ingredients != match.ingredients:
            raise ValueError(f"the name {name} stands for both {display(known)} and {display(match)}")

    def _add_code(self, code: str, match: Match) -> None:
        known = self.by_code.setdefault(code, match)
        if known.ingredients != match.ingredients:
            raise ValueError(f"the code {code} stands for both {display(known)} and {display(match)}")


def display(match: Match) -> str:
    """How a plan names a medicine: its ingredients, with the brand it was found by."""
    ingredients = " and ".join(row.name for row in match.ingredients)
    return f"{ingredients} ({match.called})" if match.called and ingredients else ingredients or match.called


def normalize(name: str) -> str:
    """`name` folded for look-up: no case, accents, punctuation or surplus spaces."""
    if name.isascii() and name.isalnum():
        return name.lower()
    folded = name.lower() if name.isascii() else _fold(name)
    return " ".join(_BETWEEN.sub(" ", folded.replace("'", "").replace("’", "")).split())


def _fold(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", re.sub("[™®©℠]", "", name))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def agree(match: Match, other: Match) -> bool:
    """True when one of the two names all that the other does: a product agrees with the code of its ingredient."""
    if not match.ingredients or not other.ingredients:
        return match.ingredients == other.ingredients
    left = {row.ingredient for row in without_kinds(match.ingredients, other.ingredients)}
    right = {row.ingredient for row in without_kinds(other.ingredients, match.ingredients)}
    return left <= right or right <= left


def without_kinds(rows: Iterable[Ingredient], named: Iterable[Ingredient]) -> tuple[Ingredient, ...]:
    """`rows` without those that tell only the kind of a medicine, where one of `named` is of that kind and has a name."""
    with_names = [set(row.classes) for row in named if not row.by_kind]
    return tuple([row for row in rows if not (row.by_kind and any(row.kind <= classes for classes in with_names))])


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


_BETWEEN = re.compile(r"[^\w]+|_")
_STRENGTH = re.compile(r"\d+(?:mg|mcg|ug|g|ml|mgml)?|mg|mcg|ml|g")
