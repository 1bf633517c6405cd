"""Lower case by the rules of Turkish, for a model of words that was trained so (data.lower=tr)."""

from __future__ import annotations

import unicodedata


def lower_turkish(text: str) -> str:
    """Return the text in lower case and composed (NFC).

    I becomes ı, İ becomes i; other letters are lowered as Unicode defines.
    """
    text = unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", text.lower())
