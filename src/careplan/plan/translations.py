"""What the patient reads, in another language. What is not translated yet stays in English and says so by its language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from careplan.plan.emergency_numbers import EmergencyNumbers
from careplan.plan.model import CarePlan, Item, PlanSection
from careplan.rulebook.entries import ENGLISH
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import Text, one_line


class Languages:
    """The translations of one rulebook. The clinician's part of a plan is always English."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._numbers = EmergencyNumbers(book)
        found = {language for rule in book.rules.values() for language in rule.file.then.in_languages}
        self.available = (ENGLISH, *sorted(found | set(book.about.in_languages)))

    def plan(self, plan: CarePlan, language: str, day: str | None = None) -> CarePlan:
        """The plan of a day with the patient's texts in `language`, as far as there are any."""
        if language == ENGLISH:
            return plan
        closing = self._book.about.in_languages.get(language)
        numbers = self._numbers.of(plan.clinic, language, day)
        return msgspec.structs.replace(
            plan,
            alerts=[self._item(item, language, numbers) for item in plan.alerts],
            sections=[self._section(section, language, numbers) for section in plan.sections],
            disclaimer=one_line(closing.disclaimer) if closing else plan.disclaimer,
            crisis=numbers["crisis"] if closing else plan.crisis,
            closing_language=language if closing else None,
            closing_translation=self._closing(language) if closing else None,
        )

    def _section(self, section: PlanSection, language: str, numbers: Mapping[str, str]) -> PlanSection:
        title = self._book.vocabulary.sections[section.section].in_languages.get(language)
        section = msgspec.structs.replace(section, items=[self._item(item, language, numbers) for item in section.items])
        if title is None:
            return section
        return msgspec.structs.replace(
            section,
            patient_title=title,
            patient_title_language=language,
            patient_title_translation=self._closing(language),
        )

    def _closing(self, language: str) -> Literal["needs_review", "reviewed"]:
        """Whether a translator has checked what is not of one rule: the closing, and with it the titles of sections."""
        closing = self._book.about.in_languages.get(language)
        return "reviewed" if closing and closing.reviewed_by else "needs_review"

    def _item(self, item: Item, language: str, numbers: Mapping[str, str]) -> Item:
        translation = self._book.rules[item.rule.id].file.then.in_languages.get(language)
        if translation is None or translation.patient is None:
            return item
        return msgspec.structs.replace(
            item,
            patient_text=Text.parse(one_line(translation.patient)).fill(numbers),
            patient_language=language,
            translation="reviewed" if translation.reviewed_by else "needs_review",
        )
