"""A part by its name, and the names of its tensors: saved folders hold them, so they may never change."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
import yaml

from models.build import build
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.parts import make_embedding, make_readout
from models.readouts.base import Readout
from models.settings import FRAMES, TOKEN_OPTIONS, WORD_READOUTS, ModelSettings, for_tokens, keeps_tokens
from tests.conftest import REPO

SHAPE: dict[str, Any] = {"layers": 4, "hidden": 32, "heads": 4, "intermediate": 48, "positions": 64}
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{place}" for place in range(86))]
# Of each readout, below `bert.pooler.`; a # stands for any number.
READOUTS = {
    "adapter_pool": "adapter.#.bias adapter.#.weight",
    "bi_encoder": "",
    "cls": "dense.bias dense.weight",
    "cls_layers": "dense.bias dense.weight mix.gamma mix.weight",
    "detect_parts": "dense.bias dense.weight depth norm.bias norm.weight",
    "layer_pool": "mix.gamma mix.weight",
    "max": "",
    "mean": "",
    "mean_std": "",
    "none": "",
    "mix_adapter": "adapter.#.bias adapter.#.weight mix.gamma mix.weight",
    "pair": "norm.bias norm.weight",
    "parasite": (
        "inline.#.bias inline.#.down.bias inline.#.down.weight inline.#.up.bias inline.#.up.weight inline.#.weight"
    ),
    "scalar_mix": "dense.bias dense.weight mix.gamma mix.weight",
    "sqrt": "",
    "sum": "",
    "sum_all": "",
    "xception": (
        "body.#.#.bias body.#.#.num_batches_tracked body.#.#.running_mean body.#.#.running_var body.#.#.weight "
        "body.#.around.#.bias body.#.around.#.num_batches_tracked body.#.around.#.running_mean "
        "body.#.around.#.running_var body.#.around.#.weight body.#.steps.#.#.bias body.#.steps.#.#.num_batches_tracked "
        "body.#.steps.#.#.running_mean body.#.steps.#.#.running_var body.#.steps.#.#.weight dense.bias dense.weight"
    ),
}
# Of each embedding, below `bert.embeddings.word_embeddings`.
EMBEDDINGS = {
    "band_convolution": ".convolution.bias .convolution.weight .first .projection.bias .projection.weight",
    "bigram": ".ends .pairs.weight .words.weight",
    "frames": ".first .projection.bias .projection.weight",
    "hash": "",
    "table": ".weight",
    "token_random": "",
}


def options(group: str, name: str) -> dict[str, Any]:
    """The options of a part's YAML, with numbers for what it takes from other settings."""
    read = yaml.safe_load((REPO / f"conf/model/{group}/{name}.yaml").read_text(encoding="utf-8"))
    given = {"stacked": 1}  # frames side by side; all others are lengths
    return {
        key: given.get(key, 64) if isinstance(value, str) and "${" in value else value for key, value in read.items()
    }


def names(prefix: str, **parts: Any) -> str:
    features = {"tokenizer": "log_mel"} if parts.get("embedding", {}).get("name") in FRAMES else {}
    settings = ModelSettings(**SHAPE, **parts, **features)
    head = HeadSpec("token" if keeps_tokens(settings.readout) else "text", 3)
    model, _ = build(settings, head, vocab_size=len(TOKENS), pad_id=0, tokens=lambda: TOKENS)
    found = {name.removeprefix(prefix) for name in model.state_dict() if name.startswith(prefix)}
    return " ".join(sorted({re.sub(r"\d+", "#", name) for name in found}))


@pytest.mark.parametrize("name", READOUTS)
def test_the_tensors_of_a_readout_keep_their_names(name: str) -> None:
    family = "dsn" if name == "pair" else "bert"
    assert names("bert.pooler.", family=family, readout=options("readout", name)) == READOUTS[name]


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_the_tensors_of_an_embedding_keep_their_names(name: str) -> None:
    assert names("bert.embeddings.word_embeddings", embedding=options("embedding", name)) == EMBEDDINGS[name]


def test_the_lists_of_parts_in_this_file_are_complete() -> None:
    for group, known in (("readout", READOUTS), ("embedding", EMBEDDINGS)):
        assert {path.stem for path in (REPO / f"conf/model/{group}").glob("[!_]*.yaml")} - {"auto"} == set(known)


@pytest.mark.parametrize("name", READOUTS)
def test_every_readout_gives_a_vector_of_its_width_for_each_text_or_token(name: str) -> None:
    readout = make_readout(options("readout", name), 32, 4).eval()
    assert isinstance(readout, Readout)
    states = [torch.randn(3, 7, 32) for _ in range(5)]
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])
    assert readout.keeps_tokens == keeps_tokens(options("readout", name)) == (name == "none")
    width = 32 if readout.width is None or readout.reads_apart else readout.width  # of a text before the comparison
    assert readout.read_out(states, mask).shape == ((3, 7, 32) if name == "none" else (3, width))
    if readout.first is not None:  # then the last layer computes no others
        cut = [*states[:-1], states[-1][:, : readout.first]]
        torch.testing.assert_close(readout.read_out(cut, mask), readout.read_out(states, mask), rtol=0, atol=0)


@pytest.mark.parametrize("name", READOUTS)
def test_the_form_for_tokens_gives_a_vector_of_its_width_for_each_token(name: str) -> None:
    part = for_tokens(options("readout", name))
    assert (part is None) == (name not in {*TOKEN_OPTIONS, *WORD_READOUTS, "cls", "max"})
    if part is not None:
        readout = make_readout(part, 32, 4).eval()
        assert keeps_tokens(part) and readout.keeps_tokens and readout.first is None and readout.longest is None
        states = [torch.randn(3, 7, 32) for _ in range(5)]
        mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])
        found = readout.read_out(states, mask)
        assert found.shape == (3, 7, readout.width or 32)
        alone = readout.read_out([state[1:2, :4] for state in states], None)  # a row does not read its padding
        torch.testing.assert_close(found[1:2, :4], alone)
        some = readout.read_out([state.flatten(0, 1)[[3, 8]] for state in states], None)  # single tokens
        torch.testing.assert_close(some, found.flatten(0, 1)[[3, 8]])


@pytest.mark.parametrize("name", ["base", "layer_mix", "pooling", "nobody"])
def test_a_file_that_is_no_readout_is_refused_as_unknown(name: str) -> None:
    with pytest.raises(ModelError, match=f"model/readout={name}: no such model/readout. Try: run list model/readout"):
        make_readout({"name": name}, 32, 4)


def test_an_unknown_option_is_refused_with_the_file_that_lists_them() -> None:
    with pytest.raises(ModelError, match=r"Its options are in conf/model/embedding/bigram.yaml"):
        make_embedding({"name": "bigram", "bucket": 3}, 90, 32, 0, None)
