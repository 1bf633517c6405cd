"""Every score of every task: its unit, which direction is better, and its meaning.

The metric names (runner/record/metrics.py), the check of data.metrics and the tables all use this list. Standard
library only, since commands are checked before anything heavy is imported. The formulas are elsewhere: each task names
its `Score` objects (runner/tasks/).

    SCORE_TABLE["mse"].direction      # "lower"
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreFacts:
    """A score as tables, records and searches need it."""

    name: str
    unit: str
    direction: str  # which is better: higher | lower
    meaning: str
    is_choice: bool = True  # may data.metrics name it? Not if the task's scores are fixed
    is_of_one_class: bool = False  # a score of the positive class of two (data.positive)


_SCORES = (
    ScoreFacts("accuracy", "share", "higher", "share of examples whose largest logit is the label"),
    ScoreFacts("balanced_accuracy", "share", "higher", "mean recall of the classes among the labels"),
    ScoreFacts(
        "f1", "share", "higher", "F1 of the positive class of two (data.positive); 0 if it never occurs",
        is_of_one_class=True,
    ),
    ScoreFacts(
        "precision", "share", "higher", "share of the rows answered positive that are; 0 if there are none",
        is_of_one_class=True,
    ),
    ScoreFacts(
        "recall", "share", "higher", "share of the positive rows answered positive; 0 if there are none",
        is_of_one_class=True,
    ),
    ScoreFacts("f1_macro", "share", "higher", "mean of the F1 of all classes that are labels or answers"),
    ScoreFacts(
        "f1_macro_common", "share", "higher",
        "mean of the F1 of the classes with 20 rows or more among the labels; 0 if there are none",
    ),
    ScoreFacts(
        "auroc_first", "share", "higher",
        "area under the ROC curve of the first class against all others; with two classes the usual one; 0.5 is chance",
    ),
    ScoreFacts("mcc", "-1..1", "higher", "Matthews correlation; 0 when one class is always predicted"),
    ScoreFacts("pearson", "-1..1", "higher", "linear correlation with the labels; 0 if constant"),
    ScoreFacts("spearman", "-1..1", "higher", "rank correlation with the labels; 0 if constant"),
    ScoreFacts(
        "mse", "squared label", "lower",
        "mean squared error, in the unit of the labels also where training standardises them",
    ),
    ScoreFacts("perplexity", "words", "lower", "exp of the mean loss of a masked word", is_choice=False),
    ScoreFacts(
        "masked_accuracy", "share", "higher", "share of the masked words that are guessed right", is_choice=False
    ),
)  # fmt: skip

_TAG_SCORES = (
    ("entity_f1", "F1 of entities: type, first and last word must be right; of all types together"),
    ("entity_precision", "share of the predicted entities that are right; 0 if there are none"),
    ("entity_recall", "share of the entities that are found; 0 if there are none"),
    ("entity_f1_macro", "mean of the entity F1 of all types that are labels or answers"),
    ("entity_f1_strict", "F1 of entities where only tags that are legal in IOB2 count"),
    ("tag_f1_macro", "mean F1 of the tags of words, without the null tag"),
    ("tag_f1", "F1 of words over all tags together, without the null tag"),
    ("tag_precision", "share of right answers among the words answered with a tag other than the null tag"),
    ("tag_recall", "share of right answers among the words with a tag other than the null tag"),
    ("token_accuracy", "share of the words whose tag is right, the null tag included"),
)

_RANK_SCORES = (
    ("ndcg@10", "discounted gain of the first 10 documents, divided by that of the best order of all judged ones"),
    ("mrr@10", "1 / place of the first relevant document, 0 if it is not among the first 10; mean over the queries"),
    ("map", "mean over all relevant documents of the precision at their place; 0 for one that is not a candidate"),
    ("map@100", "the same, of the first 100 documents"),
    ("ndcg@5", "ndcg@10 of the first 5 documents"),
    ("ndcg_exp@10", "ndcg@10 with the gain 2^label - 1"),
    ("mrr", "1 / place of the first relevant document"),
    ("precision@5", "share of the first 5 documents that are relevant"),
    ("recall@5", "share of the relevant documents that are among the first 5"),
    ("candidate_recall", "share of the relevant documents that are candidates: no order of them can exceed it"),
)


def _of_tags(prefix: str, of: str) -> tuple[ScoreFacts, ...]:
    """Return the scores of the first label of words, or of the second."""
    return tuple(ScoreFacts(f"{prefix}{name}", "share", "higher", f"{meaning}{of}") for name, meaning in _TAG_SCORES)


_SPAN_SCORES = (
    ("answer_f1", "mean F1 of the words of answer and right answer, by SQuAD's rules (official: times 100)"),
    ("exact_match", "share of the answers that are right except for case, punctuation and articles"),
    ("answer_f1_has_answer", "mean F1 of the questions that have an answer"),
    ("exact_match_has_answer", "share of right answers among the questions that have one"),
    ("answer_f1_no_answer", "share of the questions without an answer that are left unanswered"),
    ("exact_match_no_answer", "share of the questions without an answer that are left unanswered"),
    ("answer_f1_best_threshold", "mean F1 at the best data.null_threshold for these very questions: an upper bound"),
    ("exact_match_best_threshold", "share of right answers at the best data.null_threshold: an upper bound"),
    ("answer_f1_quarter_1", "share of the questions with an F1 in 0..0.25"),
    ("answer_f1_quarter_2", "share of the questions with an F1 in 0.25..0.5"),
    ("answer_f1_quarter_3", "share of the questions with an F1 in 0.5..0.75"),
    ("answer_f1_quarter_4", "share of the questions with an F1 in 0.75..1, both included"),
)
_OF_SPANS = tuple(ScoreFacts(name, "share", "higher", meaning) for name, meaning in _SPAN_SCORES)

_LABEL_SETS = (
    ScoreFacts("f1_micro", "share", "higher", "F1 of the labels of sets, over all labels together"),
    ScoreFacts("subset_accuracy", "share", "higher", "share of the rows whose set of labels is right as a whole"),
    ScoreFacts("f1_macro_all", "share", "higher", "mean F1 of all labels; 0 for one neither present nor answered"),
    ScoreFacts("f1_weighted", "share", "higher", "mean F1 of the labels, weighted by their rows"),
    ScoreFacts("f1_samples", "share", "higher", "mean F1 of the sets of rows; 1 for an empty set that is left empty"),
    ScoreFacts("precision_micro", "share", "higher", "share of the answered labels that are right"),
    ScoreFacts("recall_micro", "share", "higher", "share of the labels that are answered"),
    ScoreFacts("hamming_loss", "share", "lower", "share of wrong decisions, low where labels are rare"),
    ScoreFacts("lrap", "share", "higher", "label ranking average precision; 1 for rows without labels"),
    ScoreFacts("map_labels", "share", "higher", "mean over labels of their average precision; needs no threshold"),
)  # fmt: skip
_ALL = (
    *_SCORES,
    *_of_tags("", ""),
    *_of_tags("second_", ", of the second label of words"),
    *_OF_SPANS,
    *_LABEL_SETS,
    *(ScoreFacts(name, "share", "higher", meaning) for name, meaning in _RANK_SCORES),
    ScoreFacts("ties", "share", "lower", "share of neighbouring candidates with equal scores", is_choice=False),
)
SCORE_TABLE: dict[str, ScoreFacts] = {score.name: score for score in _ALL}
CHOICES: tuple[str, ...] = tuple(score.name for score in _ALL if score.is_choice)
OF_ONE_CLASS: tuple[str, ...] = tuple(score.name for score in _ALL if score.is_of_one_class)


def is_share(name: str | None) -> bool:
    """Is a score between 0 and 1, or -1 and 1? False for a score that is not in the table."""
    return name in SCORE_TABLE and SCORE_TABLE[name].unit in ("share", "-1..1")
