"""The settings of the service, read once: from a file, and from the environment, which wins.

Only the composition root and the command line read them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from careplan.errors import InvalidSettings
from careplan.near_values import offer
from careplan.rulebook.folder import read_file
from careplan.rulebook.load import shipped
from careplan.setting_words import bare, named_in, near_setting, not_a_setting, unfit
from careplan.zones import ZONES, is_a_zone, zone_of

MOST_BYTES = 100_000
"""Of the file of settings."""
PREFIX = "CAREPLAN_"
FILE = "CAREPLAN_CONFIG"
"""The variable that names the TOML file of settings."""

OPEN_PATHS = frozenset({"docs", "metrics"})


def _about(description: str, *, secret: bool = False, **limits: Any) -> Meta:
    return Meta(description=description, extra={"secret": secret}, **limits)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting; its environment variable is its name in capitals after `CAREPLAN_`."""

    rules: Annotated[str, _about("folder of the rulebook; empty for the one that comes with the package")] = ""
    protocol: Annotated[str, _about("JSON file with the clinic's own signed protocol, for requests that bring none")] = ""
    time_zone: Annotated[
        str,
        _about(
            "the clinic's time zone by its IANA name, in which plans and calendars write hours; empty for hours as they "
            "were sent, and UTC in calendars"
        ),
    ] = ""
    clinic_name: Annotated[str, _about("the clinic's name, for patients' cards of requests that bring none")] = ""
    clinic_phone: Annotated[str, _about("the clinic's telephone number by day; empty for a blank to write in")] = ""
    clinic_phone_after_hours: Annotated[str, _about("the number to call at night and on weekends; empty for a blank")] = ""
    clinic_logo: Annotated[
        str, _about("PNG or SVG file of at most 64 KB with the clinic's logo, for pages, PDF and patients' cards")
    ] = ""
    clinic_paper: Annotated[
        Literal["", "a4", "us-letter"],
        _about("paper of PDF; empty for us-letter in American time zones, else a4"),
    ] = ""
    clinic_region: Annotated[
        Literal["", "us", "uk", "eu", "ca", "au"],
        _about("whose labels count at the clinic; empty for all, the stricter where they differ"),
    ] = ""
    watch: Annotated[
        bool, _about("reload the rulebook whenever a file of it changes; for development, SIGHUP reloads in any case")
    ] = False

    reviewed_reloads: Annotated[
        bool,
        _about(
            "refuse a reload that changes for whom a stop or hold comes up, until a named reviewer has accepted each such "
            "rule in reviews.yaml"
        ),
    ] = False
    rulebook_digest: Annotated[
        str, _about("the digest of the rulebook that was accepted last; a start with any other is refused. Empty for any")
    ] = ""

    host: Annotated[str, _about("address to listen on; beyond loopback only with API keys or OAuth")] = "127.0.0.1"
    port: Annotated[int, _about("port to listen on; 0 for a free one", ge=0, le=65_535)] = 8000
    workers: Annotated[int, _about("worker processes; one for each core is a good number", ge=1, le=256)] = 1
    tls_certificate: Annotated[str, _about("PEM file with the certificate, where no proxy does TLS")] = ""
    tls_key: Annotated[str, _about("PEM file with its key")] = ""
    tls_key_password: Annotated[str, _about("the password of that key", secret=True)] = ""
    public_url: Annotated[
        str, _about("the address under which clients reach the service: for links on cards, and the audience of CDS tokens")
    ] = ""

    api_keys: Annotated[str, _about("JSON file of API keys, hashed, as `careplan key` writes it")] = ""
    oauth_issuer: Annotated[str, _about("issuer of the access tokens that are taken (OAuth 2 client credentials)")] = ""
    oauth_audience: Annotated[str, _about("the audience that such a token must name")] = ""
    oauth_jwks: Annotated[str, _about("where the issuer's keys are: an https address, or a file")] = ""
    cds_clients: Annotated[
        str, _about("JSON file of CDS clients whose signed tokens are trusted, each with iss and jwks or jku")
    ] = ""
    open_paths: Annotated[str, _about("what needs no credentials: docs, metrics, or both parted by a comma")] = ""
    allowed_hosts: Annotated[
        str,
        _about(
            "names in the Host header that are served besides the one in public_url, parted by commas, * for any; empty for "
            "those of loopback"
        ),
    ] = ""
    cors_origins: Annotated[str, _about("origins of browser clients that may call, parted by commas; empty for none")] = ""
    rate_limit: Annotated[
        str,
        _about("requests of one client in each worker, such as 600/minute, where its key does not say; empty for no limit"),
    ] = ""

    record_limit: Annotated[
        int,
        _about(
            "largest body of a request that brings a clinical record (FHIR, CDS Hooks) or a plan to sign, in bytes",
            ge=1_024,
            le=16_777_216,
        ),
    ] = 10_485_760
    body_limit: Annotated[
        int, _about("largest request body with the factors of a patient, in bytes", ge=1_024, le=16_777_216)
    ] = 262_144
    body_seconds: Annotated[float, _about("a request body must have arrived after this many seconds", gt=0, le=600)] = 10
    request_seconds: Annotated[
        float,
        _about("a request whose answer has not begun this long after its body came gets 503 with Retry-After", gt=0, le=600),
    ] = 10
    header_seconds: Annotated[int, _about("a request's header must have arrived after this many seconds", ge=1, le=600)] = 10
    concurrency: Annotated[
        int,
        _about(
            "requests that a worker has in hand at once, of one caller at most half; those beyond get 503 with Retry-After",
            ge=1,
            le=10_000,
        ),
    ] = 128
    batches: Annotated[
        int, _about("batches that a worker has in hand at once, besides; of one caller at most half", ge=1, le=1_000)
    ] = 8
    connections: Annotated[int, _about("connections that a worker holds open at once", ge=16, le=100_000)] = 4_096
    drain_seconds: Annotated[
        float, _about("after SIGTERM, how long /readyz says no while requests are still taken", ge=0, le=600)
    ] = 2
    stop_seconds: Annotated[
        int, _about("after that, how long requests in hand may take to finish before the worker is killed", ge=1, le=600)
    ] = 10
    hang_seconds: Annotated[float, _about("a worker that does nothing for this long is replaced", ge=1, le=3_600)] = 30

    signing_key: Annotated[
        str,
        _about("PEM file with the Ed25519 private key (PKCS #8) by which signed plans are signed; empty for a digest alone"),
    ] = ""

    try_page: Annotated[
        Literal["auto", "on", "off"],
        _about("the page /try for made-up patients; auto serves it where callers need not show who they are"),
    ] = "auto"

    log: Annotated[Literal["json", "console"], _about("form of the log lines")] = "json"

    @property
    def origins(self) -> list[str]:
        """The origins of browser clients. Raises `InvalidSettings` for one that is none."""
        origins = _listed(self.cors_origins)
        for origin in origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.\-]+(:\d+)?", origin):
                raise InvalidSettings(f"cors_origins takes origins such as https://ehr.example.org, and {origin} is none")
        return origins

    @property
    def hosts(self) -> frozenset[str] | None:
        """The names that the Host header may have, without ports; None for any."""
        named = {name.lower() for name in _listed(self.allowed_hosts)}
        if "*" in named:
            return None
        found = re.match(r"https?://([^/:]+|\[[^]]+\])", self.public_url)
        public = {found[1].lower()} if found else set()
        return frozenset(named or {"localhost", "127.0.0.1", "[::1]"}) | public

    @property
    def opened(self) -> frozenset[str]:
        """What needs no credentials. Raises `InvalidSettings` for anything else."""
        opened = frozenset(_listed(self.open_paths))
        if not opened <= OPEN_PATHS:
            raise InvalidSettings(f"open_paths can name {' and '.join(sorted(OPEN_PATHS))}")
        return opened

    @property
    def zone(self) -> ZoneInfo | None:
        """The clinic's time zone, if it is set. Raises `InvalidSettings` if there is none of this name."""
        if not self.time_zone:
            return None
        if not is_a_zone(self.time_zone):
            meant = offer(near_setting(self.time_zone, ZONES))
            raise InvalidSettings(f"time_zone takes the IANA name of a time zone, such as America/New_York{meant}")
        return zone_of(self.time_zone)

    @property
    def rules_folder(self) -> Path:
        """The folder of the rulebook."""
        return Path(self.rules) if self.rules else shipped()

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def authenticates(self) -> bool:
        """Whether callers must show who they are."""
        return bool(self.api_keys or self.oauth_issuer)

    @property
    def serves_try_page(self) -> bool:
        """Whether there is a page for made-up patients."""
        return self.try_page == "on" or (self.try_page == "auto" and not self.authenticates)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


_SECRET = frozenset(
    name for name, hint in get_type_hints(Settings, include_extras=True).items() if hint.__metadata__[0].extra["secret"]
)


class Described(NamedTuple):
    """A setting as it is: its value as text, masked where it is secret, and where the value comes from."""

    name: str
    variable: str
    value: str
    default: str
    source: Literal["default", "file", "environment"]
    meaning: str


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment, and of the file that it names.

    Raises `InvalidSettings` for a setting that is misspelled, out of range, or at odds with another, by its variable's name.
    """
    in_file, in_environment = _values(environment)
    values = in_file | in_environment
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError:
        raise InvalidSettings(unfit(values, Settings, PREFIX)) from None
    try:
        _check_together(settings)
    except InvalidSettings as error:
        raise InvalidSettings(by_variable(str(error))) from None
    return settings


def by_variable(words: str) -> str:
    """Words with each setting of several words called by its environment variable."""
    return named_in(words, [field.name for field in msgspec.structs.fields(Settings)], PREFIX)


def _values(environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    known = [field.name for field in msgspec.structs.fields(Settings)]
    found = {
        name[len(PREFIX) :].lower(): value for name, value in environment.items() if name.startswith(PREFIX) and name != FILE
    }
    for name in found:
        if name not in known:
            raise InvalidSettings(f"{PREFIX}{name.upper()} {not_a_setting(name, known, PREFIX)}")
    found = {name: bare(name, value, PREFIX, is_secret=name in _SECRET) for name, value in found.items()}
    if not environment.get(FILE):
        return {}, found
    try:
        content = read_file(environment[FILE], MOST_BYTES)
        if len(content) > MOST_BYTES:
            raise InvalidSettings(f"{FILE}: the file of settings is larger than {MOST_BYTES:,} bytes")
        in_file = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise InvalidSettings(f"{FILE}: the file of settings cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{FILE}: the file of settings is not TOML: {error}") from None
    for name in in_file:
        if name not in known:
            raise InvalidSettings(f"{name} in the file of settings {not_a_setting(name, known, PREFIX)}")
    return {name: bare(name, value, PREFIX, is_secret=name in _SECRET) for name, value in in_file.items()}, found


def _check_together(settings: Settings) -> None:
    _ = settings.origins, settings.zone, settings.opened
    _check_names(settings)
    oauth = (settings.oauth_issuer, settings.oauth_audience, settings.oauth_jwks)
    if any(oauth) and not all(oauth):
        raise InvalidSettings("oauth_issuer, oauth_audience and oauth_jwks go together: set all three or none")
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise InvalidSettings("tls_certificate and tls_key go together: set both or none")


def _check_names(settings: Settings) -> None:
    if not settings.host.strip():
        raise InvalidSettings(f"{PREFIX}HOST is empty; name the address to listen on")
    if settings.public_url and not _is_web_address(settings.public_url):
        raise InvalidSettings("public_url is no address; name one such as https://plans.example.org")
    for name in _listed(settings.allowed_hosts):
        if name != "*" and not re.fullmatch(r"[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\]", name):
            raise InvalidSettings(f"allowed_hosts takes names without scheme, port or path, parted by commas, not {name}")
    if "://" in settings.oauth_jwks and not _is_web_address(settings.oauth_jwks):
        raise InvalidSettings("oauth_jwks is no address of the issuer's keys")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0 and " " not in text
    except ValueError:
        return False


def _masked(text: str) -> str:
    """An address without the user and password in it."""
    return re.sub(r"(?<=://)[^/?#]*@", "(set)@", text)


def described(environment: Mapping[str, str] = os.environ) -> list[Described]:
    """Every setting with its value, secrets masked. Raises like `from_environment`."""
    settings = from_environment(environment)
    in_file, in_environment = _values(environment)
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        (meta,) = hints[field.name].__metadata__
        value = _text(getattr(settings, field.name))
        rows.append(
            Described(
                name=field.name,
                variable=f"{PREFIX}{field.name.upper()}",
                value="(set)" if meta.extra["secret"] and value else _masked(value),
                default=_text(field.default),
                source="environment" if field.name in in_environment else "file" if field.name in in_file else "default",
                meaning=meta.description,
            )
        )
    return rows


def to_environment(settings: Settings) -> dict[str, str]:
    """The environment that has these settings."""
    values = msgspec.structs.asdict(settings).items()
    return {f"{PREFIX}{name.upper()}": _text(value) for name, value in values}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
