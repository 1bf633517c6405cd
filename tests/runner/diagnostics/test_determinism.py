"""The check that a run made again is the same: it passes here, and finds what is drawn without the seed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from models.backbones.dropout import dropout_generator
from runner.diagnostics import determinism
from runner.diagnostics.determinism import RunOutput, check_determinism, first_difference
from tests.conftest import run_cli

TINY = ["data.demo_rows=120", "model.layers=1", "model.hidden=32", "model.vocab_size=200", "train.batch_size=16"]


def test_a_run_made_again_here_and_in_another_process_is_the_same(tmp_path: Path) -> None:
    done = run_cli("doctor", "--determinism", *TINY, "train.precision=bf16", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "determinism: pass" in done.stdout and done.stdout.count("equal bit for bit") == 2
    assert "bf16" in done.stdout and "not covered" in done.stdout and not list(tmp_path.iterdir())


def test_what_does_not_follow_from_the_seed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropout_generator, "seed", lambda _seed: None)
    monkeypatch.setattr(determinism, "_elsewhere", determinism._here)
    found = check_determinism(TINY)
    assert "train/loss at step" in found.again and found.elsewhere


def test_mistakes_in_its_words_are_the_users(tmp_path: Path) -> None:
    done = run_cli("doctor", "--determinism", "train.threeds=2", cwd=tmp_path)
    assert done.returncode == 2 and "train.threads" in done.stderr and "Traceback" not in done.stderr


def made(weight: float = 0.5, loss: float = 1.0, answers: bytes = b"answers") -> RunOutput:
    return RunOutput({}, {"head": torch.tensor([1.0, weight])}, [{"step": 1, "train/loss": loss}], answers)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (made(), ""),
        (made(weight=math.nextafter(0.5, 1.0)), ""),  # float32 does not hold that
        (made(weight=0.5 + 2**-24), "parameters: head by up to 6.0e-08"),
        (made(loss=1.0 + 2**-52), "train/loss at step 1"),
        (made(answers=b"others"), "the answers on the reported split"),
    ],
)
def test_a_single_bit_is_a_difference(other: RunOutput, said: str) -> None:
    found = first_difference(made(), other)
    assert (said in found) if said else not found


def test_nan_equals_itself_and_signs_of_zero_do_not() -> None:
    assert not first_difference(made(loss=math.nan, weight=math.nan), made(loss=math.nan, weight=math.nan))
    assert "parameters" in first_difference(made(weight=0.0), made(weight=-0.0))
