"""The choices of `run probe`. Nothing heavy is imported: a command is checked with this module."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

LAYER_0, NO_BASE = "layer0", "none"  # values of given= beside a model
ALL = "all"
MEAN, CLS, READOUT = POOLS = ("mean", "cls", "readout")
SPAN = "span"  # the pool of edge probes: a learned mean over the pieces of a span
WORD = "word"  # the pool of probes of words: the mean over a word's pieces
QUICK, SENTEVAL = GRIDS = ("quick", "senteval")  # of the options of probes


@dataclass(frozen=True)
class Wanted:
    """The requested probes, the same for all tasks and models."""

    tasks: tuple[str, ...]  # configs of the data set; one, its name, where it has none
    pools: tuple[str, ...]  # of POOLS
    layers: tuple[int, ...] | None  # None: all
    form: str  # linear | mlp
    seeds: tuple[int, ...]  # of the probes
    has_code: bool  # the online code, too?
    has_control: bool
    has_random: bool  # an encoder with random weights beside each?
    given: str  # what is known before: layer0, none, or a model
    threads: int
    device: str
    grid: str = QUICK
    has_mix: bool = False  # the mix over layers, too?
    is_part: bool = False  # are the tasks chosen, and not all that the command has without tasks=?
    cut_groups: tuple[str, ...] = ()  # groups of which only some tasks are chosen, so that they have no mean

    @property
    def ending(self) -> str:
        """The suffix of the names of its results: chosen tasks get their own, or they would replace others."""
        grid = "" if self.grid == QUICK else f"-{self.grid}"
        chosen = hashlib.sha256(repr(sorted(self.tasks)).encode()).hexdigest()[:6] if self.is_part else ""
        return f"{self.form}{grid}" + (f"-{chosen}" if chosen else "")


@dataclass(frozen=True)
class Source:
    """Where tasks come from."""

    treebank: str = ""  # its path; empty: tasks come from the settings of a data set
    max_words: int | None = None  # of the treebank or the labelled spans, to train on; None: all
    edge: str = ""  # the path of files with labelled spans; empty: none
    senteval: str = ""  # the folder of SentEval's files; empty: none
    max_rows: int | None = None  # sentences of each of these files, to train on; None: all
