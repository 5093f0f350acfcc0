"""What a setting takes, in words, with the value or the name that is nearest to the one that was set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from rapidfuzz import process

_NEAR = 60
"""Below such a score of likeness nothing is offered."""


def named_in(words: str, names: Iterable[str], prefix: str) -> str:
    """Words with each setting of several words called by its environment variable."""
    pattern = "|".join(sorted((name for name in names if "_" in name), key=len, reverse=True))
    return re.sub(rf"(?<![\w.])({pattern})(?!\w)", lambda found: f"{prefix}{found[1].upper()}", words)


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
    return offer(str(value), [one for one in get_args(kind) if one]) if get_origin(kind) is Literal else ""


def offer(value: str, among: Sequence[str], prefix: str = "") -> str:
    """How the nearest of several values is offered; "" where there is none."""
    near = process.extractOne(value.lower(), among, processor=str.lower, score_cutoff=_NEAR) if len(value) < 100 else None
    return f"; did you mean {prefix}{near[0].upper() if prefix else near[0]}?" if near else ""


def not_a_setting(name: str, known: Sequence[str], prefix: str) -> str:
    """That there is no such setting, and which one may be meant."""
    return f"is not a setting{offer(name, known, prefix) or ';'} `careplan config` lists all there are"
