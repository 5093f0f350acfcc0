"""Alerts that a named clinician has assessed: they become decisions with the record beside them, never silence.

This happens after the items are written: who assessed, and what was arranged, are the caller's words, which no rule
looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import msgspec

from careplan.facts.case import Case
from careplan.facts.measured import Measured
from careplan.plan.emergency_numbers import EmergencyNumbers
from careplan.plan.item_templates import Written
from careplan.plan.model import Ask, Cleared, NotConsidered
from careplan.request.patient import Clearance
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import Text, counted, one_line

_MEASURED_SINCE = "It is older than what was measured since, so that it has to be assessed again."
OF_THE_CONDITION = "condition"
"""What a rule about several conditions is cleared with: the token of the condition that its item is about."""


class Clearances:
    """The clearances of one rulebook: which stops can be cleared, for how long, and in which words."""

    def __init__(self, book: Rulebook) -> None:
        self._clears_with = {rule.id: rule.file.clears_with for rule in book.rules.values() if rule.file.clears_with}
        self._assessed_as: dict[str, list[str]] = {}
        for name, measure in book.vocabulary.measures.items():
            self._assessed_as.setdefault(measure.assessed_as or name, []).append(name)
        self._measures = book.vocabulary.measures
        self._days = book.about.clearance_days
        self._within = timedelta(days=book.about.clearance_days)
        words = book.about.cleared
        self._title = Text.parse(words.title)
        self._line = Text.parse(words.line)
        self._patient = Text.parse(words.patient)
        self._numbers = EmergencyNumbers(book)
        self._clinician_text = Text.parse(words.clinician)
        next_time = book.vocabulary.by["before_next_session"]
        what = one_line(words.ask)
        self._asks = [Ask(who="clinician", what=what, by="before_next_session", by_words=next_time)]

    def applied(self, case: Case, written: Sequence[Written]) -> list[Written]:
        """The items with every alert that was cleared turned into a decision of its section."""
        counting: dict[str, Clearance] = {}
        for clearance in case.patient.clearances:
            known = counting.get(clearance.what)
            if self._against(case, clearance) is None and (known is None or known.at < clearance.at):
                counting[clearance.what] = clearance
        if not counting:
            return list(written)
        text = self._patient.fill(self._numbers.of(case.patient.clinic, day=case.patient.as_of))
        return [self._cleared(written_item, counting, case.measured, text) for written_item in written]

    def not_considered(self, case: Case, written: Sequence[Written]) -> Iterator[NotConsidered]:
        """The clearances that change nothing, with the reason. `written` are the items as they are after `applied`."""
        shown = {
            (written_item.item.cleared.by, written_item.item.cleared.at, what)
            for written_item in written
            if written_item.item.cleared
            for what in self._clearing(written_item)
        }
        alerts = {what for written_item in written if written_item.place is None for what in self._clearing(written_item)}
        for at, clearance in enumerate(case.patient.clearances):
            if (clearance.by, clearance.at, clearance.what) in shown:
                continue
            why = self._against(case, clearance)
            if why is None or clearance.what not in alerts:
                why = "No alert of this plan is cleared by it, or a newer record is shown beside the alert."
            yield NotConsidered(pointer=f"/clearances/{at}", what="record that something was assessed", why=why)

    def _against(self, case: Case, clearance: Clearance) -> str | None:
        """Why a clearance does not count, if it does not."""
        patient = case.patient
        if any(self._speaks_since(name, clearance, case.measured) for name in self._assessed_as.get(clearance.what, ())):
            return _MEASURED_SINCE
        scores = case.measured.response if patient.treatment.response_so_far is None else None
        if clearance.what == "response_so_far" and scores and case.measured.is_after(scores[1], clearance.at):
            return _MEASURED_SINCE
        last = patient.treatment.last_session_at
        if last is not None and last >= clearance.at:
            return "It is older than the last session, so that it has to be assessed again."
        following = min((time for time in patient.treatment.session_times or () if time > clearance.at), default=None)
        if following is not None and following - clearance.at > self._within:
            return f"It is more than {counted(self._days, 'day')} older than the session after it, to be assessed again."
        return None

    def _speaks_since(self, name: str, clearance: Clearance, measured: Measured) -> bool:
        """Whether a value of a measure, other than the least grave one, is from after a clearance."""
        return measured.is_after(name, clearance.at) and self._measures[name].gravity(measured.taken[name].value) > 0

    def _clearing(self, written_item: Written) -> tuple[str, ...]:
        """What clears the alert of an item, or has cleared it."""
        found = self._clears_with.get(written_item.rule, ())
        return tuple([written_item.item.id.partition("/")[2] if what == OF_THE_CONDITION else what for what in found])

    def _cleared(self, written_item: Written, counting: dict[str, Clearance], measured: Measured, text: str) -> Written:
        if written_item.place is not None:
            return written_item
        # A value that was measured after an assessment was not part of it, whatever else was assessed.
        pointers = {about.pointer for about in written_item.item.about}
        names = [name for name in measured.taken if measured.pointer(name) in pointers]
        found = [
            counting[what]
            for what in self._clearing(written_item)
            if what in counting and not any(measured.is_after(name, counting[what].at) for name in names)
        ]
        if not found:
            return written_item
        clearance = max(found, key=lambda clearance: clearance.at)
        item = written_item.item
        words = {
            "by": clearance.by,
            "at": f"{clearance.at:%Y-%m-%d %H:%M %Z}",
            "arranged": one_line(clearance.arranged),
            "days": str(self._days),
        }
        decision = msgspec.structs.replace(
            item,
            level="hold",
            title=self._title.fill({"title": item.title}),
            line=self._line.fill({**words, "line": item.line}),
            patient_text=text,
            patient_language=None,
            translation=None,
            clinician_text=f"{self._clinician_text.fill(words)} {item.clinician_text}",
            asks=self._asks,
            cleared=Cleared(by=clearance.by, at=clearance.at, arranged=clearance.arranged),
        )
        return written_item._replace(place=item.section, item=decision)
