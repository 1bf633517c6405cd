"""`run zero-shot ID data=... labels=[...]`: labels for texts by an entailment model, without training rows."""

from __future__ import annotations

from pathlib import Path

from data.settings import ONE, PER_LABEL
from data.sources.local_files import existing_file
from data.stores.build_once import SharedCache
from runner.commands.help import show_usage
from runner.commands.options import output_folder, parse_options, true_or_false, unknown_option, whole_number
from runner.commands.reader import with_reader
from runner.config.check import check_overrides
from runner.config.check_sound import column_of_sounds
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.exported import ExportedModel, find_model
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError, refuse
from runner.schema import Settings
from runner.tasks import likely_task
from runner.tasks.make import task_of_labels
from runner.zero_shot.ask import Question
from runner.zero_shot.evaluate import ZeroShot, find_or_make
from runner.zero_shot.labels import check_meaning, entailment_places, words_of_classes
from runner.zero_shot.rows import ReportedRows, read_reported
from runner.zero_shot.scores import MODES, MULTI, SINGLE
from runner.zero_shot.show import show_result
from runner.zero_shot.templates import chosen_templates, language_of_texts

VERB, FROM, TEMPLATE = "zero-shot", "from=", "template="
PRIORS = ("content_free", "none")
OWN = {
    "labels": "", "language": "auto", "mode": SINGLE, "prior": PRIORS[0], "engine": "auto", "batch_size": "64",
    "threads": "1", "force": "false",
}  # fmt: skip
OF_DATA = ("data", "paths", "seed", "tracker")  # groups of settings; only `run sync` mirrors a result
OF_TEMPLATES = ("labels", "language", "mode", "prior", "template")  # options that pairs of texts do not have
ONE_TEXT = "one text, but an entailment model reads two"
LOOKED_AT = 500  # texts from which the language is detected


def main(words: list[str]) -> int:
    """Ask the model, record the result and print its table; 0 unless the command or the data are wrong."""
    if not words:
        return show_usage(VERB)
    source, rest = source_of(words)
    templates = [word.removeprefix(TEMPLATE) for word in rest if word.startswith(TEMPLATE)]
    own = [word for word in rest if word.partition("=")[0] in OWN]
    others = [word for word in rest if word not in own and not word.startswith(TEMPLATE)]
    chosen = checked_options(own)
    check_data_words(others)
    others = with_rows(others)
    if audio := column_of_sounds(others):
        raise ConfigError(
            f"run zero-shot: data.audio={audio} are sounds, but an entailment model reads texts. "
            "Try: data of texts, as data=sib200"
        )
    others = with_reader(others, allow_unread=True)  # settings have a model, which must read such data to be checked
    if problems := check_overrides(others, allow_unread=True):  # its own words have settings of a task too
        return refuse(problems)
    settings = resolve(compose(others), words=others)
    check_task(settings)
    output = output_folder(settings.paths.output)
    exported = model_of_entailment(source, output, chosen["engine"])
    places = entailment_places(exported.labels, source, chosen["mode"])
    rows = read_reported(settings.data, SharedCache(Path(settings.paths.cache).expanduser()))
    is_paired = rows.task.is_pair
    question = question_of(rows, settings, chosen, templates, places)
    check_sets(rows, settings, chosen["mode"])
    if is_paired:
        check_pairs(exported, rows)
        refuse_of_templates([word for word in rest if word.partition("=")[0] in OF_TEMPLATES])
    typed = [VERB, source, *rest]
    wanted = ZeroShot(settings, rows, question, output, typed, is_paired)
    predictor = Predictor(exported, whole_number(VERB, "threads", chosen["threads"], 1, 1024))
    size = whole_number(VERB, "batch_size", chosen["batch_size"], 1, 4096)
    force = true_or_false(VERB, "force", chosen["force"])
    record, folder, _ = find_or_make(wanted, predictor, size, force=force)
    from rich.console import Console

    show_result(record, folder, Console(highlight=False))
    return 0


def source_of(words: list[str]) -> tuple[str, list[str]]:
    """Return the run or folder of the model (the first word, or from=), and the other words."""
    named = [word for word in words if word.startswith(FROM)]
    rest = [word for word in words if word not in named]
    if named:
        return named[-1].removeprefix(FROM), rest
    if "=" in words[0]:
        raise ConfigError(
            "run zero-shot: which entailment model? Try: run model=bert-small data=snli, then: "
            "run zero-shot <id> data=sib200"
        )
    return words[0], words[1:]


def checked_options(own: list[str]) -> dict[str, str]:
    """Return the options of the verb; raise ConfigError for an invalid value."""
    chosen = parse_options(VERB, own, **OWN)
    for key, values in (("mode", MODES), ("prior", PRIORS)):
        if chosen[key] not in values:
            raise ConfigError(
                f"run zero-shot: {key}={chosen[key]}: expected {' or '.join(values)}. Try: {key}={values[0]}"
            )
    return chosen


def check_data_words(words: list[str]) -> None:
    """Raise ConfigError for words that are neither options of the verb nor settings of the data."""
    for word in words:
        if "=" not in word or word.lstrip("+").partition("=")[0].partition(".")[0] not in OF_DATA:
            raise ConfigError(unknown_option(VERB, word, [*OWN, "template", "data", "data.*", "paths.*"]))
    if not any(word.startswith("data=") for word in words):
        raise ConfigError("run zero-shot: which texts? Try: data=sib200, or data=files data.test_path=texts.csv")


def check_task(settings: Settings) -> None:
    """Raise ConfigError for data of a task without classes, as far as known before they are read."""
    task = likely_task(settings.task, settings.data)
    if not (task.has_probabilities or task.has_label_sets):
        raise ConfigError(
            f"run zero-shot: the rows of data={settings.data.name} are for the task {task.name}, but classes of texts "
            "are needed. Try: data=sib200"
        )


def with_rows(words: list[str]) -> list[str]:
    """Return the data settings, with the file of reported rows named as the training file too.

    Zero-shot needs no training rows, but the settings of a data set do.
    """
    keys = {word.partition("=")[0]: word.partition("=")[2] for word in words}
    if "data.test_path" in keys and not keys.keys() & {"data.path", "data.train_path"}:
        existing_file(keys["data.test_path"].strip("'\""), "data.test_path", any_format=True)
        return [*words, f"data.train_path={keys['data.test_path']}"]
    return words


def model_of_entailment(source: str, output: Path, engine: str) -> ExportedModel:
    """Return the model of a run or an export.

    Raises ConfigError for one that reads one text, or that gives no logits here.
    """
    found = find_model(source, output, engine)
    if found.engine == "numpy" and engine == "auto" and not (Path(source) / "deploy.json").is_file():
        found = find_model(source, output, "torch")
    if found.engine == "numpy":
        raise ConfigError(f"run zero-shot: {source} is a bundle for NumPy. Try: the id of its run")
    if not found.is_pair:
        read = "sounds, but an entailment model reads two texts" if found.reads_sounds else ONE_TEXT
        raise ConfigError(
            f"run zero-shot: {source} reads {read}. Try: run model=bert-small data=snli, and the id of that run"
        )
    return found


def question_of(
    rows: ReportedRows, settings: Settings, chosen: dict[str, str], templates: list[str], places: tuple[int, int | None]
) -> Question:
    """Return how questions are made from texts; raise ConfigError for labels or templates that do not fit."""
    words = words_of_classes(chosen["labels"], rows.task.label_names)
    if not rows.task.is_pair:
        check_meaning(words, templates)
    if templates and chosen["language"] != OWN["language"]:
        raise ConfigError(
            f"run zero-shot: language={chosen['language']} chooses templates, but template= gives them. "
            "Leave one of them out"
        )
    language = language_of_texts(chosen["language"], settings.data, rows.texts[:LOOKED_AT])
    asked = chosen_templates(templates, language, words)
    return Question(words, asked, chosen["mode"], chosen["prior"] == PRIORS[0], *places)


def check_sets(rows: ReportedRows, settings: Settings, mode: str) -> None:
    """Raise ConfigError for sets of labels with a softmax over the labels, or with thresholds that need other rows."""
    if not task_of_labels(rows.task, settings).has_label_sets:
        return
    if mode == SINGLE:
        raise ConfigError(
            f"run zero-shot: mode={mode} chooses one label, but the rows have sets of labels. Try: mode={MULTI}"
        )
    if (rule := settings.data.threshold) in (ONE, PER_LABEL):
        raise ConfigError(
            f"run zero-shot: data.threshold={rule} is fitted to validation rows, which are not read. "
            "Try: data.threshold=0.5"
        )


def check_pairs(exported: ExportedModel, rows: ReportedRows) -> None:
    """Raise ConfigError for pairs of texts whose classes are not the model's: a template takes one text only."""
    if sorted(rows.task.label_names) != sorted(exported.labels):
        raise ConfigError(
            f"run zero-shot: rows of two texts have the classes {', '.join(rows.task.label_names)}; for pairs "
            f"they must be those of the model ({', '.join(exported.labels)}). Try: data of one text, as data=sib200"
        )


def refuse_of_templates(given: list[str]) -> None:
    """Raise ConfigError for options about labels and templates, which have no effect on pairs of texts."""
    if given:
        raise ConfigError(
            f"run zero-shot: {given[0]}: rows of two texts are asked as they are, with the classes of the model. "
            f"Leave {given[0].partition('=')[0]}= out"
        )
