"""Masked language models of transformers give the same probabilities, and are refused without their whole head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForMaskedLM

from models.checkpoints.foreign_masked_lm import open_foreign_masked_lm
from models.errors import ModelError

SIZES = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 48,
         "max_position_embeddings": 40}  # fmt: skip
KINDS: dict[str, tuple[dict[str, Any], str, int]] = {  # settings, a part of the head, positions for text
    "roberta": (SIZES, "lm_head.dense.weight", 38),
    "distilbert": (
        {"vocab_size": 60, "dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 40},
        "vocab_transform.weight", 40,
    ),
    "electra": (SIZES | {"embedding_size": 16}, "generator_predictions.dense.weight", 40),
}  # fmt: skip


def saved(kind: str, folder: Path) -> tuple[Any, dict[str, Any], dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(kind, **KINDS[kind][0])).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    return model, json.loads((folder / "config.json").read_text()), load_file(folder / "model.safetensors")


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_equal_those_of_the_whole_output(kind: str, tmp_path: Path) -> None:
    model, config, state = saved(kind, tmp_path)
    found = open_foreign_masked_lm(config, state, "here")
    ids, places, words = torch.randint(5, 60, (3, 9)), torch.tensor([1, 5, 12, 20]), torch.randint(5, 60, (4,))
    with torch.no_grad():
        whole = model(input_ids=ids).logits.flatten(0, 1)[places].log_softmax(-1)
        torch.testing.assert_close(
            found(ids, places).log_likelihoods(words), whole.gather(1, words[:, None]).squeeze(1)
        )  # fmt: skip
    assert found.architecture == {"hidden_size": 32, "max_position_embeddings": KINDS[kind][2]}
    assert found.table().shape[0] == 60


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_the_head_that_is_missing_is_refused(kind: str, tmp_path: Path) -> None:
    _, config, state = saved(kind, tmp_path)
    del state[KINDS[kind][1]]
    with pytest.raises(ModelError, match=rf"here: has no complete masked-word head: it lacks {KINDS[kind][1]}"):
        open_foreign_masked_lm(config, state, "here")


def test_a_model_that_generates_text_and_nonsense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a gpt2 is not a text encoder"):
        open_foreign_masked_lm({"model_type": "gpt2"}, {}, "here")
    with pytest.raises(ModelError, match="do not describe a valid model"):
        open_foreign_masked_lm({"model_type": "roberta", **SIZES, "num_attention_heads": "many"}, {}, "here")


@pytest.mark.parametrize(
    ("kind", "more"),
    [("mobilebert", {"embedding_size": 16, "intra_bottleneck_size": 16}), ("esm", {"pad_token_id": 1})],
)
def test_heads_that_add_to_the_scores_of_their_table_are_refused(kind: str, more: dict[str, Any]) -> None:
    config = {"model_type": kind, **SIZES, **more}
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(kind, **SIZES, **more))
    state = {
        name: torch.randn_like(tensor) for name, tensor in model.state_dict().items() if tensor.is_floating_point()
    }
    with pytest.raises(ModelError, match=f"here: the scores of a {kind} are not the product with its output table"):
        open_foreign_masked_lm(config, state, "here")
