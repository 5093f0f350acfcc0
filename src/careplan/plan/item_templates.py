"""The items of a plan: texts filled in, and what is about the same thing merged.

All of an item that is the same for every patient is prepared once for a rulebook; the texts are split at their
placeholders, and the words of each request are filled in last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from operator import attrgetter
from typing import NamedTuple

import msgspec

from careplan.facts.case import Case, Fact
from careplan.facts.hold_question import HoldQuestions
from careplan.inference.durable_rules import Finding
from careplan.plan.hold_gate_words import GateWords
from careplan.plan.hold_sentences import GateSentences, HoldSentences
from careplan.plan.model import About, Ask, Assumption, Item, RuleRef
from careplan.plan.pattern_focus import Focus
from careplan.plan.phrases import FactPhrases
from careplan.plan.placeholders import Placeholders
from careplan.plan.sources import evidence
from careplan.plan.unread_words import Absence, UnreadWords, absences
from careplan.plan.wording import Words
from careplan.rulebook.conditions import Group
from careplan.rulebook.factors import KINDS, OF_DERIVED, OF_MEASURES
from careplan.rulebook.layers import CardSlot
from careplan.rulebook.model import LEVELS, Decision, Rule, Rulebook
from careplan.rulebook.text_template import capitalized, one_line

_OPENED = re.compile(r"\s*\([^()]*$")
"""A bracket that is not closed, with what stands in it."""
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)")


class _Group(NamedTuple):
    """What of a group of patterns is the same for every patient.

    `focuses` are what its patterns look at; `subject` is the place of the pattern of whose kind there can be many facts,
    if it has one; `of_entries` are the places of the patterns that are about entries of the request; `absent` is what
    the group says not to be there.
    """

    focuses: tuple[Focus, ...]
    subject: int | None
    of_entries: tuple[int, ...]
    absent: tuple[Absence, ...]


class _Prepared(msgspec.Struct, frozen=True):
    """What of a rule is the same for every patient.

    `templates` are its items without what is filled in, as about no entry of a list, before and after the series has begun.
    `places` are the placeholders of its texts; `fixed` items fill in nothing and are about no entry of a list, and of
    those `always` are the ones that no fact of the patient is behind. `gated` items quote a signed hold.
    """

    rule: Rule
    id: str
    order: int
    places: Placeholders
    templates: tuple[Written, Written]
    card: OnCard | None
    groups: tuple[_Group, ...]
    fixed: bool
    always: bool
    gated: bool


class OnCard(NamedTuple):
    """What an item says on the patient's card. `filled` are the words of its placeholders, for other languages."""

    slot: CardSlot
    text: str
    does: bool
    filled: Mapping[str, str]


class Written(NamedTuple):
    """An item in the order of the plan: `order` sorts it.

    `place` is its section, or None for an alert; `spoken_of` are the JSON Pointers of what it is about.
    """

    order: _Order
    rule: str
    place: str | None
    spoken_of: list[str]
    item: Item
    decides: Decision | None
    card: OnCard | None = None


MOST_FILLED_IN, SIGNS_A_WORD = 6, 12
"""A placeholder of a line is filled in with so many words at most, on a card with twice as many; long words count more."""
_Order = tuple[int, list[int], str]
_Behind = list[tuple[_Group, list[Fact]]]
"""The groups of a rule that hold, with the facts that they match."""
_order = attrgetter("order")
_by_place = attrgetter("index", "pointer")
_LISTS_AS_A_WHOLE = frozenset({"regimen", "history", "entries"}) | OF_MEASURES | OF_DERIVED
"""The kinds of fact that are about a whole list, of which an item names the entries that it is about."""


class Items:
    """Writes the items of one rulebook."""

    def __init__(self, book: Rulebook, phrases: FactPhrases) -> None:
        self._book = book
        self._phrases = phrases
        self._by_words = book.vocabulary.by
        self._hold_sentences = HoldSentences.of(book)
        self._gate_sentences = GateSentences.of(book)
        self._hold_questions = HoldQuestions(book)
        ranked = sorted(book.rules.values(), key=lambda rule: (LEVELS.index(rule.file.level), rule.file.order, rule.id))
        self._prepared = {rule.id: self._prepare(rule, at) for at, rule in enumerate(ranked)}
        self._by_day = {
            rule.id: [(one.term, self._prepare(one, at)) for one in rule.by_day]
            for at, rule in enumerate(ranked)
            if rule.by_day
        }

    def of(self, case: Case, findings: Iterable[Finding], words: Words) -> list[Written]:
        """The items of one case, in order. What a rule found about the same thing is one item."""
        facts = {fact.id: fact for fact in case.facts}
        assuming = words.entries if case.unread else None
        gates = GateWords(self._book, self._hold_questions, case, words)
        merged: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            group = self._prepared[finding.rule].groups[finding.group]
            subject = "" if group.subject is None else identity_of(facts[finding.facts[group.subject]])
            merged.setdefault((finding.rule, subject), []).append(finding)
        written = []
        day = case.patient.as_of
        for (rule, _), several in merged.items():
            prepared = self._prepared[rule] if rule not in self._by_day else self._of_the_day(rule, day)
            if prepared.always:
                written.append(prepared.templates[words.begun])
                continue
            if len(several) > 1:
                several.sort(key=lambda finding: ([facts[name].indexes for name in finding.facts], finding))
            behind = [(prepared.groups[finding.group], [facts[name] for name in finding.facts]) for finding in several]
            write = self._write_fixed if prepared.fixed else self._write
            written.append(write(prepared, behind, words, assuming, gates))
        written.sort(key=_order)
        return written

    def _of_the_day(self, rule: str, day: str | None) -> _Prepared:
        """A rule with the texts of the day of the plan; where no day is known, with its own."""
        if day is not None:
            for term, prepared in self._by_day[rule]:
                if term.holds_on(date.fromisoformat(day)):
                    return prepared
        return self._prepared[rule]

    def _prepare(self, rule: Rule, order: int) -> _Prepared:
        file = rule.file
        cards = (*([rule.card] if rule.card else []), *rule.cards_in_languages.values())
        texts = (rule.title, rule.patient, rule.clinician, rule.line, *cards, *(text for _, text in rule.asks))
        names = frozenset[str]().union(*(text.names for text in texts))
        groups = tuple(map(self._group, rule.when))
        place = None if file.level == "stop" else rule.section
        card = _on_card(rule, {}) if rule.card and not any(text.names for text in cards) else None
        before, begun = (
            Written((order, [], rule.id), rule.id, place, [], self._template(rule, begun=begun), file.then.decides, card)
            for begun in (False, True)
        )
        fixed = not names and not any(group.of_entries for group in groups)
        return _Prepared(
            rule=rule,
            id=rule.id,
            order=order,
            places=Placeholders.of(names),
            templates=(before, begun),
            card=card,
            groups=groups,
            fixed=fixed,
            always=fixed and not any(focus.fields for group in groups for focus in group.focuses),
            gated=not names.isdisjoint({"hold_gate", "gap", "hold"}),
        )

    def _template(self, rule: Rule, *, begun: bool) -> Item:
        """The item of a rule without what is filled in."""
        file = rule.file
        filled_in = any(text.names for _, text in rule.asks)
        return Item(
            id=rule.id,
            level=file.level,
            section=rule.section,
            scope=file.scope,
            topic=file.topic,
            title=rule.title.constant or "",
            line=rule.line.constant or "",
            patient_text=rule.patient.constant or "",
            clinician_text=rule.clinician.constant or "",
            sources=list(dict.fromkeys(ref.source for ref in file.sources)),
            evidence=evidence(rule),
            rule=RuleRef(id=rule.id, version=file.version, status=file.status),
            valid_from=file.valid_from,
            valid_until=file.valid_until,
            because=[file.for_everyone] if file.for_everyone else [],
            asks=[] if filled_in else self._asks(rule, {}, begun=begun),
            contested=file.contested and one_line(file.contested),
        )

    def _group(self, group: Group) -> _Group:
        kinds = [pattern.kind for pattern in group]
        return _Group(
            focuses=tuple(map(self._phrases.focus, group)),
            subject=next((at for at, kind in enumerate(kinds) if KINDS[kind].many), None),
            of_entries=tuple(at for at, kind in enumerate(kinds) if KINDS[kind].many or kind in _LISTS_AS_A_WHOLE),
            absent=absences(group, self._book.derived),
        )

    def _asks(self, rule: Rule, filled: Mapping[str, str], *, begun: bool) -> list[Ask]:
        """What is asked of whom. What should have been done before the first session is due before the next one."""
        due = ["before_next_session" if begun and ask.by == "before_first_session" else ask.by for ask, _ in rule.asks]
        return [
            Ask(who=ask.who, what=text.fill(filled), by=by, by_words=self._by_words[by])
            for (ask, text), by in zip(rule.asks, due, strict=True)
        ]

    def _write_fixed(
        self, prepared: _Prepared, behind: _Behind, words: Words, assuming: UnreadWords | None, _: GateWords
    ) -> Written:
        """An item of which only the reasons differ from patient to patient."""
        because: list[str] = []
        for group, matched in behind:
            because += words.because(matched, group.focuses)
        template = prepared.templates[words.begun]
        said = _each_once(because) or template.item.because
        assumes = _assumptions(behind, assuming) if assuming else []
        item = msgspec.structs.replace(template.item, because=said, assumes=assumes)
        return template._replace(item=item)

    def _write(
        self, prepared: _Prepared, behind: _Behind, words: Words, assuming: UnreadWords | None, gates: GateWords
    ) -> Written:
        rule, places, whole = prepared.rule, prepared.places, prepared.templates[words.begun]
        template = whole.item
        group, facts = behind[0]
        because: list[str] = []
        about: dict[str, About] = {}
        for prepared_group, matched in behind:
            because += words.because(matched, prepared_group.focuses)
            for at in prepared_group.of_entries:
                for entry in words.about(matched[at], prepared_group.focuses[at]):
                    about[entry.pointer] = entry
        subject = None if group.subject is None else facts[group.subject]
        filled = patient_words = clinician_words = words.fill(facts, places) if places.names else {}
        if places.plain and (plain := words.in_plain_words(facts, places)):
            patient_words = filled | plain
        hold = gate = gap = None
        held = subject is not None and "hold" in places.names
        if subject is not None and held:
            hold = words.holds.shown(subject)
            for_patient, for_clinician = words.holds.sentences(subject, self._hold_sentences)
            patient_words, clinician_words = patient_words | {"hold": for_patient}, filled | {"hold": for_clinician}
        if subject is not None and prepared.gated:
            gate = gates.of(subject)
            gap = gates.gap(subject) if "gap" in places.names else None
            clinician_words = clinician_words | gates.fill(subject, gate, self._gate_sentences)
        entries = sorted(about.values(), key=_by_place) if len(about) > 1 else list(about.values())
        item = msgspec.structs.replace(
            template,
            id=prepared.id if subject is None else f"{prepared.id}/{identity_of(subject)}",
            title=template.title or rule.title.fill(filled),
            line=template.line or capitalized(rule.line.fill(_in_short(filled))),
            patient_text=template.patient_text or rule.patient.fill(patient_words),
            clinician_text=template.clinician_text or rule.clinician.fill(clinician_words),
            because=_each_once(because) or template.because,
            about=entries,
            asks=template.asks or self._asks(rule, filled, begun=words.begun),
            assumes=_assumptions(behind, assuming) if assuming else [],
            hold=hold,
            hold_gate=gate,
            gap=gap,
            open_decision="hold" if held and hold is None else None,
        )
        order = (prepared.order, [entry.index for entry in entries], item.id)
        card = prepared.card or _on_card(rule, patient_words)
        pointers = [entry.pointer for entry in entries]
        return Written(order, prepared.id, whole.place, pointers, item, whole.decides, card)


def _each_once(words: list[str]) -> list[str]:
    return words if len(words) < 2 else list(dict.fromkeys(words))


def _on_card(rule: Rule, words: Mapping[str, str]) -> OnCard | None:
    """What a rule says on the card, its placeholders filled in with a few words each."""
    said = rule.file.then.card
    if said is None or rule.card is None:
        return None
    short = _in_short(words, most=2 * MOST_FILLED_IN)
    return OnCard(said.slot, rule.card.fill(short), said.does, short)


def _in_short(words: Mapping[str, str], most: int = MOST_FILLED_IN) -> dict[str, str]:
    """Words to fill in where there is little room: of each the first few."""
    return {name: shortened(text, most) for name, text in words.items()}


def shortened(text: str, most: int = MOST_FILLED_IN) -> str:
    """The first few words of a text, and a sign that there are more."""
    words = text.split()
    if len(words) <= most and len(text) <= SIGNS_A_WORD * most:
        return text
    cut = " ".join(words[:most])[: SIGNS_A_WORD * most]
    cut = (_OPENED.sub("", cut) or cut).rstrip(" ,;.")  # What stands in brackets is left out whole.
    if _IN_BRACKETS.fullmatch(text, len(cut)):
        return cut
    return f"{cut}…{'”' if text.endswith('”') else ''}"


def _assumptions(behind: _Behind, assuming: UnreadWords) -> list[Assumption]:
    """What an item presumes of the entries that nobody could read."""
    of_groups = [group.absent for group, _ in behind]
    if not any(of_groups):
        return []
    return assuming.assumptions(of_groups, {fact.kind: fact for _, matched in behind for fact in matched})


def identity_of(fact: Fact) -> str:
    """What two facts of a kind share when they are about the same thing."""
    match fact.kind:
        case "medicine":
            return str(fact.properties["ingredient"])
        case "condition":
            return str(fact.properties["name"])
        case "shared_class":
            return str(fact.properties["class"])
        case "measure_check":
            return f"measures/{fact.indexes[0]}"
        case _:
            return f"{'goals' if fact.kind == 'goal' else 'medications'}/{fact.indexes[0]}"
