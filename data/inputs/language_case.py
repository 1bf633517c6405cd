"""Lower-casing by the rules of a language, as the first steps of a tokenizer: data.lower=tr.

In Turkish and Azerbaijani I is the capital of ı, and İ that of i; Unicode's default lower-casing does neither. The
steps are in the normaliser of tokenizer.json, so everything that opens that file applies them too: torch, ONNX,
transformers, a browser.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from data.json_types import JsonObject

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

TURKISH = "tr"
LANGUAGES = {"tr": TURKISH, "tur": TURKISH, "az": TURKISH, "aze": TURKISH, "azj": TURKISH}  # by language code
STEPS: tuple[JsonObject, ...] = (  # İ may be written as two characters, so characters are composed first
    {"type": "NFC"},
    {"type": "Replace", "pattern": {"String": "İ"}, "content": "i"},
    {"type": "Replace", "pattern": {"String": "I"}, "content": "ı"},
    {"type": "Lowercase"},
    {"type": "NFC"},
)


def language_of(code: str | None) -> str | None:
    """Return the language whose lower-casing rules a code such as tr or tur_Latn needs; None for Unicode's rules."""
    return LANGUAGES.get((code or "").replace("-", "_").partition("_")[0].lower())


def lowered(backend: Backend, language: str | None) -> Backend:
    """Return the tokenizer with the language's steps before its own, unless it has them; None: the tokenizer itself."""
    content = json.loads(backend.to_str())
    if language is None or case_language(content):
        return backend
    from tokenizers import Tokenizer as Backend

    own = content["normalizer"]
    steps = [] if own is None else own["normalizers"] if own["type"] == "Sequence" else [own]
    content["normalizer"] = {"type": "Sequence", "normalizers": [*STEPS, *steps]}
    made: Backend = Backend.from_str(json.dumps(content))
    return made


def case_language(content: JsonObject) -> str | None:
    """Return the language whose lower-casing rules a tokenizer.json applies; None for none."""
    steps = (content.get("normalizer") or {}).get("normalizers") or []
    return TURKISH if tuple(steps[: len(STEPS)]) == STEPS else None


def own_normalizer(content: JsonObject) -> JsonObject | None:
    """Return the normaliser of a tokenizer.json without the language's steps; None if nothing is left."""
    if case_language(content) is None:
        found: JsonObject | None = content.get("normalizer")
        return found
    rest = content["normalizer"]["normalizers"][len(STEPS) :]
    return rest[0] if len(rest) == 1 else {"type": "Sequence", "normalizers": rest} if rest else None
