"""Teachers from elsewhere: a classifier of transformers answers as it does there, and nothing else passes for one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForTokenClassification,
    BertModel,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    SqueezeBertForSequenceClassification,
)

from models.compression.distillation.internals import run_with_internals, shape_of
from models.compression.distillation.teacher import open_teacher, read_model_facts
from models.compression.quantization.stage import record_method
from models.compression.settings.exits import Exits
from models.errors import ModelError
from models.heads.exits import exits_of
from tests.models.checkpoints.test_save import write
from tests.models.compression.exiting.exit_context import with_exits
from tests.models.families import config_of, save_family
from tests.models.heads.test_added_ngrams import compared, with_ngrams
from tests.models.helpers import STOCK, batch, stock

KEY = "compression.distil.teacher"


def foreign(folder: Path) -> DistilBertForSequenceClassification:
    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=90, dim=16, n_heads=2, n_layers=1, hidden_dim=24, max_position_embeddings=40)
    config.id2label, config.label2id = {0: "no", 1: "yes"}, {"no": 0, "yes": 1}
    model = DistilBertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    return model  # type: ignore[no-any-return]


def test_a_classifier_of_transformers_answers_as_it_does_there_and_shows_its_layers(tmp_path: Path) -> None:
    reference, inputs = foreign(tmp_path), batch()
    teacher = open_teacher(str(tmp_path), KEY)
    with torch.no_grad():
        expected = reference(inputs["input_ids"], inputs["attention_mask"]).logits
        torch.testing.assert_close(teacher(**inputs), expected)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert shape_of(teacher).layers == 1 and shape_of(teacher).width == 16
    facts = read_model_facts(str(tmp_path), KEY)
    assert (facts.labels, facts.positions) == (("no", "yes"), 40)


def test_a_classifier_of_another_family_answers_and_shows_no_layers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reference, inputs = SqueezeBertForSequenceClassification(config_of("SqueezeBert")).eval(), batch()
    reference.save_pretrained(tmp_path)
    teacher = open_teacher(str(tmp_path), KEY)
    with torch.no_grad():
        torch.testing.assert_close(teacher(**inputs), reference(**inputs).logits)
    assert shape_of(teacher).layers == 0


def test_weights_in_half_precision_are_computed_with_in_float32(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reference = SqueezeBertForSequenceClassification(config_of("SqueezeBert")).half().eval()
    reference.save_pretrained(tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(open_teacher(str(tmp_path), KEY)(**batch()), reference.float()(**batch()).logits)


def test_rows_up_to_the_padding_id_are_no_room_for_texts(tmp_path: Path) -> None:
    save_family("Roberta", tmp_path, "ForSequenceClassification")
    assert read_model_facts(str(tmp_path), KEY).positions == 42 - 2


def test_a_stock_bert_classifier_is_opened_as_our_own(tmp_path: Path) -> None:
    reference, inputs = stock(), batch()
    reference.save_pretrained(tmp_path)
    teacher = open_teacher(str(tmp_path), KEY)
    with torch.no_grad():
        torch.testing.assert_close(teacher(**inputs), reference(**inputs).logits, atol=1e-5, rtol=1e-5)
    assert shape_of(teacher).heads == (4, 4)


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_classifier_of_tokens_answers_at_the_places_asked_for(tmp_path: Path, is_ours: bool) -> None:
    torch.manual_seed(0)
    small = {"vocab_size": 90, "dim": 16, "n_heads": 2, "n_layers": 1, "hidden_dim": 24, "max_position_embeddings": 40}
    model = (
        BertForTokenClassification(BertConfig(num_labels=3, **STOCK))
        if is_ours
        else DistilBertForTokenClassification(DistilBertConfig(num_labels=3, **small))
    ).eval()
    model.save_pretrained(tmp_path)
    teacher, inputs = open_teacher(str(tmp_path), KEY, order=(2, 0, 1)), batch()
    places = inputs["attention_mask"].flatten().nonzero().flatten()[::2]
    own = inputs if is_ours else {name: inputs[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        expected = model(**own).logits.flatten(0, 1)[places][:, [2, 0, 1]]
        torch.testing.assert_close(teacher(**inputs, places=places), expected, atol=1e-5, rtol=1e-5)
    assert read_model_facts(str(tmp_path), KEY).head == "token"


@torch.no_grad()
@pytest.mark.parametrize("part", ["exits", "n-grams"])
def test_rows_that_leave_early_and_added_logits_are_in_the_order_asked_for(tmp_path: Path, part: str) -> None:
    if part == "exits":
        model, _ = with_exits(Exits(after=[1, 2, 3]))
        record_method(model, Exits(after=[1, 2, 3]))
        exits_of(model).thresholds.fill_(0.4)  # type: ignore[union-attr]
    else:
        model = compared()
        with_ngrams(model)
    write(model, tmp_path)
    own, inputs = open_teacher(str(tmp_path), KEY), batch()
    teacher = open_teacher(str(tmp_path), KEY, order=(2, 0, 1))
    expected = own(**inputs)[:, [2, 0, 1]]
    torch.testing.assert_close(teacher(**inputs), expected)
    if part == "exits":
        assert sum(exits_of(own).take_counts(4)[layer] for layer in (1, 2, 3)) > 0  # type: ignore[union-attr]
        inside = [run_with_internals(one, inputs).logits for one in (own, teacher)]
        torch.testing.assert_close(inside[1], inside[0][:, [2, 0, 1]])


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_an_encoder_without_a_head_is_no_teacher(tmp_path: Path, kind: str) -> None:
    if kind == "bert":
        BertModel(BertConfig(**STOCK)).save_pretrained(tmp_path)
    else:
        foreign(tmp_path).distilbert.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"not a (trained|complete) classifier"):
        open_teacher(str(tmp_path), KEY)


def test_one_changed_weight_makes_it_another_teacher(tmp_path: Path) -> None:
    model = foreign(tmp_path)
    before = read_model_facts(str(tmp_path), KEY).fingerprint
    assert read_model_facts(str(tmp_path), KEY).fingerprint == before
    with torch.no_grad():
        model.classifier.bias[0] += 1e-3
    model.save_pretrained(tmp_path)
    assert read_model_facts(str(tmp_path), KEY).fingerprint != before


def test_weights_in_a_pickle_are_refused(tmp_path: Path) -> None:
    foreign(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickles are never read"):
        open_teacher(str(tmp_path), KEY)
