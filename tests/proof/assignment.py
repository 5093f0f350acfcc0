"""One real patient as values of the solver's variables, so that formulas can be held against the reference evaluator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
import z3

from careplan.authoring.proof.symbols import PROBLEMS, SymbolicPatient
from careplan.facts.case import Case, Fact, Value
from careplan.facts.hold_question import MAY_PROTECT, PROTECTED_INDICATIONS
from careplan.facts.protocol_limits import Plausibility
from careplan.inference.three_valued import standing
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.medicine_rows import Ingredient
from careplan.rulebook.factors import KINDS, SINGLE


class Chosen(msgspec.Struct, frozen=True):
    """The facts that the symbolic medicine, check, shared class, condition and goal stand for; None where there is none."""

    facts: dict[str, Fact | None]

    @classmethod
    def of(cls, case: Case, pick: int) -> Chosen:
        """One fact of each kind, by a number."""
        kinds = [kind for kind, described in KINDS.items() if described.many]
        found = {kind: [fact for fact in case.facts if fact.kind == kind] for kind in kinds}
        return cls({kind: facts[pick % len(facts)] if facts else None for kind, facts in found.items()})

    def looked_at(self, facts: Sequence[Fact]) -> list[Fact]:
        """The facts of the whole patient and the chosen ones."""
        return [fact for fact in facts if not KINDS[fact.kind].many or fact is self.facts[fact.kind]]


def assigned(symbolic: SymbolicPatient, case: Case, chosen: Chosen) -> Iterator[Any]:
    """What the variables are for this patient."""
    patient = case.patient
    sources = {kind: patient if kind == "patient" else getattr(patient, kind) for kind in SINGLE}
    if patient.protocol is not None:
        sources["protocol"] = Plausibility(symbolic.book).usable(patient.protocol)
    for kind in SINGLE:
        for (of, name), answer in symbolic.answers.items():
            if of != kind or name in ("sessions_left", "beyond_plan", "indication_read", "approved", "doubtful"):
                continue
            value = getattr(sources[kind], name, None)
            if (kind, name) == ("treatment", "response_so_far") and value is None and case.measured.response is not None:
                value = case.measured.response[0]
            yield answer.known == (value is not None)
            if value is not None:
                yield answer.value == (answer.tokens.index(value) if answer.tokens else _exact(value))
    yield symbolic.answers["treatment", "indication_read"].value == bool(case.read_off)
    yield symbolic.answers["protocol", "doubtful"].value == bool(case.doubts)
    yield symbolic.answers["protocol", "approved"].value == bool(patient.protocol and patient.protocol.approved_by)
    yield symbolic.day.answer.known == (patient.as_of is not None)
    if patient.as_of is not None:
        yield symbolic.day.answer.value == date.fromisoformat(patient.as_of).toordinal()
    yield from _conditions(symbolic, case, chosen.facts["condition"])
    yield from _medicines(symbolic, case, chosen.facts["medicine"])
    yield from _checks(symbolic, chosen)
    yield from _goals(symbolic, case, chosen.facts["goal"])
    yield from _measures(symbolic, case, chosen.facts["measure_check"])
    yield from _derived(symbolic, case, chosen.facts["medicine"])


_NOT: dict[int, tuple[Any, Any]] = {}
"""What was negated before, with what it is the negation of, whose number is taken as long as it lasts."""


def _so(variable: Any, value: bool) -> Any:  # noqa: FBT001 - the value of a variable
    """A variable of yes or no with its value. There are hundreds, and z3 takes long to write each as an equation."""
    if value:
        return variable
    number = variable.get_id()
    if number not in _NOT:
        _NOT[number] = (z3.Not(variable), variable)
    return _NOT[number][0]


def _exact(value: Value) -> Any:
    return value if isinstance(value, bool) else z3.RealVal(str(value)) if isinstance(value, float) else z3.IntVal(value)


def _measures(symbolic: SymbolicPatient, case: Case, chosen: Fact | None) -> Iterator[Any]:
    measured = case.measured
    for kind, found in (("measures", measured.taken), ("earlier_measures", measured.earlier)):
        for name in symbolic.book.vocabulary.measures:
            answer, taken = symbolic.answers[kind, name], found.get(name)
            yield _so(answer.known, taken is not None)
            if taken is not None:
                yield answer.value == (answer.tokens.index(str(taken.value)) if answer.tokens else _exact(taken.value))
    for name, taken in measured.taken.items():
        yield symbolic.answers["measured_days_ago", name].value == taken.days
    for name, first in symbolic.measures.first.items():
        changed = measured.changes.get(name)
        yield _so(symbolic.answers["score_change", name].known, changed is not None)
        if changed is not None:
            yield first == _exact(float(changed.first.value))
    yield _so(symbolic.measures.check, chosen is not None)
    if chosen is not None:
        problem = symbolic.answers["measure_check", "problem"]
        yield problem.value == problem.tokens.index(str(chosen.properties["problem"]))


def _derived(symbolic: SymbolicPatient, case: Case, chosen: Fact | None) -> Iterator[Any]:
    """What is supposed of the medicines besides the one looked at, and the days since the dates that were sent."""
    derived, facts = symbolic.book.derived, {fact.kind: fact.properties for fact in case.facts}
    besides = [fact for fact in case.facts if fact.kind == "medicine" and fact is not chosen]
    for (_, pattern), others in symbolic.derived.others.items():
        if z3.is_const(others.holds):
            held = [standing(fact.kind, pattern.tests, whole=fact.whole)(fact.properties) for fact in besides]
            yield _so(others.holds, any(each is True for each in held))
            yield _so(others.fails, all(each is False for each in held))
    apart = [fact for fact in besides if chosen is None or fact.ingredient is not chosen.ingredient]
    for name, others in symbolic.derived.beside.items():
        asked = derived[name].of_one_medicine
        if asked is not None and z3.is_const(others.holds):
            held = [standing(fact.kind, asked.tests, whole=fact.whole)(fact.properties) for fact in apart]
            yield _so(others.holds, any(each is True for each in held))
            yield _so(others.fails, all(each is False for each in held))
    for name, one in derived.items():
        properties = facts.get(one.kind, {})
        if one.kind == "days_since":
            answer, days = symbolic.answers["days_since", name], properties.get(name)
            yield _so(answer.known, days is not None)
            if days is not None:
                yield answer.value == _exact(days)
        elif one.counted is not None and z3.is_const((span := symbolic.spans["counts", name]).least):
            yield span.least == _exact(properties.get(f"{name}_least", 0.0))
            yield span.most == _exact(properties.get(f"{name}_most", properties.get(f"{name}_least", 0.0)))


def _conditions(symbolic: SymbolicPatient, case: Case, chosen: Fact | None) -> Iterator[Any]:
    conditions = case.patient.conditions
    yield symbolic.conditions_asked == (conditions is not None)
    yield symbolic.unread_conditions == case.unread.any_of("conditions")
    yield symbolic.known_conditions == bool(case.known.conditions)
    yield symbolic.contradicted == bool(case.illnesses.contradicted)
    for name, urgent in symbolic.urgent.items():
        yield urgent == bool(getattr(case.illnesses.urgent, name))
    for name, there in symbolic.has.items():
        yield _so(there, name in case.illnesses.tokens)
    if chosen is not None:
        yield symbolic.condition == list(symbolic.has).index(str(chosen.properties["name"]))


def _medicines(symbolic: SymbolicPatient, case: Case, chosen: Fact | None) -> Iterator[Any]:
    names = [row.ingredient for row in symbolic.ingredients]
    yield symbolic.medicines_asked == (case.patient.medications is not None)
    yield symbolic.has_medicine == (chosen is not None)
    yield symbolic.unread_entries == case.unread.any_of("medications")
    yield symbolic.known_medicines == bool(case.known.medications)
    own = case.medicines[chosen.indexes[0]] if chosen is not None else None
    ingredient = chosen.ingredient.ingredient if chosen is not None and chosen.ingredient else ""
    besides = {row for resolved in case.medicines if resolved is not own for row in _ingredients(resolved)}
    besides |= {row for row in (_ingredients(own) if own else ()) if row != ingredient}
    for name, taken in symbolic.other.items():
        yield _so(taken, name in besides)
    for name, signed in symbolic.signed_holds.items():
        holds = case.patient.protocol.holds if case.patient.protocol else []
        yield _so(signed, any(hold.drug_class == name for hold in holds))
    others = [resolved for resolved in case.medicines if resolved is not own]
    # What stands beside the medicine in its own entry counts as another one.
    beside = [own] if own is not None and len(_ingredients(own)) > 1 else []
    yield symbolic.other_protects == any(_protects(resolved) for resolved in (*others, *beside))
    yield symbolic.other_withdrawal == any(
        resolved.entry.indication == "alcohol_withdrawal" for resolved in (*others, *beside)
    )
    rows = [(resolved, row) for resolved in others for row in _rows(resolved)]
    rows += [(resolved, row) for resolved in beside for row in _rows(resolved) if row.ingredient != ingredient]
    habits = {name for name, words in symbolic.book.classes.items() if words.daily_use_closes_hold}
    yield symbolic.other_daily == any(
        resolved.entry.schedule == "daily" and bool(habits & set(row.classes)) for resolved, row in rows
    )
    habit = any(row.ingredient == ingredient and bool(habits & set(row.classes)) for row in symbolic.ingredients)
    calming = {"benzodiazepine"} | (habits if habit else set())
    yield symbolic.other_missing == any(_missing(resolved, row, calming, ingredient) for resolved, row in rows)
    yield symbolic.other_unclear == any(_unclear(resolved, row, ingredient) for resolved, row in rows)
    yield symbolic.other_rescue == any(row.ingredient == ingredient and _is_rescue(resolved) for resolved, row in rows)
    too_long = chosen.properties.get("gap_too_long") if chosen is not None else None
    yield from _doses(symbolic, case, chosen)
    yield symbolic.disagrees == bool(own is not None and own.contradicts_itself)
    yield symbolic.gap.known == (too_long is not None)
    yield symbolic.gap.value == (too_long is True)
    if own is None:
        return
    yield symbolic.ingredient == names.index(ingredient)
    yield symbolic.problem == PROBLEMS.index(own.problem or "none")
    yield symbolic.rescue_product == bool(own.match and own.match.rescue)
    yield symbolic.depot_product == bool(own.match and own.match.depot)
    for answer, value in (
        (symbolic.sent_schedule, own.entry.schedule),
        (symbolic.answers["medicine", "indication"], own.entry.indication),
    ):
        yield answer.known == (value is not None)
        if value is not None:
            yield answer.value == answer.tokens.index(value)


def _doses(symbolic: SymbolicPatient, case: Case, chosen: Fact | None) -> Iterator[Any]:
    facts = {"medicine": chosen, "regimen": next((fact for fact in case.facts if fact.kind == "regimen"), None)}
    for (kind, name), span in symbolic.spans.items():
        if kind not in facts:
            continue
        properties = fact.properties if (fact := facts[kind]) is not None else {}
        least, most = properties.get(f"{name}_least"), properties.get(f"{name}_most")
        if least is None:
            continue  # no rule looks at it, or nothing is known
        yield z3.And(span.there, span.least == _exact(least), span.bounded == (most is not None))
        if most is not None:
            yield span.most == _exact(most)


def _protects(resolved: Resolved) -> bool:
    rescue = _is_rescue(resolved)
    rows = resolved.match.ingredients if resolved.match else ()
    calms = any("benzodiazepine" in row.classes for row in rows)
    return resolved.entry.indication in PROTECTED_INDICATIONS or (rescue and calms)


def _is_rescue(resolved: Resolved) -> bool:
    return resolved.entry.schedule == "rescue" or bool(resolved.match and resolved.match.rescue)


def _rows(resolved: Resolved) -> tuple[Ingredient, ...]:
    return resolved.match.ingredients if resolved.match else ()


def _ingredients(resolved: Resolved) -> set[str]:
    return {row.ingredient for row in resolved.match.ingredients} if resolved.match else set()


def _checks(symbolic: SymbolicPatient, chosen: Chosen) -> Iterator[Any]:
    check, shared = chosen.facts["medicine_check"], chosen.facts["shared_class"]
    yield symbolic.has_check == (check is not None)
    if check is not None:
        yield symbolic.check_problem == PROBLEMS.index(str(check.properties["problem"]))
        yield symbolic.answers["medicine_check", "suggestion"].value == check.properties["suggestion"]
    yield symbolic.has_shared == (shared is not None)
    if shared is not None:
        answer = symbolic.answers["shared_class", "class"]
        yield answer.value == answer.tokens.index(str(shared.properties["class"]))


def _goals(symbolic: SymbolicPatient, case: Case, chosen: Fact | None) -> Iterator[Any]:
    goals = case.patient.expectations.goals
    yield symbolic.goals_asked == (goals is not None)
    read = [goal for at, goal in enumerate(case.goals) if at not in case.unread.goals]
    yield symbolic.unread_goals == case.unread.any_of("goals")
    yield symbolic.goal_count == len(read)
    yield symbolic.answers["goals", "specific_count"].value == sum(goal.specific for goal in read)
    clear = all(goal.safety == "none" for goal in read)
    yield symbolic.answers["goals", "all_clear"].value == clear
    yield symbolic.answers["goals", "some_protected"].value == any(goal.protected for goal in case.goals)
    if chosen is not None:
        for name in KINDS["goal"].fields:
            answer, value = symbolic.answers["goal", name], chosen.properties[name]
            yield answer.value == (answer.tokens.index(str(value)) if answer.tokens else value)


def _missing(resolved: Resolved, row: Ingredient, calming: set[str], ingredient: str) -> bool:
    """Whether an answer about another entry is missing that could close the question of the medicine looked at."""
    entry, same = resolved.entry, row.ingredient == ingredient
    if entry.indication is None and (same or MAY_PROTECT & set(row.classes)):
        return True
    return entry.schedule is None and (same or bool(calming & set(row.classes)))


def _unclear(resolved: Resolved, row: Ingredient, ingredient: str) -> bool:
    """Whether another entry does not say enough to open the question of the medicine looked at."""
    if resolved.problem == "code_and_name_disagree" or resolved.contradicts_itself:
        return True
    if resolved.problem == "code_not_recognized" and row.ingredient == ingredient:
        return True
    return resolved.entry.indication == "other" and bool(MAY_PROTECT & set(row.classes))
