"""How lists of many words are set, so that a change of one of them is a change of one short line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_ON_A_LINE = 150


def by_what_they_say(said: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Words with what each was read as, those of one reading together, in lines by their first letter."""
    groups: dict[str, list[str]] = {}
    for word, reading in said:
        groups.setdefault(reading, []).append(word)
    for reading, words in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        if len(words) <= 3 and sum(map(len, words)) + len(reading) < MOST_ON_A_LINE:
            yield f"- {'; '.join(words)}: {reading}"
            continue
        yield f"- {reading}:"
        yield from (f"  {line}" for line in by_letter(words))


def by_letter(words: Iterable[str]) -> Iterator[str]:
    """Words in their order, those with one first letter on a line."""
    lines: dict[str, list[str]] = {}
    for word in words:
        lines.setdefault(first_letter(word), []).append(word)
    for letter in sorted(lines):
        yield "; ".join(sorted(lines[letter], key=lambda word: (word.lower(), word)))


def first_letter(word: str) -> str:
    """The first letter or figure of a word, without signs before it."""
    return next((sign for sign in word.lower() if sign.isalnum()), "")


def joined(said: Mapping[str, object] | Sequence[str]) -> str:
    """What is said of one thing, in a row: only what is true or there."""
    if isinstance(said, Mapping):
        parts = [
            name if value is True else f"{name} {value}"
            for name, value in said.items()
            if value not in (False, None, "", ())
        ]
    else:
        parts = [one for one in said if one]
    return ", ".join(parts) or "nothing"
