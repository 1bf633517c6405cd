"""`run export`: writes a folder that predicts elsewhere, after comparing it with the trained model."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import cast

from models.checkpoints.atomic import written_atomically
from models.errors import ModelError
from models.network import Network
from models.onnx.graph import write_onnx
from models.onnx.int8 import quantize_graph
from runner.deploy import mlflow_model
from runner.deploy.bundles import add_graph_reader, bundle_at, is_packed, require_one_answer
from runner.deploy.exported import (
    DESCRIPTION_FILE,
    ExportedModel,
    ParityError,
    check_format,
    model_of_run,
    place_of_export,
)
from runner.deploy.page.folder import add_page
from runner.deploy.parity import Parity, compare_logits, rows_to_compare, tolerated_difference
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from runner.machine.extras import require_extra
from runner.record.record import RunRecord

TOKENIZER = ("tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json")  # those there are


def export_run(
    record: RunRecord, run_folder: Path, form: str, int8: bool, out: Path | None, *, is_built: bool = False
) -> tuple[ExportedModel, Parity | None]:
    """Write the export of a run, completely or not at all; return it and how close its outputs are to the model's.

    form: one of FORMATS. out: the folder to write, by default below the run folder. is_built: a page with its packages.
    The Parity is None where the
    weights are those of the run. Raises ConfigError for an export that is unavailable, ModelError for a model that
    cannot become a graph, ParityError for a graph whose outputs differ.
    """
    check_format(form, int8)
    if form == "page" and out and out.suffix == ".html":
        raise ConfigError(f"out={out}: the page of run {record.identity} is a folder. Try: out={out.with_suffix('')}")
    trained = model_of_run(record, run_folder)
    if form in ("page", "bundle"):
        require_one_answer(trained, form)
    engine = "torch" if not int8 and form not in ("onnx", "bundle", "page") else "onnx-int8" if int8 else "onnx"
    if engine != "torch":
        require_extra("onnx", f"format={form}{' int8=true' if int8 else ''}")
    folder = place_of_export(run_folder, form + ("-int8" if int8 else ""), out)
    if form == "bundle":
        exported = ExportedModel(**{**vars(trained), "folder": folder, "engine": engine})
        with bundle_at(folder) as part:
            parity = write_exported_model(trained, engine, part, record)
            add_graph_reader(part, exported, trained)
        return exported, parity
    with written_atomically(folder) as part, tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model" if form == "mlflow" else part
        parity = write_exported_model(trained, engine, model, record)
        if form == "page":
            add_page(part, replace(trained, folder=part, engine=engine), record, is_built=is_built)
        if form == "mlflow":
            mlflow_model.save_mlflow_model(part, model)
    return ExportedModel(**{**vars(trained), "folder": folder, "engine": engine}), parity


def write_exported_model(trained: ExportedModel, engine: str, folder: Path, record: RunRecord) -> Parity | None:
    """Write weights, tokenizer and deploy.json for an engine; compare the weights where they are not the run's own."""
    parity = None
    exported = ExportedModel(**{**vars(trained), "folder": folder, "engine": engine})
    if engine == "torch":
        shutil.copytree(trained.folder, folder, dirs_exist_ok=True)
    else:
        folder.mkdir(exist_ok=True)
        for name in filter(lambda name: (trained.folder / name).is_file(), TOKENIZER):
            shutil.copy2(trained.folder / name, folder / name)
        parity = write_graph(trained, exported, record)
    checked = {"checked": parity.describe()} if parity else {}
    content = json.dumps(exported.describe() | checked, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION_FILE).write_text(content + "\n", encoding="utf-8")
    return parity


def write_graph(trained: ExportedModel, exported: ExportedModel, record: RunRecord) -> Parity:
    """Write the ONNX file and compare its logits with the model's; ParityError if fp32 differs beyond rounding."""
    model = Predictor(trained)
    try:
        write_onnx(cast(Network, model.model), exported.weights)
    except ModelError as error:
        form = "bundle" if is_packed(trained) else "safetensors"
        raise ModelError(f"{error}. Try: format={form}, or export an earlier run without that part") from error
    if exported.engine == "onnx-int8":
        plain = exported.weights.rename(exported.folder / "fp32.onnx")
        quantize_graph(plain, exported.weights)
        plain.unlink()
    split, source, task = rows_to_compare(record, model)
    rounding = tolerated_difference(record.data.targets)
    parity = compare_logits(model, Predictor(exported), split, source, task)
    if exported.engine == "onnx" and parity.difference > rounding:
        raise ParityError(
            f"the graph's logits are up to {parity.difference:.2g} from the model's on {parity.rows} rows ({source}); "
            f"rounding explains at most {rounding:.2g}. Nothing was written. Try: format=safetensors"
        )
    return parity
