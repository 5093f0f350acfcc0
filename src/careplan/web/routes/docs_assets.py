"""The files of the documentation page, each by its name: no path that a caller sends reaches the file system."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import swagger_ui_bundle
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, Parameter

ASSETS = "/docs-assets"
TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
"""The framework names the charset of every text by itself."""


@get(f"{ASSETS}/{{name:str}}", include_in_schema=False, sync_to_thread=False, opt={"scope": None})
def docs_asset(name: FromPath[Annotated[str, Parameter(max_length=100)]]) -> Response[bytes]:
    """One of the files. Raises `NotFoundException` for any other."""
    if name not in TYPES:
        raise NotFoundException
    return Response(_content(name), media_type=TYPES[name], headers={"Cache-Control": "max-age=3600"})


@cache
def _content(name: str) -> bytes:
    return (Path(swagger_ui_bundle.swagger_ui_path) / name).read_bytes()
