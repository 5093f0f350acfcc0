"""What is left out of a record, said once for each kind: a record of years has thousands of entries that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from careplan.plan.model import NotConsidered

_WHOLE = re.compile(r".*/resource(/contained/\d+|/component/\d+|/note(/\d+)?)?")
"""The pointer of an entry as a whole, of a note or a resource within it, or of one of several values measured together.

What else is left out of an entry that is read is always said by itself.
"""


def said_once(left_out: Iterable[NotConsidered]) -> list[NotConsidered]:
    """The same, but for entries left out whole with one name and one reason: the first of them, with their number."""
    kept: list[NotConsidered] = []
    places: dict[tuple[str, str], int] = {}
    numbers: dict[int, int] = {}
    for entry in left_out:
        said, is_whole = (entry.what, entry.why), _WHOLE.fullmatch(entry.pointer) is not None
        if is_whole and said in places:
            numbers[places[said]] = numbers.get(places[said], 1) + 1
            continue
        if is_whole:
            places[said] = len(kept)
        kept.append(entry)
    for place, number in numbers.items():
        entry = kept[place]
        why = f"{entry.why} There are {number:,} such entries in the record; this is the first."
        kept[place] = msgspec.structs.replace(entry, why=why, number=number)
    return kept
