"""Models that a run cannot start from are refused with a cure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel, RobertaConfig, RobertaModel

from data.inputs.added_tokens import with_added
from data.inputs.tokenizer import train_tokenizer
from models.backbones.lengths import Lengths
from models.checkpoints.outline import Outline
from models.compression.lengths.chosen import set_lengths
from models.compression.settings.exits import Exits
from models.compression.settings.learn import Distil
from models.compression.settings.length import Length
from models.compression.settings.pruning import Magnitude, Ziplm
from models.compression.settings.quantization import WeightOnly
from models.heads.exits import attach_exits
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import USER_ERRORS, ConfigError
from runner.experiment import initial_model
from runner.experiment.initial_model import (
    build_initial_model,
    check_added,
    check_checkpoint,
    check_finished,
    check_pairs,
    check_readout_length,
    check_tokenizer,
)
from runner.schema import Settings
from tests.data.inputs.test_language_case import uncased
from tests.models.families import SIZES
from tests.models.helpers import small
from tests.runner.training.ngram.rows import intent_names, review_splits
from tests.runner.training.ngram.test_fold import MODEL


def test_texts_longer_than_the_readout_are_refused() -> None:
    settings = Settings()
    settings.data.max_length, settings.model.readout = 64, {"name": "parasite"}
    with pytest.raises(ConfigError, match=r"more than the 32 tokens .*Try: model\.readout\.length=64"):
        check_readout_length(cast(Any, SimpleNamespace(longest=32)), settings)
    check_readout_length(cast(Any, SimpleNamespace(longest=64)), settings)
    check_readout_length(cast(Any, SimpleNamespace(longest=None)), settings)


def test_a_model_of_another_vocabulary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initial_model, "load_tokenizer", lambda folder: SimpleNamespace(fingerprint="b"))
    splits = cast(Any, SimpleNamespace(tokenizer=SimpleNamespace(fingerprint="a", source="train", language=None)))
    with pytest.raises(ConfigError, match=r"a vocabulary other than train\. Try: model\.tokenizer=auto"):
        check_tokenizer(Path("model"), splits)
    splits.tokenizer.fingerprint = "b"
    check_tokenizer(Path("model"), splits)
    check_tokenizer(None, splits)


def test_added_tokens_need_a_row_of_the_table(tmp_path: Path) -> None:
    uncased(tmp_path, ["a", "[unused0]"])  # 7 tokens, one of them unused
    settings = Settings()
    settings.model.tokenizer, settings.model.pretrained = str(tmp_path), "some/model"
    settings.data.added_tokens = ["[NAME]", "[RELIGION]"]
    with pytest.raises(
        ConfigError, match=r"some/model has 7 word vectors.*too few unused pieces.*Try: 'data\.added_tokens"
    ):
        check_added(settings, 7)
    check_added(settings, 8)  # a table with a row to spare
    check_added(settings, None)
    settings.data.added_tokens.pop()
    check_added(settings, 7)


def test_a_folder_may_learn_added_tokens_and_a_finished_model_may_not(tmp_path: Path) -> None:
    plain = uncased(tmp_path, ["a", "[unused0]"])
    splits = cast(Any, SimpleNamespace(tokenizer=with_added(plain, ["[NAME]"])))
    check_tokenizer(tmp_path, splits)
    with pytest.raises(ConfigError, match="a vocabulary other than"):
        check_tokenizer(tmp_path, splits, is_finished=True)


def test_the_checkpoint_of_a_finished_model_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(initial_model, "require_weights", lambda source, *_: asked.append(source))
    monkeypatch.setattr(initial_model, "check_source", lambda model: {})
    monkeypatch.setattr(initial_model, "read_outline", lambda *_: Outline(None, None))
    settings = Settings()
    settings.model.family, settings.model.pretrained, settings.model.init_from = "bert", "some/model", ""
    check_checkpoint(settings)
    assert asked == ["some/model"]
    settings.finished = "outputs/x/model"
    check_checkpoint(settings)
    assert asked == ["some/model"]


def test_after_exits_only_other_exits_may_come() -> None:
    model, settings = small(layers=3), Settings(finished="outputs/x/model")
    check_finished(model, settings)
    attach_exits(model, [1, 2], rule="confidence")
    settings.compression = {"int8": WeightOnly()}
    with pytest.raises(ConfigError, match="has exits, whose thresholds another stage would undo"):
        check_finished(model, settings)
    settings.compression = {"exits": Exits()}
    check_finished(model, settings)


def test_after_lengths_no_stage_may_train_or_prune() -> None:
    model, settings = small(layers=3), Settings(finished="outputs/x/model")
    set_lengths(model, Lengths((0.9, 0.8, 1.0)))
    for stage in (Magnitude(), Ziplm(), Distil()):
        settings.compression = {"s": stage}
        with pytest.raises(ConfigError, match=r"s would undo its choice of lengths.*'compression=\[s,length\]'"):
            check_finished(model, settings)
    for fits in (Length(), WeightOnly(), Exits()):
        settings.compression = {"s": fits}
        check_finished(model, settings)


@pytest.mark.parametrize(
    ("labels", "message"), [([0.5, 1.5], "the labels are numbers. Try: model=frozen"), ([1, 1], "rows of two classes")]
)
def test_pairs_need_rows_of_two_classes(labels: list[float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_pairs(np.array(labels), "auto")
    check_pairs(np.array([0, 2]), "auto")


def change(folder: Path, **changes: Any) -> None:
    """Change keys of the config.json in a folder."""
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(content | changes), encoding="utf-8")


def cut_short(folder: Path) -> None:
    """Take the last bytes from the weights."""
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])


def empty(folder: Path) -> None:
    """Remove every file."""
    for path in folder.iterdir():
        path.unlink()


def of_another(folder: Path) -> None:
    """Take the weights of another family."""
    made = MPNetModel(MPNetConfig(**SIZES))
    save_file({name: tensor.contiguous() for name, tensor in made.state_dict().items()}, folder / "model.safetensors")


def as_int8(folder: Path) -> None:
    """Round the queries, as bitsandbytes does."""
    state = load_file(folder / "model.safetensors")
    rounded = {name: (100 * value).to(torch.int8) if "query" in name else value for name, value in state.items()}
    save_file(rounded, folder / "model.safetensors")


def as_roberta(folder: Path) -> None:
    """Write a RoBERTa that does not say which token pads."""
    RobertaModel(RobertaConfig(**(SIZES | {"pad_token_id": 1}))).save_pretrained(folder)
    change(folder, pad_token_id=None)


def as_model2vec(folder: Path) -> None:
    """Take a table of vectors and what Model2Vec says of it."""
    save_file({"embeddings": torch.ones(90, 4)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "model2vec", "normalize": true}', encoding="utf-8")


BAD_FOLDERS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "no config.json": (lambda f: (f / "config.json").unlink(), "", "has no config.json, so it is not a model. Try"),
    "empty": (empty, "", "is an empty folder. Try"),
    "weights of another family": (of_another, "", "its weights lack .*Is its config.json of another model. Try"),
    "cut short": (cut_short, "", "model.safetensors is damaged .*Get a fresh copy"),
    "unknown family": (lambda f: change(f, model_type="perceptron"), "", "a perceptron is not .*Use a.*bert"),
    "T5": (lambda f: change(f, model_type="t5", is_encoder_decoder=True), "", "a t5 is not a text encoder.*modernbert"),
    "generates": (lambda f: change(f, is_decoder=True), "", "is not a text encoder: it generates text"),
    "its own code": (lambda f: change(f, model_type="x", auto_map={"AutoModel": "a.B"}), "", "brings its own code"),
    "quantized": (lambda f: change(f, quantization_config={"quant_method": "gptq"}), "", "are quantized .gptq.*Name"),
    "whole numbers": (as_int8, "", "query.bias holds whole numbers, as in a quantized checkpoint.*Try one of"),
    "no layers": (lambda f: change(f, num_hidden_layers=0), "", "config.json says num_hidden_layers=0. Get a fresh"),
    "odd heads": (lambda f: change(f, num_attention_heads=3), "", "num_attention_heads=3, which does not divide it"),
    "no padding": (as_roberta, "", "a roberta counts its positions from pad_token_id, .*Try: a copy"),
    "small table": (lambda f: change(f, vocab_size=80), "", "has shape .90, 32., the model expects .80, 32."),
    "padding outside": (lambda f: change(f, pad_token_id=90), "", "pad_token_id=90, .*vocab_size=90 rows. Try"),
    "long texts": (lambda f: None, "data.max_length=64", "more than the 42 positions of auto. Try: data.max_length=42"),
    "Model2Vec": (as_model2vec, "", "a table of static vectors, not an encoder. Try: run model=static"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "", "has no model.safetensors.*Try"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "", "neither tokenizer.json nor vocab.txt. Go on with"),
    "more tokens than rows": (
        lambda f: save_bert(f, vocab_size=9), "", "tokenizer has .* tokens, .* has word vectors for 9. Try: "
    ),
    "encoder as static": (lambda f: None, "model=static", "is not a table of static vectors.*Try: run model=auto"),
}  # fmt: skip


def save_bert(folder: Path, **changes: Any) -> None:
    """Write a tiny encoder."""
    BertModel(BertConfig(**(SIZES | changes))).save_pretrained(folder)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny encoder and its tokenizer."""
    folder = tmp_path_factory.mktemp("sound")
    save_bert(folder)
    train_tokenizer(["a fine film", "a dull one"] * 3, 64).save(folder)
    return folder


@pytest.mark.parametrize("name", BAD_FOLDERS)
def test_a_bad_folder_is_refused_before_data_are_read(name: str, sound: Path, tmp_path: Path) -> None:
    spoil, word, message = BAD_FOLDERS[name]
    shutil.copytree(sound, folder := tmp_path / "folder")
    spoil(folder)
    words = ["model=auto", "data=sst2", "data.max_length=32", f"model.pretrained={folder}", *([word] if word else [])]
    settings = resolve(compose(words))
    with pytest.raises(USER_ERRORS, match=message) as raised:
        check_checkpoint(settings)
    assert "\n" not in str(raised.value)


def test_a_sound_folder_is_accepted(sound: Path) -> None:
    check_checkpoint(resolve(compose(["model=auto", "data=sst2", "data.max_length=32", f"model.pretrained={sound}"])))


@pytest.mark.parametrize("family", ["ngram", "ngram_vectors"])
def test_a_cap_without_room_for_the_n_grams_of_all_classes_is_refused(family: str) -> None:
    splits, _ = review_splits(2)
    splits.task = replace(splits.task, label_names=intent_names(150))
    settings = Settings(model=replace(MODEL, family=family, max_kb=3, min_df=2))
    with pytest.raises(ConfigError, match=r"model\.max_kb=3: a file with one n-gram per class .*Try: model\.max_kb=5"):
        build_initial_model(settings, splits, None)
    settings.model.max_kb = 5
    build_initial_model(settings, splits, None)
