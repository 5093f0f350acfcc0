"""What a setting takes, in words, with the value or the name that is nearest to the one that was set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints
from unicodedata import category

import msgspec
from msgspec import Meta

from careplan.errors import InvalidSettings
from careplan.near_values import near_values, offer

_AROUND = " \t\r\n\ufeff"
_NEAR = 60
"""Below such a score of likeness nothing is offered."""


def named_in(words: str, names: Iterable[str], prefix: str) -> str:
    """Words with each setting of several words called by its environment variable."""
    pattern = "|".join(sorted((name for name in names if "_" in name), key=len, reverse=True))
    return re.sub(rf"(?<![\w.])({pattern})(?!\w)", lambda found: f"{prefix}{found[1].upper()}", words)


def bare(name: str, value: Any, prefix: str, *, is_secret: bool) -> Any:
    """A value without the blanks, line ends and marks around it that files of secrets and editors leave there.

    A secret may begin or end with blanks. Raises `InvalidSettings` for a text of several lines, and for a blank one, which
    may have been meant to be the name of a file of keys.
    """
    if not isinstance(value, str):
        return value
    found = value.rstrip("\r\n") if is_secret else value.strip(_AROUND)
    if value and not found:
        raise InvalidSettings(f"{prefix}{name.upper()} is blank; leave it out, or say what it is to be")
    if any(category(letter) == "Cc" for letter in found):
        raise InvalidSettings(f"{prefix}{name.upper()} must be one line of text, without control characters")
    return found


def unfit(values: Mapping[str, Any], settings: type[msgspec.Struct], prefix: str) -> str:
    """What the settings must be that are of another type, or beyond their limits; their values are not repeated."""
    said = []
    hints = get_type_hints(settings, include_extras=True)
    for name, value in values.items():
        try:
            msgspec.convert({name: value}, settings, strict=False)
        except msgspec.ValidationError:
            kind, meta = hints[name].__origin__, hints[name].__metadata__[0]
            said.append(f"{prefix}{name.upper()} must be {_takes(kind, meta)}{_near_value(kind, value)}")
    return "; ".join(said)


def _takes(kind: Any, meta: Meta) -> str:
    if kind is bool:
        return "true or false"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(value or 'nothing' for value in get_args(kind))}"
    least = f"more than {meta.gt:g}" if meta.gt is not None else f"at least {meta.ge:,}" if meta.ge is not None else ""
    most = f"at most {meta.le:,}" if meta.le is not None else ""
    number = {int: "a whole number", float: "a number"}.get(kind, "a text")
    return f"{number}, {' and '.join(filter(None, (least, most)))}" if least or most else number


def _near_value(kind: Any, value: object) -> str:
    return offer(near_setting(value, filter(None, get_args(kind)))) if get_origin(kind) is Literal else ""


def near_setting(value: object, among: Iterable[str]) -> list[str]:
    """The nearest of the values of a setting, or of the names of settings: both are short, and few."""
    return near_values(str(value), among, least=_NEAR)


def not_a_setting(name: str, known: Sequence[str], prefix: str) -> str:
    """That there is no such setting, and which one may be meant."""
    meant = offer(f"{prefix}{one.upper()}" for one in near_setting(name, known))
    return f"is not a setting{meant or ';'} `careplan config` lists all there are"
