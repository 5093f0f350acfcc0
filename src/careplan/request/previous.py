"""What a later plan is compared with: an earlier plan cut down to what matters at the next visit. Public contract.

A caller brings the whole signed plan, the decision record or the plan as the service answered it; `previous_reading` makes
this of it. What is kept is small, so that the record of a visit does not hold those of all visits before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal

from msgspec import Meta

from careplan.canonical import canonical
from careplan.request.body import Body
from careplan.request.measurements import Figure, Moment, Unit, is_real
from careplan.whole_patterns import in_python

FORMAT: Literal["careplan-course/1"] = "careplan-course/1"
MOST_BYTES = 1_048_576
"""So many bytes more than others a request may have that brings an earlier plan."""
MOST_ITEMS, MOST_POINTS, MOST_SCORES = 1_000, 60, 40

State = Literal["signed", "unsigned", "altered", "unreadable"]
ItemLevel = Literal["stop", "hold", "caution", "note"]
SignatureState = Literal["genuine", "wrong", "unchecked", "missing", "none"]
_Text = Annotated[str, Meta(min_length=1, max_length=2_000)]
_Id = Annotated[str, Meta(min_length=1, max_length=200)]
_When = Annotated[
    str, Meta(max_length=40, pattern=in_python(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}(Z|[+-][0-9]{2}:[0-9]{2})$"))
]
Mark = Annotated[str, Meta(pattern=in_python(r"^[0-9a-f]{16}$"), description="of all that an item says and rests on")]


class PreviousItem(Body, frozen=True, kw_only=True):
    """An item of the earlier plan. Where `mark` is that of an item of the plan made now, the two say the same."""

    id: _Id
    version: Annotated[int, Meta(ge=1, description="of its rule")]
    level: ItemLevel
    title: _Text
    mark: Mark
    brief: Annotated[bool, Meta(description="whether the mark is of the usual detail, which has not all words")] = False


class PreviousChoice(Body, frozen=True, kw_only=True):
    """What was chosen for which items when the plan was signed."""

    items: Annotated[list[_Id], Meta(max_length=200)]
    option: Annotated[str, Meta(min_length=1, max_length=40)]


class ScorePoint(Body, frozen=True, kw_only=True):
    """One value of a measure, with when it was measured."""

    value: Figure
    at: Moment | None = None
    unit: Unit | None = None


class Previous(Body, frozen=True, kw_only=True):
    """An earlier plan of the same patient, cut down to what a later one is compared with.

    `state` is "signed" where a clinician signed it, "altered" where its digest or signature does not fit it, and
    "unreadable" where what was sent is no plan, record or signed plan of this service. `signature` is "missing" where the
    service has a key and the plan no signature, "unchecked" where nobody could check it, "none" where there is neither.
    """

    format: Literal["careplan-course/1"]
    state: State
    signature: SignatureState = "none"
    at: Annotated[_When | None, Meta(description="when it was signed, or else made")] = None
    signed_by: Annotated[str, Meta(min_length=3, max_length=80)] | None = None
    rulebook: Annotated[str, Meta(max_length=60, description="the version")] | None = None
    rulebook_digest: Annotated[str, Meta(max_length=64)] | None = None
    standing: Annotated[str, Meta(max_length=64, description="the digest of the standing protocol")] | None = None
    reference: Annotated[str, Meta(max_length=80)] | None = None
    sex: Annotated[str, Meta(max_length=20)] | None = None
    age_years: Annotated[int, Meta(ge=0, le=130)] | None = None
    sessions_completed: Annotated[int, Meta(ge=0, le=200)] | None = None
    sessions_planned: Annotated[int, Meta(ge=0, le=200)] | None = None
    items: Annotated[list[PreviousItem], Meta(max_length=MOST_ITEMS)] = []
    choices: Annotated[list[PreviousChoice], Meta(max_length=400)] = []
    asked: Annotated[list[_Id], Meta(max_length=MOST_ITEMS, description="pointers of the questions that were open")] = []
    scores: Annotated[
        dict[str, Annotated[list[ScorePoint], Meta(max_length=MOST_POINTS)]], Meta(max_length=MOST_SCORES)
    ] = {}

    @property
    def day(self) -> date | None:
        """The day of it. Raises `ValueError` where `at` names a day that there is not."""
        return date.fromisoformat(self.at[:10]) if self.at else None

    @property
    def has_a_real_day(self) -> bool:
        """Whether its day is one of the calendar, where it has one."""
        return self.at is None or is_real(self.at[:10])

    @property
    def counts(self) -> bool:
        """Whether what was decided in it may be taken as decided: it is signed, and nobody who could check it doubts it."""
        return self.state == "signed" and self.signature in ("genuine", "none")


EarlierPlan = Annotated[
    Previous | None,
    Meta(
        description=(
            "the earlier plan of this patient: a signed plan, a decision record or a plan as the service answered it, or "
            "what is kept of one (careplan-course/1); the plan then says what is new, changed and done"
        )
    ),
]
Reference = Annotated[
    str,
    Meta(
        pattern=in_python(r"^[A-Za-z0-9_.\-]{1,80}$"),
        description="your own opaque reference of this patient, no name; `previous` must have the same one",
        examples=["p-0193"],
    ),
]


def mark_of(item: Mapping[str, Any], *, brief: bool = False) -> str:
    """The mark of an item in plain data: equal for items with the same rule, words, facts and assumptions.

    Neither its place in the request nor the words for the patient count, nor the time until which something is asked.
    A `brief` mark is of what the usual detail has: its words are the line, and nobody signs a plan by it.
    """
    gate, gap = item.get("hold_gate") or {}, item.get("gap") or {}
    told = {
        "rule": [item["rule"]["id"], item["rule"]["version"]],
        "level": item["level"],
        "text": item["line" if brief else "clinician_text"],
        "because": item["because"],
        "about": sorted(one["name"] for one in item.get("about", ())),
        "assumes": sorted(one["words"] for one in item.get("assumes", ())),
        "hold": item.get("hold"),
        "gate": [gate.get("state"), *(one["words"] for part in _FACTS for one in gate.get(part, ()))],
        "gap": [gap.get("hours"), gap.get("limit_hours")],
        "cleared": item.get("cleared"),
    }
    return sha256(canonical(told)).hexdigest()[:16]


_FACTS = ("closed_by", "missing", "unclear")
