"""OAuth 2 access tokens (RFC 6750, RFC 9068) of one issuer, checked against its public keys.

A module of its own, as the libraries for it take long to import and most services have no issuer.
"""

from __future__ import annotations

from typing import Any

import jwt

from careplan.web.security.jwks import Keyring

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384", "EdDSA")
"""Never `none`, never a shared secret."""
LEEWAY = 10
"""Seconds by which clocks may differ."""
LONGEST = 8_192
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})


class Tokens:
    """Checks the tokens that an issuer gave for this service."""

    def __init__(self, issuer: str, audience: str, keys: str | bytes) -> None:
        """`keys` is the address or the content of the file of the issuer's keys. Raises `InvalidSettings`."""
        self._issuer, self._audience = issuer, audience
        self._ring = Keyring(keys)

    async def warm(self) -> None:
        """Have the issuer's keys before the first token comes."""
        await self._ring.warm()

    async def claims(self, token: str) -> dict[str, Any] | None:
        """What a token says; None unless it is good."""
        if len(token) > LONGEST:
            return None
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS or str(header.get("typ", "JWT")).lower() not in _TYPES:
                return None
            key = await self._ring.key(header.get("kid"), header["alg"])
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return claims
