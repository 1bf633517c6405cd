"""`run data data=...`: what is known of a data set before anything is trained."""

from __future__ import annotations

import json
from dataclasses import asdict

from runner.audit.audit import audit_data
from runner.audit.show import show_audit
from runner.commands.help import show_usage
from runner.commands.options import parse_options, true_or_false
from runner.commands.reader import with_reader
from runner.config.bare_words import no_setting
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError, refuse
from runner.experiment.dependencies.words_of_files import names_file, words_of_files
from runner.machine.collector import paused_collector
from runner.sanitize import masked, say

OWN = {"near": "false", "format": "text"}
FORMATS = ("text", "json")


def main(words: list[str]) -> int:
    """Print the report; 0 unless the command or the data are wrong."""
    if not words:
        return show_usage("data")
    own = [word for word in words if word.partition("=")[0] in OWN]
    others = [word for word in words if word not in own]
    chosen = parse_options("data", own, **OWN)
    if chosen["format"] not in FORMATS:
        raise ConfigError(f"run data: format={chosen['format']}: expected text or json. Try: format=json")
    wrong = [word for word in others if word.startswith("-") or "=" not in word]
    if wrong:
        raise ConfigError(f"run data: {no_setting(wrong[0], 'data')}")
    all_near = true_or_false("data", "near", chosen["near"])
    with paused_collector():
        return _audit(others, all_near=all_near, as_json=chosen["format"] == "json")


def _audit(others: list[str], *, all_near: bool, as_json: bool) -> int:
    """Check the settings, audit the data and print the findings; return the exit code."""
    others = with_reader(others)
    if problems := check_overrides(others):
        return refuse(problems)
    settings = resolve(compose(others), words=others)
    audit = audit_data(settings, others, _data_of_files(others), all_near=all_near, problems=check_overrides)
    if as_json:
        print(json.dumps(masked(asdict(audit)), indent=2, ensure_ascii=False))
        return 0
    for line in show_audit(audit):
        say(line)
    return 0


def _data_of_files(words: list[str]) -> list[str] | None:
    """Return as words the data settings of files that a command names; None if they cannot be written as words."""
    try:
        return words_of_files(words, ("data", "task")) if names_file(words) else []
    except ConfigError:
        return None
