"""The winner's bundle: a folder that answers without Bertier, written as soon as the choice is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from runner.best.held_out import calibrate_on_folds
from runner.cascade.make import copy_cascade, deployed_files
from runner.deploy.answer_time import GRAPHS, INT8
from runner.deploy.bundle.calibration import hash_of
from runner.deploy.bundles import MANIFEST, is_packed, write_packed_bundle
from runner.deploy.calibrations import file_size, write_calibration
from runner.deploy.cascade import CASCADE_FILE, read_cascade
from runner.deploy.export import export_run
from runner.deploy.exported import CASCADE, DESCRIPTION_FILE, ParityError, model_of_run, place_of_export
from runner.errors import ConfigError
from runner.machine.forked import compute_forked
from runner.record.calibration import TEMPERATURE
from runner.record.folder import RECORD
from runner.record.json_files import read_json
from runner.record.record import RunRecord

MODELS = ("model.bin", "model.onnx")  # the files that hold the weights
NOT_COUNTED = (".py", ".md", ".txt", DESCRIPTION_FILE)  # code and pages about the model, which no answer depends on
COUNTED = "vocab.txt"


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, or why there is none."""

    folder: Path | None
    sha256: str | None = None  # of the model's file
    size: int | None = None  # bytes of the files that an answer needs: weights, vocabulary, facts
    problem: str | None = None
    engine: str | None = None  # onnx, onnx-int8: of an encoder's graph, which needs onnxruntime
    agreement: float | None = None  # of a graph: the share of reported rows that it answers as the trained model does
    is_cascade: bool = False  # a cascade, which needs Bertier; sha256 covers both models' files and the threshold


def write_bundle(
    record: RunRecord, output: Path, place: Path, most: float | None = None, folds: Sequence[Path] = (),
    engine: str | None = None,
) -> Bundle:  # fmt: skip
    """Write the bundle of a finished run into the folder `place`, unless that run's bundle is there already.

    A graph that an interruption left before it was rounded is rounded. most: bytes; an encoder's graph gets int8
    weights if it would exceed them in fp32. folds: the run folders of the same model on all folds, by whose answers a
    packed model of all rows is calibrated. engine: of the bundle whose time was compared with the cap, which may be an
    int8 graph.
    """
    found = read_bundle(place, record.identity)
    if found is not None and not is_to_round(found, most, engine):
        return found
    folder = output / record.identity
    try:
        if record.config.get(CASCADE):
            copy_cascade(folder, read_cascade(folder).models, place)
            return read_bundle(place, record.identity) or Bundle(None, problem=f"{place} has no {CASCADE_FILE}")
        if found is None:
            compute_forked(lambda: _write(record, folder, place, int8=engine == INT8, folds=folds))
            found = read_bundle(place, record.identity)
        if found is not None and is_to_round(found, most, engine):
            compute_forked(lambda: _write(record, folder, place, int8=True))
    except (ConfigError, ModelError, ParityError, RuntimeError) as error:
        return Bundle(None, problem=str(error))
    return read_bundle(place, record.identity) or Bundle(None, problem=f"{place} has no {MANIFEST}")


def is_to_round(found: Bundle, most: float | None, engine: str | None) -> bool:
    """Should a bundle be an int8 graph but is another? most, engine: as in `write_bundle`."""
    if found.engine in (None, INT8):
        return False
    return engine == INT8 or (most is not None and (found.size or 0) > most)


def read_bundle(place: Path, identity: str) -> Bundle | None:
    """Return the bundle of a run in a folder; None if there is none, a damaged one, or that of another run."""
    if (place / CASCADE_FILE).is_file():
        if (read_json(place / RECORD) or {}).get("identity") != identity:
            return None
        found = read_cascade(place)
        parts = [deployed_files(model) for model in found.models]
        size = sum(file.stat().st_size for files in parts for file in files)
        return Bundle(place, hash_of_cascade(parts, found.threshold), size, is_cascade=True)
    manifest = read_json(place / MANIFEST)
    if manifest is None or manifest.get("model") != identity:
        return None
    files = manifest["files"]
    name = next((name for name in MODELS if name in files), None)
    counted = [file for file in files if file == COUNTED or not file.endswith(NOT_COUNTED)]
    if name is None or not all((place / file).is_file() for file in files):
        return None
    if any(hash_of(place / file) != files[file]["sha256"] for file in counted):
        return None
    described = read_json(place / DESCRIPTION_FILE) or {}
    size, checked = sum(files[file]["bytes"] for file in counted), described.get("checked") or {}
    engine = described.get("engine", GRAPHS[0]) if name == MODELS[1] else None
    return Bundle(place, files[name]["sha256"], size, None, engine, checked.get("agreement"))


def hash_of_cascade(parts: Sequence[Sequence[Path]], threshold: float) -> str:
    """Return the SHA-256 of a cascade: of the names and contents of both models' files, and the threshold."""
    named = [[[file.name, hash_of(file)] for file in sorted(files)] for files in parts]
    return hashlib.sha256(json.dumps([named, threshold]).encode()).hexdigest()


def _write(record: RunRecord, folder: Path, place: Path, *, int8: bool = False, folds: Sequence[Path] = ()) -> None:
    trained = model_of_run(record, folder)
    if is_packed(trained):
        known = calibrate_on_folds(folds)
        size = file_size(record.setting("calibration", TEMPERATURE), len(record.data.labels))

        def calibrate(weights: Path) -> None:
            if known is not None:
                write_calibration([weights], known.facts, known.scores, size)

        write_packed_bundle(trained, place_of_export(folder, "bundle", place), calibrate=calibrate)
    else:
        export_run(record, folder, "bundle", int8, place)
