"""The settings of the service, read once, from the environment. Only the composition root and the CLI read them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from careplan.errors import InvalidPatient, InvalidSettings
from careplan.intake import Intake
from careplan.patient import Protocol
from careplan.rulebook.load import shipped
from careplan.zones import ZONES

PREFIX = "CAREPLAN_"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, its environment variable being its name in capitals after `CAREPLAN_`."""

    rules: str = ""
    """Folder of the rulebook; empty for the one that comes with the package."""
    host: str = "127.0.0.1"
    """Address to listen on. Without authentication only loopback is possible."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    """Port to listen on."""
    protocol: str = ""
    """JSON file with the clinic's own protocol, used for requests that bring none; empty for none."""
    watch: bool = False
    """Reload the rulebook whenever a file in its folder changes; for development. SIGHUP reloads in any case."""
    log: Literal["json", "console"] = "json"
    """Form of the log lines."""
    time_zone: str = "UTC"
    """The clinic's time zone by its IANA name, for calendars that name none."""
    public_url: str = ""
    """The address under which clients reach the service, for links on cards and as the audience of their tokens."""
    cds_clients: str = ""
    """JSON file of the CDS clients whose signed tokens are trusted; empty to ask for none, on loopback only."""
    cors_origins: str = ""
    """Origins of browser clients that may call, parted by commas; empty for none."""
    body_limit: Annotated[int, Meta(ge=1_024, le=16_777_216)] = 262_144
    """Largest request body, in bytes."""

    @property
    def origins(self) -> list[str]:
        """The origins of browser clients. Raises `InvalidSettings` for one that is none."""
        origins = [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]
        for origin in origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.\-]+(:\d+)?", origin):
                raise InvalidSettings(f"{origin} is no origin; name one such as https://ehr.example.org")
        return origins

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone. Raises `InvalidSettings` if there is none of this name."""
        if self.time_zone not in ZONES:
            raise InvalidSettings(f"{self.time_zone} is no time zone; name one such as America/New_York")
        return ZoneInfo(self.time_zone)

    @property
    def rules_folder(self) -> Path:
        """The folder of the rulebook."""
        return Path(self.rules) if self.rules else shipped()


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in an environment. Raises `InvalidSettings` for one that is misspelled or out of range."""
    known = {field.name for field in msgspec.structs.fields(Settings)}
    values = {name[len(PREFIX) :].lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    unknown = sorted(values.keys() - known)
    if unknown:
        raise InvalidSettings(f"{PREFIX}{unknown[0].upper()} is not a setting; there are {', '.join(sorted(known))}")
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(str(error)) from None


def clinic_protocol(settings: Settings, intake: Intake) -> Protocol | None:
    """The clinic's own protocol, read as strictly as one in a request.

    Raises `InvalidSettings` naming every fault: no such file, unsigned figures, a drug class that the rulebook lacks.
    """
    if not settings.protocol:
        return None
    try:
        return intake.decode(b'{"protocol":' + Path(settings.protocol).read_bytes() + b"}").protocol
    except OSError as error:
        raise InvalidSettings(f"the clinic's protocol cannot be read: {error.strerror}") from None
    except InvalidPatient as error:
        faults = "; ".join(f"{fault.pointer} {fault.detail}" for fault in error.faults)
        raise InvalidSettings(f"the clinic's protocol is not one: {faults}") from None
