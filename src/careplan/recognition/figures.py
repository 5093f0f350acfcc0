"""Numbers as they are written in medicine lists."""

from __future__ import annotations

import re

_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_DECIMAL = re.compile(r"\d*[.,]\d+|\d+")
_NUMBER = re.compile(r"\d[\d.,]*|[.,]\d+")
MOST_COLUMNS = 4
_PIECES = re.compile(r"\d{1,2}|1/[234]|\d[.,]5")


def figure(text: str) -> float | None:
    """A number as it is written: 1,000 and 0,5 and 1.5; None for a range or several numbers."""
    if text.isdecimal():
        return float(text)
    text = text.rstrip(".,")
    if _THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    return float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else None


def intakes(text: str) -> float | None:
    """How many times a day "1-0-1" or "1 0 1 0" (morning, noon, evening, night) means; None if it is no such scheme."""
    pieces = _in_columns(text)
    if len(pieces) not in (3, 4) or not all(map(_PIECES.fullmatch, pieces)):
        return None
    return float(sum(piece != "0" for piece in pieces)) or None


def _in_columns(text: str) -> list[str]:
    """The columns of a scheme; without dashes only all four are one."""
    return text.replace(" ", "").split("-") if "-" in text or text.count(" ") != MOST_COLUMNS - 1 else text.split(" ")


def numbers_in(text: str) -> list[float]:
    """The numbers of a range such as 4-6, or the number itself."""
    return [number for part in _NUMBER.findall(text) if (number := figure(part)) is not None]


def pieces_a_day(text: str) -> float | None:
    """How many pieces a day a scheme such as "1-0-1/2" means; None if it is no such scheme."""
    if not text[:1].isdigit() or intakes(text) is None:
        return None
    parts = (piece.partition("/") for piece in _in_columns(text))
    return sum((figure(over) or 0.0) / (float(under) if under else 1.0) for over, _, under in parts)


def falls(word: str) -> bool:
    """True for a range from more to less, which counts nothing."""
    numbers = numbers_in(word)
    return len(numbers) == 2 and numbers[0] > numbers[1]
