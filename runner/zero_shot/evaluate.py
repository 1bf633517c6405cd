"""The answers of `run zero-shot`, scored and recorded as a run that `run show` and `run compare` read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from data.splits import TokenSplit
from runner.deploy.predictor import Predictor
from runner.machine.facts import machine_facts
from runner.record.abandoned import held
from runner.record.folder import read_record
from runner.record.predictions import write_predictions
from runner.record.record import ClassReport, DataFacts, Environment, RunRecord, TokenizerFacts, WeightsFacts
from runner.record.writer import RecordWriter
from runner.schema import Settings
from runner.tasks.base import LabelFacts, Task
from runner.tasks.make import task_of_labels
from runner.version import NUMBERS, VERSION
from runner.zero_shot.ask import Question, TemplateScores, ask_template, pair_logits
from runner.zero_shot.rows import ReportedRows
from runner.zero_shot.scores import SINGLE

SURE = np.int8(100)  # logit of a probability of 1; -100: of 0
COPIED = "cost/"  # metrics of the entailment model, except for those of its training and of its texts:
NOT_COPIED = ("cost/params_trained", "cost/macs", "cost/bytes_peak_", "cost/bytes_cache")
MACS = "cost/macs_s"  # of one pass; a text takes one for each label


@dataclass(frozen=True)
class ZeroShot:
    """All that a result depends on."""

    settings: Settings  # of the data
    rows: ReportedRows
    question: Question
    output: Path
    words: list[str]  # of the command
    is_paired: bool = False  # rows of two texts, whose classes are the model's own

    @property
    def task(self) -> Task:
        """The task of the labels."""
        return task_of_labels(self.rows.task, self.settings)

    def identity(self, predictor: Predictor) -> str:
        """Return the ten hexadecimal digits of what is computed, as weights, rows, words, templates and scores."""
        weights = hashlib.sha256(predictor.exported.weights.read_bytes()).hexdigest()
        asked = None if self.is_paired else asdict(self.question)
        content = ["zero-shot", weights, predictor.tokenizer.fingerprint, predictor.exported.max_length]
        content += [self.rows.raw.fingerprint(), self.rows.task.label_names, list(self.task.metrics), asked, NUMBERS]
        if (positive := self.settings.data.positive) is not None:  # the class that F1, precision and recall are of
            content.append({"positive": positive})
        if self.task.has_label_sets and self.settings.data.threshold != LabelFacts().threshold:
            content.append({"threshold": self.settings.data.threshold})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def find_or_make(wanted: ZeroShot, predictor: Predictor, size: int, *, force: bool) -> tuple[RunRecord, Path, bool]:
    """Return the record of a result and its folder, and whether it was there before.

    size: pairs of text and hypothesis in a batch; force: asks again.
    """
    folder = wanted.output / wanted.identity(predictor)
    before = read_record(folder)
    if before and before.status == "done" and not force:
        return before, folder, True
    answers = answers_of(wanted, predictor, size)
    with held(folder):
        return record_answers(wanted, predictor, answers, folder), folder, False


def record_answers(wanted: ZeroShot, predictor: Predictor, answers: list[TemplateScores], folder: Path) -> RunRecord:
    """Write answers, their scores and their record into a folder that this process holds; return the record."""
    writer = RecordWriter.begin(folder, first_record(wanted, predictor), None)
    task, raw = wanted.task, wanted.rows.raw
    split = token_split(wanted, predictor)
    headline = answers[0].scores(has_prior=wanted.question.has_prior).astype(np.float32)
    found = task.answers(headline, split)
    write_predictions(folder, split, task.columns_to_store(headline, found), found.names, found.offsets)
    writer.add_metrics(metrics_of(wanted, task, answers, split))
    writer.add_metrics(costs_of(wanted, predictor))
    if report := task.report(found):
        writer.set_reports({split.name: ClassReport(**report)})
    writer.add_notes(notes_on(wanted, answers, len(raw)))
    writer.finish("done")
    return writer.record


def answers_of(wanted: ZeroShot, predictor: Predictor, size: int) -> list[TemplateScores]:
    """Return the answers by each template, or those of pairs alone."""
    texts, pairs = wanted.rows.texts, wanted.rows.pairs
    if wanted.is_paired:
        return [pair_logits(predictor, texts, pairs or [], wanted.rows.task.label_names, size)]
    numbers = range(len(wanted.question.templates))
    return [ask_template(predictor, texts, wanted.question, number, size) for number in numbers]


def token_split(wanted: ZeroShot, predictor: Predictor) -> TokenSplit:
    """Return the reported rows as a split with their labels; of its tokens only the number of rows is meaningful."""
    texts, pairs = wanted.rows.texts, wanted.rows.pairs
    asked = predictor.ask(texts, pairs or [""] * len(texts)).split
    return replace(asked, name=wanted.rows.name, labels=wanted.rows.raw.labels, source_rows=wanted.rows.raw.source_rows)


def metrics_of(wanted: ZeroShot, task: Task, answers: list[TemplateScores], split: TokenSplit) -> dict[str, float]:
    """Return the scores of the first template with intervals, those of each template, chance and the majority class."""
    first = task.metrics[0]
    names = tuple(dict.fromkeys((*task.metrics, *task.always_recorded)))
    has_prior = wanted.question.has_prior
    headline = task.answers(answers[0].scores(has_prior=has_prior), split)
    found = {f"{split.name}/{name}": value for name, value in task.evaluate(headline, names).items()}
    for name in task.metrics:
        low, high = task.score(name).interval(headline)
        found |= {f"{split.name}/{name}_low": low, f"{split.name}/{name}_high": high}
    found[f"{split.name}/examples"] = float(len(split))
    if (constant := task.is_constant(headline)) is not None:
        found[f"{split.name}/constant_predictions"] = float(constant)
    found["baseline/majority"] = task.constant_baseline(split, first)
    found["zero_shot/chance"] = chance_of(task, split, first)
    for number, one in enumerate(answers if not wanted.is_paired else [], 1):
        for key, is_taken in (("prior", True), ("no_prior", False)):
            scores = task.evaluate(task.answers(one.scores(has_prior=is_taken), split), task.metrics)
            found |= {f"zero_shot/{name}_{key}_{number}": value for name, value in scores.items()}
    seconds = sum(one.seconds for one in answers)
    return found | {"zero_shot/texts_per_s": len(split) * len(answers) / seconds, "time/evaluate_s": seconds}


def chance_of(task: Task, split: TokenSplit, score: str) -> float:
    """Return the score of guessing a class at random, computed by answering every row once with each class."""
    classes = len(task.facts.names)
    # Bytes, since it has rows x classes x classes; so far from 0 that data.threshold does not matter.
    kept = np.tile(SURE * (2 * np.eye(classes, dtype=np.int8) - 1), (len(split), 1))
    repeated = replace(split, labels=split.labels.take(np.repeat(np.arange(len(split)), classes)))
    return task.score(score).value(task.answers(kept, repeated))


def costs_of(wanted: ZeroShot, predictor: Predictor) -> dict[str, float]:
    """Return the costs of an answer, from the record of the run that made the model; {} if there is no such record.

    Multiply-adds are those of all passes that a text takes, one for each label.
    """
    record = read_record(wanted.output / predictor.exported.identity)
    metrics = record.metrics if record else {}
    passes = 1 if wanted.is_paired else len(wanted.rows.task.label_names)
    found = {
        name: value for name, value in metrics.items() if name.startswith(COPIED) and not name.startswith(NOT_COPIED)
    }
    return found | {name: passes * value for name, value in metrics.items() if name.startswith(MACS)}


def first_record(wanted: ZeroShot, predictor: Predictor) -> RunRecord:
    """Return all that is known before the first answer."""
    exported, rows, settings = predictor.exported, wanted.rows, wanted.settings
    config = asdict(settings)
    made = read_record(wanted.output / exported.identity)
    # Without a record of the run that made the model, only the run's name is known, which begins with the model's; the
    # other settings of the model are then defaults, which have no meaning here.
    model, name = (made.config["model"], made.model) if made else (config["model"], exported.name.partition(" ")[0])
    config["model"] = model | {"name": f"zero-shot-{name}"}  # no trained run of these data in tables
    asked = {"from": exported.identity} | ({} if wanted.is_paired else asdict(wanted.question))
    labels = rows.task.label_names
    return RunRecord(
        identity=wanted.identity(predictor),
        name=f"zero-shot {exported.name} on {settings.data.name}",
        config=config | {"zero_shot": {key: _plain(value) for key, value in asked.items()}},
        data=DataFacts(
            task=wanted.task.name,
            primary=f"{rows.name}/{wanted.task.metrics[0]}",
            rows={rows.name: len(rows.raw)},
            name=settings.data.name,
            source=settings.data.id or settings.data.test_path or settings.data.path or settings.data.source,
            fingerprint=rows.raw.fingerprint(),
            fingerprints={rows.name: rows.raw.fingerprint()},
            labels=list(labels),
            positive=labels[rows.task.positive] if len(labels) == 2 else None,
        ),
        overrides=wanted.words,
        environment=Environment(machine_facts(), settings.train.threads, "cpu", VERSION, NUMBERS, {}),
        tokenizer=TokenizerFacts(
            predictor.tokenizer.source, predictor.tokenizer.vocab_size, predictor.tokenizer.fingerprint
        ),
        weights=WeightsFacts(source=exported.identity),
        notes=list(rows.notes),
    )


def _plain(value: object) -> object:
    """Return a value as JSON has it: a list for a tuple."""
    return list(value) if isinstance(value, tuple) else value


def notes_on(wanted: ZeroShot, answers: list[TemplateScores], rows: int) -> list[str]:
    """Return sentences on what was asked, which `run show` prints."""
    labels, question = wanted.rows.task.label_names, wanted.question
    if wanted.is_paired:
        found = ["zero-shot: no row of these data was learned from; the classes are those of the model"]
    else:
        pairs = ", ".join(word if word == name else f"{word} = {name}" for word, name in zip(question.words, labels))
        prior = "minus the scores of texts without content" if question.has_prior else "as they are"
        mode = "entailment against the other labels" if question.mode == SINGLE else "entailment against contradiction"
        found = [f"zero-shot: no row of these data was learned from; labels: {pairs}", f"scores: {mode}, {prior}"]
        found += [f"template {number}: {one.template}" for number, one in enumerate(answers, 1)]
    if cut := max(one.cut for one in answers):
        found.append(f"{cut / rows:.1%} of the texts were longer than the model reads and were cut")
    return found
