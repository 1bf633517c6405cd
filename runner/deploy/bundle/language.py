"""Lower case by the rules of Turkish, for a model of words that was trained so (data.lower=tr)."""

from __future__ import annotations

import unicodedata


def lower_turkish(text: str) -> str:
    """The text in lower case: I becomes ı, İ becomes i, and other letters become what Unicode says; composed (NFC)."""
    text = unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", text.lower())
