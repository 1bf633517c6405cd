"""The `measure` config group: what is counted and timed after training. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class MeasureSettings:
    """Settings of `measure_model`; use the same ones for all models in a comparison."""

    description: str = ""
    enabled: bool = True  # false: nothing is timed; parameters, bytes and multiply-adds are still counted
    batch_sizes: list[int] = field(default_factory=lambda: [1, 32], metadata={"low": 1})  # rows per call
    lengths: list[int] = field(default_factory=lambda: [128], metadata={"low": 1})  # tokens, no padding
    data_rows: bool = True  # also time real rows of the reported split, padded as evaluation pads them
    threads: int = field(default=1, metadata={"low": 1, "high": 1024})  # of torch, while timing
    min_time_s: float = field(default=0.3, metadata={"above": 0.0})  # per model and cell, over all rounds
    rounds: int = field(default=5, metadata={"low": 3})  # interleaved blocks per cell
    onnx: bool = False  # also time the graphs of `run export`, fp32 and int8
    baseline: str | None = "bert-tiny"  # preset timed for comparison, with random weights; null: none
