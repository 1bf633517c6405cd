"""bfloat16: half the bytes, near the float model, with every readout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from models.backbones.transformers_backbone import wrap_encoder
from models.build import build
from models.compression.bf16 import Bf16, cast_to_bf16
from models.compression.settings.quantization import Bf16 as Options
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.measure.size import bytes_packed
from tests.models.compression.row_context import answers, applied, reopened
from tests.models.families import FAMILIES
from tests.models.helpers import SMALL, small
from tests.models.onnx.test_graph import LETTERS
from tests.models.sounds import KINDS, frames, of_sounds

MIX = {
    "name": "scalar_mix", "mixed": "all", "embeddings": True, "normalize": "softmax", "gamma": True, "init": "uniform",
    "layer_norm": False, "dropout": 0.0, "layer_dropout": 0.0, "lr": None, "where": "before_pooler", "pooling": "cls",
}  # fmt: skip
MODELS: dict[str, dict[str, Any]] = {
    "cls": {},
    "mean": {"readout": {"name": "mean"}},
    "dsn": {"family": "dsn", "readout": {"name": "sqrt"}},
    "no norm": {"family": "dsn", "norm": "none", "readout": {"name": "mean"}},
    "scalar_mix": {"readout": MIX},
    "layer_pool": {"readout": {"name": "layer_pool", "weights": "learned", "pool": "masked_mean"}},
    "parasite": {"readout": {"name": "parasite", "size": 4, "reach": 2, "length": 64}},
    "bilstm": {"family": "bilstm", "readout": {"name": "mean"}},
    "xception": {"layers": 4, "hidden": 64, "readout": {"name": "xception", "kind": "residual"}},
}


@pytest.mark.parametrize("name", MODELS)
def test_half_the_bytes_and_nearly_the_same_answers(name: str, tmp_path: Path) -> None:
    before = small(**MODELS[name])
    model, rows = applied(Bf16(Options()), small(**MODELS[name]))
    scale = float(answers(before).abs().max())
    difference = float((answers(model).float() - answers(before)).abs().max())
    assert 0 < difference < 0.05 * max(scale, 0.1)
    assert rows.facts["quantize/logit_difference"] > 0
    if name in ("cls", "mean", "dsn"):
        assert bytes_packed(model) * 2 == bytes_packed(before)
    assert torch.equal(answers(reopened(model, tmp_path / "model")), answers(model))


def test_a_long_text_is_not_cut_short_by_the_type_of_its_sum() -> None:
    """A bfloat16 sum of 400 like vectors stops growing at 256 of them; with padding they are summed one by one."""
    changes = {"family": "dsn", "readout": {"name": "sum"}, "positions": 512}
    before, (model, _) = small(**changes), applied(Bf16(Options()), small(**changes))
    ids = torch.full((2, 400), 7)
    mask = torch.ones_like(ids)
    mask[1, 3:] = 0
    both = [m(ids, mask).detach().float()[0] for m in (before, model)]
    torch.testing.assert_close(both[1], both[0], rtol=0.02, atol=0.02 * float(both[0].abs().max()))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_sound_meet_weights_of_half_the_bytes(kind: str) -> None:
    model, inputs = of_sounds(kind), frames(7, 4)
    with torch.no_grad():
        before = model(**inputs)
        cast_to_bf16(model)
        after = model(**inputs).float()
    torch.testing.assert_close(after, before, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("family", ["bert", "bilstm", "dsn"])
def test_computed_word_vectors_meet_weights_of_half_the_bytes(family: str) -> None:
    settings = ModelSettings(**SMALL, family=family, embedding=LETTERS, norm="none", readout={"name": "mean"})
    words = [f"word{number}" for number in range(90)]
    model = build(settings, HeadSpec("text", 3), vocab_size=90, tokens=lambda: words)[0].eval()
    before = answers(model)
    cast_to_bf16(model)
    torch.testing.assert_close(answers(model).float(), before, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("family", ["ModernBert", "NomicBert"])
def test_the_frequencies_of_rotary_positions_stay_exact(family: str) -> None:
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    model = attach_head(*wrap_encoder(config.to_dict(), {"name": "mean"}, 0.1), HeadSpec(outputs=2)).eval()
    frequencies = {name: buffer.clone() for name, buffer in model.named_buffers() if "inv_freq" in name}
    before = answers(model)
    cast_to_bf16(model)
    found = dict(model.named_buffers())
    assert frequencies and all(torch.equal(found[name], value) for name, value in frequencies.items())
    torch.testing.assert_close(answers(model).float(), before, rtol=0.05, atol=0.05)
