"""`run list runs [ORDER]`: the recorded runs, newest or best first."""

from __future__ import annotations

from rich.console import Console

from runner.commands.options import output_folder, parse_options, whole_number
from runner.compare.run_list import ORDERS, ROWS, Wanted, list_runs
from runner.errors import ConfigError


def main(words: list[str]) -> int:
    """Print the recorded runs: order, number of rows, and filters by their words."""
    orders = [word for word in words if "=" not in word]
    if unknown := [word for word in orders if word not in ORDERS]:
        raise ConfigError(
            f"run list runs: {unknown[0]!r} is not an order. Try: run list runs best, or data={unknown[0]}"
        )
    own = {"rows": str(ROWS), "paths.output": "outputs"}
    chosen = parse_options("list", [word for word in words if word.partition("=")[0] in own], **own)
    filters = [word for word in words if "=" in word and word.partition("=")[0] not in own]
    rows = whole_number("list", "rows", chosen["rows"], 1, 1_000_000)
    wanted = Wanted(orders[-1] if orders else ORDERS[0], rows, filters)
    list_runs(output_folder(chosen["paths.output"]), wanted, Console(highlight=False))
    return 0
