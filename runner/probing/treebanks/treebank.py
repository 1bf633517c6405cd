"""The sentences of a treebank in three splits: a folder of CoNLL-U files, or one file, which is split."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from data.sources.conllu import Sentence, read_conllu
from runner.errors import ConfigError
from runner.probing.split_files import cut_in_three, files_of_splits, limited_by_words, name_of_files

SUFFIX = ".conllu"


@dataclass(frozen=True)
class Treebank:
    """A treebank before anything is left out."""

    name: str  # such as en_ewt
    splits: dict[str, list[Sentence]]  # train, select and report

    @property
    def short_name(self) -> str:
        """The name without its language, with which the names of its tasks begin: ewt for en_ewt."""
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
        return replace(self, splits=limited_by_words(self.splits, words))


def read_treebank(text: str) -> Treebank:
    """Read the treebank at a path. Raises ConfigError for a path that does not exist, DataError for an invalid file."""
    path = Path(text).expanduser()
    if path.is_dir():
        files = files_of_splits(path, (SUFFIX,), "treebank")
        return Treebank(
            name_of_files(files["train"]), {split: list(read_conllu(file)) for split, file in files.items()}
        )
    if not path.is_file():
        raise ConfigError(
            f"run probe: treebank={text}: no such file or folder. Try: treebank=<a folder with train, dev and test "
            f"{SUFFIX} files>"
        )
    return Treebank(path.stem, cut_in_three(list(read_conllu(path)), text, "treebank"))
