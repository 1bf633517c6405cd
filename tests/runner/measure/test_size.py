from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_model
from torch import nn

from runner.measure.size import bitmask_bytes, bytes_deployed, bytes_file, bytes_packed, bytes_sparse, csr_bytes
from runner.record.calibration import FILE as CALIBRATION_FILE
from tests.models.helpers import small


def test_packed_bytes_follow_the_width_of_each_number() -> None:
    model = nn.Linear(8, 2)
    assert bytes_packed(model) == (16 + 2) * 4
    assert bytes_packed(model.half()) == (16 + 2) * 2


def test_stored_integer_codes_count_and_scratch_buffers_do_not() -> None:
    model = nn.Linear(8, 2, bias=False)
    model.register_buffer("codes", torch.zeros(100, dtype=torch.int8))
    model.register_buffer("positions", torch.zeros(512), persistent=False)
    assert bytes_packed(model) == 16 * 4 + 100


def test_shared_weights_take_their_bytes_once() -> None:
    table, head = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
    head.weight = table.weight
    assert bytes_packed(nn.ModuleList([table, head])) == 160


def test_the_file_is_the_packed_bytes_and_a_small_header(tmp_path: Path) -> None:
    model = nn.Linear(1000, 10)
    save_model(model, str(tmp_path / "model.safetensors"))
    header = bytes_file(tmp_path) - bytes_packed(model)
    assert 0 < header < 1000
    assert bytes_file(tmp_path / "model.safetensors") == bytes_file(tmp_path)


def test_deployed_is_all_that_an_answer_needs_and_not_the_card(tmp_path: Path) -> None:
    save_model(nn.Linear(10, 10), str(tmp_path / "model.safetensors"))
    (tmp_path / "tokenizer.json").write_bytes(b"x" * 700)
    (tmp_path / "config.json").write_bytes(b"x" * 50)
    (tmp_path / "README.md").write_bytes(b"x" * 9000)
    assert bytes_deployed(tmp_path) == bytes_file(tmp_path) + 750
    (tmp_path / "model.bin").write_bytes(b"x" * 300)
    assert bytes_deployed(tmp_path) == 300, "one file with everything in it"


def test_the_calibration_beside_a_packed_file_is_deployed_too(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x" * 300)
    (tmp_path / "tokenizer.json").write_bytes(b"x" * 700)
    (tmp_path / CALIBRATION_FILE).write_bytes(b"x" * 40)
    assert bytes_deployed(tmp_path) == 340


def test_weights_in_several_files_count_together(tmp_path: Path) -> None:
    for name, size in (("model-1.safetensors", 30), ("model-2.safetensors", 12), ("config.json", 5)):
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"x" * 999)
    assert bytes_file(tmp_path) == 42 and bytes_deployed(tmp_path) == 47, "a folder in it is another form of the model"


def test_places_of_a_bit_mask_fill_whole_bytes() -> None:
    matrix = torch.zeros(3, 3, dtype=torch.float16)
    assert bitmask_bytes(matrix, 0) == 2 and bitmask_bytes(matrix, 4) == 4 * 2 + 2
    assert csr_bytes(matrix, 4) == 4 * 2 + 4 * 4 + 4 * 4, (
        "values, columns, and where each of three rows starts, and ends"
    )


def test_a_folder_without_weights_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        bytes_file(tmp_path)


def test_a_sparse_format_counts_where_it_is_smaller_than_dense() -> None:
    model = nn.Linear(64, 2)  # 128 weights, of which 4 stay
    dense = bytes_packed(model)
    assert bytes_sparse(model, bitmask_bytes) == bytes_sparse(model, csr_bytes) == dense
    with torch.no_grad():
        model.weight[:, 2:] = 0.0
    assert bytes_packed(model) == dense
    assert bytes_sparse(model, bitmask_bytes) == 4 * 4 + 128 // 8 + 2 * 4, "values, a bit for each place, the bias"
    assert bytes_sparse(model, csr_bytes) == 4 * (4 + 4) + 3 * 4 + 2 * 4, "values and columns, row starts, the bias"


def test_a_model_that_is_saved_in_16_bits_has_two_bytes_a_number_where_that_changes_none() -> None:
    model = small()
    full = bytes_packed(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
        model.classifier.bias.fill_(0.1)  # is not rounded
    model.architecture["compressed"] = [{"method": "weight_only", "rest": "fp16"}]
    assert bytes_packed(model) == full // 2 + 2 * model.classifier.bias.numel()
    assert bytes_sparse(model, csr_bytes) == bytes_packed(model)
