"""`run model=dsn --help`: the choices of a command, and every setting that can be changed in the groups it names."""

from __future__ import annotations

import shlex
import textwrap

from runner.commands.experiment import split_flags
from runner.commands.list import describe
from runner.config.check import check_overrides
from runner.config.compose import groups
from runner.config.from_run import expand_from
from runner.config.outline import Setting, default_choices, settings_of, top_settings
from runner.config.quotes import add_quotes
from runner.errors import USER_ERRORS, refuse
from runner.sanitize import say

WIDTH = 80  # columns
INDENT = 34  # where comments begin
ALWAYS = ("model", "data", "optimizer", "schedule")  # groups whose choice is always shown


def main(words: list[str]) -> int:
    """Print the help; 0, or 2 if the settings among the words could not run."""
    flags, overrides = split_flags([word for word in words if word not in ("-h", "--help")])
    try:
        expanded = expand_from(add_quotes(overrides))
        is_multirun = any(flag in ("-m", "--multirun") for flag in flags)
        problems = check_overrides(expanded, is_multirun, whole=False)
    except USER_ERRORS as error:
        problems = str(error).splitlines()
    if problems:
        return refuse(problems)
    named = named_choices(expanded)
    command = shlex.join(["run", *flags, *overrides])
    say(f"{command}\n\nAn experiment; --help explains its settings and starts nothing.\n\nChoices (run list shows all)")
    shown = {group: [choice] for group, choice in default_choices().items() if group in ALWAYS} | named
    for group, choices in shown.items():
        for choice in choices:
            _show(f"{group}={choice}", describe(group, choice))
    for group, choices in named.items():
        for choice in choices:
            _show_settings(f"{group}={choice}", settings_of(group, choice))
    if not named:
        _show_settings("any experiment", {key: one for key, one in top_settings().items() if one.comment})
    say(f"\nAll settings with their values: {command} --cfg job\nVerbs: run --help    Hydra's flags: run --hydra-help")
    return 0


def named_choices(words: list[str]) -> dict[str, list[str]]:
    """Return the choices that words make, by group; for a sweep over several values, each one."""
    found: dict[str, list[str]] = {}
    for word in words:
        group, _, value = word.lstrip("+").partition("=")
        if group in groups():
            names = [name.strip() for name in value.strip("[]").split(",")]
            found[group] = [name for name in names if name in groups()[group]]
    return found


def _show_settings(title: str, settings: dict[str, Setting]) -> None:
    """Print one line per setting, as it is typed, with the comment from its file."""
    plain = {key: setting for key, setting in settings.items() if setting.value}
    say(f"\nSettings of {title}: {'key=default' if plain else 'none of its own'}")
    for key, setting in plain.items():
        _show(f"{key}={setting.value}", setting.comment)


def _show(name: str, text: str) -> None:
    """Print a name and, beside or below it, a text wrapped to the page width."""
    lines = textwrap.wrap(text, WIDTH - INDENT) or [""]
    if len(name) + 4 > INDENT and text:
        say(f"  {name}")
    else:
        say(f"  {name:<{INDENT - 2}}{lines.pop(0)}".rstrip())
    for line in lines:
        say(f"{'':<{INDENT}}{line}")
