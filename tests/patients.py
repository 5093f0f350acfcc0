"""Random patients for property tests: every field, every token, boundaries, unknowns, and texts of every kind."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from careplan.request import clinic, patient
from careplan.rulebook.factors import GROUPS, KINDS, LIMITS, Field
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]

ANSWERED: Json = {
    "conditions": [],
    "lifestyle": {"alcohol_drinks_per_week": 0},
    "red_flags": {"intoxicated_now": False, "new_neurological_symptom": False},
}
"""The answers besides the medicines without which the question of a hold is not open."""

GOALS = st.one_of(
    st.sampled_from(
        [
            "I will walk for 10 minutes every morning",
            "Feel better",
            "Stop my Xanax this week",
            "I want to die",
            "Lose 20 pounds",
            "Call my sister every Sunday at 5 pm",
            "Run 10 km every day",
            "More sleep",
        ]
    ),
    st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip())),
)


def tokens(literal: object) -> st.SearchStrategy[str]:
    return st.sampled_from(get_args(literal))


def numbers(most: float) -> st.SearchStrategy[float]:
    edges = [0, 0.00001, 1, 5, 6, 7, 10, 12, 13, 14, 30, 60, 69, 70, 75, 149, 150, most]
    return st.one_of(st.sampled_from([edge for edge in edges if edge <= most]), st.floats(0, most, allow_nan=False))


def medications(book: Rulebook) -> st.SearchStrategy[Json]:
    catalogue = book.catalogue
    known = sorted(
        {name for row in catalogue.ingredients.values() for name in (row.name, *row.names, *row.brands)}
        | {product.product for product in catalogue.combinations}
    )
    codes = sorted({code for row in catalogue.ingredients.values() for code in row.rxcui} | {"99999999"})
    weighted = ["Xanax", "lamotrigine", "clonazepam", "Nayzilam", "clobazam", "Adderall", "Librax", "oxycodone"]
    name = st.one_of(
        st.sampled_from(known),
        st.sampled_from(weighted),
        st.sampled_from(["zoplidem", "unheard-of", "xanx", "aspirin"]),
        st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip())),
    )
    # Such lines tell of a condition, also where no list of illnesses is sent.
    telling = [
        "Xanax 1 mg three times a day, ran out 3 days ago",
        "sertraline 100 mg, stopped on my own 2 weeks ago",
        "lamotrigine 200 mg daily, missed the last 6 days",
    ]
    rest = {
        "dose_mg": numbers(500),
        "schedule": tokens(patient.Schedule),
        "indication": tokens(patient.MedicineIndication),
    }
    return st.one_of(
        st.fixed_dictionaries({"name": name}, optional=rest),
        st.fixed_dictionaries({"rxcui": st.sampled_from(codes)}, optional=rest | {"name": name}),
        st.fixed_dictionaries({"name": st.sampled_from(telling)}),
    )


def protocols(book: Rulebook) -> st.SearchStrategy[Json]:
    signed = st.sampled_from(["Dr. Ada Quill", "N. Perez, PharmD"])
    hold = st.fixed_dictionaries(
        {
            "drug_class": st.sampled_from(["benzodiazepine", "lamotrigine", "stimulant", *sorted(book.classes)]),
            "before_hours": st.sampled_from([0, 12, 23.5, 47, 333]),
            "after_hours": st.sampled_from([0, 7, 24, 222]),
            "approved_by": signed,
        }
    )
    figures = {name: numbers(24) for name in patient.PROTOCOL_FIGURES}
    return st.fixed_dictionaries({"approved_by": signed}, optional=figures | {"holds": st.lists(hold, max_size=3)})


def answers(kind: str, **others: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """One group of the request: every field that a rule may test, and what else is in it."""
    fields = {name: one(kind, name, field) for name, field in KINDS[kind].fields.items() if field.sent}
    return st.fixed_dictionaries({}, optional=fields | others)


def one(kind: str, name: str, field: Field) -> st.SearchStrategy[Any]:
    """An answer to one factor; small whole numbers, at which most rules change their mind."""
    if field.type == "boolean":
        return st.booleans()
    if field.type == "token":
        return st.sampled_from(field.tokens)
    limits = LIMITS[f"{kind}.{name}"]
    return st.integers(int(limits.least), int(min(limits.most, 12))) if limits.whole else numbers(limits.most)


def has_no_sense(book: Rulebook, sent: patient.Patient, pointer: str) -> bool:
    """Whether other answers leave a question without sense: it is not asked, and its answer counts all the same."""
    name = pointer.strip("/").replace("/", ".")
    words = book.vocabulary.fields.get(name if "." in name else f"patient.{name}")
    return words is not None and words.asking.is_withheld(sent)


def patients(book: Rulebook, *, medicines: int = 5) -> st.SearchStrategy[Json]:
    """Request bodies that the service must accept."""
    others = {"expectations": {"goals": st.lists(GOALS, max_size=4)}}
    whole = {
        "age_years": st.one_of(st.sampled_from([0, 17, 18, 24, 25, 64, 65, 130]), st.integers(0, 130)),
        "sex": tokens(patient.Sex),
        "pregnancy": tokens(patient.Pregnancy),
        "medications": st.lists(medications(book), max_size=medicines),
        "conditions": st.lists(st.sampled_from(sorted(book.conditions)), max_size=4),
        "other_conditions": st.one_of(st.just([]), st.lists(st.text(min_size=1, max_size=40).filter(str.strip), max_size=2)),
        "allergies": st.lists(st.sampled_from(["penicillin", "NKDA", "zzq", "ketamine", "no ketamine allergy"]), max_size=2),
        "protocol": protocols(book),
        "clinic": st.fixed_dictionaries({}, optional={"region": tokens(clinic.Region)}),
        "as_of": st.sampled_from(["2026-01-01", "2026-12-31", "2027-01-01", "2028-02-29"]),
    }
    return st.fixed_dictionaries({}, optional=whole | {kind: answers(kind, **others.get(kind, {})) for kind in GROUPS})
