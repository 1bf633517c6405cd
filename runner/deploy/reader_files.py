"""The files that the reader of an encoder's bundle opens, written to be timed or measured: no code, README or checks.

    bundle_bytes(model_of_run(record, folder), int8=False)       # 975_997

A graph has the same size whatever its weights, so a model with random weights has the size of the
trained model.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import cast

from models.network import Network
from models.onnx.graph import write_onnx
from models.onnx.int8 import quantize_graph
from runner.deploy.bundle import predict
from runner.deploy.bundle.calibration import CALIBRATION_FILE
from runner.deploy.bundles import is_packed, refuse_sounds
from runner.deploy.exported import ExportedModel
from runner.deploy.graph_facts import graph_facts
from runner.deploy.graphs import copy_tokenizer
from runner.deploy.predictor import Predictor
from runner.errors import USER_ERRORS
from runner.machine.extras import require_extra


def bundle_bytes(trained: ExportedModel, *, int8: bool) -> int | None:
    """Return the bytes that the bundle of a saved encoder needs for an answer: graph, tokenizer, model.json.

    int8: with the graph in 8 bits. None for a packed model, whose file is all it needs, and for one without a bundle.
    """
    if is_packed(trained):
        return None
    with tempfile.TemporaryDirectory() as scratch:
        folder, known = Path(scratch), trained.folder / CALIBRATION_FILE
        try:
            network = write_reader_files(trained, folder)
        except USER_ERRORS:
            return None
        if int8:
            round_graph(folder, network)
        files = [*folder.iterdir(), *([known] if known.is_file() else [])]
        return sum(file.stat().st_size for file in files)


def write_reader_files(trained: ExportedModel, folder: Path) -> Network:
    """Write the graph in float32, the tokenizer and model.json into an existing folder; return the network.

    Raises ConfigError or ModelError if there can be no bundle.
    """
    refuse_sounds(trained, "bundle")
    require_extra("onnx", "format=bundle")
    network = cast(Network, Predictor(trained).model)
    copy_tokenizer(trained, folder)
    write_onnx(network, folder / predict.GRAPH_FILE)
    facts = graph_facts(folder, trained.moved(folder, "onnx"), "bundle")
    (folder / predict.GRAPH_FACTS).write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")
    return network


def round_graph(folder: Path, network: Network) -> None:
    """Replace the graph in float32 by one in 8 bits."""
    plain, rounded = folder / predict.GRAPH_FILE, folder / "rounded.onnx"
    quantize_graph(plain, rounded, network)
    rounded.replace(plain)
