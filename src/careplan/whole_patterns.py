"""Patterns that hold for a text to its very end, in Python as in every dialect in which clients read the contract."""

from __future__ import annotations

from typing import Any

_END = r"(?!\n)$"


def in_python(pattern: str) -> str:
    r"""The pattern as Python must read it, whose `$` alone would let one `\n` more pass at the end of a text."""
    return f"{pattern[:-1]}{_END}" if pattern.endswith("$") and not pattern.endswith(_END) else pattern


def published(pattern: str) -> str:
    """The same pattern as the contract has it: `$` is the very end there, and not every dialect can look ahead."""
    return f"{pattern.removesuffix(_END)}$" if pattern.endswith(_END) else pattern


def publish(schema: Any) -> None:
    """Write each pattern of a JSON Schema, or of a document that has such, as the contract has it."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = published(schema["pattern"])
        for part in schema.values():
            publish(part)
    elif isinstance(schema, list):
        for part in schema:
            publish(part)
