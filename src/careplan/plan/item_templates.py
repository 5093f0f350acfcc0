"""The items of a plan: texts filled in, and what is about the same thing merged.

But for the caller's own words, an item follows from its rule, from the facts behind it and from the lists they are about;
it is remembered for these, ready to be sent. What one fact brings by itself is remembered together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

import msgspec

from careplan.facts.build import Case, Fact
from careplan.facts.hold_question import HoldQuestions
from careplan.inference.durable_rules import Finding, Found, Match, alone_of
from careplan.memo import Memo
from careplan.plan.hold_gate_words import GateWords
from careplan.plan.hold_sentences import GateSentences, HoldSentences
from careplan.plan.model import About, Ask, Evidence, Item, RuleRef, evidence
from careplan.plan.ownwords import Marks, Outline
from careplan.plan.unread_words import Absence, UnreadWords, absences
from careplan.plan.wording import Topics, Words, topics
from careplan.recognition.medicine_catalogue import Resolved, called
from careplan.rulebook.factors import KINDS, member
from careplan.rulebook.model import LEVELS, Decision, Rule, Rulebook

MOST_REMEMBERED = 1_024
"""Facts whose items are remembered."""
MOST_WRITTEN = 4_096
"""Items that are remembered."""
_encode = msgspec.json.Encoder().encode


class _Prepared(msgspec.Struct, frozen=True):
    """What of a rule is the same for every patient.

    `says` are, for each pattern of each group, the fields of its fact that an item can say something of; `subjects` for each
    group the place of the pattern of whose kind there can be many facts, if it has one.
    """

    rule: Rule
    rank: tuple[int, int, str]
    evidence: list[Evidence]
    ref: RuleRef
    names: frozenset[str]
    topics: tuple[Topics, ...]
    says: tuple[tuple[tuple[str, ...], ...], ...]
    subjects: tuple[int | None, ...]
    absent: tuple[tuple[Absence, ...], ...]
    signed: bool
    gated: bool
    simple: bool


class Written(NamedTuple):
    """An item in the order of the plan: `order` sorts it; `raw` is its JSON.

    With an `outline`, both have marks where the caller's own words go. `place` is its section, or None for an alert;
    `spoken_of` are the JSON Pointers of what it is about.
    """

    order: tuple[int, list[int], str]
    rule: str
    place: str | None
    spoken_of: list[str]
    raw: msgspec.Raw
    item: Item
    decides: Decision | None
    groups: tuple[int, ...] = ()
    outline: Outline | None = None


class _Portion(NamedTuple):
    """What one fact brings by itself: items, and findings of rules that other facts may make hold as well."""

    items: list[Written]
    findings: list[Finding]


_Behind = list[tuple[int, list[Fact]]]
"""The groups of a rule that hold, by their numbers, with the facts that they match."""


class Items:
    """Writes the items of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._prepared = {rule.id: self._prepare(rule) for rule in book.rules.values()}
        ranked = sorted(self._prepared, key=lambda name: self._prepared[name].rank)
        self._order = {name: at for at, name in enumerate(ranked)}
        self._hold_sentences = HoldSentences.of(book)
        self._gate_sentences = GateSentences.of(book)
        self._hold_questions = HoldQuestions(book)
        self._portions: Memo[tuple[int, bool], _Portion] = Memo(MOST_REMEMBERED)
        self._met: Memo[Hashable, Written] = Memo(MOST_REMEMBERED)
        self._written: Memo[Hashable, Written] = Memo(MOST_WRITTEN)

    def of(self, case: Case, found: Found, words: Words, *, encoded: bool) -> list[Written]:
        """The items of one case, in order; if they are wanted `encoded`, only `raw` has the caller's own words."""
        writing = _Writing(self._book, case, words)
        written: list[Written] = []
        findings: list[Finding] = []
        for fact, match in zip(case.facts, found.matches, strict=True):
            if not match.alone:
                continue
            # Where a condition or a medicine was sent twice, items about it are merged.
            if fact.kind in writing.apart or fact.properties.get("sent_twice") is True:
                findings += alone_of(fact, match)
                continue
            key = (fact.mark, writing.begun)
            portion = self._portions.get(key) or self._portions.keep(key, self._portion(fact, match, writing))
            written += portion.items
            findings += portion.findings
        findings += found.joined
        merged: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            at = self._prepared[finding.rule].subjects[finding.group]
            subject = "" if at is None else identity_of(writing.facts[finding.facts[at]])
            merged.setdefault((finding.rule, subject), []).append(finding)
        written += [self._item(rule, several, writing) for (rule, _), several in merged.items()]
        written.sort(key=_order)
        written = [one if one.outline is None else _in_own_words(one, one.outline, words, encoded) for one in written]
        return [self._presuming(one, writing) for one in written] if case.unread else written

    def _presuming(self, one: Written, writing: _Writing) -> Written:
        """An item with what it presumes of the entries that nobody could read."""
        absent = self._prepared[one.rule].absent
        found = writing.unread_words.assumptions([absent[group] for group in one.groups], writing.facts)
        if not found:
            return one
        item = msgspec.structs.replace(_decode(one.raw), assumes=found)
        return one._replace(item=item, raw=msgspec.Raw(_encode(item)))

    def _portion(self, fact: Fact, match: Match, writing: _Writing) -> _Portion:
        portion = _Portion([], [])
        for finding in alone_of(fact, match):
            prepared = self._prepared[finding.rule]
            if prepared.simple:
                portion.items.append(self._alike(prepared, [(finding.group, [fact])], writing))
            else:
                portion.findings.append(finding)
        return portion

    def _item(self, rule: str, findings: list[Finding], writing: _Writing) -> Written:
        """One item, of all that a rule found about the same thing."""
        prepared = self._prepared[rule]
        if len(findings) > 1:
            findings.sort(key=lambda finding: ([writing.facts[name].indexes for name in finding.facts], finding))
        exactly = writing.exactly(prepared, findings)
        if exactly is None:
            return self._write(prepared, writing.behind(findings), writing.words)
        known = self._met.get(exactly)
        return known or self._met.keep(exactly, self._alike(prepared, writing.behind(findings), writing))

    def _alike(self, prepared: _Prepared, behind: _Behind, writing: _Writing) -> Written:
        """An item, written anew only where none that says the same is remembered."""
        key = writing.key(prepared, behind)
        known = self._written.get(key)
        if known is None:
            made = self._write(prepared, behind, writing.marks)
            known = self._written.keep(key, made._replace(outline=Outline.of(made.raw)))
        return known

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
            subjects=tuple(
                next((at for at, pattern in enumerate(group) if KINDS[pattern.kind].many), None) for group in rule.when
            ),
            absent=tuple(map(absences, rule.when)),
            signed=(signed := not names.isdisjoint({"hold", "doubtful"})),
            gated=(gated := not names.isdisjoint({"hold_gate", "gap", "hold"})),
            simple=not signed and not gated and len(rule.when) == 1 and len(rule.when[0]) == 1,
        )

    def _write(self, prepared: _Prepared, behind: _Behind, words: Words) -> Written:
        rule, file = prepared.rule, prepared.rule.file
        rule_id = rule.id
        _, facts = behind[0]
        filled = words.fill(facts, prepared.names) if prepared.names else {}
        because = [phrase for group, matched in behind for phrase in words.because(matched, prepared.topics[group])]
        subject = next((fact for fact in facts if KINDS[fact.kind].many), None)
        patient_words, clinician_words = filled | words.in_plain_words(facts, prepared.names), filled
        held = subject is not None and "hold" in prepared.names
        hold = words.signed_hold(subject) if subject is not None and held else None
        if subject is not None and held:
            for_patient, for_clinician = words.hold_sentences(subject, self._hold_sentences)
            patient_words, clinician_words = patient_words | {"hold": for_patient}, filled | {"hold": for_clinician}
        gate = gap = None
        if subject is not None and prepared.gated:
            gates = GateWords(self._book, self._hold_questions, words.case, words)
            gate = gates.of(subject)
            gap = gates.gap(subject) if "gap" in prepared.names else None
            clinician_words = clinician_words | gates.fill(subject, gate, self._gate_sentences)
        about: dict[str, About] = {}
        for group, matched in behind:
            for fact, (fields, tokens) in zip(matched, prepared.topics[group], strict=True):
                about |= {entry.pointer: entry for entry in words.about(fact, fields, tokens)}
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
            hold_gate=gate,
            gap=gap,
            open_decision="hold" if held and hold is None else None,
        )
        order = (self._order[rule_id], [entry.index for entry in item.about], item.id)
        place = None if file.level == "stop" else rule.section
        spoken_of = [entry.pointer for entry in item.about]
        groups = tuple([group for group, _ in behind])
        return Written(order, rule_id, place, spoken_of, msgspec.Raw(_encode(item)), item, file.then.decides, groups)


_order = attrgetter("order")


_decode = msgspec.json.Decoder(Item).decode


def _in_own_words(one: Written, outline: Outline, words: Words, encoded: bool) -> Written:  # noqa: FBT001
    raw = outline.filled(words)
    item = one.item if encoded and one.decides is None else _decode(raw)
    return one._replace(raw=msgspec.Raw(raw), item=item, outline=None)


class _Writing:
    """One case while its items are written, and what an item about some of its facts follows from."""

    def __init__(self, book: Rulebook, case: Case, words: Words) -> None:
        self.words = words
        self._book = book
        self.begun = words.begun
        self.facts = {fact.id: fact for fact in case.facts}
        self._case = case
        self._protocol = case.patient.protocol is not None
        in_part = any(resolved.problem == "partly_recognized" for resolved in case.medicines)
        self._unlike = _OF_MEDICINES if in_part else frozenset[str]()
        conditions = case.patient.conditions or ()
        self.apart = self._unlike | {"medicine_check", "entries"}
        if len(set(conditions)) < len(conditions):
            self.apart |= {"condition"}
        self.unread_words = UnreadWords(book, case)

    @cached_property
    def marks(self) -> Words:
        """The words with which what is remembered is written."""
        return Marks(self._book, self._case)

    def behind(self, findings: Sequence[Finding]) -> _Behind:
        """The facts that findings are about."""
        return [(finding.group, [self.facts[name] for name in finding.facts]) for finding in findings]

    def exactly(self, prepared: _Prepared, findings: Sequence[Finding]) -> Hashable:
        """The facts behind an item just as they are; None if it says more than follows from them."""
        if prepared.gated or (prepared.signed and self._protocol):
            return None
        parts: list[int | str | bool] = [prepared.rule.id, self.begun]
        for finding in findings:
            parts.append(finding.group)
            for name in finding.facts:
                fact = self.facts[name]
                if fact.kind in self._unlike or fact.kind == "entries":
                    return None
                parts.append(fact.mark)
        return tuple(parts)

    def key(self, prepared: _Prepared, behind: _Behind) -> Hashable:
        """What of the facts behind an item it can say: the same for many patients whose facts differ otherwise."""
        parts: list[Hashable] = [prepared.rule.file.id, self.begun]
        for group, facts in behind:
            parts.append(group)
            for fact, fields, (_, tokens) in zip(facts, prepared.says[group], prepared.topics[group], strict=True):
                parts += map(fact.properties.get, fields)
                if fact.kind in _SAYS_MORE:
                    parts.append(self._more(fact, tokens))
        return tuple(parts)

    def _more(self, fact: Fact, tokens: frozenset[str]) -> Hashable:
        """What an item can say of a fact besides its fields: which entries it is about, and what they are called."""
        if fact.kind in _SAID_ENTIRELY:
            return fact.mark
        if fact.kind == "history":
            return tuple([(at, name) for at, name in enumerate(self._case.patient.conditions or ()) if name in tokens])
        if fact.kind == "regimen":
            taken = [resolved for resolved in self._case.medicines if not tokens.isdisjoint(_takes(resolved))]
            return tuple([(one.index, called(one.match)) for one in taken])
        if fact.kind in _OF_MEDICINES:
            return fact.indexes, *[called(self._case.medicines[at].match) for at in fact.indexes]
        return fact.indexes


_OF_MEDICINES = frozenset({"medicine", "regimen", "shared_class"})
"""Kinds of facts whose items name medicines; where one was read in part, how it is named follows from its words."""
_SAID_ENTIRELY = frozenset({"goal", "medicine_check", "protocol"})
_SAYS_MORE = _OF_MEDICINES | _SAID_ENTIRELY | {"condition", "history"}
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
