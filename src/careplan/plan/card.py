"""The patient's card: the few lines that a patient needs standing up, in the order of time, and whom to call.

Lines come from rules, the gravest first, until the parts of the card, its words or its actions are full; what does not fit
stands in the longer texts. Dates and times come from what was sent. Of a blocked plan a patient reads only whom to call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from careplan.facts.case import Case
from careplan.plan.card_model import Card, CardLine, Companion, Translated
from careplan.plan.emergency_numbers import EmergencyNumbers
from careplan.plan.item_templates import Written
from careplan.request.clinic import Clinic
from careplan.request.patient import Protocol
from careplan.rulebook.entries import ENGLISH
from careplan.rulebook.layers import CardSlot, CardWords
from careplan.rulebook.model import LEVELS, Rulebook
from careplan.rulebook.text_template import Text, one_line

MOST_WORDS = 400
KEPT_FOR_NAME = 12
"""So many words more than there are now a card may have once it says who signed it."""
MOST_ACTIONS = 5
MOST_DATES = 6


class _Language(msgspec.Struct, frozen=True):
    """The words of cards in one language; `language` is None for English, which needs no translator.

    `filled_in` are the sentences with places to fill in, by the names of their fields; `companion` is for who comes along.
    """

    words: CardWords
    filled_in: Mapping[str, Text]
    companion: tuple[Text, ...]
    titles: dict[CardSlot, str]
    language: str | None
    translation: Translated


class Cards:
    """Makes the cards of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._numbers_by_region = EmergencyNumbers(book)
        self._slots = book.vocabulary.card_slots
        self._private = frozenset(name for name, topic in book.vocabulary.topics.items() if topic.private)
        titles = {slot: words.title for slot, words in self._slots.items()}
        self._languages = {ENGLISH: _language(book.about.card, titles, None, None)}
        for language, closing in book.about.in_languages.items():
            if closing.card is not None:
                translated = {slot: words.in_languages.get(language, words.title) for slot, words in self._slots.items()}
                checked: Translated = "reviewed" if closing.reviewed_by else "needs_review"
                self._languages[language] = _language(closing.card, translated, language, checked)

    def of(self, case: Case, written: Sequence[Written], *, blocked: bool, language: str = ENGLISH) -> Card:
        """The card of a case with these items, the gravest first."""
        in_language = self._languages.get(language, self._languages[ENGLISH])
        words, clinic = in_language.words, case.patient.clinic or Clinic()
        numbers = self._numbers_by_region.of(clinic, in_language.language or ENGLISH, case.patient.as_of)
        card = Card(
            title=one_line(words.title),
            notice=one_line(words.blocked if blocked else words.unsigned),
            titles={"call": in_language.titles["call"]},
            call=[*self._numbers(in_language, clinic)],
            crisis=self._said(in_language, numbers["crisis"]),
            language=in_language.language,
            translation=in_language.translation,
        )
        if blocked:
            return card
        private = any(one.item.topic in self._private and one.item.scope == "personal" for one in written)
        sessions = list(self._sessions(in_language, case, clinic))
        titles = {slot: in_language.titles[slot] for slot in ("sessions", "call")}
        card = msgspec.structs.replace(card, sessions=sessions, titles=titles)
        if not private:
            lines = [self._said(in_language, line.fill(numbers)) for line in in_language.companion]
            companion = Companion(title=one_line(words.companion.title), lines=[*lines, *card.call])
            card = msgspec.structs.replace(card, companion=companion)
        return self._filled(card, in_language, [one for one in written if not private or one.item.scope == "standing"])

    def _filled(self, card: Card, in_language: _Language, written: Iterable[Written]) -> Card:
        """The card with the lines of rules, as far as there is room."""
        parts: dict[CardSlot, list[tuple[int, CardLine]]] = {slot: [] for slot in self._slots}
        room, actions = MOST_WORDS - KEPT_FOR_NAME - words_on(card), MOST_ACTIONS
        offered = [(written_item, words) for written_item in written if (words := written_item.card) is not None]
        offered.sort(key=lambda offer: (LEVELS.index(offer[0].item.level), self._slots[offer[1].slot].weight))
        for place, (written_item, words) in enumerate(offered):
            part = parts[words.slot]
            if len(part) >= self._slots[words.slot].most or (words.does and not actions):
                continue
            line = self._of_rule(in_language, written_item)
            cost = len(line.text.split())
            if not part and not getattr(card, words.slot):
                cost += len(in_language.titles[words.slot].split())
            if cost > room or any(line.text == other.text for _, other in part):
                continue
            part.append((place, line))
            room -= cost
            actions -= line.does
        lines = {
            slot: [*getattr(card, slot), *(line for _, line in sorted(found, key=_in_order))]
            for slot, found in parts.items()
        }
        titles = {slot: in_language.titles[slot] for slot, found in lines.items() if found}
        return msgspec.structs.replace(card, titles=titles, **lines)

    def _of_rule(self, in_language: _Language, written_item: Written) -> CardLine:
        """The line of an item, in another language where its rule has one."""
        assert written_item.card is not None
        rule = self._book.rules[written_item.rule]
        translated = rule.cards_in_languages.get(in_language.language or ENGLISH)
        if translated is None:
            return CardLine(text=written_item.card.text, does=written_item.card.does, item=written_item.item.id)
        reviewed = rule.file.then.in_languages[in_language.language or ENGLISH].reviewed_by
        return CardLine(
            text=translated.fill(written_item.card.filled),
            does=written_item.card.does,
            item=written_item.item.id,
            language=in_language.language,
            translation="reviewed" if reviewed else "needs_review",
        )

    def _said(self, in_language: _Language, text: str, *, blank: bool = False) -> CardLine:
        return CardLine(text=text, blank=blank, language=in_language.language, translation=in_language.translation)

    def _numbers(self, in_language: _Language, clinic: Clinic) -> Iterator[CardLine]:
        """Whom to call by day and by night; what nobody sent is a blank to write in."""
        name = f"{clinic.name}, " if clinic.name else ""
        for words, number in (
            (in_language.words.by_day, clinic.phone),
            (in_language.words.after_hours, clinic.phone_after_hours),
        ):
            yield self._said(
                in_language, f"{name}{one_line(words)} {number}" if number else f"{name}{one_line(words)}", blank=not number
            )

    def _sessions(self, in_language: _Language, case: Case, clinic: Clinic) -> Iterator[CardLine]:
        """The dates, each with the hours from which the clinic's signed figures allow no food and no drinks."""
        times = sorted(set(case.patient.treatment.session_times or ()))
        if not times:
            yield self._said(in_language, one_line(in_language.words.no_date), blank=True)
        for when in times[:MOST_DATES]:
            here = when.astimezone(clinic.hours) if clinic.hours else when
            text = in_language.filled_in["session"].fill(
                {"day": _day(here, in_language.words), "time": _clock(here, in_language.words)}
            )
            for sentence, hours in zip(("food", "drinks"), _figures(case), strict=True):
                if hours:
                    before = (here.astimezone(UTC) - timedelta(hours=hours)).astimezone(here.tzinfo)
                    other = "" if before.date() == here.date() else f"{_day(before, in_language.words)}, "
                    text += " " + in_language.filled_in[sentence].fill({"time": other + _clock(before, in_language.words)})
            yield self._said(in_language, text)
        if len(times) > MOST_DATES:
            yield self._said(
                in_language, in_language.filled_in["more_sessions"].fill({"number": str(len(times) - MOST_DATES)})
            )


def signed(book: Rulebook, card: Card, by: str, when: datetime) -> Card:
    """A card with who signed it on which day, as `when` has it, in place of that nobody has. `by` is a clinician's name."""
    words = _words_of(book, card)
    return msgspec.structs.replace(card, notice=_filled(words.signed, by=by, day=_day(when, words)))


def of_blocked(book: Rulebook, card: Card) -> Card:
    """What of a card a patient may read while an alert stands: whom to call, and the crisis line."""
    notice = one_line(_words_of(book, card).blocked)
    titles: dict[CardSlot, str] = {slot: title for slot, title in card.titles.items() if slot == "call"}
    numbers = [line for line in card.call if line.item is None]
    kept = {name: getattr(card, name) for name in ("title", "crisis", "language", "translation")}
    return Card(notice=notice, titles=titles, call=numbers, **kept)


def _words_of(book: Rulebook, card: Card) -> CardWords:
    closing = book.about.in_languages.get(card.language or ENGLISH)
    return (closing and closing.card) or book.about.card


def words_on(card: Card) -> int:
    """How many words of a card are read, its companion's apart."""
    lines = [line.text for _, found in card.parts() for line in found]
    titles = [title for title, _ in card.parts()]
    return sum(len(text.split()) for text in (card.title, card.notice, card.crisis.text, *titles, *lines))


def _in_order(found: tuple[int, CardLine]) -> tuple[bool, int]:
    """What is done first comes first; the rest as it was weighed."""
    return not found[1].does, found[0]


def _figures(case: Case) -> tuple[float | None, float | None]:
    """The hours without food and without drinks that somebody signed and nobody doubts."""
    protocol = case.patient.protocol or Protocol()
    if protocol.approved_by is None:
        return None, None
    doubted = {doubt.pointer for doubt in case.doubts}
    names = ("solid_food_hours", "clear_fluid_hours")
    food, drinks = (None if f"/protocol/{name}" in doubted else getattr(protocol, name) for name in names)
    return food, drinks


def _language(words: CardWords, titles: dict[CardSlot, str], language: str | None, translation: Translated) -> _Language:
    filled_in = {name: Text.parse(getattr(words, name)) for name in ("session", "food", "drinks", "more_sessions")}
    companion = tuple(Text.parse(line) for line in words.companion.lines)
    return _Language(words, filled_in, companion, titles, language, translation)


def _filled(source: str, **words: str) -> str:
    return Text.parse(source).fill(words)


def _day(when: datetime, words: CardWords) -> str:
    dates = words.dates
    return _filled(
        dates.day, weekday=dates.weekdays[when.weekday()], month=dates.months[when.month - 1], number=str(when.day)
    )


def _clock(when: datetime, words: CardWords) -> str:
    if words.dates.clock == 24:
        return f"{when.hour}:{when:%M}"
    return f"{when.hour % 12 or 12}:{when:%M} {'am' if when.hour < 12 else 'pm'}"
