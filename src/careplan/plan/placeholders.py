"""The placeholders of a rule's texts, told apart by how they are filled in."""

from __future__ import annotations

from typing import NamedTuple

ENTRIES_ON_PAPER = frozenset({"unread", "grave", "danger", "known"})
"""The placeholders that repeat entries of the caller."""

IN_PLAIN_WORDS = ENTRIES_ON_PAPER | {"condition", "class"}
"""The placeholders for which patients read other words."""


class Placeholders(NamedTuple):
    """The placeholders of a rule's texts, sorted once at load: fields by their kind of fact, and names of their own.

    `plain` is True where a patient reads other words than a clinician.
    """

    names: frozenset[str]
    fields: tuple[tuple[str, str, str], ...]
    others: tuple[str, ...]
    plain: bool

    @classmethod
    def of(cls, names: frozenset[str]) -> Placeholders:
        """The placeholders with these names, such as `lifestyle.sleep_hours_per_night` and `medicine`."""
        split = [(name, *name.partition(".")) for name in sorted(names)]
        fields = tuple((name, kind, field) for name, kind, _, field in split if field)
        others = tuple(name for name, _, _, field in split if not field)
        return cls(names, fields, others, not IN_PLAIN_WORDS.isdisjoint(names))
