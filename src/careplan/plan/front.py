"""The front page: a plan on one page, from which a clinician decides and signs.

Whoever the patient is, it has at most 350 words. All decisions are on it; where they are many, those of one topic share a
line, and where even these would not fit, later ones have their title or their topic alone. What room is left goes to where
the patient departs from the standing protocol, then to tasks; what does not fit is counted, and stands on the following
pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import get_args

import msgspec

from careplan.plan.course import NOT_COMPARED, OnFront
from careplan.plan.front_model import (
    Front,
    FrontDecision,
    FrontLine,
    FrontQuestion,
    FrontRoute,
    FrontTask,
    Further,
    Unread,
)
from careplan.plan.model import Decision, Item, Question
from careplan.plan.part import Choice
from careplan.request.patient import Patient
from careplan.rulebook.model import LEVELS, By, Level, Rulebook, Who
from careplan.rulebook.text_template import Text, capitalized, counted, in_words, one_line

MOST_WORDS = 350
MOST_LINES = 7
"""So many decisions have a line each; of more, those of one topic are put together."""
MOST_IN_DECISIONS = 180
MOST_IN_DIFFERS, MOST_IN_TASKS = 120, 90
LEAST_FOR_TASKS = 50
"""So many words are kept for tasks, where there are any."""
KEPT_FOR_COUNTS = 14
"""So many words are kept for the sentence that counts what is on the following pages."""
MOST_IN_COURSE = 80
"""So many words say what became of an earlier plan, besides the first line and what was decided then."""
MOST_NAMED = 8
"""So many words are taken of the names of entries that nobody could read."""

_BY: Mapping[By, int] = {by: at for at, by in enumerate(get_args(By))}
_WHO: Mapping[Who, int] = {who: at for at, who in enumerate(get_args(Who))}
_TO_DECIDE: frozenset[Level] = frozenset({"stop", "hold"})
_HOME: frozenset[Who] = frozenset({"patient", "supporter"})
_Key = tuple[str, str]
"""A topic, and the medicine where it is about one."""
UNREAD, MEDICINE = "unread", "medicine"
SAID_ABOVE = "See the decision on it."
"""Of a route about which something is to be decided: the decision has its line."""


class FrontPages:
    """Writes the front pages of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        words = book.about.front
        self._ready = one_line(words.ready)
        self._not_ready = Text.parse(words.not_ready)
        self._unread = Text.parse(words.unread)
        self._several = Text.parse(words.several)
        self._titles = {name: topic.title for name, topic in book.vocabulary.topics.items()}
        self._options = {
            level: [Choice(value=value, label=label) for value, label in book.vocabulary.levels[level].options.items()]
            for level in LEVELS
        }
        self._routes = book.vocabulary.fields["treatment.preferred_route"].values

    def of(
        self,
        items: Sequence[Item],
        decisions: Iterable[Decision],
        questions: Sequence[Question],
        patient: Patient,
        since: OnFront = NOT_COMPARED,
    ) -> Front:
        """The front page of a plan with these items, the gravest first; `since` is what became of an earlier plan."""
        to_decide = [item for item in items if item.level in _TO_DECIDE]
        unread = self._unread_of(items)
        route = self._route(to_decide, items, decisions, patient)
        ask = asked(questions)
        front = Front(
            headline=self._headline([item for item in to_decide if item.id not in since.settled], len(since.decided)),
            ready=not to_decide,
            decisions=[],
            route=route,
            differs=[],
            tasks=[],
            ask=ask,
            unread=unread,
            course=list(since.lines[:1]),
        )
        room = MOST_WORDS - KEPT_FOR_COUNTS - words_in(front)
        # What was dealt with when the earlier plan was signed is one line, and asks nothing of anybody a second time.
        standing: Sequence[Item] = ()
        if since.settled:
            standing = [item for item in items if item.id in since.decided]
            items = [item for item in items if item.id not in since.settled]
            to_decide = [item for item in to_decide if item.id not in since.settled]
        departing = [item for item in items if _departs(item)]
        rows, besides = self._decisions(to_decide, departing)
        rows += [self._as_before(standing, since.decided_line)] if standing else []
        room -= sum(map(words_in, rows))
        course = [*front.course, *_short_enough(since.lines[1:], min(room, MOST_IN_COURSE))]
        room -= words_in(course) - words_in(front.course)
        said = besides | {route.item} if route else besides
        groups = _grouped([item for item in departing if item.id not in said], by_medicine=True)
        tasks = _tasks(items)
        kept = min(LEAST_FOR_TASKS, sum(map(words_in, tasks)))
        lines = [
            FrontLine(topic=topic, line=found[0].line, items=[item.id for item in found], more=len(found) - 1 or None)
            for (topic, _), found in groups.items()
        ]
        differs = list(_that_fit(lines, min(room - kept, MOST_IN_DIFFERS)))
        shown = list(_fitting(tasks, min(room - sum(map(words_in, differs)), MOST_IN_TASKS)))
        further = Further(
            differs=len(groups) - len(differs),
            tasks=sum(len(task.what) for task in tasks) - sum(len(task.what) for task in shown),
            ask=sum(not one.first and one.asked_of == "patient" for one in questions),
        )
        return msgspec.structs.replace(front, decisions=rows, differs=differs, tasks=shown, course=course, further=further)

    def _headline(self, to_decide: Sequence[Item], decided: int) -> str:
        if not to_decide and not decided:
            return self._ready
        stops = sum(item.level == "stop" for item in to_decide)
        parts = [
            counted(number, word)
            for number, word in ((stops, "alert"), (len(to_decide) - stops, "decision"), (decided, "earlier decision"))
            if number
        ]
        return self._not_ready.fill({"what": in_words(parts)})

    def _unread_of(self, items: Iterable[Item]) -> Unread | None:
        """The entries that nobody could read, but for those of which a decision speaks.

        Of the items about unread entries some are about a few of them only, which may be grave; one names all.
        """
        every = tuple(items)
        about_entries = (item for item in every if item.topic == UNREAD and any(entry.name for entry in item.about))
        found = max(about_entries, key=lambda item: len(item.about), default=None)
        # By its name as well, as another part of the same entry may have been read and stand behind a decision.
        decided = {(entry.pointer, entry.name) for item in every if item.level in _TO_DECIDE for entry in item.about}
        left = [one for one in found.about if (one.pointer, one.name) not in decided] if found is not None else []
        if not left:
            return None
        names, words = [], 0
        for entry in left:
            words += len(entry.name.split())
            if words > MOST_NAMED:
                break
            names.append(entry.name)
        if more := len(left) - len(names):
            names.append(f"{more} more" if names else counted(more, "entry", "entries"))
        return Unread(line=self._unread.fill({"entries": ", ".join(names)}), pointers=[entry.pointer for entry in left])

    def _route(
        self, to_decide: Iterable[Item], items: Iterable[Item], decisions: Iterable[Decision], patient: Patient
    ) -> FrontRoute | None:
        decision = next((one for one in decisions if one.subject == "route"), None)
        if decision is None:
            return None
        decided = any(item.id == decision.item for item in to_decide)
        line = SAID_ABOVE if decided else next(item.line for item in items if item.id == decision.item)
        wish = patient.treatment.preferred_route
        return FrontRoute(
            choice=decision.choice,
            line=line,
            item=decision.item,
            wish=self._routes.get(wish, wish) if wish else None,
            as_wished=wish is not None and decision.choice.startswith(wish),
        )

    def _decisions(self, to_decide: Sequence[Item], departing: Sequence[Item]) -> tuple[list[FrontDecision], set[str]]:
        """The rows of all decisions, and the ids of the departing items that stand behind one as they share its topic."""
        ordered = sorted(to_decide, key=lambda item: (LEVELS.index(item.level), _soonest(item)))
        groups: dict[_Key, list[Item]] = {(item.topic, item.id): [item] for item in ordered}
        if len(groups) > MOST_LINES:
            groups = _grouped(ordered, by_medicine=True)
        if len(groups) > MOST_LINES:
            groups = _grouped(ordered, by_medicine=False)
        rows = [self._row(found) for found in groups.values()]
        words = [words_in(row) for row in rows]
        contested = [at for at, row in enumerate(rows) if row.contested]
        for at in reversed(contested):
            if sum(words) <= MOST_IN_DECISIONS:
                break
            rows[at] = msgspec.structs.replace(rows[at], contested=None)
            words[at] = words_in(rows[at])
        for by_title in (True, False):
            for at, found in reversed(list(enumerate(groups.values()))):
                if sum(words) <= MOST_IN_DECISIONS and (at < MOST_LINES or not by_title):
                    break
                rows[at] = self._short(rows[at], found, by_title=by_title)
                words[at] = words_in(rows[at])
        behind: set[str] = set()
        for at, found in enumerate(groups.values()):
            same = [item.id for item in departing if item.id not in behind and _same(item, found[0])]
            behind.update(same)
            if same:
                rows[at] = msgspec.structs.replace(rows[at], items=[*rows[at].items, *same])
        return rows, behind

    def _row(self, of_topic: Sequence[Item]) -> FrontDecision:
        first = of_topic[0]
        task = next((ask for ask in first.asks if ask.who not in _HOME), None)
        return FrontDecision(
            topic=first.topic,
            level=first.level,
            line=first.line,
            items=[item.id for item in of_topic],
            more=len(of_topic) - 1 or None,
            options=self._options[first.level],
            who=task.who if task else None,
            by=task.by if task else None,
            by_words=task.by_words if task else None,
            contested=_first_sentence(first.contested) if first.contested else None,
        )

    def _as_before(self, standing: Sequence[Item], line: str) -> FrontDecision:
        """The row of what was decided before on the same facts: to be confirmed as a whole."""
        return FrontDecision(
            topic=standing[0].topic,
            level="hold",
            line=line,
            items=[item.id for item in standing],
            more=len(standing) - 1 or None,
            options=self._options["hold"],
            as_before=True,
        )

    def _short(self, row: FrontDecision, of_topic: Sequence[Item], *, by_title: bool) -> FrontDecision:
        """A row in few words: a single decision by its title, several by their topic, or any by its topic."""
        if by_title and len(of_topic) == 1:
            line = capitalized(of_topic[0].title)
        else:
            title = capitalized(self._titles[row.topic])
            line = self._several.fill({"title": title, "decisions": counted(len(of_topic), "decision")})
        return FrontDecision(topic=row.topic, level=row.level, line=line, items=row.items, more=row.more)


def asked(questions: Iterable[Question]) -> list[FrontQuestion]:
    """The questions to ask first, in the order of a visit."""
    first = sorted((one for one in questions if one.first), key=lambda one: one.place)
    return [FrontQuestion(pointer=one.pointer, about=capitalized(one.about)) for one in first]


def words_in(part: object) -> int:
    """How many words of a part of the front page are read: all but tokens, ids and pointers."""
    if isinstance(part, str):
        return part.count(" ") + 1 if part else 0
    if isinstance(part, list):
        return sum(map(words_in, part))
    return sum([words_in(getattr(part, name)) for name in _READ.get(type(part), ())])


_READ: Mapping[type, Sequence[str]] = {
    Front: ("headline", "decisions", "route", "differs", "tasks", "ask", "unread", "course"),
    FrontDecision: ("line", "options", "who", "by_words", "contested"),
    Choice: ("label",),
    FrontRoute: ("line", "wish"),
    FrontLine: ("line",),
    FrontTask: ("who", "by_words", "what"),
    FrontQuestion: ("about",),
    Unread: ("line",),
}
"""What people read of each part of the front page."""


def _departs(item: Item) -> bool:
    """Whether an item says that something of this patient is not as the standing protocol has it."""
    return item.level == "caution" and item.scope == "personal" and item.topic != UNREAD


def _same(item: Item, other: Item) -> bool:
    return item.topic == other.topic and (item.topic != MEDICINE or _medicine(item) == _medicine(other))


def _medicine(item: Item) -> str:
    return item.about[0].name if item.about else ""


def _grouped(items: Iterable[Item], *, by_medicine: bool) -> dict[_Key, list[Item]]:
    """Items put together by topic, and each medicine by itself where this is wanted."""
    found: dict[_Key, list[Item]] = {}
    for item in items:
        found.setdefault((item.topic, _medicine(item) if by_medicine and item.topic == MEDICINE else ""), []).append(item)
    return found


def _soonest(item: Item) -> int:
    return min((_BY[ask.by] for ask in item.asks), default=len(_BY))


def _first_sentence(text: str) -> str:
    return f"{text.split('. ', maxsplit=1)[0].rstrip('.')}."


def _tasks(items: Iterable[Item]) -> list[FrontTask]:
    """What is asked of everybody by personal items that are more than notes, by person and moment.

    The people of the clinic and the soonest moments come first.
    """
    what: dict[tuple[Who, By], dict[str, list[str]]] = {}
    words: dict[By, str] = {}
    for item in items:
        if item.scope == "personal" and item.level != "note":
            for ask in item.asks:
                what.setdefault((ask.who, ask.by), {}).setdefault(ask.what, []).append(item.id)
                words[ask.by] = ask.by_words
    ordered = sorted(what, key=lambda key: (key[0] in _HOME, _BY[key[1]], _WHO[key[0]]))
    return [
        FrontTask(
            who=who,
            by=by,
            by_words=words[by],
            what=list(what[who, by]),
            items=list(dict.fromkeys(id_ for ids in what[who, by].values() for id_ in ids)),
        )
        for who, by in ordered
    ]


def _short_enough(lines: Iterable[str], room: int) -> Iterator[str]:
    """Those lines for which there is room, each after what comes before it."""
    for line in lines:
        if (words := words_in(line)) <= room:
            room -= words
            yield line


def _that_fit(lines: Iterable[FrontLine], room: int) -> Iterator[FrontLine]:
    """Those lines that fit into a number of words together; one that is too long gives way to shorter ones after it."""
    for line in lines:
        if (words := words_in(line)) <= room:
            room -= words
            yield line


def _fitting(tasks: Iterable[FrontTask], room: int) -> Iterator[FrontTask]:
    """As many tasks as there is room for. Of each person and moment the first ones, with the number of the others."""
    for task in tasks:
        fits: list[str] = []
        left = room - words_in(task.who) - words_in(task.by_words)
        for what in task.what:
            words = words_in(what)
            if words > left:
                break
            fits.append(what)
            left -= words
        if fits:
            room = left
            yield msgspec.structs.replace(task, what=fits, more=len(task.what) - len(fits) or None)
