"""What was proved of the rulebook that answers is served, and nothing that was proved of another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from litestar.testing import TestClient

from careplan.rulebook.certificate import FORMAT, Certificate, Claimed, Proved, SolverName, as_text, digest_of_certificate
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web.app import build
from tests.shipped import few_rules_in


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return load(few_rules_in(tmp_path_factory.mktemp("small") / "rules"))


def certificate(digest: str) -> bytes:
    proved = Proved(subject="minors-block", says=("Nobody",), formula="0" * 64, answers=("unsat", "unsat"))
    return as_text(
        Certificate(
            format=FORMAT,
            rulebook="made-up",
            version="1",
            digest=digest,
            logic="QF_LIRA",
            solvers=(SolverName("z3", "4"), SolverName("cvc5", "1")),
            patients="0" * 64,
            script="0" * 64,
            claims=(Claimed(claim="invariant", says="These hold of every plan", proved=(proved,)),),
            possible=(),
        )
    )


@contextmanager
def served(book: Rulebook, certificate: bytes) -> Iterator[TestClient]:  # type: ignore[type-arg]
    with TestClient(build(msgspec.structs.replace(book, certificate=certificate), Settings())) as client:
        yield client


def test_the_certificate_of_the_rulebook_that_answers_is_served_and_named(small: Rulebook) -> None:
    text = certificate(small.digest)
    with served(small, text) as client:
        answer = client.get("/v1/rulebook/proof")
        assert answer.status_code == 200
        assert answer.json() == msgspec.json.decode(text)
        assert client.get("/v1/rulebook").json()["proof"] == digest_of_certificate(
            msgspec.structs.replace(small, certificate=text)
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [(b"", "no certificate"), (b"{}", "no certificate"), (certificate("0" * 64), "of another state of this rulebook")],
    ids=["none", "unreadable", "of-another"],
)
def test_a_rulebook_without_a_certificate_of_its_own_says_so(small: Rulebook, text: bytes, says: str) -> None:
    with served(small, text) as client:
        answer = client.get("/v1/rulebook/proof")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        assert says in answer.json()["detail"]
        assert "proof" not in client.get("/v1/rulebook").json()
