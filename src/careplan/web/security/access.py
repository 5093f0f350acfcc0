"""Who may ask for what: API keys and OAuth 2 access tokens, scopes, and the rate of one client."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import msgspec
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope
from msgspec import Meta

from careplan.errors import InvalidSettings
from careplan.settings import Settings
from careplan.settings_files import InvalidFile, read_files
from careplan.whole_patterns import in_python

if TYPE_CHECKING:
    import limits

    from careplan.web.security.oauth_tokens import Tokens

Scope = Literal["plan", "read", "observe"]
SCOPES: Mapping[Scope, str] = {
    "plan": "send a patient's factors and get a plan, cards or a comparison",
    "read": "read the rulebook, the vocabulary and the documentation",
    "observe": "read metrics and what became of cards",
}
KEY = re.compile(r"cpk\.([a-z0-9\-]{1,40})\.([A-Za-z0-9_\-]{43})")
"""The form of an API key: a mark that scanners for leaked secrets can look for, its id, and 256 random bits."""
CLIENT = re.compile(r"[A-Za-z0-9_.-]{1,60}")
"""The name of a client, as it stands in logs."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An API key as it is stored: by its hash. A plain SHA-256 is enough, as the secret is random and not a password."""

    id: Annotated[str, Meta(pattern=in_python("^[a-z0-9-]{1,40}$"))]
    client: Annotated[str, Meta(pattern=in_python(f"^{CLIENT.pattern}$"))]
    sha256: Annotated[str, Meta(pattern=in_python("^[0-9a-f]{64}$"))]
    scopes: list[Scope]
    last_day: date | None = None
    rate: str | None = None


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file of API keys. A client may have several, so that one can be replaced while the other still works."""

    keys: list[ApiKey]


class Caller(NamedTuple):
    """Who asks. `name` is for logs and limits: our own name of a client, or a mark made from an identifier, never itself."""

    name: str
    scopes: frozenset[str]
    rate: limits.RateLimitItem | None = None


ANYBODY = Caller("anybody", frozenset(SCOPES))


def new_key(client: str, scopes: Iterable[Scope], key_id: str, last_day: date | None = None) -> tuple[str, ApiKey]:
    """A new key: the text to give to the client, which is not kept, and what is stored of it."""
    text = f"cpk.{key_id}.{secrets.token_urlsafe(32)}"
    return text, ApiKey(id=key_id, client=client, sha256=_hash(text), scopes=sorted(scopes), last_day=last_day)


def read_keys(content: bytes) -> list[ApiKey]:
    """The keys of a file. Raises `InvalidFile`."""
    try:
        keys = msgspec.json.decode(content, type=KeyFile).keys
    except msgspec.DecodeError as error:
        raise InvalidFile("api_keys", f"the file of API keys is not one: {error}") from None
    if len({key.id for key in keys}) != len(keys):
        raise InvalidFile("api_keys", "two API keys have the same id")
    for key in keys:
        try:
            read_rate(key.rate)
        except InvalidSettings as error:
            raise InvalidFile("api_keys", f"of the key {key.id}, {error}") from None
    return keys


def read_rate(text: str | None) -> limits.RateLimitItem | None:
    """A rate such as 600/minute. Raises `InvalidSettings`."""
    if not text:
        return None
    import limits

    try:
        return limits.parse(text)
    except ValueError:
        raise InvalidSettings(f"{text} is no rate; write one such as 600/minute") from None


def _hash(text: str) -> str:
    # What a token names may hold half of a pair of surrogates, which is no text.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def mark_of_client(identifier: str) -> str:
    """A short mark of a client for logs and limits, made from what its issuer calls it."""
    return _hash(identifier)[:12]


class Access:
    """Lets callers pass or names what they lack. Without keys and issuer everybody passes, on loopback."""

    def __init__(self, settings: Settings, files: Mapping[str, bytes] | None = None) -> None:
        """`files` has what the files that settings name hold, read here if left out. Raises `InvalidSettings`."""
        self._settings = settings
        self._files: Mapping[str, bytes] = {}
        self._keys: dict[str, ApiKey] = {}
        try:
            self._rate = read_rate(settings.rate_limit)
        except InvalidSettings as error:
            raise InvalidSettings(f"rate_limit: {error}") from None
        self._tokens: Tokens | None = None
        self.needed = settings.authenticates
        self.opened = settings.opened
        files = read_files(settings) if files is None else files
        if settings.oauth_issuer and "oauth_jwks" not in files:
            self._tokens = _tokens_of(settings, settings.oauth_jwks)
        self.take(files)

    def take(self, files: Mapping[str, bytes]) -> None:
        """Take other keys. Raises `InvalidSettings`, and keeps those it had."""
        keys = {key.id: key for key in read_keys(files["api_keys"])} if "api_keys" in files else {}
        own = files.get("oauth_jwks")
        if own is not None and own != self._files.get("oauth_jwks"):
            self._tokens = _tokens_of(self._settings, own)
        self._keys, self._files = keys, {name: files[name] for name in ("api_keys", "oauth_jwks") if name in files}

    async def recognize(self, scope: HTTPScope) -> Caller | None:
        """Who sends this request, by its credentials; None unless they prove it. Looked at once and noted in the scope."""
        noted = scope.setdefault("state", {})
        if "recognized" not in noted:
            token = _token(scope)
            noted["recognized"] = await self._known(token) if token else None
        found: Caller | None = noted["recognized"]
        return found

    async def caller(self, scope: HTTPScope) -> Caller:
        """Who sends this request. Raises 401 unless its credentials prove it."""
        if not self.needed:
            return ANYBODY
        found = await self.recognize(scope)
        if found is None:
            raise _unauthorized("invalid_token" if _token(scope) else None)
        return found

    async def warm(self) -> None:
        """Have the issuer's keys before the first token comes."""
        if self._tokens is not None:
            await self._tokens.warm()

    @cached_property
    def _limiter(self) -> limits.strategies.RateLimiter:
        import limits

        return limits.strategies.SlidingWindowCounterRateLimiter(limits.storage.MemoryStorage())

    async def _known(self, token: str) -> Caller | None:
        return self._by_key(token) if token.startswith("cpk.") else await self._by_token(token)

    def _by_key(self, token: str) -> Caller | None:
        form = KEY.fullmatch(token)
        key = self._keys.get(form[1]) if form else None
        # An unknown id takes as long as a known one.
        matches = hmac.compare_digest(_hash(token), key.sha256 if key else _hash(""))
        if key is None or not matches or (key.last_day and datetime.now(UTC).date() > key.last_day):
            return None
        return Caller(key.client, frozenset(key.scopes), read_rate(key.rate))

    async def _by_token(self, token: str) -> Caller | None:
        claims = await self._tokens.claims(token) if self._tokens else None
        if claims is None:
            return None
        client = next((claims[name] for name in ("client_id", "azp", "sub") if isinstance(claims.get(name), str)), "")
        return Caller(f"oauth-{mark_of_client(client)}", _scopes(claims))

    def spend_by_name(self, name: str) -> None:
        """Count a request of a caller whom something else has let pass. Raises `HTTPException` with 429, as `spend` does."""
        self.spend(Caller(name, frozenset()))

    def spend(self, caller: Caller) -> None:
        """Count a request of this caller. Raises `HTTPException` with 429 beyond its rate, saying when to try again."""
        rate = caller.rate or self._rate
        if rate is None or self._limiter.hit(rate, caller.name):
            return
        until = self._limiter.get_window_stats(rate, caller.name).reset_time
        raise HTTPException(status_code=429, headers={"Retry-After": str(max(1, round(until - time.time() + 0.5)))})


def _tokens_of(settings: Settings, keys: str | bytes) -> Tokens:
    from careplan.web.security.oauth_tokens import Tokens

    return Tokens(settings.oauth_issuer, settings.oauth_audience, keys)


_SMART = re.compile(r"system/(\*|[A-Za-z]+)\.(\*|read|write|[cruds]+)")
"""Without a query: a scope that its issuer narrowed to some records is not one to all of them."""


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Our scopes among those of a token: by their names, `careplan.plan` say, or as SMART writes them for systems."""
    given = claims.get("scope", claims.get("scp", ""))
    names = given.split() if isinstance(given, str) else [str(name) for name in given] if isinstance(given, list) else []
    found = {name.removeprefix("careplan.") for name in names} & set(SCOPES)
    for name in names:
        smart = _SMART.fullmatch(name)
        if smart:
            resource, access = smart[1], smart[2]
            if resource in ("*", "CarePlan") and (access in ("*", "write") or "c" in access):
                found.add("plan")
            if resource in ("*", "PlanDefinition") and (access in ("*", "read") or "r" in access.removeprefix("write")):
                found.add("read")
    return frozenset(found)


def _token(scope: HTTPScope) -> str:
    """The credentials of a request, as a key or an access token; empty without any."""
    bearer = key = ""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, rest = value.decode("latin-1").partition(" ")
            bearer = rest.strip() if scheme.lower() == "bearer" else ""
        elif name == b"x-api-key":
            key = value.decode("latin-1").strip()
    return bearer or key


def _unauthorized(error: str | None = None) -> HTTPException:
    """401 as RFC 6750 has it: a reason only for credentials that were sent."""
    challenge = 'Bearer realm="careplan"' + (f', error="{error}"' if error else "")
    return HTTPException(status_code=401, headers={"WWW-Authenticate": challenge})


async def admitted(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of every route. A route says by `scope=` what it needs, `None` for nothing; `opens=` names what opens it."""
    access: Access = connection.app.state.access
    scope: Scope | None = handler.opt.get("scope", "plan")
    if scope is not None and handler.opt.get("opens") not in access.opened:
        await admit(connection, scope)


async def admit(connection: ASGIConnection[Any, Any, Any, Any], scope: Scope) -> None:
    """Let a caller pass who may do this, and is not too fast.

    Raises `HTTPException`: 401 for credentials that prove nothing, 403 without the scope, 429 beyond the rate.
    """
    access: Access = connection.app.state.access
    caller = await access.caller(connection.scope)  # type: ignore[arg-type] # there are no websockets here
    if access.needed:
        connection.scope["state"]["caller"] = caller.name
    if scope not in caller.scopes:
        challenge = f'Bearer realm="careplan", error="insufficient_scope", scope="careplan.{scope}"'
        raise HTTPException(status_code=403, headers={"WWW-Authenticate": challenge})
    access.spend(caller)
