"""Settings: from a file and the environment, shown with their source, secrets masked, and told in the manual."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from careplan.cli.main import main
from careplan.cli.running import markdown_of_settings, offered
from careplan.clinic_settings import clinic_logo
from careplan.errors import InvalidSettings
from careplan.settings import Settings, described, from_environment, to_environment
from careplan.signing.keys import read_signing_key

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


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_a_file_that_is_none_is_refused_at_once_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody writes to would be waited for without end, and a device has no end."""
    place = tmp_path / "x"
    match kind:
        case "pipe":
            os.mkfifo(place)
        case "device":
            place = Path("/dev/zero")
        case "folder":
            place.mkdir()
        case _:
            place.symlink_to(place)
    says = {"folder": "Is a directory", "loop": "Too many levels of symbolic links"}.get(kind, "it is no file")
    with pytest.raises(InvalidSettings, match=f"the file of settings cannot be read: {says}"):
        from_environment({"CAREPLAN_CONFIG": str(place)})
    with pytest.raises(InvalidSettings, match=f"the clinic's logo cannot be read: {says}"):
        clinic_logo(Settings(clinic_logo=str(place)))
    with pytest.raises(InvalidSettings, match=f"signing_key cannot be read: {says}"):
        read_signing_key(str(place))
    if kind in ("pipe", "device"):  # Nothing is put in its place either.
        before = place.stat()
        done = CliRunner().invoke(main, ["key", "--client", "x", "--file", str(place)])
        assert (done.exit_code, "is no file" in done.output) == (2, True)
        assert place.stat().st_mode == before.st_mode


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("PORT", " 8000\r\n", 8000),
        ("CLINIC_PHONE", "+1 555 0100\n", "+1 555 0100"),
        ("TIME_ZONE", "\ufeffAmerica/New_York", "America/New_York"),
        ("PUBLIC_URL", "https://plans.example.org\n", "https://plans.example.org"),
        ("TLS_KEY_PASSWORD", " two blanks \n", " two blanks "),
    ],
)
def test_what_editors_and_files_of_secrets_leave_around_a_value_is_no_part_of_it(
    tmp_path: Path, name: str, value: str, taken: object
) -> None:
    assert getattr(from_environment({f"CAREPLAN_{name}": value}), name.lower()) == taken
    file = tmp_path / "careplan.toml"
    file.write_bytes(b"\xef\xbb\xbf" + f"{name.lower()} = {json.dumps(value)}\r\n".encode())
    assert getattr(from_environment({"CAREPLAN_CONFIG": str(file)}), name.lower()) == taken


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CLINIC_NAME", "one\ntwo", "one line of text"),
        ("HOST", "a\x00b", "control characters"),
        ("API_KEYS", " ", "is blank"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_its_name(name: str, value: str, says: str) -> None:
    with pytest.raises(InvalidSettings, match=f"CAREPLAN_{name} .*{says}"):
        from_environment({f"CAREPLAN_{name}": value})


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
        rules=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(lambda text: text.strip(" \ufeff")),
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
