"""Texts that a tokenizer keeps whole, such as [NAME] as a placeholder for names: data.added_tokens.

They are stored as added tokens in tokenizer.json, so everything that opens that file keeps them whole too: torch, ONNX,
transformers, a bundle, a page. They are matched in the original text, before lower-casing.

A BERT vocabulary has unused pieces for this purpose ([unused0], ...), for which checkpoints have embeddings. An added
token takes the id of an unused piece or, if none is left, the next id after all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError
from data.inputs.tokenizer import PieceTokenizer, Tokenizer, wrap_backend
from data.json_types import JsonObject

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

SETTING = "data.added_tokens"
UNUSED = re.compile(r"\[unused\d+\]")
PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}


def with_added(tokenizer: PieceTokenizer, tokens: Sequence[str]) -> PieceTokenizer:
    """Return the tokenizer that keeps these texts whole; those that it already keeps whole are unchanged.

    DataError if one of them is a special token, such as [MASK].
    """
    content = json.loads(tokenizer.backend.to_str())
    known = {token["content"]: token for token in content["added_tokens"]}
    for token in tokens:
        if token in known and known[token]["special"]:
            raise DataError(
                f"{SETTING}: {token} is a special token of {tokenizer.source}, which stands for no text. Leave it out"
            )
    new = [token for token in tokens if token not in known]
    if not new:
        return tokenizer
    bare = tokenizer.bare.facts() if tokenizer.bare else None
    found = wrap_backend(_added(content, new), tokenizer.source, tokenizer.names, bare)
    return found.cleaned_by(tokenizer.cleaning)


def added_to(tokenizer: PieceTokenizer) -> tuple[str, ...]:
    """Return the texts that the tokenizer keeps whole, special tokens excluded."""
    tokens = json.loads(tokenizer.backend.to_str())["added_tokens"]
    return tuple(token["content"] for token in tokens if not token["special"])


def added_notes(tokens: np.ndarray, tokenizer: Tokenizer, added: Sequence[str]) -> list[str]:
    """Return notes on added tokens that have no effect, and on those that no training text contains.

    tokens: those of the training texts, end to end.
    """
    if not added:
        return []
    if not isinstance(tokenizer, PieceTokenizer):
        return [f"{SETTING} has no effect: the tokenizer {tokenizer.source} has no pieces that it could add to"]
    never = [name for name in added if not np.any(tokens == tokenizer.backend.token_to_id(name))]
    return [f"{SETTING}: no training text has {', '.join(never)}, so nothing is learnt about it"] if never else []


def without(text: str, tokens: Sequence[str]) -> str:
    """Return a text with each of these tokens replaced by a space, for training a vocabulary."""
    for token in tokens:
        text = text.replace(token, " ")
    return text


def _added(content: JsonObject, new: list[str]) -> Backend:
    """Return the tokenizer of a tokenizer.json with these tokens, which replace unused pieces while there are any."""
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Backend

    vocab, added = content["model"]["vocab"], content["added_tokens"]
    if isinstance(vocab, dict):  # Unigram has a list with scores instead, without unused pieces
        taken = {token["id"] for token in added}
        unused = sorted((place, piece) for piece, place in vocab.items() if UNUSED.fullmatch(piece))
        free = [(place, piece) for place, piece in unused if place not in taken]
        for token, (place, piece) in zip([token for token in new if token not in vocab], free):
            del vocab[piece]
            vocab[token] = place
            added.append({"id": place, "content": token} | PLAIN)
        added.sort(key=lambda token: token["id"])
    made: Backend = Backend.from_str(json.dumps(content))
    made.add_tokens([AddedToken(token, normalized=False) for token in new])
    return made
