"""The command line, as a person and as a script use it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from careplan.rulebook.load import shipped
from tests.patients import ANSWERED

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "daily-benzodiazepine.json")


def test_a_plan_in_a_pipe_is_json() -> None:
    done = CliRunner().invoke(main, ["plan", EXAMPLE])
    assert done.exit_code == 0
    assert json.loads(done.output)["status"] == "draft"


def test_a_plan_as_text_is_its_front_page_and_its_card_and_the_rest_on_request() -> None:
    def told(*options: str) -> str:
        done = CliRunner().invoke(main, ["plan", EXAMPLE, "--format", "text", *options])
        assert done.exit_code == 0
        return done.output

    front, standard, full = told(), told("--detail", "standard"), told("--detail", "full")
    assert front == told("--detail", "front")
    for shown in (front, standard, full):
        assert "alprazolam (Xanax XR)" in shown
        assert (
            shown.index("To decide") < shown.index("Your ketamine card") < shown.index("For the person who takes you home")
        )
    assert "Medicines as understood" in standard
    assert "Medicines as understood" not in front
    assert "To read at home" in full
    assert "To read at home" not in standard
    assert len(front) < len(standard) < len(full)


def test_json_on_the_command_line_has_as_much_detail_as_is_asked_for() -> None:
    def told(*options: str) -> int:
        done = CliRunner().invoke(main, ["plan", EXAMPLE, "--format", "json", *options])
        assert done.exit_code == 0
        assert json.loads(done.output)["front"]
        return len(done.output)

    assert told("--detail", "front") < told() == told("--detail", "standard") < told("--detail", "full")


@pytest.mark.parametrize("form", ["text", "html", "markdown"])
def test_a_patients_copy_can_be_printed_alone(form: str) -> None:
    done = CliRunner().invoke(main, ["plan", EXAMPLE, "--format", form, "--reader", "patient"])
    assert done.exit_code == 0
    assert "Your ketamine card" in done.output
    assert "To decide" not in done.output


@pytest.mark.parametrize(
    "options",
    [
        ("--detail", "full", "--format", "calendar"),
        ("--detail", "full", "--record", "2026-01-31T14:00:00Z"),
        ("--reader", "patient", "--format", "json"),
        ("--reader", "patient", "--format", "fhir"),
        ("--reader", "patient", "--format", "text", "--against", EXAMPLE),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(options: tuple[str, ...]) -> None:
    assert CliRunner().invoke(main, ["plan", EXAMPLE, *options]).exit_code == 2


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("html", b"<!doctype html>"),
        ("markdown", b"# Not ready: "),
        ("pdf", b"%PDF-"),
        ("fhir", b'{"resourceType"'),
        ("calendar", b"BEGIN:VCALENDAR"),
    ],
)
def test_a_plan_can_be_written_in_the_forms_of_the_service(form: str, begins: bytes) -> None:
    done = CliRunner().invoke(main, ["plan", EXAMPLE, "--format", form])
    assert done.exit_code == 0
    assert done.stdout_bytes.lstrip().startswith(begins)
    refused = CliRunner().invoke(main, ["plan", EXAMPLE, "--format", form, "--explain"])
    assert refused.exit_code == 2


def test_hours_are_written_in_the_zone_that_is_asked_for_or_in_that_of_the_clinic(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = str(ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json")

    def told(*options: str) -> str:
        done = CliRunner().invoke(main, ["plan", signed, *options])
        assert done.exit_code == 0
        return done.output

    for form in ("text", "markdown", "html"):
        assert "2026-12-01 10:00 UTC-08:00" in told("--format", form, "--detail", "standard")
        assert "2026-12-01 13:00" in told("--format", form, "--detail", "standard", "--zone", "America/New_York")
    assert "local time in New York" in told("--format", "text", "--detail", "full", "--zone", "America/New_York")
    assert "December 1, 1:00 pm" in told("--format", "text", "--zone", "America/New_York")
    monkeypatch.setenv("CAREPLAN_TIME_ZONE", "Europe/Lisbon")
    assert "2026-12-01 18:00" in told("--format", "text", "--detail", "standard")
    assert CliRunner().invoke(main, ["plan", signed, "--zone", "Moon/Base"]).exit_code == 2


def test_standard_input_and_a_blocked_plan() -> None:
    done = CliRunner().invoke(main, ["plan", "-"], input=(ROOT / "examples" / "crisis.json").read_text())
    assert done.exit_code == 3
    assert json.loads(done.output)["status"] == "blocked"


def test_a_body_that_cannot_be_used_names_its_faults() -> None:
    done = CliRunner().invoke(main, ["plan", "-"], input='{"age_years": -1, "pregnancy": "x"}')
    assert done.exit_code == 2
    assert "/age_years: must be at least 0" in done.output
    assert "/pregnancy:" in done.output


def test_a_bad_rulebook_is_refused_with_file_line_and_mend(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    path = next((folder / "aftercare").glob("*.yaml"))
    path.write_text(path.read_text().replace("level: ", "level: very-"))
    done = CliRunner().invoke(main, ["plan", EXAMPLE, "--rules", str(folder)])
    assert done.exit_code == 2
    assert f"aftercare/{path.name}:5 (level)" in done.output


def test_the_clinics_own_protocol_stands_in_for_one_that_was_not_sent(tmp_path: Path) -> None:
    hold = {"drug_class": "benzodiazepine", "before_hours": 41, "after_hours": 3, "approved_by": "Dr. Ada Quill"}
    (tmp_path / "protocol.json").write_text(json.dumps({"holds": [hold]}))
    patient = ANSWERED | {"medications": [{"name": "Ativan", "schedule": "as_needed", "indication": "anxiety"}]}
    environment = {"CAREPLAN_PROTOCOL": str(tmp_path / "protocol.json")}
    done = CliRunner().invoke(main, ["plan", "-", "--detail", "full"], input=json.dumps(patient), env=environment)
    assert "Dr. Ada Quill" in done.output
    assert "41 hours" in done.output


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"CAREPLAN_POTR": "1"}, "not a setting"),
        ({"CAREPLAN_PORT": "many"}, "CAREPLAN_PORT must be a whole number"),
        ({"CAREPLAN_PROTOCOL": "/nowhere.json"}, "protocol"),
    ],
)
def test_a_bad_setting_is_refused(environment: dict[str, str], says: str) -> None:
    done = CliRunner().invoke(main, ["plan", EXAMPLE], env=environment)
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", pytest.param("::", id="IPv6"), "example.org"])  # noqa: S104
def test_the_service_refuses_to_listen_beyond_loopback(host: str) -> None:
    done = CliRunner().invoke(main, ["serve", "--host", host])
    assert done.exit_code == 2
    assert "loopback" in done.output


def test_a_busy_port_is_named_and_no_trace_stays_in_the_environment() -> None:
    before = dict(os.environ)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = CliRunner().invoke(main, ["serve", "--port", str(taken.getsockname()[1])])
    assert done.exit_code == 2
    assert "cannot listen" in done.output
    assert dict(os.environ) == before


@pytest.mark.parametrize("command", [[], ["plan"], ["serve"], ["rules"], ["rules", "coverage"], ["openapi"]])
def test_every_command_has_help(command: list[str]) -> None:
    done = CliRunner().invoke(main, [*command, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output
    if command not in ([], ["rules"]):
        assert "Example: careplan" in done.output


def test_the_wheel_carries_rules_and_examples(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"careplan/rules/rulebook.yaml", "careplan/rules/medications.csv", "careplan/py.typed"} <= names
    assert {f"careplan/formats/fonts/{name}" for name in ("NotoSans-Regular.ttf", "characters.txt", "OFL.txt")} <= names
    assert len([name for name in names if name.startswith("careplan/rules/") and name.endswith(".yaml")]) > 100
    assert any(name.startswith("careplan/examples/") for name in names)


def test_an_explanation_in_text_shows_near_misses_and_counts_the_rest() -> None:
    done = CliRunner().invoke(main, ["plan", EXAMPLE, "--explain", "--format", "text"])
    said = json.loads(CliRunner().invoke(main, ["plan", EXAMPLE, "--explain", "--format", "json"]).output)["explanation"]
    others = [entry for entry in said["rules"] if entry["outcome"] != "fired" and not entry.get("near")]
    assert 0 < len(said["rules"]) - said["fired"] - len(others) < 0.2 * len(said["rules"])
    (folded,) = (line for line in done.output.splitlines() if line.startswith("Not shown: "))
    not_fired = sum(entry["outcome"] == "not_fired" for entry in others)
    assert folded.startswith(f"Not shown: {not_fired} more that did not fire and {len(others) - not_fired} more")
    assert all(f"({entry['rule']['id']})" not in done.output for entry in others)
