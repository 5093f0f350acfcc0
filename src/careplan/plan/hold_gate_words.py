"""What a clinician reads about a hold that no patient may read of: the clinic's signed figure, and why it is not shown."""

from __future__ import annotations

import msgspec

from careplan.facts.case import Case, Fact
from careplan.facts.hold_question import HoldQuestions
from careplan.facts.unread_entries import Entries
from careplan.plan.hold_sentences import GateSentences
from careplan.plan.model import Gap, GateFact, HoldGate, SignedHold
from careplan.plan.wording import Words
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import hours, in_words, one_line

_STATES = {"open": "open", "closed": "closed", "unclear": "unclear", None: "waiting"}


class GateWords:
    """Words about the holds of one case."""

    def __init__(self, book: Rulebook, questions: HoldQuestions, case: Case, words: Words) -> None:
        self._book = book
        self._questions = questions
        self._case = case
        self._words = words
        self._entries = words.entries

    def of(self, fact: Fact) -> HoldGate:
        """The gate for one medicine, `fact`, with every fact that bears on it."""
        assert fact.ingredient
        name, case = fact.ingredient.ingredient, self._case
        question = case.holds[name]
        hold = self._words.holds.of(fact)
        signed = None
        if hold is not None:
            signed = SignedHold(
                drug_class=hold.drug_class,
                before_hours=hold.before_hours,
                after_hours=hold.after_hours,
                approved_by=one_line(hold.approved_by),
            )
        gate = HoldGate(
            state=_STATES[question.stance],  # type: ignore[arg-type]
            signed=signed,
            misses_no_dose=hold is not None and self._words.holds.lies_between_doses(fact, hold),
        )
        if question.stance == "open":
            return gate
        why = self._questions.gate(case.bearing, name)
        return msgspec.structs.replace(
            gate,
            closed_by=[GateFact(pointer=pointer, words=self._closing(pointer)) for pointer in why.closed_by],
            missing=[GateFact(pointer=pointer, words=self._missing(pointer)) for pointer in why.missing],
            unclear=[GateFact(pointer=pointer, words=self._unclear(pointer, name)) for pointer in why.unclear],
        )

    def gap(self, fact: Fact) -> Gap | None:
        """The longest time without a medicine that the signed hold makes of the sessions, where it is beyond its limit."""
        row = fact.ingredient
        if row is None or row.ingredient not in self._case.too_long or row.longest_gap is None:
            return None
        window = self._case.gaps[row.ingredient]
        return Gap(begins=window.begins, ends=window.ends, hours=round(window.hours, 2), limit_hours=row.longest_gap)

    def fill(self, fact: Fact, gate: HoldGate, sentences: GateSentences) -> dict[str, str]:
        """The words that only a clinician may read, by the name of the placeholder."""
        words = {"hold_gate": self.sentence(fact, gate, sentences)}
        gap = self.gap(fact)
        return words | ({"gap": hours(gap.hours), "gap_limit": hours(gap.limit_hours)} if gap else {})

    def sentence(self, fact: Fact, gate: HoldGate, sentences: GateSentences) -> str:
        """The gate in sentences for the clinician."""
        hold = gate.signed
        figure = {
            "before": hours(hold.before_hours) if hold else "",
            "after": hours(hold.after_hours) if hold else "",
            "approved_by": hold.approved_by if hold else "",
        }
        signed = self._words.holds.of(fact)
        doubtful = signed is not None and self._words.holds.is_doubtful(signed)
        said = [(sentences.doubtful if doubtful else sentences.signed if hold else sentences.unsigned).fill(figure)]
        for text, facts in (
            (sentences.closed, gate.closed_by),
            (sentences.missing, gate.missing),
            (sentences.unclear, gate.unclear),
        ):
            if facts:
                said.append(text.fill({"facts": in_words([one.words for one in facts])}))
        if gate.misses_no_dose and not doubtful:
            said.append(sentences.between_doses.fill({}))
        window = self._words.holds.joining(signed) if signed and not doubtful and self.gap(fact) is None else None
        if window is not None:
            said.append(sentences.joined.fill({"joined": hours(window.hours)}))
        return " ".join(said)

    def _closing(self, pointer: str) -> str:
        """An answer that closes the question."""
        group, _, rest = pointer.strip("/").partition("/")
        is_of_the_medicine = group == "medications" and not self._words.illnesses_at(pointer)
        return self._closing_entry(*rest.split("/")) if is_of_the_medicine else self._words.answer(group, rest)

    def _closing_entry(self, index: str, field: str = "") -> str:
        resolved = self._case.medicines[int(index)]
        name = self._name(int(index))
        if field:
            return f"{name}: {self._words.said('medicine', field, getattr(resolved.entry, field))}"
        if resolved.match and resolved.match.rescue:
            return f"{name} is kept as rescue"
        return f"this rulebook foresees no such question for {name}"

    def _missing(self, pointer: str) -> str:
        """An answer that is missing."""
        group, _, rest = pointer.strip("/").partition("/")
        if group == "medications":
            index, _, field = rest.partition("/")
            asked = "what {} is taken for" if field == "indication" else "how often {} is taken"
            return asked.format(self._name(int(index)))
        if group == "conditions":
            return "which illnesses there are or were"
        return self._book.vocabulary.fields[f"{group}.{rest}"].label

    def _unclear(self, pointer: str, name: str) -> str:
        """Something that was not read, or does not say enough."""
        group, _, rest = pointer.strip("/").partition("/")
        if group == "treatment":
            gap, row = self._case.gaps[name], self._book.catalogue.ingredients[name]
            return (
                f"the windows around the sessions join to {hours(gap.hours)} without {row.name}, "
                f"longer than its limit of {hours(row.longest_gap or 0)}"
            )
        if not rest:
            of = "medicines" if group == "medications" else "illnesses"
            return f"the list of {of} is known to be incomplete"
        if group == "other_conditions":
            entry = self._entries.quoted(Entries(conditions=(int(rest),)))
            return f"the illness {entry} could not be read"
        index, _, field = rest.partition("/")
        if field:
            return f"{self._name(int(index))} is taken for a reason that was not named"
        resolved = self._case.medicines[int(index)]
        problem = resolved.problem
        rows = resolved.match.ingredients if resolved.match else ()
        if any(row.by_kind for row in rows):
            return f"the name of {self._name(int(index))} is missing"
        if resolved.on_hold:
            return f"{self._name(int(index))} is said to be on hold"
        if resolved.disagreements:
            return f"fields and text of {self._name(int(index))} disagree"
        if problem == "code_and_name_disagree":
            return f"name and code of {self._name(int(index))} disagree"
        if problem == "code_not_recognized":
            return f"the code of {self._name(int(index))} is not known"
        return f"the medicine {self._name(int(index))} could not be read"

    def _name(self, at: int) -> str:
        return self._entries.quoted(Entries(medications=(at,)))
