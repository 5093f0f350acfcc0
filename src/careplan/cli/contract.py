"""The contract of the service: `openapi`, with samples of requests and answers for whoever writes a client."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click

from careplan.cli.common import RULES, fail, read_rulebook
from careplan.rulebook.load import shipped
from careplan.settings import Settings

if TYPE_CHECKING:
    from careplan.rulebook.model import Rulebook
    from careplan.web.openapi.samples import Answered, Sample, Sent

Json = dict[str, Any]


@click.command()
@RULES
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the document to this file.")
@click.option(
    "--one-form",
    is_flag=True,
    help="Each body and answer in one form alone, mostly JSON, for generators of clients that trip over several.",
)
@click.option("--bare", is_flag=True, help="Without samples of requests and answers.")
@click.option(
    "--example",
    "operation",
    metavar="OPERATION",
    help="Print requests and answers of one operation in place of the document, by its operationId, made on the spot.",
)
@click.option("--status", type=click.IntRange(100, 599), help="With --example: only answers of this status.")
def openapi(  # noqa: PLR0917
    rules: Path | None,
    write: Path | None,
    one_form: bool,  # noqa: FBT001
    bare: bool,  # noqa: FBT001
    operation: str | None,
    status: int | None,
) -> None:
    """Print the OpenAPI document of the service, or what it answers to a request.

    Example: careplan openapi --example createCarePlan --status 422
    """
    if status is not None and operation is None:
        fail("--status goes with --example", 2)
    folder = rules or shipped()
    if operation is not None:
        _show(folder, operation, status)
        return
    text = msgspec.json.format(msgspec.json.encode(_document(folder, one_form=one_form, bare=bare)), indent=2) + b"\n"
    if write:
        write.write_bytes(text)
    else:
        click.echo(text.decode(), nl=False)


def _document(folder: Path, *, one_form: bool, bare: bool) -> Json:
    from careplan.web.app import build
    from careplan.web.openapi.contract import contract_of
    from careplan.web.openapi.one_form import in_one_form
    from careplan.web.openapi.samples import with_samples

    book = read_rulebook(folder)
    document = contract_of(build(book, Settings(), {}), book, bare=True)
    if not bare:
        document = with_samples(document, _samples(book))
    return in_one_form(document) if one_form else document


def _samples(book: Rulebook) -> list[Sample]:
    from careplan.web.samples.collecting import Unanswered, samples_of

    try:
        return samples_of(book)
    except Unanswered as error:
        fail(f"there would be a sample less: {error}", 1)


def _show(folder: Path, operation: str, status: int | None) -> None:
    samples = _samples(read_rulebook(folder))
    there = sorted({sample.operation for sample in samples})
    if operation not in there:
        fail(f"there is no operation of this name; there are: {', '.join(there)}", 2)
    found = [one for one in samples if one.operation == operation and status in (None, one.answered.status)]
    if not found:
        have = sorted({int(one.answered.status) for one in samples if one.operation == operation})
        fail(f"there is no sample of this status; there are: {', '.join(map(str, have))}", 2)
    if status is None:  # what it is for, and each kind of problem once
        kinds = {one.answered.status: one for one in reversed(found) if one.answered.status >= 400}
        found = [one for one in found if one.answered.status < 400] + [kinds[kind] for kind in sorted(kinds)]
    click.echo("\n\n".join(_written(sample) for sample in found))


def _written(sample: Sample) -> str:
    return f"# {sample.summary}\n{_request(sample.sent)}\n\n{_answer(sample.answered)}"


def _request(sent: Sent) -> str:
    """The request as a command for a shell."""
    from careplan.web.samples.asking import target_of

    path, query = target_of(sent)
    address = f"http://127.0.0.1:8000{path}" + (f"?{query}" if query else "")
    parts = ["curl", "-si", shlex.quote(address)]
    headers = dict(sent.headers)
    if sent.body:
        headers["Content-Type"] = sent.form
    headers.pop("Authorization", None)
    for name, value in headers.items():
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    if sent.body:
        parts += ["--data-binary", shlex.quote(sent.body.decode())]
    return " ".join(parts)


def _answer(answered: Answered) -> str:
    from careplan.web.openapi.samples import is_json

    shown = {name: value for name, value in answered.headers.items() if name != "content-length"}
    head = "\n".join([f"HTTP/1.1 {int(answered.status)}", *(f"{name}: {value}" for name, value in sorted(shown.items()))])
    body = msgspec.json.format(answered.body, indent=2) if is_json(answered.form) else answered.body
    return f"{head}\n\n{body.decode().rstrip()}"
