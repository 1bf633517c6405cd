"""Tokenizers: trained ones are reproducible, loaded ones equal transformers', saved ones open there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from data.errors import DataError
from data.inputs.tokenizer import SPECIAL, Tokenizer, load_tokenizer, train_tokenizer
from data.inputs.tokenizer_files import KEYS

TEXTS = [f"The {word} film number {i}, unbelievably!" for i, word in enumerate(["good", "bad", "dull", "fine"] * 30)]


def train(size: int = 120) -> Tokenizer:
    return train_tokenizer(TEXTS, size)


def test_training_gives_the_same_vocabulary_for_the_same_texts() -> None:
    first = train()
    assert [train().fingerprint for _ in range(5)] == [first.fingerprint] * 5
    assert first.vocab_size <= 120 and first.pad_id == 0


def test_a_larger_vocab_size_gives_a_larger_vocabulary() -> None:
    sizes = [train(size).vocab_size for size in (70, 90)]
    assert sizes[0] < sizes[1] <= 90


def test_saved_tokenizers_open_again_and_in_transformers(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    ours = train()
    ours.save(tmp_path)
    stock = AutoTokenizer.from_pretrained(tmp_path)
    text = "An unbelievably GOOD film?"
    expected = ours.encode([text], None, 64).tokens.tolist()
    assert stock(text)["input_ids"] == expected
    assert stock.pad_token == "[PAD]" and stock.mask_token == "[MASK]"
    assert load_tokenizer(str(tmp_path)).encode([text], None, 64).tokens.tolist() == expected


def test_a_vocabulary_file_alone_is_read_as_wordpiece(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "##ness", "film"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n")
    assert load_tokenizer(str(tmp_path)).encode(["Goodness film"], None, 16).tokens.tolist() == [2, 5, 6, 7, 3]


ODD = ["good", "\u2028", "\x85", "\x0b", "\x1c", "fi\rlm", "film ", "", "twice", "twice", "last"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_vocabulary_file_has_a_token_a_line_as_in_transformers(tmp_path: Path, end: str) -> None:
    from transformers import BertTokenizer

    (tmp_path / "vocab.txt").write_bytes("".join(word + end for word in [*SPECIAL, *ODD]).encode())
    ours, text = load_tokenizer(str(tmp_path)), "good film twice last"
    stock = BertTokenizer.from_pretrained(tmp_path)
    assert ours.backend.get_vocab() == stock.get_vocab()
    assert ours.encode([text], None, 16).tokens.tolist() == stock(text)["input_ids"] == [2, 5, 11, 14, 15, 3]
    assert ours.vocab_size == 16, "a table needs a row for the highest id, whatever lines are the same"


def test_the_files_beside_a_vocabulary_name_its_options_and_special_tokens(tmp_path: Path) -> None:
    from transformers import BertTokenizer

    words = ["<pad>", "<unk>", "<s>", "</s>", "<mask>", "Déjà", "deja", "##vu", "好好"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    names = dict(zip(KEYS, words))
    options = {"do_lower_case": False, "strip_accents": False, "tokenize_chinese_chars": False}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(names | options))
    ours, stock = load_tokenizer(str(tmp_path)), BertTokenizer.from_pretrained(tmp_path)
    assert ours.encode(["Déjàvu 好好"], None, 16).tokens.tolist() == stock("Déjàvu 好好")["input_ids"]
    assert ours.pad_id == stock.pad_token_id == 0


def test_a_vocabulary_without_berts_special_tokens_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a\nb\n[UNK]\n")
    with pytest.raises(DataError, match=r"has no \[CLS\] and no \[SEP\]"):
        load_tokenizer(str(tmp_path))


def json_tokenizer(folder: Path, words: list[str], **beside: object) -> Path:
    """A folder with a tokenizer.json of whole words, and special_tokens_map.json."""
    from tokenizers import Tokenizer as Backend
    from tokenizers.models import WordLevel

    Backend(WordLevel({word: i for i, word in enumerate(words)}, unk_token=words[0])).save(
        str(folder / "tokenizer.json")
    )
    (folder / "special_tokens_map.json").write_text(json.dumps(beside))
    return folder


@pytest.mark.parametrize("named", ["<|pad|>", {"content": "<|pad|>", "lstrip": False}])
def test_the_padding_token_may_have_any_name(tmp_path: Path, named: object) -> None:
    from transformers import AutoTokenizer

    ours = load_tokenizer(str(json_tokenizer(tmp_path, ["?", "good", "<|pad|>", "<pad>"], pad_token=named)))
    assert ours.pad_id == 2
    ours.save(tmp_path / "saved")
    assert AutoTokenizer.from_pretrained(tmp_path / "saved").pad_token == "<|pad|>"
    assert load_tokenizer(str(tmp_path / "saved")).pad_id == 2


def test_a_tokenizer_without_a_padding_token_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        load_tokenizer(str(json_tokenizer(tmp_path, ["?", "good"], pad_token="<|pad|>")))
    assert "no padding token (its files name <|pad|>, which is not in its vocabulary)" in str(refused.value)
    assert str(refused.value).count("Go on with") == 1 and "cannot be read" not in str(refused.value)


@pytest.mark.parametrize(("longest", "said"), [(40, 40), (None, int(1e30))])
def test_a_saved_tokenizer_says_the_longest_input_of_its_model(tmp_path: Path, longest: int | None, said: int) -> None:
    from transformers import AutoTokenizer

    train().save(tmp_path, longest)
    assert AutoTokenizer.from_pretrained(tmp_path).model_max_length == said


@pytest.mark.parametrize("content", ["{", '{"version": "1.0"}'])
def test_a_damaged_tokenizer_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(DataError, match=r"model\.tokenizer=train"):
        load_tokenizer(str(tmp_path))


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither tokenizer\.json nor vocab\.txt"):
        load_tokenizer(str(tmp_path))


@pytest.mark.hub
def test_the_vocabulary_file_of_bert_base_gives_the_tokens_of_its_tokenizer_json(tmp_path: Path) -> None:
    from huggingface_hub import hf_hub_download

    name = "google-bert/bert-base-uncased"
    (tmp_path / "vocab.txt").write_bytes(Path(hf_hub_download(name, "vocab.txt")).read_bytes())
    assert load_tokenizer(str(tmp_path)).tokens() == load_tokenizer(name).tokens()


@pytest.mark.hub
def test_the_default_wordpiece_equals_transformers() -> None:
    from transformers import AutoTokenizer

    name = "google-bert/bert-base-uncased"
    stock, ours = AutoTokenizer.from_pretrained(name), load_tokenizer(name)
    text = "Déjà vu: don't over-think naïve tokenisation!"
    assert ours.encode([text], None, 64).tokens.tolist() == stock(text)["input_ids"]


@pytest.mark.hub
@pytest.mark.parametrize("vocabulary", ["vocab.txt", "tokenizer.json"])
@pytest.mark.parametrize("fetched", range(4))
def test_half_a_tokenizer_in_the_hubs_cache_is_not_taken_for_the_whole(
    vocabulary: str, fetched: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that died after some files, and then a command without a network: a cased vocabulary stays cased."""
    tokens = [*SPECIAL, "ONE", "one"]
    if vocabulary == "vocab.txt":
        (tmp_path / vocabulary).write_text("\n".join(tokens), encoding="utf-8")
    else:
        train_tokenizer(["ONE one"], 40).save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}', encoding="utf-8")
    (tmp_path / "special_tokens_map.json").write_text("{}", encoding="utf-8")
    whole = load_tokenizer(str(tmp_path)).fingerprint
    cache: dict[str, str | None] = {}

    def download(_source: str, name: str, **_: object) -> str:
        if name not in cache:
            if len(cache) >= fetched:
                raise LocalEntryNotFoundError("not cached, and nobody answers")
            cache[name] = str(tmp_path / name) if (tmp_path / name).is_file() else None
        if (path := cache[name]) is None:
            raise EntryNotFoundError(name)
        return path

    module = "data.inputs.tokenizer_files"
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    monkeypatch.setattr(f"{module}.offline_if_unreachable", list)
    for is_offline in (False, True):
        monkeypatch.setattr(f"{module}.is_offline", lambda is_offline=is_offline: is_offline)
        try:
            assert load_tokenizer("owner/name").fingerprint == whole
        except DataError as error:
            assert "Go on with: model.tokenizer=train" in str(error)


@pytest.mark.hub
def test_an_unknown_tokenizer_is_refused() -> None:
    with pytest.raises(DataError, match="neither a folder nor a repository"):
        load_tokenizer("nobody/never-was")
