"""A rulebook of one's own: copied under another id, and kept up with newer ones without losing a change of the owner's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from careplan.authoring.doctor import findings
from careplan.authoring.origin import RECORD, Part, parts_of, read_record
from careplan.cli.main import main
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook

SLEEP = "aftercare/sleep-under-five-hours.yaml"
NUTRITION = "aftercare/nutrition-poor.yaml"
THERAPIST = "aftercare/integration-talk-with-therapist.yaml"

contents = st.none() | st.sampled_from("abc").map(lambda letter: Part("x/one.yaml", letter * 64))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["rules", *map(str, arguments)])


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copied") / "Riverside rules"
    done = run("init", folder)
    assert done.exit_code == 0, done.output
    assert "careplan rules doctor" in done.output
    return folder


@pytest.fixture
def own(copied: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(copied, tmp_path / "own"))


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The shipped rulebook of a later day: one text changed, and its version."""
    folder = Path(shutil.copytree(shipped(), tmp_path / "newer"))
    edit(folder, "rulebook.yaml", "2026.", "2027.")
    edit(folder, SLEEP, "rationale: >-\n", "rationale: >-\n  Looked at again.\n")
    return folder


@pytest.mark.long
@given(contents, contents, contents)
def test_what_the_owner_did_is_never_clean_to_take_over(here: Part | None, copied: Part | None, there: Part | None) -> None:
    parts = [{} if one is None else {"one": one} for one in (here, copied, there)]
    found = list(findings(*parts))
    assert bool(found) == (there not in {here, copied})
    for one in found:
        assert one.clean == (here == copied)
    # Without a record nobody can tell whose change it is: all of it is said, and none of it is done.
    unrecorded = list(findings(parts[0], None, parts[2]))
    assert not any(one.clean for one in unrecorded)
    assert bool(unrecorded) == (there is not None and here != there)


def test_a_copy_has_an_id_of_its_own_loads_and_lacks_nothing(own: Path, book: Rulebook) -> None:
    copied = load(own)
    assert copied.about.id == "riverside-rules"
    assert copied.rules.keys() == book.rules.keys()
    done = run("doctor", own)
    assert (done.exit_code, done.output) == (0, "Nothing is lacking.\n")


@pytest.mark.long
def test_the_record_is_no_part_of_what_the_rulebook_says(own: Path) -> None:
    before = load(own).digest
    (own / RECORD).unlink()
    assert load(own).digest == before


@pytest.mark.long
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = run("init", tmp_path)
    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["", "Our Rules", "ketamine-care", "-a"])
def test_an_id_that_is_none_or_that_of_the_shipped_rulebook_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "---"
    assert run("init", folder, "--id", name).exit_code == 2
    assert not folder.exists()


@pytest.mark.long
def test_a_newer_rulebook_is_listed_and_taken_over_beside_the_changes_of_the_owner(own: Path, newer: Path) -> None:
    edit(own, NUTRITION, "rationale: >-\n", "rationale: >-\n  As our dietitian sees it.\n")
    ours = (own / NUTRITION).read_bytes()
    done = run("doctor", own, "--against", newer)
    assert done.exit_code == 1
    assert f"{SLEEP}: changed in the shipped rulebook, not here" in done.output
    assert "nutrition" not in done.output
    assert "rulebook.yaml" not in done.output
    taken = run("doctor", own, "--against", newer, "--write")
    assert taken.exit_code == 0, taken.output
    assert (own / SLEEP).read_bytes() == (newer / SLEEP).read_bytes()
    assert (own / NUTRITION).read_bytes() == ours
    assert load(own).about.id == "riverside-rules"
    assert run("doctor", own, "--against", newer).output == "Nothing is lacking.\n"


@pytest.mark.long
def test_what_both_changed_is_never_overwritten_and_stays_listed_until_it_is_settled(own: Path, newer: Path) -> None:
    edit(own, SLEEP, "less_than: 5}", "less_than: 5.5}")
    ours = (own / SLEEP).read_bytes()
    for _ in range(2):
        done = run("doctor", own, "--against", newer, "--write")
        assert done.exit_code == 1
        assert f"{SLEEP}: changed in the shipped rulebook and here; differs in" in done.output
        assert "rationale" in done.output
        assert (own / SLEEP).read_bytes() == ours
    settled = run("doctor", own, "--against", newer, "--settled", "sleep-under-five-hours")
    assert (settled.exit_code, settled.output) == (0, "Nothing is lacking.\n")
    assert (own / SLEEP).read_bytes() == ours


@pytest.mark.long
def test_a_rule_that_moved_or_went_there_does_so_here_unless_it_was_changed_here(own: Path, newer: Path) -> None:
    for path in (THERAPIST, NUTRITION):
        (newer / path).unlink()
    edit(own, NUTRITION, "rationale: >-\n", "rationale: >-\n  As our dietitian sees it.\n")
    listed = json.loads(run("doctor", own, "--against", newer, "--format", "json").stdout)
    assert {one["part"]: (one["what"], one["clean"]) for one in listed["left"]} == {
        "sleep-under-five-hours": ("changed", True),
        "integration-talk-with-therapist": ("gone", True),
        "nutrition-poor": ("gone_there", False),
    }


@pytest.mark.long
def test_a_rule_that_the_owner_took_away_does_not_come_back(own: Path, newer: Path) -> None:
    (own / NUTRITION).unlink()
    (own / SLEEP).unlink()
    done = run("doctor", own, "--against", newer, "--write")
    assert "sleep-under-five-hours.yaml: changed in the shipped rulebook, taken away here" in done.output
    assert not (own / SLEEP).exists()
    assert not (own / NUTRITION).exists()


@pytest.mark.long
@pytest.mark.long
def test_nothing_is_written_where_the_rulebook_would_not_be_fit_for_use_then(own: Path, newer: Path) -> None:
    edit(newer, SLEEP, "less_than: 5}", "fewer_than: 5}")
    before = parts_of(own), read_record(own)
    done = run("doctor", own, "--against", newer, "--write")
    assert done.exit_code == 1
    assert "nothing was written" in done.output
    assert (parts_of(own), read_record(own)) == before


@pytest.mark.long
@pytest.mark.long
def test_one_rule_alone_can_be_taken_over_and_a_name_that_is_none_is_met_with_the_nearest(own: Path, newer: Path) -> None:
    edit(newer, NUTRITION, "rationale: >-\n", "rationale: >-\n  Looked at again.\n")
    assert run("doctor", own, "--against", newer, "--only", "nutrition-poor", "--write").exit_code == 0
    assert (own / SLEEP).read_bytes() != (newer / SLEEP).read_bytes()
    wrong = run("doctor", own, "--only", "nutrition-por")
    assert wrong.exit_code == 2
    assert "did you mean nutrition-poor?" in wrong.output


@pytest.mark.long
@pytest.mark.long
def test_without_a_record_all_is_listed_and_nothing_taken_over(own: Path, newer: Path) -> None:
    (own / RECORD).unlink()
    done = run("doctor", own, "--against", newer, "--write")
    assert done.exit_code == 1
    assert "There is no record of what was copied" in done.output
    assert (own / SLEEP).read_bytes() != (newer / SLEEP).read_bytes()


@pytest.mark.long
def test_a_record_that_is_none_is_refused(own: Path) -> None:
    (own / RECORD).write_text("half a line\n")
    assert run("doctor", own).exit_code == 2
