"""The sentences of a rulebook about a hold: those for patient and clinician, and those that only clinicians read."""

from __future__ import annotations

import msgspec

from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import Text, one_line


class HoldSentences(msgspec.Struct, frozen=True):
    """The sentences about a hold, each for patient and clinician, split once at load."""

    undecided: tuple[str, str]
    signed: tuple[Text, Text]
    between_doses: tuple[Text, Text]
    joined: tuple[str, Text]
    doubtful: Text

    @classmethod
    def of(cls, book: Rulebook) -> HoldSentences:
        """The sentences of a rulebook."""
        undecided, signed, between = (
            book.about.undecided_hold,
            book.about.signed_hold,
            book.about.signed_hold_between_doses,
        )
        return cls(
            (one_line(undecided.patient), one_line(undecided.clinician)),
            (Text.parse(signed.patient), Text.parse(signed.clinician)),
            (Text.parse(between.patient), Text.parse(between.clinician)),
            (one_line(book.about.joined_hold.patient), Text.parse(book.about.joined_hold.clinician)),
            Text.parse(book.about.doubtful_hold),
        )


class GateSentences(msgspec.Struct, frozen=True):
    """The sentences of a rulebook about a hold that is not open, split once at load."""

    signed: Text
    unsigned: Text
    doubtful: Text
    closed: Text
    missing: Text
    unclear: Text
    between_doses: Text
    joined: Text

    @classmethod
    def of(cls, book: Rulebook) -> GateSentences:
        """The sentences of a rulebook."""
        gate = book.about.hold_gate
        return cls(
            signed=Text.parse(gate.signed),
            unsigned=Text.parse(gate.unsigned),
            doubtful=Text.parse(book.about.doubtful_hold),
            closed=Text.parse(gate.closed),
            missing=Text.parse(gate.missing),
            unclear=Text.parse(gate.unclear),
            between_doses=Text.parse(gate.between_doses),
            joined=Text.parse(book.about.joined_hold.clinician),
        )
