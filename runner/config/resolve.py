"""From a composed config to typed settings: every derived value is filled in, every contradiction reported."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from data.calibration import calibration_hub_split
from data.errors import DataError
from data.inputs.language_case import language_of
from data.json_types import JsonObject
from data.settings import ALL_FOLDS, DataSettings, normalize_label_names
from models.compression.settings import METHODS
from models.compression.settings.stage import StageSettings
from models.settings import (
    HASHED_WORDS,
    INIT_FROM,
    OVER_NGRAMS,
    PRETRAINED,
    Part,
    chosen_readout,
    compares_by_cosine,
    is_command,
    pretrains_first,
)
from models.views.settings import NONE, ViewSettings
from runner.config.check_groups import require_groups
from runner.config.compose import groups
from runner.config.conflicts import conflicts
from runner.config.folders import file_of
from runner.config.keys import closest, did_you_mean, known_keys
from runner.config.read_yaml import read_yaml
from runner.config.recipes import AUTO, open_recipes
from runner.config.sized import settle_table
from runner.config.typed import UNSET, of_plain_values, typed
from runner.errors import ConfigError
from runner.machine.threads import choose_threads
from runner.record.model_folder import folder_of
from runner.schema import DEFAULT_TOKENIZER, Settings
from runner.tasks import named_task

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from omegaconf.errors import OmegaConfBaseException

# Keys about the command, or values that only other keys refer to: not settings of a run.
COMMAND_KEYS = ("hydra", "sweep", "density")
FREE_PARTS = ("embedding", "readout")  # parts of a model, whose values are untyped
TRAINED = "train"  # a vocabulary of the training texts
LONGEST = 65_536  # the largest data.max_length, where a model reads whole texts


def resolve(config: DictConfig, jobs: int = 1, words: Sequence[str] | None = None) -> Settings:
    """Typed settings with every derived value written back, so that what is saved is the whole truth.

    jobs: runs side by side, which share the cores. words: the command of a config that Hydra composed;
    train.recipe=auto or sized does not change what they set, and without them sized is preset.
    Raises ConfigError for values that contradict each other.
    """
    settings = _typed_settings(config)
    is_chosen = settings.train.recipe == AUTO
    settings.model.recipes = open_recipes(settings.model.recipes, words or ()) if is_chosen else []
    is_chain_given = any(word.startswith("compression=") for word in words or ())
    settings.compression = _stages(settings.compression, is_chain_given)
    settle_table(settings, words)
    data = settings.data
    try:
        data.label_names = normalize_label_names(data.label_names)
    except DataError as error:
        raise ConfigError(str(error)) from error
    data.report_splits = _still_reported(data)
    named = named_task(settings.task, data)
    _choose_lower_case(data, reads_words=named is not None and named.input == "words")
    for group in FREE_PARTS:
        own: Part = vars(settings.model)[group]
        own |= _numbers_like(_options_in_yaml(f"model/{group}", str(own.get("name"))), own)
    settings.model.readout = chosen_readout(settings.model, is_pair=data.text_pair is not None)
    if compares_by_cosine(settings.model) and data.standardize == "auto":
        data.standardize = "range"
    if named:
        named.adapt(settings)
    if settings.model.family != "ngram" and settings.model.add != "ngram":
        data.symmetric = False  # has no effect, so it must not be part of a run's identity
    elif settings.model.family == "ngram" and settings.model.whole:
        data.max_length, data.truncate = LONGEST, "end"
    if data.audio is not None and settings.model.family == "bert":
        data.max_length = min(data.max_length, settings.model.positions)  # the default suits texts; cuts are reported
    if data.fold == ALL_FOLDS:
        settings.train.keep_best = False  # the selection split is trained on
    _choose_checkpoint(settings)
    if settings.train.threads is None:
        settings.train.threads = choose_threads(settings.model.family, settings.model.hidden, jobs)
    if contradictions := conflicts(settings):
        raise ConfigError("\n".join(contradictions))
    if settings.view.name == NONE:
        settings.view = ViewSettings()  # its other settings have no effect: no part of the run's identity
    return settings


@cache
def _options_in_yaml(group: str, name: str) -> JsonObject:
    """Return the options in the YAML of a part; {} if there is no such file."""
    path = file_of(group, name)
    found = read_yaml(path) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _numbers_like(usual: JsonObject, given: JsonObject) -> JsonObject:
    """Return the options that are whole numbers, with the type, int or float, of the defaults in `usual`.

    A run is named by a hash of its options, so 0 and 0.0 would be two runs.
    """
    whole = {name: value for name, value in given.items() if type(value) in (int, float) and float(value).is_integer()}
    as_float = {name: float(value) for name, value in whole.items() if type(usual.get(name)) is float}
    return as_float | {name: int(value) for name, value in whole.items() if type(usual.get(name)) is int}


def _choose_lower_case(data: DataSettings, *, reads_words: bool) -> None:
    """Set data.lower to the language whose rules apply: auto takes it from data.config, such as tr or tur_Latn.

    data.language sets it too, unless the task reads words, where it serves to restore punctuation and capitals.
    """
    if data.lower == "auto":
        data.lower = language_of(data.config)
    if not reads_words and language_of(data.language):
        data.lower, data.language = language_of(data.language), None


def _still_reported(data: DataSettings) -> dict[str, str]:
    """Return the reported splits: the first one, and every other one that is not used to calibrate.

    A score on rows that calibrated the model would be a score on fitted data.
    """
    own, first = calibration_hub_split(data), next(iter(data.report_splits), None)
    return {name: split for name, split in data.report_splits.items() if name == first or split != own}


def _typed_settings(config: DictConfig) -> Settings:
    """Return the settings as dataclasses; raise ConfigError for a value of another type."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    ours = [str(key) for key in config if key not in COMMAND_KEYS]
    require_groups(config, ours)
    if found := _settings_at_once(config, ours):
        return found
    try:
        masked = OmegaConf.masked_copy(config, ours)
        masked.compression = OmegaConf.to_container(config.compression, resolve=True)  # may refer to keys removed below
        if (unset := next(_unset(OmegaConf.to_container(masked, resolve=False)), None)) is not None:
            raise ConfigError(f"{unset}=??? has no value. Try: {unset}=<a value>; the defaults: run --cfg job")
        settings: Settings = OmegaConf.to_object(OmegaConf.unsafe_merge(_schema(), masked))  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        raise ConfigError(_value_problem(error)) from error
    return settings


def _value_problem(error: OmegaConfBaseException) -> str:
    """Return the message about a value of another type, or about a key of a file that is no setting."""
    from omegaconf.errors import ConfigKeyError

    key, reason = error.full_key or "a setting", str(error).splitlines()[0]
    if not isinstance(error, ConfigKeyError):
        return f"{key}: {reason}. Fix its value; the defaults: run --cfg job"
    if key in groups():
        return (
            f"the YAML of {key}= sets no settings, but keys below {key!r}. Its first line must be: # @package _global_"
        )
    meant = did_you_mean(closest(key, [*known_keys()]))
    return f"{key}: no such setting{meant or '.'} It is in a YAML of your own. All: run --cfg job"


def _unset(node: object, key: str = "") -> Iterator[str]:
    """Yield the dotted keys without a value (???), which would silently get the default of the dataclass."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _unset(value, f"{key}.{name}" if key else str(name))
    elif node == UNSET:
        yield key


def _schema() -> DictConfig:
    """Return OmegaConf's typed config of the settings, in 1 ms from the second call on; the first takes 30 ms."""
    schema: DictConfig = pickle.loads(_pickled_schema())  # noqa: S301 our own
    return schema


@cache
def _pickled_schema() -> bytes:
    from omegaconf import OmegaConf

    return pickle.dumps(OmegaConf.structured(Settings))


def _settings_at_once(config: DictConfig, keys: Sequence[str]) -> Settings | None:
    """Return the settings if each value already has the type of its field, in a quarter of the time of OmegaConf.

    None if a value must be converted or refused, or refers to the default of a dataclass.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    def plain(key: str) -> object:
        value = config[key]
        is_group = OmegaConf.is_config(value)
        return OmegaConf.to_container(value, resolve=True, throw_on_missing=True) if is_group else value

    try:
        parts = [OmegaConf.to_container(config.model[part], resolve=False) for part in FREE_PARTS]
        if "${" in str(parts):  # an interpolation has the type of the value that it refers to
            return None
        found: Settings = of_plain_values(Settings, {key: plain(key) for key in keys})
        return found
    except (TypeError, OmegaConfBaseException):
        return None


def _choose_checkpoint(settings: Settings) -> None:
    """Replace `auto`, run ids and model.init_from by the weights and the tokenizer that they stand for."""
    model, is_builtin = settings.model, settings.data.source == "demo"
    model.pretrained = None if model.family in OVER_NGRAMS else _model_of_run(model.pretrained, settings.paths.output)
    if model.pretrained == "auto":
        # The built-in data never needs a hub; everything else starts from the published weights of that size.
        model.pretrained = None if is_builtin else model.weights
    start = None
    if model.family == "dsn":
        start = model.init_from = _model_of_run(model.init_from, settings.paths.output, INIT_FROM)
    if start and is_builtin and start == model.weights:
        start, model.init, model.init_from = None, "random", None
    if start and model.init != "random" and model.pretrained == model.weights:
        model.pretrained = None  # the vectors of init_from take the place of the preset's table
    if model.init_from and not start:
        model.pretrained = None
        start = None if is_command(model.init_from) else str(folder_of(model.init_from, settings.paths.output))
    if model.family in OVER_NGRAMS and model.tokenizer == TRAINED:
        model.tokenizer = HASHED_WORDS  # "train" is meant for the other models of a sweep
    if model.characters and model.tokenizer == HASHED_WORDS:
        model.tokenizer += ":" + "-".join(map(str, model.characters))
    if model.tokenizer == "auto" and not pretrains_first(model):
        source = model.pretrained or start
        model.tokenizer = source or (TRAINED if is_builtin else DEFAULT_TOKENIZER)


def _stages(chosen: Mapping[str, JsonObject], is_chain_given: bool) -> dict[str, StageSettings]:
    """Return the stages in their order, each with the settings of its method.

    is_chain_given: does the command itself choose the stages? Settings of other stages in a file then have no effect.
    Raises ConfigError for an option that a method does not have.
    """
    from omegaconf.errors import OmegaConfBaseException

    found: dict[str, StageSettings] = {}
    for name, options in chosen.items():
        if name == "none":
            continue
        if not isinstance(options, dict):
            raise ConfigError(
                f"compression.{name}={'null' if options is None else options}: the options of a method are needed. "
                f"Try: compression.{name}.<option>=<value>, or leave {name} out of compression=[{','.join(chosen)}]; "
                "the first line of a YAML of your own is: # @package compression.<its name>"
            )
        if "method" not in options:  # set in a file; a command cannot name options of what it did not choose
            if is_chain_given:
                continue
            names = [*(other for other in chosen if other not in (name, "none")), name]
            raise ConfigError(
                f"compression.{name} is set in a file, but no stage of that name is chosen. "
                f"Try: compression=[{','.join(names)}], or leave it out of that file"
            )
        if options["method"] not in METHODS:
            raise ConfigError(f"compression.{name}.method={options['method']}: no such method. Fix that YAML")
        try:
            found[name] = typed(METHODS[options["method"]], options)
        except OmegaConfBaseException as error:
            raise ConfigError(f"compression.{name}: {str(error).splitlines()[0]}") from error
    return found


def _model_of_run(source: str | None, output: str, key: str = PRETRAINED) -> str | None:
    """Return the model folder of the run if `source` is a run id in the output folder; else return it unchanged."""
    if source is None or not re.fullmatch("[0-9a-f]{10}", source) or Path(source).exists():
        return source
    folder = Path(output).expanduser() / source / "model"
    if not folder.is_dir():
        raise ConfigError(
            f"{key}={source} looks like the id of a run, but there is no {folder}. "
            f"Try: {key}=<the id of a finished run, a folder, or a hub id>"
        )
    return str(folder)
