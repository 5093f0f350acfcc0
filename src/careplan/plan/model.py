"""The draft care plan: what it is made of. Its form is the public contract; how it is made is in `assemble`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from careplan.plan.card_model import Card, Translated
from careplan.plan.course_model import Course
from careplan.plan.front_model import Front
from careplan.plan.illness_model import IllnessEntryRead
from careplan.plan.medicine_model import MedicineRead
from careplan.plan.part import Choice, Part
from careplan.request.clinic import Clinic
from careplan.rulebook.asking import AskedOf, Visit
from careplan.rulebook.layers import Scope
from careplan.rulebook.model import By, Level, Section, Status, Who
from careplan.rulebook.sources import Passage, Read, Strength


class About(Part, frozen=True, kw_only=True):
    """The entry of the request that an item concerns: JSON Pointer, index in its list, and its name in our words."""

    pointer: str
    index: Annotated[int, Meta(ge=0)]
    name: str


class Ask(Part, frozen=True, kw_only=True):
    """Who is asked to do what by when. `by_words` says the time in words; but in the full detail a plan says it once."""

    who: Who
    what: str
    by: By
    by_words: str = ""


class Evidence(Part, frozen=True, kw_only=True):
    """The place in a source that a rule rests on, and how strong that is. `source` is an id of the plan's sources.

    `passage` is told of a rule by itself and in an explanation; a plan leaves it out.
    """

    source: str
    place: str
    strength: Strength
    passage: Passage = ""


class Source(Part, frozen=True, kw_only=True):
    """One work that items rest on, its places, and how much of it was read. `founding` is the text behind the rules.

    In the usual detail there is its title alone: the full detail and `GET /v1/rules/{id}` have all of it.
    """

    id: str
    title: str
    read: Annotated[Read | None, Meta(description="how much of it was read; in the full detail")] = None
    edition: Annotated[str, Meta(description="what exactly was read")] = ""
    read_on: Annotated[str | None, Meta(description="the day on which it was read, or at the latest; none if unknown")] = (
        None
    )
    places: list[str] = []
    founding: bool = False


class Standing(Part, frozen=True, kw_only=True):
    """What is true of every patient of this product and stage at the clinic; the texts are those of `GET /v1/protocol`."""

    version: Annotated[str, Meta(description="of the rulebook that the protocol comes from")]
    digest: Annotated[str, Meta(description="of its items and figures, SHA-256")]
    items: Annotated[dict[str, str], Meta(description="their titles by id")] = {}


class RuleRef(Part, frozen=True, kw_only=True):
    """The rule behind an item. `trial` rules run but no named reviewer has signed them yet."""

    id: str
    version: int
    status: Status


class SignedHold(Part, frozen=True, kw_only=True):
    """A hold of the clinic's protocol, as a named clinician entered it. Hours before and after a session."""

    drug_class: str
    before_hours: float
    after_hours: float
    approved_by: str


class GateFact(Part, frozen=True, kw_only=True):
    """One fact about a hold: where it stands in the request, or would stand, and what it says in words."""

    pointer: str
    words: str


class HoldGate(Part, frozen=True, kw_only=True):
    """Whether a plan may speak of leaving out doses of a medicine, for the clinician.

    `signed` is what the clinic's protocol has for its class, whatever the state; a patient reads hours only where `state`
    is `open`. Otherwise `closed_by` has the facts that close the question, or `missing` the answers that could, and
    `unclear` what could not be read or does not say enough. `misses_no_dose` is true where the time that the protocol names
    lies between two doses of a medicine that is taken once a day.
    """

    state: Literal["open", "closed", "unclear", "waiting"]
    signed: SignedHold | None = None
    closed_by: list[GateFact] = []
    missing: list[GateFact] = []
    unclear: list[GateFact] = []
    misses_no_dose: bool = False


class Gap(Part, frozen=True, kw_only=True):
    """The longest time without a medicine that the clinic's signed hold makes of the sessions, and the medicine's limit."""

    begins: datetime
    ends: datetime
    hours: float
    limit_hours: float


class Assumption(Part, frozen=True, kw_only=True):
    """What an item presumes of entries that nobody could read: where they stand, and what they must not be, in words."""

    pointers: list[str]
    words: str


class Cleared(Part, frozen=True, kw_only=True):
    """The record of a named clinician who assessed what an alert was about, which is now a decision."""

    by: str
    at: datetime
    arranged: str


class Item(Part, frozen=True, kw_only=True):
    """One line of a plan, with all that it takes to trace it.

    The usual detail has of it what is shown and signed: the texts for patient and clinician and the places in sources are
    left to the full one, as is `contested` of what is no stop or hold. There `section` is that of the list it stands in.
    """

    id: str
    level: Level
    section: Annotated[Section | None, Meta(description="of an alert; of other items also in the full detail")] = None
    scope: Annotated[Scope, Meta(description="personal if left out")] = "personal"
    topic: str = ""
    title: str
    line: Annotated[str, Meta(description="what it says in at most 25 words, for the clinician")]
    patient_text: str = ""
    patient_language: Annotated[str | None, Meta(description="of patient_text, where it is not English")] = None
    translation: Translated = None
    clinician_text: str = ""
    sources: Annotated[
        list[str], Meta(description="the works that it rests on, by their ids in the sources of the plan")
    ] = []
    evidence: Annotated[list[Evidence], Meta(description="the places in these works, and how strong each is")] = []
    rule: RuleRef
    valid_from: Annotated[str | None, Meta(description="the first day on which the rule is in force, if it has one")] = None
    valid_until: Annotated[str | None, Meta(description="the last day on which the rule is in force, if it has one")] = None
    because: Annotated[list[str], Meta(description="the facts that caused it, in words")]
    about: list[About] = []
    asks: list[Ask] = []
    contested: str | None = None
    assumes: Annotated[
        list[Assumption], Meta(description="what the item presumes of entries that nobody could read; none if nothing")
    ] = []
    hold: SignedHold | None = None
    hold_gate: HoldGate | None = None
    gap: Gap | None = None
    open_decision: Annotated[
        Literal["hold"] | None, Meta(description="what prescriber and clinic have to decide, where no signed protocol does")
    ] = None
    cleared: Annotated[
        Cleared | None, Meta(description="of what was an alert: who assessed it, when, and what was arranged")
    ] = None

    @property
    def placed_in(self) -> Section:
        """Its section. Raises `ValueError` where it was left out, since the list says it."""
        if self.section is None:
            raise ValueError(self.id)
        return self.section


class PlanSection(Part, frozen=True, kw_only=True):
    """One section of a plan, its items from the most to the least serious."""

    section: Section
    title: str
    patient_title: str = ""
    patient_title_language: Annotated[str | None, Meta(description="of patient_title, where it is not English")] = None
    patient_title_translation: Translated = None
    items: list[Item]


class Decision(Part, frozen=True, kw_only=True):
    """A choice that a plan makes exactly once."""

    subject: Literal["route"]
    choice: str
    item: str


class CouldChange(Part, frozen=True, kw_only=True):
    """A part of the plan that hangs on an unanswered question, and the most serious level it could bring."""

    section: Section
    level: Level
    rules: list[str]


class AnswerForm(Part, frozen=True, kw_only=True):
    """What an answer looks like, so that a form can ask: its type, the choices there are, the limits of a number."""

    type: Annotated[
        Literal["yes_no", "choice", "number", "whole_number", "medications", "conditions", "goals"],
        Meta(description="of allergies as well `goals`: a list of texts, each as it is said"),
    ]
    choices: list[Choice] = []
    least: float | None = None
    most: float | None = None
    unit: Annotated[str, Meta(description="of a measure: the UCUM unit in which a plain number is taken")] | None = None


class Question(Part, frozen=True, kw_only=True):
    """An unanswered question that could change this plan. `pointer` says where its answer goes in the request.

    In the usual detail there is the question alone: its answer's form and what hangs on it are left to the full one.
    """

    pointer: str
    about: Annotated[str, Meta(description="what it asks about, in a few words")] = ""
    question: str
    why_it_matters: str = ""
    answer: AnswerForm | None = None
    could_change: list[CouldChange] = []
    asked_of: Annotated[AskedOf, Meta(description="the patient, or the clinic about its own figures")] = "patient"
    asked_at: Annotated[Visit, Meta(description="signs that come and go are asked about on the day of a session")] = "intake"
    first: Annotated[bool, Meta(description="one of the at most eight to ask of the patient at this visit")] = False
    place: Annotated[int, Meta(ge=0, description="the place among all questions in the order of a visit, from 0")] = 0

    @property
    def form(self) -> AnswerForm:
        """The form of the answer. Raises `ValueError` where only the question itself is left."""
        if self.answer is None:
            raise ValueError(self.pointer)
        return self.answer


class NotConsidered(Part, frozen=True, kw_only=True):
    """Something sent that no rule looked at, so that nobody takes silence for safety.

    `number` says how many entries of a record are left out under one name for one reason; `pointer` is that of the first.
    """

    pointer: str
    what: str
    why: str
    number: Annotated[int, Meta(ge=2)] | None = None


class RulebookRef(Part, frozen=True, kw_only=True):
    """The rulebook that a plan came from; `digest` is the SHA-256 of its files."""

    id: str
    version: str
    digest: str


class ConditionReport(Part, frozen=True, kw_only=True):
    """A condition that is not met or not known to be: its words, what the patient's answers say, and where they stand."""

    words: str
    holds: Literal["false", "unknown"]
    given: list[str]
    pointers: list[str] = []


class RuleReport(Part, frozen=True, kw_only=True):
    """What became of one rule, and why.

    `because_not` are exactly the conditions that keep it from firing, of the alternative that is nearest to holding (of an
    undecided rule among those that still can);
    `met` counts the conditions of that alternative that hold. `questions` are the unanswered ones on which it
    hangs, of a rule that fired also whether it says the same of something else.
    """

    rule: RuleRef
    level: Level
    section: Section
    title: str
    outcome: Literal["fired", "not_fired", "undecided"]
    near: Annotated[
        bool, Meta(description="whether one condition is missing, of something of which another condition holds")
    ] = False
    met: int
    missing: int
    items: list[str] = []
    because_not: list[ConditionReport] = []
    questions: list[str] = []
    rests_on: Annotated[list[Evidence], Meta(description="of a rule that fired, with the passages")] = []


class Explanation(Part, frozen=True, kw_only=True):
    """What became of every rule that runs: first those that did not fire, near misses first, then the others."""

    fired: int
    not_fired: int
    undecided: int
    rules: list[RuleReport]


class CarePlan(Part, frozen=True, kw_only=True):
    """A draft care plan. A clinician signs it; `blocked` means that a human must act on the alerts before anything else."""

    detail: Annotated[
        Literal["standard", "full"],
        Meta(description="standard: texts, places in sources and more are left out, and `?detail=full` has them"),
    ] = "full"
    status: Literal["draft", "blocked"]
    requires_clinician_review: Annotated[bool, Meta(description="always true")]
    rulebook: RulebookRef
    alerts: list[Item]
    sections: list[PlanSection]
    front: Front
    card: Card
    standing: Standing
    decisions: list[Decision]
    medications: list[MedicineRead]
    information_needed: list[Question]
    not_considered: list[NotConsidered]
    sources: Annotated[list[Source], Meta(description="each work that an item rests on, once")]
    clinic: Clinic | None = None
    course: Annotated[Course | None, Meta(description="what became of the earlier plan that was sent with the request")] = (
        None
    )
    disclaimer: str
    crisis: Annotated[str, Meta(description="in the usual detail on the card alone")] = ""
    closing_language: Annotated[str | None, Meta(description="of disclaimer and crisis, where it is not English")] = None
    closing_translation: Translated = None
    level_words: Annotated[dict[str, str], Meta(description="what people read for each level, instead of its token")] = {}
    conditions: Annotated[list[IllnessEntryRead], Meta(description="how each of the other conditions was understood")] = []
    by_words: Annotated[
        dict[str, str], Meta(description="what people read for each moment, where there is its token alone")
    ] = {}
    explanation: Explanation | None = None


def items_of(plan: CarePlan) -> list[Item]:
    """Every item of a plan, alerts first."""
    return [*plan.alerts, *(item for section in plan.sections for item in section.items)]
