"""Which resource of a request a reference leads to, and whose a resource is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from careplan.fhir.read.element import Element

_VERSION = re.compile(r"/_history/[^/]*$")
_RELATIVE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64})$")


def plain(reference: str) -> str:
    """A reference without its server and version: `Type/id` where it has that form."""
    bare = _VERSION.sub("", reference)
    found = _RELATIVE.search(bare)
    return found[1] if found else bare


class References:
    """The resources of a request by what refers to them, and the patient whom they are about."""

    def __init__(self) -> None:
        self._found: dict[str, Element] = {}
        self._subjects: set[str] = set()

    def add(self, resource: Element, full_url: str | None) -> None:
        """Take note of a resource."""
        for name in _names(resource, full_url):
            self._found.setdefault(name, resource)

    def about(self, *names: str | None) -> None:
        """Say by which references the patient is meant."""
        self._subjects |= {plain(name) for name in names if name}

    def knows_subject(self) -> bool:
        """Whether it is known who the patient is."""
        return bool(self._subjects)

    def to(self, pointing: Element | None, within: Element) -> Element | None:
        """The resource that a Reference leads to: contained in `within`, or one of the request."""
        reference = pointing.text("reference") if pointing else None
        if reference is None:
            return None
        if reference.startswith("#"):
            return next((one for one in within.children("contained") if f"#{one.text('id')}" == reference), None)
        return self._found.get(_VERSION.sub("", reference)) or self._found.get(plain(reference))

    def is_other(self, resource: Element) -> bool:
        """Whether a resource says that it is about somebody else."""
        named = subject_of(resource)
        return named is not None and bool(self._subjects) and plain(named) not in self._subjects


def subject_of(resource: Element) -> str | None:
    """The reference to the one whom a resource is about."""
    for name in ("subject", "patient"):
        if name in resource and isinstance(resource.value[name], dict):
            pointing = resource.child(name)
            return pointing.text("reference") if pointing else None
    return None


def subjects_of(resources: Iterable[Element]) -> dict[str, Element]:
    """Everybody whom some resources are about, each with the first of these resources."""
    found: dict[str, Element] = {}
    for resource in resources:
        if (named := subject_of(resource)) is not None:
            found.setdefault(plain(named), resource)
    return found


def _names(resource: Element, full_url: str | None) -> list[str]:
    kind, name = resource.text("resourceType"), resource.text("id")
    own = [f"{kind}/{name}"] if kind and name else []
    return own + ([full_url, plain(full_url)] if full_url else [])
