"""Tags the words of a text (kind `words`), with the `onnxruntime` package.

A text that is longer than a row is read in windows that overlap. How a text is split into words, how windows are cut
and how tags become answers are in files that training uses too, of which a bundle has copies. A tokenizer like BERT's
is read in Python; another needs the `tokenizers` package.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

if __package__:
    from data.inputs.split_text import split_bare, split_words
    from data.inputs.word_windows import Window, cut_windows
    from runner.tasks.tag_answers import TaggedText, answer_of

    from .encoder import TOKENIZER, Graph, as_unicode, open_tokenizer, pieces_of
    from .wordpiece import UNLIMITED
else:  # copied into a bundle
    from encoder import TOKENIZER, Graph, as_unicode, open_tokenizer, pieces_of  # type: ignore[import-not-found,no-redef]
    from split_text import split_bare, split_words  # type: ignore[import-not-found,no-redef]
    from tag_answers import TaggedText, answer_of  # type: ignore[import-not-found,no-redef]
    from word_windows import Window, cut_windows  # type: ignore[import-not-found,no-redef]
    from wordpiece import UNLIMITED  # type: ignore[import-not-found,no-redef]


class Words:
    """A model of tags in model.onnx with its tokenizer."""

    def __init__(self, header: dict[str, Any], folder: Path) -> None:
        """header: the content of model.json."""
        facts = header["words"]
        self.before, self.after = list(facts["before"]), list(facts["after"])
        self.room = int(facts["tokens"]) - len(self.before + self.after)
        self.has_windows, self.is_bare = bool(facts["windows"]), bool(facts["bare"])  # bare: without marks and capitals
        self.language, self.names = str(facts["language"]), [tuple(names) for names in facts["tags"]]
        ends = list(accumulate(map(len, self.names), initial=0))
        self.slices = [slice(*edges) for edges in pairwise(ends)]  # the outputs of each label of a word
        if "pieces" in header:
            known = pieces_of(folder, header["pieces"] | {"language": header.get("language")})
            self.pieces: Any = lambda words: [known.ids(word, UNLIMITED) for word in words]
        else:
            self.pieces = LibraryWords(folder / TOKENIZER, is_spaced=bool(facts["spaced"]))
        self.graph = Graph(folder)

    def answer(self, text: str) -> dict[str, Any]:
        """Return the tags of a text, and what they mean.

        For a word in several windows, the window with the most context around the word counts.
        """
        words, places = self.split(text)
        pieces = self.pieces(words)
        counts = np.fromiter(map(len, pieces), np.int64, len(pieces))
        starts = np.where(counts > 0, counts.cumsum() - counts, -1)
        tokens = [piece for word in pieces for piece in word]
        tags = [np.zeros(len(words), np.int64) for _ in self.names]
        shares = [np.ones(len(words)) for _ in self.names]
        for window in self.cut(starts, len(tokens)):
            inside = np.arange(window.first, window.last)
            inside = inside[(starts[inside] >= 0) & (starts[inside] < window.stop)]
            if not len(inside):
                continue
            ids = [*self.before, *tokens[window.start : window.stop], *self.after]
            logits = self.graph.run(ids, len(ids))[starts[inside] - window.start + len(self.before)]
            for part, found, share in zip(self.slices, tags, shares):
                answered = softmax(logits[:, part])
                found[inside], share[inside] = answered.argmax(1), answered.max(1)
        return dict(answer_of(TaggedText(text, places, tags, shares), self.names, self.language))

    def split(self, text: str) -> tuple[list[str], np.ndarray]:
        """Return the words of a text as the model reads them, and their places in it, (words, 2)."""
        return split_bare(text, self.language) if self.is_bare else split_words(text)

    def cut(self, starts: np.ndarray, tokens: int) -> list[Window]:
        """Return the windows of a text.

        A model without windows reads the beginning of the text only; later words get the first tag.
        """
        if tokens > self.room and not self.has_windows:
            return [Window(0, self.room, 0, len(starts))]
        return cut_windows(starts, tokens, self.room)

    def score(self, text: str) -> NoReturn:
        """Raise ValueError: there are no labels of a text."""
        raise ValueError("this model answers with a tag for each word, so it has no label scores. Call the model")

    def length(self, text: str) -> int:
        """Return the tokens of a text with special ones, before any are cut."""
        return sum(map(len, self.pieces(self.split(text)[0]))) + len(self.before + self.after)


class LibraryWords:
    """The pieces of words by a tokenizer.json that the `tokenizers` library reads."""

    def __init__(self, path: Path, *, is_spaced: bool) -> None:
        """is_spaced: does it write the space before a word into the word's pieces, without adding it?"""
        self.tokenizer, self.is_spaced = open_tokenizer(path), is_spaced
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def __call__(self, words: list[str]) -> list[list[int]]:
        """Return the ids of each word."""
        known = map(as_unicode, words)
        given = [f" {word}" if place and self.is_spaced else word for place, word in enumerate(known)]
        encoded = self.tokenizer.encode(given, is_pretokenized=True, add_special_tokens=False)
        found: list[list[int]] = [[] for _ in words]
        for piece, word in zip(encoded.ids, encoded.word_ids):
            found[word].append(piece)
        return found


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of the tags of each word, (words, tags) float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    found: np.ndarray = shifted / shifted.sum(1, keepdims=True)
    return found
