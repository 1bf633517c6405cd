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
        ([1], "is no JSON object"),
    ],
)
def test_what_no_readout_computes_is_refused(pooling: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        with_own_readout(settings(tmp_path, pooling), {})


def test_a_readout_that_was_named_stays_whatever_the_files_say(tmp_path: Path) -> None:
    named = settings(tmp_path, modes(weightedmean_tokens=True), readout={"name": "cls"})
    assert with_own_readout(named, {}) == (named, [])


@pytest.mark.hub
def test_a_published_sentence_encoder_read_out_as_its_files_say_judges_similarity_as_published() -> None:
    from datasets import load_dataset
    from scipy.stats import spearmanr

    name = "sentence-transformers/paraphrase-MiniLM-L3-v2"
    tokenizer = load_tokenizer(name)
    wanted = ModelSettings(family="auto", readout={"name": "auto"}, pretrained=name)
    model, weights = build(wanted, HeadSpec(), vocab_size=tokenizer.vocab_size)
    model.eval()
    assert model.architecture["readout"] == "mean" and "1_Pooling/config.json" in weights.notes[-1]
    rows: Any = load_dataset("nyu-mll/glue", "stsb", split="validation")

    @torch.inference_mode()
    def vectors(texts: list[str]) -> torch.Tensor:
        encoded = tokenizer.encode(texts, None, 128)
        parts = torch.from_numpy(encoded.tokens.astype("int64")).split(encoded.lengths.tolist())
        order = sorted(range(len(parts)), key=lambda row: len(parts[row]))
        found = torch.zeros(len(parts), 384)
        for start in range(0, len(order), 64):
            some = order[start : start + 64]
            ids = pad_sequence([parts[row] for row in some], batch_first=True)
            found[some] = model.encode(ids, (ids != 0).long())
        return found

    cosines = torch.cosine_similarity(vectors(list(rows["sentence1"])), vectors(list(rows["sentence2"])))
    assert spearmanr(cosines.numpy(), rows["label"]).statistic == pytest.approx(0.8658, abs=1e-3)
