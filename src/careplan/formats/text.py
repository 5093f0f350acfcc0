"""A plan as text for a terminal: the front page and the card, and the detail between them where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from careplan.formats.view_model import sheet
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan, Explanation, RuleReport
from careplan.request.patient import Patient

Json = dict[str, Any]
_STYLES = {"stop": "bold red", "hold": "bold yellow", "caution": "cyan", "note": "green"}
_ROOM = " ____________________"


def write(  # noqa: PLR0913, PLR0917 - one argument for each thing that a page is told
    plan: CarePlan,
    patient: Patient,
    console: Console,
    zone: tzinfo | None = None,
    detail: Detail = "standard",
    reader: Reader = "all",
) -> None:
    """Print the plan of a patient, its hours in `zone`, with as much of it as this detail has, for this reader."""
    found = sheet(plan, patient, zone, detail=detail, reader=reader)
    for part in _parts(found):
        console.print(part)
    if plan.explanation and reader != "patient":
        for part in _explanation(plan.explanation, plan.level_words):
            console.print(part)


def _parts(page: Json) -> Iterator[RenderableType]:
    if page["front"]:
        yield from _front(page)
    if page["details"]:
        yield from _details(page["details"])
    if (standing := page["standing"]) and (page["details"] or standing["sections"]):
        yield Rule(standing["cited"], align="left")
        yield Text(f"True of every patient of this product and stage at the clinic: {'; '.join(standing['titles'])}.")
        for section in standing["sections"]:
            yield Text(section["title"], style="bold")
            yield from _items(section["items"])
    if page["card"]:
        yield from _card(page["card"])
    if page["leaflet"]:
        yield from _leaflet(page["leaflet"])


def _front(page: Json) -> Iterator[RenderableType]:
    front, clinic = page["front"], page["clinic"]
    yield Text(front["headline"], style="bold" if front["ready"] else "bold red")
    where = ", ".join(filter(None, (clinic["name"], clinic["phone"])))
    yield Text(f"Care plan, draft for a clinician to sign{f'. {where}' if where else ''}", style="dim")
    yield from (Text(line) for line in front["course"])
    if front["decisions"]:
        yield Rule("To decide", align="left")
    for row in front["decisions"]:
        yield Text(
            f"[{row['level_words']}] {row['line']}{' ' + row['more'] if row['more'] else ''}", style=_STYLES[row["level"]]
        )
        when = f"   {row['who']}, {row['by']}" if row["who"] else ""
        yield Padding(Text("  ".join(f"[ ] {option}" for option in row["options"] or [""]) + when), (0, 0, 0, 2))
        if row["contested"]:
            yield Padding(Text(f"Contested: {row['contested']}", style="dim"), (0, 0, 0, 2))
    if front["route"]:
        route = front["route"]
        yield Rule("Route", align="left")
        yield Text(" ".join(filter(None, [route["choice"].removeprefix("Route:").strip(), route["line"], route["wish"]])))
    if front["differs"]:
        yield Rule("Differs from the standing protocol", align="left")
        yield from (_listed(row["line"]) for row in front["differs"])
    if front["tasks"]:
        yield Rule("Tasks", align="left")
        for row in front["tasks"]:
            what = "; ".join([*row["what"], *filter(None, [row["more"]])])
            yield _listed(f"{row['who']}, {row['by']}: {what}", "[ ]")
    if front["ask"]:
        yield Rule("Ask the patient", align="left")
        yield Text("; ".join(row["about"] for row in front["ask"]))
    for line in filter(None, (front["unread"], front["further"])):
        yield Text(line, style="bold yellow" if line == front["unread"] else "dim")
    yield Text(f"{page['standing']['cited']}. Rulebook {page['rulebook']}", style="dim")


def _details(details: Json) -> Iterator[RenderableType]:
    yield from _course(details["course"]) if details["course"] else ()
    for alert in details["alerts"]:
        title = Text(f"{alert['level_words'].upper()}: {alert['title']}", style="bold red")
        yield Panel(_item(alert), title=title, border_style="red")
    if details["medicines"]:
        yield Rule("Medicines as understood", align="left")
        yield from (_listed(medicine, f"{at}.") for at, medicine in enumerate(details["medicines"], 1))
    if details["illnesses"]:
        yield Rule("Illnesses as understood", align="left")
        yield from (_listed(illness, f"{at}.") for at, illness in enumerate(details["illnesses"], 1))
    for section in details["sections"]:
        yield Rule(section["title"], align="left")
        yield from _items(section["items"])
    if details["timeline"]:
        yield from _timeline(details)
    if details["questions"]:
        yield from _questions(details["questions"])
    if details["asked_again"]:
        yield Text(details["asked_again"])
    if details["left_out"]:
        yield Rule("Sent, but not considered", align="left")
        for entry in details["left_out"]:
            yield Text(f"  {entry['what']} ({entry['field']}): {entry['why']}")
    yield Rule("Sources", align="left")
    yield from (_listed(f"{work['title']} ({work['read']})", f"{work['number']}.") for work in details["sources"])


def _timeline(details: Json) -> Iterator[RenderableType]:
    yield Rule("Time line", align="left")
    yield Text(details["zone"], style="dim")
    for row in details["timeline"]:
        signed = f" (entered by {row['signed_by']})" if row["signed_by"] else ""
        yield Text(f"  {' to '.join(filter(None, (row['from'], row['to'])))}: {row['label']}{signed}")


def _questions(groups: Sequence[Json]) -> Iterator[RenderableType]:
    yield Rule("Questions that could change this plan", align="left")
    for group in groups:
        yield Text(group["title"], style="bold")
        for question in group["asked"]:
            yield Text(f"? {question['question']}")
            why = f"{question['why']} Could change: {question['changes']}. Field {question['field']}"
            yield Padding(Text(why, style="dim"), (0, 0, 0, 2))


def _course(course: Json) -> Iterator[RenderableType]:
    yield Rule("The course since the earlier plan", align="left")
    yield from (Text(line) for line in (course["line"], *course["notes"]))
    for group in course["groups"]:
        yield Text(group["title"], style="bold")
        yield from map(_listed, group["lines"])
    yield from (Text(line) for line in (course["as_before"], *(score["line"] for score in course["scores"])) if line)


def _card(card: Json) -> Iterator[RenderableType]:
    yield Rule(card["title"], align="left", style="bold")
    yield Text(f"{card['notice']} {card['note']}".strip(), style="bold")
    for part in card["parts"]:
        yield Text(part["title"], style="bold")
        yield from map(_card_line, part["lines"])
    yield Text(card["crisis"]["text"], style="bold")
    if card["disclaimer"]:
        yield Text(card["disclaimer"]["text"], style="dim")
    if card["companion"]:
        yield Rule(card["companion"]["title"], align="left")
        yield from map(_card_line, card["companion"]["lines"])


def _leaflet(leaflet: Json) -> Iterator[RenderableType]:
    yield Rule(leaflet["title"], align="left")
    for section in leaflet["sections"]:
        yield Text(section["title"]["text"], style="bold")
        yield from (Padding(Text(text["text"]), (0, 0, 1, 2)) for text in section["texts"])
        yield from (_listed(f"{ask['by']}: {ask['what']}", "[ ]") for ask in section["asks"])


def _card_line(line: Json) -> RenderableType:
    text = f"{line['lead']} {line['text']}" if line["lead"] else line["text"]
    return _listed(text + (_ROOM if line["blank"] else ""), "[ ]" if line["does"] else "-")


def _listed(text: str, sign: str = "-") -> RenderableType:
    return Padding(Text(f"{sign} {text}"), (0, 0, 0, 2))


def _items(items: list[Json]) -> Iterator[RenderableType]:
    for item in items:
        yield Text(f"[{item['level_words']}] {item['title']}", style=_STYLES[item["level"]])
        yield Padding(_item(item), (0, 0, 1, 2))


def _item(item: Json) -> Group:
    lines = [Text(item["text"])]
    if item["hold"]:
        lines.append(Text(item["hold"]))
    lines += [Text(f"→ {ask['who']}, {ask['by']}: {ask['what']}") for ask in item["asks"]]
    lines += [Text(words) for words in item["assumes"]]
    if item["contested"]:
        lines.append(Text(f"Contested: {item['contested']}", style="italic"))
    sources = "; ".join(f"{source['number']} ({source['places']})" for source in item["sources"])
    lines.append(Text(f"Because: {item['because']}", style="dim"))
    lines.append(Text(f"Rule {item['rule']}. Sources: {sources}", style="dim"))
    if item["to_say"]:
        lines.append(Text(f"Words for the patient: {item['to_say']['text']}"))
    return Group(*lines)


def _explanation(explanation: Explanation, words: Mapping[str, str]) -> Iterator[RenderableType]:
    yield Rule("Near misses: rules that one condition keeps from firing", align="left")
    yield Text(f"{explanation.fired} fired, {explanation.not_fired} did not, {explanation.undecided} could not be decided.")
    others = {"not_fired": 0, "undecided": 0}
    for report in explanation.rules:
        if report.near:
            yield from _report(report, words[report.level])
        elif report.outcome != "fired":
            others[report.outcome] += 1
    yield Text(
        f"Not shown: {others['not_fired']} more that did not fire and {others['undecided']} more that hang on questions. "
        "With --format json each of them has its conditions.",
        style="dim",
    )


def _report(report: RuleReport, level: str) -> Iterator[RenderableType]:
    undecided = " (undecided)" if report.outcome == "undecided" else ""
    yield Text(f"[{level}] {report.title} ({report.rule.id}){undecided}", style=_STYLES[report.level])
    for condition in report.because_not:
        holds = "not true" if condition.holds == "false" else "not known"
        yield Padding(Text(f"{holds}: {condition.words} — {'; '.join(condition.given)}"), (0, 0, 0, 2))
    if report.questions:
        yield Padding(Text(f"hangs on {', '.join(report.questions)}", style="dim"), (0, 0, 0, 2))
