"""Whether a service may take its files as they are now: read once, and tried whole in a process of its own.

The engine and the parser of YAML are native code, and files may be anything: should one of them hang or crash what looks at
it, that happens there, and the service goes on. What was accepted is handed over as content. Run by the first process as
`python -P -m careplan.web.acceptance CONTENT REPORT BEFORE`, descriptors of files to write to, and of what is served now.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from careplan.clinic_settings import clinic_defaults, clinic_logo
from careplan.errors import InvalidRulebook, InvalidSettings, RuleFault
from careplan.request.decode import Intake
from careplan.request.previous_reading import CheckSignature
from careplan.rulebook.folder import digest_of, read_folder
from careplan.rulebook.load import load_files
from careplan.rulebook.model import Rulebook
from careplan.rulebook.weighty_changes import not_accepted
from careplan.settings import PREFIX, Settings, from_environment
from careplan.settings_files import AT_THE_START, InvalidFile, read_files
from careplan.web.process.accepted import Content, content_of, unpacked, write
from careplan.web.process.candidate import Verdict, refused
from careplan.web.security.access import Access
from careplan.web.telemetry.tracing import tracing_from

if TYPE_CHECKING:
    from careplan.signing.keys import SigningKey
    from careplan.web.security.cds_clients import Trust

MOST_MEMORY = 2_000_000_000
"""Bytes of address space; the shipped rulebook takes an eighth of it."""
_PR_SET_PDEATHSIG = 1


def trust_of(settings: Settings, files: Mapping[str, bytes]) -> Trust | None:
    """The CDS clients that are trusted. Raises `InvalidSettings`."""
    if "cds_clients" not in files:
        return None
    from careplan.web.security.cds_clients import trust_in

    return trust_in(files["cds_clients"], settings.public_url)


def signing_key_of(files: Mapping[str, bytes]) -> SigningKey | None:
    """The key that plans are signed with. Raises `InvalidFile`."""
    if "signing_key" not in files:
        return None
    from careplan.signing.keys import SigningKey

    try:
        return SigningKey(files["signing_key"])
    except ValueError as error:
        raise InvalidFile("signing_key", f"signing_key cannot be used: {error}") from None


def kid_of(key: SigningKey | None) -> str:
    """The name of a key; nothing where there is none."""
    return "" if key is None else key.public.kid


def checking(key: SigningKey | None) -> CheckSignature | None:
    """What checks the signatures of plans that come back; None where the service signs nothing."""
    if key is None:
        return None
    from careplan.signing.keys import KnownKeys

    return KnownKeys([key.public])


def check(book: Rulebook, settings: Settings, files: Mapping[str, bytes]) -> None:
    """Raise `InvalidSettings` for whatever would keep a worker from starting with this rulebook and these files.

    It is an `InvalidFile` where a file is at fault.
    """
    Access(settings, files)
    try:
        clinic_logo(settings, files)
    except InvalidSettings as error:
        raise InvalidFile("clinic_logo", str(error)) from None
    try:
        clinic_defaults(settings, Intake(book.conditions, book.classes, book.forms), files)
    except InvalidSettings as error:
        raise InvalidFile("protocol", str(error)) from None
    trust_of(settings, files)
    signing_key_of(files)
    tracing_from(os.environ).close()


def check_digest(settings: Settings, book: Rulebook) -> None:
    """Raise `InvalidSettings` for another rulebook than the one with which a start is allowed."""
    if settings.rulebook_digest and settings.rulebook_digest != book.digest:
        raise InvalidSettings(
            f"the rulebook in {settings.rules_folder} has the digest {book.digest}, and {PREFIX}RULEBOOK_DIGEST accepts "
            f"{settings.rulebook_digest} alone: put that rulebook there, or have this one accepted and name its digest"
        )


def check_certificate(settings: Settings) -> None:
    """Raise `InvalidSettings` unless certificate and key belong together, where there are any."""
    for file in (settings.tls_certificate, settings.tls_key):
        if file and not Path(file).is_file():
            raise InvalidSettings(f"there is no file {file}")
    if settings.tls_key:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                settings.tls_certificate, settings.tls_key, settings.tls_key_password or None
            )
        except OSError:
            raise InvalidSettings(
                "tls_certificate and tls_key are no PEM files that belong together, or the password is wrong"
            ) from None


def examine(settings: Settings, before: Content | None = None) -> tuple[Content | None, Verdict]:
    """The content that the service may take, and the verdict; None where there is nothing to take.

    `before` is what is served now. Where its rulebook is still the same, that is not tried again; where the new one has
    faults, other files are taken beside the one before, so that a key can be taken back at any time. Where the settings want
    it, a stop or hold that comes up for other patients without a reviewer's acceptance is such a fault.
    """
    from careplan.authoring.rehearsal import rehearse

    faults: list[RuleFault] = []
    named: dict[str, bytes] = {}
    try:
        named = read_files(settings, but=AT_THE_START)
    except InvalidFile as error:
        faults.append(_fault(error, named))
    try:
        rules = read_folder(settings.rules_folder)
        book = load_files(rules)
        known = before is not None and digest_of(before.files) == book.digest
        in_rules = [] if known else rehearse(book)
        if settings.reviewed_reloads and before is not None and not known:
            in_rules += not_accepted(load_files(before.files), book)
    except InvalidRulebook as error:
        in_rules = list(error.faults)
    if in_rules and before is not None:
        rules = before.files
        book = load_files(rules)
    if not faults and (before is not None or not in_rules):
        try:
            check(book, settings, named)
        except InvalidSettings as error:
            faults.append(_fault(error, named))
        else:
            return content_of(rules, named), Verdict(digest=book.digest, faults=in_rules, taken=True)
    return None, Verdict(faults=[*faults, *in_rules])


def _fault(error: InvalidSettings, named: Mapping[str, bytes]) -> RuleFault:
    setting = error.setting if isinstance(error, InvalidFile) else ""
    words = str(error)
    at = re.search(r"\(byte (\d+)\)", words)
    line = named.get(setting, b"").count(b"\n", 0, int(at[1])) + 1 if at else 1
    return RuleFault(
        file=f"{PREFIX}{setting.upper()}" if setting else "settings",
        line=line,
        field="",
        problem=f"{words[:1].upper()}{words[1:]}.",
        mend="Correct the file that this setting names, and reload again; what it held before stays in use.",
        code="reload",
    )


def main(content_file: int, report_file: int, before_file: int) -> None:
    """Examine the files of this environment's settings, and write what came of it."""
    os.nice(3)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        before = unpacked(os.pread(before_file, os.fstat(before_file).st_size, 0))
        content, verdict = examine(from_environment(), before)
        if content is not None:
            write(content_file, content)
    except Exception as error:  # noqa: BLE001 - whatever it is, the service goes on with what it has
        verdict = refused(f"What examines the files failed: {type(error).__name__}.")
    os.write(report_file, msgspec.msgpack.encode(verdict.in_short()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
