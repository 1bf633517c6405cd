"""The masked-word model that a distillation's texts are varied with: checked early, asked when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runner.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from data.batch import Batch
    from data.splits import Splits, TokenSplit
    from models.compression.settings.learn import Augment
    from models.heads.words import MaskedLM


class Augmenter:
    """Makes copies of texts in which some words are others that the model finds probable there."""

    def __init__(
        self, source: str, key: str, options: Augment, splits: Splits, device: torch.device, cache: Path,
        notify: Callable[[str], None],
    ) -> None:  # fmt: skip
        """source: a folder or hub id, which the setting `key` names."""
        from models.compression.distillation.teacher import read_model_facts

        self.source, self.key, self.options, self.splits = source, key, options, splits
        self.device, self.cache, self.notify = device, cache, notify
        self.facts = read_model_facts(source, key)

    def check(self, max_length: int) -> None:
        """Raises the user's errors where it cannot read these tokens, `max_length` of them, or guesses no words."""
        from data.inputs.tokenizer import load_tokenizer
        from data.stores.replaced_words import MASK

        named, own = f"{self.key}={self.options.model}", self.splits.tokenizer
        self.network  # noqa: B018 one without a head for masked words is refused here
        if load_tokenizer(self.source).tokens() != own.tokens() or MASK not in own.tokens():
            raise ConfigError(
                f"{named}: reads another vocabulary than the student, or one that masks nothing. "
                f"Try: model.tokenizer={self.source}, or a model made by: run task=mlm model.tokenizer={own.source}"
            )
        if self.facts.positions is not None and max_length > self.facts.positions:
            raise ConfigError(
                f"{named}: reads {self.facts.positions} tokens at most, and data.max_length={max_length}. "
                f"Try: data.max_length={self.facts.positions}"
            )

    @cached_property
    def network(self) -> MaskedLM:
        """Read without touching the run's random numbers."""
        import torch

        from models.checkpoints.open import open_masked_lm

        with torch.random.fork_rng():
            return open_masked_lm(self.source, self.key).to(self.device)

    def texts(self, split: TokenSplit) -> TokenSplit:
        """The copies of the split's texts, kept in the shared cache; DataError where no word can be replaced."""
        from data.stores.build_once import SharedCache
        from data.stores.replaced_words import Recipe, open_replaced_words
        from runner.machine.exclusive import waiting

        options = self.options
        recipe = Recipe(options.copies, options.share, options.words, options.seed)
        self.notify(f"varying {len(split):,} rows of {split.name}")
        cache = SharedCache(self.cache, self.notify, waiting)
        return open_replaced_words(split, self.splits.tokenizer, recipe, self.facts.fingerprint, self.guess, cache)

    @cached_property
    def never(self) -> torch.Tensor:
        """Which tokens never take a word's place: pieces, signs and numbers; (V,) bool."""
        import torch

        from data.stores.replaced_words import replaceable_tokens

        return torch.from_numpy(~replaceable_tokens(self.splits.tokenizer)[0]).to(self.device)

    def guess(self, batch: Batch) -> np.ndarray:
        """The most probable words at the places of a batch, (N, words), best first, without those that stood there."""
        import torch

        from runner.machine.exclusive import give_way
        from runner.training.inference import to_tensors

        give_way()
        with torch.inference_mode():
            words = self.network(**to_tensors(batch, self.device))
            scores = torch.addmm(words.bias, words.hidden, words.table.T).masked_fill_(self.never, -torch.inf)
            scores.scatter_(1, torch.from_numpy(batch.labels).to(self.device).unsqueeze(1), -torch.inf)
            most = min(self.options.words, int((~self.never).sum()) - 1)
            best: np.ndarray = scores.topk(most, dim=1).indices.cpu().numpy()
        return best
