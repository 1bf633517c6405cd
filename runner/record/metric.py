"""An entry of the list of metrics: a name or a pattern of names, its unit, direction and meaning."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from runner.statistics.score_table import SCORE_TABLE

SPLITS = ("train", "tune", "val", "val_mm", "test")

# Placeholders in names: the pattern of each, and the examples offered if a name is misspelt.
PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "split": (
        r"train|tune|calibration|out_of_fold|(?:val|test)(?:_\w+)?",
        SPLITS,
    ),  # test_tr: the rows of test in another language
    "batch": (r"[1-9]\d*", ("1", "32")),
    "length": (r"s[1-9]\d*|data", ("s128", "data")),  # data: real rows of the reported split
    "mode": ("cached|unique|on_the_fly", ("cached", "on_the_fly")),  # of a hash embedding
    "graph": ("onnx|onnx_int8", ("onnx", "onnx_int8")),  # of run export, run by ONNX Runtime
    "index": (r"\d+", ("0", "1")),
    "tokens": (r"[1-9]\d*", ("128",)),
    "lesson": ("soft|hard|hidden|attention|embedding|relation|cosine|vector", ("soft", "hard", "hidden")),
    "layer": (r"[1-9]\d*", ("1", "2")),  # of the encoder
    "matrix": ("query|key|value|attention_output|intermediate|output", ("query", "output")),
    "score": ("|".join(SCORE_TABLE), tuple(SCORE_TABLE)),
    "probe": (r"\w+", ("past_present", "semantic")),  # of run probe: a task, or a group of tasks
    "pairs": (r"\w+(?<!_low)(?<!_high)(?<!_count)", ("blimp_pll", "turblimp_word_l2r")),  # of run blimp: data and score
}


@dataclass(frozen=True)
class Metric:
    """One name, or a pattern of names: `{split}/accuracy` stands for `val/accuracy`, `test/accuracy`, ..."""

    name: str
    unit: str
    direction: str  # higher | lower (better) | none (a fact, not a merit)
    meaning: str
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        text = re.sub(r"\\?\{(\w+)\\?\}", lambda place: f"(?:{PLACES[place[1]][0]})", re.escape(self.name))
        object.__setattr__(self, "pattern", re.compile(text))

    def examples(self) -> list[str]:
        """Return the names this entry stands for, with the usual values in its places."""
        places = re.findall(r"\{(\w+)\}", self.name)
        choices = itertools.product(*(PLACES[place][1] for place in places))
        return [self.name.format(**dict(zip(places, chosen))) for chosen in choices]
