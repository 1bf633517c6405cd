"""Masked words: predict the words that were masked in a text.

The output is as wide as the vocabulary, so it is never held in memory as a whole: models/heads/words.py sums losses and
outcomes in parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from data.batch import collate
from data.sampler import eval_batches
from data.targets.masked_words import MaskedWords as Target
from models.heads.base import HeadSpec
from runner.statistics.answers import Answers
from runner.statistics.word_scores import MASKED_WORD_SCORES, WORD_SUMS
from runner.tasks.base import Task
from runner.tasks.finite import refuse_not_finite

if TYPE_CHECKING:
    from torch import Tensor

    from data.batch import Batch
    from data.splits import TokenSplit
    from models.heads.words import WordScores
    from runner.schema import Settings

CHUNK = 1 << 22  # tokens counted at a time


class MaskedWords(Task):
    """The words that are masked in a block of text: cross entropy, perplexity."""

    name = "mlm"
    target = "masked_words"
    scores = MASKED_WORD_SCORES
    stored = WORD_SUMS
    truth = ("masked",)
    baseline_name = "word-frequency baseline"
    keeps_rows = True
    needs_label = False
    is_deployed = False
    soft_losses = ()  # its outputs are not compared with others
    output_name = "a masked language model"

    @classmethod
    def conflicts(cls, settings: Settings) -> list[str]:
        """Return one line for every setting that masked-word training forbids."""
        task, model, data = settings.task, settings.model, settings.data
        found = []
        if data.label is not None:
            found.append(f"data.label={data.label}: task=mlm learns only from the words. Leave it out")
        if model.family == "dsn":
            found += _conflicts_without_encoder(settings)
        elif model.init_from or model.tune.epochs or model.freeze != "none":
            found.append(
                "task=mlm trains a whole encoder: model.init_from, model.tune and model.freeze are for heads on a "
                "finished one. Try: model.pretrained=<run id or folder>"
            )
        if settings.compression:
            found.append(
                f"task=mlm compression=[{','.join(settings.compression)}]: compress the model that is fine-tuned from "
                "it. Try: run model.pretrained=<run id> 'compression=[...]'"
            )
        if data.class_weights != "none":
            found.append(f"data.class_weights={data.class_weights}: masked words have no classes. Leave it out")
        if task.masked + task.random > 1.0:
            found.append(
                f"task.masked={task.masked} and task.random={task.random} are shares of the same tokens and add up "
                "to more than 1. Try: task.masked=0.8 task.random=0.1"
            )
        return found

    @classmethod
    def adapt(cls, settings: Settings) -> None:
        """Reset the dataset's settings of labels, and a checkpoint's way to read out a text."""
        settings.data.task, settings.data.metrics, settings.data.positive = "auto", [], None
        if settings.model.readout["name"] == "auto":
            # No vector of a text is read; BERT's pooler stays with its encoder.
            settings.model.readout = {"name": "mean" if settings.model.family == "dsn" else "cls"}

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return perplexity and masked accuracy."""
        return tuple(MASKED_WORD_SCORES)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores of a run: always both."""
        return self.default_metrics(0)

    def head(self) -> HeadSpec:
        """Return the head that scores every word."""
        return HeadSpec("words", output=self.facts.output)

    def loss(self, output: WordScores, targets: Mapping[str, Tensor], known: np.ndarray | None = None) -> Tensor:
        """Return the mean cross entropy over the masked positions, a scalar; 0 if there are none."""
        return self.mean_loss(output, targets["labels"])

    def mean_loss(self, output: WordScores, labels: Tensor) -> Tensor:
        """Return the mean cross entropy of the right words; labels: (N,) word ids."""
        return output.cross_entropy(labels) / max(1, len(labels))

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Raise NotImplementedError: masked words are not distilled, which `conflicts` refuses."""
        raise NotImplementedError("masked words have no teacher")

    def keep(self, output: WordScores, batch: Batch) -> Tensor:
        """Return three sums of each block, (B, 3) float32: loss in nats, right words, masked words."""
        import torch

        labels = torch.from_numpy(batch.targets["labels"]).to(output.hidden.device)
        blocks = torch.from_numpy(batch.inputs["places"] // batch.inputs["input_ids"].shape[1])
        # On the CPU: CUDA adds in any order, and an evaluation would not repeat bit for bit.
        return torch.zeros(len(batch.rows), 3).index_add_(0, blocks, output.outcomes(labels).cpu())

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return the three sums of each block."""
        refuse_not_finite(kept, "losses", "blocks")
        return Answers({name: kept[:, place] for place, name in enumerate(WORD_SUMS)})

    def columns_to_store(self, kept: np.ndarray, answers: Answers) -> dict[str, np.ndarray]:
        """Return only the three sums."""
        return dict(answers.columns)

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean loss of a masked word, in nats."""
        return float(kept[:, 0].sum(dtype=np.float64) / max(1.0, kept[:, 2].sum(dtype=np.float64)))

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the unigram perplexity of the masked words of `split`, by word frequencies in `train` plus one."""
        assert isinstance(split.target, Target), "a split of this task is masked"
        special = split.target.masking.special
        counts = np.ones(len(special))
        for start in range(0, len(train.tokens), CHUNK):
            counts += np.bincount(train.tokens[start : start + CHUNK], minlength=len(special))
        counts[special] = 0.0
        logs = np.log(np.maximum(counts, 1.0) / counts.sum())
        labels = [collate(split, rows).targets["labels"] for rows in eval_batches(split.lengths, batch_size=1024)]
        return float(np.exp(-logs[np.concatenate(labels)].mean()))

    def unit(self, max_length: int) -> str:
        """Return the word for blocks."""
        return f"blocks of {max_length} tokens"

    def describe(self, train: TokenSplit) -> str:
        """Return a line that names the task."""
        return "task: masked words"


def _conflicts_without_encoder(settings: Settings) -> list[str]:
    """Return one line for every setting with which word vectors alone cannot be trained."""
    model, output = settings.model, settings.task.output
    if model.pretrained or model.init_from or model.freeze != "none" or model.add != "none":
        what = "trains new word vectors and nothing else"
    elif model.embedding["name"] != "table":
        what = f"trains a table of word vectors, which model/embedding={model.embedding['name']} is not"
    elif output != "own":
        return [
            f"task=mlm model={model.name} has no encoder: a masked word is predicted from its neighbours' vectors, "
            f"which task.output={output} makes hard to learn. Try: model=bert-tiny, or task.output=own"
        ]
    else:
        return []
    return [f"task=mlm model={model.name}: without an encoder it {what}. Try: run task=mlm model=dsn task.output=own"]
