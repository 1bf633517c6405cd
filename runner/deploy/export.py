"""`run export`: writes a folder that predicts on another machine, after comparing it with the trained model."""

from __future__ import annotations

import tempfile
from pathlib import Path

from data.quoting import shell_setting
from models.checkpoints.atomic import written_atomically
from runner.deploy import mlflow_model
from runner.deploy.budgets import at_share
from runner.deploy.bundles import add_graph_reader, bundle_at, refuse_sounds
from runner.deploy.exported import ExportedModel, check_format, ending, model_of_run, place_of_export
from runner.deploy.graphs import write_exported_model
from runner.deploy.hub.folder import write_hub_folder
from runner.deploy.page.folder import add_page
from runner.deploy.parity import Parity
from runner.deploy.promise import Promise
from runner.deploy.vectors import write_vectors
from runner.errors import ConfigError
from runner.machine.extras import require_extra
from runner.record.record import RunRecord

PLAIN_READERS = ("page", "bundle", "docker")  # they have a reader of their own, of texts
__all__ = ["export_run", "write_hub_folder", "write_vectors"]


def export_run(
    record: RunRecord, run_folder: Path, form: str, int8: bool, out: Path | None, *, is_built: bool = False,
    promise: Promise | None = None, length: float | None = None,
) -> tuple[ExportedModel, Parity | None]:  # fmt: skip
    """Write the export of a run, completely or not at all; return it and how close its outputs are to the model's.

    form: one of FORMATS. out: the folder to write, by default below the run folder. is_built: a page with its packages.
    promise: on the share of errors, kept in the export. length: as in `at_share`. The Parity is None if the weights
    are those of the run. Raises ConfigError for an export that is unavailable, ModelError for a model that cannot
    become a graph, ParityError for a graph whose outputs differ.
    """
    check_format(form, int8)
    if form == "page" and out and out.suffix == ".html":
        cure = shell_setting("out", str(out.with_suffix("")))
        raise ConfigError(f"out={out}: the page of run {record.identity} is a folder. Try: {cure}")
    trained = at_share(model_of_run(record, run_folder), length)
    if form in PLAIN_READERS:
        refuse_sounds(trained, form)
    engine = "torch" if not int8 and form not in ("onnx", *PLAIN_READERS) else "onnx-int8" if int8 else "onnx"
    if engine != "torch":
        require_extra("onnx", f"format={form}{' int8=true' if int8 else ''}")
    folder = place_of_export(run_folder, form + ("-int8" if int8 else "") + ending(length), out)
    if form in ("bundle", "docker"):
        exported = trained.moved(folder, engine)
        with bundle_at(folder) as part:
            parity = write_exported_model(trained, engine, part, record, promise)
            add_graph_reader(part, exported, trained, is_served=form == "docker")
        return exported, parity
    with written_atomically(folder) as part, tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model" if form == "mlflow" else part
        parity = write_exported_model(trained, engine, model, record, promise)
        if form == "page":
            add_page(part, trained.moved(part, engine), record, is_built=is_built, note=trained.told_lengths)
        if form == "mlflow":
            mlflow_model.save_mlflow_model(part, model)
    return trained.moved(folder, engine), parity
