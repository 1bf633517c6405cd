"""The costs and speed of a model, as the `cost/*` and `speed/*` metrics of runner/record/metrics.py.

    measure_model(model, splits.report[0], settings.measure, baseline=tiny, model_folder=folder)

Nothing here changes the model. The caller must keep other trainings from running during timing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from torch import nn

from data.splits import TokenSplit
from models.heads.exits import all_layers, exits_of
from runner.measure.embedding_modes import embedding_mode, models_in_other_modes
from runner.measure.exits import mean_macs
from runner.measure.inputs import Cell, Inputs, device_of, draw_batch, real_batches, to_device
from runner.measure.latency import LatencyReport, measure_latency
from runner.measure.macs import count_macs
from runner.measure.memory import peak_gpu_bytes, peak_resident_bytes
from runner.measure.onnx_variants import onnx_models
from runner.measure.params import count_params
from runner.measure.settings import MeasureSettings
from runner.measure.size import (
    bitmask_bytes,
    bytes_deployed,
    bytes_file,
    bytes_packed,
    bytes_regenerable,
    bytes_sparse,
    bytes_unpacked,
    csr_bytes,
)

STANDARD_LENGTH = 128  # the length at which MACs and latencies are usually published
_MODEL, _BASELINE = "model", "baseline"


def measure_model(
    model: nn.Module,
    split: TokenSplit,
    settings: MeasureSettings,
    *,
    baseline: nn.Module | None = None,
    model_folder: Path | None = None,
    positions: int | None = None,
    warn: Callable[[str], None] = warnings.warn,
) -> dict[str, float]:
    """Return the exact `cost/*` counts and, if enabled, the `speed/*` times and peak memory of a model.

    split: the reported split; inputs are made of its ids and lengths. baseline: a reference model timed in the same
    rounds; its tables must be large enough for the split's ids and lengths. model_folder: the saved model.
    positions: the longest input the model takes; longer ones are skipped. warn: is called for that, and for times that
    scatter too much.
    """
    metrics = count_costs(model, split, model_folder=model_folder, positions=positions)
    if settings.enabled:
        before = _peaks()
        metrics |= time_model(model, split, settings, baseline=baseline, positions=positions, warn=warn)
        metrics |= before if settings.onnx else _peaks()  # making graphs takes more memory than any prediction
    return metrics


def count_costs(
    model: nn.Module, split: TokenSplit, *, model_folder: Path | None = None, positions: int | None = None
) -> dict[str, float]:
    """Return the `cost/*` metrics that are exact counts: parameters, bytes, multiply-adds."""
    params = count_params(model)
    metrics: dict[str, float] = {
        "cost/params": params.total,
        "cost/params_trained": params.trained,
        "cost/params_deployed": params.deployed,
        "cost/params_nonzero": params.nonzero,
        "cost/params_embeddings": params.embeddings,
        "cost/bytes_packed": bytes_packed(model),
        "cost/bytes_bitmask": bytes_sparse(model, bitmask_bytes),
        "cost/bytes_csr": bytes_sparse(model, csr_bytes),
    }
    if unpacked := bytes_unpacked(model):
        metrics["cost/bytes_unpacked"] = unpacked
    modes = bytes_regenerable(model)
    if modes is not None:
        metrics |= {f"cost/bytes_regenerable_{mode}": count for mode, count in modes.items()}
        metrics["cost/bytes_ram"] = metrics["cost/bytes_packed"] + modes[embedding_mode(model)]
    if model_folder is not None:
        metrics["cost/bytes_deployed"] = bytes_deployed(model_folder)
        metrics["cost/bytes_file"] = bytes_file(model_folder)
    lengths = {"cost/macs": max(1, round(float(split.lengths.mean())))}
    if positions is None or positions >= STANDARD_LENGTH:
        lengths[f"cost/macs_s{STANDARD_LENGTH}"] = STANDARD_LENGTH
    for name, length in lengths.items():
        inputs = to_device(draw_batch(split, 1, length), device_of(model))
        with all_layers(model):  # early exits on random words mean nothing
            metrics[name] = count_macs(model, inputs)
    if exits_of(model):
        metrics["cost/macs"] = mean_macs(model, split)
    return metrics


def time_model(
    model: nn.Module,
    split: TokenSplit,
    settings: MeasureSettings,
    *,
    baseline: nn.Module | None = None,
    positions: int | None = None,
    warn: Callable[[str], None] = warnings.warn,
) -> dict[str, float]:
    """Return the `speed/*` metrics of the model, the baseline, its other modes and its ONNX graphs."""

    def make_batch(cell: Cell) -> list[Inputs]:
        if cell.length is None:
            return real_batches(split, cell.batch_size, settings.rounds)
        seeds = range(settings.rounds)  # other ids each round, the same ones for all models
        return [draw_batch(split, cell.batch_size, cell.length, seed=seed) for seed in seeds]

    lengths: list[int | None] = [n for n in settings.lengths if positions is None or n <= positions]
    if len(lengths) < len(settings.lengths):
        warn(f"measure.lengths={settings.lengths}: lengths above the model's {positions} positions are not timed")
    if settings.data_rows:
        lengths.append(None)
    models = {_MODEL: model} if baseline is None else {_MODEL: model, _BASELINE: baseline}
    models |= models_in_other_modes(model)
    sizes: dict[str, float] = {}
    if settings.onnx:
        graphs, sizes = onnx_models(model, settings.threads, warn)
        models |= graphs
    cells = [Cell(batch_size, length) for batch_size in settings.batch_sizes for length in lengths]
    metrics: dict[str, float] = {}
    for some, is_real in _apart(cells) if exits_of(model) else [(cells, True)]:
        with nullcontext() if is_real else all_layers(model):
            report = measure_latency(
                models, some, threads=settings.threads, min_time_s=settings.min_time_s, rounds=settings.rounds,
                make_batch=make_batch,
            )  # fmt: skip
        for line in report.warnings():
            warn(line)
        metrics |= _speed_metrics(report)
    return metrics | sizes


def _apart(cells: list[Cell]) -> list[tuple[list[Cell], bool]]:
    """Split cells into those with random words, where a model with exits runs all layers, and those with real rows."""
    parts = ([cell for cell in cells if cell.length is not None], [cell for cell in cells if cell.length is None])
    return [(some, is_real) for some, is_real in zip(parts, (False, True)) if some]


def _speed_metrics(report: LatencyReport) -> dict[str, float]:
    metrics: dict[str, float] = {"speed/threads": report.threads}
    if report.load_before is not None and report.load_after is not None:
        metrics |= {"speed/load_before": report.load_before, "speed/load_after": report.load_after}
    for cell, times in report.times[_MODEL].items():
        for percent in (50, 90, 99):
            metrics[f"speed/latency_ms_p{percent}_{cell.name}"] = times.percentile_ms(percent / 100)
        metrics[f"speed/cpu_ms_{cell.name}"] = times.cpu_ms_p50
        metrics[f"speed/examples_per_s_{cell.name}"] = times.examples_per_s
        metrics[f"speed/noise_{cell.name}"] = times.noise
        metrics[f"speed/samples_{cell.name}"] = len(times.wall_ms)
        if _BASELINE in report.times:
            metrics[f"speed/baseline_ms_p50_{cell.name}"] = report.times[_BASELINE][cell].percentile_ms(0.5)
            metrics[f"speed/speedup_{cell.name}"] = report.speedup(_MODEL, _BASELINE, cell)
        for mode in sorted(report.times.keys() - {_MODEL, _BASELINE}):
            metrics[f"speed/{mode}_ms_p50_{cell.name}"] = report.times[mode][cell].percentile_ms(0.5)
    return metrics


def _peaks() -> dict[str, float]:
    peaks = {"cost/bytes_peak_memory": peak_resident_bytes(), "cost/bytes_peak_gpu": peak_gpu_bytes()}
    return {name: value for name, value in peaks.items() if value is not None}
