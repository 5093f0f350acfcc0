"""The comparison of two contracts names whatever breaks a client, and nothing that a client can live with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.everyday import one_in

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "openapi" / "openapi.json"
RELEASED = sorted((ROOT / "openapi" / "released").glob("*.json"))
Json = dict[str, Any]


def compared(old: Path, new: Path) -> tuple[int, str]:
    command = [sys.executable, str(ROOT / "scripts" / "contract-changes"), str(old), str(new)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert not done.stderr
    return done.returncode, done.stdout


def schema(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def parameter(document: Json, path: str, name: str) -> Json:
    found: Json = next(one for one in document["paths"][path]["get"]["parameters"] if one["name"] == name)
    return found


BREAKING: dict[str, Callable[[Json], object]] = {
    "GET /v1/rules: is gone": lambda new: new["paths"].pop("/v1/rules"),
    "the parameter limit is gone": lambda new: new["paths"]["/v1/medications"]["get"]["parameters"].pop(),
    "there is no answer 422 any more": lambda new: new["paths"]["/v1/care-plans"]["post"]["responses"].pop("422"),
    "the form text/calendar is gone": lambda new: new["paths"]["/v1/care-plans"]["post"]["responses"]["200"]["content"].pop(
        "text/calendar"
    ),
    "Patient: age_years is gone": lambda new: schema(new, "Patient")["properties"].pop("age_years"),
    "Patient: age_years is required now": lambda new: schema(new, "Patient").update(required=["age_years"]),
    "CarePlan: status may be missing now": lambda new: schema(new, "CarePlan")["required"].remove("status"),
    "the maxLength is narrower": lambda new: schema(new, "WhichChange")["properties"]["item"].update(maxLength=10),
    "CarePlan.status: can be ready now": lambda new: schema(new, "CarePlan")["properties"]["status"]["enum"].append("ready"),
    "the parameter q is required": lambda new: parameter(new, "/v1/rules", "source").update(name="q", required=True),
    "CdsCall: takes no other fields any more": lambda new: schema(new, "CdsCall").update(additionalProperties=False),
    "WhichChange.item: the pattern is another": lambda new: schema(new, "WhichChange")["properties"]["item"].update(
        pattern="^x"
    ),
    "GET /v1/rules: credentials are always needed": lambda new: new["paths"]["/v1/rules"]["get"].update(
        security=[{"apiKey": []}]
    ),
    "GET /v1/rules: has another operationId": lambda new: new["paths"]["/v1/rules"]["get"].update(operationId="rules"),
    "POST /v1/care-plans body: the form application/fhir+json is gone": lambda new: new["paths"]["/v1/care-plans"]["post"][
        "requestBody"
    ]["content"].pop("application/fhir+json"),
    "does not take benzodiazepine any more": lambda new: (
        schema(new, "Hold")["properties"]["drug_class"]["enum"].remove("benzodiazepine"),
        schema(new, "Hold")["properties"]["drug_class"]["enum"].append("another"),
    ),
    "the maxItems is narrower": lambda new: schema(new, "Patient")["properties"].update(
        other_conditions={
            "anyOf": [schema(new, "Patient")["properties"]["other_conditions"] | {"maxItems": 10}, {"type": "null"}]
        }
    ),
}
HARMLESS: dict[str, Callable[[Json], object]] = {
    "another endpoint": lambda new: new["paths"].update({"/v1/new": new["paths"]["/v1/rules"]}),
    "another field of an answer": lambda new: schema(new, "CarePlan")["properties"].update(new={"type": "string"}),
    "another optional field of a request": lambda new: schema(new, "Patient")["properties"].update(new={"type": "string"}),
    "another token of a request": lambda new: schema(new, "Hold")["properties"]["drug_class"]["enum"].append("another"),
    "null besides a list": lambda new: schema(new, "Patient")["properties"].update(
        other_conditions={"anyOf": [schema(new, "Patient")["properties"]["other_conditions"], {"type": "null"}]}
    ),
    "a wider limit": lambda new: schema(new, "WhichChange")["properties"]["item"].update(maxLength=10_000),
}


@pytest.mark.parametrize("says", one_in(3, [*BREAKING, *HARMLESS]))
def test_what_breaks_a_client_is_named_and_nothing_else(tmp_path: Path, says: str) -> None:
    new = json.loads(CONTRACT.read_bytes())
    (BREAKING | HARMLESS)[says](new)
    (tmp_path / "new.json").write_text(json.dumps(new))
    code, told = compared(CONTRACT, tmp_path / "new.json")
    assert code == (says in BREAKING), told
    assert (says in told) == (says in BREAKING), told


def line_of(version: str) -> str:
    """What a version may not break: all of its major version, and before 1.0 all of its minor one."""
    major, minor, _ = version.split(".")
    return major if major != "0" else f"0.{minor}"


def test_the_contract_breaks_no_client_of_the_releases_that_it_follows() -> None:
    version = json.loads(CONTRACT.read_bytes())["info"]["version"]
    followed = [released for released in RELEASED if line_of(released.stem) == line_of(version)]
    assert followed or version.endswith(".0"), "a patch follows a release"
    for released in followed:
        code, told = compared(released, CONTRACT)
        assert code == 0, f"{released.name}: {told}Raise the version, or do without these changes."


def test_each_release_is_kept_under_its_version_without_samples() -> None:
    assert RELEASED
    for released in RELEASED:
        contract = json.loads(released.read_bytes())
        assert contract["info"]["version"] == released.stem
        assert "examples" not in contract["components"]


@pytest.mark.parametrize("says", one_in(6, BREAKING))
def test_a_change_that_breaks_clients_of_the_last_release_fails(tmp_path: Path, says: str) -> None:
    new = json.loads(RELEASED[-1].read_bytes())
    BREAKING[says](new)
    (tmp_path / "new.json").write_text(json.dumps(new))
    code, told = compared(RELEASED[-1], tmp_path / "new.json")
    assert code == 1 and says in told


def test_a_version_before_one_may_break_with_its_minor_number_alone() -> None:
    assert line_of("0.1.0") == line_of("0.1.9") != line_of("0.2.0")
    assert line_of("1.0.0") == line_of("1.9.3") != line_of("2.0.0")
