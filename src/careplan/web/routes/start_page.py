"""`GET /`: what is here, for somebody who has opened the address in a browser."""

from __future__ import annotations

from html import escape

from litestar import Request, Response, get
from litestar.datastructures import State

from careplan.representations import PAGE_POLICY
from careplan.web.edition import edition_of

_TRY = ("/try", "A page to try it with a made-up patient")
_PLACES = (
    ("/docs", "The API, to read and try"),
    ("/openapi.json", "The API as an OpenAPI document"),
    ("/rulebook", "The rulebook, to read"),
    ("/v1/protocol", "The clinic's standing protocol"),
    ("/v1/conditions", "The illnesses that a request may name"),
    ("/readyz", "Whether the service can plan"),
)
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "li{margin:.4rem 0}"
)


@get("/", include_in_schema=False, sync_to_thread=False, opt={"scope": "read", "opens": "docs"})
def start_page(request: Request[None, None, State]) -> Response[bytes]:
    """The page, with the name of the rulebook in service."""
    book = edition_of(request).planner.book.about
    there = (_TRY, *_PLACES) if request.app.state.try_page else _PLACES
    places = "".join(f'<li><a href="{path}">{escape(words)}</a></li>' for path, words in there)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Care plan service</title><style>{_STYLE}</style></head><body><main><h1>Care plan service</h1>"
        "<p>Drafts of care plans for a ketamine clinic, made from one patient's factors by a rulebook. "
        "A clinician signs every plan; nothing is stored here.</p>"
        f"<p>In service: {escape(book.title)}, {escape(book.version)}.</p>"
        f"<p>Send a patient to <code>POST /v1/care-plans</code>. Also here:</p><ul>{places}</ul></main></body></html>"
    )
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    return Response(page.encode(), media_type="text/html", headers=headers)
