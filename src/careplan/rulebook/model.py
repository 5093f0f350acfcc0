"""What the files of a rulebook hold, and the rulebook that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from careplan.recognition.goal_judge import GoalJudge
from careplan.recognition.known_conditions import KnownConditions
from careplan.recognition.medicine_catalogue import Catalogue
from careplan.recognition.recognizer import Recognizer
from careplan.request.measurements import MeasureForm
from careplan.rulebook.asking import ANYBODY, Asking, Group
from careplan.rulebook.codes import Codes
from careplan.rulebook.conditions import When
from careplan.rulebook.derived import Derived
from careplan.rulebook.entries import Entry, Language, Line
from careplan.rulebook.factors import Kind, Limits
from careplan.rulebook.interaction_rows import Interaction
from careplan.rulebook.layers import CardSlot, CardText, Scope, SlotWords, TopicName, TopicWords
from careplan.rulebook.measures import Measure
from careplan.rulebook.review_decisions import ReviewDecision
from careplan.rulebook.rulebook_file import RulebookFile
from careplan.rulebook.session_day import SessionDay
from careplan.rulebook.sources import Exempt, Read, Source, SourceRef, Strength
from careplan.rulebook.text_template import Text, rulebook_words
from careplan.rulebook.validity import ALWAYS, Day, Term

Level = Literal["stop", "hold", "caution", "note"]
LEVELS: tuple[Level, ...] = ("stop", "hold", "caution", "note")
"""From the most to the least serious; where two items disagree the earlier one wins."""

Section = Literal[
    "screening", "medications", "route", "preparation", "day_of_treatment", "aftercare", "expectations", "commitment"
]
SECTIONS: tuple[Section, ...] = get_args(Section)

Status = Literal["draft", "trial", "active", "retired"]
Who = Literal["patient", "supporter", "prescriber", "pharmacist", "therapist", "clinic", "clinician", "on_call_clinician"]
By = Literal[
    "now",
    "same_day",
    "before_first_session",
    "before_next_session",
    "before_each_session",
    "day_of_session",
    "after_each_session",
    "within_a_day",
    "within_three_days",
    "this_week",
    "each_week",
    "mid_series",
    "end_of_series",
    "when_ready",
]


class Ask(Entry, frozen=True, kw_only=True):
    """Who is asked to do what by when."""

    who: Who
    what: Line
    by: By


class Decision(Entry, frozen=True, kw_only=True):
    """A choice that a plan makes exactly once, such as the recommended route."""

    subject: Literal["route"]
    choice: str


class Translation(Entry, frozen=True, kw_only=True):
    """What the patient reads in another language. Without `reviewed_by` it is shown as waiting for a translator's review."""

    patient: Line | None = None
    card: Line | None = None
    reviewed_by: Annotated[str, Meta(min_length=3, max_length=120)] | None = None


class DatedText(Entry, frozen=True, kw_only=True):
    """What a rule says on some days in place of its own texts."""

    patient: Line
    clinician: Line
    line: Line | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None


class Then(Entry, frozen=True, kw_only=True):
    """The item that a rule gives; `by_day` has other texts for some days."""

    patient: Line
    clinician: Line
    by_day: tuple[DatedText, ...] = ()
    card: CardText | None = None
    in_languages: dict[Language, Translation] = {}
    asks: tuple[Ask, ...] = ()
    decides: Decision | None = None


class Example(Entry, frozen=True, kw_only=True):
    """A patient as a clinic would send it, for whom the rule must fire or must stay silent."""

    why: Line
    patient: dict[str, Any]


class Examples(Entry, frozen=True, kw_only=True):
    """Patients for whom the rule must fire, and for whom it must stay silent."""

    fires: Annotated[tuple[Example, ...], Meta(min_length=1)]
    silent: tuple[Example, ...] = ()


class RuleFile(Entry, frozen=True, kw_only=True):
    """One rule as written. `valid_from` and `valid_until` are the first and the last day on which it is in force.

    `exempt` says why, and until when, a stop or hold may rest on nothing that was read of late.

    With `certain`, what the rule says not to be there must be known not to be there: a list of which an entry could not be
    read is then not enough.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    version: Annotated[int, Meta(ge=1)]
    status: Status
    level: Level
    title: Annotated[str, Meta(min_length=1, max_length=100)]
    scope: Scope
    topic: TopicName
    line: Line
    rationale: Line
    sources: Annotated[tuple[SourceRef, ...], Meta(min_length=1)]
    when: Any
    then: Then
    examples: Examples
    contested: Line | None = None
    gaps: Line | None = None
    order: Annotated[int, Meta(ge=1, le=99)] = 50
    certain: bool = False
    for_everyone: Line | None = None
    related: tuple[str, ...] = ()
    clears_with: tuple[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)], ...] = ()
    valid_from: Day | None = None
    valid_until: Day | None = None
    exempt: Exempt | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule ready for use. `place` is the file in which it is written."""

    file: RuleFile
    place: str
    section: Section
    when: When
    title: Text
    patient: Text
    clinician: Text
    line: Text
    card: Text | None
    cards_in_languages: Mapping[Language, Text]
    asks: tuple[tuple[Ask, Text], ...]
    term: Term = ALWAYS
    by_day: tuple[Rule, ...] = ()
    """The rule with the texts of some days, each with the term of its texts."""

    @property
    def id(self) -> str:
        """The rule's id, which is the stem of its file."""
        return self.file.id


class FieldWords(Entry, frozen=True, kw_only=True):
    """The words of one factor. `changeable` where a patient or clinic could change it, so that "what if" may offer it."""

    label: str
    says: str
    unknown: str
    question: str = ""
    why: str = ""
    values: Mapping[str, str] = {}
    changeable: bool = False
    asking: Asking = ANYBODY


class Titled(Entry, frozen=True, kw_only=True):
    """A title for the clinician and one for the patient."""

    title: str
    patient_title: str
    in_languages: dict[str, str] = {}


class LevelWords(Entry, frozen=True, kw_only=True):
    """What a level is called and what it means. `options` are what a clinician can tick beside a decision of this level."""

    label: str
    meaning: str
    options: Mapping[str, str] = {}


class Vocabulary(Entry, frozen=True, kw_only=True):
    """`vocabulary.yaml`: the words for everything that is a token elsewhere, and the measures there are."""

    fields: Mapping[str, FieldWords]
    order_of_a_visit: tuple[Group, ...]
    measures: Mapping[str, Measure] = {}
    sections: Mapping[Section, Titled]
    levels: Mapping[Level, LevelWords]
    topics: Mapping[TopicName, TopicWords]
    card_slots: Mapping[CardSlot, SlotWords]
    who: Mapping[Who, str]
    by: Mapping[By, str]
    strengths: Mapping[Strength, str]
    read: Mapping[Read, str]


class DrugClass(Entry, frozen=True, kw_only=True):
    """One drug class: words for both readers. `daily_use_closes_hold` where daily use means physical dependence.

    `allergy_names` are what an allergy to all of its medicines is called.
    """

    label: str
    plural: str
    patient_label: str
    pharmacist_note: str = ""
    daily_use_closes_hold: bool = False
    allergy_names: tuple[str, ...] = ()


class Condition(Entry, frozen=True, kw_only=True):
    """One condition or current problem that a clinic may send. `label` fits after "has ".

    `names` are what people call it, `may_be` words that can mean it or something else; `graver` are conditions that may be
    meant where it is called worse, `of_family` the one for whoever has a parent, brother, sister or child with it.
    `treats` is the indication that it stands for, `instead_of` names indications that say less, and `puts_in_doubt` those
    that it leaves unsure. `also_when_over` is read off the course of the condition: whether one that is over still counts.
    """

    label: str
    patient_label: str
    kind: Literal["condition", "current_problem"]
    question: str
    icd10: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    may_be: tuple[str, ...] = ()
    graver: tuple[str, ...] = ()
    of_family: str = ""
    closes_hold: bool = False
    closes_hold_if_drinking: bool = False
    also_when_over: bool = False
    treats: str = ""
    instead_of: tuple[str, ...] = ()
    puts_in_doubt: tuple[str, ...] = ()


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """A whole rulebook, checked. `digest` is the SHA-256 of its files, in hexadecimal.

    `kinds` and `limits` are those of facts and numbers with the measures that it declares and the facts that it derives;
    `derived` has these by their names. `decisions` are those of reviewers; `certificate` are the bytes of what was proved of
    it, or of an earlier state of it.
    """

    about: RulebookFile
    digest: str
    rules: Mapping[str, Rule]
    resting: Mapping[str, Rule]
    sources: Mapping[str, Source]
    vocabulary: Vocabulary
    kinds: Mapping[str, Kind]
    limits: Mapping[str, Limits]
    classes: Mapping[str, DrugClass]
    conditions: Mapping[str, Condition]
    codes: Codes
    catalogue: Catalogue
    medicines: Recognizer
    known_conditions: KnownConditions
    goals: GoalJudge
    derived: Mapping[str, Derived] = {}
    session_day: SessionDay | None = None
    interactions: tuple[Interaction, ...] = ()
    decisions: tuple[ReviewDecision, ...] = ()
    certificate: bytes = b""

    def __repr__(self) -> str:
        """Its name alone: a whole rulebook would fill two megabytes of a trace."""
        return f"<Rulebook {self.about.id} {self.about.version} {self.digest[:12]}>"

    @property
    def called(self) -> str:
        """Its name for people: id, version and the beginning of its digest."""
        return rulebook_words(self.about.id, self.about.version, self.digest)

    @property
    def forms(self) -> dict[str, MeasureForm]:
        """What a request may say of each measure."""
        return {name: measure.form for name, measure in self.vocabulary.measures.items()}

    @property
    def allergy_classes(self) -> dict[str, tuple[str, ...]]:
        """What an allergy to a whole class of medicines is called, by class."""
        return {name: one.allergy_names for name, one in self.classes.items() if one.allergy_names}

    @property
    def terms(self) -> dict[str, Term]:
        """The terms of the rules that are not in force on every day, by id."""
        return {name: rule.term for name, rule in self.rules.items() if rule.term}

    def in_order(self) -> list[Rule]:
        """The rules that run, in the order of the plan: section, level, order, id."""
        return sorted(
            self.rules.values(),
            key=lambda rule: (SECTIONS.index(rule.section), LEVELS.index(rule.file.level), rule.file.order, rule.id),
        )
