"""The items of a plan: texts filled in, and what is about the same thing merged.

An item that holds none of the caller's own words follows from its rule, from the facts behind it and from the lists they
are about; it is remembered for these, ready to be sent.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from careplan.engine import Finding
from careplan.facts import Case, Fact
from careplan.fields import KINDS, member
from careplan.medications import Resolved, called
from careplan.memo import Memo
from careplan.plan import About, Ask, Evidence, Item, RuleRef, evidence
from careplan.rulebook.model import LEVELS, Decision, Rule, Rulebook
from careplan.words import HoldSentences, Topics, Words, topics

MOST_REMEMBERED = 1_024
"""Facts whose items are remembered."""
MOST_WRITTEN = 4_096
"""Items that are remembered."""
_encode = msgspec.json.Encoder().encode


class _Prepared(msgspec.Struct, frozen=True):
    """What of a rule is the same for every patient.

    `says` are, for each pattern of each group, the fields of its fact that an item can say something of.
    """

    rule: Rule
    rank: tuple[int, int, str]
    evidence: list[Evidence]
    ref: RuleRef
    names: frozenset[str]
    topics: tuple[Topics, ...]
    says: tuple[tuple[tuple[str, ...], ...], ...]
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
        self._met: Memo[Hashable, Written] = Memo(MOST_REMEMBERED)
        self._written: Memo[Hashable, Written] = Memo(MOST_WRITTEN)

    def of(self, case: Case, findings: Sequence[Finding], words: Words) -> list[Written]:
        """The items of one case, in order."""
        writing, begun = _Writing(case, words), words.begun
        found: list[Written] = []
        remembered: set[str] = set()
        keys: dict[str, tuple[int, bool]] = {}
        fresh: dict[str, list[Written]] = {}
        for fact in case.facts:
            # Where a condition or a medicine was sent twice, items about it are merged.
            if fact.kind in writing.apart or fact.properties.get("sent_twice") is True:
                continue
            key = (fact.mark, begun)
            items = self._of_fact.get(key)
            if items is None:
                keys[fact.id], fresh[fact.id] = key, []
            else:
                remembered.add(fact.id)
                found += items
        merged: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            if finding.rule in self._simple:
                name = finding.facts[0]
                if name in remembered:
                    continue
                if name in fresh:
                    fresh[name].append(self._item(finding.rule, [finding], writing))
                    continue
            subject = next((identity_of(fact) for fact in writing.behind(finding) if KINDS[fact.kind].many), "")
            merged.setdefault((finding.rule, subject), []).append(finding)
        for name, items in fresh.items():
            found += self._of_fact.keep(keys[name], items)
        found += [self._item(rule, several, writing) for (rule, _), several in merged.items()]
        found.sort(key=_order)
        return found

    def _item(self, rule: str, findings: list[Finding], writing: _Writing) -> Written:
        """One item, written anew only where none like it is remembered."""
        prepared = self._prepared[rule]
        if len(findings) > 1:
            findings.sort(key=lambda finding: [fact.indexes for fact in writing.behind(finding)])
        exactly = writing.exactly(prepared, findings)
        known = self._met.get(exactly) if exactly is not None else None
        if known is not None:
            return known
        key = writing.key(prepared, findings) if exactly is not None else None
        written = self._written.get(key) if key is not None else None
        if written is None:
            written = self._write(prepared, [(one, writing.behind(one)) for one in findings], writing.words)
            if key is not None:
                self._written.keep(key, written)
        return self._met.keep(exactly, written) if exactly is not None else written

    def _prepare(self, rule: Rule) -> _Prepared:
        file = rule.file
        texts = (rule.title, rule.patient, rule.clinician, *(text for _, text in rule.asks))
        names = frozenset[str]().union(*(text.names for text in texts))
        looked_at = tuple(map(topics, rule.when))
        return _Prepared(
            rule=rule,
            rank=(LEVELS.index(file.level), file.order, rule.id),
            evidence=evidence(self._book, rule),
            ref=RuleRef(id=rule.id, version=file.version, status=file.status),
            names=names,
            topics=looked_at,
            says=tuple(
                tuple(_says(pattern.kind, tested, names) for pattern, tested in zip(group, told, strict=True))
                for group, told in zip(rule.when, looked_at, strict=True)
            ),
            signed=(signed := not names.isdisjoint({"hold", "approved_by"})),
            simple=not signed and len(rule.when) == 1 and len(rule.when[0]) == 1,
        )

    def _write(self, prepared: _Prepared, found: Sequence[tuple[Finding, list[Fact]]], words: Words) -> Written:
        rule, file = prepared.rule, prepared.rule.file
        rule_id = rule.id
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


class _Writing:
    """One case while its items are written, and what an item about some of its facts follows from."""

    def __init__(self, case: Case, words: Words) -> None:
        self.words = words
        self._case = case
        self._facts = {fact.id: fact for fact in case.facts}
        self._begun = words.begun
        self._protocol = case.patient.protocol is not None
        in_part = any(resolved.problem == "partly_recognized" for resolved in case.medicines)
        self._own_words = _OWN_WORDS[self._protocol, in_part]
        self.apart = _APART[self._protocol, in_part]

    def behind(self, finding: Finding) -> list[Fact]:
        """The facts that a finding is about."""
        return [self._facts[name] for name in finding.facts]

    def exactly(self, prepared: _Prepared, findings: Sequence[Finding]) -> Hashable:
        """The facts behind an item just as they are; None if it would hold a caller's own words."""
        if prepared.signed and self._protocol:
            return None
        parts: list[int | str | bool] = [prepared.rule.id, self._begun]
        for finding in findings:
            parts.append(finding.group)
            for name in finding.facts:
                fact = self._facts[name]
                if fact.kind in self._own_words:
                    return None
                parts.append(fact.mark)
        return tuple(parts)

    def key(self, prepared: _Prepared, findings: Sequence[Finding]) -> Hashable:
        """What of the facts behind an item it can say: the same for many patients whose facts differ otherwise."""
        parts: list[Hashable] = [prepared.rule.id, self._begun]
        for finding in findings:
            parts.append(finding.group)
            said = zip(finding.facts, prepared.says[finding.group], prepared.topics[finding.group], strict=True)
            parts += [self._part(self._facts[name], fields, tokens) for name, fields, (_, tokens) in said]
        return tuple(parts)

    def _part(self, fact: Fact, fields: Sequence[str], tokens: frozenset[str]) -> Hashable:
        """What an item can say of one fact."""
        given = [fact.properties.get(field) for field in fields]
        if fact.kind == "history":
            conditions = self._case.patient.conditions or ()
            return *given, *[(at, name) for at, name in enumerate(conditions) if name in tokens]
        if fact.kind == "regimen":
            taken = [resolved for resolved in self._case.medicines if not tokens.isdisjoint(_takes(resolved))]
            return *given, *[(one.index, called(one.match)) for one in taken]
        entries = self._case.medicines if fact.kind in _OF_MEDICINES else ()
        return fact.indexes, *given, *[called(entries[at].match) for at in fact.indexes if entries]


_OF_MEDICINES = frozenset({"medicine", "regimen", "shared_class"})
_OWN_WORDS = {
    (protocol, in_part): frozenset({"goal", "medicine_check"})
    | (frozenset({"protocol"}) if protocol else frozenset())
    | (_OF_MEDICINES if in_part else frozenset())
    for protocol in (False, True)
    for in_part in (False, True)
}
"""Kinds of facts whose words a caller wrote: with a protocol, a name; with a medicine that was read in part, its name."""
_APART = {case: kinds | {"condition", "history", "regimen", "shared_class"} for case, kinds in _OWN_WORDS.items()}
"""Kinds of facts whose items follow from more than the one fact, or hold a caller's own words."""
_ALWAYS_SAID = {"medicine": ("ingredient", "schedule", "indication"), "shared_class": ("class",)}


def _says(kind: str, tested: tuple[tuple[str, ...], frozenset[str]], names: Iterable[str]) -> tuple[str, ...]:
    """The properties of a fact of which an item can say something: those tested, and those that its texts name."""
    fields, tokens = tested
    found = {name.partition(".")[2] for name in names if name.startswith(f"{kind}.")} | set(_ALWAYS_SAID.get(kind, ()))
    for field in fields:
        several = KINDS[kind].fields[field].type == "tokens"
        found |= {member(field, token) for token in tokens} if several else {field}
    return tuple(sorted(found))


def _takes(resolved: Resolved) -> frozenset[str]:
    """The ingredients and classes of one entry."""
    rows = resolved.match.ingredients if resolved.match else ()
    return frozenset(name for row in rows for name in (row.ingredient, *row.classes))


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
