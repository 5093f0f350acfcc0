"""What the patient reads, in another language. What is not translated yet stays in English and says so by its language."""

from __future__ import annotations

import msgspec

from careplan.plan import CarePlan, Item, PlanSection
from careplan.rulebook.model import Rulebook
from careplan.texts import Text

ENGLISH = "en"


class Languages:
    """The translations of one rulebook. The clinician's part of a plan is always English."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        found = {language for rule in book.rules.values() for language in rule.file.then.in_languages}
        self.available = (ENGLISH, *sorted(found | set(book.about.in_languages)))

    def plan(self, plan: CarePlan, language: str) -> CarePlan:
        """The plan with the patient's texts in `language`, as far as there are any."""
        if language == ENGLISH:
            return plan
        closing = self._book.about.in_languages.get(language)
        return msgspec.structs.replace(
            plan,
            alerts=[self._item(item, language) for item in plan.alerts],
            sections=[self._section(section, language) for section in plan.sections],
            disclaimer=_line(closing.disclaimer) if closing else plan.disclaimer,
            crisis=_line(closing.crisis) if closing else plan.crisis,
        )

    def _section(self, section: PlanSection, language: str) -> PlanSection:
        titles = self._book.vocabulary.sections[section.section].in_languages
        return msgspec.structs.replace(
            section,
            patient_title=titles.get(language, section.patient_title),
            items=[self._item(item, language) for item in section.items],
        )

    def _item(self, item: Item, language: str) -> Item:
        translation = self._book.rules[item.rule.id].file.then.in_languages.get(language)
        if translation is None:
            return item
        closing = self._book.about.in_languages.get(language)
        crisis = _line(closing.crisis if closing else self._book.about.crisis)
        return msgspec.structs.replace(
            item,
            patient_text=Text.parse(_line(translation.patient)).fill({"crisis": crisis}),
            patient_language=language,
            translation="reviewed" if translation.reviewed_by else "needs_review",
        )


def _line(text: str) -> str:
    return " ".join(text.split())
