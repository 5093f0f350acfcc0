"""Samples of a rulebook, made by asking a service that plans with it: in order, without rights, too fast, broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from http import HTTPStatus
from typing import Any

import msgspec

from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web import app as composition
from careplan.web.edition import Edition, Surroundings
from careplan.web.limits.gate import Gate
from careplan.web.openapi.samples import Answered, Sample, Sent
from careplan.web.samples.asking import Service, answering
from careplan.web.samples.requests import Asked, a_record, bad_requests, good_requests
from careplan.web.security.access import SCOPES, new_key

_SECONDS = 0.02
"""For which a body is waited for that never comes."""
_WITH_TIME = Settings(request_seconds=600)
"""A busy machine must not make a sample of a service that had no time for an answer."""


class Unanswered(Exception):
    """The service failed on a request that it should answer, or had no time for it."""


def samples_of(book: Rulebook) -> list[Sample]:
    """An exchange for each operation, and for each problem that it can answer with and that a service can be brought to.

    Raises `Unanswered`.
    """
    with _edition(book) as edition, _service(edition) as service:
        good = _good(service, book)
        requests: dict[str, Sent] = {}
        for sample in good:
            requests.setdefault(sample.operation, sample.sent)
        bad = [_sample(asked, service.ask(asked.sent)) for asked in bad_requests(requests)]
        bad += _without_a_proof(service, edition, requests)
        bad += _refused(edition, requests)
        bad += _too_long_or_late(edition, requests)
        bad += _overloaded(edition, requests)
        bad += _in_trouble(service, requests)
    return good + [one for one in bad if one.answered.status >= 400]


def good_samples(book: Rulebook) -> list[Sample]:
    """One exchange and more for each operation, answered with 200; none where this rulebook has nothing to answer with.

    Raises `Unanswered`.
    """
    with _edition(book) as edition, _service(edition) as service:
        return _good(service, book)


def _good(service: Service, book: Rulebook) -> list[Sample]:
    samples = [_sample(asked, service.ask(asked.sent)) for asked in good_requests(book, service.ask)]
    for sample in samples:
        if sample.answered.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unanswered(f"{sample.operation} ({sample.name}) was answered with {int(sample.answered.status)}")
    return [sample for sample in samples if sample.answered.status == HTTPStatus.OK]


@contextmanager
def _edition(book: Rulebook) -> Iterator[Edition]:
    edition = Edition(Planner(book), Surroundings(), dict)
    try:
        yield edition
    finally:
        edition.planner.close()


@contextmanager
def _service(
    edition: Edition, settings: Settings | None = None, files: Mapping[str, bytes] | None = None
) -> Iterator[Service]:
    settings = settings or _WITH_TIME
    app = composition.build(edition.planner.book, settings, files or {})
    state = app.state
    with answering(app, Gate(app, settings, state.metrics, state.life, state.access), edition) as service:
        yield service


def _sample(asked: Asked, answer: Answered) -> Sample:
    return Sample(asked.operation, asked.name, asked.summary, asked.sent, answer)


def _each(good: Mapping[str, Sent], name: str, summary: str) -> Iterator[Asked]:
    """The good requests under another name, and that of a plan also as FHIR."""
    for operation, sent in good.items():
        yield Asked(operation, name, summary, sent)
    if "createCarePlan" in good:
        yield Asked("createCarePlan", name, summary, a_record())


def _without_a_proof(service: Service, edition: Edition, good: Mapping[str, Sent]) -> Iterator[Sample]:
    if "getRulebookProof" in good:
        unproved, planner = copy(edition), copy(edition.planner)
        planner.book = msgspec.structs.replace(planner.book, certificate=b"")
        unproved.planner = planner
        with _serving(service, unproved):
            asked = Asked("getRulebookProof", "no-proof", "A rulebook that nobody has proved", good["getRulebookProof"])
            yield _sample(asked, service.ask(asked.sent))


def _refused(edition: Edition, good: Mapping[str, Sent]) -> Iterator[Sample]:
    keys = {name: new_key(name, SCOPES, name) for name in ("fast", "slow")} | {
        scope: new_key(scope, [scope], scope) for scope in SCOPES
    }
    stored = [msgspec.structs.replace(key, rate="1/day" if name == "slow" else None) for name, (_, key) in keys.items()]
    files = {"api_keys": msgspec.json.encode({"keys": stored})}

    def with_key(sent: Sent, name: str) -> Sent:
        return sent._replace(headers={**sent.headers, "Authorization": f"Bearer {keys[name][0]}"})

    with _service(edition, Settings(api_keys="keys.json"), files) as service:
        for asked in _each(good, "no-credentials", "Without credentials"):
            yield _sample(asked, service.ask(asked.sent))
        for asked in _each(good, "other-scope", "With credentials of another scope"):
            answers = [service.ask(with_key(asked.sent, scope)) for scope in ("observe", "read")]
            yield from (_sample(asked, answer) for answer in answers if answer.status == HTTPStatus.FORBIDDEN)
        service.ask(with_key(Sent("GET", "/v1/rulebook"), "slow"))
        for asked in _each(good, "too-fast", "More requests than the client may send"):
            yield _sample(asked, service.ask(with_key(asked.sent, "slow")))


def _too_long_or_late(edition: Edition, good: Mapping[str, Sent]) -> Iterator[Sample]:
    settings = Settings(record_limit=1_024, body_limit=1_024, body_seconds=_SECONDS)
    with _service(edition, settings) as service:
        for asked in _each(good, "too-long", "A body that is too long"):
            if asked.sent.body:
                yield _sample(asked, service.ask(asked.sent._replace(body=b" " * 2_000)))
                late = asked._replace(name="too-slow", summary="A body that does not arrive")
                short = late.sent._replace(body=b" ")  # of which nothing comes
                yield _sample(late, service.ask(short, breaks_off=True))


def _overloaded(edition: Edition, good: Mapping[str, Sent]) -> Iterator[Sample]:
    with _service(edition, Settings(request_seconds=1e-9)) as service:
        for asked in _each(good, "overloaded", "More requests than can be worked on"):
            yield _sample(asked, service.ask(asked.sent))


def _in_trouble(service: Service, good: Mapping[str, Sent]) -> Iterator[Sample]:
    desk: Any = service.app.state.desk
    lease = desk.lease
    desk.lease = _failing
    for asked in _each(good, "failure", "A failure of the service"):
        yield _sample(asked, service.ask(asked.sent))
    desk.lease = lease
    with _serving(service, None):
        for asked in _each(good, "not-ready", "Before the service is ready"):
            yield _sample(asked, service.ask(asked.sent))


@contextmanager
def _serving(service: Service, edition: Edition | None) -> Iterator[None]:
    """Another edition, or none, as long as the block lasts."""
    desk = service.app.state.desk
    usual = desk.current
    usual.requests += 1  # so that it is not closed
    desk.swap(edition)
    try:
        yield
    finally:
        desk.swap(usual)
        usual.requests -= 1


def _failing() -> Any:
    raise RuntimeError
