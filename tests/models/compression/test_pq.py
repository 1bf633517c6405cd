"""Product codes in a model: smaller than int8, the file as good as the model, and refused where int8 is smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from models.compression.pq import Pq
from models.compression.quantization.coded import CodedTable
from models.compression.quantization.product import ProductCodes
from models.compression.settings.quantization import Pq as Options
from models.compression.settings.quantization import WeightOnly as Int8
from models.compression.weight_only import WeightOnly
from models.errors import ModelError
from runner.measure.size import bytes_file, bytes_packed
from tests.models.compression.row_context import answers, applied, reopened
from tests.models.helpers import small


def wide() -> Any:
    return small(vocab_size=2000, layers=1)


def test_a_large_table_is_smaller_than_in_int8_and_the_saved_folder_answers_alike(tmp_path: Path) -> None:
    plain = answers(wide())
    model, _ = applied(Pq(Options(dsub=2)), wide())
    words, places = model.bert.embeddings.word_embeddings, model.bert.embeddings.position_embeddings
    assert isinstance(words.coded, ProductCodes) and isinstance(places, CodedTable)
    assert not isinstance(places.coded, ProductCodes), "64 positions are fewer than 256 centres"
    assert bytes_packed(model) < bytes_packed(applied(WeightOnly(Int8()), wide())[0])
    again = reopened(model, tmp_path / "model")
    assert torch.equal(answers(again), answers(model))
    assert 0 < bytes_file(tmp_path / "model") - bytes_packed(model) < 16_384
    assert 0 < float((answers(model) - plain).abs().max()) < 1


@pytest.mark.parametrize(
    ("options", "model", "message"),
    [
        ({"dsub": 4}, {"vocab_size": 2000, "hidden": 6, "heads": 2, "layers": 1}, "6 numbers cannot be split"),
        ({}, {"vocab_size": 255}, "255 rows has fewer rows than the 256 centres"),
        ({}, {"vocab_size": 600}, r"600 rows of 32 take 27,\d+ bytes in product codes and 22,200 in int8"),
    ],
)
def test_tables_that_int8_makes_smaller_are_refused(
    options: dict[str, Any], model: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=rf"{message}.*Try: 'compression=\[int8\]'"):
        Pq(Options(**options), "pq").check(small(**model))


def test_a_bag_of_two_numbers_a_word_can_have_codes_of_one() -> None:
    bag = small(family="dsn", readout={"name": "mean"}, hidden=2, vocab_size=2000)
    Pq(Options(dsub=1), "pq").check(bag)
    model, _ = applied(Pq(Options(dsub=1)), bag)
    assert isinstance(model.bert.embeddings.word_embeddings.coded, ProductCodes)


def test_a_pruned_table_is_refused_because_centres_are_no_zeros() -> None:
    model = wide()
    model.architecture["pruned"] = ["bert.encoder.layer.0.output.dense", "bert.embeddings.position_embeddings"]
    Pq(Options()).check(model)
    model.architecture["pruned"] = ["bert.embeddings.word_embeddings"]
    with pytest.raises(ModelError, match=r"the table bert\.embeddings\.word_embeddings is pruned\. Try: 'compression="):
        applied(Pq(Options(), "pq"), model)
