"""Codes of illnesses: which SNOMED CT codes rules look at, and which codes are known though no rule concerns them.

The texts of the tables are searched where they are asked about a code, so that a start reads nothing of them.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal, TypeAlias

ICD10_TABLE = "icd10_codes.txt"
SNOMED_ILLNESSES = "snomed_illnesses.tsv"
SNOMED_KNOWN = "snomed_known.tsv"

System: TypeAlias = Literal["ICD-10-CM", "ICD-10", "SNOMED CT"]
"""Code systems of which codes can be known, as they are written behind the name of an illness."""
SHORTEST = 3
"""A code of ICD-10 has at least the three characters of its category."""


class Icd10Table:
    """The valid codes of ICD-10 and ICD-10-CM, without points, with the block that each category stands in.

    A line holds a category and what follows it in each of its codes; `XX:ADS` are three codes with a seventh character.
    A line that begins with `#` names the block of the categories below it.
    """

    def __init__(self, text: str) -> None:
        self._text = f"\n{text}"

    def has(self, code: str) -> bool:
        """Whether a code is valid, also as a group of codes."""
        if len(code) == SHORTEST:
            return f"\n{code}\t" in self._text
        return len(code) > SHORTEST and code[SHORTEST:] in self._within(code[:SHORTEST])

    def block(self, category: str) -> str:
        """The block of a category; "" where there is no such category."""
        at = self._text.find(f"\n{category}\t")
        return "" if at < 0 else self._text[self._text.rindex("\n#", 0, at) + 2 :].partition("\n")[0]

    def codes(self) -> Iterator[tuple[str, str]]:
        """All codes, each after its block."""
        block = ""
        for line in self._text.split("\n"):
            if line.startswith("#"):
                block = line[1:]
            elif line:
                category = line[:SHORTEST]
                yield block, category
                for ending in _endings(line[SHORTEST + 1 :]):
                    yield block, category + ending

    def _within(self, category: str) -> set[str]:
        _, found, rest = self._text.partition(f"\n{category}\t")
        return set(_endings(rest.partition("\n")[0])) if found else set()


def _endings(written: str) -> Iterator[str]:
    for ending in written.split():
        stem, _, last = ending.partition(":")
        yield stem
        yield from (stem + character for character in last)


def write_icd10(blocks: Mapping[str, str], codes: Iterable[str]) -> str:
    """The text of the table: `codes` without points, `blocks` with the block of each category."""
    categories: dict[str, dict[str, set[str]]] = {}
    for code in codes:
        stems = categories.setdefault(code[:SHORTEST], {})
        ending = code[SHORTEST:]
        if ending:
            stems.setdefault(ending[:3], set()).update(ending[3:])
    lines, block = [], ""
    for category, stems in sorted(categories.items()):
        if blocks[category] != block:
            block = blocks[category]
            lines.append(f"#{block}")
        endings = [f"{stem}:{''.join(sorted(last))}" if last else stem for stem, last in sorted(stems.items())]
        lines.append(f"{category}\t{' '.join(endings)}")
    return "\n".join(lines) + "\n"


class IllnessCodes:
    """Codes of illnesses by what rules make of them.

    `listed` are codes of ICD-10 that stand for something, `looked_at` those that somebody looked at and found to be of no
    concern; both stand for all codes below them.
    """

    def __init__(
        self,
        icd10: str = "",
        illnesses: str = "",
        known: str = "",
        *,
        listed: Iterable[str] = (),
        looked_at: Iterable[str] = (),
    ) -> None:
        self.table = Icd10Table(icd10)
        self._illnesses, self._known = illnesses, f"\n{known}"
        self._listed = frozenset(map(bare, listed))
        self._looked_at = frozenset(map(bare, looked_at))

    def tokens(self, code: str) -> tuple[str, ...]:
        """What a code of SNOMED CT stands for: conditions, and answers written as `factor=answer`."""
        return self._of_snomed.get(code, ())

    @cached_property
    def _of_snomed(self) -> dict[str, tuple[str, ...]]:
        return {code: tokens for tokens, code, _ in self.illnesses()}

    def illnesses(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Every code of SNOMED CT that stands for something: what for, the code, its name."""
        for line in self._illnesses.splitlines():
            tokens, code, name = line.split("\t")
            yield tuple(tokens.split(";")), code, name

    def harmless(self) -> Iterator[tuple[str, str]]:
        """Every code of SNOMED CT that is known and that no rule concerns, with its name."""
        for line in self._known.strip().splitlines():
            code, _, name = line.partition("\t")
            yield code, name

    def are_known(self, system: System, code: str) -> bool:
        """Whether a code is known and no rule concerns it."""
        if system == "SNOMED CT":
            return code.isdecimal() and f"\n{code}\t" in self._known
        short = bare(code)
        near = nearest(short, self._listed | self._looked_at)
        if near is not None and near not in self._looked_at:
            return False
        if near is None and self.table.block(short[:SHORTEST]) in self._blocks:
            return False
        # Editions of single countries divide the codes of the World Health Organization by one character more.
        return self.table.has(short) or (system == "ICD-10" and len(short) > SHORTEST and self.table.has(short[:-1]))

    @cached_property
    def _blocks(self) -> frozenset[str]:
        """The blocks that some rule looks at."""
        return frozenset(self.table.block(code[:SHORTEST]) for code in self._listed) - {""}

    def unplaced(self) -> Iterator[str]:
        """Codes in a block that rules look at which nobody has looked at; each stands for all below it."""
        both = self._listed | self._looked_at
        above = {code[:end] for code in both for end in range(SHORTEST, len(code))}
        told: set[str] = set()
        for block, code in self.table.codes():
            if block not in self._blocks or code in above or nearest(code, both) is not None:
                continue
            if nearest(code, told) is None:
                told.add(code)
                yield code


def bare(code: str) -> str:
    """A code of ICD-10 without its point, in capitals."""
    return code.replace(".", "").upper()


def pointed(code: str) -> str:
    """A code of ICD-10 as it is written, with its point."""
    return code if len(code) <= SHORTEST else f"{code[:SHORTEST]}.{code[SHORTEST:]}"


def nearest(code: str, among: Container[str], below: int = 0) -> str | None:
    """The code without its point, or the nearest one above it, that is among some; only those above with `below` 1."""
    return next((code[:end] for end in range(len(code) - below, SHORTEST - 1, -1) if code[:end] in among), None)


_CODED = re.compile(r"\s*\((ICD-10-CM|ICD-10|SNOMED CT) ([A-Z0-9.]{3,18})\)$")
_ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")


def with_code(name: str, system: System, code: str, longest: int) -> str:
    """An illness as it is put on a list: its name, with the code in brackets."""
    behind = f" ({system} {code})"
    return name[: longest - len(behind)].rstrip() + behind


def without_code(written: str) -> str:
    """An illness as it is called: what is written of it, without a code in brackets."""
    return _CODED.sub("", written) or written


def code_in(written: str) -> tuple[System, str] | None:
    """The code that stands behind a name, or that is all there is written."""
    if found := _CODED.search(written):
        system: System = "ICD-10-CM" if found[1] == "ICD-10-CM" else "SNOMED CT" if found[1] == "SNOMED CT" else "ICD-10"
        return system, found[2]
    return ("ICD-10", written.strip()) if _ICD10.fullmatch(written.strip()) else None
