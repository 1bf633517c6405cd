"""Heads of transformers' own classes: the same logits as there, saved under its names, refused where it has none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors import safe_open

from models.backbones.stock_head import FAMILIES as KNOWN
from models.backbones.stock_head import stock_classes
from models.build import build
from models.checkpoints.open import load_model, restore_saved
from models.checkpoints.source import check_readout
from models.compression.settings.quantization import WeightOnly as Rounding
from models.compression.weight_only import WeightOnly
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.heads.target_scale import standardise_targets
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.compression.row_context import applied
from tests.models.families import ENCODERS, FAMILIES, save_family
from tests.models.helpers import batch, placed

CLASSES = {"text": "SequenceClassification", "token": "TokenClassification", "span": "QuestionAnswering"}
TAKES_SEGMENTS = ("Albert", "Electra", "MobileBert", "NomicBert", "Roberta", "XLMRoberta", "Camembert")
CASES = [(family, head) for family in (*ENCODERS, "Camembert", "Deberta") for head in CLASSES]
CASES.remove(("NomicBert", "span"))  # transformers has no such class
INPUTS = batch(vocab_size=27)


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """The folder of a family's encoder, saved when it is first asked for."""
    folder, found = tmp_path_factory.mktemp("hubs"), dict[str, Path]()
    FAMILIES["Camembert"] = FAMILIES["Roberta"]

    def hub(family: str) -> Path:
        if family not in found:
            found[family] = save_family(family, folder / family, vocab_size=27)
        return found[family]

    yield hub
    del FAMILIES["Camembert"]


def stock(folder: Path, head: str = "text", outputs: int = 3, **changes: Any) -> Any:
    """A network with a stock head over the encoder in a folder, with weights of its head drawn from a seed."""
    readout = {"name": "cls" if head == "text" else "none"}
    settings = ModelSettings(family="auto", pretrained=str(folder), head="stock", readout=readout, **changes)
    problem = "regression" if outputs == 1 else None
    torch.manual_seed(1)
    model = build(settings, HeadSpec(head, 2 if head == "span" else outputs, problem), vocab_size=27)[0].eval()
    torch.nn.init.normal_(model.classifier.weight)
    return model


def theirs(folder: Path, head: str = "text") -> Any:
    """The logits of transformers' own class for INPUTS, and the class."""
    network = getattr(transformers, f"AutoModelFor{CLASSES[head]}").from_pretrained(folder).eval()
    keys = ["input_ids", "attention_mask"]
    keys += ["token_type_ids"] if type(network).__name__.startswith(TAKES_SEGMENTS) else []
    found = network(**{key: INPUTS[key] for key in keys})
    return (torch.stack([found.start_logits, found.end_logits], -1) if head == "span" else found.logits), network


@pytest.mark.parametrize(("family", "head"), CASES)
def test_a_network_is_saved_as_the_class_of_its_family_and_opens_there_with_equal_logits(
    tmp_path: Path, hubs: Callable[[str], Path], family: str, head: str
) -> None:
    model = stock(hubs(family), head)
    names = ["no", "yes", "maybe"][: model.spec.outputs]
    folder = write(model, tmp_path / "m", label_names=names)
    logits, network = theirs(folder, head)
    torch.testing.assert_close(logits, model(**INPUTS), atol=1e-6, rtol=0)
    assert type(network).__name__ == f"{family}For{CLASSES[head]}"
    assert network.config.id2label == dict(enumerate(names))
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert set(file.keys()) == network.state_dict().keys(), "the names that the class itself saves"
    again = load_model(folder)
    assert torch.equal(again(**INPUTS), model(**INPUTS)) and again.stock_name() == type(network).__name__
    assert type(again.classifier) is torch.nn.Linear


def test_every_known_family_is_tested_and_has_classes() -> None:
    assert {config.model_type for config in map(class_of, {family for family, _ in CASES})} == set(KNOWN)
    assert all(stock_classes(kind).keys() >= {"text", "token"} for kind in KNOWN)


def class_of(family: str) -> Any:
    return getattr(transformers, f"{family}Config")


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_modernbert_pools_as_its_config_says_whatever_is_padded(tmp_path: Path, pooling: str) -> None:
    model = stock(save_family("ModernBert", tmp_path, vocab_size=27, classifier_pooling=pooling))
    row = {key: value[1:2, : int(INPUTS["attention_mask"][1].sum())] for key, value in INPUTS.items()}
    torch.testing.assert_close(model(**INPUTS)[1:2], model(**row), atol=1e-5, rtol=0)
    torch.testing.assert_close(model(**row), model(row["input_ids"]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", ["MPNet", "NomicBert", "Albert", "DebertaV2"])
def test_a_classifier_that_another_tool_saved_is_opened(tmp_path: Path, family: str) -> None:
    save_family(family, tmp_path, "ForSequenceClassification", vocab_size=27, num_labels=3)
    torch.testing.assert_close(load_model(tmp_path)(**INPUTS), theirs(tmp_path)[0], atol=1e-6, rtol=0)


def test_a_pooler_of_the_checkpoint_is_kept_and_one_that_the_class_does_not_read_is_left(
    hubs: Callable[[str], Path],
) -> None:
    for family, name in (("Albert", "pooler.stock.albert.pooler.weight"), ("Roberta", None)):
        hub = hubs(family)
        pooler = transformers.AutoModel.from_pretrained(hub).pooler
        mine = dict(stock(hub).bert.named_parameters())
        assert name is None or torch.equal(mine[name], pooler.weight)
        assert name is not None or not any("roberta.pooler" in key for key in mine)


def test_tokens_are_answered_at_the_asked_places_alone(hubs: Callable[[str], Path]) -> None:
    model = stock(hubs("ModernBert"), "token")
    inputs = placed(INPUTS)
    expected = model(**INPUTS).flatten(0, 1)[inputs["places"]]
    torch.testing.assert_close(model(**inputs), expected, atol=1e-5, rtol=0)


def test_a_regression_predicts_in_the_unit_of_its_targets_there_too(
    tmp_path: Path, hubs: Callable[[str], Path]
) -> None:
    model = stock(hubs("Roberta"), outputs=1)
    standardise_targets(model, 50.0, 20.0, is_fresh=True)
    folder = write(model, tmp_path / "m", label_names=[])
    logits, network = theirs(folder)
    torch.testing.assert_close(logits, model(**INPUTS), atol=1e-4, rtol=0)
    assert network.config.problem_type == "regression" and "targets" not in json.loads(
        (folder / "config.json").read_text()
    )


def test_a_training_goes_on_from_the_saved_class(tmp_path: Path, hubs: Callable[[str], Path]) -> None:
    hub = hubs("Electra")
    folder = write(stock(hub), tmp_path / "m")
    fresh = stock(hub)
    torch.nn.init.zeros_(fresh.classifier.weight)
    assert torch.equal(restore_saved(fresh, folder)(**INPUTS), load_model(folder)(**INPUTS))


def test_a_rounded_network_is_saved_as_ours_and_keeps_the_head(tmp_path: Path) -> None:
    model, _ = applied(WeightOnly(Rounding(bits=8)), stock(save_family("DistilBert", tmp_path / "hub")))
    folder = write(model, tmp_path / "m")
    assert json.loads((folder / "config.json").read_text())["model_type"] == "bertier"
    assert torch.equal(load_model(folder)(**INPUTS), model(**INPUTS))


def test_the_readout_is_known_before_any_weights_are_read(hubs: Callable[[str], Path]) -> None:
    hub = hubs("DistilBert")
    readout, hidden, layers = check_readout(ModelSettings(family="auto", pretrained=str(hub), head="stock"))
    assert (hidden, layers) == (32, 2) and not readout.keeps_tokens


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "convbert"}, r"knows the classes of albert.* is a convbert\. Try: model\.head=trained"),
        ({"model_type": "bert"}, "is a BERT.* saved as transformers' class anyway"),
    ],
)
def test_other_families_are_refused_by_their_config_alone(tmp_path: Path, config: Any, message: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=message):
        stock(tmp_path)


def test_a_class_that_transformers_lacks_is_refused(hubs: Callable[[str], Path]) -> None:
    hub = hubs("NomicBert")
    with pytest.raises(ModelError, match="no class of nomic_bert for this task"):
        stock(hub, "span")
