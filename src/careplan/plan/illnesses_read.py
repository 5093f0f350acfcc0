"""How illnesses in words were understood, and those of which a plan says nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from careplan.facts.case import Case
from careplan.plan.illness_model import IllnessEntryRead, IllnessPartRead
from careplan.plan.model import NotConsidered
from careplan.plan.wording import Words
from careplan.recognition.known_conditions import OF_NO_RULE
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import one_line

_DENIED = "It says that this is not there, so no rule takes it for a finding."
_OF_FAMILY = "It is about the family, and no rule looks at that."
_LISTED = "It names a medicine that is on the list, where rules look at it."
_TAKEN = "It is a reading in words, and was taken as a measure. Enter it as one, with its day."
_READING = "It is a reading in words that sets nothing. Where there is a measure for it, enter it as one, with its day."
_NOTHING = "It says that there is nothing to list."
_PAST = "It is over or long ago, and no rule looks at it."
TWICE = "It says what another entry says already."
"""Why an entry that repeats another is not considered."""
_UNKNOWN = "It is outside the conditions that this rulebook knows."
_SILENT = "Rules looked at it, and none had anything to say."
_ANSWER = "It was read as the answer to a question, which rules looked at."
_KEPT = "It was read as the answer to a question, and the answer that was sent is as grave or graver, so that one counts."


def illnesses_read(book: Rulebook, words: Words, case: Case) -> list[IllnessEntryRead]:
    """How each entry was understood."""
    found = []
    for at, (written, entry) in enumerate(zip(case.patient.other_conditions, case.illnesses.read, strict=True)):
        labels = [
            book.conditions[token].label if token in book.conditions else _answer(words, token) for token in entry.tokens
        ]
        labels += [book.vocabulary.measures[name].label for part in entry.parts for name in part.measures]
        found.append(
            IllnessEntryRead(
                pointer=f"/other_conditions/{at}",
                index=at,
                written=written,
                recognition=entry.recognition,
                recognized_as=labels,
                tokens=list(entry.tokens),
                parts=[
                    IllnessPartRead(
                        start=part.start,
                        end=part.end,
                        recognition=part.recognition,
                        status=part.status,
                        tokens=list(part.tokens),
                        suggestions=list(part.offers),
                    )
                    for part in entry.parts
                ],
            )
        )
    return found


def _answer(words: Words, token: str) -> str:
    factor, _, value = token.partition("=")
    kind, _, field = factor.rpartition(".")
    return words.said(kind or "patient", field, value)


def silent_illnesses(case: Case, spoken_of: Collection[str]) -> Iterator[NotConsidered]:
    """Entries of other conditions that left no trace in the items of a plan, each part of them with the reason."""
    for at, (written, entry) in enumerate(zip(case.patient.other_conditions, case.illnesses.read, strict=True)):
        pointer = f"/other_conditions/{at}"
        own = {illness.token for illness in case.illnesses.listed if illness.pointer == pointer}
        for part in entry.parts:
            why = TWICE
            if part.status == "reading" and part.recognition != "unread":
                if pointer in spoken_of:
                    continue
                why = _TAKEN if part.measures else _READING
            elif part.recognition == "known" or (part.recognition == "unread" and not part.tokens):
                if pointer in spoken_of:
                    continue
                why = _LISTED if part.status == "medicine" else OF_NO_RULE if part.recognition == "known" else _UNKNOWN
            if part.tokens and (own & set(part.tokens)):
                if pointer in spoken_of:
                    continue
                why = _SILENT
            elif part.tokens and any("=" in token for token in part.tokens):
                factors = {token.partition("=")[0] for token in part.tokens}
                why = _ANSWER if any(case.illnesses.answered.get(factor) == at for factor in factors) else _KEPT
            elif not part.tokens and part.recognition == "read" and part.status != "reading":
                why = {"denied": _DENIED, "family": _OF_FAMILY, "past": _PAST}.get(part.status, _NOTHING)
            what = written if len(entry.parts) == 1 else written[part.start : part.end]
            yield NotConsidered(pointer=pointer, what=one_line(what) or written, why=why)
