"""What is claimed of a rulebook for all patients: formulas that no patient may satisfy, and sentences that say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec
import z3

from careplan.authoring.proof.answers import Formula
from careplan.authoring.proof.condition_symbols import told_elsewhere
from careplan.authoring.proof.formulas import number_of, of_when
from careplan.authoring.proof.invariants import Invariant, subjects
from careplan.authoring.proof.one_more import OneMore
from careplan.authoring.proof.report import Demand, FailureKind
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.proof.terms import Exchange, all_of
from careplan.rulebook.conditions import Group, Test, tests_of
from careplan.rulebook.factors import SINGLE
from careplan.rulebook.model import LEVELS, Rule, Rulebook

HEADINGS: Mapping[FailureKind, str] = {
    "unknown_as_answer": "No rule takes a missing answer for an answer, unless it asks whether that answer is missing",
    "unread_takes_away": "No entry that nobody could read keeps a rule from coming up, unless the rule asks for certainty",
    "one_more_takes_away": "No medicine more on a list takes a caution, a hold or a stop away: one in its place stays",
    "decision": "Every plan makes each of these choices exactly once",
    "invariant": "These hold of every plan",
}
"""What is claimed for all patients, in the order of proving."""


_LEAVES = {
    False: "Another medicine on the list does not take it away, or leaves another as grave of the same topic",
    True: "Another medicine that closes the question of leaving out doses leaves a caution about the same medicine",
}


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to refute: a formula that no patient may satisfy, and how the plan of one that does would show it.

    Without `rules` no single plan can show it.
    """

    kind: FailureKind
    subject: str
    says: str
    wrong: Formula
    demand: Demand = "no_item"
    rules: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()


class Claims:
    """The claims of one rulebook over a symbolic patient; `fires` has the formula of each rule by its id."""

    def __init__(self, book: Rulebook, symbolic: SymbolicPatient) -> None:
        self.symbolic = symbolic
        self._rules = book.in_order()
        self.fires = {rule.id: z3.And(symbolic.day.within(rule.term), of_when(symbolic, rule.when)) for rule in self._rules}
        self._subjects = {rule.id: subjects(rule.when) for rule in self._rules}
        self._conditions = [Exchange([(symbolic.condition, z3.IntVal(at))]) for at in range(len(symbolic.has))]
        self._any_condition: dict[str, Formula] = {}
        self._flags: dict[str, list[Exchange]] = {}
        self._one_more = OneMore(symbolic)
        deciding = [rule for rule in self._rules if rule.file.then.decides]
        self.choices = sorted({rule.file.then.decides.subject for rule in deciding if rule.file.then.decides})

    def of_all(self, invariants: Sequence[Invariant], *, of_each_rule: bool = True) -> Iterator[Claim]:
        """Every claim, in the order of the headings; those of each rule only where they are wanted."""
        for of_rule in (self.unknown, self.takes_nothing_away, self.one_more) if of_each_rule else ():
            for rule in self._rules:
                yield from of_rule(rule)
        for choice in self.choices:
            yield self.decided_once(choice)
        for invariant in invariants:
            yield self.invariant(invariant)

    def decided_once(self, choice: str) -> Claim:
        """Exactly one rule makes a choice."""
        deciding = [rule for rule in self._rules if rule.file.then.decides and rule.file.then.decides.subject == choice]
        return Claim(
            kind="decision",
            subject=choice,
            says=f"Exactly one rule decides the {choice}",
            wrong=number_of(self.fires[rule.id] for rule in deciding) != 1,
            demand="one_item",
            rules=frozenset(rule.id for rule in deciding),
        )

    def unknown(self, rule: Rule) -> Iterator[Claim]:
        """A rule that holds while a factor is unknown, and does not ask for that, must hold whatever the answer is."""
        tests = [(pattern.kind, test) for group in rule.when for pattern in group for test in tests_of(pattern.tests)]
        asking = {(kind, test.field) for kind, test in tests if _asks_for_unknown(test)}
        fires = self.fires[rule.id]
        for kind, field in sorted({(kind, test.field) for kind, test in tests} - asking):
            answer = self.symbolic.answers.get((kind, field))
            if answer is None or not z3.is_const(answer.known) or z3.is_true(answer.known):
                continue
            silent, spoken = self._either_way(fires, answer.known)
            says = f"It does not hold while {kind}.{field} is unknown, or it holds for every answer"
            yield _without(rule, says, all_of([z3.Not(answer.known), silent, z3.Not(spoken)]))
        if not asking and all(pattern.kind != "everyone" for group in rule.when for pattern in group):
            says = "It does not hold for a patient of whom nothing is known"
            yield _without(rule, says, z3.And(fires, *map(z3.Not, self._anything_known())))

    def takes_nothing_away(self, rule: Rule) -> Iterator[Claim]:
        """An unread entry more on a list that was sent keeps no rule from firing that does not ask for certainty."""
        if rule.file.certain:
            return
        symbolic = self.symbolic
        fires = self.fires[rule.id]
        for name, asked, unread in (
            ("medicines", symbolic.medicines_asked, symbolic.unread_entries),
            ("illnesses", symbolic.conditions_asked, symbolic.unread_conditions),
            ("goals", symbolic.goals_asked, symbolic.unread_goals),
        ):
            without, with_one = self._either_way(fires, unread)
            says = f"An entry more that nobody could read among the {name} takes nothing away"
            wrong = all_of([asked, z3.Not(unread), without, z3.Not(with_one)])
            yield _without(rule, says, wrong, kind="unread_takes_away")

    def one_more(self, rule: Rule) -> Iterator[Claim]:
        """A medicine more on a list that was sent takes no rule above a note away, unless another as grave takes its place.

        Rules that ask for something that is not taken are beside this. Of those that ask whether a plan may speak of leaving
        out doses, and about which medicine, less is claimed: another medicine may close that question, and then another
        caution about the same medicine speaks.
        """
        weight, caution = LEVELS.index(rule.file.level), LEVELS.index("caution")
        if weight > caution or any(map(_ends_when_taken, rule.when)):
            return
        before = self.fires[rule.id]
        gone = self._one_more.gone(before)
        gated = any(map(_asks_to_leave_out, rule.when))
        says = _LEAVES[gated]
        others = [
            self._one_more.gone(self.fires[other.id])
            for other in self._rules
            if other is not rule
            and LEVELS.index(other.file.level) <= (caution if gated else weight)
            and ("medicine" in self._subjects[other.id] if gated else other.file.topic == rule.file.topic)
        ]
        wrong = all_of([before, gone, *others])
        if not gone.arg(0).eq(before):
            wrong = z3.And(self.symbolic.medicines_asked, self._one_more.ties(wrong), wrong)
        yield Claim(kind="one_more_takes_away", subject=rule.id, says=says, wrong=wrong)

    def invariant(self, invariant: Invariant) -> Claim:
        """What an invariant demands of every plan."""
        about = subjects(invariant.who)
        count = number_of(self.fires_for(rule, about) for rule in invariant.rules)
        wrong = {"some_item": count == 0, "no_item": count > 0, "one_item": count != 1, "at_most_one_item": count > 1}
        return Claim(
            kind="invariant",
            subject=invariant.id,
            says=invariant.title,
            wrong=z3.And(of_when(self.symbolic, invariant.who), wrong[invariant.demand]),
            demand=invariant.demand,
            rules=frozenset(rule.id for rule in invariant.rules),
            about=about,
        )

    def fires_for(self, rule: Rule, about: Set[str]) -> Formula:
        """That the rule gives an item about what an invariant is about; about any condition, if it is about none."""
        return self._of_any_condition(rule) if "condition" in self._subjects[rule.id] - about else self.fires[rule.id]

    def _either_way(self, formula: Formula, flag: Formula) -> list[Formula]:
        """What a formula says where a flag is false, and where it is true."""
        name = flag.decl().name()
        if name not in self._flags:
            self._flags[name] = [Exchange([(flag, z3.BoolVal(val=so))]) for so in (False, True)]
        return [one.in_(formula) for one in self._flags[name]]

    def _of_any_condition(self, rule: Rule) -> Formula:
        if rule.id not in self._any_condition:
            each = zip(self.symbolic.has.values(), self._conditions, strict=True)
            self._any_condition[rule.id] = z3.Or([z3.And(there, this.in_(self.fires[rule.id])) for there, this in each])
        return self._any_condition[rule.id]

    def _anything_known(self) -> Iterator[Formula]:
        symbolic = self.symbolic
        yield from (symbolic.conditions_asked, symbolic.unread_conditions, symbolic.known_conditions)
        yield from (symbolic.medicines_asked, symbolic.goals_asked, *told_elsewhere(symbolic.book, symbolic.has))
        yield symbolic.answers["protocol", "approved"].value
        yield from (
            answer.known for (kind, name), answer in symbolic.answers.items() if kind in SINGLE and name != "approved"
        )


def _without(rule: Rule, says: str, wrong: Formula, kind: FailureKind = "unknown_as_answer") -> Claim:
    return Claim(kind=kind, subject=rule.id, says=says, wrong=wrong, rules=frozenset({rule.id}))


def _ends_when_taken(group: Group) -> bool:
    """Whether a group asks that something is not taken."""
    return any(test.operation == "has_none" and test.field in ("takes", "beside") for test in _of_medicines(group))


def _asks_to_leave_out(group: Group) -> bool:
    """Whether a group asks that the question of leaving out doses is not closed."""
    tests = [test for test in _of_medicines(group) if test.field == "hold_question"]
    return any("open" in test.values or "closed" not in test.values for test in tests)


def _of_medicines(group: Group) -> Iterator[Test]:
    return (test for pattern in group if pattern.kind in ("regimen", "medicine") for test in tests_of(pattern.tests))


def _asks_for_unknown(test: Test) -> bool:
    return test.operation in ("unknown", "one_of_or_unknown") or test.field == "list"
