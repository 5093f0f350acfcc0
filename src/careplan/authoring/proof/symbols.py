"""A patient with every answer open: the variables of the solver, and what holds of every real patient among them.

A plan looks at one medicine, condition, goal or entry at a time beside the facts about the whole patient. So one
symbolic medicine stands for any medicine of any patient, one symbolic condition for any condition, and so on; what the
rest of the list adds is in `other` (the ingredients taken besides) and `other_protects`. The constraints follow `facts`,
`hold_question` and `decode`, and admit rather more patients than there are, so that what is proved holds of every real one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import z3

from careplan.authoring.proof.answers import CLOSING_ANSWERS, YES, Answer, Formula, list_state
from careplan.authoring.proof.condition_symbols import constraints as of_conditions
from careplan.authoring.proof.day_symbols import SymbolicDay
from careplan.authoring.proof.derived_symbols import SymbolicDerived
from careplan.authoring.proof.dose_symbols import constraints, spans
from careplan.authoring.proof.goal_symbols import SymbolicGoals
from careplan.authoring.proof.indication import constraints as of_indication
from careplan.authoring.proof.measure_symbols import SymbolicMeasures
from careplan.authoring.proof.terms import any_of
from careplan.facts.hold_question import MAY_PROTECT, PROTECTED_INDICATIONS
from careplan.facts.used_fields import looked_at
from careplan.recognition.medicine_rows import Ingredient
from careplan.request import patient as request
from careplan.rulebook.factors import KINDS, LIMITS, SINGLE
from careplan.rulebook.model import Rulebook

PROBLEMS = ("none", *KINDS["medicine_check"].fields["problem"].tokens)
_OF_NO_MEDICINE = ("not_recognized", "no_rule", "fields_and_text_disagree", "on_hold", "among_allergies")


class SymbolicPatient:
    """The variables, and in `constraints` what holds of every patient."""

    def __init__(self, book: Rulebook, besides: Iterable[Ingredient] = ()) -> None:
        self.book = book
        self.constraints: list[Formula] = []
        self.ingredients = (*book.catalogue.ingredients.values(), *besides)
        self._is, self._present, self.answers = dict[str, Formula](), dict[str, Formula](), dict[tuple[str, str], Answer]()
        self._single_answers()
        self._conditions()
        self._medicines()
        self._shared_class()
        self._medicine_check()
        self._goals()
        self.measures = SymbolicMeasures(book, self.answers)
        self.answers |= self.measures.answers
        self._present["measure_check"] = self.measures.check
        self._entries()
        self.spans = spans()
        doses = constraints(self.spans, self.medicines_asked, self.has_medicine, self.takes_any)
        self._add(*self.measures.constraints, *doses)
        self.derived = SymbolicDerived(book.derived.values(), self, self.ingredients)
        self.answers |= self.derived.answers
        self.spans, self.day = self.spans | self.derived.spans, SymbolicDay(book.terms)
        self._add(*self.derived.constraints, *self.day.constraints)

    def members(self, kind: str, field: str, token: str) -> tuple[Formula, Formula]:
        """That a field of several values is known to hold `token`, and that it is known or presumed not to hold it."""
        match kind, field:
            case "history", "has":
                return self.has[token], z3.And(self.conditions_asked, z3.Not(self.has[token]))
            case "regimen", "takes":
                taken = self.takes_any(token)
                return taken, z3.And(self.medicines_asked, z3.Not(taken))
            case "medicine", "beside":
                return self.derived.beside[token]
            case _:
                return (held := self.is_one_of(self._rows_of(token))), z3.Not(held)

    def is_one_of(self, rows: Iterable[Ingredient]) -> Formula:
        """That the medicine looked at is one of these."""
        return any_of(self._is[row.ingredient] for row in rows)

    def takes_any(self, token: str) -> Formula:
        """That the patient is known to take this ingredient, or something of this class."""
        return any_of(self.takes[row.ingredient] for row in self._rows_of(token))

    def present(self, kind: str) -> Formula:
        """That there is a fact of this kind."""
        return self._present.get(kind, YES)

    def _rows_of(self, token: str) -> list[Ingredient]:
        return [row for row in self.ingredients if token in row.tokens]

    def _add(self, *formulas: Formula) -> None:
        self.constraints += formulas

    def _token(self, name: str, tokens: Sequence[str]) -> Any:
        """An integer variable for one of `tokens`."""
        variable = z3.Int(name)
        self._add(variable >= 0, variable < len(tokens))
        return variable

    def _single_answers(self) -> None:
        for kind in SINGLE:
            for name, field in KINDS[kind].fields.items():
                if not field.sent:
                    continue
                label = f"{kind}.{name}"
                known = z3.Bool(f"{label}?")
                if field.type == "boolean":
                    self.answers[kind, name] = Answer(known, z3.Bool(label))
                elif field.type == "token":
                    self.answers[kind, name] = Answer(known, self._token(label, field.tokens), field.tokens)
                else:
                    limits = LIMITS[label]
                    number = (z3.Int if limits.whole else z3.Real)(label)
                    self._add(number >= limits.least, number <= limits.most)
                    self.answers[kind, name] = Answer(known, number)
        planned, completed = (self.answers["treatment", name] for name in ("sessions_planned", "sessions_completed"))
        both, left = z3.And(planned.known, completed.known), planned.value - completed.value
        self.answers["treatment", "sessions_left"] = Answer(both, z3.If(left > 0, left, z3.IntVal(0)))
        self.answers["treatment", "beyond_plan"] = Answer(both, left < 0)
        self.answers["treatment", "indication_read"] = Answer(YES, z3.Bool("treatment.indication_read"))
        self.answers["protocol", "approved"] = Answer(YES, approved := z3.Bool("protocol.approved"))
        self.answers["protocol", "doubtful"] = Answer(YES, z3.Bool("protocol.doubtful"))
        for name in request.PROTOCOL_FIGURES:
            figure, bounds_of = self.answers["protocol", name], self.book.about.plausible.get(name)
            self._add(z3.Implies(figure.known, approved))
            if bounds_of is not None:
                least, most = z3.RealVal(str(bounds_of.least)), z3.RealVal(str(bounds_of.most))
                self._add(z3.Implies(figure.known, z3.And(figure.value >= least, figure.value <= most)))

    def _conditions(self) -> None:
        """What the patient has, and `condition`: any one of them."""
        names = tuple(self.book.conditions)
        self.conditions_asked, self.known_conditions = z3.Bool("conditions?"), z3.Bool("conditions without a rule?")
        self.unread_conditions, self.contradicted = z3.Bool("conditions not read?"), z3.Bool("entries.contradicted")
        self.urgent = {name: z3.Bool(f"entries.{name}") for name in ("danger", "grave")}
        self.has = {name: z3.Bool(f"has.{name}") for name in names}
        self.condition = self._token("condition", names)
        self._present["condition"] = z3.Or(list(self.has.values()))
        looked_at = [z3.And(self.present("condition"), self.condition == at) for at in range(len(names))]
        self._add(*map(z3.Implies, looked_at, self.has.values()), *of_conditions(self.book, self.has, self.conditions_asked))
        self.answers["condition", "name"] = Answer(YES, self.condition, names)
        treated, read_off = (self.answers["treatment", name] for name in ("indication", "indication_read"))
        self._add(*of_indication(self.book.conditions, self.has, treated, read_off))
        listed = z3.Or(self.present("condition"), self.unread_conditions, self.known_conditions)
        self.answers["history", "list"] = list_state(self.conditions_asked, listed)
        self.answers["history", "unread"] = Answer(YES, self.unread_conditions)

    def _medicines(self) -> None:
        """The medicine looked at, the others taken besides, and what the list says as a whole."""
        fields = KINDS["medicine"].fields
        self.medicines_asked, self.has_medicine = z3.Bool("medications?"), z3.Bool("medicine?")
        self._present["medicine"] = self.has_medicine
        self.ingredient = self._token("medicine", [row.ingredient for row in self.ingredients])
        self._is = {row.ingredient: self.ingredient == at for at, row in enumerate(self.ingredients)}
        self.other = {row.ingredient: z3.Bool(f"other.{row.ingredient}") for row in self.ingredients}
        self.takes = {name: z3.Or(self.other[name], z3.And(self.has_medicine, this)) for name, this in self._is.items()}
        self.unread_entries = z3.Bool("entries that were not fully recognized")
        self.known_medicines = z3.Bool("medicines without a rule?")
        self.problem = self._token("medicine.problem", PROBLEMS)
        self._add(*(self.problem != PROBLEMS.index(name) for name in _OF_NO_MEDICINE))
        self.disagrees = z3.Bool("fields and text of the medicine disagree, or it is on hold")
        in_part = self.problem == PROBLEMS.index("partly_recognized")
        self._add(z3.Implies(z3.And(self.has_medicine, in_part), self.unread_entries))
        filled = z3.Or(self.unread_entries, self.known_medicines, *self.takes.values())
        self._add(z3.Implies(filled, self.medicines_asked))
        self.answers["regimen", "list"] = list_state(self.medicines_asked, filled)
        self.answers["regimen", "unread"] = Answer(YES, self.unread_entries)

        row_answers, names = self.answers, tuple(row.ingredient for row in self.ingredients)
        row_answers["medicine", "ingredient"] = Answer(YES, self.ingredient, names)
        row_answers["medicine", "half_life"] = self._half_life(fields["half_life"].tokens)
        self._schedule_and_indication()
        self._taken_again = z3.Or([z3.And(this, self.other[name]) for name, this in self._is.items()])
        row_answers["medicine", "sent_twice"] = Answer(YES, self._taken_again)
        self.signed_holds = {name: z3.Bool(f"hold.{name}") for name in self.book.classes}
        doubtful, approved = (self.answers["protocol", name].value for name in ("doubtful", "approved"))
        self._add(z3.Implies(doubtful, z3.Or(approved, *self.signed_holds.values())))
        row_answers["medicine", "protocol_hold"] = Answer(
            YES,
            z3.Or(
                [
                    z3.And(signed, self.is_one_of(self._rows_of(name)))
                    for name, signed in self.signed_holds.items()
                    if self._rows_of(name)
                ]
            ),
        )
        self.gap = row_answers["medicine", "gap_too_long"] = self._gap_too_long()
        row_answers["medicine", "hold_question"] = self._hold_question()
        row_answers["regimen", "against_withdrawal"] = self._against_withdrawal()

    def _half_life(self, groups: tuple[str, ...]) -> Answer:
        group = self._token("medicine.half_life", groups)
        for at, name in enumerate(groups):
            rows = [row for row in self.ingredients if row.half_life == name]
            self._add(z3.Implies(self.is_one_of(rows), group == at))
        known = self.is_one_of([row for row in self.ingredients if row.half_life])
        return Answer(known, group, groups)

    def _schedule_and_indication(self) -> None:
        schedules = KINDS["medicine"].fields["schedule"].tokens
        self.sent_schedule = Answer(z3.Bool("medicine.schedule?"), self._token("medicine.schedule", schedules), schedules)
        self.rescue_product = z3.Bool("medicine is a rescue product")
        rows = {row.ingredient for row in self.ingredients if row.rescue_brands} | {
            name for product in self.book.catalogue.combinations if product.rescue for name in product.ingredients
        }
        in_rescue = [row for row in self.ingredients if row.ingredient in rows]
        # An entry may name the rescue product beside the medicine; the product is then among what is taken besides.
        named = [self.is_one_of(in_rescue), *(self.other[row.ingredient] for row in in_rescue)]
        disagree = self.problem == PROBLEMS.index("code_and_name_disagree")
        self._add(z3.Implies(self.rescue_product, z3.And(z3.Or(named), z3.Not(disagree))))  # then it is read as no product
        self.depot_product = z3.Bool("medicine is a long-acting injection")
        depot = self.is_one_of([row for row in self.ingredients if row.depot_brands])
        more = z3.Or(self.problem == PROBLEMS.index("partly_recognized"), disagree)
        self._add(z3.Implies(self.depot_product, z3.And(z3.Not(more), depot)))  # an entry that names more is not read as it
        by_product = schedules.index("rescue"), schedules.index("long_acting_injection")
        self.answers["medicine", "schedule"] = Answer(
            z3.Or(self.rescue_product, self.depot_product, self.sent_schedule.known),
            z3.If(self.rescue_product, by_product[0], z3.If(self.depot_product, by_product[1], self.sent_schedule.value)),
            schedules,
        )
        indications = KINDS["medicine"].fields["indication"].tokens
        self.answers["medicine", "indication"] = Answer(
            z3.Bool("medicine.indication?"), self._token("medicine.indication", indications), indications
        )

    def _hold_question(self) -> Answer:
        """Whether the plan may speak of leaving out doses of the medicine, as `hold_question` decides it."""
        schedule = self.answers["medicine", "schedule"]
        asked = z3.And(self.conditions_asked, *(self.answers[place].known for place in CLOSING_ANSWERS))
        indication = self.answers["medicine", "indication"]
        habit_rows = [row for row in self.ingredients if self._makes_dependent(row)]
        may_protect_rows = [row for row in self.ingredients if MAY_PROTECT & set(row.classes)]
        habit, may_protect = (self.is_one_of(rows) for rows in (habit_rows, may_protect_rows))
        self.other_protects = z3.Bool("another entry is taken for a protected reason")
        self.other_daily = z3.Bool("another medicine that makes dependent is taken daily")
        self.other_missing = z3.Bool("an answer about another medicine is missing that could close the question")
        self.other_unclear = z3.Bool("another entry does not say enough to open the question")
        self.other_rescue = z3.Bool("the same ingredient is kept as rescue in another entry")
        bearing = {row.ingredient for row in (*habit_rows, *may_protect_rows)}
        calms = self.is_one_of(self._rows_of("benzodiazepine"))
        self._add(
            z3.Implies(self.other_protects, z3.Or(self.unread_entries, self.known_medicines, *self.other.values())),
            z3.Implies(self.other_daily, z3.Or([self.other[row.ingredient] for row in habit_rows])),
            z3.Implies(self.other_missing, z3.Or(self._taken_again, *(self.other[name] for name in sorted(bearing)))),
            z3.Implies(self.other_unclear, z3.Or(list(self.other.values()))),
            # A benzodiazepine kept as rescue closes everything, which `other_protects` says.
            z3.Implies(self.other_rescue, z3.And(self._taken_again, z3.Or(z3.Not(calms), self.other_protects))),
        )
        rescue = z3.And(schedule.known, schedule.is_("rescue"))
        reasons = [indication.is_(name) for name in sorted(PROTECTED_INDICATIONS)]
        own_protects = z3.Or(z3.And(indication.known, z3.Or(reasons)), z3.And(rescue, calms))
        never = self.is_one_of([row for row in self.ingredients if row.hold != "ask"])
        daily = z3.And(self.sent_schedule.known, self.sent_schedule.is_("daily"))
        closed = z3.Or(
            never,
            self._danger(),
            self.other_protects,
            own_protects,
            rescue,
            self.other_rescue,
            z3.And(habit, z3.Or(daily, self.other_daily)),
        )
        missing = z3.Or(z3.Not(asked), z3.Not(self.sent_schedule.known), z3.Not(indication.known), self.other_missing)
        troubled = [PROBLEMS.index(name) for name in ("code_not_recognized", "code_and_name_disagree")]
        unclear = z3.Or(
            self.unread_entries,
            self.unread_conditions,
            self.other_unclear,
            z3.Or(self.disagrees, self.is_one_of([row for row in self.ingredients if row.by_kind])),
            z3.And(indication.known, indication.is_("other"), may_protect),
            *(self.problem == at for at in troubled),
            z3.And(self.gap.known, self.gap.value),
        )
        return Answer(z3.Or(closed, z3.Not(missing)), z3.If(closed, 1, z3.If(unclear, 2, 0)), ("open", "closed", "unclear"))

    def _gap_too_long(self) -> Answer:
        """Whether the signed windows join to a longer time without the medicine than its own limit."""
        limited = self.is_one_of([row for row in self.ingredients if row.longest_gap])
        known, value = z3.Bool("medicine.gap_too_long?"), z3.Bool("medicine.gap_too_long")
        self._add(z3.Implies(known, z3.And(limited, self.answers["medicine", "protocol_hold"].value)))
        return Answer(known, value)

    def _against_withdrawal(self) -> Answer:
        """Whether any entry is said to be taken against alcohol withdrawal."""
        indication = self.answers["medicine", "indication"]
        self.other_withdrawal = z3.Bool("another entry is taken against alcohol withdrawal")
        self._add(z3.Implies(self.other_withdrawal, self.other_protects))
        own = z3.And(self.has_medicine, indication.known, indication.is_("alcohol_withdrawal"))
        return Answer(YES, z3.Or(own, self.other_withdrawal))

    def _makes_dependent(self, row: Ingredient) -> bool:
        return any(self.book.classes[name].daily_use_closes_hold for name in row.classes)

    def _danger(self) -> Formula:
        """What closes the question for every medicine, outside the list of medicines."""
        drinks, *flags = (self.answers[place] for place in CLOSING_ANSWERS)
        limit = z3.RealVal(str(self.book.about.drinks_that_close_holds))
        if_drinking = [name for name, entry in self.book.conditions.items() if entry.closes_hold_if_drinking]
        return z3.Or(
            *(self.has[name] for name, entry in self.book.conditions.items() if entry.closes_hold),
            *(z3.And(flag.known, flag.value) for flag in flags),
            z3.And(drinks.known, drinks.value >= limit),
            z3.And(drinks.known, drinks.value > 0, z3.Or([self.has[name] for name in if_drinking])),
        )

    def _shared_class(self) -> None:
        """Any class that came through two or more ingredients."""
        names = tuple(self.book.classes)
        self._present["shared_class"] = self.has_shared = z3.Bool("shared_class?")
        shared, count = self._token("shared_class", names), z3.Int("shared_class.count")
        for at, name in enumerate(names):
            rows = self._rows_of(name)
            taken = z3.Sum([z3.If(self.takes[row.ingredient], 1, 0) for row in rows]) if rows else z3.IntVal(0)
            self._add(z3.Implies(z3.And(self.has_shared, shared == at), z3.And(count == taken, count >= 2)))
        self.answers |= {
            ("shared_class", "class"): Answer(YES, shared, names),
            ("shared_class", "count"): Answer(YES, count),
        }

    def _medicine_check(self) -> None:
        """Any trouble with any entry of the list of medicines."""
        self._present["medicine_check"] = self.has_check = z3.Bool("medicine_check?")
        self.check_problem = self._token("medicine_check.problem", PROBLEMS)
        suggestion, used = z3.Bool("medicine_check.suggestion"), looked_at(self.book)
        unread = [PROBLEMS.index(name) for name in ("not_recognized", "partly_recognized")]
        of_a_medicine = [PROBLEMS.index(name) for name in ("code_not_recognized", "among_allergies")]
        any_taken = z3.Or(list(self.takes.values()))
        self.silent = tuple(row.ingredient for row in self.ingredients if used.isdisjoint(row.tokens))
        self._add(
            self.check_problem != PROBLEMS.index("none"),
            z3.Implies(self.has_check, self.medicines_asked),
            z3.Implies(z3.And(self.has_check, z3.Or([self.check_problem == at for at in unread])), self.unread_entries),
            z3.Implies(
                z3.And(self.has_check, self.check_problem == PROBLEMS.index("no_rule")),
                z3.Or([self.takes[name] for name in self.silent]),
            ),
            z3.Implies(z3.And(self.has_check, z3.Or([self.check_problem == at for at in of_a_medicine])), any_taken),
            z3.Implies(suggestion, z3.Or([self.check_problem == at for at in unread])),
        )
        problem = Answer(YES, self.check_problem, PROBLEMS)
        self.answers |= {("medicine_check", "problem"): problem, ("medicine_check", "suggestion"): Answer(YES, suggestion)}

    def _goals(self) -> None:
        """Any goal, and the goals that were read as a whole."""
        goals = SymbolicGoals()
        self.goals_asked, self.unread_goals, self.goal_count = goals.asked, goals.unread, goals.count
        self.has_goal = self._present["goal"] = goals.present
        self.goal_is_read = goals.is_read
        self.answers |= goals.answers
        self.answers["goals", "list"] = list_state(goals.asked, goals.present)
        self._add(*goals.constraints)

    def _entries(self) -> None:
        """Whether any entry of any list could not be read, and whether any is known though no rule concerns it."""
        unread = z3.Or(self.unread_entries, self.unread_conditions, self.unread_goals)
        known = z3.Or(self.known_medicines, self.known_conditions)
        said = {"unread": unread, "known": known, "contradicted": self.contradicted, **self.urgent}
        self.answers |= {("entries", name): Answer(YES, value) for name, value in said.items()}
