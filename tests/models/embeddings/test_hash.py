"""EELBERT's hash embedding: the published arithmetic, sizes, modes, starts, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from transformers import AutoModelForSequenceClassification

from models.backbones.bag_of_words import BagOfWords
from models.backbones.bert import build_bert
from models.build import build
from models.checkpoints.open import load_model
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.parts import make_embedding
from models.settings import ModelSettings
from tests.conftest import REPO
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, count, small, stock
from tests.models.test_presets import settings as preset

OPTIONS: dict[str, Any] = yaml.safe_load((REPO / "conf/model/embedding/hash.yaml").read_text(encoding="utf-8"))
CONTROL = yaml.safe_load((REPO / "conf/model/embedding/token_random.yaml").read_text(encoding="utf-8"))
# backbone: parameters with a table and hashed
SIZES = {
    "bert-base": (109_483_778, 86_042_882),
    "bert-mini": (11_171_074, 3_357_442),
    "bert-tiny": (4_386_178, 479_362),
    "uno_ffn128": (4_188_802, 281_986),
}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "played", "playing", "##ing", "ing", "zebra", "a"]
WORDS += [f"{first}{second}" for first in "bcdfghklmn" for second in "aeiouyst"][:78]


def tokens() -> list[str]:
    return WORDS


def hashed(seed: int = 0, *, num_labels: int = 3, options: dict[str, Any] | None = None, **changes: Any) -> Any:
    """A small model with hash embeddings over WORDS."""
    torch.manual_seed(seed)
    shape: dict[str, Any] = {"layers": 2, "hidden": 32, "heads": 4, "intermediate": 48, "positions": 64}
    settings = ModelSettings(**({"embedding": OPTIONS | (options or {})} | shape | changes))
    return build(settings, head=HeadSpec(outputs=num_labels), vocab_size=90, pad_id=0, tokens=tokens)[0].eval()


def words_of(model: Any) -> Any:
    return model.bert.embeddings.word_embeddings


def save_words(folder: Path) -> None:
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    Tokenizer(WordPiece(vocabulary, unk_token="[UNK]")).save(str(folder / "tokenizer.json"))


def test_stripping_reports_how_many_tokens_share_a_vector() -> None:
    settings = ModelSettings(embedding=OPTIONS | {"marker": "strip"}, layers=1, hidden=32, heads=4)
    model, weights = build(settings, head=HeadSpec(outputs=2), vocab_size=12, tokens=tokens)
    assert weights.notes == ["model.embedding.marker=strip: 1 of 12 tokens share another token's vector"]
    assert words_of(model).facts() == {"hash/unique_rows": 11.0}
    assert words_of(hashed()).facts() == {"hash/unique_rows": 90.0}


@pytest.mark.parametrize("backbone", SIZES)
def test_every_size_has_the_published_number_of_parameters_with_and_without_a_table(backbone: str) -> None:
    from runner.config.compose import compose
    from runner.config.resolve import resolve

    model = resolve(compose(["model=bert-tiny", f"model/backbone={backbone}", "data=demo"])).model
    for embedding, expected in zip(({"name": "table"}, OPTIONS), SIZES[backbone]):
        model.embedding = embedding
        with torch.device("meta"):
            assert count(build(model, head=HeadSpec(outputs=2), vocab_size=30522)[0]) == expected


@pytest.mark.parametrize(
    ("options", "changes", "more"),
    [
        ({"train_scale": True}, {}, 1),
        ({}, {"positions": 128}, -49_152),
        ({"align": "linear", "align_width": 4}, {}, 4 * 128 * 128),
        ({"align": "merged"}, {}, 0),
    ],
)
def test_variants_of_uno_add_or_save_the_published_parameters(
    options: dict[str, Any], changes: dict[str, Any], more: int
) -> None:
    settings = preset("uno-eelbert")
    settings.embedding = OPTIONS | options
    for name, value in changes.items():
        setattr(settings, name, value)
    with torch.device("meta"):
        network = attach_head(*build_bert(settings, vocab_size=30522, pad_id=0), HeadSpec(outputs=2))
    assert count(network) == 281_986 + more


@pytest.mark.parametrize("name", ["eelbert", "uno-eelbert"])
def test_the_file_is_four_bytes_a_parameter(tmp_path: Path, name: str) -> None:
    model, _ = build(preset(name), head=HeadSpec(outputs=2), vocab_size=90, tokens=tokens)
    assert count(model) == {"eelbert": 479_362, "uno-eelbert": 281_986}[name]  # whatever the vocabulary
    size = (write(model, tmp_path / "m", tokenizer_save=save_words) / "model.safetensors").stat().st_size
    assert 1.0 <= size / (4 * count(model)) < 1.02


@pytest.mark.parametrize("train_scale", [False, True])
def test_all_modes_give_the_same_numbers(train_scale: bool) -> None:
    cached = hashed(options={"train_scale": train_scale})
    expected = cached(**batch())
    for mode in ("unique", "on_the_fly"):
        other = hashed(options={"mode": mode, "train_scale": train_scale})
        assert torch.equal(other(**batch()), expected)


@pytest.mark.parametrize("mode", ["cached", "unique", "on_the_fly"])
def test_the_scale_multiplies_the_vectors_once_whether_it_is_trained_or_not(mode: str) -> None:
    ids = torch.arange(2, 12).view(2, 5)
    once, plain = (words_of(hashed(options={"mode": mode, "scale": scale}))(ids) for scale in (1.0, 0.25))
    torch.testing.assert_close(plain, once / 4)
    trained = words_of(hashed(options={"mode": mode, "scale": 0.25, "train_scale": True}))
    torch.testing.assert_close(trained(ids), once / 4)
    with torch.no_grad():
        trained.scale.fill_(3.0)
    torch.testing.assert_close(trained(ids), 3 * once)


def test_padding_is_zero_and_other_special_tokens_are_not() -> None:
    vectors = words_of(hashed())(torch.arange(6))
    assert not vectors[0].any() and vectors[1:].any(1).all()


def test_no_state_no_parameter_and_no_gradient_belongs_to_the_table() -> None:
    model = hashed().train()
    assert not [name for name in model.state_dict() if "word_embeddings" in name]
    model(**batch()).sum().backward()
    assert words_of(model).table(torch.device("cpu")).grad is None
    scaled = hashed(options={"train_scale": True}).train()
    scaled(**batch()).logsumexp(1).sum().backward()
    assert words_of(scaled).scale.grad != 0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"options": {"mode": "unique", "train_scale": True}},
        {"embedding": CONTROL},
        {"readout": {"name": "mean"}},
        {"family": "dsn", "readout": {"name": "mean"}},
    ],
)
def test_a_saved_model_comes_back_in_ours_and_in_transformers_with_equal_logits(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    model = hashed(**changes)
    folder = write(model, tmp_path / "m", tokenizer_save=save_words)
    assert torch.equal(load_model(folder)(**batch()), model(**batch()))
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert torch.equal(theirs(**batch()).logits, model(**batch()))


def test_a_folder_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = write(hashed(), tmp_path / "m", tokenizer_save=save_words)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        load_model(folder)


def warm(folder: Path, **options: Any) -> Any:
    settings = ModelSettings(family="auto", pretrained=str(folder), embedding=OPTIONS | options)
    return build(settings, head=HeadSpec(outputs=3), vocab_size=90, tokens=tokens)


def test_a_warm_start_takes_all_but_the_table(tmp_path: Path) -> None:
    theirs = stock()
    theirs.save_pretrained(tmp_path)
    model, weights = warm(tmp_path)
    assert "bert.embeddings.word_embeddings.weight" in weights.ignored
    assert weights.new == ["classifier.bias", "classifier.weight"]
    own, other = model.state_dict(), theirs.state_dict()
    assert all(torch.equal(own[name], other[name]) for name in weights.loaded)


@pytest.mark.parametrize("align", ["linear", "merged"])
def test_alignment_fits_the_pretrained_table(tmp_path: Path, align: str) -> None:
    theirs = stock()
    theirs.save_pretrained(tmp_path)
    wanted = theirs.bert.embeddings.word_embeddings.weight.detach()

    def rest(**options: Any) -> float:
        made = words_of(warm(tmp_path, **options)[0])(torch.arange(90))
        return (made - wanted)[1:].norm().item()

    narrow, wide = rest(align=align, ridge=1e-6), rest(align=align, ridge=1e-6, align_width=4)
    assert wide < 0.05 * wanted.norm() and wide < narrow < rest()
    model, weights = warm(tmp_path, align=align)
    name = "bert.embeddings.word_embeddings.align.weight"
    assert (name in dict(model.named_parameters())) == (align == "linear") and name in model.state_dict()
    assert name in weights.new
    again = load_model(write(model.eval(), tmp_path / "m", tokenizer_save=save_words))
    assert torch.equal(again(**batch()), model(**batch()))


def test_alignment_without_a_checkpoint_is_refused() -> None:
    with pytest.raises(ModelError, match=r"model\.pretrained names none"):
        hashed(options={"align": "linear"})


def test_a_hashed_encoder_of_ours_is_a_checkpoint_for_the_same_hash_only(tmp_path: Path) -> None:
    folder = write(hashed(1), tmp_path / "m", tokenizer_save=save_words)
    model, weights = warm(folder, mode="unique")
    assert not weights.ignored or set(weights.ignored) == {"classifier.bias", "classifier.weight"}
    assert torch.equal(model.bert.eval()(**batch()), hashed(1).bert(**batch()))
    with pytest.raises(ModelError, match=r"another embedding. Try: model.embedding.seed=1729"):
        warm(folder, seed=1)
    with pytest.raises(ModelError, match="Try: model/embedding=hash"):
        build(ModelSettings(family="auto", pretrained=str(folder)), head=HeadSpec(outputs=3), vocab_size=90)


def test_a_pretrained_table_for_a_bag_of_hashed_words_is_refused() -> None:
    with pytest.raises(ModelError, match="model/embedding=hash has none"):
        hashed(family="dsn", readout={"name": "mean"}, init="slice", init_from="somewhere")


def test_a_hash_in_an_encoder_of_transformers_is_refused(tmp_path: Path) -> None:
    from tests.models.backbones.test_transformers_backbone import DISTILBERT, save_backbone

    save_backbone("DistilBert", DISTILBERT, tmp_path)
    with pytest.raises(ModelError, match=r"takes the place of the word table of our own encoder, .* is a distilbert"):
        warm(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "sometimes"}, "model.embedding.mode=sometimes: expected one of cached, unique, on_the_fly"),
        ({"marker": "drop"}, "one of keep, strip, flag"),
        ({"align": "rotate"}, "one of null, linear, merged"),
        ({"ngrams": 0}, "1 to 16. Try: model.embedding.ngrams=3"),
        ({"buckets": 2**31}, "model.embedding.buckets"),
        ({"scale": 0.0}, "more than 0"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_with_the_cure(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        make_embedding(OPTIONS | options, 90, 32, 0, tokens)
    assert message in str(caught.value)


def test_a_bag_of_hashed_words_leaves_padding_out_where_it_is_much() -> None:
    model, inputs = hashed(family="dsn", readout={"name": "mean"}, dropout=0.0), batch(5, 9)
    assert type(model.bert) is BagOfWords
    inputs["attention_mask"] = (torch.arange(9) < torch.tensor([1, 2, 9, 3, 4])[:, None]).long()
    assert model.bert.is_worth_unpadding(inputs["attention_mask"])
    short = model(**inputs)
    model.bert.is_worth_unpadding = lambda mask: False
    torch.testing.assert_close(model(**inputs), short, atol=1e-6, rtol=1e-5)


def test_memory_is_told_apart_by_mode() -> None:
    embedding = words_of(hashed())
    longest = max(len(word) for word in WORDS)
    computed = 90 * longest * 2
    assert embedding.regenerable_bytes() == {"cached": 90 * 32 * 4, "unique": computed, "on_the_fly": computed}


def test_the_hashed_model_of_these_tests_differs_from_the_usual_one_by_its_table_alone() -> None:
    table = small(num_labels=3)
    assert count(table) - count(hashed()) == 90 * 32
