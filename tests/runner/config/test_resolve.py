"""Derived values: the weights, the tokenizer, the threads and the stages that a composed config stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.compression.settings.stage import StageSettings
from runner.config import resolve as module
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.record.identity import identify
from runner.schema import DEFAULT_TOKENIZER, Settings


def resolved(*words: str) -> Settings:
    return resolve(compose(list(words)), words=words)


def test_built_in_data_need_no_hub() -> None:
    model = resolved("model=bert-tiny", "data=demo").model
    assert (model.pretrained, model.tokenizer) == (None, "train")


def test_other_data_start_from_published_weights_and_their_tokenizer() -> None:
    model = resolved("model=bert-tiny", "data=imdb").model
    assert model.pretrained == model.tokenizer == model.weights
    assert resolved("model=dsn", "data=imdb").model.tokenizer == DEFAULT_TOKENIZER


def test_a_run_id_stands_for_the_model_of_that_run(tmp_path: Path) -> None:
    folder = tmp_path / "0123456789" / "model"
    words = ("model=bert-tiny", "data=demo", "model.pretrained='0123456789'", f"paths.output={tmp_path}")
    with pytest.raises(ConfigError, match="looks like the id of a run"):
        resolved(*words)
    folder.mkdir(parents=True)
    assert resolved(*words).model.pretrained == str(folder)


def test_models_without_attention_compare_two_texts_and_average_one() -> None:
    assert resolved("model=dsn", "data=imdb").model.readout == {"name": "mean"}
    pair = resolved("model=dsn", "data=snli", "model.readout.size=32").model.readout
    assert pair == {"name": "pair", "norm": "layer", "size": 32, "dropout": 0.2}
    assert resolved("model=dsn", "data=snli", "model/readout=mean").model.readout == {"name": "mean"}
    assert resolved("model=bert-tiny", "data=snli", "model/readout=auto").model.readout == {"name": "cls"}


def test_static_vectors_come_from_a_table_or_an_encoder_and_bring_its_tokenizer() -> None:
    table = resolved("model=static", "data=sst2").model
    assert table.pretrained == table.tokenizer == table.weights
    encoder = resolved("model=static", "data=sst2", "model.init=input", "model.init_from=some/encoder").model
    assert (encoder.pretrained, encoder.tokenizer) == (None, "some/encoder")
    assert resolved("model=static", "data=demo").model.pretrained is None


def test_stages_keep_their_order_and_have_the_settings_of_their_method() -> None:
    stages = resolved("model=bert-tiny", "data=demo", "compression=[magnitude,int8]").compression
    assert list(stages) == ["magnitude", "int8"] and all(isinstance(stage, StageSettings) for stage in stages.values())


def test_options_in_a_file_of_a_stage_that_is_not_chosen_are_refused_unless_the_command_chose_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text(
        "# @package _global_\ncompression: {distil: {teacher: aaaaaaaaaa}}\n"
    )
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    own = ["model=dsn", "experiment=mine"]
    with pytest.raises(ConfigError, match=r"compression.distil is set in a file, .* Try: compression=\[distil\]"):
        resolved(*own)
    assert list(resolved(*own, "compression=[distil]").compression) == ["distil"]
    assert list(resolved(*own, "compression=[int8]").compression) == ["int8"]
    assert resolved("model=bert-tiny", "data=demo", "experiment=slow-movement", "compression=[none]").compression == {}


def test_threads_that_are_set_are_kept() -> None:
    assert resolved("model=dsn", "data=demo", "train.threads=3").train.threads == 3
    assert resolved("model=dsn", "data=demo").train.threads == 1


def test_a_value_of_another_type_is_named() -> None:
    with pytest.raises(ConfigError, match=r"seed.*Fix its value"):
        resolve(compose(["seed=x"]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("train: {epochs: 2}", r"YAML of experiment= .* first line must be: # @package _global_"),
        ("# @package _global_\ntrain: {epoch: 2}", r"train.epoch: no such setting; did you mean train.epochs .* own"),
        ("# @package _global_\nzebra: 1", r"zebra: no such setting\. It is in a YAML of your own\. All: run --cfg job"),
        ("# @package _global_\ndefaults: [override /model: bert-tin]", r"model=bert-tin: no such file; did you mean b"),
        (
            "# @package _global_\ndefaults: [/optimizer: adamww]",
            r"optimizer=adamww: no such file; did you mean adamw\?",
        ),
        (
            "# @package _global_\ndefaults: [override /data: null]",
            "data: nothing is chosen, .* run list data",
        ),
        ("# @package _global_\ndefaults: 3", "does not compose: .* Fix that YAML"),
    ],
)
def test_mistakes_in_an_experiments_file_are_named(
    content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match=message):
        resolved("experiment=mine")


def test_models_over_ngrams_read_whole_texts_unless_they_are_to_be_cut() -> None:
    read = [resolve(compose(["model=ngram", "data=imdb", *more])).data for more in ([], ["model.whole=false"])]
    assert [data.max_length for data in read] == [65_536, 512]


def test_that_the_order_of_texts_means_nothing_is_a_setting_of_models_over_ngrams_alone() -> None:
    found = [resolve(compose([f"model={model}", "data=mrpc"])).data.symmetric for model in ("ngram", "bert-tiny")]
    assert found == [True, False]


def test_models_over_ngrams_have_no_weights_to_start_from_and_name_their_characters() -> None:
    settings = resolve(
        compose(["model=ngram", "data=demo", "model.pretrained=bert-base-uncased", "model.characters=[2,5]"])
    )
    assert settings.model.pretrained is None and settings.model.tokenizer == "words:2-5"
    assert resolved("model=ngram", "data=demo").model.tokenizer == "words"


@pytest.mark.parametrize("words", [["[2]"], ["[5,2]"], ["[2,5]", "data=demo-pairs"], ["[2,5]", "model=dsn"]])
def test_character_n_grams_that_cannot_be_are_refused(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"model\.characters"):
        resolved("model=ngram", "data=demo", f"model.characters={words[0]}", *words[1:])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["model=bert-tiny", "data=imdb", "train.epochs=1", "optimizer.weight_decay=0", "compression=[magnitude,int8]"],
        ["model=bermo", "task=mlm", "data=demo"],
        ["model=bertvision", "model/readout=adapter_pool", "data=imdb"],  # it refers to data.max_length
        ["model=mfcc-cnn", "data=esc10"],  # it refers to the default of a dataclass
        ["model=bert-tiny", "data.max_rows='7'", "model.tokenizer=7"],
    ],
)
def test_settings_made_at_once_are_those_that_omegaconf_makes(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = resolve(compose(words), words=words)
    monkeypatch.setattr(module, "_settings_at_once", lambda _config, _keys: None)
    assert repr(at_once) == repr(resolve(compose(words), words=words))


@pytest.mark.parametrize(
    ("words", "is_made"),
    [
        ([], True),
        (["model=bert-tiny", "data=imdb", "compression=[int8]"], True),
        (["model=eelbert", "train.epochs=1"], True),
        (["model=bert-tiny", "model.tokenizer=7"], False),  # a number where a text is expected
        (["model=bertvision", "model/readout=adapter_pool"], False),  # a part that refers to a setting
    ],
)
def test_most_commands_have_their_settings_at_once(words: list[str], is_made: bool) -> None:
    config = compose(words)
    keys = [str(key) for key in config if key not in module.COMMAND_KEYS]
    assert (module._settings_at_once(config, keys) is not None) == is_made


@pytest.mark.parametrize(
    ("option", "spellings"),
    [
        ("model/readout=scalar_mix model.readout.dropout", ("0", "0.0")),
        ("model/readout=scalar_mix model.readout.lr", ("1", "1.0", "1e0")),
        ("model/readout=adapter_pool model.readout.size", ("8", "8.0")),
        ("model/embedding=hash model.embedding.ridge", ("2", "2.0")),
    ],
)
def test_a_number_of_a_part_names_one_run_however_it_is_written(option: str, spellings: tuple[str, ...]) -> None:
    words = ["model=bert-tiny", "data=demo", *option.split()]
    made = [resolve(compose([*words[:-1], f"{words[-1]}={spelled}"])) for spelled in spellings]
    assert len({identify(one, "", "", "") for one in made}) == 1
    assert len({repr((one.model.readout, one.model.embedding)) for one in made}) == 1
