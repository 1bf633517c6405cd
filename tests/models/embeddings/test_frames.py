"""Frames of sound in place of tokens: sizes, the first vector, padding, batches, files and graphs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.checkpoints.open import load_model
from models.embeddings.frames import Frames
from models.errors import ModelError
from models.onnx.graph import OnnxModel, write_onnx
from models.onnx.int8 import quantize_graph
from tests.models.checkpoints.test_save import write
from tests.models.sounds import KINDS, WIDTH, frames, of_sounds


def test_the_first_frame_of_a_row_is_replaced_by_a_learned_vector_wherever_rows_begin() -> None:
    made = Frames(WIDTH, 4, 0, None, project=True, first=True)
    torch.nn.init.normal_(made.first)
    inputs = frames(3, 3)["input_ids"]
    found = made(inputs)
    assert torch.equal(found[:, 0], made.first.expand(2, 4)) and torch.equal(
        found[:, 1:], made.projection(inputs)[:, 1:]
    )
    end_to_end = made.at_places(inputs.flatten(0, 1), torch.tensor([0, 1, 2, 0, 1, 2]))
    assert torch.equal(end_to_end.view(2, 3, 4), found)


def test_without_a_projection_a_vector_is_the_frame_and_the_model_as_wide() -> None:
    inputs = frames(3)["input_ids"]
    assert torch.equal(Frames(WIDTH, WIDTH, 0, None, project=False, first=False)(inputs), inputs)
    with pytest.raises(ModelError, match=rf"frames are {WIDTH} wide, but the model 4. Try: model.hidden={WIDTH}"):
        Frames(WIDTH, 4, 0, None, project=False, first=False)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_never_changes_a_logit_and_a_row_alone_is_that_row_of_a_batch(kind: str) -> None:
    model, inputs = of_sounds(kind), frames(13, 4, 9, 1, 12, 7, 13, 2)
    with torch.inference_mode():
        together = model(**inputs)
        for row, length in enumerate(inputs["attention_mask"].sum(1).tolist()):
            alone = model(inputs["input_ids"][row : row + 1, :length])
            torch.testing.assert_close(alone, together[row : row + 1], atol=1e-6, rtol=1e-5)
        changed = inputs["input_ids"] + 100.0 * (1 - inputs["attention_mask"]).unsqueeze(-1)
        torch.testing.assert_close(model(changed, inputs["attention_mask"]), together, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_gives_the_same_logits(kind: str, tmp_path: Path) -> None:
    model, inputs = of_sounds(kind), frames(13, 4, 9)
    again = load_model(write(model, tmp_path / "model"))
    with torch.inference_mode():
        assert torch.equal(again(**inputs), model(**inputs))


@pytest.mark.parametrize("kind", ["tiny mean_std", "cnn"])
def test_a_graph_gives_the_same_logits_and_its_int8_almost(kind: str, tmp_path: Path) -> None:
    model, inputs = of_sounds(kind), frames(13, 4, 9)
    write_onnx(model, tmp_path / "model.onnx")
    quantize_graph(tmp_path / "model.onnx", tmp_path / "int8.onnx", model)
    graph, rounded = (OnnxModel(tmp_path / name, threads=1) for name in ("model.onnx", "int8.onnx"))
    assert graph.names == ["features", "attention_mask"]
    with torch.inference_mode():
        logits, one = model(**inputs), inputs["input_ids"][:1, :1]
        torch.testing.assert_close(graph(**inputs), logits, atol=1e-5, rtol=0)
        torch.testing.assert_close(graph(one), model(one), atol=1e-5, rtol=0)
        assert 0 < (rounded(**inputs) - logits).abs().max() < 0.1 * logits.std() + 0.05
