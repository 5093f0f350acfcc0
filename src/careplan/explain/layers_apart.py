"""Which layers of two plans differ although all items are the same."""

from __future__ import annotations

from careplan.plan.model import CarePlan
from careplan.rulebook.text_template import in_words

_LAYERS = {
    "front": "the front page",
    "card": "the patient's card",
    "standing": "the standing protocol",
    "sources": "the sources",
    "clinic": "what is known of the clinic",
    "course": "what became of the earlier plan",
}


def layers_apart(before: CarePlan, after: CarePlan) -> str:
    """A sentence that names the layers in which two plans differ."""
    parts = [words for name, words in _LAYERS.items() if getattr(before, name) != getattr(after, name)]
    return f"Not the same: {in_words(parts) or 'something else in the two plans'}."
