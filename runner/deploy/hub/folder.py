"""`run export ID format=hub`: the model of a run as a folder that can be uploaded to the hub as it is.

It holds the files that the run saved (config.json, safetensors, tokenizer, model.bin), a model card, deploy.json, with
which `run predict` opens a downloaded copy, and ONNX graphs where asked. No answer needs the card.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from data.json_types import JsonObject
from models.checkpoints.atomic import written_atomically
from models.checkpoints.save import TOKENIZER, name_segments
from runner.deploy.budgets import at_share
from runner.deploy.bundle.calibration import read_calibration
from runner.deploy.bundles import as_calibrated
from runner.deploy.exported import (
    DESCRIPTION_FILE,
    ExportedModel,
    ending,
    model_of_run,
    place_of_export,
    with_engine,
)
from runner.deploy.graphs import copy_model, write_exported_model
from runner.deploy.hub.card import CardFacts, hub_card
from runner.deploy.parity import Parity
from runner.errors import ConfigError
from runner.machine.extras import require_extra
from runner.record.calibration import FILE
from runner.record.record import RunRecord

CONFIG = "config.json"
GRAPHS = {"onnx": "onnx/model.onnx", "onnx-int8": "onnx_int8/model.onnx"}  # each with a calibration of its own
LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")  # an id of the hub's list, such as apache-2.0


def write_hub_folder(
    record: RunRecord,
    run_folder: Path,
    out: Path | None,
    *,
    engines: tuple[str, ...] = (),
    license: str = "unknown",
    length: float | None = None,
) -> tuple[ExportedModel, list[Parity]]:
    """Write the folder of a run, completely or not at all; return it and how close each graph is to the model.

    out: the folder, by default export/hub below the run's. engines: keys of GRAPHS, the graphs to add. license: of the
    weights. length: as in `at_share`. Raises ConfigError for an unavailable export, ModelError and ParityError as for
    other exports.
    """
    if not LICENSE.fullmatch(license):
        raise ConfigError(f"license={license}: expected an id of the hub's list. Try: license=apache-2.0")
    trained = at_share(model_of_run(record, run_folder), length)
    for engine in engines:
        require_extra("onnx", f"format=hub {'int8' if engine == 'onnx-int8' else 'onnx'}=true")
    exported = with_engine(trained, "auto")
    place = place_of_export(run_folder, f"hub{ending(length)}", out)
    parities = []
    with written_atomically(place) as part:
        copy_model(trained, part, record)
        config = add_label_names(part / CONFIG, record.data.labels)
        if int(config.get("type_vocab_size") or 0) > 1:
            name_segments(part / TOKENIZER)  # of a run that was saved without
        for engine in engines:
            parities.append(add_graph(part, trained, engine, record))
        facts = CardFacts(
            architecture=str((config.get("architectures") or [""])[0]), model_type=str(config.get("model_type")),
            license=license, graphs=tuple(GRAPHS[engine] for engine in engines), is_packed=exported.engine == "numpy",
            lengths=trained.told_lengths,
        )  # fmt: skip
        known, own = (read_calibration(one.weights) for one in (trained.moved(part, "torch"), trained))
        (part / "README.md").write_text(as_calibrated(hub_card(record, facts), known, own), encoding="utf-8")
        description = json.dumps(exported.moved(place, exported.engine).describe(), indent=2, ensure_ascii=False)
        (part / DESCRIPTION_FILE).write_text(description + "\n", encoding="utf-8")
    return exported.moved(place, exported.engine), parities


def add_label_names(path: Path, labels: list[str]) -> JsonObject:
    """The content of a config.json, after names of the outputs were written to one that has none (of earlier runs)."""
    config: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    if not config.get("id2label") or not config.get("label2id"):
        names = labels or ["value"]
        config["id2label"] = {str(index): name for index, name in enumerate(names)}
        config["label2id"] = {name: index for index, name in enumerate(names)}
        path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return config


def add_graph(part: Path, trained: ExportedModel, engine: str, record: RunRecord) -> Parity:
    """Add a graph, which was compared with the model, and beside it the config.json that names its outputs."""
    with tempfile.TemporaryDirectory() as scratch:
        parity = write_exported_model(trained, engine, Path(scratch) / "graph", record)
        assert parity is not None, "a graph is always compared"
        place = part / GRAPHS[engine]
        place.parent.mkdir(exist_ok=True)
        shutil.move(Path(scratch) / "graph" / replace(trained, engine=engine).weights.name, place)
        if (calibration := Path(scratch) / "graph" / FILE).is_file():
            shutil.move(calibration, place.parent / FILE)
    shutil.copy2(part / CONFIG, place.parent / CONFIG)
    return parity
