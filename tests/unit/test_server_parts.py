"""The supervisor overrides parts of the server that are no public interface: so one version of it, looked through each time.

What another version must be looked at for stands in `PARTS`. Once it is the same there, raise the pin and `LOOKED_THROUGH`.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import granian._signals
import pytest
from granian._granian import SocketHolder
from granian.http import HTTP1Settings
from granian.server.common import AbstractServer, AbstractWorker
from granian.server.mp import MPServer, WorkerProcess

from careplan.web.process import supervisor, worker

LOOKED_THROUGH = "2.8.7"
PARTS: Mapping[str, str] = {
    "_init_shared_socket": "called once before the first worker; leaves what _spawn_worker hands on in _ssp, _shd and _sso",
    "_drop_shared_socket": "called once when the server stops, before its workers are told to",
    "_spawn_worker": "takes idx, target and callback_loader; gives a worker that is not started, with (_ssp, _shd) and _sso",
    "_serve_loop": "called once between start and shutdown, and returns when the service should end",
    "_stop_workers": "called once by shutdown; tells the workers to go, waits, and empties wrks",
    "shutdown": "ends with code 1 where interrupt_children is not empty",
    "__init__": "its options, and that it opens no socket",
}
"""The methods that are overridden, and what they are taken to do."""
ATTRIBUTES = {
    *("_ssp", "_shd", "_sso", "wrks", "backlog", "workers_kill_timeout"),
    "ssl_ctx",
    *("interrupt_signal", "interrupt_children", "main_loop_interrupt"),
}
"""What the supervisor reads or sets on the server itself."""
OF_A_WORKER = {"inner", "birth", "idx", "interrupt_by_parent", "terminate", "kill", "join", "start"}

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_server_is_the_version_that_was_looked_through() -> None:
    parts = "".join(f"\n  MPServer.{name}: {words}" for name, words in PARTS.items())
    assert version("granian") == LOOKED_THROUGH, (
        f"look at these parts of the new version:{parts}\n  attributes: {sorted(ATTRIBUTES | OF_A_WORKER)}"
        "\n  granian._signals: _get_signals says which signals end a worker\n  granian._granian.SocketHolder: its arguments"
    )
    assert f"granian=={LOOKED_THROUGH}" in tomllib.loads(PROJECT.read_text())["project"]["dependencies"]


def test_the_list_names_all_methods_that_are_overridden() -> None:
    own = {name for name, part in vars(supervisor.Supervisor).items() if inspect.isfunction(part)}
    assert {name for name in own if hasattr(MPServer, name)} == PARTS.keys()


def test_the_list_names_all_attributes_that_are_the_servers() -> None:
    used = set(re.findall(r"\bself\.(\w+)", inspect.getsource(supervisor.Supervisor)))
    theirs = set(
        re.findall(r"\bself\.(\w+)(?::[^=\n]+)? = ", inspect.getsource(AbstractServer) + inspect.getsource(MPServer))
    )
    assert used & theirs == ATTRIBUTES
    source = inspect.getsource(AbstractWorker) + inspect.getsource(WorkerProcess)
    assert all(re.search(rf"def {name}\(|self\.{name} = ", source) for name in OF_A_WORKER)


def test_a_worker_asks_for_its_signals_when_it_listens_to_them() -> None:
    assert "_get_signals" in granian._signals.set_loop_signals.__code__.co_names
    assert "_get_signals" in inspect.getsource(worker)


@pytest.mark.parametrize("name", ["_init_shared_socket", "_drop_shared_socket", "_stop_workers"])
def test_a_method_without_arguments_still_has_none(name: str) -> None:
    assert list(inspect.signature(getattr(MPServer, name)).parameters) == ["self"]


def test_methods_with_arguments_still_have_these() -> None:
    spawn, loop = inspect.signature(MPServer._spawn_worker), inspect.signature(MPServer._serve_loop)
    assert list(spawn.parameters) == ["self", "idx", "target", "callback_loader"]
    assert list(loop.parameters) == ["self", "spawn_target", "target_loader"]


def test_a_socket_is_handed_on_by_its_descriptor() -> None:
    assert str(inspect.signature(SocketHolder)) == "(fd, uds, backlog)"


def test_the_server_has_no_setting_for_clients_that_end_their_sending_side() -> None:
    has = [field for field in HTTP1Settings.__dataclass_fields__ if "half" in field]
    assert has == [], "set it, so that such a client gets its answer, and take the word on it out of docs/operations.md"
