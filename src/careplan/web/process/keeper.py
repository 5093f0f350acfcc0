"""Who decides what the service serves: the first process, once for all workers.

On SIGHUP, or when a watched file changes, the files are examined by a candidate. What it accepts becomes the edition that
every worker takes, and that replacements start from; what it refuses changes nothing, and the log and `/readyz` say why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, get_args

import msgspec
import structlog
from msgspec import Meta

from careplan.errors import RuleFault
from careplan.rulebook.folder import digest_of
from careplan.web.process import shared
from careplan.web.process.accepted import Content, Slots
from careplan.web.process.candidate import Candidate, Verdict, refused

log = structlog.get_logger("careplan")

LOOK_SECONDS, WATCH_SECONDS = 0.05, 0.5
"""How often a candidate is looked after, and watched files are."""

Outcome = Literal["swapped", "unchanged", "refused"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last reload. `digest` is that of the rulebook accepted since; `faults` why anything was refused.

    `changed` names what is new: rulebook, or settings whose files hold something else than before. These are taken beside
    the rulebook before, where only the new rulebook was refused.
    """

    outcome: Outcome
    at: Annotated[str, Meta(description="when, as an RFC 3339 timestamp", extra_json_schema={"format": "date-time"})]
    digest: str
    changed: list[str] = []
    fault_count: int = 0
    faults: list[RuleFault] = []


class Keeper:
    """Takes one edition after the other, however often it is asked to. It never waits, and never raises for a bad file."""

    def __init__(
        self, slots: Slots, digest: str, command: Sequence[str], *, marks: Callable[[], object] | None = None
    ) -> None:
        """`command` examines files, and `digest` is that of the rulebook accepted first.

        `marks` are equal as long as no watched file changed.
        """
        self._slots = slots
        self._digest = digest
        self._command = command
        self._marks = marks
        self._marked = marks() if marks else None
        self._next_look = 0.0
        self._wanted = False
        self._candidate: Candidate | None = None

    def request(self) -> None:
        """Ask for a reload; returns at once."""
        self._wanted = True

    def wait(self) -> float | None:
        """How many seconds there may be until the next `step`; None for any."""
        return LOOK_SECONDS if self._candidate else WATCH_SECONDS if self._marks else None

    def step(self) -> bool:
        """Go on with what is to be done. True where workers are to look at what came of it."""
        self._watch()
        if self._candidate is not None:
            verdict = self._candidate.verdict()
            if verdict is None:
                return False
            self._candidate.close()
            self._candidate = None
            self._decide(verdict)
            return True
        if not self._wanted:
            return False
        self._wanted = False
        try:
            self._candidate = Candidate(self._command, self._slots.free(), self._slots.current())
        except OSError as error:
            self._decide(refused(f"No process could be started that examines the files: {error.strerror}."))
            return True
        return False

    def close(self) -> None:
        """Give up what is being examined."""
        if self._candidate is not None:
            self._candidate.close()
            self._candidate = None

    def _watch(self) -> None:
        now = time.monotonic()
        if self._marks is None or now < self._next_look:
            return
        self._next_look = now + WATCH_SECONDS
        marked = self._marks()
        if marked != self._marked:
            self._marked, self._wanted = marked, True

    def _decide(self, verdict: Verdict) -> None:
        outcome: Outcome = "refused"
        changed: list[str] = []
        if verdict.taken:
            try:
                changed = self._changed(self._slots.written())
            except Exception as error:  # noqa: BLE001 - whatever it is, what was accepted before stays
                verdict = refused(f"What was accepted cannot be read again: {type(error).__name__}.")
        if changed:
            self._slots.take()
            self._digest = verdict.digest
        if not verdict.faults:
            outcome = "swapped" if changed else "unchanged"
        self._report(outcome, changed, verdict.in_short())

    def _changed(self, content: Content) -> list[str]:
        _, before = self._slots.read()
        rules = ["rulebook"] if digest_of(content.files) != digest_of(before.files) else []
        names = sorted(before.named.keys() | content.named.keys())
        return rules + [name for name in names if before.named.get(name) != content.named.get(name)]

    def _report(self, outcome: Outcome, changed: list[str], verdict: Verdict) -> None:
        count = len(verdict.faults) + verdict.more
        report = Reloaded(
            outcome=outcome,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            digest=self._digest,
            changed=changed,
            fault_count=count,
            faults=verdict.faults,
        )
        encoded = msgspec.msgpack.encode(report)
        if len(encoded) > shared.LONGEST_REPORT:
            encoded = msgspec.msgpack.encode(msgspec.structs.replace(report, faults=report.faults[:3]))
        shared.write_report(encoded, OUTCOMES.index(outcome))
        for fault in verdict.faults:
            log.error("rulebook fault", **msgspec.structs.asdict(fault))
        event = log.error if outcome == "refused" else log.info
        event(f"rulebook {outcome}", digest=self._digest, changed=changed, faults=count)


def last_reload() -> Reloaded | None:
    """What came of the last reload, as every process of the service can tell; None before there was one."""
    content = shared.report()
    try:
        return msgspec.msgpack.decode(content, type=Reloaded) if content else None
    except msgspec.DecodeError:
        return None  # It is being written now.
