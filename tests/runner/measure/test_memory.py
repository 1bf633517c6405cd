from __future__ import annotations

import subprocess
import sys

import pytest

from runner.measure.memory import peak_gpu_bytes, peak_resident_bytes


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_peak_memory_is_in_bytes_and_of_this_process_alone_and_remembers_what_was_freed() -> None:
    # Its own process, whose peak must not start at the peak of this one, which has loaded torch.
    code = (
        "from runner.measure.memory import peak_resident_bytes as peak\n"
        "before = peak(); block = bytearray(b'x' * 100_000_000); del block\n"
        "print(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 100e6 < int(done.stdout) < 250e6
    assert (peak_resident_bytes() or 0) > 1e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets a process restart its peak")
def test_the_peak_starts_again_after_another_run_in_the_process() -> None:
    code = (
        "from runner.measure.memory import peak_resident_bytes as peak, restart_peak\n"
        "before = peak(); block = bytearray(b'x' * 100_000_000); del block; high = peak()\n"
        "restart_peak(); print(high - before, peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    high, restarted = map(int, done.stdout.split())
    assert high > 100e6 > 50e6 > restarted


def test_without_a_gpu_there_is_no_peak_of_it() -> None:
    import torch

    if torch.cuda.is_initialized():
        pytest.skip("this process uses a GPU")
    assert peak_gpu_bytes() is None


def test_a_gpu_that_was_not_used_has_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    for held, expected in ((0, None), (4096, 4096)):
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda held=held: held)
        assert peak_gpu_bytes() == expected
