"""Scores texts by an ONNX graph (kind `onnx`), with the `onnxruntime` package.

A tokenizer like BERT's is read in Python, which takes less time for one text; another needs the `tokenizers` package.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime

if __package__:
    from .calibration import hash_of
    from .wordpiece import WordPiece, cut_longest, truncated
else:  # copied into a bundle
    from calibration import hash_of  # type: ignore[import-not-found,no-redef]
    from wordpiece import WordPiece, cut_longest, truncated  # type: ignore[import-not-found,no-redef]

Header = dict[str, Any]  # the content of model.json
TOKENIZER, VOCABULARY = "tokenizer.json", "vocab.txt"
MANIFEST = "manifest.json"  # of a bundle: the SHA-256 of each file
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# This fusion's kernel takes longer than the two that it replaces.
SLOWER_FUSED = ["SkipLayerNormFusion"]


class Graph:
    """The graph in model.onnx, on one thread."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError for a damaged file, OSError for a missing one."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        path = folder / "model.onnx"
        path.stat()  # the library has an error of its own for a missing file
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER_FUSED
            )
        except Exception as error:  # the library's errors have no other class in common
            raise ValueError(damaged(path, error)) from error
        with suppress(AttributeError, OSError, TypeError):  # of systems without glibc, which keeps what unpacking took
            ctypes.CDLL(None).malloc_trim(0)
        self.has_segments = "token_type_ids" in [entry.name for entry in self.session.get_inputs()]
        self.output = [self.session.get_outputs()[0].name]

    def run(self, row: list[int], start: int) -> np.ndarray:
        """Return the outputs of a row of ids, float32; those from `start` on are of the second text."""
        ids = np.array([row], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if self.has_segments:
            given["token_type_ids"] = segments = np.zeros_like(ids)
            segments[:, start:] = 1
        outputs: np.ndarray = self.session.run(self.output, given)[0][0]
        return outputs


def damaged(path: Path, error: Exception) -> str:
    """Return one line about a file that a library cannot read, with its reason."""
    return f"{path.name} cannot be read ({' '.join(str(error).split())[:200]}). Get a fresh copy"


class Encoder:
    """An encoder in model.onnx with its tokenizer."""

    def __init__(self, header: dict[str, Any], folder: Path) -> None:
        """header: the content of model.json."""
        path, self.most = folder / TOKENIZER, int(header["max_length"])
        self.empty = header.get("empty", 0)  # the token of a row without any
        if "pieces" in header:
            whole: Any = pieces_of(folder, header["pieces"] | {"language": header.get("language")})
        else:
            whole = BareRows(path, header["dropped"]) if "dropped" in header else LibraryRows(path)
        self.pieces = truncated(whole, header.get("truncate", "end"))
        self.graph = Graph(folder)

    def score(self, text: str, pair: str | None = None) -> list[float]:
        """Return the logits of a text, or of a pair of texts."""
        return self.score_row(*self.pieces.row(text, pair, self.most))

    def score_row(self, ids: list[int], start: int) -> list[float]:
        """Return the logits of a row of ids; those from `start` on are of the second text."""
        scores: list[float] = self.graph.run(*((ids, start) if ids else ([self.empty], 1))).tolist()
        return scores

    def length(self, text: str, pair: str | None = None) -> int:
        """Return the tokens of a text, or of a pair of texts, before any are cut."""
        return self.pieces.length(text, pair)


def pieces_of(folder: Path, settings: dict[str, Any]) -> WordPiece:
    """Return the WordPiece vocabulary in a folder: that of its vocab.txt, a piece a line, or of its tokenizer.json."""
    if (listed := folder / VOCABULARY).is_file():
        pieces = listed.read_text(encoding="utf-8").split("\n")[:-1]  # not splitlines: a piece can be U+2028
        return WordPiece({piece: place for place, piece in enumerate(pieces)}, settings)
    content = json.loads((folder / TOKENIZER).read_text(encoding="utf-8"))
    added = {token["content"]: token["id"] for token in content["added_tokens"]}
    return WordPiece(content["model"]["vocab"] | added, settings)


class Encoding(Protocol):
    """The pieces of a text, or of a pair of texts, as the `tokenizers` library returns them."""

    ids: list[int]
    type_ids: list[int]  # 1: of the second text
    special_tokens_mask: list[int]  # 1: a special one
    offsets: list[tuple[int, int]]  # the characters of each
    word_ids: list[int]  # the word of each, where no special ones are added


class Tokenizer(Protocol):
    """A tokenizer of the `tokenizers` library."""

    def no_padding(self) -> None:
        """Encode to rows as long as their texts."""

    def no_truncation(self) -> None:
        """Encode whole texts."""

    def enable_truncation(self, most: int, /, *, strategy: str) -> None:
        """Encode at most so many pieces of each row."""

    def encode(
        self, text: str | list[str], pair: str | None = None, /, *, is_pretokenized: bool = False,
        add_special_tokens: bool = True,
    ) -> Encoding:  # fmt: skip
        """Return the pieces of a text, or of a pair of texts."""


def as_unicode(text: str) -> str:
    """Return the text with lone surrogates, which the `tokenizers` library refuses, as the replacement character."""
    return LONE_SURROGATE.sub("\ufffd", text)


def read_header(path: Path) -> Header:
    """Return the content of an encoder's model.json.

    Raises ValueError for a damaged one, and where a file beside it is not the one of its bundle.
    """
    check_files(path.parent, (path.name, "model.onnx", TOKENIZER, VOCABULARY))
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(damaged(path, error)) from error


def check_files(folder: Path, names: Sequence[str]) -> None:
    """Raise ValueError for a file that is not the one in the manifest of its bundle, OSError for a missing one.

    A graph may lose a bit, and a vocabulary its end, and still be read. Files without a manifest are not checked.
    """
    if not (path := folder / MANIFEST).is_file():
        return
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        hashes = {name: files[name]["sha256"] for name in names if name in files}
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(damaged(path, error)) from error
    for name, wanted in hashes.items():
        if hash_of(folder / name) != wanted:
            raise ValueError(
                f"{name} is damaged, or of another bundle: {MANIFEST} has another SHA-256. Get a fresh copy"
            )


def open_tokenizer(path: Path) -> Tokenizer:
    """Return a tokenizer.json as the `tokenizers` library reads it.

    Raises ValueError for a damaged file, OSError for a missing one.
    """
    content = path.read_bytes()
    library = importlib.import_module("tokenizers")
    try:
        found: Tokenizer = library.Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises bare Exception for every kind of damage
        raise ValueError(damaged(path, error)) from error
    return found


class LibraryRows:
    """A tokenizer.json read by the `tokenizers` library."""

    def __init__(self, path: Path) -> None:
        self.tokenizer = open_tokenizer(path)
        self.tokenizer.no_padding()
        self.ending = self.encode("a", "a").special_tokens_mask[-1]

    def row(self, text: str, pair: str | None, most: int) -> tuple[list[int], int]:
        """At most `most` ids of a text, or of a pair of texts, with special ones, and where the second text begins."""
        self.tokenizer.enable_truncation(most, strategy="longest_first")
        found = self.encode(text, pair)
        kinds = found.type_ids
        return found.ids, kinds.index(1) if 1 in kinds else len(kinds)

    def length(self, text: str, pair: str | None = None) -> int:
        """Return the ids of a text, or of a pair of texts, with special ones, before any are cut."""
        self.tokenizer.no_truncation()
        return len(self.encode(text, pair).ids)

    def encode(self, text: str, pair: str | None = None) -> Encoding:
        """Return what the library makes of a text, or of a pair of texts."""
        found: Encoding = self.tokenizer.encode(as_unicode(text), None if pair is None else as_unicode(pair))
        return found


class BareRows(LibraryRows):
    """A tokenizer.json that adds no special tokens, read by the `tokenizers` library."""

    def __init__(self, path: Path, dropped: int | None) -> None:
        """dropped: the id of pieces that are left out, as Model2Vec leaves out unknown ones; None: all are kept."""
        super().__init__(path)
        self.dropped = dropped
        self.tokenizer.no_truncation()

    def row(self, text: str, pair: str | None, most: int) -> tuple[list[int], int]:
        """At most `most` ids of a text, or of a pair of texts, and where the second text begins."""
        one, other = (self.ids(part) if part is not None else [] for part in (text, pair))
        kept, left = cut_longest(len(one), len(other), most)
        return [*one[:kept], *other[:left]], kept

    def length(self, text: str, pair: str | None = None) -> int:
        """Return the ids of a text, or of a pair of texts, before any are cut."""
        return sum(len(self.ids(part)) for part in (text, pair) if part is not None)

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text that are not left out."""
        return [id_ for id_ in self.encode(text).ids if id_ != self.dropped]
