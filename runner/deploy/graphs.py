"""Writes the weights, tokenizer and description of an export for one engine, and compares a graph with the model."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import cast

from data.inputs.sound_features import SOUND_FILE
from models.errors import ModelError
from models.heads.exits import exits_of
from models.network import Network
from models.onnx.graph import write_onnx
from models.onnx.int8 import quantize_graph
from runner.deploy.budgets import write_lengths
from runner.deploy.bundle.calibration import read_calibration
from runner.deploy.bundles import as_calibrated, is_packed
from runner.deploy.exported import DESCRIPTION_FILE, ExportedModel, ParityError
from runner.deploy.graph_calibration import carry_calibration
from runner.deploy.parity import Parity, compare_logits, rows_to_compare, tolerated_difference
from runner.deploy.predictor import Predictor
from runner.deploy.promise import Promise, save_promise
from runner.record.record import RunRecord

TOKENIZER = (  # those there are
    "tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json", SOUND_FILE,
)  # fmt: skip


def write_exported_model(
    trained: ExportedModel, engine: str, folder: Path, record: RunRecord, promise: Promise | None = None
) -> Parity | None:
    """Write weights, tokenizer and deploy.json for an engine; compare the weights where they are not the run's own.

    promise: on the share of errors, kept beside the weights.
    """
    parity = None
    exported = trained.moved(folder, engine)
    if engine == "torch":
        copy_model(trained, folder, record)
    else:
        folder.mkdir(exist_ok=True)
        copy_tokenizer(trained, folder)
        parity = write_graph(trained, exported, record)
    if promise:
        save_promise(exported.weights, promise)
    checked = {"checked": parity.describe()} if parity else {}
    checked |= {"length": trained.lengths} if trained.lengths else {}
    content = json.dumps(exported.describe() | checked, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION_FILE).write_text(content + "\n", encoding="utf-8")
    return parity


def copy_tokenizer(trained: ExportedModel, folder: Path) -> None:
    """Copy the files of a model's tokenizer."""
    for name in filter(lambda name: (trained.folder / name).is_file(), TOKENIZER):
        shutil.copy2(trained.folder / name, folder / name)


def copy_model(trained: ExportedModel, folder: Path, record: RunRecord) -> None:
    """Copy the files of a run's model; at other lengths than its own they are written, and it is calibrated again."""
    shutil.copytree(trained.folder, folder, dirs_exist_ok=True)
    if not trained.lengths:
        return
    write_lengths(folder, trained.lengths)
    copied = Predictor(trained.moved(folder, "torch"))
    carry_calibration(record, trained, copied, rows_to_compare(record, copied))
    if (card := folder / "README.md").is_file():
        known, own = (read_calibration(one.weights) for one in (copied.exported, trained))
        card.write_text(as_calibrated(card.read_text(encoding="utf-8"), known, own), encoding="utf-8")


def write_graph(trained: ExportedModel, exported: ExportedModel, record: RunRecord) -> Parity:
    """Write the ONNX file and compare its logits with the model's.

    Raises ParityError if fp32 differs beyond rounding, and if logits are not numbers.
    """
    model = Predictor(trained)
    try:
        write_onnx(cast(Network, model.model), exported.weights)
    except ModelError as error:
        form = "bundle" if is_packed(trained) else "safetensors"
        before = next(
            (f", or export {stage.run}, the run before" for stage in reversed(record.stages[:-1]) if stage.run), ""
        )
        raise ModelError(f"{error}. Try: format={form}{before}") from error
    if exported.engine == "onnx-int8":
        plain = exported.weights.rename(exported.folder / "fp32.onnx")
        quantize_graph(plain, exported.weights, model.model)
        plain.unlink()
    rows, graph = rows_to_compare(record, model), Predictor(exported)
    rounding = tolerated_difference(record.data.targets, exits_of(model.model))
    parity = compare_logits(model, graph, rows.split, rows.source, rows.task)
    if math.isnan(parity.difference):
        raise ParityError(
            f"logits of the graph, or of the model itself, are not numbers on some of {parity.rows} rows "
            f"({parity.source}). Nothing was written. Try: format=safetensors, unless run predict shows nan too"
        )
    if exported.engine == "onnx" and not parity.difference <= rounding:
        raise ParityError(
            f"the graph's logits differ from the model's by up to {parity.difference:.2g} on {parity.rows} rows "
            f"({rows.source}); "
            f"rounding explains at most {rounding:.2g}. Nothing was written. Try: format=safetensors"
        )
    carry_calibration(record, trained, graph, rows)
    return parity
