"""A line that only says how something is taken, such as "1 mg twice a day", beside the name of it in a field of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from careplan.recognition.disagreements import NOT_TAKEN, Disagreement
from careplan.recognition.line import Listed
from careplan.recognition.plain_text import squeezed
from careplan.recognition.recognizer import Recognized
from careplan.request.patient import Medication


class Beside(NamedTuple):
    """What the line of an entry says. `text` is what was read: the line, behind the name where it has none of its own.

    `recognized` is what is said so of the medicine, and `before` the length of what was put before the line.
    """

    text: str
    recognized: Sequence[Recognized]
    before: int = 0

    def places(self, several: Iterable[Disagreement]) -> Iterator[Disagreement]:
        """Disagreements with the line, by their places in the line as it was sent."""
        for one in several:
            inside = self.before and one.said_in == "text"
            yield one._replace(start=max(0, one.start - self.before), end=max(0, one.end - self.before)) if inside else one

    def status_in(self, entry: Medication) -> Medication:
        """The entry with what the line behind its name says of whether it is taken, where no field says that."""
        said = self.recognized[0].status if self.before else None
        return msgspec.structs.replace(entry, status=said) if entry.status is None and said in NOT_TAKEN else entry


def beside_name(
    name: str, text: str, named: Recognized, lined: Sequence[Recognized], joined: Sequence[Recognized]
) -> Beside:
    """The line of an entry, which is read behind its name where it has none: it then says what a whole line would.

    Args:
        name: The field with the name.
        text: The field with the line.
        named: What is recognized in the name.
        lined: The same of the line.
        joined: The same of both, the line behind the name.

    """
    own = Beside(text, lined)
    if without_a_name(lined) is None:
        return own
    same = len(joined) == 1 and joined[0].match == named.match and joined[0].known_by == named.known_by
    if not same or joined[0].recognition == "unread":
        return own
    return Beside(f"{name} {text}", joined, len(name) + 1)


def stays_where_put(joined: Sequence[Recognized]) -> bool:
    """Whether one medicine's name with its line says that it stays where it is put, as eye drops do."""
    listed = joined[0].listed if len(joined) == 1 and joined[0].recognition == "known" else None
    if listed is None or joined[0].match is not None or joined[0].unexplained:
        return False
    return len({squeezed(one.text) for one in listed.names}) == 1 and all(one.unit == "%" for one in listed.strengths)


def without_a_name(lined: Sequence[Recognized]) -> Recognized | None:
    """The one medicine of a line that has no name for it."""
    return lined[0] if len(lined) == 1 and lined[0].listed is not None and not lined[0].listed.names else None


def both(name: Recognized | None, line: Recognized | None) -> Listed | None:
    """What name and line say of how much is taken: the line, with the strength of the name where it has none."""
    first, second = name.listed if name else None, line.listed if line else None
    if first is None or second is None:
        return second or first
    # Which figure is of which part of a combination is told by the order of its names.
    names = second.names or first.names
    if second.strengths:
        return msgspec.structs.replace(second, names=names)
    # Read as if the name stood before the line: what belongs together is told by the order in which it stands.
    before = max((one.end for one in (*first.strengths, *first.forms)), default=0)
    strengths, forms = (
        tuple([msgspec.structs.replace(one, start=one.start - before, end=one.end - before) for one in several])
        for several in (first.strengths, first.forms)
    )
    return msgspec.structs.replace(second, names=names, strengths=strengths, forms=(*forms, *second.forms))
