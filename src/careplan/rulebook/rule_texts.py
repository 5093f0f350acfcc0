"""The texts of a rule file, split at their placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from careplan.rulebook.conditions import Path
from careplan.rulebook.model import RuleFile
from careplan.rulebook.text_template import Text
from careplan.rulebook.validity import Term
from careplan.rulebook.yaml_and_csv import Document


class RuleTexts(NamedTuple):
    """The texts of one rule. `card` is what it says on the patient's card, if anything, and `cards` that by language."""

    title: Text
    patient: Text
    clinician: Text
    line: Text
    card: Text | None
    cards: Mapping[str, Text]
    asks: tuple[Text, ...]


def texts_of(document: Document, file: RuleFile, term: Term) -> RuleTexts | None:
    """The texts of a rule, with the days of its term filled in.

    None where braces cannot be read, which is noted as a fault of `document`.
    """
    then = file.then
    translated = {language: one.card for language, one in then.in_languages.items() if one.card is not None}
    sources: dict[Path, str] = {
        ("title",): file.title,
        ("then", "patient"): then.patient,
        ("then", "clinician"): then.clinician,
        ("line",): file.line,
        **({("then", "card", "says"): then.card.says} if then.card else {}),
        **{("then", "in_languages", language, "card"): text for language, text in translated.items()},
        **{("then", "asks", at, "what"): ask.what for at, ask in enumerate(then.asks)},
    }
    parsed: dict[Path, Text] = {}
    for path, source in sources.items():
        try:
            parsed[path] = Text.parse(term.filled(source))
        except ValueError as error:
            document.fault(
                path,
                f"The braces of this text cannot be read: {error}.",
                "Write {name} around a name to fill in.",
                code="braces",
            )
    if len(parsed) != len(sources):
        return None
    return RuleTexts(
        title=parsed["title",],
        patient=parsed["then", "patient"],
        clinician=parsed["then", "clinician"],
        line=parsed["line",],
        card=parsed.get(("then", "card", "says")),
        cards={language: parsed["then", "in_languages", language, "card"] for language in translated},
        asks=tuple(parsed["then", "asks", at, "what"] for at in range(len(then.asks))),
    )
