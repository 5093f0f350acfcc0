"""How the conditions of a rule stand for one patient: how many hold, and which do not, on what comes nearest to holding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from careplan.facts.case import Fact
from careplan.inference.case_logic import Alternative, CaseLogic
from careplan.rulebook.conditions import Every, Expression, Group, Pattern, Test, When, tests_of
from careplan.rulebook.factors import KINDS, SESSION_COUNTS, SUBJECTS


class Unmet(msgspec.Struct, frozen=True):
    """A condition that does not hold: parts of a pattern by their `places`, or all of it where its subject is missing.

    More than one part is one condition where each alone could hold but never all of them. `part` is what does not hold.
    """

    pattern: Pattern
    places: tuple[int, ...]
    part: Expression | None
    fact: Fact | None
    stands: bool | None


class Standing(msgspec.Struct, frozen=True):
    """How many conditions of a group hold, how many do not, and which these are.

    A missing subject counts with all that is asked of it.
    """

    met: int
    missing: int
    unmet: tuple[Unmet, ...]

    @property
    def near(self) -> bool:
        """Whether one condition is missing, of something that is there and of which another condition holds."""
        return self.missing == 1 and all(one.places and len(one.pattern.tests.parts) > 1 for one in self.unmet)


def nearest(when: When, logic: CaseLogic, undecided: Sequence[Alternative] = ()) -> tuple[Group, Standing]:
    """The alternative that comes nearest to holding; of an undecided rule, among those that still can."""
    if undecided:
        found = [(one.group, standing(one.group, logic, one.fact)) for one in undecided]
    else:
        found = [(group, standing(group, logic)) for group in when]
    return found[0] if len(found) == 1 else min(found, key=lambda one: _far(one[1]))


def standing(group: Group, logic: CaseLogic, subject: Fact | None = None) -> Standing:
    """How a group stands on what is known now: each pattern on `subject` if that is of its kind, or on the nearest fact."""
    met, missing, unmet = 0, 0, list[Unmet]()
    for pattern in group:
        facts = logic.known_facts(pattern.kind) if subject is None or subject.kind != pattern.kind else [subject]
        stood = [_on(pattern, fact, logic) for fact in facts]
        best = stood[0] if len(stood) == 1 else min(stood, key=_far, default=None)
        if best is None or (best.unmet and not best.unmet[0].places):
            missing += len(pattern.tests.parts)
            unmet.append(Unmet(pattern, (), None, None, logic.of_missing(pattern)))
        else:
            met += best.met
            missing += best.missing
            unmet += best.unmet
    return Standing(met, missing, tuple(unmet))


def _far(standing: Standing) -> tuple[int, int]:
    return standing.missing, -standing.met


def _on(pattern: Pattern, fact: Fact, logic: CaseLogic) -> Standing:
    unmet = []
    for at, part in enumerate(pattern.tests.parts):
        stands = logic.stands(part, fact)
        if stands is not True:
            if KINDS[pattern.kind].many and isinstance(part, Test) and (pattern.kind, part.field) in SUBJECTS:
                return Standing(0, len(pattern.tests.parts), (Unmet(pattern, (), None, fact, stands),))
            unmet.append(Unmet(pattern, (at,), part, fact, stands))
    missing = len(unmet)
    if unmet and all(one.stands is None for one in unmet) and logic.of_fact(pattern, fact)[0] is False:
        unmet = list(_never_together(unmet))
    return Standing(len(pattern.tests.parts) - missing, missing, tuple(unmet))


def _never_together(unmet: Iterable[Unmet]) -> Iterable[Unmet]:
    """Of conditions that are open each by itself, those on numbers of sessions as one, which no number can meet."""
    counts = [one for one in unmet if one.part and SESSION_COUNTS & {test.field for test in tests_of(one.part)}]
    yield from (one for one in unmet if one not in counts)
    parts = Every(tuple(one.part for one in counts if one.part))
    yield Unmet(counts[0].pattern, tuple(at for one in counts for at in one.places), parts, counts[0].fact, stands=False)
