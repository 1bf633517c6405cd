"""Few-bit weights: exact sizes, the file as good as the model, look-ups and fast paths unharmed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.compression.quantization.coded import CodedLinear, CodedTable
from models.compression.settings.quantization import WeightOnly as Options
from models.compression.weight_only import WeightOnly
from runner.measure.params import count_params
from runner.measure.size import bytes_file, bytes_packed, bytes_unpacked
from tests.models.compression.row_context import Rows, answers, applied, reopened
from tests.models.helpers import batch, small


def packed(model: Any = None, **options: Any) -> tuple[Any, Rows]:
    return applied(WeightOnly(Options(**options)), model or small())


@pytest.mark.parametrize("per", ["tensor", "row", "group"])
@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_the_stored_bytes_are_those_of_the_formula(bits: int, per: str) -> None:
    model = small()
    linear = {name: m.weight for name, m in model.named_modules() if type(m) is nn.Linear}
    tables = [m.weight for m in model.modules() if type(m) is nn.Embedding]
    rest = sum(p.numel() for p in model.parameters()) - sum(w.numel() for w in [*linear.values(), *tables])
    ranges = {"tensor": lambda w: 1, "row": len, "group": lambda w: w.numel() // 16}[per]
    bits_linear = sum(w.numel() * bits + ranges(w) * (32 + 8) for w in linear.values())
    bits_tables = sum(w.numel() * 4 + len(w) * (32 + 8) for w in tables)
    model, _ = packed(model, bits=bits, per=per, group=16, scheme="affine", embedding_bits=4)
    assert bytes_packed(model) * 8 == bits_linear + bits_tables + rest * 32


@pytest.mark.parametrize(
    "options",
    [{"bits": 8}, {"bits": 4, "scheme": "affine", "per": "group", "group": 16, "embedding_bits": 4}, {"bits": 3}],
    ids=["int8", "int4", "int3"],
)
def test_the_saved_folder_gives_the_same_answers_bit_for_bit(tmp_path: Path, options: dict[str, Any]) -> None:
    model, _ = packed(**options)
    again = reopened(model, tmp_path / "model")
    assert torch.equal(answers(again), answers(model))
    header = 16_384  # names and shapes
    assert bytes_packed(model) <= bytes_file(tmp_path / "model") < bytes_packed(model) + header


def test_transformers_opens_a_folder_of_codes(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    model, _ = packed(bits=4, scheme="affine")
    reopened(model, tmp_path / "model")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    assert torch.equal(theirs(**batch()).logits, answers(model))


def test_the_layers_compute_what_their_rounded_weights_compute() -> None:
    """Also the last layer, which multiplies keys and values in another order."""
    model, _ = packed(bits=4, scheme="affine")
    plain = small(seed=1)
    state = dict(model.named_parameters())
    for name, module in model.named_modules():
        if isinstance(module, CodedLinear | CodedTable):
            state[f"{name}.weight"] = module.decoded_weight()
    plain.load_state_dict(state)
    assert model.bert.encoder.layer[-1].attention.self.is_plain()
    torch.testing.assert_close(answers(model), answers(plain), atol=1e-6, rtol=0)


def test_a_model_that_answered_in_inference_mode_can_still_stand_below_a_trained_one() -> None:
    model, _ = packed(bits=8)
    with torch.inference_mode():
        model(**batch())
    model(**batch()).sum().backward()


def test_rounded_weights_count_as_the_parameters_they_stand_for() -> None:
    before = count_params(small())
    model, _ = packed(bits=8)
    after = count_params(model)
    assert (after.total, after.trained, after.embeddings) == (before.total, before.trained, before.embeddings)
    linear = [m for m in model.modules() if isinstance(m, CodedLinear)]
    assert bytes_unpacked(model) == sum(4 * m.decoded_weight().numel() for m in linear)


def test_the_record_says_what_rounding_did_and_that_no_kernel_is_behind_it() -> None:
    found = {bits: packed(bits=bits, scheme="affine", embedding_bits=bits)[1] for bits in (2, 4, 8)}
    assert found[8].facts["quantize/kernel"] == 0
    assert "no kernel" in found[8].said[0]
    assert (
        found[8].facts["quantize/snr_db"] > 30 > found[4].facts["quantize/snr_db"] > found[2].facts["quantize/snr_db"]
    )
    differences = [found[bits].facts["quantize/logit_difference"] for bits in (2, 4, 8)]
    assert differences == sorted(differences, reverse=True) and differences[-1] > 0
    assert 8 < found[8].facts["quantize/bits_per_weight"] < 10  # 32-wide rows with a step and a zero each
    assert 0.9 < found[8].facts["quantize/params_share"] < 1


def test_narrow_tables_get_smaller_with_a_range_for_a_block_of_rows(tmp_path: Path) -> None:
    bag = {"family": "dsn", "readout": {"name": "mean"}, "hidden": 2, "vocab_size": 1000}
    rows, found = packed(small(**bag), embedding_bits=4)
    assert (
        "narrow rows take more bytes than their codes. Try: compression.weight_only.embedding_block=64"
        in found.said[-1]
    )
    blocks, found = packed(small(**bag), embedding_bits=4, embedding_block=64)
    assert not any("narrow" in line for line in found.said)
    words = [model.bert.embeddings.word_embeddings.state_dict() for model in (rows, blocks)]
    sizes = [sum(tensor.nbytes for tensor in state.values()) for state in words]
    assert sizes == [1000 * (1 + 5), 1000 + 16 * 5]
    assert torch.equal(answers(reopened(blocks, tmp_path / "model"), vocab_size=1000), answers(blocks, vocab_size=1000))


def test_groups_of_a_tables_row_have_their_own_ranges(tmp_path: Path) -> None:
    model, _ = packed(embedding_bits=4, embedding_group=8)
    words = model.bert.embeddings.word_embeddings
    assert words.coded.step.shape == (90, 4)
    assert torch.equal(answers(reopened(model, tmp_path / "model")), answers(model))


def test_options_that_were_added_later_are_not_in_older_models_descriptions() -> None:
    model, _ = packed(bits=8)
    assert not {"block", "qat", "embedding_block"} & model.architecture["compressed"][0].keys()
    model, _ = packed(bits=8, embedding_block=2)
    assert model.architecture["compressed"][0]["embedding_block"] == 2
