"""What is due for review in a folder of rules: works to look at again, rules that end, rules that nobody decided on."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from careplan.authoring.evidence_dates import DueRule, DueWork, due
from careplan.rulebook.model import Rulebook
from careplan.rulebook.review_decisions import ROLES, Role
from careplan.rulebook.reviews import standing_of

AHEAD = 90
"""Days from today within which something counts as due."""


class Undecided(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that runs without the decision of one or both reviewers."""

    id: str
    title: str
    level: str
    lacks: list[Role]


class DueList(msgspec.Struct, frozen=True, kw_only=True):
    """All that is due until a day, the most urgent first; of the rules to be decided on, the gravest."""

    until: str
    sources: list[DueWork] = []
    rules: list[DueRule] = []
    undecided: list[Undecided] = []


def due_list(book: Rulebook, today: date) -> DueList:
    """What is due within the next weeks, counted from `today`."""
    found = due(book, today + timedelta(days=AHEAD))
    undecided = []
    for rule in book.in_order():
        decided = standing_of(rule, book).decisions
        lacks = [role for role in ROLES if role not in decided]
        if lacks:
            undecided.append(Undecided(id=rule.id, title=rule.file.title, level=rule.file.level, lacks=lacks))
    return DueList(until=found.by, sources=found.sources, rules=found.rules, undecided=undecided)
