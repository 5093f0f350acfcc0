"""From a line of a list, a name or a code to the medicines that it means.

*Read*: rules look at one of its ingredients. *Known*: a real medicine, supplement or device that no rule looks at.
*Unread*: all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from careplan.recognition.line import Leftover, Line, Listed, Status
from careplan.recognition.line_reader import KNOWN, LineReader
from careplan.recognition.list_words import ListWords, Phrases
from careplan.recognition.medicine_catalogue import Catalogue, Match, without_kinds
from careplan.recognition.medicine_rows import Ingredient
from careplan.recognition.near_names import NearNames
from careplan.recognition.plain_text import plain, squeezed
from careplan.recognition.vocabulary import WideVocabulary
from careplan.recognition.where_it_acts import WhereItActs
from careplan.request.patient import MedicineIndication, Schedule

MOST_BETWEEN = 4
"""So many signs may stand between "Allergies" and the name."""
_REACTION = re.compile(r"\W*(?:drug |adverse |adverse drug )?(?:reactions?|rxns?|adrs?|ades?)\b")
NAMED_ALIKE = 6
"""A further name that begins with so many letters of the ingredient's own says nothing beside it."""
_FURTHER = "further"
"""What the names hold for one whose meaning stands in a line of the wide vocabulary, which is cut when it is asked for."""
_FIGURE = re.compile(r"(?<![\w-])\d[\d.,]*(?!\w)")
Recognition: TypeAlias = Literal["read", "known", "unread", "none"]
"""`none`: the entry says that there is no medicine."""


class LocalName(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `local_medicines.csv`: a name or code of this clinic, and the ingredients it means, none without a rule."""

    name: str
    ingredients: tuple[str, ...] = ()
    rxcui: tuple[str, ...] = ()
    note: str = ""


class Recognized(msgspec.Struct, frozen=True, kw_only=True):
    """One medicine of an entry. `match` holds its ingredients that rules look at; a cream has none, whatever it holds.

    `called`: its name as the line has it. `known_by`: the same where a name of no rule says all; "" where its form does.
    `unexplained`: what stands beside the name and nothing explains; shown, and for a known name enough to leave it unread.
    """

    recognition: Recognition
    match: Match | None = None
    called: str = ""
    known_by: str = ""
    listed: Listed | None = None
    unexplained: tuple[Leftover, ...] = ()

    @property
    def status(self) -> Status | None:
        """Whether it is taken; None if the line does not say."""
        said = self.listed.status if self.listed is not None else None
        return said.value if said is not None else None  # type: ignore[return-value]

    @property
    def is_plain(self) -> bool:
        """True where names say all: nothing is left unexplained, and no status stands beside them."""
        if self.unexplained or self.recognition not in ("read", "known"):
            return False
        return self.listed is None or self.listed.status is None

    @property
    def stands_for(self) -> Match:
        """What is taken of it: its match, or where no rule looks at it, its name alone."""
        return self.match or Match((), self.known_by)

    @property
    def schedule(self) -> Schedule | None:
        """How it is taken, where that is plain."""
        return self.listed.schedule if self.listed is not None else None


class Recognizer:
    """Everything a rulebook knows of medicines. Raises ValueError for a name that is said to mean no such ingredient."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        catalogue: Catalogue,
        words: ListWords,
        vocabulary: WideVocabulary,
        phrases: Phrases | None = None,
        local: Iterable[LocalName] = (),
        controlled: Iterable[str] = (),
    ) -> None:
        self._catalogue = catalogue
        self._gravest = words.gravest_reasons
        self._rescue_forms = frozenset(words.rescue_forms)
        self._words_of_allergy = frozenset(words.words_of_allergy)
        self._signs_of_allergy = frozenset(words.signs_of_allergy)
        self._against_allergies = frozenset(words.against_allergies)
        self._where = WhereItActs(words)
        self._rescue_words = frozenset(
            phrase for form in words.rescue_forms for phrase in (*words.forms.get(form, ()), *words.routes.get(form, ()))
        )
        self._vocabulary = vocabulary
        self._local_codes: dict[str, Any] = {}
        self._names: dict[str, Any] = dict.fromkeys(vocabulary.further_names, _FURTHER)
        self._names.update(dict.fromkeys(vocabulary.known, KNOWN))
        self._names.update({name.replace(" ", ""): match for name, match in catalogue.spellings()})
        for row in local:
            meant = self._meant(row.ingredients, row.name) if row.ingredients else KNOWN
            self._names[squeezed(row.name)] = meant
            self._local_codes.update(dict.fromkeys(row.rxcui, meant))
        self.reader = LineReader(words, self._names, self._meaning, phrases)
        self._near: NearNames | None = None
        self._everyday = frozenset(map(squeezed, words.whole_only)).difference(words.medicines_in_goals)
        self._controlled = frozenset(controlled)

    def _meaning(self, key: str) -> Any:
        found = self._names.get(key)
        if found is not _FURTHER or (further := self._vocabulary.further(key)) is None:
            return found
        match = self._meant(further.ingredients, further.name)
        if key.startswith(squeezed(match.ingredients[0].name)[:NAMED_ALIKE]):
            return msgspec.structs.replace(match, called="")  # a salt, or the name in another language
        return match

    def _meant(self, tokens: Iterable[str], called: str = "") -> Match:
        try:
            rows = tuple(self._catalogue.ingredients[token] for token in tokens)
        except KeyError as error:
            raise ValueError(f"there is no ingredient {error.args[0]}, which {called or 'a code'} is said to mean") from None
        return Match(rows, called)

    @property
    def known_names(self) -> list[str]:
        """The names of what no rule looks at, in letters and figures alone."""
        return self._vocabulary.known

    def read(self, text: str) -> Line:
        """One line, part by part."""
        return self.reader.read(text)

    def recognize(self, text: str, on: str | None = None) -> tuple[Recognized, ...]:
        """The medicines of one line, by the day of the plan; one that is unread or `none` if it names none."""
        line = self.reader.read(text, on)
        if line.says_none:
            return (Recognized(recognition="none"),)
        in_name = tuple([part for part in line.leftover if part.in_name])
        named = [listed for listed in line.medicines if listed.names]
        if not named:
            return (Recognized(recognition="unread", called=text, listed=line.medicines[0], unexplained=line.leftover),)
        if len(named) == 1:
            return (self._judged(named[0], line.leftover, in_name),)
        found = []
        for at, listed in enumerate(named):
            begin = listed.names[0].start if at else 0
            end = named[at + 1].names[0].start if at + 1 < len(named) else len(text)
            beside = tuple(part for part in line.leftover if begin <= part.start < end)
            found.append(self._judged(listed, beside, tuple(part for part in beside if part.in_name)))
        return _told_by_name(found)

    def _judged(self, listed: Listed, beside: tuple[Leftover, ...], in_name: tuple[Leftover, ...]) -> Recognized:
        matches = [name.meaning for name in listed.names if name.meaning != KNOWN]
        if len(listed.names) > 1:
            matches = _without_remarks(matches, beside_a_known_name=len(matches) < len(listed.names))
        own_words = listed.names[0].text if len(listed.names) == 1 else " ".join([name.text for name in listed.names])
        if listed.reasons and self._may_be_an_allergy(listed, matches):
            return Recognized(recognition="unread", called=own_words, listed=listed, unexplained=beside)
        if listed.frequencies and listed.status is not None and _REACTION.match(plain(listed.status.text)[0]):
            # What a regimen is told of is taken; that it was not borne well is left to a person.
            said = listed.status
            listed = msgspec.structs.replace(listed, status=None)
            beside = (*beside, Leftover(said.text, said.start, said.end))
        listed = self._where.settled(listed, matches)
        if not matches or listed.local:
            recognition: Recognition = "unread" if in_name else "known"
            known_by = " ".join(own_words.split()) if not (matches or in_name) else ""
            return Recognized(
                recognition=recognition, called=own_words, known_by=known_by, listed=listed, unexplained=beside
            )
        match = self._as_kept(matches[0] if len(matches) == 1 else _together(matches), listed)
        if not match.is_under_rules:
            recognition = "unread" if in_name else "known"
            return Recognized(recognition=recognition, match=match, called=own_words, listed=listed, unexplained=beside)
        return Recognized(recognition="read", match=match, called=own_words, listed=listed, unexplained=beside)

    def _may_be_an_allergy(self, listed: Listed, matches: list[Match]) -> bool:
        """True for a name with a word of allergy alone, unless it is that of a medicine against allergies."""
        said = (listed.strengths, listed.forms, listed.routes, listed.amounts, listed.frequencies)
        if listed.status is not None or listed.as_needed is not None or any(said):
            return False
        reason = listed.reasons[0]
        words, behind = plain(reason.text)[0], reason.start - listed.names[-1].end
        others = any(self._against_allergies.isdisjoint(_classes(match)) for match in matches)
        if words in self._signs_of_allergy:  # "lamotrigine - rash"
            return others and 0 <= behind <= MOST_BETWEEN
        if words not in self._words_of_allergy:
            return False
        before = 0 < listed.names[0].start - reason.end <= MOST_BETWEEN  # "Allergies - Lamictal (rash)"
        return (before or (len(listed.reasons) == 1 and 0 <= behind <= 1)) and (others or not matches)

    def _as_kept(self, match: Match, listed: Listed) -> Match:
        """A benzodiazepine in a form that is kept against seizures is a rescue medicine, whatever it is called."""
        if match.rescue or "benzodiazepine" not in _classes(match):
            return match
        kept = not self._rescue_forms.isdisjoint(word.value for word in (*listed.forms, *listed.routes))
        in_the_name = not self._rescue_words.isdisjoint(
            word for name in listed.names for word in plain(name.text)[0].split()
        )
        return msgspec.structs.replace(match, rescue=True) if kept or in_the_name else match

    def by_code(self, rxcui: str) -> Recognized | None:
        """What an RxNorm code of an ingredient, product or pack, or an NDC number, stands for; None if nobody knows it."""
        code = rxcui.lstrip("0")
        found: Any = self._local_codes.get(code) or self._catalogue.by_code.get(code)
        if found is None:
            tokens = self._vocabulary.code(rxcui) or self._vocabulary.code(code)
            if tokens is None:
                return None
            found = self._meant(tokens) if tokens else KNOWN
        return Recognized(recognition="known") if found == KNOWN else Recognized(recognition="read", match=found)

    def warm(self) -> NearNames:
        """Make what offers are looked up in, which else is done for the first unread name."""
        names = {
            key: match
            for key, match in self._names.items()
            if match not in (KNOWN, _FURTHER) and key not in self._everyday and not _is_a_phrase_for_a_kind(key, match)
        }
        for key, further in self._vocabulary.every_further().items():
            names.setdefault(key, self._meant(further.ingredients, further.name))
        self._near = NearNames(names, self._vocabulary, self._controlled)
        return self._near

    def offers(self, recognized: Recognized) -> tuple[Match, ...]:
        """What the unexplained words of an unread medicine may have been meant to be."""
        if recognized.recognition != "unread" or not recognized.unexplained:
            return ()
        near = self._near or self.warm()
        text = recognized.unexplained[0].text
        whole, without_figures = squeezed(text), squeezed(_FIGURE.sub("", text))
        offers = near.offers(whole) or (near.offers(without_figures) if without_figures != whole else ())
        if recognized.listed is not None and recognized.listed.names:
            # Beside a name that is known, such as that of an everyday product, nothing controlled is guessed at.
            return tuple(match for match in offers if self._controlled.isdisjoint(_classes(match)))
        return offers

    def indication(self, listed: Listed) -> MedicineIndication | None:
        """The reason that counts of all that a line gives: the gravest, else the first."""
        if not listed.reasons:
            return None
        said = [reason.indication for reason in listed.reasons]
        return next((grave for grave in self._gravest if grave in said), said[0] if said else None)


def _is_a_phrase_for_a_kind(key: str, match: Match) -> bool:
    """True for words such as "blood pressure pill": nobody who writes one word means them."""
    return match.by_kind and key not in match.ingredients[0].names


def _without_remarks(matches: list[Match], *, beside_a_known_name: bool) -> list[Match]:
    """Without words for a kind that only say what the name beside them is: "lisinopril (blood pressure pill)"."""
    named = [match for match in matches if not match.by_kind]
    rows = [row for match in named for row in match.ingredients if row.classes]
    if not rows:
        return named if named or beside_a_known_name else matches  # aspirin (blood thinner)
    return [match for match in matches if without_kinds(match.ingredients, rows)]


def _told_by_name(found: list[Recognized]) -> tuple[Recognized, ...]:
    """Without a word for a kind that says nothing of its own, where the line names a medicine of it: "Xanax - a benzo"."""
    rows = [row for one in found if one.match is not None for row in one.match.ingredients]
    return tuple([one for one in found if not _is_a_remark(one, rows)])


def _is_a_remark(recognized: Recognized, rows: list[Ingredient]) -> bool:
    says_more = bool(recognized.unexplained) or (recognized.listed is not None and recognized.listed.says_more)
    return (
        recognized.match is not None
        and recognized.match.by_kind
        and not says_more
        and not without_kinds(recognized.match.ingredients, rows)
    )


def _together(matches: list[Match]) -> Match:
    """Several names of one medicine: a brand with its ingredient, or the ingredients of a combination."""
    rows: Mapping[str, Ingredient] = {row.ingredient: row for match in matches for row in match.ingredients}
    if len(rows) == len(matches[0].ingredients):
        return max(matches, key=lambda match: (match.rescue, match.depot, match.called))
    contains = tuple(dict.fromkeys(name for match in matches for name in match.also_contains))
    return Match(tuple(rows.values()), also_contains=contains, rescue=any(match.rescue for match in matches))


def _classes(match: Match) -> set[str]:
    return {name for row in match.ingredients for name in row.classes}
