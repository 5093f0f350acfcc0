"""What several entries say of the same factor, and which of them counts."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from careplan.fhir.read.datetimes import Moment, later
from careplan.rulebook.factors import GRAVER, KINDS, LIMITS, Field


class Claim(msgspec.Struct, frozen=True):
    """One entry's word on a factor. With `floor`, it is at least this: such a word never makes another less grave."""

    value: object
    pointer: str
    moment: Moment | None = None
    floor: bool = False


def field_of(factor: str) -> Field | None:
    """What the request can hold as this factor; None where it has none of this name, or a list."""
    kind, _, name = factor.rpartition(".")
    described = KINDS.get(kind or "patient")
    if described is None or described.many:
        return None
    field = described.fields.get(name)
    return field if field is not None and field.sent else None


def fitted(factor: str, value: object) -> object | None:
    """A value as the request takes it for this factor; None where it is none."""
    field = field_of(factor)
    match field.type if field else "":
        case "boolean":
            return value if isinstance(value, bool) else None
        case "token":
            return value if field and value in field.tokens else None
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            limits = LIMITS[factor if "." in factor else f"patient.{factor}"]
            whole = float(value).is_integer()
            if not limits.least <= value <= limits.most or (limits.whole and not whole):
                return None
            return int(value) if limits.whole else value
        case _:
            return None


def gravity(factor: str, value: object) -> int:
    """How grave a value is; 0 for the least, and for all values of factors without such an order."""
    if factor in GRAVER:
        return GRAVER[factor].index(value)
    return int(factor.startswith("red_flags.") and value is True)


def is_graded(factor: str) -> bool:
    """Whether some values of a factor are graver than others."""
    return factor in GRAVER or factor.startswith("red_flags.")


class Claims:
    """All words on all factors. The newest counts; of two of the same or an unknown time the graver, then the first."""

    def __init__(self) -> None:
        self._claims: dict[str, list[Claim]] = {}

    def add(self, factor: str, claim: Claim) -> None:
        """Take one in."""
        self._claims.setdefault(factor, []).append(claim)

    def settle(self, take: Callable[[str, Claim], None], set_aside: Callable[[str, Claim, str], None]) -> None:
        """Hand over the claim that counts of each factor, and each one that says something else, with the reason."""
        for factor, claims in self._claims.items():
            counts = _counting(factor, claims, graded=is_graded(factor))
            take(factor, counts)
            for claim in claims:
                if claim.value != counts.value:
                    set_aside(factor, claim, _why(factor, claim, counts))


def _counting(factor: str, claims: list[Claim], *, graded: bool) -> Claim:
    if not graded and any(claim.moment for claim in claims):
        claims = [claim for claim in claims if claim.moment]
    standing = [claim for claim in claims if not any(_replaces(other, claim) for other in claims)] or claims
    if not graded:
        return standing[0]
    return max(standing, key=lambda claim: (gravity(factor, claim.value), claim.moment is not None))


def _replaces(newer: Claim, older: Claim) -> bool:
    if newer.floor and not older.floor:
        return False
    return newer.moment is not None and older.moment is not None and later(newer.moment, older.moment)


def _why(factor: str, claim: Claim, counts: Claim) -> str:
    if claim.moment and counts.moment and later(counts.moment, claim.moment):
        return "A later entry says something else, which counts."
    if gravity(factor, claim.value) < gravity(factor, counts.value):
        return "Another entry says something graver and is not surely older, so it counts."
    if counts.moment and not claim.moment:
        return "Another entry, of which the time is known, says something else and counts."
    return "Another entry says something else; the first one counts."
