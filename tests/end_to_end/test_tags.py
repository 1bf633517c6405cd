"""Tagging in whole runs: accuracy, windows, batches, predictions, and opening the model in transformers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from data.errors import DataError
from data.sources.options import ReadOptions
from models.checkpoints.open import load_model
from runner.commands import predict
from runner.commands.answers import AnswerOptions, answer_rows
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.exported import model_of_run
from runner.deploy.predictor import Predictor
from runner.deploy.streams import read_texts
from runner.experiment.run import run
from runner.record.folder import read_record
from runner.record.predictions import read_predictions
from runner.record.record import RunRecord

NAMES = ("ada", "lin", "kent", "paris", "mara", "jo")
LEFT = {"mr": "B-PER", "in": "B-LOC", "the": "O", "and": "O"}
QUICK = ["measure=off", "tracker=none", "model.pretrained=null", "model.tokenizer=train", "train.threads=1"]
SMALL = ["model=bert-tiny", "model.hidden=64", "model.heads=2", "model.intermediate=128", "model.dropout=0",
         "model.attention_dropout=0"]  # fmt: skip


def sentences(count: int, seed: int) -> list[dict[str, list[str]]]:
    """Rows in which a name's tag depends only on the word to its left; all other words are O."""
    generator, rows = np.random.default_rng(seed), []
    for _ in range(count):
        words: list[str] = []
        tags: list[str] = []
        for _ in range(int(generator.integers(2, 6))):
            left, name = generator.choice(list(LEFT)), generator.choice(NAMES)
            words += [str(left), str(name)]
            tags += ["O", LEFT[str(left)]]
        rows.append({"tokens": words, "tags": tags})
    return rows


def write(path: Path, rows: list[dict[str, list[str]]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def finish(folder: Path, *words: str) -> tuple[RunRecord, Path]:
    """Run with these overrides; return the record and the folder of the finished run."""
    files = [f"data.{name}_path={folder / name}.jsonl" for name in ("train", "val", "test")]
    own = ["data=files", "task=tags", "data.tokens=tokens", "data.tags=tags", *files, *QUICK, *words]
    own += [f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}"]
    record = run(resolve(compose(own)), own).record
    assert record is not None and record.status == "done", record and record.reason
    found = read_record(folder / "outputs" / record.identity)
    assert found is not None
    return found, folder / "outputs" / record.identity


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tags")
    for seed, (name, count) in enumerate((("train", 200), ("val", 50), ("test", 100))):
        write(place / f"{name}.jsonl", sentences(count, seed))
    return place


@pytest.fixture(scope="module")
def learned(folder: Path) -> tuple[RunRecord, Path]:
    return finish(folder, *SMALL, "train.epochs=20", "optimizer.lr=3e-3")


def test_two_layers_learn_from_the_word_to_the_left_and_a_bag_of_words_does_not(
    folder: Path, learned: tuple[RunRecord, Path]
) -> None:
    record, _ = learned
    assert record.metrics["test/entity_f1"] > 0.95
    words_alone, _ = finish(folder, "model=dsn", "train.epochs=20")
    assert words_alone.metrics["test/entity_f1"] < 0.8
    assert record.metrics["baseline/majority"] < 0.8


def test_stored_answers_are_lists_of_names_a_sentence(learned: tuple[RunRecord, Path]) -> None:
    record, place = learned
    answers = read_predictions(place, "test", record)
    assert answers is not None
    assert len(answers) == record.data.rows["test"] == record.metrics["test/examples"] == 100
    assert answers.names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_the_saved_model_opens_in_stock_transformers_with_its_labels_in_order(learned: tuple[RunRecord, Path]) -> None:
    _, place = learned
    stock = AutoModelForTokenClassification.from_pretrained(place / "model").eval()
    assert type(stock).__name__ == "BertForTokenClassification"
    assert list(stock.config.id2label.values()) == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    encoded = AutoTokenizer.from_pretrained(place / "model")("mr ada in paris", return_tensors="pt")
    ids, mask = encoded["input_ids"], encoded["attention_mask"]
    own = load_model(place / "model").eval()
    with torch.no_grad():
        torch.testing.assert_close(own(ids, mask), stock(ids, mask).logits, atol=1e-5, rtol=1e-5)


def test_a_row_is_answered_alike_alone_and_beside_longer_rows(learned: tuple[RunRecord, Path]) -> None:
    predictor = Predictor(model_of_run(*learned))
    texts = ["mr ada in paris", "in lin", " ".join(["the kent and jo"] * 20)]
    together = predictor.logits(predictor.ask(texts).split, 32)
    alone = np.concatenate([predictor.logits(predictor.ask([text]).split, 32) for text in texts])
    assert len(together) == 4 + 2 + 80
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_question_is_answered_with_entities_and_their_places(learned: tuple[RunRecord, Path]) -> None:
    predictor = Predictor(model_of_run(*learned))
    text, split = predictor(["mr ada in  paris", ["mr", "ada", "in", "paris"]])
    assert text["prediction"] == "mr [ada](PER) in  [paris](LOC)"
    assert [(span["type"], span["start"], span["end"]) for span in text["spans"]] == [("PER", 3, 6), ("LOC", 11, 16)]
    assert split["tags"] == text["tags"] == ["O", "B-PER", "O", "B-LOC"]
    assert predictor([""]) == [{"prediction": "", "spans": [], "tags": []}]


def test_a_file_of_words_is_answered_row_by_row_and_a_csv_holds_json(
    learned: tuple[RunRecord, Path], tmp_path: Path
) -> None:
    asked = [{"tokens": ["mr", "ada"]}, {"tokens": "in paris"}]
    rows, out = tmp_path / "rows.jsonl", tmp_path / "answers.csv"
    rows.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    found = model_of_run(*learned)
    options = AnswerOptions(["tokens"], batch_size=2, threads=1, out=out, form="csv", is_live=False)
    answer_rows(found, read_texts(rows, "jsonl", ReadOptions({"text": "tokens"}, takes_words=True)), options)
    with out.open(encoding="utf-8", newline="") as stream:
        first, second = csv.DictReader(stream)
    assert json.loads(first["tokens"]) == ["mr", "ada"] and first["prediction"] == "mr [ada](PER)"
    assert second["tokens"] == "in paris" and json.loads(second["tags"]) == ["O", "B-LOC"]
    assert [span["type"] for span in json.loads(second["spans"])] == ["LOC"]


@pytest.mark.parametrize("more", [[], ["text=0"], ["text=-2"]])
def test_a_conll_file_is_answered_by_its_first_column(
    learned: tuple[RunRecord, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    record, place = learned
    path = tmp_path / "words.conll"
    path.write_text("mr O\nada O\n\nin O\nparis O\n", encoding="utf-8")
    assert predict.main([record.identity, str(path), f"paths.output={place.parent}", *more]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["prediction"] == "mr [ada](PER)" and second["tags"] == ["O", "B-LOC"]
    assert first[more[0].removeprefix("text=") if more else "0"] == ["mr", "ada"]


def test_a_column_that_a_conll_file_lacks_is_refused(learned: tuple[RunRecord, Path], tmp_path: Path) -> None:
    path = tmp_path / "words.bio"
    path.write_text("mr\nada\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"text=1: .* has 1 column.*Try: text=0"):
        predict.main([learned[0].identity, str(path), "text=1", f"paths.output={learned[1].parent}"])


def test_long_rows_are_answered_in_windows_and_scored_as_one(folder: Path) -> None:
    record, place = finish(folder, *SMALL, "train.steps=2", "data.max_length=8")
    answers = read_predictions(place, "test", record)
    assert answers is not None and len(answers) == 100
    assert any("were split into windows" in note for note in record.notes)
    assert record.data.truncated == {"train": 0, "val": 0, "test": 0}
    cut, _ = finish(folder, *SMALL, "train.steps=2", "data.max_length=8", "data.windows=false")
    assert any("words are beyond data.max_length=8" in note for note in cut.notes)
    assert cut.data.truncated["train"] > 0


def test_parts_of_a_batch_give_the_steps_of_the_whole(folder: Path) -> None:
    runs = [
        finish(folder, *SMALL, "train.steps=3", "train.batch_size=8", f"train.accumulate={parts}")[0]
        for parts in (1, 2)
    ]
    first, second = (record.metrics["test/loss"] for record in runs)
    assert first == pytest.approx(second, abs=1e-5)
