"""`run export ID`: a trained model as a folder that answers texts on another machine."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from runner.commands.options import output_folder, parse_options, path_option, split_run, true_or_false
from runner.commands.promise import PROMISE_OPTIONS, check_promised_length, promise_of_run, wanted_promise
from runner.deploy.budgets import at_share, share_of
from runner.deploy.bundle.calibration import CALIBRATION_FILE, read_calibration
from runner.deploy.bundles import MANIFEST, is_packed, refuse_sounds, write_packed_bundle
from runner.deploy.exported import (
    VECTOR_FORMS,
    ExportedModel,
    ParityError,
    check_format,
    is_zip,
    model_of_run,
    place_of_export,
    with_engine,
)
from runner.deploy.page.make import write_page
from runner.deploy.promise import Promise, WantedPromise
from runner.deploy.promise_text import sentences
from runner.errors import ConfigError
from runner.record.baseline import marked
from runner.record.folder import find_record
from runner.record.shown_costs import in_mb
from runner.sanitize import say

if TYPE_CHECKING:
    from runner.deploy.parity import Parity
    from runner.record.record import RunRecord

HUB_OPTIONS = {"onnx": "false", "license": "unknown"}  # of format=hub alone
PROMISED_FORMS = ("onnx", "safetensors", "page", "bundle", "docker")  # whose readers can keep a promise on errors
PACKED_FORMS = ("page", "bundle", "docker")  # of a model.bin alone


def main(words: list[str]) -> int:
    """Write the export and print how close its answers are; 1 if they differ from the model's, else 0."""
    source, rest = split_run("export", words)
    defaults = {"format": "onnx", "int8": "false", "length": "", "build": "false", "out": ""}
    chosen = parse_options("export", rest, **defaults, **HUB_OPTIONS, **PROMISE_OPTIONS, **{"paths.output": "outputs"})
    form, output = chosen["format"], output_folder(chosen["paths.output"])
    int8, is_built, onnx = (true_or_false("export", key, chosen[key]) for key in ("int8", "build", "onnx"))
    check_format(form, int8)
    length = share_of("export", chosen["length"])
    if is_built and form != "page":
        raise ConfigError(f"build=true: format={form} has nothing to build. Try: format=page build=true")
    if form != "hub" and any(chosen[key] != value for key, value in HUB_OPTIONS.items()):
        raise ConfigError(f"{' and '.join(HUB_OPTIONS)} are for the hub, not for format={form}. Try: format=hub")
    wanted = wanted_promise("export", chosen)
    check_promised_export(wanted, form, int8)
    check_promised_length("export", wanted, length=length)
    record = find_record(output, source)
    promise = promise_of_run(record, output, wanted) if wanted else None
    folder, out = output / record.identity, path_option("out", chosen["out"], "export") if chosen["out"] else None
    if form == "hub":
        written = write_hub(record, folder, out, onnx=onnx, int8=int8, license=chosen["license"], length=length)
        return 0 if written else 1
    if form in VECTOR_FORMS:
        refuse_sounds(at_share(model_of_run(record, folder), length), form)
        return show_vectors(record, folder, form, out)
    if form in PACKED_FORMS and is_packed(trained := model_of_run(record, folder)):
        at_share(with_engine(trained, "numpy"), length)  # a packed model has no lengths to choose from
        check_packed(trained, form, int8=int8, is_built=is_built)
        export_packed(trained, record, folder, form, out, promise)
        return 0
    try:
        exported, parity = exporter().export_run(
            record, folder, form, int8, out, is_built=is_built, promise=promise, length=length
        )
    except ParityError as error:
        say(f"run export: {error}", sys.stderr)
        return 1
    show_export(exported, parity, form, record)
    say_promise(promise)
    return 0


def check_packed(trained: ExportedModel, form: str, *, int8: bool, is_built: bool) -> None:
    """Raise ConfigError for a format or an option that is not possible for a packed model (model.bin)."""
    refuse_sounds(trained, form)
    if wrong := "int8" if int8 else "build" if is_built else "":
        smaller = f"Try: run 'compression=[int8]' from={trained.identity}, and export that run"
        cure = smaller if int8 and trained.reads_sounds else f"Leave {wrong}= out"
        raise ConfigError(f"{wrong}=true: run {trained.identity} is already packed. {cure}")


def export_packed(
    trained: ExportedModel, record: RunRecord, folder: Path, form: str, out: Path | None, promise: Promise | None
) -> None:
    """Write the page, bundle or container of a run with a model.bin, and print where it is."""
    if form == "page":
        show_page(write_page(record, folder, out, promise))
    else:
        place = place_of_export(folder, form, out)
        exported = write_packed_bundle(trained, place, is_served=form == "docker", promise=promise)
        show_export(exported, None, form, record)
        if trained.reads_sounds and not is_zip(exported.folder):
            show_device(exported.folder)
    say_promise(promise)


def check_promised_export(wanted: WantedPromise | None, form: str, int8: bool) -> None:
    """Raise ConfigError for a promise in an export that cannot hold it, or that answers in 8 bits."""
    if wanted and form not in PROMISED_FORMS:
        raise ConfigError(
            f"{wanted.words}: format={form} cannot keep this promise. Try: format=bundle, or {PROMISED_FORMS[0]}"
        )
    if wanted and int8:
        raise ConfigError(f"{wanted.words}: the rows behind the promise were not answered in 8 bits. Leave int8= out")


def say_promise(promise: Promise | None) -> None:
    """Print what an export promises, if it does."""
    for sentence in sentences(promise) if promise else ():
        say(sentence)


def exporter() -> ModuleType:
    """Return the module runner.deploy.export, which loads torch: a mistake in the words is reported before."""
    from runner.deploy import export

    return export


def write_hub(
    record: RunRecord,
    folder: Path,
    out: Path | None,
    *,
    onnx: bool,
    int8: bool,
    license: str,
    is_pushed: bool = False,
    length: float | None = None,
) -> Path | None:
    """Write a run's folder for the hub, print how large it is, and return it; None after a graph that differs.

    onnx, int8: the graphs to add. is_pushed: is it uploaded next, so that no instructions are printed?
    """
    engines = (*(["onnx"] if onnx else []), *(["onnx-int8"] if int8 else []))
    try:
        exported, parities = exporter().write_hub_folder(
            record, folder, out, engines=engines, license=license, length=length
        )
    except ParityError as error:
        say(f"run export: {error}", sys.stderr)
        return None
    for engine, parity in zip(engines, parities):
        checked = f"checked on {parity.rows} rows ({parity.source})"
        say(f"{engine}: {checked}: logits differ by at most {parity.difference:.1e}")
    place: Path = exported.folder
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    say(f"{place}: {in_mb(size)} MB for the Hugging Face hub")
    if not is_pushed:
        say(f"Try: read {place / 'README.md'}, then run push {record.identity} NAME")
    return place


def show_vectors(record: RunRecord, folder: Path, form: str, out: Path | None) -> int:
    """Write the vectors of a run for another program, and print how close they are; 1 if they differ, else 0."""
    try:
        exported, parity = exporter().write_vectors(record, folder, form, out)
    except ParityError as error:
        say(f"run export: {error}", sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in exported.folder.rglob("*") if file.is_file())
    say(f"{exported.folder}: {in_mb(size)} MB")
    say(f"checked on {parity.rows} rows ({parity.source}): vectors differ by at most {parity.difference:.1e}")
    say(f"Try: the lines in {exported.folder / 'README.md'}")
    return 0


def show_page(path: Path) -> None:
    """Print where the page is, how large it is, and how to open it."""
    say(f"{path}: {path.stat().st_size / 1000:,.0f} kB, model included; it needs no network")
    say(f"Try: open it in a browser, {path.as_uri()}")


def show_device(folder: Path) -> None:
    """Print what a small device needs to answer a sound by the bundle in a folder."""
    found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["device"]
    whole = f", {found['multiply_adds_int8']:,} of them in int8" if found["multiply_adds_int8"] else ""
    say(
        f"for a sound of {found['frames']} frames: {found['bytes_model']:,} bytes besides the code, "
        f"{found['multiply_adds']:,} multiply-adds{whole},"
    )
    say(
        f"  {found['multiply_adds_features']:,} more for its features; buffers of {found['bytes_activations']:,} "
        f"bytes, and {found['bytes_window']:,} for a window"
    )


def show_export(exported: ExportedModel, parity: Parity | None, form: str, record: RunRecord) -> None:
    """Print where the export is, how close its answers are, and how good the run is, marked if no better than the
    baseline.
    """
    if is_zip(exported.folder):
        say(f"{exported.folder}: {in_mb(exported.folder.stat().st_size)} MB")
    else:
        weights = next(exported.folder.rglob(exported.weights.name))
        say(f"{exported.folder}: {in_mb(weights.stat().st_size)} MB of weights")
        if weights.with_name(CALIBRATION_FILE).is_file():
            say(f"its answers are {read_calibration(weights).about()}")
    if parity:
        say(f"checked on {parity.rows} rows ({parity.source}): logits differ by at most {parity.difference:.1e}")
    if parity and parity.scored:
        same = f", {parity.agreement:.2%} the same answers" if exported.labels else ""
        scores = marked(
            f"{parity.trained:.4f} as trained, {parity.exported:.4f} exported", record.metrics, record.data.primary
        )
        say(f"{parity.metric} on {parity.scored:,} {parity.units}: {scores}{same}")
    if form == "page":
        say("a folder for a web server: only models of n-grams or of BERT's word pieces fit in one file")
    folder = shlex.quote(str(exported.folder))
    served = f"python -m http.server -d {folder}"
    use = {
        "page": served if (exported.folder / "lib").is_dir() else f"(cd {folder} && npm ci) && {served}",
        "mlflow": f"mlflow models serve -m {folder} --env-manager local",
        "docker": f"unzip {folder} -d {exported.identity} && docker build -t {exported.identity} {exported.identity}"
        if is_zip(exported.folder)
        else f"docker build -t {exported.identity} {folder}",
        "bundle": f"unzip {folder}"
        if is_zip(exported.folder)
        else f"python {shlex.quote(f'{exported.folder}/predict.py')} {exported.placeholders}",
    }
    say(f"Try: {use.get(form) or f'run predict {folder} {exported.placeholders}'}")
