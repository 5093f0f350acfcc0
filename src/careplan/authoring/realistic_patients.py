"""Made-up patients who look like those who ask for ketamine treatment: their lists, their words, and how much is answered.

What they are drawn from, and how rough its figures are, stands in realistic_patients.yaml. Nobody's data went into it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from careplan.authoring.composed_texts import Composed, Weighted
from careplan.authoring.realistic_data import Answer, Source, source
from careplan.authoring.realistic_lists import MedicineLists, plain
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]


def realistic(book: Rulebook, count: int, seed: int = 0) -> Iterator[Json]:
    """`count` request bodies that `book` admits, one after the other. Same seed and rulebook, same patients.

    No goal comes twice. Raises `ValueError` where there are fewer goals than so many patients may have.
    """
    draw = _Draw(book, source(), random.Random(seed))  # noqa: S311 - made-up patients, no secret
    if count * max(source().goals.count) > draw.goals.size:
        raise ValueError(f"there are {draw.goals.size:,} different goals, too few for {count:,} patients")
    return (draw.patient() for _ in range(count))


class _Draw:
    def __init__(self, book: Rulebook, source: Source, chance: random.Random) -> None:
        self._source, self._chance = source, chance
        self._ages = Weighted(((first, last), weight) for first, last, weight in source.ages.bands)
        self._pregnancy = Weighted(source.pregnancy.tokens.items())
        self._answers = [
            (group, [(name, answer, _tokens(answer)) for name, answer in answers.items()])
            for group, answers in source.answers.items()
        ]
        self._stages = Weighted(
            (((stage.completed, Weighted(stage.ahead.items())), stage.weight)) for stage in source.stages
        )
        self._response = Weighted(source.course.response.items())
        self._clinics = Weighted((_known(clinic.protocol, book), clinic.weight) for clinic in source.clinics)
        self._illnesses = [
            (
                illness.rate,
                illness.token if illness.token in book.conditions else "",
                illness.said or [illness.token.replace("_", " ")],
                illness.brings,
            )
            for illness in source.illnesses
        ]
        self._endings = Weighted((ending.text, ending.weight) for ending in source.illness_endings)
        self._entries = MedicineLists(source, chance)
        self._goal_count = Weighted(source.goals.count.items())
        self.goals = Composed(source.goals.forms, source.goals.parts, chance)

    def patient(self) -> Json:
        chance, source = self._chance, self._source
        body: Json = {}
        if chance.random() < source.ages.asked:
            first, last = self._ages.draw(chance)
            body["age_years"] = age = first + int(chance.random() * (last + 1 - first))
            if age <= source.pregnancy.up_to and chance.random() < source.pregnancy.asked:
                body["pregnancy"] = self._pregnancy.draw(chance)
        for group, answers in self._answers:
            body[group] = {
                name: _answer(answer, tokens, chance) for name, answer, tokens in answers if chance.random() < answer.asked
            }
        self._course(body)
        brought = self._history(body)
        if chance.random() < source.lists.medications_asked:
            body["medications"] = self._entries.of(brought)
        if chance.random() < source.lists.goals_asked:
            body["expectations"]["goals"] = [self.goals.next() for _ in range(self._goal_count.draw(chance))]
        if chance.random() < source.lists.incomplete:
            body["incomplete"] = ["medications" if chance.random() < 0.6 else "conditions"]
        protocol = self._clinics.draw(chance)
        if protocol:
            body["protocol"] = protocol
        self._clearance(body)
        return body

    def _course(self, body: Json) -> None:
        chance, course = self._chance, self._source.course
        if chance.random() >= course.asked:
            return
        (least, most), ahead = self._stages.draw(chance)
        done, left = least + int(chance.random() * (most + 1 - least)), ahead.draw(chance)
        treatment: Json = body["treatment"]
        treatment |= {"sessions_planned": done + left, "sessions_completed": done}
        if done and chance.random() < course.response_asked:
            treatment["response_so_far"] = self._response.draw(chance)
        if done and chance.random() < course.last_session_asked:
            treatment["last_session_at"] = self._time(-self._between(course.since_last_session))
        if left and chance.random() < course.next_sessions_asked:
            day, times = 0, []
            for _ in range(min(left, 6)):
                day += self._between(course.between_sessions)
                times.append(self._time(day))
            treatment["session_times"] = times

    def _between(self, limits: tuple[int, int]) -> int:
        least, most = limits
        return least + int(self._chance.random() * (most + 1 - least))

    def _time(self, days: int) -> str:
        course, choice = self._source.course, self._chance.choice
        return f"{course.today + timedelta(days)}T{choice(course.hours)}:00{choice(course.offsets)}"

    def _history(self, body: Json) -> dict[str, float]:
        """Write what the patient has, and say how often each group of medicines is not brought by it."""
        chance = self._chance
        tokens: list[str] = []
        said: list[str] = []
        absent: dict[str, float] = {}
        for rate, token, words, brings in self._illnesses:
            if chance.random() < rate:
                if token:
                    tokens.append(token)
                else:
                    ending = self._endings.draw(chance)
                    text = chance.choice(words) + ending
                    said.append(text.format(year=self._between(self._source.years)) if "{" in ending else text)
                for group, often in brings.items():
                    absent[group] = absent.get(group, 1.0) * (1.0 - often)
        if chance.random() < self._source.lists.conditions_asked:
            body["conditions"] = tokens
            if said:
                body["other_conditions"] = said
        return absent

    def _clearance(self, body: Json) -> None:
        chance, clearance = self._chance, self._source.clearance
        told = body["red_flags"].get("suicidal_thoughts", "none")
        if told != "none" and chance.random() < clearance.rate:
            record = {"what": "suicidal_thoughts", "by": chance.choice(clearance.by), "at": self._time(0)}
            body["clearances"] = [record | {"arranged": chance.choice(clearance.arranged)}]


def _tokens(answer: Answer) -> Weighted[str] | None:
    return Weighted(answer.tokens.items()) if answer.tokens else None


def _answer(answer: Answer, tokens: Weighted[str] | None, chance: random.Random) -> Any:
    if tokens is not None:
        return tokens.draw(chance)
    if answer.yes is not None:
        return chance.random() < answer.yes
    if answer.zero and chance.random() < answer.zero:
        return 0
    value = round(chance.gauss(answer.mean, answer.spread) / answer.step) * answer.step
    return plain(min(max(value, answer.least), answer.most))


def _known(protocol: Json | None, book: Rulebook) -> Json | None:
    """The protocol without holds of classes that the rulebook does not know."""
    if protocol is None or "holds" not in protocol:
        return protocol
    return protocol | {"holds": [hold for hold in protocol["holds"] if hold["drug_class"] in book.classes]}
