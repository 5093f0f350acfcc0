"""The steps beside a certificate are checked without any solver, and wrong ones are refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.authoring.proof.certify import Question
from careplan.authoring.proof.clauses import TRUE, Clauses
from careplan.authoring.proof.derivation import QUESTION, Refused, Step, as_text, check, from_text
from careplan.authoring.proof.kept_steps import (
    STEPS,
    as_file,
    can_be_made,
    derivations_of,
    from_file,
    hashes,
    with_steps,
    wrong_steps,
)
from careplan.authoring.proof.refuting import Refuter
from careplan.authoring.proof.smtlib import Writer
from careplan.authoring.proof.smtlib_reader import NotRead, commands
from careplan.rulebook.certificate import FORMAT, Certificate, Claimed, Proved
from careplan.rulebook.load import shipped
from tests.shipped import BOOK

needs_sat = pytest.mark.skipif(not can_be_made(), reason="finding steps needs python-sat")

SCRIPT = """\
(set-logic QF_LIRA)
(declare-const |a| Bool)
(declare-const |b| Bool)
(declare-const |x| Int)
(declare-const |y| Real)
"""


def asked(*formulas: str) -> Clauses:
    known = Clauses()
    known.read(SCRIPT)
    for formula in formulas:
        known.read(f"(push 1)(assert {formula})(check-sat)(pop 1)")
    return known


def by_numbers() -> tuple[Clauses, list[Step]]:
    """More than three and at most two, of which the last steps make a contradiction."""
    known = asked("(and (> |x| 3) (<= |x| 2))")
    (question,) = known.asked
    (both,) = known.defined.values()
    more, less = both.parts
    assert {known.points[abs(one)].place.limit for one in both.parts} == {Fraction(3), Fraction(4)}
    high, low = (more, -less) if more > 0 else (less, -more)
    numbers = {clause: at + 1 for at, clause in enumerate(known.clauses)}
    first, second = ((numbers[-question, one],) for one in both.parts)
    return known, [
        Step((-high, low)),
        Step((high,), (QUESTION, *(first if high == more else second))),
        Step((-low,), (QUESTION, *(second if high == more else first))),
        Step((), (-2, -3, -1)),
    ]


def refuses(known: Clauses, steps: list[Step], question: int | None = None) -> bool:
    try:
        check(known, known.asked[0] if question is None else question, steps)
    except Refused:
        return True
    return False


def test_steps_that_follow_are_taken_and_read_back_as_they_were_written() -> None:
    known, steps = by_numbers()
    check(known, known.asked[0], steps)
    assert from_text(as_text(steps).splitlines()) == steps


def test_a_changed_literal_is_refused_wherever_it_stands() -> None:
    known, steps = by_numbers()
    changed = [
        [*steps[:at], Step((*step.clause[:place], -literal, *step.clause[place + 1 :]), step.because), *steps[at + 1 :]]
        for at, step in enumerate(steps)
        for place, literal in enumerate(step.clause)
    ]
    assert len(changed) == 4
    assert all(refuses(known, one) for one in changed)


def test_a_step_without_one_of_the_clauses_it_rests_on_is_refused() -> None:
    known, steps = by_numbers()
    fewer = [
        [*steps[:at], Step(step.clause, (*step.because[:place], *step.because[place + 1 :])), *steps[at + 1 :]]
        for at, step in enumerate(steps)
        for place in range(len(step.because))
    ]
    assert len(fewer) == 7
    assert all(refuses(known, one) for one in fewer)


def test_steps_that_do_not_end_with_the_empty_clause_are_refused() -> None:
    known, steps = by_numbers()
    assert refuses(known, steps[:-1])
    assert refuses(known, [])
    assert refuses(known, [Step(())])


def test_steps_are_refused_for_another_formula() -> None:
    _, steps = by_numbers()
    for other in ("(and (> |x| 3) (<= |x| 4))", "(or (> |x| 3) (<= |x| 2))", "(and (> |x| 3) |b|)", "(>= |x| 3)"):
        known = asked(other)
        assert refuses(known, steps), other


@pytest.mark.parametrize("because", [(99,), (-1,), (-4,), (-99,)])
def test_a_step_that_names_a_clause_that_is_not_there_yet_is_refused(because: tuple[int, ...]) -> None:
    known, _ = by_numbers()
    assert refuses(known, [Step((), because)])


def test_what_is_said_of_numbers_must_be_true_of_all_numbers() -> None:
    known = asked("(and (>= |x| 3) (>= |x| 4) (> |y| 4.0) (>= |y| 4.0) (>= (- (to_real |x|) |y|) 1.0))")
    place = {(point.variables[0][0], point.place, len(point.variables)): one for one, point in known.points.items()}
    by_text = {
        f"{name}{'>' if at.above else '>='}{at.limit}{'d' * (many - 1)}": one for (name, at, many), one in place.items()
    }
    three, four = by_text["|x|>=3"], by_text["|x|>=4"]
    above, at_least, apart = by_text["|y|>4"], by_text["|y|>=4"], by_text["|x|>=1d"]
    true = [(-four, three), (-above, at_least), (-apart, -at_least, three), (-apart, -above, four)]
    false = [
        (-three, four),
        (-at_least, above),
        (-apart, three),
        (three, four),
        (-three,),
        (),
        (-three, TRUE),
        (apart, -above),
    ]
    assert [known.is_about_numbers(one) for one in true] == [True] * len(true)
    assert [known.is_about_numbers(one) for one in false] == [False] * len(false)


@pytest.mark.parametrize("line", ["1 2", "one 0", "", "1 0 two", "1  0"])
def test_a_line_that_is_no_step_is_refused(line: str) -> None:
    with pytest.raises(Refused):
        from_text([line])


@pytest.mark.parametrize(
    "text",
    [
        "(assert |c|)",
        "(assert (>= |x| |a|))",
        "(assert (* |x| |x|))",
        "(assert (>= (* |x| |x|) 2))",
        "(assert (> (/ 1.0 |y|) 2.0))",
        "(declare-const |a| Int)",
        "(assert (forall ((z Int)) true))",
        "(assert |a|",
        "(assert |a|))",
        "assert",
        "(pop 1)",
        "(reset)",
    ],
)
def test_text_of_another_language_is_refused_and_never_passed_over(text: str) -> None:
    known = asked()
    with pytest.raises(NotRead):
        known.read(text)


def test_comments_and_quoted_names_are_read() -> None:
    text = "; a (comment\n(declare-const |two words; (| Bool) ; more\n(assert (not |two words; (|))"
    assert list(commands(text)) == [("declare-const", "|two words; (|", "Bool"), ("assert", ("not", "|two words; (|"))]


# Clauses say of every patient what the text says.

BOOLS = [z3.Bool(name) for name in "abc"]
INTS, REALS = [z3.Int(name) for name in "xz"], [z3.Real(name) for name in "yw"]
CONSTANTS = st.sampled_from([-3, -1, 0, 1, 2, 4])
HALVES = st.sampled_from([-2, -0.5, 0, 1, 1.25, 4])


def wholes(truths: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    chosen = st.builds(lambda one, yes, no: z3.If(one, z3.IntVal(yes), z3.IntVal(no)), truths, CONSTANTS, CONSTANTS)
    counted = st.lists(truths, min_size=2, max_size=12).map(lambda some: z3.Sum([z3.If(one, 1, 0) for one in some]))
    plain = st.one_of(st.sampled_from(INTS), CONSTANTS.map(z3.IntVal), chosen, counted)
    return st.one_of(
        plain,
        st.tuples(plain, plain).map(lambda two: two[0] - two[1]),
        st.tuples(CONSTANTS, plain).map(lambda two: two[0] * two[1]),
    )


def reals(truths: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = st.one_of(st.sampled_from(REALS), HALVES.map(z3.RealVal), wholes(truths).map(z3.ToReal))
    chosen = st.builds(z3.If, truths, plain, plain)
    return st.one_of(plain, chosen, st.tuples(plain, plain).map(lambda two: two[0] + two[1]))


def compared(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    signs = [
        lambda a, b: a >= b,
        lambda a, b: a > b,
        lambda a, b: a <= b,
        lambda a, b: a < b,
        lambda a, b: a == b,
        z3.Distinct,
    ]
    return st.builds(lambda sign, a, b: sign(a, b), st.sampled_from(signs), numbers, numbers)


CASES = int(os.environ.get("CAREPLAN_TEST_RULEBOOKS", "40"))
FORMULAS: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.sampled_from([*BOOLS, z3.BoolVal(val=True), z3.BoolVal(val=False)])),
    lambda truths: st.one_of(
        st.lists(truths, max_size=3).map(z3.And),
        st.lists(truths, max_size=3).map(z3.Or),
        truths.map(z3.Not),
        st.builds(z3.Implies, truths, truths),
        st.builds(z3.Xor, truths, truths),
        st.builds(z3.If, truths, truths, truths),
        st.builds(lambda a, b: a == b, truths, truths),
        compared(wholes(truths)),
        compared(reals(truths)),
    ),
    max_leaves=8,
)
PATIENTS = st.fixed_dictionaries(
    {
        **{str(one): st.booleans() for one in BOOLS},
        **{str(one): st.integers(-6, 8) for one in INTS},
        **{str(one): st.sampled_from([Fraction(half, 4) for half in range(-12, 20)]) for one in REALS},
    }
)


def script_of(formula: Any) -> tuple[str, str]:
    writer = Writer()
    said = "\n".join(writer.needed([formula, *BOOLS], set()))
    return said, f"(push 1)(assert {writer.text(formula)})(check-sat)(pop 1)"


def clauses_of(formula: Any) -> Clauses:
    known = Clauses()
    for text in script_of(formula):
        known.read(text)
    return known


def value_of(known: Clauses, literal: int, patient: dict[str, Any]) -> bool:
    """What the clauses say of a patient, worked out from what he has to what is made of it."""
    true = {TRUE}
    named = {value: name.strip("|") for name, value in known.names.items() if isinstance(value, int) and abs(value) != TRUE}
    for one in range(TRUE + 1, max((*known.defined, *known.points, *named, abs(literal))) + 1):
        if one in known.defined:
            begin, end, _ = known.defined[one]
            fits = [
                so
                for so in (one, -one)
                if all(any(part in {*true, so} for part in known.clauses[at]) for at in range(begin, end))
            ]
            assert len(fits) == 1, "the clauses of a literal leave it one value"
            true.add(fits[0])
        elif one in known.points:
            point = known.points[one]
            total = sum((factor * Fraction(patient[name.strip("|")]) for name, factor in point.variables), Fraction(0))
            there = total > point.place.limit or (total == point.place.limit and not point.place.above)
            true.add(one if there else -one)
        else:
            true.add(one if patient[named[one]] else -one)
    return literal in true


@settings(max_examples=CASES)
@given(FORMULAS, PATIENTS)
def test_the_clauses_of_any_formula_say_of_every_patient_what_the_formula_says(
    formula: Any, patient: dict[str, Any]
) -> None:
    known = clauses_of(formula)
    values = [(one, z3.BoolVal(patient[str(one)])) for one in BOOLS]
    values += [(one, z3.IntVal(patient[str(one)])) for one in INTS]
    values += [(one, z3.RealVal(str(patient[str(one)]))) for one in REALS]
    expected = z3.is_true(z3.simplify(z3.substitute(formula, *values)))
    assert value_of(known, known.asked[0], patient) is expected


@needs_sat
@settings(max_examples=CASES // 2)
@given(FORMULAS)
def test_what_a_patient_satisfies_is_never_derived_to_be_impossible(formula: Any) -> None:
    known = clauses_of(formula)
    steps = Refuter(known).refuted(known.asked[0])
    checking = z3.Solver()
    checking.add(formula)
    if steps is not None:
        assert checking.check() == z3.unsat
        check(known, known.asked[0], steps)


# Beside a certificate.

QUIET: Callable[[str, int, int], None] = lambda *_: None  # noqa: E731


class Small:
    """Three questions about a patient of whom little is asked."""

    def __init__(self) -> None:
        self.base = f"{SCRIPT}(assert (=> |a| (> |x| 3)))\n(assert (>= |y| 0.0))\n"
        self.asked = [
            Question("invariant", name, (name,), "", f"(push 1)\n(assert {formula})\n(check-sat)\n(pop 1)\n")
            for name, formula in (
                ("first", "(and |a| (or |b| (< |x| 2)) (or (not |b|) (<= |x| 3)))"),
                ("second", "(or (and (> |y| 4.0) (<= |y| 2.0)) (and |a| (not |a|) |b|) (and |a| (= |x| 3)))"),
                ("plain", "(and |b| (not |b|))"),
            )
        ]


@pytest.fixture(scope="module")
def small() -> tuple[Small, Certificate, bytes]:
    """The questions, a certificate that names the steps of each, and these."""
    if not can_be_made():
        pytest.skip("finding steps needs python-sat")
    questions = Small()
    proved = tuple(Proved(subject=one.subject, says=one.says, formula="", answers=()) for one in questions.asked)
    claims = (Claimed(claim="invariant", says="", proved=proved),)
    names: dict[str, Any] = dict.fromkeys(("rulebook", "version", "digest", "logic", "patients", "script"), "")
    texts = derivations_of(questions, QUIET)
    return (
        questions,
        with_steps(Certificate(format=FORMAT, **names, solvers=(), claims=claims, possible=()), texts),
        as_file(texts),
    )


def test_every_claim_has_steps_that_hold(small: tuple[Small, Certificate, bytes]) -> None:
    questions, certificate, content = small
    assert list(wrong_steps(questions, certificate, content, QUIET)) == []
    assert [bool(one.steps) for group in certificate.claims for one in group.proved] == [True] * 3
    assert as_file(from_file(content)) == content


@needs_sat
def test_a_claim_that_a_patient_breaks_has_no_steps() -> None:
    questions = Small()
    broken = questions.asked[0]._replace(commands="(push 1)(assert (and |b| (> |x| 2)))(check-sat)(pop 1)")
    questions.asked[0] = broken
    assert [subject for _, subject in derivations_of(questions, QUIET)] == ["second", "plain"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[:-2] + b"7\n", "are others than those of the certificate"),
        (lambda text: text[: text.rindex(b"\n", 0, -1) + 1], "are others than those of the certificate"),
        (
            lambda text: text.replace(b"invariant first\n", b"invariant other\n"),
            "There are no steps for invariant of first",
        ),
        (lambda text: text + b"decision other\n1 0 2\n", "which the certificate does not name"),
        (lambda text: b"1 0 2\n" + text, "cannot be checked"),
        (lambda _: b"", "There are no steps for"),
        (lambda text: text[:-2] + b"\xff\n", "are others"),
    ],
)
def test_a_file_of_steps_that_was_changed_is_refused(
    small: tuple[Small, Certificate, bytes], damage: Callable[[bytes], bytes], says: str
) -> None:
    questions, certificate, content = small
    assert damage(content) != content
    wrong = list(wrong_steps(questions, certificate, damage(content), QUIET))
    assert any(says in sentence for sentence in wrong), wrong


def test_steps_that_prove_nothing_are_refused_even_if_the_certificate_names_them(
    small: tuple[Small, Certificate, bytes],
) -> None:
    questions, certificate, content = small
    texts = from_file(content)
    long = [place for place, text in texts.items() if text.count("\n") > 1]
    for place in long:
        shorter = {**texts, place: texts[place][: texts[place].rindex("\n", 0, -1) + 1]}
        wrong = list(wrong_steps(questions, with_steps(certificate, shorter), as_file(shorter), QUIET))
        assert [sentence for sentence in wrong if "prove nothing" in sentence], place
    assert [subject for _, subject in long] == ["first", "second"]


def test_the_steps_of_one_claim_do_not_prove_another(small: tuple[Small, Certificate, bytes]) -> None:
    questions, certificate, content = small
    texts = from_file(content)
    long = [place for place, text in texts.items() if text.count("\n") > 1]
    moved = {**texts, long[0]: texts[long[1]], long[1]: texts[long[0]]}
    wrong = list(wrong_steps(questions, with_steps(certificate, moved), as_file(moved), QUIET))
    assert len(wrong) == 2
    assert all("prove nothing" in sentence for sentence in wrong)


def test_the_steps_beside_the_shipped_rules_are_those_that_their_certificate_names() -> None:
    certificate = msgspec.json.decode(BOOK.certificate, type=Certificate)
    named = {(group.claim, one.subject): one.steps for group in certificate.claims for one in group.proved if one.steps}
    assert hashes(from_file((shipped() / STEPS).read_bytes())) == named, "careplan rules prove --certify"
