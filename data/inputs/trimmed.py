"""A tokenizer with fewer pieces: same normaliser and pre-tokeniser, new ids in the order of the old ones.

    trimmed = trim(tokenizer, counts, "8000")    # counts: how often the training texts use each token

BERT's tokenizers are saved as vocab.txt, a third of the size of a tokenizer.json; stock transformers opens both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.inputs.cleaning import ENTRY as CLEANING
from data.inputs.pieces_needed import KINDS, Vocabulary
from data.inputs.tokenizer import UNLIMITED, PieceTokenizer, bert_backend, wrap_backend
from data.inputs.tokenizer_files import KEYS
from data.json_types import Json, JsonObject
from data.splits import TokenSplit

FULL, TASK = "full", "task"  # values of model.vocabulary: all tokens; those that the training texts use
CHUNK = 1 << 22  # tokens read at once, so that memory use does not grow with the file
VOCABULARY, CONFIG = "vocab.txt", "tokenizer_config.json"


@dataclass(frozen=True)
class TrimmedTokenizer(PieceTokenizer):
    """A tokenizer with a subset of another one's tokens."""

    kept: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # (vocab_size,) the old id of each token
    untrimmed: str = ""  # fingerprint of the original tokenizer
    options: JsonObject | None = None  # BERT's normaliser options if vocab.txt suffices for the rest; else None

    def save(self, folder: Path, longest: int | None = None) -> None:
        """Write the files that transformers.AutoTokenizer opens, as small as possible.

        longest: the model's maximum input in tokens; None: no limit.
        """
        if self.options is None:
            super().save(folder, longest)
            return
        folder.mkdir(parents=True, exist_ok=True)
        (folder / VOCABULARY).write_text("".join(f"{token}\n" for token in self.tokens()), encoding="utf-8")
        config = {"tokenizer_class": "BertTokenizer", "model_max_length": longest or UNLIMITED, **self.options}
        config |= {CLEANING: list(self.cleaning)} if self.cleaning else {}
        (folder / CONFIG).write_text(json.dumps(config | self.names), encoding="utf-8")


def trim(tokenizer: PieceTokenizer, counts: np.ndarray, wanted: str) -> TrimmedTokenizer:
    """Return the tokenizer with the pieces that the training texts need, or with `wanted` of them.

    counts: (vocab_size,) int64, how often these texts use each token. wanted: task, or a number of tokens.
    DataError for a number that is too small or too large, and for tokenizers whose algorithm is not in KINDS.
    """
    from tokenizers import Tokenizer as Backend

    content = json.loads(tokenizer.backend.to_str())
    if content["model"]["type"] not in KINDS:
        raise DataError(
            f"model.vocabulary={wanted}: the tokenizer of {tokenizer.source} is a {content['model']['type']}, which "
            f"cannot be trimmed ({', '.join(KINDS)} can). Leave it out"
        )
    has_pad = "pad_token" in tokenizer.names  # else rows are padded with the id after the last token
    counts, pad_id = (counts, tokenizer.pad_id) if has_pad else (counts[:-1], 0)
    vocabulary = Vocabulary(content, counts, pad_id, tokenizer.source)
    kept = vocabulary.choose(None if wanted == TASK else int(wanted))
    new = {int(old): place for place, old in enumerate(kept)}
    options = _bert_options(tokenizer, content)
    if options is not None:
        pieces = {piece: new[old] for piece, old in vocabulary.ids.items() if old in new}
        backend = bert_backend(dict(sorted(pieces.items(), key=lambda item: item[1])), options, tokenizer.names)
    else:
        backend = Backend.from_str(json.dumps(_renumbered(vocabulary, new)))
    made = wrap_backend(backend, tokenizer.source, tokenizer.names, tokenizer.bare.facts() if tokenizer.bare else None)
    made = made.cleaned_by(tokenizer.cleaning)
    return TrimmedTokenizer(**vars(made), kept=kept, untrimmed=tokenizer.fingerprint, options=options)


def count_tokens(tokens: np.ndarray, vocab_size: int) -> np.ndarray:
    """Return how often each token occurs, (vocab_size,) int64."""
    counts = np.zeros(vocab_size, np.int64)
    for start in range(0, len(tokens), CHUNK):
        counts += np.bincount(tokens[start : start + CHUNK], minlength=vocab_size)
    return counts


def untouched(split: TokenSplit, kept: np.ndarray) -> np.ndarray:
    """Return which rows consist only of kept tokens, (rows,) bool; such rows are split as before.

    split: tokenised with the full vocabulary; kept: ids of that vocabulary.
    """
    before = np.concatenate([[0], np.cumsum(~np.isin(split.tokens, kept))])
    found: np.ndarray = before[split.offsets[1:]] == before[split.offsets[:-1]]
    return found


def trim_note(trimmed: TrimmedTokenizer, full: PieceTokenizer, before: TokenSplit, after: TokenSplit) -> str:
    """Return one line on how trimming affects a split; before, after: the split tokenised by `full` and `trimmed`."""
    same = float(untouched(before, trimmed.kept).mean())
    rows = len(before)
    unknown = trimmed.backend.token_to_id(trimmed.names["unk_token"]) if "unk_token" in trimmed.names else None
    lost = "" if unknown is None else f", {int((after.tokens == unknown).sum()):,} unknown"
    return (
        f"vocabulary: {trimmed.vocab_size:,} of {full.vocab_size:,} tokens; {same:.1%} of the {before.name} texts are "
        f"split as before; {len(before.tokens) / rows:.1f} tokens per text became {len(after.tokens) / rows:.1f}{lost}"
    )


def _bert_options(tokenizer: PieceTokenizer, content: JsonObject) -> JsonObject | None:
    """Return the options of BERT's normaliser if they and a vocab.txt define this tokenizer; else None."""
    if tokenizer.word_cache is None or not set(KEYS) <= tokenizer.names.keys():
        return None
    if tokenizer.language is not None:  # a vocab.txt cannot express this
        return None
    rules, vocab = content["normalizer"], content["model"]["vocab"]
    options = {"do_lower_case": rules["lowercase"], "strip_accents": rules["strip_accents"]}
    options |= {"tokenize_chinese_chars": rules["handle_chinese_chars"]}
    if any(name not in vocab for name in tokenizer.names.values()) or any(set(piece) & {*"\r\n"} for piece in vocab):
        return None
    plain = json.loads(bert_backend(vocab, options, tokenizer.names).to_str())
    return options if _rules(plain) == _rules(content) else None


def _rules(content: JsonObject) -> list[Json]:
    """Return the rules of a tokenizer except its template, which the word cache has checked."""
    model = {key: value for key, value in content["model"].items() if key != "vocab"}
    return [content["normalizer"], content["pre_tokenizer"], content["decoder"], content["added_tokens"], model]


def _renumbered(vocabulary: Vocabulary, new: dict[int, int]) -> JsonObject:
    """Return the tokenizer's JSON with the kept pieces under their new ids."""
    content, model = dict(vocabulary.content), dict(vocabulary.model)
    if vocabulary.algorithm == "Unigram":
        model["vocab"] = [piece for old, piece in enumerate(model["vocab"]) if old in new]
        model["unk_id"] = None if model["unk_id"] is None else new[model["unk_id"]]
    else:
        model["vocab"] = {piece: new[old] for piece, old in model["vocab"].items() if old in new}
    if vocabulary.algorithm == "BPE":
        known = model["vocab"]
        model["merges"] = [
            [left, right]
            for left, right in model["merges"]
            if left in known and right in known and vocabulary.merged(left, right) in known
        ]
    content["model"] = model
    content["added_tokens"] = [token | {"id": new[token["id"]]} for token in content["added_tokens"]]
    content["post_processor"] = _with_ids(content["post_processor"], new)
    return content


def _with_ids(part: JsonObject | None, new: dict[int, int]) -> JsonObject | None:
    """Return a post-processor with the new ids of the tokens that it adds."""
    if not isinstance(part, dict):
        return part
    if "processors" in part:
        return part | {"processors": [_with_ids(one, new) for one in part["processors"]]}
    if "special_tokens" in part:
        tokens = {
            name: token | {"ids": [new[old] for old in token["ids"]]} for name, token in part["special_tokens"].items()
        }
        return part | {"special_tokens": tokens}
    return part | {key: [part[key][0], new[part[key][1]]] for key in ("cls", "sep") if key in part}
