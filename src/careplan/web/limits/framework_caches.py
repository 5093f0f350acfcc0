"""What the framework remembers of requests: their targets and cookies, taken apart.

It keeps the last thousand of each, of any length. Nothing of a request is to outlive it, and a worker's memory is bounded:
so these caches are emptied with every beat, and long targets are refused (`gate`).
"""

from __future__ import annotations

from functools import _lru_cache_wrapper
from typing import Any

from litestar import Litestar, _parsers
from litestar._asgi.routing_trie import traversal
from litestar._kwargs import extractors
from litestar.datastructures.url import URL

_CACHES: tuple[_lru_cache_wrapper[Any], ...] = (
    _parsers.parse_query_string,
    _parsers.parse_cookie_string,
    _parsers.parse_url_encoded_form_data,
    extractors.create_query_default_dict,
    traversal.parse_path_params,
    URL._new,
    URL.from_components,
)


def forget(app: Litestar) -> None:
    """Empty them, for an application that answers requests."""
    for cache in (*_CACHES, app.asgi_router.handle_routing):
        cache.cache_clear()
