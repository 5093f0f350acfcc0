"""The factors that a rule may test: which kinds of fact there are, and what each field of a kind can hold.

Fields of the request are read off the structs of `patient`, and so are their groups; what the service
derives is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

import msgspec
from msgspec import inspect

from careplan.request import clinic, patient
from careplan.request.body import Body

FieldType = Literal["number", "boolean", "token", "tokens"]


class Field(msgspec.Struct, frozen=True):
    """One factor. `tokens` are the values of a token field; empty where the rulebook's own lists say which there are.

    `tokens` fields hold several values at once. `sent` is True for what a caller sends, False for what is derived.
    """

    type: FieldType
    tokens: tuple[str, ...] = ()
    sent: bool = False
    vocabulary: Literal["", "classes", "ingredients", "classes_or_ingredients", "conditions"] = ""
    between: bool = False
    """A number that is known from its least to its most: two properties of a fact, by `least_of` and `most_of`."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of fact. `many` is True when a patient can have several facts of the kind.

    `declared` is there where the fields are declared by each rulebook: what any of them is to the logic, one value.
    """

    fields: Mapping[str, Field]
    many: bool = False
    declared: Field | None = None

    def field(self, name: str) -> Field:
        """A field by its name. Raises `KeyError` where the kind has none of this name."""
        return self.fields[name] if self.declared is None else self.fields.get(name, self.declared)


def _groups() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The fields of a patient that are always there and hold fields of their own."""
    for field in msgspec.structs.fields(patient.Patient):
        if isinstance(field.default, Body):
            yield field.name, type(field.default)


def _sent(struct: type[msgspec.Struct]) -> dict[str, Field]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return {field.name: made for field in info.fields if (made := _field(field.type)) is not None}


def _tested(kind: str, struct: type[msgspec.Struct]) -> dict[str, Field]:
    return {name: field for name, field in _sent(struct).items() if name in _TESTED.get(kind, (name,))}


def _field(described: inspect.Type) -> Field | None:
    match described:
        case inspect.UnionType(types=types):
            return next((made for part in types if (made := _field(part)) is not None), None)
        case inspect.Metadata(type=inner):
            return _field(inner)
        case inspect.LiteralType(values=values):
            return Field("token", tuple(str(value) for value in values), sent=True)
        case inspect.BoolType():
            return Field("boolean", sent=True)
        case inspect.IntType() | inspect.FloatType():
            return Field("number", sent=True)
        case _:
            return None


_LIST = Field("token", ("given", "empty", "not_asked"))
_YES_NO = Field("boolean")
_NUMBER = Field("number")
_DOSE = Field("number", between=True)

GROUPS: Mapping[str, type[msgspec.Struct]] = dict(_groups())
"""The kinds that are an object of the request under the same name, and the struct that says what is in them."""

SINGLE: Mapping[str, type[msgspec.Struct]] = {
    "patient": patient.Patient,
    **GROUPS,
    "protocol": patient.Protocol,
    "clinic": clinic.Clinic,
}
"""The kinds made of fields of the request, of which every patient has one."""

_TESTED: Mapping[str, frozenset[str]] = {"clinic": frozenset({"region"})}
"""Of a kind only these fields, where the others say nothing that a rule could rest on."""

_DERIVED: Mapping[str, Mapping[str, Field]] = {
    "treatment": {"sessions_left": _NUMBER, "beyond_plan": _YES_NO, "indication_read": _YES_NO},
    "protocol": {"approved": _YES_NO, "doubtful": _YES_NO},
}
"""What the service works out besides the fields of the request."""

KINDS: Mapping[str, Kind] = {
    "everyone": Kind({}),
    **{name: Kind({**_tested(name, struct), **_DERIVED.get(name, {})}) for name, struct in SINGLE.items()},
    "medicine": Kind(
        {
            "ingredient": Field("token", vocabulary="ingredients"),
            "class": Field("tokens", vocabulary="classes"),
            "half_life": Field("token", ("short", "intermediate", "long", "varies")),
            "schedule": Field("token", _sent(patient.Medication)["schedule"].tokens, sent=True),
            "indication": Field("token", _sent(patient.Medication)["indication"].tokens, sent=True),
            "hold_question": Field("token", ("open", "closed", "unclear")),
            "protocol_hold": _YES_NO,
            "gap_too_long": _YES_NO,
            "beside": Field("tokens"),
            "sent_twice": _YES_NO,
            "dose_mg_a_day": _DOSE,
            "diazepam_mg_a_day": _DOSE,
            "morphine_mg_a_day": _DOSE,
        },
        many=True,
    ),
    "medicine_check": Kind(
        {
            "problem": Field(
                "token",
                (
                    "not_recognized",
                    "partly_recognized",
                    "code_not_recognized",
                    "code_and_name_disagree",
                    "no_rule",
                    "fields_and_text_disagree",
                    "on_hold",
                    "among_allergies",
                ),
            ),
            "suggestion": _YES_NO,
        },
        many=True,
    ),
    "shared_class": Kind({"class": Field("token", vocabulary="classes"), "count": _NUMBER}, many=True),
    "regimen": Kind(
        {
            "list": _LIST,
            "unread": _YES_NO,
            "against_withdrawal": _YES_NO,
            "takes": Field("tokens", vocabulary="classes_or_ingredients"),
            "diazepam_mg_a_day": _DOSE,
            "morphine_mg_a_day": _DOSE,
        }
    ),
    "condition": Kind({"name": Field("token", vocabulary="conditions")}, many=True),
    "history": Kind({"list": _LIST, "unread": _YES_NO, "has": Field("tokens", vocabulary="conditions")}),
    "goal": Kind(
        {
            "understood": _YES_NO,
            "specific": _YES_NO,
            "one_action": _YES_NO,
            "amount": _YES_NO,
            "when_or_how_often": _YES_NO,
            "own_control": _YES_NO,
            "small": _YES_NO,
            "safety": Field(
                "token",
                (
                    "none",
                    "medicine_change",
                    "treatment_end",
                    "alcohol_change",
                    "body_weight",
                    "self_harm",
                    "harm_to_others",
                    "isolation",
                    "contact_with_abuser",
                    "major_decision",
                ),
            ),
            "topic": Field("token", ("movement", "sleep", "food", "calm", "people", "therapy", "mood", "work", "other")),
            "protected": _YES_NO,
            "names_benzodiazepine": _YES_NO,
            "names_lamotrigine": _YES_NO,
            "names_antidepressant": _YES_NO,
            "names_opioid": _YES_NO,
        },
        many=True,
    ),
    "entries": Kind(dict.fromkeys(("unread", "known", "contradicted", "danger", "grave"), _YES_NO)),
    "measures": Kind({}, declared=Field("number", sent=True)),
    "earlier_measures": Kind({}, declared=_NUMBER),
    "measured_days_ago": Kind({}, declared=_NUMBER),
    "score_change": Kind({}, declared=Field("token")),
    "measure_check": Kind({"problem": Field("token", ("implausible",))}, many=True),
    "goals": Kind(
        {"list": _LIST, "count": _NUMBER, "specific_count": _NUMBER, "all_clear": _YES_NO, "some_protected": _YES_NO}
    ),
    "derived": Kind({}, declared=_YES_NO),
    "counts": Kind({}, declared=Field("number", between=True)),
    "days_since": Kind({}, declared=_NUMBER),
}
"""Every kind of fact that a rule may name. Which fields those of measures have is said by each rulebook."""

OF_DERIVED = frozenset({"derived", "counts", "days_since"})
"""The kinds of which the fields are what a rulebook derives from other facts."""

OF_MEASURES = frozenset(kind for kind, described in KINDS.items() if described.declared is not None) - OF_DERIVED
"""The kinds of which the fields are the measures that a rulebook declares."""


MAY_BE_CHANGED = frozenset(GROUPS) - {"red_flags"}
"""The kinds of which a rulebook may call a factor changeable: never a medicine, a condition or a red flag."""


GRAVER: Mapping[str, tuple[str, ...]] = {
    "pregnancy": ("not_pregnant", "possible", "breastfeeding", "pregnant"),
    "lifestyle.cannabis": get_args(patient.Cannabis),
    "lifestyle.home_environment": get_args(patient.HomeEnvironment),
    "red_flags.suicidal_thoughts": get_args(patient.SuicidalThoughts),
}
"""Factors of which several entries may speak, from the least grave answer to the gravest; of other red flags to have one."""


SESSION_COUNTS = frozenset({"sessions_planned", "sessions_completed", "sessions_left", "beyond_plan"})
"""The fields of a treatment that follow from one another: their numbers are looked at together, and as they are."""

SUBJECTS = frozenset(
    {
        ("medicine", "ingredient"),
        ("medicine", "class"),
        ("medicine_check", "problem"),
        ("shared_class", "class"),
        ("condition", "name"),
        ("measure_check", "problem"),
    }
)
"""The fields that say what a fact is about, which is always known. Without it, other tests make no difference."""


class Limits(msgspec.Struct, frozen=True):
    """The least and the most that a number of the request may be, and whether it is a whole number."""

    least: float
    most: float
    whole: bool


def _limits() -> Iterator[tuple[str, Limits]]:
    for kind, struct in SINGLE.items():
        for field in inspect.type_info(struct).fields:  # type: ignore[attr-defined]
            if (number := _number(field.type)) is not None:
                assert number.ge is not None and number.le is not None, f"{kind}.{field.name} needs limits"
                yield f"{kind}.{field.name}", Limits(number.ge, number.le, isinstance(number, inspect.IntType))


def _number(described: inspect.Type) -> inspect.IntType | inspect.FloatType | None:
    match described:
        case inspect.UnionType(types=types):
            return next((made for part in types if (made := _number(part)) is not None), None)
        case inspect.Metadata(type=inner):
            return _number(inner)
        case inspect.IntType() | inspect.FloatType():
            return described
        case _:
            return None


LIMITS: Mapping[str, Limits] = dict(_limits())
"""The limits of every number that describes a patient, by kind.field."""


def least_of(field: str) -> str:
    """The property that has the least of a number known from its least to its most."""
    return f"{field}_least"


def most_of(field: str) -> str:
    """The property that has the most; a fact has none where nothing bounds it."""
    return f"{field}_most"


def member(field: str, token: str) -> str:
    """The property that says whether a field of several values holds `token`."""
    return f"{field}_is_{token}"
