"""The first card: the front page of a plan in a card. What to act on, what to decide, what is missing, what to ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from careplan.plan.entry_labels import question_words
from careplan.plan.front_model import FrontDecision
from careplan.plan.model import CarePlan, Item, Question
from careplan.request.patient import ListName, Patient
from careplan.rulebook.model import LEVELS, Level
from careplan.rulebook.text_template import counted, one_line, spaced

Json = dict[str, Any]

LONGEST_SUMMARY = 139
INDICATORS: Mapping[Level, str] = {"stop": "critical", "hold": "warning", "caution": "warning", "note": "info"}
LIST_WORDS: Mapping[ListName, str] = {"medications": "medicines", "conditions": "illnesses", "goals": "goals"}


class Front(NamedTuple):
    """What stands on the first card.

    `shown` are the items that have cards of their own, the gravest first; `missing` the lists that were not sent. `whole`
    where the card stands for the whole plan, and not for what is being ordered.
    """

    shown: Sequence[Item]
    missing: Sequence[ListName]
    asked: Sequence[Question]
    whole: bool

    def of(self, *levels: Level) -> list[Item]:
        """The items of these levels."""
        return [item for item in self.shown if item.level in levels]

    @property
    def is_ready(self) -> bool:
        """Whether nothing has to be acted on, decided or sent before a clinician can sign."""
        return not self.of("stop", "hold") and not self.missing

    @property
    def indicator(self) -> str:
        """That of the gravest item; a list that was not sent is a warning, for it may hide one."""
        gravest = min((LEVELS.index(item.level) for item in self.shown), default=LEVELS.index("note"))
        found = INDICATORS[LEVELS[gravest]]
        return "warning" if self.missing and found == "info" else found


def summary(front: Front) -> str:
    """The headline: whether it is ready, and what stands in the way, in less than 140 characters."""
    parts = [
        counted(len(found), word) for found, word in ((front.of("stop"), "alert"), (front.of("hold"), "decision")) if found
    ]
    if front.missing:
        parts.append(f"{' and '.join(LIST_WORDS[name] for name in front.missing)} not sent")
    if front.is_ready:
        parts.append("no alert and no decision")
    if front.asked:
        parts.append(counted(len(front.asked), "question") + " to ask")
    state = "ready for your review" if front.is_ready else "not ready"
    return shortened(f"Draft ketamine care plan, {state}: {', '.join(parts)}")


def detail(front: Front, plan: CarePlan, patient: Patient) -> str:
    """The front page in GitHub Flavored Markdown; while orders are made, what of it has to do with the orders."""
    page = plan.front
    shown = {item.id for item in front.shown}
    decisions = [row for row in page.decisions if front.whole or not shown.isdisjoint(row.items)]
    parts = [
        *_section(plan.level_words["stop"], (_decision(row) for row in decisions if row.level == "stop")),
        *_section(plan.level_words["hold"], (_decision(row) for row in decisions if row.level == "hold")),
        *_section("not sent", map(_not_sent, front.missing)),
    ]
    if front.whole:
        route = page.route
        wish = f" The patient's wish: {route.wish}." if route and route.wish and not route.as_wished else ""
        parts += [
            *_section("route", [marked(f"{route.line}{wish}")] if route else []),
            *_section("unlike the standing protocol", (marked(row.line) for row in page.differs)),
            *_section("not read", [marked(page.unread.line)] if page.unread else []),
        ]
    else:
        besides = [item for item in front.of("caution", "note") if not any(item.id in row.items for row in decisions)]
        parts += _section("to be looked at", (marked(item.line) for item in besides))
    parts += _section("to ask next", (marked(question_words(one, plan, patient)) for one in front.asked))
    if not parts:
        parts.append("No alert, nothing to decide, and no question that could change this.")
    return "\n\n".join([*parts, f"*{marked(plan.disclaimer)}*"])


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = [f"- {line}" for line in lines]
    if found:
        yield "\n".join([f"**{marked(title[:1].upper() + title[1:])}**", "", *found])


def _decision(row: FrontDecision) -> str:
    asked = f" ({spaced(row.who)}, {row.by_words})" if row.who else ""
    return marked(f"{row.line}{asked}")


def _not_sent(name: ListName) -> str:
    return (
        f"the {LIST_WORDS[name]}: the record system sent none and did not say that there are none, "
        "so nothing here speaks of them"
    )


def marked(text: str) -> str:
    """A text in which nothing is markup."""
    return one_line(text).translate(_ESCAPED)


def shortened(text: str) -> str:
    """A text as a summary: less than 140 characters, cut between words."""
    if len(text) <= LONGEST_SUMMARY:
        return text
    return f"{text[: LONGEST_SUMMARY - 1].rsplit(' ', 1)[0]}…"


_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|~#"})
