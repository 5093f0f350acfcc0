"""The contract with one form of each body and answer, for generators that write wrong clients where there are several."""

from __future__ import annotations

from typing import Any

import msgspec

from careplan.media_types import JSON
from careplan.web.openapi.samples import contents_of, operations_of

Json = dict[str, Any]


def in_one_form(contract: Json) -> Json:
    """The contract with the first form of each body and each answer: JSON where there is JSON.

    A generator then knows which Content-Type to send, and that an answer is an object and no file.
    """
    document: Json = msgspec.json.decode(msgspec.json.encode(contract))
    for _, _, operation in operations_of(document):
        for _, content in contents_of(operation):
            for form in [one for one in content if one != _first(content)]:
                del content[form]
    return document


def _first(content: Json) -> str:
    return JSON if JSON in content else next(iter(content))
