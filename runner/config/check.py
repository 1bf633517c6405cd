"""Every mistake of a command line at once, each with a suggestion, before anything heavy is imported.

Hydra stops at the first mistake, advises `+key` for a typo and accepts `+typo=1` silently; here each override is
checked on its own against the groups in conf/ and the dataclasses of runner/schema.py.
"""

from __future__ import annotations

import contextlib
import itertools
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from data.json_types import JsonObject
from models.setting_conflicts import readout_conflict
from runner.config.check_files import file_as_dataset, hint_of_one_file
from runner.config.check_hydra import SEARCH, check_hydra, is_search
from runner.config.check_stages import options_without_effect
from runner.config.check_unread import settings_without_effect
from runner.config.check_values import PART_NAMES, both_columns, check_option, check_settings, check_type
from runner.config.compose import compose, groups
from runner.config.folders import config_roots
from runner.config.keys import closest, did_you_mean, is_part, known_keys, owner_of
from runner.config.overrides import parse_override, problem_of_choice, values_of
from runner.config.plugins import named_sweeps, register_sweeps, sweep_overrides
from runner.config.resolve import resolve
from runner.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from runner.schema import Settings


SWEEP = "sweep"
MOST_RUNS = 10_000  # of one command


def check_overrides(
    words: list[str], multirun: bool = False, *, whole: bool = True, allow_unread: bool = False
) -> list[str]:
    """Return one line for each mistake in the overrides `words`; an empty list means that the command can run.

    whole: also compose one config of them and check that, which loads the code of its task; allow_unread: accept words
    without effect, for commands that take words over from another one, as those with from=<run id> do.
    """
    allow_unread = allow_unread or multirun or any(word.startswith("finished=") for word in words)
    parsed = [parse_override(word) for word in words]
    problems = [problem for _, problem in parsed if problem]
    typed = [override for override, _ in parsed if override]
    named = [override for override in typed if override.key_or_group == SWEEP]
    problems += [problem for override in named for problem in _check_sweep(override, multirun)]
    overrides = [override for override in typed if override.key_or_group != SWEEP]
    if named and not problems:
        overrides = _with_sweeps([str(override.value()) for override in named], overrides)
        if len(config_roots()) > 1:  # the sweep may be the user's own file and choose what does not exist
            register_sweeps([override.input_line or "" for override in named])
            compose([override.input_line or "" for override in named], hydra=True)
    if too_many := list(_check_count(overrides)):
        return problems + too_many  # their values are not checked
    problems += _check_settings_of_runs(overrides, multirun, allow_unread=allow_unread)
    problems += _check_lengths(overrides)
    problems += check_hydra(overrides, multirun)
    if whole and not problems and not any(override.is_sweep_override() for override in overrides):
        problems += _check_whole([override.input_line or "" for override in overrides], allow_unread=allow_unread)
    return problems


def _with_sweeps(names: list[str], overrides: list[Override]) -> list[Override]:
    """The overrides of the named sweeps' files, without those that the command line replaces, and then its own."""
    given = {override.get_key_element() for override in overrides}
    own = [parse_override(word)[0] for name in names for word in sweep_overrides(name)]
    return [override for override in own if override and override.get_key_element() not in given] + overrides


def _check_settings_of_runs(overrides: list[Override], multirun: bool, *, allow_unread: bool) -> list[str]:
    """Return the mistakes in choices and values of the runs themselves; allow_unread: as in check_overrides.

    Overrides of Hydra's own settings are checked elsewhere.
    """
    ours = [override for override in overrides if not override.key_or_group.startswith("hydra")]
    problems: list[str] = []
    chosen: dict[str, list[str]] = {}
    is_searched = is_search(overrides)
    for override in ours:
        if override.key_or_group in groups():
            problems += _check_group(override, chosen, multirun)
    for override in ours:
        is_taken = allow_unread and override.key_or_group in PART_NAMES  # older runs may have them in their commands
        if override.key_or_group not in groups() and not is_taken:
            problems += _check_value(override, chosen, multirun, is_searched)
    return problems


def _check_sweep(override: Override, multirun: bool) -> Iterator[str]:
    """Yield the mistakes in `+sweep=<name>`."""
    known, name = list(named_sweeps()), str(override.value())
    if override.is_sweep_override():
        yield f"{override.input_line}: one sweep in a command. Try: run -m +sweep={values_of(override)[0]}"
    elif name not in known:
        close = closest(name, known)
        listed, first = ", ".join(known), (close or known)[0]
        yield f"+sweep={name}: no such sweep{did_you_mean(close) or '.'} Sweeps: {listed}. Try: run -m +sweep={first}"
    elif not override.is_add():
        yield f"sweep={name}: a sweep is added with a plus sign. Try: run -m +sweep={name}"
    elif not multirun:
        yield f"+sweep={name} makes several runs. Try: run -m +sweep={name}"


def _check_count(overrides: list[Override]) -> Iterator[str]:
    """Yield the mistakes in ranges of far too many values, such as range(0,1000000000)."""
    from hydra.core.override_parser.types import ChoiceSweep, RangeSweep

    runs, words = 1.0, []
    for override in overrides:
        value = override.value()
        if isinstance(value, RangeSweep):
            if not value.step:
                yield f"{override.input_line}: a range with steps of 0 has no end. Try steps of 1"
                return
            count = max(0.0, ((value.stop or 0) - (value.start or 0)) / value.step)
            if not count:
                yield f"{override.input_line}: there is no value in that range. Try: {override.key_or_group}=range(0,3)"
                return
            runs *= count
            words.append(override.input_line)
        elif isinstance(value, ChoiceSweep):
            runs *= len(value.list)
            words.append(override.input_line)
    if runs > MOST_RUNS:
        yield f"{' '.join(map(str, words))}: {runs:,.0f} runs, at most {MOST_RUNS:,} in one command. Try fewer values"


def _check_lengths(overrides: list[Override]) -> Iterator[str]:
    """Yield a message for each number of epochs of a stage without effect: train.steps sets every training's length."""
    steps = [one for one in overrides if one.key_or_group == "train.steps" and set(values_of(one)) != {None}]
    for override in overrides if steps else []:
        key = override.key_or_group
        if key.startswith("compression.") and key.rpartition(".")[2] in ("epochs", "qat_epochs"):
            yield (
                f"{steps[0].input_line} sets the length of every training, so {override.input_line} has no effect. "
                f"Try: train.epochs=<passes> instead of train.steps, or leave {key} out"
            )


def _check_group(override: Override, chosen: dict[str, list[str]], multirun: bool) -> Iterator[str]:
    group, known = override.key_or_group, groups()[override.key_or_group]
    if problem := problem_of_choice(override):
        yield problem
        return
    for value in values_of(override):
        unknown = [name for name in _names(value) if name not in known]
        for name in unknown:
            if group == "data" and (problem := file_as_dataset(name)):
                yield problem
                continue
            close = ["none"] if name == "null" and "none" in known else closest(name, known)
            first = (close or known)[0]
            paste = f"'{group}=[{first}]'" if group == "compression" else f"{group}={first}"
            listed = ", ".join(known)
            own = "" if close else f", or with a YAML of your own: run --config-dir DIR {group}={name}"
            hint = did_you_mean(close) or "."
            yield f"{group}={name}: no such {group}{hint} Choices: {listed}. Try: run {paste}{own}"
        if group == "compression" and (repeated := _repeated_stage(_names(value))):
            yield repeated
        if not unknown and value is not None:
            # Stages are chosen together, so their settings are looked up for the whole chain.
            chosen.setdefault(group, []).append(
                f"[{','.join(_names(value))}]" if group == "compression" else str(value)
            )
    if override.is_sweep_override() and not multirun:
        yield _sweep_message(group, (override.input_line or "").partition("=")[2])


def _repeated_stage(names: list[str]) -> str:
    """Return the message for a chain that names a stage twice, of which Hydra keeps only the first; "" for others."""
    names = [name for name in names if name != "none"]
    again = next((place for place, name in enumerate(names) if name in names[:place]), None)
    if again is None:
        return ""
    whole, once, first, rest = (
        f"compression=[{','.join(part)}]"
        for part in (names, names[:again] + names[again + 1 :], names[:again], names[again:])
    )
    is_beside = names[again] == names[again - 1]
    cure = f"'{once}'" if is_beside else f"'{first}', then '{rest}' from=<the id of that run>"
    return f"{whole}: {names[again]} is in the chain twice. Try: {cure}"


def _sweep_message(key: str, text: str) -> str:
    """Return the message for several values in a command of one run."""
    pair = both_columns(key, text.split(","))
    or_pair = f", or for pairs of texts: run {pair}" if pair else ""
    return f"{key}={text} holds several values, which is a sweep. Try: run -m {shlex.quote(f'{key}={text}')}{or_pair}"


def _names(value: object) -> list[str]:
    """Return the option names in one value of a group: `dsn`, or each of `[none,int8]`."""
    if isinstance(value, list):
        return [str(part) for part in value]
    text = "null" if value is None else str(value)
    return [part.strip() for part in text.strip("[]").split(",")]


def _check_value(override: Override, chosen: dict[str, list[str]], multirun: bool, is_searched: bool) -> Iterator[str]:
    key = override.key_or_group
    group = key.split(".")[0]
    combinations, tables = _tables(key, chosen)
    if override.is_delete():
        yield f"~{key}: a setting cannot be removed, only changed. Try: run {key}=<value>"
        return
    text = (override.input_line or "").partition("=")[2]
    if not text:
        refused = check_type(key, None)
        usual = refused.partition("Try: ")[2] if refused else f"run {key}=null for none, or a value"
        yield f"{key}= has no value; perhaps a shell variable is empty. Try: {usual or f'run {key}=<a value>'}"
        return
    missing = [choices for choices, table in zip(combinations, tables) if key not in table]
    if missing:
        yield _unknown_key(key, group, " ".join(missing[0]), sorted(set().union(*tables)))
        return
    if override.is_add():
        yield f"+{key}: the key exists already; leave the + out. Try: run {shlex.quote(f'{key}={text}')}"
        return
    if override.is_sweep_override() and group == SWEEP:
        yield f"{override.input_line}: the settings of a sweep cannot be swept themselves. Try: one value for {key}"
        return
    if override.is_sweep_override() and not multirun:
        yield _sweep_message(key, text) + hint_of_one_file(key, text)
        return
    if override.is_sweep_override() and not override.is_discrete_sweep():
        if not is_searched:
            paste = shlex.quote(f"{key}={text}")
            yield f"{key}={text} is for a search. Try: run -m {SEARCH} {paste}, or list the values"
            return
        if (whole := _whole_numbers(override)) and check_type(key, whole[0] + 0.5):
            paste = f"'{key}=int(interval({whole[0]},{whole[1]}))'"
            yield f"{key}={text}: whole numbers are needed. Try: run -m {SEARCH} {paste}"
            return
    for value in values_of(override):
        problem = check_type(key, value) or check_option(key, value, tables[0][key])
        if problem:
            yield problem


def _tables(key: str, chosen: dict[str, list[str]]) -> tuple[list[tuple[str, ...]], list[JsonObject]]:
    """Return the combinations of choices on which the settings in a key's group depend, and the settings for each."""
    group = key.split(".")[0]
    every = {name: [f"{name}={option}" for option in options] for name, options in chosen.items()}
    with contextlib.suppress(ConfigError):  # a YAML of another group is wrong
        # With the first choice of every other group: `_check_whole` needs this config too, and so do other keys.
        combinations = list(itertools.product(*(o if is_part(name, group) else o[:1] for name, o in every.items())))
        tables = [known_keys(*choices) for choices in combinations]
        if all(key in table for table in tables):
            return combinations, tables
    combinations = list(itertools.product(*(every[name] for name in sorted(every) if is_part(name, group))))
    return combinations, [known_keys(*choices) for choices in combinations]


def _whole_numbers(override: Override) -> tuple[int, int] | None:
    """Return the ends of an interval as integers if it is one of real numbers; None if it is one of integers."""
    sweep: Any = override.value()
    return None if isinstance(sweep.start, int) else (int(sweep.start), int(sweep.end))


def _unknown_key(key: str, group: str, choices: str, known: list[str]) -> str:
    if key.split(".")[0] in groups() or "." not in key:
        owner = owner_of(key, group)
        if owner:
            choices = choices or f"{group}={known_keys().get(f'{group}.name', 'none')}"
            return f"{key}: not a setting of {choices}, but of {owner}. Try: run {owner} {key}=..."
    close = closest(key, known + sorted(groups()))
    paste = f"Try: run {close[0]}=..." if close else "See every key: run --cfg job"
    return f"{key}: no such key{did_you_mean(close) or '.'} {paste}"


def _check_whole(words: list[str], *, allow_unread: bool) -> list[str]:
    """Return mistakes that show only in the composed config: in a YAML, or between two settings."""
    try:
        settings = resolve(compose(words), words=words)
    except ConfigError as error:
        return str(error).splitlines()
    unread = options_without_effect(words, settings.compression)
    unread += [] if allow_unread else settings_without_effect(words, settings)
    return [*check_settings(settings), *unread, *_readouts_not_taken(words, settings)]


def _readouts_not_taken(words: list[str], settings: Settings) -> list[str]:
    """Return a message if the command names a readout that the task's head cannot use.

    The readout of a preset is not checked: the task replaces it.
    """
    named = [word.partition("=")[2] for word in words if word.startswith("model/readout=")]
    taken = settings.model.readout["name"]
    return [readout_conflict(name, False, "tokens") for name in named if name not in ("auto", taken)]
