"""Who has looked at which version of a rule, and what they decided: kept as data, and asked anew once a rule changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from careplan.rulebook.lock import locked
from careplan.rulebook.model import Rule, Rulebook, RuleFile
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.review_decisions import ROLES, ReviewDecision, Role
from careplan.rulebook.text_template import one_line
from careplan.rulebook.validity import is_a_day


def content_of(rule: Rule, book: Rulebook) -> str:
    """The SHA-256 of what a reviewer judges: all that shapes a plan, and the passages that it rests on.

    Rationale and examples may be put better without asking anew.
    """
    file = rule.file
    passages = [
        (ref.source, ref.place, ref.strength, source.passage(ref.place), source.read_at(ref.place))
        for ref in file.sources
        if (source := book.sources.get(ref.source))
    ]
    judged = (locked(rule, book.derived).content, file.line, file.scope, file.topic, file.clears_with, file.exempt, passages)
    return hashlib.sha256(msgspec.json.encode(judged, order="deterministic")).hexdigest()


BY_BOTH = ("stop", "hold")
"""A rule of these levels needs a pharmacist and a physician to be active, any other one of them."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What has been decided on a rule as it is now: the last decision of each role."""

    decisions: Mapping[Role, ReviewDecision]

    @property
    def is_whole(self) -> bool:
        """Whether two people, one of each role, have decided."""
        return len(self.decisions) == len(ROLES)

    def lacks(self, file: RuleFile) -> str:
        """What keeps a rule from being active, as a sentence; "" if nothing does."""
        against = [one.role for one in self.decisions.values() if one.decision == "reject"]
        if against:
            return f"The {' and the '.join(against)} rejected this version."
        missing = [role for role in ROLES if role not in self.decisions]
        if file.level in BY_BOTH and missing:
            return f"A {file.level} needs the decision of a pharmacist and of a physician; the {missing[0]} is missing."
        return "" if self.decisions else "Nobody has decided on this version."


def standing_of(rule: Rule, book: Rulebook) -> Standing:
    """What stands of the decisions: those on this version with this content, of each role the last."""
    on_this = [one for one in book.decisions if (one.rule, one.version) == (rule.id, rule.file.version)]
    content = content_of(rule, book) if on_this else ""
    return Standing(decisions={one.role: one for one in on_this if one.content == content})


def check_decisions(decisions: Sequence[ReviewDecision], note: FaultList) -> None:
    """Note every decision that is by nobody, on no day, or by one person in both roles."""
    for at, decision in enumerate(decisions):
        if is_nobody(decision.by):
            note.fault((at, "by"), f"{decision.by} is not a person's full name.", "Name the reviewer.", code="review")
        if not is_a_day(decision.on):
            note.fault((at, "on"), "This is no day of the calendar.", "Write a day such as 2026-12-31.", code="dates")
        if in_the_other_role(decision, decisions):
            mend = "Have another person decide in one of the roles."
            note.fault((at, "as"), f"{decision.by} decided on {decision.rule} in both roles.", mend, code="review")


def check_active(rule: Rule, standing: Standing, note: FaultList) -> None:
    """Note an active rule without the decisions that it needs."""
    lacks = standing.lacks(rule.file) if rule.file.status == "active" else ""
    if lacks:
        note.fault(("status",), lacks, "Write status: trial, or have it decided: careplan rules review.", code="review")


def is_nobody(name: str) -> bool:
    """Whether a text is no full name of a person."""
    return name.strip(" .").casefold() in _NOBODY or " " not in name.strip()


def in_the_other_role(decision: ReviewDecision, decisions: Iterable[ReviewDecision]) -> bool:
    """Whether the same person decided on the same content in the other role: two decisions are of two people."""
    return any(
        (other.rule, other.content, _person(other)) == (decision.rule, decision.content, _person(decision))
        and other.role != decision.role
        for other in decisions
    )


def _person(decision: ReviewDecision) -> str:
    """A name as it is compared: what comes after a comma is a title or role."""
    return one_line(decision.by.partition(",")[0].casefold())


_NOBODY = frozenset({"tbd", "tba", "none", "unknown", "nobody", "n/a", "to be done", "to be named", "a reviewer", "no one"})
