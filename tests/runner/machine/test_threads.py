"""Threads: chosen by the model's size and the number of runs side by side, never by what was inherited."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.machine import threads

CHECK = """
from runner.machine.threads import set_threads
set_threads({count})
import torch
print(torch.get_num_threads())
"""


@pytest.mark.parametrize(
    ("model", "jobs", "expected"),
    [("dsn", 1, 1), ("bert-tiny", 1, 1), ("bert-mini", 1, 1), ("bert-small", 1, 4), ("bert-small", 2, 3),
     ("bert-small", 4, 1), ("bert-base", 20, 1)],
)  # fmt: skip
def test_wide_models_share_the_cores_among_the_jobs(
    model: str, jobs: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 6)
    settings = resolve(compose([f"model={model}", "data=demo"]), jobs)
    assert settings.train.threads == expected


def test_the_users_number_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)
    assert resolve(compose(["model=bert-base", "data=demo", "train.threads=7"]), 4).train.threads == 7


def test_torch_gets_the_number_whatever_the_environment_said() -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "3"}
    found = subprocess.run(
        [sys.executable, "-c", CHECK.format(count=2)], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["2"]


def test_numpy_gets_the_number_though_it_was_loaded_before() -> None:
    code = (
        "import numpy, scipy.linalg\nfrom threadpoolctl import threadpool_info\n"
        "from runner.machine.threads import set_threads\nset_threads(1)\n"
        "print(sorted({pool['num_threads'] for pool in threadpool_info()}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"OPENBLAS_NUM_THREADS": "3", "OMP_NUM_THREADS": "3"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "[1]"
