"""Which CDS clients are trusted: signed tokens (JWT) checked against an allow-list and the keys of each issuer."""

from __future__ import annotations

from typing import Annotated, Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import Meta

from careplan.errors import InvalidSettings
from careplan.settings_files import InvalidFile
from careplan.web.security.jwks import Keyring
from careplan.web.security.replay_guard import UsedTokens

ALGORITHMS = ("ES384", "RS384")
"""Never `none`, never a shared secret."""
LEEWAY = 10
"""Seconds by which clocks may differ."""
LONGEST_LIFE = 600
"""A token that lives longer than this, in seconds, is refused: its id could not be remembered."""
SMALLEST_RSA = 2_048
"""Bits; a smaller key is refused."""


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trusted client: its `iss`, and its keys, either here or at the address `jku`."""

    iss: Annotated[str, Meta(min_length=1)]
    jku: str | None = None
    jwks: dict[str, Any] | None = None


class Untrusted(Exception):
    """The token is missing or not to be trusted. Says nothing about it, so that nothing of it is passed on."""


class Trust:
    """Checks tokens, none of which may be used twice, in whatever worker."""

    def __init__(self, clients: list[Client], address: str) -> None:
        self._clients = {client.iss: client for client in clients}
        self._address = address.rstrip("/")
        self._rings = {client.iss: Keyring(client.jku or client.jwks or {"keys": []}) for client in clients}
        self._used = UsedTokens()

    async def check(self, authorization: str | None, path: str) -> str:
        """The issuer of the token in the header. Raises `Untrusted` unless that is a good one for this path."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Untrusted
        try:
            claims = await self._verified(token.strip(), f"{self._address}{path}")
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Untrusted from None
        if not self._used.first_use(str(claims["iss"]), claims["jti"], float(claims["exp"]) + LEEWAY):
            raise Untrusted
        return str(claims["iss"])

    async def _verified(self, token: str, audience: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        client = self._clients.get(issuer) if isinstance(issuer, str) else None
        if client is None or header.get("alg") not in ALGORITHMS or header.get("jku", client.jku) != client.jku:
            raise Untrusted
        key = await self._rings[client.iss].key(header.get("kid"), header["alg"])
        if key is None or not _is_strong(key):
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
        if claims["exp"] - claims["iat"] > LONGEST_LIFE or not isinstance(claims["jti"], str) or not claims["jti"].strip():
            raise Untrusted
        return claims


def _is_strong(key: object) -> bool:
    """Whether a key is of the kind that the algorithms ask for: RSA of 2048 bits or more, or the curve P-384."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= SMALLEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1)


def trust_in(content: bytes, address: str) -> Trust:
    """The trust that a file of clients describes. Raises `InvalidSettings`, for the file itself `InvalidFile`."""
    if not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise InvalidSettings("CAREPLAN_PUBLIC_URL must be the https address that tokens name as their audience")
    try:
        clients = msgspec.json.decode(content, type=list[Client])
        for client in clients:
            if (client.jku is None) == (client.jwks is None):
                raise InvalidFile("cds_clients", "each CDS client needs either jku or jwks")
        return Trust(clients, address)
    except msgspec.DecodeError as error:
        raise InvalidFile("cds_clients", f"the file of CDS clients is not one: {error}") from None
    except InvalidSettings as error:
        raise InvalidFile("cds_clients", str(error)) from None
