"""Which pieces of a vocabulary the training texts need: the special tokens, all single characters, and frequent pieces.

A text whose pieces are all kept is split as before, so the model's output for it does not change:

    WordPiece   the longest match is still in the vocabulary, and removing pieces adds no longer match.
    Unigram     the best path is still available, and no better one appears.
    BPE         a piece is kept with all intermediate pieces of its merges, and merges keep their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from data.errors import DataError
from data.json_types import JsonObject

KINDS = ("WordPiece", "BPE", "Unigram")
LAST_PAD = 8  # if the padding id is at most this, lower ids stay too: RoBERTa's positions start from the padding id


@dataclass
class Vocabulary:
    """The pieces of a tokenizer, from its JSON, and how often the training texts use each of them."""

    content: JsonObject  # tokenizer.json
    counts: np.ndarray  # (ids,) int64: occurrences in the training texts
    pad_id: int
    source: str
    added: set[int] = field(init=False)  # ids of the added tokens, including special ones
    ids: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.added = {token["id"] for token in self.content["added_tokens"]}
        pieces = self.model["vocab"]
        if self.algorithm == "Unigram":
            pieces = {piece: index for index, (piece, _) in enumerate(pieces)}
        self.ids = dict(pieces) | {token["content"]: token["id"] for token in self.content["added_tokens"]}

    @property
    def model(self) -> JsonObject:
        """The part of the JSON that contains the pieces."""
        found: JsonObject = self.content["model"]
        return found

    @property
    def algorithm(self) -> str:
        """The algorithm, one of KINDS."""
        return str(self.model["type"])

    @cached_property
    def required(self) -> set[int]:
        """The ids that are always kept: special and added tokens, single characters and bytes, the unknown token.

        A single character is kept, in both its word-initial and word-internal form, if it occurs in the training texts
        or is ASCII. All 256 bytes are kept if pieces consist of bytes or unknown characters are encoded as bytes.
        """
        found = self.added | ({*range(self.pad_id + 1)} if self.pad_id <= LAST_PAD else {self.pad_id})
        if self.model.get("unk_token") in self.ids:
            found = found | {self.ids[self.model["unk_token"]]}
        if self.model.get("unk_id") is not None:
            found = found | {self.model["unk_id"]}
        if self.algorithm == "Unigram":  # the cost of an unknown character follows from the lowest score
            found = found | {min(range(len(self.model["vocab"])), key=lambda index: self.model["vocab"][index][1])}
        return found | self._single_characters()

    def _single_characters(self) -> set[int]:
        used = {piece for piece, index in self.ids.items() if self.counts[index] and index not in self.added}
        seen = {letter for piece in used for letter in self._bare(piece)}
        is_bytes = "ByteLevel" in repr((self.content["pre_tokenizer"], self.content["normalizer"]))
        singles = set()
        for piece, index in self.ids.items():
            bare = self._bare(piece)
            is_single = len(bare) == 1 and (is_bytes or bare in seen or bare.isascii())
            is_byte = bool(self.model.get("byte_fallback")) and len(piece) == 6 and piece.startswith("<0x")
            if is_single or is_byte:
                singles.add(index)
        return singles

    def _bare(self, piece: str) -> str:
        """A piece without the prefix or suffix that marks its position in a word."""
        before, after = self.model.get("continuing_subword_prefix"), self.model.get("end_of_word_suffix")
        if before and len(piece) > len(before):
            piece = piece.removeprefix(before)
        return piece.removesuffix(after) if after and len(piece) > len(after) else piece

    def choose(self, most: int | None) -> np.ndarray:
        """The ids to keep, ascending, (n,) int64: the required ones, then the most frequent; ties go to lower ids.

        most: how many to keep; None: all that the training texts use. DataError if `most` is below the number of
        required ids, or not below the size of the vocabulary.
        """
        if most is not None and most < len(self.required):
            raise DataError(
                f"model.vocabulary={most} leaves no room: {self.source} has {len(self.added):,} special tokens and "
                f"{len(self.required) - len(self.added):,} single characters that always stay, so that no word "
                f"becomes unknown. Try: model.vocabulary={len(self.required)} or more, or model.vocabulary=task"
            )
        if most is not None and most >= len(self.ids):
            raise DataError(
                f"model.vocabulary={most} is not fewer than the {len(self.ids):,} tokens of {self.source}. "
                "Leave it out, or try: model.vocabulary=task"
            )
        kept, ranks = set(self.required), self._ranks()
        by_id = {index: piece for piece, index in self.ids.items()}
        for index in sorted(by_id, key=lambda index: (-self.counts[index], index)):
            if (most is None and not self.counts[index]) or len(kept) == most:
                break
            new = {index, *self._parents(by_id[index], ranks)} - kept if ranks else {index} - kept
            if most is None or len(kept) + len(new) <= most:
                kept |= new
        return np.array(sorted(kept), np.int64)

    def _ranks(self) -> dict[tuple[str, str], int]:
        """The rank of each merge of a BPE; empty for other algorithms."""
        return {(left, right): rank for rank, (left, right) in enumerate(self.model.get("merges") or ())}

    def _parents(self, piece: str, ranks: dict[tuple[str, str], int]) -> Iterable[int]:
        """The ids of all pieces, characters included, from which BPE merges `piece` step by step."""
        parts, met = self._symbols(piece), set[str]()
        while len(parts) > 1:
            met.update(parts)
            rank, place = min((ranks.get(pair, len(ranks)), place) for place, pair in enumerate(pairwise(parts)))
            if rank == len(ranks):
                return ()  # no merges produce it, so it occurs in no text
            parts[place : place + 2] = [self.merged(parts[place], parts[place + 1])]
        return {self.ids[part] for part in met if part in self.ids}

    def _symbols(self, piece: str) -> list[str]:
        """The single characters of a piece with their position marks, from which BPE starts."""
        before, after = self.model.get("continuing_subword_prefix") or "", self.model.get("end_of_word_suffix") or ""
        is_inner, is_last = bool(before) and piece.startswith(before), bool(after) and piece.endswith(after)
        letters = list(self._bare(piece))
        parts = [letter if place == 0 and not is_inner else before + letter for place, letter in enumerate(letters)]
        return [*parts[:-1], parts[-1] + after] if is_last else parts

    def merged(self, left: str, right: str) -> str:
        """The piece that a merge produces."""
        return left + right.removeprefix(self.model.get("continuing_subword_prefix") or "")
