"""`/rulebook`: the rulebook to read, as the service runs it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from careplan.authoring.git_history import Revision
from careplan.planner import Planner
from careplan.web.edition import edition_of
from careplan.web.pages import Pages


def pages_of(planner: Planner, history: Mapping[str, Sequence[Revision]]) -> Pages:
    """The rulebook of a planner as pages, with the revisions of its files."""
    from careplan.authoring.handbook import Handbook

    return Handbook(planner.book, planner.reading, history)


@get("/rulebook", include_in_schema=False, sync_to_thread=False, opt={"scope": "read", "opens": "docs"})
def handbook_start() -> Redirect:
    """The first page."""
    return Redirect("/rulebook/index.html")


@get("/rulebook/{page:path}", include_in_schema=False, sync_to_thread=False, opt={"scope": "read", "opens": "docs"})
def handbook_page(request: Request[None, None, State], page: FromPath[str]) -> Response[bytes]:
    """One page, unless the reader has it already. Raises `NotFoundException` where there is none of this name."""
    found = edition_of(request).handbook.page(str(page).lstrip("/"))
    if found is None:
        raise NotFoundException
    headers = {"ETag": found.etag, "Cache-Control": "no-cache", "Content-Security-Policy": found.policy}
    if found.etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
        return Response(b"", status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
