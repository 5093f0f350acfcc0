"""A page of the rulebook as the service serves it: content, type, tag and content security policy."""

from __future__ import annotations

from typing import Protocol


class Page(Protocol):
    """One page. `etag` is quoted as HTTP wants it."""

    @property
    def content(self) -> bytes:
        """The body."""

    @property
    def media_type(self) -> str:
        """Its type."""

    @property
    def etag(self) -> str:
        """The mark of this content."""

    @property
    def policy(self) -> str:
        """The content security policy that it keeps."""


class Pages(Protocol):
    """All pages, each made when it is first asked for."""

    def page(self, path: str) -> Page | None:
        """The page at a path; None if there is none."""


class NoPages:
    """Where nobody makes pages."""

    def page(self, path: str) -> Page | None:  # noqa: ARG002 - as `Pages` has it
        """None."""
        return None
