"""Requests to show in the documentation: the patients of `examples/`, and later visits of theirs in `examples/visits/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec


def folder() -> Path:
    """The folder of example patients, inside the package or beside it in a checkout."""
    inside = Path(__file__).parents[1] / "examples"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "examples"


def request_examples() -> dict[str, dict[str, Any]]:
    """Every example request by the stem of its file."""
    return {path.stem: msgspec.json.decode(path.read_bytes()) for path in sorted(_files())}


def _files() -> Iterator[Path]:
    for pattern in ("*.json", "visits/*.json"):
        yield from folder().glob(pattern)
