"""Every task, over every input that it allows, from rows to an answer: a task in TASKS that passes is complete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import transformers

from models.heads.attach import HEADS
from runner.compare.pairs import Paired, compare_runs
from runner.compare.select import Run
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.export import export_run
from runner.deploy.exported import model_of_run
from runner.deploy.predictor import Predictor
from runner.experiment.run import run
from runner.record.folder import read_record
from runner.record.predictions import read_predictions
from runner.statistics.scores import Score
from runner.tasks import TASKS, task_class
from runner.tasks.make import task_of_record
from tests.data.inputs.sounds import sound_file, tone

ROWS = 20
SMALL = [
    "data=files", "model=bert-tiny", "model.layers=1", "model.hidden=16", "model.heads=2", "model.intermediate=32",
    "model.positions=64", "model.tokenizer=train", "model.vocab_size=90", "model.pretrained=null", "measure=off",
    "tracker=none", "train.steps=2", "train.batch_size=8", "train.threads=1", "data.max_length=32",
]  # fmt: skip

SMALL_SOUNDS = [
    "data=files", "data.audio=path", "data.seconds=0.3", "data.max_length=8", "model=tiny-sound", "model.layers=1",
    "measure=off", "tracker=none", "train.steps=2", "train.batch_size=8", "train.threads=1", "train.label_smoothing=0",
]  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The rows of one input: the words of the command that reads them, and what they hold."""

    words: tuple[str, ...] = ()
    has_pair: bool = False
    has_sound: bool = False
    some_empty: bool = False  # have some questions no answer?


# The inputs that each target allows; a task has those of its target.
INPUTS = {
    "class_label": {
        "text": Rows(),
        "pair": Rows(("data.text_pair=other",), has_pair=True),
        "sound": Rows(has_sound=True),
    },
    "number": {
        "text": Rows(),
        "pair": Rows(("data.text_pair=other",), has_pair=True),
        "sound": Rows(has_sound=True),
    },
    "masked_words": {"text": Rows(("task=mlm", "data.label=null"))},
    "label_set": {
        "text": Rows(),
        "pair": Rows(("data.text_pair=other", "data.threshold=per_label"), has_pair=True),
        "sound": Rows(has_sound=True),
    },
    "tags": {
        "words": Rows(("task=tags", "data.tokens=tokens", "data.tags=tags")),
        "two labels": Rows(("task=tags", "data.tokens=tokens", "data.tags=[tags,kinds]")),
    },
    "span": {
        "answers": Rows(("task=span",)),
        "some without an answer": Rows(("task=span", "data.overlap=4"), some_empty=True),
    },
    "relevance": {"pair": Rows(("task=rank", "data.text_pair=other", "data.group=query"), has_pair=True)},
}
CASES = [(name, kind) for name in TASKS for kind in INPUTS[task_class(name).target]]


def answer_of(context: str, answer: str) -> dict[str, list[Any]]:
    """An answer in SQuAD's form, none for the empty one."""
    return {"text": [answer], "answer_start": [context.index(answer)]} if answer else {"text": [], "answer_start": []}


def row(target: str, number: int, rows: Rows, folder: Path) -> dict[str, Any]:
    """One row of data that is as good as any for a target; folder: that sounds are written to."""
    words = f"the {('dull', 'fine')[number % 2]} film of day {number} was seen by paris".split()
    if target == "tags":
        return {"tokens": words, "tags": ["O"] * (len(words) - 1) + ["B-LOC"], "kinds": ["X", "Y"] * 5}
    if target == "span":
        answer = "" if rows.some_empty and number % 3 == 0 else f"day {number}"
        context = " ".join([*words, *words[:3]] * 2)  # of some 40 tokens: windows
        return {"question": "which day was it ?", "context": context, "answers": answer_of(context, answer)}
    found: dict[str, Any] = {"text": " ".join(words)}
    if rows.has_sound:
        found = {"path": str(folder / f"{number}.wav")}
        Path(found["path"]).write_bytes(sound_file(tone((300.0, 2000.0)[number % 2] + number, 0.3)))
    if rows.has_pair:
        found["other"] = f"and another {('cat', 'dog')[number % 2]} {number}"
    if target == "class_label":
        found["label"] = ("bad", "good")[number % 2]
    if target == "label_set":
        found["label"] = [name for name, every in (("film", 2), ("city", 3), ("day", 5)) if number % every == 0]
    if target == "number":
        found["label"] = number % 5 + 0.25
    if target == "relevance":
        found |= {"label": number % 2, "query": f"q{number // 5}"}
    return found


@dataclass(frozen=True)
class Done:
    """A finished run, and the rows that it was made from."""

    run: Run
    name: str
    rows: list[dict[str, Any]]
    has_sound: bool


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """A run of two steps on 20 rows in each split."""
    name, kind = request.param
    folder, target = tmp_path_factory.mktemp(name), task_class(name).target
    rows = INPUTS[target][kind]
    made = [row(target, number, rows, folder) for number in range(3 * ROWS)]
    paths = []
    for place, split in enumerate(("train", "val", "test")):
        path = folder / f"{split}.jsonl"
        part = made[place * ROWS : (place + 1) * ROWS]
        path.write_text("".join(json.dumps(one) + "\n" for one in part), encoding="utf-8")
        paths.append(f"data.{split}_path={path}")
    first = next(other for other in TASKS if task_class(other).target == target)
    named = [] if name == first else [f"task={name}"]  # of tasks with the same target only one is found by the labels
    words = [
        *(SMALL_SOUNDS if rows.has_sound else SMALL),
        *rows.words,
        *named,
        *paths,
        f"paths.output={folder / 'outputs'}",
        f"paths.cache={folder / 'cache'}",
    ]
    record = run(resolve(compose(words)), words).record
    assert record is not None and record.status == "done", record and record.reason
    output = folder / "outputs" / record.identity
    found = read_record(output)
    assert found is not None
    yield Done(Run(found, output), name, made[:3], rows.has_sound)


def plain(score: Score, answers: Any) -> float:
    """The score of all units, each drawn once."""
    import numpy as np

    return float(score.over(answers)(np.ones((1, len(answers))))[0])


def test_stored_answers_give_the_recorded_scores_and_their_intervals(done: Done) -> None:
    record, task = done.run.record, task_of_record(done.run.record)
    answers = read_predictions(done.run.folder, "test", record)
    assert record.data.task == done.name and answers is not None and record.metrics["train/steps"] == 2
    for name in task.metrics:
        score, value = task.score(name), record.metrics[f"test/{name}"]
        assert score.value(answers) == value == pytest.approx(plain(score, answers), abs=1e-9)
        low, high = record.metrics[f"test/{name}_low"], record.metrics[f"test/{name}_high"]
        assert low <= value <= high and (low, high) == score.interval(answers)
    assert record.metrics["test/loss"] > 0 and "baseline/majority" in record.metrics


def test_a_run_against_itself_gives_the_same_answers(done: Done) -> None:
    for name in task_of_record(done.run.record).metrics:
        found = compare_runs([(done.run, done.run)], f"test/{name}")
        assert isinstance(found, Paired) and found.same_answers and (found.p, found.difference) == (1.0, 0.0)


def test_the_saved_folder_opens_with_the_class_of_its_head(done: Done) -> None:
    head = HEADS[task_of_record(done.run.record).head().name]
    found = getattr(transformers, head.auto_class).from_pretrained(done.run.folder / "model")
    assert type(found).__name__ == ("BertierForSequenceClassification" if done.has_sound else head.stock_class)


def test_an_export_answers_as_the_trained_model_with_the_declared_fields(done: Done, tmp_path: Path) -> None:
    if not task_class(done.name).is_deployed:
        pytest.skip("not a task that answers questions")
    record = done.run.record
    exported, parity = export_run(record, done.run.folder, "onnx", int8=False, out=tmp_path / "export")
    assert parity is not None and parity.difference < 1e-4
    trained = Predictor(model_of_run(record, done.run.folder))
    columns = [[one[name] for one in done.rows] for name in trained.exported.columns]
    answers = trained(*columns)
    assert len(answers) == len(done.rows)
    for mine, theirs in zip(answers, Predictor(exported)(*columns)):
        assert list(mine) == list(theirs) == [field.name for field in trained.answer_fields]
        assert mine["prediction"] == pytest.approx(theirs["prediction"], abs=1e-4)
