"""Faults of whole files and of rows, before anything of them is understood."""

from __future__ import annotations

from pathlib import PurePosixPath

from careplan.errors import RuleFault


def missing(name: str, problem: str = "The file is missing.") -> RuleFault:
    """That a file is not there."""
    mend = "Restore it from the last good rulebook."
    return RuleFault(file=name, line=1, field="", problem=problem, mend=mend, code="missing-file")


def no_text(path: PurePosixPath, content: bytes, error: UnicodeDecodeError) -> RuleFault:
    """That the bytes of a file are no text."""
    line = content[: error.start].count(b"\n") + 1
    words, mend = "This is not UTF-8.", "Save the file as UTF-8."
    return RuleFault(file=str(path), line=line, field="", problem=words, mend=mend, code="encoding")


def in_row(file: str, text: str, row: str, problem: str, *, code: str = "row") -> RuleFault:
    """That something is wrong in the row that begins with `row`, or in the whole file."""
    line = next((at for at, content in enumerate(text.splitlines(), 1) if row and content.startswith(row)), 1)
    mend = "Correct the cell or add what is missing."
    return RuleFault(file=file, line=line, field=row, problem=problem, mend=mend, code=code)
