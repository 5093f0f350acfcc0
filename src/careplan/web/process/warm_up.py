"""What a worker loads once it is ready: the libraries for other forms of a plan, and what names the faults of a body.

A start would wait for them, and so would whoever asks first. What only some settings need, such as an issuer's keys, is
loaded with them, and what sets a PDF by no worker at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module

from careplan.representations import FORMATS
from careplan.web.edition import Desk

PAUSE_SECONDS = 0.5
"""By then the server takes requests."""


@asynccontextmanager
async def loading(desk: Desk) -> AsyncIterator[None]:
    """Load it beside the requests, a little after the block begins."""
    task = asyncio.create_task(_load(desk))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _load(desk: Desk) -> None:
    await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.to_thread(_load_now, desk)


def _load_now(desk: Desk) -> None:
    for written_form in FORMATS:
        import_module(written_form.module)
    edition = desk.current
    if edition is not None:
        _ = edition.planner.intake.faultfinder, edition.handbook
        edition.planner.warm()
        edition.planner.book.known_conditions.reader.warm()
        edition.planner.book.medicines.warm()
