"""`/try`: a page on which somebody tries the service with a made-up patient. It works offline and keeps nothing.

The page is a few plain files. What is typed on it goes to the service in bodies alone, never in an address; that is why the
look-up of medicines is here a second time, as a POST.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody, Parameter
from msgspec import Meta

from careplan.plan.every_question import QuestionGroup, every_question
from careplan.rulebook.text_template import one_line
from careplan.web.edition import JsonRequest, edition_of
from careplan.web.examples import request_examples
from careplan.web.limits.query_guard import UnusableQuery
from careplan.web.routes.reference import Medicines

FILES = "/try/files"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The content security policy of the page: its own files, and answers of this service. Nothing is ever read as markup."""
_FOLDER = Path(__file__).parents[1] / "static" / "try"
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".txt": "text/plain",
}
_MOST_FOUND = 8


class TryIsOff(HTTPException):
    """The page is not served here. `words` says how that is changed."""

    status_code = 404
    words = (
        "This page is off where callers must show who they are. CAREPLAN_TRY_PAGE=on switches it on; "
        "it is for made-up patients only."
    )


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A made-up patient to begin with."""

    name: str
    patient: dict[str, Any]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What the page asks, and the patients that it can begin with."""

    groups: list[QuestionGroup]
    examples: list[Example]
    needs_key: bool
    rulebook: str
    disclaimer: str


class Sought(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a medicine is looked up by: a name, part of one, or a code."""

    q: Annotated[str, Meta(min_length=1, max_length=200)]


class SoughtRequest(JsonRequest):
    """A request whose body says what to look for."""

    async def json(self) -> Sought:
        """What is sought. Raises `UnusableQuery` unless the body says it."""
        try:
            return msgspec.json.decode(await self.json_body(), type=Sought)
        except msgspec.DecodeError:
            raise UnusableQuery("the body says what to look for as q, a text of 1 to 200 characters") from None


@get("/try", include_in_schema=False, sync_to_thread=False, opt={"scope": None})
def try_page(request: Request[None, None, State]) -> Response[bytes]:
    """The page. Raises `TryIsOff` where it is not to be served."""
    return _file(request, "index.html")


@get(f"{FILES}/{{name:str}}", include_in_schema=False, sync_to_thread=False, opt={"scope": None})
def try_file(
    request: Request[None, None, State], name: FromPath[Annotated[str, Parameter(max_length=100)]]
) -> Response[bytes]:
    """One of its files, unless the reader has it already. Raises `NotFoundException` for any other."""
    return _file(request, name)


@get("/try/form", include_in_schema=False, sync_to_thread=False, opt={"scope": "read"})
def try_form(request: Request[None, None, State]) -> Response[Form]:
    """The questions of the rulebook in service, and the examples."""
    _switched_on(request)
    book = edition_of(request).planner.book
    form = Form(
        groups=every_question(book),
        examples=[Example(name=name.replace("-", " "), patient=body) for name, body in request_examples().items()],
        needs_key=request.app.state.access.needed,
        rulebook=f"{book.about.title}, {book.about.version}",
        disclaimer=one_line(book.about.disclaimer),
    )
    return Response(msgspec.json.encode(form), media_type="application/json", headers={"Cache-Control": "no-store"})  # type: ignore[arg-type]


@post(
    "/try/medicines",
    status_code=200,
    include_in_schema=False,
    sync_to_thread=False,
    opt={"scope": "read"},
    request_class=SoughtRequest,
)
def try_medicines(data: JSONBody[Sought], request: Request[None, None, State]) -> Response[Medicines]:
    """Medicines by name, as `GET /v1/medications` finds them."""
    _switched_on(request)
    found = Medicines(medications=edition_of(request).planner.book.catalogue.search(data.q, _MOST_FOUND))
    return Response(msgspec.json.encode(found), media_type="application/json", headers={"Cache-Control": "no-store"})  # type: ignore[arg-type]


def _switched_on(request: Request[Any, Any, State]) -> None:
    if not request.app.state.try_page:
        raise TryIsOff


def _file(request: Request[None, None, State], name: str) -> Response[bytes]:
    _switched_on(request)
    found = _files().get(name)
    if found is None:
        raise NotFoundException
    content, media_type, etag = found
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


@cache
def _files() -> dict[str, tuple[bytes, str, str]]:
    """Content, type and mark of each file by its name: no path that a caller sends reaches the file system."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        content = path.read_bytes()
        found[path.name] = (content, _TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found
