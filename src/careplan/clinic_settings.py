"""What settings say of the clinic, read as strictly as in a request."""

from __future__ import annotations

from collections.abc import Mapping

from careplan.clinic_logo import Logo, read_logo
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.request.decode import Intake
from careplan.request.patient import ClinicDefaults, Protocol
from careplan.settings import Settings
from careplan.settings_files import content_of


def clinic_defaults(settings: Settings, intake: Intake, files: Mapping[str, bytes] | None = None) -> ClinicDefaults:
    """What is known of the clinic: its own protocol, its name, numbers, paper, zone, region and logo.

    `files` has the content of the protocol's file where that was read already.

    Raises `InvalidSettings` naming every fault: no such file, unsigned figures, a drug class that the rulebook lacks.
    """
    named = {name: getattr(settings, setting) for name, setting in _CLINIC.items() if getattr(settings, setting)}
    try:
        clinic = intake.convert({"clinic": named}).clinic if named else None
    except InvalidPatient as error:
        faults = "; ".join(f"{_CLINIC[fault.pointer.rpartition('/')[2]]} {fault.detail}" for fault in error.faults)
        raise InvalidSettings(f"what the settings say of the clinic cannot be used: {faults}") from None
    return ClinicDefaults(_protocol(settings, intake, files), clinic, clinic_logo(settings, files))


_CLINIC = {
    "name": "clinic_name",
    "phone": "clinic_phone",
    "phone_after_hours": "clinic_phone_after_hours",
    "paper": "clinic_paper",
    "zone": "time_zone",
    "region": "clinic_region",
}
"""The settings that are fields of the clinic, by the names of these."""


def clinic_logo(settings: Settings, files: Mapping[str, bytes] | None = None) -> Logo | None:
    """The clinic's logo, if there is one. Raises `InvalidSettings` with what is wrong with its file, where, and the mend."""
    if not settings.clinic_logo:
        return None
    try:
        return read_logo(content_of(settings, "clinic_logo") if files is None else files["clinic_logo"])
    except ValueError as error:
        raise InvalidSettings(f"the clinic's logo cannot be used: {error}") from None


def _protocol(settings: Settings, intake: Intake, files: Mapping[str, bytes] | None) -> Protocol | None:
    if not settings.protocol:
        return None
    try:
        content = content_of(settings, "protocol") if files is None else files["protocol"]
        protocol = intake.decode(b'{"protocol":' + content + b"}").protocol
    except InvalidPatient as error:
        faults = "; ".join(f"{fault.pointer} {fault.detail}" for fault in error.faults)
        raise InvalidSettings(f"the clinic's protocol is not one: {faults}") from None
    if protocol is None:
        raise InvalidSettings("the clinic's protocol is not one: it is null")
    return protocol
