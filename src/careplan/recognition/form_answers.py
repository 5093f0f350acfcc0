"""Answers of forms beside the names of illnesses, in words: boxes, Y and N, and signs of a review of systems.

"Stroke [ ] Diabetes [x]" and "Stroke: N  Diabetes: Y" answer each question, and "+fatigue, -CP" says of each whether it is
there. Where no box of an entry is ticked nobody can say whether the questions were answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_ABSENT = "denied"
_NOT_TICKED = "[-]"
_BOX = re.compile(r"\[\s?(?P<tick>[x√✓✔*]?)\s?\]|(?P<open>[☐□▢◻])|(?P<full>[☑☒✓✔])|\((?P<round>x?)\s?\)(?=\s|$)")
_LEADS = re.compile(r"[\s\W]*$|.*:\s*$", re.DOTALL)
_ENDS = " ,;|/\n-"
_LIST = re.compile(r"[,/&]|\b(?:and|or)\b")
_NAME = r"[a-z][\w /'-]{1,40}?"
_ANSWER = re.compile(
    r"(?P<sign>\s?[:=]\s?|\s-\s|\s?\()(?P<answer>yes|no|y|n)(?P<close>\)?)"
    rf"(?=\s*(?:$|[,;.|\n])|\s+(?P<next>{_NAME}(?:\s?[:=]\s?(?:yes|no|y|n)\b|\s?\((?:yes|no|y|n)\))))"
)
_PLUS = re.compile(r"(?:^|(?<=[\s,;:(]))\+\s?(?=[a-z])")
_MINUS = re.compile(r"(?:^|(?<=[\s,;:(]))-(?=[a-z])")
_SIGNED = re.compile(r"(?:^|(?<=[\s,;:(]))(?P<sign>[-+])\s?(?P<terms>[a-z][^,;\n+]*?)(?=\s*(?:$|[,;.\n]|\s[-+]\s?[a-z]))")

_AT = re.compile(r"\s?@\s?(?=\d)")
_RELATIVE = re.compile(
    r"(?<=[a-z])\s?\((?:(?:alive|living|deceased|dec|died|dead|d)\b[^()]{0,30}|\d{2}(?: ?(?:yo|y|years old))?)\)\s?:"
)

Change = tuple[int, int, str]
"""From where to where of a plain text something else is written."""


def in_words(told: str, places: Sequence[int]) -> tuple[str, Sequence[int]]:
    """Plain text with such answers in words, and for each character of it the place that it came from."""
    for find in (_short_signs, _boxes, _answers, _signs):
        if changes := list(find(told)):
            told, places = _changed(told, places, changes)
    return told, places


def with_boxes_of_a_list(entries: Sequence[str]) -> Sequence[str]:
    """The entries of a list, "[-]" in the place of a box that is not ticked where another entry has one that is."""
    if not any("[" in text for text in entries):
        return entries
    found = [_BOX.match(text.lower().lstrip()) for text in entries]
    if not any(one is not None and _is_ticked(one) for one in found):
        return entries
    pairs = zip(entries, found, strict=True)
    return [text.replace("[ ]", _NOT_TICKED, 1) if one is not None and not _is_ticked(one) else text for text, one in pairs]


def _short_signs(told: str) -> Iterator[Change]:
    """A sign for "at", and what stands in brackets of a relative before a colon: "Father (deceased, 61): MI @ 52"."""
    for found in _AT.finditer(told) if "@" in told else ():
        yield found.start(), found.end(), " at "
    for found in _RELATIVE.finditer(told) if ")" in told and "@" not in told else ():
        yield found.start(), found.end(), ":"


def _is_ticked(box: re.Match[str]) -> bool:
    return bool(box["tick"] or box["full"] or box["round"])


def _boxes(told: str) -> Iterator[Change]:
    if told.startswith(_NOT_TICKED) and told.count("[") == 1:
        yield 0, len(_NOT_TICKED), " "
        yield from _answered(told, len(_NOT_TICKED), len(told), _ABSENT)
        return
    boxes = [] if told.isalnum() else list(_BOX.finditer(told))
    if not boxes:
        return
    leads = _LEADS.match(told, 0, boxes[0].start()) is not None
    absent = _ABSENT if any(map(_is_ticked, boxes)) else "possible"
    for at, box in enumerate(boxes):
        answer = "" if _is_ticked(box) else absent
        if leads:
            end = boxes[at + 1].start() if at + 1 < len(boxes) else len(told)
            yield box.start(), box.end(), " "
            yield from _answered(told, box.end(), end, answer)
        else:
            begin = boxes[at - 1].end() if at else _behind_heading(told, box.start())
            yield from _answered(told, begin, box.start(), answer)
            yield box.start(), box.end(), " "


def _answered(told: str, start: int, end: int, answer: str) -> Iterator[Change]:
    """An answer behind what it is of, or before it where that is a list: "stroke/TIA [ ]"."""
    asked = told[start:end].strip(_ENDS)
    if not asked:
        return
    start = told.index(asked, start)
    end = start + len(asked)
    if not answer:
        yield end, end, ","
    elif _LIST.search(asked):
        yield start, start, "; denies " if answer == _ABSENT else f"; {answer} "
        yield end, end, ";"
    else:
        yield end, end, f": {answer},"


def _behind_heading(told: str, end: int) -> int:
    """Where what the first box is of begins: behind a heading, or what stands there before a separator."""
    return max(told.rfind(sign, 0, end) for sign in ":;,\n") + 1


def _answers(told: str) -> Iterator[Change]:
    for found in _ANSWER.finditer(told):
        if found["answer"] != "no" or found["next"]:  # That is read where it stands.
            said = f": {_ABSENT}" if found["answer"][0] == "n" else ""
            yield found.start(), found.end(), f"{said}," if found["next"] else said


def _signs(told: str) -> Iterator[Change]:
    """Plus and minus before words, where an entry has both: then no minus is a mark of a list."""
    if not (_PLUS.search(told) and _MINUS.search(told)):
        return
    for found in _SIGNED.finditer(told):
        yield found.start(), found.start("terms"), " "
        yield from _answered(told, *found.span("terms"), _ABSENT if found["sign"] == "-" else "")


def _changed(told: str, places: Sequence[int], changes: Sequence[Change]) -> tuple[str, Sequence[int]]:
    parts: list[str] = []
    came_from: list[int] = []
    at = 0
    for start, end, said in changes:
        parts += told[at:start], said
        came_from += [*places[at:start], *[places[start]] * len(said)]
        at = end
    return "".join([*parts, told[at:]]), [*came_from, *places[at:]]
