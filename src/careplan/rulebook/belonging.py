"""What belongs to a rule and to no other: warnings of one medicine, and the records that clear a stop."""

from __future__ import annotations

from careplan.rulebook import forbidden_wording
from careplan.rulebook.conditions import Pattern, tests_of
from careplan.rulebook.derived import asserted
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.presumption import FaultList

_WITHDRAWAL = frozenset(
    {
        *("benzodiazepine", "designer_benzodiazepine", "z_drug", "barbiturate", "procedural_sedative", "oxybate", "alcohol"),
        *("antiseizure", "gabapentinoid", "muscle_relaxant", "lowers_seizure_threshold", "alcohol_withdrawal"),
        *("withdrawal_signs_now", "withdrawal_seizure_history", "alcohol_use_disorder_active", "substance_relapse"),
        "benzodiazepine_stopped_alone",
        *("alcohol_change", "lifestyle.alcohol_drinks_per_week", "red_flags.intoxicated_now", "goal.names_benzodiazepine"),
    }
)
"""What a rule must test for before it may warn of withdrawal with seizures: it is no other patient's warning."""
_RASH = frozenset({"lamotrigine", "lamotrigine_rash", "lamotrigine_missed_doses", "goal.names_lamotrigine"})
"""What a rule must test for before it may warn of a rash after missed doses."""


def check_belonging(book: Rulebook, rule: Rule, note: FaultList) -> None:
    """Note every warning that belongs to another patient, and clearances that cannot be meant."""
    _check_clearing(rule, note)
    then = rule.file.then
    for warns, tokens, of_whom in (
        (forbidden_wording.speaks_of_withdrawal_seizures, _WITHDRAWAL, "what can cause such a withdrawal"),
        (forbidden_wording.speaks_of_rash, _RASH, "lamotrigine"),
    ):
        for path, text in ((("then", "patient"), then.patient), (("then", "clinician"), then.clinician)):
            if warns(text) and not speaks_of(book, rule, tokens):
                note.fault(
                    path,
                    f"This warning belongs to rules about {of_whom}.",
                    "Take it out, or make a rule that tests for it.",
                    code="warning",
                )


def speaks_of(book: Rulebook, rule: Rule, tokens: frozenset[str]) -> bool:
    """True when each alternative of the rule asks for one of `tokens`, such as a class, an ingredient or a condition."""
    return all(any(_asks_for(book, pattern, tokens) for pattern in group) for group in rule.when)


def _asks_for(book: Rulebook, pattern: Pattern, tokens: frozenset[str]) -> bool:
    for test in tests_of(pattern.tests):
        named = {*map(str, test.values)}
        rows = [row for name in named if (row := book.catalogue.ingredients.get(name))]
        asked = {f"{pattern.kind}.{test.field}", *named, *(token for row in rows for token in row.classes)}
        if test.operation not in ("none_of", "has_none") and not tokens.isdisjoint(asked):
            return True
    return any(
        bool(fact.when) and all(any(_asks_for(book, part, tokens) for part in group) for group in fact.when)
        for fact in asserted(book.derived, pattern)
    )


def _check_clearing(rule: Rule, note: FaultList) -> None:
    """Only a stop can be cleared, and only by a record of what the rule tests."""
    if rule.file.clears_with and rule.file.level != "stop":
        note.fault(("clears_with",), "Only a stop can be cleared.", "Take this line out.", code="clearing")
    about_conditions = all(any(pattern.kind == "condition" for pattern in group) for group in rule.when)
    tested = {
        name
        for group in rule.when
        for pattern in group
        for test in tests_of(pattern.tests)
        for name in (test.field, *(test.values if pattern.kind == "history" else ()))
    }
    for at, what in enumerate(rule.file.clears_with):
        if not (about_conditions if what == "condition" else what in tested):
            mend = "Name a field or a condition that it tests."
            note.fault(("clears_with", at), f"This rule does not test {what}.", mend, code="clearing")
