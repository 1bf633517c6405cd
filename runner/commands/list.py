"""`run list [GROUP]`: every choice of every group, and every sweep; it imports nothing that reads runs."""

from __future__ import annotations

import difflib
import re
import shutil
import sys
import textwrap

from data.counted import counted
from runner.config.compose import PAIRS, PORTFOLIO, groups, pair_files, portfolio_files
from runner.config.folders import file_of
from runner.config.plugins import named_sweeps, read_sweep_file
from runner.errors import ConfigError

RUNS = "runs"  # an argument that is not a group: the recorded runs (runner/commands/list_runs.py)
HEADINGS = {
    "sweep": "+sweep=    (run -m +sweep=..., run plan +sweep=...)",
    PORTFOLIO: "kinds of models that run best tries (conf/best/)",
    PAIRS: "minimal pairs: run blimp data=... from=ID (conf/blimp/)",
}


def main(words: list[str]) -> int:
    """Print all groups, or those that are named."""
    known = groups() | {"sweep": list(named_sweeps()), PORTFOLIO: list(portfolio_files())}
    known |= {PAIRS: list(pair_files())}
    for word in words:
        if word not in known:
            close = difflib.get_close_matches(word, [RUNS, *known], n=1) or ["model"]
            there = ", ".join([RUNS, *known])
            raise ConfigError(f"run list: no group {word!r}; groups: {there}. Try: run list {close[0]}")
    for group, choices in known.items():
        if words and group not in words:
            continue
        print(HEADINGS.get(group, f"{group}="))
        width = max(map(len, choices))
        for choice in choices:
            print(_fitted(f"  {choice:<{width}}  {describe(group, choice)}", indent=width + 4))
    if not words:
        print("\nEvery key with its value: run --cfg job    A choice's own keys: run model=dsn --cfg job -p model")
    return 0


def describe(group: str, choice: str) -> str:
    """Return the `description:` of a choice, else the comment below its first line."""
    if group == "sweep":
        return _question(choice)
    path = file_of(group, choice)
    text = path.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^description: *(.+?) *$", text, re.MULTILINE)
    if found:
        return found[1].strip("\"'")
    comments = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
    return next((c for c in comments if not c.startswith(("@", "run "))), "")


def _fitted(line: str, indent: int) -> str:
    """Return a line as a terminal's width has it, its continuation indented; a line for a pipe stays whole."""
    columns = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or columns < indent + 20:
        return line
    return textwrap.fill(line, columns, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _question(name: str) -> str:
    """Return the question of a sweep, the number of its runs, and its price."""
    try:
        sweep = read_sweep_file(name).sweep
    except ConfigError as error:
        return str(error)
    size = counted(sweep["size"], "run") if sweep.get("size") else ""
    costs = ", ".join(filter(None, [size, sweep.get("price")]))
    return f"{sweep.get('question') or ''} ({costs})" if costs else sweep.get("question") or ""
