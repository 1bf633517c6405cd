"""Mistakes in a command: all at once, each with a suggestion and a line to paste."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

MISTAKES = [
    ("model.pretrained=", ["model.pretrained= has no value", "Try: run model.pretrained=null"]),
    ("model=bert-tinny", ["did you mean bert-tiny", "Try: run model=bert-tiny"]),
    ("data=immdb", ["did you mean imdb"]),
    ("data=tickets.csv", ["is a file", "Try: data=files data.path=tickets.csv"]),
    ("data=/some/x.parquet", ["Try: data=files data.path=/some/x.parquet"]),
    ("data.path=my data/x (1),a=b.csv", ["""'data.path="my data/x (1),a=b.csv"'"""]),
    ("optimizer.lrr=1", ["did you mean optimizer.lr", "Try: run optimizer.lr="]),
    ("lr=1", ["optimizer.lr"]),
    ("modle=dsn", ["did you mean model"]),
    ("+typo=1", ["typo: no such key"]),
    ("+optimizer.lrr=1", ["did you mean optimizer.lr"]),
    ("+seed=1", ["leave the + out", "Try: run seed=1"]),
    ("~train.epochs", ["cannot be removed"]),
    ("~model", ["cannot be left out"]),
    ("train.epochs=0", ["more than 0"]),
    ("train.epochs=soon", ["could not be converted", "Try: run train.epochs="]),
    ("seed=[0,1]", ["could not be converted", "Try: run -m seed=0,1"]),
    ("model.pretrained=[a,b]", ["Try: run -m model.pretrained=a,b"]),
    ("data.text=[q1,q2]", ["Try: run data.text=q1 data.text_pair=q2"]),
    ("data.text=q1,q2", ["Try: run -m data.text=q1,q2, or for pairs of texts: run data.text=q1 data.text_pair=q2"]),
    ("train.precision=fp16", ["fp32, bf16"]),
    ("schedule.warmup=6", ["at most 1"]),
    ("seed=-1", ["at least 0"]),
    ("data.metrics=[auc]", ["accuracy"]),
    ("data.metrics=f1", ["Try: run 'data.metrics=[f1]'"]),
    ("data.max_rows=1e3", ["Try: run data.max_rows=1000"]),
    ("data.max_rows=1.5", ["at least 1. Try: run data.max_rows=1"]),
    ("data.augment=null", ["Fix its value"]),
    ("paths.output=", ["has no value; perhaps a shell variable is empty. Try: run paths.output=outputs"]),
    ("model.pretrained=", ["Try: run model.pretrained=null for none, or a value"]),
    ("optimizer.lr=???", ["optimizer.lr=??? has no value. Try: optimizer.lr=<a value>"]),
    ("model.readout.name=sum", ["a name without the options of that part. Try: run model/readout=sum"]),
    ("model.embedding.name=hsah", ["Try: run model/embedding=table"]),
    ("compression.int8.bits=4", ["not a setting of compression=none, but of compression=int8"]),
    ("data.labels=null", ["Try: run 'data.labels=[]'"]),
    ("path=t.csv", ["did you mean data.path or cache.path? Try: run data.path="]),
    ("measure.baseline=bert_tiny", ["unknown; did you mean bert-tiny", "Try: run measure.baseline=bert-tiny"]),
    ("measure.baseline=false", ["measure.baseline=", "Try: run measure.baseline=bert-tiny"]),
    ("data.metrics=[acuracy]", ["unknown; did you mean accuracy? Try: run 'data.metrics=[accuracy]'"]),
    ("optimizer.betas=[0.9,1.0]", ["at most 0.99999", "Try: run 'optimizer.betas=[0.9,0.999]'"]),
    (
        "optimizer.betas=[0.9]",
        ["optimizer.betas=[0.9]: 2 numbers are needed", "Try: run 'optimizer.betas=[0.9,0.999]'"],
    ),
    ("train.threads=0", ["at least 1"]),
    ("optimizer.lr=nan", ["out of range"]),
    ("force=maybe", ["force=maybe"]),
    ("tracker.artifacts=some", ["all, record, none"]),
    ("tracker.wait_s=-1", ["at least 0"]),
    ("tracker.experiment=''", ["tracker.experiment=bertier"]),
    ("seed=1,2", ["Try: run -m seed=1,2"]),
    ("optimizer.lr=choice(1e-3,1e-2)", ["Try: run -m 'optimizer.lr=choice(1e-3,1e-2)'"]),
    ("model=dsn,bert-tiny", ["holds several values, which is a sweep. Try: run -m model=dsn,bert-tiny"]),
    ("model=glob(dsn*)", ["Try: run -m 'model=glob(dsn*)'"]),
    ("model/readout=mean,cls", ["Try: run -m model/readout=mean,cls"]),
    ("compression=int8,int4", ["Try: run -m compression=int8,int4"]),
    ("hydra/launcher=joblib,basic", ["hydra/launcher=joblib,basic", "Try: one value for hydra/launcher"]),
    ("+sweep=seeds,esc10", ["+sweep=seeds,esc10: one sweep in a command", "Try: run -m +sweep=seeds"]),
    ("model.depth=3", ["no such key"]),
    ("a=b=c,", []),
    ("compression=[int9]", ["no such compression", "none"]),
    ("experiment=null", ["did you mean none?", "Try: run experiment=none"]),
    ("tracker=null", ["did you mean none?", "Try: run tracker=none"]),
    ("compression=[int8,none,int8,exits]", ["int8 is in the chain twice. Try: 'compression=[int8,exits]'"]),
    (
        "compression=[l0,distil,l0,int8]",
        ["Try: 'compression=[l0,distil]', then 'compression=[l0,int8]' from=<the id of that run>"],
    ),
    ("model/backbone=bert-mimi", ["did you mean bert-mini", "Try: run model/backbone=bert-mini"]),
    ("model/readout=men", ["did you mean mean"]),
    ("model/readouts=mean", ["did you mean model/readout"]),
    ("model.readout.nmae=1", ["did you mean model.readout.name"]),
    ("~model/embedding", ["cannot be left out"]),
    ("data.windows=maybe", ["data.windows=maybe"]),
    ("data.join=0", ["at least 1"]),
    ("model.embedding.seed=1", ["not a setting of model=dsn, but of model=eelbert"]),
]


@pytest.mark.parametrize(("word", "expected"), MISTAKES)
def test_each_mistake_is_named_with_its_cure(word: str, expected: list[str]) -> None:
    problems = check_overrides([word])
    assert len(problems) == 1 and "\n" not in problems[0]
    for text in expected:
        assert text in problems[0]


@pytest.mark.parametrize("value", ["null", "3"])
def test_a_stage_without_options_is_refused_with_a_cure(value: str) -> None:
    (problem,) = check_overrides(["compression=[int4,int8]", f"compression.int8={value}"])
    assert problem.startswith(f"compression.int8={value}: the options of a method are needed. Try: compression.int8.<")


def test_a_phase_that_is_none_is_refused_with_a_cure() -> None:
    (problem,) = check_overrides(["compression=distil", "compression.distil.phases.task=null"])
    assert "is not Optional" in problem and "Fix its value" in problem


def test_a_group_of_settings_has_no_value_to_suggest() -> None:
    (problem,) = check_overrides(["model=bert-tiny", "model.tune=null"])
    assert problem.endswith("not Optional. Fix its value; the defaults: run --cfg job")


def test_all_mistakes_come_at_once() -> None:
    assert len(check_overrides(["model=bert-tinny", "optimizer.lrr=1", "train.epochs=-1", "+typo=1"])) == 4


def test_passes_of_a_stage_that_steps_of_the_run_would_overrule_are_refused() -> None:
    words = ["model=bert-tiny", "compression=[movement]", "compression.movement.epochs=5", "train.steps=1"]
    (problem,) = check_overrides(words)
    assert "compression.movement.epochs=5 has no effect. Try: train.epochs=" in problem
    assert check_overrides([*words[:3], "train.steps=null"]) == []


def test_resume_and_force_exclude_each_other() -> None:
    (problem,) = check_overrides(["resume=must", "force=true"])
    assert "Try: run resume=must" in problem
    assert "never" in check_overrides(["resume=maybe"])[0]


def test_an_address_of_a_tracker_that_cannot_be_read_is_refused_before_the_run() -> None:
    (problem,) = check_overrides(["model=dsn", "data=demo", "tracker.uri='http://[x'"])
    assert problem.startswith("tracker.uri=http://[x: ") and "Try: tracker.uri=http://" in problem


def test_a_setting_of_another_model_names_its_owner() -> None:
    assert "model=dsn" in check_overrides(["model=bert-tiny", "model.width=0.5"])[0]
    swapped = check_overrides(["model=dsn", "model/backbone=bert-tiny", "model.width=0.5"])[0]
    assert "not a setting of model=dsn model/backbone=bert-tiny" in swapped


@pytest.mark.parametrize(
    "words",
    [
        ["model=range(0,1000000000)"],
        ["seed=shuffle(range(0,1e12))"],
        ["seed=range(0,200)", "optimizer.lr=range(0,1,0.01)"],
    ],
)
def test_more_runs_than_anybody_wants_are_refused_at_once(words: list[str]) -> None:
    (problem,) = check_overrides(words, multirun=True)
    assert "at most 10,000" in problem and "Try fewer" in problem
    assert "Try steps of 1" in check_overrides(["seed=range(0,5,0)"], multirun=True)[0]


def test_glob_picks_among_the_choices_of_a_group_alone() -> None:
    assert check_overrides(["model=glob(dsn*)", "seed=0,1", "compression=int8,int4"], multirun=True) == []
    with pytest.raises(ConfigError, match=r"seed is not one. Try a list"):
        check_overrides(["seed=glob(*)"], multirun=True)


def test_what_cannot_be_composed_is_one_mistake_among_others() -> None:
    assert "task=null: no such task" in check_overrides(["task=null", "hydra/sweeper=optuna"], multirun=True)[0]
    assert (
        "no such compression"
        in check_overrides([f"compression={'x' * 5000}", "hydra/sweeper=optuna"], multirun=True)[0]
    )
    assert "cannot be left out" in check_overrides(["~task=0", "hydra/sweeper=optuna"], multirun=True)[0]


def test_a_config_file_of_bytes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise UnicodeDecodeError("utf-8", b"\x80", 0, 1, "invalid start byte")

    monkeypatch.setattr("hydra.compose", broken)
    with pytest.raises(ConfigError, match=r"does not compose.*invalid start byte.*Fix that YAML"):
        compose(["+no=cache"])


def test_a_choice_of_bytes_is_listed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.commands import list as verb

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_bytes(b"\x80\ndescription: a model\n")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    assert verb.describe("model", "mine") == "a model"


def test_sweeps_are_checked_value_by_value() -> None:
    assert check_overrides(["model=dsn,bert-tiny", "seed=0,1,2", "optimizer.lr=1e-3,1e-2"], multirun=True) == []
    assert check_overrides(["model=dsn,bert-tiny", "model.pretrained=null"], multirun=True) == []
    assert len(check_overrides(["model=dsn,bert-tinny", "seed=0,-1"], multirun=True)) == 2
    assert "bert-tiny" in check_overrides(["model=dsn,bert-tiny", "model.width=1"], multirun=True)[0]
    assert (
        check_overrides(
            ["model=bert-tiny", "model/readout=cls,mean", "model/backbone=bert-tiny,bert-mini"], multirun=True
        )
        == []
    )


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("model.embedding.ngrams=three", "expected a whole number. Try: run model.embedding.ngrams=3"),
        ("model.embedding.seed=true", "expected a whole number"),
        ("model.embedding.ngrams=2.5", "expected a whole number. Try: run model.embedding.ngrams=3"),
        ("model.embedding.train_scale=1", "expected true or false. Try: run model.embedding.train_scale=false"),
        ("model.embedding.ngram=2", "did you mean model.embedding.ngrams"),
    ],
)
def test_options_of_a_part_are_checked_against_its_yaml(word: str, expected: str) -> None:
    problems = check_overrides(["model=eelbert", word])
    assert len(problems) == 1 and expected in problems[0]


@pytest.mark.parametrize(
    "words",
    [
        ["model=dsn", "model/embedding=hash"],
        [
            "model=bermo",
            "model/backbone=auto",
            "model.pretrained=a/b",
            "model.readout.lr=null",
            "model.readout.init=[1]",
        ],
        ["model=eelbert", "model.embedding.align=linear", "data=sst2"],
        ["model=dsn", "data=snli"],
        ["model=bert-tiny", "data=sst2", "seed=1", "train.epochs=3"],
        ["model=auto", "model.pretrained=sentence-transformers/all-MiniLM-L6-v2", "data=stsb"],
        ["data=files", "data.path=reviews.csv", "data.text=review", "data.label=stars"],
        ["compression=[dendrites,int8]", "compression.dendrites.attempts=1", "compression.int8.bits=4"],
        ["compression=[none]", "tracker=none", "experiment=demo", "data.max_rows=null"],
    ],
)
def test_good_commands_pass(words: list[str]) -> None:
    assert check_overrides(words) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["model=auto"], "model.pretrained=sentence-transformers"),
        (["model=bert-tiny", "model/backbone=auto"], "model.pretrained=sentence-transformers"),
        (["model=eelbert", "model.embedding.align=linear", "data=demo"], "model.embedding.align=null"),
        (["model=eelbert", "engine.compact_vocabulary=always"], "engine.compact_vocabulary=auto"),
        (["model=dsn", "model/embedding=hash", "model.init=slice", "model.init_from=a/b"], "model.init=random"),
        (["model=dsn", "model/readout=scalar_mix"], "Try: model/readout=mean"),
        (["model=static", "model.init=inner"], "needs a checkpoint to take the embeddings from"),
        (["model=static", "model.init=pca", "model.init_from=a/b", "model.pretrained=c/d"], "both give the first"),
        (["model=static", "data=demo", "model.word_weights=sif"], "weighs vectors that come from elsewhere"),
        (["model=static", "data=sst2", "model.tokenizer=train"], "Try: model.tokenizer=auto, or model.pretrained=null"),
        (["model=dsn", "model/readout=pair", "data=demo"], "data=demo has one text per row. Try: model/readout=mean"),
        (["model=bert-tiny", "model/readout=pair", "data=demo-pairs"], "Try: model/readout=cls, or model=dsn"),
        (["model=dsn", "model/readout=cls"], "Try: model/readout=mean, or model/backbone=bert-tiny"),
        (["data=files"], "data.path="),
        (["data=files", "data.path=a.csv", "data.train_path=b.csv"], "Try: run data=files data.train_path=b.csv"),
        (["data.path=a.csv"], "data=demo reads no files. Try: data=files data.path=a.csv"),
        (["data=sst2", "data.val_path=a.csv"], "data=sst2 reads no files"),
        (["data=files", "data.path=a.jsonl", "data.delimiter=tab"], "data.delimiter=tab has no effect on jsonl"),
        (["data=files", "data.path=a.parquet", "data.encoding=cp1252"], "no effect on parquet"),
        (["model=dsn", "model.init=pca"], "model.init_from="),
        (["model=dsn", "model.pretrained=a/b"], "model.init=pca model.init_from=a/b"),
        (["model=bert-tiny", "model.pretrained=a/b", "model.tokenizer=train"], "model.tokenizer=auto"),
        (["train.batch_size=2", "train.accumulate=4"], "train.accumulate=2"),
    ],
)
def test_values_that_contradict_each_other_are_refused(words: list[str], expected: str) -> None:
    assert expected in check_overrides(words)[0]
    with pytest.raises(ConfigError):
        resolve(compose(words))


def test_one_file_may_have_other_files_beside_it_and_options_of_some_of_them() -> None:
    assert check_overrides(["data=files", "data.path=a.csv", "data.test_path=b.jsonl", "data.delimiter=tab"]) == []


def test_a_file_whose_name_has_a_comma_is_not_only_taken_for_a_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a,b.csv").touch()
    (problem,) = check_overrides(["data=files", "data.path=a,b.csv"])
    assert """for the file of that name: 'data.path="a,b.csv"'""" in problem


def test_derived_values_are_written_back() -> None:
    demo = resolve(compose(["model=bert-tiny", "data=demo"])).model
    assert (demo.pretrained, demo.tokenizer) == (None, "train")
    hub = resolve(compose(["model=bert-tiny", "data=sst2"])).model
    assert hub.pretrained == hub.tokenizer == "google/bert_uncased_L-2_H-128_A-2"
    scratch = resolve(compose(["model=bert-tiny", "model.pretrained=null", "data=sst2"])).model
    assert (scratch.pretrained, scratch.tokenizer) == (None, "google-bert/bert-base-uncased")
    settings = resolve(compose(["model=bert-mini", "data=demo"]))
    assert settings.optimizer.lr == settings.model.recipe.lr and settings.train.threads == 1


def test_a_readout_that_gives_one_vector_a_text_cannot_tag_words() -> None:
    words = ["task=tags", "data=demo", "model=bert-tiny"]
    assert check_overrides(words) == [], "the readout of a preset changes with the task"
    problems = check_overrides([*words, "model/readout=cls"])
    assert len(problems) == 1
    for text in ("model/readout=cls gives one vector", "Try: model/readout=none", "scalar_mix", "adapter_pool"):
        assert text in problems[0]
    assert check_overrides([*words, "model/readout=none"]) == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=range(3,0)", "there is no value in that range. Try: seed=range(0,3)"),
        ("sweep.jobs=1,2", "the settings of a sweep cannot be swept themselves. Try: one value for sweep.jobs"),
    ],
)
def test_a_sweep_of_nothing_or_of_its_own_settings_is_refused(word: str, said: str) -> None:
    assert check_overrides([word], multirun=True) == [f"{word}: {said}"]


def test_a_sweeps_file_of_ones_own_that_does_not_compose_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sweeps").mkdir()
    content = "defaults: [override /model: nope]\nhydra: {sweeper: {params: {seed: 0}}}"
    (tmp_path / "sweeps" / "refused.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="model=nope: no such file"):
        check_overrides(["+sweep=refused"], multirun=True)
