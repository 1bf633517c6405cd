"""The table of `run zero-shot` on a terminal: each template, with and without the prior, and chance."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from runner.record.record import RunRecord
from runner.sanitize import escape


def show_result(record: RunRecord, folder: Path, console: Console) -> None:
    """Print a recorded result: scores by template, then chance, the majority class, the speed and the notes."""
    primary, metrics = record.data.primary, record.metrics
    split, _, first = primary.partition("/")
    table = Table(title=escape(f"{record.name}  ({record.identity})"), title_justify="left")
    table.add_column("template", overflow="fold")
    others = [name for name in record.scores if name != first and f"{split}/{name}" in metrics]
    for column in (first, f"{first}, no prior", *others):
        table.add_column(column, justify="right", no_wrap=column == first)
    templates = list((record.config.get("zero_shot") or {}).get("templates") or [])
    has_prior = (record.config.get("zero_shot") or {}).get("has_prior", True)
    interval = f"{metrics[primary]:.4f} [{metrics[f'{primary}_low']:.4f}, {metrics[f'{primary}_high']:.4f}]"
    if not templates:
        table.add_row("pairs as they are", interval, "", *(f"{metrics[f'{split}/{name}']:.4f}" for name in others))
    for number, template in enumerate(templates, 1):
        key = "prior" if has_prior else "no_prior"
        own = interval if number == 1 else f"{metrics[f'zero_shot/{first}_{key}_{number}']:.4f}"
        scores = [f"{metrics[f'zero_shot/{name}_{key}_{number}']:.4f}" for name in others]
        table.add_row(escape(template), own, f"{metrics[f'zero_shot/{first}_no_prior_{number}']:.4f}", *scores)
    table.add_section()
    table.add_row("a guess among the classes", f"{metrics['zero_shot/chance']:.4f}", "", *[""] * len(others))
    table.add_row(f"the majority class of {split}", f"{metrics['baseline/majority']:.4f}", "", *[""] * len(others))
    console.print(table)
    examples, speed = int(metrics[f"{split}/examples"]), metrics["zero_shot/texts_per_s"]
    console.print(f"{examples:,} texts, {speed:,.1f} texts/s by one template; intervals: 95 %, over texts")
    for note in record.notes:
        console.print(escape(f"note: {note}"), soft_wrap=True)
    console.print(escape(f"recorded in {folder}"), soft_wrap=True)
