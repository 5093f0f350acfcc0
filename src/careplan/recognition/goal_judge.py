"""Judging a patient's goal by the word lists of `goals.yaml`: specific, small, in the patient's own hands, and safe.

No language is understood here. A goal becomes a row of words, one walk over a tree finds every phrase of every list,
and each test asks which of them stand where. The lists are data, so a clinician can read and correct every verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, get_args

import msgspec

from careplan.recognition.goal_lexicon import Category, GoalWords, Topic, kinds_of, kinds_of_pairs
from careplan.recognition.phrase_tree import (
    DATE,
    MEDICINE,
    NUMBER,
    TIME,
    Found,
    PhraseTree,
    Span,
    Spelled,
    longest,
    number_in,
    outside,
    pairs,
    places,
    symbols_in,
    uncovered,
    valued,
    words_of,
)
from careplan.recognition.spelling import plain_text, unmasked

_INSIDE_NAMES = frozenset(".")
"""A mark that the name of a medicine may be written with: "St. John's wort"."""


_TOPICS: tuple[Topic, ...] = get_args(Topic)


class _Danger(NamedTuple):
    """What gives one danger away: its list and that of what is harmless, and pairs of lists with the words between them."""

    category: str
    harmless: str
    together: Sequence[tuple[str, str, int, int]]


class GoalJudgement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The verdict on one goal. `safety` is "none" or a `Category`, `example` the model goal of its topic.

    `understood` is False for a goal of which something lies outside all lists: nothing may then be concluded from the rest.
    `protected` is True for treatment, recovery, appointments and safety plans that were understood, which no plan makes
    smaller.
    The four fields beginning with `names_` say that a medicine of that group is named.
    `missing` names the tests that failed, out of one_action, amount, when_or_how_often, clear_words, own_control, small.
    """

    understood: bool
    one_action: bool
    amount: bool
    when_or_how_often: bool
    own_control: bool
    specific: bool
    small: bool
    safety: str
    topic: str
    protected: bool
    names_benzodiazepine: bool
    names_lamotrigine: bool
    names_antidepressant: bool
    names_opioid: bool
    example: str
    missing: tuple[str, ...]


class GoalJudge:
    """Judges goals by one set of word lists.

    `medicine_names` are the names whose mention may mean a change of medicine, each with the classes and ingredients it
    stands for.
    """

    def __init__(self, words: GoalWords, medicine_names: Mapping[str, Collection[str]]) -> None:
        self.words = words
        self._tree = _tree_of(words)
        self._fillers = frozenset(words.fillers)
        self._nouns_after = frozenset({*words.nouns_after, NUMBER})
        self._joins = frozenset(words.joins)
        self._asides = frozenset(words.asides)
        self._plain = frozenset({*words.fillers, *words.nouns_after, *words.joins, *words.asides, NUMBER, TIME, DATE})
        self._say_little = frozenset(words.everyday.say_little)
        self._signs: dict[str, tuple[str, ...]] = {
            name: (name, *kinds_of_pairs(name, lists)) for name, lists in words.safety.items()
        }
        self._danger: list[_Danger] = [
            _Danger(
                category,
                f"{category} harmless",
                [
                    (f"{category} {at} these", f"{category} {at} near", pair.before, pair.after)
                    for at, pair in enumerate(words.safety[category].together)
                ],
            )
            for category in get_args(Category)
        ]
        not_read = {"unclear", *(kind for kinds in self._signs.values() for kind in kinds)}
        self._reading = frozenset(kind for kind, _, _ in kinds_of(words) if kind not in not_read)
        self._medicines = PhraseTree()
        not_judged = {tuple(words_of(name)) for name in words.names_not_judged}
        kinds_of_tokens: dict[frozenset[str], tuple[str, ...]] = {}
        for name, named in medicine_names.items():
            tokens = frozenset(named)
            kinds = kinds_of_tokens.get(tokens)
            if kinds is None:
                groups = [group for group, listed in words.medicine_groups.items() if not tokens.isdisjoint(listed.tokens)]
                kinds = kinds_of_tokens[tokens] = ("name", *groups)
            # There are thousands of names, most of them one plain word.
            spelled = (name,) if name.isascii() and name.isalpha() and name.islower() else tuple(words_of(name))
            if spelled and spelled not in not_judged:
                *first, last = [valued(word, words.numbers)[0] for word in spelled]
                self._medicines.add_endings(first, (last, f"{last}s", f"{last}es"), kinds)

    def judge(self, text: str) -> GoalJudgement:
        """The verdict on a goal in the patient's own words. Pure; case and spacing make no difference."""
        words, values, named = self._read(text)
        found = self._tree.find(words, self._fillers)
        actions = self._actions(words, found.get("action", ()))
        when = bool(outside(found, "when", "not_when"))
        amount = self._has_amount(found, actions, when=when)
        own_control = not (outside(found, "outcome", "not_outcome") or outside(found, "others", "not_others"))
        tests = {
            "one_action": len(actions) == 1,
            "amount": amount,
            "when_or_how_often": when,
            # Vague words do no harm beside an amount and a time: "eat more: one vegetable at dinner every day".
            "clear_words": (amount and when) or "vague" not in found,
            "own_control": own_control,
            "small": self._is_small(found, values, actions),
        }
        topic, safety = self._topic(found), self._safety(found)
        if safety == "none":
            safety = self._masked_danger(text)
        groups = named.union(span.value for span in found.get("group", ()))
        protected = bool(outside(found, "kept_whole", "not_kept_whole"))
        wanted = not own_control or safety != "none" or protected or self._is_wanted(found, actions)
        understood = wanted and not symbols_in(text) and self._is_read(words, found, safety)
        return GoalJudgement(
            understood=understood,
            one_action=tests["one_action"],
            amount=amount,
            when_or_how_often=when,
            own_control=own_control,
            specific=tests["one_action"] and amount and when and own_control,
            small=tests["small"],
            safety=safety,
            topic=topic,
            protected=protected and understood,
            names_benzodiazepine="benzodiazepine" in groups,
            names_lamotrigine="lamotrigine" in groups,
            names_antidepressant="antidepressant" in groups,
            names_opioid="opioid" in groups,
            example=self.words.topics[topic].example,
            missing=tuple(name for name, held in tests.items() if not held),
        )

    def _read(self, text: str) -> tuple[list[str], dict[int, float], frozenset[str]]:
        """The words of a text, with signs for numbers and names of medicines.

        With them the value of each number by its place, and the groups of the medicines named.
        """
        plain = [valued(word, self.words.numbers) for word in words_of(text)]
        spans = self._medicines.find([word for word, _ in plain], _INSIDE_NAMES)
        names = longest(spans.pop("name", ()))
        ends = {name.start: name.end for name in names}
        words: list[str] = []
        values: dict[int, float] = {}
        at = 0
        while at < len(plain):
            word, value = (MEDICINE, 0.0) if at in ends else plain[at]
            if word == NUMBER:
                values[len(words)] = value
            words.append(word)
            at = ends.get(at, at + 1)
        return words, values, frozenset(spans)

    def _is_wanted(self, found: Found, actions: frozenset[str]) -> bool:
        """Whether it is said what is to be done; of "go" and the like, only where a thing is named beside it."""
        return bool(actions) and (not actions <= self._say_little or "thing" in found or "topic" in found)

    def _is_read(self, words: Sequence[str], found: Found, safety: str) -> bool:
        """Whether every word stands in a list, and nothing is said that only its writer understands.

        What gives a danger away is read only as a sign of that danger: beside another one it is reason enough to look.
        """
        if outside(found, "unclear", "clear"):
            return False
        unread = {at for at, word in enumerate(words) if word not in self._plain}
        signs = self._signs.get(safety, ())
        for kind, spans in found.items():
            if kind in self._reading or kind in signs:
                for start, end, _ in spans:
                    unread.difference_update(range(start, end))
        return not unread

    def _actions(self, words: Sequence[str], spans: Iterable[Span]) -> frozenset[str]:
        """The actions a goal asks for; light ones ("go for a swim") only where their part of the sentence has no other."""
        main: dict[str, int] = {}
        light: list[tuple[str, int]] = []
        aside: list[str] = []
        named: set[str] = set()
        part, in_aside, read = 0, False, 0
        for start, _, action in longest(spans):
            for word in words[read:start]:
                if word in self._joins:
                    part, in_aside = part + 1, False
                elif word in self._asides:
                    in_aside = in_aside or word != "to" or part in main.values()
            read = start
            if start and words[start - 1] in self._nouns_after:
                named.add(action)
            elif in_aside:
                aside.append(action)
            elif action in self.words.light_actions:
                light.append((action, part))
            else:
                main[action] = part
        doings = {*main, *{part: action for action, part in light if part not in main.values()}.values()}
        return frozenset(doings or aside[-1:] or named)

    def _has_amount(self, found: Found, actions: frozenset[str], *, when: bool) -> bool:
        counted = when and not actions.isdisjoint(self.words.counted_actions)
        on_the_clock = not actions.isdisjoint(self.words.clock_actions) and outside(found, "clock_time", "not_when")
        return bool(counted or on_the_clock or outside(found, "amount", "not_amount"))

    def _is_small(self, found: Found, values: Mapping[int, float], actions: frozenset[str]) -> bool:
        limits = self.words.limits
        if len(actions) > limits.actions_at_once:
            return False
        minutes = 0.0
        for span in longest(outside(found, "size", "not_effort")):
            size, amount = limits.sizes[int(span.value)], number_in(span, values)
            if size.minutes is not None:
                minutes = max(minutes, amount * size.minutes)
            elif size.most is not None and amount > size.most:
                return False
        if not actions.isdisjoint(limits.not_for_actions):
            return True
        times = self._times_a_week(found, values)
        if times is None:
            return minutes / 7 <= limits.minutes_a_day
        return minutes <= limits.minutes_at_once and minutes * times / 7 <= limits.minutes_a_day

    def _times_a_week(self, found: Found, values: Mapping[int, float]) -> float | None:
        """How often a week, once if nobody said; None where the text gives the sum of a week instead."""
        times: list[float] = []
        total = False
        for span in longest(outside(found, "often", "not_when")):
            match span.value:
                case "total":
                    total = True
                case "a week":
                    times.append(number_in(span, values))
                case "a day":
                    times.append(number_in(span, values) * 7)
                case fixed:
                    times.append(float(fixed))
        if total and not times:
            return None
        return max(times, default=float(max(1, len(found.get("weekday", ())))))

    def _safety(self, found: Found) -> str:
        for danger in self._danger:
            signs = list(found.get(danger.category, ()))
            harmless = found.get(danger.harmless, ())
            for one, other, before, after in danger.together:
                if (these := found.get(one)) and (near := found.get(other)):
                    signs += pairs(uncovered(these, harmless), near, before, after)
            if signs and uncovered(signs, harmless):
                return danger.category
        return "none"

    def _masked_danger(self, text: str) -> str:
        """The danger in a text some letters of which are hidden behind signs."""
        for spelled in unmasked(plain_text(text)):
            words, _, _ = self._read(spelled)
            if (safety := self._safety(self._tree.find(words, self._fillers))) in ("self_harm", "harm_to_others"):
                return safety
        return "none"

    def _topic(self, found: Found) -> Topic:
        named = [span.value for span in found.get("topic", ())]
        best: Topic = max(_TOPICS, key=named.count)
        return best if best in named else "other"


_judges: dict[bytes, GoalJudge] = {}


def judge_of(words: GoalWords, medicine_names: Mapping[str, Collection[str]]) -> GoalJudge:
    """The judge for these lists; the same one for equal lists, as a rulebook is often read again with little changed."""
    key = msgspec.json.encode((words, {name: sorted(tokens) for name, tokens in medicine_names.items()}))
    if key not in _judges:
        for old in list(_judges)[:-1]:
            del _judges[old]
        _judges[key] = GoalJudge(words, medicine_names)
    return _judges[key]


def _tree_of(words: GoalWords) -> PhraseTree:
    """All lists of the file in one tree. Raises ValueError naming a phrase that cannot be read."""
    tree = PhraseTree()
    spelled: Spelled = {}
    for kind, value, phrases in kinds_of(words):
        for phrase in phrases:
            tree.add_all(places(phrase, words.numbers, words.lists, spelled), kind, value)
    return tree
