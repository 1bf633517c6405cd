"""Ranking: a score for each pair of a query and a document, by which the documents of a query are sorted.

The score of a long document is the largest of its passages, or their mean (data.passages). With two outputs, one per
class, the score is their difference: it orders documents as the probability of the second class does, and never
saturates. The unit
of chance is the query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from data.inputs.request import Field
from data.json_types import JsonObject
from data.sources.raw import FACT
from data.targets.relevance import FIRST, GAIN, QUERY, RETRIEVED, query_offsets
from models.heads.base import HeadSpec
from runner.statistics.answers import Answers
from runner.statistics.rank_scores import COLUMNS, RANK_SCORES, TRUTH
from runner.tasks.base import Task
from runner.tasks.finite import refuse_not_finite
from runner.tasks.rank_conflicts import rank_conflicts
from runner.tasks.rank_losses import LISTWISE, LOSSES, MARGIN_MSE, listwise_match, margin_mse, pointwise

if TYPE_CHECKING:
    from torch import Tensor

    from data.inputs.request import Asked
    from data.splits import TokenSplit
    from runner.schema import Settings

QUERY_OF = ("query", "document")  # placeholders for the text columns of a collection, which has ids
MOST_TIES = 0.01  # largest share of ties between neighbouring documents; more indicate saturated scores
AUTO = "pointwise"  # the loss of train.loss=auto

Array = TypeVar("Array", "Tensor", np.ndarray)


class Rank(Task):
    """A score for each query and document: cross entropy of pairs or of lists, NDCG, MRR, MAP."""

    name = "rank"
    target = "relevance"
    input = "query_document"
    needs_label = False
    output_name = "a ranking model"
    examples = ("a query", "a document")
    asked_together = 100
    evaluates_in_fp32 = True  # bf16 has 8 bits: a quarter of the neighbours in a ranking would have equal scores
    scores = RANK_SCORES
    stored = COLUMNS
    truth = TRUTH
    baseline_name = "first ranking"
    cosine_losses = ("auto",)
    losses = tuple(LOSSES)
    soft_losses = ("kl", "cross_entropy", MARGIN_MSE)

    @classmethod
    def conflicts(cls, settings: Settings) -> list[str]:
        """Return one line for every setting that rankings forbid."""
        return rank_conflicts(settings)

    @classmethod
    def adapt(cls, settings: Settings) -> None:
        """Reset the settings for rows with a label; a collection has no columns of texts."""
        data = settings.data
        data.positive = None
        if data.queries is not None or data.source == "demo":
            data.text, data.text_pair = QUERY_OF
            data.label = None
        if data.source == "demo" and not set(data.metrics) & set(cls.scores):
            data.metrics = []  # those of its other tasks

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return NDCG, MRR and MAP."""
        return ("ndcg@10", "mrr@10", "map")

    @property
    def always_recorded(self) -> tuple[str, ...]:
        """Return the usual scores, the share of relevant documents that any order could find, and that of ties."""
        return ("ndcg@10", "mrr@10", "map", "candidate_recall", "ties")

    def head(self) -> HeadSpec:
        """Return a head with one output."""
        return HeadSpec("text", 1, "regression")

    # Training

    def mean_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the mean binary cross entropy of a pair, used if it is unknown which pairs belong together."""
        relevant = labels >= self.facts.relevant_from
        return pointwise(score_of(output), labels, relevant, labels)

    def loss(self, output: Tensor, targets: Mapping[str, Tensor], known: np.ndarray | None = None) -> Tensor:
        """Return the mean loss over the pairs, or over the groups of train.loss; all rows have a label."""
        labels = targets["labels"]
        relevant = labels >= self.facts.relevant_from
        return LOSSES[self.loss_name](score_of(output), labels, relevant, targets["item_groups"])

    @property
    def loss_name(self) -> str:
        """The name of the loss."""
        return AUTO if self.facts.loss == "auto" else self.facts.loss

    def items(self, targets: Mapping[str, np.ndarray], known: np.ndarray | None = None, soft: str = "kl") -> float:
        """Return the groups of a part of a batch, or those with a pair to compare; all rows have a label."""
        if soft == MARGIN_MSE:
            return self._groups_of_pairs(targets)
        return float(len(np.unique(targets["item_groups"])))

    def weight(self, targets: Mapping[str, np.ndarray], known: np.ndarray | None = None) -> float:
        """Return the pairs of a part of a batch, or the groups that the loss is a mean over."""
        if self.loss_name == AUTO:
            return float(len(targets["labels"]))
        if self.loss_name != LISTWISE:
            return self._groups_of_pairs(targets)
        return float(len(np.unique(targets["item_groups"][targets["labels"] >= self.facts.relevant_from])))

    def _groups_of_pairs(self, targets: Mapping[str, np.ndarray]) -> float:
        """Return the groups with a relevant document and another."""
        groups, relevant = targets["item_groups"], targets["labels"] >= self.facts.relevant_from
        return float(len(np.intersect1d(groups[relevant], groups[~relevant])))

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Return the divergence or the cross entropy of the softmax over each group, or the distance of margins."""
        groups, mine, wanted = targets["item_groups"], score_of(student), score_of(teacher)
        if soft == MARGIN_MSE:
            return margin_mse(mine, wanted, targets["labels"] >= self.facts.relevant_from, groups)
        return listwise_match(mine, wanted, groups, temperature, entropy=soft == "cross_entropy")

    # Evaluation

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return gain and score of each document, by query."""
        refuse_not_finite(kept, "scores", "pairs")
        return self._answered(document_scores(kept, split.parts, self.facts.passages), split)

    def _answered(self, scores: np.ndarray, split: TokenSplit) -> Answers:
        """Return scores (documents,) as answers."""
        labels = labels_of(split)
        columns = {
            "label": labels[:, GAIN],
            "prediction": scores.astype(np.float32),
            "relevant": labels[:, GAIN] >= self.facts.relevant_from,
            "retrieved": labels[:, RETRIEVED] > 0,
        }
        return Answers(columns | _ids(split), query_offsets(labels))

    def named(self, answers: Answers) -> Answers:
        """Return the answers: no classes have names."""
        return answers

    def columns_to_store(self, kept: np.ndarray, answers: Answers) -> dict[str, np.ndarray]:
        """Return gains and scores; no outputs, since a long document has several."""
        return dict(answers.columns)

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean loss over the candidates, or over the queries."""
        import torch

        labels = labels_of(split)
        scores, found = document_scores(kept, split.parts, self.facts.passages), labels[:, RETRIEVED] > 0
        gains, groups = torch.from_numpy(labels[found, GAIN]), torch.from_numpy(labels[found, QUERY].astype(np.int64))
        outputs = torch.from_numpy(scores[found])[:, None]
        if self.loss_name == AUTO:
            return float(self.mean_loss(outputs, gains))
        losses = []  # query by query: the number of pairs is quadratic in the documents compared
        for rows in torch.split(
            torch.arange(len(gains)), torch.unique_consecutive(groups, return_counts=True)[1].tolist()
        ):
            relevant = gains[rows] >= self.facts.relevant_from
            if relevant.any() and (self.loss_name == LISTWISE or not relevant.all()):  # as in `weight`
                own = {"labels": gains[rows], "item_groups": torch.zeros(len(rows), dtype=torch.int64)}
                losses.append(float(self.loss(outputs[rows], own)))
        return float(np.mean(losses)) if losses else 0.0

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the score of the candidates' original order, such as BM25's, or of word overlap."""
        return self.score(score).value(self._answered(labels_of(split)[:, FIRST], split))

    def constant_baseline(self, split: TokenSplit, score: str) -> float:
        """Return the score of equal scores for all documents: the order of their ids."""
        return self.score(score).value(self._answered(np.zeros(split.source_count), split))

    def is_constant(self, answers: Answers) -> bool:
        """Return whether all candidates got the same score."""
        scores = answers["prediction"][np.asarray(answers["retrieved"], bool)]
        return len(np.unique(scores)) <= 1

    def diverged_answers(self, answers: Answers) -> bool:
        """Return whether all candidates got the same score."""
        return self.is_constant(answers)

    # Deployment

    def answer_fields(self) -> tuple[Field, ...]:
        """Return the score."""
        return (Field("prediction", "number", "how relevant the document is to the query"),)

    def reader_facts(self, *, are_fitted: bool = False) -> JsonObject:
        """Return `passages`: how those of a long document make its score."""
        return {"passages": self.facts.passages}

    def respond(self, kept: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
        """Return the score of each pair."""
        scores = document_scores(kept, asked.rows, self.facts.passages)
        return [{"prediction": float(value)} for value in scores]

    # Sentences

    def describe(self, train: TokenSplit) -> str:
        """Return a line with the queries and their candidates."""
        labels = labels_of(train)
        found = labels[:, RETRIEVED] > 0
        relevant = int((labels[found, GAIN] >= self.facts.relevant_from).sum())
        queries = len(query_offsets(labels)) - 1
        return f"task: ranking of {int(found.sum()):,} candidates of {queries:,} queries, {relevant:,} of them relevant"

    @classmethod
    def remarks(cls, split: str, metrics: Mapping[str, float]) -> list[str]:
        """Return a sentence where many documents have equal scores, and where few relevant ones are candidates."""
        ties, recall = metrics.get(f"{split}/ties", 0.0), metrics.get(f"{split}/candidate_recall", 1.0)
        found = []
        if ties > MOST_TIES:
            found.append(
                f"{ties:.1%} of the neighbouring documents of {split} have equal scores, and are ordered by their ids"
            )
        if recall < 1:
            found.append(f"{recall:.1%} of the relevant documents of {split} are candidates: no order can find more")
        return found

    @classmethod
    def constant_sentence(cls, split: str) -> str:
        """Return a sentence about a model that gave every document of `split` the same score."""
        return f"the model gives every document of {split} the same score, so they are ordered by their ids"


def _ids(split: TokenSplit) -> dict[str, np.ndarray]:
    """Return the ids of queries and documents as columns, where the texts are known."""
    facts = {} if split.texts is None else split.texts.facts(np.arange(len(split.texts)))
    return {name.removeprefix(FACT): np.array(cells, object) for name, cells in facts.items()}


def score_of(output: Array) -> Array:
    """Return the scores (N,) of outputs (N, 1), or of the logits of two classes (N, 2): the second minus the first."""
    return output[:, 0] if output.shape[1] == 1 else output[:, 1] - output[:, 0]


def document_scores(kept: np.ndarray, parts: np.ndarray | None, passages: str) -> np.ndarray:
    """Return the score of each document, (documents,), from outputs (rows, 1 or 2).

    parts: (documents + 1,) where the rows of each begin, None for one row each; passages: max | mean | first.
    """
    scores = score_of(kept)
    if parts is None:
        return np.asarray(scores)
    if passages == "first":
        return np.asarray(scores[parts[:-1]])
    if passages == "mean":
        return np.asarray(np.add.reduceat(scores, parts[:-1]) / np.diff(parts))
    return np.asarray(np.maximum.reduceat(scores, parts[:-1]))


def labels_of(split: TokenSplit) -> np.ndarray:
    """Return the four numbers of each document of a split, (documents, 4) float32."""
    values = np.asarray(split.labels.values, np.float32)
    return values if split.parts is None else values[split.parts[:-1]]
