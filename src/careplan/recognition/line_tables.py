"""What the reading of every line uses: the tree of phrases, the dictionary of names, the patterns of strengths."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from careplan.recognition.line_remarks import Remarks
from careplan.recognition.list_words import NUMBER, ListWords, Meaning, Node, Phrases, parts
from careplan.recognition.name_index import NameIndex
from careplan.recognition.number_signs import NumberSigns
from careplan.recognition.plain_text import any_of
from careplan.recognition.times_ago import TimesAgo

KNOWN = "known"
"""What the dictionary holds for a name that no rule looks at."""
LONG_ENOUGH = 10
"""Shorter phrases say nothing inside a sentence."""
SHORTEST_WITH_ANOTHER_ENDING = 7
SHORT = 3
"""So few letters are the short form of many things."""
BEGINNING_OF_A_DAY = 3
NOTHING = Meaning("")
_HALVES_OF_A_DAY = ("am", "pm")
FEW = 12
"""A bare number up to this is a count of pieces."""


class Tables:
    """The lists of `list_words.yaml`, ready for look-up."""

    def __init__(self, words: ListWords, meaning: Callable[[str], Any], phrases: Phrases, names: Collection[str]) -> None:
        self.meaning = meaning
        self.phrases, self.tree = phrases, phrases.tree
        self.money, self.ticked, self.unticked, self.tells_earlier = map(
            frozenset, (words.money, words.ticked, words.unticked, words.tells_earlier)
        )
        self.in_letters: Node = {
            word: node for word, node in phrases.tree.items() if word.isalpha() and word not in self.tells_earlier
        }
        """The phrases that begin with a word, each by that word, for lines that tell of one dose."""
        self.index = NameIndex(names, phrases.tree)
        self.beginnings = self.index.beginnings
        self.numbers: Mapping[str, float] = words.numbers
        self._endings = words.endings
        self._all_endings = tuple(words.endings)
        self.negations, self.denials = frozenset(words.negations), frozenset(words.denials)
        self.leaves_from, self.leaves_for = words.leaves_from, frozenset(words.leaves_for)
        not_ended = [f"{never} {ended}" for never in words.not_done for ended in words.ended_it]
        self.again, self.joins, self.from_a_day, self.marks = map(
            frozenset,
            (
                (*words.again, *not_ended),
                words.joins,
                words.from_a_day,
                ("[", *words.money, *words.ticked, *words.unticked),
            ),
        )
        self.earlier_doses, self.not_borne = (
            frozenset(map(parts, listed)) for listed in (words.earlier_doses, words.not_borne)
        )
        self.kept_apart = tuple(map(parts, words.kept_apart))
        self.kept_from, self.kept_though_denied = map(frozenset, (words.kept_from, ("other", *words.gravest_reasons)))
        self.until, self.until_now, self.at_a_time = map(
            frozenset, (words.ended.until, words.ended.until_now, words.ended.at_a_time)
        )
        self.last_taken, self.years_ago = frozenset(words.ended.last_taken), frozenset(words.ended.years_ago)
        self.times = TimesAgo(words.ended.times)
        self.weekdays = frozenset(words.ended.weekdays)
        self._weekday = re.compile(rf"\b({any_of(self.weekdays)})s?\b")
        self.limits_behind = frozenset(map(parts, words.limits_behind))
        self.limits_a_day = frozenset(map(parts, words.limits_a_day))
        self.directions, self.months = frozenset(words.directions), frozenset(words.months)
        self.few: Mapping[str, Node] = {
            str(count): node for count in range(FEW + 1) if "" not in (node := phrases.tree.get(str(count), {}))
        }
        """Figures of so many pieces, each with the phrases that it begins."""
        self.whole_only, self.short_salts = (
            frozenset("".join(parts(name)) for name in words.whole_only),
            tuple(salt for salt in words.salts if len(salt) <= SHORT),
        )
        self.plainly, self.remarks = (
            NumberSigns(words.with_a_number_sign).plainly,
            Remarks(words.remarks, meaning, self.whole_only),
        )
        self.forms: Mapping[str, str] = {
            form: token for token, listed in words.forms.items() for form in listed if form.isalpha()
        }
        self.swallowed = frozenset(words.swallowed)
        self.local_routes, self.local_forms = frozenset(words.local_routes), frozenset(words.local_forms)
        nothing = _joined(words.nothing)
        self.nothing = frozenset(
            (*nothing, *(said + of for said in _joined(words.nothing_said) for of in _joined(words.nothing_of)))
        )
        self.longest_of_nothing = max(map(len, self.nothing), default=0)
        self.opens_nothing = frozenset(cut[0] for phrase in (*words.nothing, *words.nothing_said) if (cut := parts(phrase)))
        self.nothing_at_length = tuple(phrase for phrase in nothing if len(phrase) >= LONG_ENOUGH)
        self.units = frozenset(words.in_mg)
        self.plain_units = frozenset(
            unit for unit in words.units if unit.isalpha() and not _begins_another(unit, words.units)
        )
        """Units behind which no longer one may go on."""
        counted = {
            *words.volumes,
            *words.units,
            *words.units_of_activity,
            *words.months,
            *words.numbers,
            *phrases.tree[NUMBER],
        }
        self.pieces = frozenset(
            word
            for word, node in self.tree.items()
            if word.isalpha() and word not in counted and node.get("", NOTHING).kind in ("forms", "amounts")
        )
        """What is counted in figures, such as tablets, where the words with a number in front mean nothing else."""
        no_phrase = {
            *words.months,
            *_HALVES_OF_A_DAY,
            *(parts(unit)[0] for unit in (*words.units, *words.units_of_activity)),
        }
        self.behind_figures = frozenset(word for word in phrases.tree[NUMBER] if word.isalpha() and word not in no_phrase)
        """Words that go on a phrase which a figure begins, and no strength or time of the clock, such as "times"."""
        self.volumes, self.millilitres, self.counted_singly, self.measured_in_drops = map(
            frozenset, (words.volumes, words.millilitres, words.counted_singly, words.measured_in_drops)
        )
        self.adds_up = frozenset(words.adds_up)
        self.strength, self.volume = _patterns(words)

    def adds(self, figure: str | None) -> bool:
        """Whether a figure is a sum, such as "25 + 12.5"."""
        return figure is not None and any(sign in figure for sign in self.adds_up)

    def days_named(self, words: Sequence[str]) -> tuple[str, ...]:
        """The days of the week among words, each by how it begins in its language, so that its short form is the same."""
        return tuple([found[:BEGINNING_OF_A_DAY] for found in self._weekday.findall(" ".join(words))])

    def in_another_language(self, word: str) -> Any:
        """What a word means whose ending is that of another language, such as Sertralin; None if that is no known name."""
        if len(word) < SHORTEST_WITH_ANOTHER_ENDING or not word.endswith(self._all_endings):
            return None
        for end, others in self._endings.items():
            if word.endswith(end):
                for other in others:
                    found = self.meaning(word.removesuffix(end) + other)
                    if found is not None and not getattr(found, "called", ""):  # brands are the same in every language
                        return found
        return None


def _begins_another(unit: str, units: Sequence[str]) -> bool:
    return any(other.startswith(unit) and not other[len(unit) :][:1].isalpha() for other in units if other != unit)


def _patterns(words: ListWords) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The patterns of a strength and of a volume."""
    unit, volume, per = (_any_of(listed) for listed in (words.units, words.volumes, words.per))
    activity, millilitre = _any_of(words.units_of_activity), _any_of(words.millilitres)
    plus = rf"(?:\s?{any_of(words.adds_up)}\s?\d[\d.,]*)" if words.adds_up else ""
    several = f"{plus}*" if plus else ""
    number = r"(?:\d[\d.,]*(?:\s?(?:-|to)\s?\d[\d.,]*)?|[.,]\d+)"
    strength = re.compile(
        rf"(?P<figure>{number}{several})\s?-?\s?(?P<unit>{unit})(?![^\W\d_])"
        rf"(?:\s?(?:/|per\s)\s?{number}?\s?(?:{unit}|{volume}|{per})(?![^\W\d_]))?"
        rf"|{number}(?:\s?[/-]\s?{number})+\s?(?:{unit})(?![^\W\d_])"
        rf"|(?P<activity>{number})\s?-?\s?(?P<counted_in>{activity})\s?(?:/|per\s)\s?{number}?\s?{millilitre}(?![^\W\d_])"
    )
    of_a_volume = re.compile(rf"(?P<figure>{number})\s?-?\s?(?P<unit>{volume})(?![^\W\d_])")
    return strength, of_a_volume


def _any_of(listed: Sequence[str]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, listed), key=len, reverse=True)) + ")"


def _joined(phrases: Iterable[str]) -> list[str]:
    return ["".join(parts(phrase)) for phrase in phrases]
