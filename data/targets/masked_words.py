"""Masked-word prediction: texts are concatenated and cut into blocks of equal length, with words masked in each block.

A block is a window of the token store's memory-mapped array, so packing needs no copies and no padding. Which tokens
are masked, and how, is a hash of the seed, the epoch and the token's place in the file. So masks differ between epochs
but not between models, batch sizes or threads, and a checkpoint need not store them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.errors import DataError
from data.inputs.tokenizer import SPECIAL, Tokenizer, require_pieces
from data.labels import Labels
from data.settings import DataSettings, TaskSettings
from data.splits import Arrays, TokenSplit
from data.targets.base import ColumnTarget
from data.targets.label_column import LabelColumn

UNCUT = 65536  # longest text in the store, in tokens
HELD_OUT = 2**32  # the seed of the masks used in evaluation: the same for all runs, and never the seed of a run
LEVELS = 1 << 16  # random numbers are integers below this, so shares are exact to 1e-5


@dataclass(frozen=True)
class Masking:
    """Dynamic masking.

    Source: Devlin et al. 2019, section 3.1 (15 % of the tokens; 80/10/10 % of them masked, random, unchanged);
    Liu et al. 2019 (different masks in each epoch).
    """

    share: float  # of the tokens: to be predicted
    masked: float  # of these: replaced by [MASK]
    random: float  # of these: replaced by a random token; the rest stay unchanged
    mask_id: int
    cls_id: int
    sep_id: int
    special: np.ndarray  # (V,) bool: tokens that are never masked
    seed: int = HELD_OUT

    @classmethod
    def of(cls, settings: TaskSettings, tokenizer: Tokenizer) -> Masking:
        """Build the masking for a tokenizer; DataError if it lacks one of BERT's special tokens."""
        backend = require_pieces(tokenizer, "task=mlm").backend
        numbers = {name: backend.token_to_id(name) for name in SPECIAL}
        ids = {name: number for name, number in numbers.items() if number is not None}
        missing = [name for name in SPECIAL if name not in ids]
        if missing:
            raise DataError(
                f"the tokenizer of {tokenizer.source} has no {', '.join(missing)}, which task=mlm needs. "
                "Try: model.tokenizer=google-bert/bert-base-uncased, or model.tokenizer=train"
            )
        special = np.zeros(tokenizer.vocab_size, bool)
        special[list(ids.values())] = True
        return cls(settings.share, settings.masked, settings.random, ids["[MASK]"], ids["[CLS]"], ids["[SEP]"], special)

    def hide(self, ids: np.ndarray, rows: np.ndarray, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Mask words of the blocks `ids` (B, T) in place, between [CLS] and [SEP].

        rows: (B,) block numbers. Returns the ids to predict (N,) and their positions in the flattened (B, T).
        """
        length = ids.shape[1]
        ids[:, 0], ids[:, -1] = self.cls_id, self.sep_id
        bits = random_bits(rows[:, None] * length + np.arange(length), self.seed, epoch)
        chosen = ((bits & (LEVELS - 1)) < round(self.share * LEVELS)) & ~self.special[ids]
        places = np.flatnonzero(chosen)
        flat = ids.reshape(-1)
        labels, bits = flat[places], bits.reshape(-1)[places]
        action = bits >> 16 & (LEVELS - 1)
        first, second = round(self.masked * LEVELS), round((self.masked + self.random) * LEVELS)
        flat[places[action < first]] = self.mask_id
        swapped = (action >= first) & (action < second)
        flat[places[swapped]] = (bits[swapped] >> 32) * len(self.special) >> 32
        return labels, places


def random_bits(places: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """Return 64 random bits for each place, uint64: a pure function of place, seed and epoch.

    Source: the finaliser of SplitMix64 (Steele et al. 2014), keyed by numpy's SeedSequence.
    """
    key = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
    bits = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + key
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return bits


class MaskedWords(ColumnTarget):
    """Rows are blocks of text; some of their words are masked and must be predicted. The texts need no labels."""

    name = "masked_words"
    task = "mlm"

    def __init__(self, masking: Masking | None = None) -> None:
        super().__init__()
        self._masking = masking

    @property
    def masking(self) -> Masking:
        """How words are masked; available after `ready`, since it depends on the tokenizer."""
        assert self._masking is not None, "a target that is ready masks words"
        return self._masking

    @classmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        """Return whether there is no label column."""
        return settings.label is None

    @classmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> MaskedWords:
        """Create the target; it does not depend on the rows."""
        return cls()

    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        """Return zeros for all rows."""
        return Labels(np.zeros(len(column), dtype=np.int64)), np.arange(len(column))

    def longest(self, max_length: int) -> int:
        """Return the maximum length: texts are not truncated, since blocks may span several texts."""
        return UNCUT

    def ready(self, tokenizer: Tokenizer, settings: TaskSettings, seed: int | None) -> MaskedWords:
        """Return the target with the masking of a tokenizer; only the training masks depend on the run's seed."""
        masking = Masking.of(settings, tokenizer)
        return MaskedWords(masking if seed is None else replace(masking, seed=seed))

    def arrange(self, split: TokenSplit, settings: DataSettings) -> TokenSplit:
        """Concatenate the texts and cut them into blocks of data.max_length tokens."""
        return pack_blocks(split, settings.max_length)

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Mask words of the blocks; return the ids to predict as `labels` (N,) and add their `places` to the inputs."""
        labels, inputs["places"] = self.masking.hide(inputs["input_ids"], rows, epoch)
        return {"labels": labels}


def pack_blocks(split: TokenSplit, length: int) -> TokenSplit:
    """Concatenate the split's texts and cut them into blocks of `length` tokens; an incomplete last block is dropped.

    [CLS] and [SEP] replace the first and the last token of a block; within it, the special tokens of the stored texts
    separate one text from the next.
    """
    count = len(split.tokens) // length
    if not count:
        raise DataError(
            f"the {split.name} texts have {len(split.tokens):,} tokens, fewer than a block of "
            f"data.max_length={length}. Try: more texts, or data.max_length={max(8, len(split.tokens) // 2)}"
        )
    return replace(
        split,
        offsets=np.arange(count + 1, dtype=np.int64) * length,
        segment_starts=np.broadcast_to(np.int32(length), count),
        labels=Labels(np.broadcast_to(np.int64(0), count)),
        truncated=0,
        source_rows=None,
        texts=None,
    )
