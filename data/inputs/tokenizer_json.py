"""Opens a tokenizer.json with the rules that transformers takes from the files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import DataError
from data.inputs.tokenizer_files import GO_ON, SWITCHES
from data.json_types import JsonObject

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

# Classes of transformers that take BERT's switches from the files beside, each also with "Fast" at its end.
LIKE_BERT = (
    "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer",
    "SqueezeBertTokenizer", "LayoutLMTokenizer", "MPNetTokenizer", "FunnelTokenizer",
)  # fmt: skip


def open_json(path: Path, source: str, beside: JsonObject | None) -> Backend:
    """Open a tokenizer.json; DataError if it is damaged.

    beside: the content of the files beside it, whose switches for BERT's normaliser win, as in transformers. A switch
    that they leave out takes the default of the tokenizer class that they name; if they name none, it keeps its value.
    None: all switches keep their values.
    """
    from tokenizers import Tokenizer as Backend
    from tokenizers.normalizers import BertNormalizer

    try:
        backend = Backend.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for every kind of damage
        raise DataError(f"{source}: tokenizer.json cannot be read ({error}). {GO_ON}") from error
    own, named = backend.normalizer, str((beside or {}).get("tokenizer_class", LIKE_BERT[0]))
    if beside is None or named.removesuffix("Fast") not in LIKE_BERT or not isinstance(own, BertNormalizer):
        return backend
    own_rules = {"do_lower_case": own.lowercase, "strip_accents": own.strip_accents}
    own_rules |= {"tokenize_chinese_chars": own.handle_chinese_chars}
    usual = dict(zip(SWITCHES, (True, None, True))) if "tokenizer_class" in beside else own_rules
    rules: JsonObject = usual | {key: beside[key] for key in SWITCHES if key in beside}
    if rules != own_rules:
        lowercase, accents, chinese = (rules[key] for key in SWITCHES)
        backend.normalizer = BertNormalizer(own.clean_text, chinese, accents, lowercase)
    return backend
