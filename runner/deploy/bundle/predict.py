"""Answers texts with a `model.bin`, given numpy and the standard library.

from predict import Model
model = Model()                       # the model.bin beside this file; or Model("folder or file")
model("a lovely film")                # {"prediction": "pos", "probabilities": {"neg": 0.1, "pos": 0.9}}
model.scores(["a lovely film"])       # the logits, (texts, classes)
"""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
import zlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

MODEL_FILE, GRAPH_FACTS, GRAPH_FILE = "model.bin", "model.json", "model.onnx"  # the last two of an encoder
MAGIC, FORMAT, DTYPES = b"BRTRSML", 1, ("u1", "i1", "f2", "f4", "u4")
FIELDS = {  # of headers; another one changes the answers in a way that is not written here
    "arrays", "at_least_one", "bits", "centred", "characters", "cleaning", "count", "data", "dendrites", "dropped",
    "empty", "eps", "grams", "group", "hidden", "kind", "labels", "language", "low", "lower", "max_length", "mean",
    "ngrams", "pairs", "passages", "pieces", "power", "sound", "temperature", "text_eps", "texts", "thresholds",
    "token", "truncate", "width", "windows", "words",
}  # fmt: skip
TOKEN = r"\w+|[^\w\s]"
# What a header or an array of another form than expected leads to.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, zlib.error)
UNLIMITED, MOST_GRAMS = 1 << 30, 64  # tokens of a text, and of its longest n-gram
MOST_WORDS = 200_000  # in the cache of a model, about 20 MB; it is emptied then
TOKEN_FACTOR, PRINT_FACTOR = np.uint32(0x85EBCA6B), np.uint32(0x9E3779B1)  # of the fingerprints of n-grams

Answer = dict[str, Any]
Header = dict[str, Any]


class ModelFileError(ValueError):
    """A model.bin that is damaged, of another format, or of a kind that this reader does not know."""


class Model:
    """A loaded model. `labels`: of the classes in order, () where answers are numbers."""

    def __init__(self, source: str | Path | None = None) -> None:
        """Load a model.bin, or the one in a folder; None: the one beside this file. Raises ValueError, OSError."""
        path = self.folder = Path(__file__).parent if source is None else Path(source).expanduser()
        content: Any = path
        if (path / GRAPH_FACTS).is_file():
            self.header, weights = beside("encoder").read_header(path / GRAPH_FACTS), path / GRAPH_FILE
        else:
            path = weights = path / MODEL_FILE if path.is_dir() else path
            self.header, content = read_model(path.read_bytes(), str(path))
        form = str(self.header.get("kind"))
        if form not in KINDS:
            raise ModelFileError(f"{path}: kind {form!r}, this reader knows {', '.join(KINDS)}. Get a newer one")
        if unknown := self.header.keys() - FIELDS:
            raise ModelFileError(f"{path}: has {', '.join(sorted(unknown))}, unknown to this reader. Get a newer one")
        try:
            self.labels, self.reads = tuple(self.header["labels"]), int(self.header.get("texts", 1))
            self.max_length = int(self.header.get("max_length", UNLIMITED))  # tokens; longer texts are cut
            self._scorer: Any = scorer_class(form)(self.header, content)
            for entry in filter(self.header.get, AROUND):
                self._scorer = vars(beside(entry))[AROUND[entry]](self._scorer, self.header[entry])
            self.takes = (str, bytes, Path) if form == "sound" else (str,)  # a sound: its path, or its content
        except ValueError as error:
            raise ModelFileError(f"{path}: {error}") from error
        except MALFORMED as error:
            raise ModelFileError(f"{path}: its header lacks what kind {form!r} needs ({error!r})") from error
        self.calibration = beside("calibration").read_calibration(weights, len(self.labels))
        facts = self.calibration.facts
        self.promise = beside("rejection").promise_in(facts, self.labels) if "reject" in facts else None

    def scores(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> np.ndarray:
        """Return the logits (texts, classes) float64, or the numbers (texts, 1). TypeError for what is not a text."""
        return np.array(self._scores(texts, pairs), np.float64).reshape(len(texts), max(1, len(self.labels)))

    def __call__(self, texts: str | Sequence[str], pairs: str | Sequence[str] | None = None) -> Any:
        """Return the answer to one text, or a list of answers; pairs: the second texts, for a model of pairs."""
        if isinstance(texts, self.takes):
            return self._answers([texts], pairs if pairs is None else [pairs])[0]  # type: ignore[list-item]
        return self._answers(texts, pairs)

    def lengths(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> np.ndarray:
        """Return the tokens (texts,) of each text or pair of texts, before any are cut."""
        return np.array([self._scorer.length(*row) for row in zip(*self._columns(texts, pairs))], np.int64)

    def _answers(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[Answer]:
        if self.header["kind"] in PARTS:
            return [self._scorer.answer(*row) for row in zip(*self._columns(texts, pairs))]
        return [self.answer(scores) for scores in self._scores(texts, pairs)]

    def _scores(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[list[float]]:
        return [self._scorer.score(*row) for row in zip(*self._columns(texts, pairs))]

    def _columns(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[Sequence[str]]:
        """Return the columns of texts; raise TypeError if one is not a text, ValueError for one text instead of two."""
        _check_texts(texts, "text", self.takes)
        if (pairs is not None) != (self.reads == 2):
            raise ValueError(f"this model reads {'two texts' if self.reads == 2 else 'one text'} at a time")
        if pairs is None:
            return [texts]
        _check_texts(pairs, "second text", self.takes)
        if len(pairs) != len(texts):
            raise ValueError(f"{len(texts)} texts and {len(pairs)} second texts")
        return [texts, pairs]

    def answer(self, scores: Sequence[float]) -> Answer:
        """Return the answer that the logits of one text mean."""
        if not self.labels:
            return {"prediction": scores[0]}
        scores = self.calibration.apply(scores)
        if "thresholds" in self.header:
            return dict(beside("label_sets").answer_set(self.header, self.labels, scores))
        best = max(range(len(scores)), key=scores.__getitem__)
        shares = dict(zip(self.labels, beside("calibration").softmax(scores)))
        found = {"prediction": self.labels[best], "probabilities": shares}
        return beside("rejection").keep_promise(self.promise, found) if self.promise else found


def _check_texts(texts: Sequence[str], what: str, takes: tuple[type, ...]) -> None:
    """TypeError unless this is a list of texts, or of sounds."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Collection):
        raise TypeError(f"expected a list of {what}s, but got one of type {type(texts).__name__}")
    for place, text in enumerate(texts):
        if not isinstance(text, takes):
            raise TypeError(f"{what} {place + 1} of {len(texts)} is of type {type(text).__name__}, expected a str")


def read_model(content: bytes, where: str) -> tuple[Header, dict[str, np.ndarray]]:
    """Return the header and the arrays of a model.bin, `where` in messages; raise ModelFileError for a damaged one."""
    if content[:7] != MAGIC:
        raise ModelFileError(f"{where}: not a {MODEL_FILE}")
    if (found := content[7] if len(content) > 7 else 0) != FORMAT:
        raise ModelFileError(f"{where}: has format {found}, but this reader reads format {FORMAT}")
    size, crc = (int.from_bytes(content[at : at + 4], "little") for at in (8, 12))
    text = content[16 : 16 + size]
    if len(content) < 16 + size or zlib.crc32(text) != crc:
        raise ModelFileError(f"{where}: its header is damaged or cut short. Get a fresh copy")
    start = memoryview(content)[16 + size :]
    try:
        header = json.loads(text)
        if len(content) != (stated := 16 + size + header["data"]):
            raise ModelFileError(f"{where}: {len(content)} bytes, its header says {stated}. Get a fresh copy")
        return header, {name: _read_array(start, facts, name, where) for name, facts in header["arrays"].items()}
    except ModelFileError:
        raise
    except MALFORMED as error:
        raise ModelFileError(f"{where}: does not follow format {FORMAT} ({error!r})") from error


def _read_array(data: memoryview, facts: Header, name: str, where: str) -> np.ndarray:
    """Return one array of the data section, checked and inflated."""
    stored = data[facts["at"] : facts["at"] + facts["bytes"]]
    if zlib.crc32(stored) != facts["crc"]:
        raise ModelFileError(f"{where}: damaged in {name}. Get a fresh copy")
    if facts["dtype"] not in DTYPES or facts["coding"] not in ("raw", "zlib"):
        raise ModelFileError(f"{where}: {name} is stored as {facts['dtype']}, {facts['coding']}, which is unknown")
    dtype, shape = np.dtype(f"<{facts['dtype']}"), tuple(facts["shape"])
    wanted = math.prod(shape) * dtype.itemsize
    raw = zlib.decompressobj().decompress(stored, wanted + 1) if facts["coding"] == "zlib" else stored
    if len(raw) != wanted:
        raise ModelFileError(f"{where}: {name} has {len(raw)} bytes, its shape says {wanted}")
    return np.frombuffer(raw, dtype).reshape(shape)


def decode_elias_fano(low: np.ndarray, high: np.ndarray, low_bits: int, count: int, bits: int) -> np.ndarray:
    """Return the sorted integers (count,) uint32 of an Elias-Fano code; raise ValueError for a damaged one."""
    ones = np.flatnonzero(np.unpackbits(high, bitorder="little"))
    if len(ones) != count:
        raise ValueError(f"{len(ones)} values in its sorted list, its header says {count}")
    planes = np.unpackbits(low, count=count * low_bits, bitorder="little").reshape(count, low_bits)
    values = (ones - np.arange(count)) << low_bits
    for place in range(low_bits):
        values |= planes[:, place].astype(np.int64) << place
    if count and (np.any(values[1:] <= values[:-1]) or int(values[-1]) >> bits):
        raise ValueError("its sorted list is not in ascending order")
    return values.astype(np.uint32)


class HashedWords(dict[str, int]):
    """The 32-bit hash of each token: CRC-32 of its UTF-8 bytes, plus 1."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MOST_WORDS:
            self.clear()
        try:
            content = word.encode()
        except UnicodeEncodeError:  # a lone surrogate, which the pattern makes a token of its own
            content = b"\xef\xbf\xbd"
        found = self[word] = (zlib.crc32(content) + 1) & 0xFFFFFFFF
        return found


class Ngram:
    """A linear model on which n-grams a text has. Integers are summed, so the scores are the same on every machine."""

    def __init__(self, header: Header, arrays: dict[str, np.ndarray]) -> None:
        bits, count, self.grams = header["bits"], header["count"], int(header["grams"])
        if not 1 <= self.grams <= MOST_GRAMS or not 0 <= header["low"] <= 32:
            raise ValueError(f"n-grams of {self.grams} words, {header['low']} lower bits")
        self.prints = decode_elias_fano(arrays["low"], arrays["high"], header["low"], count, bits)
        self.rows = arrays["rows"]  # (K', count) int8, class by class
        self.scale, self.bias = arrays["scale"].astype(np.float64), arrays["bias"].astype(np.float64)
        if self.rows.shape[1] != count or {self.scale.shape, self.bias.shape} != {(len(self.rows),)}:
            raise ValueError("its rows do not fit its sorted list, its scales and its biases")
        if not count:  # one row that does nothing
            self.prints, self.rows = np.zeros(1, np.uint32), np.zeros((len(self.rows), 1), np.int8)
        self.temperature, self.shift = float(header["temperature"]), np.uint32(32 - bits)
        token, self.most = header["token"], header.get("max_length")
        self.pattern = re.compile(TOKEN) if token == TOKEN else beside("characters").pattern_of(token)
        self.find_tokens = self.pattern.findall
        lower = str.lower if header["lower"] else str
        self.lower: Any = beside("language").lower_turkish if "language" in header else lower
        self.is_mean, self.is_binary = bool(header.get("mean")), len(header["labels"]) == 2 and len(self.rows) == 1
        self.words, self.pairs = HashedWords(), header.get("pairs", {})
        self.pair_features: Any = beside("pairs") if self.pairs else None
        self.characters: Any = beside("characters").CharacterGrams(*own) if (own := header.get("characters")) else None

    def score(self, text: str, second: str | None = None) -> list[float]:
        """Return the logits of a text, or of a pair of texts."""
        return self.logits(self.places(text) if second is None else self.find(self.hash_pair(text, second)))

    def logits(self, places: np.ndarray) -> list[float]:
        """Return the logits of a text, or of a pair of texts, given the rows of its n-grams, each once."""
        sums = self.rows.take(places, axis=1).sum(axis=1, dtype=np.int64)
        sums = sums / max(len(places), 1) if self.is_mean else sums
        found: list[float] = ((sums * self.scale + self.bias) / self.temperature).tolist()
        return [0.0, *found] if self.is_binary else found

    def length(self, *texts: str) -> int:
        """Return the tokens of a text or a pair of texts, before any are cut."""
        return sum(len(self.tokens(text)) for text in texts)

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        return self.find_tokens(self.lower(text))

    def hash(self, tokens: list[str]) -> np.ndarray:
        """Return the hashes of tokens, uint32."""
        return np.fromiter(map(self.words.__getitem__, tokens), np.uint32, len(tokens))

    def hash_pair(self, first: str, second: str) -> np.ndarray:
        """Return the hashes of the features of a pair; of two long texts the longer is cut first."""
        one, two = self.tokens(first), self.tokens(second)
        if self.most is not None:
            kept = self.pair_features.cut_longest(len(one), len(two), self.most)
            one, two = one[: kept[0]], two[: kept[1]]
        found: np.ndarray = self.pair_features.pair_hashes(self.hash(one), self.hash(two), self.grams, **self.pairs)
        return found

    def places(self, text: str) -> np.ndarray:
        """Return the rows of the n-grams that a text has, each once."""
        tokens = self.tokens(text)[: self.most]
        hashed = words = self.hash(tokens)
        parts = [words, *(self.characters.of_words(tokens) if self.characters is not None else ())]
        for length in range(1, self.grams):
            hashed = hashed[:-1] * TOKEN_FACTOR + words[length:]
            parts.append(hashed)
        return self.find(np.concatenate(parts))

    def find(self, hashes: np.ndarray) -> np.ndarray:
        """Return the rows of n-grams, each once."""
        found = hashes * PRINT_FACTOR >> self.shift
        found.sort()
        places = self.prints.searchsorted(found)
        is_hit = self.prints.take(places, mode="clip") == found  # a print above all others has the place after the last
        is_hit[1:] &= found[1:] != found[:-1]
        return places[is_hit]


KINDS = {  # the file beside this one, and the class in it
    "ngram": "", "dsn": "bag.Bag", "static": "bag.Bag", "onnx": "encoder.Encoder", "pair": "pair.Pair",
    "sound": "sound.Sound", "windows": "windows.Windows", "words": "words.Words", "dendritic": "dendritic.Dendritic",
}  # fmt: skip
AROUND = {"passages": "Passages", "cleaning": "Cleaned"}  # in the files of these entries of a header, around a scorer
PARTS = ("windows", "words")  # kinds whose answers are parts of a text, and no scores of labels


def scorer_class(kind: str) -> Callable[[Header, Any], Any]:
    """Return the class that computes the scores of a kind of model."""
    module, _, name = KINDS[kind].partition(".")
    found: type = vars(beside(module))[name] if module else Ngram
    return found


def beside(module: str) -> ModuleType:
    """Return a module of a file beside this one."""
    return importlib.import_module(f"{__package__}.{module}" if __package__ else module)


if __name__ == "__main__":
    from command import main  # type: ignore[import-not-found]

    sys.exit(main(sys.argv[1:], Model))
