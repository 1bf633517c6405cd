"""`run cascade small=ID large=ID`: two runs as one model, with a promise on the accuracy that is lost."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from runner.cascade.beside import compare_ways, open_ways, show_beside, write_curves
from runner.cascade.choose import EXACT, GUARANTEES, Wanted, choose_threshold
from runner.cascade.make import Measuring, NewCascade, copy_cascade, find_or_make, refuse_zip
from runner.cascade.pair import Side, open_pair
from runner.cascade.rows import read_calibration_rows, read_reported_rows
from runner.cascade.show import show_cascade
from runner.cascade.within_time import plan_within_time
from runner.commands.help import show_usage
from runner.commands.options import output_folder, parse_options, path_option, true_or_false, whole_number
from runner.commands.promise import open_share
from runner.config.compose import compose
from runner.deploy.cascade import LARGE, MODELS, SMALL
from runner.errors import ConfigError
from runner.record.compared import models_compared
from runner.record.folder import check_writable
from runner.sanitize import say

VERB, BESIDE = "cascade", "beside="
DEFAULTS = {
    SMALL: "", LARGE: "", "max_us": "", "at_most_loss": "0.005", "guarantee": EXACT, "delta": "0.05", "out": "",
    "small_engine": "auto", "large_engine": "auto", "seconds": "20", "threads": "1", "force": "false",
    "paths.output": "outputs", "paths.cache": "",
}  # fmt: skip
LONGEST_S = 3600


def main(words: list[str]) -> int:
    """Find the threshold, record the cascade and print its table; 0 unless the command is wrong."""
    if not words:
        return show_usage(VERB)
    others = [word.removeprefix(BESIDE) for word in words if word.startswith(BESIDE)]
    words = [word for word in words if not word.startswith(BESIDE)]
    chosen = parse_options(VERB, words, **DEFAULTS)
    for part in MODELS:
        if not chosen[part]:
            raise ConfigError(f"run cascade: which model is the {part} one? Try: run cascade {SMALL}=<id> {LARGE}=<id>")
    wanted = wanted_loss(chosen)
    seconds = whole_number(VERB, "seconds", chosen["seconds"], 0, LONGEST_S)
    if others and not seconds:
        raise ConfigError(
            f"run cascade: seconds=0 and {BESIDE}{others[0]}: models are compared at equal time, on as many texts "
            f"as are answered in these seconds. Try: seconds={DEFAULTS['seconds']}"
        )
    measuring = Measuring(seconds, whole_number(VERB, "threads", chosen["threads"], 1, 1024))
    force = true_or_false(VERB, "force", chosen["force"])
    copy = place_of_copy(chosen["out"])
    output = output_folder(chosen["paths.output"])
    check_writable(output)
    cache = Path(chosen["paths.cache"] or compose([]).paths.cache).expanduser()
    pair = open_pair(chosen, output, {part: chosen[f"{part}_engine"] for part in MODELS})
    ways = open_ways(others, output, pair.large.model)
    wanted = Wanted(wanted.at_most_loss, wanted.guarantee, wanted.delta, pairs_compared(*pair.sides))
    if chosen["max_us"]:
        most = open_time(chosen["max_us"])
        refuse_loss_beside_time(words)
        made = plan_within_time(pair, most, cache, wanted.models, [VERB, *recorded_words(words)])
    else:
        rows = read_calibration_rows(pair, wanted.words, cache)
        reported = read_reported_rows(pair, wanted.words)
        made = NewCascade(pair, choose_threshold(rows, wanted), reported, [VERB, *recorded_words(words)])
    record, folder = find_or_make(made, output, cache, measuring, force=force)
    from rich.console import Console

    console = Console(highlight=False)
    show_cascade(record, folder, console)
    if ways:
        beside = compare_ways(made, ways, cache, measuring)
        show_beside(beside, console)
        say(f"all points: {write_curves(folder, beside)}")
    if copy:
        place = copy_cascade(folder, (pair.small.model, pair.large.model), copy)
        say(f'with copies of both models: {place}. Try: run predict {shlex.quote(str(place))} "a text"')
    return 0


def place_of_copy(text: str) -> Path | None:
    """Return the folder that out= names, None if it is not given; raise ConfigError for a .zip."""
    if not text:
        return None
    place = path_option("out", text, "cascade")
    refuse_zip(place)
    return place


def wanted_loss(chosen: dict[str, str]) -> Wanted:
    """Return the accepted loss that the options describe; raise ConfigError for invalid values."""
    if chosen["guarantee"] not in GUARANTEES:
        raise ConfigError(
            f"run cascade: guarantee={chosen['guarantee']}: expected {' or '.join(GUARANTEES)}. Try: guarantee={EXACT}"
        )
    loss, delta = (open_share(VERB, key, chosen[key], DEFAULTS[key]) for key in ("at_most_loss", "delta"))
    return Wanted(loss, chosen["guarantee"], delta)


def refuse_loss_beside_time(words: list[str]) -> None:
    """Raise ConfigError for a loss beside max_us, which alone decides the threshold; the loss is then only bounded."""
    given = {word.partition("=")[0]: word for word in words}
    for key in ("at_most_loss", "guarantee", "delta"):
        if "max_us" in given and key in given:
            raise ConfigError(
                f"run cascade: {given[key]} with {given['max_us']}: the threshold follows from the time, and the "
                f"loss is bounded with delta={DEFAULTS['delta']}. Try: one of the two"
            )


def open_time(text: str) -> float:
    """Return the microseconds of max_us=; raise ConfigError for an invalid time."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        raise ConfigError(f"run cascade: max_us={text}: expected microseconds, above 0. Try: max_us=500")
    return found


def pairs_compared(small: Side, large: Side) -> int:
    """Return how many pairs of models were compared on the selection rows: delta is divided among them."""
    first, second = (models_compared(side.folder.parent, side.record) for side in (small, large))
    return first * second


def recorded_words(words: list[str]) -> list[str]:
    """Return the words of a command that made a cascade, without the folder of a copy."""
    return [word for word in words if not word.startswith(("out=", "force="))]
