"""How many cases a property is tried with: few every day, many by `scripts/long`."""

from __future__ import annotations

import os

SCALE = float(os.environ.get("CAREPLAN_TEST_SCALE", "1"))


def cases(everyday: int) -> int:
    """So many cases, times the scale that the environment names."""
    return max(1, round(everyday * SCALE))
