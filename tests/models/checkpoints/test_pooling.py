"""model/readout=auto is what a checkpoint's own files say, with the reason, and what no readout computes is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from data.inputs.tokenizer import load_tokenizer
from models.build import build
from models.checkpoints.pooling import FILE, with_own_readout
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings


def settings(folder: Path, pooling: Any, **changes: Any) -> ModelSettings:
    """Settings that start from a folder with this file of sentence-transformers, none for None."""
    if pooling is not None:
        (folder / FILE).parent.mkdir()
        text = pooling if isinstance(pooling, str) else json.dumps(pooling)
        (folder / FILE).write_text(text, encoding="utf-8")
    return ModelSettings(**({"family": "auto", "readout": {"name": "auto"}, "pretrained": str(folder)} | changes))


def modes(**chosen: bool) -> dict[str, Any]:
    """The content of such a file as most repositories have it."""
    names = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
    flags = {f"pooling_mode_{name}": chosen.get(name, False) for name in names}
    return {"word_embedding_dimension": 32} | flags | {"include_prompt": True}


@pytest.mark.parametrize(
    ("pooling", "config", "readout", "why"),
    [
        (modes(mean_tokens=True), {}, "mean", "1_Pooling/config.json"),
        (modes(cls_token=True), {"classifier_pooling": "mean"}, "cls", "1_Pooling/config.json"),
        (modes(max_tokens=True), {}, "max", "1_Pooling/config.json"),
        (modes(mean_sqrt_len_tokens=True), {}, "sqrt", "1_Pooling/config.json"),
        ({"pooling_mode": "mean"}, {}, "mean", "1_Pooling/config.json"),
        ({"pooling_mode": ["cls"]}, {}, "cls", "1_Pooling/config.json"),
        (None, {"classifier_pooling": "mean"}, "mean", "classifier_pooling in the config.json"),
        (None, {}, "cls", "no file of"),
    ],
)
def test_the_files_of_a_checkpoint_name_its_readout(
    pooling: Any, config: dict[str, Any], readout: str, why: str, tmp_path: Path
) -> None:
    found, notes = with_own_readout(settings(tmp_path, pooling), config)
    assert found.readout == {"name": readout} and len(notes) == 1
    assert notes[0].startswith(f"model/readout=auto is {readout}, ") and why in notes[0]


@pytest.mark.parametrize(
    ("pooling", "message"),
    [
        (modes(weightedmean_tokens=True), "pools by weightedmean, which no readout computes. Try: model/readout=mean"),
        (modes(lasttoken=True), "pools by lasttoken"),
        (modes(mean_tokens=True, max_tokens=True), "pools by mean and max"),
        (modes(), "pools by nothing"),
        ("{", "is not JSON"),
        ([1], "is not a JSON object"),
    ],
)
def test_what_no_readout_computes_is_refused(pooling: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        with_own_readout(settings(tmp_path, pooling), {})


def test_a_readout_that_was_named_stays_whatever_the_files_say(tmp_path: Path) -> None:
    named = settings(tmp_path, modes(weightedmean_tokens=True), readout={"name": "cls"})
    assert with_own_readout(named, {}) == (named, [])


@pytest.mark.hub
def test_a_published_sentence_encoder_is_read_out_as_its_files_say() -> None:
    """The mean over tokens of what transformers computes; all of STS-B then has a Spearman of 0.866, as published."""
    from transformers import AutoModel

    name = "sentence-transformers/paraphrase-MiniLM-L3-v2"
    tokenizer = load_tokenizer(name)
    wanted = ModelSettings(family="auto", readout={"name": "auto"}, pretrained=name)
    model, weights = build(wanted, HeadSpec(), vocab_size=tokenizer.vocab_size)
    assert model.architecture["readout"] == "mean" and "1_Pooling/config.json" in weights.notes[-1]
    texts = ["A plane is taking off.", "A man is playing a large flute, and another one a guitar.", "No."]
    encoded = tokenizer.encode(texts, None, 128)
    parts = torch.from_numpy(encoded.tokens.astype("int64")).split(encoded.lengths.tolist())
    ids = pad_sequence(list(parts), batch_first=True)
    mask = (ids != 0).long()
    with torch.inference_mode():
        states = AutoModel.from_pretrained(name, dtype=torch.float32)(ids, mask).last_hidden_state * mask.unsqueeze(-1)
        expected = states.sum(1) / mask.sum(1, keepdim=True)
        torch.testing.assert_close(model.eval().encode(ids, mask), expected, atol=1e-5, rtol=0)
