"""A certificate says what was proved of exactly these rules, and nothing of it is believed when it is checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import z3
from click.testing import CliRunner, Result

from careplan.authoring.proof.certify import Questions, Unproved, certified, differences, not_shown
from careplan.authoring.proof.invariants import invariants
from careplan.authoring.proof.smtlib import LOGIC, Writer
from careplan.authoring.proof.solvers import installed, solver
from careplan.cli.main import main
from careplan.rulebook.certificate import Certificate, as_text, certificate_of, digest_of_certificate
from careplan.rulebook.load import CERTIFICATE, load, shipped
from tests.proof.small_lists import few_medicines_in
from tests.shipped import BOOK

KEPT = ("younger-than-eighteen", "minors-block", *(path.stem for path in (shipped() / "route").glob("*.yaml")))


def test_the_certificate_of_the_shipped_rules_is_of_these_rules_and_names_every_one() -> None:
    certificate = certificate_of(BOOK)
    assert certificate is not None
    assert certificate.digest == BOOK.digest, "the rules changed: careplan rules prove --certify"
    assert [one.name for one in certificate.solvers] == ["z3", "cvc5"]
    claims = {group.claim: {one.subject for one in group.proved} for group in certificate.claims}
    possible = {group.claim: {one.subject.partition(",")[0] for one in group.shown} for group in certificate.possible}
    demanded = {path.stem for path in (shipped() / "invariants").glob("*.yaml")}
    assert possible["can_fire"] == BOOK.rules.keys()
    assert claims["unread_takes_away"] == {rule.id for rule in BOOK.rules.values() if not rule.file.certain}
    assert claims["decision"] == {"route"}
    assert claims["invariant"] == possible["not_vacuous"] == demanded
    assert all(one.answers == ("unsat", "unsat") for group in certificate.claims for one in group.proved)


@pytest.mark.long
def test_the_invariants_of_the_certificate_are_those_of_the_shipped_rules_and_a_solver_confirms_them_now() -> None:
    certificate = certificate_of(BOOK)
    assert certificate is not None
    listed = {
        one.subject: one for group in certificate.claims for one in group.proved if group.claim in ("decision", "invariant")
    }
    questions = Questions(BOOK, invariants(shipped(), BOOK), of_each_rule=False)
    assert certificate.patients == questions.patients
    assert {one.subject: (one.formula, one.says) for one in questions.asked} == {
        name: (one.formula, one.says) for name, one in listed.items()
    }, "the formulas changed: careplan rules prove --certify"
    assert set(questions.answered(solver("z3"), lambda *_: None)) == {"unsat"}


def proving(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["rules", "prove", "--rules", str(folder), *options])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small rulebook with its certificate."""
    folder = few_medicines_in(tmp_path_factory.mktemp("certified") / "rules", KEPT)
    done = proving(folder, "--certify", *(part for name in installed() for part in ("--solver", name)))
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "rules"))


@pytest.mark.long
def test_a_certificate_is_verified_by_rules_that_have_not_changed_and_the_same_bytes_come_again(folder: Path) -> None:
    done = proving(folder, "--verify")
    assert done.exit_code == 0, done.output
    assert "The certificate holds" in done.output
    assert digest_of_certificate(load(folder))
    certificate = certificate_of(load(folder))
    assert certificate is not None
    assert as_text(certificate) == (folder / CERTIFICATE).read_bytes()


@pytest.mark.long
def test_one_changed_byte_of_a_rule_refuses_the_certificate(folder: Path) -> None:
    path = folder / "screening" / "younger-than-eighteen.yaml"
    path.write_bytes(path.read_bytes() + b"\n")
    assert digest_of_certificate(load(folder)) == ""
    done = proving(folder, "--verify")
    assert done.exit_code == 1
    assert "of another state of the rules" in done.output


def other_formula(text: str) -> str:
    at = text.index('"formula":"') + len('"formula":"')
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def without_a_claim(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for at, line in enumerate(lines) if at != next(n for n, one in enumerate(lines) if "formula" in one))


@pytest.fixture(scope="module")
def asked(made: Path) -> Questions:
    book = load(made)
    return Questions(book, invariants(made, book))


@pytest.mark.long
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (other_formula, "It has another formula for"),
        (without_a_claim, "It does not have"),
        (
            lambda text: text.replace('"says":["Nobody', '"says":["Somebody'),
            "It has another formula for invariant of minors",
        ),
        (lambda text: text.replace('"unsat"', '"unknown"', 1), "It does not say that every solver confirmed"),
        (lambda text: text.replace('{"age_years":17.9}', "{}").replace('{"age_years":17}', "{}"), "No patient shows"),
        (lambda text: text.replace('"script": "', '"script": "0'), "The questions as a whole are others"),
    ],
    ids=["formula", "left-out", "words", "answer", "patient", "script"],
)
def test_a_certificate_that_says_something_else_is_refused(
    made: Path, asked: Questions, damage: Callable[[str], str], says: str
) -> None:
    text = (made / CERTIFICATE).read_text()
    assert damage(text) != text
    book = load(made)
    certificate = msgspec.json.decode(damage(text), type=Certificate)
    found = differences(certificate, book, asked) or not_shown(certificate, book, asked, invariants(made, book))
    assert any(sentence.startswith(says) for sentence in found), found


@pytest.mark.long
def test_the_command_refuses_a_certificate_with_a_damaged_formula_and_one_that_cannot_be_read(folder: Path) -> None:
    path = folder / CERTIFICATE
    path.write_text(other_formula(path.read_text()))
    done = proving(folder, "--verify")
    assert (done.exit_code, "proof.cert does not hold" in done.output) == (1, True)
    path.write_text(path.read_text().replace("{", "[", 1))
    done = proving(folder, "--verify")
    assert (done.exit_code, "there is no proof.cert that can be read" in done.output) == (1, True)


class Doubtful:
    """A solver that finds a patient for everything."""

    name, version = "doubtful", "1"

    def tell(self, commands: str) -> str:
        """That there is one."""
        return "sat" if "check-sat" in commands else ""


@pytest.mark.long
def test_nothing_is_certified_that_a_solver_does_not_confirm(made: Path, asked: Questions) -> None:
    found = certified(load(made), asked, [], [solver("z3"), Doubtful()], lambda *_: None)
    assert not isinstance(found, Certificate)
    assert all(isinstance(doubt, Unproved) for doubt in found)
    assert [doubt.solver for doubt in found] == ["doubtful"] * len(asked.asked)


@pytest.mark.long
def test_every_solver_answers_the_whole_script_that_the_command_writes(made: Path, tmp_path: Path) -> None:
    script = tmp_path / "questions.smt2"
    assert proving(made, "--questions", str(script)).exit_code == 0
    for name in installed():
        answers = solver(name).tell(script.read_text()).split()
        assert set(answers) == {"unsat"}
        assert len(answers) == script.read_text().count("(check-sat)") > 20


a, b = z3.Bool("a"), z3.Bool("b c")
x, y = z3.Int("x"), z3.Real("y")


@pytest.mark.long
@pytest.mark.parametrize(
    "formula",
    [
        z3.Or(),
        z3.And(),
        z3.Or(a),
        z3.Xor(a, z3.Implies(b, z3.And(a, z3.Not(b)))),
        z3.If(a, x, 3) >= -2,
        z3.Sum([z3.If(a, 1, 0), z3.If(b, 1, 0)]) != 1,
        y * 100 < z3.RealVal("-2.75") + z3.ToReal(x),
        z3.And(z3.Distinct(x, 4, x + 1), y <= 0.1, x - 1 == -x),
        z3.And([z3.Or(z3.Bool(f"flag {at}"), z3.Not(z3.Bool(f"flag {at + 1}"))) for at in range(60)]),
    ],
)
def test_what_is_written_reads_back_as_the_same_formula(formula: z3.BoolRef) -> None:
    writer = Writer()
    script = "\n".join((f"(set-logic {LOGIC})", *writer.needed([formula], set()), f"(assert {writer.text(formula)})"))
    (read,) = z3.parse_smt2_string(script) or (z3.BoolVal(val=True),)
    checking = z3.Solver()
    checking.add(z3.Xor(read, formula))
    assert checking.check() == z3.unsat


@pytest.mark.long
def test_the_hash_of_a_formula_tells_any_change_of_a_part_of_it() -> None:
    parts = [z3.Or(z3.Bool(f"flag {at}"), z3.Int("x") > at) for at in range(40)]
    writer, again = Writer(), Writer()
    plain = writer.hash(z3.And(parts))
    assert again.hash(z3.And(parts)) == plain
    for at in range(0, 40, 7):
        other = [*parts[:at], z3.Or(z3.Bool(f"flag {at}"), z3.Int("x") >= at), *parts[at + 1 :]]
        assert writer.hash(z3.And(other)) != plain


@pytest.mark.long
def test_a_certificate_is_one_line_a_claim(made: Path) -> None:
    text = (made / CERTIFICATE).read_text()
    certificate = msgspec.json.decode(text, type=Certificate)
    claims = sum(len(group.proved) for group in certificate.claims)
    assert sum('"formula"' in line for line in text.splitlines()) == claims
