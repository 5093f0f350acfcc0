"""A worker goes on beating, whatever becomes of one beat: without the next ones it is taken for one that hangs."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from careplan.web.process import worker
from careplan.web.process.worker import Life


def test_a_beat_that_fails_is_logged_and_the_next_ones_come(monkeypatch: pytest.MonkeyPatch) -> None:
    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1
        if beats == 2:
            raise RuntimeError("Zyxwvut")

    async def live() -> None:
        async with Life(3_600, beat).running():
            while beats < 4:
                await asyncio.sleep(0.001)

    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.001)
    with capture_logs() as said:
        asyncio.run(asyncio.wait_for(live(), 20))
    assert said == [{"event": "failed beat", "error": "RuntimeError", "log_level": "error"}]
