"""Words without effect in the command of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.check import check_overrides

BERT = "google-bert/bert-base-uncased"
WORDS_ALONE = "task=mlm model=dsn task.output=own data=imdb data.split=unsupervised"  # a command


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["data=imdb", "model.vocab_size=8000"], f"but model.tokenizer={BERT} has its own. Try: model.tokenizer=train"),
        (["data=imdb", "model=bert-tiny", "model.vocab_size=800"], "Try: model.vocabulary=<that many>"),
        (["data.seconds=3"], "it is for sounds, and data=demo has texts. Try: data.audio="),
        (["data.augment.mixup=0.2"], "it is for sounds"),
        (["data.negatives=3"], "only task=rank reads it. Try: task=rank, or leave it out"),
        (["data=sst2", "data.overlap=5"], "only task=span reads it"),
        (["data.threshold=0.4"], "only task=multilabel reads it"),
        (["data.standardize=never"], "only data.task=regression reads it. Try: data.task=regression, or"),
        (["data.fold_seed=3"], "it draws folds. Try: data.folds=5 data.fold=0"),
        (["model=ngram", "train.epochs=9"], "model=ngram is fitted in one pass. Try: model=ngram-vectors"),
        (["model=ngram", "optimizer=sgd"], "model=ngram is fitted in one pass"),
        (
            ["model=frozen", "data=sst2", "optimizer.lr=0.1"],
            "model.head=fitted is fitted in one pass. Try: model.head=",
        ),
        (["model=ngram", "data=imdb", "data.max_length=50"], "reads whole texts. Try: model.whole=false"),
        (["model=auto", "data=sst2", "model.pretrained=a/b", "model.initializer_range=0.1"], "the checkpoint's own"),
        (
            ["model=bert-tiny", "model.init_from=run/model", "model.initializer_range=0.1"],
            "of the model in model.init_from",
        ),
        (["model=bert-tiny", "model.init_from=run/model", "model.positions=64"], "of the model in model.init_from"),
        (["model=ngram", "model.tokenizer=train"], "model=ngram reads words. Try: model=dsn"),
        (["model=static", "data=imdb", "model.width=0.5"], "Try: model.dims=<a width>"),
        (["model=bert-tiny", "model.head_c=3"], "model.head=trained is trained. Try: model.head=fitted"),
        (["model=bert-tiny", "model.carry=all"], "Try: model.init_from=<a run id>"),
        (["model=dsn", "model.init_from=run/model"], "model.init=random draws the word vectors. Try: model.init=slice"),
        (["data=imdb", "data.demo_rows=100"], "it is for the built-in data, not for data=imdb. Try: data.max_rows="),
    ],
)
def test_a_word_that_nothing_reads_is_refused_with_what_may_be_meant(
    words: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run" / "model").mkdir(parents=True)
    (tmp_path / "run" / "model" / "config.json").write_text("{}", encoding="utf-8")
    (problem,) = check_overrides(words)
    assert problem.startswith(f"{words[-1]} has no effect: ") and expected in problem
    assert not check_overrides(words, allow_unread=True)
    assert not check_overrides([*words, "seed=0,1"], multirun=True), "of a sweep, some runs may read it"


@pytest.mark.parametrize(
    "words",
    [
        ["data.negatives=7", "data.seconds=5.0", "data.threshold=0.5"],
        ["data=imdb", "model.tokenizer=train", "model.pretrained=null", "model.vocab_size=8000"],
        ["data=esc10", "model=tiny-sound", "data.seconds=3", "data.augment.mixup=0.2"],
        ["task=rank", "model=bert-tiny", "data.negatives=3", "data.passages=first"],
        ["data=squad", "model=bert-tiny", "data.overlap=5", "data.max_answer=20"],
        ["data=goemotions", "data.threshold=per_label"],
        ["data=files", "data.path=a.csv", "data.threshold=0.3", "data.standardize=never", "data.empty=drop"],
        ["data=stsb", "model=bert-tiny", "data.standardize=never"],
        ["data.folds=5", "data.fold=0", "data.fold_seed=3"],
        ["model=ngram", "data=imdb", "model.whole=false", "data.max_length=50"],
        ["model=contrastive", "data=sst2", "train.epochs=0.5", "model.head_c=3"],
        ["model=static", "model.pretrained=null", "model.width=0.5"],
        ["model=dsn", "model.width=0.5"],
        ["model=bert-tiny", f"model.init_from='{WORDS_ALONE}'", "model.carry=word_vectors", "model.positions=64"],
        ["model=ngram", "model.tokenizer=words"],
        ["model=bert-tiny", "data=imdb", "model.initializer_range=0.1"],
    ],
)
def test_words_that_are_read_or_change_nothing_pass(words: list[str]) -> None:
    assert not check_overrides(words)


def test_words_that_a_command_takes_over_from_a_run_pass() -> None:
    words = ["model=dsn", "model.readout.name=sum", "data.seconds=3", "compression=[int8]"]
    assert len(check_overrides(words)) == 1, "a mistake in a value comes before what shows in the whole"
    assert not check_overrides([*words, "finished=outputs/0123456789/model"])
