"""Requests to show in the documentation: the patients of `examples/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


def folder() -> Path:
    """The folder of example patients, inside the package or beside it in a checkout."""
    inside = Path(__file__).parents[1] / "examples"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "examples"


def request_examples() -> dict[str, dict[str, Any]]:
    """Every example request by the stem of its file."""
    return {path.stem: msgspec.json.decode(path.read_bytes()) for path in sorted(folder().glob("*.json"))}
