"""Walking a FHIR resource that somebody else wrote: what is absent is None, what is of the wrong type is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

from careplan.errors import Fault


class Element:
    """A JSON object with its JSON Pointer in the request. Faults gather in the list shared by all elements."""

    __slots__ = ("_faults", "pointer", "value")

    def __init__(self, value: dict[str, Any], pointer: str, faults: list[Fault]) -> None:
        self.value = value
        self.pointer = pointer
        self._faults = faults

    @property
    def faults(self) -> list[Fault]:
        """What was found so far, in this element and all that share its list."""
        return self._faults

    def __contains__(self, name: str) -> bool:
        return self.value.get(name) is not None

    def text(self, name: str) -> str | None:
        """A string; blank is as good as absent."""
        found = self.value.get(name)
        if type(found) is not str:
            found = self._typed(name, str)
        return found if found and not found.isspace() else None

    def flag(self, name: str) -> bool | None:
        """A boolean."""
        return self._typed(name, bool)

    def number(self, name: str) -> float | None:
        """A number."""
        found = self._given(name)
        if found is not None and (isinstance(found, bool) or not isinstance(found, int | float)):
            self.fault(name, "must be a number")
            return None
        try:
            return None if found is None else float(found)
        except OverflowError:
            self.fault(name, "is a number with more digits than can be meant")
            return None

    def child(self, name: str) -> Element | None:
        """An object."""
        found = self.value.get(name)
        if type(found) is not dict:
            found = self._typed(name, dict)
        return None if found is None else Element(found, f"{self.pointer}/{name}", self._faults)

    def children(self, name: str) -> Iterator[Element]:
        """The objects of a list."""
        if name not in self.value:
            return
        for at, entry in enumerate(self._typed(name, list) or ()):
            if isinstance(entry, dict):
                yield Element(entry, f"{self.pointer}/{name}/{at}", self._faults)
            else:
                self.fault(f"{name}/{at}", "must be an object")

    def fault(self, name: str, detail: str) -> None:
        """Note what is wrong with a field."""
        self._faults.append(Fault(pointer=f"{self.pointer}/{name}", detail=detail))

    def _given(self, name: str) -> Any:
        found = self.value.get(name)
        if found is None and name in self.value:
            self.fault(name, "must not be null; leave it out")
        return found

    @overload
    def _typed(self, name: str, wanted: type[str]) -> str | None: ...
    @overload
    def _typed(self, name: str, wanted: type[bool]) -> bool | None: ...
    @overload
    def _typed(self, name: str, wanted: type[dict[str, Any]]) -> dict[str, Any] | None: ...
    @overload
    def _typed(self, name: str, wanted: type[list[Any]]) -> list[Any] | None: ...
    def _typed(self, name: str, wanted: type[Any]) -> Any:
        found = self.value.get(name)
        if type(found) is wanted:
            return found
        if found is None:
            return self._given(name)
        if not isinstance(found, wanted):
            self.fault(name, f"must be {_NAMES[wanted]}")
            return None
        return found


_NAMES: dict[type, str] = {str: "a string", bool: "true or false", dict: "an object", list: "a list"}
