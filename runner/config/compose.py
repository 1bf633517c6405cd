"""From a command line to settings: Hydra composes, this module fills in what is derived and says what exists.

No torch here: a config mistake must answer in under a second.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DataError
from data.settings import normalize_label_names
from runner.config.check_files import conflicts as file_conflicts
from runner.config.plugins import register_plugins
from runner.errors import ConfigError
from runner.record.model_folder import folder_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from models.compression.settings.stage import StageSettings
    from runner.schema import Settings


# About the command, or values that only other keys refer to: not settings of a run.
COMMAND_KEYS = ("hydra", "sweep", "density")


@cache
def groups() -> dict[str, list[str]]:
    """Every config group and its choices, sorted: {"model": ["auto", "bert-base", ...], ...}.

    Files whose names start with an underscore are shared parts, not choices.
    """
    root = Path(str(resources.files("conf")))
    found: dict[str, list[str]] = {}
    for path in sorted(root.rglob("*.yaml")):
        if path.parent != root and not path.name.startswith("_"):
            found.setdefault(path.parent.relative_to(root).as_posix(), []).append(path.stem)
    return found


def spelled(word: str) -> str:
    """An override with a nested group in Hydra's spelling: model.backbone=bert-mini is model/backbone=bert-mini."""
    key, equals, value = word.partition("=")
    group = key.replace(".", "/")
    return f"{group}{equals}{value}" if "." in key and group in groups() else word


def compose(overrides: list[str], hydra: bool = False) -> DictConfig:
    """The composed config of one run, interpolations not yet resolved; ConfigError for what does not compose.

    hydra: with the node of that name, which holds launcher and sweeper.
    """
    import yaml
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    register_plugins()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_module("conf", version_base="1.3"):
            return hydra_compose("config", overrides=overrides, return_hydra_config=hydra)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError, OSError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ConfigError(f"the config does not compose: {reason}. Mend that YAML, then: run --cfg job") from error


def resolve(config: DictConfig, jobs: int = 1) -> Settings:
    """Typed settings with every derived value written back, so that what is saved is the whole truth.

    jobs: runs side by side, which share the cores. Raises ConfigError for values that contradict each other.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from runner.machine.threads import choose_threads
    from runner.schema import DEFAULT_TOKENIZER

    try:
        ours = [str(key) for key in config if key not in COMMAND_KEYS]
        masked = OmegaConf.masked_copy(config, ours)
        masked.compression = OmegaConf.to_container(config.compression, resolve=True)  # may refer to what is left out
        merged = OmegaConf.merge(_schema(), masked)
        settings: Settings = OmegaConf.to_object(merged)  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        key, reason = error.full_key or "a setting", str(error).splitlines()[0]
        raise ConfigError(f"{key}: {reason}. Mend its value; the defaults: run --cfg job") from error
    settings.compression = _stages(settings.compression)
    try:
        settings.data.label_names = normalize_label_names(settings.data.label_names)
    except DataError as error:
        raise ConfigError(str(error)) from error
    model, builtin = settings.model, settings.data.source == "demo"
    model.pretrained = _of_run(model.pretrained, settings.paths.output)
    if settings.task.name == "mlm":
        data = settings.data
        data.task, data.metrics, data.positive = "auto", [], None  # the dataset's are about its labels
    if model.pretrained == "auto":
        # The built-in data never needs a hub; everything else starts from the published weights of that size.
        model.pretrained = None if builtin else model.weights
    start = model.init_from if model.family == "dsn" else None
    if model.init_from and not start:
        start, model.pretrained = str(folder_of(model.init_from, settings.paths.output)), None
    if model.tokenizer == "auto":
        source = model.pretrained or start
        model.tokenizer = source or ("train" if builtin else DEFAULT_TOKENIZER)
    if settings.train.threads is None:
        settings.train.threads = choose_threads(settings, jobs)
    contradictions = list(conflicts(settings))
    if contradictions:
        raise ConfigError("\n".join(contradictions))
    return settings


def _stages(chosen: dict[str, Any]) -> dict[str, StageSettings]:
    """The stages in their order, each with the settings of its method; ConfigError for an option it does not have."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from models.compression.settings import METHODS

    found: dict[str, StageSettings] = {}
    for name, options in chosen.items():
        if name == "none":
            continue
        if options["method"] not in METHODS:
            raise ConfigError(f"compression.{name}.method={options['method']}: no such method. Mend that YAML")
        try:
            found[name] = OmegaConf.to_object(
                OmegaConf.merge(OmegaConf.structured(METHODS[options["method"]]), options)
            )  # type: ignore[assignment]
        except OmegaConfBaseException as error:
            raise ConfigError(f"compression.{name}: {str(error).splitlines()[0]}") from error
    return found


@cache
def _schema() -> DictConfig:
    """The typed config that a composed one is merged into."""
    from omegaconf import OmegaConf

    from runner.schema import Settings

    return OmegaConf.structured(Settings)


def _of_run(source: str | None, output: str) -> str | None:
    """The model folder of a run where `source` is the id of one in the output folder; anything else as it is."""
    import re

    if source is None or not re.fullmatch("[0-9a-f]{10}", source) or Path(source).exists():
        return source
    folder = Path(output).expanduser() / source / "model"
    if not folder.is_dir():
        raise ConfigError(
            f"model.pretrained={source} looks like the id of a run, but there is no {folder}. "
            "Try: model.pretrained=<the id of a finished run, a folder, or a hub id>"
        )
    return str(folder)


def conflicts(settings: Settings) -> list[str]:
    """One line for every pair of values that cannot go together, with the cure."""
    from models.compression.settings import missing_requirements, out_of_order
    from models.settings import contradictions

    model, data, train = settings.model, settings.data, settings.train
    found = _task_conflicts(settings)
    if model.family == "auto" and not (model.pretrained or model.init_from):
        found.append(
            "model/backbone=auto needs an encoder: a hub id or a folder. "
            "Try: model.pretrained=sentence-transformers/all-MiniLM-L6-v2"
        )
    found += contradictions(model)
    found += out_of_order(settings.compression)
    found += missing_requirements(settings.compression, has_encoder=model.family != "dsn")
    if model.tokenizer == "train" and model.pretrained and model.embedding["name"] == "table":
        found.append(
            f"model.tokenizer=train makes a new vocabulary, which the weights of {model.pretrained} do not know. "
            "Try: model.tokenizer=auto, or model.pretrained=null"
        )
    if model.family == "dsn" and model.init != "random" and not model.init_from:
        found.append(
            f"model.init={model.init} needs a checkpoint to take the embeddings from. "
            "Try: model.init_from=sentence-transformers/all-MiniLM-L6-v2"
        )
    if settings.engine.compact_vocabulary == "always" and model.embedding["name"] != "table":
        found.append(
            f"engine.compact_vocabulary=always trains part of a word table, and model/embedding="
            f"{model.embedding['name']} has none. Try: engine.compact_vocabulary=auto"
        )
    if train.accumulate > train.batch_size:
        found.append(
            f"train.accumulate={train.accumulate} is more parts than train.batch_size={train.batch_size} has rows. "
            f"Try: train.accumulate={train.batch_size}"
        )
    if not settings.tracker.experiment.strip():
        found.append("tracker.experiment is empty, a name is needed. Try: tracker.experiment=bertier")
    found += _measure_conflicts(settings)
    return found + file_conflicts(data)


def _measure_conflicts(settings: Settings) -> list[str]:
    """The same for what is to be timed."""
    from runner.machine.extras import missing

    if not settings.measure.onnx:
        return []
    if not settings.measure.enabled:
        return ["measure.onnx=true: with measure=off nothing is timed. Try: measure=default"]
    if settings.task.name == "mlm":
        return ["measure.onnx=true: a model that guesses words is not exported. Try: measure.onnx=false"]
    return [f"measure.onnx=true: {problem}"] if (problem := missing("onnx")) else []


def _task_conflicts(settings: Settings) -> list[str]:
    """The same for what is to be learnt."""
    task, model, data = settings.task, settings.model, settings.data
    found = []
    if data.split and data.source != "hub":
        found.append(
            f"data.split={data.split} names a split of a hub dataset, data={data.name} has none. Leave it away"
        )
    if task.name != "mlm":
        if data.label is None:
            found.append(
                "data.label=null: texts without labels are for task=mlm. Try: run task=mlm, or data.label=label"
            )
        return found
    if data.label is not None:
        found.append(f"data.label={data.label}: task=mlm learns from the words alone. Leave it away")
    if model.family == "dsn":
        found.append(
            "task=mlm model=dsn: without an encoder a masked place knows nothing of the words around it. "
            "Try: run task=mlm model=bert-tiny; model=dsn model.init=pca model.init_from=<its folder> takes the words"
        )
    elif model.init_from or model.tune.epochs or model.freeze != "none":
        found.append(
            "task=mlm trains a whole encoder: model.init_from, model.tune and model.freeze are for heads on a finished "
            "one. Try: model.pretrained=<run id or folder>"
        )
    if settings.compression:
        found.append(
            f"task=mlm compression=[{','.join(settings.compression)}]: compress what is made of it. Try: run "
            "model.pretrained=<run id> compression=[...]"
        )
    if data.class_weights != "none":
        found.append(f"data.class_weights={data.class_weights}: masked words have no classes. Leave it away")
    if task.masked + task.random > 1.0:
        found.append(
            f"task.masked={task.masked} and task.random={task.random} are shares of the same tokens and exceed 1 "
            "together. Try: task.masked=0.8 task.random=0.1"
        )
    return found
