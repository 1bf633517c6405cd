"""The sentences of a treebank in three splits: a folder of CoNLL-U files, or one file, which is cut."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from data.sources.conllu import Sentence, read_conllu
from runner.errors import ConfigError

SUFFIX = ".conllu"
FILES = {"train": ("train",), "select": ("dev", "val", "validation"), "report": ("test",)}  # words in a file's name
SHARES = {"select": 0.1, "report": 0.1}  # of the sentences of a single file
FEWEST = 10  # sentences of a single file


@dataclass(frozen=True)
class Treebank:
    """A treebank before anything is left out."""

    name: str  # such as en_ewt
    splits: dict[str, list[Sentence]]  # train, select and report

    @property
    def short_name(self) -> str:
        """The name without its language, which begins the names of tasks that are made from it: ewt of en_ewt."""
        return re.sub(r"[^a-z0-9]+", "_", re.sub(r"^[a-z]{2,3}[_-]", "", self.name.lower())).strip("_") or "treebank"

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """The sha256 of each split's sentences, trees included."""
        return {
            name: hashlib.sha256("\n".join(repr(replace(one, line=0)) for one in found).encode("utf-8")).hexdigest()
            for name, found in self.splits.items()
        }

    def limited(self, words: int | None) -> Treebank:
        """Return some sentences of each split, drawn by a fixed seed: `words` words to train and half as many else."""
        if words is None:
            return self
        most = {name: words if name == "train" else words // 2 for name in self.splits}
        return replace(self, splits={name: _drawn(found, most[name]) for name, found in self.splits.items()})


def _drawn(sentences: list[Sentence], most: int) -> list[Sentence]:
    """Some sentences in their order, with at most so many words, but one sentence at least."""
    order = np.random.default_rng(0).permutation(len(sentences))
    counts = np.cumsum([len(sentences[place]) for place in order])
    chosen = order[: max(1, int(np.searchsorted(counts, most, "right")))]
    return [sentences[place] for place in np.sort(chosen)]


def read_treebank(text: str) -> Treebank:
    """Read the treebank at a path. Raises ConfigError for a path that is none, DataError for a file that is wrong."""
    path = Path(text).expanduser()
    if path.is_dir():
        files = _files(path)
        name = re.split(r"[-_.]?(?:ud[-_.])?train", files["train"].stem)[0] or path.name
        return Treebank(name, {split: list(read_conllu(file)) for split, file in files.items()})
    if not path.is_file():
        raise ConfigError(
            f"run probe: treebank={text}: no such file or folder. Try: treebank=<a folder with train, dev and test "
            f"{SUFFIX} files>"
        )
    return Treebank(path.stem, _cut(list(read_conllu(path)), text))


def _files(folder: Path) -> dict[str, Path]:
    """The file of each split in a folder; ConfigError where one is missing, or there are two of them."""
    there = sorted(folder.glob(f"*{SUFFIX}"))
    found = {}
    for split, words in FILES.items():
        fits = [path for path in there if set(words) & set(re.split(r"[-_.]", path.stem.lower()))]
        if len(fits) != 1:
            named = ", ".join(path.name for path in fits or there) or "none"
            raise ConfigError(
                f"run probe: treebank={folder}: one {SUFFIX} file whose name has the word {' or '.join(words)} is "
                f"needed, and there are {len(fits)} (found: {named:.200}). Try: treebank=<a folder with the train, dev "
                "and test files of one treebank>, or one file, which is cut"
            )
        found[split] = fits[0]
    return found


def _cut(sentences: list[Sentence], text: str) -> dict[str, list[Sentence]]:
    """The sentences of one file in three splits, drawn by a fixed seed."""
    if len(sentences) < FEWEST:
        raise ConfigError(
            f"run probe: treebank={text} has {len(sentences)} sentences, and {FEWEST} are the least that is cut into "
            "train, dev and test. Try: treebank=<a folder with three files>"
        )
    order = np.random.default_rng(0).permutation(len(sentences))
    found, begin = dict[str, list[Sentence]](), 0
    for split, share in SHARES.items():
        end = begin + max(1, round(share * len(sentences)))
        found[split] = _taken(sentences, order[begin:end])
        begin = end
    return {"train": _taken(sentences, order[begin:]), **found}


def _taken(sentences: Sequence[Sentence], places: np.ndarray) -> list[Sentence]:
    return [sentences[place] for place in np.sort(places)]
