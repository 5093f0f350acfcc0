"""The items of a plan: texts filled in, and what is about the same thing merged.

An item that holds none of the caller's own words follows from its rule, from the facts behind it and from the lists they
are about; it is remembered for these, ready to be sent.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from careplan.engine import Finding
from careplan.facts import Case, Fact
from careplan.fields import KINDS
from careplan.medications import called
from careplan.memo import Memo
from careplan.plan import About, Ask, Evidence, Item, RuleRef, evidence
from careplan.rulebook.model import LEVELS, Decision, Rule, Rulebook
from careplan.words import HoldSentences, Topics, Words, topics

MOST_REMEMBERED = 1_024
_OWN_WORDS = frozenset({"goal", "medicine_check"})
"""Kinds of facts whose words a caller wrote; those of a protocol have a name in them."""
_encode = msgspec.json.Encoder().encode


class _Prepared(msgspec.Struct, frozen=True):
    """What of a rule is the same for every patient."""

    rule: Rule
    rank: tuple[int, int, str]
    evidence: list[Evidence]
    ref: RuleRef
    names: frozenset[str]
    topics: tuple[Topics, ...]
    signed: bool
    simple: bool


class Written(NamedTuple):
    """An item in the order of the plan: `order` sorts it; `raw` is its JSON."""

    order: tuple[int, list[int], str]
    item: Item
    raw: msgspec.Raw
    decides: Decision | None


class Items:
    """Writes the items of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._prepared = {rule.id: self._prepare(rule) for rule in book.rules.values()}
        ranked = sorted(self._prepared, key=lambda name: self._prepared[name].rank)
        self._order = {name: at for at, name in enumerate(ranked)}
        self._hold_sentences = HoldSentences.of(book)
        self._simple = frozenset(name for name, prepared in self._prepared.items() if prepared.simple)
        self._of_fact: Memo[tuple[int, bool], list[Written]] = Memo(MOST_REMEMBERED)
        self._written: Memo[Hashable, Written] = Memo(MOST_REMEMBERED)
        self._numbers: Memo[Hashable, int] = Memo(MOST_REMEMBERED)
        self._made = 0

    def of(self, case: Case, findings: Sequence[Finding], words: Words) -> list[Written]:
        """The items of one case, in order."""
        marks = self._marks(case)
        begun = words.begun
        found: list[Written] = []
        alone: set[str] = set()
        facts: dict[str, Fact] = {}
        for fact in case.facts:
            facts[fact.id] = fact
            mark = marks[fact.id]
            if mark is None or not _stands_alone(fact):
                continue
            written = self._of_fact.get((mark, begun))
            if written is None:
                own = [one for one in findings if one.facts == (fact.id,) and self._prepared[one.rule].simple]
                written = [self._write(one.rule, [(one, [fact])], words) for one in own]
                self._of_fact.keep((mark, begun), written)
            alone.add(fact.id)
            found += written
        merged: dict[tuple[str, str], list[Finding]] = {}
        simple = self._simple
        for finding in findings:
            if finding.rule in simple and finding.facts[0] in alone:
                continue
            subject = next((identity_of(facts[name]) for name in finding.facts if KINDS[facts[name].kind].many), "")
            merged.setdefault((finding.rule, subject), []).append(finding)
        for (rule, _), several in merged.items():
            if len(several) > 1:
                several.sort(key=lambda finding: [facts[name].indexes for name in finding.facts])
            key = None
            if not (case.patient.protocol and self._prepared[rule].signed):
                key = self._key(rule, several, marks, begun=begun)
            one_written = self._written.get(key) if key is not None else None
            if one_written is None:
                one_written = self._write(rule, [(one, [facts[name] for name in one.facts]) for one in several], words)
                if key is not None:
                    self._written.keep(key, one_written)
            found.append(one_written)
        found.sort(key=_order)
        return found

    @staticmethod
    def _key(rule: str, findings: Sequence[Finding], marks: dict[str, int | None], *, begun: bool) -> Hashable:
        """What an item follows from; None if it would hold a caller's own words."""
        parts: list[int | str | bool] = [rule, begun]
        for finding in findings:
            parts.append(finding.group)
            for name in finding.facts:
                mark = marks[name]
                if mark is None:
                    return None
                parts.append(mark)
        return tuple(parts)

    def _marks(self, case: Case) -> dict[str, int | None]:
        """A number for each fact with all that an item may say of it; None where that is in a caller's own words."""
        names: tuple[Hashable, ...] | None = None
        if not any(resolved.problem == "partly_recognized" for resolved in case.medicines):
            names = tuple([called(resolved.match) for resolved in case.medicines])
        found: dict[str, int | None] = {}
        for fact in case.facts:
            key: Hashable
            if fact.kind in _OWN_WORDS or (fact.kind == "protocol" and case.patient.protocol is not None):
                found[fact.id] = None
                continue
            if fact.kind == "history":
                key = (fact.mark, *(case.patient.conditions or ()))
            elif fact.kind in _OF_MEDICINES:
                if names is None:
                    found[fact.id] = None
                    continue
                key = (fact.mark, names[fact.indexes[0]] if fact.kind == "medicine" else names)
            else:
                found[fact.id] = fact.mark
                continue
            number = self._numbers.get(key)
            if number is None:
                # Never used again, and unlike any mark: what is forgotten is not taken for something else.
                self._made -= 1
                number = self._numbers.keep(key, self._made)
            found[fact.id] = number
        return found

    def _prepare(self, rule: Rule) -> _Prepared:
        file = rule.file
        texts = (rule.title, rule.patient, rule.clinician, *(text for _, text in rule.asks))
        return _Prepared(
            rule=rule,
            rank=(LEVELS.index(file.level), file.order, rule.id),
            evidence=evidence(self._book, rule),
            ref=RuleRef(id=rule.id, version=file.version, status=file.status),
            names=frozenset[str]().union(*(text.names for text in texts)),
            topics=tuple(map(topics, rule.when)),
            signed=(signed := any("hold" in text.names or "approved_by" in text.names for text in texts)),
            simple=not signed and len(rule.when) == 1 and len(rule.when[0]) == 1,
        )

    def _write(self, rule_id: str, found: Sequence[tuple[Finding, list[Fact]]], words: Words) -> Written:
        prepared = self._prepared[rule_id]
        rule, file = prepared.rule, prepared.rule.file
        _, facts = found[0]
        filled = words.fill(facts, prepared.names) if prepared.names else {}
        because = [phrase for finding, matched in found for phrase in words.because(matched, prepared.topics[finding.group])]
        subject = next((fact for fact in facts if KINDS[fact.kind].many), None)
        patient_words, clinician_words = filled | words.in_plain_words(facts, prepared.names), filled
        held = subject is not None and "hold" in prepared.names
        hold = words.signed_hold(subject) if subject is not None and held else None
        if subject is not None and held:
            for_patient, for_clinician = words.hold_sentences(subject, self._hold_sentences)
            patient_words, clinician_words = patient_words | {"hold": for_patient}, filled | {"hold": for_clinician}
        about: dict[str, About] = {}
        for finding, matched in found:
            for fact, (_, tokens) in zip(matched, prepared.topics[finding.group], strict=True):
                about |= {entry.pointer: entry for entry in words.about(fact, tokens)}
        item = Item(
            id=rule_id if subject is None else f"{rule_id}/{identity_of(subject)}",
            level=file.level,
            section=rule.section,
            title=rule.title.fill(filled),
            patient_text=rule.patient.fill(patient_words),
            clinician_text=rule.clinician.fill(clinician_words),
            evidence=prepared.evidence,
            rule=prepared.ref,
            because=list(dict.fromkeys(because)) or ([file.for_everyone] if file.for_everyone else []),
            about=sorted(about.values(), key=lambda entry: (entry.index, entry.pointer)),
            asks=[
                Ask(who=ask.who, what=text.fill(filled), by=by, by_words=self._book.vocabulary.by[by])
                for (ask, text), by in zip(rule.asks, words.due(rule.asks), strict=True)
            ],
            contested=file.contested and " ".join(file.contested.split()),
            hold=hold,
            open_decision="hold" if held and hold is None else None,
        )
        order = (self._order[rule_id], [entry.index for entry in item.about], item.id)
        return Written(order, item, msgspec.Raw(_encode(item)), file.then.decides)


_order = attrgetter("order")


def _stands_alone(fact: Fact) -> bool:
    """Whether no other fact can be about the same thing, so that what it causes by itself is merged with nothing."""
    return fact.kind != "condition" and fact.properties.get("sent_twice") is not True


_OF_MEDICINES = frozenset({"medicine", "regimen", "shared_class"})


def identity_of(fact: Fact) -> str:
    """What two facts of a kind share when they are about the same thing."""
    match fact.kind:
        case "medicine":
            return str(fact.properties["ingredient"])
        case "condition":
            return str(fact.properties["name"])
        case "shared_class":
            return str(fact.properties["class"])
        case _:
            return f"{'goals' if fact.kind == 'goal' else 'medications'}/{fact.indexes[0]}"
