"""How many days ago something was, as people write it: "3 days ago", "two weeks back", "vor 3 Tagen", "hace 2 meses"."""

from __future__ import annotations

import re

from careplan.recognition.plain_text import any_of

_DAYS_IN = {"day": 1, "week": 7, "wk": 7, "month": 30, "mo": 30, "mth": 30, "year": 365, "yr": 365}
_ABROAD = {
    **dict.fromkeys(("tag", "tage", "tagen", "jour", "jours", "dia", "dias"), 1),
    **dict.fromkeys(("woche", "wochen", "semaine", "semaines", "semana", "semanas"), 7),
    **dict.fromkeys(("monat", "monate", "monaten", "mois", "mes", "meses"), 30),
    **dict.fromkeys(("jahr", "jahre", "jahren", "an", "ans", "annee", "annees", "ano", "anos"), 365),
}
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
_COUNTS_ABROAD = {
    **dict.fromkeys(("einem", "einer", "un", "une", "una"), 1),
    **dict.fromkeys(("zwei", "deux", "dos"), 2),
    **dict.fromkeys(("drei", "trois", "tres"), 3),
}
AGO = rf"(?:\d{{1,4}}|{any_of(_COUNTS)}) ?(?:{any_of(_DAYS_IN)})s? (?:ago|back)"
"""The pattern of such a time in English, without groups."""
_AGO = re.compile(rf"\b(\d{{1,4}}|{any_of(_COUNTS)}) ?({any_of(_DAYS_IN)})s? (?:ago|back)\b")
_BEFORE_COUNTS = ("vor ", "il y a ", "hace ")
_AGO_ABROAD = re.compile(rf"\b{any_of(_BEFORE_COUNTS)}(\d{{1,4}}|{any_of(_COUNTS_ABROAD)}) ({any_of(_ABROAD)})\b")


_SPAN = r"\b(?:for|x|past|last|fur|pendant|durante) ?(?:the past |the last |about )?"
_FOR = re.compile(rf"{_SPAN}(\d{{1,4}}|{any_of(_COUNTS)}) ?({any_of(_DAYS_IN)})s?\b")


def days_of(many: str, unit: str) -> int | None:
    """How many days so many of a unit are, in figures or a word; None if these are no count and unit of time."""
    count = int(many) if many.isdecimal() else _COUNTS.get(many)
    days = _DAYS_IN.get(unit) or _DAYS_IN.get(unit.removesuffix("s"))
    return count * days if count is not None and days is not None else None


def days_ago(words: str) -> int | None:
    """How many days ago plain words say that something was; of several times the latest, None if they name none."""
    found: list[int] = []
    if "ago" in words or "back" in words:
        found += [days_of(many, unit) or 0 for many, unit in _AGO.findall(words)]
    if any(word in words for word in _BEFORE_COUNTS):
        found += [(_COUNTS_ABROAD.get(many) or int(many)) * _ABROAD[unit] for many, unit in _AGO_ABROAD.findall(words)]
    return min(found, default=None)


def days_lasting(words: str) -> int | None:
    """For how many days plain words say that something is so, as "for 3 weeks" does; the least, None if they do not."""
    return min((days_of(many, unit) or 0 for many, unit in _FOR.findall(words)), default=None)
