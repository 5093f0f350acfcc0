"""The files that settings name, read once: their content is what is looked at, checked and handed on to other processes."""

from __future__ import annotations

from collections.abc import Mapping

from careplan.errors import InvalidSettings
from careplan.rulebook.folder import read_file
from careplan.settings import Settings

MOST_BYTES = 1_000_000
NAMED: Mapping[str, str] = {
    "protocol": "the clinic's protocol",
    "clinic_logo": "the clinic's logo",
    "api_keys": "the file of API keys",
    "oauth_jwks": "the file of the issuer's keys",
    "cds_clients": "the file of CDS clients",
    "signing_key": "signing_key",
    "tls_certificate": "tls_certificate",
    "tls_key": "tls_key",
}
"""What a file is called when something is wrong with it, by its setting."""
AT_THE_START = ("tls_certificate", "tls_key")
"""Read when the service starts; it goes on with them until it stops."""


class InvalidFile(InvalidSettings):
    """A file that a setting names cannot be used."""

    def __init__(self, setting: str, words: str) -> None:
        super().__init__(words)
        self.setting = setting


def read_files(settings: Settings, *, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The content of each file that the settings name, by its setting, but for some. Raises `InvalidFile`."""
    return {name: _read(name, place) for name in NAMED if name not in but and (place := _place(settings, name))}


def content_of(settings: Settings, name: str) -> bytes:
    """The content of the file that one setting names. Raises `InvalidFile`."""
    return _read(name, _place(settings, name))


def _place(settings: Settings, name: str) -> str:
    place: str = getattr(settings, name)
    return "" if name == "oauth_jwks" and "://" in place else place


def _read(name: str, place: str) -> bytes:
    try:
        content = read_file(place, MOST_BYTES)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or "it is no file"
        raise InvalidFile(name, f"{NAMED[name]} cannot be read: {words}") from None
    if len(content) > MOST_BYTES:
        raise InvalidFile(name, f"{NAMED[name]} cannot be read: it is larger than {MOST_BYTES:,} bytes")
    return content
