"""What is sent to sign a plan, and what comes back. Public contract."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from careplan.decision_record import DecisionRecord, Digest
from careplan.plan.card_model import Card
from careplan.request.body import Body
from careplan.request.patient import NOT_BLANK, TIME, ClinicianName
from careplan.whole_patterns import in_python

MOST_CHOICES = 200
Format = Literal["careplan-signed/1"]
FORMAT: Format = "careplan-signed/1"

ItemId = Annotated[str, Meta(min_length=1, max_length=200, description="the id of an item that is to be decided")]
Option = Annotated[str, Meta(min_length=1, max_length=40, description="the value of one of the options of the decision")]
Note = Annotated[
    str,
    Meta(min_length=1, max_length=500, pattern=NOT_BLANK, description="the clinician's own words; not shown to patients"),
]
When = Annotated[str, Meta(pattern=in_python(TIME), max_length=40, description="the time of the signature (RFC 3339)")]


class ChoiceSent(Body, frozen=True, kw_only=True):
    """One choice: of one item, or of several at once, such as all that stand behind one line of the front page."""

    item: ItemId | None = None
    items: Annotated[list[ItemId], Meta(min_length=1, max_length=MOST_CHOICES)] | None = None
    option: Option
    note: Note | None = None


class ToSign(Body, frozen=True, kw_only=True):
    """A plan to sign: its decision record as it was answered, who signs and when, and a choice for every decision."""

    record: Annotated[DecisionRecord, Meta(description="as `explain=record` answered it, unchanged, digest included")]
    by: ClinicianName
    at: When
    choices: Annotated[list[ChoiceSent], Meta(max_length=MOST_CHOICES)]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of everything in a signed plan."""


class ChoiceMade(Part, frozen=True, kw_only=True):
    """What was chosen for which items."""

    items: list[ItemId]
    option: Option
    note: Note | None = None


class Signed(Part, frozen=True, kw_only=True):
    """Who signed, when, and what was chosen for each stop and hold of the plan."""

    by: ClinicianName
    at: When
    choices: list[ChoiceMade]


class Signature(Part, frozen=True, kw_only=True):
    """The signature of the service (Ed25519) over the rest of the signed plan as canonical JSON, its digest included.

    `kid` names the key among those of `GET /v1/signing-keys`: it is the thumbprint of the key (RFC 7638).
    """

    alg: Literal["EdDSA"]
    kid: Annotated[str, Meta(pattern=in_python(r"^[A-Za-z0-9_\-]{43}$"))]
    value: Annotated[str, Meta(pattern=in_python(r"^[A-Za-z0-9_\-]{86}$"), description="64 bytes as base64url")]


class SignedPlan(Part, frozen=True, kw_only=True):
    """A plan that a clinician signed, with its whole record. Nothing of it is kept by the service.

    The card has the signature in place of "not yet signed"; that of a blocked plan still says only whom to call.
    """

    format: Format
    record: DecisionRecord
    signed: Signed
    reproduced: Annotated[
        bool,
        Meta(
            description=(
                "whether the plan was made again from its input before it was signed; false where the record comes from "
                "another rulebook than the one in service, so that only its digest was checked"
            )
        ),
    ]
    card: Card
    digest: Digest
    signature: Annotated[Signature | None, Meta(description="where the service has a key")] = None


class SigningKeys(Part, frozen=True, kw_only=True):
    """The public keys of the service as a JSON Web Key Set (RFC 7517, RFC 8037); empty where it has none."""

    keys: list[PublicKey]


class PublicKey(Part, frozen=True, kw_only=True):
    """The public half of an Ed25519 key."""

    kid: str
    x: str
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
