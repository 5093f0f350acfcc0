"""What no text of a rule may say, checked when the rulebook is loaded.

These are floors under every rulebook, so they stand in code: a clinic's own rules cannot lift them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from careplan.request.signature import CHANGE
from careplan.rulebook.text_template import one_line

_ORDER = re.compile(rf"\b(?:{CHANGE})\b", re.IGNORECASE)
_MEDICINE = re.compile(
    r"\{(?:medicine|medicines|ingredient|class|entry)\}|\b(?:medicines?|medications?|doses?|pills?|tablets?|drugs?|"
    r"benzodiazepines?|lamotrigine|prescriptions?)\b",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"\b(?:do not|don't|does not|never|not|nor|no one|nobody|without|whether|if|when|suddenly|abruptly|sudden|"
    r"before (?:you|any)|decid\w+)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
_SEIZURE = re.compile(r"\bseizures?\b")
_DOSE = re.compile(r"\b\d+(?:[.,]\d+)?\s*(?:mg|mcg|µg|milligrams?|micrograms?)\b", re.IGNORECASE)
_KETAMINE_DOSE = re.compile(r"\b\d+(?:[.,]\d+)?\s*(?:mg|mcg)\s*(?:/|per )\s*(?:kg|kilogram)", re.IGNORECASE)
_HOURS = re.compile(
    r"\b(?:\d+|one|two|three|four|six|eight|twelve|twenty-four|forty-eight)[ -]?(?:h|hours?|hrs?|days?)\b", re.IGNORECASE
)
_OVERSOLD = re.compile(r"\b(?:reset|rewires?|superior|cures?|guaranteed to)\b", re.IGNORECASE)


def orders_a_change(text: str) -> str | None:
    """The sentence of a patient text that reads as an order to change a medicine, if there is one."""
    for sentence in _SENTENCE.split(one_line(text)):
        if _ORDER.search(sentence) and _MEDICINE.search(sentence) and not _HARMLESS.search(sentence):
            return sentence
    return None


_ORDERS_IN = {
    "es": re.compile(
        r"\b(?<!no )(?:deje de|suspenda|interrumpa|reduzca|aumente|duplique|salte|omita|tome (?:más|menos|solo)|no tome)\b"
        r"[^.!?]*\b(?:medicinas?|medicamentos?|pastillas?|dosis|tratamiento|tomar)\b",
        re.IGNORECASE,
    ),
}


def orders_a_change_in(language: str, text: str) -> bool:
    """True when a text in another language reads as an order to change a medicine. Of a language not known here, always."""
    pattern = _ORDERS_IN.get(language)
    return pattern is None or pattern.search(one_line(text)) is not None


def names_hours(text: str) -> bool:
    """True when a text names hours or days."""
    return bool(_HOURS.search(text))


def names_a_dose(text: str) -> bool:
    """True when a text names an amount of a medicine."""
    return bool(_DOSE.search(text))


def names_a_ketamine_dose(text: str) -> bool:
    """True when a text names an amount per kilogram, which is how ketamine is dosed."""
    return bool(_KETAMINE_DOSE.search(text))


def oversells(text: str) -> Iterator[str]:
    """The words of a text that sell an estimate or a metaphor as a fact."""
    for found in _OVERSOLD.finditer(text):
        yield found.group()


def warns_of_withdrawal(text: str) -> bool:
    """True when a text says that stopping can cause withdrawal, seizures among it."""
    return "withdrawal" in text.lower() and "seizure" in text.lower()


def warns_of_rash(text: str) -> bool:
    """True when a text says that after missed doses lamotrigine may have to be built up again because of a rash."""
    return "missed" in text.lower() and "rash" in text.lower()


def speaks_of_withdrawal_seizures(text: str) -> bool:
    """True when one sentence of a text speaks of seizures of withdrawal."""
    sentences = _SENTENCE.split(one_line(text.lower()))
    return any("withdrawal" in sentence and _SEIZURE.search(sentence) for sentence in sentences)


def speaks_of_rash(text: str) -> bool:
    """True when a text speaks of a rash together with missed doses, a new build-up or lamotrigine."""
    plain = text.lower()
    return "rash" in plain and any(word in plain for word in ("missed", "build-up", "titration", "lamotrigine"))
