"""The masked-word model: equal to transformers' on the same weights and masks, whatever its output table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM

from data.batch import Batch
from models.build import build
from models.checkpoints.open import open_masked_lm
from models.checkpoints.save import save_model
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.heads.words import MaskedLM, WordScores
from models.settings import ModelSettings
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.tasks.mlm import MaskedWords
from tests.models.helpers import SMALL, STOCK, count
from tests.runner.tasks.splits import split_of

OUTPUTS = ["tied", "own", "fixed"]
# backbone: parameters over a hash of BERT's vocabulary, whose vectors are the output table too
HASHED = {"bert-base": 86_073_402, "bert-mini": 3_387_962, "bert-tiny": 509_882, "uno_ffn128": 312_506}


def loss_of(words: Any, labels: torch.Tensor) -> torch.Tensor:
    return MaskedWords().loss(words, {"labels": labels})


def masked(output: str = "tied", **changes: Any) -> MaskedLM:
    torch.manual_seed(0)
    settings = ModelSettings(**(SMALL | {"dropout": 0.0, "attention_dropout": 0.0} | changes))
    return build(settings, vocab_size=90, pad_id=0, head=HeadSpec("words", output=output))[0].eval()


def shaken(model: nn.Module) -> Any:
    """Biases and norms drawn too, so that a forgotten one shows."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def saved(model: MaskedLM, folder: Path) -> Path:
    save_model(model, folder, tokenizer_save=lambda _: None, label_names=[], card="")
    return folder


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids (4, 20), masked places and the words there."""
    ids = torch.randint(5, 90, (4, 20))
    places = torch.tensor([1, 7, 19, 33, 34, 60, 79])
    labels = torch.randint(5, 90, (7,))
    return ids, places, labels


def of_stock(stock: nn.Module, ids: torch.Tensor, places: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    wanted = torch.full((80,), -100)
    wanted[places] = labels
    loss: torch.Tensor = stock(input_ids=ids, labels=wanted.view(4, 20)).loss
    return loss


@pytest.mark.parametrize("output", OUTPUTS)
def test_loss_and_gradients_equal_transformers(output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.heads.word_scores.CHUNK", 3 * 90)  # three places at a time, the last part smaller
    model = shaken(masked(output))
    stock = AutoModelForMaskedLM.from_pretrained(saved(model, tmp_path / "m"), attn_implementation="eager").eval()
    assert type(stock) is BertForMaskedLM
    ids, places, labels = inputs()
    loss, theirs = (
        loss_of(model(ids, places=places), labels),
        of_stock(stock, ids, places, labels),
    )
    assert loss.item() == pytest.approx(theirs.item(), abs=1e-5)
    (2.0 * loss).backward()
    (2.0 * theirs).backward()
    stocks = dict(stock.named_parameters())
    compared = [name for name, value in model.named_parameters() if value.grad is not None]
    for name in compared:
        found = dict(model.named_parameters())[name].grad
        wanted = stocks[name].grad
        if wanted is None:  # untied, transformers adds the decoder's own bias
            wanted = stocks[name.replace("predictions.bias", "predictions.decoder.bias")].grad
        assert wanted is not None, name
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4, msg=name)
    assert "bert.embeddings.word_embeddings.weight" in compared
    assert ("cls.predictions.decoder.weight" in compared) == (output == "own")


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_saved_folder_is_the_stock_class_with_equal_logits(output: str, tmp_path: Path) -> None:
    model = shaken(masked(output))
    stock, report = BertForMaskedLM.from_pretrained(saved(model, tmp_path / "m"), output_loading_info=True)
    assert not any(report.values()), report
    ids, _, _ = inputs()
    mask = torch.ones_like(ids)
    mask[1, 12:] = 0
    with torch.no_grad():
        torch.testing.assert_close(model(ids, mask), stock.eval()(ids, mask).logits, atol=1e-5, rtol=1e-4)
    assert stock.config.tie_word_embeddings == (output == "tied")


def test_scores_at_places_equal_those_of_all_places() -> None:
    model, (ids, places, _) = shaken(masked()), inputs()
    words = model(ids, places=places)
    assert isinstance(words, WordScores) and words.hidden.shape == (7, 32)
    there = words.hidden @ words.table.T + words.bias
    torch.testing.assert_close(there, model(ids).flatten(0, 1)[places], atol=1e-5, rtol=1e-4)


def test_outcomes_sum_losses_hits_and_words_of_each_block() -> None:
    model, (ids, places, labels) = shaken(masked()), inputs()
    logits = model(ids).flatten(0, 1)[places].detach()
    labels[0] = logits[0].argmax()
    batch = Batch({"input_ids": ids.numpy(), "places": places.numpy()}, {"labels": labels.numpy()}, np.arange(4))
    found = MaskedWords().keep(model(ids, places=places), batch)
    assert found[:, 2].tolist() == [3, 2, 0, 2] and found[0, 1] >= 1
    losses = nn.functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(found[0, 0], losses[:3].sum(), atol=1e-4, rtol=1e-4)
    names = ("perplexity", "masked_accuracy")
    answers = MaskedWords().answers(found.numpy(), split_of([]))
    scores = MaskedWords().evaluate(answers, names)
    assert scores["perplexity"] == pytest.approx(float(losses.mean().exp()), rel=1e-4)
    assert scores["masked_accuracy"] == pytest.approx(float((logits.argmax(1) == labels).float().mean()))
    low, high = MaskedWords().score("perplexity").interval(answers)
    assert low <= scores["perplexity"] <= high


def test_no_masked_place_is_a_loss_of_zero_and_no_gradient() -> None:
    model, (ids, _, _) = masked(), inputs()
    loss = MaskedWords().loss(
        model(ids, places=torch.zeros(0, dtype=torch.long)), {"labels": torch.zeros(0, dtype=torch.long)}
    )
    loss.backward()
    assert loss.item() == 0.0
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())


def test_a_fixed_table_is_the_word_vectors_and_is_not_trained() -> None:
    model = masked("fixed")
    decoder: Any = model.get_submodule("cls.predictions.decoder")
    assert torch.equal(decoder.weight, model.bert.embeddings.word_embeddings.weight)
    assert not decoder.weight.requires_grad
    assert masked("own").get_submodule("cls.predictions.decoder").weight.requires_grad


@pytest.mark.parametrize("output", OUTPUTS)
def test_pretraining_goes_on_from_a_saved_folder_with_its_head(output: str, tmp_path: Path) -> None:
    model = shaken(masked("own" if output == "own" else "tied"))
    folder = saved(model, tmp_path / "m")
    again, weights = build(
        ModelSettings(**SMALL, pretrained=str(folder)), vocab_size=90, pad_id=0, head=HeadSpec("words", output=output)
    )
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    assert weights.fingerprint and not weights.notes
    assert weights.new == []
    if output == "fixed":
        start = again.state_dict()["cls.predictions.decoder.weight"]
        assert torch.equal(start, model.bert.embeddings.word_embeddings.weight)


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_saved_folder_opens_with_equal_scores(output: str, tmp_path: Path) -> None:
    model, (ids, _, _) = shaken(masked(output)), inputs()
    found = open_masked_lm(str(saved(model, tmp_path / "model")), "augment.model")
    torch.testing.assert_close(found(ids), model(ids), atol=0.0, rtol=0.0)
    assert not found.training


def test_a_stock_checkpoint_opens_and_one_without_a_head_for_masked_words_does_not(tmp_path: Path) -> None:
    stock, (ids, _, _) = shaken(BertForMaskedLM(BertConfig(**(STOCK | {"vocab_size": 90}))).eval()), inputs()
    stock.save_pretrained(tmp_path / "stock")
    found = open_masked_lm(str(tmp_path / "stock"), "augment.model")
    torch.testing.assert_close(found(ids), stock(ids).logits, atol=1e-5, rtol=1e-5)
    stock.bert.save_pretrained(tmp_path / "bare")
    with pytest.raises(ModelError, match=r"augment\.model=.*has no head for masked words.*task=mlm"):
        open_masked_lm(str(tmp_path / "bare"), "augment.model")


def test_a_classifier_starts_from_the_encoder_of_a_saved_folder(tmp_path: Path) -> None:
    model = shaken(masked())
    folder = saved(model, tmp_path / "m")
    found, weights = build(ModelSettings(**SMALL, pretrained=str(folder)), head=HeadSpec(outputs=2), vocab_size=90)
    for name, tensor in model.bert.state_dict().items():
        assert torch.equal(found.bert.state_dict()[name], tensor), name
    assert weights.notes == [f"{folder} has no pooler: its weights start at random"]
    assert sorted(weights.ignored) == sorted(n for n in model.state_dict() if n.startswith("cls."))


def test_a_checkpoint_without_a_word_head_is_noted(tmp_path: Path) -> None:
    torch.manual_seed(0)
    stock = BertForMaskedLM(BertConfig(**STOCK))
    stock.bert.save_pretrained(tmp_path / "bare")
    settings = ModelSettings(**SMALL, pretrained=str(tmp_path / "bare"))
    _, weights = build(settings, vocab_size=90, pad_id=0, head=HeadSpec("words", output="tied"))
    assert weights.notes == [f"{tmp_path / 'bare'} has no head for masked words: its weights start at random"]
    assert "cls.predictions.bias" in weights.new


def test_a_word_head_of_another_shape_is_refused(tmp_path: Path) -> None:
    folder = saved(masked(), tmp_path / "m")
    tensors = load_file(folder / "model.safetensors")
    tensors["cls.predictions.bias"] = torch.zeros(89)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"cls\.predictions\.bias has shape \(89,\), the model expects \(90,\)"):
        build(ModelSettings(**SMALL, pretrained=str(folder)), vocab_size=90, pad_id=0, head=HeadSpec("words"))


def test_models_that_cannot_predict_masked_words_are_refused() -> None:
    with pytest.raises(ModelError, match="Try: run task=mlm model=bert-tiny"):
        settings = ModelSettings(name="bilstm", family="bilstm", backbone="bilstm", readout={"name": "max"})
        build(settings, vocab_size=90, pad_id=0, head=HeadSpec("words", output="tied"))


def of_words_alone(output: str = "own") -> Any:
    """A masked language model without an encoder: word2vec's CBOW."""
    return masked(output, family="dsn", backbone="none", norm="none", positional=False, readout={"name": "mean"})


def test_without_an_encoder_a_word_is_predicted_from_the_mean_of_its_neighbours_vectors() -> None:
    model = of_words_alone()
    assert sorted(model.state_dict()) == [
        "bert.embeddings.word_embeddings.weight", "cls.predictions.bias", "cls.predictions.decoder.weight",
    ]  # fmt: skip
    ids, places, labels = inputs()
    table, predictions = model.bert.embeddings.word_embeddings.weight, model.cls["predictions"]
    vectors = [table[ids[0, [0, 2, 3, 4, 5, 6]]].mean(0), table[ids[0, [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]]].mean(0)]
    scores = torch.stack(vectors) @ predictions.decoder.weight.T + predictions.bias
    torch.testing.assert_close(model(ids)[0, [1, 7]], scores)
    loss = torch.nn.functional.cross_entropy(scores, labels[:2], reduction="sum")
    torch.testing.assert_close(model(ids, places=places[:2]).cross_entropy(labels[:2]), loss)


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_model_without_an_encoder_opens_with_equal_scores(output: str, tmp_path: Path) -> None:
    model, (ids, places, _) = of_words_alone(output), inputs()
    found = open_masked_lm(str(saved(model, tmp_path / "words")), "from")
    assert torch.equal(found(ids, places=places).hidden, model(ids, places=places).hidden)
    assert torch.equal(found(ids), model(ids))
    assert json.loads((tmp_path / "words" / "config.json").read_text())["architectures"] == ["BertierForMaskedLM"]


class Computed(nn.Module):
    """Word vectors that are computed and not stored, as hash embeddings are."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.sin(ids.unsqueeze(-1) * torch.arange(1, 33) * 0.37)


def computed(output: str) -> MaskedLM:
    torch.manual_seed(0)
    model, _ = build(ModelSettings(**SMALL), head=HeadSpec(outputs=1), vocab_size=90)
    model.bert.embeddings.word_embeddings = Computed()
    return MaskedLM(model.bert, model.architecture | {"embedding": "computed"}, HeadSpec("words", output=output)).eval()


def test_computed_word_vectors_are_a_fixed_output_table_that_costs_no_parameter(tmp_path: Path) -> None:
    fixed, own = computed("fixed"), computed("own")
    counts = [sum(p.numel() for p in model.parameters()) for model in (fixed, own)]
    assert counts[1] - counts[0] == 90 * 32
    ids, places, labels = inputs()
    logits = fixed(ids).flatten(0, 1)[places]
    loss_of(fixed(ids, places=places), labels).backward()
    torch.testing.assert_close(
        loss_of(fixed(ids, places=places), labels),
        nn.functional.cross_entropy(logits, labels),
        atol=1e-5,
        rtol=1e-5,
    )
    assert not [name for name in fixed.state_dict() if "fixed" in name or "decoder" in name]
    config = json.loads((saved(fixed, tmp_path / "m") / "config.json").read_text())
    assert config["model_type"] == "bertier" and config["tie_word_embeddings"] is False


def hashed(backbone: str, monkeypatch: pytest.MonkeyPatch) -> MaskedLM:
    """Over BERT's vocabulary, except for the hash vectors themselves: they take their time and are not counted here."""
    monkeypatch.setattr("models.heads.words.word_vectors", lambda embeddings, vocab_size: torch.zeros(vocab_size, 1))
    settings = resolve(compose(["task=mlm", "model=eelbert", f"model/backbone={backbone}", "data=demo"])).model
    return build(settings, vocab_size=30522, pad_id=0, head=HeadSpec("words", output="fixed"))[0]


@pytest.mark.parametrize("backbone", HASHED)
def test_a_model_over_a_hash_has_the_published_number_of_parameters(
    backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.device("meta"):
        assert count(hashed(backbone, monkeypatch)) == HASHED[backbone]


@pytest.mark.parametrize("backbone", ["bert-mini", "bert-tiny", "uno_ffn128"])
def test_the_file_of_a_model_over_a_hash_has_four_bytes_per_parameter(
    backbone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(hashed(backbone, monkeypatch), tmp_path / "m")
    assert 1.0 <= (folder / "model.safetensors").stat().st_size / (4 * HASHED[backbone]) < 1.02


def test_computed_word_vectors_cannot_be_tied(monkeypatch: pytest.MonkeyPatch) -> None:
    found = build(ModelSettings(**SMALL), HeadSpec(), vocab_size=90)
    found[0].bert.embeddings.word_embeddings = Computed()
    monkeypatch.setattr("models.build._build", lambda *_: found)
    with pytest.raises(ModelError, match=r"task\.output=fixed"):
        build(ModelSettings(**SMALL), vocab_size=90, pad_id=0, head=HeadSpec("words", output="tied"))


def test_log_likelihoods_are_those_of_the_whole_softmax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.heads.word_scores.CHUNK", 3 * 90)
    model, (ids, places, labels) = shaken(masked()), inputs()
    with torch.no_grad():
        whole = model(ids).flatten(0, 1)[places].log_softmax(-1)
        found = model(ids, places=places).log_likelihoods(labels)
    torch.testing.assert_close(found, whole.gather(1, labels[:, None]).squeeze(1))
