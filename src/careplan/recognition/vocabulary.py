"""The wide vocabulary: names of what no rule looks at, further names of what rules look at, and codes of products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

FOLDER = "vocabulary"
KNOWN_NAMES = "known_medicines.txt"
FURTHER_NAMES = "further_names.tsv"
PRODUCT_CODES = "product_codes.tsv"
OF_NO_RULE = "-"
"""In `product_codes.tsv`: the codes of products that no rule looks at."""


class Further(NamedTuple):
    """One further name of ingredients of `medications.csv`, as people write it."""

    name: str
    ingredients: tuple[str, ...]


class WideVocabulary:
    """Names by their squeezed form, and RxNorm codes of products, from the texts of the three files.

    A line is cut into its parts when it is asked for: there are thousands, and a list of medicines needs a few.
    """

    def __init__(self, known: str = "", further: str = "", codes: str = "") -> None:
        self.known = known.split()
        """Names of what no rule looks at."""
        lines = (line.partition("\t") for line in further.split("\n"))
        self._further = {key: rest for key, _, rest in lines if rest}
        self._alike: Mapping[tuple[int, str], Sequence[str]] | None = None
        self._texts_of_codes = codes
        self._codes: dict[str, tuple[str, ...]] | None = None

    @property
    def further_names(self) -> Iterable[str]:
        """The further names, in letters and figures alone."""
        return self._further.keys()

    def further(self, key: str) -> Further | None:
        """What a further name stands for."""
        line = self._further.get(key)
        if line is None:
            return None
        tokens, _, name = line.partition("\t")
        return Further(name, tuple(tokens.split(";")))

    def warm(self) -> Mapping[tuple[int, str], Sequence[str]]:
        """Sort the known names by what `known_like` looks for; gives them by their length and first letter."""
        alike: dict[tuple[int, str], list[str]] = {}
        for name in self.known:
            alike.setdefault((len(name), name[0]), []).append(name)
        self._alike = alike  # Whole at once, as other threads may ask meanwhile.
        return alike

    def known_like(self, key: str, reach: int) -> Iterator[Sequence[str]]:
        """The known names that begin with the letter of `key`, of every length that `reach` slips may lead to."""
        alike = self._alike or self.warm()
        for length in range(len(key) - reach, len(key) + reach + 1):
            yield alike.get((length, key[0]), ())

    def every_further(self) -> Mapping[str, Further]:
        """All further names."""
        return {key: meant for key in self._further if (meant := self.further(key))}

    def code(self, rxcui: str) -> tuple[str, ...] | None:
        """The ingredients under a rule of a code, none for a product without one; None for a code that is not known."""
        if self._codes is None:
            self._codes = read_codes(self._texts_of_codes)
        return self._codes.get(rxcui)

    def codes(self) -> Mapping[str, tuple[str, ...]]:
        """All codes, each with its ingredients under a rule."""
        return read_codes(self._texts_of_codes)


def read_codes(text: str) -> dict[str, tuple[str, ...]]:
    """`product_codes.tsv`: on each line tokens of ingredients, or `-` for none under a rule, and the codes."""
    codes: dict[str, tuple[str, ...]] = {}
    for line in text.split("\n"):
        tokens, _, listed = line.partition("\t")
        codes.update(dict.fromkeys(listed.split(), () if tokens == OF_NO_RULE else tuple(tokens.split(";"))))
    return codes


def write_known(names: Iterable[str]) -> str:
    """The text of `known_medicines.txt`."""
    return "\n".join(sorted(set(names))) + "\n"


def write_further(names: Mapping[str, Further]) -> str:
    """The text of `further_names.tsv`."""
    return "".join(f"{key}\t{';'.join(meant.ingredients)}\t{meant.name}\n" for key, meant in sorted(names.items()))


def write_codes(codes: Mapping[str, tuple[str, ...]]) -> str:
    """The text of `product_codes.tsv`."""
    lines: dict[str, list[str]] = {}
    for code, ingredients in codes.items():
        lines.setdefault(";".join(ingredients) or OF_NO_RULE, []).append(code)
    return "".join(
        f"{tokens}\t{' '.join(sorted(listed, key=lambda code: (len(code), code)))}\n"
        for tokens, listed in sorted(lines.items())
    )
