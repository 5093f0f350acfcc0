"""Where what a caller sent in the fields of an entry says something else than the entry's own line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from careplan.recognition.line import Listed, Stretch
from careplan.recognition.strengths import Dose
from careplan.request.patient import Medication

DisagreeingField: TypeAlias = Literal["name", "schedule", "indication", "dose_mg", "status"]
ON_HOLD = "on_hold"
NOT_TAKEN = frozenset(("stopped", "not_taken", "allergy"))
_AS_NEEDED = frozenset(("as_needed", "rescue"))
_WITH_AN_INTERVAL = frozenset(("weekly", "long_acting_injection"))
_NEARLY = 0.01


class Disagreement(NamedTuple):
    """One field, what was sent in it, and the stretch of `said_in` that says `read` instead; "" where no token says it."""

    field: DisagreeingField
    sent: str
    read: str
    said_in: Literal["name", "text"]
    start: int
    end: int


def disagreements(
    entry: Medication, said_in: Literal["name", "text"], listed: Listed, doses: tuple[Dose, ...]
) -> Iterator[Disagreement]:
    """Of schedule, reason, dose and status, those that the line plainly says otherwise.

    `doses` are the milligrams that the line may mean by a dose: at a time, in a piece, a day.
    """
    if (sent := entry.schedule) is not None and (read := listed.schedule) is not None and not _alike(sent, read):
        # A patch of so much an hour says by its strength that it acts all the time.
        part: Stretch = listed.as_needed or (*listed.frequencies, *listed.strengths)[0]
        yield Disagreement("schedule", sent, read, said_in, part.start, part.end)
    reasons = [reason for reason in listed.reasons if reason.indication is not None]
    if entry.indication is not None and reasons and all(one.indication != entry.indication for one in reasons):
        yield Disagreement("indication", entry.indication, str(reasons[0].indication), said_in, *_place(reasons[0]))
    if (status := listed.status) is not None and entry.status is not None and _use(entry.status) != _use(status.value):
        yield Disagreement("status", entry.status, status.value, said_in, *_place(status))
    if entry.dose_mg is not None and doses and not any(_is_about(entry.dose_mg, dose) for dose in doses):
        strength = listed.strengths[0]
        yield Disagreement("dose_mg", f"{entry.dose_mg:g}", "", said_in, *_place(strength))


def _alike(sent: str, read: str) -> bool:
    return sent == read or {sent, read} <= _AS_NEEDED or {sent, read} <= _WITH_AN_INTERVAL


def _use(status: str) -> str:
    """One token for all that is not taken."""
    return "not_taken" if status in NOT_TAKEN else status


def _is_about(mg: float, dose: Dose) -> bool:
    return dose.most is None or dose.least * (1 - _NEARLY) <= mg <= dose.most * (1 + _NEARLY)


def _place(part: Stretch) -> tuple[int, int]:
    return part.start, part.end
