"""Texts as pieces without special tokens, as needed for averaging static embeddings.

The tokenizer's template is removed, so the saved tokenizer.json adds no special tokens either. If a vocabulary has no
padding token, rows are padded with the id after the last one, whose embedding is zero.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError
from data.inputs.tokenizer_files import GO_ON, fetch_file
from data.inputs.word_cache import Encoded, WordCache, join_texts
from data.json_types import JsonObject

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

ENTRY = "bare_texts"  # of tokenizer_config.json in a saved folder


@dataclass(frozen=True)
class BareTexts:
    """How texts are encoded without special tokens."""

    pad_id: int  # also the only token of a row without any, so that no row is empty
    dropped: int | None  # the unknown token's id if such pieces are left out of a text, as in Model2Vec
    word_cache: WordCache | None = None  # only for tokenizers like BERT's

    def facts(self) -> JsonObject:
        """The entry of tokenizer_config.json in a saved folder."""
        return {"drops_unknown": self.dropped is not None}

    def encode(self, backend: Backend, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Encode texts, at most max_length tokens per row; of a pair the longer text is cut first."""
        backend.no_truncation()
        backend.no_padding()
        # One token more than fits shows that a text is cut. Of a pair, the cut depends on both lengths.
        most = max_length + 1 if pairs is None and self.dropped is None else None
        parts = [self._pieces(backend, column, most) for column in (texts, pairs) if column is not None]
        return join_texts(parts, max_length, self.pad_id)

    def _pieces(self, backend: Backend, texts: list[str], most: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the pieces of all texts end to end, and their number in each text, int64.

        most: for a text with more pieces, its first `most` are enough; None: return all.
        """
        if self.word_cache and texts:
            ids, counts = self.word_cache.pieces(texts, most)
        else:
            found = [np.array(e.ids, np.int64) for e in backend.encode_batch_fast(texts, add_special_tokens=False)]
            ids = np.concatenate([np.zeros(0, np.int64), *found])
            counts = np.array([len(one) for one in found], np.int64)
        if self.dropped is None:
            return ids, counts
        kept = ids != self.dropped
        before = np.concatenate([[0], np.cumsum(kept)])
        ends = np.cumsum(counts)
        return ids[kept], before[ends] - before[ends - counts]


def facts_of(config: Path | None, unknown_tokens: str = "auto") -> JsonObject:
    """Return the entry of tokenizer_config.json for static embeddings with this config.json.

    unknown_tokens: keep or drop; auto: drop for Model2Vec's embeddings, else keep.
    """
    if unknown_tokens != "auto":
        return {"drops_unknown": unknown_tokens == "drop"}
    try:
        content = json.loads(config.read_text(encoding="utf-8")) if config else {}
    except ValueError:
        content = {}  # the loader of the embeddings refuses a damaged file
    found = content if isinstance(content, dict) else {}
    is_model2vec = found.get("model_type") == "model2vec" or ("model_type" not in found and "normalize" in found)
    return {"drops_unknown": is_model2vec}


def read_facts(source: str, beside: JsonObject, special_tokens: bool, unknown_tokens: str) -> JsonObject | None:
    """Return how a source's files say that texts are encoded without special tokens; None: with special tokens."""
    if special_tokens or (ENTRY in beside and unknown_tokens == "auto"):
        found = beside.get(ENTRY)
        if not (found is None or isinstance(found, dict)):
            raise DataError(f"{source}: tokenizer_config.json: {ENTRY} is {found!r:.80}, not an object. {GO_ON}")
        return found
    return facts_of(fetch_file(source, "config.json", is_needed=False), unknown_tokens)


def dropped_token(backend: Backend, facts: JsonObject) -> int | None:
    """Return the id of the unknown token if the facts say to drop it; None if it is kept or there is none."""
    return unknown_token(backend) if facts.get("drops_unknown") else None


def unknown_token(backend: Backend) -> int | None:
    """Return the id of the unknown token; None if the tokenizer has none."""
    model = json.loads(backend.to_str())["model"]
    if "unk_id" in model:  # Unigram
        return None if model["unk_id"] is None else int(model["unk_id"])
    found: int | None = backend.token_to_id(model["unk_token"]) if model.get("unk_token") else None
    return found


def take_off_template(backend: Backend) -> None:
    """Make the tokenizer add no special tokens, and give the second text of a pair segment id 1."""
    from tokenizers import processors

    backend.post_processor = processors.TemplateProcessing(single="$A:0", pair="$A:0 $B:1", special_tokens=[])
