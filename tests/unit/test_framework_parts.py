"""The service empties caches of the framework that are no public interface: so one version of it, looked through each time.

In another version, look for every function of litestar that is cached and is given something of a request, and name it in
`framework_caches`. Then raise the pin and `LOOKED_THROUGH`.
"""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

from litestar import Litestar, _parsers, get

from careplan.web.limits.framework_caches import forget

LOOKED_THROUGH = "2.25.0"
PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_framework_is_the_version_that_was_looked_through() -> None:
    assert version("litestar") == LOOKED_THROUGH, __doc__
    assert f"litestar=={LOOKED_THROUGH}" in tomllib.loads(PROJECT.read_text())["project"]["dependencies"]


def test_what_was_taken_apart_of_a_query_and_a_path_is_forgotten() -> None:
    @get("/Zyxwvut", sync_to_thread=False)
    def named() -> str:
        return ""

    app = Litestar([named], openapi_config=None)
    _parsers.parse_query_string(b"name=Zyxwvut")
    app.asgi_router.handle_routing(path="/Zyxwvut", method="GET")
    assert _parsers.parse_query_string.cache_info().currsize > 0
    assert app.asgi_router.handle_routing.cache_info().currsize > 0
    forget(app)
    assert _parsers.parse_query_string.cache_info().currsize == 0
    assert app.asgi_router.handle_routing.cache_info().currsize == 0
