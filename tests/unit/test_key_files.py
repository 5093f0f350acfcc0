"""The file of API keys keeps whose it is and who may read it, also where it is mounted by itself, and nothing is lost."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from careplan.cli.main import main
from careplan.web.security.access import read_keys


def made(file: Path, client: str = "ehr") -> Result:
    return CliRunner().invoke(main, ["key", "--client", client, "--file", str(file)])


def clients(file: Path) -> list[str]:
    return [key.client for key in read_keys(file.read_bytes())]


def test_a_new_file_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    done = made(tmp_path / "keys.json")
    assert done.exit_code == 0
    assert "The file is new." in done.stderr
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o444])
def test_a_file_keeps_its_mode_and_owner_and_says_what_it_held(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys.json"
    made(file)
    file.chmod(mode)
    if os.geteuid() == 0:
        os.chown(file, 10_001, 10_002)
    before = file.stat()
    done = made(file, "portal")
    assert done.exit_code == 0, done.output
    assert "It held 1 key (ehr) before." in done.stderr
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert clients(file) == ["ehr", "portal"]
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES])
def test_a_file_that_cannot_be_replaced_is_written_into(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that a container has mounted by itself."""
    file = tmp_path / "keys.json"
    made(file)
    number = file.stat().st_ino

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "replace", refuse)
    assert made(file, "portal").exit_code == 0
    assert file.stat().st_ino == number
    assert clients(file) == ["ehr", "portal"]
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    made(tmp_path / "real" / "keys.json")
    (tmp_path / "keys.json").symlink_to(Path("real", "keys.json"))
    assert made(tmp_path / "keys.json", "portal").exit_code == 0
    assert (tmp_path / "keys.json").is_symlink()
    assert clients(tmp_path / "real" / "keys.json") == ["ehr", "portal"]


def test_what_cannot_be_written_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    assert "No such file or directory" in made(tmp_path / "nowhere" / "keys.json").output
    assert "a name of 1 to 60 letters" in made(tmp_path / "keys.json", "a b").output
    assert not list(tmp_path.iterdir())
    file = tmp_path / "keys.json"
    made(file)
    before = file.read_bytes()
    file.write_bytes(before[:-20])
    done = made(file, "portal")
    assert done.exit_code == 2
    assert "file of API keys is not one" in done.output
    assert file.read_bytes() == before[:-20]
    file.write_bytes(b"")
    assert made(file).exit_code == 0
    assert "Traceback" not in done.output
    assert msgspec.json.decode(file.read_bytes())["keys"]
