"""`run explain [ID] [KEY]`: where each setting of a recorded run came from."""

from __future__ import annotations

from runner.commands.options import output_folder, parse_options, refuse_flag
from runner.compare.origins import setting_origins
from runner.compare.select import setting_text
from runner.config.keys import closest
from runner.errors import ConfigError
from runner.record.command import command_line, is_of_verb
from runner.record.folder import find_record
from runner.sanitize import escape


def main(words: list[str]) -> int:
    """Print value and origin of each setting of a run; 0 unless the command is wrong."""
    names = [word for word in words if "=" not in word]
    refuse_flag("explain", names[0] if names else "")
    chosen = parse_options("explain", [word for word in words if "=" in word], **{"paths.output": "outputs"})
    if len(names) > 2:
        raise ConfigError(f"run explain: one run and one key, not {' '.join(names)}. Try: run explain {names[0]} model")
    output = output_folder(chosen["paths.output"])
    record = find_record(output, names[0] if names else None)
    if is_of_verb(record):
        raise ConfigError(
            f"run {record.identity} was made by a verb, and has no training settings. The command was: "
            f"{command_line(record)}"
        )
    found = setting_origins(record, output)
    if len(names) == 2:
        keys = [origin.key for origin in found]
        found = [origin for origin in found if names[1] in origin.key]
        if not found:
            close = closest(names[1], keys) or ["model"]
            raise ConfigError(
                f"run explain: no setting of run {record.identity} has {names[1]!r} in its name; "
                f"did you mean {' or '.join(close)}? Try: run explain {record.identity} {close[0]}"
            )
    _print(
        f"{record.identity} {record.name}",
        [(origin.key, setting_text(origin.value), origin.source) for origin in found],
    )
    return 0


def _print(title: str, lines: list[tuple[str, str, str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(escape(cell) for cell in line))
    Console(highlight=False).print(table)
