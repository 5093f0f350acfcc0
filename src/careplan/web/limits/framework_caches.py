"""What the framework remembers of requests: their targets and cookies, taken apart.

It keeps the last thousand of each, of any length. Nothing of a request is to outlive it, and a worker's memory is bounded:
so these caches are emptied with every beat, and long targets are refused (`gate`). They are private parts of the framework,
which is therefore pinned to one version (`tests/unit/test_framework_parts.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from litestar import Litestar, _parsers
from litestar._asgi.routing_trie import traversal
from litestar._kwargs import extractors
from litestar.datastructures.url import URL

_EMPTY: tuple[Callable[[], None], ...] = (
    _parsers.parse_query_string.cache_clear,
    _parsers.parse_cookie_string.cache_clear,
    _parsers.parse_url_encoded_form_data.cache_clear,
    extractors.create_query_default_dict.cache_clear,
    traversal.parse_path_params.cache_clear,
    URL._new.cache_clear,
    URL.from_components.cache_clear,
)


def forget(app: Litestar) -> None:
    """Empty them, for an application that answers requests."""
    for empty in (*_EMPTY, app.asgi_router.handle_routing.cache_clear):
        empty()
