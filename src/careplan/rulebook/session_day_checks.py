"""What makes the checklist of a session fit for use: what it names is there, and each check has an id of its own."""

from __future__ import annotations

from collections.abc import Mapping

from careplan.rulebook.conditions import Path
from careplan.rulebook.model import Vocabulary
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.session_day import SessionDay
from careplan.rulebook.sources import Source


def check_session_day(words: Vocabulary, sources: Mapping[str, Source], day: SessionDay, note: FaultList) -> None:
    """Note every fault of `day`, the checklist of a session, which may name only the words and sources there are."""
    taken: set[str] = set()
    for at, check in enumerate(day.checks):
        if check.id in taken:
            note.fault(("checks", at, "id"), f"The id {check.id} stands twice.", "Choose another id.", code="id-taken")
        taken.add(check.id)
        if check.moment not in day.moments:
            note.fault(("checks", at, "moment"), f"{check.moment} has no title.", "Add it to moments.", code="no-words")
        for place, ref in enumerate(check.sources):
            path: Path = ("checks", at, "sources", place)
            if ref.source not in sources:
                mend = "Add it to sources.yaml or correct the id."
                note.fault((*path, "source"), f"There is no source {ref.source}.", mend, code="unknown-source")
            elif (advice := sources[ref.source].advice) and ref.place not in advice:
                mend = "See its list of advice in sources.yaml."
                note.fault((*path, "place"), f"{ref.source} has no place {ref.place}.", mend, code="unknown-place")
            if ref.strength not in words.strengths:
                mend = f"Use one of {', '.join(words.strengths)}."
                note.fault((*path, "strength"), f"There is no strength {ref.strength}.", mend, code="unknown-token")
    for field, names, there in (("own_topics", day.own_topics, words.topics), ("own_by", day.own_by, words.by)):
        for name in set(names) - set(there):
            note.fault((field,), f"vocabulary.yaml has no {name}.", "Use one of its names.", code="unknown-token")
