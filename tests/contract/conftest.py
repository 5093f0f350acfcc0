"""A server as it is shipped and a reader of records, for all tests that ask nothing else of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from careplan.fhir.read.bundle import FhirReader
from careplan.planner import Planner
from tests.contract.serving import PATIENCE, Server, running
from tests.shipped import reader_of


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Wait for any answer as long as for one: clients give up after five seconds, which a busy machine may need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._config.DEFAULT_TIMEOUT_CONFIG.read", PATIENCE)
        yield


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The address of a server that is started once; tests with settings of their own have a fixture of this name."""
    with running(tmp_path_factory.mktemp("server") / "log") as found:
        yield found


@pytest.fixture(scope="session")
def reader(planner: Planner) -> FhirReader:
    """What reads records of patients; it keeps nothing of them."""
    return reader_of(planner)
