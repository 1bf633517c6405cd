"""The task of tagging words: loss, answers, baseline, report, and scores that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from data.errors import DataError
from data.inputs.tokenizer import Tokenizer, train_tokenizer
from data.splits import TokenSplit
from runner.tasks.base import LabelFacts
from runner.tasks.tags import Tags
from runner.tasks.word_tags import most_frequent_tags
from tests.data.helpers import split_of_words

NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
MARKS = ("O", "COMMA", "PERIOD", "LOWER", "CAP")
ROWS = [["Ada", "Lovelace", "saw", "London", ""], ["", "\u200b"], ["London", "saw", "Ada"]]
LABELS = [1, 2, 0, 3, 0, 0, 0, 3, 0, 1]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer([" ".join(row) for row in ROWS] * 4, 60)


@pytest.fixture
def split(tokenizer: Tokenizer) -> TokenSplit:
    return split_of_words(tokenizer, ROWS, LABELS, names=NAMES)


def task(names: tuple[str, ...] = NAMES, **facts: Any) -> Tags:
    return Tags(LabelFacts(names, **facts))


def logits_for(predicted: list[int], classes: int = 5) -> np.ndarray:
    """Logits whose largest is that of the predicted classes."""
    return np.eye(classes, dtype=np.float32)[predicted]


def test_the_loss_is_the_mean_over_all_words_of_a_batch() -> None:
    """Rows of 3 and 30 words: their means do not weigh the same, and parts of a batch do not change it."""
    torch.manual_seed(0)
    output, labels = torch.randn(33, 5), torch.randint(5, (33,))
    whole = task().loss(output, {"labels": labels})
    plain = torch.nn.functional.cross_entropy(output, labels, reduction="none")
    torch.testing.assert_close(whole, plain.sum() / 33)
    parts = [slice(0, 3), slice(3, 33)]
    weights = [task().weight({"labels": labels[part].numpy()}) for part in parts]
    assert weights == [3, 30]
    losses = [task().loss(output[part], {"labels": labels[part]}) for part in parts]
    torch.testing.assert_close(sum(w * x for w, x in zip(weights, losses)) / 33, whole, atol=1e-6, rtol=1e-6)


def test_two_labels_a_word_add_both_means_as_two_heads_would() -> None:
    torch.manual_seed(0)
    output, labels = torch.randn(7, 5), torch.stack([torch.randint(3, (7,)), torch.randint(2, (7,))], dim=1)
    loss = task(MARKS, columns=(3, 2)).loss(output, {"labels": labels})
    entropy = torch.nn.functional.cross_entropy
    torch.testing.assert_close(loss, entropy(output[:, :3], labels[:, 0]) + entropy(output[:, 3:], labels[:, 1]))


def test_a_batch_without_a_token_for_any_word_has_no_loss() -> None:
    output = torch.zeros(0, 5, requires_grad=True)
    loss = task().loss(output, {"labels": torch.zeros(0, dtype=torch.int64)})
    loss.backward()
    assert loss.item() == 0.0


def test_classes_may_weigh_differently() -> None:
    output, labels = torch.randn(6, 5), torch.tensor([0, 0, 1, 2, 3, 0])
    weights = np.array([0.5, 1, 2, 3, 4], np.float32)
    weighted = task(class_weights=weights)
    expected = torch.nn.functional.cross_entropy(output, labels, weight=torch.from_numpy(weights))
    torch.testing.assert_close(weighted.loss(output, {"labels": labels}), expected)
    assert weighted.weight({"labels": labels.numpy()}) == weights[labels].sum()
    torch.testing.assert_close(weighted.stage_loss(output, {"labels": labels}), task().loss(output, {"labels": labels}))


def test_a_word_without_a_token_is_answered_with_o_and_counts(split: TokenSplit) -> None:
    found = task().answers(logits_for([1, 2, 0, 3, 3, 0, 4]), split)
    assert found["prediction"].tolist() == [1, 2, 0, 3, 0, 0, 0, 3, 0, 4]
    assert found["label"].tolist() == LABELS
    assert found.offsets is not None
    assert found.offsets.tolist() == [0, 5, 7, 10]
    assert task().evaluate(found, ["token_accuracy", "entity_f1"]) == {
        "token_accuracy": 0.9, "entity_f1": pytest.approx(6 / 8),
    }  # fmt: skip


def test_outputs_that_are_not_finite_are_refused(split: TokenSplit) -> None:
    with pytest.raises(ValueError, match="logits of 7 of 7 words are not finite"):
        task().answers(np.full((7, 5), np.nan, np.float32), split)


def test_words_with_two_labels_have_answers_scores_and_a_report_for_each(tokenizer: Tokenizer) -> None:
    labels = np.stack([[0, 1, 2], [1, 0, 0]], axis=1)
    split = split_of_words(tokenizer, [["Ada", "saw", "London"]], labels, names=MARKS, columns=(3, 2))
    both = task(MARKS, columns=(3, 2)).check()
    assert both.stored == ("label", "prediction", "second_label", "second_prediction")
    found = both.answers(np.array([[9, 0, 0, 0, 9], [0, 9, 0, 0, 9], [0, 0, 9, 9, 0]], np.float32), split)
    assert found["prediction"].tolist() == [0, 1, 2]
    assert found["second_prediction"].tolist() == [1, 1, 0]
    assert (found.names, found.second_names) == (MARKS[:3], MARKS[3:])
    assert both.columns_to_store(np.zeros((3, 5)), found)["second_label_name"].tolist() == ["CAP", "LOWER", "LOWER"]
    assert both.metrics == (
        "tag_f1_macro", "tag_f1", "tag_precision", "second_tag_f1_macro", "second_tag_f1", "second_tag_precision",
    )  # fmt: skip
    report = both.report(found)
    assert report is not None
    assert report["classes"] == ["COMMA", "PERIOD", "CAP"]
    assert report["support"] == [1, 1, 1]
    assert report["predicted"] == [1, 1, 2]


def test_a_tag_of_both_labels_is_told_apart_in_the_head_alone() -> None:
    both = task(("O", "X", "second_O", "Y"), columns=(2, 2))
    assert both.tags == [("O", "X"), ("O", "Y")]
    assert both.head().outputs == 4


def test_the_report_is_by_type_of_entity(split: TokenSplit) -> None:
    report = task().report(task().answers(logits_for([1, 2, 0, 3, 3, 0, 4]), split))
    assert report is not None
    assert (report["classes"], report["support"], report["predicted"]) == (["PER", "LOC"], [2, 2], [1, 3])
    assert report["f1"] == pytest.approx([2 / 3, 4 / 5])


def test_the_floor_is_the_most_frequent_tag_of_each_word(tokenizer: Tokenizer, split: TokenSplit) -> None:
    other = split_of_words(tokenizer, [["saw", "London", "Ada", "Lovelace"], [""]], [0, 3, 1, 0, 0], names=NAMES)
    values = {name: task().baseline(split, other, name) for name in ("token_accuracy", "entity_f1")}
    assert values["token_accuracy"] == 0.8, "Lovelace is I-PER in training"
    assert values["entity_f1"] == pytest.approx(2 / 4)


def test_of_equally_frequent_tags_the_floor_takes_the_first_and_words_keep_their_case(
    tokenizer: Tokenizer,
) -> None:
    train = split_of_words(tokenizer, [["May", "may"], ["May", "may"]], [3, 0, 1, 0], names=NAMES)
    found = most_frequent_tags(train, split_of_words(tokenizer, [["may", "May", "MAY"]]), [len(NAMES)])
    assert found.tolist() == [[0], [3], [0]]


def test_one_tag_for_all_words_counts_as_constant(split: TokenSplit) -> None:
    assert task().is_constant(task().answers(logits_for([0] * 7), split))
    assert not task().is_constant(task().answers(logits_for([1, *[0] * 6]), split))


def test_scores_that_do_not_fit_the_tags_are_refused() -> None:
    with pytest.raises(DataError, match=r"entity_f1 is not a score of these tags.*no B- or I-.*\[tag_f1_macro\]"):
        task(MARKS[:3], metrics=("entity_f1",)).check()
    with pytest.raises(DataError, match=r"tag_f1 is not a score of these tags.*Try: 'data.metrics=\[entity_f1\]'"):
        task(metrics=("tag_f1",)).check()
    with pytest.raises(DataError, match="second_entity_f1 is not a score"):
        task(metrics=("second_entity_f1",)).check()
    assert task(metrics=("token_accuracy",)).check().metrics == ("token_accuracy",)


def test_the_description_counts_entities(split: TokenSplit) -> None:
    assert task().describe(split) == "task: tags of 10 words (50.0% O), 2 types of entities (PER 2, LOC 2)"
    assert "3 tags (O" in task(MARKS, columns=(3, 2)).describe(
        split_of_words(split.input.tokenizer, [["a"]], [[0, 1]], names=MARKS, columns=(3, 2))  # type: ignore[attr-defined]
    )


def test_distillation_compares_each_label_on_its_own() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(4, 5), torch.randn(4, 5)
    both = task(MARKS, columns=(3, 2))
    alone = [task(("a",) * (b - a)).match(student[:, a:b], teacher[:, a:b], {}, soft="kl", temperature=2.0)
             for a, b in ((0, 3), (3, 5))]  # fmt: skip
    torch.testing.assert_close(both.match(student, teacher, {}, soft="kl", temperature=2.0), alone[0] + alone[1])
    assert both.match(student, student, {}, soft="kl", temperature=2.0).item() == pytest.approx(0, abs=1e-6)


def test_a_batch_without_a_token_for_any_word_has_nothing_to_distil() -> None:
    student = torch.zeros(0, 5, requires_grad=True)
    loss = task().match(student, torch.zeros(0, 5), {}, soft="kl", temperature=2.0)
    loss.backward()
    assert loss.item() == 0.0


def test_a_tagger_with_one_answer_for_all_words_learned_nothing(split: TokenSplit) -> None:
    assert task().diverged_answers(task().answers(logits_for([0] * 7), split))
    assert not task().diverged_answers(task().answers(logits_for([1, *[0] * 6]), split))
    assert task().diverged(split, split, {}, 0.3) is None, "a pruning would record 0 over what the answers show"


def test_the_constant_baseline_knows_no_word(split: TokenSplit) -> None:
    """A tag for each word of the split itself would score more than any teacher."""
    assert task().baseline(split, split, "entity_f1") == 1.0
    assert task().constant_baseline(split, "entity_f1") == 0.0
    assert task().constant_baseline(split, "token_accuracy") == 0.5
