"""A rulebook and a patient on whom programs disagree: cut down to the little that still shows it, and kept as YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from careplan.errors import InvalidPatient

FOUND = Path(__file__).parent / "found"
"""What was found, each a file that the tests run again from then on."""
Check: TypeAlias = Callable[[Any], None]
"""Raises AssertionError where programs disagree about rules and a patient, and something else where these cannot be read."""


def reduced(found: Any, fails: Callable[[Any], bool]) -> Any:
    """What fails without any part that it fails without as well: large parts first, until nothing more can go.

    `found` is data as of JSON, and stays as it is.
    """
    while (smaller := next(filter(fails, _smaller(found)), None)) is not None:
        found = smaller
    return found


def _smaller(data: Any) -> Iterator[Any]:
    """The same data with one part less, or with one alternative in place of all; from the outside in."""
    if not isinstance(data, dict | list):
        return
    places = list(data) if isinstance(data, dict) else range(len(data))
    for place in places:
        yield _without(data, place)
    if isinstance(data, dict) and isinstance(alternatives := data.get("any_of"), list):
        rest = {key: value for key, value in data.items() if key != "any_of"}
        yield from ({**rest, **one} for one in alternatives if isinstance(one, dict))
    for place in places:
        for one in _smaller(data[place]):
            yield {**data, place: one} if isinstance(data, dict) else [*data[:place], one, *data[place + 1 :]]


def _without(data: Any, place: Any) -> Any:
    if isinstance(data, dict):
        return {key: value for key, value in data.items() if key != place}
    return [*data[:place], *data[place + 1 :]]


def breaks(check: Check, found: Any) -> bool:
    """Whether programs disagree about it; what cannot be read does not count."""
    try:
        check(found)
    except AssertionError:
        return True
    except (InvalidPatient, KeyError, TypeError, ValueError):
        return False
    return False


class Keeper:
    """Keeps the first failure of each kind; what a test finds after it while it shrinks the same is passed over."""

    def __init__(self, folder: Path = FOUND) -> None:
        self._folder = folder
        self._kept: set[str] = set()

    def run(self, kind: str, found: Any, check: Check) -> None:
        """Check it. What fails is reduced and written down before it fails here."""
        try:
            check(found)
        except AssertionError:
            if kind not in self._kept:
                self._kept.add(kind)
                self.keep(kind, reduced(found, lambda one: breaks(check, one)))
            raise

    def keep(self, kind: str, found: Any) -> Path:
        """Write it down under a name of its own."""
        text = yaml.safe_dump(found, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
        path = self._folder / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.yaml"
        path.write_text(text, encoding="utf-8")
        return path


def kept(kind: str, folder: Path = FOUND) -> list[Path]:
    """What was kept of a kind."""
    return sorted(folder.glob(f"{kind}-*.yaml"))
