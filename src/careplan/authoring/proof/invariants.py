"""What must hold of every plan, as files that a pharmacist can read: for whom, and which items there must or must not be."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from careplan.authoring.proof.report import Demand
from careplan.errors import InvalidRulebook, RuleFault
from careplan.rulebook.conditions import Reader, When
from careplan.rulebook.entries import Entry, Line
from careplan.rulebook.factors import KINDS
from careplan.rulebook.load import INVARIANTS
from careplan.rulebook.model import Level, Rule, Rulebook, Section, Who
from careplan.rulebook.yaml_and_csv import Document


class Selector(Entry, frozen=True, kw_only=True):
    """Some of the items that a plan can hold, by what their rules say. Everything named must hold of a rule.

    `rules` are ids, or patterns such as "sleep-*". `says` are words of which each must stand in both texts. `fills` are
    the places that a text fills in, such as "hold", of which one must be there. `asks` are people of whom one is asked.
    """

    level: tuple[Level, ...] = ()
    section: tuple[Section, ...] = ()
    rules: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    asks: tuple[Who, ...] = ()

    def takes(self, rule: Rule) -> bool:
        """Whether the items of a rule are among them."""
        then = rule.file.then
        texts = (then.patient.lower(), then.clinician.lower())
        names = rule.patient.names | rule.clinician.names | rule.title.names
        return (
            (not self.level or rule.file.level in self.level)
            and (not self.section or rule.section in self.section)
            and (not self.rules or any(fnmatchcase(rule.id, pattern) for pattern in self.rules))
            and all(word.lower() in text for word in self.says for text in texts)
            and (not self.fills or not names.isdisjoint(self.fills))
            and (not self.asks or any(ask.who in self.asks for ask in then.asks))
        )


class Must(Entry, frozen=True, kw_only=True):
    """What must be so in the plan: exactly one of the four is given."""

    some_item: Selector | None = None
    no_item: Selector | None = None
    one_item: Selector | None = None
    at_most_one_item: Selector | None = None


class InvariantFile(Entry, frozen=True, kw_only=True):
    """One invariant as written. `who` is in the language of `when`; `must` says what holds for those patients."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    title: Line
    rationale: Line
    who: Any
    must: Must


class Invariant(msgspec.Struct, frozen=True):
    """One invariant ready for proof. `rules` are those that its demand selects."""

    id: str
    title: str
    who: When
    demand: Demand
    rules: tuple[Rule, ...]


def invariants(folder: Path, book: Rulebook) -> list[Invariant]:
    """The invariants of the rulebook in `folder`. Raises `InvalidRulebook` with every fault of their files."""
    faults: list[RuleFault] = []
    found: list[Invariant] = []
    for path in sorted((folder / INVARIANTS).glob("*.yaml")):
        document = Document(PurePosixPath(INVARIANTS, path.name), path.read_text(encoding="utf-8-sig"))
        read = read_invariant(document, path.stem, book) if not document.faults else None
        faults += document.faults
        if read is not None:
            found.append(read)
    if faults:
        raise InvalidRulebook(faults)
    return found


def subjects(when: When) -> frozenset[str]:
    """The kinds of fact of which a patient can have several, that these conditions are about."""
    return frozenset(pattern.kind for group in when for pattern in group if KINDS[pattern.kind].many)


def _answers(about: frozenset[str], item: frozenset[str]) -> bool:
    """Whether an item is an answer for what an invariant is about: not if it is about another medicine or goal."""
    if about:
        return item == about or (about == {"condition"} and not item)
    return item <= {"condition"}


def _countable(about: frozenset[str], item: frozenset[str]) -> bool:
    return item <= about | {"condition"}


def read_invariant(document: Document, stem: str, book: Rulebook) -> Invariant | None:
    """One invariant; None where its file is faulty, with the faults in the document."""
    file = document.convert(InvariantFile)
    reader = Reader(book.classes, book.catalogue.ingredients, book.conditions, book.kinds)
    when = reader.when(document.data.get("who"), ("who",)) if isinstance(document.data, dict) else ()
    for flaw in reader.flaws:
        document.fault(flaw.path, flaw.problem, flaw.mend, code=flaw.code)
    if file is None:
        return None
    if file.id != stem:
        document.fault(("id",), f"The id {file.id} is not the name of the file.", f"Write id: {stem}.")
    demands = {name: selector for name in get_args(Demand) if (selector := getattr(file.must, name)) is not None}
    if len(demands) != 1:
        document.fault(("must",), "An invariant has one demand.", f"Use one of {', '.join(get_args(Demand))}.")
        return None
    ((wanted, selector),) = demands.items()
    chosen = [rule for rule in book.in_order() if selector.takes(rule)]
    about = subjects(when)
    if wanted == "some_item":
        chosen = [rule for rule in chosen if _answers(about, subjects(rule.when))]
    elif wanted != "no_item" and any(not _countable(about, subjects(rule.when)) for rule in chosen):
        document.fault(
            ("must", wanted),
            "Items about several medicines or goals cannot be counted.",
            "Select rules about the whole patient, or about what `who` is about.",
        )
    if not chosen:
        document.fault(("must", wanted), "No running rule is of this description.", "Correct the description.")
    return None if document.faults else Invariant(file.id, file.title, when, wanted, tuple(chosen))
