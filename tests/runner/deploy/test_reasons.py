"""Exact reasons add up to the logit of an answer; others are the change of its share without a word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.inputs.marked_words import MARKED
from runner.deploy.bundle.calibration import Calibration
from runner.deploy.exported import ExportedModel, find_model
from runner.deploy.packed_predictor import PackedPredictor
from runner.deploy.predictor import Predictor
from runner.deploy.reasons import EXACT, LEFT_OUT, MOST_WORDS, exact_parts, find_reasons, method_of, ngrams_of
from tests.models.packed.golden import golden_content
from tests.runner.deploy.page.test_make import AWKWARD, random_model


def opened(folder: Path, content: bytes, labels: tuple[str, ...]) -> PackedPredictor:
    (folder / "model.bin").write_bytes(content)
    return PackedPredictor(
        ExportedModel(folder, "numpy", "dddd", "x", "classification", labels, ("text",), 1 << 30, "")
    )


@pytest.mark.parametrize(
    ("labels", "more"),
    [
        (("no", "yes"), {}),
        (("a", "b", "c"), {"mean": True}),
        (("no", "yes"), {"characters": [2, 4]}),
        (("a", "b", "c"), {"characters": [1, 3], "max_length": 3}),
        (("no", "yes"), {"characters": [2, 4], "token": MARKED}),
    ],
)
def test_exact_parts_and_the_bias_are_the_logits(
    tmp_path: Path, labels: tuple[str, ...], more: dict[str, object]
) -> None:
    predictor = opened(tmp_path, random_model(14, list(labels), **more), labels)
    model = ngrams_of(predictor)
    assert model is not None and method_of(predictor) == EXACT
    counted = 0
    for text in [*AWKWARD, "Good 👍🏽 naïve goods, good, not good"]:
        scores = np.array(predictor.model.scores([text])[0])
        bias = model.bias / model.temperature
        best = int(np.argmax(scores))
        parts = exact_parts(model, text, best)
        total = sum(part.adds for part in parts)
        if len(labels) == 2:
            wanted = (scores[1] - bias[0]) * (1 if best else -1)
        else:
            wanted = (scores - bias)[best] - (scores - bias).mean()
        assert total == pytest.approx(wanted, abs=1e-9), repr(text)
        for part in parts:
            assert all(0 <= start < end <= len(text) for start, end in part.spans)
        counted += len(parts)
    assert counted > 20


def test_the_golden_model_is_explained_by_its_words(tmp_path: Path) -> None:
    predictor = opened(tmp_path, golden_content(), ("neg", "pos"))
    text = "Good, not good"
    reasons = find_reasons(predictor, [text], predictor([text])[0])
    assert reasons and reasons.method == EXACT and "logit" in reasons.unit
    parts = {part.text: part for part in reasons.parts}
    assert reasons.parts[0].text == "not good" and parts["not good"].adds == pytest.approx(3.0)
    assert parts["good"].adds < 0, "good speaks against neg"
    assert [text[start:end] for start, end in parts["good"].spans] == ["Good", "good"]


@pytest.mark.parametrize("labels", [("no", "yes"), ("a", "b", "c")])
def test_reasons_are_for_the_calibrated_answer(tmp_path: Path, labels: tuple[str, ...]) -> None:
    content, text = random_model(14, list(labels)), "Good, not good"
    predictor = opened(tmp_path, content, labels)
    model, before = ngrams_of(predictor), predictor([text])[0]
    assert model is not None
    raw = find_reasons(predictor, [text], before)
    other = next(place for place, label in enumerate(labels) if label != before["prediction"])
    shifts = [float(place == other) for place in range(len(labels))]
    predictor.calibration = predictor.model.calibration = Calibration(
        {"method": "vector", "weights": [0.0] * len(labels), "shifts": shifts}
    )
    answer = predictor([text])[0]
    assert answer["prediction"] == labels[other] != before["prediction"]
    reasons = find_reasons(predictor, [text], answer)
    assert raw and reasons and reasons.parts
    assert {part.text: part.adds for part in reasons.parts} != {part.text: part.adds for part in raw.parts}
    assert reasons.parts == exact_parts(model, text, other)


def test_other_models_are_asked_again_without_each_word(output: Path) -> None:
    predictor = Predictor(find_model("aaaa", output, "torch"))
    text = "the film was lovely!"
    answer = predictor([text])[0]
    reasons = find_reasons(predictor, [text], answer)
    assert reasons and reasons.method == LEFT_OUT and len(reasons.parts) == 5
    label, sizes = answer["prediction"], [abs(part.adds) for part in reasons.parts]
    assert sizes == sorted(sizes, reverse=True)
    lovely = next(part for part in reasons.parts if part.text == "lovely")
    without = predictor(["the film was !"])[0]["probabilities"][label]
    difference = answer["probabilities"][label] - without
    assert lovely.adds == pytest.approx(difference, abs=1e-6)  # float32, in batches of other sizes
    assert lovely.spans == [(13, 19)]


def test_both_texts_of_a_pair_are_asked_without_their_words_and_long_ones_not_to_their_end(output: Path) -> None:
    predictor = Predictor(find_model("bbbb", output, "torch"))
    pair = ["a dog slept", "an animal slept"]
    reasons = find_reasons(predictor, pair, predictor([pair[0]], [pair[1]])[0])
    assert reasons and {(part.field, part.text) for part in reasons.parts} == {
        (0, "a"), (0, "dog"), (0, "slept"), (1, "an"), (1, "animal"), (1, "slept")
    }  # fmt: skip
    long = ["so " * 200, "x"]
    reasons = find_reasons(predictor, long, predictor([long[0]], [long[1]])[0])
    assert reasons and len(reasons.parts) == MOST_WORDS


def test_an_empty_text_has_no_reasons_and_tags_are_not_explained(output: Path, tmp_path: Path) -> None:
    predictor = Predictor(find_model("aaaa", output, "torch"))
    reasons = find_reasons(predictor, [""], predictor([""])[0])
    assert reasons and not reasons.parts
    golden = opened(tmp_path, golden_content(), ("neg", "pos"))
    reasons = find_reasons(golden, [""], golden([""])[0])
    assert reasons and not reasons.parts
    of_tags = replace(golden.answer_fields[0], type="text")
    golden.answer_fields = (of_tags,)  # type: ignore[misc]
    assert method_of(golden) == "" and find_reasons(golden, ["a"], {"prediction": "a"}) is None
