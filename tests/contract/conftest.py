"""A server as it is shipped, for all tests that ask nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.serving import Server, running


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The address of a server that is started once; tests with settings of their own have a fixture of this name."""
    with running(tmp_path_factory.mktemp("server") / "log") as found:
        yield found
