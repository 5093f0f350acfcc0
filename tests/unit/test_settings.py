"""Settings: from a file and the environment, shown with their source, secrets masked, and told in the manual."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from careplan.cli.main import main
from careplan.cli.running import markdown_of_settings, offered
from careplan.errors import InvalidSettings
from careplan.settings import Settings, described, from_environment, to_environment

MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "careplan.toml"
    file.write_text('port = 9000\nworkers = 3\nwatch = true\nbody_seconds = 2.5\nlog = "console"\n')
    environment = {"CAREPLAN_CONFIG": str(file), "CAREPLAN_PORT": "9001"}
    settings = from_environment(environment)
    assert (settings.port, settings.workers, settings.watch, settings.body_seconds) == (9001, 3, True, 2.5)
    sources = {row.name: row.source for row in described(environment)}
    assert (sources["port"], sources["workers"], sources["host"]) == ("environment", "file", "default")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("prot = 1", "prot"),
        ("port = ", "not TOML"),
        ("port = 'many'", "CAREPLAN_PORT must be a whole number"),
        ("workers = 0", "CAREPLAN_WORKERS must be a whole number, at least 1"),
        ("time_zone = 'Mars/North'", "time zone"),
    ],
)
def test_a_bad_file_of_settings_is_refused_with_a_reason(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "careplan.toml"
    file.write_text(content)
    with pytest.raises(InvalidSettings, match=says):
        from_environment({"CAREPLAN_CONFIG": str(file)})


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    environment = {
        "CAREPLAN_TLS_KEY_PASSWORD": "Zyxwvut",
        "CAREPLAN_TLS_KEY": str(tmp_path / "k"),
        "CAREPLAN_TLS_CERTIFICATE": "c",
    }
    for form in ("text", "json"):
        done = CliRunner().invoke(main, ["config", "--format", form], env=environment)
        assert done.exit_code == 0, done.output
        assert "Zyxwvut" not in done.output
        assert "(set)" in done.output
    rows = json.loads(CliRunner().invoke(main, ["config"], env=environment).output)
    assert {row["name"] for row in rows} == set(Settings.__struct_fields__)


def test_the_manual_has_the_table_of_all_settings() -> None:
    assert markdown_of_settings() in MANUAL.read_text(), "put the output of careplan config --format markdown there"


@given(
    st.builds(
        Settings,
        port=st.integers(0, 65_535),
        workers=st.integers(1, 256),
        watch=st.booleans(),
        body_seconds=st.floats(0.01, 600).map(lambda number: float(f"{number:g}")),
        log=st.sampled_from(["json", "console"]),
        rules=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
    )
)
def test_settings_survive_the_way_through_an_environment(settings: Settings) -> None:
    assert from_environment(to_environment(settings)) == settings


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        (Settings(), {"localhost", "127.0.0.1", "[::1]"}),
        (Settings(public_url="https://Plans.example.org:8443/x"), {"localhost", "127.0.0.1", "[::1]", "plans.example.org"}),
        (Settings(allowed_hosts="a.example.org, B.example.org"), {"a.example.org", "b.example.org"}),
        (Settings(allowed_hosts="careplan", public_url="https://plans.example.org"), {"careplan", "plans.example.org"}),
        (Settings(allowed_hosts="*"), None),
    ],
)
def test_the_hosts_that_are_served(settings: Settings, hosts: set[str] | None) -> None:
    assert settings.hosts == hosts


@pytest.mark.parametrize(
    ("settings", "address", "asked", "key", "note"),
    [
        (Settings(), "http://127.0.0.1:8000", "http://127.0.0.1:8000", False, False),
        (Settings(api_keys="keys.json"), "http://0.0.0.0:8000", "http://localhost:8000", True, True),
        (Settings(api_keys="keys.json", open_paths="docs"), "https://[::]:8443", "https://localhost:8443", True, False),
        (
            Settings(public_url="https://plans.example.org/"),
            "http://127.0.0.1:80",
            "https://plans.example.org",
            False,
            False,
        ),
    ],
)
def test_what_a_start_offers_can_be_asked_for_as_it_stands_there(
    settings: Settings,
    address: str,
    asked: str,
    key: bool,  # noqa: FBT001
    note: bool,  # noqa: FBT001
) -> None:
    told = offered(settings, address)
    assert told.count(f" {asked}/") == 3
    assert ("Authorization: Bearer" in told) is key
    assert ("asks for a key" in told) is note
