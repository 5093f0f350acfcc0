"""Who may ask for what: keys, tokens, scopes, rates and hosts, on a really running server."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jwt
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from careplan.cli.main import main
from careplan.errors import InvalidSettings
from careplan.settings import Settings
from careplan.web.app import build
from careplan.web.security.access import SCOPES, Access
from careplan.web.security.jwks import Keyring
from tests.contract.serving import PATIENCE, Server, running
from tests.everyday import one_in

ISSUER, AUDIENCE = "https://login.example.org", "https://plans.example.org"
KEY, STRANGER = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())


def public(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"kid": kid, "alg": "ES384", "use": "sig"}
    return found


class Issuer:
    """A server of public keys, as an identity provider has one."""

    def __init__(self) -> None:
        self.keys = [public(KEY, "first")]
        self.asked = 0
        self.body: bytes | None = None
        self.delay = 0.0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                time.sleep(issuer.delay)
                body = issuer.body if issuer.body is not None else json.dumps({"keys": issuer.keys}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def made_key(file: Path, client: str, *options: str) -> str:
    done = CliRunner().invoke(main, ["key", "--client", client, "--file", str(file), *options])
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


class Site(NamedTuple):
    """A guarded service and keys to it."""

    address: Server
    log: Path
    file: Path
    planner: str
    reader: str
    watcher: str
    slow: str
    over: str
    issuer: Issuer

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        shown = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return httpx.get(f"{self.address}{path}", headers=shown | headers, timeout=PATIENCE)

    def plan(self, token: str | None = None, **headers: str) -> httpx.Response:
        shown = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return httpx.post(f"{self.address}/v1/care-plans", json={}, headers=shown | headers, timeout=PATIENCE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("access")
    file, log, issuer = folder / "keys.json", folder / "log", Issuer()
    keys = {
        "planner": made_key(file, "ehr", "--scope", "plan"),
        "reader": made_key(file, "portal", "--scope", "read"),
        "watcher": made_key(file, "prometheus", "--scope", "observe"),
        "slow": made_key(file, "slow", "--scope", "plan", "--rate", "3/hour"),
        "over": made_key(file, "former", "--scope", "plan", "--last-day", "2020-01-01"),
    }
    with running(
        log,
        CAREPLAN_API_KEYS=str(file),
        CAREPLAN_OAUTH_ISSUER=ISSUER,
        CAREPLAN_OAUTH_AUDIENCE=AUDIENCE,
        CAREPLAN_OAUTH_JWKS=issuer.address,
        CAREPLAN_RATE_LIMIT="100000/minute",
    ) as address:
        yield Site(address=address, log=log, file=file, issuer=issuer, **keys)
    issuer.close()


def token(key: Any = KEY, *, algorithm: str = "ES384", kid: str = "first", typ: str = "at+jwt", **claims: Any) -> str:
    now = int(time.time())
    body = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + 300, "iat": now, "client_id": "Zyxwvut", "scope": "careplan.plan"}
    body = {name: value for name, value in (body | claims).items() if value is not None}
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": kid, "typ": typ})


def test_an_api_key_lets_its_client_pass_in_either_header_and_its_name_is_logged(site: Site) -> None:
    assert site.plan(site.planner).status_code == 200
    assert site.plan(**{"X-API-Key": site.planner}).status_code == 200
    assert '"caller": "ehr"' in site.log.read_text()
    assert site.planner not in site.log.read_text()
    assert site.planner.rpartition(".")[2] not in site.file.read_text()


def test_nobody_passes_without_credentials_and_is_told_how_to_come_back(site: Site) -> None:
    for answer in (
        site.plan(),
        site.get("/v1/rules"),
        site.get("/metrics"),
        site.get("/docs"),
        site.get("/"),
        site.get("/rulebook/index.html"),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="careplan"'
        assert answer.headers["content-type"] == "application/problem+json"
    for path in ("/livez", "/readyz", "/cds-services"):
        assert site.get(path).status_code == 200


BAD_KEYS: dict[str, Callable[[Site], str]] = {
    "another secret": lambda site: site.planner[:-43] + "A" * 43,
    "one letter less": lambda site: site.planner[:-1],
    "the id of another": lambda site: site.planner.replace("cpk.ehr", "cpk.portal"),
    "no such id": lambda site: site.planner.replace("cpk.ehr", "cpk.nobody"),
    "over": lambda site: site.over,
    "the stored hash": lambda site: json.loads(site.file.read_text())["keys"][0]["sha256"],
    "letters of other scripts": lambda _: "cpk.ehr.é",
}


@pytest.mark.parametrize("kind", BAD_KEYS)
def test_a_bad_key_is_refused_without_a_reason(site: Site, kind: str) -> None:
    answer = httpx.get(f"{site.address}/v1/rules", headers={b"Authorization": f"Bearer {BAD_KEYS[kind](site)}".encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="careplan", error="invalid_token"'


def test_a_scope_opens_what_it_names_and_nothing_else(site: Site) -> None:
    for key, opens in ((site.planner, "plan"), (site.reader, "read"), (site.watcher, "observe")):
        for scope, answer in (
            ("plan", site.plan(key)),
            ("read", site.get("/v1/rules", key)),
            ("read", site.get("/openapi.json", key)),
            ("observe", site.get("/metrics", key)),
            ("observe", site.get("/v1/feedback", key)),
        ):
            assert answer.status_code == (200 if scope == opens else 403), (opens, scope)
            if scope != opens:
                challenge = f'Bearer realm="careplan", error="insufficient_scope", scope="careplan.{scope}"'
                assert answer.headers["www-authenticate"] == challenge


@pytest.mark.parametrize(
    ("claims", "plan", "read"),
    [
        ({}, 200, 403),
        ({"scope": "careplan.read openid"}, 403, 200),
        ({"scope": None, "scp": ["plan", "read"]}, 200, 200),
        ({"scope": "system/CarePlan.c"}, 200, 403),
        ({"scope": "system/CarePlan.write"}, 200, 403),
        ({"scope": "system/PlanDefinition.rs"}, 403, 200),
        ({"scope": "system/CarePlan.c?patient=1"}, 403, 403),
        ({"scope": "system/*.*"}, 200, 200),
        ({"scope": "system/*.read"}, 403, 200),
        ({"scope": "patient/*.* user/CarePlan.c system/Observation.c"}, 403, 403),
        ({"scope": 7}, 403, 403),
        ({"aud": [AUDIENCE, "https://other.example.org"]}, 200, 403),
    ],
)
def test_an_access_token_opens_what_its_scopes_name(site: Site, claims: dict[str, Any], plan: int, read: int) -> None:
    made = token(**claims)
    assert (site.plan(made).status_code, site.get("/v1/rules", made).status_code) == (plan, read)
    assert "Zyxwvut" not in site.log.read_text()


def unsigned() -> str:
    parts = [{"alg": "none", "kid": "first"}, jwt.decode(token(), options={"verify_signature": False})]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


BAD_TOKENS: dict[str, Callable[[], str]] = {
    "no token": lambda: "x.y.z",
    "unsigned": unsigned,
    "another key": lambda: token(STRANGER),
    "another key of an unknown name": lambda: token(STRANGER, kid="third"),
    "a shared secret": lambda: token("secret-secret-secret-secret-secret-secret-secret-xx", algorithm="HS384"),
    "another issuer": lambda: token(iss="https://other.example.org"),
    "another audience": lambda: token(aud="https://other.example.org"),
    "no audience": lambda: token(aud=None),
    "over": lambda: token(exp=int(time.time()) - 60),
    "without an end": lambda: token(exp=None),
    "not yet": lambda: token(nbf=int(time.time()) + 600),
    "an id token": lambda: token(typ="id+jwt"),
    "very long": lambda: token(more="x" * 10_000),
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_bad_token_is_refused_without_a_reason(site: Site, kind: str) -> None:
    sent = BAD_TOKENS[kind]()
    answer = site.plan(sent)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="careplan", error="invalid_token"'
    assert sent not in site.log.read_text()


def test_tokens_with_unknown_keys_do_not_make_the_service_hammer_the_issuer(site: Site) -> None:
    before = site.issuer.asked
    for at in range(20):
        assert site.plan(token(STRANGER, kid=f"unknown-{at}")).status_code == 401
    assert site.issuer.asked <= before + 1


def test_a_client_beyond_its_rate_waits_while_others_go_on(site: Site) -> None:
    assert [site.plan(site.slow).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = site.plan(site.slow)
    assert 1 <= int(refused.headers["retry-after"]) <= 3601
    assert refused.headers["content-type"] == "application/problem+json"
    assert site.plan(site.planner).status_code == 200


@pytest.mark.long
def test_a_key_can_be_replaced_while_the_service_runs(site: Site) -> None:
    second = made_key(site.file, "ehr", "--scope", "plan")
    assert site.plan(second).status_code == 401
    os.kill(site.address.pid, signal.SIGHUP)
    for _ in range(200):
        if site.plan(second).status_code == 200:
            break
        time.sleep(0.05)
    assert [site.plan(key).status_code for key in (second, site.planner)] == [200, 200]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 401),
        ("127.0.0.1:8000", 401),
        ("[::1]:80", 401),
        ("LOCALHOST", 401),
        ("evil.example.org", 421),
        ("", 421),
    ],
    ids=["name", "port", "IPv6", "capitals", "another", "none"],  # two colons in one would part it from its module
)
def test_only_names_that_are_ours_are_answered(site: Site, host: str, status: int) -> None:
    answer = httpx.get(f"{site.address}/v1/rules", headers={"Host": host})
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert httpx.get(f"{site.address}/livez", headers={"Host": host}).status_code == 200


def test_answers_carry_the_headers_that_keep_browsers_from_harm(site: Site) -> None:
    for answer in (site.plan(), site.get("/rulebook/index.html", site.reader), site.get("/docs", site.reader)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers
        if answer.headers["content-type"].startswith("text/html"):
            assert "default-src" in answer.headers["content-security-policy"]


def test_every_route_says_what_it_needs(book: Any) -> None:
    app = build(book, Settings())
    silent = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            if handler is not None and "scope" not in handler.opt and handler.fn.__name__ != "options_handler":
                silent.append(route.path)
            elif handler is not None:
                assert handler.opt.get("scope") in {None, *SCOPES}
    assert [path for path in silent if not path.startswith("/docs")] == []


@pytest.mark.parametrize(
    ("setting", "content", "says"),
    [
        ("api_keys", None, "cannot be read"),
        ("api_keys", "{}", "keys"),
        (
            "api_keys",
            '{"keys": [{"id": "a", "client": "b", "sha256": "' + "0" * 64 + '", "scopes": [], "rate": "often"}]}',
            "rate",
        ),
        ("api_keys", '{"keys": [{"id": "a", "client": "b", "sha256": "0", "scopes": []}]}', "sha256"),
        ("oauth_jwks", "{}", "JWKS"),
        ("oauth_jwks", None, "cannot be read"),
    ],
)
def test_bad_files_of_keys_are_refused_with_a_reason(tmp_path: Path, setting: str, content: str | None, says: str) -> None:
    file = tmp_path / "file.json"
    if content is not None:
        file.write_text(content)
    around: Any = {"oauth_issuer": ISSUER, "oauth_audience": AUDIENCE} if setting == "oauth_jwks" else {}
    with pytest.raises(InvalidSettings, match=re.escape(says)):
        Access(Settings(**(around | {setting: str(file)})))


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example.org/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://localhost.evil.example/keys",
        "http://127.0.0.1@evil.example/keys",
        "https://user:password@login.example.org/keys",
        "ftp://127.0.0.1/keys",
        "https://",
    ],
)
def test_keys_are_fetched_over_https_or_from_this_machine_only(address: str) -> None:
    with pytest.raises(InvalidSettings, match="keys"):
        Keyring(address)


USES: dict[str, tuple[dict[str, Any], str, bool]] = {
    "nothing said": ({}, "ES384", True),
    "for signatures": ({"use": "sig", "key_ops": ["verify"], "alg": "ES384"}, "ES384", True),
    "for encryption": ({"use": "enc"}, "ES384", False),
    "for other operations": ({"key_ops": ["encrypt"]}, "ES384", False),
    "for another algorithm": ({"alg": "ES256"}, "ES384", False),
    "of another kind": ({}, "RS384", False),
}


@pytest.mark.parametrize("kind", USES)
def test_a_key_checks_only_what_its_issuer_means_it_for(kind: str) -> None:
    said, algorithm, fits = USES[kind]
    bare = json.loads(ECAlgorithm.to_jwk(KEY.public_key())) | {"kid": "k"}
    found = asyncio.run(Keyring({"keys": [bare | said]}).key("k", algorithm))
    assert (found is not None) == fits


def test_short_rsa_keys_are_refused() -> None:
    short = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - refused, which is what is tested
    with pytest.raises(InvalidSettings, match="none of them"):
        Keyring({"keys": [json.loads(RSAAlgorithm.to_jwk(short.public_key())) | {"kid": "k"}]})


@pytest.mark.parametrize(
    "answer", one_in(3, [b"<html></html>", b"\xff\xfe", b"[]", b'{"keys": 7}', b'{"keys": null}', b""], ascii)
)
def test_an_issuer_that_answers_anything_but_keys_has_none(answer: bytes) -> None:
    issuer = Issuer()
    issuer.body = answer
    try:
        assert asyncio.run(Keyring(issuer.address).key("first", "ES384")) is None
    finally:
        issuer.close()


@pytest.mark.long
def test_a_slow_issuer_makes_only_a_few_tokens_with_unknown_keys_wait_and_none_with_a_known_one() -> None:
    issuer = Issuer()

    async def ask() -> tuple[int, int]:
        ring = Keyring(issuer.address)
        assert await ring.key("first", "ES384") is not None
        issuer.delay = 1.0
        ring._asked -= 100
        many = [asyncio.create_task(ring.key(f"unknown-{at}", "ES384")) for at in range(70)]
        await asyncio.sleep(0)
        assert await ring.key("first", "ES384") is not None
        waiting = sum(not one.done() for one in many)
        await asyncio.sleep(0.2)
        quick = sum(one.done() for one in many)
        assert await asyncio.gather(*many) == [None] * 70
        return waiting, quick

    try:
        waiting, quick = asyncio.run(ask())
    finally:
        issuer.close()
    assert waiting > 0  # The known one was there before those that had to be asked for, whatever a clock says.
    assert quick >= 66


def test_a_client_whose_name_is_no_text_is_a_client_like_any_other(site: Site) -> None:
    assert site.plan(token(client_id="\ud800")).status_code == 200
