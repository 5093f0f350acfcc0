"""One spelling for what people send: the same words look the same, however a form, a phone or an export wrote them.

Goals are judged and names are looked up in this spelling; what a reader sees stays as it was sent.
"""

from __future__ import annotations

import html
import re
import unicodedata

_ENTITY = re.compile(r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)")
_MOST_TIMES_ESCAPED = 3
_APOSTROPHE = str.maketrans(dict.fromkeys("‘’‚‛ʻʼʽˈ`´′‵＇ꞌ", "'"))


def plain_text(text: str) -> str:
    """`text` with entities of HTML decoded, in Unicode's NFKC, without invisible characters, and with one apostrophe.

    Invisible are soft hyphens, zero-width characters, marks of direction and the like (category Cf). What was escaped
    several times over, as happens when a form's text passes through two systems, is decoded as often, up to a limit.
    """
    if "&" not in text and text.isascii():
        return text.replace("`", "'")
    for _ in range(_MOST_TIMES_ESCAPED):
        if "&" not in text:
            break
        text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    text = text.translate(_APOSTROPHE)
    if text.isascii():
        return text
    # The acute accent and its like become a space and a mark in NFKC, so apostrophes come first.
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible).translate(_APOSTROPHE)


_SIGN = re.compile(r"[0134!|$@*]$")
_MASK = re.compile(r"(?<=[A-Za-z])[0134!|$@*](?=[A-Za-z])")
_MEANT = {"0": "o", "1": "i", "3": "e", "4": "a", "!": "i", "|": "i", "$": "s", "@": "a"}


def unmasked(text: str) -> tuple[str, ...]:
    """What `text` says if signs inside its words stand for letters, as in "k1ll" or "su*cide"; nothing if there are none."""
    if not _MASK.search(text):
        return ()
    return tuple("".join(_MEANT.get(part, star) if _SIGN.match(part) else part for part in _parts(text)) for star in "iu")


def _parts(text: str) -> list[str]:
    """The text around each such sign, and the signs themselves."""
    return re.split(f"({_MASK.pattern})", text)
