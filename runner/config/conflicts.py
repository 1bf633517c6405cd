"""Settings that contradict each other: one line for each pair, with the cure."""

from __future__ import annotations

from data.settings import DataSettings
from models.compression.settings.chain import missing_requirements, out_of_order, wrong_starts
from models.compression.settings.learn import Distil
from models.setting_conflicts import contradictions
from models.settings import CNN, FITTED_NGRAMS, HASHED_WORDS, OVER_NGRAMS
from runner.config.check_added_tokens import added_token_conflicts
from runner.config.check_calibration import calibration_conflicts
from runner.config.check_codes import code_conflicts
from runner.config.check_columns import column_conflicts
from runner.config.check_cosine import cosine_conflicts
from runner.config.check_files import file_conflicts
from runner.config.check_folds import fold_conflicts
from runner.config.check_head import head_conflicts
from runner.config.check_losses import loss_conflicts
from runner.config.check_maxmatch import maxmatch_conflicts
from runner.config.check_reference import reference_conflicts
from runner.config.check_sound import sound_conflicts
from runner.config.check_splits import split_conflicts
from runner.config.check_truncate import truncate_conflicts
from runner.config.check_view import view_conflicts
from runner.config.recipes import recipe_conflicts
from runner.config.sized import table_conflicts
from runner.machine.extras import missing_extra
from runner.schema import ROW_SGD, Settings
from runner.tasks import named_task
from runner.tasks.label_set_conflicts import label_set_conflicts

MOST_CHARACTERS = 8  # characters of the longest n-gram


def conflicts(settings: Settings) -> list[str]:
    """Return one line for every pair of values that cannot go together, with the cure."""
    return [
        *task_conflicts(settings),
        *model_conflicts(settings),
        *head_conflicts(settings),
        *view_conflicts(settings),
        *cosine_conflicts(settings),
        *training_conflicts(settings),
        *maxmatch_conflicts(settings),
        *recipe_conflicts(settings),
        *table_conflicts(settings),
        *measuring_conflicts(settings),
        *reference_conflicts(settings),
        *file_conflicts(settings.data),
        *column_conflicts(settings),
        *code_conflicts(settings.data),
        *added_token_conflicts(settings),
        *label_set_conflicts(settings.data),
        *fold_conflicts(settings),
        *split_conflicts(settings.data),
        *calibration_conflicts(settings),
        *sound_conflicts(settings),
        *truncate_conflicts(settings),
    ]


def task_conflicts(settings: Settings) -> list[str]:
    """Return contradictions between the task and the data, the model or the compression."""
    task, data = settings.task, settings.data
    found = []
    named = named_task(task, data)
    if data.report:
        found += _reported_languages(data)
    if data.label is None and (named is None or named.needs_label):
        found.append("data.label=null: texts without labels are for task=mlm. Try: run task=mlm, or data.label=label")
    if named is None or named.input != "words":
        found += _settings_of_words(data)
    found += loss_conflicts(settings)
    return found + (named.conflicts(settings) if named else [])


def _reported_languages(data: DataSettings) -> list[str]:
    """Return mistakes in data.report, which names further configs of a hub dataset."""
    named = f"data.report=[{','.join(data.report)}]"
    if data.source != "hub" or data.config is None:
        return [
            f"{named} names configs of a hub dataset, such as languages, but data={data.name} has none. Leave it out"
        ]
    wrong = [config for config in data.report if data.report.count(config) > 1 or config == data.config]
    odd = [config for config in data.report if not config.replace("-", "_").isidentifier()]
    if odd:
        return [f"{named}: {odd[0]!r} is not the name of a config. Try: 'data.report=[tr]'"]
    return [f"{named}: {wrong[0]} is reported already. Leave it out"] if wrong else []


def _settings_of_words(data: DataSettings) -> list[str]:
    """Return one line for each setting of tasks over words that is set for another task."""
    given = {"tokens": data.tokens, "tags": data.tags, "language": data.language}
    named = " ".join(f"data.{name}={value}" for name, value in given.items() if value is not None)
    found = (
        [f"{named}: for tagging words, but this task reads texts. Try: task=tags, or data with texts"] if named else []
    )
    if data.join != 1:
        found.append(f"data.join={data.join} joins rows of words, but this task reads texts. Leave it out")
    if not data.windows:
        found.append("data.windows=false: this task cuts long texts anyway. Leave it out")
    return found


def model_conflicts(settings: Settings) -> list[str]:
    """Contradictions inside the model, between its parts and where its weights come from, and in its compression."""
    model = settings.model
    found = []
    if model.family == "auto" and not (model.pretrained or model.init_from):
        found.append(
            "model/backbone=auto needs an encoder: a hub id or a folder. "
            "Try: model.pretrained=sentence-transformers/all-MiniLM-L6-v2"
        )
    task = named_task(settings.task, settings.data)
    found += contradictions(model, task.reads if task else "text")
    if model.readout["name"] == "pair" and settings.data.text_pair is None:
        found.append(
            f"model/readout=pair compares the two texts of a pair, but data={settings.data.name} has one text per row. "
            "Try: model/readout=mean, or data.text_pair=<the column of the second text>"
        )
    found += out_of_order(settings.compression)
    found += wrong_starts(settings.compression, is_finished=bool(settings.finished))
    has_encoder = model.family not in ("dsn", CNN, *OVER_NGRAMS)
    found += missing_requirements(settings.compression, has_encoder=has_encoder)
    found += ngram_conflicts(settings) if model.family in OVER_NGRAMS else []
    found += added_conflicts(settings) if model.add != "none" else []
    if model.tokenizer == "train" and model.pretrained and model.embedding["name"] == "table":
        found.append(
            f"model.tokenizer=train makes a new vocabulary, which the weights of {model.pretrained} do not match. "
            "Try: model.tokenizer=auto, or model.pretrained=null"
        )
    if model.family == "dsn" and model.init != "random" and not model.init_from:
        found.append(
            f"model.init={model.init} needs a checkpoint to take the embeddings from. "
            "Try: model.init_from=sentence-transformers/all-MiniLM-L6-v2"
        )
    return found


def ngram_conflicts(settings: Settings) -> list[str]:
    """Return contradictions between an n-gram model and the task, the data, the compression or the tokenizer."""
    task, found = named_task(settings.task, settings.data), []
    if task and (task.reads != "text" or not task.needs_label):
        found.append(
            f"model={settings.model.name} gives one answer per text, but the task {task.name} needs more. "
            "Try: model=bert-tiny, or a task with one answer per text (classification, regression)"
        )
    if settings.model.family == "ngram_vectors" and settings.data.text_pair:
        found.append(
            f"data.text_pair={settings.data.text_pair}: model={settings.model.name} reads one text. Try: model=ngram"
        )
    if settings.compression:
        found += _ngram_compression(settings)
    found += character_conflicts(settings)
    if settings.model.tokenizer.partition(":")[0] != HASHED_WORDS:
        found.append(
            f"model.tokenizer={settings.model.tokenizer}: model={settings.model.name} reads words. Leave it out"
        )
    return found


def _ngram_compression(settings: Settings) -> list[str]:
    """Return one line for each compression that an n-gram model cannot have.

    It can only learn a teacher's answers.
    """
    (name, stage), *more = settings.compression.items()
    if settings.model.family == FITTED_NGRAMS and isinstance(stage, Distil) and not more:
        if len(stage.phases) == 1 and not any(p.losses.internal or p.losses.vector for p in stage.phases.values()):
            if stage.augment.model:
                return [
                    f"compression.{name}.augment.model: model={settings.model.name} does no augmentation. Leave it out"
                ]
            return _options_of_steps(f"compression.{name}", stage, settings.model.name)
        return [
            f"compression=[{name}]: model={settings.model.name} learns only a teacher's answers, in one phase. "
            "Try: 'compression=[distil_unlabelled]'"
        ]
    return [
        f"compression={','.join(settings.compression)}: model={settings.model.name} is pruned and rounded already. "
        "Try: model.max_kb=<kilobytes of its file> in place of a compression"
    ]


def _options_of_steps(key: str, stage: Distil, model: str) -> list[str]:
    """Return one line for each option of gradient training, which has no effect on a fitted model."""
    given = {f"{key}.starts": stage.starts} if not stage.replaces_training else {}
    given |= {
        f"{key}.phases.{name}.{option}": value
        for name, phase in stage.phases.items()
        for option, value in vars(phase).items()
        if option != "losses" and value is not None
    }
    return [
        f"{one}={value} has no effect: model={model} is fitted in one pass. Leave it out"
        for one, value in given.items()
    ]


def added_conflicts(settings: Settings) -> list[str]:
    """Return one line for each setting under which no n-grams can be added to a network.

    The network must answer for whole texts, compare two texts where a row has two, and be trained without compression.
    """
    model, first = settings.model, next(iter(settings.compression.values()), None)
    task = named_task(settings.task, settings.data)
    given, found = f"model.add={model.add}", list[str]()
    if model.family != "dsn":
        found.append(
            f"{given} adds n-grams to a network without attention, and model={model.name} is not one. "
            "Try: model=static-ngram, or model.add=none"
        )
    elif task and (task.reads != "text" or not task.needs_label):
        found.append(
            f"{given} fits n-grams to one label per text, which task={task.name} does not have. Try: model.add=none"
        )
    elif settings.data.text_pair is not None and model.readout["name"] != "pair":
        found.append(
            f"{given} joins a network that compares two texts, but model/readout={model.readout['name']} reads both as "
            "one. Try: model/readout=pair"
        )
    if first and first.replaces_training and not settings.finished:
        found.append(
            f"{given} fits n-grams after the plain training, which compression=[{next(iter(settings.compression))}] "
            "skips. Try: run it without, then that compression with from=<its id>"
        )
    return found


def character_conflicts(settings: Settings) -> list[str]:
    """Return one line for each setting of character n-grams that an n-gram model cannot have."""
    model, wanted = settings.model, settings.model.characters
    lengths = model.tokenizer.partition(":")[2]
    if wanted is None:
        told = f"model.tokenizer={model.tokenizer} is already set by model.characters. Leave it out"
        return [told] if lengths else []
    if len(wanted) != 2 or not 1 <= wanted[0] <= wanted[1] <= MOST_CHARACTERS:
        return [
            f"model.characters={wanted}: expected the shortest and the longest n-gram, from 1 to {MOST_CHARACTERS} "
            "characters. Try: 'model.characters=[2,5]'"
        ]
    if model.family != "ngram":
        return [f"model.characters={wanted}: model={model.name} reads words. Try: model=ngram"]
    if settings.data.text_pair:
        return [f"model.characters={wanted}: n-grams of pairs are made of words. Leave model.characters out"]
    return []


def training_conflicts(settings: Settings) -> list[str]:
    """Return contradictions between the training loop and the model, and a tracker without a name to write to."""
    model, train = settings.model, settings.train
    found = []
    if settings.engine.compact_vocabulary == "always" and model.embedding["name"] != "table":
        found.append(
            f"engine.compact_vocabulary=always trains part of a word table, but model/embedding="
            f"{model.embedding['name']} has none. Try: engine.compact_vocabulary=auto"
        )
    optimizer = settings.optimizer
    if optimizer.name == ROW_SGD and (optimizer.momentum or optimizer.weight_decay):
        found.append(
            f"optimizer={ROW_SGD} changes only the rows that a step reads, so it has no momentum "
            f"({optimizer.momentum:g}) and no weight decay ({optimizer.weight_decay:g}). "
            "Try: optimizer.momentum=0 optimizer.weight_decay=0, or optimizer=sgd"
        )
    if optimizer.name == ROW_SGD and model.family in ("bert", "auto"):
        found.append(
            f"optimizer={ROW_SGD} has a learning rate per text, which suits tables of words and a last layer, but "
            f"model={model.name} has an encoder. Try: optimizer=adamw, or model=dsn"
        )
    has_layers = model.family in ("bert", "auto") and optimizer.name != ROW_SGD
    if optimizer.layer_decay != 1.0 and not has_layers:
        found.append(
            f"optimizer.layer_decay={optimizer.layer_decay:g} needs an encoder with layers, but model={model.name} has "
            "none. Try: optimizer.layer_decay=1, or model=minilm"
        )
    if train.accumulate > train.batch_size:
        found.append(
            f"train.accumulate={train.accumulate} is more parts than train.batch_size={train.batch_size} has rows. "
            f"Try: train.accumulate={train.batch_size}"
        )
    if not settings.tracker.experiment.strip():
        found.append("tracker.experiment is empty, but needs a name. Try: tracker.experiment=bertier")
    return found


def measuring_conflicts(settings: Settings) -> list[str]:
    """Return contradictions between measure.onnx and other settings, or an installation that cannot export."""
    if not settings.measure.onnx:
        return []
    if not settings.measure.enabled:
        return ["measure.onnx=true: with measure=off nothing is timed. Try: measure=default"]
    task = named_task(settings.task, settings.data)
    if task and not task.is_deployed:
        return [f"measure.onnx=true: {task.output_name} is not exported. Try: measure.onnx=false"]
    return [f"measure.onnx=true: {problem}"] if (problem := missing_extra("onnx")) else []
