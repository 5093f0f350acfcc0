"""What makes the sentences of `rulebook.yaml` fit for use: each fills in what it must, and none orders a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from careplan.request.patient import PROTOCOL_FIGURES
from careplan.rulebook import forbidden_wording
from careplan.rulebook.conditions import Path
from careplan.rulebook.layer_checks import check_companion
from careplan.rulebook.layers import CardWords
from careplan.rulebook.numbers_checks import check_numbers
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.rulebook_file import RulebookFile
from careplan.rulebook.sources import Source
from careplan.rulebook.text_template import Text
from careplan.rulebook.validity import is_a_day

_HOLD = frozenset({"approved_by", "before", "after"})
_NOTHING = frozenset[str]()


class _Sentence(NamedTuple):
    """A sentence with its place and the names that it must fill in."""

    path: Path
    text: str
    names: frozenset[str]
    for_patients: bool = False


def check_about(sources: Mapping[str, Source] | None, about: RulebookFile, note: FaultList) -> None:
    """Note every fault of `rulebook.yaml`; without a sound bibliography nobody can say what its numbers rest on."""
    check_sentences(about, note)
    if sources is not None:
        check_numbers(about.regions, about.countries, sources, note)


def check_sentences(about: RulebookFile, note: FaultList) -> None:
    """Note every fault of the sentences in `rulebook.yaml`, and of its limits."""
    check_companion(about, note)
    for sentence in _sentences(about):
        _check(sentence, note)
    if about.released is not None and not is_a_day(about.released):
        note.fault(("released",), "This is no day of the calendar.", "Write a day such as 2026-12-31.", code="dates")
    figures = (*PROTOCOL_FIGURES, "hold_hours")
    for name in about.plausible.keys() - set(figures):
        note.fault(
            ("plausible", name), f"No protocol has {name}.", f"Use one of {', '.join(figures)}.", code="unknown-field"
        )
    for name, bounds in about.plausible.items():
        if bounds.least > bounds.most:
            place: Path = ("plausible", name)
            note.fault(place, "No figure lies within these bounds.", "Let `least` be at most `most`.", code="form")


def _check(sentence: _Sentence, note: FaultList) -> None:
    try:
        names = Text.parse(sentence.text).names
    except ValueError as error:
        problem = f"The braces of this text cannot be read: {error}."
        note.fault(sentence.path, problem, "Write {name} around a name.", code="braces")
        return
    if names != sentence.names:
        wanted = ", ".join(f"{{{name}}}" for name in sorted(sentence.names)) or "nothing"
        note.fault(sentence.path, "This sentence fills in the wrong names.", f"It must fill in {wanted}.", code="slot")
    if sentence.for_patients and forbidden_wording.orders_a_change(sentence.text):
        note.fault(
            sentence.path, "This reads as an order to change a medicine.", "Say who decides.", code="order-to-patient"
        )


def _sentences(about: RulebookFile) -> Iterator[_Sentence]:
    for field, both, names in (
        ("undecided_hold", about.undecided_hold, _NOTHING),
        ("signed_hold", about.signed_hold, _HOLD),
        ("signed_hold_between_doses", about.signed_hold_between_doses, _HOLD),
    ):
        yield _Sentence((field, "patient"), both.patient, names, for_patients=True)
        yield _Sentence((field, "clinician"), both.clinician, names)
    yield _Sentence(("joined_hold", "patient"), about.joined_hold.patient, _NOTHING, for_patients=True)
    yield _Sentence(("joined_hold", "clinician"), about.joined_hold.clinician, frozenset({"joined"}))
    for path, text, names in about.course.sentences():
        yield _Sentence(("course", *path), text, names)
    yield _Sentence(("doubtful_hold",), about.doubtful_hold, _HOLD)
    gate = about.hold_gate
    yield _Sentence(("hold_gate", "signed"), gate.signed, _HOLD)
    yield _Sentence(("hold_gate", "unsigned"), gate.unsigned, _NOTHING)
    for state, text in (("closed", gate.closed), ("missing", gate.missing), ("unclear", gate.unclear)):
        yield _Sentence(("hold_gate", state), text, frozenset({"facts"}))
    yield _Sentence(("hold_gate", "between_doses"), gate.between_doses, _NOTHING)
    cleared = about.cleared
    yield _Sentence(("cleared", "title"), cleared.title, frozenset({"title"}))
    yield _Sentence(("cleared", "line"), cleared.line, frozenset({"by", "line"}))
    yield _Sentence(("cleared", "patient"), cleared.patient, frozenset({"crisis"}), for_patients=True)
    yield _Sentence(("cleared", "clinician"), cleared.clinician, frozenset({"by", "at", "arranged"}))
    front = about.front
    yield _Sentence(("front", "ready"), front.ready, _NOTHING)
    yield _Sentence(("front", "not_ready"), front.not_ready, frozenset({"what"}))
    yield _Sentence(("front", "unread"), front.unread, frozenset({"entries"}))
    yield _Sentence(("front", "several"), front.several, frozenset({"title", "decisions"}))
    yield from _of_card(about.card, ("card",))
    for language, closing in about.in_languages.items():
        if closing.card is not None:
            yield from _of_card(closing.card, ("in_languages", language, "card"))


def _of_card(card: CardWords, place: Path) -> Iterator[_Sentence]:
    for field, text, names in (
        ("title", card.title, _NOTHING),
        ("unsigned", card.unsigned, _NOTHING),
        ("signed", card.signed, frozenset({"by", "day"})),
        ("blocked", card.blocked, _NOTHING),
        ("session", card.session, frozenset({"day", "time"})),
        ("food", card.food, frozenset({"time"})),
        ("drinks", card.drinks, frozenset({"time"})),
        ("more_sessions", card.more_sessions, frozenset({"number"})),
        ("no_date", card.no_date, _NOTHING),
        ("by_day", card.by_day, _NOTHING),
        ("after_hours", card.after_hours, _NOTHING),
    ):
        yield _Sentence((*place, field), text, names, for_patients=True)
    yield _Sentence((*place, "dates", "day"), card.dates.day, frozenset({"weekday", "month", "number"}))
    for at, line in enumerate(card.companion.lines):
        names = frozenset({"emergency"}) if "{emergency}" in line else _NOTHING
        yield _Sentence((*place, "companion", "lines", at), line, names, for_patients=True)
