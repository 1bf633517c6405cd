"""Tokenizers trained on the training rows, once for all runs with the same rows.

<cache>/tokenizers/<key>/ holds tokenizer.json and its checksum. Training adds one token after another, so a smaller
vocabulary is the beginning of a larger one and is cut from it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from data.inputs.added_tokens import with_added, without
from data.inputs.bare_texts import facts_of
from data.inputs.cleaning import clean_text
from data.inputs.hashed_words import WORDS, HashedWords
from data.inputs.letters import is_ideograph
from data.inputs.tokenizer import (
    SPECIAL,
    PieceTokenizer,
    Tokenizer,
    load_tokenizer,
    lower_as,
    train_tokenizer,
    wrap_backend,
)
from data.sources.raw import RawSplit
from data.stores.build_once import SharedCache, checksum

FORMAT = 2  # raise when vocabularies are trained in another way
TOKENIZER, CHECKSUM = "tokenizer.json", "sha256"


def open_or_train_tokenizer(
    source: str,
    vocab_size: int,
    train: RawSplit,
    fingerprint: str,
    cache: SharedCache,
    *,
    special_tokens: bool = True,
    unknown_tokens: str = "auto",
    cleaning: tuple[str, ...] = (),
    language: str | None = None,
    added: Sequence[str] = (),
) -> Tokenizer:
    """Load the tokenizer of a hub id or folder; with source "train", train one on the training rows.

    With source "words" texts become hashes of words, with "words:2-5" also of their character n-grams. fingerprint: of
    the rows; a trained tokenizer is stored under it. special_tokens, unknown_tokens: as in `load_tokenizer`.
    cleaning: names of steps that clean each text first. language: whose rules then lower-case the texts (data.lower);
    None: the tokenizer's own rules. added: texts that are kept whole (data.added_tokens); hashed words ignore them,
    since their n-grams already include such texts.
    """
    name, _, lengths = source.partition(":")
    if name == WORDS:
        low, _, high = lengths.partition("-")
        return HashedWords((int(low), int(high)) if lengths else None, cleaning, language)
    if source != "train":
        loaded = load_tokenizer(source, special_tokens=special_tokens, unknown_tokens=unknown_tokens)
        if isinstance(loaded, PieceTokenizer):
            loaded = with_added(lower_as(loaded, language), added)
        return loaded.cleaned_by(cleaning)
    key = [hashlib.sha256(json.dumps(list(added)).encode()).hexdigest()[:10]] if added else []
    way = "".join(f"-{part}" for part in [f"v{FORMAT}", *cleaning, *([language] if language else []), *key])
    path = cache.folder / "tokenizers" / f"{fingerprint[:20]}-{vocab_size}{way}"

    def build(folder: Path) -> None:
        made = None if added else cut_from_larger(path.parent, fingerprint[:20], vocab_size, way)
        if made is None:
            cache.tell(f"training a vocabulary of {vocab_size:,} tokens")
            texts = (without(clean_text(text, cleaning), added) for text in train.texts())
            made = with_added(train_tokenizer(texts, vocab_size - len(added), language), added)
        text = made.backend.to_str()
        (folder / TOKENIZER).write_text(text, encoding="utf-8")
        (folder / CHECKSUM).write_text(checksum(folder / TOKENIZER), encoding="ascii")

    found = cache.open_or_build(
        path, _trained, build, damaged=f"the vocabulary in {path} is damaged; training it again"
    )
    if not special_tokens:
        found = wrap_backend(found.backend, "train", found.names, facts_of(None, unknown_tokens))
    return found.cleaned_by(cleaning)


def cut_from_larger(folder: Path, rows: str, size: int, way: str) -> PieceTokenizer | None:
    """Return the tokenizer of `size` tokens that training would give, cut from a larger one in `folder`; None if none.

    rows, way: what the name of a stored tokenizer has before and after its size.
    """
    for path in sorted(folder.glob(f"{rows}-*")):
        larger = re.fullmatch(rf"{rows}-(\d+){re.escape(way)}", path.name)
        if larger and int(larger[1]) > size and (found := _trained(path)) and (cut := first_tokens(found, size)):
            return cut
    return None


def first_tokens(tokenizer: PieceTokenizer, size: int) -> PieceTokenizer | None:
    """Return a trained tokenizer with its first `size` tokens only.

    None if training with this size might choose other letters: with ideographs, or if not all letters fit.
    """
    from tokenizers import Tokenizer as Backend

    content = json.loads(tokenizer.backend.to_str())
    vocab: dict[str, int] = content["model"]["vocab"]
    letters = [token for token in vocab if len(token.removeprefix("##")) == 1]
    if len(SPECIAL) + len(letters) > size or any(is_ideograph(token[-1]) for token in letters):
        return None
    content["model"]["vocab"] = {token: place for token, place in vocab.items() if place < size}
    return wrap_backend(Backend.from_str(json.dumps(content)), "train")


def _trained(folder: Path) -> PieceTokenizer | None:
    """Open a trained tokenizer; None if its file is missing or damaged."""
    from tokenizers import Tokenizer as Backend

    try:
        if (folder / CHECKSUM).read_text(encoding="ascii") != checksum(folder / TOKENIZER):
            return None
    except (OSError, ValueError):
        return None
    return wrap_backend(Backend.from_file(str(folder / TOKENIZER)), "train")
