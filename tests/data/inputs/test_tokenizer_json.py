"""A tokenizer.json beside which files ask for other switches gives the tokens of transformers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.inputs.tokenizer import SPECIAL, load_tokenizer
from data.json_types import JsonObject

TEXT = "Déjà vu 好好"
PIECES = [*SPECIAL, "Déjà", "déjà", "deja", "vu", "好", "好好"]


def folder_with(folder: Path, beside: JsonObject, **own: object) -> str:
    """Write a tokenizer.json whose normaliser has the switches `own`, and a tokenizer_config.json."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import models, normalizers, pre_tokenizers, processors

    backend = Backend(models.WordPiece({piece: i for i, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(**own)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.add_special_tokens(list(SPECIAL))
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(beside))
    return str(folder)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(
    "beside",
    [
        {"tokenizer_class": "BertTokenizer"},
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False},
        {"tokenizer_class": "BertTokenizerFast", "do_lower_case": True, "strip_accents": False},
        {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": True, "tokenize_chinese_chars": False},
        {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False},
    ],
)
def test_the_files_beside_win_as_in_transformers(tmp_path: Path, beside: JsonObject, lowercase: bool) -> None:
    from transformers import AutoTokenizer

    source = folder_with(tmp_path, beside | {"pad_token": "[PAD]"}, lowercase=lowercase)
    assert (
        load_tokenizer(source).encode([TEXT], None, 16).tokens.tolist()
        == AutoTokenizer.from_pretrained(source)(TEXT)["input_ids"]
    )


def test_without_a_class_only_the_named_switches_change(tmp_path: Path) -> None:
    source = folder_with(tmp_path, {"strip_accents": False}, lowercase=True, handle_chinese_chars=False)
    assert load_tokenizer(source).encode([TEXT], None, 16).tokens.tolist() == [2, 6, 8, 10, 3]


def test_a_class_with_rules_of_its_own_changes_nothing(tmp_path: Path) -> None:
    source = folder_with(tmp_path, {"tokenizer_class": "HerbertTokenizerFast", "do_lower_case": True}, lowercase=False)
    assert load_tokenizer(source).encode([TEXT], None, 16).tokens.tolist() == [2, 5, 8, 9, 9, 3]


def test_the_file_of_static_embeddings_is_used_as_it_is(tmp_path: Path) -> None:
    source = folder_with(tmp_path, {"tokenizer_class": "BertTokenizer", "do_lower_case": True}, lowercase=False)
    assert load_tokenizer(source, special_tokens=False).encode([TEXT], None, 16).tokens.tolist() == [5, 8, 9, 9]
