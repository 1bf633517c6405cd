"""A finished classifier that a stage learns from: checked before the run begins, its logits cached."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from data.inputs.hashed_words import HashedWords
from data.inputs.sound_features import SoundFeatures
from data.inputs.tokenizer import Tokenizer, load_tokenizer
from data.splits import Splits, TokenSplit
from data.stores.build_once import SharedCache
from data.stores.teacher_logits import open_teacher_logits
from models.compression.distillation.teacher import open_teacher, read_model_facts
from models.compression.distillation.text_vectors import encode_texts
from models.heads.label_order import match_labels
from models.heads.linear import LinearHead
from models.heads.target_scale import standardise_targets
from models.heads.text import SequenceClassifier
from runner.errors import ConfigError
from runner.machine.exclusive import Exclusive
from runner.record.metrics import direction
from runner.tasks.base import Task
from runner.training.inference import predict, score_selection

BETTER = 0.02  # least lead over the majority class; a teacher of another task is at most as good as that class
# Texts that tokenizers of one vocabulary encode differently if their cleaning, case, accents or special tokens differ.
EXAMPLES = ["The Café in ISTANBUL isn't open, I'm told:  naïve.", "Ask @Ana: https://t.co/a1 \u6771\u4eac", ""]
CHECKED, TOLERANCE = 8, 1e-4  # rows recomputed one by one, and how far they may be from the cached logits in fp32
BATCH = 64


class Readout(nn.Module):
    """A network without its last layer: texts to the vectors of its readout, (B, H)."""

    def __init__(self, network: LinearHead) -> None:
        super().__init__()
        self.network = network

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return the inputs of the network; see LinearHead."""
        return encode_texts(self.network, inputs)


class KeptTeacher:
    """A finished classifier whose logits are kept; it is a Teacher of models/compression/stage.py."""

    def __init__(
        self, source: str, named: str, splits: Splits, task: Task, device: torch.device, cache: SharedCache,
        exclusive: Exclusive | None = None, versions: dict[str, TokenSplit] | None = None,
    ) -> None:  # fmt: skip
        """source: a folder or hub id; named: the setting that names it and its value, for messages.

        splits: in the teacher's tokens. versions: where its tokens are not the student's, the student's splits in the
        teacher's tokens, by the fingerprints of the student's.
        """
        self.source, self.named, self.splits, self.task, self.device = source, named, splits, task, device
        self.cache, self.exclusive = cache, exclusive
        self.facts = read_model_facts(source, named.partition("=")[0])
        self.versions = versions or {}
        self.rows_answered, self.seconds, self.score = 0, 0.0, 0.0
        # The positions of the task's labels among the teacher's, and notes for the user.
        cure = "a teacher trained with this data"
        if self.facts.head != task.head().name:
            raise ConfigError(
                f"{named}: answers for each {self.facts.head}, but this task needs answers for each "
                f"{task.head().name}. Try: {cure}"
            )
        self.order, self.notes = match_labels(self.facts.labels, splits.task.label_names, named, cure)

    @cached_property
    def network(self) -> nn.Module:
        """The model on the device, its outputs in the task's order; reading it draws no random numbers of the run."""
        with torch.random.fork_rng():
            network = open_teacher(self.source, self.named.partition("=")[0], self.order).to(self.device)
        scale = self.splits.task.target_scale
        if scale and isinstance(network, SequenceClassifier):  # in bf16 a folded head loses digits
            standardise_targets(network, **asdict(scale), is_fresh=False)
        return network

    def logits(self, split: TokenSplit) -> np.ndarray:
        """Logits of every output, (items, C) float32; computed if no run has asked for them before."""
        split = self.versions.get(split.fingerprint, split)
        parts: dict[str, Any] = {"teacher": self.facts.fingerprint, "texts": split.fingerprint}
        if self.order != sorted(self.order):
            parts["output_order"] = self.order  # under "order", caches may hold answers of exits in another order
        if split.labels.places is not None:
            parts["items"] = split.labels.item_fingerprint
        return open_teacher_logits(self.cache, parts, lambda: self._compute_logits(split))

    def vectors(self, split: TokenSplit) -> np.ndarray:
        """Return the readout's vector for every row, (rows, H) float32; computed only if no earlier run has cached
        them.
        """
        split = self.versions.get(split.fingerprint, split)
        parts = {"teacher": self.facts.fingerprint, "texts": split.fingerprint, "states": "readout"}
        return open_teacher_logits(self.cache, parts, lambda: self._compute_vectors(split))

    def _compute_vectors(self, split: TokenSplit) -> np.ndarray:
        begun = time.perf_counter()
        self.cache.tell(f"teacher vectors: {len(split):,} rows of {split.name}")
        readout = Readout(cast(LinearHead, self.network))
        found = predict(
            readout, split, batch_size=BATCH, device=self.device, precision="fp32", exclusive=self.exclusive
        )  # fmt: skip
        self.rows_answered += len(split)
        self.seconds += time.perf_counter() - begun
        return found

    def item_logits(self, split: TokenSplit) -> np.ndarray:
        """Logits of every item, (items, C) float32; NaN if the teacher's tokens have none for it."""
        found, has_output = self.logits(split), self.versions.get(split.fingerprint, split).labels.has_output
        if has_output is None:
            return found
        every = np.full((len(has_output), found.shape[1]), np.nan, np.float32)
        every[has_output] = found
        return every

    def _compute_logits(self, split: TokenSplit) -> np.ndarray:
        begun = time.perf_counter()
        self.cache.tell(f"teacher logits: {len(split):,} rows of {split.name}")
        logits = self._predict(split, BATCH)
        numbers = np.random.default_rng(0).permutation(len(split))[:CHECKED]
        apart = np.zeros(len(numbers))
        for place, number in enumerate(numbers):
            row = np.array([number])
            difference = np.abs(self._predict(split.take(row), 1) - logits[split.labels.outputs(row)])
            apart[place] = difference.max(initial=0.0)
        if np.isnan(apart).any():
            raise ConfigError(f"{self.named}: some of its scores are not numbers (nan). Try: another teacher")
        if (worst := apart.max(initial=0.0)) > self.task.tolerance(TOLERANCE):
            raise ConfigError(
                f"{self.named}: answers a text differently in a batch than alone (by {worst:.1g}), so its "
                "answers cannot be kept. Try: a teacher whose readout leaves padding out"
            )
        self.rows_answered += len(split)
        self.seconds += time.perf_counter() - begun
        return logits

    def _predict(self, rows: TokenSplit, size: int) -> np.ndarray:
        return predict(
            self.network, rows, batch_size=size, device=self.device, precision="fp32", exclusive=self.exclusive,
            task=self.task,
        )  # fmt: skip

    def check(self, max_length: int) -> None:
        """Score the teacher.

        Raises ConfigError when it cannot teach this task with these tokens, at most `max_length`.
        """
        self._check_tokens(max_length)
        self._check_score()

    def _check_tokens(self, max_length: int) -> None:
        own = self.splits.tokenizer
        other = load_tokenizer(self.source)
        positions = self.facts.positions
        if positions is not None and max_length > positions:
            raise ConfigError(
                f"{self.named}: reads {positions} tokens at most, but data.max_length={max_length}. "
                f"Try: data.max_length={positions}"
            )
        if isinstance(own, SoundFeatures):
            if other != own:
                raise ConfigError(
                    f"{self.named}: reads different sound features from the student, or scales them by different rows. "
                    f"Try: {self.named.partition('=')[0].removesuffix('teacher')}tokens=own"
                )
        elif isinstance(own, HashedWords) or isinstance(other, HashedWords):
            if other != own:
                raise ConfigError(
                    f"{self.named}: splits texts differently from the student: words as hashes have no vocabulary. "
                    f"Try: {self.named.partition('=')[0].removesuffix('teacher')}tokens=own to learn its answers alone"
                )
        elif other.tokens() != own.tokens():
            raise ConfigError(
                f"{self.named}: has a different vocabulary ({other.vocab_size:,} tokens) from the student's "
                f"({own.vocab_size:,}). Try: model.tokenizer={self.source}, or "
                f"{self.named.partition('=')[0].removesuffix('teacher')}tokens=own to learn its answers alone"
            )
        elif not _encode_alike(own, other):
            raise ConfigError(
                f"{self.named}: has the student's vocabulary, but prepares texts differently: other cleaning, lower "
                f"case, accents or special tokens. Try: model.tokenizer={self.source}, or "
                f"{self.named.partition('=')[0].removesuffix('teacher')}tokens=own to learn its answers alone"
            )

    def _check_score(self) -> None:
        task, select = self.task, self.splits.select
        metric = task.metrics[0]
        name = f"{select.name}/{metric}"
        found = score_selection(task, select, np.array(self.logits(select)))[name]
        base = task.constant_baseline(select, metric)
        sign = -1.0 if direction(name) == "lower" else 1.0
        self.score = sign * found
        if self.score < sign * base + task.least_gain(metric, BETTER):
            raise ConfigError(
                f"{self.named}: its {metric} on {select.name} is {found:.3f}, and a model that has learned "
                f"nothing has {base:.3f}: it was not trained for this task. Try: the id of a run with this data"
            )


def _encode_alike(own: Tokenizer, other: Tokenizer) -> bool:
    """Return whether the student's tokenizer and the teacher's, of the same vocabulary, give EXAMPLES the same ids.

    A teacher that cleans nothing may read texts that were cleaned for the student.
    """
    other = other if other.cleaning else other.cleaned_by(own.cleaning)
    found = [tokenizer.encode(EXAMPLES, None, 128) for tokenizer in (own, other)]
    return np.array_equal(found[0].lengths, found[1].lengths) and np.array_equal(found[0].tokens, found[1].tokens)
