"""Answers as parts of a text: the loss over windows, distillation, grades, baselines and served answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from data.batch import collate
from data.errors import DataError
from data.inputs.question_context import QuestionContext
from data.inputs.tokenizer import PieceTokenizer, train_tokenizer
from data.splits import TokenSplit
from models.build import build
from models.compression.distillation.losses import soft_cross_entropy, soft_divergence
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.statistics.answers import Answers
from runner.tasks.base import LabelFacts
from runner.tasks.span import Span
from runner.training.inference import predict, score, targets_to_tensors, to_tensors
from tests.data.questions import Asked, split_of_questions

LONG = " ".join(f"w{number}" for number in range(40))
ROWS = [
    Asked("where is it ?", "It is in Ankara. Not in Izmir.", ["Ankara", "in Ankara"]),
    Asked("which one ?", LONG, ["w20 w21"]),
    Asked("who is it ?", LONG),
]
V1, V2 = Span(), Span(LabelFacts(has_empty=True))


@pytest.fixture(scope="module")
def tokenizer() -> PieceTokenizer:
    words = [word for row in ROWS for word in f"{row.question} {row.context}".split()]
    return train_tokenizer([" ".join(words)] * 3, 400)


@pytest.fixture(scope="module")
def split(tokenizer: PieceTokenizer) -> TokenSplit:
    return split_of_questions(tokenizer, ROWS, 24, 6)


def small_model(tokenizer: PieceTokenizer, seed: int = 0, **changes: Any) -> Any:
    torch.manual_seed(seed)
    shape = {"layers": 2, "hidden": 32, "heads": 2, "intermediate": 64, "positions": 64, "readout": {"name": "none"}}
    settings = ModelSettings(**(shape | changes))
    model, _ = build(settings, HeadSpec("span", 2), vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id)
    return model.eval()


def outputs_of(model: Any, split: TokenSplit, batch_size: int = 32) -> np.ndarray:
    return predict(model, split, batch_size=batch_size, device=torch.device("cpu"), precision="fp32")


def oracle(split: TokenSplit) -> np.ndarray:
    """Logits that are one-hot at the labels."""
    return np.asarray(split.labels.values, np.float32) * 10


def windows(output: torch.Tensor, targets: dict[str, torch.Tensor]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The outputs and the labels of each window."""
    rows = targets["item_rows"]
    return [(output[rows == row], targets["labels"][rows == row]) for row in rows.unique()]


def test_the_loss_is_the_mean_of_two_cross_entropies_over_the_real_tokens(
    tokenizer: PieceTokenizer, split: TokenSplit
) -> None:
    batch = collate(split, np.arange(len(split)))
    output = small_model(tokenizer)(**to_tensors(batch, torch.device("cpu")))
    targets = targets_to_tensors(batch, torch.device("cpu"))
    parts = windows(output, targets)
    losses = [
        F.cross_entropy(out[None, :, side], right[:, side].argmax()[None]).detach()
        for out, right in parts
        for side in (0, 1)
    ]
    torch.testing.assert_close(V1.loss(output, targets), torch.stack(losses).mean())
    assert V1.weight({"item_rows": batch.targets["item_rows"]}) == len(split)
    assert V1.evaluated_loss(outputs_of(small_model(tokenizer), split), split) == pytest.approx(
        float(torch.stack(losses).mean()), abs=1e-5
    )
    known = np.repeat(np.arange(len(split)) < 2, split.labels.counts)
    some = V1.loss(output, targets, known)
    torch.testing.assert_close(some, torch.stack(losses[:4]).sum() / 2 / len(split))
    torch.testing.assert_close(V1.mean_loss(*parts[0]), torch.stack(losses[:2]).mean())


@pytest.mark.parametrize(("soft", "of_classes"), [("kl", soft_divergence), ("cross_entropy", soft_cross_entropy)])
def test_a_student_matches_starts_and_ends_window_by_window(
    tokenizer: PieceTokenizer, split: TokenSplit, soft: str, of_classes: Any
) -> None:
    targets = targets_to_tensors(collate(split, np.arange(len(split))), torch.device("cpu"))
    student, teacher = (torch.from_numpy(outputs_of(small_model(tokenizer, seed), split)) for seed in (0, 1))
    found = V1.match(student, teacher, targets, soft=soft, temperature=3.0)
    pairs = zip(windows(student, targets), windows(teacher, targets))
    wanted = [of_classes(mine.T, theirs.T, 3.0) for (mine, _), (theirs, _) in pairs]
    torch.testing.assert_close(found, torch.stack(wanted).mean())
    same = V1.match(teacher, teacher, targets, soft="kl", temperature=3.0)
    assert float(same) == pytest.approx(0.0, abs=1e-5)


def test_batch_size_padding_and_order_do_not_change_answers(tokenizer: PieceTokenizer, split: TokenSplit) -> None:
    model = small_model(tokenizer)
    together, alone = outputs_of(model, split), outputs_of(model, split, 1)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    back = split_of_questions(tokenizer, ROWS[::-1], 24, 6)
    answers, others = V2.answers(together, split), V2.answers(outputs_of(model, back), back)
    assert answers["prediction"].tolist() == others["prediction"].tolist()[::-1]
    np.testing.assert_allclose(answers["score"], others["score"][::-1], atol=1e-5)


def test_right_logits_get_every_question_right(split: TokenSplit) -> None:
    answers = V2.answers(oracle(split), split)
    assert answers["prediction"].tolist() == ["Ankara", "w20 w21", ""]
    assert answers["label"].tolist() == ["Ankara", "w20 w21", ""]
    assert answers["question_id"].tolist() == ["q0", "q1", "q2"] and len(answers) == 3
    assert ROWS[0].context[answers["start"][0] : answers["end"][0]] == "Ankara"
    scores = V2.evaluate(answers, V2.always_recorded)
    assert scores["exact_match"] == scores["answer_f1"] == scores["answer_f1_no_answer"] == 1.0
    assert set(V2.stored) <= V2.columns_to_store(oracle(split), answers).keys()
    assert score(V2, split, oracle(split))["train/loss"] < 0.01


def test_a_set_of_the_first_kind_always_answers_and_a_threshold_moves_the_border(split: TokenSplit) -> None:
    kept = oracle(split)
    assert V1.answers(kept, split)["prediction"].tolist()[:2] == ["Ankara", "w20 w21"]
    assert V1.answers(kept, split)["prediction"][2] != ""
    eager = Span(LabelFacts(has_empty=True, null_threshold=-100.0))
    assert eager.answers(kept, split)["prediction"].tolist() == ["", "", ""]
    assert eager.answers(kept, split)["start"].tolist() == [-1, -1, -1]
    assert eager.is_constant(eager.answers(kept, split)) and eager.diverged_answers(eager.answers(kept, split))
    assert "answer_f1_no_answer" not in V1.always_recorded and V1.metrics == ("answer_f1", "exact_match")
    short = Span(LabelFacts(max_answer=1))
    assert short.answers(kept, split)["prediction"][1] in ("w20", "w21")


def test_scores_of_questions_without_an_answer_need_some() -> None:
    asked = LabelFacts(metrics=("exact_match", "answer_f1_no_answer"))
    assert Span(replace(asked, has_empty=True)).check().metrics == asked.metrics
    with pytest.raises(DataError, match="answer_f1_no_answer is for data in which some questions have no answer"):
        Span(asked).check()


def test_logits_that_are_not_finite_are_refused(split: TokenSplit) -> None:
    with pytest.raises(ValueError, match=r"logits of .* tokens are not finite"):
        V1.answers(oracle(split) * np.nan, split)


def test_baselines_are_no_answer_and_the_first_sentence(split: TokenSplit) -> None:
    found = V2.baselines(split, split, "exact_match")
    assert found == {"no_answer": pytest.approx(1 / 3), "first_sentence": 0.0}
    found = V2.baselines(split, split, "answer_f1")  # "It is in Ankara." has 2 of the 4 words of "in Ankara"
    assert found["first_sentence"] == pytest.approx((2 / 3 + 2 * 2 / 42) / 3)
    assert V2.baseline(split, split, "answer_f1") == max(found.values()) == V2.constant_baseline(split, "answer_f1")
    assert V1.baselines(split, split, "answer_f1")["no_answer"] == 0.0


def test_windows_that_were_taken_are_graded_as_questions(split: TokenSplit) -> None:
    taken = split.take(np.array([0, len(split) - 1]))
    answers = V2.answers(oracle(taken), taken)
    assert answers["prediction"].tolist() == ["Ankara", ""]


def test_a_served_answer_has_its_text_place_and_probability(tokenizer: PieceTokenizer) -> None:
    own = QuestionContext(tokenizer, 6)
    asked = own.ask([[row.question for row in ROWS], [row.context for row in ROWS]], 24)
    split = split_of_questions(tokenizer, ROWS, 24, 6)
    found = V2.respond(oracle(split), asked)
    assert [one["prediction"] for one in found] == ["Ankara", "w20 w21", ""]
    assert [list(one) for one in found] == [[field.name for field in V2.answer_fields()]] * 3
    (span,) = found[0]["spans"]
    assert ROWS[0].context[span["start"] : span["end"]] == span["text"] == "Ankara"
    assert found[0]["score"] == span["score"] == pytest.approx(1.0, abs=0.01) and found[2]["spans"] == []
    assert found[2]["score"] == pytest.approx(1.0, abs=0.01)


def test_the_line_about_the_training_rows_counts_questions_and_windows(split: TokenSplit) -> None:
    assert V2.describe(split).startswith(f"task: answers to 3 questions in {len(split)} windows; 1 have no answer")
    assert V1.describe(split) == f"task: answers to 3 questions in {len(split)} windows, each with an answer"


def test_a_context_that_no_token_covers_is_answered_with_nothing(tokenizer: PieceTokenizer) -> None:
    split = split_of_questions(tokenizer, [Asked("who ?", "\u200b")])
    found = V1.answers(np.zeros((len(split.tokens), 2), np.float32), replace(split))
    assert found["prediction"].tolist() == [""]


def test_two_different_texts_are_not_the_same_answer_to_every_question() -> None:
    texts = [np.array(found, object) for found in (["a", "b", "a"], ["a", "a", "a"])]
    assert [V2.is_constant(Answers({"prediction": found})) for found in texts] == [False, True]
    assert V2.is_constant(Answers({"exact": np.ones(3)})) is None, "stored answers have no texts"
