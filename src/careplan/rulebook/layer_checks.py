"""What makes the layers of a plan sound: each rule in the right one, and its line and card short and in the right voice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

from careplan.rulebook import forbidden_wording
from careplan.rulebook.conditions import Path, tests_of
from careplan.rulebook.model import LEVELS, Rule, Rulebook
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.rulebook_file import RulebookFile
from careplan.rulebook.text_template import Text

MOST_IN_LINE, MOST_ON_CARD = 25, 15
A_PLACEHOLDER = 2
"""A placeholder counts as so many words."""
MOST_IN_SHORT_DECISIONS = 180
"""So many words of the front page are for decisions, even where each topic that can have one has one."""
MOST_FOR_COMPANION = 120

STAGE = frozenset({"product", "sessions_completed", "sessions_left", "sessions_planned"})
"""What of the treatment a standing rule may test: the product and the stage."""

_OF_PATIENTS = re.compile(r"\b(you|your|yours|we|our|us)\b", re.IGNORECASE)
_OF_CLINICIANS = re.compile(r"\b(?!911\b|988\b|TV\b|OK\b|NA\b|AA\b)[A-Z]{2,}\b|\b(?:mg|mcg|titrat\w*|assess|monitor)\b")
_LONG_FILLED = frozenset({"hold", "hold_gate", "gap", "gap_limit", "fields_and_text"})
"""Placeholders that are filled in with hours, doses or whole sentences: they stand in no line and on no card."""


def check_layers(book: Rulebook, rule: Rule, note: FaultList) -> None:
    """Note every fault of a rule's scope, topic, line and card."""
    file = rule.file
    if file.topic not in book.vocabulary.topics:
        near = f"Use one of {', '.join(book.vocabulary.topics)}, or add it to vocabulary.yaml."
        note.fault(("topic",), f"There is no topic {file.topic}.", near, code="unknown-topic")
    if file.scope == "standing" and (tested := sorted(set(_beyond_the_stage(rule)))):
        problem = f"A standing rule is true of every patient of a product and stage, and this one tests {', '.join(tested)}."
        note.fault(("scope",), problem, "Call it personal.", code="scope")
    if file.scope != "personal" and file.level in ("stop", "hold"):
        note.fault(("scope",), "What has to be decided is about one patient.", "Call it personal.", code="scope")
    _check_length(rule.line, ("line",), MOST_IN_LINE, note)
    if found := _OF_PATIENTS.search(rule.line.bare()):
        problem = f"A clinician reads this line, and “{found[0]}” speaks to the patient."
        note.fault(("line",), problem, "Say it of the patient.", code="voice")
    if forbidden_wording.names_a_ketamine_dose(file.line):
        note.fault(("line",), "This names a dose by weight.", "A plan never gives a dose; take it out.", code="dose")
    _check_card(rule, note)


def _check_card(rule: Rule, note: FaultList) -> None:
    card = rule.file.then.card
    if card is None:
        for language in rule.cards_in_languages:
            path: Path = ("then", "in_languages", language, "card")
            note.fault(path, "This translates a card that the rule has not.", "Add then.card, or take it out.", code="card")
        return
    if rule.file.level == "stop":
        note.fault(("then", "card"), "A blocked plan has no card.", "Take it out.", code="card")
    for path, text in cards_of(rule):
        _check_length(text, path, MOST_ON_CARD + (len(path) > 3) * A_PLACEHOLDER * 2, note)
        said = text.bare()
        if sentence := forbidden_wording.orders_a_change(said):
            problem = f"This reads as an order to change a medicine: {sentence}"
            note.fault(path, problem, "Say what to discuss, and with whom.", code="order-to-patient")
        if forbidden_wording.names_a_dose(said):
            note.fault(path, "This names a dose.", "A plan never gives a dose; take it out.", code="dose")
        if found := _OF_CLINICIANS.search(said):
            problem = f"A patient reads this card, and “{found[0]}” is a word of clinicians."
            note.fault(path, problem, "Say it in plain words.", code="voice")


def cards_of(rule: Rule) -> Iterator[tuple[Path, Text]]:
    """The texts of a rule's card in all languages, with their places."""
    if rule.card is not None:
        yield ("then", "card", "says"), rule.card
    for language, text in rule.cards_in_languages.items():
        yield ("then", "in_languages", language, "card"), text


def _check_length(text: Text, path: Path, most: int, note: FaultList) -> None:
    words = len(text.fill(dict.fromkeys(text.names, " ".join(["x"] * A_PLACEHOLDER))).split())
    if words > most:
        problem = f"This has {words} words, and {most} is the most (a placeholder counts as {A_PLACEHOLDER})."
        note.fault(path, problem, "Say it shorter.", code="length")
    for name in sorted(text.names & _LONG_FILLED):
        note.fault(path, f"{{{name}}} is too long here.", "Leave it to the clinician's text.", code="slot")


def _beyond_the_stage(rule: Rule) -> Iterator[str]:
    """What a rule tests besides product, stage, and the clinic's protocol and region."""
    for group in rule.when:
        for pattern in group:
            fields = [test.field for test in tests_of(pattern.tests)]
            if pattern.kind == "treatment":
                yield from (f"treatment.{field}" for field in fields if field not in STAGE)
            elif pattern.kind not in ("everyone", "protocol", "clinic"):
                yield from (f"{pattern.kind}.{field}" for field in fields or ["list"])


def check_layers_of_all(book: Rulebook, notes: Mapping[str, FaultList]) -> None:
    """Note what only all rules together show.

    That is two of one topic that say the same, and a front page that could not hold a decision of every topic.
    """
    by_topic: dict[str, list[Rule]] = {}
    for rule in sorted(book.rules.values(), key=lambda rule: (LEVELS.index(rule.file.level), rule.id)):
        by_topic.setdefault(rule.file.topic, []).append(rule)
    for rules in by_topic.values():
        for rule, other in combinations(rules, 2):
            if _plain(rule.file.line) == _plain(other.file.line):
                problem = f"{other.id} says the same of this topic."
                notes[rule.id].fault(("line",), problem, "Say what tells the two apart.", code="said-twice")
    deciding = {topic: rules[0] for topic, rules in by_topic.items() if rules[0].file.level in ("stop", "hold")}
    titles = [book.vocabulary.topics[topic].title for topic in deciding if topic in book.vocabulary.topics]
    longest = sum(len(title.split()) + A_PLACEHOLDER for title in titles)
    if longest > MOST_IN_SHORT_DECISIONS:
        problem = f"With a decision of every topic the front page would need {longest} words for their names alone."
        mend = f"Join topics until these are {MOST_IN_SHORT_DECISIONS}."
        notes[next(reversed(deciding.values())).id].fault(("topic",), problem, mend, code="front")


def check_companion(about: RulebookFile, note: FaultList) -> None:
    """Note a companion's card that is too long, in any language."""
    for language, words in (("", about.card), *((name, one.card) for name, one in about.in_languages.items())):
        lines = words.companion.lines if words else ()
        if sum(len(line.split()) for line in lines) > MOST_FOR_COMPANION:
            path: Path = ("in_languages", language, "card", "companion") if language else ("card", "companion")
            note.fault(path, "The companion's card is too long.", f"Say it in {MOST_FOR_COMPANION} words.", code="length")


def _plain(line: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", line.casefold()))
