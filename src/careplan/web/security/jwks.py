"""The public keys of one issuer of tokens (JWKS): from a file, or from an address that is asked again in the background.

Anybody can send a token that names an unknown key, so no request with a known one ever waits for the address, and of those
with an unknown one only a few do, for a name that was not looked for before.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from careplan.errors import InvalidSettings
from careplan.settings_files import InvalidFile

AGAIN_SECONDS = 30.0
"""An unknown key makes the address be asked again at most this often."""
FRESH_SECONDS = 600.0
"""Keys from an address are used this long before it is asked again: one that was taken back is not trusted for ever."""
REACH_SECONDS = 5.0
MOST_WAITING = 4
MOST_UNKNOWN = 1_000
SHORTEST_RSA = 2_048
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}

log = structlog.get_logger("careplan")


class Keyring:
    """Finds the key that a token names."""

    def __init__(self, source: str | bytes | dict[str, Any]) -> None:
        """`source` is an address, or the key set itself, maybe as JSON. Raises `InvalidSettings`."""
        self._address = source if isinstance(source, str) else None
        self._keys: list[jwt.PyJWK] = []
        self._asked = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = 0
        self._unknown: set[str | None] = set()
        if self._address is not None:
            self._client = jwt.PyJWKClient(_checked(self._address), cache_jwk_set=False, timeout=REACH_SECONDS)
            return
        try:
            found = jwt.PyJWKSet.from_dict(source if isinstance(source, dict) else json.loads(source or b""))
        except (jwt.PyJWTError, ValueError, AttributeError, TypeError, RecursionError) as error:
            words = str(error) or type(error).__name__
            raise InvalidFile("oauth_jwks", f"the keys are no JWKS: {words}") from None
        self._keys = [key for key in found.keys if _is_strong(key)]
        if not self._keys:
            raise InvalidFile("oauth_jwks", "the keys are no JWKS: none of them can check a signature")

    async def key(self, name: object, algorithm: str | None = None) -> Any:
        """The key with this `kid` that may check signatures of this algorithm; None if there is none."""
        found = self._find(name, algorithm)
        if self._address is None:
            return found
        if found is not None:
            if time.monotonic() - self._asked > FRESH_SECONDS:
                self._ask()
            return found
        if not isinstance(name, str | None):
            return None
        fetching = self._ask()
        if fetching is not None and self._waiting < MOST_WAITING and name not in self._unknown:
            self._waiting += 1
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(fetching), REACH_SECONDS)
            finally:
                self._waiting -= 1
        found = self._find(name, algorithm)
        if found is None and len(self._unknown) < MOST_UNKNOWN:
            self._unknown.add(name)
        return found

    async def warm(self) -> None:
        """Ask an address for its keys before the first token comes; go on without them if it does not answer."""
        if self._address is not None and (fetching := self._ask()) is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(fetching), REACH_SECONDS)

    def _find(self, name: object, algorithm: str | None) -> Any:
        for key in self._keys:
            if key.key_id == name and _fits(key, algorithm):
                return key.key
        return None

    def _ask(self) -> asyncio.Task[None] | None:
        """The attempt to fetch the keys that is under way, or a new one if the last was long enough ago."""
        if self._fetching is None and time.monotonic() - self._asked >= AGAIN_SECONDS:
            self._asked = time.monotonic()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            found = await asyncio.to_thread(self._client.get_jwk_set)
            self._keys = [key for key in found.keys if _is_strong(key)]
            self._unknown.clear()
        except Exception as error:  # noqa: BLE001 - whatever comes from there, we keep the keys we have
            log.warning("keys not fetched", error=type(error).__name__)
        finally:
            self._fetching = None


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidSettings("the address of the keys is none") from None
    if not host or parts.username is not None:
        raise InvalidSettings("the address of the keys is none, or holds a user and a password")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in {"127.0.0.1", "localhost", "::1"}):
        raise InvalidSettings("keys are fetched over https only, or from this machine")
    return address


def _is_strong(key: jwt.PyJWK) -> bool:
    return not isinstance(key.key, RSAPublicKey) or key.key.key_size >= SHORTEST_RSA


def _fits(key: jwt.PyJWK, algorithm: str | None) -> bool:
    """Whether its issuer means this key for signatures of this algorithm (RFC 7517, 4.2 to 4.4)."""
    said = key._jwk_data
    operations = said.get("key_ops")
    return (
        said.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and (algorithm is None or (said.get("alg", algorithm) == algorithm and said.get("kty") == _KINDS.get(algorithm[:2])))
    )
