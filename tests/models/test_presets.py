"""conf/model: every preset composes, fits the dataclass, and has the keys of its family only."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from data.inputs.tokenizer import train_tokenizer
from models.build import build
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import Finetuning, ModelSettings, Recipe, chosen_readout
from runner.config.compose import compose as compose_words
from runner.config.resolve import resolve
from runner.experiment.initial_model import check_checkpoint
from tests.conftest import REPO
from tests.models.families import FAMILIES, SIZES
from tests.models.helpers import count

FOLDER = REPO / "conf/model"
PARTS = sorted(FOLDER.glob("*/[!_]*.yaml"))
PRESETS = sorted(path.stem for path in FOLDER.glob("[!_]*.yaml"))
PARAMETERS = {
    "bert-tiny": 4_386_178,
    "bert-mini": 11_171_074,
    "bert-small": 28_764_674,
    "bert-medium": 41_374_210,
    "bert-base": 109_483_778,
    "bert-large": 335_143_938,
    "dsn": 496_642,
    "bertvision": 11_129_362,  # bert-mini without pooler and head (11,104,768), and the published head (24,594)
    "bermo": 4_386_182,
    "eelbert": 479_362,
    "uno-eelbert": 281_986,
    "dsn-32": 993_282,
    "dsn-64": 1_986_562,
    "static": 7_814_146,
    "dsn-bigram": 502_078,
    "dsn-128": 3_973_122,
    "bilstm": 2_020_226,
}
OF_SOUNDS = {"tiny-sound": (64, 6_490), "mfcc-cnn": (40, 24_170), "frames-lr": (64, 1_290), "mean-sound": (64, 650),
             "conv-sound": (64, 5_914)}  # fmt: skip
# of them in the six matrices of the blocks, which pruning works on
MATRICES = {
    "bert-tiny": 393_216,
    "bert-mini": 3_145_728,
    "bert-small": 12_582_912,
    "bert-medium": 25_165_824,
    "bert-base": 84_934_656,
    "bert-large": 301_989_888,
}
OF_A_DSN = {"width", "init", "norm", "positional", "token_dropout", "dims", "special_tokens", "word_weights"}
OF_A_BILSTM = {"bilstm": {"dims", "norm", "positional"}}
OF_STATIC_VECTORS = {"weights", "freeze"}
OWN_KEYS = {
    "static": OF_STATIC_VECTORS, "static-ngram": OF_STATIC_VECTORS, "ngram-vectors": {"token_dropout"},
    "frames-lr": {"freeze"}, "mean-sound": {"freeze"}, "tiny-sound": {"special_tokens"},
    "conv-sound": {"special_tokens", "positional"}, "mfcc-cnn": {"special_tokens"},
}  # fmt: skip
OF_AN_ENCODER = {
    "layers", "heads", "intermediate", "attention_dropout", "weights", "carry", "freeze", "tune",
}  # fmt: skip


@cache
def preset(name: str) -> dict[str, Any]:
    """The composed keys of one preset."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from runner.config.plugins import register_plugins

    register_plugins()
    with initialize_config_dir(str(FOLDER.parent), version_base="1.3"):
        composed = compose("config", [f"model={name}", "data=sst2"])
    found: Any = OmegaConf.to_container(composed.model)
    for part in {"readout", "embedding"} & found.keys():
        found[part] = OmegaConf.to_container(composed.model[part], resolve=True)
    return dict(found)


def settings(name: str) -> ModelSettings:
    values = preset(name)
    made = {"recipe": Recipe(**values["recipe"]), "tune": Finetuning(**values.get("tune", {})), "pretrained": None}
    found = ModelSettings(**(values | made))
    return replace(found, readout=chosen_readout(found, is_pair=False))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_known_keys_its_own_name_and_a_description(name: str) -> None:
    values = preset(name)
    assert set(values) <= {field.name for field in fields(ModelSettings)}
    assert values["name"] == name
    assert values["description"] and "\n" not in values["description"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_holds_its_familys_keys_only(name: str) -> None:
    values = preset(name)
    others = OF_AN_ENCODER if values["family"] == "dsn" else OF_A_DSN - OF_A_BILSTM.get(values["family"], set())
    own = OWN_KEYS.get(name, set())
    assert not set(values) & (others - own)
    has_none = values["family"] in ("auto", "ngram", "ngram_vectors", "cnn")
    assert has_none or {"hidden", "positions", "segments"} <= set(values)


@pytest.mark.parametrize("name", PRESETS)
def test_the_first_line_is_a_command_that_uses_the_file(name: str) -> None:
    first = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert re.match(rf"# run model={name}( |$)", first)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_preset_has_the_published_number_of_parameters(name: str) -> None:
    with torch.device("meta"):
        model, _ = build(settings(name), head=HeadSpec(outputs=2), vocab_size=30522)
    assert count(model) == PARAMETERS[name]


@pytest.mark.parametrize("name", OF_SOUNDS)
def test_a_preset_of_sounds_has_the_parameters_that_its_description_promises(name: str) -> None:
    width, parameters = OF_SOUNDS[name]
    model, _ = build(settings(name), head=HeadSpec(outputs=10), vocab_size=width)
    assert count(model) == parameters


def test_tiny_sound_with_a_first_vector_and_a_mean_has_the_6346_parameters_of_its_table() -> None:
    part = {"name": "frames", "project": True, "first": True}
    changed = replace(settings("tiny-sound"), embedding=part, special_tokens=True, readout={"name": "mean"})
    model, _ = build(changed, head=HeadSpec(outputs=10), vocab_size=64)
    assert count(model) == 6_346


@pytest.mark.parametrize("name", MATRICES)
def test_the_matrices_of_the_blocks_have_the_published_size(name: str) -> None:
    with torch.device("meta"):
        model, _ = build(settings(name), head=HeadSpec(outputs=2), vocab_size=30522)
    assert sum(p.numel() for p in model.bert.get_submodule("encoder").parameters() if p.ndim == 2) == MATRICES[name]


@pytest.mark.parametrize("name", [name for name in PARAMETERS if name.startswith("bert")])
def test_a_bert_preset_names_the_published_weights_of_its_size(name: str) -> None:
    values = preset(name)
    assert values["pretrained"] == "auto"
    if values["weights"].startswith("google/"):
        size = f"L-{values['layers']}_H-{values['hidden']}_A-{values['heads']}"
        assert values["weights"] == f"google/bert_uncased_{size}"
    else:
        assert values["weights"] == f"google-bert/{name}-uncased"


def test_every_preset_is_covered_here() -> None:
    assert set(PRESETS) == {
        *PARAMETERS,
        *OF_SOUNDS,
        "auto",
        "bi-encoder",
        "contrastive",
        "deberta-v3-xsmall",
        "ettin-17m",
        "frozen",
        "minilm",
        "minilm-l6",
        "modernbert-base",
        "ngram",
        "ngram-vectors",
        "static-ngram",
    }


MODERN = {
    "deberta-v3-xsmall": ("DebertaV2", {}, "cls"),
    "ettin-17m": ("ModernBert", {"classifier_pooling": "mean"}, "mean"),
    "minilm-l6": ("Bert", {}, "mean"),
    "modernbert-base": ("ModernBert", {"classifier_pooling": "cls"}, "cls"),
}


@pytest.mark.parametrize("name", MODERN)
def test_a_preset_of_an_encoder_from_elsewhere_is_read_out_as_its_files_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    family, changes, readout = MODERN[name]
    monkeypatch.chdir(tmp_path)  # a folder of the name of a hub id wins over the hub
    folder = tmp_path / preset(name)["weights"]
    folder.mkdir(parents=True)
    sizes = SIZES if family == "Bert" else FAMILIES[family]
    config = getattr(transformers, f"{family}Config")(**sizes, **changes)
    model = getattr(transformers, f"{family}Model")(config)
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    config.save_pretrained(folder)
    train_tokenizer(["a fine film", "a dull one"] * 3, 64).save(folder)
    found = resolve(compose_words([f"model={name}", "data=sst2", "data.max_length=32"]))
    with pytest.raises(ModelError, match=r"as a pickle .*save_pretrained\('folder'\).*then model\.pretrained=folder"):
        check_checkpoint(found)
    model.save_pretrained(folder)
    if name == "minilm-l6":
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling/config.json").write_text('{"pooling_mode_mean_tokens": true}', encoding="utf-8")
    check_checkpoint(found)
    made, weights = build(found.model, HeadSpec(outputs=2), vocab_size=90)
    assert made.architecture["readout"] == readout and weights.notes[-1].startswith(f"model/readout=auto is {readout},")


@pytest.mark.parametrize("path", PARTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_part_says_how_it_is_used_what_it_is_and_its_name(path: Path) -> None:
    group = f"model/{path.parent.name}"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("# @package")]
    assert re.match(rf"# run (.* {group}={path.stem}( |$)|model=)", lines[0])
    assert re.match(r"# \w.{10,}", lines[1])
    key = "backbone" if group == "model/backbone" else "name"
    assert any(re.match(rf"{key}: {path.stem}( +#|$)", line) for line in lines)


@pytest.mark.parametrize("word", ["model/backbone=bert-mini", "model.backbone=bert-mini"])
def test_a_part_of_a_preset_is_swapped_in_either_spelling(word: str) -> None:
    from runner.config.compose import compose, normalize_override
    from runner.config.resolve import resolve

    model = resolve(compose(["model=dsn", "model/readout=cls", "data=demo", normalize_override(word)])).model
    assert (model.name, model.family, model.layers, model.hidden) == ("dsn", "bert", 4, 256)


def test_a_value_outside_its_range_is_marked_by_the_dataclass() -> None:
    limits = {field.name: field.metadata for field in fields(ModelSettings)}
    assert limits["width"]["above"] == 0.0
    assert set(limits["family"]["choices"]) == {"bert", "dsn", "bilstm", "auto", "ngram", "ngram_vectors", "cnn"}
