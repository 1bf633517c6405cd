"""`run probe ID data=xprobe`: what the layers of a frozen encoder say about a sentence."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from runner.commands.help import show_usage
from runner.commands.options import output_folder, parse_options, true_or_false, whole_number
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError, refuse
from runner.probing.tasks import NAMES, chosen_tasks
from runner.probing.wanted import ALL, CLS, LAYER_0, MEAN, NO_BASE, POOLS, Wanted
from runner.record.folder import check_writable
from runner.record.record import RunRecord
from runner.record.subject import find_subject, find_subjects

VERB = "probe"
KINDS, BY = ("linear", "mlp"), ("task", "layer")
XPROBE = "xprobe"  # the data set whose configs are the named tasks
OWN = {
    "from": "", "tasks": "", "layers": ALL, "pool": f"{MEAN},{CLS}", "probe": "linear", "seeds": "0,1,2",
    "mdl": "true", "control": "true", "random": "true", "given": LAYER_0, "by": "task", "repeat": "false",
    "threads": "1", "device": "auto",
}  # fmt: skip
OF_DATA = ("data", "paths")


def main(words: list[str]) -> int:
    """Print the accuracy of each task's best layer beside its controls; 0 unless the command or the data are wrong."""
    if not words:
        return show_usage(VERB)
    named = [word for word in words if "=" not in word]
    own = [word for word in words if word.partition("=")[0] in OWN]
    others = [word for word in words if word not in (*named, *own)]
    chosen = parse_options(VERB, own, **OWN)
    _check_data_words(others)
    if problems := check_overrides(others):
        return refuse(problems)
    settings = resolve(compose(others), words=others)
    names = [*named, *_list(chosen["from"])]
    if not names:
        raise ConfigError("run probe: which model? run list runs shows those here. Try: run probe <id> data=xprobe")
    wanted = _wanted(chosen, settings.data.name)
    output = output_folder(settings.paths.output)
    check_writable(output)
    subjects = find_subjects(names, output, _any_run)
    is_model = wanted.given not in (LAYER_0, NO_BASE)
    base = find_subject(wanted.given, output, _any_run) if is_model else None
    from rich.console import Console

    probing: Any = importlib.import_module("runner.probing.command")  # late: it loads torch
    cache = Path(settings.paths.cache).expanduser()
    place = probing.Place(output, cache, chosen["by"], true_or_false(VERB, "repeat", chosen["repeat"]))
    probing.run_probes(subjects, base, settings.data, wanted, place, Console(highlight=False))
    return 0


def _any_run(record: RunRecord) -> None:
    """Accept every run: models without layers are refused when they are opened."""


def _wanted(chosen: dict[str, str], data: str) -> Wanted:
    """The probes that the options ask for; ConfigError for a value that cannot be."""
    pools, tasks = tuple(_list(chosen["pool"])), _list(chosen["tasks"])
    for pool in pools or ("",):
        _one_of("pool", pool, POOLS)
    for key, choices in (("probe", KINDS), ("by", BY), ("device", ("auto", "cpu", "cuda"))):
        _one_of(key, chosen[key], choices)
    if tasks and data != XPROBE:
        raise ConfigError(
            f"run probe: tasks= names tasks of data={XPROBE}, and data={data} is one task. Leave tasks= out"
        )
    layers = None if chosen["layers"] == ALL else _numbers("layers", chosen["layers"])
    is_on = {key: true_or_false(VERB, key, chosen[key]) for key in ("mdl", "control", "random")}
    return Wanted(
        tuple(chosen_tasks(tasks, NAMES_OF_XPROBE)) if data == XPROBE else (data,), pools, layers, chosen["probe"],
        _numbers("seeds", chosen["seeds"]), is_on["mdl"], is_on["control"], is_on["random"], chosen["given"],
        whole_number(VERB, "threads", chosen["threads"], 1, 1024), chosen["device"],
    )  # fmt: skip


NAMES_OF_XPROBE = tuple(name for name in NAMES if name != "top_constituents")  # which that data set lacks


def _check_data_words(words: list[str]) -> None:
    """Raise ConfigError for words that are neither options of the verb nor settings of the data."""
    for word in words:
        if word.lstrip("+").partition("=")[0].partition(".")[0] not in OF_DATA:
            known = ", ".join([*OWN, "data", "data.*", "paths.*"])
            raise ConfigError(f"run probe: {word!r} is not one of its options ({known}). Try: run probe --help")
    if not any(word.startswith("data=") for word in words):
        raise ConfigError("run probe: which sentences? Try: data=xprobe, or data=sst2")


def _numbers(key: str, text: str) -> tuple[int, ...]:
    """The whole numbers in [0,2] or 0,2, each once."""
    found = [whole_number(VERB, key, part, 0, 1_000_000) for part in _list(text)]
    if not found:
        raise ConfigError(f"run probe: {key}={text}: expected whole numbers. Try: {key}=0,1")
    return tuple(dict.fromkeys(found))


def _list(text: str) -> list[str]:
    """The names in [a,b] or a,b."""
    return [name for part in text.strip("[] ").split(",") if (name := part.strip().strip("'\""))]


def _one_of(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"run probe: {key}={value}: expected one of {', '.join(choices)}. Try: {key}={choices[0]}")
