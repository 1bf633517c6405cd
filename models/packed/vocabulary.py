"""Converts the content of a tokenizer.json to a WordPiece vocabulary as stored in a model.bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.json_types import JsonObject
from models.packed.errors import NotPacked

PARTS = {"normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer", "model": "WordPiece"}
SINGLE, PAIR = [("first", 0), ("A", 0), ("last", 0)], [("first", 0), ("A", 0), ("last", 0), ("B", 1), ("last", 1)]
BARE = [[("A", 0)], [("A", 0), ("B", 1)]]
TURKISH_STEPS = [  # as in data/inputs/language_case.py
    {"type": "NFC"}, {"type": "Replace", "pattern": {"String": "İ"}, "content": "i"},
    {"type": "Replace", "pattern": {"String": "I"}, "content": "ı"}, {"type": "Lowercase"}, {"type": "NFC"},
]  # fmt: skip
MARKS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@dataclass(frozen=True)
class Vocabulary:
    """The pieces that texts are split into, and how."""

    pieces: list[str]
    ids: np.ndarray  # (pieces,) int64: the row of each piece in the model's word table
    settings: JsonObject  # the header's entry `pieces`, as runner/deploy/bundle/wordpiece.py reads it
    language: JsonObject  # the header's entry for the language whose rules lowercase texts; {} if there is none

    def array(self) -> np.ndarray:
        """The pieces as bytes, one per line."""
        return np.frombuffer("\n".join(self.pieces).encode(), np.uint8)


def wordpiece_vocabulary(tokenizer: JsonObject | None) -> Vocabulary:
    """The vocabulary of a tokenizer.json; NotPacked unless it splits texts as BERT's tokenizer does."""
    given, tokenizer = tokenizer, without_language(tokenizer)
    kinds = {part: ((tokenizer or {}).get(part) or {}).get("type") for part in PARTS}
    if tokenizer is None or kinds != PARTS:
        raise NotPacked(f"its tokenizer is not like BERT's ({', '.join(map(str, kinds.values()))})")
    if (tokenizer.get("bare_texts") or {}).get("drops_unknown"):
        raise NotPacked("it leaves unknown pieces out of a text")
    model, normalizer, added = tokenizer["model"], tokenizer["normalizer"], tokenizer["added_tokens"]
    if not normalizer["clean_text"] or any(
        token[flag] for token in added for flag in ("single_word", "lstrip", "rstrip")
    ):
        raise NotPacked("its tokenizer reads spaces or special tokens differently from BERT's")
    known: dict[str, int] = model["vocab"] | {token["content"]: token["id"] for token in added}
    if any(" " in token["content"] or token["normalized"] for token in added) or any("\n" in piece for piece in known):
        raise NotPacked("its vocabulary has special tokens with spaces, or pieces with line breaks")
    special = [token["content"] for token in added]
    prefix = model["continuing_subword_prefix"]
    kept = {piece: row for piece, row in known.items() if piece in special or is_reachable(piece, prefix)}
    ordered = sorted(kept, key=kept.__getitem__)
    first, last = (None if name is None else ordered.index(name) for name in ends_of(tokenizer.get("post_processor")))
    accents = normalizer["lowercase"] if normalizer["strip_accents"] is None else normalizer["strip_accents"]
    settings = {
        "first": first, "last": last, "unknown": model["unk_token"], "prefix": prefix, "special": special,
        "longest": model["max_input_chars_per_word"], "lower": normalizer["lowercase"], "accents": accents,
        "chinese": normalizer["handle_chinese_chars"],
    }  # fmt: skip
    language: JsonObject = {} if tokenizer is given else {"language": "tr"}
    return Vocabulary(ordered, np.array([kept[piece] for piece in ordered], np.int64), settings, language)


def without_language(tokenizer: JsonObject | None) -> JsonObject | None:
    """The tokenizer without the steps that lowercase texts by Turkish rules, which readers implement themselves."""
    steps = ((tokenizer or {}).get("normalizer") or {}).get("normalizers") or []
    if tokenizer is None or steps[:-1] != TURKISH_STEPS:
        return tokenizer
    return tokenizer | {"normalizer": steps[-1]}


def is_reachable(piece: str, prefix: str) -> bool:
    """Can this piece occur in a text? Punctuation marks are separate words, so `[unused7]` and `##!` cannot."""
    is_inner = piece.startswith(prefix) and len(piece) > len(prefix)
    letters = piece.removeprefix(prefix) if is_inner else piece
    return not MARKS.intersection(letters) or (len(letters) == 1 and not is_inner)


def ends_of(processor: JsonObject | None) -> tuple[str | None, str | None]:
    """The special tokens before the first text and after each text, or None; NotPacked for other arrangements."""
    arrangement = (processor or {}).get("type")
    if processor and arrangement == "BertProcessing":
        return processor["cls"][0], processor["sep"][0]
    if processor and arrangement == "TemplateProcessing":
        names = [part["SpecialToken"]["id"] for part in processor["single"] if "SpecialToken" in part]
        if [_named(processor[key], names) for key in ("single", "pair")] == BARE:
            return None, None
        is_plain = len(names) == 2 and all(len(token["ids"]) == 1 for token in processor["special_tokens"].values())
        if is_plain and [_named(processor[key], names) for key in ("single", "pair")] == [SINGLE, PAIR]:
            return names[0], names[1]
    raise NotPacked(f"its tokenizer does not put BERT's special tokens around a text ({arrangement})")


def _named(template: list[JsonObject], names: list[str]) -> list[tuple[str, int]]:
    """The parts of a template with their segments: `first` and `last` for special tokens, A and B for texts."""
    short = dict(zip(names, ("first", "last"))) | {"A": "A", "B": "B"}
    parts = [next(iter(part.values())) for part in template]
    return [(short.get(part["id"], "?"), part["type_id"]) for part in parts]
