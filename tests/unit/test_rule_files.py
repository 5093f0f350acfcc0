"""Rule files as input from strangers: whatever lies in the folder is read or named, within limits, and in one page."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from careplan.errors import LONGEST_WORDS, MOST_SHOWN, InvalidRulebook, RuleFault
from careplan.rulebook import folder as reading
from careplan.rulebook.folder import Files, read_folder
from careplan.rulebook.load import load, load_files, shipped
from careplan.rulebook.yaml_and_csv import Document
from tests.everyday import one_in
from tests.shipped import PARTS, few_rules_in
from tests.work import counted

FILES = read_folder(shipped())
FEW: Files = {
    path: content
    for path, content in FILES.items()
    if len(path.parts) == 1 or path.parts[0] in ("route", "vocabulary", "derived") or path.stem == "sleep-under-five-hours"
}
RULE = PurePosixPath("aftercare/sleep-under-five-hours.yaml")


def faults_of(files: Files) -> tuple[RuleFault, ...]:
    """What is wrong with these files; nothing where they are a rulebook."""
    try:
        load_files(files, PARTS)
    except InvalidRulebook as error:
        return error.faults
    return ()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small rulebook to be spoiled."""
    return few_rules_in(tmp_path / "rules")


def refused(folder: Path) -> tuple[RuleFault, ...]:
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    assert all(fault.file and fault.mend for fault in raised.value.faults)
    return raised.value.faults


BOMB = "\n".join(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" if at else "a0: &a0 [x]" for at in range(12))
TEXTS: dict[str, tuple[str, str]] = {
    "brackets": ("[" * 50_000, "too-deep"),
    "braces": ("{a: " * 50_000, "too-deep"),
    "dashes": ("- " * 50_000 + "x", "too-deep"),
    "indented": ("\n".join(" " * at + "a:" for at in range(300)), "too-deep"),
    "anchor on itself": ("a: &a [*a]", "too-large"),
    "alias bomb": (BOMB, "too-large"),
    "a control character": ("a: \0", "yaml"),
    "two documents": ("--- a\n--- b", "yaml"),
    "half an alias": ("a: *b", "yaml"),
}


@pytest.mark.parametrize(("text", "code"), TEXTS.values(), ids=TEXTS)
def test_a_text_that_would_crash_or_fill_the_process_is_refused_at_once(text: str, code: str) -> None:
    with counted() as work:
        found = Document(PurePosixPath("x.yaml"), text).faults
    assert [fault.code for fault in found] == [code]
    assert work.count < 3_000_000


TITLE = b"title: Very short sleep"
ODD = {
    "an order turned round": ("title: Very \u202eshort sleep", "unseen", 7),
    "the same, written as an escape": ('title: "Very \\u202eshort sleep"', "unseen", 7),
    "a break of lines that is none": ("title: 'Very\u2028short sleep'", "unseen", 7),
    "half a character": ('title: "Very \\ud800 short"', "yaml", 7),
    "a blank of no width": ("title: Very\u200bshort sleep", "unseen", 7),
    "a mark in the middle": ("title: Very \ufeffshort sleep", "unseen", 7),
    "a colour of terminals": ('title: "\\e[31mVery short sleep"', "unseen", 7),
    "blanks alone": ('title: "   "', "blank", 7),
    "a tag of Python": ("title: !!python/name:os.system Very", "yaml", 7),
    "a tag of its own": ("title: !x Very short sleep", "yaml", 7),
    "a tag on a list": ("title: !x [a]", "yaml", 7),
    "packed bytes": ("title: !!binary aGVsbG8=", "yaml", 7),
    "a number by force": ("title: !!int caution", "yaml", 7),
    "a key that clears a screen": ('"\\e[2J": x', "unseen", 7),
    "a list as a key": ("[a]: x", "yaml", 7),
    "fields as a key": ("? {a: b}\n: x", "yaml", 7),
    "a truth by force": ("title: !!bool perhaps", "yaml", 7),
}


@pytest.mark.parametrize("kind", one_in(3, ODD))
def test_what_is_not_seen_or_not_plain_in_a_rule_is_named_with_its_line(kind: str) -> None:
    written, code, line = ODD[kind]
    found = faults_of(dict(FEW) | {RULE: FEW[RULE].replace(TITLE, written.encode(), 1)})
    assert [(fault.file, fault.line, fault.code) for fault in found if fault.code == code] == [(str(RULE), line, code)]
    assert all(fault.mend for fault in found)


def test_a_row_with_what_nobody_sees_is_named_with_its_line() -> None:
    table = PurePosixPath("medications.csv")
    first, _, rest = FEW[table].partition(b"\n")
    found = faults_of(dict(FEW) | {table: first + b"\n" + "\u200b".encode() + rest})
    assert (str(table), 2, "unseen") in [(fault.file, fault.line, fault.code) for fault in found]


def test_letters_that_are_joined_or_run_from_right_to_left_are_text() -> None:
    text = "a: می\u200cخواهم\nb: \u200eabc\u200f\n"
    assert Document(PurePosixPath("x.yaml"), text).faults == []


NUMBERS = ["9" * 5_000, "-" + "9" * 400 + ".5", "1e999", ".inf", ".nan", "0x" + "f" * 400]


@pytest.mark.parametrize("number", one_in(3, NUMBERS, lambda number: number[:9]))
def test_a_number_that_no_computer_has_is_refused_where_it_stands(number: str) -> None:
    files = dict(FEW) | {RULE: FEW[RULE].replace(b"less_than: 5}", f"less_than: {number}}}".encode(), 1)}
    (fault, *_) = faults_of(files)
    assert (fault.file, fault.field) == (str(RULE), "when.lifestyle.sleep_hours_per_night.less_than.0")
    assert len(str(fault)) < LONGEST_WORDS * 4


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda text: text[: len(text) // 2],
    "half a line": lambda text: text[: text.rfind(b"\n", 0, len(text) // 2) + 9],
    "binary": lambda _: bytes(range(256)) * 8,
    "a quotation mark": lambda text: text.replace(b"\n", b'\n"', 3),
    "in UTF-16": lambda text: text.decode().encode("utf-16"),
    "a list": lambda _: b"- 1\n- {a: b}\n",
    "a number": lambda _: b"7",
    "null": lambda _: b"null",
    "swapped lines": lambda text: b"\n".join(reversed(text.split(b"\n"))),
    "one long line": lambda text: text + b"a" * 300_000,
    "tabs": lambda text: text.replace(b"  ", b"\t"),
    "twice": lambda text: text + text,
    "windows": lambda text: text.replace(b"\n", b"\r\n"),
}
OF_LISTS = sorted(path for path in FEW if path.suffix != ".lock" and (len(path.parts) == 1 or path.parts[0] == "vocabulary"))


def spoiled(path: PurePosixPath, how: str) -> None:
    """Nothing but faults comes of it, one at least where the file is not merely written in another way."""
    found = faults_of({**FEW, path: SPOILT[how](FEW[path])})
    assert all(fault.file and fault.line >= 1 and fault.mend for fault in found), (path, how)
    assert all("unforeseen" not in fault.problem for fault in found)


@pytest.mark.parametrize("how", one_in(7, SPOILT))
def test_a_spoiled_file_brings_faults_and_nothing_else(how: str) -> None:
    luck = random.Random(how)  # noqa: S311 - chance, not secrecy
    for path in [RULE, *luck.sample(OF_LISTS, 1)]:
        spoiled(path, how)


@pytest.mark.deep
@pytest.mark.skipif("CAREPLAN_TEST_FILES" not in os.environ, reason="minutes; scripts/long runs it")
@pytest.mark.parametrize("how", SPOILT)
def test_every_spoiled_file_brings_faults_and_nothing_else(how: str) -> None:
    for path in [RULE, *OF_LISTS]:
        spoiled(path, how)


def test_a_rule_under_another_ending_or_in_another_place_is_named(folder: Path) -> None:
    rule = (folder / RULE).read_text()
    (folder / "aftercare" / "one.yml").write_text(rule)
    (folder / "aftercare" / "two.YAML").write_text(rule)
    (folder / "three.yaml").write_text(rule)
    (folder / "aftercare" / "deeper").mkdir()
    (folder / "aftercare" / "deeper" / "four.yaml").write_text(rule)
    (folder / "aftercare" / ".five.yaml.swp").write_text(rule)
    found = {fault.file for fault in refused(folder)}
    assert found == {"aftercare/one.yml", "aftercare/two.YAML"}
    (folder / "aftercare" / "one.yml").unlink()
    (folder / "aftercare" / "two.YAML").unlink()
    assert {(fault.file, fault.code) for fault in refused(folder)} == {
        ("three.yaml", "unread-file"),
        ("aftercare/deeper/four.yaml", "unread-file"),
    }


@pytest.mark.long
def test_a_file_of_another_kind_is_named_by_the_check_and_stops_nothing(folder: Path) -> None:
    (folder / "aftercare" / "draft.docx").write_bytes(b"PK")
    done = CliRunner().invoke(main, ["rules", "check", "--rules", str(folder)])
    assert done.exit_code == 0, done.output
    assert "aftercare/draft.docx" in done.output
    assert CliRunner().invoke(main, ["rules", "check", "--strict", "--rules", str(folder)]).exit_code == 1


def test_what_cannot_be_read_is_named(folder: Path) -> None:
    target = folder / RULE
    os.mkfifo(folder / "aftercare" / "pipe.yaml")
    (folder / "aftercare" / "loop.yaml").symlink_to("loop.yaml")
    (folder / "aftercare" / "gone.yaml").symlink_to("nowhere.yaml")
    (folder / "route" / "up").symlink_to("..")
    (folder / "aftercare" / os.fsdecode(b"\xff.yaml")).write_bytes(target.read_bytes())
    found = {(fault.file, fault.code) for fault in refused(folder)}
    assert found >= {
        ("aftercare/pipe.yaml", "unreadable"),
        ("aftercare/loop.yaml", "unreadable"),
        ("aftercare/gone.yaml", "unreadable"),
        ("route/up", "unreadable"),
        ("aftercare/\N{REPLACEMENT CHARACTER}.yaml", "file-name"),
    }


@pytest.mark.parametrize("name", ["x.yaml", "aftercare/x.yaml", "aftercare/X.YML", "vocabulary/x.tsv"])
def test_a_folder_that_has_the_name_of_a_file_is_named_also_where_it_is_empty(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    assert {(fault.file, fault.problem) for fault in refused(folder)} == {(name, "This is a folder and not a file.")}


def test_a_file_or_a_folder_without_end_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / RULE).open("ab") as file:
        file.truncate(3_000_000_000)  # takes no place on the disk
    assert [(fault.file, fault.code) for fault in refused(folder)] == [(str(RULE), "too-large")]
    monkeypatch.setattr(reading, "MOST_FILES", 10)
    assert [fault.code for fault in refused(folder)] == ["too-large"]


def test_links_that_lead_to_far_too_much_are_told_of_alone_and_not_followed_to_their_end(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these folders leads to all of the next by many ways, so that nobody would ever have seen all of it."""
    for at in range(1, 8):
        (tmp_path / f"level{at}").mkdir()
        for way in range(30):
            (tmp_path / f"level{at}" / f"way{way}").symlink_to(tmp_path / f"level{at + 1}")
    (folder / "aftercare" / "deeper").symlink_to(tmp_path / "level1")
    (fault,) = refused(folder)
    assert (fault.file, fault.code) == ("rulebook.yaml", "too-large")
    monkeypatch.setattr(reading, "MOST_ENTRIES", 100)
    assert len(reading.unread(folder)) <= 100


def test_of_a_file_that_is_no_text_nothing_else_is_said(folder: Path) -> None:
    for name in (str(RULE), "goals.yaml", "medications.csv", "derived/bleeding_reasons.yaml"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole.decode().encode("utf-16"))
        found = [(fault.code, fault.line) for fault in refused(folder) if fault.file == name]
        assert found == [("encoding", 1)], name
        (folder / name).write_bytes(whole)


def test_a_folder_that_is_no_rulebook_is_said_to_be_none(tmp_path: Path) -> None:
    (fault,) = refused(tmp_path)
    assert "is this the folder of a rulebook?" in fault.problem
    (fault,) = refused(tmp_path / "nowhere")
    assert fault.problem == "The folder of the rulebook cannot be read: No such file or directory."


def test_a_projected_volume_is_read_like_a_folder(folder: Path, tmp_path: Path) -> None:
    """As Kubernetes mounts one: links into a folder that begins with two dots, which is swapped as a whole."""
    volume = tmp_path / "volume"
    volume.mkdir()
    folder.rename(volume / "..2026_01")
    (volume / "..data").symlink_to("..2026_01")
    for entry in (volume / "..2026_01").iterdir():
        (volume / entry.name).symlink_to(Path("..data", entry.name))
    assert load(volume).digest == load(volume / "..2026_01").digest


def test_a_folder_that_changes_while_it_is_read_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, target = reading.read_file, folder / RULE
    whole = target.read_bytes()
    changes = 2

    def writing(place: str | Path, most: int) -> bytes:
        nonlocal changes
        if Path(place) == target and changes:
            changes -= 1
            os.utime(target, ns=(0, changes))
            return b"half"
        return read(place, most)

    monkeypatch.setattr(reading, "read_file", writing)
    monkeypatch.setattr(reading, "PAUSE_SECONDS", 0.0)
    assert read_folder(folder)[RULE] == whole
    changes = 100
    assert "kept changing" in refused(folder)[0].problem


@pytest.mark.parametrize("command", one_in(2, [["check"], ["test"], ["prove"], ["list"]], " ".join))
def test_ten_thousand_faults_are_a_page_of_words_with_the_rest_counted(folder: Path, command: list[str]) -> None:
    table = folder / "medications.csv"
    rows = table.read_text().splitlines()
    table.write_text("\n".join([rows[0], *(["x" * 500 + ",b" * 40] * 10_000)]))
    done = CliRunner().invoke(main, ["rules", *command, "--rules", str(folder)])
    assert done.exit_code in (1, 2)
    assert len(done.output.splitlines()) <= 2 * MOST_SHOWN + 4, done.output
    assert "medications.csv" in done.output
    assert "more in" in done.output


@pytest.mark.long
def test_a_changed_book_is_asked_for_a_name_of_its_own(folder: Path) -> None:
    done = CliRunner().invoke(main, ["rules", "check", "--rules", str(folder)])
    assert "[own-name]" in done.output
    about = folder / "rulebook.yaml"
    about.write_text(re.sub(r"^id: ", "id: our-", about.read_text(), count=1, flags=re.MULTILINE))
    assert "[own-name]" not in CliRunner().invoke(main, ["rules", "check", "--rules", str(folder)]).output
