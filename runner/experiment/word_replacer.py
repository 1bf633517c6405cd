"""A masked-word model that varies the texts of a distillation: checked early, read when it is needed."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch

from data.batch import Batch
from data.inputs.tokenizer import load_tokenizer
from data.splits import Splits, TokenSplit
from data.stores.build_once import SharedCache
from data.stores.replaced_words import MASK, Recipe, open_replaced_words, replaceable_tokens
from models.checkpoints.open import open_masked_lm
from models.compression.distillation.teacher import read_model_facts
from models.compression.settings.learn import Augment
from models.heads.words import MaskedLM
from runner.errors import ConfigError
from runner.machine.exclusive import Exclusive
from runner.training.inference import to_tensors


class WordReplacer:
    """Copies texts with some words replaced by others that the model finds probable there."""

    def __init__(
        self, source: str, key: str, options: Augment, splits: Splits, device: torch.device, cache: SharedCache,
        exclusive: Exclusive,
    ) -> None:  # fmt: skip
        """source: a folder or hub id, which the setting `key` names."""
        self.source, self.key, self.options, self.splits = source, key, options, splits
        self.device, self.cache, self.exclusive = device, cache, exclusive
        self.facts = read_model_facts(source, key)

    def check(self, max_length: int) -> None:
        """Raise the user's errors where the model predicts no words, or cannot read `max_length` of these tokens."""
        named, own = f"{self.key}={self.options.model}", self.splits.tokenizer
        self.network  # noqa: B018 refuses a model without a head for masked words
        if load_tokenizer(self.source).tokens() != own.tokens() or MASK not in own.tokens():
            raise ConfigError(
                f"{named}: has a different vocabulary from the student's, or no mask token. "
                f"Try: model.tokenizer={self.source}, or a model made by: run task=mlm model.tokenizer={own.source}"
            )
        if self.facts.positions is not None and max_length > self.facts.positions:
            raise ConfigError(
                f"{named}: reads {self.facts.positions} tokens at most, but data.max_length={max_length}. "
                f"Try: data.max_length={self.facts.positions}"
            )

    @cached_property
    def network(self) -> MaskedLM:
        """The model on the device; reading it draws none of the run's random numbers."""
        with torch.random.fork_rng():
            return open_masked_lm(self.source, self.key).to(self.device)

    def vary(self, split: TokenSplit) -> TokenSplit:
        """Copies of the split's texts, kept in the shared cache; raise DataError if no word can be replaced."""
        options = self.options
        recipe = Recipe(options.copies, options.share, options.words, options.seed)
        self.cache.tell(f"augmenting {len(split):,} {split.name} rows")
        return open_replaced_words(split, self.splits.tokenizer, recipe, self.facts.fingerprint, self.guess, self.cache)

    @cached_property
    def never(self) -> torch.Tensor:
        """The tokens that never take a word's place: pieces of words, punctuation and numbers; (V,) bool."""
        return torch.from_numpy(~replaceable_tokens(self.splits.tokenizer)[0]).to(self.device)

    def guess(self, batch: Batch) -> np.ndarray:
        """The most probable words at the places of a batch, (N, words), best first, without the words of the text."""
        self.exclusive.yield_to_timing()
        with torch.inference_mode():
            words = self.network(**to_tensors(batch, self.device))
            scores = torch.addmm(words.bias, words.hidden, words.table.T).masked_fill_(self.never, -torch.inf)
            scores.scatter_(1, torch.from_numpy(batch.targets["labels"]).to(self.device).unsqueeze(1), -torch.inf)
            most = min(self.options.words, int((~self.never).sum()) - 1)
            best: np.ndarray = scores.topk(most, dim=1).indices.cpu().numpy()
        return best
