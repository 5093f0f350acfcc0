"""Whether the figures of a clinic's protocol can be meant. A slip of the pen with a signature is still a slip.

What lies outside of the bounds of the rulebook is shown to no patient, no other number takes its place, and the clinician
is told.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from careplan.request.patient import PROTOCOL_FIGURES, Hold, Protocol
from careplan.rulebook.entries import Range
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import number


class Doubt(msgspec.Struct, frozen=True):
    """A figure that cannot be meant: where it stands, what it is, and the same with figure, bounds and signature."""

    pointer: str
    what: str
    words: str


class Plausibility:
    """The bounds of one rulebook. Where it names none, everything is plausible."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._bounds = book.about.plausible

    def usable(self, protocol: Protocol) -> Protocol:
        """The protocol without the figures that cannot be meant."""
        outside = {name: None for name in PROTOCOL_FIGURES if not self._figure(protocol, name)}
        return msgspec.structs.replace(protocol, **outside) if outside else protocol

    def hold(self, hold: Hold) -> bool:
        """Whether a hold can be meant: longer, and it amounts to ending the medicine; none at all, and it is no hold."""
        return _within(self._bounds.get("hold_hours"), hold.before_hours + hold.after_hours)

    def doubts(self, protocol: Protocol | None) -> Iterator[Doubt]:
        """What of a protocol cannot be meant."""
        if protocol is None:
            return
        for name in PROTOCOL_FIGURES:
            value = getattr(protocol, name)
            if not self._figure(protocol, name):
                label = self._book.vocabulary.fields[f"protocol.{name}"].label
                words = (
                    f"{label}: {number(value)} ({_bounds_in_words(self._bounds[name])}; signed by {protocol.approved_by})"
                )
                yield Doubt(f"/protocol/{name}", label, words)
        for at, hold in enumerate(protocol.holds):
            if not self.hold(hold):
                label = f"hold for {self._book.classes[hold.drug_class].plural}"
                hours = f"{number(hold.before_hours)} h before and {number(hold.after_hours)} h after"
                bounds = _bounds_in_words(self._bounds["hold_hours"])
                words = f"{label}: {hours} (together {bounds}; signed by {hold.approved_by})"
                yield Doubt(f"/protocol/holds/{at}", label, words)

    def _figure(self, protocol: Protocol, name: str) -> bool:
        value = getattr(protocol, name)
        return value is None or _within(self._bounds.get(name), value)


def _within(bounds: Range | None, value: float) -> bool:
    return bounds is None or bounds.least <= value <= bounds.most


def _bounds_in_words(bounds: Range) -> str:
    return f"plausible: {number(bounds.least)} to {number(bounds.most)}"
