"""Names of medicines that only a sign tells from another: "T#3" is Tylenol with codeine, T3 liothyronine as well."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from careplan.recognition.plain_text import any_of, plain


class NumberSigns:
    """Writes such names out, by the list of one rulebook."""

    def __init__(self, written: Mapping[str, str]) -> None:
        self._with_a_sign = written
        self._by_sign = re.compile(rf"(?<![^\W_]){any_of(written)}(?!\d)")

    def plainly(self, text: str) -> tuple[str, Sequence[int]]:
        """Plain text of a line, with names that only a sign tells from others written out."""
        folded, places = plain(text)
        found = self._by_sign.search(folded) if "#" in folded else None
        if found is None:
            return folded, places
        full = self._with_a_sign[found[0]]
        inside = [places[min(found.start() + at, found.end() - 1)] for at in range(len(full))]
        return (
            folded[: found.start()] + full + folded[found.end() :],
            [*places[: found.start()], *inside, *places[found.end() :]],
        )
