"""Which CDS clients are trusted: signed tokens (JWT) checked against an allow-list and the keys of each issuer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import jwt
import msgspec
from msgspec import Meta

from careplan.errors import InvalidSettings
from careplan.web.keyring import Keyring

ALGORITHMS = ("ES384", "RS384")
"""Never `none`, never a shared secret."""
LEEWAY = 10
"""Seconds by which clocks may differ."""
LONGEST_LIFE = 600
"""A token that lives longer than this, in seconds, is refused: its id could not be remembered."""
MOST_REMEMBERED = 100_000


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trusted client: its `iss`, and its keys, either here or at the address `jku`."""

    iss: Annotated[str, Meta(min_length=1)]
    jku: str | None = None
    jwks: dict[str, Any] | None = None


class Untrusted(Exception):
    """The token is missing or not to be trusted. Says nothing about it, so that nothing of it is passed on."""


class Trust:
    """Checks tokens. Remembers the ids of those seen until they expire, so that none is used twice."""

    def __init__(self, clients: list[Client], address: str) -> None:
        self._clients = {client.iss: client for client in clients}
        self._address = address.rstrip("/")
        self._rings = {client.iss: Keyring(client.jku or client.jwks or {"keys": []}) for client in clients}
        self._seen: dict[tuple[str, str], float] = {}

    async def check(self, authorization: str | None, path: str) -> None:
        """Raises `Untrusted` unless the header carries a good token for this path."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Untrusted
        try:
            claims = await self._verified(token.strip(), f"{self._address}{path}")
        except jwt.PyJWTError:
            raise Untrusted from None
        self._remember(claims)

    async def _verified(self, token: str, audience: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        client = self._clients.get(issuer) if isinstance(issuer, str) else None
        if client is None or header.get("alg") not in ALGORITHMS or header.get("jku", client.jku) != client.jku:
            raise Untrusted
        key = await self._rings[client.iss].key(header.get("kid"))
        if key is None:
            raise Untrusted
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            audience=audience,
            issuer=client.iss,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "jti", "aud", "iss"], "strict_aud": False},
        )
        if claims["exp"] - claims["iat"] > LONGEST_LIFE or not isinstance(claims["jti"], str):
            raise Untrusted
        return claims

    def _remember(self, claims: dict[str, Any]) -> None:
        now = time.time()
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen = {seen: until for seen, until in self._seen.items() if until > now}
        seen = (str(claims["iss"]), str(claims["jti"]))
        if self._seen.get(seen, 0) > now or len(self._seen) >= MOST_REMEMBERED:
            raise Untrusted
        self._seen[seen] = float(claims["exp"]) + LEEWAY


def trust_in(file: str, address: str) -> Trust | None:
    """The trust that a file of clients describes; None without one. Raises `InvalidSettings`."""
    if not file:
        return None
    if not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise InvalidSettings("CAREPLAN_PUBLIC_URL must be the https address that tokens name as their audience")
    try:
        clients = msgspec.json.decode(Path(file).read_bytes(), type=list[Client])
        for client in clients:
            if (client.jku is None) == (client.jwks is None):
                raise InvalidSettings("each CDS client needs either jku or jwks")
        return Trust(clients, address)
    except OSError as error:
        raise InvalidSettings(f"the file of CDS clients cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise InvalidSettings(f"the file of CDS clients is not one: {error}") from None
