"""The choices of `run probe`. Nothing heavy is imported: a command is checked with this module."""

from __future__ import annotations

from dataclasses import dataclass

LAYER_0, NO_BASE = "layer0", "none"  # values of given= beside a model
ALL = "all"
MEAN, CLS, READOUT = POOLS = ("mean", "cls", "readout")
SPAN = "span"  # the pool of edge probes: a learned mean over the pieces of a span
WORD = "word"  # the pool of probes of words: the mean over a word's pieces
QUICK, SENTEVAL = GRIDS = ("quick", "senteval")  # of the options of probes


@dataclass(frozen=True)
class Wanted:
    """One set of probes, for each of its tasks and models alike."""

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


@dataclass(frozen=True)
class Source:
    """Where tasks come from."""

    treebank: str = ""  # its path; empty: tasks come from the settings of a data set
    max_words: int | None = None  # of the treebank or the labelled spans, to train on; None: all
    edge: str = ""  # the path of files with labelled spans; empty: none
    senteval: str = ""  # the folder of SentEval's files; empty: none
    max_rows: int | None = None  # sentences of each of these files, to train on; None: all
