"""The model of a run as a graph, which answers in about half the time of torch, and how long its answers take."""

from __future__ import annotations

from pathlib import Path

from models.errors import ModelError
from runner.cascade.pair import Side
from runner.cascade.rows import read_data
from runner.cascade.timing import texts_to_time
from runner.deploy.answer_time import GRAPHS, by_columns, time_reader
from runner.deploy.export import export_run
from runner.deploy.exported import DESCRIPTION_FILE, ParityError, find_model
from runner.deploy.predictors import open_predictor
from runner.errors import ConfigError
from runner.record.folder import find_record
from runner.record.json_files import read_json, write_json

AUTO, TORCH = "auto", "torch"  # engines
MEDIAN = "speed/answer_us_p50"  # of a run; a median is hardly affected by other work on the machine
ANSWER_US = "answer_us"  # key in a graph's deploy.json: measured once, so that the same command finds its cascade again
BLOCK_S, FEWEST = 1.0, 20  # of each block of answers


def fastest_engine(identity: str, output: Path) -> str:
    """Return `onnx` for a run that answers in torch, whose graph is written if there is none; else `auto`.

    If no graph can be written, it is `auto` too.
    """
    if find_model(identity, output, AUTO).engine != TORCH:
        return AUTO
    try:
        find_model(identity, output, GRAPHS[0])
    except ConfigError:  # no graph yet, or one that is older than the run
        try:
            export_run(find_record(output, identity), output / identity, GRAPHS[0], int8=False, out=None)
        except (ConfigError, ModelError, ParityError):
            return AUTO
    return GRAPHS[0]


def answer_time(side: Side, split: str, cache: Path) -> float | None:
    """Return the median microseconds of an answer by a model of a cascade, as its run recorded or as timed here.

    A graph is timed here, on texts of `split`. None if the run has not measured it. Raises ConfigError if these texts
    are gone.
    """
    if side.model.engine not in GRAPHS:
        return side.record.metrics.get(MEDIAN)
    place = side.model.folder / DESCRIPTION_FILE
    described = read_json(place) or {}
    if ANSWER_US not in described:
        rows = read_data(side, split, cache)
        if isinstance(rows, str):
            raise ConfigError(f"{rows}. Try: {side.record.identity} with force=true")
        questions = [[[cell] for cell in cells] for cells in zip(*texts_to_time(rows, split).columns)]
        micros = time_reader(by_columns(open_predictor(side.model)), questions, BLOCK_S, FEWEST)
        described |= {ANSWER_US: round(micros, 1)}
        write_json(place, described)
    return float(described[ANSWER_US])
