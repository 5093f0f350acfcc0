"""How much of a list is understood, and whether one of its lines is taken for another medicine than the one meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter

import msgspec

from careplan.recognition.recognizer import Recognized, Recognizer

OF_A_LIST = 15
"""So many lines has a list of medicines, as clinics send them."""
TIMES = 3
_NOT_TAKEN = ("stopped", "not_taken", "allergy")


class Entry(msgspec.Struct, frozen=True):
    """One line to check. `meant`: tokens of ingredients, empty for none taken, None where the file does not say."""

    text: str
    code: str = ""
    meant: frozenset[str] | None = None


class Bar(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one file. `other`: lines that were taken for another medicine than the one meant; must be none."""

    file: str
    lines: int
    read: int
    known: int
    none: int
    unread: int
    codes: int = 0
    codes_known: int = 0
    microseconds: float = 0.0
    """What reading a list of fifteen such lines takes, each at the best of three times."""
    other: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    unread_lines: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of lines that are understood."""
        return (self.read + self.known + self.none) / self.lines if self.lines else 1.0


def entries(text: str) -> Iterator[Entry]:
    """The lines of a file: plain lines, or a table whose heading begins with `line`, `rank` or `rxcui`."""
    lines = text.splitlines()
    heading = lines[0].split("\t") if lines else []
    if len(heading) < 2:
        yield from (Entry(line) for line in lines if line.strip() and not line.startswith("#"))
        return
    for line in lines[1:]:
        cells = line.split("\t")
        if len(cells) < 2 or not line.strip():
            continue
        if heading[0].strip().lower().startswith("line"):
            yield Entry(cells[0].replace("\\n", "\n"), meant=frozenset(cells[1].split(";") if cells[1] else ()))
        elif heading[0].strip().lower() == "rxcui":
            yield Entry(cells[1], cells[0])
        else:
            yield Entry(cells[1])


def taken(found: Iterable[Recognized]) -> set[str]:
    """The ingredients that an entry says are taken."""
    return {
        row.ingredient
        for medicine in found
        if medicine.match is not None and medicine.status not in _NOT_TAKEN
        for row in medicine.match.ingredients
    }


def _timed(text: str, recognizer: Recognizer) -> tuple[tuple[Recognized, ...], float]:
    best = float("inf")
    found: tuple[Recognized, ...] = ()
    for _ in range(TIMES):
        begin = perf_counter()
        found = recognizer.recognize(text)
        best = min(best, perf_counter() - begin)
    return found, best


def measure(file: str, listed: Iterable[Entry], recognizer: Recognizer) -> Bar:
    """The bar of one file."""
    counts = dict.fromkeys(("read", "known", "none", "unread"), 0)
    other, missed, unread = [], [], []
    lines = codes = codes_known = 0
    seconds = 0.0
    for entry in listed:
        lines += 1
        found, taking = _timed(entry.text, recognizer)
        seconds += taking
        kinds = {medicine.recognition for medicine in found}
        kind = next(kind for kind in ("unread", "read", "known", "none") if kind in kinds)
        counts[kind] += 1
        if kind == "unread":
            unread.append(entry.text)
        if entry.meant is not None:
            ruled = taken(found)
            if (not entry.meant and ruled) or (entry.meant and ruled and not entry.meant & ruled):
                other.append(entry.text)
            elif not entry.meant <= ruled:
                missed.append(entry.text)
        if entry.code:
            codes += 1
            codes_known += recognizer.by_code(entry.code) is not None
    return Bar(
        file=file,
        lines=lines,
        **counts,
        codes=codes,
        codes_known=codes_known,
        microseconds=round(seconds / lines * OF_A_LIST * 1e6, 1) if lines else 0.0,
        other=tuple(other),
        missed=tuple(missed),
        unread_lines=tuple(unread),
    )
