"""Sentences in three splits: the files of a folder by their names, or one file, which is split."""

from __future__ import annotations

import re
from collections.abc import Sequence, Sized
from pathlib import Path
from typing import TypeVar

import numpy as np

from runner.errors import ConfigError

FILES = {"train": ("train",), "select": ("dev", "val", "validation"), "report": ("test",)}  # words in a file's name
SHARES = {"select": 0.1, "report": 0.1}  # of the sentences of a single file
FEWEST = 10  # sentences of a single file
OneSentence = TypeVar("OneSentence", bound=Sized)  # its length: the words


def files_of_splits(folder: Path, suffixes: Sequence[str], option: str) -> dict[str, Path]:
    """Return the file of each split in a folder; raise ConfigError if one is missing, or there are two."""
    there = sorted(path for path in folder.iterdir() if path.suffix in suffixes)
    found = {}
    for split, words in FILES.items():
        fits = [path for path in there if set(words) & set(re.split(r"[-_.]", path.stem.lower()))]
        if len(fits) != 1:
            named = ", ".join(path.name for path in fits or there) or "none"
            raise ConfigError(
                f"run probe: {option}={folder}: one {suffixes[0]} file whose name has the word {' or '.join(words)} is "
                f"needed, but there are {len(fits)} (found: {named:.200}). Try: {option}=<a folder with the train, dev "
                f"and test files of one {option}>, or one file, which is cut"
            )
        found[split] = fits[0]
    return found


def name_of_files(train: Path) -> str:
    """Return the part of a file's name before the word train, else the name of its folder."""
    return re.split(r"[-_.]?(?:ud[-_.])?train", train.stem)[0] or train.parent.name


def cut_in_three(sentences: Sequence[OneSentence], text: str, option: str) -> dict[str, list[OneSentence]]:
    """Return the sentences of one file in three splits, drawn by a fixed seed. Raises ConfigError for too few."""
    if len(sentences) < FEWEST:
        raise ConfigError(
            f"run probe: {option}={text} has {len(sentences)} sentences, but at least {FEWEST} are needed to cut it "
            f"into train, dev and test. Try: {option}=<a folder with three files>"
        )
    order = np.random.default_rng(0).permutation(len(sentences))
    found, begin = dict[str, list[OneSentence]](), 0
    for split, share in SHARES.items():
        end = begin + max(1, round(share * len(sentences)))
        found[split] = _taken(sentences, order[begin:end])
        begin = end
    return {"train": _taken(sentences, order[begin:]), **found}


def limited_by_words(splits: dict[str, list[OneSentence]], words: int) -> dict[str, list[OneSentence]]:
    """Return some sentences of each split, drawn by a fixed seed: `words` words to train and half as many else."""
    return {name: _drawn(found, words if name == "train" else words // 2) for name, found in splits.items()}


def _drawn(sentences: Sequence[OneSentence], most: int) -> list[OneSentence]:
    """Some sentences in their order, with at most this many words, but at least one sentence."""
    order = np.random.default_rng(0).permutation(len(sentences))
    counts = np.cumsum([len(sentences[place]) for place in order])
    return _taken(sentences, order[: max(1, int(np.searchsorted(counts, most, "right")))])


def _taken(sentences: Sequence[OneSentence], places: np.ndarray) -> list[OneSentence]:
    return [sentences[place] for place in np.sort(places)]
