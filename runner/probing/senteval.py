"""The ten files of SentEval's probing tasks in a user's folder, checked line by line.

A line is `tr|va|te <tab> label <tab> sentence`. Source: github.com/facebookresearch/SentEval, data/probing; its
sentences may not be distributed with this package.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.errors import DataError
from runner.errors import ConfigError

SPLITS = {"tr": "train", "va": "select", "te": "report"}
CLASSES = {
    "sentence_length": (6, 7), "word_content": (1000,), "tree_depth": (7, 8), "top_constituents": (20,),
    "bigram_shift": (2,), "past_present": (2,), "subj_number": (2,), "obj_number": (2,), "odd_man_out": (2,),
    "coordination_inversion": (2,),
}  # fmt: skip


def task_file(folder: str, name: str) -> Path:
    """Return the file of a task. Raises ConfigError if there is none."""
    path = Path(folder).expanduser() / f"{name}.txt"
    if not path.is_file():
        parent = path.parent
        there = sorted(found.stem for found in parent.glob("*.txt") if found.stem in CLASSES) if parent.is_dir() else []
        cure = f"tasks={','.join(there)}" if there else "senteval=<the folder data/probing of SentEval>"
        raise ConfigError(f"run probe: senteval={folder} has no file {path.name}. Try: {cure}")
    return path


def read_senteval(path: Path, max_train: int | None) -> dict[str, list[tuple[str, str]]]:
    """Return the sentences with their labels by split; at most `max_train` training ones, drawn by a fixed seed.

    Raises DataError for an invalid line, a missing split, and classes that are not those of the task.
    """
    found: dict[str, list[tuple[str, str]]] = {split: [] for split in SPLITS.values()}
    with path.open(encoding="utf-8", errors="strict") as stream:
        try:
            for number, line in enumerate(stream, 1):
                cells = line.rstrip("\r\n").split("\t")
                if len(cells) != 3 or cells[0] not in SPLITS or not all(cell.strip() for cell in cells):
                    raise DataError(
                        f"{path} line {number} is {line.rstrip()!r:.80}, not tr, va or te, a label and a sentence with "
                        "tabs between them. Fix that line"
                    )
                found[SPLITS[cells[0]]].append((cells[2], cells[1]))
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 ({error}). Convert it") from error
    _check(found, path)
    if max_train is not None and max_train < len(found["train"]):
        chosen = np.sort(np.random.default_rng(0).permutation(len(found["train"]))[:max_train])
        found["train"] = [found["train"][place] for place in chosen]
    return found


def _check(found: dict[str, list[tuple[str, str]]], path: Path) -> None:
    """Raise DataError unless every split has the classes of the task."""
    labels = {split: {label for _, label in rows} for split, rows in found.items()}
    for name, split in SPLITS.items():
        if not found[split]:
            raise DataError(f"{path} has no line that begins with {name}. Try: the whole file from SentEval")
        if strange := sorted(labels[split] - labels["train"]):
            raise DataError(f"{path}: the class {strange[0]!r} occurs in lines of {name} but not of tr. Fix the file")
    expected = CLASSES[path.stem]
    if len(labels["train"]) not in expected:
        raise DataError(
            f"{path} has {len(labels['train'])} classes, but {path.stem} has {' or '.join(map(str, expected))}. "
            "Try: the whole file from SentEval"
        )
