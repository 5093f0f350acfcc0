"""Whatever is given to a command, it ends with words and a code, and never with a traceback."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import rich_click
from click.testing import CliRunner

from careplan.cli import common
from careplan.cli.endings import DEFECT
from careplan.cli.main import main
from careplan.rulebook.load import load
from tests.everyday import one_in
from tests.sizes import cases
from tests.warm import COMMAND, run

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "crisis.json")
SHIPPED = ROOT / "rules"
RUNS_ON = {("serve",), ("rules", "prove"), ("rules", "test"), ("rules", "check"), ("openapi",)}
"""Commands that work for long as soon as what they are given is usable; they are given no good rulebook here."""
FULL = [
    ("--help",),
    ("rules", "--help"),
    ("--version",),
    ("config", "--format", "json"),
    ("rules", "list"),
    ("rules", "schema"),
]
FULL += [("rules", "list", "--format", "json"), ("plan", EXAMPLE), ("plan", EXAMPLE, "--format", "text"), ("cohort", "50")]
FULL += [("plan", EXAMPLE, "--format", "markdown"), ("rules", "show", "sleep-under-five-hours"), ("rules", "graph")]
EVERY_DAY = {FULL[0], ("rules", "list"), ("plan", EXAMPLE)}
WRITERS = [given if given in EVERY_DAY else pytest.param(given, marks=pytest.mark.long) for given in FULL]


def called(given: tuple[str, ...]) -> str:
    return " ".join(given).replace(EXAMPLE, "FILE")


WORDS: tuple[str, ...] = (
    "",
    " ",
    "-",
    "--",
    "-1",
    "0",
    "99999999999999999999",
    "nan",
    "inf",
    "1e999",
    "x" * 5_000,
    "💥",
    "é",
    "\udcff",
)
WORDS += ("a\nb", "../..", "%s", "{0}", "[bold]", "[/]", "HEAD", "0000-00-00", "2026-13-45T99:99:99Z", "\x1b[2J")


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command by the words it is called with."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Paths of what is no good file: for a patient, a rulebook, a key or anything else."""
    folder = tmp_path_factory.mktemp("odd")
    contents = {
        "empty": b"",
        "bytes": bytes(range(256)),
        "latin1.json": '{"medications": [{"name": "caf\xe9"}]}'.encode("latin-1"),
        "utf16.json": '{"medications": []}'.encode("utf-16"),
        "half.json": b'{"medications": [',
        "deep.json": b"[" * 100_000,
        "number.json": b"1e999",
        "list.json": b"[]",
        "null.json": b"null",
        "string.json": b'"x"',
        "surrogate.json": b'{"medications": [{"name": "\\ud800"}]}',
        "nul.yaml": b"a: \0",
        "pem": b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n",
        "zip": b"PK\x03\x04" + b"\0" * 40,
        "packed.ndjson.gz": b"\x1f\x8b\x08\x00broken",
        "packed.ndjson.zst": b"\x28\xb5\x2f\xfdbroken",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for name in ("nothing", "rulebook", "wrong"):
        (folder / name).mkdir()
    (folder / "rulebook" / "rulebook.yaml").write_bytes(b"\xff\xfe: [")
    (folder / "wrong" / "rulebook.yaml").mkdir()
    (folder / "link").symlink_to(folder / "gone")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / os.fsdecode(b"\xff\xfe")).write_bytes(b"{}")
    there = [str(path) for path in sorted(folder.iterdir())]
    return [*there, "", "/no/such/file", f"{folder}/empty/inside", f"{folder}/{'x' * 300}", "/dev/null"]


def told(*given: str, typed: bytes = b"") -> tuple[int, str]:
    """The code and all that a command says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        done = CliRunner().invoke(main, list(given), input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), (given, done.exception)
    return done.exit_code, done.output


def given_to(path: tuple[str, ...], command: click.Command, luck: random.Random, odd: list[str], folder: Path) -> list[str]:
    """Arguments for a command of which some are good, and at least one is odd."""

    def good(parameter: click.Parameter) -> str:
        match parameter.type:
            case click.Choice() as choice:
                return str(luck.choice(list(choice.choices)))
            case click.types.IntParamType():
                return "1"
            case click.Path() as kind if not kind.file_okay:
                return str(folder / "rules")
            case click.Path() | click.File():
                return str(folder / "patient.json")
            case _:
                return "x"

    def wrong(parameter: click.Parameter) -> str:
        likely = odd if isinstance(parameter.type, click.Path | click.File) else WORDS
        return luck.choice(likely if luck.random() < 0.9 else (*odd, *WORDS))

    chosen = [one for one in command.params if one.required or luck.random() < 0.3]
    chosen = [one for one in chosen if one.name != "help"]
    if not chosen:
        return [*path, luck.choice(WORDS)]
    bad = luck.choice(chosen)
    arguments: list[str] = []
    for parameter in chosen:
        value = wrong(parameter) if parameter is bad or luck.random() < 0.2 else good(parameter)
        if isinstance(parameter, click.Option):
            arguments += [parameter.opts[-1]] if parameter.is_flag else [parameter.opts[-1], value]
        else:
            arguments.append(value)
    return [*path, *arguments]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where commands work: with a copy of the rulebook and a patient, as they may write there."""
    made = tmp_path_factory.mktemp("work")
    shutil.copytree(ROOT / "rules", made / "rules")
    return made


@pytest.fixture(autouse=True)
def at_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(EXAMPLE, folder / "patient.json")
    monkeypatch.chdir(folder)
    read = cache(lambda path, _: load(path))
    good = (folder / "rules", SHIPPED)
    # A good rulebook is read once; what a command may have written into it counts for the next one.
    monkeypatch.setattr(common, "load", lambda path: read(path, changed(path)) if path in good else load(path))


def changed(path: Path) -> tuple[int, ...]:
    return tuple(file.stat().st_mtime_ns for file in sorted(path.rglob("*")))


@pytest.mark.parametrize("path", one_in(4, COMMANDS, " ".join))
def test_no_arguments_bring_a_command_to_a_traceback(path: tuple[str, ...], odd: list[str], folder: Path) -> None:
    luck = random.Random(" ".join(path))  # noqa: S311 - chance, not secrecy
    for _ in range(cases(2)):
        given = given_to(path, COMMANDS[path], luck, odd, folder)
        if path in RUNS_ON:
            given += ["--rules", luck.choice([one for one in odd if "\udcff" not in one]), "--rules", "/no/such/folder"]
        elif any(one.name == "rules" for one in COMMANDS[path].params) and "--rules" not in given:
            given += ["--rules", str(folder / "rules")]
        code, said = told(*given)
        assert code != DEFECT, (given, said)
        assert "Traceback" not in said, given
        assert code == 0 or said.strip(), given


READERS: dict[tuple[str, ...], list[str]] = {
    ("plan",): [],
    ("replay",): [],
    ("sign",): ["--by", "A. Example, MD", "--at", "2026-01-31T15:00:00Z"],
}


@pytest.mark.parametrize("path", READERS, ids=" ".join)
def test_each_kind_of_bad_file_is_refused_in_words(path: tuple[str, ...], odd: list[str]) -> None:
    for bad in odd[:: max(2, 8 // cases(1))]:
        code, said = told(*path, bad, *READERS[path], "--rules", str(SHIPPED))
        assert code in (0, 2, 3), (bad, said)
        assert said.strip(), bad


@pytest.mark.parametrize("given", WRITERS, ids=called)
def test_a_full_disk_is_told_in_one_line(given: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(*given, stdout=full)
    assert done.stderr.decode() == "careplan: standard output: No space left on device\n"
    assert done.returncode == 2


@pytest.mark.long
def test_who_can_write_no_message_either_hears_it_by_the_code() -> None:
    command = [sys.executable, "-m", COMMAND, "rules", "list"]  # From nothing: what an end itself does is looked at.
    with Path("/dev/full").open("wb") as full:
        assert subprocess.run(command, stdout=full, stderr=full, check=False).returncode == 2


@pytest.mark.parametrize("given", WRITERS[::3], ids=called)
def test_a_reader_who_has_read_enough_is_no_fault(given: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(*given, stdout=writing)
    finally:
        os.close(writing)
    assert done.stderr == b""
    assert done.returncode in (0, 1)


@pytest.mark.long
@pytest.mark.parametrize("closed", one_in(4, ["<&- >&- 2>&-", "<&-", ">&-", "2>&-"]))
def test_streams_that_a_shell_closed_are_no_fault(closed: str) -> None:
    command = f"{sys.executable} -m careplan.cli.start plan {EXAMPLE} --format json {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=600)
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("encoding", one_in(2, ["ascii", "utf-16"]))
def test_a_terminal_without_some_letters_gets_a_mark_in_their_place(encoding: str) -> None:
    around = os.environ | {"PYTHONIOENCODING": encoding}
    for given in (
        ("plan", EXAMPLE, "--format", "text", "--detail", "full"),
        ("--help",),
    ):
        command = [sys.executable, "-m", "careplan.cli.start", *given]
        done = subprocess.run(command, env=around, capture_output=True, check=False, timeout=600)
        assert done.returncode in (0, 3)
        assert done.stderr == b""
        assert done.stdout.decode(encoding).strip()


@pytest.mark.parametrize("columns", one_in(4, ["0", "1", "2", "7", "20", "-5", "x", "²", "9" * 9, "9" * 5_000, "65535"]))
def test_any_width_of_a_terminal_will_do(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", columns)
    book = ["--rules", str(SHIPPED)]
    for given in (["plan", EXAMPLE, "--format", "text", *book], ["rules", "list", *book], ["--help"]):
        code, said = told(*given)
        assert code in (0, 3)
        assert said.strip()


def test_a_list_is_whole_in_a_pipe() -> None:
    code, said = told("rules", "list", "--section", "route")
    assert code == 0
    titles = {rule.file.title for rule in load(ROOT / "rules").in_order() if rule.section == "route"}
    lines = said.splitlines()
    assert titles <= {line.split(maxsplit=3)[3].strip() for line in lines[1:-1]}
    assert lines[-1] == f"{len(titles)} rules"


def test_a_defect_is_told_by_its_kind_and_place_and_nothing_of_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise KeyError("Xanax")

    monkeypatch.setattr(common, "load", broken)
    code, said = told("rules", "list", "--rules", str(ROOT / "rules"))
    assert code == DEFECT
    assert said.startswith("careplan: a defect, please report it: KeyError at ")
    assert "Xanax" not in said


def test_who_stops_a_command_while_a_fault_is_told_sees_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rich_click.RichGroup, "main", stopped)
    code, said = told("rules", "new", "nowhere", "x")
    assert (code, said) == (1, "careplan: stopped\n")


@pytest.mark.parametrize("command", ["plan", "replay"])
def test_a_file_without_end_is_not_read_to_its_end(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "MOST_BYTES", 2_000)
    done = CliRunner().invoke(main, [command, "/dev/zero"])
    assert done.exit_code == 2
    assert "/dev/zero is larger than 2,000 bytes" in done.output


def test_a_file_of_settings_without_end_is_not_read_to_its_end() -> None:
    done = CliRunner().invoke(main, ["config"], env={"CAREPLAN_CONFIG": "/dev/zero"})
    assert done.exit_code == 2
    assert "the file of settings cannot be read: it is no file" in done.output
