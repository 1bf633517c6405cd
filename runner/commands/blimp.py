"""`run blimp from=ID`: minimal pairs, of which a masked language model must find the acceptable sentence."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.sources.pair_source import PairSource, chosen_paradigms
from runner.commands.help import show_usage
from runner.commands.options import output_folder, parse_options, true_or_false, whole_number
from runner.config.compose import compose, groups, pair_files
from runner.errors import ConfigError
from runner.minimal_pairs.subject import check_words
from runner.minimal_pairs.wanted import ALL, FILES, PARADIGM, QUICK, SCORES, Wanted, pair_source
from runner.record.folder import check_writable
from runner.record.subject import find_subjects

OF_FILES = ("path", "good", "bad", "group", "encoding", "delimiter", "quoting")
DEFAULTS = {
    "from": "", "data": "blimp", "paradigms": "", "max_pairs": str(QUICK), "score": "pll", "by": "",
    "compression": "none", **dict.fromkeys(OF_FILES, ""), "repeat": "false", "device": "auto", "threads": "auto",
    "tracker": "mlflow", "paths.output": "outputs", "paths.cache": "",
}  # fmt: skip


def main(words: list[str]) -> int:
    """Print the accuracy by phenomenon, or the difference of two models; 0 unless the command or the data are wrong."""
    if not words:
        return show_usage("blimp")
    named = [word for word in words if "=" not in word]
    chosen = parse_options("blimp", [word for word in words if word not in named], **DEFAULTS)
    output = output_folder(chosen["paths.output"])
    wanted = _wanted(chosen)
    names = [*named, *_list(chosen["from"])]
    if not names:
        raise ConfigError("run blimp: of which model? run list runs shows what is recorded. Try: run blimp from=<id>")
    by, again = chosen["by"], true_or_false("blimp", "repeat", chosen["repeat"])
    _one_of("tracker", chosen["tracker"], ("mlflow", "none"))
    if by:
        _one_of("by", by, (PARADIGM, *wanted.source.groups, ALL))
    check_writable(output)
    subjects = find_subjects(names, output, check_words)
    if by and len(subjects) > 2:
        raise ConfigError(
            f"run blimp: by={by}: {len(subjects)} models are compared by the mean over all pairs. "
            "Try: two of them, or leave by= out"
        )
    cache = Path(chosen["paths.cache"] or compose([]).paths.cache).expanduser()
    from rich.console import Console

    pairs: Any = importlib.import_module("runner.minimal_pairs.command")  # late: it loads torch
    place = pairs.Place(output, cache, by, again, chosen["tracker"] != "none")
    pairs.run_pairs(subjects, wanted, place, Console(highlight=False))
    return 0


def _wanted(chosen: dict[str, str]) -> Wanted:
    """Return the evaluation that the options describe; raise ConfigError or DataError if it is impossible."""
    known = tuple(pair_files())
    _one_of("data", chosen["data"], known)
    _one_of("score", chosen["score"], tuple(SCORES))
    _one_of("device", chosen["device"], ("auto", "cpu", "cuda"))
    compression = chosen["compression"].strip("[]") or "none"
    _one_of("compression", compression, tuple(groups()["compression"]))
    threads = None if chosen["threads"] == "auto" else whole_number("blimp", "threads", chosen["threads"], 1, 1024)
    most = chosen["max_pairs"]
    count = None if most in (ALL, "null") else whole_number("blimp", "max_pairs", most, 1, 10_000_000)
    source = _source(chosen)
    paradigms = tuple(_list(chosen["paradigms"]))
    if source.id:  # the names in a file are known when it is read
        chosen_paradigms(source, paradigms)
    return Wanted(source, chosen["score"], count, paradigms, compression, chosen["device"], threads)


def _source(chosen: dict[str, str]) -> PairSource:
    """Return the source of the pairs, with the columns that the command names."""
    source = pair_source(chosen["data"])
    given: dict[str, Any] = {key: chosen[key] for key in OF_FILES if chosen[key]}
    _one_of("quoting", chosen["quoting"] or "auto", ("auto", "minimal", "none"))
    if source.id is None:
        if not given.get("path"):
            raise ConfigError("run blimp data=files: which file? Try: run blimp from=<id> data=files path=pairs.csv")
        return replace(source, **given)
    if useless := [key for key in given if key not in ("good", "bad")]:
        key = useless[0]
        raise ConfigError(
            f"run blimp: {key}={given[key]} is for a file, but data={source.name} is a hub dataset. Try: "
            f"data={FILES} {key}={given[key]}, or leave {key}= out"
        )
    return replace(source, **given)


def _list(text: str) -> list[str]:
    """Return the names in [a,b] or a,b."""
    return [name for part in text.strip("[] ").split(",") if (name := part.strip().strip("'\""))]


def _one_of(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        near = difflib.get_close_matches(value, choices, n=1) or [choices[0]]
        raise ConfigError(f"run blimp: {key}={value}: expected one of {', '.join(choices)}. Try: {key}={near[0]}")
