"""One rulebook and one planner for the whole run: both are read only, and the engine belongs to this thread."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from careplan.planner import Planner
from careplan.request.previous_reading import CheckSignature
from careplan.rulebook.model import Rulebook

ROOT = Path(__file__).parent.parent

settings.register_profile(
    "everyday",
    deadline=None,  # the machine decides how long a case takes; benchmarks measure, tests do not
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.load_profile("everyday")


def pytest_collection_finish() -> None:
    """Let no collection of garbage search what was collected here: thousands of tests, and the libraries they use."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _authorities() -> Iterator[None]:
    """Read the list of the world's authorities once: each request would read it, for longer than most answers take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def _shipped_rules_are_read_once() -> Iterator[None]:
    """Give commands that run in this process the shipped rulebook as it was read: hundreds of tests would read it anew."""
    import yaml

    from careplan.rulebook import load
    from tests.shipped import BOOK, FILES, PARTS

    read_anew = load.load_files
    with pytest.MonkeyPatch.context() as patch:
        # Of a rulebook with one file changed, the others are parsed and checked as before.
        patch.setattr(yaml, "compose", lru_cache(1_024)(yaml.compose))
        patch.setattr(load, "load_files", lambda files: BOOK if files == FILES else read_anew(files, PARTS))
        yield


@pytest.fixture(scope="session", autouse=True)
def _shipped_planner_is_made_once() -> Iterator[None]:
    """Give commands that run in this process the planner of the shipped rulebook, where they ask for nothing beside it."""
    from careplan.cli import interviewing, planning, protocol, signing
    from tests.shipped import BOOK, shared_planner

    def planner_of(book: Rulebook, check: CheckSignature | None = None) -> Planner:
        return shared_planner() if book is BOOK and check is None else Planner(book, check=check)

    with pytest.MonkeyPatch.context() as patch:
        for command in (interviewing, planning, protocol, signing):
            patch.setattr(command, "Planner", planner_of)
        yield


@pytest.fixture(scope="session")
def book() -> Rulebook:
    from tests.shipped import BOOK

    return BOOK


@pytest.fixture(scope="session")
def planner() -> Iterator[Planner]:
    from tests.shipped import shared_planner

    yield shared_planner()
    shared_planner().close()
