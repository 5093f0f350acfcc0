"""The least that the same framework and server can do: `GET /` says hello.

python -m bench.hello 8001
"""

from __future__ import annotations

import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from litestar import Litestar, get


@get("/", sync_to_thread=False)
def hello() -> str:
    """Say hello."""
    return "hello"


def create() -> Litestar:
    """The application."""
    return Litestar([hello], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    Granian(
        "bench.hello:create",
        factory=True,
        port=int(sys.argv[1]),
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    ).serve()
