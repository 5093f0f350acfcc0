"""What the facts of one patient are called: the words that fill texts and say why an item is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from careplan.facts.case import Basis, Case, Fact, Value
from careplan.facts.unread_entries import Entries
from careplan.plan.derived_words import DerivedWords
from careplan.plan.disagreements import disagreement_words
from careplan.plan.emergency_numbers import NAMES
from careplan.plan.entry_names import entry_name, medicine_name, medicine_telling
from careplan.plan.measure_words import MeasureWords, is_of_measures
from careplan.plan.model import About
from careplan.plan.pattern_focus import Focus, looked_at
from careplan.plan.phrases import LISTS, FactPhrases
from careplan.plan.placeholders import ENTRIES_ON_PAPER, Placeholders
from careplan.plan.signed_holds import SignedHolds
from careplan.plan.unread_words import UnreadWords
from careplan.recognition.medicine_catalogue import Match, Resolved, display
from careplan.rulebook.conditions import Expression
from careplan.rulebook.factors import OF_DERIVED, member
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import in_words, one_line


class Words:
    """Names for everything in one case. Made per request, cheap, and asked only for items that are there."""

    def __init__(
        self, book: Rulebook, case: Case, phrases: FactPhrases, numbers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._numbers = numbers  # Whom a patient calls, for texts that are filled in.
        self._book = book
        self._case = case
        self._phrases = phrases
        self.entries = UnreadWords(book, case)
        self._said_of: dict[str, str] = {}
        self.measures = MeasureWords(book, case)
        self.holds = SignedHolds(case)
        self.begun = (case.patient.treatment.sessions_completed or 0) > 0
        """Whether the series of sessions has begun."""
        self._derived = DerivedWords(book, case, phrases, self.because, self.about)
        self._words_of: Mapping[str, Callable[[Fact, str], str | None]] = {
            "measure_check": self.measures.word,
            "medicine": self._word_of_medicine,
            "shared_class": self._word_of_shared_class,
            "medicine_check": self._word_of_medicine_check,
            "entries": self._word_of_entries,
            "condition": self._word_of_condition,
            "goal": self._word_of_goal,
            "protocol": self._word_of_protocol,
        }

    @property
    def case(self) -> Case:
        """The case whose facts are put into words."""
        return self._case

    def fill(self, facts: Sequence[Fact], places: Placeholders) -> dict[str, str]:
        """Words for the placeholders of a text about these facts."""
        words: dict[str, str] = {}
        known = self._derived.facts(facts) if places.fields and self._case.derived else facts
        for name, kind, field in places.fields:
            for fact in known:
                if fact.kind == kind and (word := self._phrases.field(kind, field).held(fact.properties)) is not None:
                    words[name] = word
        for name in places.others:
            if name in NAMES:
                words[name] = self._numbers[name]
            for fact in facts:
                if (word := self._word(fact, name)) is not None:
                    words[name] = word
        return words

    def in_plain_words(self, facts: Iterable[Fact], places: Placeholders) -> dict[str, str]:
        """The words that patients read where clinicians read a term: of a condition, and of a medicine's class."""
        words: dict[str, str] = {}
        for fact in facts:
            if fact.kind == "condition" and "condition" in places.names:
                words["condition"] = self._book.conditions[str(fact.properties["name"])].patient_label
            elif fact.kind == "entries":
                for name in ENTRIES_ON_PAPER.intersection(places.names):
                    words[name] = self.entries.on_paper(self._tested_entries((name,)))
            elif fact.kind == "medicine" and "class" in places.names and fact.ingredient:
                words["class"] = in_words([self._book.classes[name].patient_label for name in fact.ingredient.classes[:1]])
        return words

    def because(self, facts: Iterable[Fact], focuses: Iterable[Focus]) -> list[str]:
        """The facts that made a rule hold, as short phrases about the patient."""
        found: list[str] = []
        for fact, focus in zip(facts, focuses, strict=True):
            if fact.kind == "medicine":
                # Many rules are about one medicine, and all say the same of it.
                if fact.id not in self._said_of:
                    self._said_of[fact.id] = self._medicine_phrase(fact)
                found.append(self._said_of[fact.id])
                if "beside" in focus.fields:
                    found += [self._medicine_phrase(other) for other in self._beside(fact, focus)]
            elif fact.kind == "shared_class":
                found += self._of_shared_class(fact, focus.fields)
            else:
                for phrase in focus.phrases:
                    phrase.add(fact.properties, found)
                if fact.kind in self.measures.have_source:
                    # One phrase a field: of these kinds none is about a list.
                    at = len(found) - len(focus.fields)
                    found[at:] = [
                        said + self._behind(fact, field) for said, field in zip(found[at:], focus.fields, strict=True)
                    ]
        return found

    def about(self, fact: Fact, focus: Focus) -> Iterator[About]:
        """The entries of the request that a fact is about; of a whole list, those that the rule names."""
        if fact.kind == "entries":
            yield from self.entries.about(self._tested_entries(focus.fields))
            return
        if is_of_measures(fact.kind):
            yield from self.measures.about(fact, focus.fields)
            return
        if fact.kind in OF_DERIVED:
            yield from self._derived.about(fact, focus.fields)
            return
        if fact.kind in ("history", "condition"):
            for at, illness in enumerate(self._case.illnesses.listed):
                if at in fact.indexes or (fact.kind == "history" and illness.token in focus.tokens):
                    if illness.pointer.startswith("/medications/"):
                        # One line is known for each condition, and every other may tell of it as well.
                        yield from self._of_list(one for one in self._case.medicines if illness.token in one.told)
                    else:
                        yield About(pointer=illness.pointer, index=illness.place, name=self.entry("condition", at))
            return
        if fact.kind == "regimen":
            yield from self._of_list(
                resolved
                for resolved in self._case.medicines
                if resolved.match and any(not focus.tokens.isdisjoint(row.tokens) for row in resolved.match.ingredients)
            )
        others = self._beside(fact, focus) if "beside" in focus.fields else ()
        for at in (*fact.indexes, *(at for other in others for at in other.indexes)):
            pointer = f"/{'expectations/goals' if fact.kind == 'goal' else 'medications'}/{at}"
            yield About(pointer=pointer, index=at, name=self.entry(fact.kind, at))

    def _of_list(self, medicines: Iterable[Resolved]) -> Iterator[About]:
        """Entries of the list of medicines, as what something is about."""
        for at in (resolved.index for resolved in medicines):
            yield About(pointer=f"/medications/{at}", index=at, name=self.entry("medicine", at))

    def _beside(self, fact: Fact, focus: Focus) -> list[Fact]:
        """The other medicines that a rule asks for beside one."""
        bases = self._case.beside.get(fact.id, {})
        return [other for name in sorted(focus.tokens & bases.keys()) for _, other in bases[name].behind]

    def _behind(self, fact: Fact, field: str) -> str:
        """What stands behind a phrase, in brackets after it."""
        return (self._derived if fact.kind in OF_DERIVED else self.measures).behind(fact, field)

    def _tested_entries(self, fields: Sequence[str]) -> Entries:
        if "contradicted" in fields:
            return Entries(conditions=self._case.illnesses.contradicted)
        if "danger" in fields:
            return self._case.illnesses.urgent.danger
        if "grave" in fields:
            return self._case.illnesses.urgent.grave
        return self._case.known if "known" in fields else self._case.unread

    def given(self, fact: Fact, expression: Expression) -> list[str]:
        """What the patient's answers say about the fields of an expression, in phrases about this fact."""
        fields, tokens = looked_at(fact.kind, expression)
        if fact.kind == "medicine":
            said = (phrase for field in fields for phrase in self._of_medicine(fact, field, tokens))
            return [f"{self.medicine(fact)}: {phrase}" for phrase in said]
        phrases: list[str] = []
        if fact.kind == "shared_class":
            phrases += self._of_shared_class(fact, fields)
        else:
            for field in fields:
                if field in LISTS:
                    phrases += self._given_list(fact, field, tokens)
                else:
                    self._phrases.field(fact.kind, field).add(fact.properties, phrases)
                    if fact.kind in self.measures.have_source:
                        phrases[-1] += self._behind(fact, field)
        subject = f"{self.entry(fact.kind, fact.indexes[0])}: " if fact.kind in ("goal", "medicine_check") else ""
        subject = f"{self.measures.name_of(fact)}: " if fact.kind == "measure_check" else subject
        return [subject + phrase for phrase in phrases]

    def _of_medicine(self, fact: Fact, field: str, tokens: frozenset[str]) -> Iterator[str]:
        assert fact.ingredient
        if field == "beside":
            bases = self._case.beside.get(fact.id, {})
            for name in sorted(tokens & self._book.derived.keys()):
                basis = bases.get(name, Basis())
                names = in_words([self.medicine(other) for _, other in basis.behind])
                label = self._book.derived[name].file.label
                yield f"beside it, {label}: {names or ('not known' if basis.is_open else 'none')}"
        elif field == "class":
            yield in_words([self._book.classes[name].label for name in fact.ingredient.classes]) or "no class"
        elif field == "ingredient":
            yield fact.ingredient.name
        else:
            said: list[str] = []
            self._phrases.field("medicine", field).add(fact.properties, said)
            yield from said

    def _given_list(self, fact: Fact, field: str, tokens: frozenset[str]) -> Iterator[str]:
        held = [token for token in sorted(tokens) if fact.properties.get(member(field, token)) is True]
        if held:
            yield f"{field} {in_words([self._phrases.token(field, token) for token in held])}"
        elif fact.whole:
            yield f"{field} {'nothing of this kind' if len(tokens) == 1 else 'none of these'}"
        else:
            yield self._book.vocabulary.fields[f"{fact.kind}.{field}"].unknown

    def medicine(self, fact: Fact) -> str:
        """A medicine by its ingredient and the brand it was found by: "alprazolam (Xanax)"."""
        match = self._case.medicines[fact.indexes[0]].match
        assert fact.ingredient and match
        return display(Match((fact.ingredient,), match.called))

    def recognized(self, at: int) -> str:
        """What an entry was recognized as, by ingredient and brand."""
        match = self._case.medicines[at].match
        return display(match) if match else ""

    def value(self, kind: str, field: str, value: Value) -> str:
        """A value in words."""
        return self._phrases.field(kind, field).value(value)

    def said(self, kind: str, field: str, value: Value) -> str:
        """A value as the phrase that the vocabulary has for its field."""
        return self._phrases.field(kind, field).said(value)

    def answer(self, group: str, rest: str) -> str:
        """An illness, or an answer of a group of the request, as a phrase: nothing that a caller wrote."""
        if named := self.illnesses_at(f"/{group}/{rest}"):
            return f"has {in_words(named)}"
        value = getattr(getattr(self._case.patient, group), rest)
        return self.said(group, rest, value if isinstance(value, str | bool) else float(value))

    def illnesses_at(self, pointer: str) -> list[str]:
        """The names of the illnesses that an entry stands for: one of illnesses or allergies, or the line of a medicine."""
        listed = enumerate(self._case.illnesses.listed)
        return [self.entry("condition", at) for at, one in listed if one.pointer == pointer]

    def _word(self, fact: Fact, name: str) -> str | None:
        """What a text fills in for a name, of a fact that it may be about."""
        words = self._words_of.get(fact.kind)
        return None if words is None else words(fact, name)

    def _word_of_medicine(self, fact: Fact, name: str) -> str | None:
        match name:
            case "medicine":
                return self.medicine(fact)
            case "ingredient":
                return fact.ingredient.name if fact.ingredient else None
            case "class":
                return self._class_label(fact)
            case _:
                return None

    def _word_of_shared_class(self, fact: Fact, name: str) -> str | None:
        match name:
            case "class":
                return self._book.classes[str(fact.properties["class"])].plural
            case "medicines":
                return in_words([self.entry("medicine", at) for at in fact.indexes])
            case _:
                return None

    def _word_of_medicine_check(self, fact: Fact, name: str) -> str | None:
        match name:
            case "entry":
                return medicine_name(self._case.medicines[fact.indexes[0]])
            case "fields_and_text":
                return disagreement_words(self._book, self._case, fact.indexes[0])
            case "suggestions":
                return in_words(list(self._case.medicines[fact.indexes[0]].suggestions)) or "no near name"
            case _:
                return None

    def _word_of_entries(self, _: Fact, name: str) -> str | None:
        match name:
            case "unread" | "known" | "danger" | "grave":
                return self.entries.quoted(self._tested_entries((name,)), with_offers=name in ("unread", "grave"))
            case "contradicted":
                return self.entries.contradicted()
            case _:
                return None

    def _word_of_condition(self, fact: Fact, name: str) -> str | None:
        match name:
            case "condition":
                return self._book.conditions[str(fact.properties["name"])].label
            case "which_medicine":
                return medicine_telling(self._case, str(fact.properties["name"]))
            case _:
                return None

    def _word_of_goal(self, fact: Fact, name: str) -> str | None:
        match name:
            case "goal":
                return f"“{self.entry('goal', fact.indexes[0])}”"
            case "goal_example":
                return f"“{self._case.goals[fact.indexes[0]].example}”"
            case _:
                return None

    def _word_of_protocol(self, _: Fact, name: str) -> str | None:
        match name:
            case "approved_by":
                return self.approver()
            case "doubtful":
                return "; ".join(doubt.words for doubt in self._case.doubts) or None
            case _:
                return None

    def approver(self) -> str | None:
        """Who signed the clinic's figures."""
        protocol = self._case.patient.protocol
        return one_line(protocol.approved_by) if protocol and protocol.approved_by else None

    def _class_label(self, fact: Fact) -> str:
        assert fact.ingredient
        return in_words([self._book.classes[name].label for name in fact.ingredient.classes[:1]])

    def entry(self, kind: str, at: int) -> str:
        """The name of one entry of the request: a condition, a goal or a medicine."""
        return entry_name(self._book, self._case, kind, at)

    def _of_shared_class(self, fact: Fact, fields: Iterable[str]) -> Iterator[str]:
        for field in fields:
            phrases = self._phrases.field("shared_class", field)
            if field == "class":
                names = in_words([self.entry("medicine", at) for at in fact.indexes])
                yield phrases.saying(f"{self._book.classes[str(fact.properties[field])].plural} ({names})")
            else:
                yield phrases.said(fact.properties[field])

    def _medicine_phrase(self, fact: Fact) -> str:
        label = self._class_label(fact)
        article = "an" if label[:1].lower() in "aeiou" else "a"
        phrase = f"takes {self.medicine(fact)}, {article} {label}"
        if half_life := fact.properties.get("half_life"):
            phrase += f" of {self.value('medicine', 'half_life', half_life)} half-life"
        for field in ("schedule", "indication"):
            if (value := fact.properties.get(field)) is not None:
                phrase += ", " + self.said("medicine", field, value)
        return phrase
