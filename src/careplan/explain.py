"""Why and why not: what became of every rule for one patient, with the conditions that decided it in words."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from operator import itemgetter

import msgspec

from careplan.certainty import Certainty, list_pointer
from careplan.engine import Finding
from careplan.facts import Case, Fact
from careplan.fields import KINDS
from careplan.medications import called
from careplan.memo import Memo
from careplan.plan import ConditionReport, Explanation, Item, RuleRef, RuleReport
from careplan.rulebook.conditions import Expression, Group, Pattern, Test, tests_of
from careplan.rulebook.model import LEVELS, Rule, Rulebook
from careplan.rulebook.prose import Prose
from careplan.words import Words

_SUBJECTS = frozenset(
    {
        ("medicine", "ingredient"),
        ("medicine", "class"),
        ("medicine_check", "problem"),
        ("shared_class", "class"),
        ("condition", "name"),
    }
)
"""The tests that say what a pattern is about. Where nothing of the kind is there, the other tests make no difference."""


MOST_REMEMBERED = 1_024


class Unmet(msgspec.Struct, frozen=True):
    """A condition of a group that does not hold: one part of a pattern, or all of it where its subject is missing."""

    pattern: Pattern
    part: Expression | None
    fact: Fact | None
    stands: bool | None


class Standing(msgspec.Struct, frozen=True):
    """How a group of conditions stands: how many hold, and which do not."""

    met: int
    unmet: tuple[Unmet, ...]

    @property
    def missing(self) -> int:
        """How many conditions do not hold; a missing subject counts with all that is asked of it."""
        return sum(len(unmet.pattern.tests.parts) if unmet.part is None else 1 for unmet in self.unmet)


_Ranked = tuple[tuple[bool, int, int, int, int], RuleReport]
_rank = itemgetter(0)


class Explainer:
    """Explains plans of one rulebook. Words for conditions are made when first needed and kept."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._prose = Prose(book)
        self._words: dict[tuple[str, int], str] = {}
        self._order = {rule.id: at for at, rule in enumerate(book.in_order())}
        clusters: dict[tuple[str, ...], list[Rule]] = {}
        for rule in book.rules.values():
            kinds = {pattern.kind for group in rule.when for pattern in group}
            clusters.setdefault(tuple(sorted(kinds)), []).append(rule)
        self._clusters = tuple((at, kinds, tuple(rules)) for at, (kinds, rules) in enumerate(clusters.items()))
        self._explained: Memo[Hashable, tuple[_Ranked, ...]] = Memo(MOST_REMEMBERED)

    def explain(self, case: Case, findings: Iterable[Finding], items: Iterable[Item]) -> Explanation:
        """What became of every rule that runs."""
        certainty, words = Certainty(case), Words(self._book, case)
        made: dict[str, list[str]] = {finding.rule: [] for finding in findings}
        for item in items:
            made[item.rule.id].append(item.id)
        reports: list[_Ranked] = []
        for at, kinds, rules in self._clusters:
            key = _likeness(at, kinds, case, certainty)
            found = self._explained.get(key) if key is not None else None
            if found is None:
                found = tuple(self._ranked(self._report(rule, rule.id in made, certainty, words)) for rule in rules)
                if key is not None:
                    self._explained.keep(key, found)
            reports += found
        reports.sort(key=_rank)
        outcomes = [report.outcome for _, report in reports]
        return Explanation(
            fired=outcomes.count("fired"),
            not_fired=outcomes.count("not_fired"),
            undecided=outcomes.count("undecided"),
            rules=[
                msgspec.structs.replace(report, items=made[report.rule.id]) if report.outcome == "fired" else report
                for _, report in reports
            ],
        )

    def _ranked(self, report: RuleReport) -> _Ranked:
        return self._nearness(report), report

    def _report(self, rule: Rule, fired: bool, certainty: Certainty, words: Words) -> RuleReport:  # noqa: FBT001
        holds, pointers = certainty.of(rule.when)
        nearest = min((standing(group, certainty) for group in rule.when), key=lambda one: (one.missing, -one.met))
        return RuleReport(
            rule=RuleRef(id=rule.id, version=rule.file.version, status=rule.file.status),
            level=rule.file.level,
            section=rule.section,
            title=rule.title.bare(),
            outcome="fired" if fired else "not_fired" if holds is False else "undecided",
            met=nearest.met,
            missing=nearest.missing,
            because_not=[self._condition(unmet, certainty, words) for unmet in nearest.unmet],
            questions=sorted(pointers),
        )

    def _condition(self, unmet: Unmet, certainty: Certainty, words: Words) -> ConditionReport:
        kind = unmet.pattern.kind
        if unmet.part is None or unmet.fact is None:
            given = list(self._given_list(unmet.pattern, certainty, words))
            pointers = [list_pointer(kind)]
        else:
            given = words.given(unmet.fact, unmet.part)
            pointers = sorted(_pointers(unmet.part, unmet.fact))
        return ConditionReport(
            words=self._in_words(unmet), holds="unknown" if unmet.stands is None else "false", given=given, pointers=pointers
        )

    def _in_words(self, unmet: Unmet) -> str:
        key = (unmet.pattern.kind, id(unmet.part if unmet.part is not None else unmet.pattern))
        if key not in self._words:
            self._words[key] = (
                self._prose.pattern(unmet.pattern)
                if unmet.part is None
                else self._prose.condition(unmet.pattern.kind, unmet.part)
            )
        return self._words[key]

    def _given_list(self, pattern: Pattern, certainty: Certainty, words: Words) -> Iterator[str]:
        """What is there instead of the subject that a pattern is about."""
        kind = {"condition": "history", "goal": "goals"}.get(pattern.kind, "regimen")
        listed = self._book.vocabulary.fields[f"{kind}.list"]
        if certainty.list_is_missing(pattern.kind):
            yield listed.unknown
            return
        there = [words.entry(pattern.kind, at) for fact in certainty.known_facts(pattern.kind) for at in fact.indexes]
        if pattern.kind in ("medicine_check", "shared_class"):
            yield "nothing of this kind was found"
        elif there:
            yield f"{'has' if kind == 'history' else 'takes'} {', '.join(dict.fromkeys(there))}"
        else:
            yield listed.values["empty"] if listed.values else listed.unknown

    def _nearness(self, report: RuleReport) -> tuple[bool, int, int, int, int]:
        """Rules that did not fire first, those with the fewest conditions missing and the most met before the others."""
        fired = report.outcome == "fired"
        level, order = LEVELS.index(report.level), self._order[report.rule.id]
        return (True, 0, 0, 0, order) if fired else (False, report.missing, -report.met, level, order)


def _likeness(cluster: int, kinds: tuple[str, ...], case: Case, certainty: Certainty) -> Hashable:
    """What the reports on rules over these kinds of facts follow from; None where they would hold a caller's own words."""
    parts: list[Hashable] = [cluster]
    for kind in kinds:
        facts = certainty.known_facts(kind)
        if facts and (kind in ("goal", "medicine_check") or (kind == "protocol" and case.patient.protocol)):
            return None
        parts += [fact.mark for fact in facts]
        parts += [case.holds[fact.ingredient.ingredient] for fact in facts if fact.ingredient]
        if certainty.list_is_missing(kind):
            parts.append((kind, *case.of_any_medicine.items()))
        if kind in ("medicine", "regimen", "shared_class"):
            if any(resolved.problem == "partly_recognized" for resolved in case.medicines):
                return None
            parts += [called(resolved.match) for resolved in case.medicines]
        elif kind in ("history", "condition"):
            parts += case.patient.conditions or ()
    return tuple(parts)


def standing(group: Group, certainty: Certainty) -> Standing:
    """How a group stands on what is known now, each pattern on the fact that comes nearest to it."""
    met, unmet = 0, list[Unmet]()
    for pattern in group:
        nearest = min(
            (_on(pattern, fact, certainty) for fact in certainty.known_facts(pattern.kind)), key=_far, default=None
        )
        if nearest is None or any(one.part is None for one in nearest.unmet):
            missing = None if certainty.list_is_missing(pattern.kind) else False
            unmet.append(Unmet(pattern, None, None, missing))
        else:
            met += nearest.met
            unmet += nearest.unmet
    return Standing(met, tuple(unmet))


def _far(one: Standing) -> tuple[int, int]:
    return one.missing, -one.met


def _on(pattern: Pattern, fact: Fact, certainty: Certainty) -> Standing:
    unmet = []
    for part in pattern.tests.parts:
        stands = certainty.stands(part, fact)
        if stands is not True:
            if KINDS[pattern.kind].many and isinstance(part, Test) and (pattern.kind, part.field) in _SUBJECTS:
                return Standing(0, (Unmet(pattern, None, fact, stands),))
            unmet.append(Unmet(pattern, part, fact, stands))
    return Standing(len(pattern.tests.parts) - len(unmet), tuple(unmet))


def _pointers(part: Expression, fact: Fact) -> set[str]:
    """Where the answers stand, or would stand, that a condition looks at."""
    lists = {"medicine", "medicine_check", "shared_class", "regimen", "condition", "history", "goal", "goals"}
    if fact.kind in lists:
        base = list_pointer(fact.kind)
        return {f"{base}/{at}" for at in fact.indexes} or {base}
    found = set()
    for test in tests_of(part):
        if (fact.kind, test.field) == ("treatment", "sessions_left"):
            found |= {"/treatment/sessions_planned", "/treatment/sessions_completed"}
        elif (fact.kind, test.field) == ("protocol", "approved"):
            found.add("/protocol/approved_by")
        else:
            found.add(f"/{test.field}" if fact.kind == "patient" else f"/{fact.kind}/{test.field}")
    return found
