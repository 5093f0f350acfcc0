"""The public keys of one issuer of tokens (JWKS): from a file, or from an address that is asked again, but not too often."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import jwt

from careplan.errors import InvalidSettings

AGAIN_SECONDS = 30.0
"""An unknown key makes the address be asked again at most this often: anybody can send a token with an unknown key."""
FRESH_SECONDS = 600.0
"""Keys from an address are used this long, so that one that the issuer took back is not trusted for ever."""
REACH_SECONDS = 5.0


class Keyring:
    """Finds the key that a token names."""

    def __init__(self, source: str | dict[str, Any]) -> None:
        """`source` is an address, the name of a file, or the key set itself. Raises `InvalidSettings`."""
        self._address = source if isinstance(source, str) and "://" in source else None
        self._keys: jwt.PyJWKSet | None = None
        self._asked = float("-inf")
        self._fetching = asyncio.Lock()
        if self._address is not None:
            if not self._address.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
                raise InvalidSettings("keys are fetched over https only, or from this machine")
            self._client = jwt.PyJWKClient(self._address, cache_jwk_set=False, timeout=REACH_SECONDS)
            return
        try:
            self._keys = (
                jwt.PyJWKSet.from_json(Path(source).read_text("utf-8"))
                if isinstance(source, str)
                else jwt.PyJWKSet.from_dict(source)
            )
        except OSError as error:
            raise InvalidSettings(f"the file of keys cannot be read: {error.strerror}") from None
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidSettings(f"the keys are no JWKS: {error}") from None

    async def key(self, name: object) -> Any:
        """The key with this `kid`; None if there is none, or if its address does not answer."""
        if self._address is not None and (self._find(name) is None or time.monotonic() - self._asked > FRESH_SECONDS):
            async with self._fetching:
                await self._fetch()
        return self._find(name)

    def _find(self, name: object) -> Any:
        for key in self._keys.keys if self._keys else ():
            if key.key_id == name:
                return key.key
        return None

    async def _fetch(self) -> None:
        if time.monotonic() - self._asked < AGAIN_SECONDS:
            return
        self._asked = time.monotonic()
        try:
            self._keys = await asyncio.to_thread(self._client.get_jwk_set)
        except jwt.PyJWTError:
            return
