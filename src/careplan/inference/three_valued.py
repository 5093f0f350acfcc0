"""Kleene's three-valued logic: whether a test holds, does not hold, or is unknown, and on which answers it then hangs.

The engine says which tests hold. What this module adds is the third value: a test that does not hold and still could,
with the JSON Pointers of the answers that decide it. A test that an answer rules out asks nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from careplan.rulebook.conditions import Either, Every, Expression, Pattern, Test, tests_of
from careplan.rulebook.factors import KINDS, LIMITS, OF_DERIVED, SESSION_COUNTS, least_of, member, most_of

Properties = Mapping[str, str | bool | float]
"""What is known of one fact: tokens, booleans and numbers by the names of its fields."""

Verdict = tuple[bool | None, frozenset[str]]
"""True, False or None for undecided; and the JSON Pointers of the answers on which an undecided one hangs."""

NOTHING: frozenset[str] = frozenset()
YES: Verdict = (True, NOTHING)
NO: Verdict = (False, NOTHING)

THIS = "/medications/*/"
"""Stands in a pointer for the entry of the medicine that a test looks at."""
THE_HOLD = "the answers that the hold question waits for"
"""Stands among pointers for those answers."""
BESIDE = "the answers about other medicines: "
"""Stands among pointers, with what the other medicine is to be, for the answers about all others."""

_SESSIONS = ("sessions_planned", "sessions_completed")
_FROM_COUNTS = frozenset({"sessions_left", "beyond_plan"})
_LISTS = {
    "medicine": "/medications",
    "medicine_check": "/medications",
    "shared_class": "/medications",
    "regimen": "/medications",
    "condition": "/conditions",
    "history": "/conditions",
    "goal": "/expectations/goals",
    "goals": "/expectations/goals",
    "measure_check": "/measures",
}


class Situation(NamedTuple):
    """What decides about one fact besides its properties.

    `whole` is False where the list was not sent that the fact is about. `may_open` and `waits` say whether an open hold
    question is still possible and whether it waits for answers; `sessions` are those planned and completed, as sent;
    `unusable` are figures of the protocol that were sent and cannot be meant, measures that nobody is asked for, and what is
    derived and hangs on no answer.
    """

    whole: bool = True
    may_open: bool = True
    waits: bool = False
    sessions: tuple[int | None, int | None] = (None, None)
    unusable: frozenset[str] = NOTHING


NO_SITUATION = Situation()


def of_tests(pattern: Pattern, properties: Properties, situation: Situation) -> Verdict:
    """The verdict on all tests of a pattern together, on one fact of its kind."""
    return of_expression(pattern.kind, pattern.tests, properties, situation)


def of_expression(kind: str, expression: Expression, properties: Properties, situation: Situation) -> Verdict:
    """The verdict on an expression, on one fact."""
    if isinstance(expression, Test):
        return of_test(kind, expression, properties, situation)
    verdicts = (of_expression(kind, part, properties, situation) for part in expression.parts)
    if isinstance(expression, Either):
        return any_of(verdicts)
    verdict = all_of(verdicts)
    if verdict[0] is None and kind == "treatment" and not _sessions_could(expression, properties, situation):
        return NO
    return verdict


def of_test(kind: str, test: Test, properties: Properties, situation: Situation) -> Verdict:
    """The verdict on one test. A test for not being known hangs on the answer as long as there is none."""
    stands = as_it_stands(kind, test, properties, whole=situation.whole)
    field = test.field
    if KINDS[kind].field(field).type == "tokens":
        if stands is not None:
            return YES if stands else NO
        if field == "beside":
            tokens = [str(token) for token in test.values if member(field, str(token)) not in properties]
            helpless = not situation.unusable.isdisjoint(tokens)
            return NO if helpless else (None, frozenset(f"{BESIDE}{token}" for token in tokens))
        return None, frozenset({_LISTS[kind]})
    if KINDS[kind].field(field).between:
        if not situation.whole:
            return None, frozenset({_LISTS[kind]})
        open_ = stands is None or (test.operation == "unknown" and stands)
        if open_ and kind in OF_DERIVED and (unanswered := _unanswered(kind, field, situation)):
            return None, unanswered
        return YES if stands else NO
    if stands is None and field == "hold_question" and test.operation == "one_of":
        could = situation.may_open or not {"closed", "unclear"}.isdisjoint(map(str, test.values))
        if not could:
            return NO
    if field not in properties and (unanswered := _unanswered(kind, field, situation)):
        return None, unanswered
    return YES if stands else NO


MOST_READY = 4096
"""So many tests of rules are kept ready; a rulebook has about 600."""
Standing = Callable[[Properties], bool | None]
"""Whether something holds on what is known of a fact."""


def as_it_stands(kind: str, test: Test, properties: Properties, *, whole: bool = True) -> bool | None:
    """Whether a test holds on what is known now; None if that is not known. This is what the engine decides by.

    What a list does not name is known not to be there only where it is `whole`.
    """
    of_whole, of_missing = _standing_of_test(kind, test)
    return of_whole(properties) if whole else of_missing(properties)


def standing(kind: str, expression: Expression, *, whole: bool = True) -> Standing:
    """What `as_it_stands` says of an expression, made ready for many facts."""
    if isinstance(expression, Test):
        of_whole, of_missing = _standing_of_test(kind, expression)
        return of_whole if whole else of_missing
    parts = [standing(kind, part, whole=whole) for part in expression.parts]
    if len(parts) == 1:
        return parts[0]
    if isinstance(expression, Either):
        return lambda properties: some([part(properties) for part in parts])
    return lambda properties: every([part(properties) for part in parts])


def some(parts: Collection[object]) -> bool | None:
    """Whether one of several things holds: each is True, False or None."""
    return True if True in parts else None if None in parts else False


def every(parts: Collection[object]) -> bool | None:
    """Whether all of several things hold: each is True, False or None."""
    return False if False in parts else None if None in parts else True


@lru_cache(MOST_READY)
def _standing_of_test(kind: str, test: Test) -> tuple[Standing, Standing]:
    """What a test says of facts about a whole list, and about one that was not sent."""
    return _made_ready(kind, test, whole=True), _made_ready(kind, test, whole=False)


def _made_ready(kind: str, test: Test, *, whole: bool) -> Standing:
    field, operation = test.field, test.operation
    described = KINDS[kind].field(field)
    if described.type == "tokens":
        names = tuple(member(field, str(token)) for token in test.values)
        return _beside(operation, names) if field == "beside" else _in_the_list(operation, names, whole=whole)
    if described.between:
        between = _between(test)
        # A dose that was not sent stays unknown; how many there are is known as soon as it is answered.
        return (lambda properties: between(properties) or None) if kind in OF_DERIVED and operation == "known" else between
    holds = _of_value(operation, test.values)
    unanswered = True if operation in ("unknown", "one_of_or_unknown") else None
    return lambda properties: unanswered if (value := properties.get(field)) is None else holds(value)


def _of_value(operation: str, values: tuple[Any, ...]) -> Callable[[Any], bool]:
    match operation:
        case "one_of" | "one_of_or_unknown":
            return lambda value: value in values
        case "none_of":
            return lambda value: value not in values
        case "known" | "unknown":
            return lambda _: operation == "known"
        case "at_least":
            return lambda value: bool(value >= values[0])
        case "at_most":
            return lambda value: bool(value <= values[0])
        case "less_than":
            return lambda value: bool(value < values[0])
        case _:
            return lambda value: bool(value > values[0])


def _in_the_list(operation: str, names: Sequence[str], *, whole: bool) -> Standing:
    absent = False if whole else None

    def all_there(properties: Properties) -> bool | None:
        for name in names:
            if properties.get(name) is not True:
                return absent
        return True

    def any_there(properties: Properties) -> bool | None:
        for name in names:
            if properties.get(name) is True:
                return True
        return absent

    def none_there(properties: Properties) -> bool | None:
        there = any_there(properties)
        return None if there is None else not there

    return all_there if operation == "has_all" else any_there if operation == "has_any" else none_there


def _beside(operation: str, names: Sequence[str]) -> Standing:
    """Whether another medicine is taken that is as a test says: not known where answers about others are missing."""

    def holds(properties: Properties) -> bool | None:
        held = {properties.get(name) for name in names}
        if operation == "has_all":
            return every(held)
        found = some(held)
        return found if operation == "has_any" or found is None else not found

    return holds


def _between(test: Test) -> Callable[[Properties], bool | None]:
    """Whether a test holds of every number from the least to the most: yes, of none of them: no, else it is not known."""
    operation, of_least, of_most = test.operation, least_of(test.field), most_of(test.field)
    if operation in ("known", "unknown"):
        return lambda properties: (properties.get(of_most) is not None) == (operation == "known")
    limit = float(str(test.values[0]))

    def holds(properties: Properties) -> bool | None:
        least, most = properties.get(of_least), properties.get(of_most)
        low = None if least is None else float(least)
        high = None if most is None else float(most)
        match operation:
            case "at_least":
                return True if low is not None and low >= limit else False if high is not None and high < limit else None
            case "more_than":
                return True if low is not None and low > limit else False if high is not None and high <= limit else None
            case "at_most":
                return True if high is not None and high <= limit else False if low is not None and low > limit else None
            case _:
                return True if high is not None and high < limit else False if low is not None and low >= limit else None

    return holds


def list_pointer(kind: str) -> str:
    """The list of the request from which facts of a kind come."""
    return _LISTS[kind]


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on alternatives."""
    undecided: set[str] = set()
    open_ = False
    for holds, pointers in verdicts:
        if holds:
            return YES
        if holds is None:
            open_ = True
            undecided |= pointers
    return (None, frozenset(undecided)) if open_ else NO


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on what must all hold. Where one part hangs on no answer, no answer to the others helps."""
    undecided: set[str] = set()
    open_, helpless = False, False
    for holds, pointers in verdicts:
        if holds is False:
            return NO
        if holds is None:
            open_ = True
            helpless |= not pointers
            undecided |= pointers
    if not open_:
        return YES
    return None, NOTHING if helpless else frozenset(undecided)


def _unanswered(kind: str, field: str, situation: Situation) -> frozenset[str]:
    """Where the answer to a missing field would go; nothing if nobody could answer it."""
    if kind == "medicine":
        if field == "hold_question":
            return frozenset({THE_HOLD}) if situation.waits else NOTHING
        return frozenset({f"{THIS}{field}"}) if field in ("schedule", "indication") else NOTHING
    if kind == "goals":
        return frozenset({_LISTS["goals"]})
    if kind == "treatment" and field in _FROM_COUNTS:
        given = zip(_SESSIONS, situation.sessions, strict=True)
        return frozenset(f"/treatment/{name}" for name, value in given if value is None)
    if kind == "measured_days_ago" and field not in situation.unusable:
        return frozenset({f"/measures/{field}"})
    if not (KINDS[kind].field(field).sent or kind in OF_DERIVED) or field in situation.unusable:
        return NOTHING
    return frozenset({f"/{field}" if kind == "patient" else f"/{kind}/{field}"})


def _sessions_could(tests: Every, properties: Properties, situation: Situation) -> bool:
    """Whether some number of sessions could make the tests hold: those left follow from those planned and done.

    Taken one by one, "3 done" and "1 left" are each open while the number done is not known; of 3 planned sessions they are
    never true together.
    """
    given = situation.sessions
    missing = [name for name, value in zip(_SESSIONS, given, strict=True) if value is None]
    tested = list(tests_of(tests))
    if len(missing) != 1 or not any(test.field in _FROM_COUNTS for test in tested):
        return True
    values = (value for test in tested if test.field in SESSION_COUNTS for value in test.values)
    limits = [value for value in values if isinstance(value, float)]
    known = next(float(value) for value in given if value is not None)
    allowed = LIMITS[f"treatment.{missing[0]}"]
    near = {base + limit + step for limit in limits for base in (0, known) for step in (-1, 0, 1)}
    near |= {known - limit + step for limit in (0, *limits) for step in (-1, 0, 1)} | {allowed.least}
    for number in sorted(one for one in near if allowed.least <= one <= allowed.most):
        planned, completed = (number, known) if missing[0] == "sessions_planned" else (known, number)
        counted = {"sessions_left": max(0.0, planned - completed), "beyond_plan": completed > planned}
        supposed = {**properties, missing[0]: number, **counted}
        settled = situation._replace(sessions=(int(planned), int(completed)))
        if all_of(of_expression("treatment", part, supposed, settled) for part in tests.parts)[0] is not False:
            return True
    return False
