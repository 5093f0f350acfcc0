"""How an owner's rulebook stands to a newer shipped one, part by part, three ways: as copied, as it is here, as it is there.

What only the shipped rulebook changed can be taken over. What the owner changed, added or took away is never touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec

from careplan.authoring.compare_rulebooks import compare
from careplan.authoring.origin import Part, parts_of, read_record, take, write_record
from careplan.errors import InvalidRulebook, RuleFault
from careplan.rulebook.load import load

What = Literal["new", "changed", "gone", "both_changed", "taken_away_here", "gone_there", "differs", "missing"]
WORDS: Mapping[What, str] = {
    "new": "new in the shipped rulebook",
    "changed": "changed in the shipped rulebook, not here",
    "gone": "no longer in the shipped rulebook, not changed here",
    "both_changed": "changed in the shipped rulebook and here",
    "taken_away_here": "changed in the shipped rulebook, taken away here",
    "gone_there": "no longer in the shipped rulebook, changed here",
    "differs": "another one in the shipped rulebook; what was copied is not on record",
    "missing": "in the shipped rulebook, not here; what was copied is not on record",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part in which the two differ. `clean` says whether it can be taken over without touching what the owner did.

    `fields` are those in which a rule, or the entries in which a list, differs from the shipped one.
    """

    part: str
    path: str
    what: What
    clean: bool
    fields: tuple[str, ...] = ()


Parts = Mapping[str, Part]


def findings(here: Parts, copied: Parts | None, there: Parts) -> Iterator[Finding]:
    """Everything that the owner's rulebook lacks, by the names of parts. What is the owner's alone is no finding."""
    for name in sorted({*here, *there}):
        ours, theirs = here.get(name), there.get(name)
        base = copied.get(name) if copied is not None else None
        if theirs in (ours, base):
            continue
        lies = theirs or ours
        assert lies is not None
        what = _what(ours, base, theirs) if copied is not None else ("missing" if ours is None else "differs")
        yield Finding(part=name, path=lies.path, what=what, clean=copied is not None and ours == base)


def _what(ours: Part | None, base: Part | None, theirs: Part | None) -> What:
    if ours == base:
        return "new" if base is None else "gone" if theirs is None else "changed"
    return "taken_away_here" if ours is None else "gone_there" if theirs is None else "both_changed"


class Doctor:
    """Holds an owner's folder against a shipped one. Raises `ValueError` where the record of the copy is none."""

    def __init__(self, folder: Path, shipped: Path) -> None:
        self._folder, self._shipped = folder, shipped
        self._copied = read_record(folder)
        self._here, self._there = parts_of(folder), parts_of(shipped)
        self.has_record = self._copied is not None

    def findings(self, only: Collection[str] = ()) -> list[Finding]:
        """What the owner's rulebook lacks, all of it or these parts, with the fields in which both were changed."""
        found = [one for one in findings(self._here, self._copied, self._there) if not only or one.part in only]
        fields = self._fields() if any(one.what in ("both_changed", "differs") for one in found) else {}
        return [msgspec.structs.replace(one, fields=fields.get(one.part, ())) for one in found]

    def _fields(self) -> dict[str, tuple[str, ...]]:
        """Of each rule and list in which the two rulebooks differ, its fields or entries; nothing where one is unfit."""
        try:
            compared = compare(load(self._folder), load(self._shipped))
        except InvalidRulebook:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for change in compared.changes:
            if change.kind == "rule":
                found[change.id] = tuple(detail.field for detail in change.details)
            else:
                found[change.kind] = (*found.get(change.kind, ()), f"{change.id} ({_THERE[change.what]})")
        return found

    def take_over(self, chosen: Sequence[Finding]) -> list[RuleFault]:
        """Take over what is clean among these, unless the rulebook would not be fit for use then; its faults.

        It is tried in a copy first, so that either all of it is written or nothing.
        """
        clean = [one for one in chosen if one.clean]
        with TemporaryDirectory() as place:
            tried = Path(shutil.copytree(self._folder, Path(place) / "rules"))
            self._apply(clean, tried)
            try:
                load(tried)
            except InvalidRulebook as error:
                return list(error.faults)
        self._apply(clean, self._folder)
        self.settle([one.part for one in clean])
        return []

    def _apply(self, clean: Sequence[Finding], folder: Path) -> None:
        for finding in clean:
            ours, theirs = self._here.get(finding.part), self._there.get(finding.part)
            if theirs is not None:
                take(self._shipped, theirs, folder, ours)
            elif ours is not None:
                (folder / ours.path).unlink()

    def settle(self, names: Collection[str]) -> None:
        """Note of these parts that the owner has seen what is shipped now, whatever became of it here."""
        record = dict(self._copied or {})
        for name in names:
            if name in self._there:
                record[name] = self._there[name]
            else:
                record.pop(name, None)
        write_record(self._folder, record)
        self._copied = record
        self._here = parts_of(self._folder)

    def known(self) -> frozenset[str]:
        """The names of all parts that there are here or there."""
        return frozenset({*self._here, *self._there})


_THERE = {"new": "only there", "gone": "only here", "changed": "differs"}
