"""The latency of a model with shorter lengths, and its speed-up over each of three baselines.

    run export <id> length=1 && run export <id> length=0.6                          # and both with int8=true
    python tests/benchmarks/bench_lengths.py outputs/<id> 0.6 texts.txt [padded tokens, 384]

Of a model of two texts, such as a question and its passage, a line holds both, with a tab between them. The graphs take
turns on the same texts, one at a time, on one thread. For each graph, the median over the texts of the fastest call is
shown. Published speed-ups are relative to fp32 padded to one length; a fair one is relative to the
same weights at full length without padding.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from data.batch import collate
from runner.deploy.exported import ending, read_export
from runner.deploy.predictor import Predictor
from runner.training.inference import to_tensors

ROUNDS = 7
TEXTS = 40


def main(words: list[str]) -> None:
    """Print one row per graph: its latency, and its speed-up over each of the three baselines."""
    export, share, texts = Path(words[0]) / "export", float(words[1]), Path(words[2]).read_text("utf-8").splitlines()
    padded = int(words[3]) if len(words) > 3 else 384
    graphs = {
        f"{kind}, {'all tokens' if length == 1 else f'length={length:g}'}": Predictor(
            read_export(export / f"{folder}{ending(length)}")
        )
        for kind, folder in (("fp32", "onnx"), ("int8", "onnx-int8"))
        for length in (1.0, share)
    }
    first = next(iter(graphs.values()))
    inputs = inputs_of(first, [text for text in texts if text.strip()][:TEXTS])
    calls = {name: (graph.model, inputs) for name, graph in graphs.items()}
    calls = {f"fp32, padded to {padded}": (first.model, [pad(one, padded) for one in inputs])} | calls
    times = {name: [float("inf")] * len(inputs) for name in calls}
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for place in range(len(inputs)):
                for name, (model, given) in calls.items():
                    start = time.perf_counter()
                    model(**given[place])
                    times[name][place] = min(times[name][place], 1000 * (time.perf_counter() - start))
    ms = {name: median(values) for name, values in times.items()}
    against = [f"fp32, padded to {padded}", "fp32, all tokens", "int8, all tokens"]
    print(f"{'':<22} {'ms':>8}  " + "  ".join(f"over {name}" for name in against))
    for name, value in ms.items():
        print(f"{name:<22} {value:8.2f}  " + "  ".join(f"{ms[one] / value:{len(one) + 4}.2f}x" for one in against))


def inputs_of(predictor: Predictor, texts: list[str]) -> list[dict[str, torch.Tensor]]:
    """The inputs of each text or pair separately, without padding; of long ones each window."""
    columns = zip(*(text.split("\t", 1) for text in texts)) if predictor.exported.is_pair else [texts]
    split = predictor.ask(*columns).split
    return [to_tensors(row_of(split, place), torch.device("cpu")) for place in range(len(split))]


def row_of(split: Any, place: int) -> Any:
    """The batch of one row."""
    return collate(split, np.array([place]))


def pad(inputs: dict[str, torch.Tensor], length: int) -> dict[str, torch.Tensor]:
    """The inputs of a text (1, T) padded to one length."""
    ids = inputs["input_ids"]
    more = max(0, length - ids.shape[1])
    mask = torch.ones_like(ids)
    given = {name: value for name, value in inputs.items() if value.ndim == 2} | {"attention_mask": mask}
    return {name: torch.nn.functional.pad(value, (0, more)) for name, value in given.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
