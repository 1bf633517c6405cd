"""Finds the model to deploy: that of a finished run, or a folder that `run export` wrote."""

from __future__ import annotations

import json
import os
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from data.inputs.questions import INPUTS, QuestionInput, input_of
from data.inputs.sound import Sound
from data.json_types import JsonObject
from data.quoting import shell_setting
from models.packed.format import NAME as PACKED
from runner.errors import ConfigError
from runner.record.bounds import BOUND_NOTE, is_bound
from runner.record.command import command_line, make_model
from runner.record.folder import find_record
from runner.record.folder import run_folder as folder_of_run
from runner.record.next_step import classifier_words
from runner.record.record import RunRecord
from runner.record.status import shown_status
from runner.tasks import task_class
from runner.tasks.make import further_facts, task_of_record

DESCRIPTION_FILE, SCHEMA_VERSION = "deploy.json", 1
CASCADE = "cascade"  # the engine of two models that answer as one, see runner/deploy/cascade.py
WEIGHTS = {"torch": "model.safetensors", "numpy": PACKED, CASCADE: "cascade.json"}  # by engine
FURTHER = ("options", "facts", "lengths", "input")  # keys of deploy.json that are left out when empty
ENGINES = ("torch", "onnx", "onnx-int8", "numpy")  # numpy: the model.bin beside the weights, where there is one
VECTOR_FORMS = ("model2vec", "static-embedding")  # vectors for other programs, which give no answers
ZIPPED = ("bundle", "docker")  # formats that a .zip can hold
FORMATS = ("onnx", "safetensors", "mlflow", "page", "bundle", "docker", "hub", *VECTOR_FORMS)  # of exports


class ParityError(RuntimeError):
    """An export whose outputs differ from the trained model's by more than rounding."""


@dataclass(frozen=True)
class ExportedModel:
    """A model on disk: its weights and its tokenizer lie in `folder`."""

    folder: Path
    engine: str  # of ENGINES
    identity: str
    name: str
    task: str  # a key of TASKS
    labels: tuple[str, ...]  # in id order; () if answers are numbers
    columns: tuple[str, ...]  # the text column of the run's data, and that of the second text for pairs
    max_length: int  # tokens; longer texts are cut
    started: str  # the start of the run; after force=true an older export has another one
    options: JsonObject = field(default_factory=dict)  # settings of the data that questions are read by
    facts: JsonObject = field(default_factory=dict)  # what the task must know of the labels beside their names
    lengths: JsonObject = field(default_factory=dict)  # in place of those in its config.json, see budgets.py
    input: str = ""  # a key of data/inputs/questions.py; "": that of its task

    @property
    def input_class(self) -> type[QuestionInput]:
        """The class that turns questions into rows."""
        return INPUTS[self.input or task_class(self.task).input]

    @property
    def reads_sounds(self) -> bool:
        """Whether a question is a sound file."""
        return self.input_class is Sound

    @property
    def is_pair(self) -> bool:
        """Whether the model reads two texts at a time."""
        return len(self.columns) == 2

    @property
    def reads_words(self) -> bool:
        """Whether a list of words may stand for a text."""
        return self.input_class.reads_words

    @property
    def placeholders(self) -> str:
        """The placeholders of a question in a command: <text>, or <text> <second text>."""
        if self.reads_sounds:
            return "<sound.wav>"
        examples = task_class(self.task).examples[: len(self.columns)]
        return " ".join(f"<{example.removeprefix('a ')}>" for example in examples)

    @property
    def told_lengths(self) -> str:
        """Sentences about lengths that differ from the run's, for the page of an export; "" if they do not."""
        if not self.lengths:
            return ""
        kept, unit = self.lengths["lengths"], "of the tokens" if self.lengths["mode"] == "ratio" else "tokens"
        what = f"its layers keep {', '.join(f'{part:g}' for part in kept)} {unit}" if kept else "every layer keeps all"
        return (
            f"Its lengths are not those of the run: {what}, which takes {self.lengths['share']:.0%} of the "
            "multiply-adds at full length. The scores of the run were measured at the run's lengths."
        )

    @property
    def weights(self) -> Path:
        """The file with the weights."""
        return self.folder / WEIGHTS.get(self.engine, "model.onnx")

    def moved(self, folder: Path, engine: str) -> ExportedModel:
        """Return the model as it is written to a folder for an engine, with its lengths."""
        return replace(self, folder=folder, engine=engine, lengths={})

    def describe(self) -> JsonObject:
        """Return the content of deploy.json, which `read_export` reads."""
        content = {key: value for key, value in asdict(self).items() if value or key not in FURTHER}
        return {"schema_version": SCHEMA_VERSION} | content | {"folder": "."}


def read_export(folder: Path) -> ExportedModel:
    """Return the model in an exported folder; raise ConfigError if deploy.json is damaged or weights are missing."""
    path, again = folder / DESCRIPTION_FILE, f"Try: run export <id> {shell_setting('out', str(folder))}"
    try:
        found = exported_from(json.loads(path.read_text(encoding="utf-8")), folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is damaged ({error!r}). {again}") from error
    if found.engine in VECTOR_FORMS:
        raise ConfigError(f"{folder} holds vectors for other programs, not answers. Try: run predict {found.identity}")
    if found.engine not in (*ENGINES, CASCADE) or not found.weights.is_file():
        raise ConfigError(f"{folder} has no {found.weights.name}. {again}")
    return found


def exported_from(content: JsonObject, folder: Path) -> ExportedModel:
    """Return the model in `folder` that the content of a deploy.json describes.

    Raises KeyError, TypeError or ValueError if it describes none, or one of a task unknown to this version.
    """
    lists = {key: tuple(content[key]) for key in ("labels", "columns")}
    known: JsonObject = {name: {} for name in FURTHER} | {"input": ""} | content | lists | {"folder": folder}
    found = ExportedModel(**{key: known[key] for key in ExportedModel.__dataclass_fields__})
    _ = task_class(found.task), found.input_class
    return found


def model_of_run(record: RunRecord, run_folder: Path) -> ExportedModel:
    """Return the model of a run; raise ConfigError for an unfinished run, one without answers, and a cascade."""
    identity, folder = record.identity, run_folder / "model"
    if record.config.get(CASCADE):
        copy = command_line(record, "out=DIR")
        raise ConfigError(f"{identity} is a cascade of two models, which is deployed as a folder. Try: {copy}")
    if is_bound(record):
        raise ConfigError(f"run {identity} is {BOUND_NOTE}. Try: the same run without view.reads")
    if record.status != "done" or not folder.is_dir():
        raise ConfigError(f"run {identity} is {shown_status(record)} and has no model. {make_model(record)}")
    task = task_of_record(record)
    if not task.is_deployed:
        raise ConfigError(
            f"run {identity} trained {task.output_name} and has no classifier. Train a classifier on it and deploy "
            f"that. Try: run {' '.join(classifier_words(record))}"
        )
    return describe_model(record, folder)


def describe_model(record: RunRecord, folder: Path) -> ExportedModel:
    """Return the model that a run saved in `folder`, as the run's record describes it; its task has answers to give."""
    task = task_of_record(record)
    name = input_of(task.input, record.setting)
    input_class = INPUTS[name]
    return ExportedModel(
        folder, "torch", record.identity, record.name, record.data.task, tuple(record.data.labels),
        input_class.columns_of(record.setting), int(record.setting("data.max_length")), record.started,
        {key: record.setting(f"data.{key}") for key in input_class.options}, further_facts(task.facts),
        input="" if name == task.input else name,
    )  # fmt: skip


def find_model(source: str, output: Path, engine: str, length: float | None = None) -> ExportedModel:
    """Find the model that `source` names: a run id or its beginning, a run folder, the model in it, or an export.

    engine: one of ENGINES, or auto: for a run numpy where its model is packed, else torch; its own for an export. A run
    must have been exported for ONNX. length: of such an export; else see `at_share`. ConfigError if there is no model.
    """
    if engine not in ("auto", *ENGINES):
        raise ConfigError(f"engine={engine}: expected one of auto, {', '.join(ENGINES)}. Try: engine=auto")
    folder = Path(os.path.expanduser(source))  # noqa: PTH111 an unknown user is no error here
    if (folder / DESCRIPTION_FILE).is_file():
        return find_export(folder.absolute(), source, engine)
    if named := folder_of_run(source):
        output, source = named.parent, named.name
    elif problem := why_no_model(folder, source):
        raise ConfigError(problem)
    record = find_record(output, source)
    run_folder = output / record.identity
    if record.config.get(CASCADE):
        return find_export(run_folder, source, engine)
    if engine in ("auto", "torch", "numpy"):
        return with_engine(model_of_run(record, run_folder), engine)
    exported = export_folder(run_folder, engine + ending(length))
    wanted = f"run export {source} format=onnx" + (" int8=true" if engine == "onnx-int8" else "")
    wanted += "" if length is None else f" length={length:g}"
    if not (exported / DESCRIPTION_FILE).is_file():
        raise ConfigError(f"engine={engine}: run {record.identity} has no such export. Try: {wanted}")
    found = read_export(exported)
    if found.started != record.started:
        raise ConfigError(f"engine={engine}: {exported} is older than the run, which was repeated. Try: {wanted}")
    return found


def why_no_model(folder: Path, source: str) -> str:
    """Return why a path has no model that answers, in one line with a cure; "" if it may be the id of a run."""
    if folder.suffix and folder.is_file():
        return f"{source} is a file, but a model is a folder. Try: the folder that it is in; a .zip must be unzipped"
    if (folder / "config.json").is_file():
        return (
            f"{source} holds a model, but neither the record of its run nor {DESCRIPTION_FILE}, which say what it "
            "reads. Try: the folder of the run, outputs/<id>, or run export <id> format=safetensors out=FOLDER"
        )
    cure = "the folder of a run, outputs/<id>, the model in it, outputs/<id>/model, or one that run export wrote"
    return f"{source} holds no model. Try: {cure}" if folder.is_dir() and os.sep in source else ""


def find_export(folder: Path, source: str, engine: str) -> ExportedModel:
    """Return the model in an exported folder, or a cascade; raise ConfigError if it is for another engine."""
    found = read_export(folder)
    if engine not in ("auto", found.engine):
        use = "auto" if found.engine == CASCADE else found.engine
        raise ConfigError(f"engine={engine}: {source} is for {found.engine}. Try: engine={use}")
    return found


def with_engine(trained: ExportedModel, engine: str) -> ExportedModel:
    """Return the model of a run for an engine: auto is numpy where the model is packed.

    Raises ConfigError if it is not.
    """
    packed = replace(trained, engine="numpy")
    if packed.weights.is_file() and engine != "torch":
        return packed
    if engine == "numpy":
        raise ConfigError(
            f"engine=numpy: run {trained.identity} has no {PACKED}. A model with layers over its word vectors has "
            "none, and neither has a run of an earlier version. Try: engine=torch"
        )
    return trained


def export_folder(run_folder: Path, kind: str) -> Path:
    """Return the folder of an export of a run, unless `out` names another."""
    return run_folder / "export" / kind


def ending(length: float | None) -> str:
    """Return the suffix of an export's folder for length=, so that exports of several lengths are kept side by side."""
    return "" if length is None else f"-length-{length:g}"


def place_of_export(run_folder: Path, kind: str, out: Path | None) -> Path:
    """Return the folder or .zip to write; raise ConfigError if an export of this kind is not possible."""
    place = (out or export_folder(run_folder, kind)).expanduser().absolute()
    if out and is_zip(out) and kind.partition("-")[0] not in ZIPPED:
        cure = shell_setting("out", str(out.with_suffix("")))
        raise ConfigError(f"out={out}: this format is a folder, and only format=bundle a .zip. Try: {cure}")
    if place.exists() and not is_replaceable(place):
        raise ConfigError(f"out={place}: is not empty and not an export, so it is not replaced. Try: another out=")
    make_parent_folder(place)
    return place


def is_replaceable(place: Path) -> bool:
    """Return whether this is an empty folder or an earlier export."""
    if is_zip(place) and place.is_file():
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(place) as archive:
            return DESCRIPTION_FILE in archive.namelist()
        return False
    is_export = any((place / name).is_file() for name in (DESCRIPTION_FILE, "MLmodel"))
    return place.is_dir() and (is_export or not any(place.iterdir()))


def is_zip(place: Path) -> bool:
    """Is this the name of a bundle in one file?"""
    return place.suffix.lower() == ".zip"


def make_parent_folder(place: Path) -> None:
    """Create the parent of the export; raise ConfigError if that fails."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"out={place}: cannot be created: {error.strerror}. Try: another out=") from error


def check_format(form: str, int8: bool) -> None:
    """Raise ConfigError for a format that is not offered, naming the one to use instead."""
    if form == "torch":
        raise ConfigError(
            "format=torch: torch.export.load opens .pt2 programs with pickle, which runs any code in the file. "
            "Try: format=safetensors (opens in torch), or format=onnx (a graph)"
        )
    if form not in FORMATS:
        raise ConfigError(f"format={form}: expected one of {', '.join(FORMATS)}. Try: format=onnx")
    if int8 and form in VECTOR_FORMS:
        raise ConfigError(f"int8=true: format={form} holds float32. Leave int8= out, or try: format=onnx int8=true")
    if int8 and form == "safetensors":
        raise ConfigError("int8=true: needs the kernels of ONNX Runtime. Try: format=onnx int8=true")
