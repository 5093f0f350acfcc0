"""Which resource of a request a reference leads to, by the rules of FHIR R4 for Bundles, and whose a resource is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple
from urllib.parse import unquote

from careplan.fhir.read.element import Element

Whose = Literal["own", "other", "unknown"]

_VERSION = re.compile(r"/_history/([^/]*)$")
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_RELATIVE = re.compile(rf"[A-Z][A-Za-z]+/{_ID.pattern}")
_ON_A_SERVER = re.compile(rf"(https?://.+)/({_RELATIVE.pattern})")
_BY_IDENTIFIER = re.compile(r"[A-Z][A-Za-z]+\?identifier=([^|&]+)\|([^|&]+)")
"""A conditional reference, with which a transaction names what a server is to look up."""
_ENTRY = re.compile(r"/entry/\d+")


class Subject(NamedTuple):
    """How somebody is named: by a reference (0), an identifier (1), what is no reference of FHIR (2) or a name (3)."""

    by: int
    key: str
    value: str = ""


def plain(reference: str) -> str:
    """A reference without the version that it asks for."""
    return _VERSION.sub("", reference) if "/_history/" in reference else reference


class References:
    """The resources of a request by what refers to them, and the patient whom they are about.

    A relative reference is one of the server that the fullUrl of its entry names. Entries without such a fullUrl belong
    to `home`: the one server that all others name, else the one that the caller gives, else none that has a name.
    """

    def __init__(self, home: str = "") -> None:
        self._given_home = home.rstrip("/")
        self._full_urls: dict[str, str | None] = {}
        self._tops: dict[str, Element] = {}
        self._bases: dict[str, str] = {}
        self._servers: set[str] = set()
        self._by_key: dict[str, list[Element]] | None = None
        self._keys_at: dict[str, tuple[str, ...]] = {}
        self._told: dict[tuple[str, str], Whose] = {}
        """Whose what is that refers to somebody, by the reference and the server it is on: a record refers to few people."""
        self._by_identifier: dict[tuple[str, str], list[Element]] = {}
        self._superseded: set[str] = set()
        self._own: set[str] = set()
        self._own_keys: set[str] = set()
        self._own_identifiers: set[tuple[str, str]] = set()
        self._own_links: set[str] = set()
        self.several = False
        """Whether the request holds more than one patient, so that what names nobody may be about any of them."""

    def add(self, resource: Element, full_url: str | None) -> None:
        """Take note of a resource."""
        place = _place(resource.pointer)
        self._tops[place], self._full_urls[resource.pointer] = resource, full_url
        for identifier in identifiers(resource):
            self._by_identifier.setdefault(identifier, []).append(resource)
        if full_url and (found := _ON_A_SERVER.fullmatch(plain(full_url))):
            self._bases[place] = found[1]
            self._servers.add(found[1])
        self._by_key = None
        self._keys_at.clear()
        self._told.clear()

    def supersede(self, resource: Element) -> None:
        """Say that a resource is an older version, which only a reference to that version leads to."""
        self._superseded.add(resource.pointer)
        self._told.clear()

    @property
    def home(self) -> str:
        """The server of entries that name none."""
        return next(iter(self._servers)) if len(self._servers) == 1 else self._given_home

    def identity(self, resource: Element, full_url: str | None) -> str | None:
        """What makes a resource the same as another of the request; None for one that has neither id nor fullUrl."""
        return next(reversed(self._keys(resource, full_url)), None)

    def key(self, reference: str, pointer: str) -> str:
        """What a reference from a place means, whether it was sent or not: two references with one key mean the same."""
        bare = plain(reference)
        if bare.startswith("urn:"):
            return bare.casefold() if bare[:9].casefold() == "urn:uuid:" else bare
        if not _RELATIVE.fullmatch(bare):
            return f"{_place(pointer)}{bare}" if bare.startswith("#") else bare
        base = self._bases.get(_place(pointer), self.home)
        return f"{base}/{bare}" if base else bare

    def to(self, pointing: Element | None) -> Element | None:
        """The resource that a Reference leads to: contained beside it, or one of the request."""
        if pointing is None:
            return None
        reference = pointing.text("reference")
        found = self._by_reference(reference, pointing.pointer) if reference else None
        return found or self._by_logic(pointing)

    def _by_reference(self, reference: str, pointer: str) -> Element | None:
        top = self._tops.get(_place(pointer))
        if reference.startswith("#"):
            if top is None or reference == "#":
                return top
            return next((one for one in top.children("contained") if f"#{one.text('id')}" == reference), None)
        found = self._indexed().get(self.key(reference, pointer), [])
        if version := _VERSION.search(reference):
            found = [one for one in found if _version_of(one) in (None, version[1])]
        else:
            found = [one for one in found if one.pointer not in self._superseded]
        return found[0] if found else None

    def _by_logic(self, pointing: Element) -> Element | None:
        """What has the identifier that a Reference names: by system and value, never by one of them alone."""
        found = (one for wanted in logical(pointing) for one in self._by_identifier.get(wanted, ()))
        return next((one for one in found if one.pointer not in self._superseded), None)

    def _indexed(self) -> dict[str, list[Element]]:
        if self._by_key is None:
            self._by_key = {}
            for resource in self._tops.values():
                for key in self._keys(resource, self._full_urls[resource.pointer]):
                    self._by_key.setdefault(key, []).append(resource)
        return self._by_key

    def _keys(self, resource: Element, full_url: str | None) -> tuple[str, ...]:
        found = self._keys_at.get(resource.pointer)
        if found is None:
            found = self._keys_at[resource.pointer] = tuple(self._all_keys(resource, full_url))
        return found

    def _all_keys(self, resource: Element, full_url: str | None) -> Iterator[str]:
        kind, name = resource.text("resourceType"), resource.text("id")
        if full_url:
            yield self.key(full_url, "")
            if _ON_A_SERVER.fullmatch(plain(full_url)):
                return
        if kind and name:
            yield self.key(f"{kind}/{name}", "")

    def keys_of(self, resource: Element) -> set[str]:
        """All that refers to a resource of the request."""
        if resource.pointer not in self._full_urls:
            return set()
        return set(self._keys(resource, self._full_urls[resource.pointer]))

    def about(self, patient: Element | None, *keys: str) -> None:
        """Say who the patient is, by their resource and by the keys of references to them."""
        self._told.clear()
        self._own_keys.update(keys)
        if patient is not None:
            self._own.add(patient.pointer)
            self._own_keys |= self.keys_of(patient)
            self._own_identifiers |= identifiers(patient)
            for link in patient.children("link"):
                other = link.child("other")
                if other is not None and (reference := other.text("reference")):
                    self._own_links.add(self.key(reference, other.pointer))

    def about_subject(self, subject: Subject) -> None:
        """Say who the patient is, of whom there is no resource."""
        self._told.clear()
        if subject.by == 1:
            self._own_identifiers.add((subject.key, subject.value))
        elif subject.by != 3:
            self._own_keys.add(subject.key)

    def is_own(self, patient: Element) -> bool:
        """Whether a Patient is the one that everything is about."""
        if patient.pointer in self._own:
            return True
        return bool(self._own_keys & self.keys_of(patient) or self._own_identifiers & identifiers(patient))

    def whose(self, resource: Element, within: Whose | None = None) -> Whose:
        """Whether a resource is about the patient, about somebody else, or about nobody who can be told.

        `within` is the answer for the resource that contains it, which counts where it names nobody itself.
        """
        pointing = subject_of(resource)
        if pointing is None:
            return within or ("unknown" if self.several else "own")
        if not self._own and not self._own_keys and not self._own_identifiers:
            return "own"  # Nobody is named by whom it could be told apart.
        reference = pointing.text("reference")
        if reference is None or reference.startswith("#") or "identifier" in pointing.value:
            return self._whose_subject(pointing, reference)
        of_server = (reference, self._bases.get(_place(pointing.pointer), ""))
        told = self._told.get(of_server)
        if told is None:
            told = self._told[of_server] = self._whose_subject(pointing, reference)
        return told

    def _whose_subject(self, pointing: Element, reference: str | None) -> Whose:
        named = logical(pointing)
        key = self.key(reference, pointing.pointer) if reference else None
        found = self.to(pointing)
        if key in self._own_keys or named & self._own_identifiers or (found is not None and self.is_own(found)):
            return "own"
        if found is not None:
            return self._whose_found(found)
        if key is None or _BY_IDENTIFIER.fullmatch(reference or ""):
            systems = {system for system, _ in self._own_identifiers}
            return "other" if named and any(system in systems for system, _ in named) else "unknown"
        return "other" if self._is_of_the_same_server(key) and key not in self._own_links else "unknown"

    def _whose_found(self, found: Element) -> Whose:
        if found.text("resourceType") == "Group" or "/contained/" in found.pointer:
            return "unknown"
        return "unknown" if self.keys_of(found) & self._own_links else "other"

    def _is_of_the_same_server(self, key: str) -> bool:
        """Whether a key is that of a patient beside ours: two ids of one server are two people."""
        base, is_patient, name = key.rpartition("Patient/")
        if not is_patient or not _ID.fullmatch(name):
            return False
        return any(own.rpartition("Patient/")[:2] == (base, is_patient) for own in self._own_keys)

    def subjects(self, resources: Iterable[Element]) -> dict[Subject, Element]:
        """Everybody whom some resources name, each with the first of these resources."""
        found: dict[Subject, Element] = {}
        for resource in resources:
            if (pointing := subject_of(resource)) is not None and (named := self._subject(pointing)):
                found.setdefault(named, resource)
        return found

    def _subject(self, pointing: Element) -> Subject | None:
        reference, display = pointing.text("reference"), pointing.text("display")
        if reference and _names_somebody(reference):
            return Subject(0, self.key(reference, pointing.pointer))
        contained = self.to(pointing)
        known = logical(pointing) | (identifiers(contained) if contained else set())
        if known:
            return Subject(1, *min(known))
        if reference:
            return Subject(2, self.key(reference, pointing.pointer))
        return Subject(3, display) if display else None


def subject_of(resource: Element) -> Element | None:
    """The Reference to the one whom a resource is about; of a list that names several, one that leads to nobody."""
    for name in ("subject", "patient"):
        if isinstance(resource.value.get(name), list):
            found = list(resource.children(name))
            return found[0] if len(found) == 1 else Element({}, f"{resource.pointer}/{name}", resource.faults)
        if name in resource:
            return resource.child(name)
    return None


def identifiers(holder: Element, *only: str) -> set[tuple[str, str]]:
    """The identifiers of a resource, or the one of a Reference, that say in which system they are one."""
    found = [holder.child(name) for name in only] if only else list(holder.children("identifier"))
    pairs = {(one.text("system"), one.text("value")) for one in found if one is not None}
    return {(system, value) for system, value in pairs if system and value}


def logical(pointing: Element) -> set[tuple[str, str]]:
    """The identifier by which a Reference names something, be it in so many words or as a query."""
    query = _BY_IDENTIFIER.fullmatch(pointing.text("reference") or "")
    named = identifiers(pointing, "identifier")
    return named | {(unquote(query[1]), unquote(query[2]))} if query else named


def _names_somebody(reference: str) -> bool:
    """Whether a reference is of a form that FHIR knows, and may be to a patient."""
    bare = plain(reference)
    is_known = _RELATIVE.fullmatch(bare) or _ON_A_SERVER.fullmatch(bare)
    return bare.startswith("urn:") or (is_known is not None and "Patient/" in bare)


def _place(pointer: str) -> str:
    """The entry of the request in which a pointer is."""
    found = _ENTRY.match(pointer)
    return found[0] if found else ""


def _version_of(resource: Element) -> str | None:
    meta = resource.child("meta")
    return meta.text("versionId") if meta else None
