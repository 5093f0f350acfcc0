"""A plan held against an earlier one of the same patient, which came with the request. Nothing is kept in between.

An item says the same as before where its mark is the same: its rule, the facts and its words. What was decided about it, or
read and signed, then stands; it is one line of the front page. An alert never is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from careplan.facts.measured import day_of_plan
from careplan.plan.course_model import Course, CourseDecision, CourseItem, CourseTask
from careplan.plan.course_reviews import reviews_of
from careplan.plan.course_scores import scores_of
from careplan.plan.model import Item, Question, RulebookRef, Standing
from careplan.request.patient import Patient
from careplan.request.previous import Previous, mark_of
from careplan.rulebook.course_words import Doubt, NotUsed
from careplan.rulebook.model import LEVELS, By, Rulebook, Who
from careplan.rulebook.text_template import Text, one_line

MOST_AGAIN = 2
"""So many questions that were open when the earlier plan was signed are asked first again; the others stand below."""
_BY_DAYS: dict[By, int] = {"now": 0, "same_day": 1, "within_a_day": 1, "within_three_days": 3, "this_week": 7}
_HOME: frozenset[Who] = frozenset({"patient", "supporter"})
_BY_SESSION: frozenset[By] = frozenset({"before_first_session", "before_next_session"})


class _Since(NamedTuple):
    """The earlier plan, the day of the plan now, and how many days lie between where both are known."""

    plan: Previous
    today: date | None
    days: int | None
    counts: bool


class OnFront(NamedTuple):
    """What the front page says of an earlier plan: its lines, what was dealt with, and the line of what was decided."""

    lines: tuple[str, ...] = ()
    settled: frozenset[str] = frozenset()
    decided: frozenset[str] = frozenset()
    decided_line: str = ""


NOT_COMPARED = OnFront()


class Courses:
    """Says what became of earlier plans, in the words of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        words = book.about.course
        self._words = words
        self._measures = book.vocabulary.measures
        self._labels = book.vocabulary.levels["hold"].options
        self._since = Text.parse(words.since)
        self._signed_since = Text.parse(words.signed_since)
        self._decided = Text.parse(words.decided)
        self._overdue = Text.parse(words.overdue)
        self._gone = Text.parse(words.no_longer)
        self._doubts = {name: Text.parse(text) for name, text in words.doubts.items()}
        self._ref = RulebookRef(id=book.about.id, version=book.about.version, digest=book.digest)

    def of(
        self, patient: Patient, items: Iterable[Item], questions: Iterable[Question], standing: Standing
    ) -> Course | None:
        """What became of the earlier plan of a patient; None where none was sent."""
        then = patient.previous
        if then is None:
            return None
        if (reason := _not_used(patient, then)) is not None:
            return Course(used=False, line=one_line(self._words.not_used[reason]))
        today = day_of_plan(patient)
        day, stand = then.day, self._words.decisions_stand_days
        days = (today - day).days if today and day else None
        late = days is not None and not 0 <= days <= stand
        since = _Since(then, today, days, counts=then.counts and not late)
        course = self._compared(since, [item for item in items if item.scope != "standing"], patient)
        asked = {question.pointer for question in questions}
        filled = {"then": then.rulebook or "", "now": self._ref.version, "days": str(stand)}
        notes = [
            one_line(self._doubts[name].fill(filled))
            for name in self._doubted(since, standing, patient.treatment.sessions_completed)
        ]
        return msgspec.structs.replace(
            course,
            notes=notes,
            line=self._line(since, course),
            answered=sorted(set(then.asked) - asked),
            reviews=reviews_of(self._words, patient, then),
            scores=scores_of(self._words, self._measures, patient, today),
        )

    def _compared(self, since: _Since, items: Sequence[Item], patient: Patient) -> Course:
        before = {one.id: one for one in since.plan.items}
        options = {id_: choice.option for choice in since.plan.choices for id_ in choice.items}
        course = Course(
            used=True, since=since.plan.at, signed_by=since.plan.signed_by, rulebook=since.plan.rulebook, line=""
        )
        now = {item.id for item in items}
        no_longer = [CourseItem(id=one.id, level=one.level, title=one.title) for one in before.values() if one.id not in now]
        for item in items:
            short = CourseItem(id=item.id, level=item.level, title=item.title)
            was = before.get(item.id)
            if was is None:
                course.new.append(short)
                continue
            to_decide = item.level in ("stop", "hold")
            same = was.mark == mark_of(msgspec.to_builtins(item), brief=was.brief)
            # What was an alert and is cleared is looked at again at each visit, whatever was decided then.
            decided = item.level == "hold" and not item.cleared and options.get(item.id) in self._words.settled_by
            counts = since.counts and not was.brief
            if same and counts and decided:
                option = self._labels.get(options[item.id], options[item.id])
                course.decided.append(CourseDecision(id=item.id, title=item.title, line=item.line, option=option))
            elif same and counts and not to_decide:
                course.as_before[item.id] = item.title
            else:
                if same:
                    (course.open if to_decide else course.repeated).append(short)
                else:
                    course.changed.append(short)
                course.overdue.extend(_overdue(item, since, patient))
        return msgspec.structs.replace(course, no_longer=no_longer)

    def _doubted(self, since: _Since, standing: Standing, done: int | None) -> Iterator[Doubt]:
        then = since.plan
        if then.state == "unsigned":
            yield "unsigned"
        elif then.signature == "missing":
            yield "no_signature"
        elif then.signature == "unchecked":
            yield "unchecked"
        if since.days is not None and since.days < 0:
            yield "later"
        elif since.days is not None and since.days > self._words.decisions_stand_days:
            yield "too_old"
        if then.rulebook_digest != self._ref.digest:
            yield "other_rules"
        elif then.standing != standing.digest and done == then.sessions_completed:
            # At another stage of the series it is another one by itself.
            yield "other_standing"

    def _line(self, since: _Since, course: Course) -> str:
        same = len(course.as_before) + len(course.decided) + len(course.open) + len(course.repeated)
        parts = ((course.new, "new"), (course.changed, "changed"), (course.no_longer, "no longer"))
        said = [f"{len(found)} {word}" for found, word in parts if found]
        said += [f"{same} as before"] if same else []
        then = since.plan
        filled = {"day": self._day(then), "what": ", ".join(said) or "nothing to compare", "by": then.signed_by or ""}
        return (self._signed_since if then.signed_by else self._since).fill(filled)

    def _day(self, then: Previous) -> str:
        return then.at[:10] if then.at else one_line(self._words.unknown_day)

    def on_front(self, course: Course | None, then: Previous | None) -> OnFront:
        """What of it stands on the front page, the weightiest first."""
        if course is None or then is None:
            return NOT_COMPARED
        due = [one.line for one in course.reviews if one.state in ("due", "overdue")]
        tasks = [self._overdue.fill({"task": what}) for what in dict.fromkeys(one.what for one in course.overdue)]
        gone = self._gone.fill({"titles": shortened_list(course.no_longer)}) if course.no_longer else ""
        coming = [one.line for one in course.reviews if one.state == "to_come"]
        scores = [one.line for one in course.scores]
        found = (course.line, *course.notes, *due, *scores[:MOST_SCORES], gone, *coming[:1], *tasks)
        return OnFront(
            lines=tuple(line for line in found if line),
            settled=course.settled,
            decided=frozenset(one.id for one in course.decided),
            decided_line=self._decided_line(then, course) if course.decided else "",
        )

    def _decided_line(self, then: Previous, course: Course) -> str:
        """The line of the decisions that stand, as long as it is short: the titles of the first, and how many more."""
        titles: list[str] = []
        words = 0
        for decided in course.decided:
            words += len(decided.title.split()) + 1
            if words > MOST_NAMED and titles:
                titles.append(f"{len(course.decided) - len(titles)} more")
                break
            titles.append(f"{decided.title} ({decided.option.lower()})")
        return self._decided.fill({"day": self._day(then), "titles": "; ".join(titles)})


MOST_NAMED = 30
"""So many words are taken of the titles of what was decided."""
MOST_SCORES, MOST_GONE = 2, 3


def shortened_list(items: Sequence[CourseItem]) -> str:
    """The titles of the first few, the gravest first, and how many more there are."""
    ordered = sorted(items, key=lambda one: LEVELS.index(one.level))
    left = len(ordered) - MOST_GONE
    return "; ".join([*(one.title for one in ordered[:MOST_GONE]), *([f"{left} more"] if left > 0 else [])])


def asked_again(questions: Sequence[Question], course: Course | None, then: Previous | None) -> list[Question]:
    """The questions, of those that were open when the earlier plan was signed only the weightiest marked as first."""
    if course is None or then is None or not course.used or not then.counts:
        return list(questions)
    again, left = frozenset(then.asked), MOST_AGAIN
    found = []
    for question in questions:
        if question.first and question.pointer in again:
            if not left:
                found.append(msgspec.structs.replace(question, first=False))
                continue
            left -= 1
        found.append(question)
    return found


def _not_used(patient: Patient, then: Previous) -> NotUsed | None:
    if then.state in ("unreadable", "altered"):
        return "unreadable" if then.state == "unreadable" else "altered"
    return "other_patient" if _is_of_another(patient, then) else None


def _is_of_another(patient: Patient, then: Previous) -> bool:
    """Whether a plan cannot be one of this patient: another reference, another sex, or an age that nobody comes to."""
    if patient.reference and then.reference:
        return patient.reference != then.reference
    if patient.sex and then.sex and patient.sex != then.sex:
        return True
    if patient.age_years is None or then.age_years is None:
        return False
    older, today = patient.age_years - then.age_years, day_of_plan(patient)
    if today is None or then.at is None:
        return older < 0
    return not 0 <= older <= max(0, today.year - int(then.at[:4])) + 1


def _overdue(item: Item, since: _Since, patient: Patient) -> Iterator[CourseTask]:
    """What an item has asked since the earlier plan until a time that is over."""
    if item.level == "note":
        return
    done, before = patient.treatment.sessions_completed, since.plan.sessions_completed
    moved = done is not None and before is not None and done > before
    for ask in (ask for ask in item.asks if ask.who not in _HOME):
        by_days = _BY_DAYS.get(ask.by)
        if (ask.by in _BY_SESSION and moved) or (by_days is not None and since.days is not None and since.days > by_days):
            yield CourseTask(item=item.id, who=ask.who, by=ask.by, what=ask.what)
