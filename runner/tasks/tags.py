"""Tags of words: named entities, or marks and capitals that a text has lost.

Each word has one label, or two (data.tags=[punct_tags,case_tags]): two softmaxes over one layer's outputs, whose losses
are added. The first token of a word answers for it; a word without a token is answered with the first tag, O, and
counts. The unit of chance is the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from data.errors import DataError
from data.inputs.request import Field
from data.json_types import JsonObject
from data.settings import DataSettings
from data.targets.tag_schemes import entity_types, is_plain
from models.heads.base import HeadSpec
from models.settings import for_tokens, keeps_tokens
from runner.statistics.answers import Answers
from runner.statistics.class_counts import ACTUAL, PREDICTED
from runner.statistics.tag_counts import per_kind
from runner.statistics.tag_scores import SECOND, TAG_SCORES, TagScore, scores_for
from runner.tasks.base import LabelFacts, Task
from runner.tasks.classification import softmax
from runner.tasks.finite import refuse_not_finite
from runner.tasks.tag_answers import TaggedText, answer_of, restores
from runner.tasks.tag_conflicts import tag_conflicts
from runner.tasks.word_tags import most_frequent_tags

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from data.inputs.request import Asked
    from data.splits import TokenSplit
    from runner.schema import Settings

MOST_NAMED = 6  # kinds in a line
PREFIXES = ("", SECOND)  # of the columns and scores of the first and of the second label of a word


class Tags(Task):
    """One tag, or two, for each word: cross entropy, F1 of entities or of marks."""

    name = "tags"
    target = "tags"
    input = "words"
    reads = "tokens"
    needs_label = False
    weighs_classes = True
    output_name = "a tagger"
    reader = "words"
    scores = TAG_SCORES
    baseline_name = "most frequent tag of each word"

    def __init__(self, facts: LabelFacts | None = None) -> None:
        super().__init__(facts)
        counts = self.facts.columns or (len(self.facts.names),)
        self.slices = [slice(*ends) for ends in pairwise(np.cumsum([0, *counts]).tolist())]  # outputs of each label
        names = [self.facts.names[part] for part in self.slices]
        self.tags = [tuple(name.removeprefix(SECOND) for name in part) for part in names]
        self.stored = tuple(f"{start}{name}" for start in PREFIXES[: len(names)] for name in ("label", "prediction"))
        self.truth = tuple(name for name in self.stored if name.endswith("label"))
        self._weights: dict[torch.device, Tensor] = {}  # the class weights on each device
        self.latest_baseline: tuple[TokenSplit, TokenSplit, Answers] | None = None  # and of what

    @classmethod
    def conflicts(cls, settings: Settings) -> list[str]:
        """Return one line for every setting that tagging words forbids."""
        return tag_conflicts(settings.data)

    @classmethod
    def adapt(cls, settings: Settings) -> None:
        """Reset the settings for one label per row; give the model a readout that keeps a vector for each token.

        The columns of tags become a list of strings, however YAML parsed them.
        """
        data, model = settings.data, settings.model
        data.positive = None
        if data.label == DataSettings.label:  # another readout was asked for, which is refused
            data.label = None
        if data.tags is not None:
            data.tags = [str(name) for name in (data.tags if isinstance(data.tags, list) else [data.tags])]
        if not keeps_tokens(model.readout):
            model.readout = for_tokens(model.readout) or model.readout
        if model.family == "dsn":
            model.token_dropout = 0.0  # settings of pooling, which is not used here

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return the scores of entities, which most tags are for."""
        return ("entity_f1", "entity_precision", "entity_recall")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores of a run: those of data.metrics, else the first three that fit each label of a word."""
        if self.facts.metrics or not self.facts.names:
            return super().metrics
        return tuple(name for tags, start in zip(self.tags, PREFIXES) for name in scores_for(tags, start)[:3])

    @property
    def always_recorded(self) -> tuple[str, ...]:
        """Every score that fits the tags."""
        return tuple(name for tags, start in zip(self.tags, PREFIXES) for name in scores_for(tags, start))

    def check(self) -> Self:
        """Return the task; raise DataError for a score that these tags cannot have."""
        fitting = self.always_recorded
        for name in self.metrics:
            if name not in fitting:
                plain = " and have no B- or I-" if "entity_" in name and is_plain(self.tags[0]) else ""
                raise DataError(
                    f"data.metrics: {name} is not a score of these tags, which are {', '.join(self.facts.names[:8])}"
                    f"{plain} (their scores: {', '.join(fitting)}). Try: 'data.metrics=[{fitting[0]}]'"
                )
        return self

    def head(self) -> HeadSpec:
        """Return a head over tokens with an output for each tag."""
        return HeadSpec("token", max(1, len(self.facts.names)))

    def mean_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross entropy of a word, a scalar; of two labels the sum of both means.

        output: (words, C) logits, labels: (words,) or (words, 2) ids. A batch without a word gives 0.
        """
        import torch
        from torch.nn import functional

        if not len(labels):
            return output.float().sum()
        weights, device = self.facts.class_weights, labels.device
        if weights is not None and device not in self._weights:
            self._weights[device] = torch.from_numpy(weights).to(device)
        losses = [
            functional.cross_entropy(output[:, part].float(), answers, weight=self._weights.get(device))
            for part, answers in zip(self.slices, labels.view(len(labels), -1).unbind(1))
        ]
        return sum(losses[1:], losses[0])

    def stage_loss(self, output: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        """Return the mean loss without class weights."""
        return self.unweighted().loss(output, targets)

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Return the divergence, or the cross entropy, of the softened probabilities; of two labels the sum."""
        from models.compression.distillation.losses import soft_cross_entropy, soft_divergence

        if not len(student):
            return student.sum()  # a batch without a word has no mean
        loss = soft_divergence if soft == "kl" else soft_cross_entropy
        losses = [loss(student[:, part], teacher[:, part], temperature) for part in self.slices]
        return sum(losses[1:], losses[0])

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return label and predicted tag of each word, by sentence; kept: (words with a token, C) logits."""
        refuse_not_finite(kept, "logits", "words")
        labels = _of_words(split)
        predicted = np.zeros_like(labels)
        placed = split.labels.has_output
        assert placed is not None, "tags have places"
        for column, part in enumerate(self.slices):
            predicted[placed, column] = kept[:, part].argmax(1)
        return self.answered(labels, predicted, split)

    def answered(self, labels: np.ndarray, predicted: np.ndarray, split: TokenSplit) -> Answers:
        """Return labels and predictions, (words, labels of a word) each, as answers."""
        columns: dict[str, np.ndarray] = {}
        for column, start in enumerate(PREFIXES[: len(self.tags)]):
            columns |= {f"{start}label": labels[:, column], f"{start}prediction": predicted[:, column]}
        return self.named(Answers(columns, split.sentences))

    def named(self, answers: Answers) -> Answers:
        """Return the answers with the names of the tags."""
        return replace(answers, names=self.tags[0], second_names=self.tags[1] if len(self.tags) > 1 else ())

    def columns_to_store(self, kept: np.ndarray, answers: Answers) -> dict[str, np.ndarray]:
        """Return labels and predictions; no logits, which would be a file ten times as large.

        The names of a second label stand beside its numbers, as those of the first do.
        """
        tags = np.array(answers.second_names)
        second = [name for name in answers.columns if name.startswith(SECOND)]
        return {**answers.columns, **{f"{name}_name": tags[answers[name]] for name in second}}

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean cross entropy of the words with a token, without class weights."""
        import torch

        labels = torch.from_numpy(_of_words(split)[split.labels.has_output])
        return float(self.unweighted().mean_loss(torch.from_numpy(kept), labels))

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the score of the most frequent tag of each word in `train`; the first tag, O, for other words."""
        if self.latest_baseline is None or self.latest_baseline[0] is not train or self.latest_baseline[1] is not split:
            predicted = most_frequent_tags(train, split, [len(tags) for tags in self.tags])
            self.latest_baseline = train, split, self.answered(_of_words(split), predicted, split)
        return self.score(score).value(self.latest_baseline[2])

    def constant_baseline(self, split: TokenSplit, score: str) -> float:
        """Return the score of the most frequent tag for all words; a separate tag for each word would be learned from
        `train`.
        """
        labels = _of_words(split)
        answer = [np.bincount(labels[:, column]).argmax() for column in range(labels.shape[1])]
        return self.score(score).value(self.answered(labels, np.tile(answer, (len(labels), 1)), split))

    def is_constant(self, answers: Answers) -> bool:
        """Return whether every word got the same tag."""
        return all(len(np.unique(answers[name])) <= 1 for name in self.stored if name not in self.truth)

    def report(self, answers: Answers) -> dict[str, Any] | None:
        """Return support, predicted, precision, recall and F1 of each type of entity or each tag of marks."""
        if not self.facts.names:
            return None
        found: dict[str, Any] = {"classes": [], "support": [], "predicted": [], "precision": [], "recall": [], "f1": []}
        for tags, start in zip(self.tags, PREFIXES):
            score = self.scores[f"{start}{'tag' if is_plain(tags) else 'entity'}_f1"]
            assert isinstance(score, TagScore)
            sums = score.counts(answers).sum(axis=0)
            found["classes"] += list(entity_types(tags) or tags[len(tags) - sums.shape[1] :])
            found["support"] += sums[ACTUAL].tolist()
            found["predicted"] += sums[PREDICTED].tolist()
            for name, values in per_kind(sums).items():
                found[name] += values.tolist()
        return found | {"confusion": None}

    def diverged_answers(self, answers: Answers) -> bool:
        """Return whether every word got the same tag."""
        return self.is_constant(answers)

    def answer_fields(self) -> tuple[Field, ...]:
        """Return the text with what was found in it, entities as spans, and a tag for each word."""
        what = "the text with its marks and capitals" if restores(self.tags) else "the text with its tags"
        found = [Field("prediction", "text", what)]
        if kinds := entity_types(self.tags[0]):
            found = [Field("prediction", "text", "the text with its entities in brackets, each followed by its type")]
            found.append(Field("spans", "spans", "the entities", kinds))
        keyed = zip(PREFIXES, self.tags)
        return (*found, *(Field(f"{start}tags", "tags", "a tag for each word", tags) for start, tags in keyed))

    def reader_facts(self, *, are_fitted: bool = False) -> JsonObject:
        """Return `words`: the tags of each label of a word, and the language of restored texts."""
        return {"words": {"tags": [list(tags) for tags in self.tags], "language": self.facts.language}}

    def respond(self, kept: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
        """Return one answer for each question from the logits (words with a token, C) of its words."""
        placed, offsets = asked.split.labels.has_output, asked.split.sentences
        assert placed is not None, "words have places"
        assert offsets is not None and asked.words is not None
        tags, shares = [], []
        for part in self.slices:
            found = softmax(kept[:, part])
            tags.append(np.zeros(len(placed), np.int64))
            shares.append(np.ones(len(placed)))
            tags[-1][placed], shares[-1][placed] = found.argmax(1), found.max(1)
        ends = pairwise(offsets.tolist())
        tagged = [
            TaggedText(text, places, [part[a:b] for part in tags], [part[a:b] for part in shares])
            for text, places, (a, b) in zip(asked.texts, asked.words, ends)
        ]
        return [answer_of(one, self.tags, self.facts.language) for one in tagged]

    def describe(self, train: TokenSplit) -> str:
        """Return a line with the kinds of tags and their training words."""
        labels = _of_words(train)
        shown = []
        for column, tags in enumerate(self.tags):
            counts = np.bincount(labels[:, column], minlength=len(tags))
            kinds = {kind: int(counts[tags.index(f"B-{kind}")]) for kind in entity_types(tags)}
            kinds = kinds or dict(zip(tags, counts.tolist()))
            named = [f"{kind} {count:,}" for kind, count in list(kinds.items())[:MOST_NAMED]]
            left = [f"{len(kinds) - MOST_NAMED:,} more"] if len(kinds) > MOST_NAMED else []
            what = "tags" if is_plain(tags) else "types of entities"
            shown.append(f"{len(kinds)} {what} ({', '.join([*named, *left])})")
        share = float(np.mean(labels[:, 0] == 0)) if len(labels) else 0.0
        return f"task: tags of {len(labels):,} words ({share:.1%} {self.tags[0][0]}), {' and '.join(shown)}"

    @classmethod
    def constant_sentence(cls, split: str) -> str:
        """Return a sentence about a model that gave every word of `split` the same tag."""
        return f"the model gives every word of {split} the same tag"


def _of_words(split: TokenSplit) -> np.ndarray:
    """Return the labels of a split, (words, labels of a word) int64."""
    labels = np.asarray(split.labels.values, np.int64)
    return labels.reshape(len(labels), -1)
