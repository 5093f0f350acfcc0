"""Stops and holds that come up for other patients than in the rulebook before, and that no named reviewer has accepted.

No solver is asked. What decides for whom a rule comes up is compared as it is written, so that a change which makes no
difference may be named too; `careplan rules compare` proves which ones make one.
"""

from __future__ import annotations

from collections.abc import Iterator

from careplan.errors import RuleFault
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind, used_by
from careplan.rulebook.lock import logic_of
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.reviews import standing_of

WEIGHTY = ("stop", "hold")
_REVIEW = "careplan rules review {rule} --by NAME --as ROLE --decision accept --on DAY"


def not_accepted(before: Rulebook, after: Rulebook) -> Iterator[RuleFault]:
    """A fault for each stop or hold of either side that is not what it was, unless a decision on it as it is now accepts it.

    A decision counts that is on the version and content of now. Where these are as before, and only lists that the rule
    rests on changed, it must have been made since.
    """
    for name in sorted(before.rules.keys() | after.rules.keys()):
        old, new = before.rules.get(name), after.rules.get(name)
        changed = _changed(before, old, after, new)
        if not changed:
            continue
        now = new or after.resting.get(name)
        if now is None:
            assert old is not None
            words, mend = (
                f"The {old.file.level} {name} is gone.",
                "Keep its file with status: retired, and have that accepted.",
            )
            yield RuleFault(file=old.place, line=1, field="", problem=words, mend=mend, code="not-accepted")
        elif not _accepted(before, after, old, now):
            problem = f"{changed} No named reviewer has accepted this."
            mend = f"Have it decided: {_REVIEW.format(rule=name)}."
            yield RuleFault(file=now.place, line=1, field="", problem=problem, mend=mend, code="not-accepted")


def _changed(before: Rulebook, old: Rule | None, after: Rulebook, new: Rule | None) -> str:
    """What a stop or hold is now, as a sentence; empty where it is as before, or is none on either side."""
    levels = [rule.file.level if rule else "" for rule in (old, new)]
    if not set(levels) & set(WEIGHTY):
        return ""
    if old is None or new is None:
        rule = new or old
        assert rule is not None
        return f"The {rule.file.level} {rule.id} {'is new' if old is None else 'no longer runs'}."
    if old.file.level != new.file.level:
        return f"{new.id} was a {old.file.level} and is a {new.file.level} now."
    if _written(before, old) != _written(after, new):
        return f"The {new.file.level} {new.id} may come up for other patients than before."
    if _listed(before, old) != _listed(after, new):
        return f"The {new.file.level} {new.id} rests on lists that changed, and may come up for other patients than before."
    return ""


def _accepted(before: Rulebook, after: Rulebook, old: Rule | None, now: Rule) -> bool:
    """Whether the last decision of each role that made one accepts a rule as it is now."""
    decisions = list(standing_of(now, after).decisions.values())
    if old is not None and standing_of(old, before).decisions and _written(before, old) == _written(after, now):
        decisions = [one for one in decisions if one not in before.decisions]
    return bool(decisions) and all(one.decision == "accept" for one in decisions)


def _written(book: Rulebook, rule: Rule) -> tuple[object, ...]:
    """All in a rule, and in what it derives, that decides for whom it comes up and what settles it."""
    file = rule.file
    used = {
        fact.file.name: logic_of(fact) for group in rule.when for pattern in group for fact in used_by(book.derived, pattern)
    }
    return file.level, rule.when, rule.term, bool(file.certain), file.clears_with, used


def _listed(book: Rulebook, rule: Rule) -> tuple[object, ...]:
    """The medicines that it names by class or name, and how much drinking closes the question of a hold, if it asks that."""
    tests = [test for pattern in behind(book.derived, rule.when) for test in tests_of(pattern.tests)]
    tokens = {str(value) for test in tests for value in test.values}
    named = {token: set[str]() for token in tokens}
    for row in book.catalogue.ingredients.values():
        for token in tokens & set(row.tokens):
            named[token].add(row.ingredient)
    asks = any(test.field == "hold_question" for test in tests)
    return named, book.about.drinks_that_close_holds if asks else None
