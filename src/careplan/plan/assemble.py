"""From findings to a plan: its items in their places, with what is missing and what was left aside. No clock, no chance."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from careplan.facts.case import Case
from careplan.inference.verdicts import Verdicts
from careplan.plan.card import Cards
from careplan.plan.clearances import Clearances
from careplan.plan.course import Courses, asked_again
from careplan.plan.emergency_numbers import EmergencyNumbers
from careplan.plan.front import FrontPages
from careplan.plan.illnesses_read import illnesses_read
from careplan.plan.item_templates import Items, Written
from careplan.plan.medicines_read import medicine_read
from careplan.plan.model import CarePlan, Decision, Item, NotConsidered, PlanSection, RulebookRef
from careplan.plan.phrases import FactPhrases
from careplan.plan.questions import Questions
from careplan.plan.sources import Bibliography
from careplan.plan.standing import standing
from careplan.plan.wording import Words
from careplan.rulebook.asking import Visit
from careplan.rulebook.model import LEVELS, SECTIONS, Rulebook
from careplan.rulebook.text_template import one_line


class Assembly:
    """Puts plans together from the findings of one rulebook."""

    def __init__(self, book: Rulebook, phrases: FactPhrases) -> None:
        self._book = book
        self._phrases = phrases
        self._items = Items(book, phrases)
        self._questions = Questions(book)
        self._clearances = Clearances(book)
        self._front = FrontPages(book)
        self._courses = Courses(book)
        self._cards = Cards(book)
        self._bibliography = Bibliography(book)
        self._ref = RulebookRef(id=book.about.id, version=book.about.version, digest=book.digest)
        titles = book.vocabulary.sections
        self._sections = [(section, titles[section].title, titles[section].patient_title) for section in SECTIONS]
        self._level_words: dict[str, str] = {level: book.vocabulary.levels[level].label for level in LEVELS}
        self._disclaimer = one_line(book.about.disclaimer)
        self._numbers = EmergencyNumbers(book)

    def plan(self, case: Case, verdicts: Verdicts, language: str, visit: Visit) -> CarePlan:
        """The plan of one case, as it is looked at on a visit; the card is in `language` as far as there are words of it."""
        numbers = self._numbers.of(case.patient.clinic, day=case.patient.as_of)
        words = Words(self._book, case, self._phrases, numbers)
        written = self._items.of(case, verdicts.findings, words)
        # Items come in the order of seriousness; what was an alert and is cleared stands first in its section.
        cleared = case.patient.clearances
        written = self._clearances.applied(case, written) if cleared else written
        blocked = any(written_item.place is None for written_item in written)
        if blocked:
            written = [self._deferred(written_item) for written_item in written]
        alerts: list[Item] = []
        placed: dict[str | None, list[Item]] = {None: alerts} | {section: [] for section in SECTIONS}
        for written_item in written:
            placed[written_item.place].append(written_item.item)
        items = [written_item.item for written_item in written]
        decisions = _decisions(written)
        questions = self._questions.unanswered(verdicts.hanging, words, visit)
        stands, then = standing(self._ref, items), case.patient.previous
        course = self._courses.of(case.patient, items, questions, stands) if then else None
        questions = asked_again(questions, course, then)
        since = self._courses.on_front(course, then)
        return CarePlan(
            status="blocked" if blocked else "draft",
            requires_clinician_review=True,
            rulebook=self._ref,
            alerts=alerts,
            sections=[
                PlanSection(section=section, title=title, patient_title=patient_title, items=placed[section])
                for section, title, patient_title in self._sections
            ],
            front=self._front.of(items, decisions, questions, case.patient, since),
            card=self._cards.of(case, written, blocked=blocked, language=language),
            standing=stands,
            decisions=decisions,
            medications=[medicine_read(words, resolved, case) for resolved in case.medicines],
            information_needed=questions,
            not_considered=self._not_considered(case, written, words),
            sources=self._bibliography.of(items),
            clinic=case.patient.clinic,
            course=course,
            disclaimer=self._disclaimer,
            crisis=numbers["crisis"],
            level_words=self._level_words,
            conditions=illnesses_read(self._book, words, case) if case.illnesses.read else [],
        )

    def _not_considered(self, case: Case, written: Sequence[Written], words: Words) -> list[NotConsidered]:
        found = self._questions.not_considered(case, written, words)
        if not case.patient.clearances:
            return found
        found += self._clearances.not_considered(case, written)
        return sorted(found, key=lambda entry: (entry.pointer, entry.what))

    def _deferred(self, written_item: Written) -> Written:
        """A choice as it stands in a blocked plan: not made, since whether there is treatment at all comes first.

        What has to be decided about it, as a product that does not fit the route, still says so.
        """
        if written_item.decides is None:
            return written_item
        words = self._book.about.deferred_choice
        if written_item.item.level in ("stop", "hold"):
            return written_item._replace(decides=msgspec.structs.replace(written_item.decides, choice=words.choice))
        item = msgspec.structs.replace(
            written_item.item,
            title=one_line(words.title),
            line=one_line(words.line),
            patient_text=one_line(words.patient),
            clinician_text=f"{one_line(words.clinician)} {written_item.item.clinician_text}",
            asks=[],
        )
        decides = msgspec.structs.replace(written_item.decides, choice=words.choice)
        return written_item._replace(item=item, decides=decides)


def _decisions(written: Sequence[Written]) -> list[Decision]:
    """One choice a subject: items come in the order of seriousness, so the first one wins."""
    chosen: dict[str, Decision] = {}
    for written_item in written:
        if written_item.decides and written_item.decides.subject not in chosen:
            chosen[written_item.decides.subject] = Decision(
                subject=written_item.decides.subject, choice=written_item.decides.choice, item=written_item.item.id
            )
    return list(chosen.values())
