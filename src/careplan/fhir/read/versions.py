"""Which of several entries for one resource counts: the newest version, the same content once, nothing that was deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from careplan.fhir.read.datetimes import Moment, later, moment_of
from careplan.fhir.read.element import Element

OLDER = "A newer version of it was sent as well, and that one counts."
TWICE = "The same was sent before, and counts once."
DELETED = "The record says that it was deleted."
ORDERED = "It is being ordered as well, and the order counts as it stands there."


class Version(msgspec.Struct, frozen=True):
    """One entry of a request: a resource, or that there is none any more."""

    identity: str | None
    entry: Element
    resource: Element | None
    ordering: bool = False

    @property
    def is_deletion(self) -> bool:
        """Whether the entry says that the resource was deleted."""
        request = self.entry.child("request")
        return request is not None and request.text("method") == "DELETE"


def superseded(versions: Sequence[Version], *, history: bool) -> Iterator[tuple[Version, str]]:
    """Those entries that do not count because of another for the same resource, each with the reason.

    In a history the first of two counts where neither says when it was made, since its newest version stands first.
    """
    groups: dict[str, list[Version]] = {}
    for version in versions:
        if version.identity is not None:
            groups.setdefault(version.identity, []).append(version)
        elif version.is_deletion:
            yield version, DELETED
    for group in groups.values():
        if len(group) > 1 or group[0].is_deletion:
            yield from _within(group, history=history)


def _within(group: Sequence[Version], *, history: bool) -> Iterator[tuple[Version, str]]:
    # An entry that none is newer than leads. The time this takes goes by the number of entries, not by its square: no
    # leading one is newer than another, and what leads has few different marks, whatever was sent.
    marks = [_mark(version) for version in group]
    ahead = _Ahead(marks)
    leads = [not ahead.of(mark) for mark in marks]
    deletions = [mark for mark, version in zip(marks, group, strict=True) if version.is_deletion]
    ordered = any(version.ordering for version in group)
    older = DELETED if _newest(group, marks).is_deletion else OLDER
    is_after: dict[Mark, bool] = {}
    before: dict[bytes, list[Mark]] = {}
    led: set[bytes] = set()
    leader: int | None = None
    for at, (version, mark) in enumerate(zip(group, marks, strict=True)):
        said = _said(version)
        if leads[at] and mark not in is_after:
            is_after[mark] = all(is_newer(mark, other) for other in deletions)
        why = None
        if version.is_deletion:
            why = DELETED
        elif not version.ordering and ordered:
            why = ORDERED
        elif not leads[at] or (history and at and (leader is not None or not _newer_than_all(mark, marks[:at]))):
            why = older
        elif not history and not is_after[mark]:
            why = DELETED
        elif said in led or not _newer_than_all(mark, before.get(said, ())):
            why = TWICE
        before.setdefault(said, []).append(mark)
        if leads[at]:
            led.add(said)
            leader = at if leader is None else leader
        if why:
            yield version, why


def _newer_than_all(mark: Mark, others: Iterable[Mark]) -> bool:
    return all(is_newer(mark, other) for other in others)


class Mark(NamedTuple):
    """What tells which of two versions is the newer one, each where it is known."""

    moment: Moment | None
    number: int | None


class _Ahead:
    """The latest of several marks, each way in which they can be compared: so one can be held against all at once."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._instant: datetime | None = None
        self._days: dict[tuple[bool, int], str] = {}
        self._most: int | None = None
        self._numbers: dict[Moment | None, int] = {}
        for moment, number in marks:
            if moment is not None:
                key = (moment.instant is not None, len(moment.day))
                self._days[key] = max(self._days.get(key, ""), moment.day)
                if moment.instant is not None:
                    self._instant = max(self._instant or moment.instant, moment.instant)
            if number is not None:
                self._most = max(self._most or 0, number)
                self._numbers[moment] = max(self._numbers.get(moment, 0), number)

    def of(self, mark: Mark) -> bool:
        """Whether any of them is surely newer than this one."""
        moment, number = mark
        if moment is None:
            return number is not None and self._most is not None and self._most > number
        if number is not None and max(self._numbers.get(None, 0), self._numbers.get(moment, 0)) > number:
            return True
        if moment.instant is not None and self._instant is not None and self._instant > moment.instant:
            return True
        return any(
            day[: len(moment.day)] > moment.day[: len(day)]
            for (exact, _), day in self._days.items()
            if not (exact and moment.instant is not None)
        )


def _newest(group: Sequence[Version], marks: Sequence[Mark]) -> Version:
    found = 0
    for at, mark in enumerate(marks):
        if is_newer(mark, marks[found]):
            found = at
    return group[found]


def is_newer(mark: Mark, other: Mark) -> bool:
    """Whether one version is surely newer than another."""
    if mark.moment and other.moment and mark.moment != other.moment:
        return later(mark.moment, other.moment)
    return mark.number is not None and other.number is not None and mark.number > other.number


def _mark(version: Version) -> Mark:
    return Mark(_moment(version), _number(version))


def _moment(version: Version) -> Moment | None:
    response = version.entry.child("response")
    meta = version.resource.child("meta") if version.resource else None
    return moment_of(meta.text("lastUpdated") if meta else None) or moment_of(
        response.text("lastModified") if response else None
    )


def _number(version: Version) -> int | None:
    meta = version.resource.child("meta") if version.resource else None
    written = (meta.text("versionId") if meta else None) or ""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 20 else None


def _said(version: Version) -> bytes:
    """What an entry says, whatever its server notes about it."""
    said = {name: value for name, value in version.resource.value.items() if name != "meta"} if version.resource else None
    return msgspec.json.encode(said, order="sorted")
