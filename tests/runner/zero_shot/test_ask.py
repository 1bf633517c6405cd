"""Each text is asked about every label, and the answers come back in their places."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from runner.zero_shot.ask import CHUNK, Question, ask_template, hypothesis_logits, pair_logits


class Stub:
    """A model whose logits are the length of the text, that of the hypothesis, and 0."""

    exported = SimpleNamespace(labels=("entailment", "neutral", "contradiction"))

    def ask(self, texts: list[str], pairs: list[str]) -> Any:
        return SimpleNamespace(split=(texts, pairs), is_cut=np.array([len(text) > 5 for text in texts]))

    def logits(self, split: tuple[list[str], list[str]], size: int) -> np.ndarray:
        return np.array([[len(text), len(pair), 0.0] for text, pair in zip(*split)])


STUB = cast(Any, Stub())


def test_logits_stand_by_text_and_hypothesis() -> None:
    found, cut = hypothesis_logits(STUB, ["a", "long text"], ["x", "yy", "zzz"], 8)
    assert found.shape == (2, 3, 3) and cut == 1
    assert found[:, :, 0].tolist() == [[1, 1, 1], [9, 9, 9]] and found[:, :, 1].tolist() == [[1, 2, 3]] * 2


def test_a_template_is_filled_with_each_word() -> None:
    question = Question(("a", "bbb"), ("no {}", "{}!"), "single", has_prior=True, entailment=1)
    found = ask_template(STUB, ["t"] * (CHUNK + 3), question, 1, 8)
    assert found.raw.shape == (CHUNK + 3, 2) and found.raw[0].tolist() == [2, 4] and found.template == "{}!"
    assert np.allclose(np.exp(found.prior).sum(), 1) and found.texts_per_s > 0
    assert np.allclose(found.scores(has_prior=True), found.raw - found.prior)


def test_pairs_are_answered_in_the_order_of_the_datas_classes() -> None:
    found = pair_logits(STUB, ["abc"], ["de"], ["contradiction", "entailment", "neutral"], 8)
    assert found.raw.tolist() == [[0, 3, 2]]
