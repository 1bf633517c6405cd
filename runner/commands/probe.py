"""`run probe ID data=xprobe`: what the layers of a frozen encoder encode about sentences, words and trees."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from runner.commands.help import show_usage
from runner.commands.options import output_folder, parse_options, true_or_false, unknown_option, whole_number
from runner.commands.reader import with_reader
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError, refuse
from runner.probing.tasks import (
    ARCS,
    EDGES,
    GROUPS,
    GROUPS_OF_TREEBANK,
    GROUPS_OF_XPROBE,
    STRUCTURAL,
    STRUCTURAL_TASKS,
    WORDS,
    WORDS_AND_TREES,
    chosen_tasks,
)
from runner.probing.wanted import ALL, CLS, GRIDS, LAYER_0, MEAN, NO_BASE, POOLS, QUICK, Source, Wanted
from runner.record.folder import check_writable
from runner.record.record import RunRecord
from runner.record.subject import find_subject, find_subjects

VERB = "probe"
KINDS, BY = ("linear", "mlp"), ("task", "layer")
XPROBE = "xprobe"  # the data set each of whose configs is a task
OWN = {
    "from": "", "treebank": "", "edge": "", "max_words": "20000", "senteval": "", "max_rows": "10000", "tasks": "",
    "layers": ALL, "pool": f"{MEAN},{CLS}", "probe": "linear", "grid": QUICK, "seeds": "0,1,2", "mdl": "true",
    "control": "true",
    "mix": "false", "random": "true", "given": LAYER_0, "by": "task", "repeat": "false", "threads": "1",
    "device": "auto",
}  # fmt: skip
OF_DATA = ("data", "paths")


def main(words: list[str]) -> int:
    """Print the accuracy of each task's best layer and its controls; 0 unless the command or the data are wrong."""
    if not words:
        return show_usage(VERB)
    named = [word for word in words if "=" not in word]
    own = [word for word in words if word.partition("=")[0] in OWN]
    others = [word for word in words if word not in (*named, *own)]
    chosen = parse_options(VERB, own, **OWN)
    source = _source(chosen, others)
    others = with_reader(others)  # settings have a model, which must read such data to be checked
    if problems := check_overrides(others):
        return refuse(problems)
    settings = resolve(compose(others), words=others)
    names = [*named, *_list(chosen["from"])]
    if not names:
        raise ConfigError("run probe: which model? run list runs shows those here. Try: run probe <id> data=xprobe")
    wanted = _wanted(chosen, source, settings.data.name)
    output = output_folder(settings.paths.output)
    check_writable(output)
    subjects = find_subjects(names, output, _any_run)
    if chosen["by"] != BY[0] and len(subjects) > 1:
        raise ConfigError(
            f"run probe: by={chosen['by']} shows one model, but {len(subjects)} are named. Try: one of them, or leave "
            "by= out"
        )
    is_model = wanted.given not in (LAYER_0, NO_BASE)
    base = find_subject(wanted.given, output, _any_run, "given") if is_model else None
    from rich.console import Console

    probing: Any = importlib.import_module("runner.probing.command")  # late: it loads torch
    cache = Path(settings.paths.cache).expanduser()
    place = probing.Place(output, cache, chosen["by"], true_or_false(VERB, "repeat", chosen["repeat"]))
    probing.run_probes(subjects, base, source, settings.data, wanted, place, Console(highlight=False))
    return 0


def _any_run(record: RunRecord) -> None:
    """Accept every run: models without layers are refused when they are opened."""


def _wanted(chosen: dict[str, str], source: Source, data: str) -> Wanted:
    """Return the probes that the options describe; raise ConfigError for an invalid value."""
    pools = tuple(dict.fromkeys(_list(chosen["pool"])))
    tasks, groups = _list(chosen["tasks"]), _groups(source, data)
    for pool in pools or ("",):
        _one_of("pool", pool, POOLS)
    for key, choices in (("probe", KINDS), ("grid", GRIDS), ("by", BY), ("device", ("auto", "cpu", "cuda"))):
        _one_of(key, chosen[key], choices)
    if tasks and not groups:
        raise ConfigError(
            f"run probe: tasks= names tasks of data={XPROBE}, a treebank or SentEval's files, but "
            f"{f'edge={source.edge}' if source.edge else f'data={data}'} is one task. Leave tasks= out"
        )
    usual = [*WORDS_AND_TREES] if source.treebank else []
    names = tuple(chosen_tasks(tasks or usual, groups)) if groups else (Path(source.edge).stem or data,)
    if set(names) & {*STRUCTURAL_TASKS} and (chosen["probe"], chosen["grid"]) != (KINDS[0], QUICK):
        raise ConfigError(
            f"run probe: tasks={STRUCTURAL} are linear maps without a grid, so probe= and grid= do not apply. Try: "
            f"tasks={WORDS}"
        )
    if (source.edge or ARCS in names) and chosen["grid"] != QUICK:
        raise ConfigError(f"run probe: edge probes have no grid of options. Try: grid={QUICK}")
    _refuse_without_effect(chosen, {EDGES} if source.edge else {*names})
    layers = None if chosen["layers"] == ALL else _numbers("layers", chosen["layers"])
    is_on = {key: true_or_false(VERB, key, chosen[key]) for key in ("mdl", "control", "random", "mix")}
    return Wanted(
        names, pools, layers, chosen["probe"],
        _numbers("seeds", chosen["seeds"]), is_on["mdl"], is_on["control"], is_on["random"], chosen["given"],
        whole_number(VERB, "threads", chosen["threads"], 1, 1024), chosen["device"], chosen["grid"], is_on["mix"],
        is_part=bool(groups) and names != tuple(chosen_tasks(usual, groups)),
        cut_groups=tuple(group for group, own in groups.items() if 0 < len({*own} & {*names}) < len(own)),
    )  # fmt: skip


def _refuse_without_effect(chosen: dict[str, str], names: set[str]) -> None:
    """Raise ConfigError for options that none of the tasks of these names reads."""
    without_classes = {*STRUCTURAL_TASKS, ARCS, EDGES}
    if names <= without_classes | {*WORDS_AND_TREES[WORDS]} and chosen["pool"] != OWN["pool"]:
        raise ConfigError(
            f"run probe: pool={chosen['pool']} is for whole sentences; words and spans are pooled in one way. "
            "Leave pool= out"
        )
    if names <= without_classes and chosen["given"] not in (LAYER_0, NO_BASE):
        raise ConfigError(
            f"run probe: given={chosen['given']} has no effect: the information a layer adds is defined for tasks with "
            f"classes, as tasks={WORDS} of a treebank. Leave given= out"
        )


def _groups(source: Source, data: str) -> dict[str, tuple[str, ...]]:
    """Return the tasks that there are, by group; none where the data are one task."""
    if source.treebank:
        return GROUPS_OF_TREEBANK
    if source.senteval:
        return GROUPS
    return GROUPS_OF_XPROBE if data == XPROBE else {}


def _source(chosen: dict[str, str], others: list[str]) -> Source:
    """Return the source of the tasks.

    Raises ConfigError for words that are neither options of the verb nor settings of the data.
    """
    for word in others:
        if word.lstrip("+").partition("=")[0].partition(".")[0] not in OF_DATA:
            raise ConfigError(unknown_option(VERB, word, [*OWN, "data", "data.*", "paths.*"]))
    named = ["data"] if any(word.startswith("data=") for word in others) else []
    named += [key for key in ("treebank", "edge", "senteval") if chosen[key]]
    if not named:
        raise ConfigError("run probe: which sentences? Try: data=xprobe, or data=sst2, or treebank=<a folder>")
    if len(named) > 1:
        both = " and ".join(f"{key}=" for key in named)
        raise ConfigError(f"run probe: {both} name what is probed. Leave all but one of them out")
    of_files = {"max_words": ("treebank", "edge"), "max_rows": ("senteval",)}
    for key, sources in of_files.items():
        if chosen[key] != OWN[key] and named[0] not in sources:
            cure = f"data.{key}={chosen[key]}" if (key, named[0]) == ("max_rows", "data") else f"leave {key}= out"
            raise ConfigError(f"run probe: {key}={chosen[key]} is for {'= and '.join(sources)}=. Try: {cure}")
    most = {key: _most(key, chosen[key]) for key in of_files}
    return Source(chosen["treebank"], most["max_words"], chosen["edge"], chosen["senteval"], most["max_rows"])


def _most(key: str, text: str) -> int | None:
    return None if text == ALL else whole_number(VERB, key, text, 10, 1_000_000_000)


def _numbers(key: str, text: str) -> tuple[int, ...]:
    """Return the whole numbers in [0,2] or 0,2, each once."""
    found = [whole_number(VERB, key, part, 0, 1_000_000) for part in _list(text)]
    if not found:
        raise ConfigError(f"run probe: {key}={text}: expected whole numbers. Try: {key}=0,1")
    return tuple(dict.fromkeys(found))


def _list(text: str) -> list[str]:
    """Return the names in [a,b] or a,b."""
    return [name for part in text.strip("[] ").split(",") if (name := part.strip().strip("'\""))]


def _one_of(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"run probe: {key}={value}: expected one of {', '.join(choices)}. Try: {key}={choices[0]}")
