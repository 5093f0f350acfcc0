"""Two versions of a text, each cut down to what differs and a little around it."""

from __future__ import annotations

from difflib import SequenceMatcher

_WORDS_AROUND, _LINES_AROUND = 5, 1
_LEFT_OUT = "..."


def cut_to_changes(before: str, after: str) -> tuple[str, str]:
    """Both texts without long stretches that they share, for which "..." stands; by lines where one has several."""
    several = "\n" in before + after
    sign, around = ("\n", _LINES_AROUND) if several else (" ", _WORDS_AROUND)
    old, new = (text.split(sign) if text else [] for text in (before, after))
    shown_old: list[str] = []
    shown_new: list[str] = []
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            shown_old += old[old_from:old_to]
            shown_new += new[new_from:new_to]
            continue
        behind = around if old_from or new_from else 0
        ahead = around if old_to < len(old) or new_to < len(new) else 0
        same = old[old_from:old_to]
        if len(same) > behind + ahead + 1:
            same = [*same[:behind], _LEFT_OUT, *same[len(same) - ahead :]]
        shown_old += same
        shown_new += same
    return sign.join(shown_old), sign.join(shown_new)
