"""The rival: transformers' Trainer, as run_glue configures it, and tuned.

Both use the same tokens, initial weights, optimizer and batch size as our own loop; only the engine differs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from data.inputs.tokenizer import SPECIAL, Tokenizer
from data.splits import TokenSplit
from models.heads.text import SequenceClassifier
from models.heads.words import MaskedLM
from runner.schema import Settings


class Rows(torch.utils.data.Dataset[dict[str, Any]]):
    """The rows of a split in memory, as the dictionaries that a tokenizer returns."""

    def __init__(self, split: TokenSplit) -> None:
        tokens, offsets = np.asarray(split.tokens), np.asarray(split.offsets).tolist()
        labels = np.asarray(split.labels.values).tolist()
        self.lengths = split.lengths.tolist()
        self.rows = [
            {"input_ids": tokens[start:end].tolist(), "label": label}
            for start, end, label in zip(offsets[:-1], offsets[1:], labels)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


def pad(rows: list[dict[str, Any]], length: int | None) -> dict[str, torch.Tensor]:
    """The collator: pads rows to `length`; None: to the longest of them. Faster than tokenizer.pad."""
    lengths = [len(row["input_ids"]) for row in rows]
    places = np.arange(length or max(lengths))
    real = places < np.array(lengths)[:, None]
    ids = np.zeros(real.shape, np.int64)
    ids[real] = np.concatenate([row["input_ids"] for row in rows])
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(real.astype(np.int64)),
        "labels": torch.tensor([row["label"] for row in rows]),
    }


@dataclass
class Clock(TrainerCallback):
    """Records when each step ends."""

    ends: list[float] = field(default_factory=list)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ends.append(time.perf_counter())


class LengthTrainer(Trainer):
    """A Trainer that keeps every loss and can take the rows in a given order."""

    losses: list[torch.Tensor]
    order: list[int] | None  # of the rows; None: that of the Trainer's own sampler

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
        return super()._get_train_sampler(*args, **kwargs) if self.order is None else self.order

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        loss = super().compute_loss(*args, **kwargs)
        self.losses.append(loss.detach())
        return loss


def masker(tokenizer: Tokenizer) -> Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]:
    """transformers' collator for masked language modelling, for rows of equal length."""
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL))
    collator = DataCollatorForLanguageModeling(
        PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend, **names), mlm_probability=0.15
    )
    # As tensors, which it only stacks: it would pad dictionaries, which rows of equal length do not need.
    return lambda rows: collator([torch.tensor(row["input_ids"]) for row in rows])


def stock(model: SequenceClassifier | MaskedLM, attention: str = "sdpa") -> nn.Module:
    """transformers' BERT with the weights, sizes and dropout of our model.

    attention: sdpa is transformers' default and as fast as eager here (within 3 %, either way).
    """
    shape = {key: value for key, value in model.architecture.items() if key != "readout"}
    if isinstance(model, MaskedLM):
        masked = BertForMaskedLM(BertConfig(**shape, attn_implementation=attention))
        masked.load_state_dict(model.state_dict(), strict=False)  # the tied table is stored only once
        masked.tie_weights()
        return masked
    config = BertConfig(**shape, num_labels=model.classifier.out_features, attn_implementation=attention)
    found = BertForSequenceClassification(config)
    found.load_state_dict(model.state_dict())
    return found


def train(
    model: nn.Module,
    rows: Rows,
    settings: Settings,
    folder: Path,
    *,
    steps: int,
    length: int | None,
    seed: int,
    order: list[int] | None = None,
    collator: Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Train; return the seconds of each step but the first, and the losses.

    order: the row indices, batch after batch; None: the Trainer's own order.
    length: pad every batch to this length, in random order, as run_glue does by default; None: pad to the longest row
    of the batch, and group by length. collator: makes a batch from rows; None: `pad`.
    """
    optimizer, schedule = settings.optimizer, settings.schedule
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=settings.train.batch_size,
        max_steps=steps,
        learning_rate=optimizer.lr,
        weight_decay=optimizer.weight_decay,
        adam_beta1=optimizer.betas[0],
        adam_beta2=optimizer.betas[1],
        adam_epsilon=optimizer.eps,
        max_grad_norm=settings.train.clip_norm,
        lr_scheduler_type=schedule.name,
        warmup_steps=round(schedule.warmup * steps),
        optim="adamw_torch_fused",
        train_sampling_strategy="group_by_length" if length is None else "random",
        bf16=settings.train.precision == "bf16",
        use_cpu=True,
        seed=seed,
        # Tuned: no logging, saving, progress bar or filtering, and no worker processes for loading.
        report_to="none",
        logging_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
        logging_nan_inf_filter=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )
    clock = Clock()
    trainer = LengthTrainer(
        model=model, args=arguments, train_dataset=rows, callbacks=[clock],
        data_collator=collator or (lambda part: pad(part, length)),
    )  # fmt: skip
    trainer.losses, trainer.order = [], order
    trainer.train()
    return np.diff(clock.ends), torch.stack(trainer.losses).numpy()
