"""One patient's factors, as a clinic system sends them.

Every field is optional and `None` means that it was not asked. It never means "no": an empty `medications` list says
that the patient takes none, an absent one that nobody asked. Names, tokens and limits are the public contract.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from careplan.clinic_logo import Logo
from careplan.request.body import Body
from careplan.request.clinic import Clinic
from careplan.request.measurements import Day, Measured
from careplan.request.previous import EarlierPlan, Reference
from careplan.whole_patterns import in_python

Sex = Literal["female", "male"]
Pregnancy = Literal["not_pregnant", "possible", "pregnant", "breastfeeding"]
Indication = Literal["depression", "bipolar_depression", "anxiety", "ptsd", "ocd", "chronic_pain", "fibromyalgia", "other"]
Route = Literal["iv", "im", "subcutaneous", "nasal", "oral", "sublingual", "undecided"]
Product = Literal["racemic", "esketamine"]
Response = Literal["none", "partial", "good", "worse"]
Schedule = Literal["daily", "as_needed", "weekly", "long_acting_injection", "rescue"]
MedicineIndication = Literal[
    "anxiety",
    "insomnia",
    "epilepsy",
    "bipolar",
    "catatonia",
    "alcohol_withdrawal",
    "pain",
    "depression",
    "ptsd_nightmares",
    "blood_pressure",
    "heart",
    "migraine",
    "adhd",
    "opioid_use_disorder",
    "other",
]
MedicineStatus = Literal["taking", "on_hold", "stopped", "not_taken", "allergy"]
Nutrition = Literal["poor", "mixed", "good"]
Cannabis = Literal["none", "occasional", "daily"]
HomeEnvironment = Literal["supportive", "neutral", "chaotic", "abusive"]
SuicidalThoughts = Literal["none", "passive", "active_no_plan", "plan_or_intent"]

NOT_BLANK = r"[^\s\x1c-\x1f\x85\ufeff]"
"""A character that is no space in any dialect of patterns."""
TIME = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
"""An RFC 3339 timestamp."""
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Sessions are in these years, so that whatever stands around one has a date as well."""
YEARS = r"^(19[7-9][0-9]|2[01][0-9][0-9])-"
"""A timestamp in these years."""
SessionTime = Annotated[datetime, Meta(tz=True, extra_json_schema={"pattern": YEARS})]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=NOT_BLANK,
        description="generic, brand or foreign name, as written",
        examples=["Xanax"],
    ),
]
MedicineLine = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        pattern=NOT_BLANK,
        description="one line of a list; what is not sent in a field is read from it: name, schedule, reason, status",
        examples=["LORazepam (ATIVAN) 0.5 mg tablet, take 1 tablet by mouth daily as needed for anxiety"],
    ),
]
_NEVER = r"0-9\x00-\x1f\x7f-\x9f<>{}:;!?#@*=|"
_LETTER = r"[^\x00-@\[-`{-\xbf]"
"""A letter, or any character beyond Latin-1 signs: written so that every dialect of patterns reads it alike."""
_BETWEEN = r"[ \x22$%&'()+,\-./\[\\\]^_`~\xa0-\xbf]*"
ClinicianName = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=80,
        # A letter first and two more, no figures, control characters or marks of a sentence; read in one way only.
        pattern=in_python(rf"^{_LETTER}{_BETWEEN}{_LETTER}{_BETWEEN}{_LETTER}[^{_NEVER}]*$"),
        description="the name of a clinician, without figures; a placeholder is refused",
        examples=["Dr. A. Example, MD"],
    ),
]
Token = Annotated[str, Meta(min_length=1, max_length=64, pattern=in_python(r"^[a-z][a-z0-9_]*$"))]
ConditionText = Annotated[str, Meta(min_length=1, max_length=200, pattern=NOT_BLANK)]
GoalText = Annotated[str, Meta(min_length=1, max_length=500, pattern=NOT_BLANK)]
Rxcui = Annotated[str, Meta(pattern=in_python(r"^[0-9]{1,8}$"), description="RxNorm concept id (RxCUI)", examples=["596"])]
ListName = Literal["medications", "conditions", "goals"]
ArrangedText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        pattern=NOT_BLANK,
        description="what was found and arranged, for the clinicians of this patient",
    ),
]
Sessions = Annotated[int, Meta(ge=0, le=200)]
HoldHours = Annotated[float, Meta(ge=0, le=720)]


class Treatment(Body, frozen=True, kw_only=True):
    """What is being treated, by which route and product, and how far the series has come."""

    indication: Indication | None = None
    preferred_route: Route | None = None
    product: Annotated[Product, Meta(description="racemic ketamine, or esketamine nasal spray")] | None = None
    sessions_planned: Annotated[int, Meta(ge=1, le=200)] | None = None
    sessions_completed: Sessions | None = None
    session_times: Annotated[list[SessionTime], Meta(max_length=60)] | None = None
    response_so_far: Response | None = None
    last_session_at: (
        Annotated[
            SessionTime, Meta(description="when the last session took place; a clearance from before it does not count")
        ]
        | None
    ) = None


class Medication(Body, frozen=True, kw_only=True):
    """One entry of the list of medicines: a name, a line of a list or an RxNorm code. A field wins over a line."""

    name: Name | None = None
    text: MedicineLine | None = None
    rxcui: Rxcui | None = None
    dose_mg: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    schedule: Schedule | None = None
    indication: MedicineIndication | None = None
    status: Annotated[MedicineStatus, Meta(description="not taken: bears on no rule; on hold: asked about")] | None = None

    @property
    def written(self) -> str | None:
        """What the caller calls it: the name, or else the line."""
        return self.name or self.text


class Lifestyle(Body, frozen=True, kw_only=True):
    """Where the patient stands today."""

    sleep_hours_per_night: Annotated[float, Meta(ge=0, le=24)] | None = None
    exercise_minutes_per_week: Annotated[float, Meta(ge=0, le=10_080)] | None = None
    stress_practice_minutes_per_day: Annotated[float, Meta(ge=0, le=1_440)] | None = None
    alcohol_drinks_per_week: Annotated[float, Meta(ge=0, le=500)] | None = None
    nutrition: Nutrition | None = None
    cannabis: Cannabis | None = None
    home_environment: HomeEnvironment | None = None


class Support(Body, frozen=True, kw_only=True):
    """Who is there for the patient."""

    therapist: bool | None = None
    escort_available: bool | None = None
    adult_at_home_24h: bool | None = None
    trusted_people: Annotated[int, Meta(ge=0, le=1_000)] | None = None


class Preparation(Body, frozen=True, kw_only=True):
    """How well prepared the patient feels."""

    researched: bool | None = None
    intentions_set: bool | None = None
    knows_the_process: bool | None = None
    trusts_care_team: bool | None = None
    comfortable_with_setting: bool | None = None


class Expectations(Body, frozen=True, kw_only=True):
    """What the patient expects and wants."""

    expects_immediate_relief: bool | None = None
    expects_guaranteed_result: bool | None = None
    wants_to_stop_early: bool | None = None
    goals: (
        Annotated[
            list[GoalText], Meta(max_length=20, description="goals in the patient's own words; [] means none were named")
        ]
        | None
    ) = None


class RedFlags(Body, frozen=True, kw_only=True):
    """What a human must act on first."""

    suicidal_thoughts: SuicidalThoughts | None = None
    psychosis_now: bool | None = None
    mania_now: bool | None = None
    intoxicated_now: bool | None = None
    chest_pain_now: bool | None = None
    new_neurological_symptom: bool | None = None


class Hold(Body, frozen=True, kw_only=True):
    """A hold of one drug class around a session, entered and signed by a named clinician. Hours before and after."""

    drug_class: Annotated[Token, Meta(examples=["benzodiazepine"])]
    before_hours: HoldHours
    after_hours: HoldHours
    approved_by: ClinicianName


class Protocol(Body, frozen=True, kw_only=True):
    """The clinic's own protocol. A figure in it needs the name of the clinician who approved it."""

    holds: Annotated[list[Hold], Meta(max_length=60)] = []
    solid_food_hours: Annotated[float, Meta(ge=0, le=72)] | None = None
    clear_fluid_hours: Annotated[float, Meta(ge=0, le=72)] | None = None
    observation_minutes: Annotated[float, Meta(ge=0, le=1_440)] | None = None
    driving_hours: Annotated[float, Meta(ge=0, le=168)] | None = None
    approved_by: ClinicianName | None = None

    def over(self, clinic: Protocol | None) -> Protocol:
        """The protocol completed by the clinic's own: holds of other classes, and its figures where none was sent.

        Figures of two protocols are never mixed, since each set was approved as a whole by the one who signed it.
        """
        if clinic is None:
            return self
        named = {hold.drug_class for hold in self.holds}
        holds = [*self.holds, *(hold for hold in clinic.holds if hold.drug_class not in named)]
        own = any(getattr(self, name) is not None for name in PROTOCOL_FIGURES)
        return msgspec.structs.replace(self if own else clinic, holds=holds)

    def unsigned_figures(self) -> bool:
        """True when a figure stands without the name of the clinician who approved it."""
        return self.approved_by is None and any(getattr(self, name) is not None for name in PROTOCOL_FIGURES)


class Clearance(Body, frozen=True, kw_only=True):
    """The record that a named clinician assessed what an alert is about, and what was arranged.

    `what` is the red flag or condition that was assessed. The alert then becomes a decision with this record beside it.
    """

    what: Annotated[
        Token, Meta(description="a red flag, pregnancy, or the token of a condition", examples=["suicidal_thoughts"])
    ]
    by: ClinicianName
    at: SessionTime
    arranged: ArrangedText


class ClinicDefaults(NamedTuple):
    """What the settings of the service say of the clinic, for requests that do not say it."""

    protocol: Protocol | None = None
    clinic: Clinic | None = None
    logo: Logo | None = None
    """For its pages; no request can bring one."""


NO_DEFAULTS = ClinicDefaults()
PROTOCOL_FIGURES = ("solid_food_hours", "clear_fluid_hours", "observation_minutes", "driving_hours")


class Patient(Body, frozen=True, kw_only=True):
    """One patient's factors. Everything is optional; what is left out is unknown and is asked for in the plan."""

    age_years: Annotated[int, Meta(ge=0, le=130)] | None = None
    sex: (
        Annotated[
            Sex,
            Meta(description="as put down at birth; it decides whether pregnancy is asked about, and some limits"),
        ]
        | None
    ) = None
    pregnancy: Pregnancy | None = None
    treatment: Treatment = Treatment()
    medications: (
        Annotated[list[Medication], Meta(max_length=100, description="[] means takes none; leave out if not asked")] | None
    ) = None
    conditions: (
        Annotated[list[Token], Meta(max_length=60, description="tokens of GET /v1/conditions; [] means has none")] | None
    ) = None
    other_conditions: Annotated[
        list[ConditionText],
        Meta(
            max_length=60,
            description="illnesses as written; what is read of them takes part in rules as tokens do, see docs/illnesses.md",
        ),
    ] = []
    allergies: (
        Annotated[
            list[ConditionText],
            Meta(max_length=60, description="allergies as written, see docs/illnesses.md; [] means has none"),
        ]
        | None
    ) = None
    incomplete: Annotated[
        list[ListName],
        Meta(
            max_length=3,
            description=(
                "lists of which it is known that something is missing, such as one that was cut off or of which an entry "
                "could not be read; each counts as a list with an entry that nobody has read"
            ),
        ),
    ] = []
    measures: Annotated[
        dict[str, Measured],
        Meta(
            max_length=200,
            description="measured values by the name of the measure: a value, one with unit and time, or several",
        ),
    ] = {}
    as_of: (
        Annotated[
            Day,
            Meta(
                description=(
                    "the day of the plan, of which the age of what was measured is counted, and which decides what rules "
                    "are in force; without it the day of `at`, else for ages the newest day that a measure or clearance "
                    "names, or that of the last session, while rules that are in force on some days only all apply"
                )
            ),
        ]
        | None
    ) = None
    lifestyle: Lifestyle = Lifestyle()
    support: Support = Support()
    preparation: Preparation = Preparation()
    expectations: Expectations = Expectations()
    red_flags: RedFlags = RedFlags()
    protocol: Protocol | None = None
    clinic: Clinic | None = None
    clearances: Annotated[
        list[Clearance], Meta(max_length=60, description="alerts that a named clinician has assessed, and what was arranged")
    ] = []
    reference: Reference | None = None
    previous: EarlierPlan = None

    def on(self, day: date | None) -> Patient:
        """The patient with `day` as that of the plan, unless another one was sent."""
        if day is None or self.as_of is not None:
            return self
        return msgspec.structs.replace(self, as_of=day.isoformat())

    def under(self, defaults: ClinicDefaults) -> Patient:
        """The patient with the clinic's own protocol, and what it is called, behind those that were sent."""
        patient = self
        if defaults.protocol is not None:
            patient = msgspec.structs.replace(patient, protocol=(self.protocol or Protocol()).over(defaults.protocol))
        if defaults.clinic is not None:
            patient = msgspec.structs.replace(patient, clinic=(self.clinic or Clinic()).over(defaults.clinic))
        return patient
