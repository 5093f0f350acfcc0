"""Each word of `goals.yaml` in sentences of its kind, and how the judge takes them: what is lost without the word shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from careplan.recognition.goal_judge import GoalJudgement
from careplan.recognition.goal_lexicon import GoalWords, kinds_of
from careplan.rulebook.model import Rulebook
from tests.in_short.edition import Edition
from tests.in_short.layout import by_what_they_say

_PLACE = re.compile(r"\{(\w+)\}")
_FIXED = {"number": "10", "time": "22:30", "date": "6/30", "medicine": "sertraline"}
PLAN = "walk 10 minutes every day {x}"
"""A sentence of which everything is understood, with a word more."""
FRAMES: Mapping[str, Sequence[str]] = {
    "action": ("{x} 10 minutes every day",),
    "amount": ("walk {x} every day",),
    "not_amount": ("walk {x} every day",),
    "clock_time": ("sleep {x}",),
    "when": ("walk 10 minutes {x}",),
    "not_when": ("walk 10 minutes {x}",),
    "weekday": ("walk 40 minutes on {x} and friday",),
    "vague": ("walk {x}",),
    "outcome": ("{x}", PLAN),
    "word": (PLAN, "walk {x}"),
    "thing": ("have {x}", PLAN),
    "unclear": (PLAN,),
    "clear": (PLAN, "{x}"),
    "kept_whole": ("{x}", "go to {x} every day"),
    "not_kept_whole": ("{x}", "go to {x} every day"),
    "often": ("walk 10 minutes {x}", "walk 40 minutes {x}", "walk 90 minutes {x}"),
    "size": ("walk 1 {x} every day", "walk 40 {x} every day", "walk 1000 {x} every day"),
    "not_effort": ("walk {x} every day",),
    "group": ("stop {x}",),
    "topic": ("{x}", "go {x} 10 minutes every day"),
}
"""Sentences in which a phrase of a kind shows what it does; those not named here stand alone and in the plan."""
_OF_ACTIONS = {
    "light_actions": ("{x} and walk 10 minutes every day",),
    "counted_actions": ("{x} every day",),
    "clock_actions": ("{x} at 22:30",),
    "not_for_actions": ("{x} 90 minutes every day",),
    "say_little": ("{x} every day",),
}
_SINGLE = {
    "fillers": ("walk 10 minutes after {x} lunch", "i do not {x} be alive"),
    "nouns_after": ("after {x} run i walk 10 minutes every day",),
    "joins": ("walk 10 minutes every day {x} go for a swim",),
    "asides": ("read 10 minutes every day {x} swim",),
    "names_not_judged": ("take {x} every day",),
}
Row = tuple[str, tuple[str, ...]]


class Part(NamedTuple):
    """A list of the file with its words, and the sentences in which each is tried."""

    title: str
    rows: tuple[Row, ...]


def goal_words(now: Edition, asked: Edition) -> Iterator[str]:
    """The words of one rulebook as the judge of another takes them; the same one, but where a change is looked at."""
    yield "# Words of goals in short: what each is taken for, in a sentence\n"
    yield "Behind each reading stand the words that were read so. “/” parts the sentences named in the heading."
    for part in _parts(asked.book):
        yield f"\n## {part.title}\n"
        yield from by_what_they_say((word, " / ".join(_said(now.book, text) for text in texts)) for word, texts in part.rows)


def _said(book: Rulebook, text: str) -> str:
    judged = book.goals.judge(text)
    parts = [] if judged.safety == "none" else [judged.safety]
    parts.append("understood" if judged.understood else "not understood")
    parts += ["protected"] if judged.protected else []
    parts += [] if judged.topic == "other" else [judged.topic]
    parts += [field.removeprefix("names_") for field in _GROUPS if getattr(judged, field)]
    if len(judged.missing) < 6:
        parts.append(f"lacks {' '.join(judged.missing)}" if judged.missing else "lacks nothing")
    return ", ".join(parts)


_GROUPS = tuple(field for field in GoalJudgement.__struct_fields__ if field.startswith("names_"))


def _parts(book: Rulebook) -> Iterator[Part]:
    words = book.goals.words
    merged: dict[str, dict[str, tuple[str, ...]]] = {}
    seen: dict[str, int] = {}
    for kind, value, phrases in kinds_of(words):
        pair = kind.endswith((" these", " near"))
        frames = FRAMES.get(kind, ("{x}", PLAN)) if not pair else _of_pairs(words, kind)
        title = f"{kind} {value}".strip() if kind in ("action", "topic", "group", "often") else kind
        number = seen[title] = seen.get(title, 0) + 1
        title = title if number == 1 else f"{title}, list {number}"
        own = [phrase.removeprefix("{number} ") for phrase in phrases if kind != "size" or phrase.startswith("{number} ")]
        rows = merged.setdefault(_titled(f"size {value}" if kind == "size" else title, frames), {})
        for phrase in own:
            rows[phrase] = tuple(_filled(words, frame, phrase) for frame in frames)
    for name, frames in _SINGLE.items():
        merged[_titled(name, frames)] = {
            one: tuple(_filled(words, frame, one) for frame in frames) for one in _listed(words, name)
        }
    for name, frames in _OF_ACTIONS.items():
        merged[_titled(name, frames)] = {
            one: tuple(_filled(words, frame, words.actions[one][0]) for frame in frames) for one in _listed(words, name)
        }
    frames = ("walk {x} minutes every day", "walk {x} minutes")
    merged[_titled("numbers", frames)] = {
        one: tuple(_filled(words, frame, one) for frame in frames) for one in words.numbers
    }
    merged["tokens of groups, as their first medicine: “stop ...”"] = {
        f"{group} by {token}": (f"stop {_first(book, token)}",)
        for group, listed in words.medicine_groups.items()
        for token in listed.tokens
    }
    for name, listed in words.lists.items():
        users = _users(words, name)
        told = " / ".join(f"“{user}”" for _, user in users)
        merged[f"list {name}: {told}"] = {one: tuple(_with(words, users, name, one)) for one in listed}
    yield from (Part(title, tuple(sorted(rows.items()))) for title, rows in merged.items())


def _listed(words: GoalWords, name: str) -> Sequence[str]:
    """A list of the file by its name, wherever it stands."""
    holder = words.limits if name == "not_for_actions" else words.everyday if name == "say_little" else words
    found: Sequence[str] = getattr(holder, name)
    return found


def _first(book: Rulebook, token: str) -> str:
    return next((row.name for row in book.catalogue.ingredients.values() if token in row.tokens), token)


def _titled(name: str, frames: Sequence[str]) -> str:
    return f"{name}: {' / '.join(f'“{frame}”' for frame in frames)}".replace("{x}", "...")


def _of_pairs(words: GoalWords, kind: str) -> tuple[str, ...]:
    """The other half of a pair, beside which a phrase means what the pair means."""
    category, at, side = kind.rsplit(" ", 2)
    pair = next(signs for name, signs in words.safety.items() if name == category).together[int(at)]
    other = (pair.near if side == "these" else pair.these)[0]
    first, last = ("{x}", other) if (side == "these") == (pair.before > 1) else (other, "{x}")
    return (f"{first} {last}",)


def _filled(words: GoalWords, frame: str, phrase: str) -> str:
    """A sentence with the phrase in its place, and the first word of each list for its name."""
    text = frame.replace("{x}", phrase)
    while found := _PLACE.search(text):
        text = text.replace(found[0], _FIXED.get(found[1]) or words.lists[found[1]][0])
    return text


def _users(words: GoalWords, name: str) -> list[tuple[str, str]]:
    """A phrase of each kind in which words of a list stand, of four kinds at most."""
    users: dict[str, str] = {}
    for kind, _, phrases in kinds_of(words):
        for phrase in phrases:
            if f"{{{name}}}" in phrase:
                users.setdefault(kind.removesuffix(" these").removesuffix(" near"), f"{kind}|{phrase}")
    found = [tuple(user.split("|", 1)) for user in list(users.values())[:4]]
    inside = next((other for other, listed in words.lists.items() if any(f"{{{name}}}" in one for one in listed)), None)
    if not found and inside is not None:
        within = next(one for one in words.lists[inside] if f"{{{name}}}" in one)
        return [(kind, phrase.replace(f"{{{inside}}}", within)) for kind, phrase in _users(words, inside)[:4]]
    return [(kind, phrase) for kind, phrase in found]


def _with(words: GoalWords, users: Sequence[tuple[str, str]], name: str, one: str) -> Iterator[str]:
    for kind, phrase in users:
        pair = kind.endswith((" these", " near"))
        frame = (_of_pairs(words, kind) if pair else FRAMES.get(kind, ("{x}",)))[0]
        yield _filled(words, frame, phrase.replace(f"{{{name}}}", one))
