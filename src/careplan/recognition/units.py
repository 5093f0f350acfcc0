"""One unit told in another, by the Unified Code for Units of Measure (UCUM).

The library that knows UCUM takes a second to load and 25 MB to keep. So it is loaded when two units that differ are first
met, and a service has a process of its own work out what its rulebook may need, and keeps the numbers alone. The units asked
for are those that a rulebook declares, never what a caller wrote, so what is remembered is bounded.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

LEARN_SECONDS = 60
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_Pair = tuple[str, str]
_learned: dict[_Pair, float | None] = {}


def factor(unit: str, into: str) -> float | None:
    """By what a number in `unit` is multiplied to be told in `into`, both UCUM units; None where that cannot be done."""
    if unit == into:
        return 1.0
    pair = unit, into
    return _learned[pair] if pair in _learned else _worked_out(*pair)


def learn(pairs: Iterable[_Pair]) -> None:
    """Have another process work out the factors of these units, so that this one need not load what can.

    Where that process fails, each is worked out here when it is first asked for.
    """
    new = sorted({pair for pair in pairs if pair[0] != pair[1]} - _learned.keys())
    if not new:
        return
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "careplan.recognition.units"],
            input=msgspec.json.encode(new),
            capture_output=True,
            timeout=LEARN_SECONDS,
            check=True,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
        found = msgspec.json.decode(done.stdout, type=list[float | None])
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError):
        return
    _learned.update(zip(new, found, strict=False))


@cache
def _worked_out(unit: str, into: str) -> float | None:
    try:
        from_unit, into_unit = (_registry().from_ucum(code) for code in (unit, into))
        once, twice = (
            float((number * from_unit).to(into_unit.units).magnitude / into_unit.magnitude) for number in (1.0, 2.0)
        )
    except Exception:  # noqa: BLE001 - the library raises many kinds of error, also AttributeError, for what is no unit
        return None
    # Units with an offset, such as degrees of temperature, are no multiples of each other.
    return once if once and abs(twice - 2 * once) <= 1e-9 * abs(twice) else None


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=list[_Pair])
    sys.stdout.buffer.write(msgspec.json.encode([factor(*pair) for pair in asked]))
