"""Which of several entries for one resource counts: the newest version, the same content once, nothing that was deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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
    for one in versions:
        if one.identity is not None:
            groups.setdefault(one.identity, []).append(one)
        elif one.is_deletion:
            yield one, DELETED
    for group in groups.values():
        if len(group) > 1 or group[0].is_deletion:
            yield from _within(group, history=history)


def _within(group: Sequence[Version], *, history: bool) -> Iterator[tuple[Version, str]]:
    for at, one in enumerate(group):
        others = [*group[:at], *group[at + 1 :]]
        why = None
        if one.is_deletion:
            why = DELETED
        elif not one.ordering and any(other.ordering for other in others):
            why = ORDERED
        elif any(_is_newer(other, one) for other in others) or (
            history and any(not _is_newer(one, other) for other in group[:at])
        ):
            newest = _newest(group)
            why = DELETED if newest.is_deletion else OLDER
        elif not history and any(other.is_deletion and not _is_newer(one, other) for other in others):
            why = DELETED
        elif any(not _is_newer(one, other) and _same(one, other) for other in group[:at]):
            why = TWICE
        if why:
            yield one, why


def _newest(group: Iterable[Version]) -> Version:
    found, *others = group
    for other in others:
        if _is_newer(other, found):
            found = other
    return found


def _is_newer(one: Version, other: Version) -> bool:
    """Whether one entry is surely of a newer version than another."""
    times = _moment(one), _moment(other)
    if times[0] and times[1] and times[0] != times[1]:
        return later(times[0], times[1])
    numbers = _number(one), _number(other)
    return numbers[0] is not None and numbers[1] is not None and numbers[0] > numbers[1]


def _moment(one: Version) -> Moment | None:
    response = one.entry.child("response")
    meta = one.resource.child("meta") if one.resource else None
    return moment_of(meta.text("lastUpdated") if meta else None) or moment_of(
        response.text("lastModified") if response else None
    )


def _number(one: Version) -> int | None:
    meta = one.resource.child("meta") if one.resource else None
    written = (meta.text("versionId") if meta else None) or ""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 20 else None


def _same(one: Version, other: Version) -> bool:
    """Whether two entries say the same, whatever their servers note about them."""
    return _said(one) == _said(other)


def _said(one: Version) -> object:
    return {name: value for name, value in one.resource.value.items() if name != "meta"} if one.resource else None
