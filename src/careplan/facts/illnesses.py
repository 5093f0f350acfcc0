"""The illnesses of one patient: those sent as tokens, and those read from what was written of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from careplan.facts.grave_entries import GraveEntries
from careplan.facts.measured import Told
from careplan.recognition.allergies import Allergies
from careplan.recognition.illness_read import IllnessRead
from careplan.recognition.medicine_catalogue import Resolved
from careplan.request.patient import Patient
from careplan.rulebook.factors import GRAVER


class Illness(NamedTuple):
    """One condition that a patient has, and the JSON Pointer of the entry that says so."""

    token: str
    pointer: str

    @property
    def place(self) -> int:
        """Its place in the list of the request."""
        return int(self.pointer.rpartition("/")[2])


class Illnesses(NamedTuple):
    """All illnesses of one patient, each once; `read` has what was read of each of the other conditions.

    `contradicted` are the places of other conditions that deny what another entry or answer says. `answered` has, by factor,
    the place of the one from which the answer was read. `allergic` are the places of allergies that are among `listed`, and
    `urgent` those of other conditions that nobody could read and that a person reads before anything else. `told` are
    readings that were taken from other conditions, `allergens` the ingredients that each allergy names.
    """

    listed: tuple[Illness, ...] = ()
    read: tuple[IllnessRead, ...] = ()
    contradicted: tuple[int, ...] = ()
    answered: Mapping[str, int] = {}
    allergic: tuple[int, ...] = ()
    urgent: GraveEntries = GraveEntries()
    told: tuple[Told, ...] = ()
    allergens: tuple[frozenset[str], ...] = ()

    def and_told(self, medicines: Iterable[Resolved]) -> Illnesses:
        """These with what the lines of medicines tell of; like an allergy that is no list of illnesses."""
        told = {token: f"/medications/{one.index}" for one in medicines for token in one.told}
        new = [Illness(token, pointer) for token, pointer in told.items() if token not in self.tokens]
        return self._replace(listed=(*self.listed, *new)) if new else self

    def and_listed(self, written: Sequence[str], is_listed: Callable[[str], bool]) -> Illnesses:
        """These with what only names a medicine of the patient's list as known: "on lisinopril" beside an illness."""
        read = tuple([_with_listed(text, one, is_listed) for text, one in zip(written, self.read, strict=True)])
        return self._replace(read=read) if read != self.read else self

    @property
    def tokens(self) -> tuple[str, ...]:
        """The conditions."""
        return tuple([one.token for one in self.listed])


def illnesses_of(
    patient: Patient,
    written: Sequence[str],
    allergies: Allergies,
    read_entry: Callable[[str, int], tuple[IllnessRead, tuple[Told, ...]]],
) -> tuple[Patient, Illnesses]:
    """The illnesses of a patient, allergies among them, and the patient with the answers that were read from them.

    `written` are the other conditions without marks of a list. `read_entry` reads one of them, after its place, with the
    readings that are taken from it.

    An answer that was sent stays, unless a graver one is written among the illnesses.
    """
    listed: dict[str, str] = {}
    for at, token in enumerate(patient.conditions or ()):
        listed.setdefault(token, f"/conditions/{at}")
    entries = [read_entry(text, at) for at, text in enumerate(written)]
    read = tuple([entry for entry, _ in entries])
    answers: dict[str, tuple[str, int]] = {}
    for at, entry in enumerate(read):
        for token in entry.tokens:
            factor, is_answer, value = token.partition("=")
            if not is_answer:
                listed.setdefault(token, f"/other_conditions/{at}")
            elif factor not in answers or _graver(factor, value, answers[factor][0]):
                answers[factor] = value, at
    completed, answered = _with_answers(patient, answers)
    if completed.conditions is None and (listed or any(map(_names_no_condition, read))):
        # Whoever names an illness, or says that there is none, was asked for illnesses, in whichever list it stands.
        completed = msgspec.structs.replace(completed, conditions=[])
    told_allergies = tuple(map(allergies.read, patient.allergies or ()))
    allergic = {at: one.tokens for at, one in enumerate(told_allergies) if one.tokens}
    for at, tokens in allergic.items():
        for token in tokens:
            listed.setdefault(token, f"/allergies/{at}")
    denying = tuple(_denying(completed, listed, read))
    illnesses = tuple([Illness(token, pointer) for token, pointer in listed.items()])
    told = tuple([reading for _, several in entries for reading in several])
    allergens = tuple([one.ingredients for one in told_allergies])
    return completed, Illnesses(illnesses, read, denying, answered, tuple(allergic), told=told, allergens=allergens)


def _with_listed(text: str, read: IllnessRead, is_listed: Callable[[str], bool]) -> IllnessRead:
    """What was read of an entry, with its parts that name a medicine of the list as known."""
    return IllnessRead(
        tuple(
            [
                msgspec.structs.replace(part, recognition="known", status="medicine")
                if part.recognition == "unread" and not part.offers and is_listed(text[part.start : part.end])
                else part
                for part in read.parts
            ]
        )
    )


def _names_no_condition(read: IllnessRead) -> bool:
    """Whether an entry names an illness of no rule, or says that there is no illness."""
    return any(
        (part.recognition == "known" and part.status not in ("reading", "medicine")) or part.status == "nothing"
        for part in read.parts
    )


def _denying(patient: Patient, listed: Mapping[str, str], read: tuple[IllnessRead, ...]) -> Iterator[int]:
    """The entries that say that something is not there which another entry or answer says to be there."""
    for at, entry in enumerate(read):
        for token in entry.denied:
            factor, is_answer, value = token.partition("=")
            if token in listed or (is_answer and _sent(patient, factor) == value):
                yield at
                break


def _with_answers(patient: Patient, answers: Mapping[str, tuple[str, int]]) -> tuple[Patient, dict[str, int]]:
    answered: dict[str, int] = {}
    for factor, (value, at) in answers.items():
        before = _sent(patient, factor)
        if before is not None and not _graver(factor, value, str(before)):
            continue
        answered[factor] = at
        group, _, field = factor.rpartition(".")
        changed: Any = value
        if group:
            changed = msgspec.structs.replace(getattr(patient, group), **{field: value})
        patient = msgspec.structs.replace(patient, **{group or field: changed})
    return patient, answered


def _sent(patient: Patient, factor: str) -> object:
    group, _, field = factor.rpartition(".")
    return getattr(getattr(patient, group) if group else patient, field)


def _graver(factor: str, value: str, than: str) -> bool:
    order = GRAVER[factor]
    return order.index(value) > order.index(than)
