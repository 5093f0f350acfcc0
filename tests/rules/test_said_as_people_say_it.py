"""Words that scolded, frightened or puzzled readers of plans, and that no text says again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook

TO_PATIENTS = (
    "old patterns tend to bring", "comes from a dark place", "could not fully read one of them", "a careful habit and",
    "by habit, and not because", "by habit, not because", "before the contest", "we will not judge",
    "you will not be judged", "people who drag you down", "your answer on", "hour(s)", "day(s)",
    "the article behind this plan",
)  # fmt: skip
TO_CLINICIANS = (
    "for attenuation speak", "no subject of any question", "by the word lists", "get /v1", "from memory",
    "has no hypertension that", "racemic ketamine or product not answered", "hour(s)", "you told us",
)  # fmt: skip


def texts(book: Rulebook) -> Iterator[tuple[str, str, str]]:
    """Each running rule with its texts for the patient and for the clinician, in small letters."""
    for name, rule in book.rules.items():
        then, file = rule.file.then, rule.file
        patient = (
            then.patient,
            file.title,
            then.card.says if then.card else "",
            *(one.patient or "" for one in then.by_day),
        )
        clinician = (then.clinician, file.line or "", *(one.clinician or "" for one in then.by_day))
        yield name, " ".join(" ".join(patient).casefold().split()), " ".join(" ".join(clinician).casefold().split())


def test_no_text_says_again_what_scolded_frightened_or_puzzled(book: Rulebook) -> None:
    found = [(name, said) for name, patient, _ in texts(book) for said in TO_PATIENTS if said in patient]
    found += [(name, said) for name, _, clinician in texts(book) for said in TO_CLINICIANS if said in clinician]
    assert found == []


@pytest.mark.parametrize("product", ["racemic", "esketamine", None])
def test_no_plan_says_it_either(planner: Planner, product: str | None) -> None:
    sent = {
        "treatment": {"product": product, "sessions_completed": 0},
        "conditions": ["hypertension"],
        "medications": [{"name": "lamotrigine"}, {"name": "zzqblorptan"}],
        "lifestyle": {"alcohol_drinks_per_week": 3},
        "expectations": {"goals": ["walk ten minutes every day", "get my life back"]},
    }
    items = list(items_of(planner.plan(planner.intake.convert(sent))))
    patient = " ".join(item.patient_text for item in items).casefold()
    clinician = " ".join(item.clinician_text for item in items).casefold()
    assert [said for said in TO_PATIENTS if said in patient] == []
    assert [said for said in TO_CLINICIANS if said in clinician] == []


def test_no_number_for_emergencies_stands_in_the_advice_to_walk(book: Rulebook) -> None:
    walking = [rule for name, rule in book.rules.items() if name.startswith("exercise-")]
    assert len(walking) >= 4
    assert not [rule.id for rule in walking if "{emergency}" in rule.file.then.patient]
