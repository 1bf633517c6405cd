"""The model card: what the shares of an answer mean."""

from __future__ import annotations

import pytest

from runner.record.model_card import model_card, probabilities
from runner.record.record import RunRecord
from tests import records
from tests.records import record_json

FITTED = {"method": "temperature", "temperature": 1.25, "split": "val", "rows": 2500}


def a_record(error: float | None, **facts: object) -> RunRecord:
    content = record_json()
    if error is not None:
        content["metrics"] |= {"test/ece": error, "test/ece_floor_95": 0.02}
    return RunRecord.from_json(content | ({"calibration": facts} if facts else {}))


@pytest.mark.parametrize(
    ("error", "words"), [(0.015, "no miscalibration is visible"), (0.034, "they are off by about 0.03 on average")]
)
def test_a_calibrated_model_has_probabilities_with_their_error(error: float, words: str) -> None:
    said = probabilities(a_record(error, **FITTED))
    assert "softmax(logits / 1.25), fitted on 2,500 rows of val (calibration.json)" in said and words in said
    assert f"(ECE {error:.4f}, by chance alone up to 0.0200)" in said
    assert said in model_card(a_record(error, **FITTED), "AutoModelForSequenceClassification")


def test_other_models_have_scores_or_nothing_to_say() -> None:
    refused = probabilities(a_record(0.1, method="none", temperature=1.0, reason="no mistake"))
    assert refused.startswith("Label scores are not probabilities: no mistake.")
    assert probabilities(a_record(None)) == "" and probabilities(a_record(0.1)) == ""
    vector = a_record(0.01, **FITTED | {"method": "vector", "weights": [1.0], "shifts": [0.0]})
    assert "softmax(weights * logits + shifts)" in probabilities(vector)


def test_the_card_says_what_must_be_imported_to_open_the_model() -> None:
    ours, stock = (model_card(a_record(None), "AutoModelForSequenceClassification", own) for own in (True, False))
    assert "after `import bertier`" in ours and "import" not in stock.partition("| metric")[0]


def test_the_card_says_which_part_of_a_long_text_is_read() -> None:
    record = a_record(None)
    assert "removed beforehand" not in model_card(record, "AutoModelForSequenceClassification")
    record.config["data"] |= {"truncate": "middle", "max_length": 128}
    said = model_card(record, "AutoModelForSequenceClassification")
    assert "Of more than 128 tokens, `run predict` reads the first 64 and the last 64; elsewhere" in said


def test_the_card_names_no_folder_of_this_machine() -> None:
    words = ["data=files", "data.path=/home/ada/reviews.csv", "paths.output=/mnt/x"]
    said = model_card(records.a_record(overrides=words), "AutoModelForSequenceClassification")
    assert "`run data=files data.path=reviews.csv`" in said and "/mnt" not in said and "/home" not in said
