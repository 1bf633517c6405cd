"""The encoder that is probed, and the one with random weights beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from runner.errors import ConfigError
from runner.probing.encoder import check_reads, open_subject, random_twin
from runner.record.folder import read_all_records
from runner.record.subject import Subject
from tests.conftest import run_cli


def test_the_random_encoder_has_the_shape_and_other_weights(place: Path, run_id: str) -> None:
    subject = Subject(str(place / "outputs" / run_id / "model"), "tiny")
    network, tokenizer = open_subject(subject)
    assert tokenizer.vocab_size <= 300
    twin, same, other = (random_twin(network, subject, seed) for seed in (0, 0, 1))
    assert twin is not None and same is not None and other is not None
    assert twin.bert.state_shape() == network.bert.state_shape()
    weight = "bert.encoder.layer.1.output.dense.weight"
    first = twin.state_dict()[weight]
    assert torch.equal(first, same.state_dict()[weight])
    assert not torch.equal(first, other.state_dict()[weight])
    assert not torch.equal(first, network.state_dict()[weight])


def test_a_compressed_model_has_no_random_one_beside_it(place: Path, run_id: str) -> None:
    subject = Subject(str(place / "outputs" / run_id / "model"), "tiny")
    network = open_subject(subject)[0]
    network.architecture["compressed"] = [{"method": "int8"}]
    assert random_twin(network, subject, 0) is None


def test_a_model_over_n_grams_has_no_layers(tmp_path: Path) -> None:
    done = run_cli(
        "model=ngram", "data=demo", "data.demo_rows=200", "measure=off", "tracker=none", f"paths.cache={tmp_path}",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (record,) = read_all_records(tmp_path / "outputs")[0]
    subject = Subject(str(tmp_path / "outputs" / record.identity / "model"), "n-grams", record=record)
    with pytest.raises(ConfigError, match="n-grams has no stack of layers"):
        open_subject(subject)


def test_a_model_of_texts_reads_no_sounds(place: Path, run_id: str) -> None:
    subject = Subject(str(place / "outputs" / run_id / "model"), "tiny")
    check_reads(subject, "data=demo", has_sounds=False)
    with pytest.raises(ConfigError, match=r"tiny reads texts, but data=esc10 has sounds\. Try: data of texts"):
        check_reads(subject, "data=esc10", has_sounds=True)
