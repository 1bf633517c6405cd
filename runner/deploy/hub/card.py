"""The model card of a folder for the hub: README.md with a YAML header that the hub reads, and text for people.

    card = hub_card(record, CardFacts(architecture="BertForSequenceClassification", ...))

The card is published, so it names no folder of the machine that trained, and text of the user's data (labels, names of
columns) stays text. Format of the header: https://huggingface.co/docs/hub/model-cards, section "Model card metadata".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from data.json_types import JsonObject
from data.quoting import listed
from models import MODEL_TYPE
from runner.record.baseline import MARK, MEANING, NGRAM, is_at_baseline
from runner.record.interval_units import interval_units
from runner.record.model_card import has_label_sets, label_sets, preparation, probabilities, sounds
from runner.record.portable_command import LOCAL, command_of
from runner.record.record import RunRecord
from runner.record.shown_costs import ANSWER, in_mb
from runner.sanitize import code_span, mask, visible
from runner.tasks import baseline_name

SPANS, TAGS = "ForQuestionAnswering", "ForTokenClassification"
PIPELINES = {
    "ForSequenceClassification": "text-classification", TAGS: "token-classification", SPANS: "question-answering",
}  # fmt: skip
OF_SOUNDS = "audio-classification"
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+")  # an id on the hub
LANGUAGE = re.compile(r"[a-z]{2,3}")  # ISO 639
SCORES_OF_PROBABILITIES = {
    "ece": "expected calibration error, 15 bins of equal mass",
    "ece_floor": "that error of a perfectly calibrated model, on average",
    "brier": "Brier score, all classes",
    "log_loss": "log loss",
    "auroc": "area under the ROC curve",
}
BYTES = "cost/bytes_deployed"
MARKUP = re.compile(r"([\\`*_\[\]<>|#!$])")  # what Markdown, and HTML inside it, would read as more than text


@dataclass(frozen=True)
class CardFacts:
    """Facts that are not in the record. license: an id of the hub's list, for the weights as a whole."""

    architecture: str  # the class in config.json
    model_type: str  # that of config.json
    license: str = "unknown"
    graphs: tuple[str, ...] = ()  # ONNX files in the folder
    is_packed: bool = False  # has it a model.bin?
    lengths: str = ""  # sentences about lengths that are not the run's

    @property
    def finds_spans(self) -> bool:
        """Is an answer a part of the text that is asked about?"""
        return self.architecture.endswith(SPANS)

    @property
    def tags_words(self) -> bool:
        """Is an answer a tag for each word?"""
        return self.architecture.endswith(TAGS)


def hub_card(record: RunRecord, facts: CardFacts) -> str:
    """Return the content of README.md."""
    header = yaml.safe_dump(card_header(record, facts), sort_keys=False, allow_unicode=True)
    has_label = not facts.finds_spans and not facts.tags_words
    parts = (
        _summary(record, facts), _use(record, facts), _scores(record), facts.lengths, _classes(record),
        _trust(record) if has_label else "", _limits(record, facts), _licences(record, facts), _origin(record),
    )  # fmt: skip
    return f"---\n{header}---\n# {plain(record.name)}\n\n" + "\n\n".join(filter(None, parts)) + "\n"


def card_header(record: RunRecord, facts: CardFacts) -> JsonObject:
    """Return the metadata that the hub searches by.

    Licence, task, data, base model, and the scores as a model index.
    """
    is_ours = facts.model_type == MODEL_TYPE
    task = next((task for end, task in PIPELINES.items() if facts.architecture.endswith(end)), None)
    task = OF_SOUNDS if task and is_of_sounds(record) else task
    data, base = hub_dataset(record), starting_point(record)
    language = str(record.setting("data.language") or "")
    header: JsonObject = {"license": facts.license, "library_name": "bertier" if is_ours else "transformers"}
    if LANGUAGE.fullmatch(language):
        header["language"] = [language]
    tags = ["bertier", *(["onnx"] if facts.graphs else [])]
    header |= {"tags": tags} | ({"pipeline_tag": task} if task else {})
    if data:
        header["datasets"] = [data]
    if base:
        header["base_model"] = base
    split, scores = record.data.primary.partition("/")[0], list(dict(_reported(record)))
    header["metrics"] = scores
    if task and scores:
        about = {"name": record.dataset, "type": data or record.dataset}
        about |= {"config": str(record.setting("data.config"))} if record.setting("data.config") else {}
        about |= {"split": str(record.setting(f"data.report_splits.{split}", split))}
        values = [{"type": name, "name": name, "value": record.metrics[f"{split}/{name}"]} for name in scores]
        result = {"task": {"type": task}, "dataset": about, "metrics": values}
        header["model-index"] = [{"name": record.name, "results": [result]}]
    return header


def hub_dataset(record: RunRecord) -> str | None:
    """Return the id of the data on the hub; None for files and generated data."""
    return hub_id(record.setting("data.id")) if record.setting("data.source") == "hub" else None


def hub_id(source: object) -> str | None:
    """Return the source if it can be a repository of the hub: neither a path nor the id of a run."""
    text = str(source or "")
    is_run = re.fullmatch(r"[0-9a-f]{6,}", text)
    is_local = is_run or text.startswith(LOCAL) or (REPOSITORY.fullmatch(text) and Path(text).is_dir())
    return text if REPOSITORY.fullmatch(text) and not is_local else None


def starting_point(record: RunRecord) -> str | None:
    """Return the repository on the hub whose weights, or word vectors, its run started from; or None."""
    sources = (record.setting(f"model.{key}") for key in ("pretrained", "init_from"))
    return next(filter(None, map(hub_id, sources)), None)


def is_of_sounds(record: RunRecord) -> bool:
    """Were its rows sounds?"""
    return bool(record.setting("data.audio"))


def plain(text: object) -> str:
    """Text on one line that Markdown and HTML show literally."""
    return MARKUP.sub(r"\\\1", visible(mask(" ".join(str(text).split()))))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def _reported(record: RunRecord) -> Iterator[tuple[str, float]]:
    """Yield the scores of the reported split that the task names, the headline's first."""
    split, _, first = record.data.primary.partition("/")
    for name in dict.fromkeys([first, *record.scores]):
        if (value := record.metrics.get(f"{split}/{name}")) is not None:
            yield name, value


def _summary(record: RunRecord, facts: CardFacts) -> str:
    data, labels = record.data, record.data.labels
    texts = "sounds" if is_of_sounds(record) else "pairs of texts" if record.setting("data.text_pair") else "texts"
    said = f"Answers {texts} with "
    many = "any" if has_label_sets(record) else "one"
    named = plain(listed(labels[:30]))
    said += f"{many} of {len(labels)} labels: {named}" if labels else "a number"
    said = "Answers questions about a text with a part of that text" if facts.finds_spans else said
    said = f"Gives each word of a text one of the tags {named}" if facts.tags_words else said
    more = ", ..." if len(labels) > 30 else ""
    rows = ", ".join(f"{count:,} rows of {plain(split)}" for split, count in data.rows.items())
    return f"{said}{more}. Learnt with Bertier from {plain(hub_dataset(record) or record.dataset)} ({rows})."


def _use(record: RunRecord, facts: CardFacts) -> str:
    needs = "" if facts.model_type != MODEL_TYPE else "import bertier  # the class of this model\n"
    ends = (end for end in PIPELINES if facts.architecture.endswith(end))
    auto = f"AutoModel{next(ends, 'ForSequenceClassification')}"
    said = (
        f"## Use\n\n```python\n{needs}from transformers import {auto}\n\nmodel = {auto}.from_pretrained(...)\n```\n\n"
    )
    asked = '"a question" "the text with the answer"' if facts.finds_spans else '"a text"'
    asked = "sound.wav" if is_of_sounds(record) else asked
    said += f"In a folder with a copy of these files: `run predict <folder> {asked}`, `run serve <folder>`."
    if facts.finds_spans:
        said += (
            " The class gives the start and end logits of one window; these commands cut a text into windows, look for "
            "the best answer and decide whether there is none."
        )
    if facts.tags_words:
        said += (
            " The class gives the logits of each token; these commands split a text into words, take those of each "
            "word's first token, and turn the tags into entities with their places, or into a restored text."
        )
    said += preparation(record) + sounds(record)
    if facts.is_packed:
        said += " `model.bin` is the same model and needs only NumPy; these commands use it."
    if facts.graphs:
        said += f" For ONNX Runtime: {', '.join(f'`{name}`' for name in facts.graphs)}."
    return said


def _scores(record: RunRecord) -> str:
    split, metrics = record.data.primary.partition("/")[0], record.metrics
    rows = []
    for name, value in _reported(record):
        low, high = (metrics.get(f"{split}/{name}_{end}") for end in ("low", "high"))
        interval = "-" if low is None or high is None else f"{low:.4f} to {high:.4f}"
        rows.append([plain(name), f"{value:.4f}", interval])
    headline = plain(record.data.primary.partition("/")[2])
    rows += [[f"{headline}, {words}", f"{value:.4f}", "-"] for words, value in _baselines(record)]
    count, units = interval_units(metrics, split)
    shown = f"{count or record.data.rows.get(split, 0):,} {units} of the split {plain(split)}"
    said = f"## Scores\n\nOn {shown}, not used to choose; one run, seed {record.seed}."
    said += f" Intervals: 95 %, over the {units}.\n\n{_table(['score', 'value', '95 % interval'], rows)}"
    if is_at_baseline([metrics], record.data.primary):
        said += f"\n\n{MARK[0].upper()}{MARK[1:]}: {MEANING}."
    costs = [f"{in_mb(metrics[BYTES])} MB for all files needed to answer"] if BYTES in metrics else []
    if ANSWER in metrics:
        costs.append(f"{metrics[ANSWER]:,.0f} us from a string to its label ({plain(record.environment.processor)})")
    return said + (f"\n\n{'; '.join(costs)}." if costs else "")


def _baselines(record: RunRecord) -> Iterator[tuple[str, float]]:
    """Yield the headline score of each baseline in the record, with its name."""
    named = {"baseline/no_answer": "no answer to any question", "baseline/first_sentence": "the first sentence"}
    if not record.metrics.keys() & named:
        named["baseline/majority"] = baseline_name(record.data.task)
    named[NGRAM] = "a linear model on n-grams"
    for name, words in named.items():
        if (value := record.metrics.get(name)) is not None:
            yield words, value


def _classes(record: RunRecord) -> str:
    report = record.reports.get(record.data.primary.partition("/")[0])
    if report is None:
        return ""
    rows = [
        [plain(name), f"{count:,}", f"{precision:.4f}", f"{recall:.4f}", f"{f1:.4f}"]
        for name, count, precision, recall, f1 in zip(
            report.classes, report.support, report.precision, report.recall, report.f1
        )
    ]
    return _table(["label", "rows", "precision", "recall", "F1"], rows)


def _trust(record: RunRecord) -> str:
    if not record.data.labels:
        return ""
    split, found, facts = record.data.primary.partition("/")[0], record.metrics, record.calibration
    said = probabilities(record).strip() or label_sets(record).strip()
    said = said or "The numbers beside the labels are scores, not probabilities: they were not calibrated."
    rows = [
        [
            words,
            f"{value:.4f}",
            "-" if (before := found.get(f"{split}/{name}_uncalibrated")) is None else f"{before:.4f}",
        ]
        for name, words in SCORES_OF_PROBABILITIES.items()
        if facts is not None and facts.is_calibrated and (value := found.get(f"{split}/{name}")) is not None
    ]
    table = f"\n\n{_table(['on the same rows', 'value', 'before calibration'], rows)}" if rows else ""
    return f"## Calibration\n\n{said}{table}"


def _limits(record: RunRecord, facts: CardFacts) -> str:
    split = record.data.primary.partition("/")[0]
    longest, cut = record.setting("data.max_length"), record.data.truncated.get(split, 0)
    lines = [
        "Rows of another source, time, kind or language than those above were not measured; expect lower scores.",
        f"It reads up to {longest:,} {'frames' if is_of_sounds(record) else 'tokens'} and cuts what is longer "
        f"({cut:,} rows of {plain(split)} were cut).",
    ]
    if facts.finds_spans:
        lines[-1] = f"It reads a text in windows of up to {longest:,} tokens, the question included."
    elif facts.tags_words:
        if record.setting("data.windows", True):
            lines[-1] = f"It reads a longer text in windows of up to {longest:,} tokens that overlap."
    elif record.data.labels and not has_label_sets(record):
        what = "sound" if is_of_sounds(record) else "text"
        lines.append(f"It always answers with one of its labels, even for a {what} that has nothing to do with them.")
    rows = "sounds" if is_of_sounds(record) else "texts"
    lines.append(f"It repeats what is in its training {rows} and labels, mistakes and prejudice included.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _licences(record: RunRecord, facts: CardFacts) -> str:
    start, data = starting_point(record), hub_dataset(record)
    other = "those of another model, not in this folder" if record.weights.source else "none"
    rows = [
        ["these weights", facts.license],
        ["starting weights", f"see the page of `{start}`" if start else other],
        ["training rows", f"see the page of `{data}`" if data else f"{plain(record.dataset)}, not in this folder"],
        ["Bertier, which made and reads them", "Apache-2.0"],
    ]
    unknown = " No licence of the weights was stated: ask before you use them." if facts.license == "unknown" else ""
    return f"## Licences of the parts\n\n{_table(['part', 'licence'], rows)}\n{unknown}".rstrip()


def _origin(record: RunRecord) -> str:
    code = record.environment.code_version or "unknown"
    return f"## Reproduction\n\n{code_span(command_of(record))} (Bertier {plain(code)}, run {record.identity})."
