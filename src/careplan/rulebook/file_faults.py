"""Faults of whole files and of rows, before anything of them is understood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath

from careplan.errors import RuleFault

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u180e\u200b\u2028-\u202e\u2060-\u2069"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls, and marks of no width but those that join letters, or tell their direction, as some languages are written."""
_MOST_UNSEEN = 20


def missing(name: str, problem: str = "The file is missing.") -> RuleFault:
    """That a file is not there."""
    mend = "Restore it from the last good rulebook."
    return RuleFault(file=name, line=1, field="", problem=problem, mend=mend, code="missing-file")


def no_text(path: PurePosixPath, content: bytes, error: UnicodeDecodeError) -> RuleFault:
    """That the bytes of a file are no text."""
    line = content[: error.start].count(b"\n") + 1
    words, mend = "This is not UTF-8.", "Save the file as UTF-8."
    return RuleFault(file=str(path), line=line, field="", problem=words, mend=mend, code="encoding")


def causes(faults: Iterable[RuleFault]) -> list[RuleFault]:
    """The faults without those that follow from another: a file that is no text is not read and seems to lack all."""
    found = list(faults)
    no_texts = {fault.file: fault for fault in reversed(found) if fault.code == "encoding"}
    return [fault for fault in found if no_texts.get(fault.file, fault) is fault]


def unseen(file: str, text: str, line: int = 1) -> Iterator[RuleFault]:
    """The characters of a text, which begins in `line`, that nobody sees, or that show it in another order."""
    for found in islice(_UNSEEN.finditer(text), _MOST_UNSEEN):
        at = line + text.count("\n", 0, found.start())
        words = f"There is a character here that nobody sees, U+{ord(found[0]):04X}."
        yield RuleFault(file=file, line=at, field="", problem=words, mend="Type the words around it anew.", code="unseen")


def in_row(file: str, text: str, row: str, problem: str, *, code: str = "row") -> RuleFault:
    """That something is wrong in the row that begins with `row`, or in the whole file."""
    line = next((at for at, content in enumerate(text.splitlines(), 1) if row and content.startswith(row)), 1)
    mend = "Correct the cell or add what is missing."
    return RuleFault(file=file, line=line, field=row, problem=problem, mend=mend, code=code)
